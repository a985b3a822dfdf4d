/* Files of a /usr that a swap has replaced: processes go on with what they have mapped or open. */
#pragma once

#include "trace/answer.h"
#include "trace/node.h"

/**
 * varve_trace_earlier_answer:
 * Answers for the file with number @inode on @device, where that is an earlier stack's overlay:
 * `signed` where its layer still runs and the running stack has the file as it is, else `replaced`.
 *
 * @inside: (nullable) its path within the overlay, where that is known.
 * @ret_known: whether it was one.
 *
 * Errors: CORRUPT (a path table).
 */
gboolean varve_trace_earlier_answer(VarveTraceNode *node, dev_t device, guint64 inode,
				    const char *inside, VarveTraceAnswer *answer,
				    gboolean *ret_known, GError **error);
