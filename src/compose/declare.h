/* What a layer's definition adds to its packages, put into the staged root: directories, files,
 * links, modes, users and groups, units, sysctl settings. */
#pragma once

#include "compose/inputs.h"
#include "definition/definition.h"

/**
 * varve_declare_inputs: adds everything of @layer that ends up in its root to @inputs, the bytes
 * of `source` files too.
 */
gboolean varve_declare_inputs(VarveInputs *inputs, const VarveLayerDefinition *layer,
			      GError **error);

/**
 * varve_declare_entries:
 * Makes the entries of @layer below @root, in their order. Links inside @root are followed inside
 * @root only. Missing parents are made, 0755 root.
 *
 * @lower: (nullable) the base's root, for an extension: a `modes` entry may not name a file that
 * only the base has.
 * Errors: name the entry's place in the definition. NOT_FOUND (a `modes` entry for a path that no
 * package brought, a user or group without a number).
 */
gboolean varve_declare_entries(const char *root, const char *lower,
			       const VarveLayerDefinition *layer, GError **error);

/** (caller frees) an extension's users and groups as sysusers.d lines; "" where it has none. */
char *varve_declare_sysusers(const VarveLayerDefinition *layer);
/** (caller frees) the layer's units as a preset file: enable, then disable. */
char *varve_declare_preset(const VarveLayerDefinition *layer);
/** (caller frees) the settings as a sysctl.d file; "" where there are none. */
char *varve_declare_sysctl(const VarveLayerDefinition *layer);

/**
 * varve_declare_ids:
 * Names to numbers for varve_install(): those of @layer, then of the accounts in @passwd_root's
 * etc/passwd and etc/group (nullable).
 *
 * @ret_users, @ret_groups: (caller unrefs) char * → GUINT_TO_POINTER(id).
 */
gboolean varve_declare_ids(const VarveLayerDefinition *layer, const char *passwd_root,
			   GHashTable **ret_users, GHashTable **ret_groups, GError **error);
