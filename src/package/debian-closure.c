/* Reachability over Depends and Pre-Depends. */
#include "package/debian-closure.h"

#include "base/error.h"
#include "package/debian-relation.h"

#include <string.h>

typedef struct {
	GHashTable *providers; /* name -> GPtrArray of stanzas that are called so or provide it */
	GHashTable *dropped;
	GHashTable *reached; /* set of stanzas */
	GPtrArray *pending;
} Search;

void varve_debian_closure_clear(VarveDebianClosure *closure)
{
	g_clear_pointer(&closure->packages, g_ptr_array_unref);
	g_clear_pointer(&closure->dropped, g_hash_table_unref);
}

static void clear_search(Search *search)
{
	g_hash_table_unref(search->providers);
	g_clear_pointer(&search->dropped, g_hash_table_unref);
	g_hash_table_unref(search->reached);
	g_ptr_array_unref(search->pending);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Search, clear_search)

static void add_provider(Search *search, const char *name, gpointer stanza)
{
	GPtrArray *list = g_hash_table_lookup(search->providers, name);

	if (!list) {
		list = g_ptr_array_new();
		g_hash_table_insert(search->providers, g_strdup(name), list);
	}
	g_ptr_array_add(list, stanza);
}

static gboolean index_stanza(Search *search, gpointer stanza, GError **error)
{
	const char *name = varve_paragraph_require(stanza, "Package", "package", error);
	g_autoptr(GPtrArray) provides =
		name ? varve_debian_relations_parse(varve_paragraph_get(stanza, "Provides"), name,
						    error)
		     : NULL;

	if (!provides)
		return FALSE;
	add_provider(search, name, stanza);
	for (guint i = 0; i < provides->len; i++) {
		const GPtrArray *clause = g_ptr_array_index(provides, i);
		const VarveDebianAlternative *provided = g_ptr_array_index(clause, 0);

		if (strcmp(provided->name, name) != 0)
			add_provider(search, provided->name, stanza);
	}
	return TRUE;
}

/* A name that only dropped packages provide is gone with them. */
static void drop_virtual_names(Search *search)
{
	g_autoptr(GPtrArray) gone = g_ptr_array_new();
	GHashTableIter iter;
	gpointer name, list;

	g_hash_table_iter_init(&iter, search->providers);
	while (g_hash_table_iter_next(&iter, &name, &list)) {
		gboolean kept = FALSE;

		for (guint i = 0; i < ((GPtrArray *)list)->len; i++) {
			const VarveParagraph *stanza = g_ptr_array_index((GPtrArray *)list, i);

			kept |= !g_hash_table_contains(search->dropped,
						       varve_paragraph_get(stanza, "Package"));
		}
		if (!kept)
			g_ptr_array_add(gone, name);
	}
	for (guint i = 0; i < gone->len; i++)
		g_hash_table_add(search->dropped, g_strdup(g_ptr_array_index(gone, i)));
}

static void reach(Search *search, const char *name)
{
	const GPtrArray *list = g_hash_table_lookup(search->providers, name);

	for (guint i = 0; list && i < list->len; i++) {
		gpointer stanza = g_ptr_array_index(list, i);

		if (!g_hash_table_contains(search->dropped,
					   varve_paragraph_get(stanza, "Package")) &&
		    g_hash_table_add(search->reached, stanza))
			g_ptr_array_add(search->pending, stanza);
	}
}

static gboolean follow(Search *search, const VarveParagraph *stanza, GError **error)
{
	static const char *const fields[] = { "Depends", "Pre-Depends" };

	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
		g_autoptr(GPtrArray) clauses =
			varve_debian_relations_parse(varve_paragraph_get(stanza, fields[i]),
						     varve_paragraph_get(stanza, "Package"), error);

		if (!clauses)
			return FALSE;
		for (guint k = 0; k < clauses->len; k++) {
			const GPtrArray *clause = g_ptr_array_index(clauses, k);

			if (varve_debian_clause_names(clause, search->dropped))
				continue;
			for (guint a = 0; a < clause->len; a++)
				reach(search,
				      ((const VarveDebianAlternative *)g_ptr_array_index(clause, a))
					      ->name);
		}
	}
	return TRUE;
}

static gboolean check_wanted(const Search *search, const char *name, GError **error)
{
	if (g_hash_table_contains(search->dropped, name))
		return varve_fail(error, VARVE_ERROR_CONFLICT,
				  "package '%s' is wanted and dropped: take it out of the "
				  "upstream's 'drop' or out of the package sets",
				  name);
	if (!g_hash_table_contains(search->providers, name))
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "package '%s' is wanted, and the archive's resolver did not "
				  "choose it",
				  name);
	return TRUE;
}

gboolean varve_debian_closure_find(const GPtrArray *stanzas, const GPtrArray *wanted,
				   const char *const *drop, VarveDebianClosure *ret_closure,
				   GError **error)
{
	g_auto(Search) search = {
		.providers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						   (GDestroyNotify)g_ptr_array_unref),
		.dropped = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.reached = g_hash_table_new(NULL, NULL),
		.pending = g_ptr_array_new(),
	};
	GPtrArray *packages;

	for (const char *const *name = drop; name && *name; name++)
		g_hash_table_add(search.dropped, g_strdup(*name));
	for (guint i = 0; i < stanzas->len; i++)
		if (!index_stanza(&search, g_ptr_array_index(stanzas, i), error))
			return FALSE;
	for (guint i = 0; i < wanted->len; i++)
		if (!check_wanted(&search, g_ptr_array_index(wanted, i), error))
			return FALSE;
	drop_virtual_names(&search);
	for (guint i = 0; i < wanted->len; i++)
		reach(&search, g_ptr_array_index(wanted, i));
	while (search.pending->len)
		if (!follow(&search, g_ptr_array_steal_index_fast(search.pending, 0), error))
			return FALSE;
	packages = g_ptr_array_new();
	for (guint i = 0; i < stanzas->len; i++)
		if (g_hash_table_contains(search.reached, g_ptr_array_index(stanzas, i)))
			g_ptr_array_add(packages, g_ptr_array_index(stanzas, i));
	*ret_closure = (VarveDebianClosure){ packages, g_steal_pointer(&search.dropped) };
	return TRUE;
}
