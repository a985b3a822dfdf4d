#include "package/debian-license.h"

static void test_licenses(void)
{
	static const char format[] = "Format: https://www.debian.org/doc/copyright-format/1.0/\n";
	static const struct {
		const char *body, *license;
	} cases[] = {
		{ "\nFiles: *\nLicense: GPL-2+\n", "GPL-2.0-or-later" },
		{ "\nFiles: *\nLicense: Expat\n text\n\nFiles: a\nLicense: GPL-3 or Apache-2.0\n",
		  "Apache-2.0 AND GPL-3.0-only AND MIT" },
		{ "\nFiles: *\nLicense: LGPL-2.1+, and BSD-3-clause\n",
		  "BSD-3-Clause AND LGPL-2.1-or-later" },
		{ "\nFiles: *\nLicense: GPL-2+ with OpenSSL exception\n", "GPL-2.0-or-later" },
		{ "\nFiles: *\nLicense: odd_name+x\n", "LicenseRef-Debian-odd-name-x" },
		/* the text of a licence that files name is no licence of its own */
		{ "\nFiles: *\nLicense: ISC\n\nLicense: Artistic\n text\n", "ISC" },
		{ "License: MPL-2.0\n", "MPL-2.0" },
		{ "", "LicenseRef-Debian-copyright" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strconcat(format, cases[i].body, NULL);
		g_autofree char *license = varve_debian_license(text);

		g_assert_cmpstr(license, ==, cases[i].license);
	}
}

static void test_free_text_is_a_reference(void)
{
	g_autofree char *none = varve_debian_license(NULL);
	g_autofree char *prose = varve_debian_license("This package was debianized by…\n\nGPL");
	g_autofree char *no_format = varve_debian_license("Files: *\nLicense: GPL-2\n");

	g_assert_cmpstr(none, ==, "LicenseRef-Debian-copyright");
	g_assert_cmpstr(prose, ==, "LicenseRef-Debian-copyright");
	g_assert_cmpstr(no_format, ==, "LicenseRef-Debian-copyright");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/debian-license/licenses", test_licenses);
	g_test_add_func("/debian-license/free-text-is-a-reference", test_free_text_is_a_reference);
	return g_test_run();
}
