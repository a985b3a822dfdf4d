/* Who still runs the old code: processes that map, execute or hold files of an earlier stack which
 * the running one has otherwise, in every mount namespace. */
#pragma once

#include "stack/past.h"

/** One file that a process holds and that is old. */
typedef struct {
	char *path;    /* "/usr/…" */
	char *layer;   /* whose file it is: "base", "containerd" */
	char *version; /* of that layer */
	gboolean code; /* mapped executable, or the program itself; else data that is held open */
} VarveHeldFile;

typedef struct {
	gint pid;
	char *command;
	char *unit;       /* of systemd; "" where it is in none */
	guint generation; /* of the newest stack that it follows: what it would open is of that one
			   */
	gboolean follows; /* its mount namespace has the running stack at /usr */
	GPtrArray *
		files; /* VarveHeldFile *, by path; only those that differ from the running stack */
} VarveHolder;

typedef struct {
	GPtrArray *holders; /* VarveHolder *, by pid: those with old files, and those that do not
			     * follow */
	guint64 stacks;     /* earlier ones that something still keeps alive */
} VarveWho;

/** VarveWhoFind: the digest of @path ("/usr/…") in the running stack; FALSE where it has none. */
typedef gboolean (*VarveWhoFind)(const char *path, VarveDigest *ret, gpointer data);

/**
 * varve_who:
 * Looks at every process. One that ends meanwhile is not told.
 *
 * Errors: SYSTEM (root alone sees all processes).
 */
VarveWho *varve_who(const VarvePast *past, VarveWhoFind find, gpointer data, GError **error);
void varve_who_free(VarveWho *who);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveWho, varve_who_free)

/** varve_who_units: (caller frees with g_strfreev) the units of those that run old code (with
 *  @code) or do not follow, each once, in the order in which systemd would name them. */
char **varve_who_units(const VarveWho *who);
