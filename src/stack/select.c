/* Choosing the layers of a stack. */
#include "stack/select.h"

#include "base/error.h"
#include "base/file.h"
#include "format/version.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Far more than the kernel merges; who fills the directory does not hold up the boot for ever. */
#define CANDIDATES_MAX 1000
#define NAME_CHARACTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._+~^-"

/* One file that could be merged. */
typedef struct {
	char *file;
	char *name; /* as the file name claims */
	char *version;
	const VarveGenerationLayer *listed; /* (nullable) the record that wants it */
	gboolean tried;
	VarveMounted *mounted;
	VarveReportLayer *layer; /* for the report; ours until it is moved there */
	VarveRefusal *refusal;   /* for what it is: for good */
	VarveRefusal *verdict;   /* the policy's, among the others of the moment */
} Candidate;

static gboolean is_accepted(const Candidate *candidate)
{
	return candidate->mounted && !candidate->refusal && !candidate->verdict;
}

/* A patch that is not needed: no older version of it is either. */
static gboolean is_retired(const Candidate *candidate)
{
	return candidate->mounted && candidate->verdict && candidate->verdict->retired;
}

static gboolean is_patch(const Candidate *candidate)
{
	return candidate->mounted->manifest->role == VARVE_ROLE_PATCH;
}

static void candidate_free(gpointer data)
{
	Candidate *candidate = data;

	varve_mounted_free(candidate->mounted);
	varve_report_layer_free(candidate->layer);
	varve_refusal_free(candidate->refusal);
	varve_refusal_free(candidate->verdict);
	g_free(candidate->file);
	g_free(candidate->name);
	g_free(candidate->version);
	g_free(candidate);
}

gboolean varve_select_split_name(const char *file, char **ret_name, char **ret_version)
{
	const char *first = strchr(file, '_');
	const char *second = first ? strchr(first + 1, '_') : NULL;

	if (!second || first == file || !g_str_has_suffix(file, ".raw"))
		return FALSE;
	*ret_name = g_strndup(file, (gsize)(first - file));
	*ret_version = g_strndup(first + 1, (gsize)(second - first - 1));
	return TRUE;
}

static void replace(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

static Candidate *candidate_new(const char *file)
{
	Candidate *candidate = g_new0(Candidate, 1);

	/* As a terminal can show it. */
	candidate->file = g_strescape(file, NULL);
	if (!varve_select_split_name(candidate->file, &candidate->name, &candidate->version)) {
		candidate->name = g_strdup(candidate->file);
		candidate->version = g_strdup("");
	}
	candidate->layer = varve_report_layer_new();
	replace(&candidate->layer->file, candidate->file);
	replace(&candidate->layer->name, candidate->name);
	replace(&candidate->layer->version, candidate->version);
	if (file[strspn(file, NAME_CHARACTERS)]) {
		candidate->tried = TRUE;
		candidate->refusal = varve_refusal_new(
			"misnamed", "'%s' is no name that a layer can have, and was not opened",
			candidate->file);
	}
	return candidate;
}

/* By name, and the newest version of a name first. */
static gint by_name_newest(gconstpointer a, gconstpointer b)
{
	const Candidate *x = *(Candidate *const *)a, *y = *(Candidate *const *)b;
	int order = strcmp(x->name, y->name);

	if (order == 0)
		order = varve_version_compare(y->version, x->version);
	return order ? order : strcmp(x->file, y->file);
}

static void add_listed(const VarveSelecting *s, GPtrArray *candidates)
{
	for (guint i = 0; i < s->current->layers->len; i++) {
		const VarveGenerationLayer *layer = s->current->layers->pdata[i];
		Candidate *candidate = candidate_new(layer->file);

		candidate->listed = layer;
		g_ptr_array_add(candidates, candidate);
	}
}

static GPtrArray *find_candidates(const VarveSelecting *s, VarveReport *report)
{
	GPtrArray *candidates = g_ptr_array_new_with_free_func(candidate_free);
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) names = NULL;

	if (s->current && s->current->selection == VARVE_SELECTION_LISTED) {
		add_listed(s, candidates);
		return candidates;
	}
	if (s->layers_fd < 0)
		return candidates;
	if (!varve_dir_list(s->layers_fd, ".", &names, &error)) {
		varve_report_warn(report, "the layers directory cannot be read: %s",
				  error->message);
		return candidates;
	}
	for (char **name = names; *name; name++) {
		/* What is being written has another name. */
		if (!g_str_has_suffix(*name, ".raw") || **name == '.')
			continue;
		if (s->history && varve_history_interrupted(s->history, *name))
			varve_report_warn(
				report,
				"'%s' belongs to a swap that was interrupted, and is left "
				"out",
				*name);
		else
			g_ptr_array_add(candidates, candidate_new(*name));
	}
	g_ptr_array_sort(candidates, by_name_newest);
	if (candidates->len > CANDIDATES_MAX) {
		varve_report_warn(report,
				  "there are %u files in the layers directory; only the first %u "
				  "are looked at: remove what is not needed",
				  candidates->len, CANDIDATES_MAX);
		g_ptr_array_set_size(candidates, CANDIDATES_MAX);
	}
	return candidates;
}

/* A layer of the running stack is not mounted a second time, so that nothing else tells. */
static gboolean is_duplicate(const GPtrArray *candidates, const Candidate *candidate)
{
	for (guint i = 0; i < candidates->len; i++) {
		const Candidate *other = candidates->pdata[i];

		if (other != candidate && other->mounted &&
		    varve_digest_equal(varve_layer_root(other->mounted->layer),
				       varve_layer_root(candidate->mounted->layer)))
			return TRUE;
	}
	return FALSE;
}

char **varve_select_files(const VarveSelecting *selecting, VarveReport *report)
{
	g_autoptr(GPtrArray) candidates = find_candidates(selecting, report);
	g_autoptr(GPtrArray) files = g_ptr_array_new();

	for (guint i = 0; i < candidates->len; i++) {
		const Candidate *candidate = candidates->pdata[i];

		g_ptr_array_add(files, g_strdup(candidate->file));
	}
	g_ptr_array_add(files, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&files), FALSE);
}

static VarveRefusal *refuse_failed(const VarveSelecting *s, const VarveMounted *mounted)
{
	const VarveGeneration *failed =
		s->history ? varve_history_failed(s->history, varve_layer_root(mounted->layer))
			   : NULL;

	return failed ? varve_refusal_new("failed-before",
					  "generation %u brought it and failed: %s", failed->number,
					  failed->reason)
		      : NULL;
}

static void inspect_candidate(const VarveSelecting *s, const GPtrArray *candidates,
			      Candidate *candidate)
{
	VarveMounted *mounted = candidate->mounted;

	if (is_duplicate(candidates, candidate)) {
		candidate->refusal = varve_refusal_new(
			"duplicate-layer", "'%s' is a copy of a layer that another file brought",
			candidate->file);
		return;
	}

	if (candidate->listed &&
	    !varve_digest_equal(varve_layer_root(mounted->layer), &candidate->listed->root)) {
		g_autofree char *expected = varve_digest_dup_hex(&candidate->listed->root);

		candidate->refusal = varve_refusal_new(
			"unreadable",
			"'%s' was replaced: the generation has root hash %.16s…, the file %.16s…",
			candidate->file, expected, candidate->layer->root);
		return;
	}
	candidate->refusal = refuse_failed(s, mounted);
	if (candidate->refusal)
		return;
	candidate->refusal = varve_mounted_inspect(mounted);
	if (mounted->manifest)
		varve_report_layer_describe(candidate->layer, mounted->manifest);
	if (!candidate->refusal)
		candidate->refusal =
			varve_policy_judge(s->opening.policy, s->base, &mounted->facts, s->today);
	mounted->facts.passed = !candidate->refusal;
	if (!candidate->refusal)
		candidate->refusal = varve_mounted_check(&s->opening, mounted);
	if (!candidate->refusal && mounted->hashed)
		candidate->refusal = varve_mounted_contents(mounted);
}

/* What is refused for itself is let go at once: another file may hold the very same layer. */
static void try_candidate(const VarveSelecting *s, const GPtrArray *candidates,
			  Candidate *candidate)
{
	gboolean staged = s->staged && candidate->listed &&
			  faccessat(s->staged_fd, candidate->file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	candidate->tried = TRUE;
	candidate->mounted = varve_mounted_open(&s->opening, staged ? s->staged_fd : s->layers_fd,
						candidate->file, candidate->name, candidate->layer,
						&candidate->refusal);
	if (candidate->mounted)
		inspect_candidate(s, candidates, candidate);
	if (candidate->refusal)
		g_clear_pointer(&candidate->mounted, varve_mounted_free);
}

/* Opens of every name the newest version that was not tried, unless a newer one is good so far;
 * FALSE where there was nothing to open. */
static gboolean try_next(const VarveSelecting *s, GPtrArray *candidates)
{
	const char *satisfied = NULL;
	gboolean tried = FALSE;

	for (guint i = 0; i < candidates->len; i++) {
		Candidate *candidate = candidates->pdata[i];
		gboolean listed = candidate->listed != NULL;

		if (!listed && satisfied && strcmp(satisfied, candidate->name) == 0)
			continue;
		if (!candidate->tried) {
			try_candidate(s, candidates, candidate);
			tried = TRUE;
		}
		if (is_accepted(candidate) || is_retired(candidate))
			satisfied = candidate->name;
	}
	return tried;
}

static void decide(const VarveSelecting *s, GPtrArray *candidates)
{
	g_autoptr(GPtrArray) facts = g_ptr_array_new();
	g_autoptr(GPtrArray) verdicts = NULL;
	guint next = 0;

	for (guint i = 0; i < candidates->len; i++) {
		Candidate *candidate = candidates->pdata[i];

		if (candidate->mounted && !candidate->refusal)
			g_ptr_array_add(facts, &candidate->mounted->facts);
	}
	verdicts = varve_policy_decide(s->opening.policy, s->base, facts, s->today);
	for (guint i = 0; i < candidates->len; i++) {
		Candidate *candidate = candidates->pdata[i];

		if (!candidate->mounted || candidate->refusal)
			continue;
		varve_refusal_free(candidate->verdict);
		candidate->verdict = g_steal_pointer(&verdicts->pdata[next++]);
	}
}

static void report_accepted(Candidate *candidate, GPtrArray *accepted, VarveReport *report)
{
	candidate->layer->accepted = TRUE;
	replace(&candidate->layer->device, candidate->mounted->device);
	g_ptr_array_add(accepted, g_steal_pointer(&candidate->mounted));
	g_ptr_array_add(report->layers, g_steal_pointer(&candidate->layer));
}

static void report_refused(Candidate *candidate, VarveReport *report)
{
	const VarveRefusal *why = candidate->refusal ? candidate->refusal : candidate->verdict;

	replace(&candidate->layer->code, why->code);
	replace(&candidate->layer->sentence, why->sentence);
	replace(&candidate->layer->next, why->next);
	candidate->layer->retired = why->retired;
	g_ptr_array_add(report->layers, g_steal_pointer(&candidate->layer));
}

GPtrArray *varve_select(const VarveSelecting *selecting, VarveReport *report)
{
	g_autoptr(GPtrArray) candidates = find_candidates(selecting, report);
	GPtrArray *accepted = g_ptr_array_new_with_free_func((GDestroyNotify)varve_mounted_free);

	/* A refused version makes room for the one before it, which is then judged with all others.
	 */
	while (try_next(selecting, candidates))
		decide(selecting, candidates);
	/* Patches lie above all others. */
	for (guint i = 0; i < 2 * candidates->len; i++) {
		Candidate *candidate = candidates->pdata[i % candidates->len];

		if (is_accepted(candidate) && is_patch(candidate) == (i >= candidates->len))
			report_accepted(candidate, accepted, report);
	}
	for (guint i = 0; i < candidates->len; i++) {
		Candidate *candidate = candidates->pdata[i];

		if (candidate->layer && (candidate->refusal || candidate->verdict))
			report_refused(candidate, report);
	}
	return accepted;
}

void varve_select_none(int layers_fd, const char *code, const char *sentence, VarveReport *report)
{
	VarveSelecting s = { .layers_fd = layers_fd };
	g_autoptr(GPtrArray) candidates = find_candidates(&s, report);

	for (guint i = 0; i < candidates->len; i++) {
		Candidate *candidate = candidates->pdata[i];

		varve_refusal_free(candidate->refusal);
		candidate->refusal = varve_refusal_new(code, "%s", sentence);
		report_refused(candidate, report);
	}
}
