/* Downloads: one apt-get for all that is missing, with its own pipelining and retries. */
#include "package/debian-fetch.h"

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"

#include <stdio.h>
#include <sys/stat.h>

typedef struct {
	VarveApt *apt;
	const char *directory;
	char *fetch;        /* where apt writes */
	GPtrArray *missing; /* stanzas */
	guint64 bytes;      /* of those */
	gboolean done;      /* atomic; with the two below set by the thread */
	gboolean result;
	GError *error;
} Download;

static void clear_download(Download *download)
{
	g_free(download->fetch);
	g_ptr_array_unref(download->missing);
	g_clear_error(&download->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Download, clear_download)

gboolean varve_debian_fetch_size(const VarveParagraph *stanza, guint64 *ret, GError **error)
{
	const char *text = varve_paragraph_get(stanza, "Size");

	if (text && g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT64, ret, NULL))
		return TRUE;
	return varve_fail(error, VARVE_ERROR_CORRUPT,
			  "package '%s': the archive's index does not say its size",
			  varve_paragraph_get(stanza, "Package"));
}

static gboolean is_whole(const char *path, guint64 size)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (guint64)st.st_size == size;
}

/* Whether the package is there, after what apt brought was taken over. */
static gboolean take(const Download *download, const VarveParagraph *stanza, gboolean *ret_there,
		     GError **error)
{
	g_autofree char *name = varve_apt_file_name(stanza, error), *path = NULL, *final = NULL;
	struct stat st;
	guint64 size = 0;

	if (!name || !varve_debian_fetch_size(stanza, &size, error))
		return FALSE;
	path = g_build_filename(download->fetch, name, NULL);
	final = g_build_filename(download->directory, name, NULL);
	*ret_there = TRUE;
	if (is_whole(final, size))
		return TRUE;
	*ret_there = is_whole(path, size);
	if (!*ret_there)
		return TRUE;
	/* For an archive on this machine apt makes links into it. */
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return varve_file_copy(path, final, 0644, error);
	if (rename(path, final) < 0)
		return varve_fail_errno(error, errno, "%s: cannot rename", path);
	return TRUE;
}

static gpointer run_download(gpointer data)
{
	Download *download = data;

	download->result = varve_apt_download(download->apt, download->missing, download->fetch,
					      &download->error);
	__atomic_store_n(&download->done, TRUE, __ATOMIC_RELEASE);
	return NULL;
}

static guint64 fetched_bytes(const Download *download)
{
	g_auto(GStrv) names = NULL;
	guint64 total = 0;

	if (!varve_dir_list(AT_FDCWD, download->fetch, &names, NULL))
		return 0;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_build_filename(download->fetch, *name, NULL);
		struct stat st;

		if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
			total += (guint64)st.st_size;
	}
	return total;
}

/* What apt has written is the progress. */
static gboolean run(Download *download, GError **error)
{
	g_autoptr(VarveProgress) progress =
		varve_progress_new("fetching packages", VARVE_PROGRESS_BYTES, download->bytes);
	GThread *thread = g_thread_new("download", run_download, download);
	guint64 seen = 0;

	while (!__atomic_load_n(&download->done, __ATOMIC_ACQUIRE)) {
		guint64 now = fetched_bytes(download);

		if (now > seen) {
			varve_progress_add(progress, now - seen, NULL);
			seen = now;
		}
		g_usleep(G_USEC_PER_SEC / 10);
	}
	g_thread_join(thread);
	if (!download->result) {
		g_propagate_error(error, g_steal_pointer(&download->error));
		return FALSE;
	}
	varve_progress_end(progress, "%u packages", download->missing->len);
	return TRUE;
}

static gboolean find_missing(Download *download, const GPtrArray *stanzas, GError **error)
{
	for (guint i = 0; i < stanzas->len; i++) {
		gpointer stanza = g_ptr_array_index(stanzas, i);
		gboolean there = FALSE;
		guint64 size = 0;

		if (!take(download, stanza, &there, error) ||
		    !varve_debian_fetch_size(stanza, &size, error))
			return FALSE;
		if (there)
			continue;
		g_ptr_array_add(download->missing, stanza);
		download->bytes += size;
	}
	return TRUE;
}

gboolean varve_debian_fetch(VarveApt *apt, const GPtrArray *stanzas, const char *directory,
			    guint *ret_fetched, GError **error)
{
	g_auto(Download) download = { .apt = apt,
				      .directory = directory,
				      .fetch = g_build_filename(directory, ".fetch", NULL),
				      .missing = g_ptr_array_new() };

	if (!find_missing(&download, stanzas, error))
		return FALSE;
	if (download.missing->len &&
	    (!varve_dir_remove(AT_FDCWD, download.fetch, error) ||
	     !varve_dir_make(download.fetch, 0755, error) || !run(&download, error)))
		return FALSE;
	for (guint i = 0; i < download.missing->len; i++) {
		const VarveParagraph *stanza = g_ptr_array_index(download.missing, i);
		gboolean there = FALSE;

		if (!take(&download, stanza, &there, error))
			return FALSE;
		if (!there)
			return varve_fail(error, VARVE_ERROR_SYSTEM,
					  "package '%s': apt did not bring it with the size that "
					  "the archive's index says",
					  varve_paragraph_get(stanza, "Package"));
	}
	*ret_fetched = download.missing->len;
	return TRUE;
}
