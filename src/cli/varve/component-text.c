/* How the verbs of components write what they are, for people. */
#include "cli/varve/component-text.h"

#include <string.h>

const char *varve_component_path(const VarveDefinition *definition, const char *path)
{
	gsize size = strlen(definition->directory);

	return strncmp(path, definition->directory, size) == 0 && path[size] == '/'
		       ? path + size + 1
		       : path;
}

char *varve_origin_place_text(const VarveOrigin *origin)
{
	if (origin->line == 0)
		return g_strdup("(default)");
	return g_strdup_printf("%s:%u", origin->file, origin->line);
}

char *varve_component_spec_text(const VarveDefinition *definition, const VarveEffective *effective)
{
	const VarveSpecSource *spec = &effective->component.spec;
	const VarveDistroReference *reference = &spec->upstream_distro;
	g_autoptr(GString) text = g_string_new(NULL);

	if (spec->type == VARVE_SPEC_LOCAL)
		return g_strdup_printf("local %s", varve_component_path(definition, spec->path));
	if (effective->distro)
		g_string_append_printf(text, "%s %s", effective->distro->name,
				       effective->version->name);
	else if (reference->name)
		g_string_append_printf(text, "%s%s%s", reference->name,
				       reference->version ? " " : "",
				       reference->version ? reference->version : "");
	else
		g_string_append(text, spec->type == VARVE_SPEC_UPSTREAM ? "upstream" : "-");
	if (spec->upstream_name)
		g_string_append_printf(text, " %s", spec->upstream_name);
	if (spec->upstream_commit)
		g_string_append_printf(text, " at %.12s", spec->upstream_commit);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void note(GString *text, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void note(GString *text, const char *format, ...)
{
	va_list args;

	if (text->len > 0)
		g_string_append(text, ", ");
	va_start(args, format);
	g_string_append_vprintf(text, format, args);
	va_end(args);
}

static void note_strings(GString *text, const char *what, const char *const *strings)
{
	g_autofree char *joined = g_strjoinv(" ", (char **)strings);

	if (*joined)
		note(text, "%s %s", what, joined);
}

static void note_number(GString *text, gsize n, const char *what)
{
	if (n > 0)
		note(text, "%zu %s%s", n, what, n == 1 ? "" : "s");
}

char *varve_component_notes(const VarveEffective *effective)
{
	static const char *const calculations[] = { "auto", "autorelease", "static", "manual" };
	const VarveComponent *component = &effective->component;
	const VarveComponentBuild *build = &component->build;
	GString *text = g_string_new(NULL);

	note_number(text, component->n_overlays, "overlay");
	note_strings(text, "with", build->with);
	note_strings(text, "without", build->without);
	note_number(text, build->n_defines, "define");
	note_strings(text, "undefines", build->undefines);
	note_number(text, component->n_source_files, "source file");
	if (build->check_skip)
		note(text, "check skipped");
	if (build->failure_expected)
		note(text, "expected to fail");
	if (component->has_release && component->release != VARVE_RELEASE_AUTO)
		note(text, "release %s", calculations[component->release]);
	if (component->skip_file_filter)
		note(text, "all files kept");
	return g_string_free(text, FALSE);
}
