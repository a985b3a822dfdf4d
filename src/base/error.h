/* The one error domain: a code only where a caller acts on it, and the exit status it means. */
#pragma once

#include <glib.h>

typedef enum {
	VARVE_ERROR_USAGE,       /* the command line or an option is wrong: exit 2 */
	VARVE_ERROR_NOT_FOUND,   /* what was asked for does not exist: exit 4 */
	VARVE_ERROR_CORRUPT,     /* bytes are not what their format or digest says: exit 5 */
	VARVE_ERROR_UNTRUSTED,   /* a signature is missing, wrong or by an unknown key: exit 5 */
	VARVE_ERROR_REFUSED,     /* well-formed and authentic, but policy says no: exit 3 */
	VARVE_ERROR_CONFLICT,    /* two things claim one place; unsatisfiable packages: exit 1 */
	VARVE_ERROR_UNSUPPORTED, /* valid, but not something this build or kernel can do: exit 1 */
	VARVE_ERROR_BUSY,        /* another process holds it: exit 1 */
	VARVE_ERROR_SYSTEM,      /* the kernel or a library refused: exit 1 */
	VARVE_ERROR_DEFINITION,  /* the definition is wrong; the message lists every mistake: exit 1
				  */
} VarveError;

#define VARVE_ERROR varve_error_quark()
GQuark varve_error_quark(void);

/**
 * varve_fail:
 * Sets @error (which may be NULL) to @code with a message that names the object, what was
 * expected and found, and the next step.
 *
 * Returns: FALSE, so that a function can end with `return varve_fail(...)`.
 */
gboolean varve_fail(GError **error, VarveError code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/**
 * varve_fail_errno:
 * The same with ": " and the text of @errnum appended. The code is NOT_FOUND for ENOENT, BUSY
 * for EBUSY and ETXTBSY, else SYSTEM.
 */
gboolean varve_fail_errno(GError **error, int errnum, const char *format, ...) G_GNUC_PRINTF(3, 4);

/** varve_exit_status: the exit status that @error stands for; 1 for another domain's. */
int varve_exit_status(const GError *error);
