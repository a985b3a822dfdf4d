/* Why a component is as it is: each value of its merged tables with where it was said. */
#include "component/effective-internal.h"

#include <string.h>

void varve_explanation_free(VarveExplanation *explanation)
{
	if (!explanation)
		return;
	g_free(explanation->key);
	g_free(explanation->value);
	g_free(explanation->level);
	g_free(explanation);
}

static void add(GPtrArray *all, const char *key, const char *value, const char *level,
		VarveOrigin origin)
{
	VarveExplanation *one = g_new0(VarveExplanation, 1);

	one->key = g_strdup(key);
	one->value = g_strdup(value);
	one->level = g_strdup(level);
	one->origin = origin;
	g_ptr_array_add(all, one);
}

static void drop(GPtrArray *all, const char *key, gboolean as_prefix)
{
	for (guint i = all->len; i > 0; i--) {
		const VarveExplanation *one = all->pdata[i - 1];

		if (as_prefix ? g_str_has_prefix(one->key, key) : strcmp(one->key, key) == 0)
			g_ptr_array_remove_index(all, i - 1);
	}
}

/* What merging passes over: nothing is set back to nothing. */
static gboolean is_empty(const VarveComponentValue *value)
{
	return strcmp(value->value, "false") == 0 ||
	       (strcmp(value->value, "\"\"") == 0 &&
		!g_str_has_prefix(value->key, "build.defines."));
}

static void add_level(GPtrArray *all, const VarveLevel *level, const GPtrArray *values)
{
	g_autofree char *name = level->group ? g_strdup_printf("group %s", level->group->name)
					     : g_strdup(level->name);
	const char *package = NULL;

	for (guint i = 0; i < values->len; i++) {
		const VarveComponentValue *value = values->pdata[i];
		const char *end;

		/* Entries of `packages` are replaced whole. */
		if (g_str_has_prefix(value->key, "packages.") &&
		    (end = strstr(value->key, ".publish."))) {
			g_autofree char *entry =
				g_strndup(value->key, (gsize)(end - value->key) + 1);

			if (!package || !g_str_has_prefix(package, entry))
				drop(all, entry, TRUE);
			package = value->key;
		}
		if (is_empty(value) || strcmp(value->key, "overlay-files") == 0)
			continue;
		if (!value->adds)
			drop(all, value->key, FALSE);
		add(all, value->key, value->value, name, value->origin);
	}
}

static char *quoted(const char *text)
{
	g_autofree char *escaped = g_strescape(text, NULL);

	return g_strdup_printf("\"%s\"", escaped);
}

/* What nothing says: the upstream's own default, the spec that a pattern found. */
static void add_defaults(GPtrArray *all, const VarveEffective *effective)
{
	const VarveDistroReference *reference = &effective->component.spec.upstream_distro;

	if (effective->component.found_spec) {
		const VarveComponent *component = &effective->component;
		g_autofree char *level = g_strdup_printf("group %s", component->found_by->name);
		g_autofree char *path = quoted(component->found_spec);

		drop(all, "spec.", TRUE);
		add(all, "spec.type", "\"local\"", level, component->found_origin);
		add(all, "spec.path", path, level, component->found_origin);
		return;
	}
	if (effective->distro && !reference->name) {
		g_autofree char *name = quoted(effective->distro->name);

		add(all, "spec.upstream-distro.name", name, "default",
		    effective->store->definition->components->default_distro.origin);
	}
	if (effective->version && !reference->version) {
		g_autofree char *version = quoted(effective->version->name);

		add(all, "spec.upstream-distro.version", version, "default",
		    effective->distro->origin);
	}
}

typedef struct {
	const VarveExplanation *explanation;
	guint position;
} Sorted;

static int by_key(const void *a, const void *b)
{
	const Sorted *left = a, *right = b;
	int order = strcmp(left->explanation->key, right->explanation->key);

	return order != 0 ? order
			  : (left->position > right->position) - (left->position < right->position);
}

static void sort_by_key(GPtrArray *all)
{
	g_autofree Sorted *sorted = g_new(Sorted, all->len + 1);

	for (guint i = 0; i < all->len; i++)
		sorted[i] = (Sorted){ all->pdata[i], i };
	qsort(sorted, all->len, sizeof(*sorted), by_key);
	for (guint i = 0; i < all->len; i++)
		all->pdata[i] = (gpointer)sorted[i].explanation;
}

GPtrArray *varve_effective_explain(const VarveEffective *effective)
{
	GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)varve_explanation_free);
	const struct VarveEffectiveStore *store = effective->store;

	for (gsize i = 0; i < store->n_levels; i++) {
		const VarveLevel *level = &store->levels[i];
		g_autoptr(GPtrArray) values =
			varve_component_values(store->definition, level->component);

		add_level(all, level, values);
	}
	add_defaults(all, effective);
	sort_by_key(all);
	return all;
}
