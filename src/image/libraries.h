/* The shared libraries that programs need, found in a tree as the dynamic linker (ld.so(8)) would
 * find them at run time: run paths, ld.so.conf, the default directories. */
#pragma once

#include "format/partition-types.h"

#include <glib.h>

/** One library, or the loader itself. Owned by the set. */
typedef struct {
	char *path; /* in the tree, without links */
	GBytes *bytes;
	GPtrArray *names; /* char *: other paths (directories without links) that lead to it */
} VarveLibrary;

typedef struct VarveLibraries VarveLibraries;

/** varve_libraries_new: @tree is borrowed and must outlive the result. */
VarveLibraries *varve_libraries_new(int tree, const VarveArch *arch, GError **error);
void varve_libraries_free(VarveLibraries *libraries);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveLibraries, varve_libraries_free)

/**
 * varve_libraries_require:
 * Adds all that the ELF file @bytes needs, and all that those need.
 *
 * @path: where it will lie in the tree ("usr/bin/varvectl"): $ORIGIN, and for messages.
 *
 * Errors: NOT_FOUND (names the library and who needs it), CORRUPT (no ELF file, or one of another
 * architecture), UNSUPPORTED (more than 1,000 libraries), SYSTEM.
 */
gboolean varve_libraries_require(VarveLibraries *libraries, const char *path, GBytes *bytes,
				 GError **error);

/** varve_libraries_list: (caller unrefs, elements borrowed) VarveLibrary *, sorted by path. */
GPtrArray *varve_libraries_list(const VarveLibraries *libraries);

/** varve_libraries_need_cache: whether one was found only because ld.so.conf names its directory:
 *  then etc/ld.so.cache must be beside them. */
gboolean varve_libraries_need_cache(const VarveLibraries *libraries);
