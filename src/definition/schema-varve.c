/* Varve's own tables: [os], [upstreams], [package-sets], [layers], [editions]. */
#include "definition/checks.h"
#include "definition/schema.h"

#include <stdio.h>
#include <string.h>

#define AT(type, member) .offset = offsetof(type, member)
#define NUMBER(type, member) .offset = offsetof(type, member), .count = sizeof(((type *)0)->member)
#define ARRAY(type, member) .offset = offsetof(type, member), .count = offsetof(type, n_##member)
#define CHECKED_ONLY .offset = VARVE_NOWHERE, .count = VARVE_NOWHERE

/* [os] */

static const VarveField os_fields[] = {
	{ "id", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED, AT(VarveOs, id),
	  .check = varve_check_os_id },
	{ "name", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED | VARVE_FIELD_NOT_EMPTY,
	  AT(VarveOs, name), .check = varve_check_line },
	{ "version-id", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED, AT(VarveOs, version_id),
	  .check = varve_check_version },
	{ "vendor", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED | VARVE_FIELD_NOT_EMPTY,
	  AT(VarveOs, vendor), .check = varve_check_line },
	{ "home-url", VARVE_FIELD_STRING, 0, AT(VarveOs, home_url), .check = varve_check_web_url },
	{ "released", VARVE_FIELD_DATE, VARVE_FIELD_REQUIRED, AT(VarveOs, released) },
	{ NULL },
};

static void check_os(VarveLoader *loader, const VarveTable *table, void *data)
{
	VarveOs *os = data;
	int year, month, day;
	g_autoptr(GDateTime) start = NULL;

	(void)loader;
	(void)table;
	if (!os->released || sscanf(os->released, "%d-%d-%d", &year, &month, &day) != 3)
		return;
	start = g_date_time_new_utc(year, month, day, 0, 0, 0);
	os->released_time = g_date_time_to_unix(start);
}

const VarveSchema varve_schema_os = {
	.fields = os_fields,
	.size = sizeof(VarveOs),
	.check = check_os,
};

/* [upstreams.NAME] */

static const char *const upstream_types[] = { "debian", "rpm-md", NULL };

static const VarveField repository_fields[] = {
	{ "metalink", VARVE_FIELD_STRING, 0, AT(VarveRepository, metalink),
	  .check = varve_check_web_url },
	{ "mirrorlist", VARVE_FIELD_STRING, 0, AT(VarveRepository, mirrorlist),
	  .check = varve_check_web_url },
	{ "baseurl", VARVE_FIELD_STRING, 0, AT(VarveRepository, baseurl),
	  .check = varve_check_url },
	{ "gpg-keys", VARVE_FIELD_PATHS, VARVE_FIELD_NOT_EMPTY, AT(VarveRepository, gpg_keys) },
	{ "releasever", VARVE_FIELD_STRING, VARVE_FIELD_NOT_EMPTY, AT(VarveRepository, releasever),
	  .check = varve_check_version },
	{ "max-age-days", VARVE_FIELD_INTEGER, 0, NUMBER(VarveRepository, max_age_days), .min = 0,
	  .max = 36500 },
	{ NULL },
};

static void check_repository(VarveLoader *loader, const VarveTable *table, void *data)
{
	int sources = varve_table_mentions(table, "metalink") +
		      varve_table_mentions(table, "mirrorlist") +
		      varve_table_mentions(table, "baseurl");
	g_autofree char *where = varve_table_text(table);

	(void)data;
	if (sources != 1 && !varve_table_partial(loader, table))
		varve_table_mistake(loader, table,
				    "%s must have exactly one of 'metalink', 'mirrorlist' and "
				    "'baseurl'; it has %d",
				    where, sources);
}

static const VarveSchema repository_schema = {
	.what = "repository",
	.fields = repository_fields,
	.size = sizeof(VarveRepository),
	.check_name = varve_check_name,
	.check = check_repository,
};

static const VarveField upstream_fields[] = {
	{ "type", VARVE_FIELD_CHOICE, VARVE_FIELD_REQUIRED, AT(VarveUpstreamDraft, upstream.type),
	  .choices = upstream_types },
	{ "suite", VARVE_FIELD_STRING, 0, AT(VarveUpstreamDraft, upstream.suite),
	  .check = varve_check_os_id },
	{ "archive-components", VARVE_FIELD_STRINGS, VARVE_FIELD_NOT_EMPTY | VARVE_FIELD_DISTINCT,
	  AT(VarveUpstreamDraft, upstream.archive_components), .check = varve_check_os_id },
	{ "mirror", VARVE_FIELD_STRING, 0, AT(VarveUpstreamDraft, upstream.mirror),
	  .check = varve_check_url },
	{ "keyring", VARVE_FIELD_PATH, VARVE_FIELD_NOT_EMPTY,
	  AT(VarveUpstreamDraft, upstream.keyring) },
	{ "essential", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT,
	  AT(VarveUpstreamDraft, upstream.essential), .check = varve_check_package },
	{ "drop", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, AT(VarveUpstreamDraft, upstream.drop),
	  .check = varve_check_package },
	{ "metalink", VARVE_FIELD_STRING, 0, AT(VarveUpstreamDraft, own.metalink),
	  .check = varve_check_web_url },
	{ "mirrorlist", VARVE_FIELD_STRING, 0, AT(VarveUpstreamDraft, own.mirrorlist),
	  .check = varve_check_web_url },
	{ "baseurl", VARVE_FIELD_STRING, 0, AT(VarveUpstreamDraft, own.baseurl),
	  .check = varve_check_url },
	{ "gpg-keys", VARVE_FIELD_PATHS, VARVE_FIELD_NOT_EMPTY,
	  AT(VarveUpstreamDraft, own.gpg_keys) },
	{ "releasever", VARVE_FIELD_STRING, VARVE_FIELD_NOT_EMPTY,
	  AT(VarveUpstreamDraft, own.releasever), .check = varve_check_version },
	{ "max-age-days", VARVE_FIELD_INTEGER, 0, NUMBER(VarveUpstreamDraft, own.max_age_days),
	  .min = 0, .max = 36500 },
	{ "repositories", VARVE_FIELD_MAP, 0, .schema = &repository_schema,
	  AT(VarveUpstreamDraft, more), .count = offsetof(VarveUpstreamDraft, n_more) },
	{ NULL },
};

static void refuse_keys(VarveLoader *loader, const VarveTable *table, const char *const *keys,
			const char *type)
{
	for (gsize i = 0; keys[i]; i++) {
		const VarveItem *item = varve_table_item(table, keys[i]);

		if (item)
			varve_key_mistake(loader, item,
					  "'%s' says nothing for an upstream of type '%s'", keys[i],
					  type);
	}
}

static void check_upstream(VarveLoader *loader, const VarveTable *table, void *data)
{
	static const char *const debian[] = { "suite",   "archive-components", "mirror",
					      "keyring", "essential",          "drop",
					      NULL };
	static const char *const rpm_md[] = { "metalink",     "mirrorlist", "baseurl",
					      "gpg-keys",     "releasever", "max-age-days",
					      "repositories", NULL };
	static const char *const main_only[] = { "main", NULL };
	VarveUpstreamDraft *draft = data;

	if (!varve_table_has_choice(table, "type"))
		return;
	if (draft->upstream.type == VARVE_UPSTREAM_RPM_MD) {
		draft->own.origin = draft->upstream.origin;
		draft->own.name = draft->upstream.name;
		check_repository(loader, table, &draft->own);
		if (!varve_table_mentions(table, "gpg-keys") && !varve_table_partial(loader, table))
			varve_table_mistake(loader, table,
					    "upstream '%s' has no 'gpg-keys'; a key is never "
					    "trusted on first use",
					    table->name);
		refuse_keys(loader, table, debian, "rpm-md");
		return;
	}
	if (!varve_table_mentions(table, "suite") && !varve_table_partial(loader, table))
		varve_table_mistake(loader, table,
				    "upstream '%s' has no 'suite', which must be set", table->name);
	if (!*draft->upstream.archive_components)
		draft->upstream.archive_components = main_only;
	refuse_keys(loader, table, rpm_md, "debian");
}

const VarveSchema varve_schema_upstream = {
	.what = "upstream",
	.fields = upstream_fields,
	.size = sizeof(VarveUpstreamDraft),
	.check_name = varve_check_name,
	.check = check_upstream,
};

/* [package-sets.NAME]: the keys are upstreams, which resolve.c looks up. */

static const VarveField spelling = { "UPSTREAM", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT,
				     CHECKED_ONLY, .check = varve_check_package };

const VarveSchema varve_schema_package_set = {
	.what = "package set",
	.any = &spelling,
	.size = sizeof(VarvePackageSetDraft),
	.check_name = varve_check_name,
};

/* [layers.NAME] */

static const char *const roles[] = { "base", "extension", NULL };

static const VarveField group_fields[] = {
	{ "gid", VARVE_FIELD_INTEGER, VARVE_FIELD_REQUIRED, NUMBER(VarveGroup, gid), .min = 0,
	  .max = 0xfffffffe },
	{ NULL },
};

static const VarveSchema group_schema = {
	.what = "group",
	.fields = group_fields,
	.size = sizeof(VarveGroup),
	.check_name = varve_check_account,
};

static const VarveField user_fields[] = {
	{ "uid", VARVE_FIELD_INTEGER, VARVE_FIELD_REQUIRED, NUMBER(VarveUser, uid), .min = 0,
	  .max = 0xfffffffe },
	{ "group", VARVE_FIELD_STRING, 0, AT(VarveUser, group), .check = varve_check_account },
	{ "comment", VARVE_FIELD_STRING, 0, AT(VarveUser, comment), .check = varve_check_line },
	{ "home", VARVE_FIELD_STRING, 0, AT(VarveUser, home) },
	{ "shell", VARVE_FIELD_STRING, 0, AT(VarveUser, shell), .check = varve_check_target_path },
	{ "groups", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, AT(VarveUser, groups),
	  .check = varve_check_account },
	{ NULL },
};

static void check_user(VarveLoader *loader, const VarveTable *table, void *data)
{
	VarveUser *user = data;
	const VarveItem *comment = varve_table_item(table, "comment");
	const VarveItem *home = varve_table_item(table, "home");
	const char *wrong;

	if (comment && user->comment && strchr(user->comment, ':'))
		varve_item_mistake(loader, comment, "'comment' must not hold ':'");
	if (home && user->home && strcmp(user->home, "/") != 0) {
		wrong = varve_check_target_path(user->home);
		if (wrong || strchr(user->home, ':'))
			varve_item_mistake(loader, home, "'home': '%s' %s", user->home,
					   wrong ? wrong : "must not hold ':'");
	}
	user->group = user->group ? user->group : user->name;
	user->comment = user->comment ? user->comment : "";
	user->home = user->home ? user->home : "/";
	user->shell = user->shell ? user->shell : "/usr/sbin/nologin";
}

static const VarveSchema user_schema = {
	.what = "user",
	.fields = user_fields,
	.size = sizeof(VarveUser),
	.check_name = varve_check_account,
	.check = check_user,
};

#define ENTRY_PATH \
	{ \
		"path", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED, AT(VarveEntry, path), \
			.check = varve_check_target_path \
	}
#define ENTRY_OWNER \
	{ "mode", VARVE_FIELD_MODE, 0, AT(VarveEntry, mode) }, \
		{ "user", VARVE_FIELD_STRING, 0, AT(VarveEntry, user), \
		  .check = varve_check_account }, \
	{ \
		"group", VARVE_FIELD_STRING, 0, AT(VarveEntry, group), \
			.check = varve_check_account \
	}

static const VarveField file_fields[] = {
	ENTRY_PATH,
	{ "content", VARVE_FIELD_STRING, 0, AT(VarveEntry, content) },
	{ "source", VARVE_FIELD_PATH, VARVE_FIELD_NOT_EMPTY, AT(VarveEntry, source) },
	ENTRY_OWNER,
	{ NULL },
};

static const VarveField link_fields[] = {
	ENTRY_PATH,
	{ "target", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED, AT(VarveEntry, target),
	  .check = varve_check_link_target },
	{ NULL },
};

static const VarveField directory_fields[] = { ENTRY_PATH, ENTRY_OWNER, { NULL } };

static void set_owner(VarveEntry *entry, const VarveTable *table, int mode)
{
	if (!varve_table_item(table, "mode"))
		entry->mode = mode;
	if (mode == VARVE_MODE_KEEP)
		return;
	entry->user = entry->user ? entry->user : "root";
	entry->group = entry->group ? entry->group : "root";
}

static void check_file(VarveLoader *loader, const VarveTable *table, void *data)
{
	const VarveItem *content = varve_table_item(table, "content");
	const VarveItem *source = varve_table_item(table, "source");
	VarveEntry *entry = data;

	entry->kind = VARVE_ENTRY_FILE;
	set_owner(entry, table, 0644);
	if (content && content->field)
		entry->content_size = content->value->string.size;
	if (content && source)
		varve_key_mistake(loader, source,
				  "this file has 'content' too; it must have one of the two");
	else if (!varve_table_mentions(table, "content") &&
		 !varve_table_mentions(table, "source") && !varve_table_partial(loader, table))
		varve_table_mistake(
			loader, table,
			"this file has neither 'content' nor 'source'; it must have one "
			"of the two");
	if (source && entry->source && !g_file_test(entry->source, G_FILE_TEST_IS_REGULAR))
		varve_item_mistake(loader, source, "there is no file '%s'",
				   varve_loader_display(loader, entry->source));
}

static void check_link(VarveLoader *loader, const VarveTable *table, void *data)
{
	VarveEntry *entry = data;

	(void)loader;
	entry->kind = VARVE_ENTRY_LINK;
	set_owner(entry, table, 0777);
}

static void check_directory(VarveLoader *loader, const VarveTable *table, void *data)
{
	VarveEntry *entry = data;

	(void)loader;
	entry->kind = VARVE_ENTRY_DIRECTORY;
	set_owner(entry, table, 0755);
}

static void check_mode(VarveLoader *loader, const VarveTable *table, void *data)
{
	VarveEntry *entry = data;

	entry->kind = VARVE_ENTRY_MODE;
	set_owner(entry, table, VARVE_MODE_KEEP);
	if (!varve_table_item(table, "mode") && !entry->user && !entry->group &&
	    !varve_table_partial(loader, table))
		varve_table_mistake(loader, table,
				    "this says nothing: set 'mode', 'user' or 'group'");
}

static const VarveSchema file_schema = {
	.what = "file",
	.fields = file_fields,
	.size = sizeof(VarveEntry),
	.check = check_file,
};

static const VarveSchema link_schema = {
	.what = "link",
	.fields = link_fields,
	.size = sizeof(VarveEntry),
	.check = check_link,
};

static const VarveSchema directory_schema = {
	.what = "directory",
	.fields = directory_fields,
	.size = sizeof(VarveEntry),
	.check = check_directory,
};

static const VarveSchema mode_schema = {
	.what = "mode",
	.fields = directory_fields,
	.size = sizeof(VarveEntry),
	.check = check_mode,
};

/* Nested, but of the layer's own struct. */
static const VarveField unit_fields[] = {
	{ "enable", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, AT(VarveLayerDraft, layer.enable),
	  .check = varve_check_unit_pattern },
	{ "disable", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, AT(VarveLayerDraft, layer.disable),
	  .check = varve_check_unit_pattern },
	{ "mask", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, AT(VarveLayerDraft, layer.mask),
	  .check = varve_check_unit },
	{ NULL },
};

/* No unit may be in two of the lists @keys, ended by NULL. */
static void check_apart(VarveLoader *loader, const VarveTable *table, const char *const *keys)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (gsize k = 0; keys[k]; k++) {
		const VarveItem *item = varve_table_item(table, keys[k]);

		for (guint32 i = 0; item && item->field && i < item->value->array.n; i++) {
			const char *unit = varve_item_string(item, i);
			const char *before = g_hash_table_lookup(seen, unit);

			if (before && before != keys[k])
				varve_loader_mistake(loader, item->source,
						     item->value->array.items[i]->span,
						     "'%s' is in '%s' too", unit, before);
			g_hash_table_insert(seen, (gpointer)unit, (gpointer)keys[k]);
		}
	}
}

static void check_units(VarveLoader *loader, const VarveTable *table, void *data)
{
	static const char *const keys[] = { "enable", "disable", "mask", NULL };

	(void)data;
	check_apart(loader, table, keys);
}

static const VarveSchema units_schema = { .fields = unit_fields, .check = check_units };

static const VarveField setting = { "KEY", VARVE_FIELD_SCALAR, 0, CHECKED_ONLY,
				    .check = varve_check_line };
static const VarveSchema sysctl_schema = { .any = &setting };

#define LAYER(member) AT(VarveLayerDraft, layer.member)

/* Nested, but of the layer's own struct. */
static const char *const selinux_modes[] = { "enforcing", "permissive", NULL };

static const VarveField selinux_fields[] = {
	{ "policy", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED, LAYER(selinux.policy),
	  .check = varve_check_name },
	{ "mode", VARVE_FIELD_CHOICE, 0, LAYER(selinux.mode), .choices = selinux_modes },
	{ "modules", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, LAYER(selinux.modules),
	  .check = varve_check_selinux_name },
	{ "cil", VARVE_FIELD_PATHS, VARVE_FIELD_DISTINCT, LAYER(selinux.cil) },
	{ "enable-booleans", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, LAYER(selinux.enable),
	  .check = varve_check_selinux_name },
	{ "disable-booleans", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, LAYER(selinux.disable),
	  .check = varve_check_selinux_name },
	{ NULL },
};

static void check_selinux(VarveLoader *loader, const VarveTable *table, void *data)
{
	const VarveSelinux *selinux = &((VarveLayerDraft *)data)->layer.selinux;
	const VarveItem *cil = varve_table_item(table, "cil");
	const VarveItem *off = varve_table_item(table, "disable-booleans");

	for (gsize i = 0; cil && selinux->cil && selinux->cil[i]; i++) {
		g_autofree char *file = g_path_get_basename(selinux->cil[i]);
		g_autofree char *name = g_strndup(file, strcspn(file, "."));

		/* semodule calls a module as its file is called. */
		if (selinux->modules && g_strv_contains(selinux->modules, name))
			varve_item_mistake(loader, cil,
					   "'%s' would replace the package's module '%s': give it "
					   "another name",
					   varve_loader_display(loader, selinux->cil[i]), name);
		if (!g_str_has_suffix(selinux->cil[i], ".cil") ||
		    !g_file_test(selinux->cil[i], G_FILE_TEST_IS_REGULAR))
			varve_item_mistake(loader, cil, "there is no file '%s' called NAME.cil",
					   varve_loader_display(loader, selinux->cil[i]));
	}
	for (gsize i = 0; off && selinux->enable && selinux->disable && selinux->disable[i]; i++) {
		if (g_strv_contains(selinux->enable, selinux->disable[i]))
			varve_item_mistake(loader, off, "'%s' is in 'enable-booleans' too",
					   selinux->disable[i]);
	}
}

static const VarveSchema selinux_schema = { .fields = selinux_fields, .check = check_selinux };

static const VarveField layer_fields[] = {
	{ "role", VARVE_FIELD_CHOICE, VARVE_FIELD_REQUIRED, LAYER(role), .choices = roles },
	{ "description", VARVE_FIELD_STRING, 0, LAYER(description), .check = varve_check_line },
	{ "version-from", VARVE_FIELD_STRING, 0, LAYER(version_from),
	  .check = varve_check_package },
	{ "revision", VARVE_FIELD_INTEGER, 0, NUMBER(VarveLayerDraft, layer.revision), .min = 1,
	  .max = 9999 },
	{ "rollback-index", VARVE_FIELD_INTEGER, 0, NUMBER(VarveLayerDraft, layer.rollback_index),
	  .min = 1, .max = G_MAXINT64 },
	{ "key", VARVE_FIELD_STRING, 0, LAYER(key), .check = varve_check_key_name },
	{ "package-sets", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, CHECKED_ONLY },
	{ "exclude", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, LAYER(exclude),
	  .check = varve_check_target_glob },
	{ "keep", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, LAYER(keep),
	  .check = varve_check_target_glob },
	{ "exclude-packages", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, LAYER(exclude_packages),
	  .check = varve_check_package },
	{ "restart", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, LAYER(restart),
	  .check = varve_check_unit },
	{ "reload", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, LAYER(reload),
	  .check = varve_check_unit },
	{ "ask", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, LAYER(ask), .check = varve_check_unit },
	{ "checks", VARVE_FIELD_TABLES, 0, LAYER(checks),
	  .count = offsetof(VarveLayerDraft, layer.n_checks), .schema = &varve_schema_check },
	{ "groups", VARVE_FIELD_MAP, 0, LAYER(groups),
	  .count = offsetof(VarveLayerDraft, layer.n_groups), .schema = &group_schema },
	{ "users", VARVE_FIELD_MAP, 0, LAYER(users),
	  .count = offsetof(VarveLayerDraft, layer.n_users), .schema = &user_schema },
	{ "files", VARVE_FIELD_TABLES, 0, ARRAY(VarveLayerDraft, files), .schema = &file_schema },
	{ "links", VARVE_FIELD_TABLES, 0, ARRAY(VarveLayerDraft, links), .schema = &link_schema },
	{ "directories", VARVE_FIELD_TABLES, 0, ARRAY(VarveLayerDraft, directories),
	  .schema = &directory_schema },
	{ "modes", VARVE_FIELD_TABLES, 0, ARRAY(VarveLayerDraft, modes), .schema = &mode_schema },
	{ "units", VARVE_FIELD_TABLE, 0, CHECKED_ONLY, .schema = &units_schema },
	{ "sysctl", VARVE_FIELD_TABLE, 0, CHECKED_ONLY, .schema = &sysctl_schema },
	{ "selinux", VARVE_FIELD_TABLE, 0, CHECKED_ONLY, .schema = &selinux_schema },
	{ NULL },
};

static void check_layer(VarveLoader *loader, const VarveTable *table, void *data)
{
	VarveLayerDefinition *layer = &((VarveLayerDraft *)data)->layer;
	const VarveTable *sysctl = varve_table_child(table, "sysctl");
	const VarveTable *selinux = varve_table_child(table, "selinux");
	static const char *const swap_keys[] = { "restart", "reload", "ask", NULL };

	check_apart(loader, table, swap_keys);
	if (selinux && layer->role != VARVE_ROLE_BASE && varve_table_has_choice(table, "role"))
		varve_table_mistake(loader, selinux,
				    "only a base has a policy; an extension is labelled by its "
				    "base's");
	if (!layer->description)
		layer->description = "";
	if (layer->revision == 0)
		layer->revision = 1;
	if (layer->rollback_index == 0)
		layer->rollback_index = 1;
	if (!layer->key)
		layer->key = layer->role == VARVE_ROLE_BASE ? "base" : "layers";
	for (guint i = 0; sysctl && i < sysctl->items->len; i++) {
		const VarveItem *item = &g_array_index(sysctl->items, VarveItem, i);
		const char *wrong = varve_check_sysctl(item->key);

		if (wrong)
			varve_key_mistake(loader, item, "'%s' %s", item->key, wrong);
	}
}

const VarveSchema varve_schema_layer = {
	.what = "layer",
	.fields = layer_fields,
	.size = sizeof(VarveLayerDraft),
	.check_name = varve_check_name,
	.check = check_layer,
};

/* [editions.NAME] */

static const char *const arches[] = { "x86-64", "arm64", NULL };
/* In the order of VarveCodeIntegrity. */
static const char *const code_integrities[] = { "off", "audit", "enforce", NULL };

static const VarveField edition_fields[] = {
	{ "description", VARVE_FIELD_STRING, 0, AT(VarveEdition, description),
	  .check = varve_check_line },
	{ "variant-id", VARVE_FIELD_STRING, 0, AT(VarveEdition, variant_id),
	  .check = varve_check_os_id },
	{ "upstream", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED, CHECKED_ONLY },
	{ "arch", VARVE_FIELD_CHOICE, 0, CHECKED_ONLY, .choices = arches },
	{ "base", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED, CHECKED_ONLY },
	{ "extensions", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, CHECKED_ONLY },
	{ "policy", VARVE_FIELD_PATH, VARVE_FIELD_NOT_EMPTY, AT(VarveEdition, policy) },
	{ "trusted-keys", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, AT(VarveEdition, trusted_keys),
	  .check = varve_check_key_name },
	{ "support-years", VARVE_FIELD_INTEGER, 0, NUMBER(VarveEdition, support_years), .min = 0,
	  .max = 50 },
	{ "kernel-command-line", VARVE_FIELD_STRINGS, 0, AT(VarveEdition, kernel_command_line),
	  .check = varve_check_argument },
	{ "initrd-modules", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT,
	  AT(VarveEdition, initrd_modules), .check = varve_check_module },
	{ "state-size", VARVE_FIELD_SIZE, 0, AT(VarveEdition, state_size) },
	{ "slot-size", VARVE_FIELD_SIZE, 0, AT(VarveEdition, slot_size) },
	{ "esp-size", VARVE_FIELD_SIZE, 0, AT(VarveEdition, esp_size) },
	{ "code-integrity", VARVE_FIELD_CHOICE, 0, AT(VarveEdition, code_integrity),
	  .choices = code_integrities },
	{ NULL },
};

static void check_edition(VarveLoader *loader, const VarveTable *table, void *data)
{
	VarveEdition *edition = data;
	const VarveItem *policy = varve_table_item(table, "policy");
	const VarveItem *arch = varve_table_item(table, "arch");

	edition->description = edition->description ? edition->description : "";
	edition->variant_id = edition->variant_id ? edition->variant_id : edition->name;
	if (arch && arch->field && g_strv_contains(arches, arch->value->string.text))
		edition->arch = arch->value->string.text;
	if (policy && edition->policy && !g_file_test(edition->policy, G_FILE_TEST_IS_REGULAR))
		varve_item_mistake(loader, policy, "there is no file '%s'",
				   varve_loader_display(loader, edition->policy));
}

const VarveSchema varve_schema_edition = {
	.what = "edition",
	.fields = edition_fields,
	.size = sizeof(VarveEdition),
	.check_name = varve_check_name,
	.check = check_edition,
};
