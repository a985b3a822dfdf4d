/* One invocation of `varvectl why` or `varve why`: its answers go to standard output, as text one
 * by one or as one array of JSON, and make its exit status. */
#pragma once

#include "trace/answer.h"
#include "trace/boot.h"

typedef struct {
	json_t *json; /* (nullable) the array of answers; NULL: text */
	guint problems, absent;
} VarveWhyTold;

/** varve_why_tell: one question's answers. */
void varve_why_tell(VarveWhyTold *told, const VarveTraceWhy *why);
/** varve_why_tell_boot: all of @boot; its problems are the caller's to count, once. */
void varve_why_tell_boot(VarveWhyTold *told, const VarveTraceBoot *boot);
/** varve_why_end: prints the JSON; @ok: whether every question was answered. Returns: the exit
 *  status. */
int varve_why_end(const VarveWhyTold *told, gboolean ok);
