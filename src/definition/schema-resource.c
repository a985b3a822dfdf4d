/* [resources]: repositories of RPMs that distributions name as inputs. References among them are
 * checked in resources.c. */
#include "definition/checks.h"
#include "definition/schema.h"

#include <string.h>

#define UNBOUND .offset = VARVE_NOWHERE, .count = VARVE_NOWHERE

static const char *const repo_types[] = { "rpm-md", NULL };
static const char *const subrepo_kinds[] = { "binary", "debug", "source", NULL };

static const VarveField rpm_repo_fields[] = {
	{ "description", VARVE_FIELD_STRING, 0, UNBOUND, .check = varve_check_line },
	{ "type", VARVE_FIELD_CHOICE, VARVE_FIELD_BLANK, UNBOUND, .choices = repo_types },
	{ "base-uri", VARVE_FIELD_STRING, VARVE_FIELD_BLANK, UNBOUND,
	  .check = varve_check_web_url },
	{ "metalink", VARVE_FIELD_STRING, VARVE_FIELD_BLANK, UNBOUND,
	  .check = varve_check_web_url },
	{ "disable-gpg-check", VARVE_FIELD_BOOLEAN, 0, UNBOUND },
	{ "gpg-key", VARVE_FIELD_STRING, VARVE_FIELD_BLANK, UNBOUND, .check = varve_check_gpg_key },
	{ "arches", VARVE_FIELD_STRINGS, 0, UNBOUND },
	{ NULL },
};

static gboolean is_true(const VarveTable *table, const char *key)
{
	const VarveItem *item = varve_table_item(table, key);

	return item && item->field && item->value->boolean;
}

static void check_gpg(VarveLoader *loader, const VarveTable *table)
{
	if (!varve_table_item(table, "gpg-key") && !is_true(table, "disable-gpg-check") &&
	    !varve_table_partial(loader, table))
		varve_table_mistake(loader, table,
				    "'%s' needs a 'gpg-key', or 'disable-gpg-check = true'",
				    table->name);
}

static void check_rpm_repo(VarveLoader *loader, const VarveTable *table, void *data)
{
	(void)data;
	if (!varve_table_item(table, "base-uri") == !varve_table_item(table, "metalink") &&
	    !varve_table_partial(loader, table))
		varve_table_mistake(loader, table,
				    "'%s' must have exactly one of 'base-uri' and 'metalink'",
				    table->name);
	check_gpg(loader, table);
}

static const VarveSchema rpm_repo_schema = {
	.what = "rpm repository",
	.fields = rpm_repo_fields,
	.check_name = varve_check_resource_name,
	.check = check_rpm_repo,
};

static const VarveField subrepo_fields[] = {
	{ "name", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED, UNBOUND,
	  .check = varve_check_resource_name },
	{ "subpath", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED, UNBOUND,
	  .check = varve_check_subpath },
	{ "kind", VARVE_FIELD_CHOICE, VARVE_FIELD_BLANK, UNBOUND, .choices = subrepo_kinds },
	{ NULL },
};
static const VarveSchema subrepo_schema = { .what = "sub-repository", .fields = subrepo_fields };

static const VarveField template_fields[] = {
	{ "description", VARVE_FIELD_STRING, 0, UNBOUND, .check = varve_check_line },
	{ "subrepos", VARVE_FIELD_TABLES, VARVE_FIELD_REQUIRED | VARVE_FIELD_NOT_EMPTY, UNBOUND,
	  .schema = &subrepo_schema },
	{ NULL },
};
static void check_template(VarveLoader *loader, const VarveTable *table, void *data)
{
	const VarveItem *subrepos = varve_table_item(table, "subrepos");
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	(void)data;
	for (guint i = 0; subrepos && subrepos->field && i < subrepos->tables->len; i++) {
		const VarveItem *name = varve_table_item(subrepos->tables->pdata[i], "name");

		if (name && name->field &&
		    !g_hash_table_add(seen, (gpointer)name->value->string.text))
			varve_item_mistake(loader, name, "there is a sub-repository '%s' already",
					   name->value->string.text);
	}
}

static const VarveSchema template_schema = {
	.what = "template",
	.fields = template_fields,
	.check_name = varve_check_resource_name,
	.check = check_template,
};

static const VarveField repo_set_fields[] = {
	{ "description", VARVE_FIELD_STRING, 0, UNBOUND, .check = varve_check_line },
	{ "template", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED | VARVE_FIELD_NOT_EMPTY, UNBOUND },
	{ "base-uri", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED, UNBOUND,
	  .check = varve_check_plain_url },
	{ "name-prefix", VARVE_FIELD_STRING, 0, UNBOUND },
	{ "gpg-key", VARVE_FIELD_STRING, VARVE_FIELD_BLANK, UNBOUND, .check = varve_check_gpg_key },
	{ "disable-gpg-check", VARVE_FIELD_BOOLEAN, 0, UNBOUND },
	{ "disable-ssl-verify", VARVE_FIELD_BOOLEAN, 0, UNBOUND },
	{ "arches", VARVE_FIELD_STRINGS, 0, UNBOUND },
	{ "subrepos", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, UNBOUND },
	{ NULL },
};

static void check_repo_set(VarveLoader *loader, const VarveTable *table, void *data)
{
	(void)data;
	check_gpg(loader, table);
}

static const VarveSchema repo_set_schema = {
	.what = "set of rpm repositories",
	.fields = repo_set_fields,
	.check_name = varve_check_resource_name,
	.check = check_repo_set,
};

static const VarveField resource_fields[] = {
	{ "rpm-repos", VARVE_FIELD_MAP, VARVE_FIELD_REPLACED, UNBOUND, .schema = &rpm_repo_schema },
	{ "rpm-repo-set-templates", VARVE_FIELD_MAP, VARVE_FIELD_REPLACED, UNBOUND,
	  .schema = &template_schema },
	{ "rpm-repo-sets", VARVE_FIELD_MAP, VARVE_FIELD_REPLACED, UNBOUND,
	  .schema = &repo_set_schema },
	{ NULL },
};
const VarveSchema varve_schema_resources = { .fields = resource_fields, .later_wins = TRUE };
