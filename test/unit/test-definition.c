#include "definition/components.h"

#include <glib/gstdio.h>
#include <string.h>

static VarveDefinition *load(const char *path)
{
	g_autofree char *full =
		g_build_filename(g_getenv("G_TEST_SRCDIR"), "../data/definition", path, NULL);
	g_autoptr(GError) error = NULL;
	VarveDefinition *definition = varve_definition_load(full, &error);

	g_assert_no_error(error);
	return definition;
}

/* Azure Linux's own tree, as it is. */
static void test_azure_linux(void)
{
	const char *corpus = g_getenv("VARVE_CORPUS");
	g_autofree char *fallback =
		g_build_filename(g_getenv("G_TEST_SRCDIR"), "../../../shared/corpus", NULL);
	g_autofree char *path = g_build_filename(corpus ? corpus : fallback, "azurelinux4", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveDefinition) definition = NULL;
	const VarveComponent *kernel;

	if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
		g_test_skip("the corpus is not there; set VARVE_CORPUS");
		return;
	}
	definition = varve_definition_load(path, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(definition->components->n_components, >, 7000);
	kernel = varve_components_find(definition->components, "kernel", &error);
	g_assert_no_error(error);
	g_assert_cmpstr(kernel->origin.file, ==, "base/comps/kernel/kernel.comp.toml");
	g_assert_cmpint(kernel->release, ==, VARVE_RELEASE_MANUAL);
	g_assert_cmpstr(kernel->build.without[0], ==, "debug");
	g_assert_cmpuint(kernel->build.n_defines, ==, 3);
	g_assert_cmpstr(kernel->source_files[0].hash_type, ==, "SHA512");
	g_assert_cmpint(kernel->overlays[0].type, ==, VARVE_OVERLAY_SPEC_SEARCH_REPLACE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	(void)load;
	g_test_add_func("/definition/azure-linux", test_azure_linux);
	return g_test_run();
}
