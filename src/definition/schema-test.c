/* Tests of images and components: [tests], [test-groups], and the older [test-suites]. What a
 * framework is told is the framework's, but for what azldev asks of it. References among them are
 * checked in tests.c. */
#include "definition/checks.h"
#include "definition/schema.h"

#include <string.h>

#define UNBOUND .offset = VARVE_NOWHERE, .count = VARVE_NOWHERE

static const VarveSchema anything = { 0 };
static const char *const suite_types[] = { "pytest", "lisa", NULL };
static const char *const test_types[] = { "pytest", "lisa", "tmt", NULL };
static const char *const test_kinds[] = { "functional", "performance", NULL };
static const char *const install_modes[] = { "pyproject", "requirements", "none", NULL };

/* [test-suites] */

static const VarveField pytest_fields[] = {
	{ "working-dir", VARVE_FIELD_STRING, VARVE_FIELD_BLANK, UNBOUND },
	{ "test-paths", VARVE_FIELD_STRINGS, 0, UNBOUND },
	{ "extra-args", VARVE_FIELD_STRINGS, 0, UNBOUND },
	{ "install", VARVE_FIELD_CHOICE, VARVE_FIELD_BLANK, UNBOUND, .choices = install_modes },
	{ NULL },
};

static void check_pytest(VarveLoader *loader, const VarveTable *table, void *data)
{
	const VarveItem *install = varve_table_item(table, "install");

	(void)data;
	if (install && varve_table_has_choice(table, "install") &&
	    strcmp(install->value->string.text, "none") != 0 &&
	    !varve_table_mentions(table, "working-dir"))
		varve_item_mistake(loader, install, "'install' needs a 'working-dir'");
}

static const VarveSchema pytest_schema = { .fields = pytest_fields, .check = check_pytest };

static const VarveField framework_fields[] = {
	{ "git-url", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED | VARVE_FIELD_BLANK, UNBOUND },
	{ "ref", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED | VARVE_FIELD_BLANK, UNBOUND,
	  .check = varve_check_whole_commit },
	{ NULL },
};
static const VarveSchema framework_schema = { .fields = framework_fields };

static const VarveField lisa_fields[] = {
	{ "framework", VARVE_FIELD_TABLE, VARVE_FIELD_REQUIRED, UNBOUND,
	  .schema = &framework_schema },
	{ "test-cases", VARVE_FIELD_STRINGS, VARVE_FIELD_REQUIRED | VARVE_FIELD_NOT_EMPTY,
	  UNBOUND },
	{ "pip-pre-install", VARVE_FIELD_STRINGS, 0, UNBOUND },
	{ "pip-extras", VARVE_FIELD_STRINGS, 0, UNBOUND },
	{ "extra-args", VARVE_FIELD_STRINGS, 0, UNBOUND },
	{ NULL },
};
static const VarveSchema lisa_schema = { .fields = lisa_fields };

static const VarveField suite_fields[] = {
	{ "description", VARVE_FIELD_STRING, 0, UNBOUND },
	{ "type", VARVE_FIELD_CHOICE, VARVE_FIELD_REQUIRED, UNBOUND, .choices = suite_types },
	{ "pytest", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &pytest_schema },
	{ "lisa", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &lisa_schema },
	{ NULL },
};

/* The table of its type, and of no other. */
static void check_tables_of_type(VarveLoader *loader, const VarveTable *table,
				 const char *const *types, const char *optional)
{
	const VarveItem *type = varve_table_item(table, "type");

	for (gsize i = 0; type && type->field && types[i]; i++) {
		const VarveItem *item = varve_table_item(table, types[i]);
		gboolean of_type = strcmp(type->value->string.text, types[i]) == 0;

		if (item && !of_type)
			varve_key_mistake(loader, item, "'%s' is for tests of type '%s'", types[i],
					  types[i]);
		else if (!item && of_type && g_strcmp0(types[i], optional) != 0 &&
			 !varve_table_partial(loader, table))
			varve_table_mistake(loader, table, "a test of type '%s' needs '%s'",
					    types[i], types[i]);
	}
}

static void check_suite(VarveLoader *loader, const VarveTable *table, void *data)
{
	(void)data;
	check_tables_of_type(loader, table, suite_types, "lisa");
}

const VarveSchema varve_schema_test_suite = {
	.what = "test suite",
	.fields = suite_fields,
	.check_name = varve_check_plain_name,
	.check = check_suite,
};

static const VarveField suite_reference_fields[] = {
	{ "name", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED | VARVE_FIELD_NOT_EMPTY, UNBOUND },
	{ NULL },
};

const VarveSchema varve_schema_suite_reference = {
	.what = "test suite",
	.fields = suite_reference_fields,
};

/* [tests]: tables of frameworks, as they were written. */

static gboolean is_text(const VarveTomlValue *value)
{
	if (!value || value->type != VARVE_TOML_STRING)
		return FALSE;
	for (const char *c = value->string.text; *c; c++) {
		if (!g_ascii_isspace(*c))
			return TRUE;
	}
	return FALSE;
}

static gboolean is_texts(const VarveTomlValue *value)
{
	if (!value || value->type != VARVE_TOML_ARRAY || value->array.n == 0)
		return FALSE;
	for (guint32 i = 0; i < value->array.n; i++) {
		if (!is_text(value->array.items[i]))
			return FALSE;
	}
	return TRUE;
}

static gboolean is_priority(const VarveTomlValue *value)
{
	return value->type == VARVE_TOML_INTEGER && value->integer >= 0 && value->integer <= 4;
}

static gboolean is_priorities(const VarveTomlValue *value)
{
	if (value->type != VARVE_TOML_ARRAY)
		return is_priority(value);
	for (guint32 i = 0; i < value->array.n; i++) {
		if (!is_priority(value->array.items[i]))
			return FALSE;
	}
	return value->array.n > 0;
}

static void need(VarveLoader *loader, const VarveItem *item, const char *key, gboolean good,
		 const char *what)
{
	const VarveTomlValue *value = varve_toml_get(item->value, key);

	if (!good && value)
		varve_loader_mistake(loader, item->source, value->span, "'%s' must be %s", key,
				     what);
	else if (!good)
		varve_key_mistake(loader, item, "'%s' has no '%s', which must be set", item->key,
				  key);
}

static void check_pytest_test(VarveLoader *loader, const VarveItem *item)
{
	need(loader, item, "working-dir", is_text(varve_toml_get(item->value, "working-dir")),
	     "a string that is not empty");
	need(loader, item, "test-paths", is_texts(varve_toml_get(item->value, "test-paths")),
	     "an array of strings, none of them empty");
}

static void check_tmt_test(VarveLoader *loader, const VarveItem *item)
{
	const VarveTomlValue *source = varve_toml_get(item->value, "source");
	gboolean table = source && source->type == VARVE_TOML_TABLE;
	const VarveTomlValue *url = table ? varve_toml_get(source, "git-url") : NULL;
	const VarveTomlValue *ref = table ? varve_toml_get(source, "ref") : NULL;

	need(loader, item, "plan", is_text(varve_toml_get(item->value, "plan")),
	     "a string that is not empty");
	need(loader, item, "source",
	     is_text(url) && is_text(ref) && !varve_check_whole_commit(ref->string.text),
	     "a table with 'git-url' and 'ref', which has 40 hexadecimal digits");
}

/* What a criterion of LISA's may choose by. */
static void check_criterion(VarveLoader *loader, const VarveItem *item,
			    const VarveTomlValue *criterion)
{
	static const char *const texts[] = { "name", "area", "category", "testcase-name", NULL };
	static const char *const lists[] = { "tags", "testcase-names", NULL };

	TOML_FOREACH (entry, criterion) {
		const char *wrong = NULL;

		if (g_strv_contains(texts, entry->key))
			wrong = is_text(entry->value) ? NULL : "a string that is not empty";
		else if (g_strv_contains(lists, entry->key))
			wrong = is_texts(entry->value) ? NULL
						       : "an array of strings, none of them empty";
		else if (strcmp(entry->key, "priority") == 0)
			wrong = is_priorities(entry->value) ? NULL : "0 to 4, or an array of such";
		else
			varve_loader_mistake(loader, item->source, entry->key_span,
					     "'%s' is nothing that a criterion chooses by",
					     entry->key);
		if (wrong)
			varve_loader_mistake(loader, item->source, entry->value->span,
					     "'%s' must be %s", entry->key, wrong);
	}
}

static void check_criteria(VarveLoader *loader, const VarveItem *item,
			   const VarveTomlValue *criteria)
{
	gboolean list = criteria->type == VARVE_TOML_ARRAY;
	guint32 n = list ? criteria->array.n : 1;
	gboolean good = n > 0;

	for (guint32 i = 0; i < n; i++) {
		const VarveTomlValue *one = list ? criteria->array.items[i] : criteria;

		if (one->type == VARVE_TOML_TABLE && one->table.n > 0)
			check_criterion(loader, item, one);
		else
			good = FALSE;
	}
	if (!good)
		varve_loader_mistake(loader, item->source, criteria->span,
				     "'criteria' must be a table, or an array of tables, none of "
				     "them empty");
}

static void check_lisa_test(VarveLoader *loader, const VarveItem *item)
{
	const VarveTomlValue *criteria = varve_toml_get(item->value, "criteria");
	const VarveTomlValue *one = varve_toml_get(item->value, "testcase-name");
	const VarveTomlValue *name = varve_toml_get(item->value, "name");
	const VarveTomlValue *several = varve_toml_get(item->value, "testcase-names");

	if (!criteria && !one && !name && !several)
		varve_key_mistake(loader, item,
				  "'lisa' chooses no test: by 'criteria', 'testcase-name', "
				  "'testcase-names' or 'name'");
	if (criteria)
		check_criteria(loader, item, criteria);
	need(loader, item, "testcase-name", !one || is_text(one), "a string that is not empty");
	need(loader, item, "name", !name || is_text(name), "a string that is not empty");
	need(loader, item, "testcase-names", !several || is_texts(several),
	     "an array of strings, none of them empty");
}

static const VarveField test_fields[] = {
	{ "type", VARVE_FIELD_CHOICE, VARVE_FIELD_REQUIRED, UNBOUND, .choices = test_types },
	{ "description", VARVE_FIELD_STRING, 0, UNBOUND },
	{ "kind", VARVE_FIELD_CHOICE, VARVE_FIELD_BLANK, UNBOUND, .choices = test_kinds },
	{ "long-running", VARVE_FIELD_BOOLEAN, 0, UNBOUND },
	{ "metrics-enabled", VARVE_FIELD_BOOLEAN, 0, UNBOUND },
	{ "required-capabilities", VARVE_FIELD_STRINGS, 0, UNBOUND },
	{ "lisa", VARVE_FIELD_OPAQUE, 0, UNBOUND, .schema = &anything },
	{ "tmt", VARVE_FIELD_OPAQUE, 0, UNBOUND, .schema = &anything },
	{ "pytest", VARVE_FIELD_OPAQUE, 0, UNBOUND, .schema = &anything },
	{ NULL },
};

static void check_test(VarveLoader *loader, const VarveTable *table, void *data)
{
	static void (*const checks[])(VarveLoader *, const VarveItem *) = {
		check_pytest_test,
		check_lisa_test,
		check_tmt_test,
	};
	const VarveItem *type = varve_table_item(table, "type");

	(void)data;
	check_tables_of_type(loader, table, test_types, NULL);
	for (gsize i = 0; type && type->field && test_types[i]; i++) {
		const VarveItem *item = varve_table_item(table, test_types[i]);

		if (item && item->field && strcmp(type->value->string.text, test_types[i]) == 0)
			checks[i](loader, item);
	}
}

const VarveSchema varve_schema_test = {
	.what = "test",
	.fields = test_fields,
	.check_name = varve_check_plain_name,
	.check = check_test,
};

/* [test-groups] */

static const VarveField member_fields[] = {
	{ "name", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED | VARVE_FIELD_NOT_EMPTY, UNBOUND },
	{ NULL },
};
static const VarveSchema member_schema = { .what = "test", .fields = member_fields };

static const VarveField test_group_fields[] = {
	{ "description", VARVE_FIELD_STRING, 0, UNBOUND },
	{ "tests", VARVE_FIELD_TABLES, 0, UNBOUND, .schema = &member_schema },
	{ NULL },
};

const VarveSchema varve_schema_test_group = {
	.what = "test group",
	.fields = test_group_fields,
};
