/* Words of the kernel's command line that let somebody in past the signed base. A base that is not
 * signed by a development key does not start with one of them; a development base says so. */
#pragma once

#include <glib.h>

typedef struct {
	char *word;         /* as it stands on the command line, printable */
	const char *reason; /* static: what it does, to follow "it " */
} VarveSideDoor;

/**
 * varve_side_doors_find:
 * Reads @command_line as the kernel and as systemd do, which differ in what quotes mean; what the
 * two would read differently is a side door too.
 *
 * Returns: (caller unrefs) VarveSideDoor *, in the order of the words; empty where all is well.
 */
GPtrArray *varve_side_doors_find(const char *command_line);

/** A line of the table, for the documentation and tests. */
typedef struct {
	const char *word;     /* '-' and '_' are the same; a final '*' stands for anything */
	const char *harmless; /* (nullable) the values that are allowed, blanks between them */
	const char *reason;
} VarveSideDoorRule;

/** (static) all of them; ends with a NULL word. */
const VarveSideDoorRule *varve_side_door_rules(void);
