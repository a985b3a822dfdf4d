#include "tree-compare.h"

#include "base/file.h"
#include "crypt/sha256.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static void put(const char *dir, const char *name, size_t size, int seed)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	g_autofree char *data = g_malloc(size + 1);
	varve_autofd fd = -1;

	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 31 + i / 4096 + (size_t)seed);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(varve_fd_write_full(fd, data, size), ==, 0);
}

static void put_xattr(const char *path, const char *name, const char *value, size_t size)
{
	if (lsetxattr(path, name, value, size, 0) < 0)
		g_test_message("%s cannot be set here: %s", name, g_strerror(errno));
}

static void make_many(const char *dir)
{
	g_autofree char *many = g_build_filename(dir, "many", NULL);
	char name[NAME_MAX + 1];

	g_assert_cmpint(mkdir(many, 0755), ==, 0);
	for (int i = 0; i < 1500; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		put(many, name, (size_t)(i % 7), i);
	}
	/* mkfs.erofs 1.5 cannot take 255. */
	memset(name, 'n', NAME_MAX - 1);
	name[NAME_MAX - 1] = '\0';
	put(many, name, 10, 0);
	put(many, "\xc3\xa4\xff", 1, 0);
	put(many, "!before-the-dot", 1, 0);
}

static void make_special(const char *dir)
{
	g_autofree char *fifo = g_build_filename(dir, "fifo", NULL);
	g_autofree char *null = g_build_filename(dir, "null", NULL);
	g_autofree char *loop = g_build_filename(dir, "block", NULL);

	g_assert_cmpint(mkfifo(fifo, 0640), ==, 0);
	if (mknod(null, S_IFCHR | 0666, makedev(1, 3)) < 0 ||
	    mknod(loop, S_IFBLK | 0660, makedev(259, 70000)) < 0)
		g_test_message("devices cannot be made here: %s", g_strerror(errno));
}

static void make_links(const char *dir)
{
	g_autofree char *target = g_strnfill(4000, 't');
	g_autofree char *a = g_build_filename(dir, "hard-a", NULL);
	g_autofree char *b = g_build_filename(dir, "sub", "hard-b", NULL);
	g_autofree char *c = g_build_filename(dir, "sub", "z-hard-c", NULL);
	g_autofree char *link = g_build_filename(dir, "link", NULL);
	g_autofree char *long_link = g_build_filename(dir, "long-link", NULL);

	put(dir, "hard-a", 5000, 3);
	g_assert_cmpint(symlink("sub/../hard-a", link), ==, 0);
	g_assert_cmpint(symlink(target, long_link), ==, 0);
	g_assert_cmpint(linkat(AT_FDCWD, a, AT_FDCWD, b, 0), ==, 0);
	g_assert_cmpint(linkat(AT_FDCWD, a, AT_FDCWD, c, 0), ==, 0);
}

static void make_xattrs(const char *dir)
{
	g_autofree char *large = g_strnfill(3000, 'v');
	static const char *const names[] = { "x1", "x2", "x3", "x4", "x5" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(dir, "sub", names[i], NULL);
		g_autofree char *sub = g_build_filename(dir, "sub", NULL);

		put(sub, names[i], i * 1000, 9);
		/* The same on several files: mkfs makes shared ones of them. */
		put_xattr(path, "user.shared", "the same for all", 16);
		put_xattr(path, "user.own", names[i], 2);
		put_xattr(path, "user.empty", "", 0);
		put_xattr(path, "trusted.t", "\0with\0nul", 9);
		if (i == 2)
			put_xattr(path, "user.large", large, 3000);
		if (i == 3)
			put_xattr(path, "security.capability",
				  "\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
				  "\x00\x00\x00\x00",
				  20);
	}
	put_xattr(dir, "user.root", "of the root", 11);
}

void tree_make(const char *dir)
{
	g_autofree char *sub = g_build_filename(dir, "sub", NULL);
	g_autofree char *deep = g_build_filename(dir, "a", "b", "c", "d", "e", NULL);
	g_autofree char *empty = g_build_filename(dir, "empty-dir", NULL);
	g_autofree char *sparse = g_build_filename(dir, "sparse", NULL);
	static const size_t sizes[] = {
		0, 1, 4095, 4096, 4097, 8191, 8192, 12289, 300000, 5000000
	};

	g_assert_cmpint(mkdir(sub, 0750), ==, 0);
	g_assert_cmpint(mkdir(empty, 01777), ==, 0);
	g_assert_cmpint(g_mkdir_with_parents(deep, 0755), ==, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autofree char *name = g_strdup_printf("size-%zu", sizes[i]);

		put(dir, name, sizes[i], (int)i);
	}
	put(dir, "a.b", 3, 0); /* sorts between "a" and "a/b" by bytes of the whole path */
	put(deep, "bottom", 77, 0);
	put(dir, "sparse", 1, 0);
	g_assert_cmpint(truncate(sparse, 3 * 1024 * 1024), ==, 0);
	g_assert_cmpint(chmod(sparse, 04751), ==, 0);
	if (chown(sparse, 70000, 80000) < 0) /* more than 16 bits: an extended inode */
		g_test_message("owners cannot be set here: %s", g_strerror(errno));
	make_many(dir);
	make_special(dir);
	make_links(dir);
	make_xattrs(dir);
}

gboolean tree_mkfs(const char *image, const char *dir, const char *const *options)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autofree char *program = g_find_program_in_path("mkfs.erofs");
	int status = -1;

	if (!program)
		return FALSE;
	g_ptr_array_add(argv, program);
	for (; *options; options++)
		g_ptr_array_add(argv, (gpointer)*options);
	g_ptr_array_add(argv, (gpointer)image);
	g_ptr_array_add(argv, (gpointer)dir);
	g_ptr_array_add(argv, NULL);
	g_assert_true(g_spawn_sync(NULL, (char **)argv->pdata, NULL,
				   G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
				   NULL, NULL, NULL, &status, NULL));
	return g_spawn_check_wait_status(status, NULL);
}

typedef struct {
	const char *dir;
	GHashTable *seen;      /* char * */
	GHashTable *hardlinks; /* inode number → the reader's number */
} Compare;

static void compare_xattrs(const char *full, const VarvePath *path)
{
	g_autofree char *names = g_malloc(65536), *value = g_malloc(65536);
	ssize_t size = llistxattr(full, names, 65536);
	size_t found = 0;

	g_assert_cmpint(size, >=, 0);
	for (char *name = names; name < names + size; name += strlen(name) + 1) {
		ssize_t n = lgetxattr(full, name, value, 65536);
		gboolean matched = FALSE;

		g_assert_cmpint(n, >=, 0);
		if (strcmp(name, "security.selinux") == 0) {
			g_assert_cmpint(strncmp(path->label, value, (size_t)n), ==, 0);
			continue;
		}
		found++;
		for (size_t i = 0; i < path->n_xattrs && !matched; i++) {
			if (strcmp(path->xattrs[i].name, name) != 0)
				continue;
			g_assert_cmpmem(path->xattrs[i].value, path->xattrs[i].size, value, n);
			matched = TRUE;
		}
		g_assert_true(matched);
	}
	g_assert_cmpuint(found, ==, path->n_xattrs);
}

static void compare_content(const char *full, const VarvePath *path, const struct stat *st)
{
	VarveDigest digest = { 0 };

	if (S_ISREG(st->st_mode)) {
		varve_autofd fd = open(full, O_RDONLY | O_CLOEXEC);
		guint64 size;

		g_assert_true(varve_sha256_fd(fd, &digest, &size, NULL));
		g_assert_cmpuint(path->size, ==, size);
	} else if (S_ISLNK(st->st_mode)) {
		char target[PATH_MAX] = { 0 };

		g_assert_cmpint(readlink(full, target, sizeof(target) - 1), >, 0);
		g_assert_cmpstr(path->target, ==, target);
		g_assert_cmpuint(path->size, ==, strlen(target));
		varve_sha256(target, strlen(target), &digest);
	} else {
		g_assert_cmpuint(path->size, ==, 0);
	}
	g_assert_true(varve_digest_equal(&path->digest, &digest));
}

/* The numbers themselves are ours; which names share one is what must agree. */
static void compare_hardlink(Compare *compare, const VarvePath *path, const struct stat *st)
{
	gpointer inode = GSIZE_TO_POINTER((gsize)st->st_ino);

	if (S_ISDIR(st->st_mode) || st->st_nlink < 2) {
		g_assert_cmpuint(path->hardlink, ==, 0);
		return;
	}
	g_assert_cmpuint(path->hardlink, !=, 0);
	if (!g_hash_table_contains(compare->hardlinks, inode))
		g_hash_table_insert(compare->hardlinks, inode,
				    GSIZE_TO_POINTER((gsize)path->hardlink));
	g_assert_true(g_hash_table_lookup(compare->hardlinks, inode) ==
		      GSIZE_TO_POINTER((gsize)path->hardlink));
}

static gboolean compare_path(const VarvePath *path, gpointer data, GError **error)
{
	Compare *compare = data;
	g_autofree char *full = g_build_filename(compare->dir, path->path, NULL);
	struct stat st;

	(void)error;
	g_assert_cmpint(lstat(full, &st), ==, 0);
	g_assert_cmpuint(path->mode, ==, st.st_mode);
	g_assert_cmpuint(path->uid, ==, st.st_uid);
	g_assert_cmpuint(path->gid, ==, st.st_gid);
	g_assert_cmpuint(path->device, ==,
			 S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) ? st.st_rdev : 0);
	g_assert_true(g_hash_table_add(compare->seen, g_strdup(path->path)));
	compare_content(full, path, &st);
	compare_xattrs(full, path);
	compare_hardlink(compare, path, &st);
	return TRUE;
}

static guint count(const char *dir)
{
	g_auto(GStrv) names = NULL;
	guint n = 1;

	g_assert_true(varve_dir_list(AT_FDCWD, dir, &names, NULL));
	for (size_t i = 0; names[i]; i++) {
		g_autofree char *full = g_build_filename(dir, names[i], NULL);
		struct stat st;

		g_assert_cmpint(lstat(full, &st), ==, 0);
		n += S_ISDIR(st.st_mode) ? count(full) : 1;
	}
	return n;
}

void tree_compare(const char *image, const char *dir)
{
	varve_autofd fd = open(image, O_RDONLY | O_CLOEXEC);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) hardlinks = g_hash_table_new(NULL, NULL);
	Compare compare = { .dir = dir, .seen = seen, .hardlinks = hardlinks };
	g_autoptr(VarveErofs) erofs = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(fd, >=, 0);
	erofs = varve_erofs_open(fd, 0, (guint64)lseek(fd, 0, SEEK_END), "image", &error);
	g_assert_no_error(error);
	varve_erofs_walk(erofs, TRUE, compare_path, &compare, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(g_hash_table_size(seen), ==, count(dir));
}
