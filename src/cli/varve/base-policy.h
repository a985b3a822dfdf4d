/* What a node reads of its base before it judges other layers, taken out of the sealed base: its
 * policy, its certificates, its file contexts; and its accounts, for who makes a layer. */
#pragma once

#include "layer/layer.h"

/**
 * varve_base_policy_extract:
 * Writes them below @directory, at their own places: a base_root for varve_verdict(). The layer's
 * data are checked against its root hash first.
 *
 * Errors: CORRUPT, UNSUPPORTED (a compressed image), SYSTEM.
 */
gboolean varve_base_policy_extract(const VarveLayer *base, const char *directory, GError **error);
