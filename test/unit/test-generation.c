/* stack/generation.c and stack/report.c: records that come back as they were written, links that
 * are whole, damage that is told. */
#include "base/error.h"
#include "base/file.h"
#include "ground/fd.h"
#include "stack/generation.h"
#include "stack/report.h"

#include <string.h>
#include <sys/stat.h>

typedef struct {
	char *dir;
	int fd;
} Fixture;

static void setup(Fixture *f, gconstpointer data)
{
	(void)data;
	f->dir = g_dir_make_tmp("varve-generation-XXXXXX", NULL);
	f->fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_assert_cmpint(f->fd, >=, 0);
}

static void teardown(Fixture *f, gconstpointer data)
{
	(void)data;
	close(f->fd);
	varve_dir_remove(AT_FDCWD, f->dir, NULL);
	g_free(f->dir);
}

static VarveGeneration *make(guint8 base, guint8 layer)
{
	VarveGeneration *generation = varve_generation_new();
	VarveDigest root = { { layer } };
	VarveGenerationLayer *record =
		varve_generation_layer_new("ssh", "10.0", "ssh_10.0_x86-64.raw", &root);

	generation->base.bytes[0] = base;
	generation->when = 1700000000;
	record->stamp = 42;
	g_ptr_array_add(generation->layers, record);
	return generation;
}

static void test_round_trip(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) first = make(1, 1);
	g_autoptr(VarveGeneration) second = make(1, 2);
	g_autoptr(VarveGeneration) found = NULL;
	GError *error = NULL;

	(void)data;
	g_assert_true(varve_generation_commit(f->fd, first, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(first->number, ==, 1);
	g_assert_true(varve_generation_commit(f->fd, second, NULL));
	g_assert_cmpuint(second->number, ==, 2);
	found = varve_generation_linked(f->fd, "current", &first->base, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(found->number, ==, 2);
	g_assert_true(varve_generation_same(found, second));
	g_assert_false(varve_generation_same(found, first));
	g_assert_cmpint(found->when, ==, 1700000000);
	g_assert_cmpuint(((VarveGenerationLayer *)found->layers->pdata[0])->stamp, ==, 42);
}

/* Falling back to the other slot finds that base's own record. */
static void test_links_are_per_base(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) a = make(1, 1);
	g_autoptr(VarveGeneration) b = make(2, 2);
	g_autoptr(VarveGeneration) found = NULL;
	g_autoptr(GError) error = NULL;
	VarveDigest other = { { 3 } };

	(void)data;
	g_assert_true(varve_generation_commit(f->fd, a, NULL));
	g_assert_true(varve_generation_commit(f->fd, b, NULL));
	found = varve_generation_linked(f->fd, "current", &a->base, NULL);
	g_assert_cmpuint(found->number, ==, 1);
	g_assert_null(varve_generation_linked(f->fd, "good", &a->base, NULL));
	g_assert_true(varve_generation_link(f->fd, a, "good", NULL));
	varve_generation_free(g_steal_pointer(&found));
	found = varve_generation_linked(f->fd, "good", &a->base, NULL);
	g_assert_cmpuint(found->number, ==, 1);
	g_assert_null(varve_generation_linked(f->fd, "current", &other, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
}

static void write_file(Fixture *f, const char *name, const char *text)
{
	g_assert_true(varve_file_write(f->fd, name, text, strlen(text), 0644, NULL));
}

static void test_damage(Fixture *f, gconstpointer data)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[]",
		"{\"format\": 2}",
		"{\"format\":1,\"number\":1,\"when\":0,\"selection\":\"directory\",\"by\":\"\","
		"\"why\":\"\",\"base\":{\"name\":\"\",\"version\":\"\",\"root\":\"00\"},"
		"\"layers\":[]}",
	};
	g_autoptr(VarveGeneration) good = make(1, 1);

	(void)data;
	g_assert_true(varve_generation_commit(f->fd, good, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;

		write_file(f, "0001.json", texts[i]);
		g_assert_null(varve_generation_linked(f->fd, "current", &good->base, &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	}
}

/* A record under another number, or for another base than the link's, is not taken. */
static void test_wrong_record(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) a = make(1, 1);
	g_autoptr(VarveGeneration) b = make(2, 2);
	g_autoptr(GError) error = NULL;
	g_autofree char *hex = NULL;
	g_autofree char *link = NULL;

	(void)data;
	g_assert_true(varve_generation_commit(f->fd, a, NULL));
	g_assert_true(varve_generation_commit(f->fd, b, NULL));
	g_assert_cmpint(renameat(f->fd, "0002.json", f->fd, "0007.json"), ==, 0);
	g_assert_null(varve_generation_load(f->fd, 7, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_clear_error(&error);
	hex = varve_digest_dup_hex(&b->base);
	link = g_strconcat(hex, ".current", NULL);
	g_assert_cmpint(unlinkat(f->fd, link, 0), ==, 0);
	g_assert_cmpint(symlinkat("0001.json", f->fd, link), ==, 0);
	g_assert_null(varve_generation_linked(f->fd, "current", &b->base, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_clear_error(&error);
	g_assert_cmpint(unlinkat(f->fd, link, 0), ==, 0);
	g_assert_cmpint(symlinkat("../../etc/passwd", f->fd, link), ==, 0);
	g_assert_null(varve_generation_linked(f->fd, "current", &b->base, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
}

/* A record with @n layers; the file names are all @file, or numbered where that is NULL. */
static char *record_text(guint n, const char *file, const char *why)
{
	GString *text = g_string_new("{\"format\": 1, \"number\": 1, \"when\": 0, \"by\": \"x\", "
				     "\"selection\": \"listed\", \"base\": {\"name\": \"b\", "
				     "\"version\": \"1\", ");

	g_string_append_printf(text, "\"root\": \"%064d\"}, \"why\": \"%s\", \"layers\": [", 1,
			       why);
	for (guint i = 0; i < n; i++) {
		g_autofree char *numbered = g_strdup_printf("a%u_1_x86-64.raw", i);

		g_string_append_printf(text,
				       "%s{\"name\": \"a\", \"version\": \"1\", \"stamp\": 0, "
				       "\"file\": \"%s\", \"root\": \"%064u\"}",
				       i ? ", " : "", file ? file : numbered, i);
	}
	g_string_append(text, "]}");
	return g_string_free(text, FALSE);
}

/* What somebody wrote who wants to hold up the boot, or to speak to the terminal. */
static void test_hostile_record(Fixture *f, gconstpointer data)
{
	const struct {
		guint n;
		const char *file, *why;
		gboolean good;
	} cases[] = {
		{ 2, NULL, "x", TRUE },
		{ 2, "a_1_x86-64.raw", "x", FALSE }, /* one file twice */
		{ 501, NULL, "x", FALSE },           /* more than can be merged */
		{ 1, "a\\u001b[2J_1_x86-64.raw", "x", FALSE },
		{ 1, NULL, "\\u001b[2Jall is well", FALSE },
	};

	(void)data;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = record_text(cases[i].n, cases[i].file, cases[i].why);
		g_autoptr(VarveGeneration) generation = NULL;
		g_autoptr(GError) error = NULL;

		write_file(f, "0001.json", text);
		generation = varve_generation_load(f->fd, 1, &error);
		if (cases[i].good)
			g_assert_no_error(error);
		else
			g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	}
}

/* What became of it is a word that is known, and a reason; both or none. */
static void test_outcome(Fixture *f, gconstpointer data)
{
	const struct {
		const char *members;
		const char *outcome; /* NULL: it is not read */
	} cases[] = {
		{ "", "" },
		{ ", \"outcome\": \"failed\", \"reason\": \"x\"", "failed" },
		{ ", \"outcome\": \"failed\", \"reason\": \"\"", "failed" },
		{ ", \"outcome\": \"failed\"", NULL },
		{ ", \"outcome\": \"\", \"reason\": \"\"", NULL },
		{ ", \"outcome\": \"well\", \"reason\": \"\"", NULL },
		{ ", \"outcome\": 1, \"reason\": \"\"", NULL },
		{ ", \"outcome\": \"failed\", \"reason\": \"\\u001b[2J\"", NULL },
	};

	(void)data;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = record_text(1, NULL, "why");
		g_autofree char *whole =
			g_strdup_printf("%.*s%s}", (int)strlen(text) - 1, text, cases[i].members);
		g_autoptr(VarveGeneration) generation = NULL;
		g_autoptr(GError) error = NULL;

		write_file(f, "0001.json", whole);
		generation = varve_generation_load(f->fd, 1, &error);
		if (!cases[i].outcome) {
			g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
			continue;
		}
		g_assert_no_error(error);
		g_assert_cmpstr(generation->outcome, ==, cases[i].outcome);
	}
}

/* A swap's record is nobody's current one until its commit, and says all the same again. */
static void test_write_fail_remove(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) first = make(1, 1);
	g_autoptr(VarveGeneration) second = make(1, 2);
	g_autoptr(VarveGeneration) found = NULL;
	g_autoptr(GError) error = NULL;

	(void)data;
	((VarveGenerationLayer *)second->layers->pdata[0])->staged = TRUE;
	g_assert_true(varve_generation_commit(f->fd, first, NULL));
	g_assert_true(varve_generation_write(f->fd, second, NULL));
	g_assert_cmpuint(second->number, ==, 2);
	found = varve_generation_linked(f->fd, "current", &first->base, NULL);
	g_assert_cmpuint(found->number, ==, 1);
	((VarveGenerationLayer *)second->layers->pdata[0])->stamp = 43;
	g_assert_true(varve_generation_rewrite(f->fd, second, NULL));
	/* A unit wrote the reason: it is one line that a terminal shows as it is. */
	g_assert_true(varve_generation_fail(f->fd, 2, "it said:\n\033[2J", NULL));
	varve_generation_free(g_steal_pointer(&found));
	found = varve_generation_load(f->fd, 2, &error);
	g_assert_no_error(error);
	g_assert_true(varve_generation_same(found, second));
	g_assert_true(((VarveGenerationLayer *)found->layers->pdata[0])->staged);
	g_assert_cmpstr(found->outcome, ==, VARVE_OUTCOME_FAILED);
	g_assert_nonnull(strstr(found->reason, "it said:"));
	g_assert_false(varve_generation_fail(f->fd, 3, "why", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_true(varve_generation_remove(f->fd, 2, NULL));
	g_assert_null(varve_generation_load(f->fd, 2, NULL));
	g_assert_true(varve_generation_remove(f->fd, 2, NULL));
	g_clear_error(&error);
	/* Written the same way for ever: nodes that are updated read what older ones wrote. */
	varve_generation_free(g_steal_pointer(&found));
	found = varve_generation_load(f->fd, 1, NULL);
	{
		g_autofree char *text = varve_generation_dump(found);
		g_autofree char *digest =
			g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

		g_assert_cmpstr(digest, ==,
				"617b6e4e2a705745d66b07b3c0c7653b8b9afbf54e4c4f67d685c539969b157a");
	}
}

/* A commit that was made and could not be written down: what runs becomes the current one. */
static void test_make_current(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) first = make(1, 1);
	g_autoptr(VarveGeneration) second = make(1, 2);
	g_autoptr(GPtrArray) unfinished = NULL;
	g_autoptr(GError) error = NULL;

	(void)data;
	g_assert_true(varve_generation_commit(f->fd, first, NULL));
	g_assert_true(varve_generation_write(f->fd, second, NULL));
	g_assert_false(varve_generation_make_current(f->fd, 9, &first->base, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	for (int i = 0; i < 2; i++) {
		g_autoptr(VarveGeneration) current = NULL;

		g_assert_true(
			varve_generation_make_current(f->fd, second->number, &first->base, NULL));
		current = varve_generation_linked(f->fd, "current", &first->base, NULL);
		g_assert_cmpuint(current->number, ==, second->number);
	}
	unfinished = varve_generation_unfinished(f->fd, &first->base, NULL);
	g_assert_cmpuint(unfinished->len, ==, 0);
	g_clear_error(&error);
	second->base.bytes[0]++;
	g_assert_false(varve_generation_make_current(f->fd, second->number, &second->base, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
}

/* Somebody chose layers, and the choice is gone: that is told, and not taken for a first boot. */
static void test_dangling_link(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) a = make(1, 1);
	g_autoptr(GError) error = NULL;

	(void)data;
	g_assert_true(varve_generation_commit(f->fd, a, NULL));
	g_assert_cmpint(unlinkat(f->fd, "0001.json", 0), ==, 0);
	g_assert_null(varve_generation_linked(f->fd, "current", &a->base, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
}

static void test_list(Fixture *f, gconstpointer data)
{
	g_autoptr(GPtrArray) list = NULL;
	guint unreadable = 0;

	(void)data;
	for (guint8 i = 1; i <= 12; i++) {
		g_autoptr(VarveGeneration) generation = make(1, i);

		g_assert_true(varve_generation_commit(f->fd, generation, NULL));
	}
	write_file(f, "0003.json", "damaged");
	write_file(f, "notes.json", "{}");
	write_file(f, "00004.json", "{}");
	list = varve_generation_list(f->fd, &unreadable, NULL);
	g_assert_cmpuint(list->len, ==, 11);
	g_assert_cmpuint(unreadable, ==, 1);
	for (guint i = 1; i < list->len; i++)
		g_assert_cmpuint(((VarveGeneration *)list->pdata[i - 1])->number, <,
				 ((VarveGeneration *)list->pdata[i])->number);
}

/* A path in a record may not lead out of the layers directory. */
static void test_file_is_a_name(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) generation = make(1, 1);
	VarveGenerationLayer *layer = generation->layers->pdata[0];
	g_autoptr(GError) error = NULL;

	(void)data;
	g_free(layer->file);
	layer->file = g_strdup("../ssh.raw");
	g_assert_true(varve_generation_commit(f->fd, generation, NULL));
	g_assert_null(varve_generation_load(f->fd, 1, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
}

static void test_stamp(Fixture *f, gconstpointer data)
{
	varve_autofd fd = -1;
	guint64 before, after;

	(void)data;
	write_file(f, "layer", "abc");
	fd = openat(f->fd, "layer", O_RDWR | O_CLOEXEC);
	before = varve_generation_stamp(fd);
	g_assert_cmpuint(before, !=, 0);
	g_assert_cmpuint(varve_generation_stamp(fd), ==, before);
	g_assert_cmpint(ftruncate(fd, 2), ==, 0);
	after = varve_generation_stamp(fd);
	g_assert_cmpuint(after, !=, before);
	g_assert_cmpuint(varve_generation_stamp(-1), ==, 0);
}

static void test_report(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveReport) report = varve_report_new();
	g_autoptr(VarveReport) again = NULL;
	g_autofree char *path = g_build_filename(f->dir, "boot.json", NULL);
	VarveReportLayer *layer = varve_report_layer_new();
	GError *error = NULL;

	(void)data;
	g_free(layer->file);
	layer->file = g_strdup("bad\xff.raw");
	layer->role = VARVE_ROLE_PATCH;
	g_ptr_array_add(report->layers, layer);
	report->generation = 7;
	varve_report_warn(report, "%s", "careful");
	varve_report_time(report, "base", g_get_monotonic_time());
	g_assert_true(varve_report_save(report, path, &error));
	g_assert_no_error(error);
	again = varve_report_load(path, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(again->generation, ==, 7);
	g_assert_cmpuint(varve_report_refused(again), ==, 1);
	g_assert_cmpstr(again->warnings->pdata[0], ==, "careful");
	g_assert_cmpuint(again->timings->len, ==, 1);
	layer = again->layers->pdata[0];
	g_assert_cmpint(layer->role, ==, VARVE_ROLE_PATCH);
	g_assert_cmpstr(layer->file, ==, "bad\\377.raw");
	write_file(f, "boot.json", "{\"format\": 1, \"generation\": -1}");
	g_assert_null(varve_report_load(path, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_clear_error(&error);
}

int main(int argc, char **argv)
{
#define ADD(name, function) \
	g_test_add("/generation/" name, Fixture, NULL, setup, function, teardown)
	g_test_init(&argc, &argv, NULL);
	ADD("round-trip", test_round_trip);
	ADD("links-are-per-base", test_links_are_per_base);
	ADD("damage", test_damage);
	ADD("wrong-record", test_wrong_record);
	ADD("hostile-record", test_hostile_record);
	ADD("outcome", test_outcome);
	ADD("write-fail-remove", test_write_fail_remove);
	ADD("make-current", test_make_current);
	ADD("dangling-link", test_dangling_link);
	ADD("list", test_list);
	ADD("file-is-a-name", test_file_is_a_name);
	ADD("stamp", test_stamp);
	ADD("report", test_report);
	return g_test_run();
}
