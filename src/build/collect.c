/* What rpmbuild left behind. */
#include "build/collect.h"

#include "base/error.h"
#include "base/file.h"
#include "rpm/reader.h"

#include <string.h>
#include <sys/stat.h>

#define PACKAGE_LIMIT (G_GUINT64_CONSTANT(8) << 30)

static gboolean copy_out(int from, const char *name, const char *path, gint64 time, GError **error)
{
	const struct timespec times[2] = { { .tv_sec = time }, { .tv_sec = time } };
	varve_autofd in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	g_autoptr(VarveNewFile) file = NULL;
	struct stat st;

	if (in < 0 || fstat(in, &st) < 0)
		return varve_fail_errno(error, errno, "%s: cannot be taken out of the build root",
					name);
	if (!S_ISREG(st.st_mode) || (guint64)st.st_size > PACKAGE_LIMIT)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: the build left something there that is no package", name);
	file = varve_new_file_open(path, 0644, error);
	if (!file || !varve_file_copy_bytes(in, file->fd, (guint64)st.st_size, name, error))
		return FALSE;
	if (futimens(file->fd, times) < 0)
		return varve_fail_errno(error, errno, "%s: cannot set its time", path);
	return varve_new_file_commit(file, error);
}

static gboolean same_facts(const VarveComponentFacts *a, const VarveComponentFacts *b)
{
	g_autofree char *left = a ? varve_component_facts_to_tag(a) : NULL;
	g_autofree char *right = varve_component_facts_to_tag(b);

	return left && strcmp(left, right) == 0;
}

static gboolean check(const char *path, const char *name, const VarveComponentFacts *facts,
		      const VarveArch *arch, GError **error)
{
	g_autoptr(VarvePackage) package = NULL;
	g_autofree char *expected = NULL;

	if (!varve_rpm_read(path, &package, NULL, error))
		return FALSE;
	expected = g_strdup_printf("%s-%s-%s.%s.rpm", package->name, package->version,
				   package->release, package->arch);
	if (strcmp(name, expected) != 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: the package in it is '%s': the spec changed what packages "
				  "are called, which cannot be followed",
				  name, package->nevra);
	if (strcmp(package->arch, arch->rpm) != 0 && strcmp(package->arch, "noarch") != 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "package '%s': is for '%s', expected '%s' or 'noarch'",
				  package->nevra, package->arch, arch->rpm);
	if (!same_facts(package->component, facts))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "package '%s': its DISTURL is not that of component '%s': a spec "
				  "must not set it",
				  package->nevra, facts->name);
	return TRUE;
}

gboolean varve_build_date(const GPtrArray *paths, gint64 time, GError **error)
{
	const struct timespec times[2] = { { .tv_sec = time }, { .tv_sec = time } };

	for (guint i = 0; i < paths->len; i++)
		if (utimensat(AT_FDCWD, paths->pdata[i], times, 0) < 0)
			return varve_fail_errno(error, errno, "%s: cannot set its time",
						(const char *)paths->pdata[i]);
	return TRUE;
}

typedef struct {
	const char *into;
	const VarveComponentFacts *facts;
	const VarveArch *arch;
	gint64 time;
	guint taken;
} Collector;

static gboolean take_directory(Collector *collector, int directory, gboolean sources,
			       GError **error)
{
	g_auto(GStrv) names = NULL;

	if (!varve_dir_list(directory, ".", &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_build_filename(collector->into, *name, NULL);

		if (!g_str_has_suffix(*name, ".rpm") ||
		    g_str_has_suffix(*name, ".src.rpm") != sources)
			continue;
		if (!copy_out(directory, *name, path, collector->time, error) ||
		    (!sources && !check(path, *name, collector->facts, collector->arch, error)))
			return FALSE;
		collector->taken++;
	}
	return TRUE;
}

gboolean varve_build_collect(const char *home, const char *into, const VarveComponentFacts *facts,
			     const VarveArch *arch, gint64 time, GError **error)
{
	const char *below[] = { arch->rpm, "noarch" };
	Collector collector = { .into = into, .facts = facts, .arch = arch, .time = time };
	varve_autofd root = varve_dir_open(AT_FDCWD, home, error);
	varve_autofd sources = root < 0 ? -1 : varve_dir_open_beneath(root, "SRPMS", error);

	if (sources < 0)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(below); i++) {
		g_autofree char *path = g_build_filename("RPMS", below[i], NULL);
		g_autoptr(GError) missing = NULL;
		varve_autofd directory = varve_dir_open_beneath(root, path, &missing);

		if (directory < 0 && g_error_matches(missing, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
			continue;
		if (directory < 0) {
			g_propagate_error(error, g_steal_pointer(&missing));
			return FALSE;
		}
		if (!take_directory(&collector, directory, FALSE, error))
			return FALSE;
	}
	if (!collector.taken)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "rpmbuild made no package: the spec needs a %%files section");
	return take_directory(&collector, sources, TRUE, error);
}
