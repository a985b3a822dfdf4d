/* The log of deviations: what counts as one, why it is there, what it comes to, what is refused. */
#include "component/deviation.h"
#include "component/select.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* A tree in a directory of its own, with the upstream's specs in another. */
typedef struct {
	char *directory, *upstream;
	VarveDefinition *definition;
	VarveDeviations *deviations;
} Tree;

static void add_file(const char *directory, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);
	g_autofree char *above = g_path_get_dirname(path);

	g_assert_cmpint(g_mkdir_with_parents(above, 0755), ==, 0);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void tree_setup(Tree *tree, gconstpointer data)
{
	(void)data;
	tree->directory = g_dir_make_tmp("varve-test-XXXXXX", NULL);
	tree->upstream = g_dir_make_tmp("varve-test-XXXXXX", NULL);
}

static void tree_teardown(Tree *tree, gconstpointer data)
{
	(void)data;
	varve_deviations_free(tree->deviations);
	varve_definition_free(tree->definition);
	g_assert_true(varve_dir_remove(AT_FDCWD, tree->directory, NULL));
	g_assert_true(varve_dir_remove(AT_FDCWD, tree->upstream, NULL));
	g_free(tree->directory);
	g_free(tree->upstream);
}

static void collect(Tree *tree)
{
	g_autoptr(GError) error = NULL;
	GPtrArray *components;

	tree->definition = varve_definition_load(tree->directory, &error);
	g_assert_no_error(error);
	components = varve_effective_select(tree->definition, NULL, &error);
	g_assert_no_error(error);
	tree->deviations = varve_deviations_collect(tree->definition, components);
}

static VarveDeviation *nth(const Tree *tree, guint i)
{
	g_assert_cmpuint(i, <, tree->deviations->deviations->len);
	return tree->deviations->deviations->pdata[i];
}

static VarveDeviation *titled(const Tree *tree, const char *title)
{
	for (guint i = 0; i < tree->deviations->deviations->len; i++) {
		VarveDeviation *deviation = tree->deviations->deviations->pdata[i];

		if (strcmp(deviation->title, title) == 0)
			return deviation;
	}
	g_test_message("there is no deviation '%s'", title);
	g_assert_not_reached();
}

static void test_kinds(Tree *tree, gconstpointer data)
{
	g_autoptr(VarveDeviationSummary) summary = NULL;

	(void)data;
	add_file(tree->directory, "varve.toml",
		 "[project]\ndefault-distro = { name = \"d\" }\n"
		 "[distros.d]\ndefault-version = \"1\"\n[distros.d.versions.1]\nrelease-ver = "
		 "\"1\"\n"
		 "default-component-config = { spec = { type = \"upstream\", upstream-distro = { "
		 "name "
		 "= \"u\", version = \"1\" } } }\n"
		 "[distros.u.versions.1]\nrelease-ver = \"1\"\n[distros.u.versions.2]\nrelease-ver "
		 "= "
		 "\"2\"\n"
		 "[components.plain]\n"
		 "# It is ours.\n[components.own]\nspec = { type = \"local\", path = \"own.spec\" "
		 "}\n"
		 "[components.pinned]\nspec = { type = \"upstream\", upstream-commit = "
		 "\"0123456789\" }\n"
		 "[components.same]\nspec = { upstream-distro = { name = \"u\", version = \"1\" } "
		 "}\n"
		 "[components.newer]\nspec = { upstream-distro = { name = \"u\", version = \"2\" } "
		 "} # "
		 "of next year\n"
		 "[components.built.build]\nwith = [\"a\", \"b\"]\n# No room for them.\nwithout = "
		 "[\n  \"docs\",\n]\ncheck = { skip = true, skip_reason = \"Slow.\" }\n"
		 "# The macros.\n[components.built.build.defines]\nx = \"1\"\n"
		 "[[components.built.source-files]]\nfilename = \"a.tar\"\norigin = { type = "
		 "\"download\", uri = \"https://example.org/a.tar\" }\nreplace-upstream = "
		 "true\nreplace-reason = \"Licence.\"\n");
	collect(tree);
	g_assert_cmpuint(tree->deviations->deviations->len, ==, 8);
	g_assert_cmpstr(titled(tree, "with a b")->reason, ==, NULL);
	g_assert_cmpstr(titled(tree, "without docs")->reason, ==, "No room for them.");
	g_assert_true(titled(tree, "without docs")->reason_is_comment);
	g_assert_cmpstr(titled(tree, "defines x = 1")->reason, ==, "The macros.");
	g_assert_cmpstr(titled(tree, "%check is skipped")->reason, ==, "Slow.");
	g_assert_false(titled(tree, "%check is skipped")->reason_is_comment);
	g_assert_cmpstr(titled(tree, "a.tar in the place of upstream's")->reason, ==, "Licence.");
	g_assert_cmpstr(titled(tree, "the spec of u 2")->reason, ==, "of next year");
	g_assert_cmpstr(titled(tree, "upstream's commit 0123456789")->declarer, ==, "pinned");
	g_assert_cmpstr(titled(tree, "a spec of our own, own.spec")->reason, ==, "It is ours.");
	summary = varve_deviations_summarize(tree->deviations);
	g_assert_cmpuint(summary->n_components, ==, 4);
	g_assert_cmpuint(summary->kinds[VARVE_DEVIATION_BUILD], ==, 3);
	g_assert_cmpuint(summary->kinds[VARVE_DEVIATION_PIN], ==, 2);
}

#define OVERLAY \
	"[[components.a.overlays]]\ntype = \"spec-add-tag\"\ntag = \"Requires\"\nvalue = \"x\"\n"

/* One file is one change, and so are metadata that say the same of something particular. */
static void test_changes(Tree *tree, gconstpointer data)
{
	(void)data;
	add_file(
		tree->directory, "varve.toml",
		"[components.a]\noverlay-files = [\"*.overlay.toml\"]\n" OVERLAY
		"description = \"One\"\n" OVERLAY "metadata = { category = \"azl-pruning\", "
		"upstream-status = \"unknown\", bugs = [{ url "
		"= \"https://example.org/1\" }] }\n" OVERLAY
		"metadata = { category = \"azl-pruning\", upstream-status = \"unknown\" }\n" OVERLAY
		"metadata = { category = \"azl-pruning\", upstream-status = \"unknown\" }\n" OVERLAY
		"description = \"Last\"\n"
		"metadata = { category = \"azl-pruning\", upstream-status = \"unknown\", bugs = [{ "
		"url "
		"= \"https://example.org/1\" }] }\n");
	add_file(tree->directory, "1.overlay.toml",
		 "# Because of this.\n[metadata]\ncategory = \"azl-pruning\"\nupstream-status = "
		 "\"inapplicable\"\n[[overlays]]\ntype = \"spec-remove-section\"\nsection = "
		 "\"%check\"\n"
		 "[[overlays]]\ntype = \"spec-remove-section\"\nsection = \"%pre\"\npackage = "
		 "\"b\"\n");
	collect(tree);
	g_assert_cmpuint(tree->deviations->deviations->len, ==, 5);
	g_assert_cmpstr(nth(tree, 0)->reason, ==, "One");
	g_assert_cmpuint(nth(tree, 1)->overlays->len, ==, 2);
	g_assert_cmpstr(nth(tree, 1)->reason, ==, "Last");
	g_assert_cmpuint(nth(tree, 2)->overlays->len, ==, 1);
	g_assert_cmpuint(nth(tree, 4)->overlays->len, ==, 2);
	g_assert_cmpstr(nth(tree, 4)->title, ==, "spec-remove-section %check and 1 more overlay");
	g_assert_cmpstr(nth(tree, 4)->reason, ==, "Because of this.");
	g_assert_cmpstr(varve_deviation_status(nth(tree, 4)), ==, "inapplicable");
	g_assert_cmpstr(nth(tree, 4)->origin.file, ==, "1.overlay.toml");
}

/* What a group does to many is one deviation, and takes the group's metadata. */
static void test_groups(Tree *tree, gconstpointer data)
{
	(void)data;
	add_file(tree->directory, "varve.toml",
		 "[components.b]\n[components.a]\n[components.c]\n"
		 "[component-groups.g]\ndescription = \"Of the group.\"\ncomponents = [\"b\", "
		 "\"a\", "
		 "\"gone\"]\n"
		 "metadata = { category = \"azl-pruning\", upstream-status = \"unknown\" }\n"
		 "[component-groups.g.default-component-config.build]\nwithout = [\"docs\"]\n");
	collect(tree);
	g_assert_cmpuint(tree->deviations->deviations->len, ==, 1);
	g_assert_cmpstr(nth(tree, 0)->level, ==, "group");
	g_assert_cmpstr(nth(tree, 0)->declarer, ==, "g");
	g_assert_cmpstr(nth(tree, 0)->reason, ==, "Of the group.");
	g_assert_cmpstr(varve_deviation_category(nth(tree, 0)), ==, "azl-pruning");
	g_assert_cmpuint(nth(tree, 0)->components->len, ==, 2);
	g_assert_cmpstr(nth(tree, 0)->components->pdata[0], ==, "a");
	g_assert_cmpstr(nth(tree, 0)->components->pdata[1], ==, "b");
}

/* Differences */

static gboolean find(const VarveEffective *effective, int into, const char *path, char **ret_spec,
		     gpointer data, GError **error)
{
	const Tree *tree = data;
	g_autofree char *name = g_strconcat(effective->name, ".spec", NULL);
	g_autofree char *from = g_build_filename(tree->upstream, name, NULL);
	g_autofree char *to = g_build_filename(path, name, NULL);

	(void)into;
	if (!varve_file_copy(from, to, 0644, error))
		return FALSE;
	*ret_spec = g_steal_pointer(&name);
	return TRUE;
}

static void render(Tree *tree)
{
	const VarveUpstreamFinder finder = { find, tree };
	g_autoptr(GError) error = NULL;

	varve_deviations_render(tree->deviations, &finder, &error);
	g_assert_no_error(error);
}

static const VarveDifference *only_difference(const VarveDeviation *deviation)
{
	g_assert_cmpuint(deviation->differences->len, ==, 1);
	return deviation->differences->pdata[0];
}

/* Each shows what it changed after those before it; one that does not fit says so alone. */
static void test_differences(Tree *tree, gconstpointer data)
{
	const VarveDifference *difference;

	(void)data;
	add_file(tree->directory, "fix.patch", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n");
	add_file(tree->directory, "varve.toml",
		 "[[components.a.overlays]]\ntype = \"spec-set-tag\"\ntag = \"Version\"\nvalue = "
		 "\"2\"\n"
		 "[[components.a.overlays]]\ntype = \"spec-remove-tag\"\ntag = \"Gone\"\n"
		 "[[components.a.overlays]]\ntype = \"patch-add\"\nsource = \"fix.patch\"\n"
		 "[[components.b.overlays]]\ntype = \"spec-remove-tag\"\ntag = \"Gone\"\n");
	add_file(tree->upstream, "a.spec", "Name: a\nVersion: 1\n\n%description\nText.\n");
	collect(tree);
	render(tree);
	difference = only_difference(nth(tree, 0));
	g_assert_cmpstr(
		difference->text, ==,
		"--- a.spec\n+++ a.spec\n@@ -1,5 +1,5 @@\n Name: a\n-Version: 1\n+Version: 2\n "
		"\n %description\n Text.\n");
	g_assert_cmpstr(difference->version, ==, "1");
	difference = only_difference(nth(tree, 1));
	g_assert_null(difference->text);
	g_assert_nonnull(strstr(difference->missing, "varve.toml:5"));
	difference = only_difference(nth(tree, 2));
	g_assert_nonnull(strstr(difference->text, "+Patch0: fix.patch\n"));
	g_assert_nonnull(strstr(difference->text, "--- /dev/null\n+++ fix.patch\n--- a/x\n"));
	difference = only_difference(nth(tree, 3));
	g_assert_null(difference->text);
	g_assert_null(difference->version);
	g_assert_nonnull(strstr(difference->missing, "b.spec"));
}

static void test_judge(Tree *tree, gconstpointer data)
{
	g_autoptr(GPtrArray) before = NULL, after = NULL, none = NULL;
	static const char metadata[] =
		"metadata = { category = \"%s\", upstream-status = \"upstreamed\", %s commits = [{ "
		"url = \"https://example.org/c\" }] }\n";
	g_autofree char *temporary =
		g_strdup_printf(metadata, "azl-temp-workaround", "until = \"2026-03-01\",");
	g_autofree char *had =
		g_strdup_printf(metadata, "upstream-backport", "fixed-in = \"1.2\",");
	g_autofree char *later =
		g_strdup_printf(metadata, "upstream-backport", "fixed-in = \"1.10\",");
	g_autofree char *text = g_strconcat(OVERLAY "description = \"1\"\n", temporary,
					    OVERLAY "description = \"2\"\n", had,
					    OVERLAY "description = \"3\"\n", later, OVERLAY, NULL);

	(void)data;
	add_file(tree->directory, "varve.toml", text);
	add_file(tree->upstream, "a.spec", "%define v 1.9\nName: a\nVersion: %{v}\n");
	collect(tree);
	before = varve_deviations_judge(tree->deviations, "2026-03-01");
	g_assert_cmpuint(before->len, ==, 1);
	g_assert_nonnull(strstr(((VarveDeviationProblem *)before->pdata[0])->message,
				"varve.toml:19: component a, spec-add-tag Requires x: no reason"));
	render(tree);
	after = varve_deviations_judge(tree->deviations, "2026-03-02");
	g_assert_cmpuint(after->len, ==, 3);
	g_assert_nonnull(strstr(((VarveDeviationProblem *)after->pdata[0])->text,
				"was to be there until 2026-03-01"));
	g_assert_nonnull(strstr(((VarveDeviationProblem *)after->pdata[1])->text,
				"upstream's a is version 1.9, which has this since 1.2"));
	none = varve_deviations_unjudged(tree->deviations);
	g_assert_cmpuint(none->len, ==, 0);
}

/* Backports that nothing was compared for, and why; others need no version. */
static void test_unjudged(Tree *tree, gconstpointer data)
{
	g_autoptr(GPtrArray) before = NULL, after = NULL;
	static const char metadata[] =
		"description = \"x\"\nmetadata = { category = \"%s\", upstream-status = "
		"\"upstreamed\", %s commits = [{ url = \"https://example.org/c\" }] }\n";
	g_autofree char *never = g_strdup_printf(metadata, "upstream-backport", "");
	g_autofree char *some = g_strdup_printf(metadata, "upstream-backport", "fixed-in = \"2\",");
	g_autofree char *other = g_strdup_printf(metadata, "azl-pruning", "");
	g_autofree char *text = g_strconcat(
		OVERLAY, never, OVERLAY, some, OVERLAY, other,
		"[[components.b.overlays]]\ntype = \"spec-remove-tag\"\ntag = \"Gone\"\n", some,
		NULL);

	(void)data;
	add_file(tree->directory, "varve.toml", text);
	add_file(tree->upstream, "a.spec", "Name: a\nVersion: 1\n");
	collect(tree);
	before = varve_deviations_unjudged(tree->deviations);
	g_assert_cmpuint(before->len, ==, 3);
	render(tree);
	after = varve_deviations_unjudged(tree->deviations);
	g_assert_cmpuint(after->len, ==, 2);
	g_assert_nonnull(strstr(((VarveDeviationProblem *)after->pdata[0])->message,
				"component a, spec-add-tag Requires x: whether upstream has it "
				"cannot be told: it has no 'fixed-in'"));
	g_assert_nonnull(strstr(((VarveDeviationProblem *)after->pdata[1])->text,
				"the version of upstream's b is not at hand"));
}

/* Since when: the line that declares it, in a repository; else nothing. */
static void test_dates(Tree *tree, gconstpointer data)
{
	static const char script[] =
		"git init -q . && git add . && git -c user.name=n -c user.email=e@x "
		"commit -q -m first && printf '%s' \"$1\" >>varve.toml";
	const char *const env[] = { "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z",
				    "GIT_COMMITTER_DATE=2026-05-05T05:05:05Z",
				    "GIT_CONFIG_GLOBAL=/dev/null", NULL };
	const char *const argv[] = { "sh", "-c", script, "sh", OVERLAY, NULL };
	VarveProcess process = { .argv = argv, .env = env, .directory = tree->directory };
	g_autofree char *git = g_find_program_in_path("git"), *age = NULL;
	g_autoptr(GError) error = NULL;

	(void)data;
	add_file(tree->directory, "varve.toml", OVERLAY);
	if (!git) {
		g_test_skip("there is no git");
		return;
	}
	varve_process_run(&process, NULL, &error);
	g_assert_no_error(error);
	collect(tree);
	varve_deviations_date(tree->deviations);
	g_assert_cmpstr(nth(tree, 0)->since, ==, "2026-01-02");
	g_assert_cmpuint(strlen(nth(tree, 0)->commit), ==, 40);
	/* Not committed yet. */
	g_assert_null(nth(tree, 1)->since);
	age = varve_deviation_age(nth(tree, 0), "2026-06-02");
	g_assert_cmpstr(age, ==, "5 months");
	g_assert_null(varve_deviation_age(nth(tree, 1), "2026-06-02"));
}

static void test_no_repository(Tree *tree, gconstpointer data)
{
	(void)data;
	add_file(tree->directory, "varve.toml", OVERLAY);
	collect(tree);
	varve_deviations_date(tree->deviations);
	g_assert_null(nth(tree, 0)->since);
}

/* Texts of a definition stay texts, and a page fetches nothing. */
static void test_pages(Tree *tree, gconstpointer data)
{
	VarveDeviationPage page = { "<T>", "2026-03-02", NULL };
	g_autofree char *html = NULL, *markdown = NULL;

	(void)data;
	add_file(tree->directory, "varve.toml",
		 OVERLAY
		 "description = \"</p><script>alert('1')</script> | `x` \\u202Eevil\"\n"
		 "metadata = { category = \"azl-pruning\", upstream-status = \"unknown\", bugs "
		 "= [{ url = \"https://example.org/?a=1&b=%22\" }] }\n");
	add_file(tree->upstream, "a.spec", "Name: a\n# </pre><img src=x>\nVersion: 1\n");
	collect(tree);
	render(tree);
	html = varve_deviations_html(tree->deviations, &page);
	g_assert_nonnull(strstr(html, "<title>&lt;T&gt;</title>"));
	g_assert_nonnull(strstr(html, "&lt;script&gt;alert(&#39;1&#39;)"));
	g_assert_null(strstr(html, "<script>alert"));
	g_assert_null(strstr(html, "<img"));
	g_assert_null(strstr(html, "\xe2\x80\xae"));
	g_assert_nonnull(strstr(html, "href=\"https://example.org/?a=1&amp;b=%22\""));
	g_assert_null(strstr(html, "url("));
	g_assert_null(strstr(html, "<link"));
	g_assert_nonnull(strstr(html, "default-src 'none'"));
	g_assert_true(g_utf8_validate(html, -1, NULL));
	markdown = varve_deviations_markdown(tree->deviations, &page);
	g_assert_nonnull(strstr(markdown, "\\</p\\>\\<script\\>"));
	g_assert_nonnull(strstr(markdown, "\\`x\\`"));
}

/* The same definition is the same page, whatever the day it is asked. */
static void test_empty(Tree *tree, gconstpointer data)
{
	VarveDeviationPage page = { "T", "2026-03-02", NULL };
	g_autoptr(GPtrArray) problems = NULL;
	g_autofree char *html = NULL;

	(void)data;
	add_file(tree->directory, "varve.toml", "[components.a]\n");
	collect(tree);
	problems = varve_deviations_judge(tree->deviations, page.today);
	g_assert_cmpuint(problems->len, ==, 0);
	html = varve_deviations_html(tree->deviations, &page);
	g_assert_nonnull(strstr(html, "0 of 1 components differ"));
	g_assert_null(strstr(html, "<script"));
}

#define ADD(name, function) \
	g_test_add("/component/deviation/" name, Tree, NULL, tree_setup, function, tree_teardown)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("kinds", test_kinds);
	ADD("changes", test_changes);
	ADD("groups", test_groups);
	ADD("differences", test_differences);
	ADD("judge", test_judge);
	ADD("unjudged", test_unjudged);
	ADD("dates", test_dates);
	ADD("no-repository", test_no_repository);
	ADD("pages", test_pages);
	ADD("empty", test_empty);
	return g_test_run();
}
