/* What a process runs: its program and every file that is mapped into it, by the inodes that the
 * kernel really mapped, not by names. */
#pragma once

#include "trace/answer.h"
#include "trace/node.h"

/** One file, or kind of memory, that is mapped; once, however often. */
typedef struct {
	char *name;               /* as /proc/PID/maps shows it: a path, "[heap]", "" */
	gboolean program;         /* it is what was started: /proc/PID/exe */
	gboolean executable;      /* some of it may be executed */
	gboolean anonymous;       /* memory, no file */
	VarveTraceAnswer *answer; /* (nullable) of a file; NULL where it could not be opened */
	char *unopened;           /* why it could not, or "" */
	gboolean flagged;         /* executable, and not from a signed layer */
	gboolean old;             /* the running stack has another, or none */
} VarveTraceMapping;

typedef struct {
	gint pid;
	char *command;       /* the name of the process */
	char *unit;          /* of systemd, from its cgroup; "" where it is in none */
	char *cgroup;        /* the whole path */
	char *context;       /* SELinux; "" where there is none */
	GPtrArray *mappings; /* VarveTraceMapping *: the program, then by name */
	guint flagged;
	guint old;
} VarveTraceProcess;

/**
 * varve_trace_process:
 * Answers for process @pid. Its files are opened through /proc/PID/map_files, so that it does not
 * matter which mount namespace it is in, and whether its files have a name at all.
 *
 * @hash: whether every file's bytes are hashed; else dm-verity is relied upon.
 *
 * Errors: NOT_FOUND (no such process, or it ended), SYSTEM (root alone may ask).
 */
VarveTraceProcess *varve_trace_process(VarveTraceNode *node, gint pid, gboolean hash,
				       GError **error);
void varve_trace_process_free(VarveTraceProcess *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveTraceProcess, varve_trace_process_free)

/** (caller owns) */
json_t *varve_trace_process_json(const VarveTraceProcess *process);
