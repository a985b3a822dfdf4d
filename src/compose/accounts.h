/* passwd, group, shadow and gshadow of a staged root: reading ids, adding what the definition
 * declares. */
#pragma once

#include "definition/definition.h"

/**
 * varve_accounts_read_ids:
 * @file: "etc/passwd" or "etc/group"; a missing file has no ids.
 * @ret_ids: (caller unrefs) char * → GUINT_TO_POINTER(third field).
 * Errors: CORRUPT, with the line.
 */
gboolean varve_accounts_read_ids(const char *root, const char *file, GHashTable **ret_ids,
				 GError **error);

/**
 * varve_accounts_add:
 * Adds @layer's groups and users to the four files of @root, in the order of the definition; an
 * account that is there with the same number is left as it is. shadow and gshadow are readable by
 * the group "shadow" where there is one.
 *
 * Errors: CONFLICT: the name or number is taken by another; names both and the origin.
 */
gboolean varve_accounts_add(const char *root, const VarveLayerDefinition *layer, GError **error);

/**
 * varve_accounts_check:
 * Whether every account of @root is one of @before (ids before sysusers ran): what a package's
 * sysusers.d made up by itself would have another number on another day.
 *
 * Errors: CONFLICT, listing the accounts and what to declare.
 */
gboolean varve_accounts_check(const char *root, GHashTable *users_before, GHashTable *groups_before,
			      const VarveLayerDefinition *layer, GError **error);
