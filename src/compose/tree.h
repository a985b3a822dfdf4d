/* The files of a layer between the staged root and the image: what metadata each path will have and
 * where its bytes are. Modes and owners reach the image from here, not from a copy on disk. */
#pragma once

#include "device/labels.h"
#include "format/path-table.h"

#include <glib.h>

/** One path on its way into the layer; owned by the tree. */
typedef struct {
	VarvePath path; /* path.path is what it will be called; strings belong to the tree */
	char *source; /* host path of the bytes (regular files), or NULL where @content has them */
	GBytes *content;
} VarveTreeFile;

typedef struct VarveTree VarveTree;

VarveTree *varve_tree_new(void);
void varve_tree_free(VarveTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveTree, varve_tree_free)

/**
 * varve_tree_scan:
 * Adds everything below the directory @root: modes, owners, links, xattrs (without
 * trusted.overlay.* and security.selinux: labels there are the build machine's). Sockets and fifos
 * are left out. Digests are not taken yet.
 */
gboolean varve_tree_scan(VarveTree *tree, const char *root, GError **error);

/** varve_tree_files: (borrowed) VarveTreeFile *, sorted by path. */
const GPtrArray *varve_tree_files(VarveTree *tree);

/** varve_tree_find: (borrowed, nullable) the file that is called @path ("usr/bin/sh"). */
VarveTreeFile *varve_tree_find(VarveTree *tree, const char *path);

/** varve_tree_rename: gives @file another path; a file there already is a CONFLICT. */
gboolean varve_tree_rename(VarveTree *tree, VarveTreeFile *file, const char *path, GError **error);

/** varve_tree_drop: takes @file out (not what is below it) and frees it. */
void varve_tree_drop(VarveTree *tree, VarveTreeFile *file);

/** varve_tree_set_package: whom the path table says brought the file. */
void varve_tree_set_package(VarveTree *tree, VarveTreeFile *file, const char *nevra);

/** varve_tree_add_parents: makes the directories above @path that are missing, 0755 root. */
void varve_tree_add_parents(VarveTree *tree, const char *path);
/** varve_tree_add_directory: makes @path and its parents where they are missing, 0755 root. */
void varve_tree_add_directory(VarveTree *tree, const char *path);
/** varve_tree_add_content: adds or replaces a regular file, root-owned; parents are made. */
VarveTreeFile *varve_tree_add_content(VarveTree *tree, const char *path, mode_t mode,
				      GBytes *content);
/** varve_tree_add_text: the same with a copy of @text. */
VarveTreeFile *varve_tree_add_text(VarveTree *tree, const char *path, mode_t mode,
				   const char *text);
/** varve_tree_add_file: the same whose @size bytes are in the host's file @source. */
VarveTreeFile *varve_tree_add_file(VarveTree *tree, const char *path, mode_t mode,
				   const char *source, guint64 size);
/** varve_tree_add_link: adds or replaces a symbolic link; parents are made. */
VarveTreeFile *varve_tree_add_link(VarveTree *tree, const char *path, const char *target);

/** varve_tree_label: gives every path that has no label the one that it should have; a NULL @labels
 *  gives none. */
void varve_tree_label(VarveTree *tree, const VarveLabels *labels);

/** varve_tree_digest: takes the digest of every regular file that has none, on all cores. */
gboolean varve_tree_digest(VarveTree *tree, GError **error);

/** varve_tree_size: sum of the sizes of regular files, hard links once. */
guint64 varve_tree_size(VarveTree *tree);

/** varve_tree_path_table: (caller unrefs) the path table of all there is now; after digest. */
GBytes *varve_tree_path_table(VarveTree *tree, GError **error);

/**
 * varve_tree_write_tar:
 * Writes the tree as a pax archive to @fd (not seekable, not closed): sorted, every time @epoch,
 * numeric owners, xattrs as SCHILY.xattr.
 */
gboolean varve_tree_write_tar(VarveTree *tree, int fd, gint64 epoch, GError **error);
