/* component/components-lock.c and inputs.c: the lock as text, and what differs between two states.
 */
#include "component/components-lock.h"
#include "component/inputs.h"

#include "base/error.h"
#include "base/file.h"

#include <string.h>

#define SUM "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const char lock_text[] =
	"# What each component was made from. Written by 'varve component render'; its --update "
	"moves\n"
	"# what follows a branch or a snapshot.\nversion = 1\n\n"
	"\"a\".commit = \"c1\"\n\"a\".fingerprint = \"f1\"\n\"a\".pin = \"branch f43\"\n"
	"\"a\".source.\"x \\\"y\\\".tar\" = \"SHA256 " SUM "\"\n"
	"\"a\".source.\"z.tar\" = \"SHA256 " SUM "\"\n"
	"\"a\".spec = \"s1\"\n\"a\".upstream = \"fedora/43 a\"\n\n"
	"\"python3.13\".fingerprint = \"f2\"\n\"python3.13\".pin = \"local\"\n\"python3.13\".spec "
	"= \"s2\"\n";

static void test_round_trip(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveComponentsLock) lock = varve_components_lock_parse(
		lock_text, strlen(lock_text), VARVE_COMPONENTS_LOCK, &error);
	g_autofree char *text = NULL, *line = varve_components_lock_line("python3.13", "commit");
	const char *const kept[] = { "python3.13", NULL };
	const VarveComponentRecord *record;

	g_assert_no_error(error);
	text = varve_components_lock_print(lock);
	g_assert_cmpstr(text, ==, lock_text);
	record = varve_components_lock_find(lock, "a");
	g_assert_cmpstr(record->pin, ==, "branch f43");
	g_assert_nonnull(varve_sources_file_find(record->sources, "x \"y\".tar"));
	g_assert_cmpstr(line, ==, "\"python3.13\".commit = ");
	varve_components_lock_keep(lock, kept);
	g_assert_null(varve_components_lock_find(lock, "a"));
	g_assert_nonnull(varve_components_lock_find(lock, "python3.13"));
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		VarveError code;
	} cases[] = {
		{ "version = 2\n", VARVE_ERROR_UNSUPPORTED },
		{ "", VARVE_ERROR_UNSUPPORTED },
		{ "version = 1\n\"a\".commit = \"x\"\n", VARVE_ERROR_CORRUPT },
		{ "version = 1\n\"a\" = 1\n", VARVE_ERROR_CORRUPT },
		{ "version = 1\n\"a\".other = \"x\"\n", VARVE_ERROR_CORRUPT },
		{ "version = 1\n\"a\".source.\"../x\" = \"SHA256 " SUM "\"\n",
		  VARVE_ERROR_CORRUPT },
		{ "version = 1\n\"a\".source.\"x\" = \"SHA256 0\"\n", VARVE_ERROR_CORRUPT },
		{ "version = 1\n<<<<<<< ours\n", VARVE_ERROR_CORRUPT },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(varve_components_lock_parse(cases[i].text, strlen(cases[i].text),
							  "lock", &error));
		g_assert_error(error, VARVE_ERROR, (int)cases[i].code);
	}
}

/* The inputs of `demo` in a definition of this text. */
static GPtrArray *inputs_of(const char *text, const char *patch)
{
	g_autofree char *directory = g_dir_make_tmp("test-inputs-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(directory, "azldev.toml", NULL);
	g_autofree char *file = g_build_filename(directory, "fix.patch", NULL);
	g_autofree char *full =
		g_strconcat("[project]\ndefault-distro = { name = \"up\" "
			    "}\n[distros.up]\ndefault-version = \"1\"\n"
			    "[distros.up.versions.1]\nrelease-ver = \"1\"\n[components.demo]\n"
			    "spec = { type = \"upstream\", upstream-distro = { name = \"up\" } }\n",
			    text, NULL);
	g_autoptr(VarveDefinition) definition = NULL;
	g_autoptr(VarveEffective) effective = NULL;
	g_autoptr(GError) error = NULL;
	GPtrArray *inputs;

	g_assert_true(varve_file_write(AT_FDCWD, path, full, strlen(full), 0644, NULL));
	g_assert_true(varve_file_write(AT_FDCWD, file, patch, strlen(patch), 0644, NULL));
	definition = varve_definition_load(path, &error);
	g_assert_no_error(error);
	effective = varve_effective_new(definition, "demo", &error);
	g_assert_no_error(error);
	inputs = varve_component_inputs_new(definition, effective, NULL, &error);
	g_assert_no_error(error);
	g_assert_true(varve_dir_remove(AT_FDCWD, directory, NULL));
	return inputs;
}

#define OVERLAY(more) "[[components.demo.overlays]]\ntype = \"spec-set-tag\"\n" more "\n"
#define PATCH "[[components.demo.overlays]]\ntype = \"patch-add\"\nsource = \"fix.patch\"\n"
#define A OVERLAY("tag = \"Summary\"\nvalue = \"a\"")
#define B OVERLAY("tag = \"URL\"\nvalue = \"b\"")
#define C OVERLAY("tag = \"URL\"\nvalue = \"c\"")

static void test_same(void)
{
	static const char *const same[] = {
		"build.defines = { x = \"1\", y = \"2\" }\n" A PATCH,
		"# words\nbuild.defines = { y = \"2\", x = \"1\" }\n"
		"[[components.demo.overlays]]\nvalue = \"a\"\ntag = \"Summary\"\ndescription = "
		"\"why\"\n"
		"type = \"spec-set-tag\"\n" PATCH,
		/* What comes from a group is the same as what the component says. */
		PATCH "[component-groups.g]\ncomponents = [\"demo\"]\n"
		      "[component-groups.g.default-component-config]\n"
		      "build.defines = { x = \"1\", y = \"2\" }\n"
		      "[[component-groups.g.default-component-config.overlays]]\n"
		      "type = \"spec-set-tag\"\ntag = \"Summary\"\nvalue = \"a\"\n",
	};
	g_autofree char *first = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(same); i++) {
		g_autoptr(GPtrArray) inputs = inputs_of(same[i], "patch");
		g_autofree char *fingerprint = varve_component_inputs_fingerprint(inputs);

		if (!first)
			first = g_strdup(fingerprint);
		g_assert_cmpstr(fingerprint, ==, first);
	}
}

static void test_differences(void)
{
	static const struct {
		const char *before, *after;
		const char *reasons[4];
	} cases[] = {
		{ A, A, { NULL } },
		{ A, B, { "overlay 1 (spec-set-tag, azldev.toml:9) changed" } },
		{ A, A B, { "overlay 2 (spec-set-tag, azldev.toml:13) is new" } },
		{ A B, B, { "overlay 1 (spec-set-tag, azldev.toml:9) is gone" } },
		{ B, A B, { "overlay 1 (spec-set-tag, azldev.toml:9) is new" } },
		{ A B, B A, { "its overlays are in another order" } },
		{ A B, A C, { "overlay 2 (spec-set-tag, azldev.toml:13) changed" } },
		{ "build.with = [\"a\"]\n",
		  "build.with = [\"b\"]\n",
		  { "with b is new", "with a is gone" } },
		{ "build.defines = { x = \"1\" }\n",
		  "build.defines = { x = \"2\" }\n",
		  { "define x '1' → '2'" } },
		{ "build.check = { skip = true, skip_reason = \"a\" }\n",
		  "",
		  { "check.skip is gone" } },
		{ "", "release.calculation = \"manual\"\n", { "release.calculation is new" } },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GPtrArray) before = inputs_of(cases[i].before, ""),
				     after = inputs_of(cases[i].after, "");
		g_autoptr(GPtrArray) reasons = varve_component_inputs_compare(before, after);
		g_autofree char *old = varve_component_inputs_fingerprint(before);
		g_autofree char *new = varve_component_inputs_fingerprint(after);
		guint n = 0;

		for (; cases[i].reasons[n]; n++) {
			g_assert_cmpuint(reasons->len, >, n);
			g_assert_cmpstr(reasons->pdata[n], ==, cases[i].reasons[n]);
		}
		g_assert_cmpuint(reasons->len, ==, n);
		g_assert_cmpint(strcmp(old, new) == 0, ==, n == 0);
	}
}

static void test_file(void)
{
	g_autoptr(GPtrArray) before = inputs_of(PATCH, "one"), after = inputs_of(PATCH, "two");
	g_autoptr(GPtrArray) reasons = varve_component_inputs_compare(before, after);

	g_assert_cmpuint(reasons->len, ==, 1);
	g_assert_cmpstr(reasons->pdata[0], ==, "overlay 1 (patch-add, azldev.toml:9) changed");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/components-lock/round-trip", test_round_trip);
	g_test_add_func("/components-lock/refused", test_refused);
	g_test_add_func("/component-inputs/same-fingerprint", test_same);
	g_test_add_func("/component-inputs/differences", test_differences);
	g_test_add_func("/component-inputs/file-of-an-overlay", test_file);
	return g_test_run();
}
