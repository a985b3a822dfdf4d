/* The one error domain. */
#include "base/error.h"

#include <errno.h>

G_DEFINE_QUARK(varve - error - quark, varve_error)

gboolean varve_fail(GError **error, VarveError code, const char *format, ...)
{
	va_list args;

	if (!error)
		return FALSE;
	va_start(args, format);
	g_propagate_error(error, g_error_new_valist(VARVE_ERROR, (int)code, format, args));
	va_end(args);
	return FALSE;
}

gboolean varve_fail_errno(GError **error, int errnum, const char *format, ...)
{
	g_autofree char *message = NULL;
	VarveError code = VARVE_ERROR_SYSTEM;
	va_list args;

	if (!error)
		return FALSE;
	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	if (errnum == ENOENT)
		code = VARVE_ERROR_NOT_FOUND;
	else if (errnum == EBUSY || errnum == ETXTBSY)
		code = VARVE_ERROR_BUSY;
	return varve_fail(error, code, "%s: %s", message, g_strerror(errnum));
}

int varve_exit_status(const GError *error)
{
	if (!error)
		return 0;
	if (error->domain != VARVE_ERROR)
		return 1;
	switch ((VarveError)error->code) {
	case VARVE_ERROR_USAGE:
		return 2;
	case VARVE_ERROR_REFUSED:
		return 3;
	case VARVE_ERROR_NOT_FOUND:
		return 4;
	case VARVE_ERROR_CORRUPT:
	case VARVE_ERROR_UNTRUSTED:
		return 5;
	default:
		return 1;
	}
}
