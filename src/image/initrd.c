/* The initial RAM filesystem: gathered from the base's tree, then written in the order of paths. */
#include "image/initrd.h"

#include "base/error.h"
#include "base/file.h"
#include "crypt/signature.h"
#include "format/cpio.h"
#include "image/base-tree.h"
#include "image/libraries.h"
#include "image/module-index.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define PROGRAM_LIMIT (64 * 1024 * 1024)
/* 20 MB take 0.4 s at 9 and 8 s at 19, which saves a ninth. */
#define ZSTD_LEVEL 9
#define CERTIFICATES "usr/lib/verity.d"
#define INIT "usr/lib/varve/varve-init"
#define INIT_LIBEXEC "usr/libexec/varve/varve-init"
#define VARVECTL "usr/bin/varvectl"

/* What any machine may need to reach its disk, to open the base and to merge the layers. A kernel
 * may have some of it built in or not at all. The two algorithms are aliases of whatever the
 * architecture has: dm-verity is several times as fast with them. The last two are of the TPM that
 * has the anchor of the record of floors. */
static const char *const usual_modules[] = {
	"efivarfs",    "crypto-sha256", "crypto-crc32c", "virtio_pci", "virtio_mmio", "virtio_blk",
	"virtio_scsi", "nvme",          "sd_mod",        "ahci",       "loop",        "dm_mod",
	"dm_verity",   "erofs",         "overlay",       "ext4",       "tpm_crb",     "tpm_tis",
};

/* One entry of the archive: a file, a link (@target), or a directory (neither). */
typedef struct {
	char *path;
	mode_t mode;
	GBytes *bytes;
	char *target;
	VarveBootOrigin origin; /* of the bytes */
	char *from;
} Entry;

typedef struct {
	int tree;
	const VarveInitrd *initrd;
	GHashTable *entries; /* path → Entry */
	guint n_certificates, n_development;
	VarveInitrdSummary *summary;
} Gathering;

static void entry_free(gpointer data)
{
	Entry *entry = data;

	g_free(entry->path);
	g_free(entry->target);
	g_free(entry->from);
	g_clear_pointer(&entry->bytes, g_bytes_unref);
	g_free(entry);
}

static Entry *add_entry(Gathering *gathering, const char *path, mode_t mode, GBytes *bytes,
			const char *target)
{
	Entry *entry = g_new0(Entry, 1);

	entry->path = g_strdup(path);
	entry->mode = mode;
	entry->bytes = bytes ? g_bytes_ref(bytes) : NULL;
	entry->target = g_strdup(target);
	entry->origin = VARVE_BOOT_GENERATED;
	g_hash_table_replace(gathering->entries, entry->path, entry);
	return entry;
}

/* A file that is the host's @host_path, or else @tree_path of the tree. */
static void add_copy(Gathering *gathering, const char *path, mode_t mode, GBytes *bytes,
		     const char *host_path, const char *tree_path)
{
	Entry *entry = add_entry(gathering, path, mode, bytes, NULL);

	entry->origin = host_path ? VARVE_BOOT_HOST : VARVE_BOOT_TREE;
	entry->from = host_path ? g_path_get_basename(host_path) : g_strdup(tree_path);
}

static GBytes *read_program(Gathering *gathering, const char *host_path, const char *tree_path,
			    GError **error)
{
	char *data;
	size_t size;

	if (host_path ? varve_file_read(AT_FDCWD, host_path, PROGRAM_LIMIT, &data, &size, error)
		      : varve_base_tree_read(gathering->tree, tree_path, PROGRAM_LIMIT, &data,
					     &size, error))
		return g_bytes_new_take(data, size);
	g_prefix_error(error, "initrd: ");
	return NULL;
}

static gboolean gather_programs(Gathering *gathering, VarveLibraries *libraries, GError **error)
{
	const char *name = varve_base_tree_has(gathering->tree, INIT_LIBEXEC) ? INIT_LIBEXEC : INIT;
	/* Where a package has the file itself: it may be known by a link. */
	g_autofree char *resolved = NULL;
	const char *own_init =
		varve_base_tree_resolve(gathering->tree, name, &resolved, NULL) ? resolved : name;
	g_autoptr(GBytes) init = read_program(gathering, gathering->initrd->init, own_init, error);
	g_autoptr(GBytes) varvectl =
		init ? read_program(gathering, gathering->initrd->varvectl, VARVECTL, error) : NULL;

	if (!varvectl || !varve_libraries_require(libraries, "init", init, error) ||
	    !varve_libraries_require(libraries, VARVECTL, varvectl, error))
		return FALSE;
	add_copy(gathering, "init", 0755, init, gathering->initrd->init, own_init);
	add_copy(gathering, VARVECTL, 0755, varvectl, gathering->initrd->varvectl, VARVECTL);
	return TRUE;
}

static gboolean gather_libraries(Gathering *gathering, VarveLibraries *libraries, GError **error)
{
	g_autoptr(GPtrArray) list = varve_libraries_list(libraries);

	for (guint i = 0; i < list->len; i++) {
		const VarveLibrary *library = g_ptr_array_index(list, i);

		add_copy(gathering, library->path, 0755, library->bytes, NULL, library->path);
		for (guint j = 0; j < library->names->len; j++) {
			g_autofree char *target = g_strdup_printf("/%s", library->path);

			add_entry(gathering, g_ptr_array_index(library->names, j), 0, NULL, target);
		}
	}
	gathering->summary->n_libraries = list->len;
	if (varve_libraries_need_cache(libraries)) {
		g_autoptr(GBytes) cache = read_program(gathering, NULL, "etc/ld.so.cache", error);

		if (!cache)
			return FALSE;
		add_copy(gathering, "etc/ld.so.cache", 0644, cache, NULL, "etc/ld.so.cache");
	}
	return TRUE;
}

static gboolean gather_modules(Gathering *gathering, GError **error)
{
	g_autoptr(VarveModuleIndex) modules =
		varve_module_index_open(gathering->tree, gathering->summary->kernel_version, error);
	const char *const *further = gathering->initrd->modules;
	g_autoptr(GString) list = g_string_new(NULL);
	g_autoptr(GBytes) list_bytes = NULL;
	const GPtrArray *order;

	if (!modules)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(usual_modules); i++) {
		g_autoptr(GError) missing = NULL;

		if (varve_module_index_require(modules, usual_modules[i], &missing) ||
		    g_error_matches(missing, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
			continue;
		g_propagate_error(error, g_steal_pointer(&missing));
		return FALSE;
	}
	for (; further && *further; further++) {
		if (!varve_module_index_require(modules, *further, error))
			return FALSE;
	}
	order = varve_module_index_order(modules);
	for (guint i = 0; i < order->len; i++) {
		g_autofree char *path = NULL;
		g_autoptr(GBytes) bytes = varve_module_read(
			gathering->tree, g_ptr_array_index(order, i), &path, error);

		if (!bytes)
			return FALSE;
		add_copy(gathering, path, 0644, bytes, NULL, g_ptr_array_index(order, i));
		g_string_append_printf(list, "/%s\n", path);
	}
	gathering->summary->n_modules = order->len;
	list_bytes = g_string_free_to_bytes(g_steal_pointer(&list));
	add_entry(gathering, VARVE_INITRD_MODULES, 0644, list_bytes, NULL);
	return TRUE;
}

/* What is no certificate at all is found when it is needed; here it only is no development one. */
static void count_certificate(Gathering *gathering, GBytes *bytes, const char *name)
{
	gsize size;
	const void *data = g_bytes_get_data(bytes, &size);
	g_autoptr(VarveCertificate) certificate = varve_certificate_parse(data, size, name, NULL);

	gathering->n_certificates++;
	gathering->n_development += certificate && varve_certificate_is_development(certificate);
}

static gboolean gather_certificate(Gathering *gathering, const char *host_path,
				   const char *tree_path, GError **error)
{
	g_autofree char *base = g_path_get_basename(host_path ? host_path : tree_path);
	g_autofree char *path = g_build_filename(CERTIFICATES, base, NULL);
	g_autoptr(GBytes) bytes = NULL;

	if (!g_str_has_suffix(base, ".crt"))
		return host_path ? varve_fail(error, VARVE_ERROR_USAGE,
					      "initrd: the certificate '%s' has to be called "
					      "NAME.crt",
					      host_path)
				 : TRUE;
	bytes = read_program(gathering, host_path, tree_path, error);
	if (!bytes)
		return FALSE;
	add_copy(gathering, path, 0644, bytes, host_path, tree_path);
	count_certificate(gathering, bytes, base);
	return TRUE;
}

static gboolean gather_certificates(Gathering *gathering, GError **error)
{
	const char *const *host_paths = gathering->initrd->certificates;
	g_auto(GStrv) names = NULL;

	for (const char *const *path = host_paths; path && *path; path++) {
		if (!gather_certificate(gathering, *path, NULL, error))
			return FALSE;
	}
	if (host_paths || !varve_base_tree_has(gathering->tree, CERTIFICATES))
		return TRUE;
	if (!varve_base_tree_list(gathering->tree, CERTIFICATES, &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_build_filename(CERTIFICATES, *name, NULL);

		if (!gather_certificate(gathering, NULL, path, error))
			return FALSE;
	}
	return TRUE;
}

static void add_text(Gathering *gathering, const char *path, const char *text)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	add_entry(gathering, path, 0644, bytes, NULL);
}

/* What the programs of the initrd are told. */
static void gather_settings(Gathering *gathering)
{
	const VarveInitrd *initrd = gathering->initrd;

	if (gathering->n_certificates > 0 && gathering->n_development == gathering->n_certificates)
		add_text(gathering, VARVE_INITRD_DEVELOPMENT, "");
	if (!initrd->code_integrity)
		return;
	add_text(gathering, VARVE_INITRD_INTEGRITY, initrd->code_integrity);
	add_entry(gathering, VARVE_INITRD_INTEGRITY_POLICY, 0644, initrd->code_integrity_policy,
		  NULL);
}

/* Mount points, and the links of a merged /usr where the tree has them. */
static void gather_skeleton(Gathering *gathering)
{
	static const char *const directories[] = { "dev", "etc", "proc",    "run",
						   "sys", "tmp", "sysroot", "usr" };
	static const char *const links[] = { "bin", "lib", "lib64", "sbin" };

	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++)
		add_entry(gathering, directories[i], 0755, NULL, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(links); i++) {
		g_autofree char *target = NULL;

		if (varve_base_tree_resolve(gathering->tree, links[i], &target, NULL) &&
		    strcmp(target, links[i]) != 0) {
			add_entry(gathering, links[i], 0, NULL, target);
			add_entry(gathering, target, 0755, NULL, NULL);
		}
	}
}

static mode_t entry_mode(const Entry *entry)
{
	if (entry->target)
		return S_IFLNK | 0777;
	return entry->mode | (entry->bytes ? S_IFREG : S_IFDIR);
}

/* A file of the host that the base has too, at the place where it goes, is the base's. */
static void record_bytes(VarveBootRecord *record, const Entry *entry, VarveBootPart *part)
{
	if (entry->origin == VARVE_BOOT_HOST) {
		varve_boot_record_part(record, VARVE_BOOT_TREE, entry->path, entry->bytes, part);
		if (part->origin == VARVE_BOOT_BASE)
			return;
	}
	varve_boot_record_part(record, entry->origin, entry->from ? entry->from : "", entry->bytes,
			       part);
}

/* The last to go in: it says what else there is. */
static void add_manifest(Gathering *gathering)
{
	VarveBootRecord *record = gathering->initrd->record;
	VarveBootManifest *manifest = record ? varve_boot_record_manifest(record) : NULL;
	g_autoptr(GBytes) bytes = NULL;
	GHashTableIter iter;
	gpointer value;
	char *text;

	if (!manifest)
		return;
	g_hash_table_iter_init(&iter, gathering->entries);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const Entry *entry = value;
		VarveBootFile *file = varve_boot_file_new(entry->path, entry_mode(entry));

		if (entry->target) {
			g_free(file->target);
			file->target = g_strdup(entry->target);
		}
		if (entry->bytes)
			record_bytes(record, entry, &file->part);
		g_ptr_array_add(manifest->files, file);
	}
	g_ptr_array_add(manifest->files, varve_boot_file_new("dev/console", S_IFCHR | 0600));
	text = varve_boot_manifest_write(manifest);
	bytes = g_bytes_new_take(text, strlen(text));
	add_entry(gathering, VARVE_BOOT_MANIFEST, 0644, bytes, NULL);
}

static gint by_path(gconstpointer a, gconstpointer b)
{
	const Entry *const *left = a, *const *right = b;

	return strcmp((*left)->path, (*right)->path);
}

static gboolean write_entry(VarveCpio *cpio, const Entry *entry, guint64 *total, GError **error)
{
	const void *data;
	gsize size;

	if (entry->target)
		return varve_cpio_add_link(cpio, entry->path, entry->target, error);
	if (!entry->bytes)
		return varve_cpio_add_directory(cpio, entry->path, entry->mode, error);
	data = g_bytes_get_data(entry->bytes, &size);
	*total += size;
	if (*total > VARVE_INITRD_LIMIT)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "initrd: more than %d MiB unpacked at '%s': something is in it "
				  "that does not belong there",
				  VARVE_INITRD_LIMIT / 1024 / 1024, entry->path);
	return varve_cpio_add_file(cpio, entry->path, entry->mode, data, size, error);
}

static GBytes *write_archive(Gathering *gathering, GError **error)
{
	varve_autofd fd = memfd_create("initrd", MFD_CLOEXEC);
	g_autoptr(GPtrArray) entries = g_ptr_array_new();
	g_autoptr(VarveCpio) cpio = NULL;
	g_autoptr(GMappedFile) map = NULL;
	GHashTableIter iter;
	gpointer entry;

	if (fd < 0) {
		varve_fail_errno(error, errno, "initrd: cannot make a file in memory");
		return NULL;
	}
	g_hash_table_iter_init(&iter, gathering->entries);
	while (g_hash_table_iter_next(&iter, NULL, &entry))
		g_ptr_array_add(entries, entry);
	g_ptr_array_sort(entries, by_path);
	cpio = varve_cpio_new(fd, VARVE_CPIO_ZSTD, ZSTD_LEVEL, gathering->initrd->epoch, error);
	if (!cpio)
		return NULL;
	for (guint i = 0; i < entries->len; i++) {
		if (!write_entry(cpio, g_ptr_array_index(entries, i), &gathering->summary->unpacked,
				 error))
			return NULL;
	}
	if (!varve_cpio_add_node(cpio, "dev/console", S_IFCHR | 0600, makedev(5, 1), error) ||
	    !varve_cpio_end(cpio, &gathering->summary->packed, error))
		return NULL;
	gathering->summary->n_files = entries->len;
	map = g_mapped_file_new_from_fd(fd, FALSE, error);
	return map ? g_mapped_file_get_bytes(map) : NULL;
}

char *varve_initrd_kernel_version(const char *root, GError **error)
{
	varve_autofd tree = varve_base_tree_open(root, error);
	g_auto(GStrv) names = NULL;
	g_autofree char *list = NULL;

	if (tree < 0 || !varve_base_tree_list(tree, "usr/lib/modules", &names, error)) {
		g_prefix_error(error, "no kernel in the tree: ");
		return NULL;
	}
	if (g_strv_length(names) == 1)
		return g_strdup(names[0]);
	list = g_strjoinv(", ", names);
	varve_fail(error, names[0] ? VARVE_ERROR_CONFLICT : VARVE_ERROR_NOT_FOUND,
		   "%s/usr/lib/modules: expected the modules of one kernel, found %s", root,
		   names[0] ? list : "none");
	return NULL;
}

void varve_initrd_summary_clear(VarveInitrdSummary *summary)
{
	g_clear_pointer(&summary->kernel_version, g_free);
}

GBytes *varve_initrd_build(const VarveInitrd *initrd, VarveInitrdSummary *ret_summary,
			   GError **error)
{
	varve_autofd tree = varve_base_tree_open(initrd->root, error);
	g_autoptr(VarveLibraries) libraries = NULL;
	VarveInitrdSummary summary = { 0 };
	Gathering gathering = { .tree = tree, .initrd = initrd, .summary = &summary };
	GBytes *archive = NULL;

	if (tree < 0)
		return NULL;
	summary.kernel_version = initrd->kernel_version
					 ? g_strdup(initrd->kernel_version)
					 : varve_initrd_kernel_version(initrd->root, error);
	if (!summary.kernel_version)
		return NULL;
	gathering.entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
	libraries = varve_libraries_new(tree, initrd->arch, error);
	gather_skeleton(&gathering);
	if (libraries && gather_programs(&gathering, libraries, error) &&
	    gather_libraries(&gathering, libraries, error) && gather_modules(&gathering, error) &&
	    gather_certificates(&gathering, error)) {
		gather_settings(&gathering);
		add_manifest(&gathering);
		archive = write_archive(&gathering, error);
	}
	g_hash_table_unref(gathering.entries);
	if (archive && ret_summary)
		*ret_summary = summary;
	else
		varve_initrd_summary_clear(&summary);
	return archive;
}
