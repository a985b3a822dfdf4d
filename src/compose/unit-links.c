/* Enabling a unit inside a layer: systemd.unit(5), [INSTALL] SECTION OPTIONS. */
#include "compose/unit-links.h"

#include "base/error.h"
#include "base/file.h"

#include <string.h>
#include <sys/stat.h>

#define UNITS "usr/lib/systemd/system"
#define UNIT_LIMIT (1 << 20)

/* The values of @key in [Install], all lines and words. */
static void install_values(const char *text, const char *key, GPtrArray *values)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	gboolean install = FALSE;

	for (char **line = lines; *line; line++) {
		const char *equals;

		g_strstrip(*line);
		if (**line == '[')
			install = strcmp(*line, "[Install]") == 0;
		equals = strchr(*line, '=');
		if (!install || !equals || **line == '#' || **line == ';')
			continue;
		g_autofree char *name = g_strndup(*line, (gsize)(equals - *line));
		g_auto(GStrv) words = g_strsplit_set(equals + 1, " \t", -1);

		if (strcmp(g_strchomp(name), key) != 0)
			continue;
		for (char **word = words; *word; word++)
			if (**word)
				g_ptr_array_add(values, g_strdup(*word));
	}
}

static char *read_unit(VarveTree *tree, const char *unit, GError **error)
{
	g_autofree char *path = g_build_filename(UNITS, unit, NULL);
	VarveTreeFile *file = varve_tree_find(tree, path);
	char *text = NULL;

	if (!file || !S_ISREG(file->path.mode)) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "/%s", path);
		return NULL;
	}
	if (file->content)
		return g_strndup(g_bytes_get_data(file->content, NULL),
				 g_bytes_get_size(file->content));
	varve_file_read(AT_FDCWD, file->source, UNIT_LIMIT, &text, NULL, error);
	return text;
}

/* A unit that is a template is enabled as its DefaultInstance=. */
static char *instance_of(const char *unit, const char *text)
{
	g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
	const char *at = strchr(unit, '@');

	if (!at || at[1] != '.')
		return g_strdup(unit);
	install_values(text, "DefaultInstance", values);
	return g_strdup_printf("%.*s%s%s", (int)(at + 1 - unit), unit,
			       values->len ? (char *)g_ptr_array_index(values, 0) : "", at + 1);
}

static guint add_links(VarveTree *tree, const char *unit, const char *text)
{
	static const char *const kinds[][2] = { { "WantedBy", "wants" },
						{ "RequiredBy", "requires" },
						{ "UpheldBy", "upholds" } };
	g_autofree char *instance = instance_of(unit, text);
	g_autofree char *target = g_strconcat("../", unit, NULL);
	g_autoptr(GPtrArray) aliases = g_ptr_array_new_with_free_func(g_free);
	guint n = 0;

	for (gsize kind = 0; kind < G_N_ELEMENTS(kinds); kind++) {
		g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);

		install_values(text, kinds[kind][0], values);
		for (guint i = 0; i < values->len; i++, n++) {
			g_autofree char *path = g_strdup_printf(
				UNITS "/%s.%s/%s", (char *)g_ptr_array_index(values, i),
				kinds[kind][1], instance);

			varve_tree_add_link(tree, path, target);
		}
	}
	install_values(text, "Alias", aliases);
	for (guint i = 0; i < aliases->len; i++, n++) {
		g_autofree char *path =
			g_build_filename(UNITS, (char *)g_ptr_array_index(aliases, i), NULL);

		varve_tree_add_link(tree, path, unit);
	}
	return n;
}

gboolean varve_unit_links_add(VarveTree *tree, const VarveLayerDefinition *layer, const char *unit,
			      GError **error)
{
	g_autoptr(GPtrArray) also = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) read_error = NULL;
	g_autofree char *text = read_unit(tree, unit, &read_error);

	if (!text)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "layer '%s' enables '%s', but has no such unit: %s", layer->name,
				  unit, read_error->message);
	install_values(text, "Also", also);
	if (add_links(tree, unit, text) == 0 && also->len == 0)
		return varve_fail(
			error, VARVE_ERROR_CONFLICT,
			"layer '%s' enables '%s', which has no [Install] section: it is started "
			"by something else; take it out of 'enable'",
			layer->name, unit);
	/* Also= is one level: a unit may well name the one that names it. */
	for (guint i = 0; i < also->len; i++) {
		g_autofree char *other = read_unit(tree, g_ptr_array_index(also, i), NULL);

		if (other)
			add_links(tree, g_ptr_array_index(also, i), other);
	}
	return TRUE;
}
