/* One layer file: opened once, everything goes through that fd (design.md §5, order of trust). */
#pragma once

#include "crypt/signature.h"
#include "format/erofs.h"
#include "format/manifest.h"
#include "format/partition-types.h"
#include "format/path-table.h"
#include "layer/signature-partition.h"

typedef struct VarveLayer VarveLayer;

/**
 * varve_layer_open:
 * Takes a duplicate of @fd, reads the GPT and the signature partition. Nothing is trusted yet.
 *
 * @name: for messages, usually the file name.
 * Errors: CORRUPT (not a layer: names the field), SYSTEM.
 */
VarveLayer *varve_layer_open(int fd, const char *name, GError **error);
VarveLayer *varve_layer_open_path(const char *path, GError **error);
/**
 * varve_layer_open_partitions: the same for a layer that is spread over three block devices (the
 * base on its disk). Takes duplicates.
 */
VarveLayer *varve_layer_open_partitions(int data_fd, int verity_fd, int signature_fd,
					const char *name, GError **error);
/** VarveLayerExtents: where the parts of a layer lie within one file, in bytes. */
typedef struct {
	guint64 data_offset, data_size;
	guint64 hash_offset, hash_size;
	guint64 signature_offset, signature_size;
} VarveLayerExtents;
/** varve_layer_open_extents: the same for a base in a slot of a disk image. Takes a duplicate. */
VarveLayer *varve_layer_open_extents(int fd, const VarveLayerExtents *extents, const char *name,
				     GError **error);
void varve_layer_free(VarveLayer *layer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveLayer, varve_layer_free)

const char *varve_layer_name(const VarveLayer *layer); /* for messages */
/** (borrowed) what the data lie in, and the hash tree: the same fd for a layer file. */
int varve_layer_fd(const VarveLayer *layer);
int varve_layer_hash_fd(const VarveLayer *layer);
/** (static) what its partition types say; NULL for a layer of partitions. A claim. */
const VarveArch *varve_layer_arch(const VarveLayer *layer);
const VarveDigest *varve_layer_root(const VarveLayer *layer);
/** Where data and tree lie within their fds, in bytes. */
void varve_layer_extents(const VarveLayer *layer, guint64 *ret_data_offset, guint64 *ret_data_size,
			 guint64 *ret_hash_offset, guint64 *ret_hash_size);
/** Where the signature partition lies within the fd, in bytes; 0 and 0 for a layer of partitions.
 */
void varve_layer_signature_extent(const VarveLayer *layer, guint64 *ret_offset, guint64 *ret_size);
/** (borrowed) what its signature partition says. */
const VarveSignaturePartition *varve_layer_claims(const VarveLayer *layer);

/**
 * varve_layer_check_signature:
 * Which of @certificates signed the root hash. Errors: UNTRUSTED, CORRUPT.
 */
gboolean varve_layer_check_signature(const VarveLayer *layer, const GPtrArray *certificates,
				     const VarveCertificate **ret_signer, GError **error);

/**
 * varve_layer_check_platform:
 * The same for the platform's signature, by which a kernel under Secure Boot accepts the layer.
 *
 * Errors: UNTRUSTED (it has none, or by somebody else), CORRUPT.
 */
gboolean varve_layer_check_platform(const VarveLayer *layer, const GPtrArray *certificates,
				    const VarveCertificate **ret_signer, GError **error);

/** varve_layer_check_data: hashes everything against the root hash (build side, and
 *  `varvectl verify`). Errors: CORRUPT naming block and, where it can be told, the path and its
 *  package. */
gboolean varve_layer_check_data(const VarveLayer *layer, GError **error);

/** varve_layer_open_erofs: the data, to be read without mounting; @layer must outlive the result.
 *  UNSUPPORTED for compressed ones. Call this and what follows after the data are known to be good.
 */
VarveErofs *varve_layer_open_erofs(const VarveLayer *layer, GError **error);

/**
 * varve_layer_read_manifest: the only NAME.json below VARVE_LAYERS_DIR, which must say that it is
 * of NAME. varve_layer_read_paths: NAME.paths beside it, which must have the manifest's digest.
 */
/** varve_layer_manifest_of: the same of an image that is not sealed yet; @layer is for messages. */
VarveManifest *varve_layer_manifest_of(VarveErofs *erofs, const char *layer, GError **error);
VarveManifest *varve_layer_read_manifest(const VarveLayer *layer, GError **error);
VarvePathTable *varve_layer_read_paths(const VarveLayer *layer, const VarveManifest *manifest,
				       GError **error);

/**
 * varve_layer_find_block:
 * Who has block @block of a layer's data, as far as a damaged image still tells: for messages.
 *
 * @ret_path: (caller frees) with its leading slash.
 * @ret_package: (caller frees) as the layer's path table has it; "" where it was generated, or
 * where that cannot be told.
 *
 * Returns: FALSE where no path has it.
 */
gboolean varve_layer_find_block(VarveErofs *erofs, guint64 block, char **ret_path,
				char **ret_package);

/**
 * varve_layer_read_tree:
 * What is really there: an array (caller unrefs) of VarvePath *, the root and all below, sorted by
 * bytes of the path, owned by the array. Packages are "": they are what a path table says.
 *
 * @digests: whether to hash the files' contents; else digests of regular files and links are zero.
 */
GPtrArray *varve_layer_read_tree(const VarveLayer *layer, gboolean digests, GError **error);
/** varve_layer_tree_of: the same of an image that is not sealed yet. */
GPtrArray *varve_layer_tree_of(VarveErofs *erofs, gboolean digests, GError **error);

/** varve_path_copy: (caller frees with g_free) one block of memory with all that @path names. */
VarvePath *varve_path_copy(const VarvePath *path);
