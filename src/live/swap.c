/* The order of a swap. */
#include "live/swap.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "live/commit.h"
#include "live/follow.h"
#include "live/running.h"
#include "live/shown.h"
#include "stack/compliance.h"
#include "stack/node-floors.h"
#include "stack/node.h"
#include "stack/select.h"

#include <string.h>
#include <sys/stat.h>

#define DEVICE_PREFIX "varve-"

/* Freed from below: layers point into the policy. */
typedef struct {
	const VarveSwapRequest *request;
	VarveSwapResult *result;
	VarveStateDirs dirs;
	VarveReport *running; /* what runs when the swap begins */
	VarveReport *next;    /* what shall run */
	VarveMounted *base;
	VarvePolicy *policy;
	VarveHistory *history;
	VarveGeneration *known; /* whose layers' bytes need not be hashed again */
	VarveTarget *target;
	GPtrArray *before, *after; /* VarveMounted *, lowest first */
	VarveManagerBefore *units;
	gint64 since;
} Swap;

static void swap_clear(Swap *swap)
{
	g_clear_pointer(&swap->before, g_ptr_array_unref);
	g_clear_pointer(&swap->after, g_ptr_array_unref);
	g_clear_pointer(&swap->units, varve_manager_before_free);
	varve_target_free(swap->target);
	varve_history_free(swap->history);
	g_clear_pointer(&swap->known, varve_generation_free);
	varve_policy_free(swap->policy);
	varve_mounted_free(swap->base);
	varve_report_free(swap->next);
	varve_report_free(swap->running);
	varve_state_dirs_clear(&swap->dirs);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Swap, swap_clear)

void varve_swap_result_clear(VarveSwapResult *result)
{
	varve_report_free(result->report);
	varve_who_free(result->who);
	g_free(result->reason);
}

static void tell(const Swap *swap, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void tell(const Swap *swap, const char *format, ...)
{
	g_autofree char *sentence = NULL;
	va_list args;

	va_start(args, format);
	sentence = g_strdup_vprintf(format, args);
	va_end(args);
	if (swap->request->tell)
		swap->request->tell(sentence, swap->request->data);
}

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

/* The namespaces of services may still be where an interrupted swap left them. */
static gboolean follow(GError **error)
{
	g_autoptr(VarvePast) past = varve_past_load(error);

	if (past)
		varve_follow_all(past);
	return past != NULL;
}

/* Before anything: the node as an earlier swap may have left it. */
static gboolean open_node(Swap *swap, GError **error)
{
	g_autofree char *found = NULL;

	swap->running = varve_node_report(error);
	if (!swap->running || !varve_state_dirs_open(&swap->dirs, error) ||
	    !varve_commit_recover(&swap->running, &swap->dirs, &found, error))
		return FALSE;
	if (found)
		tell(swap, "%s", found);
	if (found && !follow(error))
		return FALSE;
	swap->result->before = swap->result->after = swap->running->generation;
	return varve_commit_possible(swap->running, error);
}

static gboolean open_base(Swap *swap, GError **error)
{
	swap->base = varve_mounted_new("");
	swap->base->fd = varve_dir_open(AT_FDCWD, VARVE_BASE_MOUNT, error);
	if (swap->base->fd < 0 ||
	    !varve_labels_open(VARVE_BASE_MOUNT, &swap->base->labels, error) ||
	    !varve_base_inspect(swap->base, error))
		return FALSE;
	return varve_digest_from_hex(swap->running->base->root, &swap->base->facts.root) ||
	       varve_fail(error, VARVE_ERROR_CORRUPT, VARVE_REPORT_FILE ": '%s' is no root hash",
			  swap->running->base->root);
}

static gboolean open_before(Swap *swap, GError **error)
{
	swap->before = varve_running_layers(swap->running, error);
	return swap->before != NULL;
}

static void add_known(VarveGeneration *known, const VarveGeneration *generation)
{
	for (guint i = 0; i < generation->layers->len; i++) {
		const VarveGenerationLayer *layer = generation->layers->pdata[i];
		VarveGenerationLayer *copy = varve_generation_layer_new(layer->name, layer->version,
									layer->file, &layer->root);

		copy->stamp = layer->stamp;
		g_ptr_array_add(known->layers, copy);
	}
}

/* The files of the running stack, and those of the one that it goes back to. */
static void know(Swap *swap)
{
	g_autoptr(VarveGeneration) current = varve_generation_linked(
		swap->dirs.generations, "current", &swap->base->facts.root, NULL);

	swap->known = varve_generation_new();
	if (current)
		add_known(swap->known, current);
	add_known(swap->known, swap->target->generation);
}

/* Which layers shall run, all verified, judged and mounted; what is refused is in @next. */
static gboolean choose(Swap *swap, GError **error)
{
	VarveSelecting selecting = {
		.opening = { .mounts = VARVE_LAYER_MOUNTS,
			     .device_prefix = DEVICE_PREFIX,
			     .kernel_mode = varve_report_kernel_mode(swap->running),
			     .running = TRUE },
		.base = &swap->base->facts,
		.layers_fd = swap->dirs.layers,
		.staged = TRUE,
		.staged_fd = swap->dirs.staging,
		.today = varve_today(),
	};
	g_autoptr(VarveRefusal) refused = NULL;

	swap->next = varve_running_next(swap->running);
	swap->policy = varve_node_policy(swap->base->fd, swap->running, swap->next, error);
	if (!swap->policy)
		return FALSE;
	know(swap);
	if (!swap->request->force)
		selecting.history = swap->history =
			varve_history_load(swap->dirs.generations, &swap->base->facts.root);
	selecting.opening.policy = swap->policy;
	selecting.opening.known = swap->known;
	selecting.current = swap->target->generation;
	refused = varve_compliance_base(swap->policy, swap->next, selecting.today);
	if (refused)
		return varve_fail(error, VARVE_ERROR_REFUSED, "%s: %s", refused->code,
				  refused->sentence);
	swap->after = varve_select(&selecting, swap->next);
	varve_compliance_required(swap->policy, swap->next);
	varve_compliance_layers(swap->next, selecting.today);
	varve_compliance_to_record(swap->next);
	swap->result->verified = g_get_monotonic_time() - swap->since;
	return TRUE;
}

static gboolean same_layers(const GPtrArray *a, const GPtrArray *b)
{
	if (a->len != b->len)
		return FALSE;
	for (guint i = 0; i < a->len; i++) {
		const VarveMounted *x = a->pdata[i], *y = b->pdata[i];

		if (!varve_digest_equal(&x->facts.root, &y->facts.root))
			return FALSE;
	}
	return TRUE;
}

/* What the history says of it, where the operator did not. */
static char *reason_for(const Swap *swap)
{
	const VarveTargetRequest *target = &swap->request->target;
	g_autoptr(GString) text = g_string_new(NULL);

	if (swap->request->why)
		return varve_text_line(swap->request->why);
	switch (target->kind) {
	case VARVE_TARGET_DIRECTORY:
		return g_strdup("what the layers directory has");
	case VARVE_TARGET_GENERATION:
		return g_strdup_printf("the layers of generation %u", swap->target->from);
	case VARVE_TARGET_FILES:
		g_string_append(text, "with");
		break;
	case VARVE_TARGET_WITHOUT:
		g_string_append(text, "without");
		break;
	}
	for (gsize i = 0; target->arguments[i]; i++) {
		g_autofree char *name = g_path_get_basename(target->arguments[i]);
		g_autofree char *line = varve_text_line(name);

		g_string_append_printf(text, "%s %s", i ? "," : "", line);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* The record of the stack that shall run, which is nobody's current one yet. */
static gboolean write_generation(Swap *swap, GError **error)
{
	VarveGeneration *generation = swap->target->generation;

	g_ptr_array_set_size(generation->layers, 0);
	for (guint i = 0; i < swap->after->len; i++) {
		const VarveMounted *layer = swap->after->pdata[i];
		VarveGenerationLayer *record =
			varve_generation_layer_new(layer->manifest->name, layer->manifest->version,
						   layer->file, &layer->facts.root);

		record->stamp = layer->stamp;
		record->staged =
			g_strv_contains((const char *const *)swap->target->staged, layer->file);
		g_ptr_array_add(generation->layers, record);
	}
	generation->when = g_get_real_time() / G_USEC_PER_SEC;
	set(&generation->by, swap->request->by);
	g_free(generation->why);
	generation->why = reason_for(swap);
	if (!varve_generation_write(swap->dirs.generations, generation, error))
		return FALSE;
	swap->next->generation = generation->number;
	set(&swap->next->selection, varve_selection_name(generation->selection));
	return TRUE;
}

/* The files of the swap get their names; the record remembers what they are after that. */
static gboolean place_files(Swap *swap, GError **error)
{
	VarveGeneration *generation = swap->target->generation;

	if (!*swap->target->staged)
		return TRUE;
	for (char **file = swap->target->staged; *file; file++) {
		if (renameat2(swap->dirs.staging, *file, swap->dirs.layers, *file,
			      RENAME_NOREPLACE) < 0)
			return varve_fail_errno(error, errno, "/" VARVE_CANDIDATES_DIR "/%s",
						*file);
	}
	if (fsync(swap->dirs.layers) < 0)
		return varve_fail_errno(error, errno, "/" VARVE_CANDIDATES_DIR);
	for (guint i = 0; i < generation->layers->len; i++) {
		VarveGenerationLayer *record = generation->layers->pdata[i];
		const VarveMounted *layer = swap->after->pdata[i];

		if (record->staged && record->stamp)
			record->stamp = varve_generation_stamp(varve_layer_fd(layer->layer));
	}
	return varve_generation_rewrite(swap->dirs.generations, generation, error);
}

/* What is mounted for the new stack stays from here on: with the commit, or by the recovery. */
static void keep(const GPtrArray *layers)
{
	for (guint i = 0; i < layers->len; i++)
		((VarveMounted *)layers->pdata[i])->kept = TRUE;
}

/* One stack for another, visible to all at one moment. */
static gboolean exchange(Swap *swap, const GPtrArray *from, const GPtrArray *to, VarveReport *next,
			 const VarveChanges *changes, GError **error)
{
	g_auto(VarveNewUsr) usr = { .fd = -1 };
	g_autoptr(VarvePast) past = varve_past_load(error);
	guint followed;

	if (!past || !varve_commit_prepare(to, &usr, error))
		return FALSE;
	varve_running_remember(past, swap->running, from, to, swap->base, &usr, next, changes);
	if (!varve_past_save(past, error) ||
	    !varve_commit(&usr, &swap->dirs, next, &swap->result->committed, error))
		return FALSE;
	followed = varve_follow_all(past);
	if (followed > 0)
		tell(swap, "brought %u mount namespace%s of services along", followed,
		     followed == 1 ? "" : "s");
	return TRUE;
}

static VarveWho *look_who(const VarveReport *runs)
{
	VarveWho *who = NULL;

	return varve_shown_who(runs, NULL, &who, NULL) ? who : NULL;
}

/* Services after a change of the stack: told, restarted, asked for their health. */
static gboolean bring_in_line(Swap *swap, const VarveManagerWork *work, const VarveReport *runs,
			      GError **error)
{
	g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) first = NULL;
	g_auto(GStrv) units = NULL;
	gboolean ok = varve_manager_apply(work, swap->units, done, &first);
	g_autoptr(VarveWho) who = look_who(runs);

	units = who ? varve_who_units(who) : NULL;
	if (units &&
	    !varve_manager_restart(work, (const char *const *)units, done, first ? NULL : &first))
		ok = FALSE;
	for (guint i = 0; i < done->len; i++)
		tell(swap, "%s", (const char *)done->pdata[i]);
	swap->result->restarted += done->len;
	if (!ok) {
		g_propagate_error(error, g_steal_pointer(&first));
		return FALSE;
	}
	ok = varve_manager_healthy(swap->units, work, swap->request->window, error);
	varve_who_free(swap->result->who);
	swap->result->who = look_who(runs);
	return ok;
}

/* The one that failed is marked, so that no boot takes it either, and the stack before is put back.
 */
static gboolean put_back(Swap *swap, const char *reason, GError **error)
{
	g_autoptr(VarveChanges) changes =
		varve_changes_find(swap->base, swap->after, swap->before, error);
	g_autoptr(VarveManagerWork) work = NULL;
	g_autoptr(GError) local = NULL;
	guint failed = swap->next->generation;

	if (!changes)
		return FALSE;
	work = varve_manager_plan(changes, swap->after, swap->before);
	if (failed && !varve_generation_fail(swap->dirs.generations, failed, reason, &local))
		tell(swap, "that generation %u failed cannot be recorded: %s", failed,
		     local->message);
	g_clear_error(&local);
	if (!exchange(swap, swap->after, swap->before, swap->running, changes, error))
		return FALSE;
	if (!bring_in_line(swap, work, swap->running, &local))
		tell(swap, "the stack before is back, but not all is well: %s", local->message);
	return TRUE;
}

static gboolean serve(Swap *swap, const VarveManagerWork *work, GError **error)
{
	g_autoptr(GError) local = NULL;

	if (bring_in_line(swap, work, swap->next, &local))
		return TRUE;
	tell(swap, "not well: %s", local->message);
	tell(swap, "putting generation %u back", swap->running->generation);
	if (!put_back(swap, local->message, error)) {
		g_prefix_error(error,
			       "generation %u is not well (%s), and the one before cannot be put "
			       "back: ",
			       swap->next->generation, local->message);
		return FALSE;
	}
	swap->result->failed = TRUE;
	set(&swap->result->reason, local->message);
	return TRUE;
}

/* Services that were not through when their swap was killed */

static gboolean begin_services(const Swap *swap, GError **error)
{
	return varve_report_save(swap->running, VARVE_REPORT_BEFORE, error);
}

static gboolean end_services(GError **error)
{
	return unlink(VARVE_REPORT_BEFORE) == 0 || errno == ENOENT ||
	       varve_fail_errno(error, errno, VARVE_REPORT_BEFORE);
}

/* @late: from the stack before to the one that runs. What was active when the swap began is not
 * known any more: what is, counts. */
static gboolean complete(Swap *late, GError **error)
{
	g_autoptr(VarveChanges) changes =
		varve_changes_find(late->base, late->before, late->after, error);
	g_autoptr(VarveGeneration) generation =
		varve_generation_load(late->dirs.generations, late->next->generation, NULL);
	g_autoptr(VarveManagerWork) work = NULL;

	late->units = changes ? varve_manager_look(error) : NULL;
	if (!late->units)
		return FALSE;
	tell(late, "finishing the services of generation %u, whose swap was interrupted",
	     late->next->generation);
	/* It was on its way back already. */
	if (generation && strcmp(generation->outcome, VARVE_OUTCOME_FAILED) == 0)
		return put_back(late, generation->reason, error);
	work = varve_manager_plan(changes, late->before, late->after);
	return serve(late, work, error);
}

static gboolean finish_services(const Swap *swap, GError **error)
{
	g_auto(VarveSwapResult) result = { .reason = g_strdup("") };
	g_auto(Swap) late = { .request = swap->request, .result = &result, .dirs = { -1, -1, -1 } };
	g_autoptr(GError) local = NULL;
	VarveReport *before = NULL;

	if (!swap->request->services || access(VARVE_REPORT_BEFORE, F_OK) < 0)
		return TRUE;
	if (!open_node(&late, error) || !follow(error) || !open_base(&late, error))
		return FALSE;
	late.after = varve_running_layers(late.running, error);
	if (!late.after)
		return FALSE;
	before = varve_report_load(VARVE_REPORT_BEFORE, &local);
	late.before = before ? varve_running_layers(before, &local) : NULL;
	late.next = late.running;
	late.running = before;
	if (!late.before)
		tell(swap,
		     "the services of an interrupted swap cannot be finished: %s. 'varvectl who' "
		     "says who runs old code",
		     local->message);
	else if (!same_layers(late.before, late.after) && !complete(&late, error))
		return FALSE;
	return end_services(error);
}

static gboolean commit(Swap *swap, GError **error)
{
	g_autoptr(VarveChanges) changes =
		varve_changes_find(swap->base, swap->before, swap->after, error);
	g_autoptr(VarveManagerWork) work = NULL;

	if (!changes)
		return FALSE;
	if (swap->request->services) {
		work = varve_manager_plan(changes, swap->before, swap->after);
		swap->units = varve_manager_look(error);
		if (!swap->units)
			return FALSE;
	}
	if (!write_generation(swap, error) || !place_files(swap, error) ||
	    (work && !begin_services(swap, error)))
		return FALSE;
	if (swap->request->committing)
		swap->request->committing(swap->request->data);
	keep(swap->after);
	if (!exchange(swap, swap->before, swap->after, swap->next, changes, error)) {
		/* Else it was made, but for its end, and its services are still to come. */
		if (access(VARVE_REPORT_NEXT, F_OK) < 0)
			end_services(NULL);
		return FALSE;
	}
	swap->result->total = g_get_monotonic_time() - swap->since;
	tell(swap, "generation %u runs: committed in %.2f ms", swap->next->generation,
	     (double)swap->result->committed / 1000);
	return !work || (serve(swap, work, error) && end_services(error));
}

/* With nothing to change but how layers are chosen, or a file that was lost, no mount is touched.
 */
static gboolean only_record(Swap *swap, GError **error)
{
	const char *selection = varve_selection_name(swap->target->generation->selection);

	if (strcmp(swap->running->selection, selection) == 0 && !*swap->target->staged)
		return TRUE;
	if (!write_generation(swap, error) || !place_files(swap, error) ||
	    !varve_generation_link(swap->dirs.generations, swap->target->generation, "current",
				   error))
		return FALSE;
	swap->next->usr = swap->running->usr;
	return varve_report_save(swap->next, VARVE_REPORT_FILE, error);
}

/* A boot takes what is good and goes on; a change that somebody asked for is whole or is not. */
static gboolean may_go_on(const Swap *swap)
{
	return swap->request->target.kind == VARVE_TARGET_DIRECTORY ||
	       varve_report_refused(swap->next) == 0;
}

static gboolean run(Swap *swap, GError **error)
{
	VarveSwapResult *result = swap->result;

	if (!finish_services(swap, error) || !open_node(swap, error) || !open_base(swap, error))
		return FALSE;
	swap->target = varve_target_find(swap->running, &swap->dirs, &swap->request->target, error);
	if (!swap->target || !open_before(swap, error) || !choose(swap, error))
		return FALSE;
	if (!may_go_on(swap)) {
		result->refused = TRUE;
		return TRUE;
	}
	result->changed = !same_layers(swap->before, swap->after);
	if (!(result->changed ? commit(swap, error) : only_record(swap, error)))
		return FALSE;
	result->after = result->failed ? swap->running->generation : swap->next->generation;
	return TRUE;
}

/* Whatever ended it, nothing is left lying about: the same that would follow a kill. */
static gboolean clean_up(const Swap *swap, GError **error)
{
	g_autoptr(VarveReport) running = NULL;

	if (swap->dirs.staging < 0)
		return TRUE;
	running = varve_node_report(error);
	return running && varve_commit_recover(&running, &swap->dirs, NULL, error);
}

/* Who has to wait is told for whom. */
static int take_lock(const Swap *swap, GError **error)
{
	g_autoptr(GError) local = NULL;
	int fd = varve_lock(VARVE_NODE_LOCK, FALSE, &local);

	if (fd >= 0)
		return fd;
	if (!g_error_matches(local, VARVE_ERROR, VARVE_ERROR_BUSY)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return -1;
	}
	tell(swap, "%s", local->message);
	return varve_lock(VARVE_NODE_LOCK, TRUE, error);
}

gboolean varve_swap(const VarveSwapRequest *request, VarveSwapResult *ret, GError **error)
{
	varve_autofd lock = -1;
	g_auto(VarveSwapResult) result = { .reason = g_strdup("") };
	g_auto(Swap) swap = { .request = request,
			      .result = &result,
			      .dirs = { -1, -1, -1 },
			      .since = g_get_monotonic_time() };
	gboolean ok;

	lock = take_lock(&swap, error);
	if (lock < 0)
		return FALSE;
	ok = run(&swap, error);
	if (!clean_up(&swap, ok ? error : NULL) || !ok)
		return FALSE;
	result.report = result.refused || !result.failed ? g_steal_pointer(&swap.next)
							 : g_steal_pointer(&swap.running);
	*ret = result;
	result = (VarveSwapResult){ 0 };
	return TRUE;
}

gboolean varve_swap_unfinished(void)
{
	g_autoptr(GError) error = NULL;
	varve_autofd lock = -1;

	if (access(VARVE_REPORT_BEFORE, F_OK) < 0)
		return FALSE;
	lock = varve_lock(VARVE_NODE_LOCK, FALSE, &error);
	return !g_error_matches(error, VARVE_ERROR, VARVE_ERROR_BUSY) &&
	       access(VARVE_REPORT_BEFORE, F_OK) == 0;
}
