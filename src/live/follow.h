/* Mount namespaces that a swap does not reach by itself are brought to the running stack from
 * outside: services with mounts of their own below /usr (InaccessiblePaths=,
 * ProtectKernelModules=), or with private mounts. What they had mounted below /usr stays as it was.
 */
#pragma once

#include "stack/past.h"

/**
 * varve_follow_all:
 * After a commit. For every namespace that has an earlier stack at /usr: the running one, with the
 * attributes of the mount that was there and with copies of the mounts that lay on it, is put in
 * its place in one moment, so that nothing that was covered is ever to be seen. Where that cannot
 * be done (a namespace of another user, a place that the running stack has no directory for) it
 * stays as it is, and varve_who() tells it.
 *
 * @past: its last stack is the one at /usr of the caller's namespace.
 * Returns: how many now have the running stack.
 */
guint varve_follow_all(const VarvePast *past);
/** varve_follow_all_below: the same where proc(5) is mounted at @proc, and the running stack at
 *  @usr. */
guint varve_follow_all_below(const char *proc, const char *usr, const VarvePast *past);
