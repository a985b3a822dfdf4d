/* Answers of a running node. */
#pragma once

#include "trace/answer.h"
#include "trace/node.h"

/**
 * varve_trace_why:
 * Follows @path (absolute) and answers for every link on the way and for what they lead to: which
 * layer the kernel reads it from, what the layer's path table says it should be, and what is really
 * there: its bytes are hashed now. A disagreement is a problem of the answer; a path that is not
 * there is an answer too.
 *
 * Errors: USAGE, CORRUPT (links in circles), SYSTEM.
 */
VarveTraceWhy *varve_trace_why(VarveTraceNode *node, const char *path, GError **error);

/** varve_trace_why_path: the same for @path itself, which has no link on the way: one that is a
 * link is not followed. */
VarveTraceAnswer *varve_trace_why_path(VarveTraceNode *node, const char *path, GError **error);

/** How one open file is answered for. */
typedef struct {
	const char *path; /* absolute, for the answer and for /etc and /var; need not lead there */
	gboolean hash;    /* whether its bytes are read */
} VarveTraceAsk;

/**
 * varve_trace_why_fd:
 * The same for the open file @fd (O_PATH is enough), wherever its name leads now.
 *
 * Errors: CORRUPT (a path table), SYSTEM.
 */
VarveTraceAnswer *varve_trace_why_fd(VarveTraceNode *node, int fd, const VarveTraceAsk *ask,
				     GError **error);
