/* Files in places that a node can write, beside what signed layers have for them: /etc is an
 * overlay over the base's, tmpfiles.d copies the layers' factory files there and to /var, and a new
 * /var is seeded from the base's factory. */
#pragma once

#include "trace/answer.h"

/** What is known of one such path. All but @writable is nullable and borrowed. */
typedef struct {
	const VarveTraceFound *found; /* NULL: it is not there */
	const VarvePath *base;        /* of the base at the very path: what lies below in /etc */
	const VarvePath *factory;     /* what a layer has for the place in its factory */
	gboolean written;             /* it was written: it lies in the upper of /etc, or in /var */
} VarveWritableFacts;

typedef enum {
	VARVE_WRITABLE_NONE,
	VARVE_WRITABLE_BASE,
	VARVE_WRITABLE_FACTORY,
} VarveWritableOrigin;

typedef struct {
	VarveTraceState state;
	VarveWritableOrigin origin; /* which of the two it is measured by */
	guint differs;              /* VarveChange bits against that */
} VarveWritableVerdict;

/** varve_writable_judge: a factory file's label is that of /usr, and no measure of its copy's. */
VarveWritableVerdict varve_writable_judge(const VarveWritableFacts *facts);

/**
 * varve_writable_answer:
 * Finds what the layers of @stack have for @path ("etc/hosts", "var/lib/x"), judges it and fills
 * the answer, whose found is set.
 *
 * @written: as above.
 */
gboolean varve_writable_answer(const VarveTraceStack *stack, const char *path, gboolean written,
			       VarveTraceAnswer *answer, GError **error);
