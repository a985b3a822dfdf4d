/* live/gc.c: what goes and what never does. Each row is a node: its generations, oldest first, its
 * files, and what is left of them. */
#include "base/error.h"
#include "base/file.h"
#include "ground/fd.h"
#include "live/gc.h"

#include <string.h>
#include <sys/stat.h>

/* "a1b1" is a generation with the files a_1_x.raw and b_1_x.raw; "!" before it: it failed; "@": it
 * is of a base that is on no disk, "+": of one that is on another slot. */
typedef struct {
	const char *name;
	const char *generations[8];
	guint current, good; /* of the running base; 0: none */
	gboolean directory;
	guint keep;
	const char *files;   /* "a1 b1" */
	const char *open;    /* NULL: none */
	const char *left;    /* files */
	const char *records; /* numbers */
	const char *unknown;
} Row;

static const Row rows[] = {
	{ "keeps the newest",
	  { "a1", "a2", "a3", "a4" },
	  4,
	  4,
	  FALSE,
	  2,
	  "a1 a2 a3 a4",
	  NULL,
	  "a3 a4",
	  "3 4",
	  "" },
	{ "keeps the good one",
	  { "a1", "a2", "a3", "a4" },
	  4,
	  1,
	  FALSE,
	  1,
	  "a1 a2 a3 a4",
	  NULL,
	  "a1 a4",
	  "1 4",
	  "" },
	{ "what is open stays, its record goes",
	  { "a1", "a2" },
	  2,
	  2,
	  FALSE,
	  1,
	  "a1 a2",
	  "a1",
	  "a1 a2",
	  "2",
	  "" },
	{ "failed: remembered, its files go",
	  { "a1", "!a2", "a3" },
	  3,
	  3,
	  FALSE,
	  3,
	  "a1 a2 a3",
	  NULL,
	  "a1 a3",
	  "1 2 3",
	  "" },
	{ "a failed one with what stays",
	  { "a1b1", "!a2b1" },
	  1,
	  1,
	  FALSE,
	  3,
	  "a1 a2 b1",
	  NULL,
	  "a1 b1",
	  "1 2",
	  "" },
	{ "what no generation had",
	  { "a1" },
	  1,
	  1,
	  FALSE,
	  1,
	  "a1 a9 z1",
	  NULL,
	  "a1 a9 z1",
	  "1",
	  "a_9_x.raw z_1_x.raw" },
	{ "the next boot's choice",
	  { "a1", "a2", "a1" },
	  3,
	  3,
	  TRUE,
	  1,
	  "a1 a2",
	  NULL,
	  "a1 a2",
	  "3",
	  "" },
	{ "listed: it is none",
	  { "a1", "a2", "a1" },
	  3,
	  3,
	  FALSE,
	  1,
	  "a1 a2",
	  NULL,
	  "a1",
	  "3",
	  "" },
	{ "another slot's",
	  { "+c1", "+c2", "a1" },
	  3,
	  3,
	  FALSE,
	  1,
	  "a1 c1 c2",
	  NULL,
	  "a1 c2",
	  "2 3",
	  "" },
	{ "a base that is gone",
	  { "@c1", "@c2", "a1" },
	  3,
	  3,
	  FALSE,
	  1,
	  "a1 c1 c2",
	  NULL,
	  "a1",
	  "3",
	  "" },
	{ "killed before: the file is gone already",
	  { "a1", "a2" },
	  2,
	  2,
	  FALSE,
	  1,
	  "a2",
	  NULL,
	  "a2",
	  "2",
	  "" },
	{ "the current one, also when it is old",
	  { "a1", "a2", "a3" },
	  1,
	  1,
	  FALSE,
	  1,
	  "a1 a2 a3",
	  NULL,
	  "a1 a3",
	  "1 3",
	  "" },
};

enum { OURS = 1, OTHER, GONE };

static gboolean is_installed(const VarveDigest *base)
{
	return base->bytes[0] != GONE;
}

static void touch(int dirfd, const char *file)
{
	g_assert_true(varve_file_write(dirfd, file, "content", 7, 0644, NULL));
}

static VarveGeneration *make(const char *text)
{
	VarveGeneration *generation = varve_generation_new();

	generation->base.bytes[0] = *text == '@' ? GONE : *text == '+' ? OTHER : OURS;
	generation->selection = VARVE_SELECTION_LISTED;
	for (text += strcspn(text, "abcdefghijklmnopqrstuvwxyz"); *text; text += 2) {
		g_autofree char *file = g_strdup_printf("%c_%c_x.raw", text[0], text[1]);
		g_autofree char *name = g_strndup(text, 1), *version = g_strndup(text + 1, 1);
		VarveDigest root = { { (guint8)text[0], (guint8)text[1] } };

		g_ptr_array_add(generation->layers,
				varve_generation_layer_new(name, version, file, &root));
	}
	return generation;
}

static void fill(const Row *row, const VarveStateDirs *dirs, VarveReport *running)
{
	g_auto(GStrv) files = g_strsplit(row->files, " ", -1);

	for (guint i = 0; row->generations[i]; i++) {
		g_autoptr(VarveGeneration) generation = make(row->generations[i]);

		g_assert_true(varve_generation_write(dirs->generations, generation, NULL));
		if (row->generations[i][0] == '!')
			g_assert_true(varve_generation_fail(dirs->generations, i + 1, "why", NULL));
		if (i + 1 == row->current || generation->base.bytes[0] != OURS)
			g_assert_true(varve_generation_link(dirs->generations, generation,
							    "current", NULL));
		if (i + 1 == row->good)
			g_assert_true(
				varve_generation_link(dirs->generations, generation, "good", NULL));
		for (guint j = 0; i + 1 == row->current && j < generation->layers->len; j++) {
			const VarveGenerationLayer *layer = generation->layers->pdata[j];
			VarveReportLayer *merged = varve_report_layer_new();

			merged->accepted = TRUE;
			g_free(merged->file);
			merged->file = g_strdup(layer->file);
			g_ptr_array_add(running->layers, merged);
		}
	}
	for (char **file = files; *file; file++) {
		g_autofree char *name = g_strdup_printf("%c_%c_x.raw", (*file)[0], (*file)[1]);

		touch(dirs->layers, name);
	}
	touch(dirs->layers, ".a_1_x.raw.12.34.partial");
	g_assert_cmpint(symlinkat("0001.json", dirs->generations, ".x.current.new"), ==, 0);
	touch(dirs->layers, "README");
}

/* Names of files as "a1 b1", of records as numbers; what is neither is left out. */
static char *list(int dirfd, const char *suffix)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_auto(GStrv) names = NULL;

	g_assert_true(varve_dir_list(dirfd, ".", &names, NULL));
	for (char **name = names; *name; name++) {
		if (!g_str_has_suffix(*name, suffix))
			continue;
		if (text->len)
			g_string_append_c(text, ' ');
		if (strcmp(suffix, ".raw") == 0)
			g_string_append_printf(text, "%c%c", (*name)[0], (*name)[2]);
		else
			g_string_append_printf(text, "%d", atoi(*name));
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void test_row(gconstpointer data)
{
	const Row *row = data;
	g_autofree char *dir = g_dir_make_tmp("varve-gc-XXXXXX", NULL);
	g_autofree char *layers = g_build_filename(dir, "layers", NULL);
	g_autofree char *generations = g_build_filename(dir, "generations", NULL);
	g_autoptr(VarveReport) running = varve_report_new();
	g_auto(VarveStateDirs) dirs = { -1, -1, -1 };
	g_auto(VarveGc) would = { NULL }, gc = { NULL };
	g_autoptr(GError) error = NULL;
	g_autofree char *open_file =
		row->open ? g_strdup_printf("%c_%c_x.raw", row->open[0], row->open[1]) : NULL;
	const char *const open_files[] = { open_file, NULL };
	const VarveGcNode node = { running, &dirs, open_files, is_installed };
	g_autofree char *before = NULL, *after = NULL, *left = NULL, *records = NULL,
			*unknown = NULL;
	VarveDigest base = { { OURS } };

	g_assert_cmpint(mkdir(layers, 0755), ==, 0);
	g_assert_cmpint(mkdir(generations, 0755), ==, 0);
	dirs.layers = open(layers, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dirs.generations = open(generations, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_free(running->base->root);
	running->base->root = varve_digest_dup_hex(&base);
	g_free(running->selection);
	running->selection = g_strdup(row->directory ? "directory" : "listed");
	fill(row, &dirs, running);

	before = list(dirs.layers, ".raw");
	g_assert_true(varve_gc_node(&node, row->keep, TRUE, &would, &error));
	g_assert_no_error(error);
	after = list(dirs.layers, ".raw");
	g_assert_cmpstr(before, ==, after);
	g_assert_true(varve_gc_node(&node, row->keep, FALSE, &gc, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(would.files->len, ==, gc.files->len);
	g_assert_cmpuint(would.generations->len, ==, gc.generations->len);
	g_assert_cmpuint(would.bytes, ==, gc.bytes);
	left = list(dirs.layers, ".raw");
	records = list(dirs.generations, ".json");
	g_assert_cmpstr(left, ==, row->left);
	g_assert_cmpstr(records, ==, row->records);
	g_ptr_array_add(gc.unknown, NULL);
	unknown = g_strjoinv(" ", (char **)gc.unknown->pdata);
	g_assert_cmpstr(unknown, ==, row->unknown);
	/* Leftovers go, and what is nobody's stays. */
	g_assert_cmpint(faccessat(dirs.layers, ".a_1_x.raw.12.34.partial", F_OK, 0), <, 0);
	g_assert_cmpint(faccessat(dirs.generations, ".x.current.new", F_OK, AT_SYMLINK_NOFOLLOW), <,
			0);
	g_assert_cmpint(faccessat(dirs.layers, "README", F_OK, 0), ==, 0);
	varve_dir_remove(AT_FDCWD, dir, NULL);
}

/* What a record that cannot be read would keep is not known. */
static void test_unreadable(void)
{
	g_autofree char *dir = g_dir_make_tmp("varve-gc-XXXXXX", NULL);
	g_autofree char *files = NULL, *records = NULL;
	g_autoptr(VarveReport) running = varve_report_new();
	varve_autofd fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const VarveStateDirs dirs = { .layers = fd, .generations = fd, .staging = -1 };
	const char *const none[] = { NULL };
	const VarveGcNode node = { running, &dirs, none, is_installed };
	g_auto(VarveGc) gc = { NULL };
	g_autoptr(GError) error = NULL;
	VarveDigest base = { { OURS } };
	const Row row = {
		.generations = { "a1", "a2", "a3" }, .current = 3, .good = 2, .files = "a1 a2 a3"
	};

	g_free(running->base->root);
	running->base->root = varve_digest_dup_hex(&base);
	fill(&row, &dirs, running);
	g_assert_true(varve_file_write(fd, "0002.json", "{", 1, 0644, NULL));
	g_assert_false(varve_gc_node(&node, 1, FALSE, &gc, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_assert_null(gc.files);
	files = list(fd, ".raw");
	records = list(fd, ".json");
	g_assert_cmpstr(files, ==, "a1 a2 a3");
	g_assert_cmpstr(records, ==, "1 2 3");
	varve_dir_remove(AT_FDCWD, dir, NULL);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strconcat("/gc/", rows[i].name, NULL);

		g_strdelimit(path + strlen("/gc/"), " :,'/", '-');
		g_test_add_data_func(path, &rows[i], test_row);
	}
	g_test_add_func("/gc/unreadable", test_unreadable);
	return g_test_run();
}
