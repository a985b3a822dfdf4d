/* A layer's tree as an OCI image layout in one tar file (OCI image-spec 1.1): oci-layout,
 * index.json, and blobs for manifest, configuration and the one gzipped layer. */
#include "image/export.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "crypt/sha256.h"
#include "format/erofs.h"
#include "layer/layer.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define FILE_LIMIT ((size_t)1 << 30)
#define MEDIA_LAYER "application/vnd.oci.image.layer.v1.tar+gzip"
#define MEDIA_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_INDEX "application/vnd.oci.image.index.v1+json"

/* The layer while it is written: tar → hash (diff_id) → gzip → hash (digest) → file. */
typedef struct {
	const VarveOci *oci;
	VarveErofs *erofs;
	int fd;
	struct archive *tar, *gzip;
	VarveSha256 *plain_hash, *packed_hash;
	guint64 packed_size;
	GHashTable *hard_links; /* number → first path */
	VarveDigest diff_id, digest;
} LayerWriter;

static la_ssize_t write_packed(struct archive *archive, void *data, const void *bytes, size_t size)
{
	LayerWriter *writer = data;

	if (varve_fd_write_full(writer->fd, bytes, size) < 0) {
		archive_set_error(archive, errno, "cannot write: %s", g_strerror(errno));
		return -1;
	}
	varve_sha256_update(writer->packed_hash, bytes, size);
	writer->packed_size += size;
	return (la_ssize_t)size;
}

static la_ssize_t write_plain(struct archive *archive, void *data, const void *bytes, size_t size)
{
	LayerWriter *writer = data;

	varve_sha256_update(writer->plain_hash, bytes, size);
	if (archive_write_data(writer->gzip, bytes, size) < 0) {
		archive_copy_error(archive, writer->gzip);
		return -1;
	}
	return (la_ssize_t)size;
}

static gboolean archive_fail(struct archive *archive, const char *path, GError **error)
{
	const char *text = archive_error_string(archive);

	return varve_fail(error, VARVE_ERROR_SYSTEM, "OCI archive: '%s': %s", path,
			  text ? text : "cannot write");
}

static void describe(struct archive_entry *entry, const VarvePath *path, gint64 epoch)
{
	archive_entry_set_mode(entry, path->mode);
	archive_entry_set_uid(entry, path->uid);
	archive_entry_set_gid(entry, path->gid);
	archive_entry_set_mtime(entry, (time_t)epoch, 0);
	if (S_ISLNK(path->mode))
		archive_entry_set_symlink(entry, path->target);
	if (S_ISCHR(path->mode) || S_ISBLK(path->mode))
		archive_entry_set_rdev(entry, (dev_t)path->device);
	for (size_t i = 0; i < path->n_xattrs; i++)
		archive_entry_xattr_add_entry(entry, path->xattrs[i].name, path->xattrs[i].value,
					      path->xattrs[i].size);
}

static gboolean write_entry(LayerWriter *writer, struct archive_entry *entry, const VarvePath *path,
			    GError **error)
{
	g_autofree char *data = NULL;
	size_t size = 0;
	const char *first = NULL;

	if (path->hardlink && S_ISREG(path->mode)) {
		first = g_hash_table_lookup(writer->hard_links, &path->hardlink);
		if (!first)
			g_hash_table_insert(writer->hard_links,
					    g_memdup2(&path->hardlink, sizeof(path->hardlink)),
					    g_strdup(path->path));
	}
	describe(entry, path, writer->oci->epoch);
	archive_entry_set_pathname(entry, path->path);
	if (first)
		archive_entry_set_hardlink(entry, first);
	else if (S_ISREG(path->mode) &&
		 !varve_erofs_read_file(writer->erofs, path->path, FILE_LIMIT, &data, &size, error))
		return FALSE;
	archive_entry_set_size(entry, (la_int64_t)size);
	if (archive_write_header(writer->tar, entry) != ARCHIVE_OK ||
	    (size && archive_write_data(writer->tar, data, size) != (la_ssize_t)size))
		return archive_fail(writer->tar, path->path, error);
	return TRUE;
}

static gboolean visit(const VarvePath *path, gpointer data, GError **error)
{
	struct archive_entry *entry;
	gboolean written;

	if (!*path->path)
		return TRUE;
	entry = archive_entry_new();
	written = write_entry(data, entry, path, error);
	archive_entry_free(entry);
	return written;
}

/* The raw format has one nameless entry, which has to be begun. */
static gboolean begin_raw(struct archive *archive, GError **error)
{
	struct archive_entry *entry = archive_entry_new();
	int status;

	archive_entry_set_filetype(entry, AE_IFREG);
	status = archive_write_header(archive, entry);
	archive_entry_free(entry);
	return status == ARCHIVE_OK || archive_fail(archive, "layer", error);
}

static gboolean open_writers(LayerWriter *writer, GError **error)
{
	writer->gzip = archive_write_new();
	archive_write_set_format_raw(writer->gzip);
	archive_write_add_filter_gzip(writer->gzip);
	/* Without the time of now in the header. */
	archive_write_set_filter_option(writer->gzip, "gzip", "timestamp", NULL);
	archive_write_set_bytes_in_last_block(writer->gzip, 1);
	if (archive_write_open(writer->gzip, writer, NULL, write_packed, NULL) != ARCHIVE_OK)
		return archive_fail(writer->gzip, "layer", error);
	if (!begin_raw(writer->gzip, error))
		return FALSE;
	writer->tar = archive_write_new();
	archive_write_set_format_pax_restricted(writer->tar);
	archive_write_set_bytes_in_last_block(writer->tar, 1);
	if (archive_write_open(writer->tar, writer, NULL, write_plain, NULL) != ARCHIVE_OK)
		return archive_fail(writer->tar, "layer", error);
	return TRUE;
}

static gboolean write_layer(LayerWriter *writer, GError **error)
{
	gboolean written = open_writers(writer, error) &&
			   varve_erofs_walk(writer->erofs, FALSE, visit, writer, error);

	if (written && archive_write_close(writer->tar) != ARCHIVE_OK)
		written = archive_fail(writer->tar, "layer", error);
	if (written && archive_write_close(writer->gzip) != ARCHIVE_OK)
		written = archive_fail(writer->gzip, "layer", error);
	archive_write_free(writer->tar);
	archive_write_free(writer->gzip);
	if (written) {
		varve_sha256_finish(writer->plain_hash, &writer->diff_id);
		varve_sha256_finish(writer->packed_hash, &writer->digest);
	}
	return written;
}

static char *digest_text(const VarveDigest *digest)
{
	g_autofree char *hex = varve_digest_dup_hex(digest);

	return g_strdup_printf("sha256:%s", hex);
}

static json_t *descriptor(const char *media_type, const VarveDigest *digest, guint64 size)
{
	g_autofree char *text = digest_text(digest);

	return json_pack("{s:s, s:s, s:I}", "mediaType", media_type, "digest", text, "size",
			 (json_int_t)size);
}

static char *make_config(const LayerWriter *writer)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(writer->oci->epoch);
	g_autofree char *created = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
	g_autofree char *diff_id = digest_text(&writer->diff_id);
	g_autoptr(json_t) config =
		json_pack("{s:s, s:s, s:s, s:{}, s:{s:s, s:[s]}}", "created", created,
			  "architecture", writer->oci->arch->debian, "os", "linux", "config",
			  "rootfs", "type", "layers", "diff_ids", diff_id);

	return varve_json_dump(config, TRUE);
}

static gboolean add_blob(struct archive *tar, const char *path, const void *data, size_t size,
			 gint64 epoch, GError **error)
{
	struct archive_entry *entry = archive_entry_new();
	gboolean added;

	archive_entry_set_pathname(entry, path);
	archive_entry_set_mode(entry, S_IFREG | 0644);
	archive_entry_set_mtime(entry, (time_t)epoch, 0);
	archive_entry_set_size(entry, (la_int64_t)size);
	added = archive_write_header(tar, entry) == ARCHIVE_OK &&
		archive_write_data(tar, data, size) == (la_ssize_t)size;
	archive_entry_free(entry);
	return added || archive_fail(tar, path, error);
}

static gboolean add_named_blob(struct archive *tar, const char *text, gint64 epoch,
			       VarveDigest *ret_digest, GError **error)
{
	g_autofree char *hex = NULL;
	g_autofree char *path = NULL;

	varve_sha256(text, strlen(text), ret_digest);
	hex = varve_digest_dup_hex(ret_digest);
	path = g_strdup_printf("blobs/sha256/%s", hex);
	return add_blob(tar, path, text, strlen(text), epoch, error);
}

static gboolean add_layer_blob(struct archive *tar, const LayerWriter *writer, GError **error)
{
	g_autoptr(GMappedFile) map = g_mapped_file_new_from_fd(writer->fd, FALSE, error);
	g_autofree char *hex = varve_digest_dup_hex(&writer->digest);
	g_autofree char *path = g_strdup_printf("blobs/sha256/%s", hex);

	return map && add_blob(tar, path, g_mapped_file_get_contents(map),
			       g_mapped_file_get_length(map), writer->oci->epoch, error);
}

static gboolean write_layout(struct archive *tar, const LayerWriter *writer, GError **error)
{
	const VarveOci *oci = writer->oci;
	g_autofree char *config = make_config(writer);
	g_autofree char *manifest_text = NULL;
	g_autofree char *index_text = NULL;
	g_autoptr(json_t) manifest = NULL;
	g_autoptr(json_t) index = NULL;
	json_t *in_index;
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	VarveDigest config_digest, manifest_digest;

	if (!add_blob(tar, "oci-layout", layout, strlen(layout), oci->epoch, error) ||
	    !add_named_blob(tar, config, oci->epoch, &config_digest, error) ||
	    !add_layer_blob(tar, writer, error))
		return FALSE;
	manifest =
		json_pack("{s:i, s:s, s:o, s:[o]}", "schemaVersion", 2, "mediaType", MEDIA_MANIFEST,
			  "config", descriptor(MEDIA_CONFIG, &config_digest, strlen(config)),
			  "layers", descriptor(MEDIA_LAYER, &writer->digest, writer->packed_size));
	manifest_text = varve_json_dump(manifest, TRUE);
	if (!add_named_blob(tar, manifest_text, oci->epoch, &manifest_digest, error))
		return FALSE;
	in_index = descriptor(MEDIA_MANIFEST, &manifest_digest, strlen(manifest_text));
	json_object_set_new(
		in_index, "platform",
		json_pack("{s:s, s:s}", "architecture", oci->arch->debian, "os", "linux"));
	json_object_set_new(
		in_index, "annotations",
		json_pack("{s:s}", "org.opencontainers.image.ref.name", oci->reference));
	index = json_pack("{s:i, s:s, s:[o]}", "schemaVersion", 2, "mediaType", MEDIA_INDEX,
			  "manifests", in_index);
	index_text = varve_json_dump(index, TRUE);
	return add_blob(tar, "index.json", index_text, strlen(index_text), oci->epoch, error);
}

static gboolean write_archive(const LayerWriter *writer, int fd, GError **error)
{
	struct archive *tar = archive_write_new();
	gboolean written;

	archive_write_set_format_ustar(tar);
	archive_write_set_bytes_in_last_block(tar, 1);
	written =
		archive_write_open_fd(tar, fd) == ARCHIVE_OK || archive_fail(tar, "archive", error);
	written = written && write_layout(tar, writer, error);
	if (written && archive_write_close(tar) != ARCHIVE_OK)
		written = archive_fail(tar, "archive", error);
	archive_write_free(tar);
	return written;
}

static gboolean export(const VarveOci *oci, const char *layer_path, const char *to, GError **error)
{
	g_autoptr(VarveLayer) layer = varve_layer_open_path(layer_path, error);
	g_autofree char *blob = g_strdup_printf("%s.layer", to);
	g_autoptr(VarveErofs) erofs = NULL;
	g_autoptr(VarveNewFile) packed = NULL; /* never committed */
	g_autoptr(VarveNewFile) out = NULL;
	LayerWriter writer = { .oci = oci };
	guint64 offset, size, hash_offset, hash_size;
	gboolean written;

	if (!layer)
		return FALSE;
	varve_layer_extents(layer, &offset, &size, &hash_offset, &hash_size);
	erofs = varve_erofs_open(varve_layer_fd(layer), offset, size, layer_path, error);
	packed = erofs ? varve_new_file_open(blob, 0600, error) : NULL;
	out = packed ? varve_new_file_open(to, 0644, error) : NULL;
	if (!out)
		return FALSE;
	writer.erofs = erofs;
	writer.fd = packed->fd;
	writer.plain_hash = varve_sha256_new();
	writer.packed_hash = varve_sha256_new();
	writer.hard_links = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	written = write_layer(&writer, error) && write_archive(&writer, out->fd, error);
	varve_sha256_free(writer.plain_hash);
	varve_sha256_free(writer.packed_hash);
	g_hash_table_unref(writer.hard_links);
	return written && varve_new_file_commit(out, error);
}

/* pax headers are UTF-8, and libarchive translates names into it from the thread's locale. */
gboolean varve_export_oci(const VarveOci *oci, const char *layer, const char *to, GError **error)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before;
	gboolean exported;

	if (!utf8)
		return varve_fail_errno(error, errno, "OCI archive: no locale C.UTF-8");
	before = uselocale(utf8);
	exported = export(oci, layer, to, error);
	uselocale(before);
	freelocale(utf8);
	return exported;
}
