#include "format/cpio.h"

#include "base/error.h"
#include "ground/fd.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <zstd.h>

static int memory_file(const char *content)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(varve_fd_write_full(fd, content, strlen(content)), ==, 0);
	return fd;
}

/* What an initrd has: implied and explicit directories, files, a link, a device. */
static GBytes *write_sample(VarveCpioCompression compression, int level)
{
	varve_autofd fd = memory_file(""), content = memory_file("content\n");
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveCpio) cpio = varve_cpio_new(fd, compression, level, 1700000000, &error);
	guint64 size = 0;
	char *bytes;

	g_assert_no_error(error);
	g_assert_true(varve_cpio_add_file(cpio, "init", 0755, "#!", 2, &error));
	g_assert_true(varve_cpio_add_directory(cpio, "sysroot", 0700, &error));
	g_assert_true(varve_cpio_add_fd(cpio, "usr/bin/tool", 04755, content, &error));
	g_assert_true(varve_cpio_add_directory(cpio, "usr", 0755, &error));
	g_assert_true(varve_cpio_add_link(cpio, "bin", "usr/bin", &error));
	g_assert_true(
		varve_cpio_add_node(cpio, "dev/console", S_IFCHR | 0600, makedev(5, 1), &error));
	g_assert_true(varve_cpio_add_file(cpio, "empty", 0, NULL, 0, &error));
	g_assert_true(varve_cpio_end(cpio, &size, &error));
	g_assert_no_error(error);
	bytes = g_malloc(size + 1);
	g_assert_cmpint(varve_fd_read_full(fd, bytes, size + 1, 0), ==, size);
	return g_bytes_new_take(bytes, size);
}

static guint32 field(const char *header, int index)
{
	char digits[9] = { 0 };

	memcpy(digits, header + 6 + 8 * index, 8);
	return (guint32)strtoul(digits, NULL, 16);
}

static void test_entries(void)
{
	static const struct {
		const char *name;
		guint32 mode;
		const char *content;
	} expected[] = {
		{ "init", S_IFREG | 0755, "#!" },
		{ "sysroot", S_IFDIR | 0700, "" },
		{ "usr", S_IFDIR | 0755, "" },
		{ "usr/bin", S_IFDIR | 0755, "" },
		{ "usr/bin/tool", S_IFREG | 04755, "content\n" },
		{ "bin", S_IFLNK | 0777, "usr/bin" },
		{ "dev", S_IFDIR | 0755, "" },
		{ "dev/console", S_IFCHR | 0600, "" },
		{ "empty", S_IFREG, "" },
		{ "TRAILER!!!", 0, "" },
	};
	g_autoptr(GBytes) bytes = write_sample(VARVE_CPIO_PLAIN, 0);
	g_autofree char *digest = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);
	gsize size, at = 0;
	const char *data = g_bytes_get_data(bytes, &size);

	for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
		const char *header = data + at;
		gboolean trailer = i + 1 == G_N_ELEMENTS(expected);
		guint32 content = field(header, 6), name = field(header, 11);

		g_assert_cmpmem(header, 6, "070701", 6);
		g_assert_cmpuint(field(header, 0), ==, trailer ? 0 : i + 1);
		g_assert_cmpuint(field(header, 1), ==, expected[i].mode);
		g_assert_cmpuint(field(header, 2) | field(header, 3), ==, 0);
		g_assert_cmpuint(field(header, 4), ==, S_ISDIR(expected[i].mode) ? 2 : 1);
		g_assert_cmpuint(field(header, 5), ==, trailer ? 0 : 1700000000);
		g_assert_cmpuint(name, ==, strlen(expected[i].name) + 1);
		g_assert_cmpstr(header + 110, ==, expected[i].name);
		if (strcmp(expected[i].name, "dev/console") == 0) {
			g_assert_cmpuint(field(header, 9), ==, 5);
			g_assert_cmpuint(field(header, 10), ==, 1);
		}
		at = (at + 110 + name + 3) & ~(gsize)3;
		g_assert_cmpmem(data + at, content, expected[i].content,
				strlen(expected[i].content));
		at = (at + content + 3) & ~(gsize)3;
	}
	g_assert_cmpuint(at, ==, size);
	g_assert_cmpstr(digest, ==,
			"0caa5d53facee28501ec4044cdf3188bfeb3d4234f14e6625ff65507a1ebbe0c");
}

static void test_zstd(void)
{
	g_autoptr(GBytes) plain = write_sample(VARVE_CPIO_PLAIN, 0);
	g_autoptr(GBytes) packed = write_sample(VARVE_CPIO_ZSTD, 0);
	g_autoptr(GBytes) again = write_sample(VARVE_CPIO_ZSTD, 0);
	g_autofree char *unpacked = g_malloc(g_bytes_get_size(plain));
	size_t size;

	g_assert_true(g_bytes_equal(packed, again));
	g_assert_cmpuint(g_bytes_get_size(packed), <, g_bytes_get_size(plain));
	size = ZSTD_decompress(unpacked, g_bytes_get_size(plain), g_bytes_get_data(packed, NULL),
			       g_bytes_get_size(packed));
	g_assert_false(ZSTD_isError(size));
	g_assert_cmpmem(unpacked, size, g_bytes_get_data(plain, NULL), g_bytes_get_size(plain));
}

static void test_large(void)
{
	g_autofree char *content = g_malloc(1000001);
	varve_autofd fd = memory_file("");
	g_autoptr(VarveCpio) cpio = varve_cpio_new(fd, VARVE_CPIO_ZSTD, 1, 0, NULL);
	g_autoptr(GRand) random = g_rand_new_with_seed(1);
	g_autofree char *packed = NULL, *unpacked = g_malloc(2000000);
	guint64 size = 0;
	size_t got;

	for (int i = 0; i < 1000001; i++)
		content[i] = (char)g_rand_int(random);
	g_assert_true(varve_cpio_add_file(cpio, "a", 0644, content, 1000001, NULL));
	g_assert_true(varve_cpio_end(cpio, &size, NULL));
	packed = g_malloc(size);
	g_assert_cmpint(varve_fd_read_full(fd, packed, size, 0), ==, size);
	got = ZSTD_decompress(unpacked, 2000000, packed, size);
	g_assert_cmpuint(got, ==, 112 + 1000004 + 124);
	g_assert_cmpmem(unpacked + 112, 1000001, content, 1000001);
}

static void test_should_fail(void)
{
	static const char *const bad[] = { "", "/x", "a//b", "a/", "../a", "a/./b", "TRAILER!!!" };
	varve_autofd fd = memory_file(""), null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	g_autoptr(VarveCpio) cpio = varve_cpio_new(fd, VARVE_CPIO_PLAIN, 0, 0, NULL);
	g_autoptr(GError) error = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_assert_false(varve_cpio_add_file(cpio, bad[i], 0644, "", 0, &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_USAGE);
		g_clear_error(&error);
	}
	g_assert_true(varve_cpio_add_file(cpio, "a/file", 0644, "", 0, NULL));
	g_assert_false(varve_cpio_add_file(cpio, "a/file", 0644, "", 0, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_clear_error(&error);
	g_assert_false(varve_cpio_add_file(cpio, "a/file/b", 0644, "", 0, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_clear_error(&error);
	g_assert_false(varve_cpio_add_directory(cpio, "a", 0700, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_clear_error(&error);
	g_assert_true(varve_cpio_add_directory(cpio, "a", 0755, NULL));
	g_assert_false(varve_cpio_add_directory(cpio, "a", 0755, NULL));
	g_assert_false(varve_cpio_add_node(cpio, "n", S_IFREG | 0600, 0, NULL));
	g_assert_false(varve_cpio_add_link(cpio, "l", "", NULL));
	g_assert_false(varve_cpio_add_fd(cpio, "f", 0644, null, NULL));
	g_assert_null(varve_cpio_new(fd, VARVE_CPIO_PLAIN, 0, -1, NULL));
}

static void test_full_disk(void)
{
	varve_autofd fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	g_autoptr(VarveCpio) cpio = varve_cpio_new(fd, VARVE_CPIO_PLAIN, 0, 0, NULL);
	g_autoptr(GError) error = NULL;

	g_assert_false(varve_cpio_add_file(cpio, "a", 0644, "", 0, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_SYSTEM);
}

/* GNU cpio reads it as we meant it. */
static void test_cpio_program(void)
{
	g_autoptr(GBytes) bytes = write_sample(VARVE_CPIO_PLAIN, 0);
	g_autofree char *program = g_find_program_in_path("cpio"), *dir = NULL, *archive = NULL,
			*command = NULL, *output = NULL;
	int status;

	if (!program) {
		g_test_skip("cpio is not installed");
		return;
	}
	dir = g_dir_make_tmp("varve-cpio-XXXXXX", NULL);
	archive = g_build_filename(dir, "archive", NULL);
	g_assert_true(g_file_set_contents(archive, g_bytes_get_data(bytes, NULL),
					  (gssize)g_bytes_get_size(bytes), NULL));
	command = g_strdup_printf("sh -c 'TZ=UTC LC_ALL=C cpio -tvn --quiet < %s'", archive);
	g_assert_true(g_spawn_command_line_sync(command, &output, NULL, &status, NULL));
	g_assert_cmpint(status, ==, 0);
	g_assert_nonnull(strstr(output, "-rwsr-xr-x   1 0        0               8 Nov 14  2023 "
					"usr/bin/tool"));
	g_assert_nonnull(strstr(output, "bin -> usr/bin"));
	g_assert_nonnull(strstr(output, "crw-------   1 0        0          5,   1 Nov 14  2023 "
					"dev/console"));
	g_unlink(archive);
	g_rmdir(dir);
}

/* Every entry as "path mode size content\n". */
static gboolean describe(const VarveCpioEntry *entry, gpointer data, GError **error)
{
	GString *text = data;

	(void)error;
	g_string_append_printf(text, "%s %o %u:%u %.*s\n", entry->path, (unsigned)entry->mode,
			       entry->uid, entry->gid, (int)entry->size, (const char *)entry->data);
	return TRUE;
}

static void test_read(void)
{
	static const VarveCpioCompression kinds[] = { VARVE_CPIO_PLAIN, VARVE_CPIO_ZSTD };

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autoptr(GBytes) packed = write_sample(kinds[i], 1);
		g_autoptr(GString) text = g_string_new(NULL);
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) archive = varve_cpio_unpack(packed, 1 << 20, "initrd", &error);

		g_assert_no_error(error);
		g_assert_true(varve_cpio_walk(archive, "initrd", describe, text, &error));
		g_assert_cmpstr(text->str, ==,
				"init 100755 0:0 #!\n"
				"sysroot 40700 0:0 \n"
				"usr 40755 0:0 \n"
				"usr/bin 40755 0:0 \n"
				"usr/bin/tool 104755 0:0 content\n\n"
				"bin 120777 0:0 usr/bin\n"
				"dev 40755 0:0 \n"
				"dev/console 20600 0:0 \n"
				"empty 100000 0:0 \n");
	}
}

static void read_fails(const void *data, gsize size, VarveError code)
{
	g_autoptr(GBytes) packed = g_bytes_new(data, size);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) archive = varve_cpio_unpack(packed, 1 << 20, "initrd", &error);

	g_assert_false(archive && varve_cpio_walk(archive, "initrd", describe, text, &error));
	g_assert_error(error, VARVE_ERROR, (int)code);
}

static void test_should_fail_read(void)
{
	static const struct {
		gsize offset;
		char value;
	} changes[] = {
		{ 0, '1' },   /* the magic of another format */
		{ 14, 'x' },  /* the mode is no number */
		{ 54, '8' },  /* content behind the end */
		{ 94, '9' },  /* a name behind the end */
		{ 101, '0' }, /* the name has no end */
		{ 101, '9' }, /* or goes on behind its NUL */
		{ 110, '/' }, /* not relative */
		{ 110, '\0' },
	};
	g_autoptr(GBytes) plain = write_sample(VARVE_CPIO_PLAIN, 0);
	g_autoptr(GBytes) packed = write_sample(VARVE_CPIO_ZSTD, 1);
	gsize size;
	const char *data = g_bytes_get_data(plain, &size);

	for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
		g_autofree char *copy = g_memdup2(data, size);

		copy[changes[i].offset] = changes[i].value;
		read_fails(copy, size,
			   changes[i].offset == 0 ? VARVE_ERROR_UNSUPPORTED : VARVE_ERROR_CORRUPT);
	}
	/* Up to the trailer's name: what follows it is padding. */
	for (gsize end = 6; end < size - 4; end++)
		read_fails(data, end, VARVE_ERROR_CORRUPT);
	data = g_bytes_get_data(packed, &size);
	for (gsize end = 4; end < size; end++)
		read_fails(data, end, VARVE_ERROR_CORRUPT);
	read_fails("", 0, VARVE_ERROR_UNSUPPORTED);
}

static void test_read_limit(void)
{
	g_autoptr(GBytes) plain = write_sample(VARVE_CPIO_PLAIN, 0);
	g_autoptr(GBytes) packed = write_sample(VARVE_CPIO_ZSTD, 1);
	gsize size = g_bytes_get_size(plain);
	g_autoptr(GBytes) enough = varve_cpio_unpack(packed, size, "initrd", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_true(g_bytes_equal(enough, plain));
	g_assert_null(varve_cpio_unpack(packed, size - 1, "initrd", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
}

static gboolean stop(const VarveCpioEntry *entry, gpointer data, GError **error)
{
	(void)data;
	return varve_fail(error, VARVE_ERROR_CONFLICT, "stopped at %s", entry->path);
}

static void test_read_stops(void)
{
	g_autoptr(GBytes) plain = write_sample(VARVE_CPIO_PLAIN, 0);
	g_autoptr(GError) error = NULL;

	g_assert_false(varve_cpio_walk(plain, "initrd", stop, NULL, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_assert_cmpstr(error->message, ==, "stopped at init");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cpio/entries", test_entries);
	g_test_add_func("/cpio/zstd", test_zstd);
	g_test_add_func("/cpio/large", test_large);
	g_test_add_func("/cpio/should-fail", test_should_fail);
	g_test_add_func("/cpio/full-disk", test_full_disk);
	g_test_add_func("/cpio/as-cpio-reads-it", test_cpio_program);
	g_test_add_func("/cpio/read", test_read);
	g_test_add_func("/cpio/should-fail-read", test_should_fail_read);
	g_test_add_func("/cpio/read-limit", test_read_limit);
	g_test_add_func("/cpio/read-stops", test_read_stops);
	return g_test_run();
}
