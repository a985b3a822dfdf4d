/* What spans tables: references between them, and what two of them must not both say. */
#include "base/text.h"
#include "definition/schema.h"

#include <string.h>

/* Names */

static void unknown_name(VarveLoader *loader, const VarveSource *source, VarveTomlSpan span,
			 const char *what, const char *name, const VarveTable *known)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const char *nearest;

	if (varve_loader_partial(loader) || (known && varve_table_mentions(known, name)))
		return;
	/* The nearest of thousands for each of thousands would take its time. */
	for (guint i = 0; known && i < known->items->len && loader->mistakes->len < 200; i++)
		g_ptr_array_add(names, (gpointer)g_array_index(known->items, VarveItem, i).key);
	g_ptr_array_add(names, NULL);
	nearest = varve_nearest(name, (const char *const *)names->pdata);
	if (nearest)
		varve_loader_mistake(loader, source, span, "there is no %s '%s'; is '%s' meant?",
				     what, name, nearest);
	else
		varve_loader_mistake(loader, source, span, "there is no %s '%s'", what, name);
}

int varve_loader_look_up(VarveLoader *loader, const char *table_name, const char *what,
			 const VarveSource *source, VarveTomlSpan span, const char *name)
{
	const VarveTable *table = varve_table_child(loader->top, table_name);
	const VarveItem *found = table ? varve_table_item(table, name) : NULL;

	/* Not where the table itself is wrong or has a wrong name. */
	if (!found && !table && varve_table_mentions(loader->top, table_name))
		return -1;
	if (!found) {
		unknown_name(loader, source, span, what, name, table);
		return -1;
	}
	return (int)(found - &g_array_index(table->items, VarveItem, 0));
}

static const VarveTable *entry_of(VarveLoader *loader, const char *table_name, gsize i)
{
	const VarveTable *table = varve_table_child(loader->top, table_name);

	return g_array_index(table->items, VarveItem, i).table;
}

/* A key that was given and has the right kind. */
static const VarveItem *good_item(const VarveTable *table, const char *key)
{
	const VarveItem *item = varve_table_item(table, key);

	return item && item->field ? item : NULL;
}

/* Upstreams */

static void resolve_upstreams(VarveLoader *loader, const VarveDraft *draft)
{
	VarveUpstreamDraft *drafts = draft->upstreams;
	VarveUpstream *upstreams =
		varve_loader_alloc(loader, draft->n_upstreams * sizeof(*upstreams));

	for (gsize i = 0; i < draft->n_upstreams; i++) {
		VarveUpstreamDraft *from = &drafts[i];
		VarveRepository *all;

		upstreams[i] = from->upstream;
		if (from->upstream.type != VARVE_UPSTREAM_RPM_MD)
			continue;
		all = varve_loader_alloc(loader, (from->n_more + 1) * sizeof(*all));
		all[0] = from->own;
		for (gsize j = 0; j < from->n_more; j++) {
			VarveRepository *one = &all[j + 1];

			*one = from->more[j];
			one->name = varve_loader_keep(
				loader, g_strdup_printf("%s-%s", from->upstream.name, one->name));
			if (!one->gpg_keys[0])
				one->gpg_keys = from->own.gpg_keys;
			if (!one->releasever)
				one->releasever = from->own.releasever;
			if (one->max_age_days == 0)
				one->max_age_days = from->own.max_age_days;
		}
		upstreams[i].repositories = all;
		upstreams[i].n_repositories = from->n_more + 1;
	}
	loader->definition->upstreams = upstreams;
	loader->definition->n_upstreams = draft->n_upstreams;
}

/* Package sets */

static void resolve_spellings(VarveLoader *loader, const VarveTable *table, VarvePackageSet *set)
{
	VarveSpelling *spellings =
		varve_loader_alloc(loader, table->items->len * sizeof(*spellings));

	for (guint i = 0; i < table->items->len; i++) {
		const VarveItem *item = &g_array_index(table->items, VarveItem, i);
		VarveSpelling *spelling = &spellings[set->n_spellings];
		const char **packages;
		int found = varve_loader_look_up(loader, "upstreams", "upstream", item->source,
						 item->key_span, item->key);

		if (found < 0 || !item->field)
			continue;
		packages =
			varve_loader_alloc(loader, (item->value->array.n + 1) * sizeof(*packages));
		for (guint32 j = 0; j < item->value->array.n; j++)
			packages[j] = varve_item_string(item, j);
		spelling->origin = varve_source_origin(item->source, item->key_span);
		spelling->upstream = &loader->definition->upstreams[found];
		spelling->packages = packages;
		set->n_spellings++;
	}
	set->spellings = spellings;
}

static void resolve_package_sets(VarveLoader *loader, const VarveDraft *draft)
{
	VarvePackageSetDraft *drafts = draft->package_sets;
	VarvePackageSet *sets = varve_loader_alloc(loader, draft->n_package_sets * sizeof(*sets));

	for (gsize i = 0; i < draft->n_package_sets; i++) {
		sets[i] = drafts[i].set;
		resolve_spellings(loader, entry_of(loader, "package-sets", i), &sets[i]);
	}
	loader->definition->package_sets = sets;
	loader->definition->n_package_sets = draft->n_package_sets;
}

/* Layers */

static void resolve_layer_sets(VarveLoader *loader, const VarveTable *table,
			       VarveLayerDefinition *layer)
{
	const VarveItem *item = good_item(table, "package-sets");
	gsize n = item ? item->value->array.n : 0;
	const VarvePackageSet **sets = varve_loader_alloc(loader, n * sizeof(gpointer));

	for (guint32 i = 0; i < n; i++) {
		int found = varve_loader_look_up(loader, "package-sets", "package set",
						 item->source, item->value->array.items[i]->span,
						 varve_item_string(item, i));

		if (found >= 0)
			sets[layer->n_package_sets++] = &loader->definition->package_sets[found];
	}
	layer->package_sets = sets;
}

static void resolve_sysctl(VarveLoader *loader, const VarveTable *table,
			   VarveLayerDefinition *layer)
{
	const VarveTable *sysctl = varve_table_child(table, "sysctl");
	VarveSetting *settings;

	if (!sysctl)
		return;
	settings = varve_loader_alloc(loader, sysctl->items->len * sizeof(*settings));
	for (guint i = 0; i < sysctl->items->len; i++) {
		const VarveItem *item = &g_array_index(sysctl->items, VarveItem, i);
		VarveSetting *setting = &settings[layer->n_sysctl];

		if (!item->field)
			continue;
		layer->n_sysctl++;
		setting->origin = varve_source_origin(item->source, item->key_span);
		setting->key = item->key;
		if (item->value->type == VARVE_TOML_STRING)
			setting->value = item->value->string.text;
		else if (item->value->type == VARVE_TOML_BOOLEAN)
			setting->value = item->value->boolean ? "1" : "0";
		else
			setting->value = varve_loader_keep(
				loader, g_strdup_printf("%" G_GINT64_FORMAT, item->value->integer));
	}
	layer->sysctl = settings;
}

static void join_entries(VarveLoader *loader, const VarveLayerDraft *draft,
			 VarveLayerDefinition *layer)
{
	const struct {
		const VarveEntry *entries;
		gsize n;
	} parts[] = { { draft->directories, draft->n_directories },
		      { draft->files, draft->n_files },
		      { draft->links, draft->n_links },
		      { draft->modes, draft->n_modes } };
	VarveEntry *all;
	gsize n = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
		n += parts[i].n;
	all = varve_loader_alloc(loader, n * sizeof(*all));
	layer->entries = all;
	layer->n_entries = n;
	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		if (parts[i].n > 0)
			memcpy(all, parts[i].entries, parts[i].n * sizeof(*all));
		all += parts[i].n;
	}
}

/* Two entries of one path; a directory and a mode may share one. */
static void check_entries(VarveLoader *loader, const VarveTable *table)
{
	static const char *const keys[] = { "directories", "files", "links" };
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (gsize k = 0; k < G_N_ELEMENTS(keys); k++) {
		const VarveItem *item = good_item(table, keys[k]);

		for (guint i = 0; item && i < item->tables->len; i++) {
			const VarveItem *path = good_item(item->tables->pdata[i], "path");
			const VarveItem *first =
				path ? g_hash_table_lookup(seen, path->value->string.text) : NULL;
			g_autofree char *place = first ? varve_item_place(first) : NULL;

			if (first)
				varve_item_mistake(loader, path, "'%s' is made twice, first at %s",
						   path->value->string.text, place);
			else if (path)
				g_hash_table_insert(seen, (gpointer)path->value->string.text,
						    (gpointer)path);
		}
	}
}

static void resolve_layers(VarveLoader *loader, const VarveDraft *draft)
{
	VarveLayerDraft *drafts = draft->layers;
	VarveLayerDefinition *layers =
		varve_loader_alloc(loader, draft->n_layers * sizeof(*layers));

	for (gsize i = 0; i < draft->n_layers; i++) {
		const VarveTable *table = entry_of(loader, "layers", i);

		layers[i] = drafts[i].layer;
		resolve_layer_sets(loader, table, &layers[i]);
		resolve_sysctl(loader, table, &layers[i]);
		join_entries(loader, &drafts[i], &layers[i]);
		check_entries(loader, table);
	}
	loader->definition->layers = layers;
	loader->definition->n_layers = draft->n_layers;
}

/* Editions */

static const VarveLayerDefinition *resolve_layer(VarveLoader *loader, const VarveItem *item,
						 const VarveTomlValue *value, VarveRole role)
{
	const VarveLayerDefinition *layer;
	g_autofree char *place = NULL;
	int found = varve_loader_look_up(loader, "layers", "layer", item->source, value->span,
					 value->string.text);

	if (found < 0)
		return NULL;
	layer = &loader->definition->layers[found];
	place = varve_origin_place(loader, &layer->origin);
	if (layer->role != role &&
	    varve_table_has_choice(entry_of(loader, "layers", (gsize)found), "role"))
		varve_loader_mistake(loader, item->source, value->span,
				     "layer '%s' (%s) has role '%s'; '%s' takes layers of role "
				     "'%s'",
				     layer->name, place,
				     layer->role == VARVE_ROLE_BASE ? "base" : "extension",
				     item->key, role == VARVE_ROLE_BASE ? "base" : "extension");
	return layer;
}

/* A key of @set that is no upstream may have been meant for the one that is missing. */
static gboolean may_be_spelled(VarveLoader *loader, const VarveTable *set, const char *upstream)
{
	const VarveTable *upstreams = varve_table_child(loader->top, "upstreams");

	for (guint i = 0; i < set->items->len; i++) {
		const char *key = g_array_index(set->items, VarveItem, i).key;

		if (strcmp(key, upstream) == 0 || !upstreams || !varve_table_item(upstreams, key))
			return TRUE;
	}
	return varve_table_partial(loader, set);
}

static void check_spelled(VarveLoader *loader, const VarveEdition *edition,
			  const VarveLayerDefinition *layer)
{
	const char *upstream = edition->upstream->name;

	for (gsize i = 0; i < layer->n_package_sets; i++) {
		const VarvePackageSet *set = layer->package_sets[i];
		const VarveTable *table = entry_of(loader, "package-sets",
						   (gsize)(set - loader->definition->package_sets));

		if (varve_package_set_spelling(set, edition->upstream) ||
		    may_be_spelled(loader, table, upstream))
			continue;
		varve_table_mistake(loader, table,
				    "package set '%s' is not spelled for upstream '%s', which "
				    "edition '%s' (layer '%s') is built from; add '%s = [...]'",
				    set->name, upstream, edition->name, layer->name, upstream);
	}
}

/* Numeric owners are fixed: one name, one number, in all layers of an edition. Users and groups
 * start alike: origin, name, number. */
typedef struct {
	VarveOrigin origin;
	const char *name;
	guint32 number;
} Account;

G_STATIC_ASSERT(offsetof(VarveUser, uid) == offsetof(Account, number));
G_STATIC_ASSERT(offsetof(VarveGroup, gid) == offsetof(Account, number));

typedef struct {
	const char *table, *number; /* "users", "uid" */
	GHashTable *by_name, *by_number;
} Accounts;

static void check_account(VarveLoader *loader, Accounts *accounts,
			  const VarveLayerDefinition *layer, const Account *account)
{
	gsize position = (gsize)(layer - loader->definition->layers);
	const VarveTable *map =
		varve_table_child(entry_of(loader, "layers", position), accounts->table);
	const VarveTable *table = varve_table_child(map, account->name);
	gpointer key = GUINT_TO_POINTER(account->number);
	const Account *same = g_hash_table_lookup(accounts->by_name, account->name);
	const Account *taken = g_hash_table_lookup(accounts->by_number, key);
	const Account *other = same ? same : taken;
	g_autofree char *place = other ? varve_origin_place(loader, &other->origin) : NULL;

	if (same && same->number != account->number)
		varve_table_mistake(loader, table, "'%s' has %s %u here and %u at %s",
				    account->name, accounts->number, account->number, same->number,
				    place);
	else if (taken && strcmp(taken->name, account->name) != 0)
		varve_table_mistake(loader, table, "%s %u of '%s' is that of '%s' too (%s)",
				    accounts->number, account->number, account->name, taken->name,
				    place);
	g_hash_table_insert(accounts->by_name, (gpointer)account->name, (gpointer)account);
	g_hash_table_insert(accounts->by_number, key, (gpointer)account);
}

static void check_layer_accounts(VarveLoader *loader, Accounts *users, Accounts *groups,
				 const VarveLayerDefinition *layer)
{
	for (gsize i = 0; i < layer->n_users; i++)
		check_account(loader, users, layer, (const Account *)&layer->users[i]);
	for (gsize i = 0; i < layer->n_groups; i++)
		check_account(loader, groups, layer, (const Account *)&layer->groups[i]);
}

static void check_edition(VarveLoader *loader, const VarveEdition *edition)
{
	g_autoptr(GHashTable) users = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) groups = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) uids = g_hash_table_new(NULL, NULL);
	g_autoptr(GHashTable) gids = g_hash_table_new(NULL, NULL);
	Accounts user_accounts = { "users", "uid", users, uids };
	Accounts group_accounts = { "groups", "gid", groups, gids };

	for (gsize i = 0; i <= edition->n_extensions; i++) {
		const VarveLayerDefinition *layer = i ? edition->extensions[i - 1] : edition->base;

		if (!layer)
			continue;
		check_layer_accounts(loader, &user_accounts, &group_accounts, layer);
		if (edition->upstream)
			check_spelled(loader, edition, layer);
	}
}

static void check_keys(VarveLoader *loader, const VarveTable *table,
		       const VarveRepository *repository)
{
	const VarveItem *item = good_item(table, "gpg-keys");

	for (guint32 i = 0; item && i < item->value->array.n; i++) {
		const char *path = repository->gpg_keys[i];

		if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
			varve_loader_mistake(
				loader, item->source, item->value->array.items[i]->span,
				"there is no file '%s'", varve_loader_display(loader, path));
	}
}

/* Of an upstream that an edition is built from; what is only defined may wait for its keys. */
static void check_upstream_keys(VarveLoader *loader, const VarveUpstream *upstream)
{
	const VarveTable *table =
		entry_of(loader, "upstreams", (gsize)(upstream - loader->definition->upstreams));
	const VarveTable *more = varve_table_child(table, "repositories");

	if (upstream->n_repositories == 0)
		return;
	check_keys(loader, table, &upstream->repositories[0]);
	for (gsize i = 1; i < upstream->n_repositories; i++)
		check_keys(loader, g_array_index(more->items, VarveItem, i - 1).table,
			   &upstream->repositories[i]);
}

static void resolve_edition(VarveLoader *loader, const VarveTable *table, VarveEdition *edition)
{
	const VarveItem *upstream = good_item(table, "upstream");
	const VarveItem *base = good_item(table, "base");
	const VarveItem *extensions = good_item(table, "extensions");
	gsize n = extensions ? extensions->value->array.n : 0;
	const VarveLayerDefinition **layers = varve_loader_alloc(loader, n * sizeof(gpointer));
	int found;

	if (upstream) {
		found = varve_loader_look_up(loader, "upstreams", "upstream", upstream->source,
					     upstream->value->span, upstream->value->string.text);
		if (found >= 0)
			edition->upstream = &loader->definition->upstreams[found];
	}
	if (base)
		edition->base = resolve_layer(loader, base, base->value, VARVE_ROLE_BASE);
	for (guint32 i = 0; i < n; i++) {
		const VarveLayerDefinition *layer =
			resolve_layer(loader, extensions, extensions->value->array.items[i],
				      VARVE_ROLE_EXTENSION);

		if (layer)
			layers[edition->n_extensions++] = layer;
	}
	edition->extensions = layers;
	check_edition(loader, edition);
	if (edition->upstream)
		check_upstream_keys(loader, edition->upstream);
}

void varve_draft_resolve(VarveLoader *loader, const VarveDraft *draft)
{
	const char *const needs_os[] = { "layers", "editions" };

	loader->definition->os = draft->os;
	loader->definition->project = draft->project.project;
	resolve_upstreams(loader, draft);
	resolve_package_sets(loader, draft);
	resolve_layers(loader, draft);
	for (gsize i = 0; i < draft->n_editions; i++)
		resolve_edition(loader, entry_of(loader, "editions", i), &draft->editions[i]);
	loader->definition->editions = draft->editions;
	loader->definition->n_editions = draft->n_editions;
	for (gsize i = 0; i < G_N_ELEMENTS(needs_os); i++) {
		const VarveTable *table = varve_table_child(loader->top, needs_os[i]);

		if (!table || varve_table_mentions(loader->top, "os") ||
		    varve_loader_partial(loader))
			continue;
		varve_table_mistake(loader, table, "[%s] needs [os], which no file has",
				    needs_os[i]);
		break;
	}
}
