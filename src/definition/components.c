/* azldev's part of the model after reading: what is found by patterns is added, references among
 * its tables are checked, questions are answered. */
#include "definition/components.h"
#include "definition/checks.h"
#include "definition/resolver.h"

#include "base/text.h"

#include <string.h>

guint varve_loader_component(const VarveLoader *loader, const char *name)
{
	const VarveTable *table = varve_table_child(loader->top, "components");
	const VarveItem *item = table ? varve_table_item(table, name) : NULL;

	if (item)
		return (guint)(item - &g_array_index(table->items, VarveItem, 0)) + 1;
	return GPOINTER_TO_UINT(g_hash_table_lookup(loader->components, name));
}

static guint n_declared(const VarveLoader *loader)
{
	const VarveTable *table = varve_table_child(loader->top, "components");

	return table ? table->items->len : 0;
}

VarveComponent *varve_resolver_find(const VarveResolver *resolver, const char *name)
{
	guint position = varve_loader_component(resolver->loader, name);
	guint n = n_declared(resolver->loader);

	if (position == 0)
		return NULL;
	return position > n ? resolver->found->pdata[position - n - 1]
			    : &resolver->declared[position - 1];
}

VarveComponent *varve_resolver_add(VarveResolver *resolver, const char *name, VarveOrigin origin)
{
	static const char *const no_strings[] = { NULL };
	VarveLoader *loader = resolver->loader;
	VarveComponent *component = varve_loader_alloc(loader, sizeof(*component));

	component->origin = origin;
	component->name = varve_loader_keep(loader, g_strdup(name));
	component->overlay_files = no_strings;
	component->build.with = no_strings;
	component->build.without = no_strings;
	component->build.undefines = no_strings;
	g_ptr_array_add(resolver->found, component);
	g_hash_table_insert(loader->components, (gpointer)component->name,
			    GUINT_TO_POINTER(n_declared(loader) + resolver->found->len));
	return component;
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
			varve_check_overlay_files(loader, defaults);
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
		varve_check_overlay_files(loader, component);
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
		varve_check_overlay_files(loader, defaults);
	}
}

/* A package is in one group, once. */
static void check_package_groups(VarveLoader *loader)
{
	const VarveTable *groups = varve_table_child(loader->top, "package-groups");

	loader->packages = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; groups && i < groups->items->len; i++) {
		const VarveTable *group = g_array_index(groups->items, VarveItem, i).table;
		const VarveItem *packages = varve_table_item(group, "packages");

		for (guint32 j = 0; packages && packages->field && j < packages->value->array.n;
		     j++) {
			const char *name = varve_item_string(packages, j);
			VarveTomlSpan span = packages->value->array.items[j]->span;

			if (g_hash_table_insert(loader->packages, (gpointer)name,
						GUINT_TO_POINTER(i + 1)))
				continue;
			varve_loader_mistake(loader, packages->source, span,
					     "'%s' is in a package group already; a package is in "
					     "one group, once",
					     name);
		}
	}
}

/* Completes what the tables declare with what patterns find. */
static void find_components(VarveLoader *loader, struct VarveComponents *model)
{
	g_autoptr(GPtrArray) found = g_ptr_array_new();
	g_autoptr(GHashTable) files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	VarveComponent *components = (VarveComponent *)model->components;
	g_autoptr(GArray) members = g_array_new(FALSE, FALSE, sizeof(VarveMember));
	g_autoptr(GHashTable) overlay_files = NULL, contested = NULL;
	VarveResolver resolver = { loader, components, found, files, NULL, NULL, members };

	loader->components = g_hash_table_new(g_str_hash, g_str_equal);
	varve_resolve_overlay_files(&resolver);
	overlay_files = resolver.overlay_files;
	contested = resolver.contested;
	varve_resolve_group_specs(&resolver, model);
	if (found->len > 0) {
		gsize n = model->n_components;

		components = varve_loader_alloc(loader, (n + found->len) * sizeof(*components));
		if (n > 0)
			memcpy(components, model->components, n * sizeof(*components));
		for (guint i = 0; i < found->len; i++)
			components[n + i] = *(VarveComponent *)found->pdata[i];
	}
	model->components = components;
	model->n_components += found->len;
	varve_resolve_membership(&resolver, model, components);
	varve_resolve_overlays(&resolver, model, components);
}

/* (nullable) asked for once: thousands of components would each look for a file in a directory
 * that few definitions have. */
static const char *find_azldev_locks(VarveLoader *loader, const char *lock_dir)
{
	const char *locks =
		lock_dir ? lock_dir
			 : varve_loader_keep(loader, g_build_filename(loader->root, "locks", NULL));

	return g_file_test(locks, G_FILE_TEST_IS_DIR) ? locks : NULL;
}

void varve_components_resolve(VarveLoader *loader, VarveDraft *draft)
{
	struct VarveComponents *model = varve_loader_alloc(loader, sizeof(*model));

	*model = draft->components;
	model->loader = loader;
	model->default_distro = draft->project.default_distro;
	model->rendered_specs_dir = draft->project.rendered_specs_dir;
	model->lock_dir = draft->project.lock_dir;
	model->azldev_locks = find_azldev_locks(loader, model->lock_dir);
	model->default_author_email = draft->project.default_author_email;
	model->publish = draft->package_defaults.publish;
	find_components(loader, model);

	check_distro_reference(loader, varve_table_child(varve_table_child(loader->top, "project"),
							 "default-distro"));
	check_upstream_distro(loader, varve_table_child(loader->top, "default-component-config"));
	check_distros(loader);
	check_components(loader);
	check_groups(loader);
	check_package_groups(loader);
	varve_resources_check(loader);
	varve_tests_check(loader);
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
	guint position = varve_loader_component(components->loader, name);
	g_autoptr(GPtrArray) names = NULL;

	if (position)
		return &components->components[position - 1];
	names = g_ptr_array_new();
	for (gsize i = 0; i < components->n_components; i++)
		g_ptr_array_add(names, (gpointer)components->components[i].name);
	g_ptr_array_add(names, NULL);
	not_found(error, "component", name, varve_nearest(name, (const char *const *)names->pdata));
	return NULL;
}

const VarvePackageGroup *varve_components_package_group(const VarveComponents *components,
							const char *package)
{
	guint position =
		GPOINTER_TO_UINT(g_hash_table_lookup(components->loader->packages, package));

	return position ? &components->package_groups[position - 1] : NULL;
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
