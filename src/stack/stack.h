/* Assembling the running OS: layers opened and mounted, their trees walked, /usr merged. What can
 * fail is done before anything is visible; nothing is left behind on failure. */
#pragma once

#include "layer/layer.h"
#include "policy/policy.h"
#include "stack/generation.h"
#include "stack/report.h"

/**
 * VarveMounted: one layer that is open: its file, verity device and mount. Freeing it without
 * varve_mounted_keep() unmounts it and removes its device.
 */
typedef struct {
	char *file; /* in the layers directory, or "" for the base */
	VarveLayer *layer;
	char *where;  /* mount point */
	char *device; /* dm name, NULL where the mount has none */
	int fd;       /* the root of the mount */
	gboolean kept;
	const VarveTrusted *signer; /* borrowed from the policy */
	VarveManifest *manifest;
	VarvePathTable *paths;
	GPtrArray *tree;       /* VarvePath * */
	GStringChunk *strings; /* what @tree points into */
	char *extension_release;
	gboolean extension_release_strict;
	VarveFacts facts;
	guint64 stamp;
} VarveMounted;

void varve_mounted_free(VarveMounted *mounted);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveMounted, varve_mounted_free)

/**
 * varve_mounted_inspect:
 * Reads manifest, path table and extension-release of a mounted layer through @mounted->fd, walks
 * the whole tree by directory fds (one filesystem, no links followed) and compares it with the path
 * table; fills @mounted->facts.
 *
 * Returns: NULL, or (caller frees) why the layer is not what it says: `manifest-invalid`,
 * `manifest-mismatch`, `damaged`.
 */
VarveRefusal *varve_mounted_inspect(VarveMounted *mounted);

/**
 * varve_stack_merge_usr:
 * Makes the one overlay for /usr, detached: @lowers are paths of the layers' usr directories,
 * topmost first, the base's last. With a single lower an empty directory lies below it, because an
 * overlay (and never a bind) can be swapped later. `xino=on`, read-only, nodev.
 *
 * @empty: path of an empty directory.
 *
 * Returns: an fd for move_mount, or -1. Errors: SYSTEM, with the kernel's own log.
 */
int varve_stack_merge_usr(const char *const *lowers, const char *empty, GError **error);
