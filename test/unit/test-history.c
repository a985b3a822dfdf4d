/* stack/history.c, taking back: what an interrupted swap left goes, and nothing else does. */
#include "base/error.h"
#include "stack/history.h"
#include "state-fixture.h"

#include <string.h>
#include <sys/stat.h>

typedef struct {
	const char *name;
	const char *records[6]; /* layers of each; "!" before them: it failed */
	guint current;          /* 0: no link; the others were linked before it */
	const char *damaged;    /* (nullable) a record that is made unreadable */
	const char *files;      /* in the layers directory */
	const char *left;
	guint records_left;
	const char *interrupted; /* what a boot that cannot write leaves out */
} Row;

static const Row rows[] = {
	{ "nothing to take back", { "a", "aB" }, 2, NULL, "ab", "ab", 2, "" },
	{ "before its commit", { "a", "aB" }, 1, NULL, "ab", "a", 1, "b" },
	{ "its file is not there yet", { "a", "aB" }, 1, NULL, "a", "a", 1, "" },
	{ "a file that was there before stays", { "a", "ab" }, 1, NULL, "ab", "ab", 1, "" },
	{ "a file that another one names stays", { "ab", "a", "aB" }, 2, NULL, "ab", "ab", 2, "" },
	{ "two swaps", { "a", "aB", "aC" }, 1, NULL, "abc", "a", 1, "bc" },
	{ "what failed is remembered", { "a", "!aB", "aC" }, 1, NULL, "abc", "ab", 2, "c" },
	{ "a node that fell back", { "a", "aB", "!aC" }, 1, NULL, "abc", "abc", 3, "" },
	{ "the link is lost", { "a", "aB" }, 0, NULL, "ab", "ab", 2, "" },
	{ "the current one is damaged", { "a", "aB", "aC" }, 2, "0002.json", "abc", "abc", 2, "" },
	{ "an earlier one is damaged", { "a", "a", "aB" }, 2, "0001.json", "ab", "a", 1, "b" },
};

static void fill(const Fixture *f, const Row *row)
{
	for (guint i = 0; row->records[i]; i++) {
		gboolean failed = row->records[i][0] == '!';
		g_autoptr(VarveGeneration) generation = make(f, row->records[i] + failed);

		g_assert_true(varve_generation_write(f->generations, generation, NULL));
		if (failed)
			g_assert_true(varve_generation_fail(f->generations, i + 1, "why", NULL));
		if (i + 1 == row->current)
			g_assert_true(
				varve_generation_link(f->generations, generation, "current", NULL));
	}
	for (const char *file = row->files; *file; file++) {
		g_autofree char *name = file_of(*file);

		g_assert_true(varve_file_write(f->layers, name, "x", 1, 0644, NULL));
	}
	if (row->damaged)
		g_assert_true(varve_file_write(f->generations, row->damaged, "{", 1, 0644, NULL));
}

static char *left(const Fixture *f)
{
	GString *text = g_string_new(NULL);
	g_auto(GStrv) names = NULL;

	g_assert_true(varve_dir_list(f->layers, ".", &names, NULL));
	for (char **name = names; *name; name++)
		g_string_append_c(text, **name);
	return g_string_free(text, FALSE);
}

static void test_row(Fixture *f, gconstpointer data)
{
	const Row *row = data;
	g_autoptr(VarveHistory) history = NULL;
	g_autoptr(GPtrArray) records = NULL;
	g_autofree char *files = NULL;
	g_autoptr(GError) error = NULL;
	guint unreadable = 0;

	fill(f, row);
	history = varve_history_load(f->generations, &f->base);
	for (const char *file = row->files; *file; file++) {
		g_autofree char *name = file_of(*file);

		g_assert_cmpint(varve_history_interrupted(history, name), ==,
				strchr(row->interrupted, *file) != NULL);
	}
	/* Done again it finds nothing to do. */
	for (int i = 0; i < 2; i++) {
		g_assert_true(varve_history_take_back(f->generations, f->layers, &f->base, &error));
		g_assert_no_error(error);
	}
	files = left(f);
	g_assert_cmpstr(files, ==, row->left);
	records = varve_generation_list(f->generations, &unreadable, NULL);
	g_assert_cmpuint(records->len, ==, row->records_left);
}

/* Those of another base are that one's own. */
static void test_other_base(Fixture *f, gconstpointer data)
{
	const Row row = { "", { "a", "aB" }, 1, NULL, "ab", "ab", 2, "" };
	g_autofree char *files = NULL;
	VarveDigest other = { { 2 } };

	(void)data;
	fill(f, &row);
	g_assert_true(varve_history_take_back(f->generations, f->layers, &other, NULL));
	files = left(f);
	g_assert_cmpstr(files, ==, row.left);
}

static const VarveDigest *root(char layer)
{
	static VarveDigest digest;

	digest = (VarveDigest){ { (guint8)layer } };
	return &digest;
}

static void test_failed(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) first = make(f, "a");
	g_autoptr(VarveGeneration) bad = make(f, "ab");
	g_autoptr(VarveGeneration) unfinished = make(f, "ac");
	g_autoptr(VarveHistory) history = NULL;
	g_autoptr(VarveHistory) empty = varve_history_load(-1, &f->base);
	g_autoptr(GPtrArray) list = NULL;

	(void)data;
	g_assert_null(varve_history_failed(empty, root('a')));
	g_assert_true(varve_generation_commit(f->generations, first, NULL));
	g_assert_true(varve_generation_write(f->generations, bad, NULL));
	g_assert_true(varve_generation_fail(f->generations, bad->number,
					    "its service does not start", NULL));
	for (guint i = 0; i < unfinished->layers->len; i++)
		((VarveGenerationLayer *)unfinished->layers->pdata[i])->staged = i == 1;
	g_assert_true(varve_generation_write(f->generations, unfinished, NULL));
	history = varve_history_load(f->generations, &f->base);
	g_assert_cmpuint(history->settled, ==, bad->number);
	/* What it had before is not to blame. */
	g_assert_null(varve_history_failed(history, root('a')));
	g_assert_cmpuint(varve_history_failed(history, root('b'))->number, ==, bad->number);
	g_assert_null(varve_history_failed(history, root('c')));
	g_assert_false(varve_history_interrupted(history, "a_1_x86-64.raw"));
	g_assert_false(varve_history_interrupted(history, "b_1_x86-64.raw"));
	g_assert_true(varve_history_interrupted(history, "c_1_x86-64.raw"));
	list = varve_generation_unfinished(f->generations, &f->base, NULL);
	g_assert_cmpuint(list->len, ==, 1);
	g_assert_cmpuint(((VarveGeneration *)list->pdata[0])->number, ==, unfinished->number);
	g_assert_true(
		((VarveGenerationLayer *)((VarveGeneration *)list->pdata[0])->layers->pdata[1])
			->staged);
	/* Forced, it ran after all. */
	varve_history_free(g_steal_pointer(&history));
	g_assert_true(varve_generation_remove(f->generations, unfinished->number, NULL));
	g_assert_true(varve_generation_remove(f->generations, unfinished->number, NULL));
	varve_generation_free(unfinished);
	unfinished = make(f, "ab");
	g_assert_true(varve_generation_commit(f->generations, unfinished, NULL));
	history = varve_history_load(f->generations, &f->base);
	g_assert_null(varve_history_failed(history, root('b')));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strconcat("/history/", rows[i].name, NULL);

		g_strdelimit(path + strlen("/history/"), " ", '-');
		g_test_add(path, Fixture, &rows[i], setup, test_row, teardown);
	}
	g_test_add("/history/other-base", Fixture, NULL, setup, test_other_base, teardown);
	g_test_add("/history/failed", Fixture, NULL, setup, test_failed, teardown);
	return g_test_run();
}
