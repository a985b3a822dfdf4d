#include "package/deb-archive.h"

#include "base/error.h"
#include "ground/fd.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* A member of data.tar. */
typedef struct {
	const char *path;
	guint32 mode;
	const char *content; /* or where a link points */
	gboolean hard;
} Member;

typedef struct {
	char *bytes;
	size_t size;
} Buffer;

#define BUFFER_SIZE (1 << 20)

static void clear_buffer(Buffer *buffer)
{
	g_free(buffer->bytes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Buffer, clear_buffer)

static void write_member(struct archive *archive, const Member *member)
{
	struct archive_entry *entry = archive_entry_new();
	size_t size = S_ISREG(member->mode) && member->content && !member->hard
			      ? strlen(member->content)
			      : 0;

	archive_entry_set_pathname(entry, member->path);
	archive_entry_set_mode(entry, (mode_t)member->mode);
	archive_entry_set_uname(entry, "root");
	archive_entry_set_gname(entry, "shadow");
	archive_entry_set_mtime(entry, 1700000000, 0);
	archive_entry_set_size(entry, (la_int64_t)size);
	if (member->hard)
		archive_entry_set_hardlink(entry, member->content);
	else if (S_ISLNK(member->mode))
		archive_entry_set_symlink(entry, member->content);
	g_assert_cmpint(archive_write_header(archive, entry), ==, ARCHIVE_OK);
	if (size)
		archive_write_data(archive, member->content, size);
	archive_entry_free(entry);
}

static void make_tar(const Member *members, gboolean compress, Buffer *ret)
{
	struct archive *archive = archive_write_new();

	*ret = (Buffer){ .bytes = g_malloc(BUFFER_SIZE) };
	archive_write_set_format_gnutar(archive);
	if (compress)
		archive_write_add_filter_xz(archive);
	archive_write_open_memory(archive, ret->bytes, BUFFER_SIZE, &ret->size);
	for (; members->path; members++)
		write_member(archive, members);
	archive_write_close(archive);
	archive_write_free(archive);
}

static void append_ar_member(GByteArray *ar, const char *name, const void *data, size_t size)
{
	g_autofree char *header =
		g_strdup_printf("%-16s%-12d%-6d%-6d%-8s%-10zu`\n", name, 0, 0, 0, "100644", size);

	g_byte_array_append(ar, (const guint8 *)header, 60);
	g_byte_array_append(ar, data, (guint)size);
	if (size % 2)
		g_byte_array_append(ar, (const guint8 *)"\n", 1);
}

static const Member control[] = {
	{ "./control", S_IFREG | 0644, "Package: sample\n", FALSE },
	{ "./conffiles", S_IFREG | 0644, "/etc/sample.conf\nremove-on-upgrade /etc/old\n", FALSE },
	{ "./postinst", S_IFREG | 0755, "#!/bin/sh\nexit 1\n", FALSE },
	{ NULL },
};

static GByteArray *make_deb(const Member *members)
{
	GByteArray *deb = g_byte_array_new();
	g_auto(Buffer) control_tar = { 0 }, data_tar = { 0 };

	make_tar(control, FALSE, &control_tar);
	make_tar(members, TRUE, &data_tar);
	g_byte_array_append(deb, (const guint8 *)"!<arch>\n", 8);
	append_ar_member(deb, "debian-binary", "2.0\n", 4);
	append_ar_member(deb, "control.tar", control_tar.bytes, control_tar.size);
	append_ar_member(deb, "data.tar.xz", data_tar.bytes, data_tar.size);
	return deb;
}

static VarveDeb *open_bytes(const void *bytes, size_t size, GError **error)
{
	varve_autofd fd = memfd_create("deb", MFD_CLOEXEC);

	g_assert_cmpint(varve_fd_write_full(fd, bytes, size), ==, 0);
	return varve_deb_open(fd, "sample", g_get_tmp_dir(), error);
}

static VarveDeb *open_members(const Member *members, GError **error)
{
	g_autoptr(GByteArray) deb = make_deb(members);

	return open_bytes(deb->data, deb->len, error);
}

static const Member good[] = {
	{ "./", S_IFDIR | 0755, NULL, FALSE },
	{ "./etc/", S_IFDIR | 0755, NULL, FALSE },
	{ "./etc/sample.conf", S_IFREG | 0640, "key = 1\n", FALSE },
	{ "./usr/bin/one", S_IFREG | 04755, "program", FALSE },
	{ "./usr/bin/two", S_IFREG | 04755, "./usr/bin/one", TRUE },
	{ "./usr/bin/three", S_IFLNK | 0777, "one", FALSE },
	{ "./lib/", S_IFDIR | 0755, NULL, FALSE },
	{ "./lib/systemd/x", S_IFREG | 0644, "", FALSE },
	{ NULL },
};

static void test_reads_a_package(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveDeb) deb = open_members(good, &error);
	const VarveDebEntry *conf, *one, *two, *three;
	g_autofree char *text = NULL;
	gsize size = 0;

	g_assert_no_error(error);
	g_assert_cmpstr(deb->control, ==, "Package: sample\n");
	g_assert_cmpuint(g_hash_table_size(deb->conffiles), ==, 1);
	g_assert_true(g_hash_table_contains(deb->conffiles, "/etc/sample.conf"));
	g_assert_cmpint(deb->newest, ==, 1700000000);
	conf = varve_deb_find(deb, "/etc/sample.conf");
	one = varve_deb_find(deb, "/usr/bin/one");
	two = varve_deb_find(deb, "/usr/bin/two");
	three = varve_deb_find(deb, "/usr/bin/three");
	g_assert_cmpuint(conf->mode, ==, S_IFREG | 0640);
	g_assert_cmpstr(conf->group, ==, "shadow");
	g_assert_true(varve_deb_read(deb, conf, &text, &size, NULL));
	g_assert_cmpstr(text, ==, "key = 1\n");
	g_assert_cmpuint(one->link, >, 0);
	g_assert_cmpuint(one->link, ==, two->link);
	g_assert_cmpuint(two->size, ==, 7);
	g_assert_cmpuint(two->mode, ==, S_IFREG | 04755);
	g_assert_cmpstr(three->target, ==, "one");
}

static void test_nothing_lands_in_a_merged_directory(void)
{
	g_autoptr(VarveDeb) deb = open_members(good, NULL);

	g_assert_nonnull(varve_deb_find(deb, "/usr/lib/systemd/x"));
	g_assert_null(varve_deb_find(deb, "/lib"));
	g_assert_null(varve_deb_find(deb, "/lib/systemd/x"));
}

static void test_links_of_the_root_stay(void)
{
	static const Member members[] = { { "./bin", S_IFLNK | 0777, "usr/bin", FALSE }, { NULL } };
	g_autoptr(VarveDeb) deb = open_members(members, NULL);

	g_assert_cmpstr(varve_deb_find(deb, "/bin")->target, ==, "usr/bin");
}

static void test_bad_packages_are_corrupt(void)
{
	static const Member cases[][3] = {
		{ { "../etc/passwd", S_IFREG | 0644, "x", FALSE } },
		{ { "./usr/../../x", S_IFREG | 0644, "x", FALSE } },
		{ { "./a", S_IFREG | 0644, "x", FALSE }, { "./a", S_IFREG | 0644, "y", FALSE } },
		{ { "./a", S_IFREG | 0644, "x", FALSE }, { "a/", S_IFDIR | 0755, NULL, FALSE } },
		{ { "./a", S_IFREG | 0644, "./nothing", TRUE } },
		{ { "./a", S_IFREG | 0644, "../../etc/passwd", TRUE } },
		{ { "./d", S_IFDIR | 0755, NULL, FALSE }, { "./a", S_IFREG | 0644, "./d", TRUE } },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(open_members(cases[i], &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
		g_assert_nonnull(strstr(error->message, "'sample'"));
	}
}

/* Cut anywhere, it is refused; it is never half a package. */
static void test_truncated_packages_are_corrupt(void)
{
	g_autoptr(GByteArray) deb = make_deb(good);

	for (guint size = 0; size + 2 < deb->len; size += size < 200 ? 1 : 37) {
		g_autoptr(GError) error = NULL;

		g_assert_null(open_bytes(deb->data, size, &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	}
}

static void test_no_data_is_corrupt(void)
{
	g_autoptr(GByteArray) deb = g_byte_array_new();
	g_auto(Buffer) control_tar = { 0 };
	g_autoptr(GError) error = NULL;

	make_tar(control, FALSE, &control_tar);
	g_byte_array_append(deb, (const guint8 *)"!<arch>\n", 8);
	append_ar_member(deb, "debian-binary", "2.0\n", 4);
	append_ar_member(deb, "control.tar", control_tar.bytes, control_tar.size);
	g_assert_null(open_bytes(deb->data, deb->len, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/deb-archive/reads-a-package", test_reads_a_package);
	g_test_add_func("/deb-archive/nothing-lands-in-a-merged-directory",
			test_nothing_lands_in_a_merged_directory);
	g_test_add_func("/deb-archive/links-of-the-root-stay", test_links_of_the_root_stay);
	g_test_add_func("/deb-archive/bad-packages-are-corrupt", test_bad_packages_are_corrupt);
	g_test_add_func("/deb-archive/truncated-packages-are-corrupt",
			test_truncated_packages_are_corrupt);
	g_test_add_func("/deb-archive/no-data-is-corrupt", test_no_data_is_corrupt);
	return g_test_run();
}
