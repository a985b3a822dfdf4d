/* Variables for QEMU's firmware: a template, perhaps with keys enrolled. */
#include "image/flash.h"

#include "base/error.h"
#include "base/file.h"

#define FLASH_LIMIT ((size_t)64 * 1024 * 1024)

static GBytes *read_flash(const char *path, GError **error)
{
	char *data;
	size_t size;

	if (!varve_file_read(AT_FDCWD, path, FLASH_LIMIT, &data, &size, error))
		return NULL;
	return g_bytes_new_take(data, size);
}

static gboolean check_size(GBytes *template_bytes, const char *template_path, GBytes *kept,
			   const char *path, GError **error)
{
	gsize expected = g_bytes_get_size(template_bytes), size = g_bytes_get_size(kept);

	return size == expected ||
	       varve_fail(error, VARVE_ERROR_CORRUPT,
			  "%s: %" G_GSIZE_FORMAT
			  " bytes of UEFI variables, and this firmware's are "
			  "%" G_GSIZE_FORMAT " (%s): they are of another one; remove the file",
			  path, size, expected, template_path);
}

gboolean varve_flash_make(const char *template_path, const VarveEnrolment *enrolment,
			  const char *to, gboolean keep, GError **error)
{
	g_autoptr(GBytes) bytes = read_flash(template_path, error);
	const char *from = template_path;

	if (!bytes)
		return FALSE;
	if (keep && g_file_test(to, G_FILE_TEST_EXISTS)) {
		g_autoptr(GBytes) kept = read_flash(to, error);

		if (!kept || !check_size(bytes, template_path, kept, to, error))
			return FALSE;
		if (!enrolment)
			return TRUE;
		from = to;
		g_bytes_unref(bytes);
		bytes = g_steal_pointer(&kept);
	}
	if (enrolment) {
		GBytes *enrolled = varve_enrolment_variables(enrolment, bytes, from, error);

		if (!enrolled)
			return FALSE;
		g_bytes_unref(bytes);
		bytes = enrolled;
	}
	return varve_file_write(AT_FDCWD, to, g_bytes_get_data(bytes, NULL),
				g_bytes_get_size(bytes), 0600, error);
}
