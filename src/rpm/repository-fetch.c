/* Fetching files of a repository: resumed where a part is there, checked, renamed when whole. */
#include "rpm/repository.h"

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "rpm/digest-internal.h"
#include "rpm/repository-internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

gboolean varve_package_repository_fail(const VarvePackageRepository *repository,
				       const GError *cause, const char *what, GError **error)
{
	g_autofree char *text =
		g_strdup_printf("%s%s%s%s", cause ? cause->message : "no reason given",
				repository->last_failure ? " (" : "",
				repository->last_failure ? repository->last_failure : "",
				repository->last_failure ? ")" : "");
	VarveError code = VARVE_ERROR_SYSTEM;

	/* librepo reports every failed download by one code; only its text tells which. */
	if (strstr(text, "code: 404") || strstr(text, "code: 410") || strstr(text, "error (37)"))
		code = VARVE_ERROR_NOT_FOUND;
	else if (strstr(text, "hecksum"))
		code = VARVE_ERROR_CORRUPT;
	return varve_fail(error, code, "repository '%s': %s: %s", repository->name, what, text);
}

static char *partial_of(const char *path)
{
	return g_strconcat(path, ".part", NULL);
}

static int on_file_failure(void *data, const char *message, const char *url)
{
	VarvePackageRepository *repository = data;

	(void)url;
	g_free(repository->last_failure);
	repository->last_failure = g_strdup(message);
	return LR_CB_OK;
}

static gboolean get_once(VarvePackageRepository *repository, const char *base, const char *url,
			 const char *partial, const char *algorithm, const char *digest,
			 guint64 size, GError **error)
{
	GError *cause = NULL;
	LrPackageTarget *target = lr_packagetarget_new_v2(
		repository->handle, url, partial,
		algorithm ? lr_checksum_type(algorithm) : LR_CHECKSUM_UNKNOWN, digest, (gint64)size,
		base, algorithm != NULL, NULL, repository, NULL, on_file_failure, &cause);
	g_autoptr(GSList) list = g_slist_append(NULL, target);
	gboolean fine;

	g_clear_pointer(&repository->last_failure, g_free);
	fine = target && lr_download_packages(list, LR_PACKAGEDOWNLOAD_FAILFAST, &cause);

	if (!fine)
		varve_package_repository_fail(repository, cause, url, error);
	g_clear_error(&cause);
	if (target)
		lr_packagetarget_free(target);
	return fine;
}

gboolean varve_package_repository_get(VarvePackageRepository *repository, const char *base,
				      const char *url, const char *path, const char *algorithm,
				      const char *digest, guint64 size, GError **error)
{
	g_autofree char *partial = partial_of(path);
	gboolean had_part;

	if (algorithm && varve_rpm_file_matches(path, algorithm, digest, size))
		return TRUE;
	had_part = access(partial, F_OK) == 0;
	if (!get_once(repository, base, url, partial, algorithm, digest, size,
		      had_part ? NULL : error)) {
		if (!had_part)
			return FALSE;
		/* The part may have been of something else. */
		unlink(partial);
		if (!get_once(repository, base, url, partial, algorithm, digest, size, error))
			return FALSE;
	}
	if (algorithm && !varve_rpm_file_matches(partial, algorithm, digest, size)) {
		unlink(partial);
		return varve_fail(
			error, VARVE_ERROR_CORRUPT,
			"repository '%s': %s has not the %s digest %s that the metadata give",
			repository->name, url, algorithm, digest);
	}
	if (rename(partial, path) < 0)
		return varve_fail_errno(error, errno, "%s", path);
	return TRUE;
}

/* One package on its way. */
typedef struct {
	VarvePackage *package; /* borrowed */
	char *path;
	char *partial;
	char *kept; /* what came before a connection broke */
	gboolean present;
	gboolean bad; /* came whole with another digest: nothing of it is worth keeping */
	guint64 reported;
	struct Fetch *fetch;
} Item;

typedef struct Fetch {
	VarvePackageRepository *repository;
	Item *items;
	gsize n_items;
	VarveFetched fetched;
	gpointer data;
} Fetch;

static gboolean has_package(const char *path, const VarvePackage *package)
{
	char hex[VARVE_DIGEST_HEX_SIZE];

	varve_digest_to_hex(&package->digest, hex);
	return varve_rpm_file_matches(path, "sha256", hex, package->size);
}

static gboolean check_present(gsize index, gpointer data, GError **error)
{
	Fetch *fetch = data;
	Item *item = &fetch->items[index];

	(void)error;
	item->present = has_package(item->path, item->package);
	return TRUE;
}

static void set_paths(Fetch *fetch, const GPtrArray *packages)
{
	const char *local = fetch->repository->local;

	fetch->n_items = packages->len;
	fetch->items = g_new0(Item, packages->len);
	for (guint i = 0; i < packages->len; i++) {
		Item *item = &fetch->items[i];
		g_autofree char *file = NULL, *name = NULL, *digest = NULL;

		item->package = g_ptr_array_index(packages, i);
		item->fetch = fetch;
		if (local) {
			item->path = g_build_filename(local, item->package->location, NULL);
			continue;
		}
		file = g_path_get_basename(item->package->location);
		digest = varve_hex(item->package->digest.bytes, 8);
		name = g_strdup_printf("%s-%s", digest, file);
		item->path = g_build_filename(fetch->repository->directory, "packages", name, NULL);
		item->partial = partial_of(item->path);
		item->kept = g_strconcat(item->path, ".kept", NULL);
	}
}

static void clear_items(Fetch *fetch)
{
	for (gsize i = 0; i < fetch->n_items; i++) {
		g_free(fetch->items[i].path);
		g_free(fetch->items[i].partial);
		g_free(fetch->items[i].kept);
	}
	g_free(fetch->items);
}

static int on_progress(void *data, double total, double now)
{
	Item *item = data;
	guint64 bytes = now > 0 ? (guint64)now : 0;

	(void)total;
	if (item->fetch->fetched && bytes > item->reported)
		item->fetch->fetched(bytes - item->reported, item->package->nevra,
				     item->fetch->data);
	item->reported = MAX(item->reported, bytes);
	return LR_CB_OK;
}

static guint64 size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (guint64)st.st_size : 0;
}

/* librepo resumes a file that it was killed over, but throws away what came over a connection that
 * broke: this is called just before it does. */
static int on_failure(void *data, const char *message, const char *url)
{
	Item *item = data;

	on_file_failure(item->fetch->repository, message, url);
	item->bad |= strstr(message, "hecksum") != NULL;
	if (g_str_has_prefix(message, "Curl error") && size_of(item->partial) > size_of(item->kept))
		varve_file_copy(item->partial, item->kept, 0644, NULL);
	return LR_CB_OK;
}

/* Puts what was kept where librepo looks, with the mark by which it knows its own. */
static void restore_kept(const Item *item)
{
	if (size_of(item->kept) <= size_of(item->partial)) {
		unlink(item->kept);
		return;
	}
	if (rename(item->kept, item->partial) == 0)
		setxattr(item->partial, "user.Librepo.DownloadInProgress", "1", 1, 0);
}

static void free_target(gpointer target)
{
	lr_packagetarget_free(target);
}

/* Fetches what is not there. A failed one does not stop the others: what came stays. */
static gboolean download(Fetch *fetch, GError **error)
{
	GSList *targets = NULL;
	GError *cause = NULL;
	gboolean fine = TRUE;

	for (gsize i = 0; fine && i < fetch->n_items; i++) {
		Item *item = &fetch->items[i];
		g_autofree char *url =
			g_uri_escape_string(item->package->location, "/:+,@=!$&'()*;", FALSE);
		char hex[VARVE_DIGEST_HEX_SIZE];
		LrPackageTarget *target;

		if (item->present)
			continue;
		varve_digest_to_hex(&item->package->digest, hex);
		restore_kept(item);
		item->bad = FALSE;
		target = lr_packagetarget_new_v2(fetch->repository->handle, url, item->partial,
						 LR_CHECKSUM_SHA256, hex,
						 (gint64)item->package->size, NULL, TRUE,
						 on_progress, item, NULL, on_failure, &cause);
		fine = target != NULL;
		if (target)
			targets = g_slist_prepend(targets, target);
	}
	targets = g_slist_reverse(targets);
	fine = fine && (!targets || lr_download_packages(targets, 0, &cause));
	if (!fine)
		varve_package_repository_fail(fetch->repository, cause, "packages", error);
	g_clear_error(&cause);
	g_slist_free_full(targets, free_target);
	return fine;
}

/* Renames what came whole; the error lists what did not. */
static gboolean settle(Fetch *fetch, GString *missing, GError **error)
{
	for (gsize i = 0; i < fetch->n_items; i++) {
		Item *item = &fetch->items[i];

		if (item->present)
			continue;
		if (has_package(item->partial, item->package)) {
			if (rename(item->partial, item->path) < 0)
				return varve_fail_errno(error, errno, "%s", item->path);
			item->present = TRUE;
			continue;
		}
		g_string_append_printf(missing, "\n  %s (%s)", item->package->nevra,
				       item->package->location);
	}
	return TRUE;
}

/* Parts whose beginning was of other bytes can never become whole. */
static void forget_bad_parts(Fetch *fetch)
{
	for (gsize i = 0; i < fetch->n_items; i++) {
		const Item *item = &fetch->items[i];

		if (item->present)
			continue;
		if (item->bad || size_of(item->partial) >= item->package->size)
			unlink(item->partial);
		if (item->bad || size_of(item->kept) >= item->package->size)
			unlink(item->kept);
	}
}

static gboolean fetch_remote(Fetch *fetch, GError **error)
{
	g_autofree char *directory =
		g_build_filename(fetch->repository->directory, "packages", NULL);

	if (!varve_dir_make(directory, 0755, error))
		return FALSE;
	for (int attempt = 0; attempt < 2; attempt++) {
		g_autoptr(GString) missing = g_string_new(NULL);

		forget_bad_parts(fetch);
		if (!download(fetch, error) || !settle(fetch, missing, error))
			return FALSE;
		if (!missing->len)
			return TRUE;
		forget_bad_parts(fetch);
		if (attempt == 1)
			return varve_fail(
				error, VARVE_ERROR_NOT_FOUND,
				"repository '%s': could not be fetched whole and with the digest "
				"that the metadata give (%s):%s",
				fetch->repository->name,
				fetch->repository->last_failure ? fetch->repository->last_failure
								: "no mirror has them",
				missing->str);
	}
	return TRUE;
}

static gboolean check_local(const Fetch *fetch, GError **error)
{
	g_autoptr(GString) bad = g_string_new(NULL);
	VarveError code = VARVE_ERROR_NOT_FOUND;

	for (gsize i = 0; i < fetch->n_items; i++) {
		const Item *item = &fetch->items[i];

		if (item->present)
			continue;
		if (access(item->path, F_OK) == 0)
			code = VARVE_ERROR_CORRUPT;
		g_string_append_printf(bad, "\n  %s (%s)%s", item->package->nevra, item->path,
				       access(item->path, F_OK) == 0 ? ": its digest differs"
								     : ": is missing");
	}
	if (!bad->len)
		return TRUE;
	return varve_fail(error, code, "repository '%s': packages are not what its metadata say:%s",
			  fetch->repository->name, bad->str);
}

gboolean varve_package_repository_fetch(VarvePackageRepository *repository,
					const GPtrArray *packages, VarveFetched fetched,
					gpointer data, GError **error)
{
	Fetch fetch = { .repository = repository, .fetched = fetched, .data = data };
	gboolean fine;

	if (!packages->len)
		return TRUE;
	set_paths(&fetch, packages);
	fine = varve_parallel(fetch.n_items, 0, check_present, &fetch, error);
	for (gsize i = 0; fine && fetched && i < fetch.n_items; i++)
		if (fetch.items[i].present)
			fetched(fetch.items[i].package->size, fetch.items[i].package->nevra, data);
	fine = fine &&
	       (repository->local ? check_local(&fetch, error) : fetch_remote(&fetch, error));
	for (gsize i = 0; fine && i < fetch.n_items; i++) {
		g_free(fetch.items[i].package->path);
		fetch.items[i].package->path = g_steal_pointer(&fetch.items[i].path);
	}
	clear_items(&fetch);
	return fine;
}
