/* Deviations: everything in which the distribution differs from its upstream, with why, since when
 * and what it comes to. Collected from the definition; docs/components.md says what counts. */
#pragma once

#include "component/effective.h"

typedef enum {
	VARVE_DEVIATION_OVERLAYS, /* one change: an overlay, or those of one file or metadata */
	VARVE_DEVIATION_BUILD,    /* with, without, defines or undefines */
	VARVE_DEVIATION_CHECK,    /* %check is skipped */
	VARVE_DEVIATION_SOURCE,   /* a source file of ours, or in the place of upstream's */
	VARVE_DEVIATION_SPEC,     /* a spec of ours: no upstream at all */
	VARVE_DEVIATION_PIN,      /* another commit or version of upstream than the default */
	VARVE_DEVIATION_KINDS,
} VarveDeviationKind;

/** What a deviation comes to in one component. */
typedef struct {
	const char *component;
	char *text;    /* (nullable) unified differences, overlay by overlay; of OVERLAYS */
	char *missing; /* (nullable) why there is none */
	char *version; /* (nullable) of the upstream's spec, where it can be told */
} VarveDifference;

/** One deviation, where it was declared. */
typedef struct {
	VarveDeviationKind kind;
	/* "component", "group", "project", "distro", and which: what declares it. */
	const char *level;
	const char *declarer;
	GPtrArray *components; /* const char *: those that it reaches, sorted */
	char *title;           /* what: "without docs", "spec-add-tag BuildRequires gcc" */
	char *reason;          /* (nullable) */
	gboolean reason_is_comment;
	const VarveOverlayMetadata *metadata; /* (nullable) */
	VarveOrigin origin;
	GPtrArray *overlays;    /* const VarveSpecOverlay *: of OVERLAYS, in their order */
	char *since;            /* (nullable) "YYYY-MM-DD": what varve_deviations_date() found */
	char *commit;           /* (nullable) that brought it */
	GPtrArray *differences; /* VarveDifference *, by component: by varve_deviations_render() */
} VarveDeviation;

typedef struct {
	const VarveDefinition *definition;
	GPtrArray *deviations; /* VarveDeviation *: by component; those for many come first */
	GPtrArray *components; /* VarveEffective *: those that were asked for */
} VarveDeviations;

/**
 * varve_deviations_collect:
 * Everything in which @components differ.
 *
 * @components: (transfer full) (element-type VarveEffective) of varve_effective_select().
 * @definition: must outlive the result.
 */
VarveDeviations *varve_deviations_collect(const VarveDefinition *definition, GPtrArray *components);
void varve_deviations_free(VarveDeviations *deviations);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveDeviations, varve_deviations_free)

/** varve_deviation_category, _status: (borrowed, nullable) of its metadata. */
const char *varve_deviation_category(const VarveDeviation *deviation);
const char *varve_deviation_status(const VarveDeviation *deviation);
/** varve_deviation_age: (caller frees, nullable) "9 months": from its date to @today. */
char *varve_deviation_age(const VarveDeviation *deviation, const char *today);
/** varve_deviation_kind_name: (static) "overlays", "build", "check", "source", "spec", "pin". */
const char *varve_deviation_kind_name(VarveDeviationKind kind);
/** varve_overlay_summary: (caller frees) what an overlay does, on one line: "spec-add-tag
 *  BuildRequires gcc", "spec-remove-section %check of devel". */
char *varve_overlay_summary(const VarveSpecOverlay *overlay);

/**
 * varve_deviations_date:
 * Sets since when each is there: when the line that declares it was last changed, by git, where the
 * definition lies in a repository. Where it does not, or git does not know a file, nothing is set.
 */
void varve_deviations_date(VarveDeviations *deviations);

/** Finds a component's upstream spec and the files beside it. */
typedef struct {
	/* Writes them to the empty directory @into, whose path is @path; *@ret_spec (caller frees)
	 * is the spec's name there. FALSE with a message that says why there is none. */
	gboolean (*find)(const VarveEffective *effective, int into, const char *path,
			 char **ret_spec, gpointer data, GError **error);
	gpointer data;
} VarveUpstreamFinder;

/**
 * varve_deviations_render:
 * Sets what each overlay changes: the component's upstream spec is taken and its overlays are
 * applied one by one. Where that cannot be done the difference says why. Also sets the versions
 * that `fixed-in` is compared with.
 *
 * Errors: SYSTEM (temporary files).
 */
gboolean varve_deviations_render(VarveDeviations *deviations, const VarveUpstreamFinder *finder,
				 GError **error);

/** What is wrong with a deviation. */
typedef struct {
	const VarveDeviation *deviation;
	char *text;    /* "no reason is given; write …" */
	char *message; /* the same with the place and what deviates */
} VarveDeviationProblem;

/**
 * varve_deviations_judge:
 * What should not be as it is: no reason is given; it is past its `until`; upstream's version is
 * `fixed-in` or later.
 *
 * @today: "YYYY-MM-DD".
 *
 * Returns: (transfer full) (element-type VarveDeviationProblem) in the order of the deviations.
 */
GPtrArray *varve_deviations_judge(const VarveDeviations *deviations, const char *today);

/**
 * varve_deviations_unjudged:
 * What varve_deviations_judge() cannot tell: whether upstream has a backport that has no
 * `fixed-in`, or one that has it where the version of the upstream's spec was not found. It is no
 * problem of the deviation's.
 *
 * Returns: (transfer full) (element-type VarveDeviationProblem) in the order of the deviations.
 */
GPtrArray *varve_deviations_unjudged(const VarveDeviations *deviations);

/** How many there are of something. */
typedef struct {
	const char *name; /* (nullable) a category or status; NULL: not said */
	guint n;
} VarveDeviationCount;

typedef struct {
	guint n_deviations;
	guint n_components; /* that differ */
	guint n_overlays;
	guint kinds[VARVE_DEVIATION_KINDS];
	GArray *categories; /* VarveDeviationCount, most first */
	GArray *statuses;
} VarveDeviationSummary;

/** varve_deviations_summarize: (transfer full) */
VarveDeviationSummary *varve_deviations_summarize(const VarveDeviations *deviations);
void varve_deviation_summary_free(VarveDeviationSummary *summary);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveDeviationSummary, varve_deviation_summary_free)

/** What a page says besides the deviations. Nothing is owned. */
typedef struct {
	const char *title;         /* "Azure Linux: deviations from upstream" */
	const char *today;         /* "YYYY-MM-DD" */
	const GPtrArray *problems; /* (nullable) of varve_deviations_judge() */
} VarveDeviationPage;

/** varve_deviations_html: (caller frees) one page that needs nothing else. */
char *varve_deviations_html(const VarveDeviations *deviations, const VarveDeviationPage *page);
/** varve_deviations_markdown: (caller frees) */
char *varve_deviations_markdown(const VarveDeviations *deviations, const VarveDeviationPage *page);
