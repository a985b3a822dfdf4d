/* The one step of a swap that others can see: the overlay over /usr is exchanged for another, in
 * this mount namespace and in all that follow it, and what was prepared is written down as done.
 * Killed anywhere, the next program that takes the node's lock finishes it or takes it back. */
#pragma once

#include "live/target.h"
#include "stack/past.h"
#include "stack/report.h"

/** An overlay that is whole and mounted nowhere yet. */
typedef struct {
	int fd;
	guint64 device; /* its st_dev */
} VarveNewUsr;

/**
 * varve_commit_prepare:
 * @layers: VarveMounted *, lowest first, all mounted below VARVE_LAYER_MOUNTS.
 * Errors: SYSTEM, UNSUPPORTED (too many layers).
 */
gboolean varve_commit_prepare(const GPtrArray *layers, VarveNewUsr *ret, GError **error);
void varve_new_usr_clear(VarveNewUsr *usr);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveNewUsr, varve_new_usr_clear)

/**
 * varve_commit_possible:
 * Whether /usr of this namespace can be exchanged: the merged one is topmost there, nothing is
 * mounted below it, and this is the namespace of PID 1.
 *
 * Errors: BUSY (names the mount), REFUSED (another namespace), SYSTEM.
 */
gboolean varve_commit_possible(const VarveReport *running, GError **error);

/**
 * varve_commit:
 * Writes @next down as what is to come (VARVE_REPORT_NEXT), exchanges /usr, makes it the report of
 * what runs, and the generation that it names the current one of its base.
 *
 * @next: with the device of @usr and the number of a generation that was written.
 * @ret_microseconds: from the moment the new overlay was attached, still invisible, to the moment
 * it was seen by all.
 *
 * Errors: SYSTEM: nothing changed. What cannot be written after the exchange is a warning in @next.
 */
gboolean varve_commit(VarveNewUsr *usr, const VarveStateDirs *dirs, VarveReport *next,
		      gint64 *ret_microseconds, GError **error);

/**
 * varve_commit_recover:
 * Under the node's lock, before anything else: finishes a commit that was interrupted after /usr
 * was exchanged, or between its two halves; takes back one that was not; removes staged files,
 * records of generations that never ran, and the mounts and devices of layers that nobody uses.
 *
 * @running: (inout) replaced where a commit was finished.
 * @ret_found: (nullable, caller frees) a sentence about what was found, or NULL.
 *
 * Errors: SYSTEM, CORRUPT.
 */
gboolean varve_commit_recover(VarveReport **running, const VarveStateDirs *dirs, char **ret_found,
			      GError **error);

/** varve_commit_release: takes away the mounts below VARVE_LAYER_MOUNTS that neither @running nor
 * VARVE_REPORT_BEFORE has, and devices whose last user is gone. */
void varve_commit_release(const VarveReport *running);
