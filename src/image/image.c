/* Initrd, UKI and disk, one after the other. */
#include "image/image.h"

#include "base/error.h"
#include "image/base-tree.h"
#include "layer/layer.h"

#include <string.h>
#include <unistd.h>

#define OS_RELEASE_LIMIT (64 * 1024)

static double seconds_since(gint64 started)
{
	return (double)(g_get_monotonic_time() - started) / G_USEC_PER_SEC;
}

void varve_image_summary_clear(VarveImageSummary *summary)
{
	varve_initrd_summary_clear(&summary->initrd);
}

static char *find_efi(const VarveImage *image, VarveEfiFile file, GError **error)
{
	const char *tools = varve_tools_root(image->tools);
	const char *const roots[] = { image->root, tools ? tools : "/", tools ? "/" : NULL, NULL };

	return varve_uki_find_efi(roots, image->arch, file, error);
}

static char *read_os_release(const VarveImage *image, GError **error)
{
	int tree = varve_base_tree_open(image->root, error);
	char *text = NULL;

	if (tree < 0)
		return NULL;
	varve_base_tree_read(tree, "usr/lib/os-release", OS_RELEASE_LIMIT, &text, NULL, error);
	close(tree);
	return text;
}

/* The command line names the base by the root hash of its sealed file. */
static char *make_command_line(const VarveImage *image, GError **error)
{
	g_autoptr(VarveLayer) base = varve_layer_open_path(image->base, error);

	return base ? varve_uki_command_line(varve_layer_root(base), image->command_line, error)
		    : NULL;
}

static GBytes *build_initrd(const VarveImage *image, VarveImageSummary *summary, GError **error)
{
	gint64 started = g_get_monotonic_time();
	GBytes *initrd = varve_initrd_build(&(VarveInitrd){ .root = image->root,
							    .arch = image->arch,
							    .init = image->init,
							    .varvectl = image->varvectl,
							    .modules = image->modules,
							    .certificates = image->certificates,
							    .epoch = image->epoch },
					    &summary->initrd, error);

	summary->initrd_seconds = seconds_since(started);
	return initrd;
}

static GBytes *build_uki(const VarveImage *image, GBytes *initrd, VarveImageSummary *summary,
			 GError **error)
{
	gint64 started = g_get_monotonic_time();
	const char *version = summary->initrd.kernel_version;
	g_autofree char *stub = find_efi(image, VARVE_EFI_STUB, error);
	g_autofree char *kernel = stub ? varve_uki_find_kernel(image->root, version, error) : NULL;
	g_autofree char *os_release = kernel ? read_os_release(image, error) : NULL;
	g_autofree char *command_line = os_release ? make_command_line(image, error) : NULL;
	GBytes *uki;

	if (!command_line)
		return NULL;
	uki = varve_uki_build(&(VarveUki){ .arch = image->arch,
					   .stub = stub,
					   .kernel = kernel,
					   .initrd = initrd,
					   .os_release = os_release,
					   .command_line = command_line,
					   .kernel_version = version,
					   .key = image->key,
					   .certificate = image->certificate },
			      error);
	summary->uki_size = uki ? g_bytes_get_size(uki) : 0;
	summary->uki_seconds = seconds_since(started);
	return uki;
}

static gboolean build_disk(const VarveImage *image, GBytes *uki, const char *path,
			   VarveImageSummary *summary, GError **error)
{
	g_autofree char *loader_path = find_efi(image, VARVE_EFI_LOADER, error);
	g_autoptr(GBytes) loader =
		loader_path ? varve_uki_boot_loader(loader_path, image->arch, image->key,
						    image->certificate, error)
			    : NULL;

	return loader && varve_disk_build(&(VarveDisk){ .arch = image->arch,
							.name = image->name,
							.version = image->version,
							.base = image->base,
							.layers = image->layers,
							.uki = uki,
							.boot_loader = loader,
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
	g_autoptr(GBytes) initrd = build_initrd(image, &summary, error);
	g_autoptr(GBytes) uki = initrd ? build_uki(image, initrd, &summary, error) : NULL;
	gboolean built = uki && build_disk(image, uki, path, &summary, error);

	if (built && ret_summary)
		*ret_summary = summary;
	else
		varve_image_summary_clear(&summary);
	return built;
}
