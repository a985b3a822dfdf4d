/* What a package says of its component: the tag of its header. */
#include "base/json.h"
#include "build/requires.h"
#include "format/component-facts.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autofree char *coded = g_base64_encode(data, size);
	g_autofree char *tag = g_strdup_printf("varve:component/a;%s", coded);
	const char *const tags[] = { text, tag };
	g_auto(VarveSpecFacts) spec = { 0 };

	for (gsize i = 0; i < G_N_ELEMENTS(tags); i++) {
		g_autoptr(VarveComponentFacts) facts = NULL, again = NULL;
		g_autofree char *written = NULL;

		if (!varve_component_facts_is_tag(tags[i]))
			continue;
		facts = varve_component_facts_from_tag(tags[i], "fuzz", NULL);
		if (!facts)
			continue;
		/* What was accepted can be written and is accepted again. */
		written = varve_component_facts_to_tag(facts);
		again = varve_component_facts_from_tag(written, "fuzz", NULL);
		g_assert_nonnull(again);
	}
	if (varve_spec_facts_parse(text, "fuzz", &spec, NULL))
		g_assert_nonnull(spec.name);
	return 0;
}
