/* What overlays come to: the upstream's spec is taken, they are applied one by one, and what each
 * changed is kept. */
#include "component/deviation-internal.h"

#include "base/error.h"
#include "base/file.h"
#include "component/facts.h"
#include "component/line-diff.h"
#include "component/loose-files.h"
#include "component/overlay.h"

#include <string.h>

#define SPEC_MAX ((gsize)64 << 20)
#define SHOWN_MAX ((gsize)64 << 10) /* of one difference */
#define FILE_MAX ((gsize)1 << 20)   /* larger files are only named */
#define CONTEXT 3

/* One component that is rendered */
typedef struct {
	const VarveEffective *effective;
	int directory;
	char *spec_name;
	char *version;
	VarveSpec *spec;
	GHashTable *by_place; /* "file:line:column" → VarveDeviation * */
} Rendering;

static char *place_of(const VarveOrigin *origin)
{
	return g_strdup_printf("%s:%u:%u", origin->file, origin->line, origin->column);
}

/* The files beside the spec */

static GHashTable *read_files(int directory)
{
	GHashTable *files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						  (GDestroyNotify)g_bytes_unref);
	g_autoptr(VarvePattern) every = varve_pattern_new("**/*", NULL);
	g_autoptr(GPtrArray) names = NULL;

	if (!every || !varve_loose_match(directory, every, VARVE_LOOSE_FILES, &names, NULL))
		return files;
	for (guint i = 0; i < names->len; i++) {
		char *data = NULL;
		gsize size = 0;
		mode_t mode;

		if (varve_loose_read(directory, names->pdata[i], &data, &size, &mode, NULL))
			g_hash_table_insert(files, g_strdup(names->pdata[i]),
					    g_bytes_new_take(data, size));
	}
	return files;
}

static gboolean is_text(gconstpointer data, gsize size)
{
	return size <= FILE_MAX && (size == 0 || !memchr(data, '\0', size));
}

static gboolean is_patch(const char *name)
{
	return g_str_has_suffix(name, ".patch") || g_str_has_suffix(name, ".diff");
}

static void add_file(GString *out, const char *name, GBytes *before, GBytes *after)
{
	gsize n_before = 0, n_after = 0;
	const char *left = before ? g_bytes_get_data(before, &n_before) : NULL;
	const char *right = after ? g_bytes_get_data(after, &n_after) : NULL;
	g_autoptr(GString) diff = NULL;

	if (before && after && g_bytes_equal(before, after))
		return;
	g_string_append_printf(out, "--- %s\n+++ %s\n", before ? name : "/dev/null",
			       after ? name : "/dev/null");
	if (!is_text(left, n_before) || !is_text(right, n_after)) {
		g_string_append_printf(out,
				       "(not shown: %" G_GSIZE_FORMAT
				       " bytes before, %" G_GSIZE_FORMAT " after)\n",
				       n_before, n_after);
		return;
	}
	/* The differences of a difference would be hard to read. */
	if (!before && is_patch(name)) {
		g_string_append_len(out, right, (gssize)n_after);
		if (n_after > 0 && right[n_after - 1] != '\n')
			g_string_append_c(out, '\n');
		return;
	}
	diff = varve_line_diff(left ? left : "", n_before, right ? right : "", n_after, CONTEXT);
	g_string_append_len(out, diff->str, (gssize)diff->len);
}

static gint by_bytes(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

static void compare_files(GString *out, GHashTable *before, GHashTable *after)
{
	g_autoptr(GList) old = g_list_sort(g_hash_table_get_keys(before), by_bytes);
	g_autoptr(GList) new = g_list_sort(g_hash_table_get_keys(after), by_bytes);

	for (const GList *name = old; name; name = name->next)
		add_file(out, name->data, g_hash_table_lookup(before, name->data),
			 g_hash_table_lookup(after, name->data));
	for (const GList *name = new; name; name = name->next)
		if (!g_hash_table_contains(before, name->data))
			add_file(out, name->data, NULL, g_hash_table_lookup(after, name->data));
}

static gboolean touches_files(const VarveSpecOverlay *overlay)
{
	return overlay->type >= VARVE_OVERLAY_PATCH_ADD;
}

/* One overlay */

static VarveDifference *difference_in(VarveDeviation *deviation, const Rendering *rendering)
{
	const char *component = rendering->effective->name;
	VarveDifference *difference = NULL;

	if (deviation->differences->len > 0)
		difference = deviation->differences->pdata[deviation->differences->len - 1];
	if (difference && strcmp(difference->component, component) == 0)
		return difference;
	difference = g_new0(VarveDifference, 1);
	difference->component = component;
	difference->version = g_strdup(rendering->version);
	g_ptr_array_add(deviation->differences, difference);
	return difference;
}

static void add_text(VarveDifference *difference, const char *text)
{
	g_autoptr(GString) all = g_string_new(difference->text);

	g_string_append(all, text);
	if (all->len > SHOWN_MAX) {
		g_string_truncate(all, SHOWN_MAX);
		while (all->len > 0 && all->str[all->len - 1] != '\n')
			g_string_truncate(all, all->len - 1);
		g_string_append(all, "… (the rest is not shown)\n");
	}
	g_free(difference->text);
	difference->text = g_string_free(g_steal_pointer(&all), FALSE);
}

static void apply(Rendering *rendering, const VarveSpecOverlay *overlay, VarveDeviation *deviation)
{
	VarveDifference *difference = difference_in(deviation, rendering);
	VarveOverlayTarget target = { rendering->spec, rendering->effective->name,
				      rendering->directory };
	g_autoptr(GHashTable) files = NULL, changed = NULL;
	g_autoptr(GString) before = varve_spec_print(rendering->spec), after = NULL, diff = NULL;
	g_autofree char *summary = varve_overlay_summary(overlay);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	gboolean fits;

	if (touches_files(overlay))
		files = read_files(rendering->directory);
	fits = varve_overlay_apply(&target, overlay, &error);
	rendering->spec = target.spec; /* after an error another one */
	if (!fits) {
		if (!difference->missing)
			difference->missing = g_strdup(error->message);
		return;
	}
	after = varve_spec_print(rendering->spec);
	diff = varve_line_diff(before->str, before->len, after->str, after->len, CONTEXT);
	if (deviation->overlays->len > 1)
		g_string_append_printf(text, "# %s\n", summary);
	if (diff->len > 0)
		g_string_append_printf(text, "--- %s\n+++ %s\n%s", rendering->spec_name,
				       rendering->spec_name, diff->str);
	if (files) {
		changed = read_files(rendering->directory);
		compare_files(text, files, changed);
	}
	add_text(difference, text->str);
}

/* One component */

static void rendering_clear(Rendering *rendering)
{
	g_free(rendering->spec_name);
	g_free(rendering->version);
	varve_spec_free(rendering->spec);
	if (rendering->directory >= 0)
		close(rendering->directory);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Rendering, rendering_clear)

static char *version_of(const char *text)
{
	g_autoptr(VarveSpecFacts) facts = varve_spec_facts(text, NULL, 0);

	if (!facts->version || (facts->has_epoch && !facts->epoch))
		return NULL;
	return facts->epoch ? g_strdup_printf("%s:%s", facts->epoch, facts->version)
			    : g_strdup(facts->version);
}

static gboolean take_upstream(Rendering *rendering, const VarveUpstreamFinder *finder,
			      const char *path, GError **error)
{
	g_autofree char *text = NULL;
	gsize size;

	if (!finder->find(rendering->effective, rendering->directory, path, &rendering->spec_name,
			  finder->data, error) ||
	    !varve_file_read_beneath(rendering->directory, rendering->spec_name, SPEC_MAX, &text,
				     &size, error))
		return FALSE;
	rendering->version = version_of(text);
	rendering->spec = varve_spec_parse(rendering->spec_name, text, size, error);
	return rendering->spec != NULL;
}

static void miss(Rendering *rendering, VarveDeviation *deviation, const char *why)
{
	VarveDifference *difference = difference_in(deviation, rendering);

	if (!difference->missing && deviation->kind == VARVE_DEVIATION_OVERLAYS)
		difference->missing = g_strdup(why);
}

/* Deviations that only have a version to be compared. */
static void add_versions(Rendering *rendering, const VarveDeviations *deviations)
{
	for (guint i = 0; i < deviations->deviations->len; i++) {
		VarveDeviation *deviation = deviations->deviations->pdata[i];

		if (deviation->kind != VARVE_DEVIATION_OVERLAYS && deviation->metadata &&
		    deviation->metadata->fixed_in &&
		    g_ptr_array_find_with_equal_func(deviation->components,
						     rendering->effective->name, g_str_equal, NULL))
			difference_in(deviation, rendering);
	}
}

static gboolean render(const VarveDeviations *deviations, const VarveEffective *effective,
		       GHashTable *by_place, const VarveUpstreamFinder *finder, GError **error)
{
	const VarveComponent *component = &effective->component;
	g_autofree char *path = g_dir_make_tmp("varve-deviations-XXXXXX", error);
	g_auto(Rendering) rendering = { effective, -1, NULL, NULL, NULL, by_place };
	g_autoptr(GError) cause = NULL;

	if (!path)
		return FALSE;
	rendering.directory = varve_dir_open(AT_FDCWD, path, error);
	if (rendering.directory < 0)
		return FALSE;
	take_upstream(&rendering, finder, path, &cause);
	if (!cause)
		add_versions(&rendering, deviations);
	for (gsize i = 0; i < component->n_overlays; i++) {
		g_autofree char *place = place_of(&component->overlays[i].origin);
		VarveDeviation *deviation = g_hash_table_lookup(by_place, place);

		if (deviation && cause)
			miss(&rendering, deviation, cause->message);
		else if (deviation)
			apply(&rendering, &component->overlays[i], deviation);
	}
	return varve_dir_remove(AT_FDCWD, path, error);
}

/* Is there something to ask the upstream's spec for? */
static gboolean is_needed(const VarveDeviations *deviations, const VarveEffective *effective)
{
	if (effective->component.n_overlays > 0)
		return TRUE;
	for (guint i = 0; i < deviations->deviations->len; i++) {
		const VarveDeviation *deviation = deviations->deviations->pdata[i];

		if (deviation->metadata && deviation->metadata->fixed_in &&
		    g_ptr_array_find_with_equal_func(deviation->components, effective->name,
						     g_str_equal, NULL))
			return TRUE;
	}
	return FALSE;
}

gboolean varve_deviations_render(VarveDeviations *deviations, const VarveUpstreamFinder *finder,
				 GError **error)
{
	g_autoptr(GHashTable) by_place =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < deviations->deviations->len; i++) {
		VarveDeviation *deviation = deviations->deviations->pdata[i];

		g_ptr_array_set_size(deviation->differences, 0);
		for (guint j = 0; j < deviation->overlays->len; j++) {
			const VarveSpecOverlay *overlay = deviation->overlays->pdata[j];

			g_hash_table_insert(by_place, place_of(&overlay->origin), deviation);
		}
	}
	for (guint i = 0; i < deviations->components->len; i++) {
		const VarveEffective *effective = deviations->components->pdata[i];

		if (is_needed(deviations, effective) &&
		    !render(deviations, effective, by_place, finder, error))
			return FALSE;
	}
	return TRUE;
}
