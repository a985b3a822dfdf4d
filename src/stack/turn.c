/* Deciding what a boot takes. */
#include "stack/turn.h"

#include "base/error.h"
#include "stack/compliance.h"

void varve_turn_clear(VarveTurn *turn)
{
	g_clear_pointer(&turn->current, varve_generation_free);
	g_clear_pointer(&turn->history, varve_history_free);
}

/* What was committed for this base; a record that cannot be read is told and not used. */
static VarveGeneration *find_current(int generations_fd, const VarveDigest *base,
				     VarveReport *report)
{
	g_autoptr(GError) error = NULL;
	VarveGeneration *generation =
		varve_generation_linked(generations_fd, "current", base, &error);

	if (!generation && !g_error_matches(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
		varve_report_warn(report,
				  "the current generation cannot be used: %s. The layers directory "
				  "decides instead",
				  error->message);
	return generation;
}

/* The generation that the current one stands in for since an earlier boot; 0: none. */
static guint find_given_up(const VarveTurn *turn)
{
	const GPtrArray *records = turn->history->records;

	for (guint i = records->len; turn->current && i-- > 0;) {
		const VarveGeneration *generation = records->pdata[i];

		if (generation->number > turn->current->number && varve_tries_gave_up(generation))
			return generation->number;
	}
	return 0;
}

/* (caller frees) "did not come up in 3 boots", or what else its record says. */
static char *what_failed(const VarveTurn *turn, guint number)
{
	for (guint i = 0; i < turn->history->records->len; i++) {
		const VarveGeneration *generation = turn->history->records->pdata[i];

		if (generation->number == number && *generation->outcome &&
		    !varve_tries_gave_up(generation))
			return g_strdup_printf("was not well (%s)", generation->reason);
	}
	return g_strdup_printf("did not come up in %d boots", VARVE_TRIES_MAX);
}

/* For as long as it is so, also when the one that took its place came up. */
static void complain(const VarveTurn *turn, guint failed, VarveReport *report)
{
	static const char next[] = "look at 'varvectl history' and at the journal of the boots "
				   "before; 'varvectl swap' or 'merge' takes a stack that is "
				   "repaired";
	guint number = failed ? failed : find_given_up(turn);
	g_autofree char *what = number ? what_failed(turn, number) : NULL;

	if (!what)
		return;
	if (turn->attempt == VARVE_TRY_NOTHING)
		varve_report_complain(report, "fallback", next,
				      "generation %u %s, and there is no good one: the base runs "
				      "alone",
				      number, what);
	else
		varve_report_complain(report, "fallback", next,
				      "generation %u %s: generation %u, the last that was good, "
				      "runs",
				      number, what, turn->current->number);
}

/* The number of the one that failed; 0: none. */
static guint count_attempt(VarveTurn *turn, int generations_fd, const VarveDigest *base,
			   gboolean writes, VarveReport *report)
{
	g_autoptr(GError) error = NULL;
	guint failed = 0, count = 0;

	if (!varve_tries_next(generations_fd, base, writes, &turn->current, &turn->attempt, &failed,
			      &count, &error))
		varve_report_warn(report, "this boot is not counted: %s. %s", error->message,
				  turn->attempt == VARVE_TRY_GOOD
					  ? "Until there is room every boot turns to the good "
					    "generation anew"
					  : "A generation that does not come up is booted again "
					    "and again until there is room");
	if (writes && turn->attempt != VARVE_TRY_NOTHING)
		report->attempt = count;
	return failed;
}

void varve_turn_find(int generations_fd, int layers_fd, const VarveDigest *base, gboolean writes,
		     VarveReport *report, VarveTurn *ret)
{
	g_autoptr(GError) error = NULL;
	guint failed = 0;

	*ret = (VarveTurn){ .attempt = VARVE_TRY_CURRENT };
	if (generations_fd >= 0) {
		ret->current = find_current(generations_fd, base, report);
		/* Before a generation of this boot gets a number above theirs. */
		if (writes && layers_fd >= 0 &&
		    !varve_history_take_back(generations_fd, layers_fd, base, &error))
			varve_report_warn(report,
					  "what an interrupted swap left is still there: %s",
					  error->message);
		failed = count_attempt(ret, generations_fd, base, writes, report);
	}
	ret->history = varve_history_load(generations_fd, base);
	complain(ret, failed, report);
}
