#include "toml/toml.h"

#include <math.h>
#include <string.h>

static VarveToml *parse(const char *text)
{
	g_autoptr(GError) error = NULL;
	VarveToml *toml = varve_toml_parse("t.toml", text, strlen(text), &error);

	g_assert_no_error(error);
	return toml;
}

static void assert_message(const char *text, gsize size, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveToml) toml = varve_toml_parse("t.toml", text, size, &error);

	g_assert_null(toml);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_DEFINITION);
	g_assert_cmpstr(error->message, ==, expected);
}

static void test_types(void)
{
	g_autoptr(VarveToml) toml = parse("s = \"a\\u00e9\\n\"\n"
					  "i = -9223372036854775808\n"
					  "h = 0xdead_beef\n"
					  "f = 6.25e-1\n"
					  "n = -inf\n"
					  "b = true\n"
					  "o = 1979-05-27 00:32:00.5-07:00\n"
					  "t = 07:32:00.123456789999\n"
					  "a = [1, \"two\", [3]]\n");
	const VarveTomlValue *root = varve_toml_root(toml), *value;

	value = varve_toml_get(root, "s");
	g_assert_cmpint(value->type, ==, VARVE_TOML_STRING);
	g_assert_cmpstr(value->string.text, ==, "aé\n");
	g_assert_cmpuint(value->string.size, ==, 4);
	g_assert_cmpint(varve_toml_get(root, "i")->integer, ==, G_MININT64);
	g_assert_cmpint(varve_toml_get(root, "h")->integer, ==, 0xdeadbeefll);
	g_assert_true(varve_toml_get(root, "f")->real == 0.625);
	g_assert_true(isinf(varve_toml_get(root, "n")->real));
	g_assert_true(varve_toml_get(root, "b")->boolean);
	value = varve_toml_get(root, "o");
	g_assert_cmpint(value->type, ==, VARVE_TOML_OFFSET_DATETIME);
	g_assert_cmpint(value->datetime.offset, ==, -420);
	g_assert_cmpuint(value->datetime.nanosecond, ==, 500000000);
	g_assert_cmpuint(varve_toml_get(root, "t")->datetime.nanosecond, ==, 123456789);
	value = varve_toml_get(root, "a");
	g_assert_cmpuint(value->array.n, ==, 3);
	g_assert_cmpint(value->array.items[2]->array.items[0]->integer, ==, 3);
	g_assert_null(varve_toml_get(root, "absent"));
}

static void test_how_tables_were_made(void)
{
	g_autoptr(VarveToml) toml = parse("d.x = 1\n[a.b]\nc = {k = 1}\n[[l]]\n[[l]]\ny = 2\n");
	const VarveTomlValue *root = varve_toml_root(toml), *a = varve_toml_get(root, "a");
	const VarveTomlValue *l = varve_toml_get(root, "l");
	static const char *const order[] = { "d", "a", "l" };
	gsize i = 0;

	g_assert_cmpint(varve_toml_get(root, "d")->made, ==, VARVE_TOML_DOTTED);
	g_assert_cmpint(a->made, ==, VARVE_TOML_IMPLIED);
	g_assert_cmpint(varve_toml_get(a, "b")->made, ==, VARVE_TOML_HEADER);
	g_assert_cmpint(varve_toml_get(varve_toml_get(a, "b"), "c")->made, ==, VARVE_TOML_INLINE);
	g_assert_cmpint(l->made, ==, VARVE_TOML_HEADER);
	g_assert_cmpuint(l->array.n, ==, 2);
	g_assert_cmpint(varve_toml_get(l->array.items[1], "y")->integer, ==, 2);
	TOML_FOREACH (entry, root)
		g_assert_cmpstr(entry->key, ==, order[i++]);
	g_assert_cmpuint(i, ==, 3);
}

static void test_spans(void)
{
	const char *text = "\xef\xbb\xbf\"é\" = 1\r\n[t]\r\n\tkey = \"välue\" # c\r\n";
	g_autoptr(VarveToml) toml = parse(text);
	const VarveTomlEntry *entry;
	g_autofree char *message = NULL;
	guint line, column;

	entry = varve_toml_entry(varve_toml_root(toml), "é");
	varve_toml_locate(toml, entry->key_span.start, &line, &column);
	g_assert_cmpuint(line, ==, 1);
	g_assert_cmpuint(column, ==, 1);
	varve_toml_locate(toml, entry->value->span.start, &line, &column);
	g_assert_cmpuint(column, ==, 7);
	entry = varve_toml_entry(varve_toml_get(varve_toml_root(toml), "t"), "key");
	varve_toml_locate(toml, entry->value->span.start, &line, &column);
	g_assert_cmpuint(line, ==, 3);
	g_assert_cmpuint(column, ==, 8);
	message = varve_toml_message(toml, entry->value->span, "bad");
	g_assert_cmpstr(message, ==,
			"t.toml:3:8: bad\n    3 | \tkey = \"välue\" # c\n      | \t      ^^^^^^^");
}

static void test_long_lines_are_cut(void)
{
	g_autoptr(GString) text = g_string_new("a = [");
	g_autoptr(VarveToml) toml = NULL;
	g_autofree char *message = NULL;
	const VarveTomlValue *array;

	for (guint i = 0; i < 1000; i++)
		g_string_append(text, "100, ");
	g_string_append(text, "]\n");
	toml = parse(text->str);
	array = varve_toml_get(varve_toml_root(toml), "a");
	message = varve_toml_message(toml, array->array.items[500]->span, "here");
	g_assert_cmpuint(strlen(message), <, 300);
	g_assert_true(g_str_has_suffix(message, " ^^^"));
}

static void test_messages(void)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "a = 1\na = 2\n", "t.toml:2:1: 'a' was already set on line 1\n"
				    "    2 | a = 2\n      | ^" },
		{ "a = yes\n", "t.toml:1:5: yes is not a value; a string needs quotes\n"
			       "    1 | a = yes\n      |     ^^^" },
		{ "a = \"x\n", "t.toml:1:5: this string does not end on its line\n"
			       "    1 | a = \"x\n      |     ^^" },
		{ "a = 2026-02-29\n",
		  "t.toml:1:5: 2026-02-29 is not a date (and time) that exists\n"
		  "    1 | a = 2026-02-29\n      |     ^^^^^^^^^^" },
		{ "[a]\nb = 1 c = 2\n",
		  "t.toml:2:7: expected the end of the line behind the value, found 'c'\n"
		  "    2 | b = 1 c = 2\n      |       ^" },
		{ "a = {b = 1,}\n", "t.toml:1:11: an inline table must not end with a comma\n"
				    "    1 | a = {b = 1,}\n      |           ^" },
		{ "a = 0644\n", "t.toml:1:5: 0644 must not start with a zero; octal is 0o…\n"
				"    1 | a = 0644\n      |     ^^^^" },
		{ "a.b = 1\n[a]\nc = 1\n", "t.toml:2:2: 'a' was already defined on line 1\n"
					   "    2 | [a]\n      |  ^" },
		{ "a = \"\xff\"\n",
		  "t.toml:1:6: the byte 0xff is not UTF-8; save the file as UTF-8\n"
		  "    1 | a = \"\xff\"\n      |      ^" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_message(cases[i].text, strlen(cases[i].text), cases[i].message);
}

static void test_all_problems_at_once(void)
{
	const char *text = "a = yes\nb = [1,\n  2 3,\n]\n[t\nc = \"\\q \\w\"\n[u]\nd = 1\nd = 2\n";
	g_autoptr(GPtrArray) problems =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_toml_problem_free);
	g_autoptr(VarveToml) toml = varve_toml_parse_tolerant("t", text, strlen(text), problems);
	static const guint lines[] = { 1, 3, 5, 6, 6, 9 };
	const VarveTomlValue *u;

	g_assert_cmpuint(problems->len, ==, G_N_ELEMENTS(lines));
	for (guint i = 0; i < problems->len; i++) {
		const VarveTomlProblem *problem = problems->pdata[i];
		guint line, column;

		varve_toml_locate(toml, problem->span.start, &line, &column);
		g_assert_cmpuint(line, ==, lines[i]);
	}
	u = varve_toml_get(varve_toml_root(toml), "u");
	g_assert_cmpint(varve_toml_get(u, "d")->integer, ==, 1);
}

static void assert_refused(const char *text, gsize size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveToml) toml = varve_toml_parse("t", text, size, &error);

	g_assert_null(toml);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_DEFINITION);
}

static void test_depth(void)
{
	static const char *const openers[] = { "[", "{a=", "a.", "[{a=" };

	for (gsize i = 0; i < G_N_ELEMENTS(openers); i++) {
		g_autoptr(GString) text = g_string_new("x = ");

		if (*openers[i] == 'a')
			g_string_assign(text, "");
		for (guint n = 0; n < 1000000 / strlen(openers[i]); n++)
			g_string_append(text, openers[i]);
		assert_refused(text->str, text->len);
		if (*openers[i] != 'a')
			continue;
		g_string_append(text, "b = 1\n");
		assert_refused(text->str, text->len);
		g_string_prepend(text, "[");
		assert_refused(text->str, text->len);
	}
}

static void test_depth_that_is_allowed(void)
{
	g_autoptr(GString) text = g_string_new("x = ");
	g_autoptr(VarveToml) toml = NULL;

	for (guint n = 0; n < VARVE_TOML_MAX_DEPTH; n++)
		g_string_append_c(text, '[');
	for (guint n = 0; n < VARVE_TOML_MAX_DEPTH; n++)
		g_string_append_c(text, ']');
	toml = parse(text->str);
	g_assert_nonnull(toml);
}

static void test_size(void)
{
	gsize size = VARVE_TOML_MAX_SIZE + 1;
	g_autofree char *text = g_malloc(size);

	memset(text, '\n', size);
	assert_refused(text, size);
}

/* Every document cut at every byte, and with every byte replaced: no crash, no endless loop. */
static void test_damaged(void)
{
	static const char text[] = "\xef\xbb\xbf# c\r\n\"a b\".c = 'x'\n[t.\"u\"] # d\n"
				   "i = [1, 0x1_f, -1.5e+3, nan, 07:32:00.5, {x.y = 1979-05-27T"
				   "07:32:00Z, z = \"\"\"\\\n  é\\u00e9\"\"\"}, [ ]]\n[[l]]\n"
				   "m = '''\nraw''''\n";
	static const char bytes[] = "\0\n\r\"'[]{}=.,#\\\x7f\xc3 -_+0";

	for (gsize cut = 0; cut < sizeof(text); cut++) {
		g_autoptr(VarveToml) toml = varve_toml_parse("t", text, cut, NULL);
	}
	for (gsize i = 0; i < sizeof(text) - 1; i++) {
		for (gsize j = 0; j < sizeof(bytes) - 1; j++) {
			g_autofree char *damaged = g_memdup2(text, sizeof(text) - 1);
			g_autoptr(VarveToml) toml = NULL;

			damaged[i] = bytes[j];
			toml = varve_toml_parse("t", damaged, sizeof(text) - 1, NULL);
		}
	}
}

static void test_big_tables(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(VarveToml) toml = NULL;
	const VarveTomlValue *root;

	for (guint i = 0; i < 100000; i++)
		g_string_append_printf(text, "key-%u = %u\n", i, i);
	toml = parse(text->str);
	root = varve_toml_root(toml);
	g_assert_cmpuint(root->table.n, ==, 100000);
	for (guint i = 0; i < 100000; i += 37) {
		g_autofree char *key = g_strdup_printf("key-%u", i);

		g_assert_cmpint(varve_toml_get(root, key)->integer, ==, i);
	}
	g_assert_null(varve_toml_get(root, "key-100000"));
	g_string_append(text, "key-5 = 1\n");
	assert_refused(text->str, text->len);
}

static void test_typed_access(void)
{
	g_autoptr(VarveToml) toml = parse("s = \"x\"\nn = 7\nb = true\nl = [\"a\", \"b\"]\n"
					  "m = [\"a\", 1]\nz = \"\\u0000\"\n[t]\n[[a]]\n");
	const VarveTomlValue *root = varve_toml_root(toml), *table = NULL;
	static const char *const known[] = { "s", "n", "b", "l", "m", "z", "t", NULL };
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) strings = NULL;
	const char *string = "default";
	gboolean boolean = FALSE;
	gint64 integer = 0;

	g_assert_true(varve_toml_read_string(toml, root, "q", FALSE, &string, NULL));
	g_assert_cmpstr(string, ==, "default");
	g_assert_true(varve_toml_read_string(toml, root, "s", TRUE, &string, NULL));
	g_assert_cmpstr(string, ==, "x");
	g_assert_true(varve_toml_read_integer(toml, root, "n", TRUE, 0, 10, &integer, NULL));
	g_assert_cmpint(integer, ==, 7);
	g_assert_true(varve_toml_read_boolean(toml, root, "b", TRUE, &boolean, NULL));
	g_assert_true(boolean);
	g_assert_true(varve_toml_read_strings(toml, root, "l", TRUE, &strings, NULL));
	g_assert_cmpuint(g_strv_length(strings), ==, 2);
	g_assert_true(varve_toml_read_table(toml, root, "t", TRUE, &table, NULL));
	g_assert_true(varve_toml_read_tables(toml, root, "a", TRUE, &table, NULL));
	g_assert_cmpuint(table->array.n, ==, 1);

	g_assert_false(varve_toml_read_string(toml, root, "q", TRUE, &string, NULL));
	g_assert_false(varve_toml_read_string(toml, root, "n", FALSE, &string, NULL));
	g_assert_false(varve_toml_read_string(toml, root, "z", FALSE, &string, NULL));
	g_assert_false(varve_toml_read_integer(toml, root, "n", TRUE, 0, 6, &integer, NULL));
	g_assert_false(varve_toml_read_strings(toml, root, "m", TRUE, &strings, NULL));
	g_assert_false(varve_toml_read_tables(toml, root, "l", TRUE, &table, NULL));
	g_assert_false(varve_toml_check_keys(toml, root, known, &error));
	g_assert_nonnull(strstr(error->message, "t.toml:8:3: unknown key 'a'"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/toml/types", test_types);
	g_test_add_func("/toml/how-tables-were-made", test_how_tables_were_made);
	g_test_add_func("/toml/spans", test_spans);
	g_test_add_func("/toml/long-lines-are-cut", test_long_lines_are_cut);
	g_test_add_func("/toml/messages", test_messages);
	g_test_add_func("/toml/all-problems-at-once", test_all_problems_at_once);
	g_test_add_func("/toml/depth-is-limited", test_depth);
	g_test_add_func("/toml/depth-that-is-allowed", test_depth_that_is_allowed);
	g_test_add_func("/toml/size-is-limited", test_size);
	g_test_add_func("/toml/damaged", test_damaged);
	g_test_add_func("/toml/big-tables", test_big_tables);
	g_test_add_func("/toml/typed-access", test_typed_access);
	return g_test_run();
}
