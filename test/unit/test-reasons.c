/* policy/reasons.c: what a next step tells people to type is a verb of the programs, which the
 * completion lists that are generated from their tables know. */
#include "policy/policy.h"

#include <string.h>

/* "keys init" of the line "\t\"keys init\") …", "status" of "\t\"status \"*) …". */
static GPtrArray *verbs_of(const char *program)
{
	g_autofree char *path = g_build_filename(g_getenv("VARVE_COMPLETIONS"), program, NULL);
	GPtrArray *verbs = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	GError *error = NULL;

	g_file_get_contents(path, &text, NULL, &error);
	g_assert_no_error(error);
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		if (g_str_has_prefix(*line, "\t\""))
			g_ptr_array_add(verbs,
					g_strchomp(g_strndup(*line + 2, strcspn(*line + 2, "\""))));
	}
	return verbs;
}

static gboolean is_verb(const GPtrArray *verbs, const char *words)
{
	for (guint i = 0; i < verbs->len; i++) {
		const char *verb = verbs->pdata[i];
		gsize length = strlen(verb);

		if (strncmp(words, verb, length) == 0 &&
		    (words[length] == '\0' || words[length] == ' '))
			return TRUE;
	}
	return FALSE;
}

/* How often next steps name the program, each time with one of its verbs. */
static guint count_verbs(const char *program)
{
	g_autofree char *quoted = g_strdup_printf("'%s ", program);
	g_autoptr(GPtrArray) verbs = verbs_of(program);
	guint n = 0;

	g_assert_false(is_verb(verbs, "no-such-verb"));
	for (const VarveReasonCode *code = varve_policy_codes(); code->code; code++) {
		for (const char *at = code->next; (at = strstr(at, quoted)); n++) {
			g_autofree char *words = NULL;

			at += strlen(quoted);
			words = g_strndup(at, strcspn(at, "'"));
			if (!is_verb(verbs, words))
				g_error("%s: '%s %s' is no verb", code->code, program, words);
		}
	}
	return n;
}

static void test_verbs(void)
{
	g_assert_cmpuint(count_verbs("varve"), >, 0);
	g_assert_cmpuint(count_verbs("varvectl"), >, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/reasons/verbs", test_verbs);
	return g_test_run();
}
