/* stack/tries.c: three boots, then the last good generation, then the base alone. */
#include "base/error.h"
#include "stack/history.h"
#include "stack/tries.h"
#include "state-fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* One boot: @ret: the generation that it takes, 0 for the base alone. */
static guint boot(const Fixture *f, VarveTry *ret_attempt, guint *ret_failed, guint *ret_count)
{
	g_autoptr(VarveGeneration) current =
		varve_generation_linked(f->generations, "current", &f->base, NULL);
	g_autoptr(GError) error = NULL;

	g_assert_true(varve_tries_next(f->generations, &f->base, TRUE, &current, ret_attempt,
				       ret_failed, ret_count, &error));
	g_assert_no_error(error);
	return *ret_attempt == VARVE_TRY_NOTHING || !current ? 0 : current->number;
}

static void test_fall_back(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) good = make(f, "a");
	g_autoptr(VarveGeneration) bad = make(f, "ab");
	g_autoptr(VarveGeneration) again = NULL;
	VarveTry attempt;
	guint failed, count;

	(void)data;
	g_assert_cmpuint(boot(f, &attempt, &failed, &count), ==, 0);
	g_assert_cmpint(attempt, ==, VARVE_TRY_CURRENT);
	g_assert_true(varve_generation_commit(f->generations, good, NULL));
	g_assert_true(varve_generation_link(f->generations, good, "good", NULL));
	g_assert_true(varve_generation_commit(f->generations, bad, NULL));
	for (guint i = 1; i <= VARVE_TRIES_MAX; i++) {
		g_assert_cmpuint(boot(f, &attempt, &failed, &count), ==, bad->number);
		g_assert_cmpint(attempt, ==, VARVE_TRY_CURRENT);
		g_assert_cmpuint(count, ==, i);
		g_assert_cmpuint(failed, ==, 0);
	}
	g_assert_cmpuint(boot(f, &attempt, &failed, &count), ==, good->number);
	g_assert_cmpint(attempt, ==, VARVE_TRY_GOOD);
	g_assert_cmpuint(failed, ==, bad->number);
	g_assert_cmpuint(count, ==, 1);
	again = varve_generation_load(f->generations, bad->number, NULL);
	g_assert_cmpstr(again->outcome, ==, VARVE_OUTCOME_FAILED);
	g_assert_nonnull(strstr(again->reason, "3 boots"));
	/* The good one is counted as well, and there is nothing behind it. */
	g_assert_cmpuint(boot(f, &attempt, &failed, &count), ==, good->number);
	g_assert_cmpuint(boot(f, &attempt, &failed, &count), ==, good->number);
	for (int i = 0; i < 2; i++) {
		g_assert_cmpuint(boot(f, &attempt, &failed, &count), ==, 0);
		g_assert_cmpint(attempt, ==, VARVE_TRY_NOTHING);
		g_assert_cmpuint(failed, ==, good->number);
	}
	/* Until somebody makes another one. */
	varve_generation_free(again);
	again = make(f, "c");
	g_assert_true(varve_generation_commit(f->generations, again, NULL));
	g_assert_cmpuint(boot(f, &attempt, &failed, &count), ==, again->number);
	g_assert_cmpuint(count, ==, 1);
}

static void test_comes_up(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) generation = make(f, "a");
	VarveTry attempt;
	guint failed, count;

	(void)data;
	g_assert_true(varve_generation_commit(f->generations, generation, NULL));
	g_assert_true(varve_tries_first(f->generations, &f->base, generation->number, NULL));
	for (int i = 0; i < 5; i++) {
		g_assert_cmpuint(boot(f, &attempt, &failed, &count), ==, generation->number);
		g_assert_cmpuint(count, ==, i ? 1 : 2);
		g_assert_true(varve_tries_end(f->generations, &f->base, generation->number, NULL));
		g_assert_true(varve_tries_end(f->generations, &f->base, generation->number, NULL));
	}
}

/* What is marked as failed is not booted, however often it was tried. */
static void test_failed_is_current(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) good = make(f, "a");
	g_autoptr(VarveGeneration) bad = make(f, "b");
	g_autoptr(VarveGeneration) again = NULL;
	VarveTry attempt;
	guint failed, count;

	(void)data;
	g_assert_true(varve_generation_commit(f->generations, good, NULL));
	g_assert_true(varve_generation_link(f->generations, good, "good", NULL));
	g_assert_true(varve_generation_commit(f->generations, bad, NULL));
	g_assert_true(varve_generation_fail(f->generations, bad->number, "not well", NULL));
	g_assert_cmpuint(boot(f, &attempt, &failed, &count), ==, good->number);
	g_assert_cmpint(attempt, ==, VARVE_TRY_GOOD);
	g_assert_cmpuint(failed, ==, bad->number);
	/* For what it was marked, not for boots that never were. */
	again = varve_generation_load(f->generations, bad->number, NULL);
	g_assert_cmpstr(again->reason, ==, "not well");
	g_assert_false(varve_tries_gave_up(again));
}

static void test_damaged_count(Fixture *f, gconstpointer data)
{
	static const char *const texts[] = { "",
					     "{}",
					     "[1]",
					     "{\"generation\": 1}",
					     "{\"generation\": 1, \"count\": -1}",
					     "{\"generation\": 1, \"count\": 99999999999}" };
	g_autoptr(VarveGeneration) generation = make(f, "a");
	g_autofree char *hex = varve_digest_dup_hex(&f->base);
	g_autofree char *name = g_strconcat(hex, ".tries", NULL);
	VarveTry attempt;
	guint failed, count;

	(void)data;
	g_assert_true(varve_generation_commit(f->generations, generation, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_assert_true(varve_file_write(f->generations, name, texts[i], strlen(texts[i]),
					       0644, NULL));
		g_assert_cmpuint(boot(f, &attempt, &failed, &count), ==, generation->number);
		g_assert_cmpuint(count, ==, 1);
	}
}

/* The last good one is what its record says, also where the directory decided and has got something
 * since: a generation that nobody booted may have had the culprit before, so that no failure names
 * it. */
static void test_good_is_listed(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) good = make(f, "a");
	g_autoptr(VarveGeneration) between = make(f, "ab");
	g_autoptr(VarveGeneration) bad = make(f, "abc");
	g_autoptr(VarveHistory) history = NULL;
	VarveTry attempt;
	guint failed, count;

	(void)data;
	good->selection = VARVE_SELECTION_DIRECTORY;
	g_assert_true(varve_generation_commit(f->generations, good, NULL));
	g_assert_true(varve_generation_link(f->generations, good, "good", NULL));
	g_assert_true(varve_generation_commit(f->generations, between, NULL));
	g_assert_true(varve_generation_commit(f->generations, bad, NULL));
	for (guint i = 1; i <= VARVE_TRIES_MAX; i++)
		boot(f, &attempt, &failed, &count);
	/* The boot that turns to it, and those that follow. */
	for (guint i = 1; i <= VARVE_TRIES_MAX; i++) {
		g_autoptr(VarveGeneration) current =
			varve_generation_linked(f->generations, "current", &f->base, NULL);

		g_assert_true(varve_tries_next(f->generations, &f->base, TRUE, &current, &attempt,
					       &failed, &count, NULL));
		g_assert_cmpint(attempt, ==, i == 1 ? VARVE_TRY_GOOD : VARVE_TRY_CURRENT);
		g_assert_cmpuint(current->number, ==, good->number);
		g_assert_cmpint(current->selection, ==, VARVE_SELECTION_LISTED);
		g_assert_cmpuint(current->layers->len, ==, 1);
	}
	history = varve_history_load(f->generations, &f->base);
	g_assert_null(varve_history_failed(history, &(VarveDigest){ { 'b' } }));
	g_assert_nonnull(varve_history_failed(history, &(VarveDigest){ { 'c' } }));
}

/* What is only asked changes nothing: who asks twice gets the same answer. */
static void test_only_asked(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) good = make(f, "a");
	g_autoptr(VarveGeneration) bad = make(f, "b");
	VarveTry attempt;
	guint failed, count;

	(void)data;
	g_assert_true(varve_generation_commit(f->generations, good, NULL));
	g_assert_true(varve_generation_link(f->generations, good, "good", NULL));
	g_assert_true(varve_generation_commit(f->generations, bad, NULL));
	for (guint i = 1; i <= VARVE_TRIES_MAX; i++)
		boot(f, &attempt, &failed, &count);
	for (int i = 0; i < 2; i++) {
		g_autoptr(VarveGeneration) current =
			varve_generation_linked(f->generations, "current", &f->base, NULL);

		g_assert_cmpuint(current->number, ==, bad->number);
		g_assert_cmpstr(current->outcome, ==, "");
		g_assert_true(varve_tries_next(f->generations, &f->base, FALSE, &current, &attempt,
					       &failed, &count, NULL));
		g_assert_cmpint(attempt, ==, VARVE_TRY_GOOD);
		g_assert_cmpuint(current->number, ==, good->number);
	}
}

/* What cannot be counted boots all the same. */
static void test_not_countable(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) generation = make(f, "a");
	g_autoptr(VarveGeneration) current = NULL;
	g_autofree char *hex = varve_digest_dup_hex(&f->base);
	g_autofree char *name = g_strconcat(hex, ".tries", NULL);
	g_autoptr(GError) error = NULL;
	VarveTry attempt;
	guint failed, count;

	(void)data;
	g_assert_true(varve_generation_commit(f->generations, generation, NULL));
	g_assert_cmpint(mkdirat(f->generations, name, 0755), ==, 0);
	current = varve_generation_linked(f->generations, "current", &f->base, NULL);
	g_assert_false(varve_tries_next(f->generations, &f->base, TRUE, &current, &attempt, &failed,
					&count, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_SYSTEM);
	g_assert_cmpint(attempt, ==, VARVE_TRY_CURRENT);
	g_assert_cmpuint(current->number, ==, generation->number);
}

/* As on a partition that is full: nothing can be written. */
static void set_full(gboolean full)
{
	struct rlimit limit;

	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
	limit.rlim_cur = full ? 0 : limit.rlim_max;
	signal(SIGXFSZ, full ? SIG_IGN : SIG_DFL);
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

/* A node that cannot write is not kept in a stack that does not come up, and what came up in its
 * place does not end the count of what did not. */
static void test_full(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) good = make(f, "a");
	g_autoptr(VarveGeneration) bad = make(f, "b");
	VarveTry attempt;
	guint failed, count;

	(void)data;
	g_assert_true(varve_generation_commit(f->generations, good, NULL));
	g_assert_true(varve_generation_link(f->generations, good, "good", NULL));
	g_assert_true(varve_generation_commit(f->generations, bad, NULL));
	for (guint i = 1; i <= VARVE_TRIES_MAX; i++)
		boot(f, &attempt, &failed, &count);
	for (int i = 0; i < 2; i++) {
		g_autoptr(VarveGeneration) current =
			varve_generation_linked(f->generations, "current", &f->base, NULL);
		g_autoptr(GError) error = NULL;
		gboolean written;

		g_assert_cmpuint(current->number, ==, bad->number);
		set_full(TRUE);
		written = varve_tries_next(f->generations, &f->base, TRUE, &current, &attempt,
					   &failed, &count, &error);
		set_full(FALSE);
		g_assert_false(written);
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_SYSTEM);
		g_assert_cmpint(attempt, ==, VARVE_TRY_GOOD);
		g_assert_cmpuint(failed, ==, bad->number);
		g_assert_cmpuint(current->number, ==, good->number);
		g_assert_true(varve_tries_end(f->generations, &f->base, good->number, NULL));
	}
	g_assert_cmpuint(boot(f, &attempt, &failed, &count), ==, good->number);
	g_assert_cmpint(attempt, ==, VARVE_TRY_GOOD);
}

/* A directory that is not there, or is none, says nothing and keeps nobody from booting. */
static void test_no_directory(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) current = make(f, "a");
	g_autoptr(GError) error = NULL;
	VarveTry attempt;
	guint failed, count;

	(void)data;
	g_assert_true(varve_generation_commit(f->generations, current, NULL));
	g_assert_false(
		varve_tries_next(-1, &f->base, TRUE, &current, &attempt, &failed, &count, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_SYSTEM);
	g_assert_cmpint(attempt, ==, VARVE_TRY_CURRENT);
	g_assert_cmpuint(count, ==, 1);
}

int main(int argc, char **argv)
{
#define ADD(name, function) g_test_add("/tries/" name, Fixture, NULL, setup, function, teardown)
	g_test_init(&argc, &argv, NULL);
	ADD("fall-back", test_fall_back);
	ADD("comes-up", test_comes_up);
	ADD("failed-is-current", test_failed_is_current);
	ADD("damaged-count", test_damaged_count);
	ADD("good-is-listed", test_good_is_listed);
	ADD("only-asked", test_only_asked);
	ADD("not-countable", test_not_countable);
	ADD("full", test_full);
	ADD("no-directory", test_no_directory);
	return g_test_run();
}
