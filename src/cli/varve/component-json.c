/* How the verbs of components write what they are, for programs. */
#include "cli/varve/component-text.h"

json_t *varve_origin_json(const VarveOrigin *origin)
{
	if (origin->line == 0)
		return json_null();
	return json_pack("{s:o, s:i}", "file", varve_json_text(origin->file), "line",
			 (int)origin->line);
}

static json_t *text_or_null(const char *text)
{
	return text ? varve_json_text(text) : json_null();
}

static json_t *urls_json(const VarveUrl *urls, gsize n)
{
	json_t *all = json_array();

	for (gsize i = 0; i < n; i++)
		json_array_append_new(all, varve_json_text(urls[i].url));
	return all;
}

json_t *varve_metadata_json(const VarveOverlayMetadata *metadata)
{
	if (metadata->origin.line == 0)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "category",
			 text_or_null(metadata->category), "upstreamStatus",
			 text_or_null(metadata->upstream_status), "reason",
			 text_or_null(metadata->reason), "until", text_or_null(metadata->until),
			 "fixedIn", text_or_null(metadata->fixed_in), "commits",
			 urls_json(metadata->commits, metadata->n_commits), "bugs",
			 urls_json(metadata->bugs, metadata->n_bugs));
}

static json_t *spec_json(const VarveDefinition *definition, const VarveEffective *effective)
{
	static const char *const types[] = { NULL, "local", "upstream" };
	const VarveSpecSource *spec = &effective->component.spec;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "type",
			 text_or_null(types[spec->type]), "path",
			 text_or_null(spec->type == VARVE_SPEC_LOCAL
					      ? varve_component_path(definition, spec->path)
					      : NULL),
			 "distro", text_or_null(effective->distro ? effective->distro->name : NULL),
			 "version",
			 text_or_null(effective->version ? effective->version->name : NULL),
			 "snapshot", text_or_null(effective->snapshot), "upstreamName",
			 text_or_null(spec->upstream_name), "upstreamCommit",
			 text_or_null(spec->upstream_commit), "lockedCommit",
			 text_or_null(effective->locked_commit));
}

static json_t *build_json(const VarveComponentBuild *build)
{
	json_t *defines = json_object();

	for (gsize i = 0; i < build->n_defines; i++)
		json_object_set_new(defines, build->defines[i].key,
				    varve_json_text(build->defines[i].value));
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:b, s:o, s:b, s:o, s:b, s:b}", "with",
		varve_json_strings(build->with), "without", varve_json_strings(build->without),
		"undefines", varve_json_strings(build->undefines), "defines", defines,
		"checkSkipped", build->check_skip, "checkSkipReason",
		text_or_null(build->check_skip ? build->check_skip_reason : NULL),
		"failureExpected", build->failure_expected, "failureReason",
		text_or_null(build->failure_expected ? build->failure_reason : NULL), "expensive",
		build->expensive, "emitUpstreamProvenance", build->emit_upstream_provenance);
}

static json_t *overlays_json(const VarveDefinition *definition, const VarveComponent *component)
{
	json_t *all = json_array();

	for (gsize i = 0; i < component->n_overlays; i++) {
		const VarveSpecOverlay *overlay = &component->overlays[i];
		json_t *one =
			json_pack("{s:s, s:o, s:o}", "type", varve_overlay_type_name(overlay->type),
				  "origin", varve_origin_json(&overlay->origin), "metadata",
				  varve_metadata_json(&overlay->metadata));
		const struct {
			const char *key, *text;
		} texts[] = {
			{ "description", overlay->description },
			{ "file", overlay->file },
			{ "archive", overlay->archive },
			{ "section", overlay->section },
			{ "package", overlay->package },
			{ "tag", overlay->tag },
			{ "value", overlay->value },
			{ "regex", overlay->regex },
			{ "replacement", overlay->replacement },
			{ "source", overlay->source
					    ? varve_component_path(definition, overlay->source)
					    : NULL },
		};

		for (gsize j = 0; j < G_N_ELEMENTS(texts); j++)
			if (texts[j].text)
				json_object_set_new(one, texts[j].key,
						    varve_json_text(texts[j].text));
		if (overlay->lines && overlay->lines[0])
			json_object_set_new(one, "lines", varve_json_strings(overlay->lines));
		json_array_append_new(all, one);
	}
	return all;
}

static json_t *source_files_json(const VarveComponent *component)
{
	static const char *const origins[] = { "download", "custom", "overlay" };
	json_t *all = json_array();

	for (gsize i = 0; i < component->n_source_files; i++) {
		const VarveSourceFile *file = &component->source_files[i];

		json_array_append_new(
			all,
			json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:b, s:o, s:o}",
				  "filename", text_or_null(file->filename), "hash",
				  text_or_null(file->hash), "hashType",
				  text_or_null(file->hash_type), "from", origins[file->from], "uri",
				  text_or_null(file->uri), "script", text_or_null(file->script),
				  "mockPackages", varve_json_strings(file->mock_packages), "inputs",
				  varve_json_strings(file->inputs), "replacesUpstream",
				  file->replace_upstream, "replaceReason",
				  text_or_null(file->replace_reason), "origin",
				  varve_origin_json(&file->origin)));
	}
	return all;
}

static json_t *publish_json(const VarveComponent *component)
{
	json_t *packages = json_object();

	for (gsize i = 0; i < component->n_packages; i++)
		json_object_set_new(
			packages, component->packages[i].name,
			json_pack("{s:o, s:o}", "rpmChannel",
				  text_or_null(component->packages[i].publish.rpm_channel),
				  "debuginfoChannel",
				  text_or_null(component->packages[i].publish.debuginfo_channel)));
	return json_pack("{s:o, s:o, s:o, s:o}", "rpmChannel",
			 text_or_null(component->publish.rpm_channel), "srpmChannel",
			 text_or_null(component->publish.srpm_channel), "debuginfoChannel",
			 text_or_null(component->publish.debuginfo_channel), "packages", packages);
}

json_t *varve_component_json(const VarveDefinition *definition, const VarveEffective *effective)
{
	static const char *const calculations[] = { "auto", "autorelease", "static", "manual" };
	const VarveComponent *component = &effective->component;
	json_t *groups = json_array(), *tests = json_array();

	for (gsize i = 0; i < effective->n_groups; i++)
		json_array_append_new(groups, varve_json_text(effective->groups[i]->name));
	for (gsize i = 0; i < component->n_tests; i++) {
		const VarveTestReference *test = &component->tests[i];

		json_array_append_new(tests, json_pack("{s:s}", test->name ? "name" : "group",
						       test->name ? test->name : test->group));
	}
	return json_pack("{s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:b, s:o, s:o}", "name",
			 effective->name, "origin", varve_origin_json(&component->origin), "spec",
			 spec_json(definition, effective), "groups", groups, "release",
			 calculations[component->release], "build", build_json(&component->build),
			 "overlays", overlays_json(definition, component), "sourceFiles",
			 source_files_json(component), "skipFileFilter",
			 component->skip_file_filter, "publish", publish_json(component), "tests",
			 tests);
}
