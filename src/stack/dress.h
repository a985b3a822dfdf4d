/* Labels for what lies on the state partition, given in the initrd: before a policy is loaded the
 * kernel takes them as they are, and what has none when systemd loads it cannot be read by anybody
 * confined. */
#pragma once

#include "device/labels.h"

/**
 * varve_dress_one: gives the file behind @fd (not O_PATH) the label of the absolute path @as,
 * whatever it has now. A filesystem that keeps no labels is left as it is.
 */
gboolean varve_dress_one(int fd, const char *as, const VarveLabels *labels, GError **error);

/**
 * varve_dress_tree:
 * Labels the directory behind @fd, and what is below it and has no label, as what it will be seen
 * as below @as ("/etc"). One filesystem, links not followed, nothing that has a label is changed
 * but the directory itself. Bounded in depth and number: whoever can write to the disk made it.
 *
 * Errors: CORRUPT (too deep, too much), SYSTEM.
 */
gboolean varve_dress_tree(int fd, const char *as, const VarveLabels *labels, GError **error);
