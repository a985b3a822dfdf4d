/* Kernel modules of a tree: what a module needs, by the files that depmod writes (modules.dep,
 * modules.softdep, modules.builtin, modules.alias; kmod), and their unpacked bytes. */
#pragma once

#include <glib.h>

typedef struct VarveModuleIndex VarveModuleIndex;

/**
 * varve_module_index_open:
 * @tree: an fd of the tree (varve_base_tree_open), borrowed.
 *
 * Errors: NOT_FOUND (no modules of @version, or depmod was not run), CORRUPT.
 */
VarveModuleIndex *varve_module_index_open(int tree, const char *version, GError **error);
void varve_module_index_free(VarveModuleIndex *modules);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveModuleIndex, varve_module_index_free)

/**
 * varve_module_index_require:
 * Puts @name ('-' and '_' are the same; an alias is taken for all modules that have it) after all
 * that it depends on, hard and, where the kernel has it, soft. What is built in needs nothing.
 *
 * Errors: NOT_FOUND (the kernel has no such module), CORRUPT (modules.dep names what is not in
 * it, or goes in circles).
 */
gboolean varve_module_index_require(VarveModuleIndex *modules, const char *name, GError **error);

/** varve_module_index_order: (borrowed, char *) paths in the tree as required so far, in load
 * order. */
const GPtrArray *varve_module_index_order(const VarveModuleIndex *modules);

/**
 * varve_module_read:
 * The bytes of the module @path, unpacked from xz, zstd or gzip where its suffix says so.
 *
 * @ret_path: (caller frees) @path without the suffix of the compression.
 * Returns: (caller unrefs) or NULL: NOT_FOUND, CORRUPT (damaged, or no ELF file), SYSTEM.
 */
GBytes *varve_module_read(int tree, const char *path, char **ret_path, GError **error);
