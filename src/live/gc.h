/* Removing what no stack of this node needs any more: records of old generations, and the layer
 * files that only those name. */
#pragma once

#include "live/target.h"

#define VARVE_GC_KEEP 3

typedef struct {
	GPtrArray *generations; /* guint, as pointers: removed, or to be */
	GPtrArray *files;       /* char *: of the layers directory */
	GPtrArray *unknown;     /* char *: files that no generation ever had; they are left */
	guint64 bytes;          /* what the files and leftovers take */
} VarveGc;

/** A node, as it is looked at. */
typedef struct {
	const VarveReport *running;
	const VarveStateDirs *dirs;
	const char *const *open; /* names of files that a device is made of */
	/* Whether a disk of this machine holds @base. */
	gboolean (*is_installed)(const VarveDigest *base);
} VarveGcNode;

/** varve_gc_node: what varve_gc() does, of @node, without the lock. */
gboolean varve_gc_node(const VarveGcNode *node, guint keep, gboolean dry_run, VarveGc *ret,
		       GError **error);

/**
 * varve_gc:
 * Keeps the newest @keep generations of the running base, and of every base that is on a disk of
 * this machine the current and the good one; with them their files, and all that is merged, that
 * another process has open as a device, or that the next boot would choose from the layers
 * directory. That a generation failed is remembered; its files go. What a killed program left
 * behind goes too. Files before the record that names them: killed in the middle, the next run goes
 * on.
 *
 * @dry_run: only says what would go.
 * Errors: CORRUPT (a record cannot be read: nothing is removed); those of the node's lock and
 * state. What was removed until then is gone.
 */
gboolean varve_gc(guint keep, gboolean dry_run, VarveGc *ret, GError **error);
void varve_gc_clear(VarveGc *gc);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveGc, varve_gc_clear)
