/* References to tests: they are there, and nothing is tested twice. */
#include "definition/schema.h"

#include <string.h>

static const char *text_of(const VarveItem *item)
{
	return item && item->field ? item->value->string.text : NULL;
}

static gboolean look_up(VarveLoader *loader, const char *table, const char *what,
			const VarveItem *item)
{
	return varve_loader_look_up(loader, table, what, item->source, item->value->span,
				    text_of(item)) >= 0;
}

static void take(VarveLoader *loader, GHashTable *seen, const VarveItem *by, const char *name)
{
	if (!g_hash_table_add(seen, (gpointer)name))
		varve_item_mistake(loader, by,
				   "test '%s' is there already, by its name or in a "
				   "group",
				   name);
}

static void take_group(VarveLoader *loader, GHashTable *seen, const VarveItem *by)
{
	const VarveTable *groups = varve_table_child(loader->top, "test-groups");
	const VarveTable *group = varve_table_child(groups, text_of(by));
	const VarveItem *tests = group ? varve_table_item(group, "tests") : NULL;

	for (guint i = 0; tests && tests->field && i < tests->tables->len; i++) {
		const char *name = text_of(varve_table_item(tests->tables->pdata[i], "name"));

		if (name)
			take(loader, seen, by, name);
	}
}

/* `tests` of a group, a component or an image. */
static void check_list(VarveLoader *loader, const VarveTable *table)
{
	const VarveItem *tests = table ? varve_table_item(table, "tests") : NULL;
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; tests && tests->field && i < tests->tables->len; i++) {
		const VarveTable *reference = tests->tables->pdata[i];
		const VarveItem *name = varve_table_item(reference, "name");
		const VarveItem *group = varve_table_item(reference, "group");

		if (text_of(name) && look_up(loader, "tests", "test", name))
			take(loader, seen, name, text_of(name));
		if (text_of(group) && look_up(loader, "test-groups", "test group", group))
			take_group(loader, seen, group);
	}
}

static void check_suites(VarveLoader *loader, const VarveTable *table)
{
	const VarveItem *suites = table ? varve_table_item(table, "test-suites") : NULL;

	for (guint i = 0; suites && suites->field && i < suites->tables->len; i++) {
		const VarveItem *name = varve_table_item(suites->tables->pdata[i], "name");

		if (text_of(name))
			look_up(loader, "test-suites", "test suite", name);
	}
}

void varve_tests_check(VarveLoader *loader)
{
	static const struct {
		const char *table, *tests;
	} lists[] = { { "test-groups", NULL }, { "components", "tests" }, { "images", "tests" } };

	/* A definition of components alone is filled in by who uses it. */
	if (!varve_table_item(loader->top, "distros"))
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		const VarveTable *map = varve_table_child(loader->top, lists[i].table);

		for (guint j = 0; map && j < map->items->len; j++) {
			const VarveTable *table = g_array_index(map->items, VarveItem, j).table;

			if (lists[i].tests)
				table = varve_table_child(table, lists[i].tests);
			check_list(loader, table);
			check_suites(loader, table);
		}
	}
}
