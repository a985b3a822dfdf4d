/* Progress with rate and ETA on a terminal, plain lines elsewhere. Nothing is shown for what takes
 * less than a second. Thread-safe. */
#pragma once

#include <glib.h>

typedef struct VarveProgress VarveProgress;

typedef enum {
	VARVE_PROGRESS_ITEMS, /* "12/170" */
	VARVE_PROGRESS_BYTES, /* "12.0/88.1 MiB, 30 MiB/s" */
} VarveProgressUnit;

/**
 * varve_progress_new:
 * @title: what is being done, in the present participle ("importing packages").
 * @total: 0 where it is not known.
 *
 * Returns: a progress on standard error. Ending it with varve_progress_end() prints one line with
 * the time taken; freeing without end says nothing (the error will).
 */
VarveProgress *varve_progress_new(const char *title, VarveProgressUnit unit, guint64 total);
void varve_progress_add(VarveProgress *progress, guint64 amount, const char *current);
void varve_progress_end(VarveProgress *progress, const char *format, ...) G_GNUC_PRINTF(2, 3);
void varve_progress_free(VarveProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveProgress, varve_progress_free)

/** varve_progress_set_quiet: no progress at all (`--quiet`, tests). The one setting of the process
 *  beside the log level. */
void varve_progress_set_quiet(gboolean quiet);
