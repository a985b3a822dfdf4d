/* Two builds, compared. */
#include "build/differ.h"

#include "base/error.h"
#include "base/file.h"
#include "crypt/sha256.h"
#include "package/repository.h"
#include "rpm/difference.h"

#include <string.h>
#include <unistd.h>

static gboolean digest_of(const char *path, VarveDigest *ret, GError **error)
{
	varve_autofd fd = open(path, O_RDONLY | O_CLOEXEC);
	guint64 size;

	if (fd < 0)
		return varve_fail_errno(error, errno, "%s: cannot open", path);
	return varve_sha256_fd(fd, ret, &size, error);
}

static gboolean compare(const char *name, const char *first, const char *second, GString *report,
			GError **error)
{
	g_autofree char *a = g_build_filename(first, name, NULL);
	g_autofree char *b = g_build_filename(second, name, NULL);
	gsize before;
	VarveDigest left, right;

	if (access(b, F_OK) < 0) {
		g_string_append_printf(report, "%s: only in one build\n", name);
		return TRUE;
	}
	if (!digest_of(a, &left, error) || !digest_of(b, &right, error))
		return FALSE;
	if (varve_digest_equal(&left, &right))
		return TRUE;
	g_string_append_printf(report, "%s:\n", name);
	before = report->len;
	if (!varve_rpm_difference(a, b, report, error))
		return FALSE;
	if (report->len == before)
		g_string_append(report, "  the payload as it is packed, not what is in it\n");
	return TRUE;
}

gboolean varve_build_differ(const char *first, const char *second, char **ret_report,
			    GError **error)
{
	g_autoptr(GPtrArray) left = varve_repository_packages(first, error), right = NULL;
	g_autoptr(GString) report = g_string_new(NULL);

	right = left ? varve_repository_packages(second, error) : NULL;
	if (!right)
		return FALSE;
	for (guint i = 0; i < left->len; i++)
		if (!compare(left->pdata[i], first, second, report, error))
			return FALSE;
	for (guint i = 0; i < right->len; i++)
		if (!g_ptr_array_find_with_equal_func(left, right->pdata[i], g_str_equal, NULL))
			g_string_append_printf(report, "%s: only in one build\n",
					       (char *)right->pdata[i]);
	*ret_report = g_string_free(g_steal_pointer(&report), FALSE);
	return TRUE;
}
