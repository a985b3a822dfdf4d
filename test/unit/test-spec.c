#include "base/error.h"
#include "component/spec.h"

#include <string.h>

static VarveSpec *parse(const char *text)
{
	g_autoptr(GError) error = NULL;
	VarveSpec *spec = varve_spec_parse("a.spec", text, strlen(text), &error);

	g_assert_no_error(error);
	return spec;
}

static void expect(const VarveSpec *spec, const char *text)
{
	g_autoptr(GString) printed = varve_spec_print(spec);

	g_assert_cmpstr(printed->str, ==, text);
}

static void expect_error(GError **error, VarveError code, const char *part)
{
	g_assert_error(*error, VARVE_ERROR, (int)code);
	if (!strstr((*error)->message, part))
		g_error("'%s' does not say '%s'", (*error)->message, part);
	g_clear_error(error);
}

/* Printed as it was read, but for what ends lines. */
static void test_same_bytes(void)
{
	static const char *const texts[][2] = {
		{ "", "" },
		{ "\n", "\n" },
		{ "Name: a", "Name: a\n" },
		{ "Name: a\r\n\r\n%build\r\n", "Name: a\n\n%build\n" },
		{ "a\rb\n\r\r\n\rc\r", "a\rb\n\r\n\rc\n" },
		{ "\t %files  \n\xff\xfe\n\n\n", "\t %files  \n\xff\xfe\n\n\n" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(VarveSpec) spec = parse(texts[i][0]);
		g_autoptr(VarveSpec) copy = varve_spec_copy(spec);

		expect(spec, texts[i][1]);
		expect(copy, texts[i][1]);
	}
}

/* What an edit puts in keeps its carriage return until the next edit's spec is read. */
static void test_settled(void)
{
	static const char *const lines[] = { "x\r", "\r\r", NULL };
	g_autoptr(VarveSpec) spec = parse("a\r\r\n");

	varve_spec_settle(spec);
	expect(spec, "a\r\n");
	g_assert_true(varve_spec_append(spec, lines, NULL));
	expect(spec, "a\r\nx\r\n\r\r\n");
	varve_spec_settle(spec);
	expect(spec, "a\nx\n\r\n");
	varve_spec_settle(spec);
	expect(spec, "a\nx\n\r\n");
}

static void test_nul_is_a_byte(void)
{
	static const char text[] = "Name: a\0b\n%build\0\n";
	g_autoptr(VarveSpec) spec = varve_spec_parse("a.spec", text, sizeof(text) - 1, NULL);
	g_autoptr(GString) printed = varve_spec_print(spec);

	g_assert_cmpmem(printed->str, printed->len, text, sizeof(text) - 1);
	g_assert_false(varve_spec_has_section(spec, "%build"));
}

static void test_long_line_is_refused(void)
{
	g_autofree char *longest = g_strnfill(VARVE_SPEC_LINE_MAX, 'x');
	g_autofree char *longer = g_strconcat("Name: a\n", longest, "x\n", NULL);
	g_autoptr(VarveSpec) spec = parse(longest);
	g_autoptr(GError) error = NULL;
	const char *const lines[] = { strchr(longer, '\n') + 1, NULL };

	g_assert_null(varve_spec_parse("a.spec", longer, strlen(longer), &error));
	expect_error(&error, VARVE_ERROR_CORRUPT, "a.spec:2: ");
	g_assert_false(varve_spec_append(spec, lines, &error));
	expect_error(&error, VARVE_ERROR_CORRUPT, "65536 bytes");
}

static void test_package_of_a_header(void)
{
	static const struct {
		const char *header, *package;
	} cases[] = {
		{ "%files", "" },
		{ "%files libs", "libs" },
		{ "%files -f list libs", "libs" },
		{ "%files -n other libs", "other" },
		{ "%files libs -n other", "other" },
		{ "%files one two", "one" },
		{ "%post -p /sbin/ldconfig", "" },
		{ "%post -e -q libs", "libs" },
		{ "%description -l de -n other", "other" },
		{ "%triggerun libs -P 9 -- glibc", "libs" },
		{ "%triggerin -- glibc", "" },
		{ "%files -n", "" },
		{ "%files libs -n", "libs" },
		{ "%files - libs", "libs" },
		{ "%files -n --", "--" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_auto(GStrv) tokens = g_strsplit(cases[i].header, " ", -1);
		g_autofree char *package = varve_spec_package_of((const char *const *)tokens);

		if (strcmp(package, cases[i].package) != 0)
			g_error("'%s' is of '%s', expected '%s'", cases[i].header, package,
				cases[i].package);
	}
}

static void test_sections(void)
{
	g_autoptr(VarveSpec) spec =
		parse("#%prep\n  %Build x\n%buildings\n%{build}\n%\n%patchlist a\n");

	g_assert_true(varve_spec_has_section(spec, ""));
	g_assert_true(varve_spec_has_section(spec, "%Build"));
	g_assert_true(varve_spec_has_section(spec, "%patchlist"));
	g_assert_false(varve_spec_has_section(spec, "%build"));
	g_assert_false(varve_spec_has_section(spec, "%prep"));
	g_assert_false(varve_spec_has_section(spec, "%buildings"));
}

static void test_lines_go_to_each_section_of_a_name(void)
{
	static const char *const lines[] = { "one\ntwo", "three", NULL };
	g_autoptr(VarveSpec) spec =
		parse("Name: a\n%if x\n%files libs\na\n%else\n%files libs\n%endif\n"
		      "%files\nb");
	g_autoptr(GError) error = NULL;

	g_assert_true(varve_spec_prepend_to(spec, "%files", "libs", lines, NULL));
	expect(spec, "Name: a\n%if x\n%files libs\none\ntwo\nthree\na\n%else\n%files "
		     "libs\none\ntwo\nthree\n%endif\n%files\nb\n");
	g_assert_true(varve_spec_append_to(spec, "%files", "", lines, NULL));
	g_assert_true(varve_spec_prepend(spec, lines, NULL));
	expect(spec, "one\ntwo\nthree\nName: a\n%if x\n%files libs\none\ntwo\nthree\na\n%else\n"
		     "%files libs\none\ntwo\nthree\n%endif\n%files\nb\none\ntwo\nthree\n");
	g_assert_false(varve_spec_append_to(spec, "%file", "", lines, &error));
	expect_error(&error, VARVE_ERROR_NOT_FOUND, "did you mean '%files'?");
	g_assert_false(varve_spec_append_to(spec, "files", "", lines, &error));
	expect_error(&error, VARVE_ERROR_NOT_FOUND, "begins with '%'");
	g_assert_false(varve_spec_append_to(spec, "%files", "lib", lines, &error));
	expect_error(&error, VARVE_ERROR_NOT_FOUND, "did you mean 'libs'?");
}

/* Quadratic time would be minutes. */
static void test_a_place_in_every_line(void)
{
	static const char *const lines[] = { "y", NULL };
	const guint n = 200000;
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(VarveRegex) regex = varve_regex_new("^y$", NULL);
	g_autoptr(VarveSpec) spec = NULL;

	for (guint i = 0; i < n; i++)
		g_string_append(text, "%package x\nA: b\n");
	spec = parse(text->str);
	g_assert_true(varve_spec_append_to(spec, "%package", "x", lines, NULL));
	g_assert_cmpuint(varve_spec_lines(spec), ==, 3 * n);
	g_assert_true(varve_spec_replace(spec, "%package", NULL, regex, "A: c\n", NULL));
	g_assert_cmpuint(varve_spec_lines(spec), ==, 4 * n);
	g_assert_true(varve_spec_remove_tag(spec, "x", "a", NULL, NULL));
	g_assert_cmpuint(varve_spec_lines(spec), ==, 2 * n);
	g_assert_true(varve_spec_remove(spec, NULL, "x", NULL));
	g_assert_cmpuint(varve_spec_lines(spec), ==, 0);
}

static void test_lines_that_begin_a_section(void)
{
	static const char *const lines[] = { "%check", "true", NULL };
	g_autoptr(VarveSpec) spec = parse("%build\nmake\n%install\n");

	g_assert_true(varve_spec_append_to(spec, "%build", "", lines, NULL));
	g_assert_true(varve_spec_prepend_to(spec, "%check", "", (const char *const[]){ "x", NULL },
					    NULL));
	expect(spec, "%build\nmake\n%check\nx\ntrue\n%install\n");
}

/* What a removal leaves of the spec, or NULL where it must be refused. */
static void test_removal_keeps_the_balance(void)
{
	static const struct {
		const char *section, *package, *text, *rest;
	} cases[] = {
		{ "%check", "", "N: a\n%check\na\n\n%files\nb\n", "N: a\n%files\nb\n" },
		{ "%check", "", "N: a\n%check\na", "N: a\n" },
		{ NULL, "x",
		  "%package x\nA: b\n%files\nf\n%files -n x\ng\n%post x\nh\n%changelog\n",
		  "%files\nf\n%changelog\n" },
		/* Its own conditional goes, the one around it stays. */
		{ "%check", "", "%if a\n%check\n%if b\nx\n%else\ny\n%endif\n%endif\n%files\n",
		  "%if a\n%endif\n%files\n" },
		/* The one around the next section stays, with what is only about it. */
		{ "%check", "", "%check\nx\n\n# about files\n%if a\n# more\n\n%files\n%endif\n",
		  "%if a\n# more\n\n%files\n%endif\n" },
		/* The body of a macro is lines as all others. */
		{ "%check", "", "%global a() \\\n%if b\\\nx\\\n%endif \\\n%check\nx\n%files\n",
		  "%global a() \\\n%if b\\\nx\\\n%endif \\\n%files\n" },
		{ "%check", "", "%check\n%define a \\\n%if b\\\n%endif \\\n%{nil}\nx\n%files\n",
		  "%files\n" },
		{ "%check", "", "%define a \\\n%if b\\\n%{nil}\n%check\nx\n", NULL },
		{ "%check", "", "%define a \\\n%endif \\\n%{nil}\n%check\nx\n", NULL },
		/* "%endif\" is another word. */
		{ "%check", "", "%define a \\\n%if b\\\n%endif\\\n%{nil}\n%check\nx\n", NULL },
		{ "%check", "", "%check\nx\n%endif\n%files\n", NULL },
		{ "%check", "", "%if a\n%check\nx\n%files\n", NULL },
		/* Content between its end and the end of the conditional around it. */
		{ "%check", "", "%if a\n%check\nx\n%endif\ny\n%files\n", NULL },
		{ "%check", "", "%check\n%if a\nx\n%files\n%endif\n", NULL },
		{ "%check", "", "%if a\n%check\nx\n%else\n%files\n%endif\n", NULL },
		{ "%check", "", "%if a\n%check\nx\n%elifarch b\ny\n%endif\n", NULL },
		{ "%check", "", "%build\n", NULL },
		{ "", "", "%build\n", NULL },
		{ NULL, "", "%build\n", NULL },
		{ NULL, "x", "%files y\n", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(VarveSpec) spec = parse(cases[i].text);
		g_autoptr(GString) rest = NULL;
		g_autoptr(GError) error = NULL;
		gboolean removed =
			varve_spec_remove(spec, cases[i].section, cases[i].package, &error);

		rest = varve_spec_print(spec);
		if (removed != (cases[i].rest != NULL) ||
		    strcmp(rest->str, removed ? cases[i].rest : cases[i].text) != 0)
			g_error("case %zu: %s\n%s", i, error ? error->message : "", rest->str);
	}
}

static void test_unbalanced_spec_matters_to_its_own_removals_only(void)
{
	g_autoptr(VarveSpec) spec = parse("%if a\n%check\nx\n");
	g_autoptr(GError) error = NULL;

	g_assert_false(varve_spec_remove(spec, "%build", "", &error));
	expect_error(&error, VARVE_ERROR_NOT_FOUND, "%build");
	g_assert_false(varve_spec_remove(spec, "%check", "", &error));
	expect_error(&error, VARVE_ERROR_CONFLICT, "line 1 is a %if without");
}

static void test_tag_is_found(void)
{
	static const struct {
		const char *text, *package, *tag, *value;
	} cases[] = {
		{ "Name:a\n", "", "name", "a" },
		{ "  Name :a\n", "", "name", NULL },
		{ "Name: a b \t\r\n", "", "NAME", "a b" },
		{ "#Name: a\nName: b\n", "", "Name", "b" },
		{ "Name: a\nName: b\n", "", "Name", "a" },
		{ "Url: http://x:1/\n", "", "URL", "http://x:1/" },
		{ "Name:\n", "", "Name", "" },
		{ ": a\n", "", "", NULL },
		{ "%build\nName: a\n", "", "Name", NULL },
		{ "%package x\nName: a\n", "", "Name", NULL },
		{ "%package x\nName: a\n", "x", "Name", "a" },
		{ "%package -n x\nName: a\n%description x\nName: b\n", "x", "Name", "a" },
		{ "\xc2\xa0Name: a\xe2\x80\x83\n", "", "Name", "a" },
		{ "Summary(\xc3\x84): a\n", "", "SUMMARY(\xc3\xa4)", "a" },
		{ "\xe2\x84\xaa"
		  "ey: a\n",
		  "", "key", "a" },                             /* the Kelvin sign */
		{ "\xc5\xbfummary: a\n", "", "summary", NULL }, /* a long s is no s... */
		{ "t\xc4\xb1p: a\n", "", "TIP", NULL },         /* nor is an i without a dot */
		{ "Key\xff: a\n", "", "Key\xef\xbf\xbd", "a" }, /* no UTF-8 */
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(VarveSpec) spec = parse(cases[i].text);
		g_autofree char *value = varve_spec_tag(spec, cases[i].package, cases[i].tag);

		if (g_strcmp0(value, cases[i].value) != 0)
			g_error("case %zu: '%s'", i, value ? value : "(none)");
	}
}

/* Values are compared by folding, in which a long s is an s. */
static void test_values_are_folded(void)
{
	g_autoptr(VarveSpec) spec = parse("T: \xc5\xbf\nT: \xc4\xb1\nT: \xe1\xba\x9e\n");

	g_assert_true(varve_spec_remove_tag(spec, "", "T", "S", NULL));
	g_assert_false(varve_spec_remove_tag(spec, "", "T", "I", NULL));
	expect(spec, "T: \xc4\xb1\nT: \xe1\xba\x9e\n");
}

static void test_tags_are_changed(void)
{
	g_autoptr(VarveSpec) spec =
		parse("Name: a\nrequires: b\nRequires:  c\n%package x\nRequires: b\n"
		      "%build\nRequires: b\n");
	g_autoptr(GError) error = NULL;

	g_assert_true(varve_spec_remove_tag(spec, "", "Requires", "B", NULL));
	expect(spec, "Name: a\nRequires:  c\n%package x\nRequires: b\n%build\nRequires: b\n");
	g_assert_true(varve_spec_update_tag(spec, "x", "REQUIRES", "d\nProvides: e", NULL));
	g_assert_true(varve_spec_set_tag(spec, "", "Epoch", "1", NULL));
	g_assert_true(varve_spec_set_tag(spec, "", "epoch", "2", NULL));
	expect(spec,
	       "Name: a\nRequires:  c\nepoch: 2\n%package x\nREQUIRES: d\nProvides: e\n%build\n"
	       "Requires: b\n");
	g_assert_true(varve_spec_remove_tag(spec, "", "requires", NULL, NULL));
	g_assert_false(varve_spec_remove_tag(spec, "", "requires", "c", &error));
	expect_error(&error, VARVE_ERROR_NOT_FOUND, "'requires' with the value 'c'");
	g_assert_false(varve_spec_update_tag(spec, "y", "Requires", "c", &error));
	expect_error(&error, VARVE_ERROR_NOT_FOUND, "'Requires' in y");
	g_assert_false(varve_spec_add_tag(spec, "y", "Requires", "c", &error));
	expect_error(&error, VARVE_ERROR_NOT_FOUND, "%package of the sub-package 'y'");
}

/* Every one, not only the first. */
static void test_update_means_every_tag(void)
{
	g_autoptr(VarveSpec) spec =
		parse("%if a\nRelease: 1\n%else\nRELEASE : 2\nRelease:3\n%endif\n");

	g_assert_true(varve_spec_update_tag(spec, "", "Release", "4", NULL));
	expect(spec, "%if a\nRelease: 4\n%else\nRELEASE : 2\nRelease: 4\n%endif\n");
}

static void test_tag_goes_to_its_family(void)
{
	static const struct {
		const char *package, *text, *result;
	} cases[] = {
		{ "", "", "Source9: x\n" },
		{ "", "# a\n%prep\n", "# a\nSource9: x\n%prep\n" },
		{ "", "A: b\n\n%prep\n", "A: b\nSource9: x\n\n%prep\n" },
		{ "", "SOURCE: a\nB: c\n", "SOURCE: a\nSource9: x\nB: c\n" },
		{ "", "Source1: a\nSources: b\nSource0: c\nD: e\n",
		  "Source1: a\nSources: b\nSource0: c\nSource9: x\nD: e\n" },
		{ "", "Source: a\n%ifarch b\n%if c\nSource1: d\n%endif\nE: f\n%endif\nG: h\n",
		  "Source: a\n%ifarch b\n%if c\nSource1: d\n%endif\nE: f\n%endif\nSource9: x\nG: "
		  "h\n" },
		/* The conditional ends in another section. */
		{ "", "%if a\nSource: b\nC: d\n%build\n%endif\n",
		  "%if a\nSource: b\nSource9: x\nC: d\n%build\n%endif\n" },
		{ "y", "Source: a\n%package y\nB: c\n\n%package z\nSource: d\n",
		  "Source: a\n%package y\nB: c\nSource9: x\n\n%package z\nSource: d\n" },
		{ "y", "Source: a\n%package y\n%files y\n",
		  "Source: a\n%package y\nSource9: x\n%files y\n" },
	};
	g_autoptr(VarveSpec) none = parse("Source: a\n");
	g_autoptr(GError) error = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(VarveSpec) spec = parse(cases[i].text);

		g_assert_true(varve_spec_insert_tag(spec, cases[i].package, "Source9", "x", NULL));
		expect(spec, cases[i].result);
	}
	g_assert_false(varve_spec_insert_tag(none, "y", "Source9", "x", &error));
	expect_error(&error, VARVE_ERROR_NOT_FOUND, "'y'");
}

static void test_patch_numbers(void)
{
	static const struct {
		const char *tag;
		gint64 number; /* G_MININT64: none */
	} cases[] = {
		{ "Patch0", 0 },
		{ "pAtCh07", 7 },
		{ "Patch", G_MININT64 },
		{ "Patch1a", G_MININT64 },
		{ "Patch 1", G_MININT64 },
		{ "Patches", G_MININT64 },
		{ "Patch99999999999999999999", G_MININT64 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		gint64 number = G_MININT64;
		gboolean is = varve_spec_patch_number(cases[i].tag, &number);

		g_assert_cmpint(number, ==, cases[i].number);
		g_assert_cmpint(is, ==, cases[i].number != G_MININT64);
	}
}

static void test_patches(void)
{
	g_autoptr(VarveSpec) tags = parse("Patch: a\nPatch: b\n%package x\nPatch1: c.patch\n");
	g_autoptr(VarveSpec) list =
		parse("Patch3: a.patch\n%patchlist\n  b.patch \n#b.patch\n\n%build\n");
	g_autoptr(VarveSpec) full = parse("Patch9223372036854775807: a\n");
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(varve_spec_highest_patch(tags), ==, 1);
	g_assert_true(varve_spec_add_patch(tags, "", "d.patch", NULL));
	expect(tags, "Patch: a\nPatch: b\nPatch2: d.patch\n%package x\nPatch1: c.patch\n");
	g_assert_true(varve_spec_remove_patches(tags, "{c,d}.patch", NULL));
	expect(tags, "Patch: a\nPatch: b\n%package x\n");
	/* Only numbered ones are looked at. */
	g_assert_false(varve_spec_remove_patches(tags, "a", &error));
	expect_error(&error, VARVE_ERROR_NOT_FOUND, "'a'");
	g_assert_true(varve_spec_add_patch(list, "", "c.patch", NULL));
	expect(list, "Patch3: a.patch\n%patchlist\n  b.patch \n#b.patch\n\nc.patch\n%build\n");
	g_assert_true(varve_spec_remove_patches(list, "*.patch", NULL));
	expect(list, "%patchlist\n\n%build\n");
	g_assert_false(varve_spec_add_patch(full, "", "b", &error));
	expect_error(&error, VARVE_ERROR_CONFLICT, "no number");
}

static void replace(VarveSpec *spec, const char *section, const char *package, const char *pattern,
		    const char *replacement, GError **error)
{
	g_autoptr(VarveRegex) regex = varve_regex_new(pattern, NULL);

	g_assert_cmpint(varve_spec_replace(spec, section, package, regex, replacement, error), ==,
			!error || !*error);
}

static void test_replacement_is_by_line_and_section(void)
{
	g_autoptr(VarveSpec) spec =
		parse("Name: a\n%build\nmake a a\n%files a\na\n%files\na\n%install a\nb\n");

	replace(spec, "%build", NULL, "a+", "$1\\", NULL);
	replace(spec, NULL, "a", "^a$", "x", NULL);
	expect(spec, "Name: a\n%build\nm$1\\ke $1\\ $1\\\n%files a\nx\n%files\na\n%install a\nb\n");
	replace(spec, "%files", "", "[ax]", "y", NULL);
	expect(spec, "Name: a\n%build\nm$1\\ke $1\\ $1\\\n%files a\ny\n%files\ny\n%install a\nb\n");
}

/* A header is no line of its section, and what becomes one begins another. */
static void test_replacement_and_headers(void)
{
	g_autoptr(VarveSpec) spec = parse("%build\na\nb\na\n%install\na\n");
	g_autoptr(VarveSpec) feed = parse("a\na b\n");
	g_autoptr(VarveSpec) at_once = parse("%build\nb\nb\n%build\nb\n");

	replace(spec, "%build", NULL, "^b$", "%check", NULL);
	expect(spec, "%build\na\n%check\na\n%install\na\n");
	replace(spec, "%build", NULL, "[a%]", "x", NULL);
	expect(spec, "%build\nx\n%check\na\n%install\na\n");
	replace(at_once, "%build", NULL, "^b$", "%check", NULL);
	expect(at_once, "%build\n%check\nb\n%build\n%check\n");
	replace(feed, NULL, NULL, " ", "\n%files\n", NULL);
	expect(feed, "a\na\n%files\nb\n");
	g_assert_true(varve_spec_has_section(feed, "%files"));
	g_assert_cmpuint(varve_spec_lines(feed), ==, 4);
}

static void test_replacement_that_changes_nothing(void)
{
	g_autoptr(VarveSpec) spec = parse("Name: a\n%build\nb\n");
	g_autoptr(GError) error = NULL;

	replace(spec, NULL, NULL, "b", "b", &error);
	expect_error(&error, VARVE_ERROR_NOT_FOUND, "none of the 2 lines");
	replace(spec, "%build", NULL, "a", "c", &error);
	expect_error(&error, VARVE_ERROR_NOT_FOUND, "of %build");
	replace(spec, "%check", NULL, "a", "c", &error);
	expect_error(&error, VARVE_ERROR_NOT_FOUND, "has no %check");
	expect(spec, "Name: a\n%build\nb\n");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/spec/same-bytes", test_same_bytes);
	g_test_add_func("/spec/settled", test_settled);
	g_test_add_func("/spec/nul-is-a-byte", test_nul_is_a_byte);
	g_test_add_func("/spec/long-line-is-refused", test_long_line_is_refused);
	g_test_add_func("/spec/package-of-a-header", test_package_of_a_header);
	g_test_add_func("/spec/sections", test_sections);
	g_test_add_func("/spec/lines-go-to-each-section-of-a-name",
			test_lines_go_to_each_section_of_a_name);
	g_test_add_func("/spec/a-place-in-every-line", test_a_place_in_every_line);
	g_test_add_func("/spec/lines-that-begin-a-section", test_lines_that_begin_a_section);
	g_test_add_func("/spec/removal-keeps-the-balance", test_removal_keeps_the_balance);
	g_test_add_func("/spec/unbalanced-matters-to-its-own-removals-only",
			test_unbalanced_spec_matters_to_its_own_removals_only);
	g_test_add_func("/spec/tag-is-found", test_tag_is_found);
	g_test_add_func("/spec/values-are-folded", test_values_are_folded);
	g_test_add_func("/spec/tags-are-changed", test_tags_are_changed);
	g_test_add_func("/spec/update-means-every-tag", test_update_means_every_tag);
	g_test_add_func("/spec/tag-goes-to-its-family", test_tag_goes_to_its_family);
	g_test_add_func("/spec/patch-numbers", test_patch_numbers);
	g_test_add_func("/spec/patches", test_patches);
	g_test_add_func("/spec/replacement-is-by-line-and-section",
			test_replacement_is_by_line_and_section);
	g_test_add_func("/spec/replacement-and-headers", test_replacement_and_headers);
	g_test_add_func("/spec/replacement-that-changes-nothing",
			test_replacement_that_changes_nothing);
	return g_test_run();
}
