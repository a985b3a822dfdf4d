#include "package/debian-license.h"

#include "format/license.h"

static void test_licenses(void)
{
	static const char format[] = "Format: https://www.debian.org/doc/copyright-format/1.0/\n";
	static const struct {
		const char *body, *license;
	} cases[] = {
		{ "\nFiles: *\nLicense: GPL-2+\n", "GPL-2.0-or-later" },
		{ "\nFiles: *\nLicense: Expat\n text\n\nFiles: a\nLicense: GPL-3 or Apache-2.0\n",
		  "(GPL-3.0-only OR Apache-2.0) AND MIT" },
		{ "\nFiles: *\nLicense: GPL-1+ or Artistic\n",
		  "GPL-1.0-or-later OR Artistic-1.0-Perl" },
		{ "\nFiles: *\nLicense: GPL-1+ or Artistic, and BSD-3-clause and ISC\n",
		  "(GPL-1.0-or-later OR Artistic-1.0-Perl) AND BSD-3-Clause AND ISC" },
		{ "\nFiles: *\nLicense: GPL-2+ with OpenSSL exception or MIT\n",
		  "GPL-2.0-or-later OR MIT" },
		{ "\nFiles: *\nLicense: , ,\n\nFiles: a\nLicense: or\n",
		  "LicenseRef-Debian-copyright" },
		{ "\nFiles: *\nLicense: LGPL-2.1+, and BSD-3-clause\n",
		  "BSD-3-Clause AND LGPL-2.1-or-later" },
		{ "\nFiles: *\nLicense: GPL-2+ with OpenSSL exception\n", "GPL-2.0-or-later" },
		{ "\nFiles: *\nLicense: odd_name+x\n", "LicenseRef-Debian-odd-name-x" },
		{ "\nFiles: *\nLicense: odd-1+\n", "LicenseRef-Debian-odd-1-or-later" },
		/* the text of a licence that files name is no licence of its own */
		{ "\nFiles: *\nLicense: ISC\n\nLicense: Artistic\n text\n", "ISC" },
		{ "License: MPL-2.0\n", "MPL-2.0" },
		{ "License: Python-2.0, or GPL-2 and ISC\n", "Python-2.0 OR GPL-2.0-only AND ISC" },
		{ "", "LicenseRef-Debian-copyright" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strconcat(format, cases[i].body, NULL);
		g_autofree char *license = varve_debian_license(text);

		g_assert_cmpstr(license, ==, cases[i].license);
		g_assert_true(varve_license_is_expression(license));
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
