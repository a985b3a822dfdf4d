/* Differences of lines: what is written, that it is true, and that it is the least. */
#include "component/line-diff.h"

#include <stdlib.h>
#include <string.h>

static void assert_diff(const char *before, const char *after, guint context, const char *expected)
{
	g_autoptr(GString) found =
		varve_line_diff(before, strlen(before), after, strlen(after), context);

	g_assert_cmpstr(found->str, ==, expected);
}

static void test_hunks(void)
{
	assert_diff("a\nb\nc\n", "a\nb\nc\n", 3, "");
	assert_diff("", "", 3, "");
	assert_diff("a\nb\nc\nd\ne\n", "a\nb\nX\nd\ne\n", 1, "@@ -2,3 +2,3 @@\n b\n-c\n+X\n d\n");
	assert_diff("a\nb\n", "a\nb\nc\n", 3, "@@ -1,2 +1,3 @@\n a\n b\n+c\n");
	assert_diff("b\n", "a\nb\n", 0, "@@ -0,0 +1 @@\n+a\n");
	assert_diff("a\nb\n", "b\n", 0, "@@ -1 +0,0 @@\n-a\n");
	assert_diff("", "a\n", 3, "@@ -0,0 +1 @@\n+a\n");
	assert_diff("a\n", "", 3, "@@ -1 +0,0 @@\n-a\n");
}

/* Changes whose surroundings touch are one hunk. */
static void test_distance(void)
{
	assert_diff("1\n2\n3\n4\n5\n", "x\n2\n3\n4\ny\n", 2,
		    "@@ -1,5 +1,5 @@\n-1\n+x\n 2\n 3\n 4\n-5\n+y\n");
	assert_diff("1\n2\n3\n4\n5\n", "x\n2\n3\n4\ny\n", 1,
		    "@@ -1,2 +1,2 @@\n-1\n+x\n 2\n@@ -4,2 +4,2 @@\n 4\n-5\n+y\n");
}

static void test_final_line_feed(void)
{
	assert_diff("a", "a\n", 3, "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
	assert_diff("a\nb", "x\nb", 3,
		    "@@ -1,2 +1,2 @@\n-a\n+x\n b\n\\ No newline at end of file\n");
}

static void test_any_bytes(void)
{
	static const char before[] = "a\0b\n\xff\n", after[] = "a\0c\n\xff\n";
	g_autoptr(GString) found =
		varve_line_diff(before, sizeof(before) - 1, after, sizeof(after) - 1, 0);

	g_assert_cmpmem(found->str, found->len, "@@ -1 +1 @@\n-a\0b\n+a\0c\n", 22);
}

/* What is written, with all of the text around, is both texts. */
static void assert_true_diff(const char *before, const char *after, const GString *diff)
{
	g_autoptr(GString) left = g_string_new(NULL), right = g_string_new(NULL);
	const char *at = strchr(diff->str, '\n');

	g_assert_nonnull(at);
	for (at++; *at;) {
		gsize size = strcspn(at, "\n") + 1;

		if (*at != '+')
			g_string_append_len(left, at + 1, (gssize)size - 1);
		if (*at != '-')
			g_string_append_len(right, at + 1, (gssize)size - 1);
		at += size;
	}
	g_assert_cmpstr(left->str, ==, before);
	g_assert_cmpstr(right->str, ==, after);
}

static guint count_changes(const GString *diff)
{
	guint n = 0;

	for (const char *at = diff->str; at && *at;
	     at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		n += *at == '+' || *at == '-';
	return n;
}

/* The longest common subsequence, by the textbook. */
static guint least_changes(const char *before, const char *after)
{
	g_auto(GStrv) left = g_strsplit(before, "\n", -1), right = g_strsplit(after, "\n", -1);
	guint n = *before ? g_strv_length(left) - 1 : 0;
	guint m = *after ? g_strv_length(right) - 1 : 0;
	g_autofree guint *common = g_new0(guint, (gsize)(n + 1) * (m + 1));

	for (guint i = 1; i <= n; i++)
		for (guint j = 1; j <= m; j++)
			common[i * (m + 1) + j] = strcmp(left[i - 1], right[j - 1]) == 0
							  ? common[(i - 1) * (m + 1) + j - 1] + 1
							  : MAX(common[(i - 1) * (m + 1) + j],
								common[i * (m + 1) + j - 1]);
	return n + m - 2 * common[n * (m + 1) + m];
}

static char *random_text(GRand *random, guint max, int letters)
{
	GString *text = g_string_new(NULL);
	gint32 n = g_rand_int_range(random, 0, (gint32)max);

	for (gint32 i = 0; i < n; i++)
		g_string_append_printf(text, "%c\n", 'a' + g_rand_int_range(random, 0, letters));
	return g_string_free(text, FALSE);
}

static void test_least(void)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(7);

	for (guint i = 0; i < 3000; i++) {
		int letters = 2 + (int)(i % 5);
		g_autofree char *before = random_text(random, 25, letters);
		g_autofree char *after = random_text(random, 25, letters);
		g_autoptr(GString) diff =
			varve_line_diff(before, strlen(before), after, strlen(after), 1000);

		if (strcmp(before, after) == 0) {
			g_assert_cmpuint(diff->len, ==, 0);
			continue;
		}
		assert_true_diff(before, after, diff);
		g_assert_cmpuint(count_changes(diff), ==, least_changes(before, after));
	}
}

/* Where too much differs the middle is replaced whole: still true, and soon. */
static void test_too_much(void)
{
	g_autoptr(GString) before = g_string_new("first\n"), after = g_string_new("first\n");
	g_autoptr(GString) diff = NULL;

	for (int i = 0; i < 20000; i++) {
		g_string_append_printf(before, "%d\n", i);
		g_string_append_printf(after, "%d\n", -i);
	}
	g_string_append(before, "last\n");
	g_string_append(after, "last\n");
	diff = varve_line_diff(before->str, before->len, after->str, after->len, 100000);
	assert_true_diff(before->str, after->str, diff);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/component/line-diff/hunks", test_hunks);
	g_test_add_func("/component/line-diff/distance", test_distance);
	g_test_add_func("/component/line-diff/final-line-feed", test_final_line_feed);
	g_test_add_func("/component/line-diff/any-bytes", test_any_bytes);
	g_test_add_func("/component/line-diff/least", test_least);
	g_test_add_func("/component/line-diff/too-much", test_too_much);
	return g_test_run();
}
