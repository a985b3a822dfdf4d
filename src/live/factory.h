/* Copies of factory files: what a layer has in usr/share/factory/{etc,var} lies in /etc and /var as
 * the node's own. A swap brings those up to date that nobody changed. New ones are placed by the
 * layer's tmpfiles.d, as at boot. */
#pragma once

#include "live/changes.h"

/** What a stack has for one place. */
typedef struct {
	mode_t mode; /* with the type; 0: nothing */
	uid_t uid;
	gid_t gid;
	VarveDigest digest; /* of a file's content, of a link's target */
	char *target;       /* of a link, else "" */
} VarveFactoryFile;

typedef struct {
	char *place; /* "etc/ssh/sshd_config" */
	VarveFactoryFile before, after;
} VarveFactoryCopy;

/** varve_factory_copy_of: (caller frees, nullable) NULL where @change is of no file that the
 * factory had before, or of none of /etc and /var. */
VarveFactoryCopy *varve_factory_copy_of(const VarveMergedChange *change);
void varve_factory_copy_free(VarveFactoryCopy *copy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveFactoryCopy, varve_factory_copy_free)

/**
 * varve_factory_update:
 * A copy with the content of the stack before gets content, mode and owner of the one now and keeps
 * its SELinux label, at once (rename); or goes, where the layers have none any more. One that
 * somebody changed stays and is named. What is not there stays away, and what the base has at the
 * place is the base's. Links on the way are not followed: service users may make some in /var.
 *
 * @root_fd: of the running system; usr there is merged already.
 * @base_fd: the base's own root.
 * @copies: VarveFactoryCopy *.
 * @done: (element-type utf8) gets a sentence for each.
 *
 * Errors: SYSTEM, of the first that could not be brought up to date; the others are.
 */
gboolean varve_factory_update(int root_fd, int base_fd, const GPtrArray *copies, GPtrArray *done,
			      GError **error);
