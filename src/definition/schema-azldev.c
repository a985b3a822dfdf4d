/* azldev's tables beside the components: [project], [distros], groups, [images], [resources],
 * tests. */
#include "definition/checks.h"
#include "definition/schema.h"

#include <string.h>

#define AT(type, member) .offset = offsetof(type, member)
#define ARRAY(type, member) .offset = offsetof(type, member), .count = offsetof(type, n_##member)
#define UNBOUND .offset = VARVE_NOWHERE, .count = VARVE_NOWHERE

/* [project] */

static const VarveField project_fields[] = {
	{ "description", VARVE_FIELD_STRING, 0, AT(VarveProjectDraft, project.description) },
	{ "log-dir", VARVE_FIELD_PATH, VARVE_FIELD_BLANK, AT(VarveProjectDraft, project.log_dir) },
	{ "work-dir", VARVE_FIELD_PATH, VARVE_FIELD_BLANK,
	  AT(VarveProjectDraft, project.work_dir) },
	{ "output-dir", VARVE_FIELD_PATH, VARVE_FIELD_BLANK,
	  AT(VarveProjectDraft, project.output_dir) },
	{ "rendered-specs-dir", VARVE_FIELD_PATH, VARVE_FIELD_BLANK,
	  AT(VarveProjectDraft, rendered_specs_dir) },
	{ "lock-dir", VARVE_FIELD_PATH, VARVE_FIELD_BLANK, AT(VarveProjectDraft, lock_dir) },
	{ "default-distro", VARVE_FIELD_TABLE, 0, AT(VarveProjectDraft, default_distro),
	  .schema = &varve_schema_distro_reference },
	{ "default-author-email", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarveProjectDraft, default_author_email), .check = varve_check_line },
	{ NULL },
};

const VarveSchema varve_schema_project = {
	.fields = project_fields,
	.size = sizeof(VarveProjectDraft),
	.later_wins = TRUE,
};

/* [distros.NAME] */

static const VarveField repo_fields[] = {
	{ "base-uri", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED, AT(VarveUrl, url),
	  .check = varve_check_url },
	{ NULL },
};
static const VarveSchema repo_schema = {
	.what = "repository",
	.fields = repo_fields,
	.size = sizeof(VarveUrl),
};

static const VarveField input_fields[] = {
	{ "repo", VARVE_FIELD_STRING, VARVE_FIELD_BLANK, UNBOUND },
	{ "set", VARVE_FIELD_STRING, VARVE_FIELD_BLANK, UNBOUND },
	{ NULL },
};

static void check_input(VarveLoader *loader, const VarveTable *table, void *data)
{
	(void)data;
	if (!varve_table_item(table, "repo") == !varve_table_item(table, "set"))
		varve_table_mistake(loader, table, "an input is named by one of 'repo' and 'set'");
}

static const VarveSchema input_schema = {
	.what = "input",
	.fields = input_fields,
	.check = check_input,
};

static const VarveField inputs_fields[] = {
	{ "rpm-build", VARVE_FIELD_TABLES, 0, UNBOUND, .schema = &input_schema },
	{ "image-build", VARVE_FIELD_TABLES, 0, UNBOUND, .schema = &input_schema },
	{ NULL },
};
static const VarveSchema inputs_schema = { .fields = inputs_fields };

static const VarveField version_fields[] = {
	{ "description", VARVE_FIELD_STRING, 0, AT(VarveDistroVersion, description) },
	{ "release-ver", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED,
	  AT(VarveDistroVersion, release_ver) },
	{ "dist-git-branch", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarveDistroVersion, dist_git_branch) },
	{ "default-component-config", VARVE_FIELD_TABLE, 0, AT(VarveDistroVersion, defaults),
	  .schema = &varve_schema_component_defaults },
	{ "mock-config", VARVE_FIELD_PATH, VARVE_FIELD_BLANK, AT(VarveDistroVersion, mock_config) },
	{ "mock-config-x86_64", VARVE_FIELD_PATH, VARVE_FIELD_BLANK,
	  AT(VarveDistroVersion, mock_config_x86_64) },
	{ "mock-config-aarch64", VARVE_FIELD_PATH, VARVE_FIELD_BLANK,
	  AT(VarveDistroVersion, mock_config_aarch64) },
	{ "kiwi-config-override", VARVE_FIELD_PATH, VARVE_FIELD_BLANK, UNBOUND },
	{ "inputs", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &inputs_schema },
	{ NULL },
};
static const VarveSchema version_schema = {
	.what = "version",
	.fields = version_fields,
	.size = sizeof(VarveDistroVersion),
};

static const VarveField distro_fields[] = {
	{ "description", VARVE_FIELD_STRING, 0, AT(VarveDistro, description) },
	{ "default-version", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarveDistro, default_version) },
	{ "dist-git-base-uri", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarveDistro, dist_git_base_uri) },
	{ "lookaside-base-uri", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarveDistro, lookaside_base_uri) },
	{ "repos", VARVE_FIELD_TABLES, VARVE_FIELD_REPLACED, ARRAY(VarveDistro, repositories),
	  .schema = &repo_schema },
	{ "disable-origins", VARVE_FIELD_BOOLEAN, 0, AT(VarveDistro, disable_origins) },
	{ "versions", VARVE_FIELD_MAP, VARVE_FIELD_REPLACED, ARRAY(VarveDistro, versions),
	  .schema = &version_schema },
	{ NULL },
};

const VarveSchema varve_schema_distro = {
	.what = "distribution",
	.fields = distro_fields,
	.size = sizeof(VarveDistro),
	.later_wins = TRUE,
};

/* Groups */

static const VarveField component_group_fields[] = {
	{ "description", VARVE_FIELD_STRING, 0, AT(VarveComponentGroup, description) },
	{ "metadata", VARVE_FIELD_TABLE, 0, AT(VarveComponentGroup, metadata),
	  .schema = &varve_schema_metadata },
	{ "components", VARVE_FIELD_STRINGS, VARVE_FIELD_NOT_EMPTY | VARVE_FIELD_OR_NONE,
	  AT(VarveComponentGroup, components) },
	{ "specs", VARVE_FIELD_PATHS, VARVE_FIELD_NOT_EMPTY | VARVE_FIELD_OR_NONE,
	  AT(VarveComponentGroup, specs), .check = varve_check_pattern },
	{ "excluded-paths", VARVE_FIELD_PATHS, 0, AT(VarveComponentGroup, excluded_paths),
	  .check = varve_check_pattern },
	{ "default-component-config", VARVE_FIELD_TABLE, 0, AT(VarveComponentGroup, defaults),
	  .schema = &varve_schema_component_defaults },
	{ NULL },
};

const VarveSchema varve_schema_component_group = {
	.what = "component group",
	.fields = component_group_fields,
	.size = sizeof(VarveComponentGroup),
};

static const VarveField package_group_publish_fields[] = {
	{ "channel", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarvePackageGroup, publish.rpm_channel), .check = varve_check_channel },
	{ "rpm-channel", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarvePackageGroup, publish.rpm_channel), .check = varve_check_channel },
	{ "debuginfo-channel", VARVE_FIELD_STRING, VARVE_FIELD_BLANK,
	  AT(VarvePackageGroup, publish.debuginfo_channel), .check = varve_check_channel },
	{ NULL },
};
static const VarveSchema package_group_publish_schema = { .fields = package_group_publish_fields };

static const VarveField package_group_config_fields[] = {
	{ "publish", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &package_group_publish_schema },
	{ NULL },
};
static const VarveSchema package_group_config_schema = { .fields = package_group_config_fields };

static const VarveField package_group_fields[] = {
	{ "description", VARVE_FIELD_STRING, 0, AT(VarvePackageGroup, description) },
	{ "packages", VARVE_FIELD_STRINGS, 0, AT(VarvePackageGroup, packages),
	  .check = varve_check_package },
	{ "default-package-config", VARVE_FIELD_TABLE, 0, UNBOUND,
	  .schema = &package_group_config_schema },
	{ NULL },
};

const VarveSchema varve_schema_package_group = {
	.what = "package group",
	.fields = package_group_fields,
	.size = sizeof(VarvePackageGroup),
};

/* [images.NAME] */

static const VarveField definition_fields[] = {
	{ "type", VARVE_FIELD_STRING, 0, AT(VarveImage, type) },
	{ "path", VARVE_FIELD_PATH, VARVE_FIELD_BLANK, AT(VarveImage, path) },
	{ "profile", VARVE_FIELD_STRING, 0, AT(VarveImage, profile) },
	{ NULL },
};

static const VarveSchema definition_schema = {
	.fields = definition_fields,
};

static const VarveField capability_fields[] = {
	{ "machine-bootable", VARVE_FIELD_BOOLEAN, 0, UNBOUND },
	{ "container", VARVE_FIELD_BOOLEAN, 0, UNBOUND },
	{ "systemd", VARVE_FIELD_BOOLEAN, 0, UNBOUND },
	{ "runtime-package-management", VARVE_FIELD_BOOLEAN, 0, UNBOUND },
	{ "wsl", VARVE_FIELD_BOOLEAN, 0, UNBOUND },
	{ "installer-media", VARVE_FIELD_BOOLEAN, 0, UNBOUND },
	{ "fips-enabled", VARVE_FIELD_BOOLEAN, 0, UNBOUND },
	{ "cvm", VARVE_FIELD_BOOLEAN, 0, UNBOUND },
	{ NULL },
};
static const VarveSchema capabilities_schema = { .fields = capability_fields };

static const VarveField suite_reference_fields[] = {
	{ "name", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED | VARVE_FIELD_NOT_EMPTY, UNBOUND },
	{ NULL },
};
static const VarveSchema suite_reference_schema = {
	.what = "test suite",
	.fields = suite_reference_fields,
};

static const VarveField image_test_fields[] = {
	{ "test-suites", VARVE_FIELD_TABLES, 0, UNBOUND, .schema = &suite_reference_schema },
	{ "tests", VARVE_FIELD_TABLES, 0, UNBOUND, .schema = &varve_schema_test_reference },
	{ NULL },
};
static const VarveSchema image_tests_schema = { .fields = image_test_fields };

static const VarveField image_publish_fields[] = {
	{ "channels", VARVE_FIELD_STRINGS, 0, UNBOUND },
	{ NULL },
};
static const VarveSchema image_publish_schema = { .fields = image_publish_fields };

static const VarveField image_fields[] = {
	{ "description", VARVE_FIELD_STRING, 0, AT(VarveImage, description) },
	{ "definition", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &definition_schema },
	{ "capabilities", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &capabilities_schema },
	{ "tests", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &image_tests_schema },
	{ "publish", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &image_publish_schema },
	{ NULL },
};

const VarveSchema varve_schema_image = {
	.what = "image",
	.fields = image_fields,
	.size = sizeof(VarveImage),
};

/* [tools]: its keys are the tools' own. */

static const VarveField customizer_fields[] = {
	{ "containerTag", VARVE_FIELD_STRING, 0, UNBOUND },
	{ NULL },
};
static const VarveSchema customizer_schema = { .fields = customizer_fields };

static const VarveField tool_fields[] = {
	{ "imageCustomizer", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &customizer_schema },
	{ NULL },
};
const VarveSchema varve_schema_tools = { .fields = tool_fields, .later_wins = TRUE };

/* [resources] */

static const char *const repo_types[] = { "rpm-md", NULL };
static const char *const subrepo_kinds[] = { "binary", "debug", "source", NULL };

static const VarveField rpm_repo_fields[] = {
	{ "description", VARVE_FIELD_STRING, 0, UNBOUND, .check = varve_check_line },
	{ "type", VARVE_FIELD_CHOICE, 0, UNBOUND, .choices = repo_types },
	{ "base-uri", VARVE_FIELD_STRING, 0, UNBOUND, .check = varve_check_web_url },
	{ "metalink", VARVE_FIELD_STRING, 0, UNBOUND, .check = varve_check_web_url },
	{ "disable-gpg-check", VARVE_FIELD_BOOLEAN, 0, UNBOUND },
	{ "gpg-key", VARVE_FIELD_STRING, VARVE_FIELD_NOT_EMPTY, UNBOUND,
	  .check = varve_check_line },
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
	  .check = varve_check_relative_path },
	{ "kind", VARVE_FIELD_CHOICE, 0, UNBOUND, .choices = subrepo_kinds },
	{ NULL },
};
static const VarveSchema subrepo_schema = { .what = "sub-repository", .fields = subrepo_fields };

static const VarveField template_fields[] = {
	{ "description", VARVE_FIELD_STRING, 0, UNBOUND, .check = varve_check_line },
	{ "subrepos", VARVE_FIELD_TABLES, VARVE_FIELD_REQUIRED | VARVE_FIELD_NOT_EMPTY, UNBOUND,
	  .schema = &subrepo_schema },
	{ NULL },
};
static const VarveSchema template_schema = {
	.what = "template",
	.fields = template_fields,
	.check_name = varve_check_resource_name,
};

static const VarveField repo_set_fields[] = {
	{ "description", VARVE_FIELD_STRING, 0, UNBOUND, .check = varve_check_line },
	{ "template", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED | VARVE_FIELD_NOT_EMPTY, UNBOUND },
	{ "base-uri", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED, UNBOUND,
	  .check = varve_check_web_url },
	{ "name-prefix", VARVE_FIELD_STRING, 0, UNBOUND },
	{ "gpg-key", VARVE_FIELD_STRING, VARVE_FIELD_NOT_EMPTY, UNBOUND,
	  .check = varve_check_line },
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

/* Tests: what a framework is told is the framework's. */

static const VarveSchema anything = { 0 };
static const char *const suite_types[] = { "pytest", "lisa", NULL };
static const char *const test_types[] = { "pytest", "lisa", "tmt", NULL };
static const char *const test_kinds[] = { "functional", "performance", NULL };

static const VarveField suite_fields[] = {
	{ "description", VARVE_FIELD_STRING, 0, UNBOUND },
	{ "type", VARVE_FIELD_CHOICE, VARVE_FIELD_REQUIRED, UNBOUND, .choices = suite_types },
	{ "pytest", VARVE_FIELD_OPAQUE, 0, UNBOUND, .schema = &anything },
	{ "lisa", VARVE_FIELD_OPAQUE, 0, UNBOUND, .schema = &anything },
	{ NULL },
};
const VarveSchema varve_schema_test_suite = {
	.what = "test suite",
	.fields = suite_fields,
	.check_name = varve_check_file_name,
};

static const VarveField test_fields[] = {
	{ "type", VARVE_FIELD_CHOICE, VARVE_FIELD_REQUIRED, UNBOUND, .choices = test_types },
	{ "description", VARVE_FIELD_STRING, 0, UNBOUND },
	{ "kind", VARVE_FIELD_CHOICE, 0, UNBOUND, .choices = test_kinds },
	{ "long-running", VARVE_FIELD_BOOLEAN, 0, UNBOUND },
	{ "metrics-enabled", VARVE_FIELD_BOOLEAN, 0, UNBOUND },
	{ "required-capabilities", VARVE_FIELD_STRINGS, 0, UNBOUND },
	{ "lisa", VARVE_FIELD_OPAQUE, 0, UNBOUND, .schema = &anything },
	{ "tmt", VARVE_FIELD_OPAQUE, 0, UNBOUND, .schema = &anything },
	{ "pytest", VARVE_FIELD_OPAQUE, 0, UNBOUND, .schema = &anything },
	{ NULL },
};

/* The table of its type, and of no other. */
static void check_test(VarveLoader *loader, const VarveTable *table, void *data)
{
	const VarveItem *type = varve_table_item(table, "type");

	(void)data;
	for (gsize i = 0; type && type->field && test_types[i]; i++) {
		const VarveItem *item = varve_table_item(table, test_types[i]);
		gboolean of_type = strcmp(type->value->string.text, test_types[i]) == 0;

		if (item && !of_type)
			varve_key_mistake(loader, item, "'%s' is for tests of type '%s'",
					  test_types[i], test_types[i]);
		else if (!item && of_type && !varve_table_partial(loader, table))
			varve_table_mistake(loader, table, "a test of type '%s' needs '%s'",
					    test_types[i], test_types[i]);
	}
}

const VarveSchema varve_schema_test = {
	.what = "test",
	.fields = test_fields,
	.check_name = varve_check_file_name,
	.check = check_test,
};

static const VarveField test_group_fields[] = {
	{ "description", VARVE_FIELD_STRING, 0, UNBOUND },
	{ "tests", VARVE_FIELD_TABLES, 0, UNBOUND, .schema = &suite_reference_schema },
	{ NULL },
};
const VarveSchema varve_schema_test_group = {
	.what = "test group",
	.fields = test_group_fields,
};
