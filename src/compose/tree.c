/* The files of a layer between the staged root and the image. */
#include "compose/tree.h"

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "crypt/sha256.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

struct VarveTree {
	GPtrArray *files;    /* VarveTreeFile *; sorted when @sorted */
	GHashTable *by_path; /* borrowed from @files */
	GStringChunk *strings;
	GHashTable *inodes; /* "dev:ino" of names beyond the first → number */
	guint64 last_hardlink;
	gboolean sorted;
};

static void tree_file_free(gpointer pointer)
{
	VarveTreeFile *file = pointer;

	g_free((gpointer)file->path.xattrs);
	g_free(file->source);
	g_clear_pointer(&file->content, g_bytes_unref);
	g_free(file);
}

VarveTree *varve_tree_new(void)
{
	VarveTree *tree = g_new0(VarveTree, 1);

	tree->files = g_ptr_array_new_with_free_func(tree_file_free);
	tree->by_path = g_hash_table_new(g_str_hash, g_str_equal);
	tree->strings = g_string_chunk_new(1 << 16);
	tree->inodes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	tree->sorted = TRUE;
	return tree;
}

void varve_tree_free(VarveTree *tree)
{
	if (!tree)
		return;
	g_hash_table_unref(tree->inodes);
	g_hash_table_unref(tree->by_path);
	g_ptr_array_unref(tree->files);
	g_string_chunk_free(tree->strings);
	g_free(tree);
}

static VarveTreeFile *add_file(VarveTree *tree, const char *path)
{
	VarveTreeFile *file = g_new0(VarveTreeFile, 1);

	file->path.path = g_string_chunk_insert(tree->strings, path);
	file->path.target = file->path.label = file->path.package = "";
	g_ptr_array_add(tree->files, file);
	g_hash_table_insert(tree->by_path, (gpointer)file->path.path, file);
	tree->sorted = FALSE;
	return file;
}

static gint compare_files(gconstpointer a, gconstpointer b)
{
	const VarveTreeFile *const *left = a, *const *right = b;

	return strcmp((*left)->path.path, (*right)->path.path);
}

const GPtrArray *varve_tree_files(VarveTree *tree)
{
	if (!tree->sorted)
		g_ptr_array_sort(tree->files, compare_files);
	tree->sorted = TRUE;
	return tree->files;
}

VarveTreeFile *varve_tree_find(VarveTree *tree, const char *path)
{
	return g_hash_table_lookup(tree->by_path, path);
}

gboolean varve_tree_rename(VarveTree *tree, VarveTreeFile *file, const char *path, GError **error)
{
	if (varve_tree_find(tree, path))
		return varve_fail(error, VARVE_ERROR_CONFLICT,
				  "'/%s' cannot become '/%s': there is one already",
				  file->path.path, path);
	g_hash_table_remove(tree->by_path, file->path.path);
	file->path.path = g_string_chunk_insert(tree->strings, path);
	g_hash_table_insert(tree->by_path, (gpointer)file->path.path, file);
	tree->sorted = FALSE;
	return TRUE;
}

void varve_tree_drop(VarveTree *tree, VarveTreeFile *file)
{
	g_hash_table_remove(tree->by_path, file->path.path);
	g_ptr_array_remove(tree->files, file);
}

void varve_tree_set_package(VarveTree *tree, VarveTreeFile *file, const char *nevra)
{
	file->path.package = g_string_chunk_insert_const(tree->strings, nevra);
}

void varve_tree_add_parents(VarveTree *tree, const char *path)
{
	g_autofree char *parent = g_path_get_dirname(path);

	if (strcmp(parent, ".") != 0 && strcmp(parent, "/") != 0)
		varve_tree_add_directory(tree, parent);
}

void varve_tree_add_directory(VarveTree *tree, const char *path)
{
	VarveTreeFile *file;

	if (varve_tree_find(tree, path))
		return;
	varve_tree_add_parents(tree, path);
	file = add_file(tree, path);
	file->path.mode = S_IFDIR | 0755;
}

/* The file at @path as if it were new, its parents made. */
static VarveTreeFile *replace(VarveTree *tree, const char *path)
{
	VarveTreeFile *file = varve_tree_find(tree, path);

	if (file)
		varve_tree_drop(tree, file);
	varve_tree_add_parents(tree, path);
	return add_file(tree, path);
}

VarveTreeFile *varve_tree_add_content(VarveTree *tree, const char *path, mode_t mode,
				      GBytes *content)
{
	VarveTreeFile *file = replace(tree, path);

	file->path.mode = S_IFREG | mode;
	file->path.size = g_bytes_get_size(content);
	file->content = g_bytes_ref(content);
	varve_sha256(g_bytes_get_data(content, NULL), g_bytes_get_size(content),
		     &file->path.digest);
	return file;
}

VarveTreeFile *varve_tree_add_text(VarveTree *tree, const char *path, mode_t mode, const char *text)
{
	g_autoptr(GBytes) content = g_bytes_new(text, strlen(text));

	return varve_tree_add_content(tree, path, mode, content);
}

VarveTreeFile *varve_tree_add_file(VarveTree *tree, const char *path, mode_t mode,
				   const char *source, guint64 size)
{
	VarveTreeFile *file = replace(tree, path);

	file->path.mode = S_IFREG | mode;
	file->path.size = size;
	file->source = g_strdup(source);
	return file;
}

static void set_target(VarveTree *tree, VarveTreeFile *file, const char *target)
{
	file->path.target = g_string_chunk_insert(tree->strings, target);
	file->path.size = strlen(target);
	varve_sha256(target, strlen(target), &file->path.digest);
}

VarveTreeFile *varve_tree_add_link(VarveTree *tree, const char *path, const char *target)
{
	VarveTreeFile *file = replace(tree, path);

	file->path.mode = S_IFLNK | 0777;
	set_target(tree, file, target);
	return file;
}

/* Scanning */

typedef struct {
	VarveTree *tree;
	const char *root;
} Scan;

static gint compare_xattrs(gconstpointer a, gconstpointer b)
{
	return strcmp(((const VarveXattr *)a)->name, ((const VarveXattr *)b)->name);
}

/* @path is through /proc/self/fd so that links are not followed: l*xattr on the parent's fd. */
static gboolean read_xattrs(VarveTree *tree, const char *path, VarveTreeFile *file, GError **error)
{
	char names[4096], value[4096];
	ssize_t size = llistxattr(path, names, sizeof(names));
	g_autoptr(GArray) xattrs = NULL;

	if (size == 0 || (size < 0 && errno == ENOTSUP))
		return TRUE;
	if (size < 0)
		return varve_fail_errno(error, errno, "%s: cannot list its extended attributes",
					path);
	xattrs = g_array_new(FALSE, FALSE, sizeof(VarveXattr));
	for (const char *name = names; name < names + size; name += strlen(name) + 1) {
		ssize_t length = lgetxattr(path, name, value, sizeof(value));
		VarveXattr xattr = { 0 };

		if (length < 0)
			return varve_fail_errno(error, errno, "%s: cannot read '%s'", path, name);
		if (g_str_has_prefix(name, "trusted.overlay.") ||
		    g_str_has_prefix(name, "system.posix_acl") ||
		    strcmp(name, "security.selinux") == 0)
			continue;
		xattr.name = g_string_chunk_insert_const(tree->strings, name);
		xattr.value = g_string_chunk_insert_len(tree->strings, value, length);
		xattr.size = (size_t)length;
		g_array_append_val(xattrs, xattr);
	}
	if (!xattrs->len)
		return TRUE;
	g_array_sort(xattrs, compare_xattrs);
	file->path.n_xattrs = xattrs->len;
	file->path.xattrs = (const VarveXattr *)g_array_free(g_steal_pointer(&xattrs), FALSE);
	return TRUE;
}

static void note_hardlink(VarveTree *tree, VarveTreeFile *file, const struct stat *st)
{
	g_autofree char *key =
		g_strdup_printf("%ju:%ju", (uintmax_t)st->st_dev, (uintmax_t)st->st_ino);
	guint64 *number = g_hash_table_lookup(tree->inodes, key);

	if (!number) {
		number = g_new(guint64, 1);
		*number = ++tree->last_hardlink;
		g_hash_table_insert(tree->inodes, g_steal_pointer(&key), number);
	}
	file->path.hardlink = *number;
}

/* Adds the one path, which fstatat() described; the caller goes below directories. */
static gboolean scan_one(const Scan *scan, const char *path, const struct stat *st, GError **error)
{
	g_autofree char *full = g_build_filename(scan->root, path, NULL);
	VarveTreeFile *file = varve_tree_find(scan->tree, path);

	if (!file)
		file = add_file(scan->tree, path);
	file->path.mode = st->st_mode;
	file->path.uid = st->st_uid;
	file->path.gid = st->st_gid;
	if (S_ISLNK(st->st_mode)) {
		g_autofree char *target = g_file_read_link(full, NULL);

		if (!target)
			return varve_fail_errno(error, errno, "%s: cannot read the link", full);
		set_target(scan->tree, file, target);
	} else if (S_ISREG(st->st_mode)) {
		file->path.size = (guint64)st->st_size;
		file->source = g_strdup(full);
		if (st->st_nlink > 1)
			note_hardlink(scan->tree, file, st);
	} else if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		file->path.device = st->st_rdev;
	}
	return read_xattrs(scan->tree, full, file, error);
}

static gboolean scan_below(const Scan *scan, int parent, const char *name, const char *path,
			   GError **error)
{
	varve_autofd fd = varve_dir_open(parent, name, error);
	g_auto(GStrv) names = NULL;

	if (fd < 0 || !varve_dir_list(fd, ".", &names, error))
		return g_prefix_error(error, "%s/%s: ", scan->root, path), FALSE;
	for (char **entry = names; *entry; entry++) {
		g_autofree char *child =
			*path ? g_strconcat(path, "/", *entry, NULL) : g_strdup(*entry);
		struct stat st;

		if (fstatat(fd, *entry, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return varve_fail_errno(error, errno, "%s/%s: cannot stat", scan->root,
						child);
		if (S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode))
			continue;
		if (!scan_one(scan, child, &st, error) ||
		    (S_ISDIR(st.st_mode) && !scan_below(scan, fd, *entry, child, error)))
			return FALSE;
	}
	return TRUE;
}

gboolean varve_tree_scan(VarveTree *tree, const char *root, GError **error)
{
	const Scan scan = { tree, root };
	VarveTreeFile *top = varve_tree_find(tree, "");

	if (!top)
		top = add_file(tree, "");
	top->path.mode = S_IFDIR | 0755;
	return scan_below(&scan, AT_FDCWD, root, "", error);
}

/* Labels */

typedef struct {
	const GPtrArray *files;
	const VarveLabels *labels;
	char **found; /* one a file */
} Labelling;

static gboolean find_label(gsize index, gpointer data, GError **error)
{
	const Labelling *labelling = data;
	const VarveTreeFile *file = g_ptr_array_index(labelling->files, index);
	g_autofree char *absolute = g_strconcat("/", file->path.path, NULL);

	(void)error;
	if (!*file->path.label)
		labelling->found[index] =
			varve_labels_find(labelling->labels, absolute, file->path.mode);
	return TRUE;
}

void varve_tree_label(VarveTree *tree, const VarveLabels *labels)
{
	const GPtrArray *files = varve_tree_files(tree);
	g_autoptr(GHashTable) inodes = g_hash_table_new(g_int64_hash, g_int64_equal);
	g_autofree char **found = g_new0(char *, files->len);
	Labelling labelling = { files, labels, found };

	if (!labels)
		return;
	varve_parallel(files->len, 0, find_label, &labelling, NULL);
	for (guint i = 0; i < files->len; i++) {
		VarveTreeFile *file = g_ptr_array_index(files, i);
		const char *first = file->path.hardlink
					    ? g_hash_table_lookup(inodes, &file->path.hardlink)
					    : NULL;

		/* An inode has one label, whatever its names are: that of the first. */
		if (first)
			file->path.label = first;
		else if (found[i])
			file->path.label = g_string_chunk_insert_const(tree->strings, found[i]);
		if (file->path.hardlink && !first)
			g_hash_table_insert(inodes, &file->path.hardlink,
					    (gpointer)file->path.label);
		g_free(found[i]);
	}
}

/* Digests */

static gboolean digest_one(gsize index, gpointer data, GError **error)
{
	const GPtrArray *files = data;
	VarveTreeFile *file = g_ptr_array_index(files, index);
	varve_autofd fd = -1;
	guint64 size;

	if (!file->source)
		return TRUE;
	fd = open(file->source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return varve_fail_errno(error, errno, "%s: cannot open", file->source);
	if (!varve_sha256_fd(fd, &file->path.digest, &size, error))
		return FALSE;
	if (size != file->path.size)
		return varve_fail(error, VARVE_ERROR_BUSY, "%s: changed while it was read",
				  file->source);
	return TRUE;
}

gboolean varve_tree_digest(VarveTree *tree, GError **error)
{
	const GPtrArray *files = varve_tree_files(tree);

	return varve_parallel(files->len, 0, digest_one, (gpointer)files, error);
}

guint64 varve_tree_size(VarveTree *tree)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);
	guint64 sum = 0;

	for (guint i = 0; i < tree->files->len; i++) {
		VarveTreeFile *file = g_ptr_array_index(tree->files, i);

		if (!S_ISREG(file->path.mode) ||
		    (file->path.hardlink && !g_hash_table_add(seen, &file->path.hardlink)))
			continue;
		sum += file->path.size;
	}
	return sum;
}

GBytes *varve_tree_path_table(VarveTree *tree, GError **error)
{
	const GPtrArray *files = varve_tree_files(tree);
	g_autoptr(GPtrArray) paths = g_ptr_array_sized_new(files->len);

	for (guint i = 0; i < files->len; i++)
		g_ptr_array_add(paths, &((VarveTreeFile *)g_ptr_array_index(files, i))->path);
	return varve_path_table_write(paths, error);
}
