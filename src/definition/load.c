/* Loading: the root file, what `includes` name, the merged tree, the model. */
#include "definition/schema.h"

#include "base/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define FILES_MAX 100000

static void mistake_free(gpointer data)
{
	VarveMistake *mistake = data;

	g_free(mistake->message);
	g_free(mistake);
}

static void table_free(gpointer data)
{
	VarveTable *table = data;

	for (guint i = 0; i < table->items->len; i++) {
		VarveItem *item = &g_array_index(table->items, VarveItem, i);

		g_clear_pointer(&item->tables, g_ptr_array_unref);
	}
	g_array_unref(table->items);
	g_clear_pointer(&table->index, g_hash_table_unref);
	g_clear_pointer(&table->meant, g_ptr_array_unref);
}

static void source_free(gpointer data)
{
	VarveSource *source = data;

	varve_toml_free(source->toml);
	g_array_unref(source->lost);
}

static void loader_free(VarveLoader *loader)
{
	/* Tables and sources lie in the memory that goes last. */
	g_clear_pointer(&loader->components, g_hash_table_unref);
	g_clear_pointer(&loader->packages, g_hash_table_unref);
	g_ptr_array_unref(loader->mistakes);
	g_ptr_array_unref(loader->tables);
	g_ptr_array_unref(loader->sources);
	g_ptr_array_unref(loader->memory);
	g_free(loader->prefix);
	g_free(loader->root);
	g_free(loader);
}

static VarveLoader *loader_new(VarveDefinition *definition)
{
	VarveLoader *loader = g_new0(VarveLoader, 1);

	loader->definition = definition;
	loader->sources = g_ptr_array_new_with_free_func(source_free);
	loader->mistakes = g_ptr_array_new_with_free_func(mistake_free);
	loader->tables = g_ptr_array_new_with_free_func(table_free);
	loader->memory = g_ptr_array_new_with_free_func(g_free);
	return loader;
}

void varve_definition_free(VarveDefinition *definition)
{
	if (!definition)
		return;
	loader_free((VarveLoader *)definition->store);
	g_free(definition);
}

/* Includes */

static VarveSource *find_read(VarveLoader *loader, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return NULL;
	for (guint i = 0; i < loader->sources->len; i++) {
		VarveSource *source = loader->sources->pdata[i];

		if (source->device == st.st_dev && source->inode == st.st_ino)
			return source;
	}
	return NULL;
}

/* Is @source one of those that are being read, @from or what included it? */
static gboolean is_open(const VarveSource *source, const VarveSource *from)
{
	for (; from; from = from->includer) {
		if (from == source)
			return TRUE;
	}
	return FALSE;
}

static char *include_chain(const VarveSource *first, const VarveSource *from)
{
	GString *chain = g_string_new(first->name);

	for (; from; from = from->includer) {
		g_string_prepend(chain, " → ");
		g_string_prepend(chain, from->name);
		if (from == first)
			break;
	}
	return g_string_free(chain, FALSE);
}

static void read_source(VarveLoader *loader, const char *path, const VarveSource *includer,
			VarveTomlSpan at);

static void include_file(VarveLoader *loader, const VarveSource *source, VarveTomlSpan span,
			 const char *path, gboolean by_name)
{
	const VarveSource *known = find_read(loader, path);
	g_autofree char *chain = NULL;

	if (!known) {
		if (loader->sources->len >= FILES_MAX)
			varve_loader_mistake(loader, source, span,
					     "more than %d files are included", FILES_MAX);
		else
			read_source(loader, path, source, span);
		return;
	}
	/* A file that two patterns name is read once; a pattern may name its own file. */
	if (!by_name || !is_open(known, source))
		return;
	chain = include_chain(known, source);
	varve_loader_mistake(loader, source, span, "the includes go round: %s", chain);
}

static void include_pattern(VarveLoader *loader, const VarveSource *source,
			    const VarveTomlValue *value)
{
	const char *pattern = value->string.text;
	gboolean by_name = !varve_source_is_pattern(pattern);
	g_autoptr(GPtrArray) found = NULL;
	g_autofree char *name = NULL;

	if (*pattern == '\0' || strlen(pattern) != value->string.size) {
		varve_loader_mistake(loader, source, value->span, "this is not the name of a file");
		return;
	}
	found = varve_source_glob(source->directory, pattern);
	if (by_name && found->len == 0) {
		name = g_canonicalize_filename(pattern, source->directory);
		varve_loader_mistake(loader, source, value->span,
				     "there is no file '%s'; what should be included if it is "
				     "there is written as a pattern",
				     varve_loader_display(loader, name));
		loader->incomplete = TRUE;
	}
	for (guint i = 0; i < found->len; i++)
		include_file(loader, source, value->span, found->pdata[i], by_name);
}

/* A file comes before what it includes, so that what it includes is "later". */
static void read_source(VarveLoader *loader, const char *path, const VarveSource *includer,
			VarveTomlSpan at)
{
	VarveSource *source = varve_source_read(loader, path, includer, at);
	const VarveTomlValue *includes;

	if (!source)
		return;
	includes = varve_toml_get(varve_toml_root(source->toml), "includes");
	if (!includes || includes->type != VARVE_TOML_ARRAY)
		return; /* another type is reported by the merge */
	for (guint32 i = 0; i < includes->array.n; i++) {
		if (includes->array.items[i]->type == VARVE_TOML_STRING)
			include_pattern(loader, source, includes->array.items[i]);
	}
}

/* The root */

static char *find_root_file(const char *path, GError **error)
{
	static const char *const names[] = { "varve.toml", "azldev.toml" };
	struct stat st;

	if (stat(path, &st) < 0) {
		varve_fail_errno(error, errno, "%s: no definition here", path);
		return NULL;
	}
	if (!S_ISDIR(st.st_mode))
		return g_strdup(path);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *file = g_build_filename(path, names[i], NULL);

		if (g_file_test(file, G_FILE_TEST_EXISTS))
			return g_steal_pointer(&file);
	}
	varve_fail(error, VARVE_ERROR_NOT_FOUND,
		   "%s: no definition here: neither varve.toml nor azldev.toml; name its directory "
		   "with -C",
		   path);
	return NULL;
}

static void set_project_defaults(VarveLoader *loader)
{
	VarveProject *project = &loader->definition->project;
	const char *root = loader->root;

	if (!project->description)
		project->description = "";
	if (!project->output_dir)
		project->output_dir =
			varve_loader_keep(loader, g_build_filename(root, "out", NULL));
	if (!project->work_dir)
		project->work_dir =
			varve_loader_keep(loader, g_build_filename(root, "build", "work", NULL));
	if (!project->log_dir)
		project->log_dir =
			varve_loader_keep(loader, g_build_filename(root, "build", "logs", NULL));
}

static void list_files(VarveLoader *loader)
{
	VarveDefinition *definition = loader->definition;
	const char **files =
		varve_loader_alloc(loader, (loader->sources->len + 1) * sizeof(*files));

	for (guint i = 0; i < loader->sources->len; i++)
		files[i] = ((VarveSource *)loader->sources->pdata[i])->path;
	definition->files = files;
	definition->n_files = loader->sources->len;
	definition->directory = loader->root;
}

static void load(VarveLoader *loader, const char *root_file)
{
	VarveDraft *draft = varve_loader_alloc(loader, sizeof(*draft));
	VarveTomlSpan nowhere = { 0 };
	guint n;

	read_source(loader, root_file, NULL, nowhere);
	loader->top = varve_table_new(loader, &varve_schema_root, NULL, loader->sources->pdata[0],
				      nowhere);
	/* The tables may read further files (overlay-files); those are not merged into the tree. */
	n = loader->sources->len;
	for (guint i = 0; i < n; i++) {
		VarveSource *source = loader->sources->pdata[i];

		varve_table_merge(loader, loader->top, source, varve_toml_root(source->toml));
	}
	varve_table_read(loader, loader->top, draft);
	varve_draft_resolve(loader, draft);
	varve_components_resolve(loader, draft);
	set_project_defaults(loader);
	list_files(loader);
}

VarveDefinition *varve_definition_load(const char *path, GError **error)
{
	return varve_definition_load_listing(path, NULL, error);
}

VarveDefinition *varve_definition_load_listing(const char *path, GPtrArray *mistakes,
					       GError **error)
{
	g_autofree char *root_file = find_root_file(path, error);
	g_autofree char *directory = NULL, *absolute = NULL, *report = NULL;
	g_autoptr(VarveDefinition) definition = NULL;
	VarveLoader *loader;

	if (!root_file)
		return NULL;
	definition = g_new0(VarveDefinition, 1);
	loader = loader_new(definition);
	definition->store = (struct VarveDefinitionStore *)loader;
	directory = g_path_get_dirname(root_file);
	loader->root = g_canonicalize_filename(directory, NULL);
	loader->prefix =
		strcmp(directory, ".") == 0 ? g_strdup("") : g_strconcat(directory, "/", NULL);
	absolute = g_canonicalize_filename(root_file, NULL);
	load(loader, absolute);
	report = varve_loader_report(loader, mistakes);
	if (!report)
		return g_steal_pointer(&definition);
	varve_fail(error, VARVE_ERROR_DEFINITION, "%s", report);
	return NULL;
}
