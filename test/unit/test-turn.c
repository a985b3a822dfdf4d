/* stack/turn.c: what a boot decides by its records, and that a plan decides the same without
 * writing. */
#include "base/error.h"
#include "stack/turn.h"
#include "state-fixture.h"

#include <string.h>
#include <sys/stat.h>

static VarveGeneration *commit(const Fixture *f, const char *layers, gboolean good)
{
	VarveGeneration *generation = make(f, layers);

	g_assert_true(varve_generation_commit(f->generations, generation, NULL));
	if (good)
		g_assert_true(varve_generation_link(f->generations, generation, "good", NULL));
	return generation;
}

static gboolean is_there(const Fixture *f, char layer)
{
	g_autofree char *file = file_of(layer);

	return faccessat(f->layers, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void touch(const Fixture *f, char layer)
{
	g_autofree char *file = file_of(layer);

	g_assert_true(varve_file_write(f->layers, file, "x", 1, 0644, NULL));
}

static void find(const Fixture *f, gboolean writes, VarveReport *report, VarveTurn *turn)
{
	varve_turn_find(f->generations, f->layers, &f->base, writes, report, turn);
}

static void test_nothing_recorded(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveReport) report = varve_report_new();
	g_auto(VarveTurn) turn = { NULL }, none = { NULL };

	(void)data;
	find(f, TRUE, report, &turn);
	g_assert_null(turn.current);
	g_assert_cmpint(turn.attempt, ==, VARVE_TRY_CURRENT);
	g_assert_cmpuint(report->attempt, ==, 1);
	varve_turn_find(-1, -1, &f->base, TRUE, report, &none);
	g_assert_null(none.current);
	g_assert_cmpuint(report->warnings->len + report->complaints->len, ==, 0);
}

/* The boot after a power cut in a swap, and the one after that: a generation that the first of them
 * makes must not turn what was never committed into something that was. */
static void test_after_a_power_cut(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) first = commit(f, "a", TRUE);
	g_autoptr(VarveGeneration) swap = make(f, "aB");
	g_autoptr(VarveGeneration) next = NULL;
	g_autoptr(VarveReport) report = varve_report_new();
	g_auto(VarveTurn) plan = { NULL }, turn = { NULL };

	(void)data;
	touch(f, 'a');
	touch(f, 'b');
	g_assert_true(varve_generation_write(f->generations, swap, NULL));
	find(f, FALSE, report, &plan);
	g_assert_true(is_there(f, 'b'));
	g_assert_cmpuint(plan.current->number, ==, first->number);
	g_assert_true(varve_history_interrupted(plan.history, "b_1_x86-64.raw"));
	g_assert_cmpuint(report->attempt, ==, 0);
	find(f, TRUE, report, &turn);
	g_assert_cmpuint(turn.current->number, ==, first->number);
	g_assert_true(is_there(f, 'a'));
	g_assert_false(is_there(f, 'b'));
	g_assert_null(varve_generation_load(f->generations, swap->number, NULL));
	g_assert_cmpuint(report->attempt, ==, 1);
	g_assert_cmpuint(report->warnings->len + report->complaints->len, ==, 0);
	next = commit(f, "ac", FALSE);
	g_assert_cmpuint(next->number, ==, swap->number);
}

static void test_fallback(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) good = commit(f, "a", TRUE);
	g_autoptr(VarveGeneration) between = commit(f, "aB", FALSE);
	g_autoptr(VarveGeneration) bad = commit(f, "aC", FALSE);
	g_autoptr(VarveReport) report = varve_report_new();

	(void)data;
	good->selection = VARVE_SELECTION_DIRECTORY;
	g_assert_true(varve_generation_rewrite(f->generations, good, NULL));
	touch(f, 'a');
	touch(f, 'b');
	touch(f, 'c');
	for (int i = 0; i < VARVE_TRIES_MAX; i++) {
		g_auto(VarveTurn) turn = { NULL };

		find(f, TRUE, report, &turn);
		g_assert_cmpuint(turn.current->number, ==, bad->number);
		g_assert_cmpuint(report->complaints->len, ==, 0);
	}
	/* The plan of the last of them says what the boot after it does; and that boot's files are
	 * there in the one that follows. */
	for (int i = 0; i < 3; i++) {
		g_auto(VarveTurn) turn = { NULL };

		find(f, i > 0, report, &turn);
		g_assert_cmpuint(turn.current->number, ==, good->number);
		g_assert_cmpint(turn.attempt, ==, i < 2 ? VARVE_TRY_GOOD : VARVE_TRY_CURRENT);
		/* Its layers, not what the directory got meanwhile. */
		g_assert_cmpint(turn.current->selection, ==, VARVE_SELECTION_LISTED);
		g_assert_cmpuint(turn.current->layers->len, ==, 1);
		g_assert_cmpuint(report->complaints->len, ==, i + 1);
	}
	g_assert_true(is_there(f, 'b') && is_there(f, 'c'));
	g_assert_cmpuint(report->warnings->len, ==, 0);
	g_assert_cmpstr(((VarveComplaint *)report->complaints->pdata[0])->code, ==, "fallback");
}

static const char *first_complaint(const VarveReport *report)
{
	return report->complaints->len > 0
		       ? ((VarveComplaint *)report->complaints->pdata[0])->sentence
		       : NULL;
}

/* It is said for as long as it is so: also at boots after the one that fell back, and when what
 * runs came up; until somebody gives the node another stack. */
static void test_fallback_stays_told(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) good = commit(f, "a", TRUE);
	g_autoptr(VarveGeneration) bad = commit(f, "ab", FALSE);
	g_autoptr(VarveGeneration) repaired = NULL;

	(void)data;
	for (int i = 0; i < VARVE_TRIES_MAX + 3; i++) {
		g_autoptr(VarveReport) report = varve_report_new();
		g_auto(VarveTurn) turn = { NULL };

		find(f, TRUE, report, &turn);
		if (i < VARVE_TRIES_MAX) {
			g_assert_null(first_complaint(report));
			continue;
		}
		g_assert_cmpuint(turn.current->number, ==, good->number);
		g_assert_cmpstr(first_complaint(report), ==,
				"generation 2 did not come up in 3 boots: generation 1, the last "
				"that was good, runs");
		g_assert_true(varve_tries_end(f->generations, &f->base, good->number, NULL));
	}
	repaired = commit(f, "ac", FALSE);
	for (int i = 0; i < 2; i++) {
		g_autoptr(VarveReport) report = varve_report_new();
		g_auto(VarveTurn) turn = { NULL };

		find(f, i > 0, report, &turn);
		g_assert_cmpuint(turn.current->number, ==, repaired->number);
		g_assert_null(first_complaint(report));
	}
}

/* What a swap put back while the node ran was told then. One that was marked and is current all the
 * same, because a full disk kept its link, is told with the reason of its record. */
static void test_not_well(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) good = commit(f, "a", TRUE);
	g_autoptr(VarveGeneration) bad = make(f, "ab");
	g_autoptr(VarveReport) put_back = varve_report_new();
	g_autoptr(VarveReport) current = varve_report_new();
	g_auto(VarveTurn) first = { NULL }, second = { NULL };

	(void)data;
	g_assert_true(varve_generation_write(f->generations, bad, NULL));
	g_assert_true(varve_generation_fail(f->generations, bad->number, "x.service failed", NULL));
	find(f, TRUE, put_back, &first);
	g_assert_cmpuint(first.current->number, ==, good->number);
	g_assert_null(first_complaint(put_back));
	g_assert_true(varve_generation_link(f->generations, bad, "current", NULL));
	find(f, TRUE, current, &second);
	g_assert_cmpuint(second.current->number, ==, good->number);
	g_assert_cmpstr(first_complaint(current), ==,
			"generation 2 was not well (x.service failed): generation 1, the last that "
			"was good, runs");
}

static void test_base_alone(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) only = commit(f, "a", FALSE);
	g_autoptr(VarveReport) report = varve_report_new();
	VarveTry attempt = VARVE_TRY_CURRENT;

	(void)data;
	for (int i = 0; i <= VARVE_TRIES_MAX; i++) {
		g_auto(VarveTurn) turn = { NULL };

		report->attempt = 0;
		find(f, TRUE, report, &turn);
		attempt = turn.attempt;
	}
	g_assert_cmpint(attempt, ==, VARVE_TRY_NOTHING);
	g_assert_cmpuint(report->complaints->len, ==, 1);
	g_assert_cmpstr(first_complaint(report), ==,
			"generation 1 did not come up in 3 boots, and there is no good one: the "
			"base runs alone");
	/* The base alone is no generation that could still come up. */
	g_assert_cmpuint(report->attempt, ==, 0);
}

/* What cannot be read or written is told, and the node boots. */
static void test_damage(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) first = commit(f, "a", TRUE);
	g_autoptr(VarveGeneration) second = commit(f, "aB", FALSE);
	g_autoptr(VarveReport) report = varve_report_new();
	g_autofree char *hex = varve_digest_dup_hex(&f->base);
	g_autofree char *tries = g_strconcat(hex, ".tries", NULL);
	g_auto(VarveTurn) turn = { NULL }, uncounted = { NULL };

	(void)data;
	touch(f, 'b');
	g_assert_cmpint(mkdirat(f->generations, tries, 0755), ==, 0);
	find(f, TRUE, report, &uncounted);
	g_assert_cmpuint(uncounted.current->number, ==, second->number);
	g_assert_cmpuint(report->warnings->len, ==, 1);
	g_assert_nonnull(strstr(report->warnings->pdata[0], "is not counted"));
	g_assert_true(varve_file_write(f->generations, "0002.json", "{", 1, 0644, NULL));
	find(f, TRUE, report, &turn);
	g_assert_null(turn.current);
	g_assert_cmpuint(report->warnings->len, ==, 2);
	g_assert_nonnull(strstr(report->warnings->pdata[1], "cannot be used"));
	g_assert_true(is_there(f, 'b'));
}

/* A count that is none begins anew; one that is whole goes on. */
static void test_damaged_count(Fixture *f, gconstpointer data)
{
	static const struct {
		const char *target;
		guint attempt;
	} cases[] = { { "1:1", 2 },       { "1:2", 3 },          { "1", 1 },
		      { "1:", 1 },        { "1:x", 1 },          { "1:1:1", 1 },
		      { "0:1", 1 },       { "-1:1", 1 },         { "2:2", 1 },
		      { "1:1000001", 1 }, { "4294967297:2", 1 }, { "x:2", 1 } };
	g_autoptr(VarveGeneration) first = commit(f, "a", FALSE);
	g_autofree char *hex = varve_digest_dup_hex(&f->base);
	g_autofree char *tries = g_strconcat(hex, ".tries", NULL);

	(void)data;
	g_assert_cmpuint(first->number, ==, 1);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(VarveReport) report = varve_report_new();
		g_auto(VarveTurn) turn = { NULL };

		unlinkat(f->generations, tries, 0);
		g_assert_cmpint(symlinkat(cases[i].target, f->generations, tries), ==, 0);
		find(f, TRUE, report, &turn);
		g_assert_cmpuint(report->attempt, ==, cases[i].attempt);
	}
}

int main(int argc, char **argv)
{
#define ADD(name, function) g_test_add("/turn/" name, Fixture, NULL, setup, function, teardown)
	g_test_init(&argc, &argv, NULL);
	ADD("nothing-recorded", test_nothing_recorded);
	ADD("damaged-count", test_damaged_count);
	ADD("after-a-power-cut", test_after_a_power_cut);
	ADD("fallback", test_fallback);
	ADD("fallback-stays-told", test_fallback_stays_told);
	ADD("not-well", test_not_well);
	ADD("base-alone", test_base_alone);
	ADD("damage", test_damage);
	return g_test_run();
}
