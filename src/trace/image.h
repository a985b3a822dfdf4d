/* The same answers for image files: sealed layers, verified whole before anything in them is
 * believed, and put together as a node would merge them, by the base's own policy. */
#pragma once

#include "trace/answer.h"

/** A layer that a node would not merge; it is left out. */
typedef struct {
	char *file;
	char *code; /* of policy/, stable */
	char *sentence;
	gboolean retired; /* a patch that is not needed any more: nothing is wrong with it */
} VarveTraceRefused;

/**
 * VarveTraceWritten: what the state partition has at @path ("etc/hosts", "var/lib/x").
 *
 * @ret_written: whether it has anything there, a whiteout too.
 * @ret_found: (caller frees) NULL where that is a whiteout.
 */
typedef gboolean (*VarveTraceWritten)(const char *path, gboolean *ret_written,
				      VarveTraceFound **ret_found, gpointer data, GError **error);

typedef struct {
	VarveTraceStack *stack;
	GPtrArray *refused; /* VarveTraceRefused * */
	GHashTable *trees;  /* VarveTraceLayer * → GPtrArray of VarvePath *: what is there */
	VarveTraceWritten written; /* (nullable) a disk's state partition */
	gpointer written_data;
} VarveTraceImage;

VarveTraceImage *varve_trace_image_new(void);
void varve_trace_image_free(VarveTraceImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveTraceImage, varve_trace_image_free)

/**
 * varve_trace_image_add:
 * Hashes all of @layer (taken, also on failure) against its root hash and reads what it says.
 *
 * @file: what it is called, for answers and for the policy.
 * Errors: CORRUPT, UNSUPPORTED (compressed), SYSTEM.
 */
gboolean varve_trace_image_add(VarveTraceImage *image, VarveLayer *layer, const char *file,
			       GError **error);

/**
 * varve_trace_image_compose:
 * Of the layers that were added: the base below, of each other name the newest that the base's
 * policy accepts. Without a base they lie on each other by name, and nobody judges them.
 *
 * @certificates: (nullable) VarveCertificate *: whom the base's signature is checked against, or,
 * without a base, all; NULL: the base's own certificates, or nobody's.
 * @whose: (nullable with @certificates) what they are: "the certificates in keys/".
 * @today: days since the epoch, for support ends.
 *
 * Errors: CONFLICT (two bases), NOT_FOUND (no layer), SYSTEM.
 */
gboolean varve_trace_image_compose(VarveTraceImage *image, const GPtrArray *certificates,
				   const char *whose, gint64 today, GError **error);

/** varve_trace_image_why: as varve_trace_why(). */
VarveTraceWhy *varve_trace_image_why(const VarveTraceImage *image, const char *path,
				     GError **error);
