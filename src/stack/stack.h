/* Assembling the running OS: layers opened, verified and mounted, their trees walked, /usr merged.
 * What can fail is done before anything is visible; nothing is left behind on failure. */
#pragma once

#include "layer/layer.h"
#include "policy/policy.h"
#include "stack/generation.h"
#include "stack/report.h"

/**
 * VarveMounted: one layer that is open: its file, verity device and mount. Freeing it without
 * varve_mounted_keep() unmounts it; its device goes with its last user.
 */
typedef struct {
	char *file;        /* in the layers directory, or "" for the base */
	VarveLayer *layer; /* (nullable) */
	char *where;       /* mount point; NULL where it is not mounted by us */
	char *device;      /* dm name; NULL where the mount has none */
	int fd;            /* the root of the mount */
	gboolean kept;
	gboolean running; /* it was mounted before; its tree was compared with its table then */
	const VarveTrusted *signer; /* borrowed from the policy */
	VarveManifest *manifest;
	VarvePathTable *paths;
	GPtrArray *tree;       /* VarvePath *, sorted by bytes */
	GStringChunk *strings; /* what @tree points into */
	VarveLabels *labels;   /* (nullable) of a base that has an SELinux policy */
	char *extension_release;
	gboolean extension_release_strict;
	gboolean checked; /* by varve_mounted_check() */
	gboolean hashed;  /* ... and this node had not met these bytes before */
	guint64 stamp;    /* varve_generation_stamp() of bytes that were hashed whole, else 0 */
	VarveFacts facts;
} VarveMounted;

VarveMounted *varve_mounted_new(const char *file);
void varve_mounted_free(VarveMounted *mounted);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveMounted, varve_mounted_free)

/** How candidates are opened. Nothing is owned. */
typedef struct {
	const VarvePolicy *policy;
	const char *mounts;        /* directory for mount points, named by root hash */
	const char *device_prefix; /* of dm names, before the root hash */
	gboolean kernel_mode;      /* the kernel checks the platform signature: varve_mode_find() */
	gboolean running;          /* a layer that is mounted already is taken as it is mounted:
				    * @mounts is that of the running stack */
	const VarveGeneration *known; /* (nullable) whose stamps excuse from hashing again */
} VarveOpening;

/**
 * varve_mounted_open:
 * The order of trust up to the mount (design.md §5): open once, parse, signature, revocation, the
 * same layer in another file that is mounted already (then that mount stays), in kernel mode a
 * platform signature (`not-admitted`, or `key-scope` where its key may not sign a layer of the name
 * that the file claims), whole bytes
 * (varve_mounted_check(), unless its key may not sign a layer of the name that the file claims, so
 * that it will be refused anyway), verity device, private mount (nosuid, nodev, noexec). The device
 * goes by itself with its last user.
 *
 * @name: of the layer, as the file claims.
 * @layer: (nullable) described as far as it was understood, also on refusal.
 *
 * Returns: the layer, or NULL with @ret_refusal (caller frees).
 */
VarveMounted *varve_mounted_open(const VarveOpening *opening, int dirfd, const char *file,
				 const char *name, VarveReportLayer *layer,
				 VarveRefusal **ret_refusal);

/**
 * varve_mounted_running:
 * The layer of the running stack that is mounted below @mounts by its root hash, taken from its
 * mount alone: its file need not be there any more. The device below it must be one on which
 * dm-verity checks every block against @root. Manifest and path table are read.
 *
 * Returns: (caller frees; it stays mounted) or NULL. Errors: NOT_FOUND (it is not mounted, or not
 * checked), CORRUPT, SYSTEM.
 */
VarveMounted *varve_mounted_running(const char *mounts, const VarveDigest *root, GError **error);

/**
 * varve_mounted_check:
 * Hashes the layer's bytes whole where the policy's check says so, once: damage in a file that
 * nobody reads yet is found before the layer is merged.
 *
 * Returns: NULL, or (caller frees) `damaged`.
 */
VarveRefusal *varve_mounted_check(const VarveOpening *opening, VarveMounted *mounted);

/**
 * varve_verified_mount:
 * Makes the verity device @device for @layer and mounts its EROFS at @where (made if missing).
 *
 * @data_device, @hash_device: (nullable) its partitions; NULL for a layer file, which gets a loop.
 * @kernel_mode: the kernel is given the platform signature; none, or one that it refuses, is
 * UNTRUSTED.
 */
gboolean varve_verified_mount(const VarveLayer *layer, const char *data_device,
			      const char *hash_device, gboolean kernel_mode, const char *device,
			      unsigned attributes, const char *where, GError **error);

/** varve_mounted_find_manifest: (caller frees) the name of the only NAME.json in VARVE_LAYERS_DIR
 *  below @fd, the root of a layer. Errors: NOT_FOUND, CORRUPT (more than one, a link), SYSTEM. */
char *varve_mounted_find_manifest(int fd, GError **error);
/** varve_mounted_map_paths: the path table of the layer @name, mapped, below @fd. Nothing compares
 * it with its manifest: that dm-verity checks what is read has to be known. Errors: SYSTEM,
 * CORRUPT. */
VarvePathTable *varve_mounted_map_paths(int fd, const char *name, GError **error);

/** varve_mounted_read: manifest and path table through @mounted->fd, without comparing anything.
 *  Errors: NOT_FOUND, CORRUPT, SYSTEM. */
gboolean varve_mounted_read(VarveMounted *mounted, GError **error);

/**
 * varve_mounted_inspect:
 * Reads manifest, path table and extension-release of a mounted layer through @mounted->fd, walks
 * the whole tree by directory fds (one filesystem, no links followed) and compares it with the path
 * table, unless that was done when it was merged (@mounted->running); fills @mounted->facts.
 *
 * Returns: NULL, or (caller frees) why the layer is not what it says: `manifest-invalid`,
 * `manifest-mismatch`, `damaged`.
 */
VarveRefusal *varve_mounted_inspect(VarveMounted *mounted);

/**
 * varve_mounted_contents:
 * Compares the digests of all files and links with the path table. For layers that this node meets
 * for the first time (@mounted->hashed): who signed the bytes signed the table too, so that what
 * was right once stays right. Call it after varve_mounted_inspect().
 *
 * Returns: NULL, or (caller frees) `manifest-mismatch`, `damaged`.
 */
VarveRefusal *varve_mounted_contents(const VarveMounted *mounted);

/**
 * varve_base_inspect:
 * The same for the base, without the walk: the signature that was checked covers its tree.
 *
 * Errors: NOT_FOUND, CORRUPT, SYSTEM.
 */
gboolean varve_base_inspect(VarveMounted *base, GError **error);

/**
 * varve_tree_walk:
 * All paths below (and with) the directory @fd, sorted by bytes. Digests are not filled, hard links
 * are not told apart.
 *
 * @strings: what the result points into.
 * Returns: (caller frees with g_ptr_array_unref) VarvePath *.
 * Errors: SYSTEM, CORRUPT (a name that cannot be, too many paths).
 */
GPtrArray *varve_tree_walk(int fd, GStringChunk *strings, GError **error);

/**
 * varve_stack_merge_usr:
 * Makes the one overlay for /usr, detached: @lowers are paths of the layers' usr directories,
 * topmost first, the base's last. With a single lower an empty directory lies below it, because an
 * overlay (and never a bind) can be swapped later. `xino=on`, read-only, nodev.
 *
 * @empty: path of an empty directory.
 *
 * Returns: an fd for varve_mount_attach(), or -1. Errors: SYSTEM, with the kernel's own log.
 */
int varve_stack_merge_usr(const char *const *lowers, const char *empty, GError **error);

/** (element-type VarveMounted *) (caller frees) the lowers for varve_stack_merge_usr(): the last of
 *  @layers topmost, @base_usr below them. */
char **varve_stack_lowers(const GPtrArray *layers, const char *base_usr);
