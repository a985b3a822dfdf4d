/* Reading the records of generations as a history. */
#include "stack/history.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

VarveHistory *varve_history_load(int dirfd, const VarveDigest *base)
{
	VarveHistory *history = g_new0(VarveHistory, 1);
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
	history->settled = varve_generation_settled(dirfd, history->records, base);
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
	return !*generation->outcome && generation->number > history->settled;
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

/* Whether a record other than @except names @file. */
static gboolean is_named(const GPtrArray *records, const VarveGeneration *except, const char *file)
{
	for (guint i = 0; i < records->len; i++) {
		const VarveGeneration *generation = records->pdata[i];

		if (generation->number != except->number && find_file(generation, file))
			return TRUE;
	}
	return FALSE;
}

/* Files that the swap itself had brought go with its record. */
static gboolean remove_unfinished(int generations_fd, int layers_fd,
				  const VarveGeneration *generation, const GPtrArray *records,
				  GError **error)
{
	for (guint i = 0; i < generation->layers->len; i++) {
		const VarveGenerationLayer *layer = generation->layers->pdata[i];

		if (!layer->staged || is_named(records, generation, layer->file))
			continue;
		if (unlinkat(layers_fd, layer->file, 0) < 0 && errno != ENOENT)
			return varve_fail_errno(error, errno, "/" VARVE_CANDIDATES_DIR "/%s",
						layer->file);
	}
	if (fsync(layers_fd) < 0)
		return varve_fail_errno(error, errno, "/" VARVE_CANDIDATES_DIR);
	return varve_generation_remove(generations_fd, generation->number, error);
}

gboolean varve_history_take_back(int generations_fd, int layers_fd, const VarveDigest *base,
				 GError **error)
{
	g_autoptr(GPtrArray) unfinished = varve_generation_unfinished(generations_fd, base, error);
	g_autoptr(GPtrArray) records = NULL;
	guint unreadable;

	if (!unfinished || unfinished->len == 0)
		return unfinished != NULL;
	records = varve_generation_list(generations_fd, &unreadable, error);
	for (guint i = 0; records && i < unfinished->len; i++) {
		if (!remove_unfinished(generations_fd, layers_fd, unfinished->pdata[i], records,
				       error))
			return FALSE;
	}
	return records != NULL;
}
