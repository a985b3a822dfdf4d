/* Kernel modules: dependencies from depmod's text files (modules.dep(5)), unpacking by libarchive.
 */
#include "image/module-index.h"

#include "base/error.h"
#include "image/base-tree.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#define INDEX_LIMIT (16 * 1024 * 1024)
#define MODULE_LIMIT (64 * 1024 * 1024)

typedef enum {
	MODULE_NEW,
	MODULE_ENTERED,
	MODULE_DONE,
} ModuleState;

typedef struct {
	char *path;            /* relative to the version's directory */
	char **needs;          /* paths, each after those that it needs itself */
	GPtrArray *pre, *post; /* names of soft dependencies */
	ModuleState state;
} Module;

struct VarveModuleIndex {
	char *directory; /* usr/lib/modules/VERSION */
	char *version;
	GHashTable *modules;  /* name → Module */
	GHashTable *built_in; /* set of names */
	GHashTable *aliases;  /* alias → GPtrArray of names; only those without a wildcard */
	GPtrArray *order;
};

static void module_free(gpointer data)
{
	Module *module = data;

	g_free(module->path);
	g_strfreev(module->needs);
	g_clear_pointer(&module->pre, g_ptr_array_unref);
	g_clear_pointer(&module->post, g_ptr_array_unref);
	g_free(module);
}

/* "kernel/drivers/md/dm-verity.ko.xz" and "dm-verity" are both the module dm_verity. */
static char *module_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	const char *dot = strstr(base, ".ko");
	char *name = dot ? g_strndup(base, (gsize)(dot - base)) : g_strdup(base);

	return g_strdelimit(name, "-", '_');
}

static gboolean read_lines(VarveModuleIndex *modules, int tree, const char *file, gboolean optional,
			   char ***ret, GError **error)
{
	g_autofree char *path = g_build_filename(modules->directory, file, NULL);
	g_autofree char *text = NULL;

	if (optional && !varve_base_tree_has(tree, path)) {
		*ret = g_new0(char *, 1);
		return TRUE;
	}
	if (!varve_base_tree_read(tree, path, INDEX_LIMIT, &text, NULL, error)) {
		g_prefix_error(error,
			       "kernel modules of '%s' (was depmod run?): ", modules->version);
		return FALSE;
	}
	*ret = g_strsplit(text, "\n", -1);
	return TRUE;
}

static gboolean read_dependencies(VarveModuleIndex *modules, int tree, GError **error)
{
	g_auto(GStrv) lines = NULL;

	if (!read_lines(modules, tree, "modules.dep", FALSE, &lines, error))
		return FALSE;
	for (char **line = lines; *line; line++) {
		char *colon = strchr(*line, ':');
		Module *module;

		if (**line == '\0')
			continue;
		if (!colon)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s/modules.dep:%zu: expected 'MODULE: …', found '%s'",
					  modules->directory, (size_t)(line - lines) + 1, *line);
		*colon = '\0';
		module = g_new0(Module, 1);
		module->path = g_strdup(*line);
		module->needs = g_strsplit(g_strstrip(colon + 1), " ", -1);
		module->pre = g_ptr_array_new_with_free_func(g_free);
		module->post = g_ptr_array_new_with_free_func(g_free);
		g_hash_table_replace(modules->modules, module_name(*line), module);
	}
	return TRUE;
}

static gboolean read_built_in(VarveModuleIndex *modules, int tree, GError **error)
{
	g_auto(GStrv) lines = NULL;

	if (!read_lines(modules, tree, "modules.builtin", TRUE, &lines, error))
		return FALSE;
	for (char **line = lines; *line; line++) {
		if (**line)
			g_hash_table_add(modules->built_in, module_name(*line));
	}
	return TRUE;
}

/* "softdep NAME pre: A B post: C". */
static gboolean read_soft_dependencies(VarveModuleIndex *modules, int tree, GError **error)
{
	g_auto(GStrv) lines = NULL;

	if (!read_lines(modules, tree, "modules.softdep", TRUE, &lines, error))
		return FALSE;
	for (char **line = lines; *line; line++) {
		g_auto(GStrv) words = g_strsplit(*line, " ", -1);
		g_autofree char *name = NULL;
		GPtrArray *list = NULL;
		Module *module;

		if (g_strv_length(words) < 3 || strcmp(words[0], "softdep") != 0)
			continue;
		name = module_name(words[1]);
		module = g_hash_table_lookup(modules->modules, name);
		for (char **word = words + 2; module && *word; word++) {
			if (strcmp(*word, "pre:") == 0)
				list = module->pre;
			else if (strcmp(*word, "post:") == 0)
				list = module->post;
			else if (list && **word)
				g_ptr_array_add(list, g_strdup(*word));
		}
	}
	return TRUE;
}

/* "alias PATTERN NAME". Patterns match devices, which is not what is asked here. */
static gboolean read_aliases(VarveModuleIndex *modules, int tree, GError **error)
{
	g_auto(GStrv) lines = NULL;

	if (!read_lines(modules, tree, "modules.alias", TRUE, &lines, error))
		return FALSE;
	for (char **line = lines; *line; line++) {
		g_auto(GStrv) words = g_strsplit(*line, " ", 3);
		char *alias;
		GPtrArray *names;

		if (g_strv_length(words) != 3 || strcmp(words[0], "alias") != 0 ||
		    strpbrk(words[1], "*?["))
			continue;
		alias = module_name(words[1]);
		names = g_hash_table_lookup(modules->aliases, alias);
		if (!names) {
			names = g_ptr_array_new_with_free_func(g_free);
			g_hash_table_insert(modules->aliases, g_strdup(alias), names);
		}
		g_ptr_array_add(names, module_name(words[2]));
		g_free(alias);
	}
	return TRUE;
}

VarveModuleIndex *varve_module_index_open(int tree, const char *version, GError **error)
{
	g_autoptr(VarveModuleIndex) modules = g_new0(VarveModuleIndex, 1);

	modules->version = g_strdup(version);
	modules->directory = g_build_filename("usr/lib/modules", version, NULL);
	modules->modules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, module_free);
	modules->built_in = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	modules->aliases = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						 (GDestroyNotify)g_ptr_array_unref);
	modules->order = g_ptr_array_new_with_free_func(g_free);
	if (!read_dependencies(modules, tree, error) || !read_built_in(modules, tree, error) ||
	    !read_soft_dependencies(modules, tree, error) || !read_aliases(modules, tree, error))
		return NULL;
	return g_steal_pointer(&modules);
}

void varve_module_index_free(VarveModuleIndex *modules)
{
	if (!modules)
		return;
	g_free(modules->version);
	g_free(modules->directory);
	g_hash_table_unref(modules->modules);
	g_hash_table_unref(modules->built_in);
	g_hash_table_unref(modules->aliases);
	g_ptr_array_unref(modules->order);
	g_free(modules);
}

static gboolean visit(VarveModuleIndex *modules, Module *module, GError **error);

/* Soft dependencies are wishes: one that the kernel does not have is no error, and neither is one
 * that leads back to where it came from. */
static gboolean visit_soft(VarveModuleIndex *modules, const GPtrArray *names, GError **error)
{
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *name = module_name(g_ptr_array_index(names, i));
		Module *module = g_hash_table_lookup(modules->modules, name);
		const GPtrArray *aliased = g_hash_table_lookup(modules->aliases, name);

		if (module) {
			if (module->state == MODULE_NEW && !visit(modules, module, error))
				return FALSE;
			continue;
		}
		for (guint j = 0; aliased && j < aliased->len; j++) {
			module = g_hash_table_lookup(modules->modules,
						     g_ptr_array_index(aliased, j));
			if (module && module->state == MODULE_NEW && !visit(modules, module, error))
				return FALSE;
		}
	}
	return TRUE;
}

static gboolean visit(VarveModuleIndex *modules, Module *module, GError **error)
{
	if (module->state == MODULE_DONE)
		return TRUE;
	if (module->state == MODULE_ENTERED)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s/modules.dep: '%s' depends on itself; run depmod again",
				  modules->directory, module->path);
	module->state = MODULE_ENTERED;
	if (!visit_soft(modules, module->pre, error))
		return FALSE;
	for (gsize i = g_strv_length(module->needs); i > 0; i--) {
		g_autofree char *name = module_name(module->needs[i - 1]);
		Module *needed = g_hash_table_lookup(modules->modules, name);

		if (*name == '\0')
			continue;
		if (!needed)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s/modules.dep: '%s' needs '%s', which is not listed; "
					  "run depmod again",
					  modules->directory, module->path, module->needs[i - 1]);
		if (!visit(modules, needed, error))
			return FALSE;
	}
	module->state = MODULE_DONE;
	g_ptr_array_add(modules->order, g_build_filename(modules->directory, module->path, NULL));
	return visit_soft(modules, module->post, error);
}

gboolean varve_module_index_require(VarveModuleIndex *modules, const char *wanted, GError **error)
{
	g_autofree char *name = module_name(wanted);
	Module *module = g_hash_table_lookup(modules->modules, name);
	const GPtrArray *aliased = g_hash_table_lookup(modules->aliases, name);
	gboolean found = FALSE;

	if (module)
		return visit(modules, module, error);
	for (guint i = 0; aliased && i < aliased->len; i++) {
		const char *target = g_ptr_array_index(aliased, i);

		module = g_hash_table_lookup(modules->modules, target);
		if (module && !visit(modules, module, error))
			return FALSE;
		found |= module || g_hash_table_contains(modules->built_in, target);
	}
	if (!found && !g_hash_table_contains(modules->built_in, name))
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "kernel %s has no module '%s', neither in %s nor built in",
				  modules->version, wanted, modules->directory);
	return TRUE;
}

const GPtrArray *varve_module_index_order(const VarveModuleIndex *modules)
{
	return modules->order;
}

static GBytes *unpack(const char *path, const char *data, size_t size, GError **error)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	char block[65536];
	la_ssize_t n = -1;

	archive_read_support_filter_xz(archive);
	archive_read_support_filter_zstd(archive);
	archive_read_support_filter_gzip(archive);
	archive_read_support_format_raw(archive);
	if (archive_read_open_memory(archive, data, size) == ARCHIVE_OK &&
	    archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
		while ((n = archive_read_data(archive, block, sizeof(block))) > 0 &&
		       bytes->len <= MODULE_LIMIT)
			g_byte_array_append(bytes, (const guint8 *)block, (guint)n);
	}
	if (n != 0)
		varve_fail(error, VARVE_ERROR_CORRUPT, "kernel module '%s': cannot unpack: %s",
			   path,
			   n > 0                           ? "larger than 64 MiB"
			   : archive_error_string(archive) ? archive_error_string(archive)
							   : "unknown compression");
	archive_read_free(archive);
	return n == 0 ? g_byte_array_free_to_bytes(g_steal_pointer(&bytes)) : NULL;
}

GBytes *varve_module_read(int tree, const char *path, char **ret_path, GError **error)
{
	const char *suffix = strstr(path, ".ko.");
	g_autoptr(GBytes) bytes = NULL;
	char *data;
	size_t size;
	gsize length;
	const char *start;

	if (!varve_base_tree_read(tree, path, MODULE_LIMIT, &data, &size, error))
		return NULL;
	bytes = g_bytes_new_take(data, size);
	if (suffix) {
		g_autoptr(GBytes) packed = g_steal_pointer(&bytes);

		bytes = unpack(path, data, size, error);
		if (!bytes)
			return NULL;
	}
	start = g_bytes_get_data(bytes, &length);
	if (length < 4 || memcmp(start, "\177ELF", 4) != 0) {
		varve_fail(error, VARVE_ERROR_CORRUPT, "kernel module '%s': not an ELF file", path);
		return NULL;
	}
	*ret_path = suffix ? g_strndup(path, (gsize)(suffix - path) + 3) : g_strdup(path);
	return g_steal_pointer(&bytes);
}
