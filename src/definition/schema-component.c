/* azldev's component tables: where a spec comes from, spec overlays, build settings. */
#include "definition/checks.h"
#include "definition/schema.h"

#include <string.h>

#define AT(type, member) .offset = offsetof(type, member)
#define ARRAY(type, member) .offset = offsetof(type, member), .count = offsetof(type, n_##member)
#define UNBOUND .offset = VARVE_NOWHERE, .count = VARVE_NOWHERE

/* References to distributions; whether they exist is told in components.c. */

#define DISTRO_REFERENCE(flags) \
	{ "name", VARVE_FIELD_STRING, (flags) | VARVE_FIELD_BLANK, \
	  AT(VarveDistroReference, name) }, \
		{ "version", VARVE_FIELD_STRING, VARVE_FIELD_BLANK, \
		  AT(VarveDistroReference, version) }, \
		{ "snapshot", VARVE_FIELD_STRING, VARVE_FIELD_BLANK, \
		  AT(VarveDistroReference, snapshot), .check = varve_check_timestamp }, \
		{ NULL },

static const VarveField distro_reference_fields[] = { DISTRO_REFERENCE(VARVE_FIELD_REQUIRED) };
/* The name may be inherited. */
static const VarveField upstream_distro_fields[] = { DISTRO_REFERENCE(0) };

const VarveSchema varve_schema_distro_reference = {
	.fields = distro_reference_fields,
	.size = sizeof(VarveDistroReference),
};

static const VarveSchema upstream_distro_schema = {
	.fields = upstream_distro_fields,
	.size = sizeof(VarveDistroReference),
};

/* spec */

static const char *const spec_types[] = { "", "local", "upstream", NULL };

static const VarveField spec_fields[] = {
	{ "type", VARVE_FIELD_CHOICE, 0, AT(VarveSpecSource, type), .choices = spec_types },
	{ "path", VARVE_FIELD_PATH, VARVE_FIELD_BLANK, AT(VarveSpecSource, path) },
	{ "upstream-distro", VARVE_FIELD_TABLE, 0, AT(VarveSpecSource, upstream_distro),
	  .schema = &upstream_distro_schema },
	{ "upstream-name", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarveSpecSource, upstream_name), .check = varve_check_file_name },
	{ "upstream-commit", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarveSpecSource, upstream_commit), .check = varve_check_commit },
	{ "metadata", VARVE_FIELD_TABLE, 0, AT(VarveSpecSource, metadata),
	  .schema = &varve_schema_metadata },
	{ NULL },
};

/* What is for one type says so in its own table, also where the type is inherited. */
static void check_spec(VarveLoader *loader, const VarveTable *table, void *data)
{
	static const struct {
		const char *key;
		VarveSpecType type;
	} keys[] = {
		{ "path", VARVE_SPEC_LOCAL },
		{ "upstream-name", VARVE_SPEC_UPSTREAM },
		{ "upstream-commit", VARVE_SPEC_UPSTREAM },
	};
	const VarveSpecSource *spec = data;
	const VarveItem *type = varve_table_item(table, "type");

	if (varve_table_partial(loader, table) ||
	    (type ? !varve_table_has_choice(table, "type") : varve_table_mentions(table, "type")))
		return;
	if (spec->type == VARVE_SPEC_LOCAL && !varve_table_mentions(table, "path"))
		varve_table_mistake(loader, table, "a spec of type 'local' needs a 'path'");
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		const VarveItem *item = varve_table_item(table, keys[i].key);

		if (item && spec->type != keys[i].type)
			varve_key_mistake(loader, item, "'%s' is for a spec with type = \"%s\"",
					  keys[i].key, spec_types[keys[i].type]);
	}
}

static const VarveSchema spec_schema = {
	.fields = spec_fields,
	.size = sizeof(VarveSpecSource),
	.check = check_spec,
};

/* Overlays */

static const char *const overlay_types[] = {
	[VARVE_OVERLAY_SPEC_ADD_TAG] = "spec-add-tag",
	[VARVE_OVERLAY_SPEC_INSERT_TAG] = "spec-insert-tag",
	[VARVE_OVERLAY_SPEC_SET_TAG] = "spec-set-tag",
	[VARVE_OVERLAY_SPEC_UPDATE_TAG] = "spec-update-tag",
	[VARVE_OVERLAY_SPEC_REMOVE_TAG] = "spec-remove-tag",
	[VARVE_OVERLAY_SPEC_PREPEND_LINES] = "spec-prepend-lines",
	[VARVE_OVERLAY_SPEC_APPEND_LINES] = "spec-append-lines",
	[VARVE_OVERLAY_SPEC_SEARCH_REPLACE] = "spec-search-replace",
	[VARVE_OVERLAY_SPEC_REMOVE_SECTION] = "spec-remove-section",
	[VARVE_OVERLAY_SPEC_REMOVE_SUBPACKAGE] = "spec-remove-subpackage",
	[VARVE_OVERLAY_PATCH_ADD] = "patch-add",
	[VARVE_OVERLAY_PATCH_REMOVE] = "patch-remove",
	[VARVE_OVERLAY_FILE_PREPEND_LINES] = "file-prepend-lines",
	[VARVE_OVERLAY_FILE_SEARCH_REPLACE] = "file-search-replace",
	[VARVE_OVERLAY_FILE_ADD] = "file-add",
	[VARVE_OVERLAY_FILE_REMOVE] = "file-remove",
	[VARVE_OVERLAY_FILE_RENAME] = "file-rename",
	NULL,
};

const char *varve_overlay_type_name(VarveOverlayType type)
{
	return overlay_types[type];
}

static const VarveField overlay_fields[] = {
	{ "type", VARVE_FIELD_CHOICE, VARVE_FIELD_REQUIRED, AT(VarveSpecOverlay, type),
	  .choices = overlay_types },
	{ "description", VARVE_FIELD_STRING, 0, AT(VarveSpecOverlay, description) },
	{ "file", VARVE_FIELD_STRING, 0, AT(VarveSpecOverlay, file) },
	{ "archive", VARVE_FIELD_STRING, 0, AT(VarveSpecOverlay, archive) },
	{ "section", VARVE_FIELD_STRING, 0, AT(VarveSpecOverlay, section) },
	{ "package", VARVE_FIELD_STRING, 0, AT(VarveSpecOverlay, package) },
	{ "tag", VARVE_FIELD_STRING, 0, AT(VarveSpecOverlay, tag) },
	{ "value", VARVE_FIELD_STRING, 0, AT(VarveSpecOverlay, value) },
	{ "regex", VARVE_FIELD_STRING, 0, AT(VarveSpecOverlay, regex), .judge = varve_check_regex },
	{ "replacement", VARVE_FIELD_STRING, 0, AT(VarveSpecOverlay, replacement) },
	{ "lines", VARVE_FIELD_STRINGS, 0, AT(VarveSpecOverlay, lines) },
	{ "source", VARVE_FIELD_PATH, 0, AT(VarveSpecOverlay, source) },
	{ "metadata", VARVE_FIELD_TABLE, 0, AT(VarveSpecOverlay, metadata),
	  .schema = &varve_schema_metadata },
	{ NULL },
};

enum {
	NEEDS_TAG = 1 << 0,
	NEEDS_VALUE = 1 << 1,
	NEEDS_LINES = 1 << 2,
	NEEDS_REGEX = 1 << 3,
	NEEDS_FILE = 1 << 4, /* relative */
	NEEDS_SOURCE = 1 << 5,
	NEEDS_REPLACEMENT = 1 << 6, /* a file name */
	NEEDS_SECTION = 1 << 7,
	NEEDS_PACKAGE = 1 << 8,
	TAKES_WHOLE_FILE = 1 << 9, /* without a section: then without a package too */
	TAKES_ARCHIVE = 1 << 10,
	FILE_IS_PATTERN = 1 << 11,
	TAKES_FILE = 1 << 12,
};

static const guint overlay_rules[] = {
	[VARVE_OVERLAY_SPEC_ADD_TAG] = NEEDS_TAG | NEEDS_VALUE,
	[VARVE_OVERLAY_SPEC_INSERT_TAG] = NEEDS_TAG | NEEDS_VALUE,
	[VARVE_OVERLAY_SPEC_SET_TAG] = NEEDS_TAG | NEEDS_VALUE,
	[VARVE_OVERLAY_SPEC_UPDATE_TAG] = NEEDS_TAG | NEEDS_VALUE,
	[VARVE_OVERLAY_SPEC_REMOVE_TAG] = NEEDS_TAG,
	[VARVE_OVERLAY_SPEC_PREPEND_LINES] = NEEDS_LINES | TAKES_WHOLE_FILE,
	[VARVE_OVERLAY_SPEC_APPEND_LINES] = NEEDS_LINES | TAKES_WHOLE_FILE,
	[VARVE_OVERLAY_SPEC_SEARCH_REPLACE] = NEEDS_REGEX | TAKES_WHOLE_FILE,
	[VARVE_OVERLAY_SPEC_REMOVE_SECTION] = NEEDS_SECTION,
	[VARVE_OVERLAY_SPEC_REMOVE_SUBPACKAGE] = NEEDS_PACKAGE,
	[VARVE_OVERLAY_PATCH_ADD] = NEEDS_SOURCE | TAKES_FILE,
	[VARVE_OVERLAY_PATCH_REMOVE] = NEEDS_FILE | FILE_IS_PATTERN,
	[VARVE_OVERLAY_FILE_PREPEND_LINES] = NEEDS_FILE | NEEDS_LINES | FILE_IS_PATTERN,
	[VARVE_OVERLAY_FILE_SEARCH_REPLACE] =
		NEEDS_FILE | NEEDS_REGEX | FILE_IS_PATTERN | TAKES_ARCHIVE,
	[VARVE_OVERLAY_FILE_ADD] = NEEDS_FILE | NEEDS_SOURCE,
	[VARVE_OVERLAY_FILE_REMOVE] = NEEDS_FILE | FILE_IS_PATTERN | TAKES_ARCHIVE,
	[VARVE_OVERLAY_FILE_RENAME] = NEEDS_FILE | NEEDS_REPLACEMENT,
};

/* Empty is missing, as azldev has it. */
static void check_needed(VarveLoader *loader, const VarveTable *table,
			 const VarveSpecOverlay *overlay, guint rules)
{
	const struct {
		guint rule;
		const char *key, *text;
	} needs[] = {
		{ NEEDS_TAG, "tag", overlay->tag },
		{ NEEDS_VALUE, "value", overlay->value },
		{ NEEDS_LINES, "lines", overlay->lines[0] ? "yes" : NULL },
		{ NEEDS_REGEX, "regex", overlay->regex },
		{ NEEDS_FILE, "file", overlay->file },
		{ NEEDS_SOURCE, "source", overlay->source },
		{ NEEDS_REPLACEMENT, "replacement", overlay->replacement },
		{ NEEDS_SECTION, "section", overlay->section },
		{ NEEDS_PACKAGE, "package", overlay->package },
	};
	const char *description = overlay->description;

	for (gsize i = 0; i < G_N_ELEMENTS(needs); i++) {
		const VarveItem *item = varve_table_item(table, needs[i].key);

		if (!(rules & needs[i].rule) || (needs[i].text && *needs[i].text))
			continue;
		/* Given, but wrong in itself: that was said. */
		if (varve_table_partial(loader, table) ||
		    (item && (!item->field || !needs[i].text)))
			if (needs[i].rule != NEEDS_LINES || varve_table_partial(loader, table))
				continue;
		varve_table_mistake(loader, table, "an overlay of type '%s' needs '%s'%s%s",
				    overlay_types[overlay->type], needs[i].key,
				    description ? ": " : "", description ? description : "");
	}
}

static void check_file_key(VarveLoader *loader, const VarveTable *table,
			   const VarveSpecOverlay *overlay, guint rules)
{
	const VarveItem *file = varve_table_item(table, "file");
	const char *wrong = NULL;

	if (!file || !overlay->file || !(rules & (NEEDS_FILE | TAKES_FILE)))
		return;
	wrong = varve_check_relative_path(overlay->file);
	if (!wrong && rules & FILE_IS_PATTERN)
		wrong = varve_check_glob(overlay->file) ? "is an invalid glob pattern" : NULL;
	if (wrong)
		varve_item_mistake(loader, file, "'file': '%s' %s", overlay->file, wrong);
}

static void check_overlay(VarveLoader *loader, const VarveTable *table, void *data)
{
	const VarveSpecOverlay *overlay = data;
	const VarveItem *type = varve_table_item(table, "type");
	const VarveItem *archive = varve_table_item(table, "archive");
	const VarveItem *replacement = varve_table_item(table, "replacement");
	const VarveItem *package = varve_table_item(table, "package");
	const VarveItem *section = varve_table_item(table, "section");
	gboolean has_section = overlay->section && *overlay->section;
	const char *wrong;
	guint rules;

	if (!varve_table_has_choice(table, "type"))
		return;
	rules = overlay_rules[overlay->type];
	check_needed(loader, table, overlay, rules);
	check_file_key(loader, table, overlay, rules);
	if (overlay->archive && *overlay->archive && !(rules & TAKES_ARCHIVE)) {
		varve_key_mistake(loader, archive, "overlays of type '%s' cannot be archive-scoped",
				  type->value->string.text);
	} else if (overlay->archive && *overlay->archive) {
		wrong = varve_check_archive(overlay->archive);
		if (wrong)
			varve_item_mistake(loader, archive, "'archive': '%s' %s", overlay->archive,
					   wrong);
	}
	if (rules & NEEDS_REPLACEMENT && overlay->replacement && *overlay->replacement) {
		wrong = varve_check_file_name(overlay->replacement);
		if (wrong)
			varve_item_mistake(loader, replacement, "'replacement': '%s' %s",
					   overlay->replacement, wrong);
	}
	if (rules & TAKES_WHOLE_FILE && overlay->package && *overlay->package && !has_section)
		varve_key_mistake(loader, package,
				  "an overlay of type '%s' with 'package' needs 'section' too",
				  type->value->string.text);
	if (overlay->type == VARVE_OVERLAY_SPEC_REMOVE_SUBPACKAGE && has_section)
		varve_key_mistake(loader, section,
				  "an overlay of type '%s' takes no 'section': it removes all of "
				  "the package's",
				  type->value->string.text);
}

const VarveSchema varve_schema_overlay = {
	.what = "overlay",
	.fields = overlay_fields,
	.size = sizeof(VarveSpecOverlay),
	.check = check_overlay,
};

/* build */

static const VarveField define = { "MACRO", VARVE_FIELD_STRING, 0, UNBOUND };
static const VarveSchema defines_schema = { .any = &define };

static const VarveField check_fields[] = {
	{ "skip", VARVE_FIELD_BOOLEAN, 0, AT(VarveComponentBuild, check_skip) },
	{ "skip_reason", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarveComponentBuild, check_skip_reason) },
	{ "metadata", VARVE_FIELD_TABLE, 0, AT(VarveComponentBuild, check_metadata),
	  .schema = &varve_schema_metadata },
	{ NULL },
};

static const VarveSchema check_schema = { .fields = check_fields };

static const VarveField failure_fields[] = {
	{ "expected", VARVE_FIELD_BOOLEAN, 0, AT(VarveComponentBuild, failure_expected) },
	{ "expected-reason", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarveComponentBuild, failure_reason) },
	{ NULL },
};

static const VarveSchema failure_schema = { .fields = failure_fields };

static const VarveField hint_fields[] = {
	{ "expensive", VARVE_FIELD_BOOLEAN, 0, AT(VarveComponentBuild, expensive) },
	{ NULL },
};
static const VarveSchema hints_schema = { .fields = hint_fields };

static const VarveField build_fields[] = {
	{ "with", VARVE_FIELD_STRINGS, 0, AT(VarveComponentBuild, with) },
	{ "without", VARVE_FIELD_STRINGS, 0, AT(VarveComponentBuild, without) },
	{ "defines", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &defines_schema },
	{ "undefines", VARVE_FIELD_STRINGS, 0, AT(VarveComponentBuild, undefines) },
	{ "metadata", VARVE_FIELD_TABLE, 0, AT(VarveComponentBuild, metadata),
	  .schema = &varve_schema_metadata },
	{ "emit-upstream-provenance", VARVE_FIELD_BOOLEAN, 0,
	  AT(VarveComponentBuild, emit_upstream_provenance) },
	{ "check", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &check_schema },
	{ "failure", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &failure_schema },
	{ "hints", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &hints_schema },
	{ NULL },
};

static void check_build(VarveLoader *loader, const VarveTable *table, void *data)
{
	VarveComponentBuild *build = data;
	const VarveTable *defines = varve_table_child(table, "defines");
	VarveSetting *settings;

	if (!defines)
		return;
	settings = varve_loader_alloc(loader, defines->items->len * sizeof(*settings));
	for (guint i = 0; i < defines->items->len; i++) {
		const VarveItem *item = &g_array_index(defines->items, VarveItem, i);
		VarveSetting *setting = &settings[build->n_defines];

		if (!item->field)
			continue;
		build->n_defines++;
		setting->origin = varve_source_origin(item->source, item->key_span);
		setting->key = item->key;
		setting->value = item->value->string.text;
	}
	build->defines = settings;
}

static const VarveSchema build_schema = {
	.fields = build_fields,
	.size = sizeof(VarveComponentBuild),
	.check = check_build,
};

/* Publishing, tests, the component itself */

static const VarveField component_publish_fields[] = {
	{ "rpm-channel", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarveComponent, publish.rpm_channel), .check = varve_check_channel },
	{ "srpm-channel", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarveComponent, publish.srpm_channel), .check = varve_check_channel },
	{ "debuginfo-channel", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarveComponent, publish.debuginfo_channel), .check = varve_check_channel },
	{ NULL },
};
static const VarveSchema component_publish_schema = { .fields = component_publish_fields };

/* `channel` is the older spelling of rpm-channel. */
static const VarveField package_publish_fields[] = {
	{ "channel", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarvePackageConfig, publish.rpm_channel), .check = varve_check_channel },
	{ "rpm-channel", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarvePackageConfig, publish.rpm_channel), .check = varve_check_channel },
	{ "debuginfo-channel", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarvePackageConfig, publish.debuginfo_channel), .check = varve_check_channel },
	{ NULL },
};
static const VarveSchema package_publish_schema = { .fields = package_publish_fields };

static const VarveField package_fields[] = {
	{ "publish", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &package_publish_schema },
	{ NULL },
};

const VarveSchema varve_schema_package_config = {
	.what = "package",
	.fields = package_fields,
	.size = sizeof(VarvePackageConfig),
	.later_wins = TRUE,
};

static const VarveField older_publish_fields[] = {
	{ "channel", VARVE_FIELD_STRING, VARVE_FIELD_BLANK, AT(VarveComponent, publish.rpm_channel),
	  .check = varve_check_channel },
	{ "rpm-channel", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarveComponent, publish.rpm_channel), .check = varve_check_channel },
	{ "debuginfo-channel", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarveComponent, publish.debuginfo_channel), .check = varve_check_channel },
	{ NULL },
};
static const VarveSchema older_publish_schema = { .fields = older_publish_fields };

static const VarveField older_package_config_fields[] = {
	{ "publish", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &older_publish_schema },
	{ NULL },
};
static const VarveSchema older_package_config_schema = { .fields = older_package_config_fields };

static const char *const calculations[] = { "auto", "autorelease", "static", "manual", NULL };

static const VarveField release_fields[] = {
	{ "calculation", VARVE_FIELD_CHOICE, VARVE_FIELD_BLANK, AT(VarveComponent, release),
	  .choices = calculations },
	{ NULL },
};
static const VarveSchema release_schema = { .fields = release_fields };

static const VarveField render_fields[] = {
	{ "skip-file-filter", VARVE_FIELD_BOOLEAN, 0, AT(VarveComponent, skip_file_filter) },
	{ NULL },
};
static const VarveSchema render_schema = { .fields = render_fields };

static const VarveField test_reference_fields[] = {
	{ "name", VARVE_FIELD_STRING, VARVE_FIELD_BLANK, AT(VarveTestReference, name) },
	{ "group", VARVE_FIELD_STRING, VARVE_FIELD_BLANK, AT(VarveTestReference, group) },
	{ NULL },
};

static void check_test_reference(VarveLoader *loader, const VarveTable *table, void *data)
{
	(void)data;
	if (!varve_table_item(table, "name") == !varve_table_item(table, "group"))
		varve_table_mistake(loader, table, "a test is named by one of 'name' and 'group'");
}

const VarveSchema varve_schema_test_reference = {
	.what = "test",
	.fields = test_reference_fields,
	.size = sizeof(VarveTestReference),
	.check = check_test_reference,
};

static const VarveField component_test_fields[] = {
	{ "tests", VARVE_FIELD_TABLES, 0, ARRAY(VarveComponent, tests),
	  .schema = &varve_schema_test_reference },
	{ NULL },
};
static const VarveSchema component_tests_schema = { .fields = component_test_fields };

static const VarveField component_fields[] = {
	{ "spec", VARVE_FIELD_TABLE, 0, AT(VarveComponent, spec), .schema = &spec_schema },
	{ "release", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &release_schema },
	{ "overlays", VARVE_FIELD_TABLES, 0, ARRAY(VarveComponent, overlays),
	  .schema = &varve_schema_overlay },
	{ "overlay-files", VARVE_FIELD_STRINGS,
	  VARVE_FIELD_NOT_EMPTY | VARVE_FIELD_OR_NONE | VARVE_FIELD_REPLACED,
	  AT(VarveComponent, overlay_files), .check = varve_check_pattern },
	{ "build", VARVE_FIELD_TABLE, 0, AT(VarveComponent, build), .schema = &build_schema },
	{ "render", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &render_schema },
	{ "source-files", VARVE_FIELD_TABLES, 0, ARRAY(VarveComponent, source_files),
	  .schema = &varve_schema_source_file },
	{ "packages", VARVE_FIELD_MAP, VARVE_FIELD_REPLACED, ARRAY(VarveComponent, packages),
	  .schema = &varve_schema_package_config },
	/* Before August 2026; what `publish` says wins. */
	{ "default-package-config", VARVE_FIELD_TABLE, 0, UNBOUND,
	  .schema = &older_package_config_schema },
	{ "publish", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &component_publish_schema },
	{ "tests", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &component_tests_schema },
	{ NULL },
};

/* What two files say of one component adds up; a file is still named once. */
static void check_filenames(VarveLoader *loader, const VarveTable *table)
{
	const VarveItem *files = varve_table_item(table, "source-files");
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; files && files->field && i < files->tables->len; i++) {
		const VarveItem *name = varve_table_item(files->tables->pdata[i], "filename");

		if (name && name->field &&
		    !g_hash_table_add(seen, (gpointer)name->value->string.text))
			varve_item_mistake(loader, name, "there is a source file '%s' already",
					   name->value->string.text);
	}
}

static void check_defaults(VarveLoader *loader, const VarveTable *table, void *data)
{
	VarveComponent *component = data;
	const VarveTable *release = varve_table_child(table, "release");

	component->has_release = release && varve_table_item(release, "calculation");
	component->table = table;
	check_filenames(loader, table);
}

/* A component says why itself; of defaults a reason may be inherited, or be the component's. */
static void check_component(VarveLoader *loader, const VarveTable *table, void *data)
{
	const VarveComponentBuild *build = &((VarveComponent *)data)->build;
	const VarveTable *settings = varve_table_child(table, "build");
	const VarveTable *check = varve_table_child(settings, "check");
	const VarveTable *failure = varve_table_child(settings, "failure");

	check_defaults(loader, table, data);
	if (check && build->check_skip && !build->check_skip_reason &&
	    !varve_table_mentions(check, "skip_reason") && !varve_table_partial(loader, check))
		varve_table_mistake(loader, check, "'skip = true' needs a 'skip_reason'");
	if (failure && build->failure_expected && !build->failure_reason &&
	    !varve_table_mentions(failure, "expected-reason") &&
	    !varve_table_partial(loader, failure))
		varve_table_mistake(loader, failure,
				    "'expected = true' needs an 'expected-reason'");
}

const VarveSchema varve_schema_component = {
	.what = "component",
	.fields = component_fields,
	.size = sizeof(VarveComponent),
	.check_name = varve_check_plain_name,
	.later_wins = TRUE,
	.check = check_component,
};

/* A default-component-config: the same, and not named. */
const VarveSchema varve_schema_component_defaults = {
	.fields = component_fields,
	.size = sizeof(VarveComponent),
	.later_wins = TRUE,
	.check = check_defaults,
};
