/* The root of the tree: which tables there are. */
#include "definition/checks.h"
#include "definition/schema.h"

#define DRAFT(member) \
	.offset = offsetof(VarveDraft, member), .count = offsetof(VarveDraft, n_##member)
#define COMPONENTS(member, number) \
	.offset = offsetof(VarveDraft, components.member), \
	.count = offsetof(VarveDraft, components.number)
#define UNBOUND .offset = VARVE_NOWHERE, .count = VARVE_NOWHERE

static const VarveField fields[] = {
	{ "includes", VARVE_FIELD_STRINGS, VARVE_FIELD_REPLACED, UNBOUND,
	  .check = varve_check_pattern },
	{ "os", VARVE_FIELD_TABLE, 0, .offset = offsetof(VarveDraft, os),
	  .schema = &varve_schema_os },
	{ "upstreams", VARVE_FIELD_MAP, 0, DRAFT(upstreams), .schema = &varve_schema_upstream },
	{ "package-sets", VARVE_FIELD_MAP, 0, DRAFT(package_sets),
	  .schema = &varve_schema_package_set },
	{ "layers", VARVE_FIELD_MAP, 0, DRAFT(layers), .schema = &varve_schema_layer },
	{ "editions", VARVE_FIELD_MAP, 0, DRAFT(editions), .schema = &varve_schema_edition },
	/* azldev's */
	{ "$schema", VARVE_FIELD_STRING, VARVE_FIELD_REPLACED, UNBOUND },
	{ "project", VARVE_FIELD_TABLE, 0, .offset = offsetof(VarveDraft, project),
	  .schema = &varve_schema_project },
	{ "distros", VARVE_FIELD_MAP, 0, COMPONENTS(distros, n_distros),
	  .schema = &varve_schema_distro },
	{ "components", VARVE_FIELD_MAP, 0, COMPONENTS(components, n_components),
	  .schema = &varve_schema_component },
	{ "component-groups", VARVE_FIELD_MAP, VARVE_FIELD_ONCE, COMPONENTS(groups, n_groups),
	  .schema = &varve_schema_component_group },
	{ "default-component-config", VARVE_FIELD_TABLE, 0,
	  .offset = offsetof(VarveDraft, components.defaults),
	  .schema = &varve_schema_component_defaults },
	{ "package-groups", VARVE_FIELD_MAP, VARVE_FIELD_ONCE,
	  COMPONENTS(package_groups, n_package_groups), .schema = &varve_schema_package_group },
	{ "default-package-config", VARVE_FIELD_TABLE, 0,
	  .offset = offsetof(VarveDraft, package_defaults),
	  .schema = &varve_schema_package_config },
	{ "images", VARVE_FIELD_MAP, VARVE_FIELD_ONCE, COMPONENTS(images, n_images),
	  .schema = &varve_schema_image },
	{ "tools", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &varve_schema_tools },
	{ "resources", VARVE_FIELD_TABLE, 0, UNBOUND, .schema = &varve_schema_resources },
	{ "test-suites", VARVE_FIELD_MAP, VARVE_FIELD_ONCE, UNBOUND,
	  .schema = &varve_schema_test_suite },
	{ "tests", VARVE_FIELD_MAP, VARVE_FIELD_ONCE, UNBOUND, .schema = &varve_schema_test },
	{ "test-groups", VARVE_FIELD_MAP, VARVE_FIELD_ONCE, UNBOUND,
	  .schema = &varve_schema_test_group },
	{ NULL },
};

const VarveSchema varve_schema_root = {
	.fields = fields,
	.size = sizeof(VarveDraft),
};
