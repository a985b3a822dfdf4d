/* Records of generations: hostile text is an error, never a crash; what is accepted leads nowhere
 * out of the layers directory, speaks to no terminal, and is written the same way for ever. */
#include "stack/generation.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(VarveGeneration) generation =
		varve_generation_parse((const char *)data, size, "input", NULL);
	g_autoptr(VarveGeneration) again = NULL;
	g_autofree char *text = NULL, *repeated = NULL;

	if (!generation)
		return 0;
	check_text(generation->by);
	check_text(generation->why);
	check_text(generation->reason);
	if (*generation->outcome && strcmp(generation->outcome, VARVE_OUTCOME_FAILED) != 0)
		__builtin_trap();
	for (guint i = 0; i < generation->layers->len; i++) {
		const VarveGenerationLayer *layer = generation->layers->pdata[i];

		check_text(layer->file);
		if (strchr(layer->file, '/') || layer->file[0] == '.')
			__builtin_trap();
	}
	text = varve_generation_dump(generation);
	again = varve_generation_parse(text, strlen(text), "again", NULL);
	if (!again || !varve_generation_same(generation, again))
		__builtin_trap();
	repeated = varve_generation_dump(again);
	if (strcmp(text, repeated) != 0)
		__builtin_trap();
	return 0;
}
