/* Reading the records of generations as a history. */
#include "stack/history.h"

#include <string.h>

VarveHistory *varve_history_load(int dirfd, const VarveDigest *base)
{
	VarveHistory *history = g_new0(VarveHistory, 1);
	g_autoptr(VarveGeneration) current = NULL;
	guint unreadable;

	history->records = dirfd >= 0 ? varve_generation_list(dirfd, &unreadable, NULL) : NULL;
	if (!history->records) {
		history->records = g_ptr_array_new();
		return history;
	}
	for (guint i = history->records->len; i-- > 0;) {
		const VarveGeneration *generation = history->records->pdata[i];

		if (!varve_digest_equal(&generation->base, base))
			g_ptr_array_remove_index(history->records, i);
	}
	current = varve_generation_linked(dirfd, "current", base, NULL);
	history->current = current ? current->number : 0;
	return history;
}

void varve_history_free(VarveHistory *history)
{
	if (!history)
		return;
	g_ptr_array_unref(history->records);
	g_free(history);
}

static gboolean has_root(const VarveGeneration *generation, const VarveDigest *root)
{
	for (guint i = 0; i < generation->layers->len; i++) {
		const VarveGenerationLayer *layer = generation->layers->pdata[i];

		if (varve_digest_equal(&layer->root, root))
			return TRUE;
	}
	return FALSE;
}

static gboolean is_unfinished(const VarveHistory *history, const VarveGeneration *generation)
{
	return !*generation->outcome && generation->number > history->current;
}

const VarveGeneration *varve_history_failed(const VarveHistory *history, const VarveDigest *root)
{
	const VarveGeneration *failed = NULL;

	for (guint i = 0; i < history->records->len; i++) {
		const VarveGeneration *generation = history->records->pdata[i];

		if (is_unfinished(history, generation) || !has_root(generation, root))
			continue;
		if (!*generation->outcome)
			return NULL;
		failed = generation;
	}
	return failed;
}

static const VarveGenerationLayer *find_file(const VarveGeneration *generation, const char *file)
{
	for (guint i = 0; i < generation->layers->len; i++) {
		const VarveGenerationLayer *layer = generation->layers->pdata[i];

		if (strcmp(layer->file, file) == 0)
			return layer;
	}
	return NULL;
}

gboolean varve_history_interrupted(const VarveHistory *history, const char *file)
{
	gboolean interrupted = FALSE;

	for (guint i = 0; i < history->records->len; i++) {
		const VarveGeneration *generation = history->records->pdata[i];
		const VarveGenerationLayer *layer = find_file(generation, file);

		if (layer && !is_unfinished(history, generation))
			return FALSE;
		interrupted |= layer && layer->staged;
	}
	return interrupted;
}
