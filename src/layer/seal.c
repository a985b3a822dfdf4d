/* Sealing: GPT, data, verity tree and signature in one file (UAPI.2, UAPI.3). */
#include "layer/seal.h"

#include "base/error.h"
#include "base/file.h"
#include "crypt/sha256.h"
#include "format/bytes.h"
#include "format/verity.h"
#include "layer/signature-partition.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512
#define EROFS_MAGIC 0xe0f5e1e2
#define EROFS_MAGIC_OFFSET 1024

static guint64 round_up(guint64 size)
{
	return (size + VARVE_VERITY_BLOCK - 1) / VARVE_VERITY_BLOCK * VARVE_VERITY_BLOCK;
}

char *varve_layer_file_name(const char *name, const char *version, const VarveArch *arch)
{
	return g_strdup_printf("%s_%s_%s.raw", name, version, arch->name);
}

/* Names end up in file names and labels; the underscore separates. */
static gboolean is_word(const char *text, const char *others)
{
	if (!g_ascii_isalnum(text[0]))
		return FALSE;
	for (const char *c = text; *c; c++) {
		if (!g_ascii_isalnum(*c) && !strchr(others, *c))
			return FALSE;
	}
	return TRUE;
}

static gboolean check_names(const char *name, const char *version, GError **error)
{
	if (!is_word(name, ".+-"))
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "layer name '%s': expected letters, digits and '.+-'", name);
	if (!is_word(version, ".+~^-"))
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "layer version '%s': expected letters, digits and '.+~^-'",
				  version);
	return TRUE;
}

/* The partition of a layer that nobody has admitted yet. */
static GBytes *make_signature(const VarvePrivateKey *key, const VarveCertificate *certificate,
			      const VarveDigest *root, GError **error)
{
	g_auto(VarveSignaturePartition) partition = {
		.root = *root,
		.has_fingerprint = TRUE,
		.fingerprint = *varve_certificate_fingerprint(certificate),
	};
	char hex[VARVE_DIGEST_HEX_SIZE];

	varve_digest_to_hex(root, hex);
	partition.signature = varve_signature_make(key, certificate, hex, strlen(hex), error);
	return partition.signature ? varve_signature_partition_write(
					     &partition, VARVE_SIGNATURE_PARTITION_SIZE, error)
				   : NULL;
}

static gboolean open_image(const char *path, int *ret_fd, guint64 *ret_size, GError **error)
{
	varve_autofd fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t magic[4] = { 0 };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return varve_fail_errno(error, errno, "EROFS image '%s'", path);
	if (varve_fd_read_full(fd, magic, sizeof(magic), EROFS_MAGIC_OFFSET) != sizeof(magic) ||
	    varve_get_le32(magic) != EROFS_MAGIC)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "'%s': no EROFS image: its magic number is missing at byte %d",
				  path, EROFS_MAGIC_OFFSET);
	*ret_size = (guint64)st.st_size;
	*ret_fd = varve_fd_steal(&fd);
	return TRUE;
}

static gboolean copy_image(int from, guint64 size, int to, const char *path, GError **error)
{
	const size_t chunk = 1024 * 1024;
	g_autofree char *buffer = NULL;
	off_t in = 0, out = VARVE_GPT_FIRST_OFFSET;

	/* In the kernel, by reference where the filesystem can; by hand where it cannot at all. */
	while ((guint64)in < size) {
		ssize_t n = copy_file_range(from, &in, to, &out, (size_t)(size - (guint64)in), 0);

		if (n == 0)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "'%s': it became shorter while it was read", path);
		if (n > 0 || errno == EINTR)
			continue;
		if (errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS)
			return varve_fail_errno(error, errno, "'%s': copy", path);
		buffer = g_malloc(chunk);
		n = varve_fd_read_full(from, buffer, MIN(chunk, (size_t)(size - (guint64)in)), in);
		if (n <= 0)
			return varve_fail_errno(error, n < 0 ? errno : EIO, "'%s': read", path);
		if (varve_fd_pwrite_full(to, buffer, (size_t)n, out) < 0)
			return varve_fail_errno(error, errno, "'%s': copy", path);
		in += n;
		out += n;
		g_clear_pointer(&buffer, g_free);
	}
	return TRUE;
}

/* A version 4 id (RFC 9562) out of what is the same in every build of the same thing. */
static VarveGuid derive_guid(const char *purpose, const void *data, size_t size)
{
	g_autoptr(VarveSha256) state = varve_sha256_new();
	VarveDigest digest;
	VarveGuid guid;

	varve_sha256_update(state, purpose, strlen(purpose));
	varve_sha256_update(state, data, size);
	varve_sha256_finish(state, &digest);
	memcpy(guid.bytes, digest.bytes, sizeof(guid.bytes));
	guid.bytes[6] = (guid.bytes[6] & 0x0f) | 0x40;
	guid.bytes[8] = (guid.bytes[8] & 0x3f) | 0x80;
	return guid;
}

static void set_label(VarveGptPartition *partition, const char *name, const char *version,
		      const char *suffix)
{
	g_autofree char *label = g_strdup_printf("%s_%s", name, version);
	size_t room = VARVE_GPT_NAME_MAX - strlen(suffix);

	g_snprintf(partition->name, sizeof(partition->name), "%.*s%s", (int)room, label, suffix);
}

static gboolean set_type(VarveGptPartition *partition, const char *type)
{
	partition->attributes = VARVE_GPT_ATTRIBUTE_READ_ONLY;
	return varve_guid_from_text(type, &partition->type);
}

static gboolean write_table(int fd, const VarveArch *arch, const char *name, const char *version,
			    guint64 data_size, guint64 hash_size, const VarveDigest *root,
			    GBytes *signature, GError **error)
{
	g_autofree VarveGpt *gpt = g_new0(VarveGpt, 1);
	VarveGptPartition *p = gpt->partitions;
	gsize signature_size;
	const void *bytes = g_bytes_get_data(signature, &signature_size);

	gpt->sector_size = SECTOR;
	gpt->n_partitions = 3;
	gpt->disk_id = derive_guid("varve layer disk\n", root->bytes, sizeof(root->bytes));
	if (!set_type(&p[0], arch->root) || !set_type(&p[1], arch->root_verity) ||
	    !set_type(&p[2], arch->root_verity_sig))
		g_assert_not_reached();
	p[0].offset = VARVE_GPT_FIRST_OFFSET;
	p[0].size = data_size;
	p[1].offset = p[0].offset + p[0].size;
	p[1].size = hash_size;
	p[2].offset = p[1].offset + p[1].size;
	p[2].size = signature_size;
	gpt->disk_size = p[2].offset + p[2].size + varve_gpt_tail_size(SECTOR);
	memcpy(p[0].id.bytes, root->bytes, 16);
	memcpy(p[1].id.bytes, root->bytes + 16, 16);
	p[2].id = derive_guid("varve layer signature\n", root->bytes, sizeof(root->bytes));
	set_label(&p[0], name, version, "");
	set_label(&p[1], name, version, "_verity");
	set_label(&p[2], name, version, "_verity-sig");

	if (ftruncate(fd, (off_t)gpt->disk_size) < 0 ||
	    varve_fd_pwrite_full(fd, bytes, signature_size, (off_t)p[2].offset) < 0)
		return varve_fail_errno(error, errno, "signature partition: write");
	return varve_gpt_write(fd, gpt, error);
}

gboolean varve_layer_seal(const char *erofs_path, const VarveArch *arch, const char *name,
			  const char *version, const VarvePrivateKey *key,
			  const VarveCertificate *certificate, const char *output_path,
			  VarveDigest *ret_root, GError **error)
{
	g_autoptr(VarveNewFile) file = NULL;
	g_autoptr(GBytes) signature = NULL;
	varve_autofd image = -1;
	guint64 size = 0, data_size, hash_size;
	VarveDigest root;

	if (!check_names(name, version, error) || !open_image(erofs_path, &image, &size, error))
		return FALSE;
	data_size = round_up(size);
	hash_size = varve_verity_size(data_size / VARVE_VERITY_BLOCK);
	file = varve_new_file_open(output_path, 0644, error);
	if (!file)
		return FALSE;
	/* The size first: what is between the end of the image and the next block reads as zeros.
	 */
	if (ftruncate(file->fd, (off_t)(VARVE_GPT_FIRST_OFFSET + data_size + hash_size)) < 0)
		return varve_fail_errno(error, errno, "'%s': set its size", file->partial);
	if (!copy_image(image, size, file->fd, erofs_path, error) ||
	    !varve_verity_write(file->fd, VARVE_GPT_FIRST_OFFSET, data_size / VARVE_VERITY_BLOCK,
				file->fd, VARVE_GPT_FIRST_OFFSET + data_size, &root, error)) {
		g_prefix_error(error, "'%s': ", output_path);
		return FALSE;
	}
	signature = make_signature(key, certificate, &root, error);
	if (!signature)
		return FALSE;
	if (!write_table(file->fd, arch, name, version, data_size, hash_size, &root, signature,
			 error)) {
		g_prefix_error(error, "'%s': ", output_path);
		return FALSE;
	}
	if (!varve_new_file_commit(file, error))
		return FALSE;
	if (ret_root)
		*ret_root = root;
	return TRUE;
}
