/* [[source-files]]: files that the upstream has not, or others than its own, and where they come
 * from. */
#include "definition/checks.h"
#include "definition/schema.h"

#include <string.h>

#define AT(type, member) .offset = offsetof(type, member)
#define UNBOUND .offset = VARVE_NOWHERE, .count = VARVE_NOWHERE

static const char *string_of(const VarveTable *table, const char *key)
{
	const VarveItem *item = varve_table_item(table, key);

	return item && item->field ? item->value->string.text : NULL;
}

static const char *const origin_types[] = { "download", "custom", "overlay", NULL };
static const char *const hash_types[] = { "SHA256", "SHA512", NULL };

static const VarveField origin_fields[] = {
	{ "type", VARVE_FIELD_CHOICE, VARVE_FIELD_REQUIRED, AT(VarveSourceFile, from),
	  .choices = origin_types },
	{ "uri", VARVE_FIELD_STRING, VARVE_FIELD_BLANK, AT(VarveSourceFile, uri) },
	{ "script", VARVE_FIELD_STRING, VARVE_FIELD_BLANK, AT(VarveSourceFile, script),
	  .check = varve_check_plain_name },
	{ "mock-packages", VARVE_FIELD_STRINGS, 0, AT(VarveSourceFile, mock_packages) },
	{ "inputs", VARVE_FIELD_STRINGS, VARVE_FIELD_DISTINCT, AT(VarveSourceFile, inputs),
	  .check = varve_check_plain_name },
	{ NULL },
};

/* The script lies beside its inputs. */
static void check_inputs(VarveLoader *loader, const VarveTable *table, const VarveSourceFile *file)
{
	const VarveItem *inputs = varve_table_item(table, "inputs");

	for (guint32 i = 0; inputs && inputs->field && file->script && i < inputs->value->array.n;
	     i++) {
		if (strcmp(varve_item_string(inputs, i), file->script) == 0)
			varve_loader_mistake(
				loader, inputs->source, inputs->value->array.items[i]->span,
				"'%s' is the script, which is there anyway", file->script);
	}
}

static void check_origin(VarveLoader *loader, const VarveTable *table, void *data)
{
	static const char *const custom_only[] = { "script", "mock-packages", "inputs" };
	const VarveSourceFile *file = data;
	const VarveItem *uri = varve_table_item(table, "uri");
	g_autofree char *scheme = file->uri ? g_uri_parse_scheme(file->uri) : NULL;

	if (!varve_table_has_choice(table, "type"))
		return;
	if (file->from == VARVE_SOURCE_DOWNLOAD && !uri && !varve_table_partial(loader, table))
		varve_table_mistake(loader, table, "an origin of type 'download' needs a 'uri'");
	else if (file->from != VARVE_SOURCE_DOWNLOAD && uri)
		varve_key_mistake(loader, uri, "'uri' is for origins of type 'download'");
	else if (uri && file->uri && !scheme)
		varve_item_mistake(loader, uri, "'uri': '%s' has no scheme such as https://",
				   file->uri);
	if (file->from == VARVE_SOURCE_CUSTOM && !varve_table_item(table, "script"))
		varve_table_mistake(loader, table, "an origin of type 'custom' needs a 'script'");
	check_inputs(loader, table, file);
	for (gsize i = 0; i < G_N_ELEMENTS(custom_only); i++) {
		const VarveItem *item = varve_table_item(table, custom_only[i]);

		if (item && item->field && item->value->type == VARVE_TOML_ARRAY &&
		    item->value->array.n == 0)
			continue;
		if (item && file->from != VARVE_SOURCE_CUSTOM)
			varve_key_mistake(loader, item, "'%s' is for origins of type 'custom'",
					  custom_only[i]);
	}
}

static const VarveSchema origin_schema = { .fields = origin_fields, .check = check_origin };

static const VarveField source_file_fields[] = {
	{ "filename", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED, AT(VarveSourceFile, filename),
	  .check = varve_check_plain_name },
	{ "hash", VARVE_FIELD_STRING, VARVE_FIELD_BLANK, AT(VarveSourceFile, hash) },
	{ "hash-type", VARVE_FIELD_CHOICE, VARVE_FIELD_BLANK, UNBOUND, .choices = hash_types },
	{ "origin", VARVE_FIELD_TABLE, VARVE_FIELD_REQUIRED, UNBOUND, .schema = &origin_schema },
	{ "replace-upstream", VARVE_FIELD_BOOLEAN, 0, AT(VarveSourceFile, replace_upstream) },
	{ "replace-reason", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarveSourceFile, replace_reason) },
	{ "metadata", VARVE_FIELD_TABLE, 0, AT(VarveSourceFile, metadata),
	  .schema = &varve_schema_metadata },
	{ NULL },
};

static void check_hash(VarveLoader *loader, const VarveTable *table, VarveSourceFile *file)
{
	const VarveItem *hash = varve_table_item(table, "hash");
	gsize digits;

	file->hash_type = string_of(table, "hash-type");
	if (!hash || !file->hash || !*file->hash)
		return;
	if (!file->hash_type) {
		varve_key_mistake(loader, hash, "'hash' needs a 'hash-type'");
		return;
	}
	digits = strcmp(file->hash_type, "SHA512") == 0 ? 128 : 64;
	if (strlen(file->hash) != digits || strspn(file->hash, "0123456789abcdefABCDEF") != digits)
		varve_item_mistake(loader, hash, "a hash of type %s has %zu hexadecimal digits",
				   file->hash_type, digits);
}

static void check_source_file(VarveLoader *loader, const VarveTable *table, void *data)
{
	VarveSourceFile *file = data;
	const VarveItem *reason = varve_table_item(table, "replace-reason");
	const char *text = file->replace_reason ? file->replace_reason : "";

	check_hash(loader, table, file);
	while (g_ascii_isspace(*text))
		text++;
	if (file->replace_upstream && !*text)
		varve_table_mistake(loader, table,
				    "'replace-upstream = true' needs a 'replace-reason'");
	else if (!file->replace_upstream && reason)
		varve_key_mistake(loader, reason,
				  "'replace-reason' is for 'replace-upstream = true'");
	if (file->from == VARVE_SOURCE_OVERLAY && !file->replace_upstream)
		varve_table_mistake(loader, table,
				    "an origin of type 'overlay' needs 'replace-upstream = true'");
}

const VarveSchema varve_schema_source_file = {
	.what = "source file",
	.fields = source_file_fields,
	.size = sizeof(VarveSourceFile),
	.check = check_source_file,
};
