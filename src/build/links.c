/* What maintainer scripts would do to a build root. */
#include "build/links.h"

#include "base/error.h"
#include "base/file.h"
#include "build/root.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *name, *target; /* in usr/bin; the first target of a name that is there serves */
} alternatives[] = {
	{ "awk", "gawk" },
	{ "awk", "mawk" },
	{ "nawk", "gawk" },
	{ "nawk", "mawk" },
	{ "cc", "gcc" },
	{ "c++", "g++" },
	{ "c89", "c89-gcc" },
	{ "c99", "c99-gcc" },
	{ "yacc", "bison.yacc" },
	{ "lex", "flex" },
	{ "which", "which.debianutils" },
	{ "automake", "automake-1.17" },
	{ "aclocal", "aclocal-1.17" },
};

gboolean varve_build_links(const char *root, GError **error)
{
	g_autofree char *path = g_build_filename(root, "usr/bin", NULL);
	varve_autofd bin = varve_dir_open(AT_FDCWD, path, error);
	struct stat st;

	if (bin < 0)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(alternatives); i++) {
		const char *name = alternatives[i].name, *target = alternatives[i].target;

		if (fstatat(bin, target, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    fstatat(bin, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (symlinkat(target, bin, name) < 0)
			return varve_fail_errno(error, errno, "%s/%s: cannot make", path, name);
	}
	return TRUE;
}

static gboolean append_line(int root, const char *file, const char *line, GError **error)
{
	g_autofree char *text = NULL, *longer = NULL;

	if (!varve_file_read_beneath(root, file, 1 << 20, &text, NULL, error))
		return FALSE;
	longer = g_strconcat(text, line, NULL);
	return varve_file_write(root, file, longer, strlen(longer), 0644, error);
}

/* rpm's own table of flags by processor is stronger than any macro file, but what it says may be a
 * macro. */
gboolean varve_build_rpmrc(const char *root, const char *arch, GError **error)
{
	g_autofree char *path = g_build_filename(root, "etc/rpmrc", NULL);
	g_autofree char *text = g_strdup_printf("optflags: %s %%{varve_optflags}\n", arch);

	return varve_file_write(AT_FDCWD, path, text, strlen(text), 0644, error);
}

gboolean varve_build_user(const char *root, GError **error)
{
	varve_autofd fd = varve_dir_open(AT_FDCWD, root, error);
	g_autofree char *user = g_strdup_printf("build:x:%u:%u::/build:/bin/sh\n", VARVE_BUILD_USER,
						VARVE_BUILD_USER);
	g_autofree char *group = g_strdup_printf("build:x:%u:\n", VARVE_BUILD_USER);

	return fd >= 0 && append_line(fd, "etc/passwd", user, error) &&
	       append_line(fd, "etc/group", group, error);
}
