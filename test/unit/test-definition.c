#include "definition/components.h"

#include "base/error.h"
#include "base/file.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <string.h>

static char *data_path(const char *name)
{
	return g_build_filename(g_getenv("G_TEST_SRCDIR"), "../data/definition", name, NULL);
}

static VarveDefinition *load(const char *name)
{
	g_autofree char *path = data_path(name);
	g_autoptr(GError) error = NULL;
	VarveDefinition *definition = varve_definition_load(path, &error);

	g_assert_no_error(error);
	return definition;
}

/* (nullable) the corpus' @name; NULL after saying that the test was skipped. */
static char *corpus_path(const char *name)
{
	const char *corpus = g_getenv("VARVE_CORPUS");
	g_autofree char *beside =
		g_build_filename(g_getenv("G_TEST_SRCDIR"), "../../../shared/corpus", NULL);
	g_autofree char *path = g_build_filename(corpus ? corpus : beside, name, NULL);

	if (g_file_test(path, G_FILE_TEST_EXISTS))
		return g_steal_pointer(&path);
	g_test_skip("the corpus is not there; set VARVE_CORPUS");
	return NULL;
}

static void test_project_and_os(void)
{
	g_autoptr(VarveDefinition) definition = load("good");
	g_autofree char *good = data_path("good"), *root = g_canonicalize_filename(good, NULL);
	g_autofree char *result = g_canonicalize_filename("../result", root);
	g_autofree char *work = g_build_filename(root, "build/work", NULL);

	g_assert_cmpstr(definition->directory, ==, root);
	g_assert_cmpstr(definition->project.output_dir, ==, result);
	g_assert_cmpstr(definition->project.work_dir, ==, work);
	g_assert_cmpstr(definition->os.id, ==, "test");
	g_assert_cmpstr(definition->os.released, ==, "2024-02-29");
	g_assert_cmpint(definition->os.released_time, ==, 1709164800);
	g_assert_cmpstr(definition->os.origin.file, ==, "varve.toml");
	g_assert_cmpuint(definition->os.origin.line, ==, 8);
}

/* A pattern may name its own file, two may name the same, one may name none. */
static void test_includes(void)
{
	g_autoptr(VarveDefinition) definition = load("good");
	static const char *const names[] = { "varve.toml",
					     "components.toml",
					     "editions.toml",
					     "more-components.toml",
					     "package-sets.toml",
					     "upstreams.toml",
					     "layers/base.toml",
					     "layers/deep/ssh.toml",
					     "0001-fix.overlay.toml",
					     "0001-prune.overlay.toml" };

	g_assert_cmpuint(definition->n_files, ==, G_N_ELEMENTS(names));
	for (gsize i = 0; i < definition->n_files; i++)
		g_assert_true(g_str_has_suffix(definition->files[i], names[i]));
}

static void test_upstreams(void)
{
	g_autoptr(VarveDefinition) definition = load("good");
	const VarveUpstream *debian = varve_definition_upstream(definition, "debian-trixie", NULL);
	const VarveUpstream *fedora = varve_definition_upstream(definition, "fedora-43", NULL);

	g_assert_cmpint(debian->type, ==, VARVE_UPSTREAM_DEBIAN);
	g_assert_cmpstr(debian->archive_components[1], ==, "contrib");
	g_assert_cmpstr(debian->keyring, ==, "/usr/share/keyrings/debian-archive-keyring.gpg");
	g_assert_cmpuint(debian->n_repositories, ==, 0);
	g_assert_cmpint(fedora->type, ==, VARVE_UPSTREAM_RPM_MD);
	g_assert_cmpuint(fedora->n_repositories, ==, 2);
	g_assert_cmpstr(fedora->repositories[0].name, ==, "fedora-43");
	g_assert_nonnull(fedora->repositories[0].metalink);
	g_assert_true(
		g_str_has_suffix(fedora->repositories[0].gpg_keys[0], "/good/keys/fedora.asc"));
	g_assert_cmpstr(fedora->repositories[1].name, ==, "fedora-43-updates");
	g_assert_cmpstr(fedora->repositories[1].releasever, ==, "43");
	g_assert_cmpuint(fedora->repositories[1].max_age_days, ==, 3);
	g_assert_cmpstr(fedora->repositories[1].gpg_keys[0], ==,
			fedora->repositories[0].gpg_keys[0]);
}

static void test_base_layer(void)
{
	g_autoptr(VarveDefinition) definition = load("good");
	const VarveLayerDefinition *base = varve_definition_layer(definition, "base", NULL);
	static const VarveEntryKind kinds[] = { VARVE_ENTRY_DIRECTORY, VARVE_ENTRY_FILE,
						VARVE_ENTRY_FILE, VARVE_ENTRY_LINK,
						VARVE_ENTRY_MODE };

	g_assert_cmpint(base->role, ==, VARVE_ROLE_BASE);
	g_assert_cmpuint(base->rollback_index, ==, 7);
	g_assert_cmpstr(base->key, ==, "base");
	g_assert_cmpstr(base->keep[0], ==, "/usr/share/doc/*/copyright");
	g_assert_cmpuint(base->groups[0].gid, ==, 900);
	g_assert_cmpstr(base->users[0].shell, ==, "/usr/sbin/nologin");
	g_assert_cmpstr(base->users[0].group, ==, "web");
	g_assert_cmpuint(base->n_entries, ==, G_N_ELEMENTS(kinds));
	for (gsize i = 0; i < base->n_entries; i++)
		g_assert_cmpint(base->entries[i].kind, ==, kinds[i]);
	g_assert_cmpint(base->entries[0].mode, ==, 0755);
	g_assert_cmpint(base->entries[1].mode, ==, 0600);
	g_assert_cmpstr(base->entries[1].user, ==, "web");
	g_assert_cmpstr(base->entries[1].group, ==, "root");
	g_assert_cmpuint(base->entries[1].content_size, ==, 6);
	/* Continued in another file, whose paths are relative to that file. */
	g_assert_true(g_str_has_suffix(base->entries[2].source, "/good/layers/base.toml"));
	g_assert_cmpstr(base->entries[2].origin.file, ==, "layers/deep/ssh.toml");
	g_assert_cmpint(base->entries[4].mode, ==, 04755);
	g_assert_null(base->entries[4].user);
	g_assert_cmpuint(base->n_sysctl, ==, 3);
	g_assert_cmpstr(base->sysctl[0].value, ==, "0");
	g_assert_cmpstr(base->sysctl[1].value, ==, "fq");
	g_assert_cmpstr(base->sysctl[2].value, ==, "1");
	g_assert_cmpstr(base->disable[0], ==, "*");
}

static void test_trusted_keys(void)
{
	g_autoptr(VarveDefinition) definition = load("good");
	const VarveEdition *container = varve_definition_edition(definition, "container", NULL);

	g_assert_cmpstr(container->trusted_keys[0], ==, "security");
	g_assert_null(container->trusted_keys[1]);
}

static void test_defaults(void)
{
	g_autoptr(VarveDefinition) definition = load("good");
	const VarveLayerDefinition *ssh = varve_definition_layer(definition, "ssh", NULL);
	const VarveEdition *plain = varve_definition_edition(definition, "plain", NULL);

	g_assert_cmpuint(ssh->rollback_index, ==, 1);
	g_assert_cmpstr(ssh->key, ==, "team");
	g_assert_cmpstr(ssh->description, ==, "");
	g_assert_null(ssh->version_from);
	g_assert_null(ssh->exclude[0]);
	g_assert_null(ssh->enable[0]);
	g_assert_cmpuint(ssh->n_users, ==, 0);
	g_assert_cmpstr(plain->variant_id, ==, "plain");
	g_assert_null(plain->arch);
	g_assert_null(plain->policy);
	g_assert_null(plain->trusted_keys[0]);
	g_assert_null(plain->kernel_command_line[0]);
	g_assert_cmpuint(plain->state_size, ==, 0);
	g_assert_null(varve_edition_support_end(definition, plain));
	g_assert_cmpint(plain->code_integrity, ==, VARVE_CODE_INTEGRITY_OFF);
}

static void test_swap(void)
{
	g_autoptr(VarveDefinition) definition = load("good");
	const VarveLayerDefinition *ssh = varve_definition_layer(definition, "ssh", NULL);
	const VarveLayerDefinition *base = varve_definition_layer(definition, "base", NULL);

	g_assert_cmpstr(ssh->restart[1], ==, "ssh@1.service");
	g_assert_cmpstr(ssh->reload[0], ==, "a.service");
	g_assert_cmpstr(ssh->ask[0], ==, "b.service");
	g_assert_cmpuint(ssh->n_checks, ==, 2);
	g_assert_cmpstr(ssh->checks[0].unit, ==, "ssh.service");
	g_assert_null(ssh->checks[0].command[0]);
	g_assert_cmpuint(ssh->checks[0].timeout, ==, VARVE_CHECK_TIMEOUT);
	g_assert_null(ssh->checks[1].unit);
	g_assert_cmpstr(ssh->checks[1].command[1], ==, "-t");
	g_assert_cmpuint(ssh->checks[1].timeout, ==, 120);
	g_assert_cmpuint(base->n_checks, ==, 0);
	g_assert_null(base->reload[0]);
}

static void test_edition(void)
{
	g_autoptr(VarveDefinition) definition = load("good");
	const VarveEdition *edition = varve_definition_edition(definition, "container", NULL);
	g_autofree char *end = varve_edition_support_end(definition, edition);

	g_assert_true(edition->base == varve_definition_layer(definition, "base", NULL));
	g_assert_cmpuint(edition->n_extensions, ==, 1);
	g_assert_true(edition->extensions[0] == varve_definition_layer(definition, "ssh", NULL));
	g_assert_cmpstr(edition->upstream->name, ==, "debian-trixie");
	g_assert_cmpstr(edition->arch, ==, "arm64");
	g_assert_cmpuint(edition->state_size, ==, (guint64)2 << 30);
	g_assert_cmpuint(edition->slot_size, ==, (guint64)512 << 20);
	g_assert_cmpstr(edition->kernel_command_line[1], ==, "console=ttyS0");
	g_assert_cmpint(edition->code_integrity, ==, VARVE_CODE_INTEGRITY_AUDIT);
	g_assert_cmpstr(end, ==, "2026-02-28");
}

static void test_packages(void)
{
	g_autoptr(VarveDefinition) definition = load("good");
	const VarveLayerDefinition *ssh = varve_definition_layer(definition, "ssh", NULL);
	const VarveUpstream *debian = varve_definition_upstream(definition, "debian-trixie", NULL);
	const VarveUpstream *fedora = varve_definition_upstream(definition, "fedora-43", NULL);
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) packages =
		varve_layer_definition_packages(ssh, debian, "arm64", "aarch64", &error);
	g_autofree char *joined = NULL;

	g_assert_no_error(error);
	joined = g_strjoinv(" ", packages);
	g_assert_cmpstr(joined, ==, "openssh-server bash libc6 linux-image-cloud-arm64");
	g_assert_null(varve_layer_definition_packages(ssh, fedora, "amd64", "x86_64", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_cmpstr(error->message, ==,
			"layer 'ssh': package set 'ssh' (package-sets.toml:5) is not spelled for "
			"upstream 'fedora-43'; add 'fedora-43 = [...]' to it");
}

static void test_lookups(void)
{
	g_autoptr(VarveDefinition) definition = load("good");
	g_autoptr(GError) error = NULL;

	g_assert_null(varve_definition_edition(definition, "contaner", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_cmpstr(error->message, ==,
			"there is no edition 'contaner', is 'container' meant?; there are: "
			"container, plain");
	g_assert_null(varve_definition_layer(definition, "x", NULL));
}

static void test_components(void)
{
	g_autoptr(VarveDefinition) definition = load("good");
	const VarveComponents *components = definition->components;
	const VarveComponent *tool = varve_components_find(components, "tool", NULL);
	const VarveComponent *other = varve_components_find(components, "other", NULL);
	const VarveDistro *fedora = varve_distro_find(components, "fedora", NULL);
	const VarveDistroVersion *version = varve_distro_version(fedora, NULL, NULL);

	/* Later files win; overlays add up, those of overlay files come last. */
	g_assert_cmpint(tool->release, ==, VARVE_RELEASE_AUTO);
	g_assert_cmpuint(tool->n_overlays, ==, 5);
	g_assert_cmpint(tool->overlays[0].type, ==, VARVE_OVERLAY_SPEC_SET_TAG);
	g_assert_cmpuint(tool->overlays[0].metadata.origin.line, ==, 0);
	g_assert_cmpint(tool->overlays[3].type, ==, VARVE_OVERLAY_SPEC_REMOVE_TAG);
	g_assert_cmpint(tool->overlays[4].type, ==, VARVE_OVERLAY_PATCH_ADD);
	g_assert_true(
		g_str_has_suffix(tool->overlays[4].source, "/overlays/tool/patches/fix.patch"));
	g_assert_cmpstr(tool->overlays[4].metadata.category, ==, "upstream-backport");
	g_assert_cmpstr(tool->overlays[4].metadata.commits[0].url, ==, "https://example.org/c/1");
	g_assert_cmpstr(tool->spec.upstream_distro.version, ==, "43");
	g_assert_cmpstr(tool->build.without[0], ==, "docs");
	/* Only its overlay files make it. */
	g_assert_cmpuint(other->n_overlays, ==, 2);
	g_assert_cmpuint(fedora->n_repositories, ==, 1);
	g_assert_cmpstr(fedora->repositories[0].url, ==, "https://example.org/2");
	g_assert_cmpstr(version->dist_git_branch, ==, "f43");
	g_assert_true(components->groups[0].defaults.build.check_skip);
	g_assert_cmpstr(components->groups[0].defaults.build.check_skip_reason, ==, "no network");
}

/* The report of @path, without the directory that messages name files by. */
static char *report_of(const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveDefinition) definition = varve_definition_load(path, &error);
	g_autofree char *directory =
		g_file_test(path, G_FILE_TEST_IS_DIR) ? g_strdup(path) : g_path_get_dirname(path);
	g_autofree char *prefix = NULL;
	g_autoptr(GString) text = NULL;

	g_assert_null(definition);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_DEFINITION);
	text = g_string_new(error->message);
	prefix = g_strconcat(directory, "/", NULL);
	g_string_replace(text, prefix, "", 0);
	g_string_append_c(text, '\n');
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* One mistake each; the first line of the file says what must be told. */
static void test_should_fail(gconstpointer data)
{
	const char *path = data;
	g_autofree char *root = g_build_filename(path, "varve.toml", NULL);
	g_autofree char *text = NULL, *report = NULL, *expected = NULL;
	const char *start = "# expected: ";

	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		g_assert_true(g_file_get_contents(root, &text, NULL, NULL));
	else
		g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_assert_true(g_str_has_prefix(text, start));
	expected = g_strndup(text + strlen(start), strcspn(text, "\n") - strlen(start));
	report = report_of(path);
	if (!g_str_has_prefix(report, expected) || report[strlen(expected)] != '\n')
		g_assert_cmpstr(report, ==, expected);
	g_assert_true(g_str_has_suffix(report, "\n1 mistake in 1 file\n"));
}

static void test_twenty_mistakes(void)
{
	g_autofree char *path = data_path("twenty.toml"), *golden = data_path("twenty.txt");
	g_autofree char *expected = NULL, *report = report_of(path);

	g_assert_true(g_file_get_contents(golden, &expected, NULL, NULL));
	g_assert_cmpstr(report, ==, expected);
}

static void test_no_definition(void)
{
	g_autofree char *directory = data_path("good/keys");
	g_autoptr(GError) error = NULL;

	g_assert_null(varve_definition_load(directory, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_null(varve_definition_load("/nonexistent", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
}

/* A thousand mistakes: a hundred are shown, all are counted. */
static void test_many_mistakes(void)
{
	g_autofree char *directory = g_dir_make_tmp("varve-definition-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(directory, "varve.toml", NULL);
	g_autoptr(GString) text = g_string_new("[project]\n");
	g_autofree char *report = NULL;
	guint shown = 0;

	for (guint i = 0; i < 1000; i++)
		g_string_append_printf(text, "unknown-%u = 1\n", i);
	g_assert_true(g_file_set_contents(path, text->str, -1, NULL));
	report = report_of(path);
	for (const char *at = report; (at = strstr(at, "unknown key")); at++)
		shown++;
	g_assert_cmpuint(shown, ==, 100);
	g_assert_true(g_str_has_suffix(report, "\n... and 900 more\n1000 mistakes in 1 file\n"));
	g_unlink(path);
	g_rmdir(directory);
}

/* The distribution of this repository. */
static void test_distro(void)
{
	g_autofree char *path = g_build_filename(g_getenv("G_TEST_SRCDIR"), "../../distro", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveDefinition) definition = varve_definition_load(path, &error);

	g_assert_no_error(error);
	g_assert_nonnull(varve_definition_edition(definition, "container", NULL));
}

/* Azure Linux's own tree, as it is. */
static void test_azure_linux(void)
{
	g_autofree char *path = corpus_path("azurelinux4");
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveDefinition) definition = NULL;
	const VarveComponent *kernel;

	if (!path)
		return;
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

/* Tables that are only read: the definition has what refers to them, and nothing is refused. */
static void test_tables(void)
{
	g_autoptr(VarveDefinition) definition = load("tables.toml");

	g_assert_cmpuint(definition->components->n_components, ==, 1);
}

/* azldev's own cases of overlays and metadata that are right or wrong. */

static void append_value(GString *out, json_t *value)
{
	const char *key;
	json_t *element;
	size_t i;

	if (json_is_object(value)) {
		gboolean first = TRUE;

		g_string_append(out, "{ ");
		json_object_foreach (value, key, element) {
			g_string_append_printf(out, "%s%s = ", first ? "" : ", ", key);
			append_value(out, element);
			first = FALSE;
		}
		g_string_append(out, " }");
	} else if (json_is_array(value)) {
		g_string_append_c(out, '[');
		json_array_foreach (value, i, element) {
			append_value(out, element);
			g_string_append(out, ", ");
		}
		g_string_append_c(out, ']');
	} else {
		char *text = json_dumps(value, JSON_ENCODE_ANY);

		g_string_append(out, text);
		free(text);
	}
}

static char *vector_text(json_t *vector)
{
	json_t *overlay = json_object_get(vector, "overlay");
	json_t *metadata = json_object_get(vector, "metadata"), *value;
	GString *out = g_string_new("[components.demo]\n[[components.demo.overlays]]\n");
	const char *key;

	if (metadata) {
		g_string_append(out, "type = \"spec-remove-tag\"\ntag = \"X\"\nmetadata = ");
		append_value(out, metadata);
	}
	json_object_foreach (overlay, key, value) {
		g_string_append_printf(out, "%s = ", key);
		append_value(out, value);
		g_string_append_c(out, '\n');
	}
	return g_string_free(out, FALSE);
}

static void test_vectors(gconstpointer data)
{
	g_autofree char *path = corpus_path(data);
	g_autofree char *directory = NULL, *file = NULL;
	json_t *document, *vector;
	size_t i;

	if (!path)
		return;
	document = json_load_file(path, 0, NULL);
	g_assert_nonnull(document);
	directory = g_dir_make_tmp("varve-definition-XXXXXX", NULL);
	file = g_build_filename(directory, "varve.toml", NULL);
	json_array_foreach (json_object_get(document, "vectors"), i, vector) {
		gboolean good =
			json_is_true(json_object_get(json_object_get(vector, "expect"), "ok"));
		g_autofree char *text = vector_text(vector);
		g_autoptr(GError) error = NULL;
		g_autoptr(VarveDefinition) definition = NULL;

		g_assert_true(g_file_set_contents(file, text, -1, NULL));
		definition = varve_definition_load(file, &error);
		if (good != (definition != NULL))
			g_test_message("%s:\n%s%s",
				       json_string_value(json_object_get(vector, "id")), text,
				       error ? error->message : "accepted");
		g_assert_cmpint(good, ==, definition != NULL);
	}
	json_decref(document);
	g_unlink(file);
	g_rmdir(directory);
}

static void add_should_fail(void)
{
	g_autofree char *directory = data_path("should-fail");
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) names = NULL;

	varve_dir_list(AT_FDCWD, directory, &names, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(g_strv_length(names), >, 70);
	for (gsize i = 0; names[i]; i++) {
		g_autofree char *test = g_strdup_printf("/definition/should-fail/%s", names[i]);

		if (!g_str_has_suffix(names[i], ".asc"))
			g_test_add_data_func_full(test, g_build_filename(directory, names[i], NULL),
						  test_should_fail, g_free);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/definition/project-and-os", test_project_and_os);
	g_test_add_func("/definition/includes", test_includes);
	g_test_add_func("/definition/upstreams", test_upstreams);
	g_test_add_func("/definition/base-layer", test_base_layer);
	g_test_add_func("/definition/defaults", test_defaults);
	g_test_add_func("/definition/trusted-keys", test_trusted_keys);
	g_test_add_func("/definition/edition", test_edition);
	g_test_add_func("/definition/swap", test_swap);
	g_test_add_func("/definition/packages", test_packages);
	g_test_add_func("/definition/lookups", test_lookups);
	g_test_add_func("/definition/components", test_components);
	g_test_add_func("/definition/twenty-mistakes", test_twenty_mistakes);
	g_test_add_func("/definition/no-definition", test_no_definition);
	g_test_add_func("/definition/many-mistakes", test_many_mistakes);
	g_test_add_func("/definition/distro", test_distro);
	g_test_add_func("/definition/azure-linux", test_azure_linux);
	g_test_add_func("/definition/tables", test_tables);
	g_test_add_data_func("/definition/vectors/overlays", "overlay-vectors/validate.json",
			     test_vectors);
	g_test_add_data_func("/definition/vectors/metadata",
			     "overlay-vectors/validate-metadata.json", test_vectors);
	add_should_fail();
	return g_test_run();
}
