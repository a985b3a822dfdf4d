/* Opening a layer: what its GPT and its signature partition claim, checked against each other.
 * Discoverable Disk Images, UAPI.3; the signature partition's JSON is systemd's. */
#include "layer/layer.h"

#include "base/error.h"
#include "format/partition-types.h"
#include "format/verity.h"
#include "ground/fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define SIGNATURE_PARTITION_MAX (1024 * 1024)

typedef struct {
	guint64 offset, size;
} Extent;

struct VarveLayer {
	char *name;
	int fd;
	int hash_fd; /* the same number as fd for a layer file */
	const VarveArch *arch;
	Extent data, hash, signature_extent;
	VarveSignaturePartition claims;
};

static gboolean read_signature(VarveLayer *layer, int fd, Extent extent, GError **error)
{
	g_autofree char *what = g_strdup_printf("layer '%s': signature partition", layer->name);
	size_t size = (size_t)MIN(extent.size, SIGNATURE_PARTITION_MAX);
	g_autofree char *text = g_malloc(size + 1);
	ssize_t n = varve_fd_read_full(fd, text, size, (off_t)extent.offset);

	if (n < 0)
		return varve_fail_errno(error, errno, "%s: read", what);
	text[n] = '\0';
	return varve_signature_partition_parse(text, (gsize)n, what, &layer->claims, error);
}

/* @exact: a layer file has no byte in its data partition that the tree does not cover; a slot of a
 * disk is larger than what is in it. */
static gboolean read_verity(VarveLayer *layer, gboolean exact, GError **error)
{
	VarveVeritySuperblock superblock;
	guint64 covered;

	if (!varve_verity_read_superblock(layer->hash_fd, layer->hash.offset, &superblock, error)) {
		g_prefix_error(error, "layer '%s': ", layer->name);
		return FALSE;
	}
	covered = superblock.data_blocks * VARVE_VERITY_BLOCK;
	if (covered > layer->data.size || (exact && covered != layer->data.size))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "layer '%s': its verity tree is for %" G_GUINT64_FORMAT
				  " bytes, the data partition has %" G_GUINT64_FORMAT,
				  layer->name, covered, layer->data.size);
	if (varve_verity_size(superblock.data_blocks) > layer->hash.size)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "layer '%s': a verity tree for %" G_GUINT64_FORMAT
				  " bytes does not fit its partition of %" G_GUINT64_FORMAT,
				  layer->name, covered, layer->hash.size);
	layer->data.size = covered;
	return TRUE;
}

static const VarveGptPartition *find(const VarveGpt *gpt, const char *type)
{
	VarveGuid guid;

	return varve_guid_from_text(type, &guid) ? varve_gpt_find(gpt, &guid) : NULL;
}

/* Finds the three partitions; they are copied to @ret_parts in the order data, tree, signature. */
static gboolean find_partitions(VarveLayer *layer, const VarveGpt *gpt,
				const VarveGptPartition *ret_parts[3], GError **error)
{
	static const char *const arches[] = { "x86-64", "arm64" };

	for (size_t i = 0; i < G_N_ELEMENTS(arches) && !layer->arch; i++) {
		const VarveArch *arch = varve_arch_find(arches[i]);

		if (find(gpt, arch->root))
			layer->arch = arch;
	}
	if (!layer->arch)
		return varve_fail(
			error, VARVE_ERROR_CORRUPT,
			"layer '%s': no root partition among its %u, so it is not a layer",
			layer->name, gpt->n_partitions);
	ret_parts[0] = find(gpt, layer->arch->root);
	ret_parts[1] = find(gpt, layer->arch->root_verity);
	ret_parts[2] = find(gpt, layer->arch->root_verity_sig);
	if (!ret_parts[1] || !ret_parts[2])
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "layer '%s': it has no verity %s partition for %s: it was not "
				  "sealed, and an unsigned layer is never used",
				  layer->name, ret_parts[1] ? "signature" : "tree",
				  layer->arch->name);
	if (gpt->n_partitions != 3)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "layer '%s': %u partitions, expected 3: data, verity tree, "
				  "signature",
				  layer->name, gpt->n_partitions);
	return TRUE;
}

/* Discoverable Partitions: the ids of data and tree are the two halves of the root hash. */
static gboolean check_ids(const VarveLayer *layer, const VarveGptPartition *const parts[3],
			  GError **error)
{
	for (size_t i = 0; i < 2; i++) {
		const uint8_t *expected = layer->claims.root.bytes + 16 * i;
		VarveGuid guid;
		char found_text[37], expected_text[37];

		if (memcmp(parts[i]->id.bytes, expected, 16) == 0)
			continue;
		memcpy(guid.bytes, expected, 16);
		varve_guid_to_text(&guid, expected_text);
		varve_guid_to_text(&parts[i]->id, found_text);
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "layer '%s': the %s partition has the id %s, its root hash says "
				  "%s: GPT and signature are not of one layer",
				  layer->name, i ? "verity" : "data", found_text, expected_text);
	}
	return TRUE;
}

static VarveLayer *layer_new(const char *name)
{
	VarveLayer *layer = g_new0(VarveLayer, 1);

	layer->name = g_strdup(name);
	layer->fd = layer->hash_fd = -1;
	return layer;
}

VarveLayer *varve_layer_open(int fd, const char *name, GError **error)
{
	g_autoptr(VarveLayer) layer = layer_new(name);
	const VarveGptPartition *parts[3];
	g_autofree VarveGpt *gpt = NULL;

	layer->fd = layer->hash_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (layer->fd < 0) {
		varve_fail_errno(error, errno, "layer '%s': cannot duplicate its fd", name);
		return NULL;
	}
	if (!varve_gpt_read(layer->fd, &gpt, error)) {
		g_prefix_error(error, "layer '%s': ", name);
		return NULL;
	}
	if (gpt->backup_differs) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "layer '%s': the partition table at its end is missing or differs from "
			   "the first: the file was changed or damaged",
			   name);
		return NULL;
	}
	if (!find_partitions(layer, gpt, parts, error))
		return NULL;
	layer->data = (Extent){ parts[0]->offset, parts[0]->size };
	layer->hash = (Extent){ parts[1]->offset, parts[1]->size };
	layer->signature_extent = (Extent){ parts[2]->offset, parts[2]->size };
	if (parts[2]->size > SIGNATURE_PARTITION_MAX) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "layer '%s': signature partition of %" G_GUINT64_FORMAT
			   " bytes, expected at most %d",
			   name, parts[2]->size, SIGNATURE_PARTITION_MAX);
		return NULL;
	}
	if (!read_signature(layer, layer->fd, layer->signature_extent, error) ||
	    !check_ids(layer, parts, error) || !read_verity(layer, TRUE, error))
		return NULL;
	return g_steal_pointer(&layer);
}

VarveLayer *varve_layer_open_path(const char *path, GError **error)
{
	varve_autofd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	g_autofree char *name = g_path_get_basename(path);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		varve_fail_errno(error, errno, "layer '%s'", path);
		return NULL;
	}
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "layer '%s': neither a regular file nor a block device", path);
		return NULL;
	}
	return varve_layer_open(fd, name, error);
}

static gboolean take_partition(int fd, const char *what, int *ret_fd, guint64 *ret_size,
			       const char *name, GError **error)
{
	varve_autofd taken = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	off_t size = taken < 0 ? -1 : lseek(taken, 0, SEEK_END);

	if (size < 0)
		return varve_fail_errno(error, errno, "layer '%s': %s partition", name, what);
	*ret_size = (guint64)size;
	*ret_fd = varve_fd_steal(&taken);
	return TRUE;
}

VarveLayer *varve_layer_open_partitions(int data_fd, int verity_fd, int signature_fd,
					const char *name, GError **error)
{
	g_autoptr(VarveLayer) layer = layer_new(name);
	Extent signature = { 0 };
	varve_autofd fd = -1;

	if (!take_partition(data_fd, "data", &layer->fd, &layer->data.size, name, error) ||
	    !take_partition(verity_fd, "verity", &layer->hash_fd, &layer->hash.size, name, error) ||
	    !take_partition(signature_fd, "signature", &fd, &signature.size, name, error) ||
	    !read_signature(layer, fd, signature, error) || !read_verity(layer, FALSE, error))
		return NULL;
	return g_steal_pointer(&layer);
}

VarveLayer *varve_layer_open_extents(int fd, const VarveLayerExtents *extents, const char *name,
				     GError **error)
{
	g_autoptr(VarveLayer) layer = layer_new(name);
	const Extent signature = { extents->signature_offset, extents->signature_size };

	layer->fd = layer->hash_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (layer->fd < 0) {
		varve_fail_errno(error, errno, "layer '%s': cannot duplicate its fd", name);
		return NULL;
	}
	layer->data = (Extent){ extents->data_offset, extents->data_size };
	layer->hash = (Extent){ extents->hash_offset, extents->hash_size };
	if (!read_signature(layer, layer->fd, signature, error) ||
	    !read_verity(layer, FALSE, error))
		return NULL;
	return g_steal_pointer(&layer);
}

void varve_layer_free(VarveLayer *layer)
{
	if (!layer)
		return;
	if (layer->hash_fd >= 0 && layer->hash_fd != layer->fd)
		close(layer->hash_fd);
	if (layer->fd >= 0)
		close(layer->fd);
	varve_signature_partition_clear(&layer->claims);
	g_free(layer->name);
	g_free(layer);
}

const char *varve_layer_name(const VarveLayer *layer)
{
	return layer->name;
}

int varve_layer_fd(const VarveLayer *layer)
{
	return layer->fd;
}

int varve_layer_hash_fd(const VarveLayer *layer)
{
	return layer->hash_fd;
}

const VarveArch *varve_layer_arch(const VarveLayer *layer)
{
	return layer->arch;
}

const VarveDigest *varve_layer_root(const VarveLayer *layer)
{
	return &layer->claims.root;
}

void varve_layer_extents(const VarveLayer *layer, guint64 *ret_data_offset, guint64 *ret_data_size,
			 guint64 *ret_hash_offset, guint64 *ret_hash_size)
{
	*ret_data_offset = layer->data.offset;
	*ret_data_size = layer->data.size;
	*ret_hash_offset = layer->hash.offset;
	*ret_hash_size = layer->hash.size;
}

void varve_layer_signature_extent(const VarveLayer *layer, guint64 *ret_offset, guint64 *ret_size)
{
	*ret_offset = layer->signature_extent.offset;
	*ret_size = layer->signature_extent.size;
}

const VarveSignaturePartition *varve_layer_claims(const VarveLayer *layer)
{
	return &layer->claims;
}

/* Which of @certificates made @signature over the root hash; the fingerprint beside it is no more
 * than a hint, but a wrong one is damage. */
static gboolean check_signature(const VarveLayer *layer, GBytes *signature,
				const VarveDigest *fingerprint, const GPtrArray *certificates,
				const VarveCertificate **ret_signer, GError **error)
{
	char hex[VARVE_DIGEST_HEX_SIZE], claimed[VARVE_DIGEST_HEX_SIZE];
	const VarveCertificate *signer;
	gsize size;
	const void *bytes = g_bytes_get_data(signature, &size);

	varve_digest_to_hex(&layer->claims.root, hex);
	if (!varve_signature_verify(certificates, hex, strlen(hex), bytes, size, &signer, error)) {
		g_prefix_error(error, "layer '%s': root hash %.16s…: ", layer->name, hex);
		return FALSE;
	}
	if (fingerprint &&
	    !varve_digest_equal(fingerprint, varve_certificate_fingerprint(signer))) {
		varve_digest_to_hex(fingerprint, claimed);
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "layer '%s': signed by CN=%s, but its signature partition names "
				  "the certificate %.16s…: it was changed or damaged",
				  layer->name, varve_certificate_subject(signer), claimed);
	}
	if (ret_signer)
		*ret_signer = signer;
	return TRUE;
}

gboolean varve_layer_check_signature(const VarveLayer *layer, const GPtrArray *certificates,
				     const VarveCertificate **ret_signer, GError **error)
{
	const VarveSignaturePartition *claims = &layer->claims;

	return check_signature(layer, claims->signature,
			       claims->has_fingerprint ? &claims->fingerprint : NULL, certificates,
			       ret_signer, error);
}

gboolean varve_layer_check_platform(const VarveLayer *layer, const GPtrArray *certificates,
				    const VarveCertificate **ret_signer, GError **error)
{
	const VarveSignaturePartition *claims = &layer->claims;

	if (!claims->platform_signature)
		return varve_fail(error, VARVE_ERROR_UNTRUSTED,
				  "layer '%s': it has no platform signature; add one with 'varve "
				  "layer admit'",
				  layer->name);
	if (check_signature(layer, claims->platform_signature,
			    claims->has_platform_fingerprint ? &claims->platform_fingerprint : NULL,
			    certificates, ret_signer, error))
		return TRUE;
	g_prefix_error(error, "platform signature: ");
	return FALSE;
}
