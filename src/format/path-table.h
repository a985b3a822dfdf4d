/* The path table of a layer: usr/lib/varve/layers/NAME.paths. Every path of the layer but the
 * manifest and the table itself, sorted by bytes, in a binary form that is searched in place:
 * a lookup reads O(log n) records, never the whole. docs/formats.md describes the bytes. */
#pragma once

#include "base/digest.h"

#include <glib.h>
#include <sys/types.h>

typedef struct {
	const char *name;
	const void *value;
	size_t size;
} VarveXattr;

typedef struct {
	const char *path; /* relative to the root, no leading slash; "" is the root itself */
	mode_t mode;      /* type and permission bits */
	uid_t uid;
	gid_t gid;
	guint64 size;        /* regular files: bytes; links: length of the target */
	guint64 device;      /* device nodes: makedev(); else 0 */
	VarveDigest digest;  /* regular files: of the content; links: of the target; else zero */
	const char *target;  /* symbolic links; else "" */
	const char *label;   /* SELinux context, "" where the layer is not labelled */
	const char *package; /* NEVRA of the package that brought it, "" for generated ones */
	const VarveXattr *xattrs; /* sorted by name, without security.selinux */
	size_t n_xattrs;
	guint64 hardlink; /* 0, or the same number for all names of one inode */
} VarvePath;

/**
 * varve_path_table_write:
 * @paths: VarvePath *, in any order; duplicates are a CONFLICT, what contradicts itself (a link
 * without target, unsorted xattrs, a path that is not canonical) CORRUPT.
 * Returns: the file's bytes; the same paths give the same bytes.
 */
GBytes *varve_path_table_write(const GPtrArray *paths, GError **error);

typedef struct VarvePathTable VarvePathTable;

/**
 * varve_path_table_open:
 * Takes the bytes of a table (kept alive). Header and offsets are checked here, a record when it
 * is read: hostile bytes give CORRUPT, never a fault.
 */
VarvePathTable *varve_path_table_open(GBytes *bytes, const char *name, GError **error);

/**
 * varve_path_table_map:
 * The same for the table in the file behind @fd (borrowed), which is mapped and read where it is
 * looked at, so that a lookup costs the same in a table of any size. A page that cannot be read (a
 * block that is not what was signed) is CORRUPT when it is reached, never a signal. One thread at a
 * time uses the result.
 *
 * Errors: CORRUPT, SYSTEM.
 */
VarvePathTable *varve_path_table_map(int fd, const char *name, GError **error);
void varve_path_table_free(VarvePathTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarvePathTable, varve_path_table_free)

gsize varve_path_table_count(const VarvePathTable *table);
/** varve_path_table_get: record @index; strings and xattrs are borrowed from @table.
 *  Errors: CORRUPT, NOT_FOUND (@index is past the end). */
gboolean varve_path_table_get(const VarvePathTable *table, gsize index, VarvePath *ret_path,
			      GError **error);
/** varve_path_table_seek: the first record whose path is not before @path; the count where there is
 *  none: where a lookup, or a walk through what is below a directory, begins. */
gboolean varve_path_table_seek(const VarvePathTable *table, const char *path, gsize *ret_index,
			       GError **error);
/** varve_path_table_find: NOT_FOUND where the layer does not have @path. */
gboolean varve_path_table_find(const VarvePathTable *table, const char *path, gsize *ret_index,
			       GError **error);
