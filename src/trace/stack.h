/* The layers that a question is asked of: of a running node, or of image files. Each has its
 * manifest, its path table and, where it could be found out, who signed it. */
#pragma once

#include "layer/layer.h"

/** Who signed a layer, and how that is known. Strings are never NULL. */
typedef struct {
	char *certificate; /* file name of the certificate, "" where unknown */
	char *subject;
	char *fingerprint; /* lowercase hex, "" where unknown */
	gboolean development;
	gboolean verified; /* the signature over the root hash was checked now */
	char *basis;       /* what was checked and against what, or why it could not be */
} VarveTraceSigner;

typedef struct {
	char *root; /* hex */
	VarveDigest digest;
	VarveManifest *manifest;
	VarvePathTable *paths;
	int fd;            /* the root of its mount; -1 where it is read from an image */
	dev_t device;      /* of its filesystem, where it is mounted */
	VarveLayer *layer; /* (nullable) file or partitions */
	VarveErofs *erofs; /* (nullable) where contents are read that are not mounted */
	gboolean enforced; /* every block that is read is checked against the root hash */
	char *enforcement; /* by whom, or why that is not so */
	VarveTraceSigner signer;
	gboolean signer_known; /* it was asked for */
	char *file;            /* the file that it is in, "" for partitions */
} VarveTraceLayer;

typedef struct {
	GPtrArray *layers;   /* VarveTraceLayer *, lowest first: the base is 0 */
	GPtrArray *problems; /* char *: what contradicts, of the stack as a whole */
} VarveTraceStack;

VarveTraceLayer *varve_trace_layer_new(const VarveDigest *root);
void varve_trace_layer_free(VarveTraceLayer *layer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveTraceLayer, varve_trace_layer_free)

VarveTraceStack *varve_trace_stack_new(void);
void varve_trace_stack_free(VarveTraceStack *stack);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveTraceStack, varve_trace_stack_free)
void varve_trace_stack_problem(VarveTraceStack *stack, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** varve_trace_signer_set: replaces all; @certificate is NULL where nobody is known. */
void varve_trace_signer_set(VarveTraceSigner *signer, const char *name,
			    const VarveCertificate *certificate, const char *basis);

/**
 * varve_trace_layer_load:
 * Reads manifest and path table through @layer->fd, the table mapped.
 * Errors: NOT_FOUND, CORRUPT, SYSTEM.
 */
gboolean varve_trace_layer_load(VarveTraceLayer *layer, GError **error);

/**
 * varve_trace_layer_find:
 * The record of @path (relative). The two files that describe the layer have none; they are found
 * with an empty digest and @ret_self set.
 *
 * @ret_record: borrowed from the table; only where it is found.
 * @ret_found: whether the layer has the path.
 * Errors: CORRUPT.
 */
gboolean varve_trace_layer_find(const VarveTraceLayer *layer, const char *path, gboolean *ret_found,
				VarvePath *ret_record, gboolean *ret_self, GError **error);

/** (borrowed, nullable) the manifest's entry of the package @nevra; NULL for "". */
const VarveManifestPackage *varve_trace_layer_package(const VarveTraceLayer *layer,
						      const char *nevra);

/** VarveTraceVisit: one record; return FALSE with @error to stop. */
typedef gboolean (*VarveTraceVisit)(const VarveTraceLayer *layer, const VarvePath *record,
				    gpointer data, GError **error);
/** varve_trace_layer_below: all records below the directory @path, in their order. */
gboolean varve_trace_layer_below(const VarveTraceLayer *layer, const char *path,
				 VarveTraceVisit visit, gpointer data, GError **error);
