/* Opening an rpm-md repository: metalink or base, repomd.xml, its signature, what it names. */
#include "rpm/repository.h"

#include "base/error.h"
#include "base/file.h"
#include "rpm/context.h"
#include "rpm/digest-internal.h"
#include "rpm/repository-internal.h"

#include <stdio.h>
#include <string.h>

#define SECONDS_A_DAY 86400

G_DEFINE_AUTOPTR_CLEANUP_FUNC(LrHandle, lr_handle_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LrResult, lr_result_free)

/* Exactly one address, of a scheme that we take. */
static gboolean check_source(const VarveRepositorySource *source, GError **error)
{
	int addresses = (source->metalink != NULL) + (source->mirrorlist != NULL) +
			(source->baseurl != NULL);
	const char *address = source->metalink     ? source->metalink
			      : source->mirrorlist ? source->mirrorlist
						   : source->baseurl;

	if (addresses != 1)
		return varve_fail(
			error, VARVE_ERROR_USAGE,
			"repository '%s': has %d addresses, expected exactly one of metalink, "
			"mirrorlist and baseurl",
			source->name, addresses);
	if (!g_str_has_prefix(address, "https://") && !g_str_has_prefix(address, "http://") &&
	    !(source->baseurl && g_str_has_prefix(address, "file:///")))
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "repository '%s': address '%s' is not https:, http:%s",
				  source->name, address, source->baseurl ? " or file:" : "");
	return TRUE;
}

static char *substitute(const VarveRepositorySource *source, const VarveRepositoryOptions *options,
			const char *url)
{
	LrUrlVars *variables = lr_urlvars_set(NULL, "basearch", options->basearch);
	char *text, *copy;

	if (source->releasever)
		variables = lr_urlvars_set(variables, "releasever", source->releasever);
	text = lr_url_substitute(url, variables);
	copy = g_strdup(text);
	lr_free(text);
	lr_urlvars_free(variables);
	return copy;
}

/* librepo's own error only says that all mirrors were tried. */
static int on_mirror_failure(void *data, const char *message, const char *url, const char *metadata)
{
	VarvePackageRepository *repository = data;

	(void)url;
	(void)metadata;
	g_free(repository->last_failure);
	repository->last_failure = g_strdup(message);
	return LR_CB_OK;
}

static LrHandle *make_handle(VarvePackageRepository *repository,
			     const VarveRepositorySource *source,
			     const VarveRepositoryOptions *options, const char *stage,
			     GError **error)
{
	g_autoptr(LrHandle) handle = lr_handle_init();
	const char *address = source->metalink     ? source->metalink
			      : source->mirrorlist ? source->mirrorlist
						   : source->baseurl;
	g_autofree char *url = substitute(source, options, address);
	char *urls[] = { url, NULL }, *nothing[] = { NULL };
	LrHandleOption kind = source->metalink     ? LRO_METALINKURL
			      : source->mirrorlist ? LRO_MIRRORLISTURL
						   : LRO_URLS;
	g_autoptr(GError) cause = NULL;
	gboolean fine;

	fine = source->baseurl ? lr_handle_setopt(handle, &cause, kind, urls)
			       : lr_handle_setopt(handle, &cause, kind, url);
	/* repomd.xml alone; and its signature is ours to check, with the definition's keys. */
	if (!fine || !lr_handle_setopt(handle, &cause, LRO_REPOTYPE, LR_YUMREPO) ||
	    !lr_handle_setopt(handle, &cause, LRO_DESTDIR, stage) ||
	    !lr_handle_setopt(handle, &cause, LRO_YUMDLIST, nothing) ||
	    !lr_handle_setopt(handle, &cause, LRO_CHECKSUM, 1L) ||
	    !lr_handle_setopt(handle, &cause, LRO_HMFCB, on_mirror_failure) ||
	    !lr_handle_setopt(handle, &cause, LRO_PROGRESSDATA, repository) ||
	    !lr_handle_setopt(handle, &cause, LRO_USERAGENT, "varve/" VARVE_VERSION) ||
	    !lr_handle_setopt(handle, &cause, LRO_MAXPARALLELDOWNLOADS, 8L) ||
	    !lr_handle_setopt(handle, &cause, LRO_MAXDOWNLOADSPERMIRROR, 4L)) {
		varve_package_repository_fail(repository, cause, "setting up", error);
		return NULL;
	}
	if (source->baseurl && g_str_has_prefix(url, "file:"))
		repository->local = g_filename_from_uri(url, NULL, NULL);
	return g_steal_pointer(&handle);
}

static gboolean same_hash(const GSList *hashes, const char *repomd, gboolean *ret_any)
{
	for (; hashes; hashes = hashes->next) {
		const LrMetalinkHash *hash = hashes->data;

		/* MD5 and SHA-1 vouch for nothing. */
		if (!hash->type || !hash->value ||
		    (strcmp(hash->type, "sha256") != 0 && strcmp(hash->type, "sha512") != 0))
			continue;
		*ret_any = TRUE;
		if (varve_rpm_file_matches(repomd, hash->type, hash->value, 0))
			return TRUE;
	}
	return FALSE;
}

/* A metalink that came over https vouches for the bytes of repomd.xml. */
static gboolean metalink_vouches(const VarveRepositorySource *source, LrHandle *handle,
				 const char *repomd)
{
	LrMetalink *metalink = NULL;
	gboolean any = FALSE;

	if (!source->metalink || !g_str_has_prefix(source->metalink, "https://") ||
	    !lr_handle_getinfo(handle, NULL, LRI_METALINK, &metalink) || !metalink)
		return FALSE;
	if (same_hash(metalink->hashes, repomd, &any))
		return TRUE;
	for (const GSList *item = metalink->alternates; item; item = item->next) {
		const LrMetalinkAlternate *alternate = item->data;

		if (same_hash(alternate->hashes, repomd, &any))
			return TRUE;
	}
	return FALSE;
}

/* The signature from the mirror that gave repomd.xml: another may be a version behind. */
static gboolean check_signature(VarvePackageRepository *repository,
				const VarveRepositorySource *source, const LrYumRepo *found,
				GError **error)
{
	g_autofree char *signature = g_strconcat(found->repomd, ".asc", NULL);
	g_autoptr(GError) cause = NULL;

	if (!varve_package_repository_get(repository, found->url, "repodata/repomd.xml.asc",
					  signature, NULL, NULL, 0, &cause)) {
		if (!g_error_matches(cause, VARVE_ERROR, VARVE_ERROR_NOT_FOUND)) {
			g_propagate_error(error, g_steal_pointer(&cause));
			return FALSE;
		}
		if (metalink_vouches(source, repository->handle, found->repomd))
			return TRUE;
		return varve_fail(
			error, VARVE_ERROR_UNTRUSTED,
			"repository '%s': has no repodata/repomd.xml.asc: its metadata are not "
			"signed, and no https metalink vouches for them; expected a signature by "
			"one of: %s",
			repository->name, varve_package_keys_describe(repository->keys));
	}
	if (varve_package_keys_check_detached(repository->keys, found->repomd, signature, &cause))
		return TRUE;
	return varve_fail(error, (VarveError)cause->code, "repository '%s': %s", repository->name,
			  cause->message);
}

static gboolean read_records(VarvePackageRepository *repository, GError **error)
{
	g_autoptr(GError) cause = NULL;
	varve_autofd fd = open(repository->repomd, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return varve_fail_errno(error, errno, "%s", repository->repomd);
	repository->records = lr_yum_repomd_init();
	if (!lr_yum_repomd_parse_file(repository->records, fd, NULL, NULL, &cause))
		return varve_fail(error, VARVE_ERROR_CORRUPT, "repository '%s': repomd.xml: %s",
				  repository->name, cause->message);
	repository->timestamp = lr_yum_repomd_get_highest_timestamp(repository->records, NULL);
	return TRUE;
}

static gboolean check_age(const VarvePackageRepository *repository,
			  const VarveRepositorySource *source, GError **error)
{
	gint64 age = g_get_real_time() / G_USEC_PER_SEC - repository->timestamp;
	g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(repository->timestamp);
	g_autofree char *date = NULL;

	if (!source->max_age_days || age <= (gint64)source->max_age_days * SECONDS_A_DAY)
		return TRUE;
	date = when ? g_date_time_format(when, "%Y-%m-%d") : g_strdup("an unknown day");
	return varve_fail(error, VARVE_ERROR_REFUSED,
			  "repository '%s': its metadata are of %s, %" G_GINT64_FORMAT
			  " days old, and max-age-days is %u: the mirror may be frozen; use "
			  "another, or raise "
			  "max-age-days",
			  repository->name, date, age / SECONDS_A_DAY, source->max_age_days);
}

/* Makes the metadata file of @type local. (caller frees) */
static char *get_metadata(VarvePackageRepository *repository, const char *type, GError **error)
{
	LrYumRepoMdRecord *record = lr_yum_repomd_get_record(repository->records, type);
	const char *extension;
	g_autofree char *name = NULL, *path = NULL;

	if (!record || !record->location_href || !record->checksum || !record->checksum_type) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND,
			   "repository '%s': repomd.xml names no '%s'", repository->name, type);
		return NULL;
	}
	extension = strrchr(record->location_href, '.');
	if (strspn(record->checksum, "0123456789abcdefABCDEF") != strlen(record->checksum) ||
	    strlen(record->checksum) < 64 || !extension || strchr(extension, '/')) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "repository '%s': repomd.xml gives '%s' as %s digest of '%s', expected "
			   "SHA-256 or "
			   "longer",
			   repository->name, record->checksum, record->checksum_type, type);
		return NULL;
	}
	name = g_strdup_printf("%s-%s%s%s", record->checksum, type,
			       strcmp(extension, ".xml") == 0 ? "" : ".xml", extension);
	path = g_build_filename(repository->directory, name, NULL);
	if (!varve_package_repository_get(repository, record->location_base, record->location_href,
					  path, record->checksum_type, record->checksum,
					  record->size > 0 ? (guint64)record->size : 0, error))
		return NULL;
	return g_steal_pointer(&path);
}

static gboolean is_named(const VarvePackageRepository *repository, const char *name)
{
	for (const GSList *item = repository->records->records; item; item = item->next) {
		const LrYumRepoMdRecord *record = item->data;

		if (record->checksum && g_str_has_prefix(name, record->checksum))
			return TRUE;
	}
	return FALSE;
}

/* Metadata files of earlier versions. */
static void remove_stale(const VarvePackageRepository *repository)
{
	g_auto(GStrv) names = NULL;

	if (!varve_dir_list(AT_FDCWD, repository->directory, &names, NULL))
		return;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_build_filename(repository->directory, *name, NULL);

		if (strspn(*name, "0123456789abcdef") >= 64 && !is_named(repository, *name))
			unlink(path);
	}
}

static gboolean open_staged(VarvePackageRepository *repository, const VarveRepositorySource *source,
			    GError **error)
{
	g_autoptr(LrResult) result = lr_result_init();
	g_autoptr(GError) cause = NULL;
	LrYumRepo *found = NULL;
	guint64 size;

	if (repository->local) {
		g_autofree char *repomd =
			g_build_filename(repository->local, "repodata", "repomd.xml", NULL);

		if (access(repomd, R_OK) < 0)
			return varve_fail_errno(error, errno, "repository '%s': %s",
						repository->name, repomd);
	}
	if (!lr_handle_perform(repository->handle, result, &cause) ||
	    !lr_result_getinfo(result, &cause, LRR_YUM_REPO, &found))
		return varve_package_repository_fail(repository, cause, "repodata/repomd.xml",
						     error);
	if (!check_signature(repository, source, found, error) ||
	    !varve_rpm_digest_file(found->repomd, &repository->digest, &size, error))
		return FALSE;
	repository->repomd = g_build_filename(repository->directory, "repomd.xml", NULL);
	if (rename(found->repomd, repository->repomd) < 0)
		return varve_fail_errno(error, errno, "%s", repository->repomd);
	if (!read_records(repository, error) || !check_age(repository, source, error))
		return FALSE;
	repository->primary = get_metadata(repository, "primary", error);
	if (!repository->primary)
		return FALSE;
	remove_stale(repository);
	return TRUE;
}

VarvePackageRepository *varve_package_repository_open(const VarveRepositorySource *source,
						      const VarveRepositoryOptions *options,
						      GError **error)
{
	g_autoptr(VarvePackageRepository) repository = NULL;
	g_autofree char *safe = NULL, *stage = NULL;

	varve_rpm_init();
	if (!check_source(source, error))
		return NULL;
	repository = g_new0(VarvePackageRepository, 1);
	repository->name = g_strdup(source->name);
	repository->own = source->own;
	safe = g_strdelimit(g_strdup(source->name), "/", '-');
	repository->directory = g_build_filename(options->cache, safe, options->basearch, NULL);
	stage = g_build_filename(repository->directory, "new", NULL);
	repository->keys = varve_package_keys_load(source->keys, error);
	if (!repository->keys) {
		g_prefix_error(error, "repository '%s': ", source->name);
		return NULL;
	}
	if (!varve_dir_remove(AT_FDCWD, stage, error) || !varve_dir_make(stage, 0755, error))
		return NULL;
	repository->handle = make_handle(repository, source, options, stage, error);
	if (!repository->handle || !open_staged(repository, source, error))
		return NULL;
	varve_dir_remove(AT_FDCWD, stage, NULL);
	return g_steal_pointer(&repository);
}

void varve_package_repository_free(VarvePackageRepository *repository)
{
	if (!repository)
		return;
	lr_handle_free(repository->handle);
	if (repository->records)
		lr_yum_repomd_free(repository->records);
	varve_package_keys_unref(repository->keys);
	g_free(repository->name);
	g_free(repository->directory);
	g_free(repository->local);
	g_free(repository->repomd);
	g_free(repository->primary);
	g_free(repository->filelists);
	g_free(repository->last_failure);
	g_free(repository);
}

const char *varve_package_repository_name(const VarvePackageRepository *repository)
{
	return repository->name;
}

gboolean varve_package_repository_is_own(const VarvePackageRepository *repository)
{
	return repository->own;
}

const VarvePackageKeys *varve_package_repository_keys(const VarvePackageRepository *repository)
{
	return repository->keys;
}

const VarveDigest *varve_package_repository_digest(const VarvePackageRepository *repository)
{
	return &repository->digest;
}

gint64 varve_package_repository_timestamp(const VarvePackageRepository *repository)
{
	return repository->timestamp;
}

const char *varve_package_repository_repomd(const VarvePackageRepository *repository)
{
	return repository->repomd;
}

const char *varve_package_repository_primary(const VarvePackageRepository *repository)
{
	return repository->primary;
}

const char *varve_package_repository_filelists(VarvePackageRepository *repository, GError **error)
{
	if (!repository->filelists)
		repository->filelists = get_metadata(repository, "filelists", error);
	return repository->filelists;
}
