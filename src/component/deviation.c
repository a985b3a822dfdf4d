/* Collecting the deviations of a definition: each table that applies to components is asked what it
 * changes, so that what a group does to two hundred components is one deviation, not two hundred.
 */
#include "component/deviation-internal.h"

#include "base/error.h"

#include <string.h>

static void difference_free(gpointer data)
{
	VarveDifference *difference = data;

	g_free(difference->text);
	g_free(difference->missing);
	g_free(difference->version);
	g_free(difference);
}

static void deviation_free(gpointer data)
{
	VarveDeviation *deviation = data;

	g_ptr_array_unref(deviation->components);
	g_ptr_array_unref(deviation->overlays);
	g_ptr_array_unref(deviation->differences);
	g_free(deviation->title);
	g_free(deviation->reason);
	g_free(deviation->since);
	g_free(deviation->commit);
	g_free(deviation);
}

void varve_deviations_free(VarveDeviations *deviations)
{
	if (!deviations)
		return;
	g_ptr_array_unref(deviations->deviations);
	g_ptr_array_unref(deviations->components);
	g_free(deviations);
}

/* One table that declares */

typedef struct {
	VarveDeviations *into;
	VarveDeviationScope scope;
	const char *level, *declarer;
	GPtrArray *members; /* const char * */
} Declarer;

static const VarveOverlayMetadata *metadata_for(const Declarer *declarer,
						const VarveOverlayMetadata *own)
{
	if (own && own->origin.line)
		return own;
	if (declarer->scope.group && declarer->scope.group->metadata.origin.line)
		return &declarer->scope.group->metadata;
	return NULL;
}

static VarveDeviation *add(const Declarer *declarer, VarveDeviationKind kind, VarveOrigin origin,
			   const VarveOverlayMetadata *metadata)
{
	VarveDeviation *deviation = g_new0(VarveDeviation, 1);

	deviation->kind = kind;
	deviation->level = declarer->level;
	deviation->declarer = declarer->declarer;
	deviation->components = g_ptr_array_ref(declarer->members);
	deviation->origin = origin;
	deviation->metadata = metadata_for(declarer, metadata);
	deviation->overlays = g_ptr_array_new();
	deviation->differences = g_ptr_array_new_with_free_func(difference_free);
	g_ptr_array_add(declarer->into->deviations, deviation);
	return deviation;
}

/* Overlays */

static gboolean same_urls(const VarveUrl *a, gsize n_a, const VarveUrl *b, gsize n_b)
{
	if (n_a != n_b)
		return FALSE;
	for (gsize i = 0; i < n_a; i++)
		if (g_strcmp0(a[i].url, b[i].url) != 0)
			return FALSE;
	return TRUE;
}

/* One file's, or metadata that say the same of something particular: a category alone does not make
 * two changes one. */
static gboolean same_change(const VarveOverlayMetadata *a, const VarveOverlayMetadata *b)
{
	if (!a->origin.line || !b->origin.line)
		return FALSE;
	if (a->origin.line == b->origin.line && strcmp(a->origin.file, b->origin.file) == 0)
		return TRUE;
	if (a->n_commits + a->n_bugs == 0 && !a->reason)
		return FALSE;
	return g_strcmp0(a->category, b->category) == 0 &&
	       g_strcmp0(a->upstream_status, b->upstream_status) == 0 &&
	       g_strcmp0(a->reason, b->reason) == 0 && g_strcmp0(a->until, b->until) == 0 &&
	       g_strcmp0(a->fixed_in, b->fixed_in) == 0 &&
	       same_urls(a->commits, a->n_commits, b->commits, b->n_commits) &&
	       same_urls(a->bugs, a->n_bugs, b->bugs, b->n_bugs);
}

static VarveDeviation *change_of(const Declarer *declarer, guint first,
				 const VarveSpecOverlay *overlay)
{
	const GPtrArray *all = declarer->into->deviations;

	for (guint i = first; i < all->len; i++) {
		VarveDeviation *deviation = all->pdata[i];
		const VarveSpecOverlay *other = deviation->overlays->pdata[0];

		if (same_change(&other->metadata, &overlay->metadata))
			return deviation;
	}
	return add(declarer, VARVE_DEVIATION_OVERLAYS, overlay->origin, &overlay->metadata);
}

static char *descriptions_of(const VarveDeviation *deviation)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new();

	for (guint i = 0; i < deviation->overlays->len; i++) {
		const VarveSpecOverlay *overlay = deviation->overlays->pdata[i];

		if (overlay->description && *overlay->description &&
		    !g_ptr_array_find_with_equal_func(texts, overlay->description, g_str_equal,
						      NULL))
			g_ptr_array_add(texts, (gpointer)overlay->description);
	}
	g_ptr_array_add(texts, NULL);
	return g_strjoinv("; ", (char **)texts->pdata);
}

static void finish_change(const Declarer *declarer, VarveDeviation *deviation)
{
	const VarveSpecOverlay *first = deviation->overlays->pdata[0];
	g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(VarveOrigin));
	g_autofree char *descriptions = descriptions_of(deviation);
	g_autofree char *summary = varve_overlay_summary(first);
	guint n = deviation->overlays->len;

	for (guint i = 0; i < n; i++)
		g_array_append_val(lines,
				   ((VarveSpecOverlay *)deviation->overlays->pdata[i])->origin);
	if (first->metadata.origin.line)
		g_array_append_val(lines, first->metadata.origin);
	if (n == 1)
		deviation->title = g_steal_pointer(&summary);
	else
		deviation->title = g_strdup_printf("%s and %u more overlay%s", summary, n - 1,
						   n == 2 ? "" : "s");
	varve_deviation_set_reason(deviation, &declarer->scope, descriptions, lines);
}

static void add_overlays(const Declarer *declarer)
{
	const VarveComponent *table = declarer->scope.table;
	guint first = declarer->into->deviations->len;

	for (gsize i = 0; i < table->n_overlays; i++)
		g_ptr_array_add(change_of(declarer, first, &table->overlays[i])->overlays,
				(gpointer)&table->overlays[i]);
	for (guint i = first; i < declarer->into->deviations->len; i++)
		finish_change(declarer, declarer->into->deviations->pdata[i]);
}

/* Build settings */

/* One of with, without, undefines, defines: all its values are one deviation. */
static void add_setting(const Declarer *declarer, const GPtrArray *values, const char *key,
			const char *title)
{
	g_autofree char *full = g_strconcat("build.", key, NULL);
	g_autofree char *prefix = g_strconcat(full, ".", NULL);
	g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(VarveOrigin));
	const VarveComponentBuild *build = &declarer->scope.table->build;
	VarveDeviation *deviation;

	if (!*title)
		return;
	for (guint i = 0; i < values->len; i++) {
		const VarveComponentValue *value = values->pdata[i];

		if (strcmp(value->key, full) != 0 && !g_str_has_prefix(value->key, prefix))
			continue;
		g_array_append_val(lines, value->key_origin);
		g_array_append_val(lines, value->origin);
	}
	deviation = add(declarer, VARVE_DEVIATION_BUILD,
			lines->len ? g_array_index(lines, VarveOrigin, 0) : build->origin,
			&build->metadata);
	g_array_append_val(lines, build->origin);
	deviation->title = g_strdup_printf("%s %s", key, title);
	varve_deviation_set_reason(deviation, &declarer->scope, NULL, lines);
}

static void add_build(const Declarer *declarer)
{
	const VarveComponent *table = declarer->scope.table;
	const VarveComponentBuild *build = &table->build;
	g_autoptr(GPtrArray) values = NULL;
	g_autoptr(GString) defines = g_string_new(NULL);
	const struct {
		const char *key;
		const char *const *strings;
	} settings[] = { { "with", build->with },
			 { "without", build->without },
			 { "undefines", build->undefines } };

	if (!build->origin.line)
		return;
	values = varve_component_values(declarer->into->definition, table);
	for (gsize i = 0; i < G_N_ELEMENTS(settings); i++) {
		g_autofree char *text = g_strjoinv(" ", (char **)settings[i].strings);

		add_setting(declarer, values, settings[i].key, text);
	}
	for (gsize i = 0; i < build->n_defines; i++)
		g_string_append_printf(defines, "%s%s = %s", i ? ", " : "", build->defines[i].key,
				       build->defines[i].value);
	add_setting(declarer, values, "defines", defines->str);
}

static void add_check(const Declarer *declarer)
{
	const VarveComponentBuild *build = &declarer->scope.table->build;
	g_autoptr(GPtrArray) values = NULL;
	VarveOrigin origin = build->origin;
	VarveDeviation *deviation;

	if (!build->check_skip)
		return;
	values = varve_component_values(declarer->into->definition, declarer->scope.table);
	for (guint i = 0; i < values->len; i++) {
		const VarveComponentValue *value = values->pdata[i];

		if (strcmp(value->key, "build.check.skip") == 0)
			origin = value->origin;
	}
	deviation = add(declarer, VARVE_DEVIATION_CHECK, origin, &build->check_metadata);
	deviation->title = g_strdup("%check is skipped");
	varve_deviation_set_reason(deviation, &declarer->scope, build->check_skip_reason, NULL);
}

/* Sources and specs */

static void add_source_files(const Declarer *declarer)
{
	const VarveComponent *table = declarer->scope.table;

	for (gsize i = 0; i < table->n_source_files; i++) {
		const VarveSourceFile *file = &table->source_files[i];
		VarveDeviation *deviation =
			add(declarer, VARVE_DEVIATION_SOURCE, file->origin, &file->metadata);

		if (file->replace_upstream)
			deviation->title =
				g_strdup_printf("%s in the place of upstream's", file->filename);
		else
			deviation->title =
				g_strdup_printf("%s, which upstream has not", file->filename);
		varve_deviation_set_reason(deviation, &declarer->scope, file->replace_reason, NULL);
	}
}

static void add_spec(const Declarer *declarer, const VarveEffective *effective)
{
	const VarveSpecSource *spec = &effective->component.spec;
	gboolean found = effective->component.found_spec != NULL;
	VarveDeviation *deviation;
	const char *path = spec->path;
	gsize size = strlen(declarer->into->definition->directory);
	Declarer of = *declarer;

	if (spec->type != VARVE_SPEC_LOCAL)
		return;
	if (found)
		of.scope.group = effective->component.found_by;
	if (strncmp(path, declarer->into->definition->directory, size) == 0 && path[size] == '/')
		path += size + 1;
	deviation = add(&of, VARVE_DEVIATION_SPEC, spec->origin, &spec->metadata);
	deviation->title = g_strdup_printf("a spec of our own, %s", path);
	varve_deviation_set_reason(deviation, &of.scope, NULL, NULL);
}

/* What the component's own table says of its upstream, against what it inherits. */
static char *pinned_to(const Declarer *declarer, const VarveEffective *effective)
{
	const VarveSpecSource *own = &declarer->scope.table->spec;
	const VarveComponents *components = declarer->into->definition->components;
	const VarveDistroReference *ours = &components->default_distro;
	const VarveDistro *distro = NULL;
	const VarveDistroVersion *version = NULL;
	const VarveDistroReference *inherited;

	if (own->upstream_commit && *own->upstream_commit)
		return g_strdup_printf("upstream's commit %.12s", own->upstream_commit);
	if (ours->origin.line)
		distro = varve_distro_find(components, ours->name, NULL);
	if (distro)
		version = varve_distro_version(distro, ours->version, NULL);
	if (!version || !effective->version)
		return NULL;
	inherited = &version->defaults.spec.upstream_distro;
	distro = inherited->name ? varve_distro_find(components, inherited->name, NULL) : NULL;
	if (!distro ||
	    (distro == effective->distro &&
	     varve_distro_version(distro, inherited->version, NULL) == effective->version))
		return NULL;
	return g_strdup_printf("the spec of %s %s", effective->distro->name,
			       effective->version->name);
}

static void add_pin(const Declarer *declarer, const VarveEffective *effective)
{
	const VarveSpecSource *own = &declarer->scope.table->spec;
	g_autofree char *title = NULL;
	VarveDeviation *deviation;

	if (!own->origin.line || effective->component.spec.type != VARVE_SPEC_UPSTREAM)
		return;
	title = pinned_to(declarer, effective);
	if (!title)
		return;
	deviation = add(declarer, VARVE_DEVIATION_PIN, own->origin, &own->metadata);
	deviation->title = g_steal_pointer(&title);
	varve_deviation_set_reason(deviation, &declarer->scope, NULL, NULL);
}

/* Levels */

static void add_table(const Declarer *declarer)
{
	add_overlays(declarer);
	add_build(declarer);
	add_check(declarer);
	add_source_files(declarer);
}

static gboolean is_member(const VarveEffective *effective, const VarveComponentGroup *group)
{
	for (gsize i = 0; i < effective->n_groups; i++)
		if (effective->groups[i] == group)
			return TRUE;
	return FALSE;
}

/* @group: (nullable) NULL: all. */
static GPtrArray *list_members(const GPtrArray *components, const VarveComponentGroup *group)
{
	GPtrArray *members = g_ptr_array_new();

	for (guint i = 0; i < components->len; i++) {
		const VarveEffective *effective = components->pdata[i];

		if (!group || is_member(effective, group))
			g_ptr_array_add(members, (gpointer)effective->name);
	}
	return members;
}

static void add_level(VarveDeviations *into, const VarveComponent *table,
		      const VarveComponentGroup *group, const char *level, const char *name)
{
	g_autoptr(GPtrArray) members = list_members(into->components, group);
	Declarer declarer = { into, { into->definition, table, group }, level, name, members };

	if (members->len > 0)
		add_table(&declarer);
}

static int by_name(const void *a, const void *b)
{
	const VarveComponentGroup *left = *(const VarveComponentGroup *const *)a;
	const VarveComponentGroup *right = *(const VarveComponentGroup *const *)b;

	return strcmp(left->name, right->name);
}

static void add_groups(VarveDeviations *into)
{
	const VarveComponents *components = into->definition->components;
	g_autofree const VarveComponentGroup **groups =
		g_new0(const VarveComponentGroup *, components->n_groups + 1);

	for (gsize i = 0; i < components->n_groups; i++)
		groups[i] = &components->groups[i];
	qsort(groups, components->n_groups, sizeof(*groups), by_name);
	for (gsize i = 0; i < components->n_groups; i++)
		add_level(into, &groups[i]->defaults, groups[i], "group", groups[i]->name);
}

static void add_defaults(VarveDeviations *into)
{
	const VarveComponents *components = into->definition->components;
	const VarveDistroReference *reference = &components->default_distro;
	const VarveDistro *distro = NULL;
	const VarveDistroVersion *version = NULL;

	if (reference->origin.line)
		distro = varve_distro_find(components, reference->name, NULL);
	if (distro)
		version = varve_distro_version(distro, reference->version, NULL);
	if (version)
		add_level(into, &version->defaults, NULL, "distro", distro->name);
	add_level(into, &components->defaults, NULL, "project", "");
}

static void add_component(VarveDeviations *into, const VarveEffective *effective)
{
	g_autoptr(GPtrArray) members = g_ptr_array_new();
	const VarveComponent *table =
		varve_components_find(into->definition->components, effective->name, NULL);
	Declarer declarer = {
		into, { into->definition, table, NULL }, "component", effective->name, members
	};

	g_ptr_array_add(members, (gpointer)effective->name);
	add_spec(&declarer, effective);
	add_pin(&declarer, effective);
	add_table(&declarer);
}

VarveDeviations *varve_deviations_collect(const VarveDefinition *definition, GPtrArray *components)
{
	VarveDeviations *deviations = g_new0(VarveDeviations, 1);

	deviations->definition = definition;
	deviations->components = components;
	deviations->deviations = g_ptr_array_new_with_free_func(deviation_free);
	add_defaults(deviations);
	add_groups(deviations);
	for (guint i = 0; i < components->len; i++)
		add_component(deviations, components->pdata[i]);
	return deviations;
}
