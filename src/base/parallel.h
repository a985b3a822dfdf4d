/* The same work on many items, on the cores there are. */
#pragma once

#include <glib.h>

/** VarveWork: does item @index; a FALSE with @error stops the taking of further items. */
typedef gboolean (*VarveWork)(gsize index, gpointer data, GError **error);

/**
 * varve_parallel:
 * Calls @work for 0 … @n - 1 from up to @threads threads (0: one a core), in any order.
 *
 * Returns: FALSE with the error of the lowest index that failed; others are dropped.
 */
gboolean varve_parallel(gsize n, guint threads, VarveWork work, gpointer data, GError **error);
