/* One binary RPM and its files, as values. */
#include "rpm/package.h"

#include "format/version.h"

#include <string.h>

VarvePackage *varve_package_new(void)
{
	VarvePackage *package = g_new0(VarvePackage, 1);

	package->name = g_strdup("");
	package->version = g_strdup("");
	package->release = g_strdup("");
	package->arch = g_strdup("");
	package->nevra = g_strdup("");
	package->repository = g_strdup("");
	package->location = g_strdup("");
	package->path = g_strdup("");
	package->source = g_strdup("");
	package->license = g_strdup("");
	package->vendor = g_strdup("");
	package->provides = g_new0(char *, 1);
	package->requires = g_new0(char *, 1);
	return package;
}

VarvePackage *varve_package_copy(const VarvePackage *package)
{
	VarvePackage *copy = g_new0(VarvePackage, 1);

	copy->name = g_strdup(package->name);
	copy->epoch = package->epoch;
	copy->version = g_strdup(package->version);
	copy->release = g_strdup(package->release);
	copy->arch = g_strdup(package->arch);
	copy->nevra = g_strdup(package->nevra);
	copy->repository = g_strdup(package->repository);
	copy->location = g_strdup(package->location);
	copy->path = g_strdup(package->path);
	copy->digest = package->digest;
	copy->size = package->size;
	copy->installed_size = package->installed_size;
	copy->source = g_strdup(package->source);
	copy->license = g_strdup(package->license);
	copy->vendor = g_strdup(package->vendor);
	copy->component =
		package->component ? varve_component_facts_copy(package->component) : NULL;
	copy->provides = g_strdupv(package->provides);
	copy->requires = g_strdupv(package->requires);
	return copy;
}

void varve_package_free(VarvePackage *package)
{
	if (!package)
		return;
	g_free(package->name);
	g_free(package->version);
	g_free(package->release);
	g_free(package->arch);
	g_free(package->nevra);
	g_free(package->repository);
	g_free(package->location);
	g_free(package->path);
	g_free(package->source);
	g_free(package->license);
	g_free(package->vendor);
	varve_component_facts_free(package->component);
	g_strfreev(package->provides);
	g_strfreev(package->requires);
	g_free(package);
}

static void free_item(gpointer item)
{
	varve_package_free(item);
}

GPtrArray *varve_package_array_new(void)
{
	return g_ptr_array_new_with_free_func(free_item);
}

int varve_package_compare(const VarvePackage *a, const VarvePackage *b)
{
	int order = strcmp(a->name, b->name);

	if (!order && a->epoch != b->epoch)
		order = a->epoch < b->epoch ? -1 : 1;
	if (!order)
		order = varve_rpm_version_compare(a->version, b->version);
	if (!order)
		order = varve_rpm_version_compare(a->release, b->release);
	/* Versions that compare equal can still differ in spelling ("1.0" and "1.00"). */
	return order ? order : strcmp(a->nevra, b->nevra);
}

VarveManifestPackage *varve_package_to_manifest(const VarvePackage *package, const char *upstream)
{
	VarveManifestPackage *entry = g_new0(VarveManifestPackage, 1);

	entry->name = g_strdup(package->name);
	entry->epoch = package->epoch;
	entry->version = g_strdup(package->version);
	entry->release = g_strdup(package->release);
	entry->arch = g_strdup(package->arch);
	entry->source = g_strdup(package->source);
	entry->license = g_strdup(package->license);
	entry->vendor = g_strdup(package->vendor);
	entry->upstream = g_strdup(upstream);
	entry->component =
		package->component ? varve_component_facts_copy(package->component) : NULL;
	entry->digest = package->digest;
	entry->size = package->installed_size;
	return entry;
}

void varve_package_file_free(VarvePackageFile *file)
{
	if (!file)
		return;
	g_free(file->path);
	g_free(file->user);
	g_free(file->group);
	g_free(file->capabilities);
	g_free(file->target);
	g_free(file->digest);
	g_free(file);
}
