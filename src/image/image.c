/* Initrd, UKI and disk, one after the other. */
#include "image/image.h"

#include "base/error.h"
#include "base/file.h"
#include "crypt/sha256.h"
#include "image/base-tree.h"
#include "image/code-integrity.h"
#include "layer/layer.h"

#include <string.h>
#include <unistd.h>

#define OS_RELEASE "usr/lib/os-release"
#define OS_RELEASE_LIMIT (64 * 1024)
#define EFI_LIMIT (64 * 1024 * 1024)
#define KERNEL_LIMIT (256 * 1024 * 1024)

static double seconds_since(gint64 started)
{
	return (double)(g_get_monotonic_time() - started) / G_USEC_PER_SEC;
}

void varve_image_summary_clear(VarveImageSummary *summary)
{
	varve_initrd_summary_clear(&summary->initrd);
}

/* An EFI program: of the tree, else of the tools tree, else of the host. */
typedef struct {
	char *path;       /* on the host */
	const char *from; /* within @path: relative to the root that it is of */
	VarveBootOrigin origin;
	GBytes *bytes;
} Efi;

static void efi_clear(Efi *efi)
{
	g_free(efi->path);
	g_clear_pointer(&efi->bytes, g_bytes_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Efi, efi_clear)

static gboolean find_efi(const VarveImage *image, VarveEfiFile file, Efi *efi, GError **error)
{
	const char *roots[] = { image->root, varve_tools_root(image->tools), "/" };
	static const VarveBootOrigin origins[] = { VARVE_BOOT_TREE, VARVE_BOOT_TOOLS,
						   VARVE_BOOT_HOST };
	char *data;
	size_t size;

	for (gsize i = 0; i < G_N_ELEMENTS(roots) && !efi->path; i++) {
		const char *const root[] = { roots[i], NULL };

		if (!roots[i])
			continue;
		efi->path = varve_uki_find_efi(root, image->arch, file,
					       i + 1 < G_N_ELEMENTS(roots) ? NULL : error);
		efi->origin = origins[i];
		efi->from = efi->path ? efi->path + strlen(roots[i]) : NULL;
	}
	if (!efi->path || !varve_file_read(AT_FDCWD, efi->path, EFI_LIMIT, &data, &size, error))
		return FALSE;
	efi->from += strspn(efi->from, "/");
	efi->bytes = g_bytes_new_take(data, size);
	return TRUE;
}

static char *read_os_release(const VarveImage *image, GError **error)
{
	int tree = varve_base_tree_open(image->root, error);
	char *text = NULL;

	if (tree < 0)
		return NULL;
	varve_base_tree_read(tree, OS_RELEASE, OS_RELEASE_LIMIT, &text, NULL, error);
	close(tree);
	return text;
}

/* What a disk is made of before there is a disk. */
typedef struct {
	VarveBootRecord *record;
	Efi stub;
	char *kernel_version, *kernel, *os_release, *command_line;
	GBytes *boot_loader, *initrd, *uki;
} Parts;

static void parts_clear(Parts *parts)
{
	g_clear_pointer(&parts->record, varve_boot_record_free);
	efi_clear(&parts->stub);
	g_free(parts->kernel_version);
	g_free(parts->kernel);
	g_free(parts->os_release);
	g_free(parts->command_line);
	g_clear_pointer(&parts->boot_loader, g_bytes_unref);
	g_clear_pointer(&parts->initrd, g_bytes_unref);
	g_clear_pointer(&parts->uki, g_bytes_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Parts, parts_clear)

/* The command line names the base by the root hash of its sealed file. */
static gboolean find_parts(const VarveImage *image, Parts *parts, GError **error)
{
	g_autoptr(VarveLayer) base = varve_layer_open_path(image->base, error);
	g_auto(Efi) loader = { 0 };

	if (!base)
		return FALSE;
	parts->record = varve_boot_record_new(base, image->tools, error);
	if (!parts->record || !find_efi(image, VARVE_EFI_STUB, &parts->stub, error) ||
	    !find_efi(image, VARVE_EFI_LOADER, &loader, error))
		return FALSE;
	parts->command_line =
		varve_uki_command_line(varve_layer_root(base), image->command_line, error);
	if (!parts->command_line)
		return FALSE;
	parts->kernel_version = varve_initrd_kernel_version(image->root, error);
	parts->kernel = parts->kernel_version
				? varve_uki_find_kernel(image->root, parts->kernel_version, error)
				: NULL;
	parts->os_release = parts->kernel ? read_os_release(image, error) : NULL;
	parts->boot_loader = parts->os_release
				     ? varve_uki_boot_loader(loader.path, image->arch, image->key,
							     image->certificate, error)
				     : NULL;
	if (!parts->boot_loader)
		return FALSE;
	varve_boot_record_part(parts->record, loader.origin, loader.from, loader.bytes,
			       &varve_boot_record_manifest(parts->record)->boot_loader);
	return TRUE;
}

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

/* What the manifest in the initrd says beside the initrd's own files. */
static gboolean record_parts(const VarveImage *image, const Parts *parts, GError **error)
{
	VarveBootManifest *manifest = varve_boot_record_manifest(parts->record);
	g_autoptr(GBytes) os_release =
		g_bytes_new_static(parts->os_release, strlen(parts->os_release));
	const char *from = parts->kernel + strlen(image->root);
	g_autoptr(GBytes) kernel = NULL;
	char *data;
	size_t size;

	if (!varve_file_read(AT_FDCWD, parts->kernel, KERNEL_LIMIT, &data, &size, error))
		return FALSE;
	kernel = g_bytes_new_take(data, size);
	set(&manifest->name, image->name);
	set(&manifest->version, image->version);
	set(&manifest->arch, image->arch->name);
	set(&manifest->kernel_version, parts->kernel_version);
	set(&manifest->command_line, parts->command_line);
	varve_boot_record_signer(parts->record, image->certificate);
	varve_boot_record_part(parts->record, VARVE_BOOT_TREE, from + strspn(from, "/"), kernel,
			       &manifest->kernel);
	varve_boot_record_part(parts->record, VARVE_BOOT_TREE, OS_RELEASE, os_release,
			       &manifest->os_release);
	varve_sha256(g_bytes_get_data(parts->boot_loader, NULL),
		     g_bytes_get_size(parts->boot_loader), &manifest->boot_loader_final);
	return varve_boot_record_stub(parts->record, parts->stub.origin, parts->stub.from,
				      parts->stub.bytes, error);
}

/* NULL without an error where the image asks for none. */
static GBytes *make_integrity_policy(const VarveImage *image, GError **error)
{
	if (image->code_integrity == VARVE_CODE_INTEGRITY_OFF)
		return NULL;
	if (!image->key) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "code integrity needs the platform key, which signs its policy: give "
			   "the keys directory");
		return NULL;
	}
	return varve_code_integrity_sign(image->key, image->certificate, error);
}

static gboolean build_initrd(const VarveImage *image, Parts *parts, VarveImageSummary *summary,
			     GError **error)
{
	gint64 started = g_get_monotonic_time();
	g_autoptr(GBytes) policy = make_integrity_policy(image, error);
	const char *word = policy ? varve_code_integrity_word(image->code_integrity) : NULL;

	if (!policy && image->code_integrity != VARVE_CODE_INTEGRITY_OFF)
		return FALSE;
	parts->initrd = varve_initrd_build(&(VarveInitrd){ .root = image->root,
							   .arch = image->arch,
							   .kernel_version = parts->kernel_version,
							   .init = image->init,
							   .varvectl = image->varvectl,
							   .modules = image->modules,
							   .certificates = image->certificates,
							   .code_integrity = word,
							   .code_integrity_policy = policy,
							   .epoch = image->epoch,
							   .record = parts->record },
					   &summary->initrd, error);
	summary->initrd_seconds = seconds_since(started);
	return parts->initrd != NULL;
}

static gboolean build_uki(const VarveImage *image, Parts *parts, VarveImageSummary *summary,
			  GError **error)
{
	gint64 started = g_get_monotonic_time();

	parts->uki = varve_uki_build(&(VarveUki){ .arch = image->arch,
						  .stub = parts->stub.path,
						  .kernel = parts->kernel,
						  .initrd = parts->initrd,
						  .os_release = parts->os_release,
						  .command_line = parts->command_line,
						  .kernel_version = parts->kernel_version,
						  .key = image->key,
						  .certificate = image->certificate },
				     error);
	summary->uki_size = parts->uki ? g_bytes_get_size(parts->uki) : 0;
	summary->uki_seconds = seconds_since(started);
	return parts->uki != NULL;
}

static gboolean build_disk(const VarveImage *image, const Parts *parts, const char *path,
			   VarveImageSummary *summary, GError **error)
{
	return varve_disk_build(&(VarveDisk){ .arch = image->arch,
					      .name = image->name,
					      .version = image->version,
					      .base = image->base,
					      .layers = image->layers,
					      .uki = parts->uki,
					      .boot_loader = parts->boot_loader,
					      .enrolment = image->enrolment,
					      .esp_size = image->esp_size,
					      .slot_size = image->slot_size,
					      .state_size = image->state_size,
					      .epoch = image->epoch,
					      .tools = image->tools },
				path, &summary->disk, error);
}

gboolean varve_image_build(const VarveImage *image, const char *path,
			   VarveImageSummary *ret_summary, GError **error)
{
	VarveImageSummary summary = { 0 };
	g_auto(Parts) parts = { 0 };
	gboolean built = find_parts(image, &parts, error) && record_parts(image, &parts, error) &&
			 build_initrd(image, &parts, &summary, error) &&
			 build_uki(image, &parts, &summary, error) &&
			 build_disk(image, &parts, path, &summary, error);

	if (built && ret_summary)
		*ret_summary = summary;
	else
		varve_image_summary_clear(&summary);
	return built;
}
