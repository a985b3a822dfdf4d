/* The state partition: /var and the upper of /etc. Where it is missing or broken the node boots
 * with memory in its place and says so. */
#pragma once

#include "device/labels.h"
#include "stack/report.h"

#define VARVE_STATE_SEEDED "seeded" /* on the state partition */

/**
 * varve_state_mount:
 * Mounts @device (nullable: there is none) at VARVE_STATE_MOUNT and makes it ready: `var` seeded
 * from @seed_fd (usr/share/factory/var of the base, -1 for none) until that was done once (then
 * there is a file VARVE_STATE_SEEDED), `etc/upper`, `etc/work`,
 * `var/lib/varve/{layers,generations}`, labelled by @labels (nullable) where it has no label yet. A
 * new disk's state has layers already, so that an empty `var` is no sign. Then puts /var (a bind)
 * and /etc (an overlay over the base's, /etc/selinux read-only from the base over it) below
 * @sysroot.
 *
 * Whoever can write to the disk chooses what is on it. On any failure a tmpfs takes its place and
 * @report says why: a state that is "volatile". No symbolic link on it is followed here.
 *
 * Errors: SYSTEM, where not even the tmpfs could be made.
 */
gboolean varve_state_mount(const char *device, const char *sysroot, int seed_fd,
			   const VarveLabels *labels, VarveReport *report, GError **error);

/**
 * varve_state_prepare:
 * Makes what is missing of the directories on the mounted state @fd, seeds it, and labels what has
 * no label: everything when it is seeded, afterwards what an administrator may have put there while
 * the node was off (/etc and the node's own directory).
 *
 * Errors: CORRUPT (a link or file in the place of a directory), SYSTEM.
 */
gboolean varve_state_prepare(int fd, int seed_fd, const VarveLabels *labels, GError **error);

/**
 * varve_state_label: labels what the boot itself wrote on the mounted state @fd; its last act
 * there.
 */
gboolean varve_state_label(int fd, const VarveLabels *labels, GError **error);

/**
 * varve_seed_copy:
 * Copies what is below @from_fd into the directory @to_fd: modes, owners, times, links, attributes
 * but the SELinux label.
 * Files that are there already are replaced, directories are added to. Device nodes and sockets are
 * left out.
 */
gboolean varve_seed_copy(int from_fd, int to_fd, GError **error);
