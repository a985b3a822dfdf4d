/* The way of one layer: resolve, key, stage, image. */
#include "compose/composer-internal.h"

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "compose/declare.h"
#include "compose/exclude.h"
#include "compose/finish.h"
#include "compose/layer-image.h"
#include "compose/package-root.h"
#include "compose/selinux.h"
#include "compose/store.h"
#include "package/install.h"

#include <string.h>

#define KEEP 3               /* results of each layer, so that going back is quick */
#define ROOT_KIND "root 2"   /* raise when the same inputs are to give another root */
#define IMAGE_KIND "image 3" /* … another image */
#define DATABASE "rpmdb"     /* beside a base's root: what extensions are installed against */
#define MANIFEST_LIMIT (64 << 20)

typedef struct {
	VarveComposer *composer;
	const VarveLayerDefinition *layer;
	const VarveComposed *base; /* NULL for a base */
	GPtrArray *packages;       /* resolved */
	char *version;
	char *root_key, *image_key;
	char *stage;         /* the store's directory of the staged root */
	char **certificates; /* of a base: those that its policy may name */
	GHashTable *inputs;  /* for the manifest */
} Job;

static void job_clear(Job *job)
{
	g_clear_pointer(&job->packages, g_ptr_array_unref);
	g_clear_pointer(&job->inputs, g_hash_table_unref);
	g_strfreev(job->certificates);
	g_free(job->version);
	g_free(job->root_key);
	g_free(job->image_key);
	g_free(job->stage);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Job, job_clear)

static gboolean is_base(const Job *job)
{
	return job->layer->role == VARVE_ROLE_BASE;
}

/* The layer's own excluded packages, and those of its base: what the base does without, an
 * extension does not bring in again. */
static char **excluded_packages(const Job *job)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	g_strv_builder_addv(builder, (const char **)job->layer->exclude_packages);
	if (!is_base(job))
		g_strv_builder_addv(
			builder,
			(const char **)job->composer->options.edition->base->exclude_packages);
	return g_strv_builder_end(builder);
}

static gboolean resolve(Job *job, GError **error)
{
	VarveComposer *composer = job->composer;
	const VarveComposerOptions *options = &composer->options;
	g_auto(GStrv) names = varve_layer_definition_packages(
		job->layer, options->upstream, options->arch->debian, options->arch->rpm, error);
	g_auto(GStrv) exclude = excluded_packages(job);
	VarveSolveRequest request = {
		.install = (const char *const *)names,
		.exclude = (const char *const *)exclude,
		.installed = is_base(job) ? NULL : composer->base_packages,
	};

	if (!names || !varve_lock_resolve(composer->lock, composer->universe, job->layer->name,
					  &request, options->update_lock, &job->packages, error))
		return FALSE;
	if (is_base(job)) {
		g_clear_pointer(&composer->base_packages, g_ptr_array_unref);
		composer->base_packages = g_ptr_array_ref(job->packages);
	}
	return TRUE;
}

/* A package's version as a layer's: no epoch, and nothing that a file name gives another meaning.
 */
static char *layer_version(const char *version, const char *release)
{
	g_autofree char *joined =
		release ? g_strdup_printf("%s-%s", version, release) : g_strdup(version);

	return g_strcanon(g_steal_pointer(&joined),
			  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.+~^-",
			  '.');
}

/* @version (taken) with the layer's own revision, which counts where packages do not. */
static char *with_revision(const Job *job, char *version)
{
	g_autofree char *plain = version;

	return job->layer->revision > 1
		       ? g_strdup_printf("%s+r%" G_GUINT64_FORMAT, plain, job->layer->revision)
		       : g_steal_pointer(&plain);
}

static gboolean choose_version(Job *job, GError **error)
{
	const VarveOs *os = &job->composer->options.definition->os;
	g_autofree char *at = varve_origin_text(&job->layer->origin);
	g_auto(GStrv) date = g_strsplit(os->released, "-", 3);
	g_autofree char *joined = g_strjoinv("", date);

	if (!job->layer->version_from) {
		g_autofree char *version = layer_version(os->version_id, NULL);

		job->version = with_revision(job, g_strconcat(version, ".", joined, NULL));
		return TRUE;
	}
	for (guint i = 0; i < job->packages->len; i++) {
		const VarvePackage *package = g_ptr_array_index(job->packages, i);

		if (strcmp(package->name, job->layer->version_from) == 0) {
			job->version = with_revision(
				job, layer_version(package->version, package->release));
			return TRUE;
		}
	}
	return varve_fail(
		error, VARVE_ERROR_NOT_FOUND,
		"%s: version-from names package '%s', which is not among the %u of the layer", at,
		job->layer->version_from, job->packages->len);
}

/* Which certificates a base trusts: its own key's, those of its edition's extensions, and those of
 * who signs what is not of the edition: patches. */
static gboolean collect_certificates(Job *job, GError **error)
{
	const VarveComposerOptions *options = &job->composer->options;
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	g_hash_table_add(seen, (gpointer)options->edition->base->key);
	for (gsize i = 0; i < options->edition->n_extensions; i++)
		g_hash_table_add(seen, (gpointer)options->edition->extensions[i]->key);
	for (gsize i = 0; options->edition->trusted_keys[i]; i++)
		g_hash_table_add(seen, (gpointer)options->edition->trusted_keys[i]);
	g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(seen), (GCompareFunc)strcmp);
	for (GList *name = names; name; name = name->next) {
		g_autofree char *file = g_strconcat(name->data, ".crt", NULL);
		g_autofree char *path = g_build_filename(options->keys, file, NULL);

		if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
			return varve_fail(
				error, VARVE_ERROR_NOT_FOUND,
				"%s: no such certificate, but the edition trusts layers by key "
				"'%s'; make keys with 'varve keys init %s', or that one with "
				"'varve keys add %s %s'",
				path, (char *)name->data, options->keys, options->keys,
				(char *)name->data);
		g_strv_builder_add(builder, path);
	}
	job->certificates = g_strv_builder_end(builder);
	return TRUE;
}

static gboolean add_selinux_inputs(const VarveSelinux *selinux, VarveInputs *inputs, GError **error)
{
	varve_inputs_add(inputs, "selinux", selinux->policy);
	varve_inputs_add_number(inputs, "selinux-mode", selinux->mode);
	varve_inputs_add_strings(inputs, "selinux-modules", selinux->modules);
	varve_inputs_add_strings(inputs, "selinux-enable", selinux->enable);
	varve_inputs_add_strings(inputs, "selinux-disable", selinux->disable);
	for (gsize i = 0; selinux->cil && selinux->cil[i]; i++) {
		g_autofree char *name = g_path_get_basename(selinux->cil[i]);

		if (!varve_inputs_add_file(inputs, name, selinux->cil[i], error))
			return FALSE;
	}
	return TRUE;
}

static gboolean add_base_inputs(Job *job, VarveInputs *inputs, GError **error)
{
	const VarveComposerOptions *options = &job->composer->options;
	const VarveOs *os = &options->definition->os;
	g_autofree char *support_end =
		varve_edition_support_end(options->definition, options->edition);

	if (!collect_certificates(job, error))
		return FALSE;
	for (char **path = job->certificates; *path; path++) {
		g_autofree char *name = g_path_get_basename(*path);

		if (!varve_inputs_add_file(inputs, name, *path, error))
			return FALSE;
	}
	if (!add_selinux_inputs(&options->edition->base->selinux, inputs, error))
		return FALSE;
	varve_inputs_add(inputs, "os", os->name);
	varve_inputs_add(inputs, "home-url", os->home_url);
	varve_inputs_add(inputs, "edition", options->edition->name);
	varve_inputs_add(inputs, "variant", options->edition->variant_id);
	varve_inputs_add(inputs, "support-end", support_end);
	return !options->edition->policy ||
	       varve_inputs_add_file(inputs, "policy", options->edition->policy, error);
}

/* What is declared seldom counts only where it is, as in the manifest: all other layers keep their
 * digest. */
static void add_swap_inputs(VarveInputs *declared, const VarveLayerDefinition *layer)
{
	varve_inputs_add_strings(declared, "restart", layer->restart);
	if (layer->reload && *layer->reload)
		varve_inputs_add_strings(declared, "reload", layer->reload);
	if (layer->ask && *layer->ask)
		varve_inputs_add_strings(declared, "ask", layer->ask);
	for (gsize i = 0; i < layer->n_checks; i++) {
		const VarveCheckDefinition *check = &layer->checks[i];

		varve_inputs_add(declared, "check", check->unit ? check->unit : "");
		varve_inputs_add_strings(declared, "check-command", check->command);
		varve_inputs_add_number(declared, "check-timeout", check->timeout);
	}
}

/* What the root is made from, and then what else the image is made from. Of an extension's base
 * only what matters to it is among that: the packages that it lacks, and how its files are
 * labelled. */
static gboolean compute_keys(Job *job, GError **error)
{
	const VarveComposerOptions *options = &job->composer->options;
	const VarveOs *os = &options->definition->os;
	const VarveLayerDefinition *base = options->edition->base;
	g_autoptr(VarveInputs) packages = varve_inputs_new("packages");
	g_autoptr(VarveInputs) declared = varve_inputs_new("definition");
	g_autoptr(VarveInputs) inputs = varve_inputs_new(ROOT_KIND);

	if (!varve_composer_tools(job->composer, error))
		return FALSE;
	varve_inputs_add_packages(packages, job->packages);
	if (!varve_declare_inputs(declared, job->layer, error))
		return FALSE;
	varve_inputs_add_strings(declared, "exclude", job->layer->exclude);
	varve_inputs_add_strings(declared, "keep", job->layer->keep);
	varve_inputs_add_strings(declared, "base-exclude", base->exclude);
	varve_inputs_add_strings(declared, "base-keep", base->keep);
	add_swap_inputs(declared, job->layer);
	varve_inputs_add_number(declared, "rollback-index", job->layer->rollback_index);
	varve_inputs_add(declared, "os", os->id);
	varve_inputs_add(declared, "version-id", os->version_id);
	varve_inputs_add(declared, "vendor", os->vendor);
	varve_inputs_add(declared, "released", os->released);
	varve_inputs_add(declared, "version", job->version);
	varve_inputs_add(declared, "arch", options->arch->name);
	if (is_base(job) && !add_base_inputs(job, declared, error))
		return FALSE;
	job->inputs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_hash_table_insert(job->inputs, g_strdup("packages"), varve_inputs_key(packages));
	g_hash_table_insert(job->inputs, g_strdup("definition"), varve_inputs_key(declared));
	g_hash_table_insert(job->inputs, g_strdup("tools"), g_strdup(job->composer->tools_key));
	varve_inputs_add(inputs, "packages", g_hash_table_lookup(job->inputs, "packages"));
	varve_inputs_add(inputs, "definition", g_hash_table_lookup(job->inputs, "definition"));
	varve_inputs_add(inputs, "tools", job->composer->tools_key);
	job->root_key = varve_inputs_key(inputs);
	varve_inputs_add(inputs, "image", IMAGE_KIND);
	if (!is_base(job)) {
		g_autofree char *contexts = varve_selinux_contexts_key(job->base->staged, error);

		if (!contexts)
			return FALSE;
		g_hash_table_insert(job->inputs, g_strdup("file-contexts"), g_strdup(contexts));
		varve_inputs_add(inputs, "file-contexts", contexts);
	}
	job->image_key = varve_inputs_key(inputs);
	return TRUE;
}

static char *base_root(const Job *job)
{
	return is_base(job) ? NULL : g_strdup(job->base->staged);
}

/* Installs, leaves out, declares, finishes in @partial. */
static gboolean stage_into(Job *job, const char *partial, VarveInstalled **ret_installed,
			   GError **error)
{
	const VarveComposerOptions *options = &job->composer->options;
	g_autofree char *root = g_build_filename(partial, "root", NULL);
	g_autofree char *database = g_build_filename(partial, DATABASE, NULL);
	g_autofree char *lower = base_root(job);
	g_autofree char *base_stage = lower ? g_path_get_dirname(lower) : NULL;
	g_autofree char *base_database =
		base_stage ? g_build_filename(base_stage, DATABASE, NULL) : NULL;
	g_autoptr(GHashTable) users = NULL, groups = NULL;
	const VarveLayerDefinition *base = is_base(job) ? NULL : options->edition->base;
	const VarveExclude exclude = {
		.exclude = { job->layer->exclude, base ? base->exclude : NULL },
		.keep = { job->layer->keep, base ? base->keep : NULL },
	};
	const VarveFinish finish = {
		.definition = options->definition,
		.edition = options->edition,
		.arch = options->arch,
		.tools = job->composer->tools,
		.root = root,
		.version = job->version,
		.certificates = (const char *const *)job->certificates,
		.tools_key = job->composer->tools_key,
		.work = options->work,
	};
	VarveInstall install = {
		.root = root,
		.lower = lower,
		.read_database = base_database,
		.write_database = lower ? NULL : database,
		.epoch = options->definition->os.released_time,
	};

	if (!varve_declare_ids(job->layer, lower, &users, &groups, error))
		return FALSE;
	install.users = users;
	install.groups = groups;
	if (!varve_universe_fetch(job->composer->universe, job->packages, error) ||
	    !varve_install(job->composer->universe, job->packages, &install, ret_installed,
			   error) ||
	    !varve_exclude_apply(root, &exclude, error))
		return FALSE;
	return lower ? varve_declare_entries(root, lower, job->layer, error)
		     : varve_finish_base(&finish, error);
}

/* Makes the staged root unless it is in the store. @ret_installed: NULL stays where it was. */
static gboolean stage(Job *job, VarveInstalled **ret_installed, GError **error)
{
	g_autofree char *partial = NULL;

	job->stage = varve_store_path(job->composer->options.work, "roots", job->layer->name,
				      job->root_key, error);
	if (!job->stage)
		return FALSE;
	varve_store_touch(job->stage);
	if (g_file_test(job->stage, G_FILE_TEST_IS_DIR))
		return TRUE;
	partial = varve_store_begin(job->stage, error);
	return partial && stage_into(job, partial, ret_installed, error) &&
	       varve_store_commit(partial, job->stage, error) &&
	       varve_store_trim(job->stage, KEEP, error);
}

static gboolean make_image(Job *job, VarveInstalled *installed, const char *path,
			   VarveManifest **ret_manifest, GError **error)
{
	const VarveComposerOptions *options = &job->composer->options;
	g_autofree char *staged = g_build_filename(job->stage, "root", NULL);
	g_autofree char *lower = base_root(job);
	g_autofree char *partial = varve_store_begin(path, error);
	g_autofree char *erofs = NULL, *text = NULL, *manifest_path = NULL;
	g_autoptr(VarveInstalled) read = NULL;
	g_autoptr(VarveManifest) manifest = NULL;
	VarveLayerImage image = {
		.definition = options->definition,
		.edition = options->edition,
		.layer = job->layer,
		.arch = options->arch,
		.tools = job->composer->tools,
		.upstream = options->upstream->name,
		.staged = staged,
		.base_root = lower,
		.base = job->base ? job->base->manifest : NULL,
		.version = job->version,
		.inputs = job->inputs,
	};

	if (!partial)
		return FALSE;
	if (!installed &&
	    (!varve_universe_fetch(job->composer->universe, job->packages, error) ||
	     !varve_installed_read(job->composer->universe, job->packages, &read, error)))
		return FALSE;
	image.installed = installed ? installed : read;
	erofs = g_build_filename(partial, "layer.erofs", NULL);
	manifest_path = g_build_filename(partial, "manifest.json", NULL);
	if (!varve_layer_image_make(&image, erofs, &manifest, error))
		return FALSE;
	text = varve_manifest_write(manifest);
	if (!varve_file_write(AT_FDCWD, manifest_path, text, strlen(text), 0644, error) ||
	    !varve_store_commit(partial, path, error) || !varve_store_trim(path, KEEP, error))
		return FALSE;
	*ret_manifest = g_steal_pointer(&manifest);
	return TRUE;
}

static VarveManifest *read_manifest(const char *path, GError **error)
{
	g_autofree char *file = g_build_filename(path, "manifest.json", NULL);
	g_autofree char *text = NULL;
	size_t size;

	if (!varve_file_read(AT_FDCWD, file, MANIFEST_LIMIT, &text, &size, error))
		return NULL;
	return varve_manifest_parse(text, size, file, error);
}

static gboolean run(Job *job, VarveComposed *composed, GError **error)
{
	g_autofree char *title = g_strdup_printf("composing layer '%s'", job->layer->name);
	g_autoptr(VarveProgress) progress = varve_progress_new(title, VARVE_PROGRESS_ITEMS, 0);
	g_autoptr(VarveInstalled) installed = NULL;
	g_autofree char *path = NULL;

	if (!resolve(job, error) || !choose_version(job, error) || !compute_keys(job, error))
		return FALSE;
	path = varve_store_path(job->composer->options.work, "layers", job->layer->name,
				job->image_key, error);
	if (!path)
		return FALSE;
	composed->made = !g_file_test(path, G_FILE_TEST_IS_DIR);
	/* A base's root is needed beyond its image: by extensions, and for the initrd. */
	if ((composed->made || is_base(job)) && !stage(job, &installed, error))
		return FALSE;
	if (composed->made) {
		if (!make_image(job, installed, path, &composed->manifest, error))
			return FALSE;
	} else {
		varve_store_touch(path);
		composed->manifest = read_manifest(path, error);
		if (!composed->manifest ||
		    (job->base && !varve_layer_image_check_requires(composed->manifest,
								    job->base->manifest, error)))
			return FALSE;
	}
	composed->image = g_build_filename(path, "layer.erofs", NULL);
	composed->staged = is_base(job) ? g_build_filename(job->stage, "root", NULL) : NULL;
	varve_progress_end(progress, "layer '%s' %s: %u packages, %s", job->layer->name,
			   job->version, composed->manifest->packages->len,
			   composed->made ? "made" : "unchanged");
	return TRUE;
}

gboolean varve_layer_job_run(VarveComposer *composer, const VarveComposed *base,
			     VarveComposed *composed, GError **error)
{
	g_auto(Job) job = { .composer = composer, .layer = composed->layer, .base = base };

	return run(&job, composed, error);
}
