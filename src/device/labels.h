/* The SELinux labels that paths should have, by the file contexts of a policy (libselinux,
 * selabel_file(5)). Asked while layers are built, and on the node by the rules about labels and
 * before a policy is loaded: nothing here needs SELinux to be at work. */
#pragma once

#include <glib.h>
#include <sys/types.h>

typedef struct VarveLabels VarveLabels;

/**
 * varve_labels_open:
 * Reads the file contexts of the policy that etc/selinux/config of @root names, with what the
 * distribution and the node substitute, add and say of homes.
 *
 * @ret: (caller frees) NULL where @root has no SELinux policy.
 *
 * Errors: CORRUPT (a configuration that names no policy, contexts that cannot be read), SYSTEM.
 */
gboolean varve_labels_open(const char *root, VarveLabels **ret, GError **error);
void varve_labels_free(VarveLabels *labels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveLabels, varve_labels_free)

/**
 * varve_labels_find:
 * The label of @path (absolute) as a file of the type in @mode. Where the policy says nothing
 * ("<<none>>", as below /proc) it is the nearest parent's. May be called by several threads.
 *
 * Returns: (caller frees) or NULL: the policy has no label even for the root.
 */
char *varve_labels_find(const VarveLabels *labels, const char *path, mode_t mode);

/** varve_labels_type: (caller frees) "bin_t" of "system_u:object_r:bin_t:s0"; "" of no label. */
char *varve_labels_type(const char *label);
