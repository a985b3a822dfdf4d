/* TOML: every span lies in the document, every key is found again, both readers agree. */
#include "toml/toml.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_span(VarveTomlSpan span, size_t size)
{
	if (span.start > span.end || span.end > size)
		__builtin_trap();
}

static void walk(const VarveToml *toml, const VarveTomlValue *value, size_t size, guint depth)
{
	check_span(value->span, size);
	if (depth > VARVE_TOML_MAX_DEPTH + 1)
		__builtin_trap();
	if (value->type == VARVE_TOML_STRING && value->string.text[value->string.size] != '\0')
		__builtin_trap();
	if (value->type == VARVE_TOML_ARRAY)
		for (guint32 i = 0; i < value->array.n; i++)
			walk(toml, value->array.items[i], size, depth + 1);
	if (value->type != VARVE_TOML_TABLE)
		return;
	TOML_FOREACH (entry, value) {
		check_span(entry->key_span, size);
		if (varve_toml_entry_sized(value, entry->key, entry->key_size) != entry)
			__builtin_trap();
		walk(toml, entry->value, size, depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GPtrArray) problems =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_toml_problem_free);
	g_autoptr(VarveToml) toml =
		varve_toml_parse_tolerant("input", (const char *)data, size, problems);
	g_autoptr(VarveToml) strict = varve_toml_parse("input", (const char *)data, size, NULL);

	if ((problems->len == 0) != (strict != NULL))
		__builtin_trap();
	walk(toml, varve_toml_root(toml), size, 0);
	for (guint i = 0; i < problems->len; i++) {
		const VarveTomlProblem *problem = problems->pdata[i];
		g_autofree char *message =
			varve_toml_message(toml, problem->span, problem->message);

		check_span(problem->span, size);
		if (!strstr(message, problem->message))
			__builtin_trap();
	}
	return 0;
}
