/* What should not be as it is among the deviations. */
#include "component/deviation-internal.h"

#include "format/version.h"

#include <string.h>

#define BACKPORT "upstream-backport" /* the category */

static void complain(GPtrArray *problems, const VarveDeviation *deviation, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

static void complain(GPtrArray *problems, const VarveDeviation *deviation, const char *format, ...)
{
	VarveDeviationProblem *problem = g_new0(VarveDeviationProblem, 1);
	va_list args;

	va_start(args, format);
	problem->text = g_strdup_vprintf(format, args);
	va_end(args);
	problem->deviation = deviation;
	problem->message = g_strdup_printf("%s:%u: %s%s%s, %s: %s", deviation->origin.file,
					   deviation->origin.line, deviation->level,
					   *deviation->declarer ? " " : "", deviation->declarer,
					   deviation->title, problem->text);
	g_ptr_array_add(problems, problem);
}

static void problem_free(gpointer data)
{
	VarveDeviationProblem *problem = data;

	g_free(problem->text);
	g_free(problem->message);
	g_free(problem);
}

static void judge_versions(GPtrArray *problems, const VarveDeviation *deviation)
{
	const char *fixed_in = deviation->metadata->fixed_in;

	for (guint i = 0; i < deviation->differences->len; i++) {
		const VarveDifference *difference = deviation->differences->pdata[i];

		if (difference->version &&
		    varve_rpm_evr_compare(difference->version, fixed_in) >= 0)
			complain(problems, deviation,
				 "upstream's %s is version %s, which has this since %s; remove it",
				 difference->component, difference->version, fixed_in);
	}
}

/* The first component whose upstream's version was not found; NULL where there is none. */
static const char *without_version(const VarveDeviation *deviation)
{
	for (guint i = 0; i < deviation->components->len; i++) {
		const char *name = deviation->components->pdata[i];
		gboolean found = FALSE;

		for (guint j = 0; !found && j < deviation->differences->len; j++) {
			const VarveDifference *difference = deviation->differences->pdata[j];

			found = difference->version && strcmp(difference->component, name) == 0;
		}
		if (!found)
			return name;
	}
	return NULL;
}

GPtrArray *varve_deviations_unjudged(const VarveDeviations *deviations)
{
	GPtrArray *unjudged = g_ptr_array_new_with_free_func(problem_free);

	for (guint i = 0; i < deviations->deviations->len; i++) {
		const VarveDeviation *deviation = deviations->deviations->pdata[i];
		const VarveOverlayMetadata *metadata = deviation->metadata;
		const char *component;

		if (metadata && metadata->fixed_in) {
			component = without_version(deviation);
			if (component)
				complain(unjudged, deviation,
					 "whether upstream has it cannot be told: the version of "
					 "upstream's %s is not at hand",
					 component);
		} else if (g_strcmp0(varve_deviation_category(deviation), BACKPORT) == 0) {
			complain(unjudged, deviation,
				 "whether upstream has it cannot be told: it has no 'fixed-in'");
		}
	}
	return unjudged;
}

GPtrArray *varve_deviations_judge(const VarveDeviations *deviations, const char *today)
{
	GPtrArray *problems = g_ptr_array_new_with_free_func(problem_free);

	for (guint i = 0; i < deviations->deviations->len; i++) {
		const VarveDeviation *deviation = deviations->deviations->pdata[i];
		const VarveOverlayMetadata *metadata = deviation->metadata;

		if (!deviation->reason)
			complain(problems, deviation,
				 "no reason is given; write a description, a 'reason' in its "
				 "metadata or a comment above it");
		if (metadata && metadata->until && strcmp(metadata->until, today) < 0)
			complain(problems, deviation,
				 "it was to be there until %s; remove it, or say until when now",
				 metadata->until);
		if (metadata && metadata->fixed_in)
			judge_versions(problems, deviation);
	}
	return problems;
}
