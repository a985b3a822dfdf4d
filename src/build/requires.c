/* Build requirements. */
#include "build/requires.h"

#include "base/error.h"

#include <string.h>

#define LINE_MAX_BYTES 1024

void varve_spec_facts_clear(VarveSpecFacts *facts)
{
	g_free(facts->name);
	g_free(facts->version);
	g_free(facts->release);
	g_strfreev(facts->requires);
	*facts = (VarveSpecFacts){ 0 };
}

static int compare_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Takes over @list of owned strings. */
static char **finish_list(GPtrArray *list)
{
	g_ptr_array_sort(list, compare_text);
	for (guint i = 1; i < list->len;) {
		if (strcmp(list->pdata[i - 1], list->pdata[i]) == 0)
			g_free(g_ptr_array_remove_index(list, i));
		else
			i++;
	}
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(list, FALSE);
}

static gboolean is_plain(const char *line)
{
	for (const char *p = line; *p; p++)
		if ((guchar)*p < 0x20 || *p == 0x7f)
			return FALSE;
	return strlen(line) <= LINE_MAX_BYTES && g_utf8_validate(line, -1, NULL);
}

static gboolean add_requirement(GPtrArray *list, const char *line, const char *where,
				GError **error)
{
	char *capability;

	if (!is_plain(line))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: a build requirement has control characters or is longer "
				  "than %d bytes",
				  where, LINE_MAX_BYTES);
	if (list->len >= VARVE_REQUIRES_MAX)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: more than %d build requirements",
				  where, VARVE_REQUIRES_MAX);
	capability = g_strstrip(g_strdup(line));
	if (*capability && !g_str_has_prefix(capability, "rpmlib(") &&
	    strcmp(capability, "(none)") != 0)
		g_ptr_array_add(list, capability);
	else
		g_free(capability);
	return TRUE;
}

char **varve_requires_parse(const char *text, const char *where, GError **error)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++)
		if (!add_requirement(list, *line, where, error))
			return NULL;
	g_ptr_array_set_free_func(list, NULL);
	return finish_list(g_steal_pointer(&list));
}

/* Of several packages that one spec makes, rpmspec is asked for the source package alone, so each
 * field but T and R comes once. */
static gboolean take_field(VarveSpecFacts *facts, GPtrArray *requires, const char *line,
			   const char *where, GError **error)
{
	char **const fields[] = { &facts->name, &facts->version, &facts->release };
	const char *letter = strchr("NVL", line[0]);
	gint64 time;

	if (letter && *letter && line[1] == ' ' && is_plain(line) && !*fields[letter - "NVL"]) {
		*fields[letter - "NVL"] = g_strdup(line + 2);
		return TRUE;
	}
	if (line[0] == 'T' && line[1] == ' ') {
		/* The newest comes first. */
		if (facts->changelog == 0 &&
		    g_ascii_string_to_signed(line + 2, 10, 1, G_MAXUINT32, &time, NULL))
			facts->changelog = time;
		return TRUE;
	}
	if (line[0] == 'R' && line[1] == ' ')
		return add_requirement(requires, line + 2, where, error);
	return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: rpmspec's answer has the line '%.80s'",
			  where, line);
}

gboolean varve_spec_facts_parse(const char *text, const char *where, VarveSpecFacts *ret_facts,
				GError **error)
{
	g_autoptr(GPtrArray) requires = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_auto(VarveSpecFacts) facts = { 0 };

	for (char **line = lines; *line; line++)
		if (**line && !take_field(&facts, requires, *line, where, error))
			return FALSE;
	if (!facts.name || !facts.version || !facts.release)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: rpmspec did not say name, version and release", where);
	g_ptr_array_set_free_func(requires, NULL);
	facts.requires = finish_list(g_steal_pointer(&requires));
	*ret_facts = facts;
	facts = (VarveSpecFacts){ 0 };
	return TRUE;
}

char **varve_requires_merge(const char *const *a, const char *const *b, gboolean *ret_more)
{
	GPtrArray *list = g_ptr_array_new();

	*ret_more = FALSE;
	for (const char *const *one = a; one && *one; one++)
		g_ptr_array_add(list, g_strdup(*one));
	for (const char *const *one = b; one && *one; one++) {
		if (!a || !g_strv_contains(a, *one))
			*ret_more = TRUE;
		g_ptr_array_add(list, g_strdup(*one));
	}
	return finish_list(list);
}

/* Debian Policy 5.6.1: lower case letters, digits and "+-.", two characters at least. */
char *varve_requires_debian_package(const char *capability)
{
	static const char others[] = "+-.";
	gsize n = 0;

	while (g_ascii_islower(capability[n]) || g_ascii_isdigit(capability[n]) ||
	       (n > 0 && capability[n] && strchr(others, capability[n])))
		n++;
	if (n < 2 || (capability[n] && capability[n] != ' '))
		return NULL;
	return g_strndup(capability, n);
}

char *varve_requires_file_package(const char *file)
{
	char *name = g_path_get_basename(file);

	for (int i = 0; i < 2; i++) {
		char *dash = strrchr(name, '-');

		if (dash)
			*dash = '\0';
	}
	return name;
}
