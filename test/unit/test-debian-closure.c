#include "package/debian-closure.h"

#include "base/error.h"

#include <string.h>

static const char archive[] = "Package: app\nDepends: libapp (>= 1), debconf | debconf-2.0\n\n"
			      "Package: libapp\nPre-Depends: libc6\nDepends: awk\n\n"
			      "Package: libc6\n\n"
			      "Package: mawk\nProvides: awk\nDepends: libc6\n\n"
			      "Package: debconf\nProvides: debconf-2.0\nDepends: perl-base\n\n"
			      "Package: perl-base\nProvides: perlapi-5\nDepends: libcrypt1\n\n"
			      "Package: libcrypt1\nDepends: libc6\n\n"
			      "Package: tool\nDepends: perlapi-5, libcrypt1\n\n"
			      "Package: loop\nDepends: loop2\n\n"
			      "Package: loop2\nDepends: loop\n\n";

static char *find(const char *wanted, const char *drop, GError **error)
{
	g_autoptr(GPtrArray) stanzas =
		varve_deb822_parse(archive, strlen(archive), "archive", NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_auto(GStrv) wanted_names = g_strsplit(wanted, " ", -1);
	g_auto(GStrv) drop_names = g_strsplit(drop, " ", -1);
	g_auto(VarveDebianClosure) closure = { 0 };
	g_autoptr(GString) text = g_string_new(NULL);

	for (char **name = wanted_names; *name; name++)
		g_ptr_array_add(names, *name);
	if (!varve_debian_closure_find(stanzas, names, (const char *const *)drop_names, &closure,
				       error))
		return NULL;
	for (guint i = 0; i < closure.packages->len; i++)
		g_string_append_printf(
			text, "%s%s", i ? " " : "",
			varve_paragraph_get(g_ptr_array_index(closure.packages, i), "Package"));
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void test_closures(void)
{
	static const struct {
		const char *wanted, *drop, *found;
	} cases[] = {
		{ "libc6", "", "libc6" },
		{ "app", "", "app libapp libc6 mawk debconf perl-base libcrypt1" },
		/* what only the dropped package needed goes too, whichever name it is known by */
		{ "app", "debconf", "app libapp libc6 mawk" },
		{ "app", "debconf-2.0", "app libapp libc6 mawk" },
		{ "app", "perl-base", "app libapp libc6 mawk debconf" },
		/* a virtual name of dropped packages alone counts as met */
		{ "tool", "perl-base", "libc6 libcrypt1 tool" },
		{ "awk", "", "libc6 mawk" },
		{ "loop", "", "loop loop2" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *found = find(cases[i].wanted, cases[i].drop, &error);

		g_assert_no_error(error);
		g_assert_cmpstr(found, ==, cases[i].found);
	}
}

static void test_wanted_and_dropped_is_a_conflict(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(find("app mawk", "mawk", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_assert_nonnull(strstr(error->message, "'mawk'"));
}

static void test_missing_package_is_not_found(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(find("nothing", "", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/debian-closure/closures", test_closures);
	g_test_add_func("/debian-closure/wanted-and-dropped-is-a-conflict",
			test_wanted_and_dropped_is_a_conflict);
	g_test_add_func("/debian-closure/missing-package-is-not-found",
			test_missing_package_is_not_found);
	return g_test_run();
}
