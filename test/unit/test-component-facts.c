#include "format/component-facts.h"

#include "base/error.h"

#include <string.h>

static VarveComponentFacts *sample(void)
{
	static const char *const links[] = { "https://example.org/commit/1",
					     "https://example.org/bug/2", NULL };
	VarveComponentFacts *facts = varve_component_facts_new();

	g_free(facts->name);
	facts->name = g_strdup("libzstd");
	g_free(facts->upstream);
	facts->upstream = g_strdup("local");
	memset(facts->spec.bytes, 0x5a, sizeof(facts->spec.bytes));
	varve_component_facts_add(facts, &(VarveFactsOverlay){ .type = (char *)"patch-add",
							       .summary = (char *)"100 % faster",
							       .reason = (char *)"ünlike others",
							       .category = (char *)"azl-pruning",
							       .links = (char **)links });
	varve_component_facts_add(facts, &(VarveFactsOverlay){ .type = (char *)"check-skip" });
	return facts;
}

static void assert_same(const VarveComponentFacts *a, const VarveComponentFacts *b)
{
	g_autoptr(json_t) left = varve_component_facts_to_json(a);
	g_autoptr(json_t) right = varve_component_facts_to_json(b);

	g_assert_true(json_equal(left, right));
}

static void test_tag_round_trip(void)
{
	g_autoptr(VarveComponentFacts) facts = sample(), back = NULL, copy = NULL;
	g_autofree char *tag = varve_component_facts_to_tag(facts);
	g_autoptr(GError) error = NULL;

	g_assert_true(g_str_has_prefix(tag, "varve:component/libzstd;"));
	/* It becomes the value of a macro. */
	g_assert_null(strchr(tag, '%'));
	g_assert_null(strchr(tag, '\n'));
	back = varve_component_facts_from_tag(tag, "package", &error);
	g_assert_no_error(error);
	assert_same(facts, back);
	copy = varve_component_facts_copy(back);
	assert_same(facts, copy);
	g_assert_cmpstr(((VarveFactsOverlay *)copy->overlays->pdata[0])->reason, ==,
			"ünlike others");
}

static void test_texts_are_made_fit(void)
{
	g_autoptr(VarveComponentFacts) facts = sample();
	g_autofree char *endless = g_strnfill(3 * VARVE_FACTS_TEXT_MAX, 'x');
	g_autofree char *tag = NULL;
	g_autoptr(VarveComponentFacts) back = NULL;
	g_autoptr(GError) error = NULL;

	varve_component_facts_add(facts, &(VarveFactsOverlay){ .type = (char *)"file-add",
							       .summary = (char *)"a\nb\033[1m",
							       .reason = endless });
	tag = varve_component_facts_to_tag(facts);
	back = varve_component_facts_from_tag(tag, "package", &error);
	g_assert_no_error(error);
	g_assert_cmpuint(strlen(((VarveFactsOverlay *)back->overlays->pdata[2])->reason), <=,
			 VARVE_FACTS_TEXT_MAX);
}

/* The sample's JSON with one change, as a tag. */
static char *forged(const char *key, json_t *value)
{
	g_autoptr(VarveComponentFacts) facts = sample();
	g_autoptr(json_t) object = varve_component_facts_to_json(facts);
	g_autofree char *text = NULL, *coded = NULL;

	if (value)
		json_object_set_new(object, key, value);
	else
		json_object_del(object, key);
	text = varve_json_dump(object, TRUE);
	coded = g_base64_encode((const guchar *)text, strlen(text));
	return g_strdup_printf("varve:component/libzstd;%s", coded);
}

static json_t *many(guint n, json_t *one)
{
	json_t *array = json_array();

	for (guint i = 0; i < n; i++)
		json_array_append(array, one);
	json_decref(one);
	return array;
}

static void assert_refused(char *tag, const char *says)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(varve_component_facts_from_tag(tag, "package 'x'", &error));
	g_assert_nonnull(error);
	g_assert_nonnull(strstr(error->message, says));
	g_free(tag);
}

static void test_hostile_tags(void)
{
	json_t *overlay = json_pack("{s:s,s:s,s:s,s:s,s:s,s:[]}", "type", "x", "summary", "",
				    "reason", "", "category", "", "status", "", "links");
	json_t *loud = json_deep_copy(overlay);

	json_object_set_new(loud, "reason", json_string("\033]0;x\007"));
	assert_refused(g_strdup("varve:component/libzstd"), "DISTURL is not");
	assert_refused(g_strdup("varve:component/libzstd;"), "package 'x'");
	assert_refused(g_strdup("varve:component/libzstd;bm8="), "package 'x'");
	assert_refused(forged("name", json_string("other")), "names one component outside");
	assert_refused(forged("name", json_string("../libzstd")), "'name'");
	assert_refused(forged("name", NULL), "'name'");
	assert_refused(forged("more", json_true()), "'more'");
	assert_refused(forged("spec", json_string("5A")), "'spec'");
	assert_refused(forged("overlays", json_object()), "'overlays'");
	assert_refused(forged("overlays", many(1, loud)), "'reason' contains a control");
	assert_refused(forged("overlays", many(1, json_integer(1))), "not an object");
	assert_refused(forged("overlays", many(VARVE_FACTS_OVERLAYS_MAX + 1, overlay)),
		       "'overlays'");
}

static void test_tags_of_others(void)
{
	g_assert_false(varve_component_facts_is_tag("obs://build.example.org/Base/zstd"));
	g_assert_false(varve_component_facts_is_tag(""));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/component-facts/tag-round-trip", test_tag_round_trip);
	g_test_add_func("/component-facts/texts-are-made-fit", test_texts_are_made_fit);
	g_test_add_func("/component-facts/hostile-tags", test_hostile_tags);
	g_test_add_func("/component-facts/tags-of-others", test_tags_of_others);
	return g_test_run();
}
