/* Why a request cannot be met: libsolv's own words, all of them. */
#include "rpm/solver-internal.h"

#include "base/error.h"

#include <solv/problems.h>
#include <solv/solverdebug.h>
#include <string.h>

#define RULES_SHOWN 12
#define SOLUTIONS_SHOWN 4

/* The rules of one problem, most telling first: libsolv puts the one it would name at the front,
 * but the chain behind it ("A requires B, but none can be installed") is what explains. */
static void describe(Solver *solv, Id problem, GString *text)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Id source, target, dependency;
	Queue rules;
	int shown = 0;

	queue_init(&rules);
	solver_findallproblemrules(solv, problem, &rules);
	for (int i = 0; i < rules.count; i++) {
		SolverRuleinfo type =
			solver_ruleinfo(solv, rules.elements[i], &source, &target, &dependency);
		const char *line =
			solver_problemruleinfo2str(solv, type, source, target, dependency);

		/* Only says again what was asked for. */
		if (type == SOLVER_RULE_JOB && rules.count > 1)
			continue;
		if (!g_hash_table_add(seen, g_strdup(line)))
			continue;
		if (shown++ < RULES_SHOWN)
			g_string_append_printf(text, "    %s\n", line);
	}
	if (shown > RULES_SHOWN)
		g_string_append_printf(text, "    … and %d more\n", shown - RULES_SHOWN);
	if (!shown)
		g_string_append_printf(text, "    %s\n", solver_problem2str(solv, problem));
	queue_free(&rules);
}

static void suggest(Solver *solv, Id problem, GString *text)
{
	unsigned int count = solver_solution_count(solv, problem);

	for (unsigned int i = 1; i <= MIN(count, SOLUTIONS_SHOWN); i++) {
		Id element = 0, p, rp;
		gboolean first = TRUE;

		g_string_append(text, i == 1 ? "    what would help: " : "    or: ");
		while ((element = solver_next_solutionelement(solv, problem, (Id)i, element, &p,
							      &rp))) {
			g_string_append_printf(text, "%s%s", first ? "" : ", and ",
					       solver_solutionelement2str(solv, p, rp));
			first = FALSE;
		}
		g_string_append_c(text, '\n');
	}
}

gboolean varve_solver_explain(Solver *solv, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	unsigned int count = solver_problem_count(solv);

	for (unsigned int i = 1; i <= count; i++) {
		if (count > 1)
			g_string_append_printf(text, "  problem %u of %u:\n", i, count);
		else
			g_string_append(text, "  the problem:\n");
		describe(solv, (Id)i, text);
		suggest(solv, (Id)i, text);
	}
	if (text->len)
		g_string_truncate(text, text->len - 1);
	return varve_fail(error, VARVE_ERROR_CONFLICT,
			  "the packages that were asked for cannot be installed together\n%s",
			  text->str);
}
