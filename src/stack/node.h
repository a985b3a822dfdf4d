/* Questions to a running node: what would be merged at the next boot, and whether the layers' bytes
 * are still those that were signed. Nothing is changed. */
#pragma once

#include "stack/generation.h"
#include "stack/report.h"

/** varve_node_report: what the boot found. Errors: NOT_FOUND, saying that this is no Varve node. */
VarveReport *varve_node_report(GError **error);

/**
 * varve_node_plan:
 * Does all that a boot would do with the layers, in a mount namespace of its own and with devices
 * that go with it. The caller's process stays in that namespace: ask nothing else of it afterwards.
 *
 * @boot: varve_node_report().
 * @plan: filled as by a boot.
 */
gboolean varve_node_plan(const VarveReport *boot, VarveReport *plan, GError **error);

/** One layer whose bytes were hashed. */
typedef struct {
	char *name;
	char *version;
	char *root;
	guint64 bytes;
	gint64 microseconds;
	char *wrong; /* NULL: its bytes and its signature are right */
} VarveVerified;

/** VarveVerifiedVisit: told one result as soon as it is there. */
typedef void (*VarveVerifiedVisit)(const VarveVerified *verified, gpointer data);

/**
 * varve_node_verify:
 * Hashes the base's partitions and the files of the merged layers, or, where @all, of every file in
 * the layers directory, and checks the files' signatures.
 *
 * Errors: only what keeps it from looking at all.
 */
gboolean varve_node_verify(const VarveReport *boot, gboolean all, VarveVerifiedVisit visit,
			   gpointer data, GError **error);

/** varve_node_generations: an fd of the generations directory, or -1. Errors: NOT_FOUND, SYSTEM. */
int varve_node_generations(GError **error);

/**
 * varve_node_release:
 * At power-off: takes /usr, the layers and the base's second mount away lazily, so that devices and
 * files behind them are free when the last process ends. What is not mounted is skipped.
 */
gboolean varve_node_release(GError **error);
