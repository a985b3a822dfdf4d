/* Answers: their memory, and what differs. */
#include "trace/answer.h"

#include "base/text.h"

#include <string.h>
#include <sys/stat.h>

static const char *const states[] = {
	[VARVE_TRACE_SIGNED] = "signed",     [VARVE_TRACE_UNCHANGED] = "unchanged",
	[VARVE_TRACE_CHANGED] = "changed",   [VARVE_TRACE_LOCAL] = "local",
	[VARVE_TRACE_VOLATILE] = "volatile", [VARVE_TRACE_FOREIGN] = "foreign",
	[VARVE_TRACE_DELETED] = "deleted",   [VARVE_TRACE_MISSING] = "missing",
	[VARVE_TRACE_REPLACED] = "replaced", [VARVE_TRACE_ABSENT] = "absent",
};

const char *varve_trace_state_name(VarveTraceState state)
{
	return states[state];
}

VarveTraceFound *varve_trace_found_new(void)
{
	VarveTraceFound *found = g_new0(VarveTraceFound, 1);

	found->target = g_strdup("");
	found->label = g_strdup("");
	found->unread = g_strdup("");
	return found;
}

void varve_trace_found_free(VarveTraceFound *found)
{
	if (!found)
		return;
	g_free(found->target);
	g_free(found->label);
	g_free(found->unread);
	g_free(found);
}

guint varve_trace_differs(const VarvePath *record, const VarveTraceFound *found, gboolean label)
{
	guint what = 0;

	if ((record->mode & S_IFMT) != (found->mode & S_IFMT))
		return VARVE_CHANGE_TYPE;
	if (record->mode != found->mode && !S_ISLNK(record->mode))
		what |= VARVE_CHANGE_MODE;
	if (record->uid != found->uid || record->gid != found->gid)
		what |= VARVE_CHANGE_OWNER;
	if (S_ISREG(record->mode) && record->size != found->size)
		what |= VARVE_CHANGE_SIZE;
	if (S_ISREG(record->mode) && found->read &&
	    !varve_digest_equal(&record->digest, &found->digest))
		what |= VARVE_CHANGE_CONTENT;
	if (S_ISLNK(record->mode) && strcmp(record->target, found->target) != 0)
		what |= VARVE_CHANGE_CONTENT;
	if (label && *record->label && strcmp(record->label, found->label) != 0)
		what |= VARVE_CHANGE_LABEL;
	return what;
}

static void other_free(gpointer data)
{
	VarveTraceOther *other = data;

	g_free(other->record);
	g_free(other);
}

VarveTraceEarlier *varve_trace_earlier_new(guint generation, const VarvePastLayer *layer,
					   gint64 until)
{
	VarveTraceEarlier *earlier = g_new0(VarveTraceEarlier, 1);

	earlier->generation = generation;
	earlier->layer = g_strdup(layer->name);
	earlier->version = g_strdup(layer->version);
	earlier->root = varve_digest_dup_hex(&layer->root);
	earlier->until = until;
	return earlier;
}

static void earlier_free(VarveTraceEarlier *earlier)
{
	if (!earlier)
		return;
	g_free(earlier->layer);
	g_free(earlier->version);
	g_free(earlier->root);
	g_free(earlier);
}

VarveTraceAnswer *varve_trace_answer_new(const char *path)
{
	VarveTraceAnswer *answer = g_new0(VarveTraceAnswer, 1);

	answer->path = g_strdup(path);
	answer->state = VARVE_TRACE_ABSENT;
	answer->at = g_strdup("");
	answer->filesystem = g_strdup("");
	answer->others = g_ptr_array_new_with_free_func(other_free);
	answer->problems = g_ptr_array_new_with_free_func(g_free);
	return answer;
}

void varve_trace_answer_free(VarveTraceAnswer *answer)
{
	if (!answer)
		return;
	varve_trace_found_free(answer->found);
	earlier_free(answer->earlier);
	g_ptr_array_unref(answer->others);
	g_ptr_array_unref(answer->problems);
	g_free(answer->path);
	g_free(answer->at);
	g_free(answer->record);
	g_free(answer->filesystem);
	g_free(answer);
}

void varve_trace_answer_problem(VarveTraceAnswer *answer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(answer->problems, varve_text_printable(format, args));
	va_end(args);
}

void varve_trace_answer_from(VarveTraceAnswer *answer, const VarveTraceLayer *layer,
			     const VarvePath *record, gboolean describes_layer)
{
	g_free(answer->record);
	g_free(answer->at);
	answer->layer = layer;
	answer->record = varve_path_copy(record);
	answer->at = g_strdup(record->path);
	answer->describes_layer = describes_layer;
}

const VarveManifestPackage *varve_trace_answer_package(const VarveTraceAnswer *answer)
{
	if (!answer->layer || !answer->record)
		return NULL;
	return varve_trace_layer_package(answer->layer, answer->record->package);
}

gboolean varve_trace_answer_exists(const VarveTraceAnswer *answer)
{
	return answer->state != VARVE_TRACE_ABSENT && answer->state != VARVE_TRACE_MISSING &&
	       answer->state != VARVE_TRACE_DELETED;
}

VarveTraceWhy *varve_trace_why_new(const char *asked)
{
	VarveTraceWhy *why = g_new0(VarveTraceWhy, 1);

	why->asked = g_strdup(asked);
	why->answers = g_ptr_array_new_with_free_func((GDestroyNotify)varve_trace_answer_free);
	return why;
}

void varve_trace_why_free(VarveTraceWhy *why)
{
	if (!why)
		return;
	g_ptr_array_unref(why->answers);
	g_free(why->asked);
	g_free(why);
}

const VarveTraceAnswer *varve_trace_why_last(const VarveTraceWhy *why)
{
	return why->answers->pdata[why->answers->len - 1];
}

guint varve_trace_why_problems(const VarveTraceWhy *why)
{
	guint n = 0;

	for (guint i = 0; i < why->answers->len; i++) {
		const VarveTraceAnswer *answer = why->answers->pdata[i];

		n += answer->problems->len;
	}
	return n;
}
