/* build/test/spec-query: small questions about specs, for the cases of other projects: a JSON
 * object on standard input, one on standard output. Which ones: the table below. */
#include "component/loose-files.h"
#include "component/render.h"

#include <jansson.h>
#include <string.h>

static const char *text_of(const json_t *query, const char *key)
{
	const char *text = json_string_value(json_object_get(query, key));

	return text ? text : "";
}

static VarveSpec *spec_of(const json_t *query)
{
	const char *text = text_of(query, "spec");

	return varve_spec_parse("query", text, strlen(text), NULL);
}

static const char **texts_of(const json_t *array)
{
	const char **texts = g_new0(const char *, json_array_size(array) + 1);

	for (size_t i = 0; i < json_array_size(array); i++)
		texts[i] = json_string_value(json_array_get(array, i));
	return texts;
}

static json_t *header(const json_t *query)
{
	g_autofree const char **tokens = texts_of(json_object_get(query, "tokens"));
	g_autofree char *package = varve_spec_package_of(tokens);

	return json_pack("{s:s}", "package", package);
}

static json_t *highest_patch(const json_t *query)
{
	g_autoptr(VarveSpec) spec = spec_of(query);

	return json_pack("{s:I}", "number", (json_int_t)varve_spec_highest_patch(spec));
}

static json_t *patch_number(const json_t *query)
{
	gint64 number;

	if (!varve_spec_patch_number(text_of(query, "tag"), &number))
		return json_pack("{s:b}", "not_a_patchN_tag", TRUE);
	return json_pack("{s:I}", "number", (json_int_t)number);
}

static json_t *has_section(const json_t *query)
{
	g_autoptr(VarveSpec) spec = spec_of(query);

	return json_pack("{s:b}", "has", varve_spec_has_section(spec, text_of(query, "section")));
}

static json_t *git_path(const json_t *query)
{
	const char *path = text_of(query, "path");

	return json_pack("{s:b}", "internal", varve_loose_is_git(path + strspn(path, "/")));
}

static json_t *tag_value(const json_t *query)
{
	g_autoptr(VarveSpec) spec = spec_of(query);
	g_autofree char *value = varve_spec_tag(spec, "", text_of(query, "tag"));

	return value ? json_pack("{s:s}", "value", value) : json_pack("{s:b}", "error", TRUE);
}

static json_t *macros(const json_t *query)
{
	json_t *build = json_object_get(query, "build"), *value;
	g_autofree const char **with = texts_of(json_object_get(build, "with"));
	g_autofree const char **without = texts_of(json_object_get(build, "without"));
	g_autofree const char **undefines = texts_of(json_object_get(build, "undefines"));
	g_autoptr(GArray) defines = g_array_new(FALSE, TRUE, sizeof(VarveSetting));
	VarveComponentBuild settings = { .with = with, .without = without, .undefines = undefines };
	g_autofree char *text = NULL;
	const char *key;

	json_object_foreach (json_object_get(build, "defines"), key, value) {
		VarveSetting setting = { .key = key, .value = json_string_value(value) };

		g_array_append_val(defines, setting);
	}
	settings.defines = (const VarveSetting *)(gpointer)defines->data;
	settings.n_defines = defines->len;
	text = varve_render_macros(&settings);
	return json_pack("{s:s}", "text", text ? text : "");
}

int main(void)
{
	static const struct {
		const char *query;
		json_t *(*answer)(const json_t *query);
	} table[] = {
		{ "section-header", header },     { "highest-patch", highest_patch },
		{ "patch-number", patch_number }, { "has-section", has_section },
		{ "git-path", git_path },         { "tag-value", tag_value },
		{ "macros-file", macros },
	};
	json_t *query = json_loadf(stdin, 0, NULL), *answer = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
		if (strcmp(text_of(query, "query"), table[i].query) == 0)
			answer = table[i].answer(query);
	if (answer)
		json_dumpf(answer, stdout, JSON_COMPACT);
	json_decref(query);
	json_decref(answer);
	return answer ? 0 : 2;
}
