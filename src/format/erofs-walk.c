/* EROFS: lookups, and the walk over a whole tree: its shape by one thread, its digests by all. */
#include "format/erofs-internal.h"

#include "base/parallel.h"
#include "crypt/sha256.h"
#include "format/bytes.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define DEPTH_MAX 256
/* What an image may make us do, beyond what its own size explains: files may share chunks and have
 * holes, inodes may share xattrs. */
#define DIGEST_FREE (UINT64_C(16) << 30)
#define DIGEST_FACTOR 64
#define XATTRS_MAX (UINT64_C(256) << 20)
#define DIRENT_SIZE 12

typedef struct {
	VarvePath path;
	ErofsInode inode;
	char *name;
	char *target;
	char *label;
	VarveXattr *xattrs;
	gsize first; /* the index of the first name of the same inode: itself mostly */
} Node;

typedef struct {
	VarveErofs *erofs;
	GPtrArray *nodes;
	GHashTable *directories; /* numbers of the inodes that were entered */
	GHashTable *files;       /* number of the inode → index of its first name + 1 */
	guint64 names, xattr_bytes, file_bytes;
} Walk;

static void node_free(gpointer data)
{
	Node *node = data;

	g_free(node->name);
	g_free(node->target);
	g_free(node->label);
	g_free(node->xattrs);
	g_free(node);
}

static guint8 type_of_mode(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return 1;
	case S_IFDIR:
		return 2;
	case S_IFCHR:
		return 3;
	case S_IFBLK:
		return 4;
	case S_IFIFO:
		return 5;
	case S_IFSOCK:
		return 6;
	default:
		return 7;
	}
}

/* An on-disk device number is Linux's 32-bit one (new_encode_dev()). */
static guint64 decode_device(guint32 device)
{
	return makedev((device & 0xfff00) >> 8, (device & 0xff) | ((device >> 12) & 0xfff00));
}

static gboolean fail_path(const VarveErofs *erofs, const char *path, GError **error,
			  const char *what)
{
	return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: EROFS: '/%s': %s", erofs->name, path,
			  what);
}

/* Reads the inode that @entry names, and compares what the entry says of it. */
static gboolean open_entry(VarveErofs *erofs, const char *path, const ErofsEntry *entry,
			   ErofsInode *ret, GError **error)
{
	if (!varve_erofs_inode(erofs, entry->nid, ret, error))
		return FALSE;
	if (entry->type != type_of_mode(ret->mode))
		return fail_path(erofs, path, error,
				 "its directory says another type than its inode");
	return TRUE;
}

static gboolean read_target(const VarveErofs *erofs, Node *node, GError **error)
{
	gsize size = (gsize)node->inode.size;

	node->target = g_malloc0(size + 1);
	if (!varve_erofs_read_data(erofs, &node->inode, 0, node->target, size, error))
		return FALSE;
	if (strlen(node->target) != size)
		return fail_path(erofs, node->name, error, "a symbolic link with a NUL in it");
	varve_sha256(node->target, size, &node->path.digest);
	return TRUE;
}

/* Takes security.selinux out of the xattrs: a label is a field of its own. */
static gboolean take_label(const VarveErofs *erofs, Node *node, GError **error)
{
	for (size_t i = 0; i < node->path.n_xattrs; i++) {
		VarveXattr *xattr = &node->xattrs[i];
		size_t size = xattr->size;

		if (strcmp(xattr->name, "security.selinux") != 0)
			continue;
		/* Stored with or without its final NUL, by who wrote it. */
		if (size > 0 && ((const char *)xattr->value)[size - 1] == '\0')
			size--;
		if (size == 0 || memchr(xattr->value, '\0', size))
			return fail_path(erofs, node->name, error,
					 "an SELinux label that is empty or has a NUL");
		node->label = g_strndup(xattr->value, size);
		node->path.n_xattrs--;
		memmove(xattr, xattr + 1, (node->path.n_xattrs - i) * sizeof(*xattr));
		return TRUE;
	}
	return TRUE;
}

static gboolean fill_node(Walk *walk, Node *node, GError **error)
{
	VarvePath *path = &node->path;
	const ErofsInode *inode = &node->inode;

	if (!varve_erofs_read_xattrs(walk->erofs, inode, &node->xattrs, &path->n_xattrs, error))
		return FALSE;
	for (size_t i = 0; i < path->n_xattrs; i++)
		walk->xattr_bytes += node->xattrs[i].size + strlen(node->xattrs[i].name);
	if (walk->xattr_bytes > XATTRS_MAX)
		return fail_path(walk->erofs, node->name, error,
				 "with its xattrs the image has more than 256 MiB of them");
	if (!take_label(walk->erofs, node, error))
		return FALSE;
	path->path = node->name;
	path->mode = inode->mode;
	path->uid = inode->uid;
	path->gid = inode->gid;
	path->label = node->label ?: "";
	path->package = "";
	path->target = "";
	path->xattrs = node->xattrs;
	if (S_ISREG(inode->mode) || S_ISLNK(inode->mode))
		path->size = inode->size;
	if (S_ISCHR(inode->mode) || S_ISBLK(inode->mode))
		path->device = decode_device(inode->data);
	if (!S_ISLNK(inode->mode))
		return TRUE;
	if (!read_target(walk->erofs, node, error))
		return FALSE;
	path->target = node->target;
	return TRUE;
}

/* Names of one inode get one number, the place of the first of them. */
static gboolean note_inode(Walk *walk, Node *node, GError **error)
{
	gpointer seen = g_hash_table_lookup(walk->files, &node->inode.nid);
	Node *first;

	node->first = walk->nodes->len - 1;
	if (!seen) {
		g_hash_table_insert(walk->files, &node->inode.nid,
				    GSIZE_TO_POINTER(walk->nodes->len));
		if (S_ISREG(node->inode.mode) &&
		    __builtin_add_overflow(walk->file_bytes, node->inode.size, &walk->file_bytes))
			return fail_path(walk->erofs, node->name, error, "its size is absurd");
		return TRUE;
	}
	node->first = GPOINTER_TO_SIZE(seen) - 1;
	first = g_ptr_array_index(walk->nodes, node->first);
	if (node->inode.nlink < 2)
		return fail_path(walk->erofs, node->name, error,
				 "a second name of an inode that says it has one");
	first->path.hardlink = node->path.hardlink = node->first + 1;
	return TRUE;
}

static Node *add_node(Walk *walk, const char *name, const ErofsInode *inode, GError **error)
{
	Node *node = g_new0(Node, 1);

	node->name = g_strdup(name);
	node->inode = *inode;
	g_ptr_array_add(walk->nodes, node);
	return fill_node(walk, node, error) ? node : NULL;
}

static gboolean walk_dir(Walk *walk, const char *path, const ErofsInode *dir, guint64 parent,
			 guint depth, GError **error)
{
	g_autoptr(GArray) entries = NULL;
	guint64 *key;

	if (depth > DEPTH_MAX)
		return fail_path(walk->erofs, path, error, "more than 256 directories deep");
	key = g_memdup2(&dir->nid, sizeof(dir->nid));
	if (!g_hash_table_add(walk->directories, key))
		return fail_path(walk->erofs, path, error,
				 "a directory that is in two places, or in itself");
	entries = varve_erofs_read_dir(walk->erofs, dir, parent, error);
	if (!entries)
		return FALSE;
	walk->names += entries->len + 2;
	if (walk->names > walk->erofs->size / DIRENT_SIZE)
		return fail_path(
			walk->erofs, path, error,
			"more names than the image has room for: directories share blocks");
	for (guint i = 0; i < entries->len; i++) {
		const ErofsEntry *entry = &g_array_index(entries, ErofsEntry, i);
		g_autofree char *name =
			*path ? g_strconcat(path, "/", entry->name, NULL) : g_strdup(entry->name);
		ErofsInode inode;
		Node *node;

		if (strlen(name) >= PATH_MAX)
			return fail_path(walk->erofs, path, error,
					 "a path of more than 4095 bytes");
		if (!open_entry(walk->erofs, name, entry, &inode, error))
			return FALSE;
		node = add_node(walk, name, &inode, error);
		if (!node || (!S_ISDIR(inode.mode) && !note_inode(walk, node, error)))
			return FALSE;
		if (S_ISDIR(inode.mode) &&
		    !walk_dir(walk, name, &inode, dir->nid, depth + 1, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean digest_node(gsize index, gpointer data, GError **error)
{
	const Walk *walk = data;
	Node *node = g_ptr_array_index(walk->nodes, index);
	const size_t chunk = 256 * 1024;
	g_autoptr(VarveSha256) state = NULL;
	g_autofree char *buffer = NULL;

	if (!S_ISREG(node->inode.mode) || node->first != index)
		return TRUE;
	state = varve_sha256_new();
	buffer = g_malloc((gsize)MIN(chunk, node->inode.size) + 1);
	for (guint64 at = 0; at < node->inode.size; at += chunk) {
		size_t n = (size_t)MIN(chunk, node->inode.size - at);

		if (!varve_erofs_read_data(walk->erofs, &node->inode, at, buffer, n, error))
			return FALSE;
		varve_sha256_update(state, buffer, n);
	}
	varve_sha256_finish(state, &node->path.digest);
	return TRUE;
}

static gboolean digest_all(Walk *walk, GError **error)
{
	guint64 limit = MAX(DIGEST_FREE, walk->erofs->size * DIGEST_FACTOR);

	if (walk->file_bytes > limit)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: EROFS: its files say that they have %" G_GUINT64_FORMAT
				  " bytes, the image has %" G_GUINT64_FORMAT,
				  walk->erofs->name, walk->file_bytes, walk->erofs->size);
	if (!varve_parallel(walk->nodes->len, 0, digest_node, walk, error))
		return FALSE;
	for (guint i = 0; i < walk->nodes->len; i++) {
		Node *node = g_ptr_array_index(walk->nodes, i);

		if (S_ISREG(node->inode.mode) && node->first != i)
			node->path.digest =
				((Node *)g_ptr_array_index(walk->nodes, node->first))->path.digest;
	}
	return TRUE;
}

static void walk_clear(Walk *walk)
{
	g_ptr_array_unref(walk->nodes);
	g_hash_table_unref(walk->directories);
	g_hash_table_unref(walk->files);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Walk, walk_clear)

static gboolean collect(Walk *walk, GError **error)
{
	VarveErofs *erofs = walk->erofs;
	ErofsInode root;

	walk->nodes = g_ptr_array_new_with_free_func(node_free);
	walk->directories = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	walk->files = g_hash_table_new(g_int64_hash, g_int64_equal);
	if (!varve_erofs_inode(erofs, erofs->root_nid, &root, error))
		return FALSE;
	if (!S_ISDIR(root.mode))
		return fail_path(erofs, "", error, "the root is not a directory");
	return add_node(walk, "", &root, error) && walk_dir(walk, "", &root, root.nid, 0, error);
}

gboolean varve_erofs_walk(VarveErofs *erofs, gboolean digests, VarveErofsVisit visit, gpointer data,
			  GError **error)
{
	g_auto(Walk) walk = { .erofs = erofs };

	if (!collect(&walk, error) || (digests && !digest_all(&walk, error)))
		return FALSE;
	for (guint i = 0; i < walk.nodes->len; i++) {
		Node *node = g_ptr_array_index(walk.nodes, i);

		if (!digests)
			memset(&node->path.digest, 0, sizeof(node->path.digest));
		if (!visit(&node->path, data, error))
			return FALSE;
	}
	return TRUE;
}

char *varve_erofs_find_block(VarveErofs *erofs, guint64 block)
{
	g_auto(Walk) walk = { .erofs = erofs };

	/* Files of a sound image do not share their tables of chunks, of 4 bytes each at least. */
	guint64 lookups = erofs->size / 4;

	/* What can still be read of a damaged image is enough for a message. */
	collect(&walk, NULL);
	for (guint i = 0; i < walk.nodes->len; i++) {
		Node *node = g_ptr_array_index(walk.nodes, i);

		if (!S_ISDIR(node->inode.mode) && node->first != i)
			continue;
		if (varve_erofs_inode_has_block(erofs, &node->inode, block, &lookups))
			return g_strconcat("/", node->name, NULL);
	}
	return NULL;
}

/* Follows @path from the root; no links. */
static gboolean look_up(VarveErofs *erofs, const char *path, ErofsInode *ret, guint64 *ret_parent,
			GError **error)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	guint64 parent = erofs->root_nid;
	ErofsInode inode;

	if (!varve_erofs_inode(erofs, erofs->root_nid, &inode, error))
		return FALSE;
	for (size_t i = 0; *path && parts[i]; i++) {
		g_autoptr(GArray) entries = varve_erofs_read_dir(erofs, &inode, parent, error);
		const ErofsEntry *found = NULL;

		if (!entries)
			return FALSE;
		for (guint e = 0; e < entries->len && !found; e++) {
			if (strcmp(g_array_index(entries, ErofsEntry, e).name, parts[i]) == 0)
				found = &g_array_index(entries, ErofsEntry, e);
		}
		if (!found)
			return varve_fail(error, VARVE_ERROR_NOT_FOUND, "%s: it has no '/%s'",
					  erofs->name, path);
		parent = inode.nid;
		if (!open_entry(erofs, path, found, &inode, error))
			return FALSE;
		if (parts[i + 1] && !S_ISDIR(inode.mode))
			return varve_fail(error, VARVE_ERROR_NOT_FOUND,
					  "%s: it has no '/%s': '%s' is not a directory",
					  erofs->name, path, parts[i]);
	}
	*ret = inode;
	*ret_parent = parent;
	return TRUE;
}

gboolean varve_erofs_read_file(VarveErofs *erofs, const char *path, size_t limit, char **ret_data,
			       size_t *ret_size, GError **error)
{
	g_autofree char *data = NULL;
	ErofsInode inode;
	guint64 parent;

	if (!look_up(erofs, path, &inode, &parent, error))
		return FALSE;
	if (!S_ISREG(inode.mode))
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: '/%s' is not a regular file",
				  erofs->name, path);
	if (inode.size > limit)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: '/%s' has %" G_GUINT64_FORMAT " bytes, at most %zu are "
				  "expected",
				  erofs->name, path, inode.size, limit);
	data = g_malloc((gsize)inode.size + 1);
	if (!varve_erofs_read_data(erofs, &inode, 0, data, (size_t)inode.size, error))
		return FALSE;
	data[inode.size] = '\0';
	*ret_data = g_steal_pointer(&data);
	if (ret_size)
		*ret_size = (size_t)inode.size;
	return TRUE;
}

gboolean varve_erofs_list(VarveErofs *erofs, const char *path, char ***ret_names, GError **error)
{
	g_autoptr(GStrvBuilder) names = g_strv_builder_new();
	g_autoptr(GArray) entries = NULL;
	ErofsInode inode;
	guint64 parent;

	if (!look_up(erofs, path, &inode, &parent, error))
		return FALSE;
	if (!S_ISDIR(inode.mode))
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: '/%s' is not a directory",
				  erofs->name, path);
	entries = varve_erofs_read_dir(erofs, &inode, parent, error);
	if (!entries)
		return FALSE;
	for (guint i = 0; i < entries->len; i++)
		g_strv_builder_add(names, g_array_index(entries, ErofsEntry, i).name);
	*ret_names = g_strv_builder_end(names);
	return TRUE;
}
