/* Overlay files: one change a file, named by a component's `overlay-files` or found by the
 * project's, where a directory may make a component that nothing else declares. */
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

	if (paths->len == 0)
		return;
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

/* One pattern of a component's own overlay-files. */
static void expand_pattern(VarveResolver *resolver, GPtrArray *paths, const VarveItem *item,
			   guint i, const char *pattern)
{
	const VarveTomlSpan span = item->value->array.items[i]->span;
	g_autoptr(GPtrArray) found = varve_source_glob(item->source->directory, pattern);

	if (found->len == 0 && !varve_source_is_pattern(pattern))
		varve_loader_mistake(resolver->loader, item->source, span, "there is no file '%s'",
				     pattern);
	g_ptr_array_sort(found, compare_base_names);
	for (guint j = 0; j < found->len; j++) {
		if (!g_ptr_array_find_with_equal_func(paths, found->pdata[j], g_str_equal, NULL))
			g_ptr_array_add(paths, g_strdup(found->pdata[j]));
	}
}

static void expand_own(VarveResolver *resolver, VarveComponent *component, const VarveItem *item)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);

	for (guint32 i = 0; i < item->value->array.n; i++) {
		const char *pattern = varve_item_string(item, i);

		if (strstr(pattern, PLACEHOLDER))
			varve_loader_mistake(resolver->loader, item->source,
					     item->value->array.items[i]->span,
					     "'" PLACEHOLDER "' is for the project's "
					     "default-component-config");
		else
			expand_pattern(resolver, paths, item, i, pattern);
	}
	if (paths->len > 0)
		add_overlays(resolver, component, paths, item, item->value->span);
}

/* The project's overlay-files: "base/comps/{component}/overlays/…" */

static gboolean check_project_pattern(VarveLoader *loader, const VarveItem *item, guint i)
{
	const char *pattern = varve_item_string(item, i);
	const char *place = strstr(pattern, PLACEHOLDER);
	const char *wrong = NULL;
	g_autofree char *before = place ? g_strndup(pattern, (gsize)(place - pattern)) : NULL;
	gsize size = strlen(PLACEHOLDER);

	if (!place || strstr(place + 1, PLACEHOLDER))
		wrong = "must hold '" PLACEHOLDER "' exactly once";
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

/* What a pattern finds, by the directory that stands for the component. */
static GHashTable *find_by_name(const char *base, const char *inside, GPtrArray *found,
				GPtrArray *names)
{
	GHashTable *by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						    (GDestroyNotify)g_ptr_array_unref);
	g_autoptr(GPtrArray) here = varve_source_glob(base, inside);

	g_ptr_array_extend_and_steal(found, g_steal_pointer(&here));
	for (guint j = 0; j < found->len; j++) {
		const char *path = found->pdata[j], *rest = path + strlen(base);
		g_autofree char *name = NULL;
		GPtrArray *paths;

		while (*rest == '/')
			rest++;
		name = g_strndup(rest, strcspn(rest, "/"));
		paths = g_hash_table_lookup(by_name, name);
		if (!paths) {
			paths = g_ptr_array_new();
			g_ptr_array_add(names, name);
			g_hash_table_insert(by_name, g_steal_pointer(&name), paths);
		}
		g_ptr_array_add(paths, (gpointer)path);
	}
	return by_name;
}

static void expand_project_pattern(VarveResolver *resolver, const VarveItem *item, guint i,
				   GHashTable *claimed)
{
	const char *pattern = varve_item_string(item, i);
	const VarveTomlSpan span = item->value->array.items[i]->span;
	const char *place = strstr(pattern, PLACEHOLDER);
	const VarveTable *declared = varve_table_child(resolver->loader->top, "components");
	g_autofree char *before = g_strndup(pattern, (gsize)(place - pattern));
	g_autofree char *base = g_canonicalize_filename(before, item->source->directory);
	g_autofree char *inside = g_strconcat("*", place + strlen(PLACEHOLDER), NULL);
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autoptr(GHashTable) by_name = find_by_name(base, inside, found, names);

	for (guint j = 0; j < names->len; j++) {
		const char *name = names->pdata[j];
		const VarveTable *table = declared ? varve_table_child(declared, name) : NULL;
		GPtrArray *paths = g_hash_table_lookup(by_name, name);
		VarveComponent *component;

		if (strchr(name, ' '))
			continue;
		if (!g_hash_table_insert(claimed, g_strdup(name), NULL)) {
			varve_loader_mistake(resolver->loader, item->source, span,
					     "'%s' finds component '%s', which another pattern of "
					     "'overlay-files' finds too",
					     pattern, name);
			continue;
		}
		/* What a component says itself replaces this. */
		if (table && varve_table_item(table, "overlay-files"))
			continue;
		component = varve_resolver_find(resolver, name);
		if (!component)
			component = varve_resolver_add(resolver, name,
						       varve_source_origin(item->source, span));
		g_ptr_array_sort(paths, compare_base_names);
		add_overlays(resolver, component, paths, item, span);
	}
}

void varve_resolve_overlay_files(VarveResolver *resolver)
{
	const VarveTable *top = resolver->loader->top;
	const VarveTable *declared = varve_table_child(top, "components");
	const VarveTable *defaults = varve_table_child(top, "default-component-config");
	g_autoptr(GHashTable) claimed =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const VarveItem *item;

	for (guint i = 0; declared && i < declared->items->len; i++) {
		const VarveItem *entry = &g_array_index(declared->items, VarveItem, i);

		item = varve_table_item(entry->table, "overlay-files");
		if (item && item->field)
			expand_own(resolver, &resolver->declared[i], item);
	}
	item = defaults ? varve_table_item(defaults, "overlay-files") : NULL;
	for (guint32 i = 0; item && item->field && i < item->value->array.n; i++) {
		if (check_project_pattern(resolver->loader, item, i))
			expand_project_pattern(resolver, item, i, claimed);
	}
}
