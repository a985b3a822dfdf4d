/* Boot manifests, images and boot loaders of a node or a file. */
#include "trace/boot.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "crypt/sha256.h"
#include "format/version.h"
#include "trace/resolve.h"

#include <string.h>
#include <sys/stat.h>

gboolean varve_trace_boot_keep(int root_fd, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autofree char *text = NULL;
	size_t size;

	if (varve_file_read(root_fd, VARVE_BOOT_MANIFEST, VARVE_BOOT_MANIFEST_LIMIT, &text, &size,
			    &local))
		return varve_file_write(AT_FDCWD, VARVE_BOOT_MANIFEST_COPY, text, size, 0644,
					error);
	if (g_error_matches(local, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

VarveBootManifest *varve_trace_boot_manifest(GError **error)
{
	g_autofree char *text = NULL;
	size_t size;

	if (!varve_file_read(AT_FDCWD, VARVE_BOOT_MANIFEST_COPY, VARVE_BOOT_MANIFEST_LIMIT, &text,
			     &size, error))
		return NULL;
	return varve_boot_manifest_parse(text, size, VARVE_BOOT_MANIFEST_COPY, error);
}

static void loader_free(gpointer data)
{
	VarveTraceLoader *loader = data;

	varve_efi_signature_clear(&loader->signature);
	g_free(loader->path);
	g_free(loader);
}

VarveEspFile *varve_esp_file_new(const char *path, gboolean image, GBytes *bytes)
{
	VarveEspFile *file = g_new0(VarveEspFile, 1);

	file->path = g_strdup(path);
	file->image = image;
	file->bytes = g_bytes_ref(bytes);
	return file;
}

void varve_esp_file_free(VarveEspFile *file)
{
	if (!file)
		return;
	g_bytes_unref(file->bytes);
	g_free(file->path);
	g_free(file);
}

VarveTraceBoot *varve_trace_boot_new(void)
{
	VarveTraceBoot *boot = g_new0(VarveTraceBoot, 1);

	boot->loaders = g_ptr_array_new_with_free_func(loader_free);
	boot->problems = g_ptr_array_new_with_free_func(g_free);
	boot->where = g_strdup("");
	boot->basis = g_strdup("");
	boot->secure_boot = g_strdup("");
	return boot;
}

void varve_trace_boot_free(VarveTraceBoot *boot)
{
	if (!boot)
		return;
	varve_boot_manifest_free(boot->manifest);
	varve_trace_uki_free(boot->uki);
	g_ptr_array_unref(boot->loaders);
	g_ptr_array_unref(boot->problems);
	g_free(boot->where);
	g_free(boot->basis);
	g_free(boot->secure_boot);
	g_free(boot);
}

static void problem(VarveTraceBoot *boot, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void problem(VarveTraceBoot *boot, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(boot->problems, varve_text_printable(format, args));
	va_end(args);
}

static void add_loader(VarveTraceBoot *boot, const VarveEspFile *file)
{
	VarveTraceLoader *loader = g_new0(VarveTraceLoader, 1);
	g_autoptr(GError) error = NULL;

	loader->path = g_strdup(file->path);
	loader->size = g_bytes_get_size(file->bytes);
	varve_sha256(g_bytes_get_data(file->bytes, NULL), loader->size, &loader->digest);
	g_ptr_array_add(boot->loaders, loader);
	if (!varve_efi_signature_read(file->bytes, file->path, &loader->signature, &error))
		problem(boot, "%s", error->message);
	else if (*loader->signature.problem)
		problem(boot, "%s: %s", loader->path, loader->signature.problem);
	if (!varve_digest_equal(&loader->digest, &boot->manifest->boot_loader_final))
		problem(boot, "the boot loader %s is not the one that the image was made with",
			loader->path);
}

/* NAME_VERSION[+LEFT[-DONE]].efi: (caller frees) the version, "" where the name has none. */
static char *version_of(const char *path)
{
	g_autofree char *name = g_path_get_basename(path);
	const char *underscore = strchr(name, '_');
	gsize length;

	if (!underscore || !g_str_has_suffix(name, ".efi"))
		return g_strdup("");
	length = MIN(strcspn(underscore + 1, "+"), strlen(underscore + 1) - strlen(".efi"));
	return g_strndup(underscore + 1, length);
}

static int by_version(const VarveEspFile *a, const VarveEspFile *b)
{
	g_autofree char *x = version_of(a->path), *y = version_of(b->path);
	int order = varve_version_compare(x, y);

	return order ? order : strcmp(a->path, b->path);
}

/* The image with the manifest @copy, or the newest; NULL with the reason. */
static VarveTraceUki *choose_image(const GPtrArray *files, const char *copy,
				   const VarveEspFile **ret_file, GError **error)
{
	const VarveEspFile *newest = NULL;
	g_autoptr(GString) others = g_string_new(NULL);

	for (guint i = 0; i < files->len; i++) {
		const VarveEspFile *file = files->pdata[i];
		g_autoptr(VarveTraceUki) uki = NULL;
		g_autoptr(GError) local = NULL;

		if (!file->image)
			continue;
		if (!newest || by_version(newest, file) < 0)
			newest = file;
		if (!copy)
			continue;
		uki = varve_trace_uki_open(file->bytes, file->path, &local);
		if (uki && uki->manifest_text && strcmp(uki->manifest_text, copy) == 0) {
			*ret_file = file;
			return g_steal_pointer(&uki);
		}
		g_string_append_printf(others, "%s%s", others->len ? ", " : "", file->path);
	}
	if (!newest) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "there is no unified kernel image");
		return NULL;
	}
	if (copy) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "no image there has the manifest that the boot left: it was replaced "
			   "since, or the manifest was; there are: %s",
			   others->str);
		return NULL;
	}
	*ret_file = newest;
	return varve_trace_uki_open(newest->bytes, newest->path, error);
}

VarveTraceBoot *varve_trace_boot_of(const GPtrArray *files, const char *copy, const char *place,
				    GError **error)
{
	g_autoptr(VarveTraceBoot) boot = varve_trace_boot_new();
	const VarveEspFile *image = NULL;

	boot->uki = choose_image(files, copy, &image, error);
	if (!boot->uki)
		return NULL;
	if (!boot->uki->manifest) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND,
			   "%s: there is no manifest in its initrd: it was made by an older Varve, "
			   "or not by Varve",
			   image->path);
		return NULL;
	}
	g_free(boot->where);
	boot->where = g_strdup_printf("%s on %s", image->path, place);
	boot->manifest = varve_boot_manifest_parse(
		boot->uki->manifest_text, strlen(boot->uki->manifest_text), image->path, error);
	if (!boot->manifest)
		return NULL;
	for (guint i = 0; i < boot->uki->problems->len; i++)
		problem(boot, "%s: %s", image->path, (const char *)boot->uki->problems->pdata[i]);
	for (guint i = 0; i < files->len; i++) {
		const VarveEspFile *file = files->pdata[i];

		if (!file->image)
			add_loader(boot, file);
	}
	boot->verified = TRUE;
	g_free(boot->basis);
	boot->basis = g_strdup("every part and every file of the initrd was compared with the "
			       "manifest that lies in it");
	return g_steal_pointer(&boot);
}

gboolean varve_trace_boot_ask(const char *word, VarveBootAsk *ret, const char **ret_path)
{
	static const char initrd[] = "initrd:";

	*ret_path = "";
	if (strcmp(word, "uki") == 0) {
		*ret = VARVE_BOOT_ASK_UKI;
		return TRUE;
	}
	if (strcmp(word, "boot-loader") == 0) {
		*ret = VARVE_BOOT_ASK_LOADER;
		return TRUE;
	}
	if (!g_str_has_prefix(word, initrd))
		return FALSE;
	*ret = VARVE_BOOT_ASK_FILE;
	*ret_path = word + strlen(initrd);
	*ret_path += strspn(*ret_path, "/");
	return TRUE;
}

/* Parents of what is there are there too, whether they are listed or not. */
static gboolean look(const char *path, gboolean *ret_exists, char **ret_target, gpointer data,
		     GError **error)
{
	const VarveBootManifest *manifest = data;
	const VarveBootFile *file = varve_boot_manifest_file(manifest, path + 1);
	g_autofree char *prefix = g_strconcat(path + 1, "/", NULL);

	(void)error;
	*ret_exists = file != NULL;
	for (guint i = 0; i < manifest->files->len && !*ret_exists; i++) {
		const VarveBootFile *other = manifest->files->pdata[i];

		*ret_exists = g_str_has_prefix(other->path, prefix);
	}
	if (file && S_ISLNK(file->mode))
		*ret_target = g_strdup(file->target);
	return TRUE;
}

GPtrArray *varve_trace_boot_follow(const VarveTraceBoot *boot, const char *path, GError **error)
{
	g_autofree char *absolute = g_strconcat("/", path, NULL);
	g_autoptr(GPtrArray) steps = NULL;
	g_autoptr(GPtrArray) relative = g_ptr_array_new_with_free_func(g_free);
	const char *last;

	if (!varve_trace_resolve(absolute, look, boot->manifest, &steps, error))
		return NULL;
	for (guint i = 0; i < steps->len; i++)
		g_ptr_array_add(relative, g_strdup((const char *)steps->pdata[i] + 1));
	last = relative->pdata[relative->len - 1];
	if (!varve_boot_manifest_file(boot->manifest, last)) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "the initrd has no /%s", last);
		return NULL;
	}
	return g_steal_pointer(&relative);
}
