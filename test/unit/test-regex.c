/* regex.c: what Go's package regexp accepts, refuses and matches. Expected results are from RE2's
 * syntax page, from Go's documentation, and were compared with Go. */
#include "definition/regex.h"

#include "base/error.h"
#include "definition/regex-set.h"
#include "definition/regex-unicode.h"

#include <string.h>

static void test_accepted(void)
{
	static const char *const patterns[] = {
		"",
		"a|",
		"|",
		"()",
		"(|a)*",
		"(?:)",
		"(?i)",
		"(?)",
		"(?:a)(?-i:b)(?i-s:c)(?U-i)",
		"(?P<name>a)",
		"(?<name_2>a)",
		"(?P<n>a)(?P<m>b)",
		"(?P<0>a)",
		"^*",
		"$+",
		"\\b*",
		"(?:^)*",
		"a{2}",
		"a{2,}",
		"a{2,3}?",
		"a{0}",
		"a{1000}",
		"(?:a{10}){100}",
		"((?:a{2}){5}b{3}){100}",
		"(?:a{1000}){0}",
		"(?:(?:a{1000}){0}){1000}",
		"a{,2}",
		"a{",
		"a{x}",
		"a{1",
		"a{1,",
		"a{01}",
		"{",
		"}",
		"]",
		"{,1}",
		"[]a]",
		"[^]a]",
		"[-a]",
		"[a-]",
		"[a-b-c]",
		"[\\d-z]",
		"[[:word:]]",
		"[[:^word:]a]",
		"[[:word]",
		"[:word:]",
		"[[a]",
		"[a^]",
		"[\\pL\\PN\\p{Greek}]",
		"[^\\x00-\\x{10FFFF}]",
		"[\\]\\-\\\\]",
		"[\\x{D800}-\\x{DFFF}]",
		"\\x{D800}",
		"\\pL",
		"\\PL",
		"\\p{L}",
		"\\p{^Lu}",
		"\\P{^Lu}",
		"\\p{Greek}",
		"\\p{Any}",
		"\\p{Old_Italic}",
		/* Since Go 1.25: */
		"\\p{Letter}",
		"\\p{greek}",
		"\\p{Uppercase_Letter}",
		"\\p{uppercase letter}",
		"\\p{ASCII}",
		"\\p{Assigned}",
		"\\p{LC}",
		"\\p{Cn}",
		"\\0",
		"\\08",
		"\\012",
		"\\12",
		"\\777",
		"\\x41",
		"\\x{41}",
		"\\x{00000000000041}",
		"\\x{10FFFF}",
		"\\_\\-\\/\\ \\<\\>\\@\\%\\\"",
		"\\a\\f\\n\\r\\t\\v",
		"\\Q",
		"\\Qa*",
		"\\Q\\E",
		"a\\Q\\E*",
		"\\Q(\\E\\)",
		"a(?i)*",
		"a*(?i)*",
		"a*\\Q\\E*",
		"(?:a*)*",
		"(?:a+)+?",
		"α|β",
		"(?i)ß",
		"\\z\\A\\B",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(patterns); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(VarveRegex) regex = varve_regex_new(patterns[i], &error);

		if (!regex)
			g_error("'%s' is refused: %s", patterns[i], error->message);
		g_assert_no_error(error);
	}
}

typedef struct {
	const char *pattern, *message;
} Refused;

static void check_refused(const Refused *refused, gsize n, VarveError code)
{
	for (gsize i = 0; i < n; i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(VarveRegex) regex = varve_regex_new(refused[i].pattern, &error);

		if (regex)
			g_error("'%s' is accepted", refused[i].pattern);
		if (!g_error_matches(error, VARVE_ERROR, (int)code) ||
		    !strstr(error->message, refused[i].message))
			g_error("'%s': code %d, '%s' instead of '%s'", refused[i].pattern,
				error->code, error->message, refused[i].message);
	}
}

static void test_wrong(void)
{
	static const Refused patterns[] = {
		{ "(", "byte 1 of the regular expression: '(' without ')'" },
		{ "a(b(c)", "byte 2 of the regular expression: '(' without ')'" },
		{ "a)", "byte 2 of the regular expression: ')' without '('" },
		{ ")", "byte 1 of" },
		{ "x[a", "byte 2 of the regular expression: '[' without ']'" },
		{ "[]", "'[' without ']'" },
		{ "[^]", "'[' without ']'" },
		{ "[a-", "'[' without ']'" },
		{ "[", "'[' without ']'" },
		{ "[z-a]", "byte 2 of the regular expression: the range 'z-a'" },
		{ "[a\\d-\\-]b[b-\\d]", "byte 13 of the regular expression: '\\d' is not" },
		{ "[[:foo:]]", "byte 2 of the regular expression: '[:foo:]'" },
		{ "[[:WORD:]]", "'[:WORD:]'" },
		{ "[[:]:]]", "'[:]:]'" },
		{ "[\\b]", "'\\b' is not an escape" },
		{ "[\\Qa\\E]", "'\\Q' is not an escape" },
		{ "[\\A]", "'\\A' is not an escape" },
		{ "*", "byte 1 of the regular expression: nothing to repeat before '*'" },
		{ "a|*", "nothing to repeat before '*'" },
		{ "(+)", "nothing to repeat before '+'" },
		{ "(*)", "nothing to repeat before '*'" },
		{ "(?:?)", "nothing to repeat before '?'" },
		{ "(?i)?", "nothing to repeat before '?'" },
		{ "{2}", "nothing to repeat before '{'" },
		{ "\\Q\\E*", "nothing to repeat" },
		{ "a**", "byte 3 of the regular expression: a repetition of a repetition" },
		{ "a*??", "a repetition of a repetition" },
		{ "a{2}{3}", "a repetition of a repetition" },
		{ "a+*", "a repetition of a repetition" },
		{ "a{1001}", "repeats more than 1000 times" },
		{ "a{1,1001}", "repeats more than 1000 times" },
		{ "a{1001,}", "repeats more than 1000 times" },
		{ "a{99999999999999999999}", "repeats more than 1000 times" },
		{ "a{3,2}", "at least 3 times and at most 2" },
		{ "(?:a{10}){101}", "multiplied" },
		{ "((a{100}){10}){2}", "multiplied" },
		{ "(?:(?:a{2,}){501})", "multiplied" },
		{ "\\", "byte 1 of the regular expression: a backslash at the end" },
		{ "ab\\", "byte 3 of" },
		{ "\\q", "'\\q' is not an escape" },
		{ "\\E", "'\\E' is not an escape" },
		{ "\\é", "'\\é' is not an escape" },
		{ "\\x", "two hexadecimal digits" },
		{ "\\x4", "two hexadecimal digits" },
		{ "\\xg0", "two hexadecimal digits" },
		{ "\\x{}", "two hexadecimal digits" },
		{ "\\x{41", "two hexadecimal digits" },
		{ "\\x{4g}", "two hexadecimal digits" },
		{ "\\x{110000}", "above 10FFFF" },
		{ "\\x{ffffffffffffffffffff}", "above 10FFFF" },
		{ "\\p", "without the name" },
		{ "\\pX", "'X' is not a category or script" },
		{ "\\p{Foo}", "'Foo' is not a category or script" },
		{ "\\p{Greek", "without '}'" },
		{ "\\p{}", "is not a category or script" },
		{ "\\p{^}", "is not a category or script" },
		{ "\\p{Unknown}", "is not a category or script" },
		{ "\\p{Grek}", "is not a category or script" },
		{ "(?", "after '(?'" },
		{ "(?i", "after '(?'" },
		{ "(?z)", "after '(?'" },
		{ "(?-)", "after '(?'" },
		{ "(?i-)", "after '(?'" },
		{ "(?i--s)", "after '(?'" },
		{ "(?P", "after '(?'" },
		{ "(?P<", "the name of a group" },
		{ "(?P<>a)", "the name of a group" },
		{ "(?P<n", "the name of a group" },
		{ "(?P<a b>c)", "the name of a group" },
		{ "(?<é>c)", "the name of a group" },
		{ "a\xff", "byte 2 of the regular expression: no UTF-8" },
		{ "\xc0\x80", "byte 1 of the regular expression: no UTF-8" },
		{ "\xed\xa0\x80", "no UTF-8" },
	};

	check_refused(patterns, G_N_ELEMENTS(patterns), VARVE_ERROR_USAGE);
}

static void test_foreign(void)
{
	static const Refused patterns[] = {
		{ "a(?=b)",
		  "byte 2 of the regular expression: RE2's syntax does not have lookahead" },
		{ "a(?!b)", "lookahead" },
		{ "(?<=a)b", "lookbehind" },
		{ "(?<!a)b", "lookbehind" },
		{ "(?>a)", "atomic groups" },
		{ "(?|a)", "groups that reset" },
		{ "(?#a)", "comments" },
		{ "(?(1)a)", "conditions" },
		{ "(?R)", "recursion" },
		{ "(?1)", "recursion" },
		{ "(?&n)", "recursion" },
		{ "(?P>n)", "recursion" },
		{ "(?P=n)", "backreferences" },
		{ "(?C)", "callouts" },
		{ "(?x)a", "the flag x" },
		{ "(?'n'a)", "names of groups in quotes" },
		{ "(*FAIL)", "verbs" },
		{ "(a)\\1",
		  "byte 4 of the regular expression: RE2's syntax does not have backreferences" },
		{ "\\8", "backreferences" },
		{ "\\19", "backreferences" },
		{ "[\\1]", "backreferences" },
		{ "\\k<n>", "backreferences" },
		{ "\\g1", "backreferences" },
		{ "a*+", "possessive repetitions" },
		{ "a++", "possessive repetitions" },
		{ "a?+", "possessive repetitions" },
		{ "a{2}+", "possessive repetitions" },
		{ "a\\Z", "'\\Z'" },
		{ "\\C", "'\\C'" },
		{ "\\G", "this escape" },
		{ "\\K", "this escape" },
		{ "\\R", "this escape" },
		{ "\\X", "this escape" },
		{ "\\h", "this escape" },
		{ "\\N", "this escape" },
		{ "\\cA", "this escape" },
	};

	check_refused(patterns, G_N_ELEMENTS(patterns), VARVE_ERROR_UNSUPPORTED);
}

typedef struct {
	const char *pattern, *text, *expected; /* each match as "<>" */
	guint matches;
} Case;

static void check_length(const Case *c, gsize length)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveRegex) regex = varve_regex_new(c->pattern, &error);
	g_autoptr(GString) ret = g_string_new("kept:");
	guint matches = 99;

	g_assert_no_error(error);
	varve_regex_replace(regex, c->text, length, "<>", ret, &matches, &error);
	g_assert_no_error(error);
	if (strcmp(ret->str + strlen("kept:"), c->expected) != 0 || matches != c->matches)
		g_error("'%s' in '%s': %u '%s' instead of %u '%s'", c->pattern, c->text, matches,
			ret->str, c->matches, c->expected);
	g_assert_true(g_str_has_prefix(ret->str, "kept:"));
}

static void check(const Case *cases, gsize n)
{
	for (gsize i = 0; i < n; i++)
		check_length(&cases[i], strlen(cases[i].text));
}

static void test_order(void)
{
	static const Case cases[] = {
		{ "a|ab", "abc", "<>bc", 1 }, /* the first, not the longest */
		{ "ab|a", "abc", "<>c", 1 },
		{ "(a|ab)(c|bcd)", "abcd", "<>", 1 },
		{ "a*", "aab", "<>b<>", 2 },
		{ "a*?", "aab", "<>a<>a<>b<>", 4 },
		{ "a+?", "aab", "<><>b", 2 },
		{ "a??b", "ab", "<>", 1 },
		{ "(?U)a+", "aa", "<><>", 2 },
		{ "(?U)a+?", "aa", "<>", 1 },
		{ "(?U)a{1,2}", "aa", "<><>", 2 },
		{ "a{2,3}", "aaaaa", "<><>", 2 },
		{ "a{2,3}?", "aaaaa", "<><>a", 2 },
		{ "a{2,}", "aaaaa", "<>", 1 },
		{ "a{0}b", "aab", "aa<>", 1 },
		{ "(?:ab){2}", "ababab", "<>ab", 1 },
		{ "(?:ab){1,2}c", "abababc", "ab<>", 1 },
		{ "x|(?:ab){2,}", "abxababab", "ab<><>", 2 },
		{ "a{,2}", "aa{,2}", "a<>", 1 },
		{ "a.*b", "a1b2b", "<>", 1 },
		{ "a.*?b", "a1b2b", "<>2b", 1 },
		{ ".*", "abc", "<>", 1 },
	};

	check(cases, G_N_ELEMENTS(cases));
}

static void test_empty(void)
{
	static const Case cases[] = {
		{ "", "", "<>", 1 },
		{ "", "ab", "<>a<>b<>", 3 },
		{ "", "é", "<>é<>", 2 },
		{ "x*", "axb", "<>a<>b<>", 3 },
		{ "a*", "baac", "<>b<>c<>", 3 },
		{ "a*|b", "abab", "<>b<>b<>", 3 },
		{ "b*", "ab", "<>a<>", 2 },
		{ "$", "a", "a<>", 1 },
		{ "^", "a", "<>a", 1 },
		{ "(?m)^", "a\nb\n", "<>a\n<>b\n<>", 3 },
		{ "(?m)$", "a\nb", "a<>\nb<>", 2 },
		{ "\\b", "ab c", "<>ab<> <>c<>", 4 },
		/* Loops whose turns can be empty. */
		{ "(|a)*", "aa", "<>a<>a<>", 3 },
		{ "(|a)+", "aa", "<>a<>a<>", 3 },
		{ "(a|)*", "aa", "<>", 1 },
		{ "(a*)*", "aab", "<>b<>", 2 },
		{ "(a*)+", "b", "<>b<>", 2 },
		{ "(?:a?)*?b", "aab", "<>", 1 },
		{ "(?:a?\?)*b", "aab", "<>", 1 },
		{ "(?:|[ab])+(?:b|c)", "abc", "<>", 1 }, /* PCRE2 alone: "<>c" */
		{ "(?:^)*a", "aa", "<><>", 2 },
		{ "((\\w+?)*?)+a", "baa", "<><>", 2 },
		{ "((\\w\\w)*?)((\\w\\w)*?)+a", "baaba", "<>b<>", 2 },
		{ "(?:(?:a*)*){2,}b", "aab", "<>", 1 },
	};

	check(cases, G_N_ELEMENTS(cases));
}

static void test_places(void)
{
	static const Case cases[] = {
		{ "a$", "a\n", "a\n", 0 }, /* not before the last newline */
		{ "a$", "a", "<>", 1 },
		{ "a\\z", "a\n", "a\n", 0 },
		{ "(?m)a$", "a\na", "<>\n<>", 2 },
		{ "(?m)a\\z", "a\na", "a\n<>", 1 },
		{ "^a", "aa\na", "<>a\na", 1 },
		{ "(?m)^a", "aa\na", "<>a\n<>", 2 },
		{ "(?m)\\Aa", "aa\na", "<>a\na", 1 },
		{ "(?m)^$", "a\n\nb", "a\n<>\nb", 1 },
		{ "(?m)a$", "a\r\n", "a\r\n", 0 },
		{ ".", "a\nb\r", "<>\n<><>", 3 },
		{ "(?s).", "a\nb", "<><><>", 3 },
		{ "(?s:.)", "\n", "<>", 1 },
		{ "(?s)a(?-s).", "a\na", "a\na", 0 },
		{ "[^a]", "a\nb", "a<><>", 2 },
		{ "\\Bb", "ab b", "a<> b", 1 },
		{ "\\bé", "é", "é", 0 }, /* words are ASCII */
		{ "a\\b", "aé", "<>é", 1 },
		{ "\\B", "", "<>", 1 },
	};

	check(cases, G_N_ELEMENTS(cases));
}

static void test_classes(void)
{
	static const Case cases[] = {
		{ "\\d", "1٣a", "<>٣a", 1 },
		{ "\\w+", "a_1é", "<>é", 1 },
		{ "\\s", " \t\n\f\r\v\xc2\xa0", "<><><><><>\v\xc2\xa0", 5 },
		{ "\\W", "aé", "a<>", 1 },
		{ "[[:space:]]", "\v ", "<><>", 2 },
		{ "[[:word:]]", "_é", "<>é", 1 },
		{ "[[:^alpha:]]", "a1", "a<>", 1 },
		{ "[[:punct:]]", "a!~`[:", "a<><><><><>", 5 },
		{ "[[:cntrl:]]", "\x01\x7f ", "<><> ", 2 },
		{ "[[:graph:]]", "a ", "<> ", 1 },
		{ "[[:print:]]", "a \x7f", "<><>\x7f", 2 },
		{ "[[:blank:]]", " \t\n", "<><>\n", 2 },
		{ "[[:xdigit:]]+", "09afAFg", "<>g", 1 },
		{ "[[:ascii:]]", "aé", "<>é", 1 },
		{ "[[:word]", "w:[]", "<><><>]", 3 },
		{ "[]a]+", "]a[", "<>[", 1 },
		{ "[^]a]", "]a[", "]a<>", 1 },
		{ "[a-]", "-ab", "<><>b", 2 },
		{ "[\\d-z]", "1-zy", "<><><>y", 3 },
		{ "[\\]\\-]", "]-a", "<><>a", 2 },
		{ "[^\\d\\s]", "1 a", "1 <>", 1 },
		{ "[\\W\\d]", "a1-", "a<><>", 2 },
		{ "[^\\x00-\\x{10FFFF}]", "a", "a", 0 },
		{ "[^\\x00-\\x{10FFFF}]*", "a", "<>a<>", 2 },
		{ "[\\x00-\\x{10FFFF}]", "a\n", "<><>", 2 },
		{ "\\p{Greek}", "aα", "a<>", 1 },
		{ "\\P{Greek}", "aα", "<>α", 1 },
		{ "\\p{^Greek}", "aα", "<>α", 1 },
		{ "[^\\p{Greek}]", "aα", "<>α", 1 },
		{ "\\pL", "aα1", "<><>1", 2 },
		{ "\\p{Lu}", "aAΑ", "a<><>", 2 },
		{ "\\p{Any}", "a\n", "<><>", 2 },
		{ "\\P{Any}", "a", "a", 0 },
		{ "\\p{Nd}", "1٣", "<><>", 2 },
	};

	check(cases, G_N_ELEMENTS(cases));
}

static void test_case(void)
{
	static const Case cases[] = {
		{ "(?i)k", "kK\xe2\x84\xaa", "<><><>", 3 }, /* the kelvin sign */
		{ "(?i)S", "sSſ", "<><><>", 3 },
		{ "(?i)[a-z]", "Kſ\xe2\x84\xaa", "<><><>", 3 },
		{ "(?i)[^k]", "K\xe2\x84\xaaj", "K\xe2\x84\xaa<>", 1 },
		{ "(?i)\\w", "ſé", "<>é", 1 },
		{ "(?i)\\W", "ſé", "ſ<>", 1 },
		{ "(?i)é", "Éé", "<><>", 2 },
		{ "(?i)σ", "Σσς", "<><><>", 3 },
		{ "(?i)ß", "ßẞss", "<><>ss", 2 },
		{ "(?i)i", "iIİı", "<><>İı", 2 },
		{ "(?i)İ", "iIİı", "iI<>ı", 1 },
		{ "(?i)\\p{Lu}", "aA1", "<><>1", 2 },
		{ "(?i)\\P{Lu}", "aA1", "aA<>", 1 },
		{ "(?i)[[:upper:]]", "aA1", "<><>1", 2 },
		{ "(?i)a(?-i)b", "Ab AB", "<> AB", 1 },
		{ "(?i:a)b", "Ab AB", "<> AB", 1 },
		{ "((?i)a)b", "Ab AB", "<> AB", 1 },
		{ "a(?i)b|c", "aB C AB", "<> <> AB", 2 },
		{ "(?i)\\x41", "aA", "<><>", 2 },
		{ "(?i)\\Qa\\E", "aA", "<><>", 2 },
		{ "(?i)[_]", "_", "<>", 1 },
		/* What is no letter has a case too: a Roman numeral, a letter in a circle. */
		{ "(?i)\\x{2163}", "\xe2\x85\xb3", "<>", 1 },
		{ "(?i)\\x{24d0}", "\xe2\x92\xb6", "<>", 1 },
		{ "(?i)\xce\x99", "\xcd\x85\xce\xb9\xe1\xbe\xbe", "<><><>", 3 },
	};

	check(cases, G_N_ELEMENTS(cases));
}

static void test_literals(void)
{
	static const Case cases[] = {
		{ "\\Qa*b\\E+", "a*bb", "<>", 1 },
		{ "\\Qa.", "a.ab", "<>ab", 1 },
		{ "\\Q\\\\E", "\\", "<>", 1 },
		{ "\\x41\\x{e9}", "Aé", "<>", 1 },
		{ "\\101\\0101", "A\b1", "<>", 1 },
		{ "\\12", "\n", "<>", 1 },
		{ "\\777", "\xc7\xbf", "<>", 1 },
		{ "\\a\\f\\t\\v", "\a\f\t\v", "<>", 1 },
		{ "\\x{10FFFF}", "\xf4\x8f\xbf\xbf", "<>", 1 },
		{ "\\x{D800}", "\xed\xa0\x80", "\xed\xa0\x80", 0 },
		{ "\\<\\_\\%\\{", "<_%{", "<>", 1 },
		{ "%{\\?dist}", "1%{?dist}", "1<>", 1 },
		{ "a#b c", "a#b c", "<>", 1 },
		{ "(?P<n>a)(?<m>b)", "ab", "<>", 1 },
		{ "\\$\\{x\\}", "${x}", "<>", 1 },
	};

	check(cases, G_N_ELEMENTS(cases));
}

static void test_not_utf8(void)
{
	static const Case cases[] = {
		{ ".", "\xff", "<>", 1 },
		{ ".", "\xe2\x82", "<><>", 2 },
		{ ".", "\xed\xa0\x80", "<><><>", 3 },
		{ "\\x{FFFD}", "a\xff\xef\xbf\xbd", "a<><>", 2 },
		{ "a",
		  "\xff"
		  "a\xfe"
		  "a\xc3",
		  "\xff<>\xfe<>\xc3", 2 },
		{ "[^a]b",
		  "\xff"
		  "b\xff",
		  "<>\xff", 1 },
		{ "é", "\xc3\xc3\xa9\xa9", "\xc3<>\xa9", 1 },
		{ "", "\xff", "<>\xff<>", 2 },
		{ "\xc3\xbf", "\xff", "\xff", 0 },
		{ "\\b",
		  "\xff"
		  "a",
		  "\xff<>a<>", 2 },
	};
	static const Case nul = { "b", "a\0b", "a", 1 };
	g_autoptr(VarveRegex) regex = varve_regex_new("[^a]b", NULL);
	g_autoptr(GString) ret = g_string_new(NULL);
	guint n;

	check(cases, G_N_ELEMENTS(cases));
	check_length(&nul, 3); /* what is compared ends at the NUL */
	g_assert_true(varve_regex_replace(regex, "a\0b", 3, "", ret, &n, NULL));
	g_assert_cmpuint(n, ==, 1);
	g_assert_cmpstr(ret->str, ==, "a");
	g_assert_cmpuint(ret->len, ==, 1);
}

static void test_replacement(void)
{
	g_autoptr(VarveRegex) regex = varve_regex_new("(b)", NULL);
	g_autoptr(GString) ret = g_string_new(NULL);
	guint n;

	g_assert_true(varve_regex_replace(regex, "abc", 3, "$1\\1${1}&\n", ret, &n, NULL));
	g_assert_cmpstr(ret->str, ==, "a$1\\1${1}&\nc");
	g_string_truncate(ret, 0);
	/* As often as wanted, also after a match and for a part of a text. */
	g_assert_true(varve_regex_replace(regex, "bbbb", 2, "", ret, &n, NULL));
	g_assert_cmpuint(n, ==, 2);
	g_assert_cmpstr(ret->str, ==, "");
}

static gboolean match_many(const char *pattern, gsize length, GError **error)
{
	g_autofree char *text = g_strnfill(length, 'a');
	g_autoptr(GString) ret = g_string_new(NULL);
	g_autoptr(VarveRegex) regex = varve_regex_new(pattern, error);
	guint n = 0;

	if (!regex)
		return FALSE;
	text[length - 1] = 'b';
	return varve_regex_replace(regex, text, length, "", ret, &n, error);
}

/* Backtracking would take until the end of time: the automaton's way takes no time. */
static void test_hostile(void)
{
	static const char *const patterns[] = {
		"(a+)+$",
		"(a*)*$",
		"(a|aa)+$",
		"(a|a?)+$",
		"([^x]*a){2}$",
		"((a*)*)*$",
		"(?:(?:(?:a{2,})*){2,})*c",
		"^(([a-z])+.)+[A-Z]([a-z])+$",
		"(?:a?){30}a{40}c",
		"((?:.)(|b|){2}){0,}abc",
		"(?:a|a|a|a)*c",
		"(a{1,30}){1,30}c",
		/* From every place of one run the next would run over the rest anew. */
		"(.*)(.*)(.*)(.*)(.*)(.*)[^b]\\z",
		"(.*?)(.*?)(.*?)(.*?)(.*)(.*)[^b]\\z",
		".*a.*a.*a.*a[^b]\\z",
		"a+a+?a+a+?[^b]\\z",
		"a{3,}a{3,}a{3,}[^b]\\z",
		"(?:.*a){5}[^b]\\z",
		"(?:a?){16}(?:a*)(?:a*)[^b]\\z",
		"\\pL*[^b]\\z",
		"(\\pL*)(\\pL*)(\\pL+)[^b]\\z",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(patterns); i++) {
		g_autoptr(GError) error = NULL;

		match_many(patterns[i], 3000, &error);
		if (error)
			g_error("'%s': %s", patterns[i], error->message);
	}
}

/* Also in a search that has become careful the first way that fits is the one. */
static void test_careful(void)
{
	static const char *const patterns[] = {
		"(.*)(.*)(.*)[^a]\\z|a",       "(.*?)(.*?)(.*?)[^a]\\z|a",
		"(a+)(a+?)(a*)(a*?)[^a]\\z|a", "(?:(.*)a(.*)a)+[^a]\\z|a",
		"(a*)(a*)(a*)(aa)?[^a]\\z|a",
	};
	g_autofree char *text = g_strnfill(300, 'a');

	for (gsize i = 0; i < G_N_ELEMENTS(patterns); i++) {
		g_autoptr(VarveRegex) regex = varve_regex_new(patterns[i], NULL);
		g_autoptr(GString) ret = g_string_new(NULL);
		g_autoptr(GError) error = NULL;
		guint n = 0;

		varve_regex_replace(regex, text, 300, "", ret, &n, &error);
		g_assert_no_error(error);
		g_assert_cmpuint(n, ==, 300);
		g_assert_cmpuint(ret->len, ==, 0);
		varve_regex_replace(regex, "aaab", 4, "", ret, &n, &error);
		g_assert_no_error(error);
		g_assert_cmpuint(n, ==, 1);
		g_assert_cmpuint(ret->len, ==, 0);
	}
}

/* What would still take too long, or too much memory, is an error. */
static void test_limits(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) pattern = g_string_new(NULL);

	g_assert_true(match_many("(.*)(.*)(.*)(.*)(.*)(.*)[^b]\\z", 60000, &error));
	/* The automaton has as many states as these have turns. */
	g_assert_false(match_many(".{0,900}.{0,900}.{0,900}[^b]\\z", 60000, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
	g_assert_nonnull(strstr(error->message, "more steps"));
	g_clear_error(&error);
	g_assert_false(match_many("(?:\\pL|b){100}{2}", 10, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_USAGE);
	g_clear_error(&error);
	g_assert_false(match_many("(?:\\pL|bb){200}", 10, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
	g_assert_nonnull(strstr(error->message, "smaller counts"));
	g_clear_error(&error);
	for (int i = 0; i < 65537; i++)
		g_string_append_c(pattern, 'a');
	g_assert_false(match_many(pattern->str, 10, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
	g_assert_nonnull(strstr(error->message, "65537"));
}

static char *nested(const char *open, guint n)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < n; i++)
		g_string_append(text, open);
	g_string_append_c(text, 'a');
	for (guint i = 0; i < n; i++)
		g_string_append_c(text, ')');
	return g_string_free(text, FALSE);
}

static void test_depth(void)
{
	g_autofree char *captures = nested("(", 999), *more = nested("(", 1000);
	g_autofree char *plain = nested("(?:", 10000), *choices = nested("(?:b|b*", 400);
	g_autoptr(GError) error = NULL;

	g_assert_true(match_many(captures, 10, &error));
	g_assert_true(match_many(plain, 10, &error));
	g_assert_true(match_many(choices, 10, &error));
	g_assert_no_error(error);
	g_assert_false(match_many(more, 10, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_USAGE);
	g_assert_nonnull(strstr(error->message, "nested deeper than 1000"));
}

static void test_sets(void)
{
	g_autoptr(VarveRuneSet) set = varve_rune_set_new();
	const VarveRuneRange *ranges;
	gsize n;

	varve_rune_set_add(set, 'x', 'z');
	varve_rune_set_add(set, 'a', 'c');
	varve_rune_set_add(set, 'd', 'f');
	varve_rune_set_add(set, 'b', 'b');
	ranges = varve_rune_set_ranges(set, &n);
	g_assert_cmpuint(n, ==, 2);
	g_assert_cmpuint(ranges[0].first, ==, 'a');
	g_assert_cmpuint(ranges[0].last, ==, 'f');
	g_assert_true(varve_rune_set_has(set, 'y'));
	g_assert_false(varve_rune_set_has(set, 'g'));
	varve_rune_set_negate(set);
	g_assert_false(varve_rune_set_has(set, 'y'));
	g_assert_true(varve_rune_set_has(set, 'g'));
	g_assert_true(varve_rune_set_has(set, 0));
	g_assert_true(varve_rune_set_has(set, VARVE_RUNE_MAX));
	varve_rune_set_negate(set);
	ranges = varve_rune_set_ranges(set, &n);
	g_assert_cmpuint(n, ==, 2);
}

/* Whoever folds to one letter is in one set, seen from each of its members. */
static void test_folds(void)
{
	static const gunichar thetas[] = { 0x398, 0x3b8, 0x3d1, 0x3f4 };
	g_autoptr(VarveUnicode) unicode = varve_unicode_new();

	for (gsize i = 0; i < G_N_ELEMENTS(thetas); i++) {
		g_autoptr(VarveRuneSet) set = varve_unicode_cases(unicode, thetas[i]);

		for (gsize k = 0; k < G_N_ELEMENTS(thetas); k++)
			g_assert_true(varve_rune_set_has(set, thetas[k]));
	}
	for (gunichar rune = 0; rune < 0x80; rune++) {
		g_autoptr(VarveRuneSet) quick = varve_unicode_cases(unicode, rune);
		g_autoptr(VarveRuneSet) slow = varve_rune_set_new();
		gsize n_quick, n_slow;

		/* A character beyond ASCII takes the table's way. */
		varve_rune_set_add(slow, rune, rune);
		varve_rune_set_add(slow, 0x4e00, 0x4e00);
		varve_unicode_fold(unicode, slow);
		varve_rune_set_ranges(quick, &n_quick);
		varve_rune_set_ranges(slow, &n_slow);
		g_assert_cmpuint(n_quick + 1, ==, n_slow);
	}
}

/* 2 MiB of text would become 1 GiB. */
static void test_result_is_bounded(void)
{
	g_autofree char *text = g_strnfill(2 << 20, 'a'), *replacement = g_strnfill(512, 'b');
	g_autoptr(VarveRegex) regex = varve_regex_new("a", NULL);
	g_autoptr(GString) result = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	guint matches = 0;

	g_assert_false(
		varve_regex_replace(regex, text, 2 << 20, replacement, result, &matches, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
	g_assert_cmpuint(result->len, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/regex/what-go-accepts", test_accepted);
	g_test_add_func("/regex/what-is-wrong-is-told-with-its-place", test_wrong);
	g_test_add_func("/regex/what-re2-does-not-have-is-named", test_foreign);
	g_test_add_func("/regex/first-alternative-and-greed", test_order);
	g_test_add_func("/regex/empty-matches", test_empty);
	g_test_add_func("/regex/begin-end-and-newlines", test_places);
	g_test_add_func("/regex/classes", test_classes);
	g_test_add_func("/regex/case", test_case);
	g_test_add_func("/regex/literals", test_literals);
	g_test_add_func("/regex/texts-that-are-not-utf8", test_not_utf8);
	g_test_add_func("/regex/replacement-as-it-stands", test_replacement);
	g_test_add_func("/regex/hostile-expressions-are-quick", test_hostile);
	g_test_add_func("/regex/careful-searches-find-the-same", test_careful);
	g_test_add_func("/regex/limits", test_limits);
	g_test_add_func("/regex/depth", test_depth);
	g_test_add_func("/regex/sets", test_sets);
	g_test_add_func("/regex/folds", test_folds);
	g_test_add_func("/regex/result-is-bounded", test_result_is_bounded);
	return g_test_run();
}
