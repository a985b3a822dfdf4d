/* The platform's signature, added to a copy. */
#include "layer/admit.h"

#include "base/error.h"
#include "base/file.h"
#include "layer/layer.h"

#include <string.h>
#include <sys/stat.h>

static GBytes *make_partition(const VarveLayer *layer, gsize size, const VarvePrivateKey *key,
			      const VarveCertificate *certificate, GError **error)
{
	/* Borrows the layer's own signature. */
	VarveSignaturePartition partition = *varve_layer_claims(layer);
	g_autoptr(GBytes) signature = NULL;
	char hex[VARVE_DIGEST_HEX_SIZE];

	varve_digest_to_hex(&partition.root, hex);
	signature = varve_signature_make(key, certificate, hex, strlen(hex), error);
	if (!signature)
		return NULL;
	partition.platform_signature = signature;
	partition.has_platform_fingerprint = TRUE;
	partition.platform_fingerprint = *varve_certificate_fingerprint(certificate);
	return varve_signature_partition_write(&partition, size, error);
}

gboolean varve_layer_admit(const char *path, const VarveDigest *root, const VarvePrivateKey *key,
			   const VarveCertificate *certificate, const char *output, GError **error)
{
	g_autoptr(VarveLayer) layer = varve_layer_open_path(path, error);
	g_autoptr(VarveNewFile) file = NULL;
	g_autoptr(GBytes) partition = NULL;
	guint64 offset, size;
	struct stat st;

	if (!layer)
		return FALSE;
	if (root && !varve_digest_equal(root, varve_layer_root(layer)))
		return varve_fail(error, VARVE_ERROR_CONFLICT,
				  "'%s': it was replaced after its policy was asked; start again",
				  path);
	varve_layer_signature_extent(layer, &offset, &size);
	partition = make_partition(layer, (gsize)size, key, certificate, error);
	if (!partition) {
		g_prefix_error(error, "'%s': ", path);
		return FALSE;
	}
	if (fstat(varve_layer_fd(layer), &st) < 0)
		return varve_fail_errno(error, errno, "'%s'", path);
	file = varve_new_file_open(output, 0644, error);
	if (!file || !varve_file_copy_bytes(varve_layer_fd(layer), file->fd, (guint64)st.st_size,
					    path, error))
		return FALSE;
	if (varve_fd_pwrite_full(file->fd, g_bytes_get_data(partition, NULL), (size_t)size,
				 (off_t)offset) < 0)
		return varve_fail_errno(error, errno, "'%s': signature partition: write",
					file->partial);
	return varve_new_file_commit(file, error);
}
