/* From upstream to what is built, step by step. */
#include "component/prepare.h"

#include "base/checksum.h"
#include "base/error.h"
#include "base/file.h"
#include "component/inputs.h"
#include "component/loose-files.h"
#include "component/provenance.h"
#include "component/release.h"
#include "component/render.h"
#include "crypt/sha256.h"

#include <string.h>
#include <sys/stat.h>

#define SPEC_LIMIT ((gsize)64 << 20)
#define NOBODY "Varve <nobody@localhost>"

/** One component on its way. */
typedef struct {
	const VarvePrepare *prepare;
	VarveEffective *effective;
	VarveSource *source;
	VarveComponentRecord *record;
	GArray *defines; /* of the component, which borrows them, and of its upstream */
	char *upstream;  /* directory: its files as they are */
	int in, out;
	char *spec_name; /* of the result */
	gboolean changed_sources;
} Job;

static void clear_job(Job *job)
{
	varve_autofd_close(&job->in);
	varve_autofd_close(&job->out);
	if (job->upstream)
		varve_dir_remove(AT_FDCWD, job->upstream, NULL);
	g_free(job->upstream);
	g_free(job->spec_name);
	varve_component_record_free(job->record);
	varve_source_free(job->source);
	varve_effective_free(job->effective);
	if (job->defines)
		g_array_unref(job->defines);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Job, clear_job)

/* The commit that the lock has, where it answers what the definition asks for now. */
static const char *locked_commit(const VarvePrepare *prepare, const VarveEffective *effective)
{
	const VarveComponentRecord *record =
		prepare->lock && !prepare->update
			? varve_components_lock_find(prepare->lock, effective->name)
			: NULL;
	g_autofree char *pin = varve_source_pin(effective);

	return record && strcmp(record->pin, pin) == 0 ? record->commit : NULL;
}

static VarveSource *open_source(const VarvePrepare *prepare, const VarveEffective *effective,
				GError **error)
{
	return varve_source_open(prepare->definition, effective, &prepare->sources,
				 locked_commit(prepare, effective), error);
}

static char *describe_upstream(const Job *job)
{
	const VarveEffective *effective = job->effective;

	if (!job->source->git)
		return NULL;
	return g_strdup_printf("%s/%s %s", effective->distro->name,
			       effective->version ? effective->version->name : "",
			       job->source->upstream_name);
}

static gboolean make_record(Job *job, GError **error)
{
	VarveComponentRecord *record = g_new0(VarveComponentRecord, 1);
	const VarveSource *source = job->source;
	g_autoptr(GPtrArray) inputs = NULL;
	VarveDigest digest;

	job->record = record;
	varve_sha256(source->spec, source->spec_size, &digest);
	record->name = g_strdup(source->name);
	record->upstream = describe_upstream(job);
	record->pin = g_strdup(source->pin);
	record->commit = g_strdup(source->commit);
	record->spec = varve_digest_dup_hex(&digest);
	record->sources = varve_sources_file_new();
	for (guint i = 0; i < source->sources->entries->len; i++) {
		const VarveSourceEntry *entry = source->sources->entries->pdata[i];

		varve_sources_file_set(record->sources, entry->name, entry->type, entry->checksum);
	}
	inputs =
		varve_component_inputs_new(job->prepare->definition, job->effective, record, error);
	if (!inputs)
		return FALSE;
	record->fingerprint = varve_component_inputs_fingerprint(inputs);
	return TRUE;
}

static gboolean is_changed_archive(const Job *job, const char *name)
{
	const VarveComponent *component = &job->effective->component;

	for (gsize i = 0; i < component->n_overlays; i++) {
		if (varve_overlay_is_archived(&component->overlays[i]) &&
		    g_strcmp0(component->overlays[i].archive, name) == 0)
			return TRUE;
	}
	return FALSE;
}

/* The upstream's files in a directory of their own, with the archives that overlays change. */
static gboolean export(Job *job, GError **error)
{
	const VarveSourcesFile *sources = job->source->sources;

	job->upstream = g_dir_make_tmp("varve-upstream-XXXXXX", error);
	if (!job->upstream)
		return FALSE;
	job->in = varve_dir_open(AT_FDCWD, job->upstream, error);
	if (job->in < 0 || !varve_source_export(job->source, job->in, error))
		return FALSE;
	for (guint i = 0; i < sources->entries->len; i++) {
		const VarveSourceEntry *entry = sources->entries->pdata[i];

		if ((job->prepare->archives || is_changed_archive(job, entry->name)) &&
		    !varve_source_fetch_into(job->source, entry->name, job->upstream, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean render(Job *job, GError **error)
{
	const VarveSource *source = job->source;
	VarveRenderInput input = { .name = source->name,
				   .component = &job->effective->component,
				   .spec_path = source->spec_name,
				   .spec = source->spec,
				   .spec_size = source->spec_size,
				   .sources = job->in };

	return varve_render(&input, job->out, error);
}

/* Where the record says already what was asked for. */
static gboolean define(Job *job, GError **error)
{
	VarveComponentBuild *build = &job->effective->component.build;

	job->defines = varve_provenance_defines(job->source, error);
	if (!job->defines)
		return FALSE;
	build->defines = (const VarveSetting *)(const void *)job->defines->data;
	build->n_defines = job->defines->len;
	return TRUE;
}

/* Release */

static char *author_of(const Job *job)
{
	const char *mail = job->prepare->definition->components->default_author_email;

	return mail ? g_strdup_printf("Varve <%s>", mail) : g_strdup(NOBODY);
}

static gboolean set_release(const Job *job, char **spec, const char *value, GError **error)
{
	g_autoptr(VarveSpec) parsed = varve_spec_parse(job->spec_name, *spec, strlen(*spec), error);

	if (!parsed || !varve_spec_update_tag(parsed, "", "Release", value, error))
		return FALSE;
	g_free(*spec);
	*spec = g_string_free(varve_spec_print(parsed), FALSE);
	return TRUE;
}

static gboolean raise_release(const Job *job, char **spec, guint64 by, GError **error)
{
	VarveReleaseCalculation calculation = job->effective->component.release;
	g_autofree char *value = NULL, *raised = NULL;

	if (calculation == VARVE_RELEASE_MANUAL || calculation == VARVE_RELEASE_AUTORELEASE)
		return TRUE;
	value = varve_release_find(*spec, error);
	if (!value) {
		g_prefix_error(error, "component '%s': ", job->source->name);
		return FALSE;
	}
	if (!varve_release_calculate(calculation, job->source->name, value, by, &raised, error))
		return FALSE;
	return !raised || set_release(job, spec, raised, error);
}

static gboolean work_out(const Job *job, char **spec, const GPtrArray *changes, GError **error)
{
	const VarveSource *source = job->source;
	const char *branch =
		job->effective->version ? job->effective->version->dist_git_branch : NULL;
	g_autoptr(GArray) macros = varve_prepare_macros(&job->effective->component.build);
	VarveAutospecHistory history = { .git = source->git,
					 .commit = source->commit,
					 .spec_name = source->spec_name,
					 .changes = changes,
					 .spec = *spec,
					 .macros = (const VarveSetting *)(void *)macros->data,
					 .n_macros = macros->len };
	g_auto(VarveAutospec) result = { 0 };
	VarveAutospecUse use;
	char *text;

	varve_autospec_look(*spec, &use);
	if (use.processed || (!use.autorelease && !use.autochangelog))
		return TRUE;
	if ((source->git && !varve_git_deepen(source->git, source->commit, branch, error)) ||
	    !varve_autospec_work_out(&history, &result, error)) {
		g_prefix_error(error, "component '%s': ", source->name);
		return FALSE;
	}
	text = varve_autospec_apply(*spec, &use, &result);
	g_free(*spec);
	*spec = text;
	return TRUE;
}

static GPtrArray *changes_of(const Job *job, const char *author)
{
	const VarveRevisions *all = job->prepare->changes;
	const VarveSource *source = job->source;
	const char *locked = job->effective->locked_fingerprint;

	if (locked)
		return varve_revisions_of_azldev(all, source->name, locked, source->commit, author);
	return varve_revisions_of(all, source->name, job->record->fingerprint, source->commit,
				  author);
}

static gboolean release(Job *job, char **spec, GError **error)
{
	const VarveRevisions *all = job->prepare->changes;
	g_autofree char *author = author_of(job);
	g_autoptr(GPtrArray) changes = NULL;

	if (all && varve_revisions_known(all)) {
		changes = changes_of(job, author);
		if (!raise_release(job, spec, changes->len, error))
			return FALSE;
	}
	return work_out(job, spec, changes, error);
}

/* Files */

/* What a source-file of origin 'overlay' asks for. */
static GChecksumType archive_type(const Job *job, const char *name)
{
	const VarveComponent *component = &job->effective->component;
	GChecksumType type = G_CHECKSUM_SHA512;

	for (gsize i = 0; i < component->n_source_files; i++) {
		const VarveSourceFile *file = &component->source_files[i];

		if (file->from == VARVE_SOURCE_OVERLAY && file->hash_type &&
		    strcmp(file->filename, name) == 0)
			varve_checksum_type(file->hash_type, &type);
	}
	return type;
}

/* An archive that an overlay changed has another checksum, under which it is kept. */
static gboolean take_archive(Job *job, VarveSourceEntry *entry, const char *output, GError **error)
{
	GChecksumType type = archive_type(job, entry->name);
	g_autofree char *kind = g_ascii_strdown(varve_checksum_name(type), -1);
	g_autofree char *path = g_build_filename(output, entry->name, NULL);
	g_autofree char *checksum = NULL, *kept = NULL, *parent = NULL;
	varve_autofd fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return varve_fail_errno(error, errno, "%s", entry->name);
	checksum = varve_checksum_fd(fd, type, entry->name, error);
	if (!checksum)
		return FALSE;
	kept = g_build_filename(job->prepare->sources.work, "files", kind, checksum, NULL);
	parent = g_path_get_dirname(kept);
	varve_sources_file_set(job->source->sources, entry->name, type, checksum);
	job->changed_sources = TRUE;
	return varve_dir_make(parent, 0755, error) && varve_file_copy(path, kept, 0644, error) &&
	       (job->prepare->archives || varve_dir_remove(job->out, entry->name, error));
}

static gboolean write_sources(Job *job, const char *output, GError **error)
{
	const VarveSource *source = job->source;
	g_autofree char *text = NULL;

	for (guint i = 0; i < source->sources->entries->len; i++) {
		VarveSourceEntry *entry = source->sources->entries->pdata[i];

		if (is_changed_archive(job, entry->name) &&
		    !take_archive(job, entry, output, error))
			return FALSE;
	}
	/* What nothing was changed in stays as the upstream wrote it. */
	if (!job->changed_sources && job->effective->component.n_source_files == 0)
		return TRUE;
	text = varve_sources_file_print(source->sources);
	return varve_file_write(job->out, "sources", text, strlen(text), 0644, error);
}

static gboolean filter(Job *job, const char *spec, GError **error)
{
	g_autoptr(GArray) macros = varve_prepare_macros(&job->effective->component.build);
	g_autoptr(GPtrArray) keep = g_ptr_array_new();
	const VarveSourcesFile *sources = job->source->sources;

	if (job->effective->component.skip_file_filter)
		return TRUE;
	g_ptr_array_add(keep, job->spec_name);
	g_ptr_array_add(keep, (gpointer) "sources");
	for (guint i = 0; job->prepare->archives && i < sources->entries->len; i++)
		g_ptr_array_add(keep, ((VarveSourceEntry *)sources->entries->pdata[i])->name);
	g_ptr_array_add(keep, NULL);
	return varve_prepare_keep(job->out, spec, macros, (const char *const *)keep->pdata, error);
}

gboolean varve_prepare(const VarvePrepare *prepare, const char *name, const char *output,
		       VarveComponentRecord **ret_record, GError **error)
{
	g_auto(Job) job = { .prepare = prepare, .in = -1, .out = -1 };
	g_autofree char *spec = NULL;
	gsize size;

	job.effective = varve_effective_new(prepare->definition, name, error);
	job.source = job.effective ? open_source(prepare, job.effective, error) : NULL;
	if (!job.source || !make_record(&job, error))
		return FALSE;
	job.spec_name = g_strconcat(name, ".spec", NULL);
	job.out = varve_dir_open(AT_FDCWD, output, error);
	if (job.out < 0 || !export(&job, error) || !define(&job, error) || !render(&job, error) ||
	    !varve_file_read(job.out, job.spec_name, SPEC_LIMIT, &spec, &size, error) ||
	    !release(&job, &spec, error) ||
	    !varve_file_write(job.out, job.spec_name, spec, strlen(spec), 0644, error) ||
	    !write_sources(&job, output, error) || !filter(&job, spec, error))
		return FALSE;
	if (ret_record)
		*ret_record = g_steal_pointer(&job.record);
	return TRUE;
}

gboolean varve_prepare_upstream(const VarvePrepare *prepare, const VarveEffective *effective,
				const char *directory, char **ret_spec, gsize *ret_size,
				GError **error)
{
	g_autoptr(VarveSource) source = open_source(prepare, effective, error);
	varve_autofd into = source ? varve_dir_open(AT_FDCWD, directory, error) : -1;

	if (into < 0 || !varve_source_export(source, into, error))
		return FALSE;
	*ret_spec = g_steal_pointer(&source->spec);
	*ret_size = source->spec_size;
	return TRUE;
}
