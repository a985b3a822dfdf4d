/* [resources]: what sets of repositories are made of, and what distributions name as inputs. */
#include "definition/checks.h"
#include "definition/schema.h"

#include <string.h>

/* Layouts that azldev has itself; one of the same name replaces it. */
static const struct {
	const char *name;
	const char *subrepos[7];
} layouts[] = {
	{ "azl-standard", { "base", "base-debug", "base-src", "sdk", "sdk-debug", "sdk-src" } },
	{ "koji-dist-repo", { "binary", "debug", "src" } },
};

typedef struct {
	VarveLoader *loader;
	const VarveTable *resources;
	GHashTable *repos; /* char *name → VarveTable: the repository, or the set that makes it */
} Resources;

static const char *text_of(const VarveTable *table, const char *key)
{
	const VarveItem *item = varve_table_item(table, key);

	return item && item->field ? item->value->string.text : NULL;
}

/* (caller frees the array, nullable) the names in the layout @name. */
static GPtrArray *names_in(const Resources *resources, const char *name)
{
	const VarveTable *templates =
		varve_table_child(resources->resources, "rpm-repo-set-templates");
	const VarveTable *template = templates ? varve_table_child(templates, name) : NULL;
	const VarveItem *subrepos = template ? varve_table_item(template, "subrepos") : NULL;
	GPtrArray *names = g_ptr_array_new();

	for (guint i = 0; subrepos && subrepos->field && i < subrepos->tables->len; i++) {
		const char *one = text_of(subrepos->tables->pdata[i], "name");

		if (one)
			g_ptr_array_add(names, (gpointer)one);
	}
	for (gsize i = 0; !template && i < G_N_ELEMENTS(layouts); i++) {
		for (gsize j = 0; strcmp(layouts[i].name, name) == 0 && layouts[i].subrepos[j]; j++)
			g_ptr_array_add(names, (gpointer)layouts[i].subrepos[j]);
	}
	if (template || names->len > 0)
		return names;
	g_ptr_array_unref(names);
	return NULL;
}

static gboolean is_chosen(const VarveItem *chosen, const char *name)
{
	if (!chosen || !chosen->field || chosen->value->array.n == 0)
		return TRUE;
	for (guint32 i = 0; i < chosen->value->array.n; i++) {
		if (strcmp(varve_item_string(chosen, i), name) == 0)
			return TRUE;
	}
	return FALSE;
}

static void check_chosen(const Resources *resources, const VarveItem *chosen, const char *layout,
			 GPtrArray *names)
{
	for (guint32 i = 0; chosen && chosen->field && i < chosen->value->array.n; i++) {
		const char *name = varve_item_string(chosen, i);

		if (!g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
			varve_loader_mistake(resources->loader, chosen->source,
					     chosen->value->array.items[i]->span,
					     "template '%s' has no sub-repository '%s'", layout,
					     name);
	}
}

/* The names that @set makes are added; (caller frees) those of it, in order. */
static GPtrArray *names_of_set(const Resources *resources, const VarveTable *set)
{
	const VarveItem *template = varve_table_item(set, "template");
	const VarveItem *chosen = varve_table_item(set, "subrepos");
	const char *prefix = text_of(set, "name-prefix");
	GPtrArray *all = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) names = NULL;

	if (!template || !template->field)
		return all;
	names = names_in(resources, template->value->string.text);
	for (guint i = 0; names && i < names->len; i++) {
		if (is_chosen(chosen, names->pdata[i]))
			g_ptr_array_add(all,
					g_strconcat(prefix ? prefix : "", names->pdata[i], NULL));
	}
	return all;
}

static void add_set(const Resources *resources, const VarveTable *set)
{
	const VarveItem *template = varve_table_item(set, "template");
	g_autoptr(GPtrArray) names = NULL, made = NULL;

	if (!template || !template->field)
		return;
	names = names_in(resources, template->value->string.text);
	if (!names) {
		if (!varve_loader_partial(resources->loader))
			varve_item_mistake(resources->loader, template,
					   "there is no template '%s' in "
					   "[resources.rpm-repo-set-templates]",
					   template->value->string.text);
		return;
	}
	check_chosen(resources, varve_table_item(set, "subrepos"), template->value->string.text,
		     names);
	made = names_of_set(resources, set);
	for (guint i = 0; i < made->len; i++) {
		const char *name = made->pdata[i], *wrong = varve_check_resource_name(name);

		if (wrong)
			varve_table_mistake(resources->loader, set,
					    "'%s' makes a repository whose name '%s' %s", set->name,
					    name, wrong);
		else if (g_hash_table_contains(resources->repos, name))
			varve_table_mistake(resources->loader, set,
					    "'%s' makes a repository '%s', and there is one "
					    "already; set another 'name-prefix'",
					    set->name, name);
		else
			g_hash_table_insert(resources->repos, g_strdup(name), (gpointer)set);
	}
}

static void add_repos(const Resources *resources)
{
	const VarveTable *repos = varve_table_child(resources->resources, "rpm-repos");
	const VarveTable *sets = varve_table_child(resources->resources, "rpm-repo-sets");

	for (guint i = 0; repos && i < repos->items->len; i++) {
		const VarveItem *item = &g_array_index(repos->items, VarveItem, i);

		g_hash_table_insert(resources->repos, g_strdup(item->key), item->table);
	}
	for (guint i = 0; sets && i < sets->items->len; i++)
		add_set(resources, g_array_index(sets->items, VarveItem, i).table);
}

/* Inputs of a distribution's version */

static gboolean is_web(const char *key)
{
	return g_ascii_strncasecmp(key, "https:", 6) == 0 ||
	       g_ascii_strncasecmp(key, "http:", 5) == 0;
}

/* mock reads a key where it builds, and would look for a local one there. */
static void take(const Resources *resources, GHashTable *seen, const VarveItem *by,
		 const char *name, gboolean builds)
{
	const VarveTable *repo = g_hash_table_lookup(resources->repos, name);
	const char *key = repo ? text_of(repo, "gpg-key") : NULL;

	if (!g_hash_table_add(seen, g_strdup(name)))
		varve_item_mistake(resources->loader, by, "repository '%s' is an input already",
				   name);
	else if (builds && key && !is_web(key))
		varve_item_mistake(resources->loader, by,
				   "repository '%s' has a key in a file, '%s'; for 'rpm-build' it "
				   "must be an https:// or http:// URL",
				   name, key);
}

static void check_input(const Resources *resources, GHashTable *seen, const VarveTable *input,
			gboolean builds)
{
	const VarveItem *repo = varve_table_item(input, "repo");
	const VarveItem *set = varve_table_item(input, "set");
	const VarveTable *sets = varve_table_child(resources->resources, "rpm-repo-sets");
	const VarveTable *found;
	g_autoptr(GPtrArray) names = NULL;

	if (repo && repo->field) {
		if (g_hash_table_contains(resources->repos, repo->value->string.text))
			take(resources, seen, repo, repo->value->string.text, builds);
		else if (!varve_loader_partial(resources->loader))
			varve_item_mistake(resources->loader, repo,
					   "there is no repository '%s' in [resources.rpm-repos]",
					   repo->value->string.text);
		return;
	}
	if (!set || !set->field)
		return;
	found = sets ? varve_table_child(sets, set->value->string.text) : NULL;
	if (!found && !varve_loader_partial(resources->loader))
		varve_item_mistake(resources->loader, set,
				   "there is no set '%s' in [resources.rpm-repo-sets]",
				   set->value->string.text);
	names = found ? names_of_set(resources, found) : NULL;
	for (guint i = 0; names && i < names->len; i++)
		take(resources, seen, set, names->pdata[i], builds);
}

static void check_inputs(const Resources *resources, const VarveTable *inputs, const char *key)
{
	const VarveItem *list = inputs ? varve_table_item(inputs, key) : NULL;
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; list && list->field && i < list->tables->len; i++)
		check_input(resources, seen, list->tables->pdata[i], strcmp(key, "rpm-build") == 0);
}

static void check_versions(const Resources *resources, const VarveTable *versions)
{
	for (guint i = 0; versions && i < versions->items->len; i++) {
		const VarveTable *version = g_array_index(versions->items, VarveItem, i).table;
		const VarveTable *inputs = varve_table_child(version, "inputs");

		check_inputs(resources, inputs, "rpm-build");
		check_inputs(resources, inputs, "image-build");
	}
}

void varve_resources_check(VarveLoader *loader)
{
	const VarveTable *distros = varve_table_child(loader->top, "distros");
	g_autoptr(GHashTable) repos = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const Resources resources = { loader, varve_table_child(loader->top, "resources"), repos };

	add_repos(&resources);
	for (guint i = 0; distros && i < distros->items->len; i++)
		check_versions(&resources,
			       varve_table_child(g_array_index(distros->items, VarveItem, i).table,
						 "versions"));
}
