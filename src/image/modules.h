/* Kernel modules of a tree: what a module needs, by the files that depmod writes (modules.dep,
 * modules.softdep, modules.builtin, modules.alias; kmod), and their unpacked bytes. */
#pragma once

#include <glib.h>

typedef struct VarveModules VarveModules;

/**
 * varve_modules_open:
 * @tree: an fd of the tree (varve_tree_open), borrowed.
 *
 * Errors: NOT_FOUND (no modules of @version, or depmod was not run), CORRUPT.
 */
VarveModules *varve_modules_open(int tree, const char *version, GError **error);
void varve_modules_free(VarveModules *modules);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveModules, varve_modules_free)

/**
 * varve_modules_require:
 * Puts @name ('-' and '_' are the same; an alias is taken for all modules that have it) after all
 * that it depends on, hard and, where the kernel has it, soft. What is built in needs nothing.
 *
 * Errors: NOT_FOUND (the kernel has no such module), CORRUPT (modules.dep names what is not in
 * it, or goes in circles).
 */
gboolean varve_modules_require(VarveModules *modules, const char *name, GError **error);

/** varve_modules_order: (borrowed, char *) paths in the tree as required so far, in load order. */
const GPtrArray *varve_modules_order(const VarveModules *modules);

/**
 * varve_module_read:
 * The bytes of the module @path, unpacked from xz, zstd or gzip where its suffix says so.
 *
 * @ret_path: (caller frees) @path without the suffix of the compression.
 * Returns: (caller unrefs) or NULL: NOT_FOUND, CORRUPT (damaged, or no ELF file), SYSTEM.
 */
GBytes *varve_module_read(int tree, const char *path, char **ret_path, GError **error);
