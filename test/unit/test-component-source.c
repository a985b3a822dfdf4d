/* component/source.c and prepare.c: archives from a lookaside, a mirror, source-files; what a
 * definition may not ask for. Over git repositories and files made here. */
#include "component/prepare.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"

#include <stdio.h>
#include <string.h>

typedef struct {
	char *directory, *git, *work, *look, *out;
	const char *upstream; /* the distribution's name; "up" */
} Fixture;

static void put(const Fixture *fixture, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(fixture->directory, name, NULL);
	g_autofree char *parent = g_path_get_dirname(path);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(varve_file_write(AT_FDCWD, path, text, strlen(text), 0644, NULL));
}

static void run_git(const Fixture *fixture, const char *const *arguments)
{
	static const char *const env[] = {
		"GIT_AUTHOR_NAME=Jo",          "GIT_AUTHOR_EMAIL=jo@x.example",
		"GIT_COMMITTER_NAME=Jo",       "GIT_COMMITTER_EMAIL=jo@x.example",
		"GIT_CONFIG_GLOBAL=/dev/null", NULL
	};
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	VarveProcess process = { .env = env, .directory = fixture->git };
	g_autoptr(GError) error = NULL;

	g_ptr_array_add(argv, (gpointer) "git");
	for (; *arguments; arguments++)
		g_ptr_array_add(argv, (gpointer)*arguments);
	g_ptr_array_add(argv, NULL);
	process.argv = (const char *const *)argv->pdata;
	varve_process_run(&process, NULL, &error);
	g_assert_no_error(error);
}

static void commit(const Fixture *fixture)
{
	const char *const add[] = { "add", "-A", NULL };
	const char *const make[] = { "commit", "--quiet", "-m", "Change", NULL };

	run_git(fixture, add);
	run_git(fixture, make);
}

static char *sum_of(const char *text)
{
	return g_compute_checksum_for_string(G_CHECKSUM_SHA512, text, -1);
}

/* The upstream has demo.tar, of which its lookaside has the bytes. */
static void set_up(Fixture *fixture, gconstpointer data)
{
	const char *const init[] = { "init", "--quiet", "-b", "f43", NULL };
	g_autofree char *sum = sum_of("archive"),
			*list = g_strdup_printf("SHA512 (demo.tar) = %s\n", sum);

	(void)data;
	fixture->upstream = "up";
	fixture->directory = g_dir_make_tmp("test-source-XXXXXX", NULL);
	fixture->git = g_build_filename(fixture->directory, "git", "demo", NULL);
	fixture->work = g_build_filename(fixture->directory, "work", NULL);
	fixture->look = g_build_filename(fixture->directory, "look", NULL);
	fixture->out = g_build_filename(fixture->directory, "out", NULL);
	g_assert_true(varve_dir_make(fixture->git, 0755, NULL));
	g_assert_true(varve_dir_make(fixture->out, 0755, NULL));
	run_git(fixture, init);
	put(fixture, "git/demo/demo.spec",
	    "Name: demo\nVersion: 1\nRelease: 1\nSource0: demo.tar\n%description\nx\n%changelog\n");
	put(fixture, "git/demo/sources", list);
	put(fixture, "look/demo/demo.tar", "archive");
	commit(fixture);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
	(void)data;
	g_assert_true(varve_dir_remove(AT_FDCWD, fixture->directory, NULL));
	g_free(fixture->directory);
	g_free(fixture->git);
	g_free(fixture->work);
	g_free(fixture->look);
	g_free(fixture->out);
}

/* A definition with @component as the lines of [components.demo]; @distro as more of the upstream.
 */
static VarveDefinition *define(const Fixture *fixture, const char *component, const char *distro)
{
	g_autofree char *text = g_strdup_printf(
		"[project]\ndefault-distro = { name = \"%1$s\", version = \"43\" }\n"
		"[distros.%1$s]\ndefault-version = \"43\"\n"
		"dist-git-base-uri = \"file://%2$s/git/$pkg\"\n%3$s\n"
		"[distros.%1$s.versions.43]\nrelease-ver = \"43\"\ndist-git-branch = \"f43\"\n"
		"[components.demo]\nspec.type = \"upstream\"\n"
		"spec.upstream-distro.name = \"%1$s\"\n%4$s\n",
		fixture->upstream, fixture->directory, distro, component);
	g_autofree char *path = g_build_filename(fixture->directory, "azldev.toml", NULL);
	g_autoptr(GError) error = NULL;
	VarveDefinition *definition;

	put(fixture, "azldev.toml", text);
	definition = varve_definition_load(path, &error);
	g_assert_no_error(error);
	return definition;
}

static gboolean prepare(const Fixture *fixture, const VarveDefinition *definition,
			const char *lookaside, gboolean archives, GError **error)
{
	VarvePrepare how = { .definition = definition,
			     .sources = { .work = fixture->work, .lookaside = lookaside },
			     .archives = archives };

	return varve_prepare(&how, "demo", fixture->out, NULL, error);
}

static void check_file(const Fixture *fixture, const char *name, const char *content)
{
	g_autofree char *path = g_build_filename(fixture->out, name, NULL), *text = NULL;
	gsize size;

	if (!content) {
		g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
		return;
	}
	g_assert_true(varve_file_read(AT_FDCWD, path, 1 << 20, &text, &size, NULL));
	g_assert_cmpstr(text, ==, content);
}

static void test_lookaside(Fixture *fixture, gconstpointer data)
{
	g_autofree char *uri = g_strdup_printf(
		"lookaside-base-uri = \"file://%s/look/$pkg/$filename\"", fixture->directory);
	g_autoptr(VarveDefinition) definition = define(fixture, "", uri);
	g_autoptr(GError) error = NULL;

	(void)data;
	prepare(fixture, definition, NULL, TRUE, &error);
	g_assert_no_error(error);
	check_file(fixture, "demo.tar", "archive");
}

/* Rendering needs no archive. */
static void test_no_archives(Fixture *fixture, gconstpointer data)
{
	g_autoptr(VarveDefinition) definition = define(fixture, "", "");
	g_autoptr(GError) error = NULL;

	(void)data;
	prepare(fixture, definition, NULL, FALSE, &error);
	g_assert_no_error(error);
	check_file(fixture, "demo.tar", NULL);
}

static void test_mirror(Fixture *fixture, gconstpointer data)
{
	g_autoptr(VarveDefinition) definition = define(fixture, "", "");
	g_autoptr(GError) error = NULL;

	(void)data;
	g_assert_false(prepare(fixture, definition, NULL, TRUE, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_DEFINITION);
	g_assert_nonnull(strstr(error->message, "lookaside-base-uri"));
	g_clear_error(&error);
	g_assert_true(varve_dir_remove(AT_FDCWD, fixture->out, NULL));
	g_assert_true(varve_dir_make(fixture->out, 0755, NULL));
	prepare(fixture, definition, fixture->look, TRUE, &error);
	g_assert_no_error(error);
	check_file(fixture, "demo.tar", "archive");
}

static void test_wrong_archive(Fixture *fixture, gconstpointer data)
{
	g_autoptr(VarveDefinition) definition = define(fixture, "", "");
	g_autofree char *kept = g_build_filename(fixture->work, "files/sha512", NULL);
	g_auto(GStrv) names = NULL;
	g_autoptr(GError) error = NULL;

	(void)data;
	put(fixture, "look/demo/demo.tar", "another");
	g_assert_false(prepare(fixture, definition, fixture->look, TRUE, &error));
	g_assert_true(varve_dir_list(AT_FDCWD, kept, &names, NULL));
	g_assert_null(names[0]);
}

static char *source_file(const char *name, const char *content, const char *uri, const char *more)
{
	g_autofree char *sum = sum_of(content);

	return g_strdup_printf(
		"[[components.demo.source-files]]\nfilename = \"%s\"\nhash = \"%s\"\n"
		"hash-type = \"SHA512\"\norigin = { type = \"download\", uri = \"%s\" }\n"
		"%s\n",
		name, sum, uri, more);
}

static void test_debian(Fixture *fixture, gconstpointer data)
{
	g_autofree char *table =
		source_file("extra", "from debian", "debian:pool/main/e/extra", "");
	g_autoptr(VarveDefinition) definition = define(fixture, table, "");
	g_autofree char *mirror = g_strdup_printf("file://%s/debian", fixture->directory);
	g_autoptr(GError) error = NULL;
	VarvePrepare how = { .definition = definition,
			     .sources = { .work = fixture->work,
					  .lookaside = fixture->look,
					  .debian_mirror = mirror },
			     .archives = TRUE };

	(void)data;
	put(fixture, "debian/pool/main/e/extra", "from debian");
	varve_prepare(&how, "demo", fixture->out, NULL, &error);
	g_assert_no_error(error);
	check_file(fixture, "extra", "from debian");
}

/* Ours is taken, not a file of the same name that the upstream put there. */
static void test_shadowed(Fixture *fixture, gconstpointer data)
{
	g_autofree char *uri = g_strdup_printf("file://%s/extra", fixture->directory);
	g_autofree char *table = source_file("extra", "ours", uri, "");
	g_autoptr(VarveDefinition) definition = define(fixture, table, "");
	g_autoptr(GError) error = NULL;

	(void)data;
	put(fixture, "extra", "ours");
	put(fixture, "git/demo/extra", "theirs");
	commit(fixture);
	prepare(fixture, definition, fixture->look, TRUE, &error);
	g_assert_no_error(error);
	check_file(fixture, "extra", "ours");
}

static void test_refused(Fixture *fixture, gconstpointer data)
{
	static const struct {
		const char *uri, *more;
		VarveError code;
		const char *says;
	} cases[] = {
		{ "debian:../../etc/passwd", "", VARVE_ERROR_DEFINITION,
		  "no path of a Debian archive" },
		{ "debian:pool/../../x", "", VARVE_ERROR_DEFINITION,
		  "no path of a Debian archive" },
		{ "http://x.example/extra", "", VARVE_ERROR_REFUSED, "neither https" },
		{ "ftp://x.example/extra", "", VARVE_ERROR_REFUSED, "neither https" },
		{ "file:///nonexistent/extra", "", VARVE_ERROR_NOT_FOUND, "extra" },
		{ "https://x.example/e", "replace-upstream = true\nreplace-reason = \"x\"",
		  VARVE_ERROR_DEFINITION, "has no such file" },
	};

	(void)data;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *table = source_file("extra", "x", cases[i].uri, cases[i].more);
		g_autoptr(VarveDefinition) definition = define(fixture, table, "");
		g_autoptr(GError) error = NULL;

		g_assert_false(prepare(fixture, definition, fixture->look, TRUE, &error));
		g_assert_error(error, VARVE_ERROR, (int)cases[i].code);
		g_assert_nonnull(strstr(error->message, cases[i].says));
		g_assert_true(varve_dir_remove(AT_FDCWD, fixture->out, NULL));
		g_assert_true(varve_dir_make(fixture->out, 0755, NULL));
	}
}

/* A file that a script makes may be in a lookaside; the script is not run. */
static void test_custom(Fixture *fixture, gconstpointer data)
{
	g_autofree char *sum = sum_of("made");
	g_autofree char *table = g_strdup_printf(
		"[[components.demo.source-files]]\nfilename = \"made\"\nhash = \"%s\"\n"
		"hash-type = \"SHA512\"\norigin = { type = \"custom\", script = \"make.sh\" }\n",
		sum);
	g_autoptr(VarveDefinition) definition = NULL;
	g_autoptr(GError) error = NULL;

	(void)data;
	put(fixture, "make.sh", "touch witness");
	definition = define(fixture, table, "");
	g_assert_false(prepare(fixture, definition, fixture->look, TRUE, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
	g_clear_error(&error);
	g_assert_true(varve_dir_remove(AT_FDCWD, fixture->out, NULL));
	g_assert_true(varve_dir_make(fixture->out, 0755, NULL));
	put(fixture, "look/demo/made", "made");
	prepare(fixture, definition, fixture->look, TRUE, &error);
	g_assert_no_error(error);
	check_file(fixture, "made", "made");
}

/* The macros of the rendered component; "" where there is no such file. */
static char *macros_of(const Fixture *fixture, const char *release, const char *build)
{
	g_autofree char *spec = g_strdup_printf("Name: demo\nVersion: 1\nRelease: %s\n"
						"%%description\nx\n%%changelog\n",
						release);
	g_autofree char *path = g_build_filename(fixture->out, "demo.azl.macros", NULL);
	g_autoptr(VarveDefinition) definition = define(fixture, build, "");
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	gsize size;

	put(fixture, "git/demo/demo.spec", spec);
	commit(fixture);
	prepare(fixture, definition, NULL, FALSE, &error);
	g_assert_no_error(error);
	if (!varve_file_read(AT_FDCWD, path, 1 << 20, &text, &size, NULL))
		text = g_strdup("");
	g_assert_true(varve_dir_remove(AT_FDCWD, fixture->work, NULL));
	g_assert_true(varve_dir_remove(AT_FDCWD, fixture->out, NULL));
	g_assert_true(varve_dir_make(fixture->out, 0755, NULL));
	return g_steal_pointer(&text);
}

static void test_provenance(Fixture *fixture, gconstpointer data)
{
	static const struct {
		const char *upstream, *release, *build, *version_line, *release_line;
	} cases[] = {
		{ "fedora", "5%{?dist}", "build.emit-upstream-provenance = true",
		  "%fedora_upstream_version 1\n", "%fedora_upstream_release 5.fc43\n" },
		{ "Fedora", "6%{dist}.%{x}", "build.emit-upstream-provenance = true",
		  "%fedora_upstream_version 1\n", "%fedora_upstream_release 6.fc43.%{x}\n" },
		/* Two commits since the version was last changed: of the first case and of this. */
		{ "fedora", "%autorelease", "build.emit-upstream-provenance = true",
		  "%fedora_upstream_version 1\n", "%fedora_upstream_release 4.fc43\n" },
		{ "fedora", "5%{?dist}",
		  "build.emit-upstream-provenance = true\n"
		  "build.defines = { fedora_upstream_release = \"7\" }",
		  "%fedora_upstream_version 1\n", "%fedora_upstream_release 7\n" },
		{ "fedora", "4%{?dist}", "build.defines = { x = \"y\" }", NULL, NULL },
		{ "up", "5%{?dist}", "build.emit-upstream-provenance = true", NULL, NULL },
	};

	(void)data;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = NULL;

		fixture->upstream = cases[i].upstream;
		text = macros_of(fixture, cases[i].release, cases[i].build);
		g_test_message("case %zu: %s", i, text);
		if (cases[i].version_line) {
			g_assert_nonnull(strstr(text, cases[i].version_line));
			g_assert_nonnull(strstr(text, cases[i].release_line));
		} else {
			g_assert_null(strstr(text, "fedora_upstream"));
		}
	}
}

static void test_disabled_origins(Fixture *fixture, gconstpointer data)
{
	g_autofree char *uri = g_strdup_printf("file://%s/extra", fixture->directory);
	g_autofree char *table = source_file("extra", "ours", uri, "");
	g_autoptr(VarveDefinition) definition = define(fixture, table, "disable-origins = true");
	g_autoptr(GError) error = NULL;

	(void)data;
	put(fixture, "extra", "ours");
	g_assert_false(prepare(fixture, definition, fixture->look, TRUE, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_DEFINITION);
	g_assert_nonnull(strstr(error->message, "disable-origins"));
}

static void test_upstream_name(Fixture *fixture, gconstpointer data)
{
	g_autofree char *other = g_build_filename(fixture->directory, "git", "other", NULL);
	g_autoptr(VarveDefinition) definition = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_build_filename(fixture->out, "demo.spec", NULL);

	(void)data;
	g_assert_cmpint(rename(fixture->git, other), ==, 0);
	definition = define(fixture, "spec.upstream-name = \"other\"", "");
	prepare(fixture, definition, NULL, FALSE, &error);
	g_assert_no_error(error);
	g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)
	ADD("/component-source/lookaside", test_lookaside);
	ADD("/component-source/rendering-needs-no-archive", test_no_archives);
	ADD("/component-source/mirror", test_mirror);
	ADD("/component-source/wrong-archive-is-not-kept", test_wrong_archive);
	ADD("/component-source/debian", test_debian);
	ADD("/component-source/upstream-cannot-shadow-ours", test_shadowed);
	ADD("/component-source/refused", test_refused);
	ADD("/component-source/custom", test_custom);
	ADD("/component-source/provenance", test_provenance);
	ADD("/component-source/disabled-origins", test_disabled_origins);
	ADD("/component-source/upstream-name", test_upstream_name);
	return g_test_run();
}
