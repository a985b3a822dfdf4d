/* The journal's entries of the kernel, the audit system and the journal itself, by running
 * journalctl (systemd's journal export in JSON: systemd.journal-fields(7)). */
#pragma once

#include "base/json.h"

typedef struct {
	int boot;          /* 0: this boot, -1 the one before, as journalctl counts */
	const char *since; /* (nullable) a time as journalctl takes it */
	gboolean follow;   /* does not end */
} VarveJournalQuery;

/** VarveJournalVisit: gets one entry, borrowed. FALSE with @error stops. */
typedef gboolean (*VarveJournalVisit)(const json_t *entry, gpointer data, GError **error);

/**
 * varve_journal_read:
 * Hands on the entries in the order of the journal; what is no JSON object is left out.
 *
 * @ret_left_out: (nullable) how many entries were too long, or broken.
 *
 * Errors: NOT_FOUND (no journal, no journalctl), SYSTEM (the caller may not read it; what
 * journalctl said, about @query->since too), @visit's.
 */
gboolean varve_journal_read(const VarveJournalQuery *query, VarveJournalVisit visit, gpointer data,
			    guint64 *ret_left_out, GError **error);
