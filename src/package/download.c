/* Downloads through libcurl. A file under way is CACHE/partial/TYPE-CHECKSUM, locked. */
#include "package/download.h"

#include "base/checksum.h"
#include "base/error.h"
#include "base/file.h"

#include <curl/curl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define ATTEMPTS 3
#define SIZE_LIMIT ((guint64)16 << 30)
#define LIST_LIMIT (1u << 20)
#define ERROR_SIZE MAX(CURL_ERROR_SIZE, 256)

/** The partial file and what has been written of it. */
typedef struct {
	const VarveDownload *download;
	int fd;
	guint64 size;
	GChecksum *checksum;
	gboolean full; /* the disk, or over the limit */
	int errnum;
} Writing;

static size_t take_bytes(char *data, size_t one, size_t size, void *pointer)
{
	Writing *writing = pointer;

	(void)one;
	if (writing->size + size > SIZE_LIMIT || varve_fd_write_full(writing->fd, data, size) < 0) {
		writing->errnum = writing->size + size > SIZE_LIMIT ? EFBIG : errno;
		writing->full = TRUE;
		return 0;
	}
	g_checksum_update(writing->checksum, (const guchar *)data, (gssize)size);
	writing->size += size;
	return size;
}

static gboolean start_over(Writing *writing, GError **error)
{
	g_checksum_reset(writing->checksum);
	writing->size = 0;
	if (ftruncate(writing->fd, 0) < 0 || lseek(writing->fd, 0, SEEK_SET) < 0)
		return varve_fail_errno(error, errno, "%s: cannot begin again",
					writing->download->name);
	return TRUE;
}

/* What an earlier run left goes through the checksum too. */
static gboolean take_over(Writing *writing, GError **error)
{
	g_autofree guchar *buffer = g_malloc(1 << 17);
	ssize_t n;

	while ((n = varve_fd_read_full(writing->fd, buffer, 1 << 17, (off_t)writing->size)) > 0) {
		g_checksum_update(writing->checksum, buffer, n);
		writing->size += (guint64)n;
	}
	if (n < 0 || lseek(writing->fd, (off_t)writing->size, SEEK_SET) < 0)
		return varve_fail_errno(error, errno, "%s: cannot read what is there of it",
					writing->download->name);
	return TRUE;
}

static gboolean is_loopback(const char *uri)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost", "[::1]" };
	const char *host = uri + strlen("http://");

	for (gsize i = 0; i < G_N_ELEMENTS(hosts); i++) {
		gsize size = strlen(hosts[i]);

		/* Not "127.0.0.1.example" nor "127.0.0.1@example". */
		if (strncmp(host, hosts[i], size) == 0 && host[size] && strchr(":/", host[size]) &&
		    !memchr(host, '@', strcspn(host, "/")))
			return TRUE;
	}
	return FALSE;
}

static gboolean is_allowed(const VarveDownload *download, const char *uri, GError **error)
{
	if (g_str_has_prefix(uri, "https://") || g_str_has_prefix(uri, "file:/"))
		return TRUE;
	if (g_str_has_prefix(uri, "http://") && (download->plain_http || is_loopback(uri)))
		return TRUE;
	return varve_fail(error, VARVE_ERROR_REFUSED,
			  "%s: '%s' is neither https: nor file:; nothing else is fetched",
			  download->name, uri);
}

static void set_up(CURL *curl, const char *uri, Writing *writing, char *message)
{
	gboolean plain = writing->download->plain_http && g_str_has_prefix(uri, "http://");

	curl_easy_setopt(curl, CURLOPT_URL, uri);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, writing);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http,file");
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, plain ? "https,http" : "https");
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 30L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 100L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 60L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "varve/" VARVE_VERSION);
	curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)writing->size);
}

static gboolean is_final(CURLcode code, long status)
{
	if (code == CURLE_HTTP_RETURNED_ERROR)
		return status < 500 && status != 408 && status != 429;
	return code == CURLE_FILE_COULDNT_READ_FILE || code == CURLE_UNSUPPORTED_PROTOCOL ||
	       code == CURLE_URL_MALFORMAT || code == CURLE_TOO_MANY_REDIRECTS;
}

/* One attempt. Returns: whether the transfer ended well; *@ret_again where another may. */
static gboolean transfer(CURL *curl, const char *uri, Writing *writing, gboolean *ret_again,
			 GError **error)
{
	char message[ERROR_SIZE] = "";
	guint64 before = writing->size;
	long status = 0;
	CURLcode code;

	curl_easy_reset(curl);
	set_up(curl, uri, writing, message);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	*ret_again = FALSE;
	if (code == CURLE_OK)
		return TRUE;
	if (writing->full)
		return varve_fail_errno(error, writing->errnum, "%s: cannot keep it",
					writing->download->name);
	/* The server has no ranges, or no more bytes than are here: from the beginning. */
	if (before > 0 &&
	    (code == CURLE_RANGE_ERROR || code == CURLE_BAD_DOWNLOAD_RESUME || status == 416)) {
		*ret_again = TRUE;
		return start_over(writing, error) &&
		       varve_fail(error, VARVE_ERROR_SYSTEM, "%s: '%s' cannot be resumed",
				  writing->download->name, uri);
	}
	*ret_again = !is_final(code, status);
	return varve_fail(error,
			  status == 404 || status == 410 || code == CURLE_FILE_COULDNT_READ_FILE
				  ? VARVE_ERROR_NOT_FOUND
				  : VARVE_ERROR_SYSTEM,
			  "%s: '%s': %s", writing->download->name, uri,
			  *message ? message : curl_easy_strerror(code));
}

static gboolean fetch_from(CURL *curl, const char *uri, Writing *writing, GError **error)
{
	g_autoptr(GError) cause = NULL;
	gboolean again = TRUE;

	for (guint attempt = 0; attempt < ATTEMPTS && again; attempt++) {
		if (attempt > 1)
			g_usleep(G_USEC_PER_SEC);
		g_clear_error(&cause);
		if (transfer(curl, uri, writing, &again, &cause))
			return TRUE;
	}
	g_propagate_error(error, g_steal_pointer(&cause));
	return FALSE;
}

static gboolean is_right(const Writing *writing)
{
	g_autoptr(GChecksum) copy = g_checksum_copy(writing->checksum);

	return g_ascii_strcasecmp(g_checksum_get_string(copy), writing->download->checksum) == 0;
}

/* What @uri has, checked; what is wrong is not kept. */
static gboolean fetch_checked(CURL *curl, const char *uri, Writing *writing, GError **error)
{
	gboolean resumed = writing->size > 0;
	g_autofree char *have = NULL;

	if (!fetch_from(curl, uri, writing, error))
		return FALSE;
	if (is_right(writing))
		return TRUE;
	/* What was there may have been of another file. */
	if (resumed && (!start_over(writing, error) || !fetch_from(curl, uri, writing, error)))
		return FALSE;
	if (is_right(writing))
		return TRUE;
	have = g_strdup(g_checksum_get_string(writing->checksum));
	return start_over(writing, error) &&
	       varve_fail(error, VARVE_ERROR_CORRUPT,
			  "%s: what '%s' gave has the %s %s, expected %s: it is not kept; the file "
			  "was changed there, or the checksum is of another one",
			  writing->download->name, uri,
			  varve_checksum_name(writing->download->type), have,
			  writing->download->checksum);
}

/* Tries each URI until one gives the file. */
static gboolean fetch(Writing *writing, GError **error)
{
	const VarveDownload *download = writing->download;
	g_autoptr(GError) cause = NULL;
	CURL *curl = curl_easy_init();
	gboolean done = writing->size > 0 && is_right(writing);

	for (const char *const *uri = download->uris; curl && *uri && !done; uri++) {
		if (download->offline && !g_str_has_prefix(*uri, "file:"))
			continue;
		g_clear_error(&cause);
		done = is_allowed(download, *uri, &cause) &&
		       fetch_checked(curl, *uri, writing, &cause);
	}
	if (curl)
		curl_easy_cleanup(curl);
	if (done)
		return TRUE;
	if (!cause)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "%s: is not in the cache, and there is no place to fetch it "
				  "from%s",
				  download->name, download->offline ? " (--offline)" : "");
	g_propagate_error(error, g_steal_pointer(&cause));
	return FALSE;
}

/* An fd of the partial file that only we have. */
static int open_partial(const char *partial, GError **error)
{
	struct stat here, there;

	for (;;) {
		varve_autofd fd = open(partial, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

		if (fd < 0 || flock(fd, LOCK_EX) < 0) {
			varve_fail_errno(error, errno, "%s", partial);
			return -1;
		}
		/* While we waited another process may have finished and moved it away. */
		if (fstat(fd, &here) == 0 && stat(partial, &there) == 0 &&
		    here.st_ino == there.st_ino && here.st_dev == there.st_dev)
			return varve_fd_steal(&fd);
	}
}

/* Whether the cache has it, whole. What is damaged there goes. */
static gboolean in_cache(const VarveDownload *download, const char *path, gboolean *ret,
			 GError **error)
{
	varve_autofd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	g_autofree char *have = NULL;

	*ret = FALSE;
	if (fd < 0 && errno == ENOENT)
		return TRUE;
	if (fd < 0)
		return varve_fail_errno(error, errno, "%s", path);
	have = varve_checksum_fd(fd, download->type, path, error);
	if (!have)
		return FALSE;
	*ret = g_ascii_strcasecmp(have, download->checksum) == 0;
	if (!*ret && unlink(path) < 0)
		return varve_fail_errno(error, errno, "%s: cannot be removed", path);
	return TRUE;
}

static gboolean complete(Writing *writing, const char *partial, const char *path, GError **error)
{
	if (fsync(writing->fd) < 0 || rename(partial, path) < 0)
		return varve_fail_errno(error, errno, "%s", path);
	return TRUE;
}

static gboolean obtain(const VarveDownload *download, const char *partial, const char *path,
		       GError **error)
{
	varve_autofd fd = open_partial(partial, error);
	g_autoptr(GChecksum) checksum = g_checksum_new(download->type);
	Writing writing = { .download = download, .fd = fd, .checksum = checksum };
	gboolean there;

	if (fd < 0)
		return FALSE;
	if (!in_cache(download, path, &there, error))
		return FALSE;
	if (there) { /* by another process, meanwhile */
		unlink(partial);
		return TRUE;
	}
	if (!take_over(&writing, error) || !fetch(&writing, error)) {
		if (writing.size == 0)
			unlink(partial);
		return FALSE;
	}
	return complete(&writing, partial, path, error);
}

char *varve_download(const VarveDownload *download, const char *cache, GError **error)
{
	static gsize once;
	g_autofree char *type = g_ascii_strdown(varve_checksum_name(download->type), -1);
	g_autofree char *hex = g_ascii_strdown(download->checksum, -1);
	g_autofree char *directory = g_build_filename(cache, type, NULL);
	g_autofree char *under_way = g_build_filename(cache, "partial", NULL);
	g_autofree char *path = g_build_filename(directory, hex, NULL);
	g_autofree char *name = g_strconcat(type, "-", hex, NULL);
	g_autofree char *partial = g_build_filename(under_way, name, NULL);
	gboolean there;

	if (g_once_init_enter(&once))
		g_once_init_leave(&once, curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 1 : 2);
	if (!varve_checksum_valid(download->type, hex)) {
		varve_fail(error, VARVE_ERROR_CORRUPT, "%s: '%s' is no %s", download->name,
			   download->checksum, varve_checksum_name(download->type));
		return NULL;
	}
	if (!varve_dir_make(directory, 0755, error) || !varve_dir_make(under_way, 0755, error) ||
	    !in_cache(download, path, &there, error))
		return NULL;
	if (!there && !obtain(download, partial, path, error))
		return NULL;
	return g_steal_pointer(&path);
}

/* apt's mirror lists: one URI a line, then what it is good for. */
static gboolean read_list(const char *file, const char *path, GPtrArray *uris, GError **error)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	size_t size;

	if (!varve_file_read(AT_FDCWD, file, LIST_LIMIT, &text, &size, error))
		return FALSE;
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		char *uri = g_strstrip(*line);

		uri[strcspn(uri, " \t")] = '\0';
		if (!*uri || *uri == '#')
			continue;
		g_ptr_array_add(
			uris, g_strconcat(uri, g_str_has_suffix(uri, "/") ? "" : "/", path, NULL));
	}
	if (uris->len == 0)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND, "%s: lists no mirror", file);
	return TRUE;
}

char **varve_mirror_uris(const char *mirror, const char *path, GError **error)
{
	g_autoptr(GPtrArray) uris = g_ptr_array_new_with_free_func(g_free);

	if (g_str_has_prefix(mirror, "mirror+file:")) {
		const char *file = mirror + strlen("mirror+file:");

		while (g_str_has_prefix(file, "//"))
			file++;
		if (!read_list(file, path, uris, error))
			return NULL;
	} else {
		g_ptr_array_add(uris, g_strconcat(mirror, g_str_has_suffix(mirror, "/") ? "" : "/",
						  path, NULL));
	}
	g_ptr_array_add(uris, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&uris), FALSE);
}
