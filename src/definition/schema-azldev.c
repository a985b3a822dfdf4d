/* azldev's tables beside the components: [project], [distros], groups, [images], [tools]. Resources
 * and tests have files of their own. */
#include "definition/checks.h"
#include "definition/schema.h"

#include <string.h>

#define AT(type, member) .offset = offsetof(type, member)
#define ARRAY(type, member) .offset = offsetof(type, member), .count = offsetof(type, n_##member)
#define UNBOUND .offset = VARVE_NOWHERE, .count = VARVE_NOWHERE

/* [project] */

static const char *const spec_editors[] = { "legacy", "structural", NULL };

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
	{ "spec-editor", VARVE_FIELD_CHOICE, VARVE_FIELD_BLANK, UNBOUND, .choices = spec_editors },
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

/* What an image is for: one of these. */
static void check_capabilities(VarveLoader *loader, const VarveTable *table, void *data)
{
	static const char *const kinds[] = { "machine-bootable", "container", "wsl",
					     "installer-media" };
	const VarveItem *first = NULL;

	(void)data;
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		const VarveItem *item = varve_table_item(table, kinds[i]);

		if (!item || !item->field || !item->value->boolean)
			continue;
		if (first)
			varve_key_mistake(loader, item, "an image that is '%s' is not '%s' too",
					  first->key, item->key);
		else
			first = item;
	}
}

static const VarveSchema capabilities_schema = {
	.fields = capability_fields,
	.check = check_capabilities,
};

static const VarveField image_test_fields[] = {
	{ "test-suites", VARVE_FIELD_TABLES, 0, UNBOUND, .schema = &varve_schema_suite_reference },
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
