/* The policy that holds on a node: the base's, tightened by the record of what was good here and by
 * the node's own files in /etc/varve/policy.d. */
#pragma once

#include "policy/tighten.h"
#include "stack/floors.h"
#include "stack/report.h"

/**
 * varve_effective_policy:
 * @base_fd: the base's own root.
 * @etc_fd: /etc as the node has it; -1, which is complained of: it cannot be opened. Its policy.d
 * is read without following a link; a file that is not root's, or that others may write, is not
 * read.
 * @report: gets a complaint `policy-file` for each file with a mistake, and what
 * varve_floors_describe() says; and in to_record the revocations of the base and of the files. A
 * file that cannot be read does not hold; the base's policy and all other files do.
 *
 * Errors: those of varve_policy_load() for the base's policy.
 */
VarvePolicy *varve_effective_policy(int base_fd, int etc_fd, const VarveFloors *floors,
				    VarveReport *report, GError **error);

/** varve_local_policies: the part about @etc_fd alone: tightens @policy, which is the base's. */
void varve_local_policies(int etc_fd, VarvePolicy *policy, VarveReport *report);
