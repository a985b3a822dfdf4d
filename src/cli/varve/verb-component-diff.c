/* varve component diff: what the definition makes of an upstream's spec and files. */
#include "base/error.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/varve/component-set.h"
#include "cli/varve/verbs.h"
#include "component/facts.h"
#include "component/overlay.h"
#include "component/snapshot.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
	VarveComponentOptions set;
	gboolean each;
} DiffOptions;

/** What is being compared. */
typedef struct {
	const VarveComponentSet *set;
	VarveEffective *effective;
	char *name;            /* "curl.spec", ours */
	char *upstream, *ours; /* directories */
	char *spec;            /* the upstream's */
	gsize spec_size;
} Diff;

static void clear_diff(Diff *diff)
{
	if (diff->upstream)
		varve_dir_remove(AT_FDCWD, diff->upstream, NULL);
	if (diff->ours)
		varve_dir_remove(AT_FDCWD, diff->ours, NULL);
	g_free(diff->upstream);
	g_free(diff->ours);
	g_free(diff->name);
	g_free(diff->spec);
	varve_effective_free(diff->effective);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Diff, clear_diff)

static GOptionEntry *entries(gpointer data)
{
	DiffOptions *options = data;
	const GOptionEntry table[] = {
		{ "each", 0, 0, G_OPTION_ARG_NONE, &options->each,
		  "Overlay by overlay, then what rendering adds", NULL },
		{ NULL },
	};

	return varve_component_entries(&options->set, table);
}

/* Specs are anybody's text: nothing in it may drive the terminal. */
static void print_line(const char *line, const char *colour)
{
	g_autofree char *shown = g_utf8_make_valid(line, -1);

	for (char *c = shown; *c; c++) {
		if ((guchar)*c < 0x20 && *c != '\t')
			*c = '?';
		else if ((guchar)*c == 0xc2 && (guchar)c[1] >= 0x80 && (guchar)c[1] < 0xa0)
			c[0] = c[1] = '?';
	}
	printf("%s%s%s\n", colour, shown, *colour ? "\033[0m" : "");
}

static const char *colour_of(const char *line)
{
	if (g_str_has_prefix(line, "--- ") || g_str_has_prefix(line, "+++ "))
		return "\033[1m";
	return *line == '+'   ? "\033[32m"
	       : *line == '-' ? "\033[31m"
	       : *line == '@' ? "\033[36m"
			      : "";
}

static void print_diff(const char *text)
{
	g_auto(GStrv) lines = NULL;
	gboolean terminal = isatty(STDOUT_FILENO);
	gboolean colours = terminal && !g_getenv("NO_COLOR");

	if (!terminal) {
		fputs(text, stdout);
		return;
	}
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		if (**line || line[1])
			print_line(*line, colours ? colour_of(*line) : "");
	}
}

static void print_heading(const char *text)
{
	gboolean bold = isatty(STDOUT_FILENO) && !g_getenv("NO_COLOR");

	print_line(text, bold ? "\033[1;34m" : "");
}

/* A name that the upstream's spec has there is ours: so the two are compared. */
static VarveSnapshot *upstream_files(const Diff *diff, GError **error)
{
	varve_autofd fd = varve_dir_open(AT_FDCWD, diff->upstream, error);
	g_autoptr(VarveSnapshot) files = fd >= 0 ? varve_snapshot_new(fd, error) : NULL;
	g_autoptr(VarveSpecFacts) facts = varve_spec_facts(diff->spec, NULL, 0);
	g_autoptr(GPtrArray) paths = NULL;

	if (!files)
		return NULL;
	paths = varve_snapshot_paths(files);
	for (guint i = 0; i < paths->len; i++) {
		const char *path = paths->pdata[i];

		/* What rendering leaves out because nothing refers to it is no deviation. */
		if (strcmp(path, "sources") != 0 && !varve_spec_facts_refers(facts, path) &&
		    !diff->effective->component.skip_file_filter)
			varve_snapshot_set(files, path, NULL, 0);
	}
	varve_snapshot_set(files, diff->name, diff->spec, diff->spec_size);
	return g_steal_pointer(&files);
}

static VarveSnapshot *our_files(const Diff *diff, GError **error)
{
	varve_autofd fd = varve_dir_open(AT_FDCWD, diff->ours, error);

	return fd >= 0 ? varve_snapshot_new(fd, error) : NULL;
}

static gboolean show_all(const Diff *diff, GError **error)
{
	g_autoptr(VarveSnapshot) before = upstream_files(diff, error);
	g_autoptr(VarveSnapshot) after = before ? our_files(diff, error) : NULL;
	g_autofree char *text = NULL;

	if (!after)
		return FALSE;
	text = varve_snapshot_diff(before, after);
	print_diff(text);
	return TRUE;
}

static void print_overlay(const VarveSpecOverlay *overlay, gsize number)
{
	g_autofree char *origin = varve_origin_text(&overlay->origin);
	const char *category = overlay->metadata.origin.line ? overlay->metadata.category : NULL;
	g_autofree char *text = g_strdup_printf(
		"overlay %zu: %s, %s%s%s%s%s%s", number, varve_overlay_type_name(overlay->type),
		origin, overlay->description && *overlay->description ? ": " : "",
		overlay->description ? overlay->description : "", category ? " [" : "",
		category ? category : "", category ? "]" : "");

	print_heading(text);
}

/* The state that the overlays have reached: the directory, and the spec that is not in it. */
static VarveSnapshot *state_of(const Diff *diff, const VarveOverlayTarget *target, GError **error)
{
	VarveSnapshot *state = varve_snapshot_new(target->sources, error);
	g_autoptr(GString) spec = NULL;

	if (!state)
		return NULL;
	spec = varve_spec_print(target->spec);
	varve_snapshot_set(state, diff->name, spec->str, spec->len);
	return state;
}

static gboolean show_overlay(const Diff *diff, VarveOverlayTarget *target,
			     const VarveSpecOverlay *overlay, VarveSnapshot **state, GError **error)
{
	g_autoptr(VarveSnapshot) next = NULL;
	g_autofree char *text = NULL;

	if (varve_overlay_is_archived(overlay)) {
		printf("changes files within %s\n", overlay->archive);
		return TRUE;
	}
	if (!varve_overlay_apply(target, overlay, error))
		return FALSE;
	next = state_of(diff, target, error);
	if (!next)
		return FALSE;
	text = varve_snapshot_diff(*state, next);
	print_diff(text);
	varve_snapshot_free(*state);
	*state = g_steal_pointer(&next);
	return TRUE;
}

/* From what the overlays made to what is rendered. */
static gboolean show_rest(const Diff *diff, VarveSnapshot *state, GError **error)
{
	g_autoptr(VarveSnapshot) ours = our_files(diff, error);
	g_autoptr(GPtrArray) paths = varve_snapshot_paths(state);
	g_autoptr(GPtrArray) kept = ours ? varve_snapshot_paths(ours) : NULL;
	g_autofree char *text = NULL;

	if (!ours)
		return FALSE;
	for (guint i = 0; i < paths->len; i++) {
		if (!g_ptr_array_find_with_equal_func(kept, paths->pdata[i], g_str_equal, NULL))
			varve_snapshot_set(state, paths->pdata[i], NULL, 0);
	}
	text = varve_snapshot_diff(state, ours);
	if (!*text)
		return TRUE;
	print_heading("what rendering adds: macros, release, header");
	print_diff(text);
	return TRUE;
}

static gboolean show_each(const Diff *diff, GError **error)
{
	const VarveComponent *component = &diff->effective->component;
	varve_autofd sources = varve_dir_open(AT_FDCWD, diff->upstream, error);
	g_autoptr(VarveSpec) spec =
		varve_spec_parse(diff->name, diff->spec, diff->spec_size, error);
	VarveOverlayTarget target = { spec, diff->effective->name, sources };
	g_autoptr(VarveSnapshot) state = NULL;

	if (sources < 0 || !spec)
		return FALSE;
	state = state_of(diff, &target, error);
	if (!state)
		return FALSE;
	for (gsize i = 0; i < component->n_overlays; i++) {
		print_overlay(&component->overlays[i], i + 1);
		if (!show_overlay(diff, &target, &component->overlays[i], &state, error))
			return FALSE;
	}
	return show_rest(diff, state, error);
}

static gboolean show(const VarveComponentSet *set, const char *name, gboolean each, GError **error)
{
	g_auto(Diff) diff = { .set = set };

	diff.effective = varve_effective_new(set->definition, name, error);
	if (!diff.effective)
		return FALSE;
	diff.name = g_strconcat(name, ".spec", NULL);
	diff.upstream = g_dir_make_tmp("varve-diff-XXXXXX", error);
	diff.ours = diff.upstream ? g_dir_make_tmp("varve-diff-XXXXXX", error) : NULL;
	if (!diff.ours ||
	    !varve_prepare_upstream(&set->prepare, diff.effective, diff.upstream, &diff.spec,
				    &diff.spec_size, error) ||
	    !varve_prepare(&set->prepare, name, diff.ours, NULL, error))
		return FALSE;
	return each ? show_each(&diff, error) : show_all(&diff, error);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const DiffOptions *options = invocation->options;
	g_autoptr(VarveComponentSet) set = varve_component_set_open(
		&options->set, (const char *const *)invocation->argv, error);

	if (!set)
		return VARVE_EXIT_FAILED;
	for (guint i = 0; i < set->names->len; i++) {
		if (!show(set, set->names->pdata[i], options->each, error))
			return VARVE_EXIT_FAILED;
	}
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_component_diff = {
	.words = "component diff",
	.arguments = "NAME…",
	.summary = "Show how a component differs from its upstream.",
	.details = "The difference of the upstream's spec and files and what is rendered from "
		   "them, unified;\nwith --each overlay by overlay, with where each is declared "
		   "and why.",
	.options_size = sizeof(DiffOptions),
	.entries = entries,
	.max_arguments = -1,
	.run = run,
};
