/* Merging what applies to a component. The rules are azldev's, which merges structs: what is set in
 * a later level and is not empty replaces, arrays add up, maps are replaced key by key. So nothing
 * can be set back to false or "" by a later level. */
#include "component/effective.h"
#include "component/effective-internal.h"

#include "base/error.h"
#include "component/azldev-lock.h"
#include "component/pattern.h"

#include <string.h>

static void *keep(VarveEffective *effective, gsize size)
{
	struct VarveEffectiveStore *store = effective->store;
	void *memory = g_malloc0(MAX(size, 1));

	if (!store->memory)
		store->memory = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(store->memory, memory);
	return memory;
}

static void put(const char **into, const char *value)
{
	if (value && *value)
		*into = value;
}

/* Arrays: where one side has nothing the other is borrowed. */

static void add_strings(VarveEffective *effective, const char *const **into,
			const char *const *more)
{
	gsize n = 0, n_more = 0;
	const char **all;

	while (*into && (*into)[n])
		n++;
	while (more && more[n_more])
		n_more++;
	if (!*into || n == 0) {
		if (more)
			*into = more;
		return;
	}
	if (n_more == 0)
		return;
	all = keep(effective, (n + n_more + 1) * sizeof(*all));
	memcpy(all, *into, n * sizeof(*all));
	memcpy(all + n, more, n_more * sizeof(*all));
	*into = all;
}

static const void *joined(VarveEffective *effective, gsize size, const void *first, gsize n,
			  const void *more, gsize n_more)
{
	char *all;

	if (n == 0)
		return more;
	if (n_more == 0)
		return first;
	all = keep(effective, (n + n_more) * size);
	memcpy(all, first, n * size);
	memcpy(all + n * size, more, n_more * size);
	return all;
}

#define ADD(effective, into, from, member) \
	do { \
		(into)->member = joined(effective, sizeof(*(into)->member), (into)->member, \
					(into)->n_##member, (from)->member, (from)->n_##member); \
		(into)->n_##member += (from)->n_##member; \
	} while (0)

/* Maps: a key that is there already gets the later value, in its old place. */

static void merge_defines(VarveEffective *effective, VarveComponentBuild *into,
			  const VarveComponentBuild *from)
{
	VarveSetting *all;

	if (into->n_defines == 0 || from->n_defines == 0) {
		ADD(effective, into, from, defines);
		return;
	}
	all = keep(effective, (into->n_defines + from->n_defines) * sizeof(*all));
	memcpy(all, into->defines, into->n_defines * sizeof(*all));
	for (gsize i = 0; i < from->n_defines; i++) {
		gsize at = 0;

		while (at < into->n_defines && strcmp(all[at].key, from->defines[i].key) != 0)
			at++;
		all[at] = from->defines[i];
		if (at == into->n_defines)
			into->n_defines++;
	}
	into->defines = all;
}

static void merge_packages(VarveEffective *effective, VarveComponent *into,
			   const VarveComponent *from)
{
	VarvePackageConfig *all;

	if (into->n_packages == 0 || from->n_packages == 0) {
		ADD(effective, into, from, packages);
		return;
	}
	all = keep(effective, (into->n_packages + from->n_packages) * sizeof(*all));
	memcpy(all, into->packages, into->n_packages * sizeof(*all));
	for (gsize i = 0; i < from->n_packages; i++) {
		gsize at = 0;

		while (at < into->n_packages && strcmp(all[at].name, from->packages[i].name) != 0)
			at++;
		all[at] = from->packages[i];
		if (at == into->n_packages)
			into->n_packages++;
	}
	into->packages = all;
}

/* Tables */

static void merge_metadata(VarveOverlayMetadata *into, const VarveOverlayMetadata *from)
{
	if (from->origin.line)
		*into = *from;
}

static void merge_spec(VarveSpecSource *into, const VarveSpecSource *from)
{
	if (!from->origin.line)
		return;
	into->origin = from->origin;
	if (from->type != VARVE_SPEC_INHERITED)
		into->type = from->type;
	put(&into->path, from->path);
	put(&into->upstream_name, from->upstream_name);
	put(&into->upstream_commit, from->upstream_commit);
	merge_metadata(&into->metadata, &from->metadata);
	if (!from->upstream_distro.origin.line)
		return;
	into->upstream_distro.origin = from->upstream_distro.origin;
	put(&into->upstream_distro.name, from->upstream_distro.name);
	put(&into->upstream_distro.version, from->upstream_distro.version);
	put(&into->upstream_distro.snapshot, from->upstream_distro.snapshot);
}

static void merge_build(VarveEffective *effective, VarveComponentBuild *into,
			const VarveComponentBuild *from)
{
	add_strings(effective, &into->with, from->with);
	add_strings(effective, &into->without, from->without);
	add_strings(effective, &into->undefines, from->undefines);
	if (!from->origin.line)
		return;
	into->origin = from->origin;
	merge_defines(effective, into, from);
	merge_metadata(&into->metadata, &from->metadata);
	into->emit_upstream_provenance |= from->emit_upstream_provenance;
	into->check_skip |= from->check_skip;
	put(&into->check_skip_reason, from->check_skip_reason);
	merge_metadata(&into->check_metadata, &from->check_metadata);
	into->failure_expected |= from->failure_expected;
	put(&into->failure_reason, from->failure_reason);
	into->expensive |= from->expensive;
}

static void merge(VarveEffective *effective, const VarveComponent *from)
{
	VarveComponent *into = &effective->component;

	merge_spec(&into->spec, &from->spec);
	if (from->has_release) {
		into->has_release = TRUE;
		into->release = from->release;
	}
	merge_build(effective, &into->build, &from->build);
	ADD(effective, into, from, overlays);
	ADD(effective, into, from, source_files);
	ADD(effective, into, from, tests);
	merge_packages(effective, into, from);
	into->skip_file_filter |= from->skip_file_filter;
	put(&into->publish.rpm_channel, from->publish.rpm_channel);
	put(&into->publish.srpm_channel, from->publish.srpm_channel);
	put(&into->publish.debuginfo_channel, from->publish.debuginfo_channel);
}

static void add_level(VarveEffective *effective, const VarveComponent *component, const char *name,
		      const VarveComponentGroup *group)
{
	VarveLevel level = { component, name, group };

	effective->store->levels[effective->store->n_levels++] = level;
	merge(effective, component);
}

/* The version of the project's own distribution, whose defaults are the first. */
static gboolean own_version(const VarveComponents *components, const VarveDistroVersion **ret,
			    GError **error)
{
	const VarveDistroReference *reference = &components->default_distro;
	const VarveDistro *distro;

	*ret = NULL;
	if (!reference->origin.line || components->n_distros == 0)
		return TRUE;
	distro = varve_distro_find(components, reference->name, error);
	*ret = distro ? varve_distro_version(distro, reference->version, error) : NULL;
	return *ret != NULL;
}

static gboolean merge_levels(VarveEffective *effective, const VarveComponents *components,
			     GError **error)
{
	const VarveComponent *declared = effective->store->declared;
	const VarveDistroVersion *version;

	if (!own_version(components, &version, error))
		return FALSE;
	if (version)
		add_level(effective, &version->defaults, "distro", NULL);
	add_level(effective, &components->defaults, "project", NULL);
	for (gsize i = 0; i < declared->n_groups; i++)
		add_level(effective, &declared->groups[i]->defaults, "group", declared->groups[i]);
	add_level(effective, declared, "component", NULL);
	return TRUE;
}

/* The spec that a group's pattern found, where nothing that is merged names another. */
static gboolean set_found_spec(VarveEffective *effective, GError **error)
{
	const VarveComponent *declared = effective->store->declared;
	VarveSpecSource *spec = &effective->component.spec;

	if (!declared->found_spec)
		return TRUE;
	if (spec->path && strcmp(spec->path, declared->found_spec) != 0)
		return varve_fail(error, VARVE_ERROR_DEFINITION,
				  "%s:%u: 'specs' of group '%s' finds '%s', but '%s' is named at "
				  "%s:%u; leave one of them out",
				  declared->found_origin.file, declared->found_origin.line,
				  declared->found_by->name, declared->found_spec, spec->path,
				  spec->origin.file, spec->origin.line);
	*spec = (VarveSpecSource){ .origin = declared->found_origin,
				   .type = VARVE_SPEC_LOCAL,
				   .path = declared->found_spec,
				   .metadata = spec->metadata };
	return TRUE;
}

static void set_identity(VarveEffective *effective)
{
	const VarveComponent *declared = effective->store->declared;
	VarveComponent *component = &effective->component;

	effective->name = declared->name;
	effective->groups = declared->groups;
	effective->n_groups = declared->n_groups;
	component->origin = declared->origin;
	component->name = declared->name;
	component->overlay_files = declared->overlay_files;
	component->groups = declared->groups;
	component->n_groups = declared->n_groups;
	component->found_spec = declared->found_spec;
	component->found_origin = declared->found_origin;
	component->found_by = declared->found_by;
	component->table = declared->table;
}

/* A commit of the definition's own has to be the one of the lock file, which may be longer. */
static gboolean set_lock(VarveEffective *effective, const VarveComponents *components,
			 GError **error)
{
	const VarveSpecSource *spec = &effective->component.spec;
	g_auto(VarveAzldevLock) lock = { 0 };
	char *commit, *fingerprint;

	if (!components->azldev_locks)
		return TRUE;
	if (!varve_azldev_lock_read(components->azldev_locks, effective->name, &lock, error))
		return FALSE;
	if (spec->type == VARVE_SPEC_UPSTREAM && spec->upstream_commit && lock.commit &&
	    g_ascii_strncasecmp(lock.commit, spec->upstream_commit,
				strlen(spec->upstream_commit)) != 0)
		return varve_fail(error, VARVE_ERROR_DEFINITION,
				  "%s:%u: 'upstream-commit' is %s, but %s/%s.lock has %s; bring it "
				  "up to date with 'azldev component update %s', or remove it",
				  spec->origin.file, spec->origin.line, spec->upstream_commit,
				  components->azldev_locks, effective->name, lock.commit,
				  effective->name);
	commit = keep(effective, lock.commit ? strlen(lock.commit) + 1 : 0);
	fingerprint = keep(effective, lock.fingerprint ? strlen(lock.fingerprint) + 1 : 0);
	if (lock.commit)
		effective->locked_commit = strcpy(commit, lock.commit);
	if (lock.fingerprint)
		effective->locked_fingerprint = strcpy(fingerprint, lock.fingerprint);
	return TRUE;
}

/* Archives that overlays change */

static gboolean changes_archive(const VarveComponent *component, const char *name)
{
	for (gsize i = 0; i < component->n_overlays; i++) {
		if (g_strcmp0(component->overlays[i].archive, name) == 0)
			return TRUE;
	}
	return FALSE;
}

/* Is the archive @name one of the loose files that @overlay changes? */
static gboolean means_file(const VarveSpecOverlay *overlay, const char *name)
{
	g_autoptr(VarvePattern) pattern = NULL;

	if (overlay->type < VARVE_OVERLAY_FILE_PREPEND_LINES || !overlay->file ||
	    (overlay->archive && *overlay->archive))
		return FALSE;
	if (overlay->type == VARVE_OVERLAY_FILE_ADD || overlay->type == VARVE_OVERLAY_FILE_RENAME)
		return strcmp(overlay->file, name) == 0;
	pattern = varve_pattern_new(overlay->file, NULL);
	return pattern && varve_pattern_match(pattern, name);
}

/* What is said of the checksum of a changed archive has to be of one that is changed; an archive is
 * not changed in one place as a file and in another within. */
static gboolean check_archives(const VarveEffective *effective, GError **error)
{
	const VarveComponent *component = &effective->component;

	for (gsize i = 0; i < component->n_source_files; i++) {
		const VarveSourceFile *file = &component->source_files[i];

		if (file->from == VARVE_SOURCE_OVERLAY &&
		    !changes_archive(component, file->filename))
			return varve_fail(
				error, VARVE_ERROR_DEFINITION,
				"%s:%u: '%s' is of origin 'overlay', but no overlay has it "
				"as its 'archive'",
				file->origin.file, file->origin.line, file->filename);
	}
	for (gsize i = 0; i < component->n_overlays; i++) {
		const char *archive = component->overlays[i].archive;

		for (gsize j = 0; archive && *archive && j < component->n_overlays; j++) {
			const VarveSpecOverlay *other = &component->overlays[j];

			if (means_file(other, archive))
				return varve_fail(error, VARVE_ERROR_DEFINITION,
						  "%s:%u: this overlay of type '%s' changes the "
						  "archive '%s' itself, and that at %s:%u what is "
						  "in it; do one of them",
						  other->origin.file, other->origin.line,
						  varve_overlay_type_name(other->type), archive,
						  component->overlays[i].origin.file,
						  component->overlays[i].origin.line);
		}
	}
	return TRUE;
}

static gboolean set_upstream(VarveEffective *effective, const VarveComponents *components,
			     GError **error)
{
	const VarveSpecSource *spec = &effective->component.spec;
	const VarveDistroReference *reference = &spec->upstream_distro;

	if (spec->type == VARVE_SPEC_LOCAL && !spec->path)
		return varve_fail(error, VARVE_ERROR_DEFINITION,
				  "%s:%u: component '%s' has a local spec, but no 'spec.path'",
				  spec->origin.file, spec->origin.line, effective->name);
	if (spec->type != VARVE_SPEC_UPSTREAM || components->n_distros == 0)
		return TRUE;
	if (!reference->name)
		reference = &components->default_distro;
	effective->snapshot =
		reference->snapshot ? reference->snapshot : spec->upstream_distro.snapshot;
	if (!reference->name)
		return varve_fail(error, VARVE_ERROR_DEFINITION,
				  "%s:%u: component '%s' has a spec of an upstream, but no "
				  "'spec.upstream-distro' says which",
				  spec->origin.file, spec->origin.line, effective->name);
	effective->distro = varve_distro_find(components, reference->name, error);
	if (effective->distro)
		effective->version =
			varve_distro_version(effective->distro, reference->version, error);
	return effective->version != NULL;
}

VarveEffective *varve_effective_new(const VarveDefinition *definition, const char *name,
				    GError **error)
{
	const VarveComponents *components = definition->components;
	const VarveComponent *declared = varve_components_find(components, name, error);
	g_autoptr(VarveEffective) effective = NULL;

	if (!declared)
		return NULL;
	effective = g_new0(VarveEffective, 1);
	/* The distribution, the project, the groups, itself. */
	effective->store = g_malloc0(sizeof(*effective->store) +
				     (declared->n_groups + 3) * sizeof(VarveLevel));
	effective->store->definition = definition;
	effective->store->declared = declared;
	if (!merge_levels(effective, components, error))
		return NULL;
	set_identity(effective);
	if (!set_found_spec(effective, error) || !check_archives(effective, error) ||
	    !set_upstream(effective, components, error) ||
	    !set_lock(effective, components, error)) {
		g_prefix_error(error, "component '%s': ", name);
		return NULL;
	}
	return g_steal_pointer(&effective);
}

void varve_effective_free(VarveEffective *effective)
{
	if (!effective)
		return;
	if (effective->store->memory)
		g_ptr_array_unref(effective->store->memory);
	g_free(effective->store);
	g_free(effective);
}
