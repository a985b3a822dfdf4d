/* azldev's part of the model after reading: overlay files, components that only such files make,
 * references among its tables, questions. */
#include "definition/components.h"
#include "definition/checks.h"
#include "definition/schema.h"

#include "base/text.h"

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

typedef struct {
	VarveLoader *loader;
	GArray *components; /* VarveComponent */
	GHashTable *files;  /* char *path → OverlayFile *: each is read once */
} Resolver;

static const OverlayFile *read_overlay_file(Resolver *resolver, const char *path,
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
static void add_overlays(Resolver *resolver, VarveComponent *component, const GPtrArray *paths,
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
static void expand_pattern(Resolver *resolver, GPtrArray *paths, const VarveItem *item, guint i,
			   const char *pattern)
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

static void expand_own(Resolver *resolver, VarveComponent *component, const VarveItem *item)
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

static VarveComponent *find_component(Resolver *resolver, const char *name)
{
	for (guint i = 0; i < resolver->components->len; i++) {
		VarveComponent *component = &g_array_index(resolver->components, VarveComponent, i);

		if (strcmp(component->name, name) == 0)
			return component;
	}
	return NULL;
}

static VarveComponent *implicit_component(Resolver *resolver, const char *name,
					  const VarveItem *item, guint i)
{
	static const char *const no_strings[] = { NULL };
	VarveComponent component = {
		.origin = varve_source_origin(item->source, item->value->array.items[i]->span),
		.name = varve_loader_keep(resolver->loader, g_strdup(name)),
		.overlay_files = no_strings,
		.build = { .with = no_strings, .without = no_strings, .undefines = no_strings },
	};

	g_array_append_val(resolver->components, component);
	return &g_array_index(resolver->components, VarveComponent, resolver->components->len - 1);
}

static void expand_project_pattern(Resolver *resolver, const VarveItem *item, guint i)
{
	const char *pattern = varve_item_string(item, i);
	const char *place = strstr(pattern, PLACEHOLDER);
	const VarveTable *declared = varve_table_child(resolver->loader->top, "components");
	g_autofree char *before = g_strndup(pattern, (gsize)(place - pattern));
	g_autofree char *base = g_canonicalize_filename(before, item->source->directory);
	g_autofree char *inside = g_strconcat("*", place + strlen(PLACEHOLDER), NULL);
	g_autoptr(GPtrArray) found = varve_source_glob(base, inside);
	g_autoptr(GHashTable) by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
							      (GDestroyNotify)g_ptr_array_unref);
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (guint j = 0; j < found->len; j++) {
		const char *path = found->pdata[j], *rest = path + strlen(base) + 1;
		char *name = g_strndup(rest, strcspn(rest, "/"));
		GPtrArray *paths = g_hash_table_lookup(by_name, name);

		if (!paths) {
			paths = g_ptr_array_new();
			g_hash_table_insert(by_name, name, paths);
			g_ptr_array_add(names, name);
		} else {
			g_free(name);
		}
		g_ptr_array_add(paths, (gpointer)path);
	}
	for (guint j = 0; j < names->len; j++) {
		const VarveTable *table =
			declared ? varve_table_child(declared, names->pdata[j]) : NULL;
		VarveComponent *component;

		/* What a component says itself replaces this. */
		if (strchr(names->pdata[j], ' ') ||
		    (table && varve_table_item(table, "overlay-files")))
			continue;
		component = find_component(resolver, names->pdata[j]);
		if (!component)
			component = implicit_component(resolver, names->pdata[j], item, i);
		add_overlays(resolver, component, g_hash_table_lookup(by_name, names->pdata[j]),
			     item, item->value->array.items[i]->span);
	}
}

static void resolve_overlay_files(Resolver *resolver)
{
	const VarveTable *top = resolver->loader->top;
	const VarveTable *declared = varve_table_child(top, "components");
	const VarveTable *defaults = varve_table_child(top, "default-component-config");
	const VarveItem *item;

	for (guint i = 0; declared && i < declared->items->len; i++) {
		const VarveItem *entry = &g_array_index(declared->items, VarveItem, i);

		item = varve_table_item(entry->table, "overlay-files");
		if (item && item->field)
			expand_own(resolver,
				   &g_array_index(resolver->components, VarveComponent, i), item);
	}
	item = defaults ? varve_table_item(defaults, "overlay-files") : NULL;
	for (guint32 i = 0; item && item->field && i < item->value->array.n; i++) {
		if (check_project_pattern(resolver->loader, item, i))
			expand_project_pattern(resolver, item, i);
	}
}

/* References */

static void check_distro_reference(VarveLoader *loader, const VarveTable *table)
{
	const VarveItem *name = table ? varve_table_item(table, "name") : NULL;
	const VarveItem *version = table ? varve_table_item(table, "version") : NULL;
	const VarveTable *distros, *distro, *versions;

	/* A definition of components alone is filled in by who uses it. */
	if (!name || !name->field || !varve_table_item(loader->top, "distros"))
		return;
	if (varve_loader_look_up(loader, "distros", "distribution", name->source, name->value->span,
				 name->value->string.text) < 0)
		return;
	distros = varve_table_child(loader->top, "distros");
	distro = varve_table_child(distros, name->value->string.text);
	versions = varve_table_child(distro, "versions");
	if (version && version->field && !varve_loader_partial(loader) &&
	    (!versions || !varve_table_item(versions, version->value->string.text)))
		varve_item_mistake(loader, version, "distribution '%s' has no version '%s'",
				   name->value->string.text, version->value->string.text);
}

static void check_upstream_distro(VarveLoader *loader, const VarveTable *component)
{
	const VarveTable *spec = varve_table_child(component, "spec");

	check_distro_reference(loader, varve_table_child(spec, "upstream-distro"));
}

static void no_overlay_files(VarveLoader *loader, const VarveTable *defaults)
{
	const VarveItem *item = defaults ? varve_table_item(defaults, "overlay-files") : NULL;

	if (item)
		varve_key_mistake(loader, item,
				  "'overlay-files' is for a component and for the project's "
				  "default-component-config");
}

static void check_distros(VarveLoader *loader)
{
	const VarveTable *distros = varve_table_child(loader->top, "distros");

	for (guint i = 0; distros && i < distros->items->len; i++) {
		const VarveTable *distro = g_array_index(distros->items, VarveItem, i).table;
		const VarveTable *versions = varve_table_child(distro, "versions");
		const VarveItem *default_version = varve_table_item(distro, "default-version");

		if (default_version && default_version->field && !varve_loader_partial(loader) &&
		    (!versions || !varve_table_item(versions, default_version->value->string.text)))
			varve_item_mistake(loader, default_version,
					   "distribution '%s' has no version '%s'", distro->name,
					   default_version->value->string.text);
		for (guint j = 0; versions && j < versions->items->len; j++) {
			const VarveTable *version =
				g_array_index(versions->items, VarveItem, j).table;
			const VarveTable *defaults =
				varve_table_child(version, "default-component-config");

			check_upstream_distro(loader, defaults);
			no_overlay_files(loader, defaults);
		}
	}
}

static void check_components(VarveLoader *loader)
{
	const VarveTable *components = varve_table_child(loader->top, "components");

	for (guint i = 0; components && i < components->items->len; i++) {
		const VarveTable *component = g_array_index(components->items, VarveItem, i).table;
		const VarveTable *spec = varve_table_child(component, "spec");
		const VarveTable *distro = varve_table_child(spec, "upstream-distro");
		const VarveItem *snapshot = distro ? varve_table_item(distro, "snapshot") : NULL;

		check_distro_reference(loader, distro);
		if (snapshot)
			varve_key_mistake(loader, snapshot,
					  "a component has no 'snapshot' of its own; pin it with "
					  "'upstream-commit'");
	}
}

/* Groups may name components that are not there: Azure Linux's do. */
static void check_groups(VarveLoader *loader)
{
	const VarveTable *groups = varve_table_child(loader->top, "component-groups");

	for (guint i = 0; groups && i < groups->items->len; i++) {
		const VarveTable *group = g_array_index(groups->items, VarveItem, i).table;
		const VarveTable *defaults = varve_table_child(group, "default-component-config");

		check_upstream_distro(loader, defaults);
		no_overlay_files(loader, defaults);
	}
}

/* A package is in one group, once. */
static void check_package_groups(VarveLoader *loader)
{
	const VarveTable *groups = varve_table_child(loader->top, "package-groups");
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; groups && i < groups->items->len; i++) {
		const VarveTable *group = g_array_index(groups->items, VarveItem, i).table;
		const VarveItem *packages = varve_table_item(group, "packages");

		for (guint32 j = 0; packages && packages->field && j < packages->value->array.n;
		     j++) {
			const char *name = varve_item_string(packages, j);
			VarveTomlSpan span = packages->value->array.items[j]->span;

			if (g_hash_table_insert(seen, (gpointer)name, (gpointer)group->name))
				continue;
			varve_loader_mistake(loader, packages->source, span,
					     "'%s' is in a package group already; a package is in "
					     "one group, once",
					     name);
		}
	}
}

void varve_components_resolve(VarveLoader *loader, VarveDraft *draft)
{
	struct VarveComponents *model = varve_loader_alloc(loader, sizeof(*model));
	g_autoptr(GArray) all = g_array_new(FALSE, TRUE, sizeof(VarveComponent));
	g_autoptr(GHashTable) files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Resolver resolver = { loader, all, files };
	VarveComponent *components;

	*model = draft->components;
	model->default_distro = draft->project.default_distro;
	model->rendered_specs_dir = draft->project.rendered_specs_dir;
	model->lock_dir = draft->project.lock_dir;
	model->default_author_email = draft->project.default_author_email;
	model->publish = draft->package_defaults.publish;
	if (model->n_components > 0)
		g_array_append_vals(all, model->components, (guint)model->n_components);
	resolve_overlay_files(&resolver);
	components = varve_loader_alloc(loader, all->len * sizeof(*components));
	if (all->len > 0)
		memcpy(components, all->data, all->len * sizeof(*components));
	model->components = components;
	model->n_components = all->len;

	check_distro_reference(loader, varve_table_child(varve_table_child(loader->top, "project"),
							 "default-distro"));
	check_upstream_distro(loader, varve_table_child(loader->top, "default-component-config"));
	check_distros(loader);
	check_components(loader);
	check_groups(loader);
	check_package_groups(loader);
	loader->definition->components = model;
}

/* Questions */

static void not_found(GError **error, const char *what, const char *name, const char *nearest)
{
	if (nearest)
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "there is no %s '%s'; is '%s' meant?",
			   what, name, nearest);
	else
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "there is no %s '%s'", what, name);
}

const VarveComponent *varve_components_find(const VarveComponents *components, const char *name,
					    GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (gsize i = 0; i < components->n_components; i++) {
		if (strcmp(components->components[i].name, name) == 0)
			return &components->components[i];
		g_ptr_array_add(names, (gpointer)components->components[i].name);
	}
	g_ptr_array_add(names, NULL);
	not_found(error, "component", name, varve_nearest(name, (const char *const *)names->pdata));
	return NULL;
}

const VarveDistro *varve_distro_find(const VarveComponents *components, const char *name,
				     GError **error)
{
	for (gsize i = 0; i < components->n_distros; i++) {
		if (strcmp(components->distros[i].name, name) == 0)
			return &components->distros[i];
	}
	not_found(error, "distribution", name, NULL);
	return NULL;
}

const VarveDistroVersion *varve_distro_version(const VarveDistro *distro, const char *version,
					       GError **error)
{
	if (!version)
		version = distro->default_version;
	for (gsize i = 0; version && i < distro->n_versions; i++) {
		if (strcmp(distro->versions[i].name, version) == 0)
			return &distro->versions[i];
	}
	varve_fail(error, VARVE_ERROR_NOT_FOUND, "distribution '%s' has no %s%s%s", distro->name,
		   version ? "version '" : "default-version", version ? version : "",
		   version ? "'" : "");
	return NULL;
}
