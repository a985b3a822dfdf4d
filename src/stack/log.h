/* What was refused and denied on this node, with what this node knows of it: the layer and package
 * of a path, the unit of a process, the file that a damaged block belongs to. */
#pragma once

#include "stack/event.h"
#include "stack/report.h"

typedef struct {
	int boot;          /* 0: this boot, -1 the one before */
	const char *since; /* (nullable) as journalctl takes it; what the boot decided is left out
			      then */
	gboolean follow;   /* does not end */
	guint kinds;       /* 1 << VARVE_EVENT_…; 0: all */
} VarveLogQuery;

typedef void (*VarveEventVisit)(const VarveEvent *event, gpointer data);

/**
 * varve_node_log:
 * First what the boot refused and warned of (@boot, only of this boot), then the journal in its
 * order; what kernel and audit system both tell is told once.
 *
 * @boot: varve_node_report().
 * @ret_left_out: (nullable) how many entries of the journal were too long or broken.
 *
 * Errors: as varve_journal_read().
 */
gboolean varve_node_log(const VarveReport *boot, const VarveLogQuery *query, VarveEventVisit visit,
			gpointer data, guint64 *ret_left_out, GError **error);
