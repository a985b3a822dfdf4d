/* Where programs of a build run: a build root with a writable sheet over it, in namespaces of its
 * own, as a user without privileges, mostly without network; nothing of the host is there but what
 * is bound. */
#pragma once

#include "base/process.h"
#include "build/root.h"

#include <stdio.h>

/* Inside. */
#define VARVE_BUILD_HOME "/build"
#define VARVE_BUILD_SOURCES VARVE_BUILD_HOME "/SOURCES"
#define VARVE_BUILD_MACROS "/etc/rpm/macros.varve"

#define VARVE_CHAMBER_BINDS 4

typedef struct {
	const VarveBuildRoot *root;
	char *directory;                      /* of the sheet and what belongs to it */
	VarveBind binds[VARVE_CHAMBER_BINDS]; /* strings are owned */
	gsize n_binds;
	gboolean network; /* that of the host, with its resolver and the caller's proxies */
	gint64 epoch;     /* SOURCE_DATE_EPOCH; 0: not set, rpmbuild takes the changelog's */
	FILE *log;        /* (borrowed, nullable) gets all that programs say */
	const char *name; /* (borrowed) of the component, for progress and messages */
} VarveChamber;

/**
 * varve_chamber_open:
 * Makes the sheet, empty. What was in @directory, a host path, is removed.
 */
gboolean varve_chamber_open(VarveChamber *chamber, const VarveBuildRoot *root,
			    const char *directory, GError **error);

/** varve_chamber_bind: what is at the host's @source is seen at @target. */
void varve_chamber_bind(VarveChamber *chamber, const char *source, const char *target,
			gboolean writable);
void varve_chamber_clear(VarveChamber *chamber);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveChamber, varve_chamber_clear)

/** varve_chamber_change_root: what was written stays, on another root. */
void varve_chamber_change_root(VarveChamber *chamber, const VarveBuildRoot *root);

/** varve_chamber_ask: (caller frees) what @argv writes to standard output. */
char *varve_chamber_ask(const VarveChamber *chamber, const char *const *argv, GError **error);

/**
 * varve_chamber_run:
 * Runs @argv with all that it says in the log, and progress by the phases of rpmbuild.
 *
 * Errors: SYSTEM (it ended with another status than 0; the message has no lines of the log).
 */
gboolean varve_chamber_run(const VarveChamber *chamber, const char *const *argv, GError **error);

/** varve_chamber_shell: a shell for a person, on this terminal. */
gboolean varve_chamber_shell(const VarveChamber *chamber, GError **error);

/** varve_chamber_path: (caller frees) where on the host lies what was written to @inside
 * ("/build/…").
 */
char *varve_chamber_path(const VarveChamber *chamber, const char *inside);
