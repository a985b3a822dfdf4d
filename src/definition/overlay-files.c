/* Overlay files: one change a file, named by the `overlay-files` that apply to a component; a
 * directory that the project's find may make a component that nothing else declares. */
#include "definition/checks.h"
#include "definition/resolver.h"

#include <string.h>

#define PLACEHOLDER "{component}"

/* Overlay files: [metadata] and [[overlays]], one change a file. */

typedef struct {
	VarveOrigin origin;
	VarveOverlayMetadata metadata;
	VarveSpecOverlay *overlays;
	gsize n_overlays;
} OverlayFile;

static void check_overlay_file(VarveLoader *loader, const VarveTable *table, void *data)
{
	const VarveItem *overlays = varve_table_item(table, "overlays");
	OverlayFile *file = data;

	for (guint i = 0; overlays && overlays->field && i < overlays->tables->len; i++) {
		const VarveItem *metadata =
			varve_table_item(overlays->tables->pdata[i], "metadata");

		if (metadata)
			varve_key_mistake(loader, metadata,
					  "an overlay of an overlay file has no 'metadata' of its "
					  "own: the file's [metadata] says it for all");
	}
	for (gsize i = 0; i < file->n_overlays; i++)
		file->overlays[i].metadata = file->metadata;
}

static const VarveField overlay_file_fields[] = {
	{ "metadata", VARVE_FIELD_TABLE, VARVE_FIELD_REQUIRED,
	  .offset = offsetof(OverlayFile, metadata), .schema = &varve_schema_metadata },
	{ "overlays", VARVE_FIELD_TABLES, VARVE_FIELD_REQUIRED | VARVE_FIELD_NOT_EMPTY,
	  .offset = offsetof(OverlayFile, overlays), .count = offsetof(OverlayFile, n_overlays),
	  .schema = &varve_schema_overlay },
	{ NULL },
};

static const VarveSchema overlay_file_schema = {
	.what = "overlay file",
	.fields = overlay_file_fields,
	.size = sizeof(OverlayFile),
	.check = check_overlay_file,
};

static const OverlayFile *read_overlay_file(VarveResolver *resolver, const char *path,
					    const VarveItem *asked, VarveTomlSpan span)
{
	OverlayFile *file = g_hash_table_lookup(resolver->files, path);
	VarveTomlSpan start = { 0 };
	VarveSource *source;
	VarveTable *table;

	if (file)
		return file;
	file = varve_loader_alloc(resolver->loader, sizeof(*file));
	g_hash_table_insert(resolver->files, g_strdup(path), file);
	source = varve_source_read(resolver->loader, path, asked->source, span);
	if (!source)
		return file;
	table = varve_table_new(resolver->loader, &overlay_file_schema, NULL, source, start);
	varve_table_merge(resolver->loader, table, source, varve_toml_root(source->toml));
	varve_table_read(resolver->loader, table, file);
	return file;
}

/* Appends the overlays of the files in @paths to @component's. */
static void add_overlays(VarveResolver *resolver, VarveComponent *component, const GPtrArray *paths,
			 const VarveItem *asked, VarveTomlSpan span)
{
	g_autoptr(GArray) all = g_array_new(FALSE, TRUE, sizeof(VarveSpecOverlay));
	VarveSpecOverlay *overlays;

	if (component->n_overlays > 0)
		g_array_append_vals(all, component->overlays, (guint)component->n_overlays);
	for (guint i = 0; i < paths->len; i++) {
		const OverlayFile *file = read_overlay_file(resolver, paths->pdata[i], asked, span);

		if (file->n_overlays > 0)
			g_array_append_vals(all, file->overlays, (guint)file->n_overlays);
	}
	overlays = varve_loader_alloc(resolver->loader, all->len * sizeof(*overlays));
	if (all->len > 0)
		memcpy(overlays, all->data, all->len * sizeof(*overlays));
	component->overlays = overlays;
	component->n_overlays = all->len;
}

static int compare_base_names(gconstpointer a, gconstpointer b)
{
	const char *left = *(const char *const *)a, *right = *(const char *const *)b;
	int order = strcmp(strrchr(left, '/'), strrchr(right, '/'));

	return order != 0 ? order : strcmp(left, right);
}

/* Discovery, by the project's "base/comps/{component}/overlays/…" */

/* The files that stand for one component; @entry is the pattern that found them. */
typedef struct {
	guint32 entry;
	char *directory;
	GPtrArray *paths;
} Found;

static void found_free(gpointer data)
{
	Found *found = data;

	g_free(found->directory);
	g_ptr_array_unref(found->paths);
	g_free(found);
}

static const VarveItem *overlay_files_of(const VarveTable *table)
{
	const VarveItem *item = table ? varve_table_item(table, "overlay-files") : NULL;

	return item && item->field ? item : NULL;
}

static gboolean has_placeholder(const VarveItem *item, guint32 i)
{
	return strstr(varve_item_string(item, i), PLACEHOLDER) != NULL;
}

static gboolean check_project_pattern(VarveLoader *loader, const VarveItem *item, guint32 i)
{
	const char *pattern = varve_item_string(item, i);
	const char *place = strstr(pattern, PLACEHOLDER);
	const char *wrong = NULL;
	g_autofree char *before = g_strndup(pattern, (gsize)(place - pattern));
	gsize size = strlen(PLACEHOLDER);

	if (strstr(place + 1, PLACEHOLDER))
		wrong = "must hold '" PLACEHOLDER "' once";
	else if ((place != pattern && place[-1] != '/') || place[size] != '/' || !place[size + 1])
		wrong = "must have '" PLACEHOLDER "' as a directory";
	else if (varve_source_is_pattern(before))
		wrong = "must not be a pattern before '" PLACEHOLDER "'";
	else if (strchr(pattern, '\\'))
		wrong = "must not hold backslashes";
	if (wrong)
		varve_loader_mistake(loader, item->source, item->value->array.items[i]->span,
				     "'%s' %s", pattern, wrong);
	return !wrong;
}

static void claim(VarveResolver *resolver, const VarveItem *item, guint32 i, const char *name,
		  const char *directory, const char *path)
{
	const VarveTomlSpan span = item->value->array.items[i]->span;
	Found *found = g_hash_table_lookup(resolver->overlay_files, name);

	if (!found) {
		found = g_new0(Found, 1);
		found->entry = i;
		found->directory = g_build_filename(directory, name, NULL);
		found->paths = g_ptr_array_new_with_free_func(g_free);
		g_hash_table_insert(resolver->overlay_files, g_strdup(name), found);
		if (!varve_resolver_find(resolver, name))
			varve_resolver_add(resolver, name, varve_source_origin(item->source, span));
	}
	if (found->entry == i)
		g_ptr_array_add(found->paths, g_strdup(path));
	else if (!g_hash_table_contains(resolver->contested, found))
		varve_loader_mistake(resolver->loader, item->source, span,
				     "'%s' finds component '%s', which another pattern of "
				     "'overlay-files' finds too",
				     varve_item_string(item, i), name);
	if (found->entry != i)
		g_hash_table_add(resolver->contested, found);
}

static void expand_project_pattern(VarveResolver *resolver, const VarveItem *item, guint32 i)
{
	const char *pattern = varve_item_string(item, i);
	const char *place = strstr(pattern, PLACEHOLDER);
	g_autofree char *before = g_strndup(pattern, (gsize)(place - pattern));
	g_autofree char *base = g_canonicalize_filename(before, item->source->directory);
	g_autofree char *inside = g_strconcat("*", place + strlen(PLACEHOLDER), NULL);
	g_autoptr(GPtrArray) found = varve_source_glob(base, inside);

	for (guint j = 0; j < found->len; j++) {
		const char *path = found->pdata[j], *rest = path + strlen(base);
		g_autofree char *name = NULL;

		rest += strspn(rest, "/");
		name = g_strndup(rest, strcspn(rest, "/"));
		if (!varve_check_plain_name(name))
			claim(resolver, item, i, name, base, path);
	}
}

void varve_resolve_overlay_files(VarveResolver *resolver)
{
	const VarveTable *top = resolver->loader->top;
	const VarveItem *item =
		overlay_files_of(varve_table_child(top, "default-component-config"));

	resolver->overlay_files =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, found_free);
	resolver->contested = g_hash_table_new(NULL, NULL);
	for (guint32 i = 0; item && i < item->value->array.n; i++) {
		if (has_placeholder(item, i) && check_project_pattern(resolver->loader, item, i))
			expand_project_pattern(resolver, item, i);
	}
}

/* What applies to a component: its own list, else that of its last group, the project, the
 * distribution's version. A list replaces those before it. */

void varve_check_overlay_files(VarveLoader *loader, const VarveTable *table)
{
	const VarveItem *item = overlay_files_of(table);

	for (guint32 i = 0; item && i < item->value->array.n; i++) {
		if (has_placeholder(item, i))
			varve_loader_mistake(loader, item->source,
					     item->value->array.items[i]->span,
					     "'" PLACEHOLDER "' is for the project's "
					     "default-component-config");
	}
}

static const VarveItem *list_of(const struct VarveComponents *model,
				const VarveDistroVersion *version, const VarveComponent *component)
{
	const VarveItem *item = overlay_files_of(component->table);

	for (gsize i = component->n_groups; !item && i > 0; i--)
		item = overlay_files_of(component->groups[i - 1]->defaults.table);
	if (!item)
		item = overlay_files_of(model->defaults.table);
	if (!item && version)
		item = overlay_files_of(version->defaults.table);
	return item;
}

/* (borrowed or caller frees by @own) where the patterns of @item start from. */
static const char *directory_of(const VarveResolver *resolver, const VarveComponent *component,
				const VarveItem *item, char **own)
{
	const Found *found = g_hash_table_lookup(resolver->overlay_files, component->name);

	if (overlay_files_of(component->table) == item)
		return item->source->directory;
	if (component->table)
		return component->table->source->directory;
	if (component->found_spec)
		return *own = g_path_get_dirname(component->found_spec);
	return found ? found->directory : item->source->directory;
}

static void add_paths(GPtrArray *paths, GPtrArray *more)
{
	g_ptr_array_sort(more, compare_base_names);
	for (guint i = 0; i < more->len; i++) {
		if (!g_ptr_array_find_with_equal_func(paths, more->pdata[i], g_str_equal, NULL))
			g_ptr_array_add(paths, g_strdup(more->pdata[i]));
	}
}

static void expand_entry(VarveResolver *resolver, const VarveComponent *component,
			 const VarveItem *item, guint32 i, GPtrArray *paths)
{
	const char *pattern = varve_item_string(item, i), *directory;
	Found *found = g_hash_table_lookup(resolver->overlay_files, component->name);
	g_autoptr(GPtrArray) here = NULL;
	g_autofree char *own = NULL, *path = NULL;

	if (has_placeholder(item, i)) {
		if (found && found->entry == i)
			add_paths(paths, found->paths);
		return;
	}
	if (*pattern == '\0' || varve_check_pattern(pattern))
		return; /* that was said */
	directory = directory_of(resolver, component, item, &own);
	here = varve_source_glob(directory, pattern);
	add_paths(paths, here);
	if (here->len > 0 || varve_source_is_pattern(pattern))
		return;
	path = g_canonicalize_filename(pattern, directory);
	varve_loader_mistake(resolver->loader, item->source, item->value->array.items[i]->span,
			     "component '%s': there is no file '%s'", component->name,
			     varve_loader_display(resolver->loader, path));
}

void varve_resolve_overlays(VarveResolver *resolver, const struct VarveComponents *model,
			    VarveComponent *components)
{
	const VarveDistroReference *reference = &model->default_distro;
	const VarveDistro *distro = reference->origin.line && reference->name
					    ? varve_distro_find(model, reference->name, NULL)
					    : NULL;
	const VarveDistroVersion *version =
		distro ? varve_distro_version(distro, reference->version, NULL) : NULL;

	for (gsize i = 0; i < model->n_components; i++) {
		const VarveItem *item = list_of(model, version, &components[i]);
		g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);

		for (guint32 j = 0; item && j < item->value->array.n; j++)
			expand_entry(resolver, &components[i], item, j, paths);
		if (paths->len > 0)
			add_overlays(resolver, &components[i], paths, item, item->value->span);
	}
}
