/* How often a generation was booted without coming up (design.md §6): three times, then the last
 * good one of its base, then the base alone. Counted on the state partition, in ROOT.tries beside
 * the generations, before its layers are opened; `varvectl good` ends the count. */
#pragma once

#include "stack/generation.h"

#define VARVE_TRIES_MAX 3
#define VARVE_TRIES_REASON "it did not come up in 3 boots" /* why it failed, in its record */

typedef enum {
	VARVE_TRY_CURRENT, /* boot the current generation, once more */
	VARVE_TRY_GOOD,    /* it did not come up: the last good one became the current one, and is
			    * listed from now on, until somebody makes another one */
	VARVE_TRY_NOTHING, /* nor did that, or there is none: the base alone */
} VarveTry;

/**
 * varve_tries_next:
 * Decides what this boot takes, and counts it.
 *
 * @writes: FALSE: it only decides.
 * @current: (inout, nullable) the current generation of @base, replaced by the good one where that
 * is its turn; the one that failed is marked.
 * @ret_failed: the number of the generation that did not come up, or that is current although it
 * was marked as failed before; 0: none.
 * @ret_count: which attempt this is, from 1.
 *
 * Errors: SYSTEM: it cannot be written down (a full or read-only partition). What is decided holds
 * for this boot all the same, and the next one counts from where this one did.
 */
gboolean varve_tries_next(int dirfd, const VarveDigest *base, gboolean writes,
			  VarveGeneration **current, VarveTry *ret_next, guint *ret_failed,
			  guint *ret_count, GError **error);

/** varve_tries_gave_up: whether varve_tries_next() marked @generation. */
gboolean varve_tries_gave_up(const VarveGeneration *generation);

/** varve_tries_first: this boot made generation @number: it is its first attempt. */
gboolean varve_tries_first(int dirfd, const VarveDigest *base, guint number, GError **error);

/** varve_tries_end: generation @number came up. None to end is no error; the count of another one,
 *  which yielded to it and could not be marked, stays. */
gboolean varve_tries_end(int dirfd, const VarveDigest *base, guint number, GError **error);
