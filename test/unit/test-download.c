/* package/download.c: from files and from a server on this machine that breaks, lies and resumes.
 */
#include "package/download.h"

#include "base/error.h"
#include "base/file.h"

#include <gio/gio.h>
#include <string.h>

typedef struct {
	char *directory, *cache, *file;
	GBytes *content;
	char *checksum;
	/* The server. */
	GSocketService *service;
	GMainLoop *loop;
	GMainContext *context;
	GThread *thread;
	guint16 port;
	guint requests;    /* of any kind */
	guint resumed;     /* with a range */
	gsize cut;         /* the first answer ends after so many bytes; 0: never */
	gboolean no_range; /* answers 200 and everything to a range */
	gboolean lies;     /* the first answer is another content */
} Fixture;

static void answer(Fixture *fixture, GSocketConnection *connection, const char *request)
{
	GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
	gsize size, start = 0, end;
	const char *bytes = g_bytes_get_data(fixture->content, &size);
	const char *range = strstr(request, "bytes=");
	g_autofree char *head = NULL, *wrong = NULL;

	fixture->requests++;
	if (strstr(request, "GET /none")) {
		g_output_stream_write_all(
			out, "HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
			strlen("HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
			NULL, NULL, NULL);
		return;
	}
	if (range && !fixture->no_range) {
		start = (gsize)g_ascii_strtoull(range + 6, NULL, 10);
		fixture->resumed++;
	}
	head = start > 0 ? g_strdup_printf("HTTP/1.1 206 Part\r\nContent-Length: %zu\r\n"
					   "Content-Range: bytes %zu-%zu/%zu\r\n\r\n",
					   size - start, start, size - 1, size)
			 : g_strdup_printf("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
	g_output_stream_write_all(out, head, strlen(head), NULL, NULL, NULL);
	end = fixture->requests == 1 && fixture->cut ? fixture->cut : size;
	if (fixture->requests == 1 && fixture->lies)
		bytes = wrong = g_strnfill(size, 'x');
	g_output_stream_write_all(out, bytes + start, end - start, NULL, NULL, NULL);
}

static gboolean serve(GSocketService *service, GSocketConnection *connection, GObject *source,
		      gpointer data)
{
	GInputStream *in = g_io_stream_get_input_stream(G_IO_STREAM(connection));
	char request[4096];
	gssize n = g_input_stream_read(in, request, sizeof(request) - 1, NULL, NULL);

	(void)service;
	(void)source;
	if (n > 0) {
		request[n] = '\0';
		answer(data, connection, request);
	}
	g_io_stream_close(G_IO_STREAM(connection), NULL, NULL);
	return TRUE;
}

static gpointer run_server(gpointer data)
{
	Fixture *fixture = data;

	g_main_context_push_thread_default(fixture->context);
	g_main_loop_run(fixture->loop);
	g_main_context_pop_thread_default(fixture->context);
	return NULL;
}

static void set_up(Fixture *fixture, gconstpointer data)
{
	g_autofree char *text = g_malloc(300000);

	(void)data;
	for (gsize i = 0; i < 300000; i++)
		text[i] = (char)('a' + i % 23);
	fixture->directory = g_dir_make_tmp("test-download-XXXXXX", NULL);
	fixture->cache = g_build_filename(fixture->directory, "cache", NULL);
	fixture->file = g_build_filename(fixture->directory, "file", NULL);
	fixture->content = g_bytes_new(text, 300000);
	fixture->checksum = g_compute_checksum_for_bytes(G_CHECKSUM_SHA512, fixture->content);
	g_assert_true(varve_file_write(AT_FDCWD, fixture->file, text, 300000, 0644, NULL));
	fixture->context = g_main_context_new();
	g_main_context_push_thread_default(fixture->context);
	fixture->service = g_socket_service_new();
	fixture->port = g_socket_listener_add_any_inet_port(G_SOCKET_LISTENER(fixture->service),
							    NULL, NULL);
	g_signal_connect(fixture->service, "incoming", G_CALLBACK(serve), fixture);
	g_socket_service_start(fixture->service);
	g_main_context_pop_thread_default(fixture->context);
	fixture->loop = g_main_loop_new(fixture->context, FALSE);
	fixture->thread = g_thread_new("server", run_server, fixture);
}

static gboolean quit(gpointer data)
{
	g_main_loop_quit(data);
	return G_SOURCE_REMOVE;
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
	(void)data;
	g_main_context_invoke(fixture->context, quit, fixture->loop);
	g_thread_join(fixture->thread);
	g_socket_listener_close(G_SOCKET_LISTENER(fixture->service));
	g_object_unref(fixture->service);
	g_main_loop_unref(fixture->loop);
	g_main_context_unref(fixture->context);
	g_bytes_unref(fixture->content);
	g_assert_true(varve_dir_remove(AT_FDCWD, fixture->directory, NULL));
	g_free(fixture->directory);
	g_free(fixture->cache);
	g_free(fixture->file);
	g_free(fixture->checksum);
}

/* Downloads from @path of the server, or from a URI. */
static char *get(const Fixture *fixture, const char *path, const char *checksum, GError **error)
{
	g_autofree char *uri =
		g_str_has_prefix(path, "/")
			? g_strdup_printf("http://127.0.0.1:%u%s", fixture->port, path)
			: g_strdup(path);
	const char *const uris[] = { uri, NULL };
	VarveDownload download = {
		.name = "demo.tar", .uris = uris, .type = G_CHECKSUM_SHA512, .checksum = checksum
	};

	return varve_download(&download, fixture->cache, error);
}

static void check_content(const Fixture *fixture, const char *path)
{
	g_autofree char *text = NULL;
	gsize size, wanted;
	const void *bytes = g_bytes_get_data(fixture->content, &wanted);

	g_assert_nonnull(path);
	g_assert_true(varve_file_read(AT_FDCWD, path, 1 << 20, &text, &size, NULL));
	g_assert_cmpmem(text, size, bytes, wanted);
}

static void test_once(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = get(fixture, "/a", fixture->checksum, &error);
	g_autofree char *again = NULL, *upper = g_ascii_strup(fixture->checksum, -1);

	(void)data;
	g_assert_no_error(error);
	check_content(fixture, path);
	again = get(fixture, "/a", upper, &error);
	g_assert_cmpstr(path, ==, again);
	g_assert_cmpuint(fixture->requests, ==, 1);
}

static void test_resume(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = NULL;

	fixture->cut = 100000;
	fixture->no_range = data != NULL;
	path = get(fixture, "/a", fixture->checksum, &error);
	g_assert_no_error(error);
	check_content(fixture, path);
	g_assert_cmpuint(fixture->resumed, ==, data ? 0 : 1);
}

/* What an earlier run left may be the beginning of something else. */
static void test_bad_part(Fixture *fixture, gconstpointer data)
{
	g_autofree char *name = g_strconcat("partial/sha512-", fixture->checksum, NULL);
	g_autofree char *part = g_build_filename(fixture->cache, name, NULL);
	g_autofree char *parent = g_path_get_dirname(part), *path = NULL;
	g_autoptr(GError) error = NULL;

	(void)data;
	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(varve_file_write(AT_FDCWD, part, "wrong", 5, 0644, NULL));
	path = get(fixture, "/a", fixture->checksum, &error);
	g_assert_no_error(error);
	check_content(fixture, path);
	g_assert_false(g_file_test(part, G_FILE_TEST_EXISTS));
}

static void test_wrong(Fixture *fixture, gconstpointer data)
{
	g_autofree char *partial = g_build_filename(fixture->cache, "partial", NULL);
	g_autofree char *kept = g_build_filename(fixture->cache, "sha512", NULL);
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) names = NULL, others = NULL;

	(void)data;
	fixture->lies = TRUE;
	g_assert_null(get(fixture, "/a", fixture->checksum, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_assert_nonnull(strstr(error->message, fixture->checksum));
	g_assert_true(varve_dir_list(AT_FDCWD, partial, &names, NULL));
	g_assert_true(varve_dir_list(AT_FDCWD, kept, &others, NULL));
	g_assert_cmpuint(g_strv_length(names) + g_strv_length(others), ==, 0);
}

static void test_damaged_cache(Fixture *fixture, gconstpointer data)
{
	g_autofree char *name = g_strconcat("sha512/", fixture->checksum, NULL);
	g_autofree char *path = g_build_filename(fixture->cache, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path), *got = NULL;
	g_autofree char *uri = g_strconcat("file://", fixture->file, NULL);
	g_autoptr(GError) error = NULL;

	(void)data;
	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(varve_file_write(AT_FDCWD, path, "damaged", 7, 0644, NULL));
	got = get(fixture, uri, fixture->checksum, &error);
	g_assert_no_error(error);
	check_content(fixture, got);
}

static void test_refused(Fixture *fixture, gconstpointer data)
{
	static const char *const uris[] = {
		"http://x.example/a",           "ftp://x.example/a",           "/etc/passwd",
		"http://127.0.0.1@x.example/a", "http://localhost.x.example/", "scp://x.example/a"
	};

	(void)data;
	for (gsize i = 0; i < G_N_ELEMENTS(uris); i++) {
		const char *const list[] = { uris[i], NULL };
		VarveDownload download = { .name = "demo.tar",
					   .uris = list,
					   .type = G_CHECKSUM_SHA512,
					   .checksum = fixture->checksum };
		g_autoptr(GError) error = NULL;

		g_assert_null(varve_download(&download, fixture->cache, &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_REFUSED);
	}
	g_assert_cmpuint(fixture->requests, ==, 0);
}

static void test_missing(Fixture *fixture, gconstpointer data)
{
	g_autofree char *good = g_strconcat("file://", fixture->file, NULL);
	g_autofree char *none = g_strdup_printf("http://127.0.0.1:%u/none", fixture->port);
	const char *const uris[] = { "file:///nonexistent/a", none, good, NULL };
	VarveDownload download = { .name = "demo.tar",
				   .uris = uris,
				   .type = G_CHECKSUM_SHA512,
				   .checksum = fixture->checksum };
	g_autoptr(GError) error = NULL;
	g_autofree char *path = NULL;

	(void)data;
	g_assert_null(get(fixture, "/none", fixture->checksum, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_clear_error(&error);
	path = varve_download(&download, fixture->cache, &error);
	g_assert_no_error(error);
	check_content(fixture, path);
	g_assert_null(get(fixture, "/a", "abc", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
}

static void test_mirrors(Fixture *fixture, gconstpointer data)
{
	g_autofree char *list = g_build_filename(fixture->directory, "list", NULL);
	g_autofree char *mirror = g_strconcat("mirror+file://", list, NULL);
	const char *text = "# x\nhttp://a.example/debian\tpriority:1\n\nhttp://b.example/debian/\n";
	g_auto(GStrv) one = varve_mirror_uris("http://m.example/debian/", "pool/x", NULL);
	g_auto(GStrv) many = NULL;
	g_autoptr(GError) error = NULL;

	(void)data;
	g_assert_cmpstr(one[0], ==, "http://m.example/debian/pool/x");
	g_assert_null(one[1]);
	g_assert_true(varve_file_write(AT_FDCWD, list, text, strlen(text), 0644, NULL));
	many = varve_mirror_uris(mirror, "pool/x", NULL);
	g_assert_cmpstr(many[0], ==, "http://a.example/debian/pool/x");
	g_assert_cmpstr(many[1], ==, "http://b.example/debian/pool/x");
	g_assert_null(many[2]);
	g_assert_null(varve_mirror_uris("mirror+file:/nonexistent", "x", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_setenv("no_proxy", "*", TRUE);
#define ADD(path, data, function) g_test_add(path, Fixture, data, set_up, function, tear_down)
	ADD("/download/once", NULL, test_once);
	ADD("/download/resumed", NULL, test_resume);
	ADD("/download/no-ranges", "200", test_resume);
	ADD("/download/part-of-another-file", NULL, test_bad_part);
	ADD("/download/wrong-is-not-kept", NULL, test_wrong);
	ADD("/download/damaged-cache", NULL, test_damaged_cache);
	ADD("/download/refused", NULL, test_refused);
	ADD("/download/missing-there-and-elsewhere", NULL, test_missing);
	ADD("/download/mirrors", NULL, test_mirrors);
	return g_test_run();
}
