/* The SELinux policy of a base: modules of the distribution's policy package and CIL of our own,
 * linked by the tools tree's semodule(8) with an explicit list, so that the same inputs are the
 * same policy, whatever machine builds. */
#pragma once

#include "compose/tools.h"
#include "definition/definition.h"

/** What a policy is made from; nothing is owned. */
typedef struct {
	const VarveSelinux *selinux;
	const VarveTools *tools;
	const char *tools_key; /* digest of the tools tree */
	const char *root; /* host directory: a base's installed root, with the policy package */
	const char *work; /* directory of caches */
	gint64 epoch;
} VarveSelinuxBuild;

/**
 * varve_selinux_install:
 * Leaves etc/selinux of @root as a node needs it: config, policy, contexts, with what lay there
 * before, and takes away the package's modules and its store. Linking takes seconds and is kept in
 * the work directory by the digest of what goes in.
 *
 * Errors: NOT_FOUND (the package is not in @root, or lacks a module: names it), SYSTEM (semodule's
 * own words: which line of which module).
 */
gboolean varve_selinux_install(const VarveSelinuxBuild *build, GError **error);

/** varve_selinux_contexts_key: (caller frees) a digest of the file contexts in @root, which are all
 *  that an extension takes from its base's policy; "" where it has none. */
char *varve_selinux_contexts_key(const char *root, GError **error);
