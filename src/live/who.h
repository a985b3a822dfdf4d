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
	char *unit;        /* of systemd; "" where it is in none */
	guint generation;  /* of the newest stack that it sees: what it would open is of that one;
			    * 0: of none of ours */
	gboolean follows;  /* its mount namespace shows no earlier stack */
	char *obstacle;    /* why it does not follow, a clause without a full stop; "" */
	gboolean outdated; /* it does not follow, and the running stack has files otherwise than
			    * what it sees: of the base, or of the layer that its program is of */
	GPtrArray *files;  /* VarveHeldFile *, by path; only those that differ from the running
			    * stack */
} VarveHolder;

typedef struct {
	GPtrArray *holders; /* VarveHolder *, by pid: those with old files, and those that do not
			     * follow */
	guint pinning;      /* other processes that keep an earlier stack alive, by files that the
			     * running one has too */
	guint stacks;       /* earlier ones that processes keep alive */
	guint unseen;       /* processes that could not be looked at */
} VarveWho;

/** VarveWhoFind: the digest of @path ("/usr/…") in the running stack; FALSE where it has none. */
typedef gboolean (*VarveWhoFind)(const char *path, VarveDigest *ret, gpointer data);

/**
 * varve_who:
 * Looks at every process but the caller's. One that ends meanwhile is not told. Where there was one
 * stack only nobody is looked at.
 *
 * Errors: SYSTEM (/proc; only root sees all processes).
 */
VarveWho *varve_who(const VarvePast *past, VarveWhoFind find, gpointer data, GError **error);
/** varve_who_below: the same where proc(5) is mounted at @proc. */
VarveWho *varve_who_below(const char *proc, const VarvePast *past, VarveWhoFind find, gpointer data,
			  GError **error);
void varve_who_free(VarveWho *who);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveWho, varve_who_free)

/** varve_who_is_pending: whether @holder runs old code, or would with the next program or library
 *  that it opens: it has to be started again. */
gboolean varve_who_is_pending(const VarveHolder *holder);
/** varve_who_pending: the number of those. */
guint varve_who_pending(const VarveWho *who);

/** varve_who_units: (caller frees with g_strfreev) the units of the pending ones, each once, by
 *  name. */
char **varve_who_units(const VarveWho *who);
