/* The part of a base that its boot is made of, taken out of the sealed layer: so that a disk can be
 * made from layer files alone. */
#pragma once

#include "layer/layer.h"

/**
 * varve_boot_tree_extract:
 * Writes kernel, modules, programs, libraries, certificates and os-release of @layer below
 * @directory, with the links that lead to them. Owners and modes are not kept: what comes out of
 * here is read, and never booted as it is. The layer's data are checked against its root hash
 * first.
 *
 * Errors: CORRUPT, UNSUPPORTED (a compressed image: give the tree instead), SYSTEM.
 */
gboolean varve_boot_tree_extract(const VarveLayer *layer, const char *directory, GError **error);
