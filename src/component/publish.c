/* Which channel a package is published in. */
#include "component/effective-internal.h"

#include <string.h>

/* Between hyphens: "elfutils-debuginfod" is none. */
static gboolean has_part(const char *package, const char *part)
{
	gsize size = strlen(part);

	for (const char *at = package; (at = strstr(at, part)); at++) {
		if (at[size] == '\0' || at[size] == '-')
			return TRUE;
	}
	return FALSE;
}

gboolean varve_package_is_debuginfo(const char *package)
{
	return has_part(package, "-debuginfo") || has_part(package, "-debugsource");
}

const char *varve_effective_channel(const VarveEffective *effective, const char *package)
{
	const VarveComponents *components = effective->store->definition->components;
	const VarvePackageGroup *group = varve_components_package_group(components, package);
	const VarveComponent *component = &effective->component;
	const VarvePublish *levels[4] = { &components->publish, &component->publish,
					  group ? &group->publish : NULL, NULL };
	gboolean debuginfo = varve_package_is_debuginfo(package);
	const char *channel = NULL;

	for (gsize i = 0; i < component->n_packages; i++) {
		if (strcmp(component->packages[i].name, package) == 0)
			levels[3] = &component->packages[i].publish;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(levels); i++) {
		const char *one = NULL;

		if (levels[i])
			one = debuginfo ? levels[i]->debuginfo_channel : levels[i]->rpm_channel;
		if (one && *one)
			channel = one;
	}
	return channel;
}
