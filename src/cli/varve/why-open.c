/* Opening what is asked, only as far as it is asked. */
#include "cli/varve/why-open.h"

#include "base/error.h"
#include "base/file.h"
#include "crypt/sha256.h"
#include "image/disk.h"
#include "image/peek.h"

#include <string.h>
#include <sys/stat.h>

#define UPPER "etc/upper"

typedef enum {
	KIND_LAYER,
	KIND_DISK,
	KIND_EFI,
	KIND_DIRECTORY,
} Kind;

struct VarveWhySource {
	Kind kind;
	char *path;
	char slot;
	GPtrArray *certificates; /* (nullable) */
	char *whose;             /* with them */
	VarvePeek *peek;         /* of a disk */
	VarveTraceImage *image;
	VarveTraceBoot *boot;
	VarveWhySource *disk; /* (nullable) the newest disk of a directory */
	const VarveTools *tools;
};

void varve_why_source_free(VarveWhySource *source)
{
	if (!source)
		return;
	varve_trace_image_free(source->image);
	varve_trace_boot_free(source->boot);
	varve_peek_free(source->peek);
	varve_why_source_free(source->disk);
	g_clear_pointer(&source->certificates, g_ptr_array_unref);
	g_free(source->whose);
	g_free(source->path);
	g_free(source);
}

#define CONVERT "make a raw disk image of it with 'qemu-img convert -O raw'"

/* What an image was exported to: the bytes are in there, but in other places. */
static gboolean check_is_no_export(const char *path, GError **error)
{
	static const struct {
		off_t offset;
		const char *magic, *what, *next;
	} exports[] = {
		{ 0, "QFI\xfb", "a qcow2 image", CONVERT },
		{ 0, "conectix", "a VHD of another kind than 'varve image export' makes", CONVERT },
		{ 0, "vhdxfile", "a VHDX image", CONVERT },
		{ 0, "KDMV", "a VMDK image", CONVERT },
		{ 257, "ustar", "a tar archive, as an OCI image is",
		  "ask the base layer that it was exported from" },
	};
	varve_autofd fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char start[8];

	for (gsize i = 0; fd >= 0 && i < G_N_ELEMENTS(exports); i++) {
		size_t size = strlen(exports[i].magic);

		if (varve_fd_read_full(fd, start, size, exports[i].offset) == (ssize_t)size &&
		    memcmp(start, exports[i].magic, size) == 0)
			return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
					  "%s: %s, expected a sealed layer or a raw disk image; %s",
					  path, exports[i].what, exports[i].next);
	}
	return TRUE;
}

static Kind kind_of(const char *path)
{
	varve_autofd fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char magic[2] = "";

	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		return KIND_DIRECTORY;
	if (fd >= 0 && varve_fd_read_full(fd, magic, 2, 0) == 2 && memcmp(magic, "MZ", 2) == 0)
		return KIND_EFI;
	return varve_peek_is_disk(path) ? KIND_DISK : KIND_LAYER;
}

VarveWhySource *varve_why_source_open(const char *path, const char *certificates, char slot,
				      const VarveTools *tools, GError **error)
{
	g_autoptr(VarveWhySource) source = g_new0(VarveWhySource, 1);

	source->path = g_strdup(path);
	source->slot = slot;
	source->tools = tools;
	if (access(path, R_OK) < 0) {
		varve_fail_errno(error, errno, "%s", path);
		return NULL;
	}
	if (!check_is_no_export(path, error))
		return NULL;
	source->kind = kind_of(path);
	if (slot && source->kind != KIND_DISK) {
		varve_fail(error, VARVE_ERROR_USAGE, "%s: no disk image, so it has no slots", path);
		return NULL;
	}
	if (certificates) {
		source->certificates = varve_certificates_load_dir(AT_FDCWD, certificates, error);
		if (!source->certificates)
			return NULL;
		source->whose = g_strdup_printf("the certificates in %s", certificates);
	}
	if (source->kind == KIND_DISK) {
		source->peek = varve_peek_open(path, tools, error);
		if (!source->peek)
			return NULL;
	}
	return g_steal_pointer(&source);
}

/* What starts it */

static VarveTraceBoot *boot_of_disk(VarveWhySource *source, GError **error)
{
	const char *directory = varve_peek_esp(source->peek, error);
	g_autoptr(GPtrArray) files = NULL;
	varve_autofd fd = -1;

	if (!directory)
		return NULL;
	fd = varve_dir_open(AT_FDCWD, directory, error);
	if (fd < 0)
		return NULL;
	files = varve_esp_read(fd);
	return varve_trace_boot_of(files, NULL, source->path, error);
}

static VarveTraceBoot *boot_of_file(const VarveWhySource *source, GError **error)
{
	g_autoptr(GPtrArray) files =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_esp_file_free);
	g_autofree char *directory = g_path_get_dirname(source->path);
	g_autofree char *name = g_path_get_basename(source->path);
	g_autoptr(GBytes) bytes = NULL;
	char *data;
	size_t size;

	if (!varve_file_read(AT_FDCWD, source->path, VARVE_EFI_LIMIT, &data, &size, error))
		return NULL;
	bytes = g_bytes_new_take(data, size);
	g_ptr_array_add(files, varve_esp_file_new(name, TRUE, bytes));
	return varve_trace_boot_of(files, NULL, directory, error);
}

/* The disk in a build's output whose file is the newest. */
static VarveWhySource *newest_disk(const VarveWhySource *source, GError **error)
{
	g_auto(GStrv) names = NULL;
	g_autofree char *newest = NULL;
	gint64 when = -1;

	if (!varve_dir_list(AT_FDCWD, source->path, &names, error))
		return NULL;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_build_filename(source->path, *name, NULL);
		struct stat st;

		if (!g_str_has_suffix(*name, ".disk.raw") || stat(path, &st) < 0 ||
		    st.st_mtime <= when)
			continue;
		g_free(newest);
		newest = g_steal_pointer(&path);
		when = st.st_mtime;
	}
	if (!newest) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "%s: there is no disk image in it",
			   source->path);
		return NULL;
	}
	return varve_why_source_open(newest, NULL, 0, source->tools, error);
}

const VarveTraceBoot *varve_why_source_boot(VarveWhySource *source, GError **error)
{
	if (source->boot)
		return source->boot;
	switch (source->kind) {
	case KIND_DISK:
		source->boot = boot_of_disk(source, error);
		break;
	case KIND_EFI:
		source->boot = boot_of_file(source, error);
		break;
	case KIND_DIRECTORY:
		source->disk = newest_disk(source, error);
		return source->disk ? varve_why_source_boot(source->disk, error) : NULL;
	case KIND_LAYER:
		varve_fail(error, VARVE_ERROR_UNSUPPORTED,
			   "%s: a layer; ask the disk image that starts it", source->path);
		break;
	}
	return source->boot;
}

/* Its layers */

static gboolean add_path(VarveTraceImage *image, const char *path, GError **error)
{
	g_autofree char *name = g_path_get_basename(path);
	VarveLayer *layer = varve_layer_open_path(path, error);

	return layer && varve_trace_image_add(image, layer, name, error);
}

/* A file that is no layer, or a damaged one, is told as a node would tell it; it does not keep the
 * others from answering. */
static gboolean add_or_refuse(VarveTraceImage *image, const char *path, GError **error)
{
	g_autoptr(GError) local = NULL;
	VarveTraceRefused *refused;

	if (add_path(image, path, &local))
		return TRUE;
	if (!g_error_matches(local, VARVE_ERROR, VARVE_ERROR_CORRUPT)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	refused = g_new0(VarveTraceRefused, 1);
	refused->file = g_path_get_basename(path);
	refused->code = g_strdup("damaged");
	refused->sentence = g_strdup(local->message);
	g_ptr_array_add(image->refused, refused);
	return TRUE;
}

/* The slot that was asked for, the only one that is full, or the one that the image starts. */
static VarveLayer *choose_base(VarveWhySource *source, GError **error)
{
	g_autoptr(VarveLayer) a = NULL, b = NULL;
	const VarveTraceBoot *boot;

	if (source->slot != 'B' && !varve_peek_base(source->peek, 'A', &a, error))
		return NULL;
	if (source->slot != 'A' && !varve_peek_base(source->peek, 'B', &b, error))
		return NULL;
	if (!a && !b) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "%s: there is no base in %s", source->path,
			   source->slot ? "that slot" : "its slots");
		return NULL;
	}
	if (!a || !b)
		return a ? g_steal_pointer(&a) : g_steal_pointer(&b);
	boot = varve_why_source_boot(source, error);
	if (!boot) {
		g_prefix_error(error, "both slots have a base; say which one with --slot: ");
		return NULL;
	}
	if (varve_digest_equal(varve_layer_root(b), &boot->manifest->base_root))
		return g_steal_pointer(&b);
	return g_steal_pointer(&a);
}

/* What the state partition has for a path of a node. */

static gboolean hide(const VarvePeekFile *file)
{
	return S_ISCHR(file->mode) || file->opaque;
}

/* Whether a directory above @path in the upper of /etc hides what the base has there. */
static gboolean is_hidden(VarvePeek *peek, const char *path, gboolean *ret, GError **error)
{
	*ret = FALSE;
	for (const char *slash = strchr(path, '/'); slash && !*ret;
	     slash = strchr(slash + 1, '/')) {
		g_autofree char *parent = g_strndup(path, (gsize)(slash - path));
		VarvePeekFile *file;

		if (!varve_peek_state(peek, parent, &file, error))
			return FALSE;
		*ret = file && hide(file);
		varve_peek_file_free(file);
	}
	return TRUE;
}

static gboolean take_file(const VarvePeekFile *file, VarveTraceFound **ret, GError **error)
{
	g_autoptr(VarveTraceFound) found = varve_trace_found_new();
	varve_autofd fd = -1;
	guint64 size;

	found->mode = file->mode;
	found->uid = file->uid;
	found->gid = file->gid;
	if (S_ISREG(file->mode) || S_ISLNK(file->mode))
		found->size = file->size;
	g_free(found->target);
	g_free(found->label);
	found->target = g_strdup(file->target);
	found->label = g_strdup(file->label);
	if (S_ISREG(file->mode)) {
		fd = open(file->file, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return varve_fail_errno(error, errno, "%s", file->file);
		if (!varve_sha256_fd(fd, &found->digest, &size, error))
			return FALSE;
		found->read = TRUE;
	}
	*ret = g_steal_pointer(&found);
	return TRUE;
}

static gboolean written(const char *path, gboolean *ret_written, VarveTraceFound **ret_found,
			gpointer data, GError **error)
{
	VarveWhySource *source = data;
	gboolean etc = g_str_has_prefix(path, "etc/"), hidden = FALSE, ok = TRUE;
	g_autofree char *inside =
		etc ? g_strconcat(UPPER, path + strlen("etc"), NULL) : g_strdup(path);
	VarvePeekFile *file;

	if (!varve_peek_state(source->peek, inside, &file, error))
		return FALSE;
	if (!file && etc && !is_hidden(source->peek, inside, &hidden, error))
		return FALSE;
	*ret_written = file || hidden;
	if (file && !S_ISCHR(file->mode))
		ok = take_file(file, ret_found, error);
	varve_peek_file_free(file);
	return ok;
}

static gboolean load_disk(VarveWhySource *source, VarveTraceImage *image, GError **error)
{
	g_autofree char *name = NULL;
	g_auto(GStrv) layers = NULL;
	VarveLayer *base = choose_base(source, error);

	if (!base)
		return FALSE;
	name = g_strdup(varve_layer_name(base));
	if (!varve_trace_image_add(image, base, name, error) ||
	    !varve_peek_layers(source->peek, &layers, error))
		return FALSE;
	for (char **path = layers; *path; path++) {
		if (!add_or_refuse(image, *path, error))
			return FALSE;
	}
	image->written = written;
	image->written_data = source;
	/* Whom the base is checked against on a node: its initrd says. */
	if (!source->certificates) {
		const VarveTraceBoot *boot = varve_why_source_boot(source, NULL);

		if (boot && boot->uki->certificates->len > 0) {
			source->certificates = g_ptr_array_ref(boot->uki->certificates);
			source->whose = g_strdup("its initrd's certificates");
		}
	}
	return TRUE;
}

/* Whether @name looks like a layer file; of a base only the newest file counts. */
static gboolean is_layer_name(const char *name)
{
	return g_str_has_suffix(name, ".raw") && !g_str_has_suffix(name, ".disk.raw") &&
	       *name != '.';
}

/* A build's output may have the bases of several builds: the newest by the file's time is the one
 * that was built last. */
static gboolean load_directory(const VarveWhySource *source, VarveTraceImage *image, GError **error)
{
	g_autofree char *base = NULL;
	g_auto(GStrv) names = NULL;
	gint64 when = -1;

	if (!varve_dir_list(AT_FDCWD, source->path, &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_build_filename(source->path, *name, NULL);
		g_autoptr(VarveLayer) layer = NULL;
		g_autoptr(VarveManifest) manifest = NULL;
		struct stat st;

		if (!is_layer_name(*name))
			continue;
		layer = varve_layer_open_path(path, NULL);
		manifest = layer ? varve_layer_read_manifest(layer, NULL) : NULL;
		if (!manifest || manifest->role != VARVE_ROLE_BASE) {
			if (!add_or_refuse(image, path, error))
				return FALSE;
			continue;
		}
		if (stat(path, &st) < 0 || st.st_mtime <= when)
			continue;
		g_free(base);
		base = g_steal_pointer(&path);
		when = st.st_mtime;
	}
	return !base || add_path(image, base, error);
}

const VarveTraceImage *varve_why_source_image(VarveWhySource *source, GError **error)
{
	g_autoptr(VarveTraceImage) image = NULL;
	gboolean ok = FALSE;

	if (source->image)
		return source->image;
	image = varve_trace_image_new();
	switch (source->kind) {
	case KIND_LAYER:
		ok = add_path(image, source->path, error);
		break;
	case KIND_DISK:
		ok = load_disk(source, image, error);
		break;
	case KIND_DIRECTORY:
		ok = load_directory(source, image, error);
		break;
	case KIND_EFI:
		varve_fail(error, VARVE_ERROR_UNSUPPORTED,
			   "%s: an EFI program: ask it for 'uki' or 'initrd:PATH'", source->path);
		break;
	}
	if (!ok ||
	    !varve_trace_image_compose(image, source->certificates, source->whose,
				       g_get_real_time() / G_USEC_PER_SEC / (24 * 60 * 60), error))
		return NULL;
	source->image = g_steal_pointer(&image);
	return source->image;
}
