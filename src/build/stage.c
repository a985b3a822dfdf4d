/* What a component is built from. */
#include "build/stage.h"

#include "base/error.h"
#include "base/file.h"
#include "build/generate.h"
#include "build/source-tree.h"
#include "component/source.h"
#include "compose/inputs.h"

#include <string.h>

#define SPEC_LIMIT ((gsize)16 << 20)

void varve_stage_clear(VarveStage *stage)
{
	g_free(stage->directory);
	g_free(stage->spec);
	varve_component_facts_free(stage->facts);
	g_free(stage->digest);
	*stage = (VarveStage){ 0 };
}

static gboolean pack_tree(const VarveBuildPlace *place, const VarveSourceFile *file,
			  const char *directory, GError **error)
{
	g_autofree char *path = g_build_filename(directory, file->filename, NULL);
	g_auto(GStrv) only = NULL;
	g_autofree char *tree = varve_source_tree(file, place->definition->directory, &only);

	return varve_source_tree_pack(tree, (const char *const *)only, path,
				      place->definition->os.released_time, error);
}

static gboolean make_files(const VarveBuildPlace *place, const VarveEffective *effective,
			   VarveStage *stage, VarveComponentRecord **ret_record, GError **error)
{
	const VarveComponent *component = &effective->component;
	g_autofree char *scratch = g_strconcat(stage->directory, ".generate", NULL);
	VarveGenerate generate = { place, scratch };
	VarvePrepare prepare = *place->prepare;
	gboolean prepared;

	prepare.sources.make = varve_build_generate;
	prepare.sources.make_data = &generate;
	prepared = varve_prepare(&prepare, effective->name, stage->directory, ret_record, error);
	if (!varve_dir_remove(AT_FDCWD, scratch, prepared ? error : NULL) || !prepared)
		return FALSE;
	stage->spec = g_strconcat(effective->name, ".spec", NULL);
	for (gsize i = 0; i < component->n_source_files; i++)
		if (varve_source_is_tree(&component->source_files[i]) &&
		    !pack_tree(place, &component->source_files[i], stage->directory, error))
			return FALSE;
	return TRUE;
}

/* Facts */

static void add_fact(VarveComponentFacts *facts, const char *type, const char *summary,
		     const VarveOverlayMetadata *metadata)
{
	g_autoptr(GPtrArray) links = g_ptr_array_new();
	VarveFactsOverlay fact = { .type = (char *)type,
				   .summary = (char *)summary,
				   .reason = (char *)metadata->reason,
				   .category = (char *)metadata->category,
				   .status = (char *)metadata->upstream_status };

	for (gsize i = 0; i < metadata->n_commits; i++)
		g_ptr_array_add(links, (gpointer)metadata->commits[i].url);
	for (gsize i = 0; i < metadata->n_bugs; i++)
		g_ptr_array_add(links, (gpointer)metadata->bugs[i].url);
	g_ptr_array_add(links, NULL);
	fact.links = (char **)links->pdata;
	varve_component_facts_add(facts, &fact);
}

static void add_build_fact(VarveComponentFacts *facts, const VarveComponentBuild *build)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (const char *const *name = build->with; name && *name; name++)
		g_string_append_printf(text, "with %s, ", *name);
	for (const char *const *name = build->without; name && *name; name++)
		g_string_append_printf(text, "without %s, ", *name);
	for (gsize i = 0; i < build->n_defines; i++)
		g_string_append_printf(text, "%s = %s, ", build->defines[i].key,
				       build->defines[i].value);
	for (const char *const *name = build->undefines; name && *name; name++)
		g_string_append_printf(text, "%s undefined, ", *name);
	if (text->len > 0) {
		g_string_truncate(text, text->len - strlen(", "));
		add_fact(facts, "build-options", text->str, &build->metadata);
	}
	if (build->check_skip)
		add_fact(facts, "check-skip",
			 build->check_skip_reason ? build->check_skip_reason : "",
			 &build->check_metadata);
}

static gboolean take_facts(const VarveEffective *effective, const VarveComponentRecord *record,
			   VarveStage *stage, GError **error)
{
	const VarveComponent *component = &effective->component;
	g_autofree char *path = g_build_filename(stage->directory, stage->spec, NULL);
	g_autofree char *text = NULL;
	size_t size = 0;

	if (!varve_file_read(AT_FDCWD, path, SPEC_LIMIT, &text, &size, error))
		return FALSE;
	stage->facts = varve_component_facts_new();
	g_free(stage->facts->name);
	g_free(stage->facts->upstream);
	stage->facts->name = g_strdup(component->name);
	stage->facts->upstream =
		record->commit ? g_strdup_printf("%s %s", record->upstream, record->commit)
			       : g_strdup("local");
	varve_sha256(text, size, &stage->facts->spec);
	for (gsize i = 0; i < component->n_overlays; i++) {
		const VarveSpecOverlay *overlay = &component->overlays[i];

		add_fact(stage->facts, varve_overlay_type_name(overlay->type),
			 overlay->description ? overlay->description : "", &overlay->metadata);
	}
	add_build_fact(stage->facts, &component->build);
	return TRUE;
}

/* Names and bytes of everything that is there. */
static gboolean take_digest(VarveStage *stage, GError **error)
{
	g_autoptr(VarveInputs) inputs = varve_inputs_new("stage 1");
	g_auto(GStrv) names = NULL;

	if (!varve_dir_list(AT_FDCWD, stage->directory, &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_build_filename(stage->directory, *name, NULL);

		if (!varve_inputs_add_file(inputs, *name, path, error))
			return FALSE;
	}
	stage->digest = varve_inputs_key(inputs);
	return TRUE;
}

gboolean varve_stage_make(const VarveBuildPlace *place, const VarveEffective *effective,
			  const char *directory, VarveStage *ret_stage, GError **error)
{
	g_auto(VarveStage) stage = { .directory = g_strdup(directory) };
	g_autoptr(VarveComponentRecord) record = NULL;

	if (!varve_dir_remove(AT_FDCWD, directory, error) ||
	    !varve_dir_make(directory, 0755, error) ||
	    !make_files(place, effective, &stage, &record, error) ||
	    !take_facts(effective, record, &stage, error) || !take_digest(&stage, error))
		return FALSE;
	*ret_stage = stage;
	stage = (VarveStage){ 0 };
	return TRUE;
}
