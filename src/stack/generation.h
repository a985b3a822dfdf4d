/* Generations (design.md §5): the stacks that were committed on a node, numbered, with what can be
 * returned to. NNNN.json files; per base the links ROOT.current and ROOT.good. Written to a
 * temporary name, synced, renamed. */
#pragma once

#include "base/digest.h"

#include <glib.h>

#define VARVE_STATE_DIR "var/lib/varve" /* below the state partition and below / */
#define VARVE_GENERATIONS_DIR VARVE_STATE_DIR "/generations"
#define VARVE_CANDIDATES_DIR VARVE_STATE_DIR "/layers"

typedef enum {
	VARVE_SELECTION_DIRECTORY, /* whatever lies in the layers directory; a boot looks again */
	VARVE_SELECTION_LISTED,    /* someone chose these layers: exactly they are candidates */
} VarveSelection;

const char *varve_selection_name(VarveSelection selection);

typedef struct {
	char *name;
	char *version;
	char *file; /* in the layers directory */
	VarveDigest root;
	guint64 stamp;   /* of the file when its bytes were last hashed whole; 0: not. It excuses
			  * from that hashing and from nothing else: signature, dm-verity, the
			  * walk of the tree and the policy are asked at every boot. Who forges
			  * one has damage found when a damaged block is read, instead of before
			  * the merge; the policy's check = "always" does not look at it. */
	gboolean staged; /* the file was brought by the swap that made the generation */
} VarveGenerationLayer;

/** It was left because it was not well; what it brought is not taken again by itself. */
#define VARVE_OUTCOME_FAILED "failed"

typedef struct {
	guint number; /* 0 until it is written */
	VarveDigest base;
	char *base_name;
	char *base_version;
	VarveSelection selection;
	GPtrArray *layers; /* VarveGenerationLayer *, lowest first */
	char *by;          /* who committed it: "boot", "user root via merge" */
	char *why;
	gint64 when;   /* seconds since the epoch */
	char *outcome; /* "", or VARVE_OUTCOME_FAILED */
	char *reason;  /* why it failed; "" */
} VarveGeneration;

VarveGenerationLayer *varve_generation_layer_new(const char *name, const char *version,
						 const char *file, const VarveDigest *root);
VarveGeneration *varve_generation_new(void);
void varve_generation_free(VarveGeneration *generation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveGeneration, varve_generation_free)

/** varve_generation_stamp: device-independent identity of the file behind @fd (inode, size, both
 *  times), never 0; 0 with errno where it cannot be asked. */
guint64 varve_generation_stamp(int fd);

/** Whether both have the same base, selection and layers. */
gboolean varve_generation_same(const VarveGeneration *a, const VarveGeneration *b);

/**
 * varve_generation_parse:
 * A record out of the @size bytes of @text, which are hostile. @name: for messages.
 * Errors: CORRUPT.
 */
VarveGeneration *varve_generation_parse(const char *text, gsize size, const char *name,
					GError **error);

/** varve_generation_dump: (caller frees) the record's text, the same for the same record. */
char *varve_generation_dump(const VarveGeneration *generation);

/**
 * varve_generation_load: reads NNNN.json in @dirfd (the generations directory).
 * Errors: NOT_FOUND, CORRUPT.
 */
VarveGeneration *varve_generation_load(int dirfd, guint number, GError **error);

/**
 * varve_generation_linked:
 * The generation that @link ("current" or "good") names for @base.
 * Errors: NOT_FOUND (there is none), CORRUPT (the record or the link).
 */
VarveGeneration *varve_generation_linked(int dirfd, const char *link, const VarveDigest *base,
					 GError **error);

/**
 * varve_generation_commit:
 * Gives @generation the next number, writes it, and points its base's `current` at it: killed at
 * any point the old generation or the new one is current. Nothing is left behind on failure.
 *
 * Errors: SYSTEM (a full or read-only partition).
 */
gboolean varve_generation_commit(int dirfd, VarveGeneration *generation, GError **error);

/**
 * varve_generation_write:
 * Gives @generation the next number and writes it, synced, as nobody's current one: a swap does so
 * before its commit.
 *
 * Errors: SYSTEM (a full or read-only partition): nothing is left behind.
 */
gboolean varve_generation_write(int dirfd, VarveGeneration *generation, GError **error);

/** varve_generation_rewrite: writes a record anew that has its number, atomically. */
gboolean varve_generation_rewrite(int dirfd, const VarveGeneration *generation, GError **error);

/** varve_generation_fail: marks generation @number as failed, because of @reason. */
gboolean varve_generation_fail(int dirfd, guint number, const char *reason, GError **error);

/**
 * varve_generation_settled:
 * The number up to which the records of @base in @list are of stacks that ran: that of its current
 * one, or of a later one that failed, since a node that fell back made those in between current,
 * too. Where it cannot be told which one is current, G_MAXUINT: a boot makes one current before any
 * swap.
 */
guint varve_generation_settled(int dirfd, const GPtrArray *list, const VarveDigest *base);

/**
 * varve_generation_unfinished:
 * The records of @base that were written and never became current: those above
 * varve_generation_settled().
 *
 * Returns: (caller frees with g_ptr_array_unref) VarveGeneration *.
 */
GPtrArray *varve_generation_unfinished(int dirfd, const VarveDigest *base, GError **error);

/** varve_generation_remove: takes the record away, synced. One that is not there is no error. */
gboolean varve_generation_remove(int dirfd, guint number, GError **error);

/** varve_generation_link: points @link of the generation's base at it, atomically. */
gboolean varve_generation_link(int dirfd, const VarveGeneration *generation, const char *link,
			       GError **error);

/**
 * varve_generation_make_current:
 * Points `current` of @base at generation @number, which runs, where it is not there already: a
 * swap that was killed or met a full disk after its commit has not written that down.
 *
 * Errors: NOT_FOUND, CORRUPT (its record), SYSTEM.
 */
gboolean varve_generation_make_current(int dirfd, guint number, const VarveDigest *base,
				       GError **error);

/**
 * varve_generation_list: all records, oldest first; unreadable ones are left out and counted.
 * Returns: (caller frees with g_ptr_array_unref) VarveGeneration *.
 */
GPtrArray *varve_generation_list(int dirfd, guint *ret_unreadable, GError **error);
