/* Sealing: an EROFS image becomes a signed layer file (design.md §5): one GPT with the data, its
 * verity tree and the signature over the root hash. */
#pragma once

#include "crypt/signature.h"
#include "format/partition-types.h"

#include <glib.h>

/**
 * varve_layer_file_name:
 * Returns: (caller frees with g_free) "NAME_VERSION_ARCH.raw", the name that nodes expect.
 */
char *varve_layer_file_name(const char *name, const char *version, const VarveArch *arch);

/**
 * varve_layer_seal:
 * Writes @output_path: protective MBR and GPT with 512-byte sectors, the image @erofs_path (padded
 * with zeros to 4096 bytes) at VARVE_GPT_FIRST_OFFSET, its verity tree, the signature partition.
 * Partition ids come from the root hash, the disk id and the signature's partition id too, all
 * three partitions are read-only; so the same image, name and key give the same bytes.
 *
 * The file appears under its name only when it is whole and on disk; a full disk leaves nothing.
 *
 * @name, @version: of the layer, for the partitions' labels: cut at 36 characters there.
 * @key, @certificate: who signs; they must belong together.
 * @ret_root: (nullable) the root hash.
 *
 * Errors: USAGE (@name or @version cannot be in a file name or label), NOT_FOUND, CORRUPT
 * (@erofs_path is empty or no EROFS image), CONFLICT (key and certificate differ), SYSTEM.
 */
gboolean varve_layer_seal(const char *erofs_path, const VarveArch *arch, const char *name,
			  const char *version, const VarvePrivateKey *key,
			  const VarveCertificate *certificate, const char *output_path,
			  VarveDigest *ret_root, GError **error);
