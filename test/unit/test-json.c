#include "base/json.h"

static void test_escaped(void)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
		{ "", "" },
		{ "a b\n\\\"", "a b\n\\\"" },
		{ "\303\244", "\303\244" },
		/* Escaped whole: what is valid beside it, too. */
		{ "\303\244\377\n", "\\303\\244\\377\\n" },
		{ "\355\240\200", "\\355\\240\\200" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(json_t) value = varve_json_escaped(cases[i].text);

		g_assert_cmpstr(json_string_value(value), ==, cases[i].json);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/json/escaped", test_escaped);
	return g_test_run();
}
