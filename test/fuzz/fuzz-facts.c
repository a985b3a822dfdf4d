/* Specs of anybody: macros, conditions, releases and changelogs, in bounded time. */
#include "component/autospec.h"
#include "component/facts.h"
#include "component/release.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	static const VarveSetting macros[] = { { .key = "_with_x", .value = "1" },
					       { .key = "loop", .value = "%{loop}%{loop}" } };
	g_autoptr(VarveSpecFacts) facts = varve_spec_facts(text, macros, G_N_ELEMENTS(macros));
	g_autofree char *release = varve_release_find(text, NULL), *applied = NULL, *entry = NULL;
	g_auto(GStrv) items = varve_changelog_items(valid);
	VarveAutospec autospec = { .number = 1, .changelog = valid };
	VarveAutospecUse use, again;

	varve_spec_facts_refers(facts, "some/name-1.0.tar.gz");
	varve_autospec_look(text, &use);
	applied = varve_autospec_apply(text, &use, &autospec);
	varve_autospec_look(applied, &again);
	/* What was worked out is not worked out again. */
	if ((use.autorelease || use.autochangelog) && !again.processed)
		__builtin_trap();
	entry = varve_changelog_entry("A <a@x.example>", (gint64)size, release,
				      (const char *const *)items);
	return 0;
}
