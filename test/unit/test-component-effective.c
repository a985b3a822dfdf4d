/* What applies to a component: levels, their order, what replaces and what adds up, and why. */
#include "component/effective.h"

#include "base/error.h"
#include "base/file.h"
#include "component/source.h"

#include <glib/gstdio.h>
#include <string.h>

static VarveDefinition *load(void)
{
	g_autofree char *path =
		g_build_filename(g_getenv("G_TEST_SRCDIR"), "../data/components", NULL);
	g_autoptr(GError) error = NULL;
	VarveDefinition *definition = varve_definition_load(path, &error);

	g_assert_no_error(error);
	return definition;
}

static VarveEffective *effective_of(const VarveDefinition *definition, const char *name)
{
	g_autoptr(GError) error = NULL;
	VarveEffective *effective = varve_effective_new(definition, name, &error);

	g_assert_no_error(error);
	g_assert_nonnull(effective);
	return effective;
}

/* Trees that are made for one test. */

static char *make_tree(const char *root)
{
	g_autoptr(GError) error = NULL;
	char *directory = g_dir_make_tmp("varve-test-XXXXXX", &error);
	g_autofree char *file = NULL;

	g_assert_no_error(error);
	file = g_build_filename(directory, "varve.toml", NULL);
	g_assert_true(g_file_set_contents(file, root, -1, &error));
	return directory;
}

static void remove_tree(const char *directory)
{
	g_assert_true(varve_dir_remove(AT_FDCWD, directory, NULL));
}

static void add_file(const char *directory, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	g_autofree char *above = g_path_get_dirname(path);

	g_assert_cmpint(g_mkdir_with_parents(above, 0755), ==, 0);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void assert_strings(const char *const *found, const char *expected)
{
	g_autofree char *joined = g_strjoinv(" ", (char **)found);

	g_assert_cmpstr(joined, ==, expected);
}

static const char *define(const VarveEffective *effective, const char *key)
{
	const VarveComponentBuild *build = &effective->component.build;
	const char *found = NULL;

	for (gsize i = 0; i < build->n_defines; i++) {
		if (strcmp(build->defines[i].key, key) != 0)
			continue;
		g_assert_null(found);
		found = build->defines[i].value;
	}
	return found;
}

/* The distribution's version, the project, the groups by name, the component: arrays add up. */
static void test_order(void)
{
	g_autoptr(VarveDefinition) definition = load();
	g_autoptr(VarveEffective) rich = effective_of(definition, "rich");
	g_autoptr(VarveEffective) plain = effective_of(definition, "plain");

	assert_strings(rich->component.build.with, "distro project zebra rich");
	assert_strings(plain->component.build.with, "distro project zebra");
	assert_strings(rich->component.build.without, "docs");
	assert_strings(plain->component.build.without, "");
	g_assert_cmpstr(define(rich, "level"), ==, "rich");
	g_assert_cmpstr(define(plain, "level"), ==, "zebra");
	g_assert_cmpstr(define(rich, "distro"), ==, "1");
	g_assert_cmpstr(define(rich, "project"), ==, "1");
	g_assert_cmpstr(define(rich, "own"), ==, "");
	g_assert_cmpuint(rich->component.build.n_defines, ==, 4);
	g_assert_cmpuint(rich->n_groups, ==, 2);
	g_assert_cmpstr(rich->groups[0]->name, ==, "no-tests");
	g_assert_cmpstr(rich->groups[1]->name, ==, "zebra");
	g_assert_cmpint(plain->component.release, ==, VARVE_RELEASE_STATIC);
	g_assert_cmpint(rich->component.release, ==, VARVE_RELEASE_MANUAL);
}

/* What is inherited, its own, those of its files. */
static void test_overlays(void)
{
	g_autoptr(VarveDefinition) definition = load();
	g_autoptr(VarveEffective) rich = effective_of(definition, "rich");
	const VarveSpecOverlay *overlays = rich->component.overlays;

	g_assert_cmpuint(rich->component.n_overlays, ==, 4);
	g_assert_cmpint(overlays[0].type, ==, VARVE_OVERLAY_SPEC_REMOVE_TAG);
	g_assert_cmpstr(overlays[1].description, ==, "Ours first");
	g_assert_cmpint(overlays[2].type, ==, VARVE_OVERLAY_SPEC_APPEND_LINES);
	g_assert_cmpstr(overlays[3].metadata.fixed_in, ==, "2.1");
	g_assert_cmpstr(overlays[3].metadata.reason, ==, "It crashed on an empty file.");
	/* A group's metadata are of the group: they do not reach its overlays. */
	g_assert_cmpuint(overlays[0].metadata.origin.line, ==, 0);
}

/* As azldev merges: false and "" of a later level replace nothing. */
static void test_nothing_is_set_back(void)
{
	g_autoptr(VarveDefinition) definition = load();
	g_autoptr(VarveEffective) quiet = effective_of(definition, "quiet");

	g_assert_true(quiet->component.build.check_skip);
	g_assert_cmpstr(quiet->component.build.check_skip_reason, ==, "Needs a network.");
}

/* Tables merge field by field, so that a component that names another version keeps the snapshot.
 */
static void test_upstream(void)
{
	g_autoptr(VarveDefinition) definition = load();
	g_autoptr(VarveEffective) rich = effective_of(definition, "rich");
	g_autoptr(VarveEffective) plain = effective_of(definition, "plain");
	g_autoptr(VarveEffective) pinned = effective_of(definition, "pinned");

	g_assert_cmpstr(rich->distro->name, ==, "up");
	g_assert_cmpstr(rich->version->name, ==, "44");
	g_assert_cmpstr(rich->snapshot, ==, "2026-02-24T00:00:00Z");
	g_assert_cmpstr(rich->component.spec.upstream_name, ==, "richer");
	g_assert_cmpstr(plain->version->name, ==, "43");
	g_assert_cmpint(plain->component.spec.type, ==, VARVE_SPEC_UPSTREAM);
	g_assert_cmpstr(pinned->version->name, ==, "43");
	g_assert_true(g_str_has_prefix(pinned->component.spec.upstream_commit, "0123456"));
	g_assert_true(rich->component.skip_file_filter);
	g_assert_false(plain->component.skip_file_filter);
	g_assert_cmpuint(rich->component.n_tests, ==, 2);
	g_assert_cmpstr(rich->component.tests[0].name, ==, "smoke");
	g_assert_cmpstr(rich->component.tests[1].group, ==, "all");
}

/* Specs that a group's patterns find make components, and are those of declared ones. */
static void test_found_specs(void)
{
	g_autoptr(VarveDefinition) definition = load();
	g_autoptr(VarveEffective) found = effective_of(definition, "found");
	g_autoptr(VarveEffective) deep = effective_of(definition, "deep");
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(found->component.spec.type, ==, VARVE_SPEC_LOCAL);
	g_assert_true(g_str_has_suffix(found->component.spec.path, "/specs/found.spec"));
	g_assert_null(found->distro);
	assert_strings(found->component.build.with, "distro project local");
	assert_strings(found->component.build.without, "x");
	g_assert_true(g_str_has_suffix(deep->component.spec.path, "/specs/deep/deep.spec"));
	g_assert_cmpstr(deep->component.origin.file, ==, "groups.toml");
	g_assert_cmpstr(deep->groups[0]->name, ==, "local");
	g_assert_null(varve_effective_new(definition, "out", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_null(varve_effective_new(definition, "nowhere", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
}

static void test_unknown_names_the_nearest(void)
{
	g_autoptr(VarveDefinition) definition = load();
	g_autoptr(GError) error = NULL;

	g_assert_null(varve_effective_new(definition, "pined", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "is 'pinned' meant?"));
}

static void test_channels(void)
{
	g_autoptr(VarveDefinition) definition = load();
	g_autoptr(VarveEffective) plain = effective_of(definition, "plain");
	g_autoptr(VarveEffective) rich = effective_of(definition, "rich");

	g_assert_cmpstr(varve_effective_channel(plain, "plain"), ==, "rpms");
	g_assert_cmpstr(varve_effective_channel(plain, "plain-libs"), ==, "base");
	/* The group says nothing of debug information. */
	g_assert_cmpstr(varve_effective_channel(plain, "plain-libs-debuginfo"), ==, "debug");
	g_assert_cmpstr(varve_effective_channel(rich, "rich-libs"), ==, "special");
	g_assert_true(varve_package_is_debuginfo("kernel-debuginfo-common-x86_64"));
	g_assert_true(varve_package_is_debuginfo("a-debugsource"));
	g_assert_false(varve_package_is_debuginfo("elfutils-debuginfod"));
	g_assert_true(varve_package_is_debuginfo("foo-debuginfod-debuginfo"));
	g_assert_false(varve_package_is_debuginfo("texinfo"));
}

/* As it was spelled before August 2026. */
static void test_older_channels(void)
{
	g_autofree char *directory = make_tree(
		"[components.a.default-package-config.publish]\nchannel = \"old\"\n"
		"[components.b]\ndefault-package-config = { publish = { channel = \"old\" } }\n"
		"publish = { rpm-channel = \"new\" }\n");
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveDefinition) definition = varve_definition_load(directory, &error);
	g_autoptr(VarveEffective) a = NULL, b = NULL;

	g_assert_no_error(error);
	a = effective_of(definition, "a");
	b = effective_of(definition, "b");
	g_assert_cmpstr(varve_effective_channel(a, "x"), ==, "old");
	g_assert_cmpstr(varve_effective_channel(b, "x"), ==, "new");
	remove_tree(directory);
}

static const VarveExplanation *explanation(const GPtrArray *all, const char *key)
{
	for (guint i = 0; i < all->len; i++) {
		const VarveExplanation *one = all->pdata[i];

		if (strcmp(one->key, key) == 0)
			return one;
	}
	return NULL;
}

static void assert_explained(const GPtrArray *all, const char *key, const char *value,
			     const char *level, const char *file, guint line)
{
	const VarveExplanation *one = explanation(all, key);

	g_assert_nonnull(one);
	g_assert_cmpstr(one->value, ==, value);
	g_assert_cmpstr(one->level, ==, level);
	g_assert_cmpstr(one->origin.file, ==, file);
	g_assert_cmpuint(one->origin.line, ==, line);
}

static void test_explain(void)
{
	g_autoptr(VarveDefinition) definition = load();
	g_autoptr(VarveEffective) rich = effective_of(definition, "rich");
	g_autoptr(GPtrArray) all = varve_effective_explain(rich);
	guint n_with = 0, n_level = 0;

	assert_explained(all, "build.defines.level", "\"rich\"", "component", "comps/comps.toml",
			 17);
	assert_explained(all, "build.defines.distro", "\"1\"", "distro", "distros.toml", 13);
	assert_explained(all, "build.check.skip", "true", "group no-tests", "groups.toml", 16);
	assert_explained(all, "spec.upstream-distro.version", "\"44\"", "component",
			 "comps/comps.toml", 9);
	assert_explained(all, "spec.upstream-distro.snapshot", "\"2026-02-24T00:00:00Z\"", "distro",
			 "distros.toml", 12);
	assert_explained(all, "packages.rich-libs.publish.rpm-channel", "\"special\"", "component",
			 "comps/comps.toml", 32);
	assert_explained(all, "build.with", "\"distro\"", "distro", "distros.toml", 13);
	for (guint i = 0; i < all->len; i++) {
		const VarveExplanation *one = all->pdata[i];

		n_with += strcmp(one->key, "build.with") == 0;
		n_level += strcmp(one->key, "build.defines.level") == 0;
		if (i > 0)
			g_assert_cmpstr(((VarveExplanation *)all->pdata[i - 1])->key, <=, one->key);
	}
	g_assert_cmpuint(n_with, ==, 4);
	g_assert_cmpuint(n_level, ==, 1);
}

/* What nothing says is explained too; what is set back is not. */
static void test_explain_defaults(void)
{
	g_autoptr(VarveDefinition) definition = load();
	g_autoptr(VarveEffective) quiet = effective_of(definition, "quiet");
	g_autoptr(VarveEffective) deep = effective_of(definition, "deep");
	g_autoptr(GPtrArray) of_quiet = varve_effective_explain(quiet);
	g_autoptr(GPtrArray) of_deep = varve_effective_explain(deep);

	assert_explained(of_quiet, "build.check.skip", "true", "group no-tests", "groups.toml", 16);
	assert_explained(of_deep, "spec.type", "\"local\"", "group local", "groups.toml", 25);
	g_assert_null(explanation(of_deep, "spec.upstream-distro.name"));
}

static void test_comments(void)
{
	g_autoptr(VarveDefinition) definition = load();
	g_autoptr(VarveEffective) quiet = effective_of(definition, "quiet");
	g_autoptr(VarveEffective) rich = effective_of(definition, "rich");
	VarveOrigin without = { "comps/comps.toml", 16, 1 }, plain = { "comps/comps.toml", 1, 1 };
	g_autofree char *above =
		varve_definition_comment(definition, &quiet->component.build.origin);
	g_autofree char *beside = varve_definition_comment(definition, &without);
	g_autofree char *none = varve_definition_comment(definition, &plain);

	g_assert_cmpstr(above, ==, "The second of two libraries; its tests fail.");
	g_assert_cmpstr(beside, ==, "nobody reads them");
	g_assert_null(none);
	g_assert_cmpuint(rich->component.build.origin.line, ==, 14);
}

static void test_specs_of_one_name(void)
{
	g_autofree char *directory = make_tree("[component-groups.all]\nspecs = [\"**/*.spec\"]\n"
					       "[components.b]\nspec = { type = \"local\", path = "
					       "\"other/b.spec\" }\n");
	g_autoptr(GError) error = NULL;

	add_file(directory, "one/a.spec", "");
	add_file(directory, "two/a.spec", "");
	add_file(directory, "two/b.spec", "");
	g_assert_null(varve_definition_load(directory, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_DEFINITION);
	g_assert_nonnull(strstr(error->message, "component 'a' has the spec 'one/a.spec' already"));
	g_assert_nonnull(
		strstr(error->message, "component 'b' has the spec 'other/b.spec' already"));
	g_assert_nonnull(strstr(error->message, "varve.toml:2:10"));
	remove_tree(directory);
}

/* The project's overlay-files: a directory makes a component, whose files go by their base names.
 */
static void test_overlay_files_of_the_project(void)
{
	static const char change[] = "[metadata]\ncategory = \"azl-pruning\"\n"
				     "upstream-status = \"inapplicable\"\n[[overlays]]\n"
				     "type = \"spec-remove-section\"\nsection = \"%%%s\"\n";
	g_autofree char *directory = make_tree(
		"[default-component-config]\noverlay-files = [\"c/{component}/**/*.toml\"]\n"
		"[components.off]\noverlay-files = []\n");
	g_autofree char *first = g_strdup_printf(change, "a"), *last = g_strdup_printf(change, "b");
	g_autoptr(VarveDefinition) definition = NULL;
	g_autoptr(VarveEffective) on = NULL, off = NULL;
	g_autoptr(GError) error = NULL;

	add_file(directory, "c/on/a/2.toml", last);
	add_file(directory, "c/on/b/1.toml", first);
	add_file(directory, "c/off/1.toml", first);
	definition = varve_definition_load(directory, &error);
	g_assert_no_error(error);
	on = effective_of(definition, "on");
	off = effective_of(definition, "off");
	g_assert_cmpuint(on->component.n_overlays, ==, 2);
	g_assert_cmpstr(on->component.overlays[0].section, ==, "%a");
	g_assert_cmpstr(on->component.overlays[1].section, ==, "%b");
	g_assert_cmpuint(off->component.n_overlays, ==, 0);
	remove_tree(directory);
}

static void add_change(const char *directory, const char *name, const char *section)
{
	g_autofree char *text = g_strdup_printf(
		"[metadata]\ncategory = \"azl-pruning\"\nupstream-status = \"inapplicable\"\n"
		"[[overlays]]\ntype = \"spec-remove-section\"\nsection = \"%%%s\"\n",
		section);

	add_file(directory, name, text);
}

static void assert_sections(const VarveDefinition *definition, const char *name,
			    const char *expected)
{
	g_autoptr(VarveEffective) effective = effective_of(definition, name);
	g_autoptr(GString) found = g_string_new(NULL);

	for (gsize i = 0; i < effective->component.n_overlays; i++)
		g_string_append(found, effective->component.overlays[i].section);
	g_assert_cmpstr(found->str, ==, expected);
}

/* A list is inherited as a whole, from the last level that has one; its patterns start from where
 * the component is, be that its table or the spec that was found. */
static void test_overlay_files_are_inherited(void)
{
	g_autofree char *directory = make_tree(
		"includes = [\"*/*.comp.toml\"]\n"
		"[project]\ndefault-distro = { name = \"d\" }\n"
		"[distros.d]\ndefault-version = \"1\"\n[distros.d.versions.1]\n"
		"release-ver = \"1\"\ndefault-component-config.overlay-files = [\"d/*.toml\"]\n"
		"[component-groups.a]\ncomponents = [\"grouped\", \"own\", \"off\"]\n"
		"default-component-config.overlay-files = [\"no/*.toml\"]\n"
		"[component-groups.b]\ncomponents = [\"grouped\", \"own\"]\n"
		"default-component-config.overlay-files = [\"g/2*.toml\", \"g/*.toml\"]\n"
		"[component-groups.specs]\nspecs = [\"*/*.spec\"]\n");
	g_autoptr(VarveDefinition) definition = NULL;
	g_autoptr(GError) error = NULL;

	add_file(directory, "plain/x.comp.toml", "[components.plain]\n");
	add_change(directory, "plain/d/1.toml", "a");
	add_file(directory, "grouped/x.comp.toml",
		 "[components.grouped]\noverlays = [{ type = \"spec-remove-section\", section = "
		 "\"%z\" }]\n");
	add_change(directory, "grouped/d/1.toml", "a");
	add_change(directory, "grouped/g/1.toml", "b");
	add_change(directory, "grouped/g/2.toml", "c");
	add_file(directory, "own/x.comp.toml", "[components.own]\noverlay-files = [\"1.toml\"]\n");
	add_change(directory, "own/1.toml", "d");
	add_change(directory, "own/g/1.toml", "b");
	add_file(directory, "off/x.comp.toml", "[components.off]\noverlay-files = []\n");
	add_change(directory, "off/d/1.toml", "a");
	add_file(directory, "spec/found.spec", "");
	add_change(directory, "spec/d/1.toml", "e");
	definition = varve_definition_load(directory, &error);
	g_assert_no_error(error);
	assert_sections(definition, "plain", "%a");
	assert_sections(definition, "grouped", "%z%c%b");
	assert_sections(definition, "own", "%d");
	assert_sections(definition, "off", "");
	assert_sections(definition, "found", "%e");
	remove_tree(directory);
}

/* Every group whose patterns find a spec has the component, whoever named it first. */
static void test_spec_of_two_groups(void)
{
	g_autofree char *directory = make_tree(
		"[component-groups.z]\nspecs = [\"**/*.spec\"]\n"
		"default-component-config.build.with = [\"z\"]\n"
		"[component-groups.a]\nspecs = [\"one/*.spec\"]\n"
		"default-component-config.build.with = [\"a\"]\n"
		"[component-groups.out]\nspecs = [\"**/*.spec\"]\nexcluded-paths = [\"one/**\"]\n"
		"default-component-config.build.with = [\"out\"]\n");
	g_autoptr(VarveDefinition) definition = NULL;
	g_autoptr(VarveEffective) found = NULL;
	g_autoptr(GError) error = NULL;

	add_file(directory, "one/found.spec", "");
	definition = varve_definition_load(directory, &error);
	g_assert_no_error(error);
	found = effective_of(definition, "found");
	assert_strings(found->component.build.with, "a z");
	remove_tree(directory);
}

static void test_two_patterns_for_one_component(void)
{
	g_autofree char *directory =
		make_tree("[default-component-config]\noverlay-files = [\"c/{component}/*.toml\", "
			  "\"d/{component}/*.toml\"]\n");
	g_autoptr(GError) error = NULL;

	add_file(directory, "c/x/1.toml", "");
	add_file(directory, "d/x/1.toml", "");
	g_assert_null(varve_definition_load(directory, &error));
	g_assert_nonnull(strstr(error->message, "finds component 'x', which another pattern"));
	remove_tree(directory);
}

/* Of two files that say something of one component, the later wins with what is not empty. */
static void test_later_files(void)
{
	g_autofree char *directory = make_tree(
		"includes = [\"later/x.toml\"]\n"
		"[components.a]\nspec = { type = \"upstream\", upstream-commit = \"0123456\" }\n"
		"[components.a.build]\nwith = [\"one\"]\ndefines = { x = \"1\", y = \"1\" }\n"
		"check = { skip = true, skip_reason = \"first\" }\n"
		"[components.a.packages.p.publish]\nrpm-channel = \"r\"\ndebuginfo-channel = "
		"\"d\"\n"
		"[[components.a.source-files]]\nfilename = \"f\"\n"
		"origin = { type = \"download\", uri = \"https://example.org/f\" }\n"
		"[default-package-config]\npublish.rpm-channel = \"one\"\n"
		"[distros.d]\ndefault-version = \"1\"\n[distros.d.versions.1]\n"
		"release-ver = \"1\"\ndist-git-branch = \"b\"\n"
		"[project]\nlock-dir = \"l\"\ndefault-distro = { name = \"d\", version = \"1\" "
		"}\n");
	g_autoptr(VarveDefinition) definition = NULL;
	g_autoptr(VarveEffective) a = NULL;
	g_autoptr(GError) error = NULL;
	const VarveComponents *components;

	add_file(directory, "later/x.toml",
		 "[components.a]\nspec.upstream-commit = \"\"\n"
		 "[components.a.build]\nwith = [\"two\"]\nwithout = []\n"
		 "defines = { x = \"\", z = \"2\" }\ncheck = { skip = false, skip_reason = \"\" }\n"
		 "[components.a.packages.p.publish]\nrpm-channel = \"s\"\n"
		 "[[components.a.source-files]]\nfilename = \"g\"\n"
		 "origin = { type = \"custom\", script = \"g.sh\" }\n"
		 "[default-package-config]\npublish.rpm-channel = \"two\"\n"
		 "[distros.d.versions.1]\nrelease-ver = \"2\"\n"
		 "[project]\nlock-dir = \"\"\ndefault-distro = { name = \"d\", version = \"\" }\n");
	definition = varve_definition_load(directory, &error);
	g_assert_no_error(error);
	components = definition->components;
	a = effective_of(definition, "a");
	g_assert_cmpstr(a->component.spec.upstream_commit, ==, "0123456");
	assert_strings(a->component.build.with, "one two");
	g_assert_cmpstr(define(a, "x"), ==, "");
	g_assert_cmpstr(define(a, "y"), ==, "1");
	g_assert_cmpstr(define(a, "z"), ==, "2");
	g_assert_true(a->component.build.check_skip);
	g_assert_cmpstr(a->component.build.check_skip_reason, ==, "first");
	/* An entry of `packages` and a version are replaced whole. */
	g_assert_cmpstr(varve_effective_channel(a, "p"), ==, "s");
	g_assert_null(varve_effective_channel(a, "p-debuginfo"));
	g_assert_null(a->component.packages[0].publish.debuginfo_channel);
	g_assert_cmpuint(a->component.n_source_files, ==, 2);
	g_assert_cmpstr(a->component.source_files[1].origin.file, ==, "later/x.toml");
	g_assert_cmpstr(varve_effective_channel(a, "q"), ==, "two");
	g_assert_cmpstr(components->distros[0].versions[0].release_ver, ==, "2");
	g_assert_null(components->distros[0].versions[0].dist_git_branch);
	g_assert_true(g_str_has_suffix(components->lock_dir, "/l"));
	g_assert_cmpstr(components->default_distro.version, ==, "1");
	remove_tree(directory);
}

/* Each element of an array says where it is from. */
static void test_later_files_explained(void)
{
	g_autofree char *directory = make_tree("includes = [\"later.toml\"]\n"
					       "[components.a.build]\nwith = [\"one\"]\n");
	g_autoptr(VarveDefinition) definition = NULL;
	g_autoptr(VarveEffective) a = NULL;
	g_autoptr(GPtrArray) all = NULL;
	g_autoptr(GError) error = NULL;

	add_file(directory, "later.toml", "\n[components.a.build]\nwith = [\"two\"]\n");
	definition = varve_definition_load(directory, &error);
	g_assert_no_error(error);
	a = effective_of(definition, "a");
	all = varve_effective_explain(a);
	g_assert_cmpuint(all->len, ==, 2);
	g_assert_cmpstr(((VarveExplanation *)all->pdata[0])->value, ==, "\"one\"");
	g_assert_cmpstr(((VarveExplanation *)all->pdata[0])->origin.file, ==, "varve.toml");
	g_assert_cmpstr(((VarveExplanation *)all->pdata[1])->value, ==, "\"two\"");
	g_assert_cmpstr(((VarveExplanation *)all->pdata[1])->origin.file, ==, "later.toml");
	remove_tree(directory);
}

/* "" is as if the key were not there; an array may have nothing. */
static void test_blank(void)
{
	g_autofree char *directory = make_tree(
		"[components.a]\nspec = { type = \"\", path = \"\", upstream-name = \"\", "
		"upstream-commit = \"\", upstream-distro = { version = \"\", snapshot = \"\" } }\n"
		"release.calculation = \"\"\npublish = { rpm-channel = \"\" }\n"
		"packages.p.publish = { rpm-channel = \"\", channel = \"old\" }\n"
		"[[components.a.source-files]]\nfilename = \"f\"\nhash = \"\"\nhash-type = \"\"\n"
		"replace-reason = \"\"\norigin = { type = \"download\", uri = "
		"\"https://example.org/f\", script = \"\", inputs = [], mock-packages = [] }\n"
		"[component-groups.g]\ncomponents = []\nspecs = []\nexcluded-paths = []\n"
		"default-component-config.build.check.skip = true\n"
		"[project]\nwork-dir = \"\"\n[images.i]\ndefinition = { path = \"\" }\n");
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveDefinition) definition = varve_definition_load(directory, &error);
	g_autoptr(VarveEffective) a = NULL;

	g_assert_no_error(error);
	a = effective_of(definition, "a");
	g_assert_null(a->component.spec.path);
	g_assert_false(a->component.has_release);
	g_assert_cmpstr(varve_effective_channel(a, "p"), ==, "old");
	g_assert_null(a->component.source_files[0].hash_type);
	g_assert_true(definition->components->groups[0].defaults.build.check_skip);
	g_assert_true(g_str_has_suffix(definition->project.work_dir, "/build/work"));
	g_assert_null(definition->components->images[0].path);
	remove_tree(directory);
}

/* azldev's lock file says which commit; what the definition pins has to be that one. */
static void test_azldev_lock(void)
{
	static const char root[] =
		"[distros.d]\ndefault-version = \"1\"\n[distros.d.versions.1]\n"
		"release-ver = \"1\"\n[default-component-config]\nspec = { type = \"upstream\", "
		"upstream-distro = { name = \"d\" } }\n[components.a]\n[components.b]\n"
		"[components.pinned]\nspec = { type = \"upstream\", upstream-commit = "
		"\"ABCDEF0\" }\n[components.stale]\nspec = { type = \"upstream\", "
		"upstream-commit = \"1234567\" }\n[components.newer]\n[components.torn]\n";
	static const char lock[] = "version = 1\nupstream-commit = 'abcdef0123'\nmanual-bump = 2\n"
				   "input-fingerprint = 'sha256:1'\nlater = true\n";
	g_autofree char *directory = make_tree(root), *pin = NULL;
	g_autoptr(VarveDefinition) definition = NULL;
	g_autoptr(VarveEffective) a = NULL, b = NULL, pinned = NULL;
	g_autoptr(GError) error = NULL;

	add_file(directory, "locks/a.lock", lock);
	add_file(directory, "locks/pinned.lock", lock);
	add_file(directory, "locks/stale.lock", lock);
	add_file(directory, "locks/newer.lock", "version = 2\n");
	add_file(directory, "locks/torn.lock", "version = 1\nupstream-commit = 'ab'\n");
	definition = varve_definition_load(directory, &error);
	g_assert_no_error(error);
	a = effective_of(definition, "a");
	b = effective_of(definition, "b");
	pinned = effective_of(definition, "pinned");
	pin = varve_source_pin(a);
	g_assert_cmpstr(pin, ==, "commit abcdef0123");
	g_assert_cmpstr(a->locked_commit, ==, "abcdef0123");
	g_assert_cmpstr(a->locked_fingerprint, ==, "sha256:1");
	g_assert_null(a->component.spec.upstream_commit);
	g_assert_null(b->locked_commit);
	g_assert_cmpstr(pinned->locked_commit, ==, "abcdef0123");
	g_assert_null(varve_effective_new(definition, "stale", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_DEFINITION);
	g_assert_nonnull(strstr(error->message, "is 1234567, but "));
	g_clear_error(&error);
	g_assert_null(varve_effective_new(definition, "newer", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
	g_clear_error(&error);
	g_assert_null(varve_effective_new(definition, "torn", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	remove_tree(directory);
}

/* Without an upstream-distro the snapshot is the project's distribution's, as all of it. */
static void test_snapshot_of_the_default(void)
{
	g_autofree char *directory =
		make_tree("[project]\ndefault-distro = { name = \"d\", snapshot = "
			  "\"2026-02-24T00:00:00Z\" }\n"
			  "[distros.d]\ndefault-version = \"1\"\n[distros.d.versions.1]\n"
			  "release-ver = \"1\"\n[components.a]\nspec = { type = \"upstream\" }\n");
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveDefinition) definition = varve_definition_load(directory, &error);
	g_autoptr(VarveEffective) a = NULL;

	g_assert_no_error(error);
	a = effective_of(definition, "a");
	g_assert_cmpstr(a->distro->name, ==, "d");
	g_assert_cmpstr(a->snapshot, ==, "2026-02-24T00:00:00Z");
	remove_tree(directory);
}

/* A spec that is found, and another that a group's defaults name. */
static void test_found_spec_and_another(void)
{
	g_autofree char *directory = make_tree(
		"[component-groups.all]\nspecs = [\"*.spec\"]\n"
		"default-component-config.spec = { type = \"local\", path = \"b.spec\" }\n");
	g_autoptr(VarveDefinition) definition = NULL;
	g_autoptr(VarveEffective) b = NULL;
	g_autoptr(GError) error = NULL;

	add_file(directory, "a.spec", "");
	add_file(directory, "b.spec", "");
	definition = varve_definition_load(directory, &error);
	g_assert_no_error(error);
	b = effective_of(definition, "b");
	g_assert_true(g_str_has_suffix(b->component.spec.path, "/b.spec"));
	g_assert_null(varve_effective_new(definition, "a", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_DEFINITION);
	g_assert_nonnull(strstr(error->message, "'specs' of group 'all' finds "));
	remove_tree(directory);
}

static void test_what_does_not_fit(void)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "[components.a]\nspec = { type = \"upstream\" }\n[distros.d.versions.1]\n"
		  "release-ver = \"1\"\n",
		  "no 'spec.upstream-distro' says which" },
		{ "[components.a]\nspec = { type = \"upstream\", upstream-distro = { name = \"d\" "
		  "} }\n"
		  "[distros.d.versions.1]\nrelease-ver = \"1\"\n",
		  "distribution 'd' has no default-version" },
		{ "[[components.a.source-files]]\nfilename = \"a.tar\"\norigin.type = \"overlay\"\n"
		  "replace-upstream = true\nreplace-reason = \"r\"\n[distros.d.versions.1]\n"
		  "release-ver = \"1\"\n",
		  "'a.tar' is of origin 'overlay', but no overlay has it as its 'archive'" },
		{ "[[components.a.overlays]]\ntype = \"file-remove\"\narchive = \"a.tar\"\n"
		  "file = \"x\"\n[[components.a.overlays]]\ntype = \"file-remove\"\n"
		  "file = \"*.tar\"\n[distros.d.versions.1]\nrelease-ver = \"1\"\n",
		  "changes the archive 'a.tar' itself, and that at " },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *directory = make_tree(cases[i].text);
		g_autoptr(GError) error = NULL;
		g_autoptr(VarveDefinition) definition = varve_definition_load(directory, &error);

		g_assert_no_error(error);
		g_assert_null(varve_effective_new(definition, "a", &error));
		g_assert_nonnull(error);
		g_assert_nonnull(strstr(error->message, cases[i].message));
		g_assert_nonnull(strstr(error->message, "'a'"));
		remove_tree(directory);
	}
}

static void test_metadata_of_ours(void)
{
	g_autofree char *directory =
		make_tree("[components.a.build]\nwith = [\"x\"]\n[components.a.build.metadata]\n"
			  "category = \"azl-temp-workaround\"\nupstream-status = \"unknown\"\n"
			  "reason = \"r\"\nuntil = \"2026-02-30\"\nfixed-in = \"1 2\"\n");
	g_autoptr(GError) error = NULL;

	g_assert_null(varve_definition_load(directory, &error));
	g_assert_nonnull(strstr(error->message, "'until': '2026-02-30' must be a day"));
	g_assert_nonnull(strstr(error->message, "'fixed-in': '1 2' must be a version"));
	g_assert_nonnull(strstr(error->message, "2 mistakes"));
	remove_tree(directory);
}

/* The real tree: every component resolves, and is explained as it was merged. */
static void test_azurelinux(void)
{
	const char *corpus = g_getenv("VARVE_CORPUS");
	g_autofree char *beside =
		g_build_filename(g_getenv("G_TEST_SRCDIR"), "../../../shared/corpus", NULL);
	g_autofree char *path = g_build_filename(corpus ? corpus : beside, "azurelinux4", NULL);
	g_autoptr(VarveDefinition) definition = NULL;
	g_autoptr(GError) error = NULL;
	gsize skipped = 0;

	if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
		g_test_skip("the corpus is not there; set VARVE_CORPUS");
		return;
	}
	definition = varve_definition_load(path, &error);
	g_assert_no_error(error);
	for (gsize i = 0; i < definition->components->n_components; i++) {
		const char *name = definition->components->components[i].name;
		g_autoptr(VarveEffective) effective = effective_of(definition, name);
		g_autoptr(GPtrArray) all = varve_effective_explain(effective);
		gsize overlays = 0;

		for (guint j = 0; j < all->len; j++)
			overlays +=
				strcmp(((VarveExplanation *)all->pdata[j])->key, "overlays") == 0;
		g_assert_cmpuint(overlays, ==, effective->component.n_overlays);
		g_assert_cmpint(explanation(all, "build.check.skip") != NULL, ==,
				effective->component.build.check_skip);
		skipped += effective->component.build.check_skip;
		g_assert_true(effective->component.spec.type == VARVE_SPEC_LOCAL ||
			      strcmp(effective->distro->name, "fedora") == 0);
	}
	g_assert_cmpuint(definition->components->n_components, >, 7000);
	g_assert_cmpuint(skipped, >, 100);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/component/effective/order", test_order);
	g_test_add_func("/component/effective/overlays", test_overlays);
	g_test_add_func("/component/effective/nothing-is-set-back", test_nothing_is_set_back);
	g_test_add_func("/component/effective/upstream", test_upstream);
	g_test_add_func("/component/effective/found-specs", test_found_specs);
	g_test_add_func("/component/effective/unknown-names-the-nearest",
			test_unknown_names_the_nearest);
	g_test_add_func("/component/effective/channels", test_channels);
	g_test_add_func("/component/effective/older-channels", test_older_channels);
	g_test_add_func("/component/effective/explain", test_explain);
	g_test_add_func("/component/effective/explain-defaults", test_explain_defaults);
	g_test_add_func("/component/effective/comments", test_comments);
	g_test_add_func("/component/effective/specs-of-one-name", test_specs_of_one_name);
	g_test_add_func("/component/effective/overlay-files-of-the-project",
			test_overlay_files_of_the_project);
	g_test_add_func("/component/effective/overlay-files-are-inherited",
			test_overlay_files_are_inherited);
	g_test_add_func("/component/effective/spec-of-two-groups", test_spec_of_two_groups);
	g_test_add_func("/component/effective/two-patterns-for-one-component",
			test_two_patterns_for_one_component);
	g_test_add_func("/component/effective/later-files", test_later_files);
	g_test_add_func("/component/effective/later-files-explained", test_later_files_explained);
	g_test_add_func("/component/effective/blank", test_blank);
	g_test_add_func("/component/effective/azldev-lock", test_azldev_lock);
	g_test_add_func("/component/effective/snapshot-of-the-default",
			test_snapshot_of_the_default);
	g_test_add_func("/component/effective/found-spec-and-another", test_found_spec_and_another);
	g_test_add_func("/component/effective/what-does-not-fit", test_what_does_not_fit);
	g_test_add_func("/component/effective/metadata-of-ours", test_metadata_of_ours);
	g_test_add_func("/component/effective/azurelinux", test_azurelinux);
	return g_test_run();
}
