/* Why a deviation is there: what is said of it, or what people wrote beside it. */
#include "component/deviation-internal.h"

#include <string.h>

static void add_once(GPtrArray *texts, char *text)
{
	if (!text)
		return;
	if (!*text || g_ptr_array_find_with_equal_func(texts, text, g_str_equal, NULL))
		g_free(text);
	else
		g_ptr_array_add(texts, text);
}

static char *join(GPtrArray *texts)
{
	if (texts->len == 0)
		return NULL;
	g_ptr_array_add(texts, NULL);
	return g_strjoinv(" ", (char **)texts->pdata);
}

static char *comments_at(const VarveDefinition *definition, const GArray *lines)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; lines && i < lines->len; i++)
		add_once(texts, varve_definition_comment(definition,
							 &g_array_index(lines, VarveOrigin, i)));
	return join(texts);
}

void varve_deviation_set_reason(VarveDeviation *deviation, const VarveDeviationScope *scope,
				const char *said, const GArray *lines)
{
	const VarveOverlayMetadata *metadata = deviation->metadata;

	if (metadata && metadata->reason) {
		deviation->reason = g_strdup(metadata->reason);
		return;
	}
	if (said && *said) {
		deviation->reason = g_strdup(said);
		return;
	}
	deviation->reason = comments_at(scope->definition, lines);
	if (!deviation->reason && deviation->origin.line)
		deviation->reason = varve_definition_comment(scope->definition, &deviation->origin);
	if (!deviation->reason && !scope->group)
		deviation->reason =
			varve_definition_comment(scope->definition, &scope->table->origin);
	deviation->reason_is_comment = deviation->reason != NULL;
	if (!deviation->reason && scope->group && scope->group->description)
		deviation->reason = g_strdup(scope->group->description);
}
