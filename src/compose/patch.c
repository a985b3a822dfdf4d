/* Making a patch. */
#include "compose/patch-internal.h"

#include "base/error.h"
#include "base/file.h"
#include "compose/capabilities.h"
#include "compose/composer-internal.h"
#include "compose/declare.h"
#include "compose/erofs-image.h"
#include "compose/extension.h"
#include "compose/layer-records.h"
#include "compose/package-root.h"
#include "format/version.h"
#include "rpm/unpack.h"

#include <string.h>

#define KIND "patch 1" /* raise when the same packages are to give another patch */
#define NAME_PREFIX "fix-"
#define NAME_CHARACTERS G_CSET_DIGITS G_CSET_a_2_z G_CSET_A_2_Z ".+-"
#define VERSION_CHARACTERS NAME_CHARACTERS "~^"

typedef struct {
	VarveComposer *composer;
	const VarvePatch *patch;
	const char *directory;
	VarvePatchMaking making;
	VarveLabels *labels; /* (nullable) of the base */
} Job;

static void layer_free(gpointer data)
{
	VarvePatchLayer *layer = data;

	varve_erofs_free(layer->erofs);
	varve_path_table_free(layer->paths);
	varve_manifest_free(layer->manifest);
	varve_layer_free(layer->layer);
	g_clear_pointer(&layer->users, g_hash_table_unref);
	g_clear_pointer(&layer->groups, g_hash_table_unref);
	g_free(layer);
}

static void package_free(gpointer data)
{
	VarvePatchPackage *package = data;

	g_clear_pointer(&package->contents, g_ptr_array_unref);
	g_clear_pointer(&package->files, g_ptr_array_unref);
	varve_package_free(package->package);
	g_free(package->old);
	g_free(package);
}

static void job_clear(Job *job)
{
	g_clear_pointer(&job->making.tree, varve_tree_free);
	g_clear_pointer(&job->making.packages, g_ptr_array_unref);
	g_clear_pointer(&job->making.layers, g_ptr_array_unref);
	g_clear_pointer(&job->making.notes, g_ptr_array_unref);
	g_clear_pointer(&job->making.manifest, varve_manifest_free);
	varve_labels_free(job->labels);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Job, job_clear)

void varve_patched_clear(VarvePatched *patched)
{
	varve_manifest_free(patched->manifest);
	g_free(patched->image);
	g_clear_pointer(&patched->notes, g_ptr_array_unref);
}

static const VarvePatchLayer *base_of(const Job *job)
{
	return job->making.layers->pdata[0];
}

static const VarveLayerDefinition *find_definition(const Job *job, const char *name)
{
	return varve_definition_layer(job->composer->options.definition, name, NULL);
}

/* Layers for other systems than the one that is defined here would give a patch for nobody. */
static gboolean check_layer(const Job *job, const VarvePatchLayer *layer, gboolean base,
			    const char *file, GError **error)
{
	const VarveComposerOptions *options = &job->composer->options;
	const VarveManifest *manifest = layer->manifest;

	if ((manifest->role == VARVE_ROLE_BASE) != base || manifest->role == VARVE_ROLE_PATCH)
		return varve_fail(error, VARVE_ERROR_USAGE, "%s: its role is %s, expected %s", file,
				  varve_role_name(manifest->role), base ? "base" : "extension");
	if (strcmp(manifest->arch, options->arch->name) != 0)
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "%s: it is for %s, and the patch would be for %s; say which with "
				  "--arch",
				  file, manifest->arch, options->arch->name);
	if (strcmp(manifest->os_id, options->definition->os.id) != 0 ||
	    strcmp(manifest->os_version_id, options->definition->os.version_id) != 0)
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "%s: it is of %s %s, the definition of %s %s", file,
				  manifest->os_id, manifest->os_version_id,
				  options->definition->os.id, options->definition->os.version_id);
	return TRUE;
}

static gboolean open_layer(Job *job, const char *file, GError **error)
{
	static const VarveLayerDefinition nothing = { 0 };
	gboolean base = job->making.layers->len == 0;
	VarvePatchLayer *layer = g_new0(VarvePatchLayer, 1);

	g_ptr_array_add(job->making.layers, layer);
	layer->layer = varve_layer_open_path(file, error);
	if (!layer->layer || !varve_layer_check_data(layer->layer, error))
		return FALSE;
	layer->manifest = varve_layer_read_manifest(layer->layer, error);
	if (!layer->manifest || !check_layer(job, layer, base, file, error))
		return FALSE;
	layer->paths = varve_layer_read_paths(layer->layer, layer->manifest, error);
	layer->erofs = layer->paths ? varve_layer_open_erofs(layer->layer, error) : NULL;
	layer->definition = find_definition(job, layer->manifest->name);
	return layer->erofs &&
	       varve_declare_ids(layer->definition ? layer->definition : &nothing,
				 job->patch->base_root, &layer->users, &layer->groups, error);
}

static gboolean open_layers(Job *job, GError **error)
{
	if (!open_layer(job, job->patch->base, error))
		return FALSE;
	for (const char *const *file = job->patch->layers; *file; file++) {
		if (!open_layer(job, *file, error))
			return FALSE;
	}
	job->making.base = base_of(job)->definition;
	return varve_labels_open(job->patch->base_root, &job->labels, error);
}

/* The build of the same package that a layer carries. */
static gboolean find_older(const Job *job, VarvePatchPackage *package, GError **error)
{
	const VarvePackage *newer = package->package;
	g_autofree char *evr =
		g_strdup_printf("%u:%s-%s", newer->epoch, newer->version, newer->release);

	for (guint i = 0; i < job->making.layers->len; i++) {
		const VarvePatchLayer *layer = job->making.layers->pdata[i];

		for (guint j = 0; j < layer->manifest->packages->len; j++) {
			const VarveManifestPackage *older = layer->manifest->packages->pdata[j];
			g_autofree char *there = varve_manifest_package_evr(older);

			if (strcmp(older->name, newer->name) != 0 ||
			    strcmp(older->arch, newer->arch) != 0)
				continue;
			if (varve_rpm_evr_compare(evr, there) <= 0)
				return varve_fail(
					error, VARVE_ERROR_CONFLICT,
					"package '%s': it is not newer than what %s %s carries, %s",
					newer->nevra, layer->manifest->name,
					layer->manifest->version, there);
			package->layer = layer;
			package->old = varve_manifest_package_nevra(older);
			return TRUE;
		}
	}
	return varve_fail(error, VARVE_ERROR_NOT_FOUND,
			  "package '%s': %s carries no older build of it; a patch brings newer "
			  "builds of what is there: give the layer that has it with --layer",
			  newer->nevra, *job->patch->layers ? "none of the layers" : "the base");
}

static gboolean open_package(Job *job, const char *file, guint number, GError **error)
{
	g_autofree char *contents = g_strdup_printf("%s/package-%u", job->directory, number);
	VarvePatchPackage *package = g_new0(VarvePatchPackage, 1);

	g_ptr_array_add(job->making.packages, package);
	if (!varve_dir_make(contents, 0700, error) ||
	    !varve_rpm_unpack(file, varve_universe_keys(job->composer->universe), contents,
			      &package->package, &package->files, &package->contents, error))
		return FALSE;
	for (guint i = 0; i + 1 < job->making.packages->len; i++) {
		const VarvePatchPackage *other = job->making.packages->pdata[i];

		if (strcmp(other->package->name, package->package->name) == 0)
			return varve_fail(error, VARVE_ERROR_USAGE,
					  "package '%s' is given twice, as %s too",
					  package->package->name, other->package->nevra);
	}
	return find_older(job, package, error);
}

static gint by_package(gconstpointer a, gconstpointer b)
{
	const VarvePatchPackage *x = *(VarvePatchPackage *const *)a;
	const VarvePatchPackage *y = *(VarvePatchPackage *const *)b;

	return varve_package_compare(x->package, y->package);
}

static gboolean open_packages(Job *job, GError **error)
{
	guint number = 0;

	for (const char *const *file = job->patch->packages; *file; file++) {
		if (!open_package(job, *file, number++, error))
			return FALSE;
	}
	/* In whatever order they were given. */
	g_ptr_array_sort(job->making.packages, by_package);
	return TRUE;
}

static char *choose_name(const Job *job)
{
	const VarvePatchPackage *first = job->making.packages->pdata[0];

	if (job->patch->name)
		return g_strdup(job->patch->name);
	return g_strcanon(g_strconcat(NAME_PREFIX, first->package->name, NULL), NAME_CHARACTERS,
			  '-');
}

/* Of one package, or of several that are built from one source. */
static gboolean choose_version(const Job *job, char **ret, GError **error)
{
	const VarvePatchPackage *first = job->making.packages->pdata[0];
	g_autofree char *version = NULL;

	if (job->patch->version) {
		*ret = g_strdup(job->patch->version);
		return TRUE;
	}
	for (guint i = 1; i < job->making.packages->len; i++) {
		const VarvePatchPackage *other = job->making.packages->pdata[i];

		if (strcmp(first->package->version, other->package->version) != 0 ||
		    strcmp(first->package->release, other->package->release) != 0)
			return varve_fail(error, VARVE_ERROR_USAGE,
					  "'%s' and '%s' have different versions: say with "
					  "--version which one the patch has",
					  first->package->nevra, other->package->nevra);
	}
	version = g_strdup_printf("%s-%s", first->package->version, first->package->release);
	*ret = g_strcanon(g_steal_pointer(&version), VERSION_CHARACTERS, '.');
	return TRUE;
}

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

static void add_inputs(const Job *job)
{
	g_autoptr(VarveInputs) packages = varve_inputs_new("packages");
	g_autoptr(VarveInputs) layers = varve_inputs_new("layers");
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	GHashTable *inputs = job->making.manifest->inputs;

	for (guint i = 0; i < job->making.packages->len; i++)
		g_ptr_array_add(list,
				((VarvePatchPackage *)job->making.packages->pdata[i])->package);
	varve_inputs_add_packages(packages, list);
	for (guint i = 0; i < job->making.layers->len; i++) {
		const VarvePatchLayer *layer = job->making.layers->pdata[i];

		varve_inputs_add_digest(layers, layer->manifest->name,
					varve_layer_root(layer->layer));
	}
	varve_inputs_add(layers, "kind", KIND);
	g_hash_table_insert(inputs, g_strdup("packages"), varve_inputs_key(packages));
	g_hash_table_insert(inputs, g_strdup("layers"), varve_inputs_key(layers));
	g_hash_table_insert(inputs, g_strdup("tools"), g_strdup(job->composer->tools_key));
}

/* The units that the patched layers name in one of their lists, the one at @offset of a manifest.
 */
static char **units_of(const GPtrArray *packages, gsize offset)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < packages->len; i++) {
		const VarvePatchPackage *package = packages->pdata[i];
		char **units = G_STRUCT_MEMBER(char **, package->layer->manifest, offset);

		for (; *units; units++) {
			if (g_hash_table_add(seen, *units))
				g_strv_builder_add(builder, *units);
		}
	}
	return g_strv_builder_end(builder);
}

/* What runs from a layer that is patched is treated as when the layer itself is swapped. */
static void add_units(VarveManifest *manifest, const GPtrArray *packages)
{
	const gsize lists[] = { G_STRUCT_OFFSET(VarveManifest, restart),
				G_STRUCT_OFFSET(VarveManifest, reload),
				G_STRUCT_OFFSET(VarveManifest, ask) };

	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		char ***list = G_STRUCT_MEMBER_P(manifest, lists[i]);

		g_strfreev(*list);
		*list = units_of(packages, lists[i]);
	}
}

/* What the older build of a package asked for already, and was left out of the layers on purpose,
 * is not missed now. */
static gboolean was_missing(const Job *job, const char *required)
{
	for (guint i = 0; i < job->making.packages->len; i++) {
		const VarvePatchPackage *package = job->making.packages->pdata[i];
		g_autoptr(VarvePackage) older =
			varve_universe_find(job->composer->universe, package->old, NULL);

		if (older && g_strv_contains((const char *const *)older->requires, required))
			return TRUE;
	}
	return FALSE;
}

static gboolean is_left_out(const Job *job, const char *required)
{
	g_autofree char *name = g_strndup(required, strcspn(required, " "));

	for (guint i = 0; i < job->making.layers->len; i++) {
		const VarvePatchLayer *layer = job->making.layers->pdata[i];

		if (layer->definition && g_strv_contains(layer->definition->exclude_packages, name))
			return TRUE;
	}
	return was_missing(job, required);
}

static void drop_missing(const Job *job)
{
	g_autoptr(GHashTable) provided = varve_capabilities_new();
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	VarveManifest *manifest = job->making.manifest;

	for (guint i = 0; i < job->making.layers->len; i++)
		varve_capabilities_add(
			provided,
			((VarvePatchLayer *)job->making.layers->pdata[i])->manifest->provides);
	for (char **required = manifest->requires; *required; required++) {
		if (varve_capabilities_has(provided, *required) || !is_left_out(job, *required))
			g_strv_builder_add(builder, *required);
	}
	g_strfreev(manifest->requires);
	manifest->requires = g_strv_builder_end(builder);
}

/* "libssl.so.3(" of "libssl.so.3(OPENSSL_3.0.0)(64bit)"; NULL where it is no library's. */
static char *soname_of(const char *capability)
{
	const char *so = strstr(capability, ".so"), *open = so ? strchr(so, '(') : NULL;

	return open && (so[3] == '.' || so[3] == '(')
		       ? g_strndup(capability, (gsize)(open - capability) + 1)
		       : NULL;
}

/* A base does not say what it requires of itself, so a node could not tell: the newer build of a
 * library has all that the older one had. */
static gboolean check_libraries(const Job *job, GError **error)
{
	const char *const *now = (const char *const *)job->making.manifest->provides;
	g_autoptr(GHashTable) sonames =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (const char *const *provided = now; *provided; provided++) {
		char *soname = soname_of(*provided);

		if (soname)
			g_hash_table_add(sonames, soname);
	}
	for (guint i = 0; i < job->making.packages->len; i++) {
		const VarveManifest *layer =
			((VarvePatchPackage *)job->making.packages->pdata[i])->layer->manifest;

		for (char **before = layer->provides; *before; before++) {
			g_autofree char *soname = soname_of(*before);

			if (!soname || !g_hash_table_contains(sonames, soname) ||
			    g_strv_contains(now, *before))
				continue;
			return varve_fail(error, VARVE_ERROR_CONFLICT,
					  "the packages do not provide '%s' any more, which layer "
					  "'%s' does: what needs it would not start; build the "
					  "layers anew instead",
					  *before, layer->name);
		}
	}
	return TRUE;
}

static gboolean make_manifest(Job *job, GError **error)
{
	VarveManifest *manifest = job->making.manifest = varve_manifest_new();
	const VarveManifest *base = base_of(job)->manifest;
	const char *upstream = job->composer->options.upstream->name;
	g_autoptr(GPtrArray) packages = g_ptr_array_new();
	char *version = NULL;

	if (!choose_version(job, &version, error))
		return FALSE;
	g_free(manifest->version);
	manifest->version = version;
	manifest->role = VARVE_ROLE_PATCH;
	manifest->rollback_index = job->patch->rollback_index;
	g_free(manifest->name);
	manifest->name = choose_name(job);
	set(&manifest->arch, base->arch);
	set(&manifest->os_id, base->os_id);
	set(&manifest->os_version_id, base->os_version_id);
	set(&manifest->support_end, base->support_end);
	g_strfreev(manifest->supersedes);
	manifest->supersedes = g_strdupv((char **)job->patch->supersedes);
	for (guint i = 0; i < job->making.packages->len; i++) {
		VarvePackage *package =
			((VarvePatchPackage *)job->making.packages->pdata[i])->package;

		g_ptr_array_add(packages, package);
		g_ptr_array_add(manifest->packages, varve_package_to_manifest(package, upstream));
	}
	varve_capabilities_set(manifest, packages);
	drop_missing(job);
	add_units(manifest, job->making.packages);
	add_inputs(job);
	return check_libraries(job, error);
}

static gboolean make_image(Job *job, const char *path, GError **error)
{
	const VarveComposerOptions *options = &job->composer->options;
	const VarveErofsOptions erofs = { .epoch = options->definition->os.released_time };
	VarvePatchMaking *making = &job->making;
	const VarveLayerDefinition identity = {
		.name = making->manifest->name,
		.role = VARVE_ROLE_PATCH,
		.restart = (const char *const *)making->manifest->restart
	};
	const VarveExtension extension = { .definition = options->definition,
					   .layer = &identity,
					   .arch = options->arch };

	varve_tree_add_directory(making->tree, "");
	varve_extension_identify(making->tree, &extension);
	varve_patch_settle(making);
	varve_manifest_sort(making->manifest);
	return varve_layer_records_begin(making->tree, making->manifest, job->labels,
					 options->definition->os.released_time, error) &&
	       varve_layer_records_finish(making->tree, making->manifest, job->labels, error) &&
	       varve_erofs_image_make(making->tree, job->composer->tools, &erofs, path, error);
}

static gboolean run(Job *job, const char *image, GError **error)
{
	if (!varve_composer_tools(job->composer, error) || !open_layers(job, error) ||
	    !open_packages(job, error) || !make_manifest(job, error))
		return FALSE;
	for (guint i = 0; i < job->making.packages->len; i++) {
		if (!varve_patch_add_files(&job->making, job->making.packages->pdata[i], error))
			return FALSE;
	}
	if (job->making.manifest->overrides->len == 0)
		return varve_fail(error, VARVE_ERROR_CONFLICT,
				  "no file of the packages differs from what the layers carry: "
				  "there is nothing to patch");
	return make_image(job, image, error);
}

gboolean varve_composer_patch(VarveComposer *composer, const VarvePatch *patch,
			      const char *directory, VarvePatched *ret, GError **error)
{
	g_autofree char *image = g_build_filename(directory, "patch.erofs", NULL);
	g_auto(Job) job = {
		.composer = composer,
		.patch = patch,
		.directory = directory,
		.making = { .layers = g_ptr_array_new_with_free_func(layer_free),
			    .packages = g_ptr_array_new_with_free_func(package_free),
			    .notes = g_ptr_array_new_with_free_func(g_free),
			    .tree = varve_tree_new() },
	};

	if (!run(&job, image, error))
		return FALSE;
	ret->manifest = g_steal_pointer(&job.making.manifest);
	ret->image = g_steal_pointer(&image);
	ret->notes = g_steal_pointer(&job.making.notes);
	ret->added = job.making.added;
	return TRUE;
}
