/* What a node will say of an edition's layers, asked at build time: the same policy, the same
 * rules, so that nothing is shipped that would be refused. */
#pragma once

#include "base/error.h"

/**
 * varve_verdict:
 * Judges the sealed extensions @files on top of the sealed base @base.
 *
 * @base_root: host directory of the base's tree, where its policy and certificates are.
 * @today: days since the epoch.
 *
 * Errors: REFUSED: the message lists every layer that a node would refuse, with code, sentence and
 * next step; those of varve_policy_load(); CORRUPT, UNTRUSTED.
 */
gboolean varve_verdict(const char *base_root, const char *base, const char *const *files,
		       gint64 today, GError **error);
