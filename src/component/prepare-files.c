/* Which files of a rendered component stay: those that its spec refers to. */
#include "component/facts.h"
#include "component/prepare.h"

#include "base/error.h"
#include "base/file.h"

#include <string.h>
#include <sys/stat.h>

#define DEPTH_LIMIT 32

typedef struct {
	const VarveSpecFacts *facts;
	const char *const *keep;
} Filter;

static void clear_macro(gpointer data)
{
	VarveSetting *setting = data;

	g_free((char *)setting->key);
	g_free((char *)setting->value);
}

static void add_macro(GArray *macros, char *key, const char *value)
{
	VarveSetting setting = { .key = key, .value = g_strdup(value) };

	g_array_append_val(macros, setting);
}

GArray *varve_prepare_macros(const VarveComponentBuild *build)
{
	GArray *macros = g_array_new(FALSE, TRUE, sizeof(VarveSetting));

	g_array_set_clear_func(macros, clear_macro);
	for (const char *const *name = build->with; name && *name; name++)
		add_macro(macros, g_strconcat("_with_", *name, NULL), "1");
	for (const char *const *name = build->without; name && *name; name++)
		add_macro(macros, g_strconcat("_without_", *name, NULL), "1");
	for (gsize i = 0; i < build->n_defines; i++) {
		const VarveSetting *define = &build->defines[i];

		if (!build->undefines || !g_strv_contains(build->undefines, define->key))
			add_macro(macros, g_strdup(define->key), define->value);
	}
	return macros;
}

static gboolean stays(const Filter *filter, const char *path)
{
	return g_strv_contains(filter->keep, path) || varve_spec_facts_refers(filter->facts, path);
}

/* @ret_empty: whether nothing is left in it. */
static gboolean filter_directory(const Filter *filter, int directory, const char *prefix,
				 guint depth, gboolean *ret_empty, GError **error)
{
	g_auto(GStrv) names = NULL;

	*ret_empty = TRUE;
	if (depth > DEPTH_LIMIT)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED, "%s: too many directories deep",
				  prefix);
	if (!varve_dir_list(directory, ".", &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_strconcat(prefix, *name, NULL);
		g_autofree char *below = g_strconcat(path, "/", NULL);
		gboolean empty = !stays(filter, path);
		struct stat st;

		if (fstatat(directory, *name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return varve_fail_errno(error, errno, "%s", path);
		if (empty && S_ISDIR(st.st_mode)) {
			varve_autofd inner = varve_dir_open_beneath(directory, *name, error);

			if (inner < 0 ||
			    !filter_directory(filter, inner, below, depth + 1, &empty, error))
				return FALSE;
		}
		if (empty && !varve_dir_remove(directory, *name, error))
			return FALSE;
		*ret_empty = *ret_empty && empty;
	}
	return TRUE;
}

gboolean varve_prepare_keep(int directory, const char *spec, const GArray *macros,
			    const char *const *keep, GError **error)
{
	g_autoptr(VarveSpecFacts) facts = varve_spec_facts(
		spec, (const VarveSetting *)(const void *)macros->data, macros->len);
	Filter filter = { .facts = facts, .keep = keep };
	gboolean empty;

	return filter_directory(&filter, directory, "", 0, &empty, error);
}
