#include "format/rpm-writer.h"

#include "base/error.h"
#include "base/file.h"
#include "rpm/reader.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static const char content[] = "first\0second, which is longer";

static VarveRpmWriter *make_writer(gint64 epoch)
{
	const VarveRpmIdentity identity = { .name = "sample",
					    .epoch = epoch,
					    .version = "1.2~rc1",
					    .release = "3+deb13u1",
					    .arch = "noarch",
					    .summary = "A sample",
					    .license = "MIT",
					    .vendor = "Debian",
					    .source_rpm = "source-1.2~rc1-3.src.rpm",
					    .build_time = 1700000000 };

	return varve_rpm_writer_new(&identity);
}

static void add(VarveRpmWriter *writer, const char *path, guint32 mode, int fd, guint64 offset,
		guint64 size, guint32 link)
{
	const VarveRpmFile file = { .path = path,
				    .mode = mode,
				    .user = "root",
				    .group = "adm",
				    .target = S_ISLNK(mode) ? "../there" : NULL,
				    .mtime = 1600000000,
				    .fd = fd,
				    .offset = offset,
				    .size = size,
				    .link = link };

	varve_rpm_writer_add_file(writer, &file);
}

static int content_fd(void)
{
	int fd = memfd_create("content", MFD_CLOEXEC);

	g_assert_cmpint(varve_fd_write_full(fd, content, sizeof(content)), ==, 0);
	return fd;
}

/* Added in no order: two hard links, a setuid program, a directory, a link. */
static void add_files(VarveRpmWriter *writer, int fd)
{
	add(writer, "/usr/bin/two", S_IFREG | 0755, fd, 6, 23, 7);
	add(writer, "/usr/bin", S_IFDIR | 0755, -1, 0, 0, 0);
	add(writer, "/usr/bin/one", S_IFREG | 0755, fd, 6, 23, 7);
	add(writer, "/usr/bin-x/su", S_IFREG | 04755, fd, 0, 5, 0);
	add(writer, "/usr/lib/link", S_IFLNK | 0777, -1, 0, 0, 0);
}

static char *write_package(VarveRpmWriter *writer, const char *directory, VarveRpmSign sign,
			   VarveDigest *ret_header)
{
	char *path = g_build_filename(directory, "sample.rpm", NULL);
	g_autoptr(VarveNewFile) file = varve_new_file_open(path, 0644, NULL);
	g_autoptr(GError) error = NULL;

	varve_rpm_writer_write(writer, file->fd, directory, sign, NULL, ret_header, &error);
	g_assert_no_error(error);
	g_assert_true(varve_new_file_commit(file, NULL));
	return path;
}

static const VarvePackageFile *find_file(const GPtrArray *files, const char *path)
{
	for (guint i = 0; i < files->len; i++) {
		const VarvePackageFile *file = g_ptr_array_index(files, i);

		if (strcmp(file->path, path) == 0)
			return file;
	}
	g_assert_not_reached();
}

/* librpm is the judge: it checks the digests of header and payload. */
static void test_librpm_reads_it(void)
{
	g_autofree char *directory = g_dir_make_tmp("test-rpm-XXXXXX", NULL), *path = NULL;
	g_autoptr(VarveRpmWriter) writer = make_writer(2);
	g_autoptr(VarvePackage) package = NULL;
	g_autoptr(GPtrArray) files = NULL;
	g_autoptr(GError) error = NULL;
	varve_autofd fd = content_fd();
	const VarvePackageFile *one, *two, *su, *link;

	add_files(writer, fd);
	varve_rpm_writer_add_relation(writer, VARVE_RPM_REQUIRES, "libc6",
				      VARVE_RPM_GREATER | VARVE_RPM_EQUAL, "2.41-0");
	varve_rpm_writer_add_relation(writer, VARVE_RPM_REQUIRES, "libc6",
				      VARVE_RPM_GREATER | VARVE_RPM_EQUAL, "2.41-0");
	varve_rpm_writer_add_relation(writer, VARVE_RPM_REQUIRES, "(awk or mawk)", 0, NULL);
	varve_rpm_writer_add_soname(writer, VARVE_RPM_PROVIDES, "libx.so.1()(64bit)");
	path = write_package(writer, directory, NULL, NULL);
	varve_rpm_read(path, &package, &files, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(package->nevra, ==, "sample-2:1.2~rc1-3+deb13u1.noarch");
	g_assert_cmpstr(package->source, ==, "source-1.2~rc1-3.src.rpm");
	g_assert_cmpstr(package->vendor, ==, "Debian");
	g_assert_cmpuint(package->installed_size, ==, 23 + 5);
	g_assert_cmpuint(g_strv_length(package->requires), ==, 2);
	g_assert_cmpstr(package->requires[0], ==, "(awk or mawk)");
	g_assert_cmpstr(package->requires[1], ==, "libc6 >= 2.41-0");
	g_assert_true(g_strv_contains((const char *const *)package->provides,
				      "sample = 2:1.2~rc1-3+deb13u1"));
	g_assert_true(
		g_strv_contains((const char *const *)package->provides, "libx.so.1()(64bit)"));
	g_assert_cmpuint(files->len, ==, 5);
	one = find_file(files, "usr/bin/one");
	two = find_file(files, "usr/bin/two");
	su = find_file(files, "usr/bin-x/su");
	link = find_file(files, "usr/lib/link");
	g_assert_cmpuint(one->size, ==, 23);
	g_assert_cmpstr(one->digest, ==, two->digest);
	g_assert_cmpstr(one->group, ==, "adm");
	g_assert_cmpuint(su->mode, ==, S_IFREG | 04755);
	g_assert_cmpstr(su->digest, ==,
			"a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e");
	g_assert_cmpstr(link->target, ==, "../there");
	g_assert_true(varve_dir_remove(AT_FDCWD, directory, NULL));
}

/* The header covers every byte. No digest is checked in: zstd may compress better tomorrow. */
static void test_same_input_same_bytes(void)
{
	g_autofree char *directory = g_dir_make_tmp("test-rpm-XXXXXX", NULL);
	g_autofree char *first = NULL, *second = NULL, *path = NULL;

	for (int i = 0; i < 2; i++) {
		g_autoptr(VarveRpmWriter) writer = make_writer(-1);
		varve_autofd fd = content_fd();
		VarveDigest digest;

		g_free(path);
		add_files(writer, fd);
		path = write_package(writer, directory, NULL, &digest);
		*(i ? &second : &first) = varve_digest_dup_hex(&digest);
	}
	g_assert_cmpstr(first, ==, second);
	g_assert_true(varve_dir_remove(AT_FDCWD, directory, NULL));
}

static void expect_failure(VarveRpmWriter *writer, VarveError code)
{
	varve_autofd out = memfd_create("out", MFD_CLOEXEC);
	g_autoptr(GError) error = NULL;

	g_assert_false(
		varve_rpm_writer_write(writer, out, g_get_tmp_dir(), NULL, NULL, NULL, &error));
	g_assert_error(error, VARVE_ERROR, (int)code);
}

static void test_path_twice_is_corrupt(void)
{
	g_autoptr(VarveRpmWriter) writer = make_writer(-1);

	add(writer, "/usr", S_IFDIR | 0755, -1, 0, 0, 0);
	add(writer, "/usr", S_IFDIR | 0755, -1, 0, 0, 0);
	expect_failure(writer, VARVE_ERROR_CORRUPT);
}

static void test_short_content_is_corrupt(void)
{
	g_autoptr(VarveRpmWriter) writer = make_writer(-1);
	varve_autofd fd = content_fd();

	add(writer, "/x", S_IFREG | 0644, fd, 6, sizeof(content), 0);
	expect_failure(writer, VARVE_ERROR_CORRUPT);
}

static void test_huge_file_is_unsupported(void)
{
	g_autoptr(VarveRpmWriter) writer = make_writer(-1);
	varve_autofd fd = content_fd();

	add(writer, "/x", S_IFREG | 0644, fd, 0, G_MAXUINT32 + G_GUINT64_CONSTANT(1), 0);
	expect_failure(writer, VARVE_ERROR_UNSUPPORTED);
}

static gboolean sign_with_garbage(const void *data G_GNUC_UNUSED, gsize size G_GNUC_UNUSED,
				  gint64 time G_GNUC_UNUSED, gpointer user G_GNUC_UNUSED,
				  GBytes **ret_signature, GError **error G_GNUC_UNUSED)
{
	*ret_signature = g_bytes_new("not a signature at all", 22);
	return TRUE;
}

static void test_what_is_no_signature_is_refused(void)
{
	g_autoptr(VarveRpmWriter) writer = make_writer(-1);
	varve_autofd out = memfd_create("out", MFD_CLOEXEC);
	g_autoptr(GError) error = NULL;

	g_assert_false(varve_rpm_writer_write(writer, out, g_get_tmp_dir(), sign_with_garbage, NULL,
					      NULL, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
}

static void test_package_without_files(void)
{
	g_autofree char *directory = g_dir_make_tmp("test-rpm-XXXXXX", NULL), *path = NULL;
	g_autoptr(VarveRpmWriter) writer = make_writer(-1);
	g_autofree char *name = varve_rpm_writer_file_name(writer);
	g_autoptr(VarvePackage) package = NULL;
	g_autoptr(GPtrArray) files = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_cmpstr(name, ==, "sample-1.2~rc1-3+deb13u1.noarch.rpm");
	path = write_package(writer, directory, NULL, NULL);
	varve_rpm_read(path, &package, &files, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(files->len, ==, 0);
	g_assert_true(varve_dir_remove(AT_FDCWD, directory, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rpm-writer/librpm-reads-it", test_librpm_reads_it);
	g_test_add_func("/rpm-writer/same-input-same-bytes", test_same_input_same_bytes);
	g_test_add_func("/rpm-writer/path-twice-is-corrupt", test_path_twice_is_corrupt);
	g_test_add_func("/rpm-writer/short-content-is-corrupt", test_short_content_is_corrupt);
	g_test_add_func("/rpm-writer/huge-file-is-unsupported", test_huge_file_is_unsupported);
	g_test_add_func("/rpm-writer/what-is-no-signature-is-refused",
			test_what_is_no_signature_is_refused);
	g_test_add_func("/rpm-writer/package-without-files", test_package_without_files);
	return g_test_run();
}
