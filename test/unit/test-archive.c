/* archive.c: what comes out of a source archive is within its directory, and what goes into one is
 * the same whenever and wherever it is packed. */
#include "component/archive.h"

#include "base/error.h"
#include "base/file.h"

#include <archive.h>
#include <archive_entry.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
	char *dir;
	int sources, into;
} Fixture;

/* An entry of an archive that a test makes. */
typedef struct {
	const char *name;
	mode_t mode;         /* with its type */
	const char *content; /* of a file; of a link its target; "=…": a hard link to that */
} Entry;

static void setup(Fixture *f, gconstpointer data)
{
	g_autofree char *sources = NULL, *into = NULL;

	(void)data;
	f->dir = g_dir_make_tmp("varve-archive-test-XXXXXX", NULL);
	sources = g_build_filename(f->dir, "sources", NULL);
	into = g_build_filename(f->dir, "into", NULL);
	g_assert_true(varve_dir_make(sources, 0755, NULL));
	g_assert_true(varve_dir_make(into, 0755, NULL));
	f->sources = varve_dir_open(AT_FDCWD, sources, NULL);
	f->into = varve_dir_open(AT_FDCWD, into, NULL);
}

static void teardown(Fixture *f, gconstpointer data)
{
	(void)data;
	close(f->sources);
	close(f->into);
	varve_dir_remove(AT_FDCWD, f->dir, NULL);
	g_free(f->dir);
}

static void write_entry(struct archive *archive, const Entry *entry)
{
	struct archive_entry *made = archive_entry_new();
	const char *content = entry->content ? entry->content : "";

	archive_entry_set_pathname(made, entry->name);
	archive_entry_set_mode(made, entry->mode);
	archive_entry_set_mtime(made, 1234567890, 5);
	archive_entry_set_uid(made, 1000);
	archive_entry_set_uname(made, "somebody");
	if (*content == '=')
		archive_entry_set_hardlink(made, content + 1);
	else if (S_ISLNK(entry->mode))
		archive_entry_set_symlink(made, content);
	else
		archive_entry_set_size(made, (la_int64_t)strlen(content));
	g_assert_cmpint(archive_write_header(archive, made), >=, ARCHIVE_WARN);
	if (S_ISREG(entry->mode) && *content != '=')
		g_assert_cmpint(archive_write_data(archive, content, strlen(content)), ==,
				(la_ssize_t)strlen(content));
	archive_entry_free(made);
}

static void make(const Fixture *f, const char *name, int filter, const Entry *entries, gsize n)
{
	g_autofree char *path = g_build_filename(f->dir, "sources", name, NULL);
	struct archive *archive = archive_write_new();

	g_assert_cmpint(archive_write_set_format_pax_restricted(archive), ==, ARCHIVE_OK);
	g_assert_cmpint(archive_write_add_filter(archive, filter), ==, ARCHIVE_OK);
	g_assert_cmpint(archive_write_open_filename(archive, path), ==, ARCHIVE_OK);
	for (gsize i = 0; i < n; i++)
		write_entry(archive, &entries[i]);
	g_assert_cmpint(archive_write_close(archive), ==, ARCHIVE_OK);
	archive_write_free(archive);
}

static void put(const Fixture *f, const char *name, const void *data, gsize size)
{
	g_assert_true(varve_file_write(f->sources, name, data, size, 0644, NULL));
}

static char *get(int dir, const char *name, gsize *ret_size)
{
	char *data = NULL;
	gsize size = 0;

	g_assert_true(varve_file_read(dir, name, 64 << 20, &data, &size, NULL));
	if (ret_size)
		*ret_size = size;
	return data;
}

static void assert_content(int dir, const char *name, const char *expected)
{
	g_autofree char *content = get(dir, name, NULL);

	g_assert_cmpstr(content, ==, expected);
}

static guint mode_of(int dir, const char *name)
{
	struct stat st;

	g_assert_cmpint(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW), ==, 0);
	return st.st_mode & 07777;
}

static void assert_only(int dir, const char *expected)
{
	g_auto(GStrv) names = NULL;
	g_autofree char *all = NULL;

	g_assert_true(varve_dir_list(dir, ".", &names, NULL));
	all = g_strjoinv(" ", names);
	g_assert_cmpstr(all, ==, expected);
}

static void check_refused(const Fixture *f, const char *name, VarveError code, const char *message)
{
	g_autoptr(GError) error = NULL;

	if (varve_archive_unpack(f->sources, name, f->into, &error))
		g_error("%s is unpacked", name);
	if (!g_error_matches(error, VARVE_ERROR, (int)code) || !strstr(error->message, message))
		g_error("%s: %d '%s' instead of '%s'", name, error->code, error->message, message);
}

#define DIRECTORY (S_IFDIR | 0755)
#define FILE_MODE (S_IFREG | 0644)
#define LINK (S_IFLNK | 0777)

static const Entry usual[] = {
	{ "p-1/", DIRECTORY, NULL },
	{ "p-1/z", S_IFREG | 0640, "last" },
	{ "p-1/run", S_IFREG | 06755, "#!/bin/sh\n" },
	{ "p-1/link", LINK, "sub/deep" },
	{ "p-1/sub/deep", FILE_MODE, "deep" },
	{ "p-1/sub/up", LINK, "../z" },
	{ "p-1/empty", FILE_MODE, "" },
	{ "p-1/private/", S_IFDIR | 0700, NULL },
	{ "p-1/none/", S_IFDIR | 0555, NULL },
	{ "p-1/none/in", FILE_MODE, "in" },
};

typedef struct {
	const char *name;
	int filter;
	const char *magic;
} Kind;

static const Kind kinds[] = {
	{ "p.tar", ARCHIVE_FILTER_NONE, "p-1/" },
	{ "p.tar.gz", ARCHIVE_FILTER_GZIP, "\x1f\x8b\x08" },
	{ "p.TGZ", ARCHIVE_FILTER_GZIP, "\x1f\x8b\x08" },
	{ "p.tar.bz2", ARCHIVE_FILTER_BZIP2, "BZh9" },
	{ "p.tbz", ARCHIVE_FILTER_BZIP2, "BZh9" },
	{ "p.tar.xz", ARCHIVE_FILTER_XZ,
	  "\xfd"
	  "7zXZ" },
	{ "p.tar.zst", ARCHIVE_FILTER_ZSTD, "\x28\xb5\x2f\xfd" },
	{ "p.tar.lzma", ARCHIVE_FILTER_LZMA, "\x5d" },
	{ "p.tar.lz", ARCHIVE_FILTER_LZIP, "LZIP" },
	/* What is in it counts, not what its name says. */
	{ "wrong.txz", ARCHIVE_FILTER_NONE, "p-1/" },
	{ "wrong.tar", ARCHIVE_FILTER_GZIP, "\x1f\x8b\x08" },
};

static void check_usual(int dir)
{
	g_autofree char *target = g_malloc0(100);

	assert_content(dir, "p-1/z", "last");
	assert_content(dir, "p-1/sub/deep", "deep");
	assert_content(dir, "p-1/link", "deep");
	assert_content(dir, "p-1/empty", "");
	g_assert_cmpuint(mode_of(dir, "p-1/z"), ==, 0640);
	g_assert_cmpuint(mode_of(dir, "p-1/run"), ==, 0755);
	g_assert_cmpuint(mode_of(dir, "p-1/private"), ==, 0700);
	g_assert_cmpuint(mode_of(dir, "p-1/none"), ==, 0555);
	g_assert_cmpint(readlinkat(dir, "p-1/sub/up", target, 99), ==, 4);
	g_assert_cmpstr(target, ==, "../z");
}

static void test_round(Fixture *f, gconstpointer data)
{
	(void)data;
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *first = NULL, *second = NULL;
		g_autofree char *again = g_strdup_printf("%s/again", f->dir);
		gsize first_size, second_size;
		int into;

		make(f, kinds[i].name, kinds[i].filter, usual, G_N_ELEMENTS(usual));
		g_assert_cmpint(fchmodat(f->sources, kinds[i].name, 0604, 0), ==, 0);
		varve_archive_unpack(f->sources, kinds[i].name, f->into, &error);
		g_assert_no_error(error);
		check_usual(f->into);
		varve_archive_pack(f->sources, kinds[i].name, f->into, &error);
		g_assert_no_error(error);
		assert_only(f->sources, kinds[i].name);
		g_assert_cmpuint(mode_of(f->sources, kinds[i].name), ==, 0604);
		first = get(f->sources, kinds[i].name, &first_size);
		g_assert_cmpint(memcmp(first, kinds[i].magic, strlen(kinds[i].magic)), ==, 0);

		/* Once more around: the same bytes, though the tree is another. */
		g_assert_true(varve_dir_make(again, 0755, NULL));
		into = varve_dir_open(AT_FDCWD, again, NULL);
		varve_archive_unpack(f->sources, kinds[i].name, into, &error);
		g_assert_no_error(error);
		check_usual(into);
		varve_archive_pack(f->sources, kinds[i].name, into, &error);
		g_assert_no_error(error);
		second = get(f->sources, kinds[i].name, &second_size);
		g_assert_cmpmem(first, first_size, second, second_size);
		/* So that one who is not root can remove what is in it. */
		g_assert_cmpint(fchmodat(into, "p-1/none", 0755, 0), ==, 0);
		g_assert_cmpint(fchmodat(f->into, "p-1/none", 0755, 0), ==, 0);
		close(into);
		g_assert_true(varve_dir_remove(AT_FDCWD, again, NULL));
		g_assert_true(varve_dir_remove(f->into, "p-1", NULL));
		g_assert_cmpint(unlinkat(f->sources, kinds[i].name, 0), ==, 0);
	}
}

static void assert_header(const char *tar, gsize at, const char *name, const char *mode, char type)
{
	const char *header = tar + at;

	g_assert_cmpstr(header, ==, name);
	g_assert_cmpstr(header + 100, ==, mode);
	g_assert_cmpstr(header + 108, ==, "0000000");                     /* uid */
	g_assert_cmpstr(header + 116, ==, "0000000");                     /* gid */
	g_assert_cmpint(strncmp(header + 136, "00000000000", 11), ==, 0); /* mtime */
	g_assert_cmpint(header[156], ==, type);
	g_assert_cmpint(memcmp(header + 257, "ustar  ", 8), ==, 0); /* GNU */
	g_assert_cmpstr(header + 265, ==, "");                      /* names of owners */
	g_assert_cmpstr(header + 297, ==, "");
}

/* The bytes that azldev's archives have too. */
static void test_bytes(Fixture *f, gconstpointer data)
{
	static const Entry entries[] = {
		{ "b", FILE_MODE, "2" },
		{ "a/", DIRECTORY, NULL },
		{ "a-c", S_IFREG | 0755, "3" },
		{ "a/l", LINK, "../b" },
	};
	g_autofree char *tar = NULL, *gzip = NULL;
	gsize size;

	(void)data;
	make(f, "x.tar", ARCHIVE_FILTER_NONE, entries, G_N_ELEMENTS(entries));
	g_assert_true(varve_archive_unpack(f->sources, "x.tar", f->into, NULL));
	g_assert_true(varve_archive_pack(f->sources, "x.tar", f->into, NULL));
	tar = get(f->sources, "x.tar", &size);
	/* Four headers, two blocks of data and the two of the end; no padding to 10,240. */
	g_assert_cmpuint(size, ==, 8 * 512);
	assert_header(tar, 0, "a/", "0000755", '5');
	assert_header(tar, 512, "a/l", "0000777", '2');
	g_assert_cmpstr(tar + 512 + 157, ==, "../b");
	assert_header(tar, 1024, "a-c", "0000755", '0');
	assert_header(tar, 2048, "b", "0000644", '0');
	g_assert_cmpint(tar[2560], ==, '2');

	make(f, "x.tar.gz", ARCHIVE_FILTER_GZIP, entries, G_N_ELEMENTS(entries));
	g_assert_true(varve_archive_pack(f->sources, "x.tar.gz", f->into, NULL));
	gzip = get(f->sources, "x.tar.gz", NULL);
	/* No name, no time, the slowest method, an unknown system. */
	g_assert_cmpint(memcmp(gzip, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff", 10), ==, 0);
}

static void test_names(Fixture *f, gconstpointer data)
{
	g_autofree char *part = g_strnfill(200, 'n');
	g_autofree char *name = g_strdup_printf("%s/%s/%s", part, part, part);
	g_autofree char *target = g_strnfill(300, 't'), *found = g_malloc0(400);
	g_autofree char *beside = g_strdup_printf("%s/l", part);
	Entry entries[] = { { name, FILE_MODE, "x" },
			    { beside, LINK, target },
			    { "./d/.//\xc3\xa9", FILE_MODE, "accent" },
			    { "-\\ \n\x01", FILE_MODE, "odd" },
			    { "./", DIRECTORY, NULL } };

	(void)data;
	make(f, "x.tar.gz", ARCHIVE_FILTER_GZIP, entries, G_N_ELEMENTS(entries));
	for (int i = 0; i < 2; i++) {
		g_autoptr(GError) error = NULL;

		varve_archive_unpack(f->sources, "x.tar.gz", f->into, &error);
		g_assert_no_error(error);
		assert_content(f->into, name, "x");
		assert_content(f->into, "d/\xc3\xa9", "accent");
		assert_content(f->into, "-\\ \n\x01", "odd");
		g_assert_cmpint(readlinkat(f->into, beside, found, 399), ==, 300);
		g_assert_cmpstr(found, ==, target);
		g_assert_true(varve_archive_pack(f->sources, "x.tar.gz", f->into, NULL));
		g_assert_true(varve_dir_remove(f->into, part, NULL));
		g_assert_true(varve_dir_remove(f->into, "d", NULL));
		g_assert_cmpint(unlinkat(f->into, "-\\ \n\x01", 0), ==, 0);
		assert_only(f->into, "");
	}
}

/* What overlays do: files change, go, and nothing else does. */
static void test_changed(Fixture *f, gconstpointer data)
{
	(void)data;
	make(f, "p.tar.xz", ARCHIVE_FILTER_XZ, usual, G_N_ELEMENTS(usual));
	g_assert_true(varve_archive_unpack(f->sources, "p.tar.xz", f->into, NULL));
	g_assert_true(varve_file_write(f->into, "p-1/z", "changed", 7, 0640, NULL));
	g_assert_cmpint(unlinkat(f->into, "p-1/run", 0), ==, 0);
	g_assert_true(varve_archive_pack(f->sources, "p.tar.xz", f->into, NULL));
	g_assert_cmpint(fchmodat(f->into, "p-1/none", 0755, 0), ==, 0);
	g_assert_true(varve_dir_remove(f->into, "p-1", NULL));
	g_assert_true(varve_archive_unpack(f->sources, "p.tar.xz", f->into, NULL));
	assert_content(f->into, "p-1/z", "changed");
	assert_content(f->into, "p-1/sub/deep", "deep");
	g_assert_cmpint(faccessat(f->into, "p-1/run", F_OK, 0), ==, -1);
}

static void test_twice(Fixture *f, gconstpointer data)
{
	static const Entry entries[] = {
		{ "a", S_IFREG | 0400, "first, and longer" },
		{ "d/", S_IFDIR | 0700, NULL },
		{ "a", S_IFREG | 0644, "second" },
		{ "d/", S_IFDIR | 0750, NULL },
	};

	(void)data;
	make(f, "x.tar", ARCHIVE_FILTER_NONE, entries, G_N_ELEMENTS(entries));
	g_assert_true(varve_archive_unpack(f->sources, "x.tar", f->into, NULL));
	assert_content(f->into, "a", "second");
	g_assert_cmpuint(mode_of(f->into, "a"), ==, 0644);
	g_assert_cmpuint(mode_of(f->into, "d"), ==, 0750);
}

/* A link within the archive may be gone through, as GNU tar and azldev do. */
static void test_inner_link(Fixture *f, gconstpointer data)
{
	static const Entry entries[] = {
		{ "lib64/", DIRECTORY, NULL },       { "lib", LINK, "lib64" },
		{ "lib/x", FILE_MODE, "through" },   { "deep/er/up", LINK, "../../lib64" },
		{ "deep/er/up/y", FILE_MODE, "up" },
	};

	(void)data;
	make(f, "x.tar", ARCHIVE_FILTER_NONE, entries, G_N_ELEMENTS(entries));
	g_assert_true(varve_archive_unpack(f->sources, "x.tar", f->into, NULL));
	assert_content(f->into, "lib64/x", "through");
	assert_content(f->into, "lib64/y", "up");
}

typedef struct {
	Entry entries[4];
	VarveError code;
	const char *message;
} Hostile;

static const Hostile hostile[] = {
	{ { { "/abs", FILE_MODE, "x" } }, VARVE_ERROR_CORRUPT, "'/abs' would leave" },
	{ { { "../out", FILE_MODE, "x" } }, VARVE_ERROR_CORRUPT, "'../out' would leave" },
	{ { { "a/../../out", FILE_MODE, "x" } }, VARVE_ERROR_CORRUPT, "would leave" },
	{ { { "a/..", DIRECTORY, NULL } }, VARVE_ERROR_CORRUPT, "would leave" },
	{ { { "l", LINK, "/etc" } }, VARVE_ERROR_CORRUPT, "'l' is a link that leads out" },
	{ { { "l", LINK, ".." } }, VARVE_ERROR_CORRUPT, "leads out" },
	{ { { "d/l", LINK, "../../x" } }, VARVE_ERROR_CORRUPT, "leads out" },
	{ { { "d/l", LINK, "x/../../../x" } }, VARVE_ERROR_CORRUPT, "leads out" },
	/* Each of the two stays within by its name; together they do not. */
	{ { { "d/e/f/up", LINK, "../../.." },
	    { "v", LINK, "d/e/f/up/../.." },
	    { "v/x", FILE_MODE, "x" } },
	  VARVE_ERROR_CORRUPT,
	  "leads nowhere or out" },
	{ { { "l", LINK, "l" }, { "l/x", FILE_MODE, "x" } }, VARVE_ERROR_CORRUPT, "leads nowhere" },
	{ { { "f", FILE_MODE, "x" }, { "f/x", FILE_MODE, "x" } },
	  VARVE_ERROR_CORRUPT,
	  "below what is not a directory" },
	{ { { "f", FILE_MODE, "x" }, { "f/", DIRECTORY, NULL } },
	  VARVE_ERROR_CORRUPT,
	  "something else" },
	{ { { "d/", DIRECTORY, NULL }, { "d", FILE_MODE, "x" } }, VARVE_ERROR_CORRUPT, "twice" },
	{ { { "f", FILE_MODE, "x" }, { "l", LINK, "f" }, { "l", FILE_MODE, "y" } },
	  VARVE_ERROR_CORRUPT,
	  "'l' is there twice" },
	{ { { "f", FILE_MODE, "x" }, { "f", LINK, "g" } }, VARVE_ERROR_CORRUPT, "twice" },
	{ { { "f", FILE_MODE, "x" }, { "h", FILE_MODE, "=f" } },
	  VARVE_ERROR_UNSUPPORTED,
	  "'h' is a hard link" },
	{ { { "h", FILE_MODE, "=/etc/passwd" } }, VARVE_ERROR_UNSUPPORTED, "hard link" },
	{ { { "dev", S_IFCHR | 0666, NULL } }, VARVE_ERROR_UNSUPPORTED, "'dev' is neither" },
	{ { { "dev", S_IFBLK | 0666, NULL } }, VARVE_ERROR_UNSUPPORTED, "neither" },
	{ { { "fifo", S_IFIFO | 0666, NULL } }, VARVE_ERROR_UNSUPPORTED, "neither" },
	{ { { "a\x1b[2Jb/../..", FILE_MODE, "x" } }, VARVE_ERROR_CORRUPT, "'a?[2Jb/../..'" },
};

static void test_hostile(Fixture *f, gconstpointer data)
{
	(void)data;
	for (gsize i = 0; i < G_N_ELEMENTS(hostile); i++) {
		g_autofree char *name = g_strdup_printf("%zu.tar", i);
		g_autofree char *path = g_build_filename(f->dir, name, NULL);
		Fixture inner = { .dir = f->dir, .sources = f->sources };
		gsize n = 0;

		while (n < G_N_ELEMENTS(hostile[i].entries) && hostile[i].entries[n].name)
			n++;
		g_assert_true(varve_dir_make(path, 0755, NULL));
		inner.into = varve_dir_open(AT_FDCWD, path, NULL);
		make(f, name, ARCHIVE_FILTER_NONE, hostile[i].entries, n);
		check_refused(&inner, name, hostile[i].code, hostile[i].message);
		close(inner.into);
	}
	g_assert_cmpint(faccessat(f->sources, "../out", F_OK, 0), ==, -1);
	g_assert_cmpint(faccessat(f->sources, "../x", F_OK, 0), ==, -1);
}

static void test_damaged(Fixture *f, gconstpointer data)
{
	g_autofree char *whole = NULL, *twice = NULL;
	gsize size;

	(void)data;
	check_refused(f, "none.tar", VARVE_ERROR_NOT_FOUND, "none.tar");
	put(f, "x.tar", "no archive", 10);
	check_refused(f, "x.tar", VARVE_ERROR_CORRUPT, "not a tar archive");
	put(f, "x.zip", "PK", 2);
	check_refused(f, "x.zip", VARVE_ERROR_UNSUPPORTED, "ends in .tar");
	put(f, "tar", "", 0);
	check_refused(f, "tar", VARVE_ERROR_UNSUPPORTED, "ends in .tar");
	put(f, ".tar", "", 0);
	check_refused(f, ".tar", VARVE_ERROR_UNSUPPORTED, "ends in .tar");
	check_refused(f, "../sources/x.tar", VARVE_ERROR_UNSUPPORTED, "must be a file name");
	g_assert_cmpint(mkfifoat(f->sources, "fifo.tar", 0600), ==, 0);
	check_refused(f, "fifo.tar", VARVE_ERROR_CORRUPT, "not a regular file");
	g_assert_cmpint(symlinkat("x.tar", f->sources, "link.tar"), ==, 0);
	check_refused(f, "link.tar", VARVE_ERROR_SYSTEM, "link.tar");

	make(f, "whole.tar.gz", ARCHIVE_FILTER_GZIP, usual, G_N_ELEMENTS(usual));
	whole = get(f->sources, "whole.tar.gz", &size);
	put(f, "short.tar.gz", whole, size / 2);
	check_refused(f, "short.tar.gz", VARVE_ERROR_CORRUPT, "damaged");
	put(f, "inner.tar.gz", whole, size);
	make(f, "twice.tar.gz", ARCHIVE_FILTER_GZIP, &(Entry){ "x", FILE_MODE, "x" }, 1);
	twice = get(f->sources, "whole.tar.gz", NULL);
	g_assert_cmpint(memcmp(whole, twice, size), ==, 0); /* nothing wrote to it */
}

/* "gzip x.tar.gz": one would have to guess what to pack it as. */
static void test_nested(Fixture *f, gconstpointer data)
{
	g_autofree char *path = g_build_filename(f->dir, "sources", "n.tar.gz", NULL);
	struct archive *archive = archive_write_new();

	(void)data;
	archive_write_set_format_gnutar(archive);
	archive_write_add_filter_gzip(archive);
	archive_write_add_filter_xz(archive);
	g_assert_cmpint(archive_write_open_filename(archive, path), ==, ARCHIVE_OK);
	write_entry(archive, &usual[1]);
	g_assert_cmpint(archive_write_close(archive), ==, ARCHIVE_OK);
	archive_write_free(archive);
	check_refused(f, "n.tar.gz", VARVE_ERROR_UNSUPPORTED, "compressed more than once");
}

/* No entry at all; of an empty file the name says the compression. */
static void test_empty(Fixture *f, gconstpointer data)
{
	g_autofree char *bytes = NULL;
	g_autoptr(GError) error = NULL;

	(void)data;
	put(f, "e.tar.gz", "", 0);
	varve_archive_unpack(f->sources, "e.tar.gz", f->into, &error);
	g_assert_no_error(error);
	assert_only(f->into, "");
	g_assert_true(varve_file_write(f->into, "new", "x", 1, 0644, NULL));
	varve_archive_pack(f->sources, "e.tar.gz", f->into, &error);
	g_assert_no_error(error);
	bytes = get(f->sources, "e.tar.gz", NULL);
	g_assert_cmpint(memcmp(bytes, "\x1f\x8b", 2), ==, 0);
}

static void test_limits(Fixture *f, gconstpointer data)
{
	static const Entry entries[] = {
		{ "a", FILE_MODE, "0123456789" },
		{ "b", FILE_MODE, "0123456789" },
	};
	static const struct {
		VarveArchiveLimits limits;
		const char *message; /* NULL: it fits */
	} cases[] = {
		{ { 10, 20, 2 }, NULL },
		{ { 9, 20, 2 }, "'a' makes the archive larger" },
		{ { 10, 19, 2 }, "'b' makes the archive larger" },
		{ { 10, 20, 1 }, "'b' is one more" },
	};

	(void)data;
	make(f, "x.tar.xz", ARCHIVE_FILTER_XZ, entries, G_N_ELEMENTS(entries));
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		gboolean done = varve_archive_unpack_within(f->sources, "x.tar.xz", f->into,
							    &cases[i].limits, &error);

		g_assert_true(done == !cases[i].message);
		if (done)
			continue;
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
		g_assert_nonnull(strstr(error->message, cases[i].message));
	}
}

/* A header that promises 9 GiB, and no data. */
static void test_promise(Fixture *f, gconstpointer data)
{
	static const Entry entries[] = { { "big", FILE_MODE, "x" } };
	static const VarveArchiveLimits limits = { 1 << 20, 1 << 20, 10 };
	g_autoptr(GError) error = NULL;
	g_autofree char *tar = NULL;
	unsigned sum = 0;
	gsize size;

	(void)data;
	make(f, "x.tar", ARCHIVE_FILTER_NONE, entries, 1);
	tar = get(f->sources, "x.tar", &size);
	memcpy(tar + 124, "77777777777", 11);
	memset(tar + 148, ' ', 8);
	for (gsize i = 0; i < 512; i++)
		sum += (guchar)tar[i];
	g_snprintf(tar + 148, 8, "%06o", sum);
	put(f, "x.tar", tar, size);
	g_assert_false(varve_archive_unpack_within(f->sources, "x.tar", f->into, &limits, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
	g_clear_error(&error);
	assert_only(f->into, "");
	check_refused(f, "x.tar", VARVE_ERROR_CORRUPT, "damaged");
}

/* Whatever goes wrong while it is packed, the old file is there and nothing beside it. */
static void test_failed(Fixture *f, gconstpointer data)
{
	g_autofree char *before = NULL, *after = NULL, *noise = g_malloc(1 << 20);
	g_autoptr(GError) error = NULL;
	struct rlimit old, limit;
	gsize size;

	(void)data;
	make(f, "p.tar.gz", ARCHIVE_FILTER_GZIP, usual, 2);
	before = get(f->sources, "p.tar.gz", &size);
	g_assert_cmpint(mkfifoat(f->into, "fifo", 0600), ==, 0);
	g_assert_false(varve_archive_pack(f->sources, "p.tar.gz", f->into, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
	g_assert_nonnull(strstr(error->message, "'fifo'"));
	g_clear_error(&error);
	assert_only(f->sources, "p.tar.gz");
	g_assert_cmpint(unlinkat(f->into, "fifo", 0), ==, 0);

	/* As if the disk were full. */
	for (gsize i = 0; i < 1 << 20; i++)
		noise[i] = (char)g_random_int();
	g_assert_true(varve_file_write(f->into, "noise", noise, 1 << 20, 0644, NULL));
	signal(SIGXFSZ, SIG_IGN);
	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
	limit = (struct rlimit){ 100000, old.rlim_max };
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
	varve_archive_pack(f->sources, "p.tar.gz", f->into, &error);
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_SYSTEM);
	g_assert_nonnull(strstr(error->message, "nothing was changed"));
	assert_only(f->sources, "p.tar.gz");
	after = get(f->sources, "p.tar.gz", NULL);
	g_assert_cmpint(memcmp(before, after, size), ==, 0);
}

int main(int argc, char **argv)
{
#define TEST(path, function) g_test_add("/archive/" path, Fixture, NULL, setup, function, teardown)
	g_test_init(&argc, &argv, NULL);
	TEST("round-and-the-same-bytes", test_round);
	TEST("order-owners-times", test_bytes);
	TEST("long-and-odd-names", test_names);
	TEST("changed", test_changed);
	TEST("later-file-wins", test_twice);
	TEST("links-within", test_inner_link);
	TEST("hostile-entries", test_hostile);
	TEST("damaged", test_damaged);
	TEST("compressed-twice", test_nested);
	TEST("empty", test_empty);
	TEST("limits", test_limits);
	TEST("promised-size", test_promise);
	TEST("a-failure-leaves-the-old-one", test_failed);
	return g_test_run();
}
