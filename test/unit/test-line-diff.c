/* component/line-diff.c: known differences, and random ones that patch(1)'s rules must undo. */
#include "component/line-diff.h"

#include <stdio.h>
#include <string.h>

static char *diff(const char *old, const char *new)
{
	GString *text = varve_line_diff(old, strlen(old), new, strlen(new), 3);

	return g_string_free(text, FALSE);
}

static void test_known(void)
{
	static const struct {
		const char *old, *new, *result;
	} cases[] = {
		{ "a\nb\n", "a\nb\n", "" },
		{ "", "a\n", "@@ -0,0 +1 @@\n+a\n" },
		{ "a\n", "", "@@ -1 +0,0 @@\n-a\n" },
		{ "a", "a\n", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n" },
		{ "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
		  "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n" },
		{ "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", "x\n0\n1\n2\n3\n4\n5\n6\n7\n8\n",
		  "@@ -1,3 +1,4 @@\n+x\n 0\n 1\n 2\n@@ -7,4 +8,3 @@\n 6\n 7\n "
		  "8\n-9\n" },
		{ "a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n",
		  "@@ -1,7 +1,6 @@\n-a\n-b\n c\n+b\n a\n b\n-b\n a\n+c\n" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *result = diff(cases[i].old, cases[i].new);

		g_assert_cmpstr(result, ==, cases[i].result);
	}
}

/* Applies a unified difference as patch(1) does. */
static char *apply(const char *old, const char *patch)
{
	g_auto(GStrv) before = g_strsplit(old, "\n", -1), lines = g_strsplit(patch, "\n", -1);
	g_autoptr(GString) text = g_string_new(NULL);
	guint at = 0;

	for (char **line = lines; *line && **line; line++) {
		unsigned int start = 0, count = 1;

		if (g_str_has_prefix(*line, "---") || g_str_has_prefix(*line, "+++"))
			continue;
		if (g_str_has_prefix(*line, "@@")) {
			g_assert_cmpint(sscanf(*line, "@@ -%u,%u", &start, &count), >=, 1);
			start -= count > 0;
			while (at < start)
				g_string_append_printf(text, "%s\n", before[at++]);
			continue;
		}
		if (**line != '+') {
			g_assert_cmpstr(before[at], ==, *line + 1);
			at++;
		}
		if (**line != '-')
			g_string_append_printf(text, "%s\n", *line + 1);
	}
	while (before[at] && before[at + 1])
		g_string_append_printf(text, "%s\n", before[at++]);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *random_text(guint lines, guint words)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < lines; i++)
		g_string_append_printf(text, "w%d\n", g_test_rand_int_range(0, (int)words));
	return g_string_free(text, FALSE);
}

static void test_random(void)
{
	for (guint i = 0; i < 2000; i++) {
		guint words = i % 3 == 0 ? 2 : 20;
		g_autofree char *old = random_text(i % 40, words),
				*new = random_text(i % 37, words);
		g_autofree char *patch = diff(old, new), *result = apply(old, patch);

		g_assert_cmpstr(result, ==, new);
	}
}

static void test_large(void)
{
	g_autofree char *old = random_text(20000, 1000000), *new = random_text(20000, 1000000);
	g_autofree char *patch = diff(old, new), *result = apply(old, patch);

	g_assert_cmpstr(result, ==, new);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/line-diff/known", test_known);
	g_test_add_func("/line-diff/random-can-be-applied", test_random);
	g_test_add_func("/line-diff/too-different", test_large);
	return g_test_run();
}
