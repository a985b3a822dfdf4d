#include "format/path-table.h"

#include "base/error.h"
#include "ground/fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const VarveXattr sample_xattrs[] = {
	{ "security.capability", "\1\0\0\2\0\4\0\0", 8 },
	{ "user.extension-release.strict", "0", 1 },
};

/* One of each kind; unsorted, as a walk would give them. */
static const VarvePath sample[] = {
	{ .path = "usr/bin/sh",
	  .mode = S_IFLNK | 0777,
	  .size = 4,
	  .target = "bash",
	  .label = "",
	  .package = "bash-5.2-1.x86_64",
	  .digest = { { 1 } } },
	{ .path = "usr",
	  .mode = S_IFDIR | 0755,
	  .target = "",
	  .label = "system_u:object_r:usr_t:s0",
	  .package = "" },
	{ .path = "", .mode = S_IFDIR | 0755, .target = "", .label = "", .package = "" },
	{ .path = "usr/bin", .mode = S_IFDIR | 0755, .target = "", .label = "", .package = "" },
	{ .path = "usr/bin-old",
	  .mode = S_IFDIR | 01777,
	  .uid = 7,
	  .gid = 4294967294u,
	  .target = "",
	  .label = "",
	  .package = "" },
	{ .path = "usr/bin/bash",
	  .mode = S_IFREG | 04755,
	  .size = UINT64_C(5000000000),
	  .target = "",
	  .label = "system_u:object_r:shell_exec_t:s0",
	  .package = "bash-5.2-1.x86_64",
	  .digest = { { 2 } },
	  .xattrs = sample_xattrs,
	  .n_xattrs = 2,
	  .hardlink = 9 },
	{ .path = "usr/null",
	  .mode = S_IFCHR | 0666,
	  .device = 0x103,
	  .target = "",
	  .label = "",
	  .package = "" },
};

static GPtrArray *sample_array(void)
{
	GPtrArray *paths = g_ptr_array_new();

	for (gsize i = 0; i < G_N_ELEMENTS(sample); i++)
		g_ptr_array_add(paths, (gpointer)&sample[i]);
	return paths;
}

static GBytes *sample_bytes(void)
{
	g_autoptr(GPtrArray) paths = sample_array();
	g_autoptr(GError) error = NULL;
	GBytes *bytes = varve_path_table_write(paths, &error);

	g_assert_no_error(error);
	return bytes;
}

static void assert_same(const VarvePath *a, const VarvePath *b)
{
	g_assert_cmpstr(a->path, ==, b->path);
	g_assert_cmpuint(a->mode, ==, b->mode);
	g_assert_cmpuint(a->uid, ==, b->uid);
	g_assert_cmpuint(a->gid, ==, b->gid);
	g_assert_cmpuint(a->size, ==, b->size);
	g_assert_cmpuint(a->device, ==, b->device);
	g_assert_cmpuint(a->hardlink, ==, b->hardlink);
	g_assert_true(varve_digest_equal(&a->digest, &b->digest));
	g_assert_cmpstr(a->target, ==, b->target);
	g_assert_cmpstr(a->label, ==, b->label);
	g_assert_cmpstr(a->package, ==, b->package);
	g_assert_cmpuint(a->n_xattrs, ==, b->n_xattrs);
	for (gsize i = 0; i < a->n_xattrs; i++) {
		g_assert_cmpstr(a->xattrs[i].name, ==, b->xattrs[i].name);
		g_assert_cmpmem(a->xattrs[i].value, a->xattrs[i].size, b->xattrs[i].value,
				b->xattrs[i].size);
	}
}

static void test_round_trip(void)
{
	static const char *const order[] = {
		"", "usr", "usr/bin", "usr/bin-old", "usr/bin/bash", "usr/bin/sh", "usr/null"
	};
	g_autoptr(GBytes) bytes = sample_bytes();
	g_autofree char *digest = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);
	g_autoptr(VarvePathTable) table = NULL;
	g_autoptr(GError) error = NULL;
	VarvePath path;
	gsize index;

	table = varve_path_table_open(bytes, "table", &error);
	g_assert_no_error(error);
	g_assert_cmpuint(varve_path_table_count(table), ==, G_N_ELEMENTS(sample));
	for (gsize i = 0; i < G_N_ELEMENTS(order); i++) {
		g_assert_true(varve_path_table_get(table, i, &path, &error));
		g_assert_cmpstr(path.path, ==, order[i]);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(sample); i++) {
		g_assert_true(varve_path_table_find(table, sample[i].path, &index, &error));
		g_assert_true(varve_path_table_get(table, index, &path, &error));
		assert_same(&path, &sample[i]);
	}
	/* The bytes are part of what is signed: they change only with the format's number. */
	g_assert_cmpstr(digest, ==,
			"88465f6a5cd70b87f7326382b58bc5379f500b843105004ddb5ffb329a1f556c");
}

static void test_not_found(void)
{
	static const char *const absent[] = { "a", "usr/bi", "usr/bin/", "usr/bin/bash2", "zzz" };
	g_autoptr(GBytes) bytes = sample_bytes();
	g_autoptr(VarvePathTable) table = varve_path_table_open(bytes, "table", NULL);
	gsize index;

	for (gsize i = 0; i < G_N_ELEMENTS(absent); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_false(varve_path_table_find(table, absent[i], &index, &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	}
	g_assert_false(varve_path_table_get(table, G_N_ELEMENTS(sample), NULL, NULL));
}

static void test_empty(void)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	g_autoptr(GBytes) bytes = varve_path_table_write(paths, NULL);
	g_autoptr(VarvePathTable) table = varve_path_table_open(bytes, "table", NULL);
	gsize index;

	g_assert_nonnull(table);
	g_assert_cmpuint(varve_path_table_count(table), ==, 0);
	g_assert_false(varve_path_table_find(table, "", &index, NULL));
}

static void write_fails(const VarvePath *path, VarveError code)
{
	g_autoptr(GPtrArray) paths = sample_array();
	g_autoptr(GError) error = NULL;

	g_ptr_array_add(paths, (gpointer)path);
	g_assert_null(varve_path_table_write(paths, &error));
	g_assert_error(error, VARVE_ERROR, (int)code);
}

static void test_should_fail_write(void)
{
	static const char *const bad_paths[] = { "/usr/x",   "usr//x", "usr/x/",
						 "usr/../x", ".",      "./x" };
	const VarveXattr unsorted[] = { { "user.b", "", 0 }, { "user.a", "", 0 } };
	VarvePath good = {
		.path = "usr/x", .mode = S_IFREG | 0644, .target = "", .label = "", .package = ""
	};
	VarvePath path;

	write_fails(&sample[0], VARVE_ERROR_CONFLICT);
	for (gsize i = 0; i < G_N_ELEMENTS(bad_paths); i++) {
		path = good;
		path.path = bad_paths[i];
		write_fails(&path, VARVE_ERROR_CORRUPT);
	}
	path = good;
	path.target = "elsewhere";
	write_fails(&path, VARVE_ERROR_CORRUPT);
	path = good;
	path.mode = S_IFLNK | 0777;
	write_fails(&path, VARVE_ERROR_CORRUPT);
	path = good;
	path.mode = 0644;
	write_fails(&path, VARVE_ERROR_CORRUPT);
	path = good;
	path.device = makedev(1, 3);
	write_fails(&path, VARVE_ERROR_CORRUPT);
	path = good;
	path.xattrs = unsorted;
	path.n_xattrs = 2;
	write_fails(&path, VARVE_ERROR_CORRUPT);
	path = good;
	path.mode = S_IFDIR | 0755;
	path.hardlink = 1;
	write_fails(&path, VARVE_ERROR_CORRUPT);
}

/* Reads everything: errors are welcome, faults are not. */
static void read_all(GBytes *bytes)
{
	g_autoptr(VarvePathTable) table = varve_path_table_open(bytes, "table", NULL);
	VarvePath path;
	gsize index;

	if (!table)
		return;
	for (gsize i = 0; i < varve_path_table_count(table); i++)
		varve_path_table_get(table, i, &path, NULL);
	varve_path_table_find(table, "usr/bin/bash", &index, NULL);
}

static void test_any_byte_changed(void)
{
	g_autoptr(GBytes) bytes = sample_bytes();
	gsize size;
	const guint8 *data = g_bytes_get_data(bytes, &size);

	for (gsize i = 0; i < size; i++) {
		static const guint8 values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };

		for (gsize j = 0; j < G_N_ELEMENTS(values); j++) {
			guint8 *copy = g_memdup2(data, size);
			g_autoptr(GBytes) changed = g_bytes_new_take(copy, size);

			copy[i] = values[j];
			read_all(changed);
		}
	}
}

static void test_truncated(void)
{
	g_autoptr(GBytes) bytes = sample_bytes();

	for (gsize size = 0; size < g_bytes_get_size(bytes); size++) {
		/* Memory of its own, so that a sanitizer sees a read past the end. */
		g_autoptr(GBytes) part = g_bytes_new(g_bytes_get_data(bytes, NULL), size);
		g_autoptr(GError) error = NULL;

		g_assert_null(varve_path_table_open(part, "table", &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	}
}

/* Offsets from docs/formats.md. */
static void test_should_fail_read(void)
{
	static const struct {
		gsize offset;
		guint8 value;
		gboolean at_open;
	} cases[] = {
		{ 20, 1, TRUE },               /* reserved */
		{ 15, 1, TRUE },               /* records: 2^24 more than fit */
		{ 31, 0x80, TRUE },            /* size of the text */
		{ 32 + 96 + 3, 0xff, FALSE },  /* second record: path outside the text */
		{ 32 + 96 + 5, 0xf0, FALSE },  /* its type */
		{ 32 + 96 + 43, 0xff, FALSE }, /* its target */
		{ 32 + 96 + 59, 0xff, FALSE }, /* count of its attributes */
		{ 32 + 96 + 60, 1, FALSE },    /* reserved */
		{ 32 + 96, 0, FALSE },         /* its path is now the first one's: not sorted */
	};
	g_autoptr(GBytes) bytes = sample_bytes();
	gsize size;
	const guint8 *data = g_bytes_get_data(bytes, &size);

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		guint8 *copy = g_memdup2(data, size);
		g_autoptr(GBytes) changed = g_bytes_new_take(copy, size);
		g_autoptr(VarvePathTable) table = NULL;
		g_autoptr(GError) error = NULL;
		VarvePath path;

		copy[cases[i].offset] = cases[i].value;
		table = varve_path_table_open(changed, "table", &error);
		g_assert_true((table == NULL) == cases[i].at_open);
		if (table)
			g_assert_false(varve_path_table_get(table, 1, &path, &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	}
}

static void test_seek(void)
{
	static const struct {
		const char *path;
		gsize index;
	} cases[] = { { "", 0 },         { "a", 1 },          { "usr", 1 },         { "usr/", 2 },
		      { "usr/bin/", 4 }, { "usr/bin/sh", 5 }, { "usr/bin/sh0", 6 }, { "zzz", 7 } };
	g_autoptr(GBytes) bytes = sample_bytes();
	g_autoptr(VarvePathTable) table = varve_path_table_open(bytes, "table", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		gsize index = 99;

		g_assert_true(varve_path_table_seek(table, cases[i].path, &index, NULL));
		g_assert_cmpuint(index, ==, cases[i].index);
	}
}

/* A table of several pages, so that its end lies in another page than its beginning. */
static int large_file(guint n)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GStringChunk) strings = g_string_chunk_new(4096);
	g_autoptr(GBytes) bytes = NULL;
	int fd = memfd_create("table", MFD_CLOEXEC);

	for (guint i = 0; i < n; i++) {
		g_autofree char *name = g_strdup_printf("usr/share/file-%06u", i);
		VarvePath path = sample[5];

		path.path = g_string_chunk_insert(strings, name);
		path.hardlink = 0;
		g_ptr_array_add(paths, g_memdup2(&path, sizeof(path)));
	}
	bytes = varve_path_table_write(paths, NULL);
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(write(fd, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)), ==,
			(gssize)g_bytes_get_size(bytes));
	return fd;
}

static void test_map(void)
{
	varve_autofd fd = large_file(2000);
	g_autoptr(GError) error = NULL;
	g_autoptr(VarvePathTable) table = varve_path_table_map(fd, "table", &error);
	VarvePath path;
	gsize index;

	g_assert_no_error(error);
	g_assert_cmpuint(varve_path_table_count(table), ==, 2000);
	for (guint i = 0; i < 2000; i++) {
		g_autofree char *name = g_strdup_printf("usr/share/file-%06u", i);

		g_assert_true(varve_path_table_find(table, name, &index, &error));
		g_assert_cmpuint(index, ==, i);
		g_assert_true(varve_path_table_get(table, index, &path, &error));
		g_assert_cmpstr(path.path, ==, name);
		g_assert_cmpstr(path.package, ==, "bash-5.2-1.x86_64");
		g_assert_cmpuint(path.n_xattrs, ==, 2);
		g_assert_cmpmem(path.xattrs[1].value, path.xattrs[1].size, "0", 1);
	}
	g_assert_false(varve_path_table_find(table, "usr/share/file-002000", &index, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
}

/* What the kernel cannot read, as a block that is not what was signed, is an error and no signal.
 */
static void test_map_damaged(void)
{
	varve_autofd fd = large_file(2000);
	g_autoptr(VarvePathTable) table = varve_path_table_map(fd, "table", NULL);
	g_autoptr(GError) error = NULL;
	VarvePath path;
	gsize index;

	g_assert_nonnull(table);
	g_assert_cmpint(ftruncate(fd, getpagesize()), ==, 0);
	g_assert_false(varve_path_table_find(table, "usr/share/file-001000", &index, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_clear_error(&error);
	g_assert_false(varve_path_table_get(table, 1999, &path, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_clear_error(&error);
	g_assert_null(varve_path_table_map(fd, "table", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
}

static void test_should_fail_map(void)
{
	varve_autofd empty = memfd_create("empty", MFD_CLOEXEC);
	varve_autofd directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int fds[] = { empty, directory };

	for (gsize i = 0; i < G_N_ELEMENTS(fds); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(varve_path_table_map(fds[i], "table", &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/path-table/round-trip", test_round_trip);
	g_test_add_func("/path-table/not-found", test_not_found);
	g_test_add_func("/path-table/empty", test_empty);
	g_test_add_func("/path-table/should-fail-write", test_should_fail_write);
	g_test_add_func("/path-table/should-fail-read", test_should_fail_read);
	g_test_add_func("/path-table/any-byte-changed", test_any_byte_changed);
	g_test_add_func("/path-table/truncated-is-corrupt", test_truncated);
	g_test_add_func("/path-table/seek", test_seek);
	g_test_add_func("/path-table/map", test_map);
	g_test_add_func("/path-table/map-damaged-is-corrupt", test_map_damaged);
	g_test_add_func("/path-table/should-fail-map", test_should_fail_map);
	return g_test_run();
}
