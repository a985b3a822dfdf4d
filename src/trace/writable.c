/* Where writable places differ from what is signed. */
#include "trace/writable.h"

#include <string.h>

#define FACTORY "usr/share/factory/"

static VarveWritableVerdict judge_absent(const VarveWritableFacts *facts)
{
	if (facts->base)
		return (VarveWritableVerdict){ VARVE_TRACE_DELETED, VARVE_WRITABLE_BASE, 0 };
	if (facts->factory)
		return (VarveWritableVerdict){ VARVE_TRACE_MISSING, VARVE_WRITABLE_FACTORY, 0 };
	return (VarveWritableVerdict){ VARVE_TRACE_ABSENT, VARVE_WRITABLE_NONE, 0 };
}

VarveWritableVerdict varve_writable_judge(const VarveWritableFacts *facts)
{
	guint base, factory;

	if (!facts->found)
		return judge_absent(facts);
	base = facts->base ? varve_trace_differs(facts->base, facts->found, TRUE) : 0;
	factory = facts->factory ? varve_trace_differs(facts->factory, facts->found, FALSE) : 0;
	if (facts->base && base == 0)
		return (VarveWritableVerdict){ VARVE_TRACE_UNCHANGED, VARVE_WRITABLE_BASE, 0 };
	/* Over what the base has lies what a layer placed there: only if it was written. */
	if (facts->factory && factory == 0 && facts->written)
		return (VarveWritableVerdict){ VARVE_TRACE_UNCHANGED, VARVE_WRITABLE_FACTORY, 0 };
	if (facts->base)
		return (VarveWritableVerdict){ VARVE_TRACE_CHANGED, VARVE_WRITABLE_BASE, base };
	if (facts->factory)
		return (VarveWritableVerdict){ VARVE_TRACE_CHANGED, VARVE_WRITABLE_FACTORY,
					       factory };
	return (VarveWritableVerdict){ VARVE_TRACE_LOCAL, VARVE_WRITABLE_NONE, 0 };
}

/* The topmost layer that has @path. */
static gboolean find_top(const VarveTraceStack *stack, const char *path,
			 const VarveTraceLayer **ret_layer, VarvePath *ret_record, GError **error)
{
	for (guint i = stack->layers->len; i-- > 0;) {
		const VarveTraceLayer *layer = stack->layers->pdata[i];
		gboolean found, self;

		if (!varve_trace_layer_find(layer, path, &found, ret_record, &self, error))
			return FALSE;
		if (found) {
			*ret_layer = layer;
			return TRUE;
		}
	}
	return TRUE;
}

gboolean varve_writable_answer(const VarveTraceStack *stack, const char *path, gboolean written,
			       VarveTraceAnswer *answer, GError **error)
{
	g_autofree char *at = g_strconcat(FACTORY, path, NULL);
	const VarveTraceLayer *base = stack->layers->pdata[0], *factory = NULL;
	VarvePath base_record, factory_record;
	gboolean in_base = FALSE, self;
	VarveWritableVerdict verdict;

	if ((strcmp(path, "etc") == 0 || g_str_has_prefix(path, "etc/")) &&
	    !varve_trace_layer_find(base, path, &in_base, &base_record, &self, error))
		return FALSE;
	if (!find_top(stack, at, &factory, &factory_record, error))
		return FALSE;
	verdict = varve_writable_judge(
		&(VarveWritableFacts){ .found = answer->found,
				       .base = in_base ? &base_record : NULL,
				       .factory = factory ? &factory_record : NULL,
				       .written = written });
	answer->state = verdict.state;
	answer->differs = verdict.differs;
	if (answer->found && !written && verdict.state != VARVE_TRACE_UNCHANGED)
		varve_trace_answer_problem(
			answer, "it was not written here, and is still not what the base has: its "
				"directory below the overlay is not the signed one");
	if (verdict.origin == VARVE_WRITABLE_BASE)
		varve_trace_answer_from(answer, base, &base_record, FALSE);
	if (verdict.origin == VARVE_WRITABLE_FACTORY)
		varve_trace_answer_from(answer, factory, &factory_record, FALSE);
	return TRUE;
}
