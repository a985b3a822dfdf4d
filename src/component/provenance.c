/* Version and release as they are upstream. */
#include "component/provenance.h"

#include "component/autospec.h"
#include "component/release.h"
#include "component/spec.h"

#include <string.h>

#define VERSION_MACRO "fedora_upstream_version"
#define RELEASE_MACRO "fedora_upstream_release"

static void clear_setting(gpointer data)
{
	VarveSetting *setting = data;

	g_free((char *)setting->key);
	g_free((char *)setting->value);
}

static void add(GArray *defines, const char *key, const char *value)
{
	VarveSetting setting = { .key = g_strdup(key), .value = g_strdup(value) };

	g_array_append_val(defines, setting);
}

static void add_absent(GArray *defines, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	for (guint i = 0; i < defines->len; i++)
		if (strcmp(g_array_index(defines, VarveSetting, i).key, key) == 0)
			return;
	add(defines, key, value);
}

/* (caller frees, nullable) ".fc43"; NULL: it is not a numbered Fedora. */
static char *dist_of(const VarveSource *source)
{
	const VarveEffective *effective = source->effective;
	const char *release = effective->version ? effective->version->release_ver : NULL;

	if (!source->git || !effective->distro || !release || !*release ||
	    g_ascii_strcasecmp(effective->distro->name, "fedora") != 0 ||
	    release[strspn(release, "0123456789")] != '\0')
		return NULL;
	return g_strconcat(".fc", release, NULL);
}

/* (caller frees) */
static char *replace(const char *text, const char *what, const char *with)
{
	g_auto(GStrv) parts = g_strsplit(text, what, -1);

	return g_strjoinv(with, parts);
}

static gboolean work_out(const VarveSource *source, const char *dist, char **ret, GError **error)
{
	VarveAutospecHistory history = { .git = source->git,
					 .commit = source->commit,
					 .spec_name = source->spec_name,
					 .spec = source->spec };
	g_auto(VarveAutospec) result = { 0 };

	if (!varve_git_deepen(source->git, source->commit,
			      source->effective->version->dist_git_branch, error) ||
	    !varve_autospec_work_out(&history, &result, error)) {
		g_prefix_error(error, "component '%s': its release upstream: ", source->name);
		return FALSE;
	}
	*ret = g_strdup_printf("%" G_GUINT64_FORMAT "%s", result.number, dist);
	return TRUE;
}

static gboolean add_upstream(const VarveSource *source, GArray *defines, GError **error)
{
	g_autofree char *dist = dist_of(source), *version = NULL, *tag = NULL, *release = NULL;
	g_autoptr(VarveSpec) spec = NULL;

	if (!dist)
		return TRUE;
	spec = varve_spec_parse(source->spec_name, source->spec, source->spec_size, error);
	if (!spec)
		return FALSE;
	version = varve_spec_tag(spec, "", "Version");
	tag = varve_spec_tag(spec, "", "Release");
	if (tag && varve_release_is_auto(tag)) {
		if (!work_out(source, dist, &release, error))
			return FALSE;
	} else if (tag) {
		g_autofree char *optional = replace(tag, "%{?dist}", dist);

		release = replace(optional, "%{dist}", dist);
	}
	add_absent(defines, VERSION_MACRO, version);
	add_absent(defines, RELEASE_MACRO, release);
	return TRUE;
}

GArray *varve_provenance_defines(const VarveSource *source, GError **error)
{
	const VarveComponentBuild *build = &source->effective->component.build;
	g_autoptr(GArray) defines = g_array_new(FALSE, TRUE, sizeof(VarveSetting));

	g_array_set_clear_func(defines, clear_setting);
	for (gsize i = 0; i < build->n_defines; i++)
		add(defines, build->defines[i].key, build->defines[i].value);
	if (build->emit_upstream_provenance && !add_upstream(source, defines, error))
		return NULL;
	return g_steal_pointer(&defines);
}
