/* Release calculation over strings; who renders applies the result to the spec. */
#include "component/release.h"

#include "base/error.h"
#include "component/facts.h"

#include <string.h>

#define MACRO "autorelease"

gboolean varve_release_is_auto(const char *value)
{
	for (const char *at = strchr(value, '%'); at; at = strchr(at + 1, '%')) {
		gboolean braced = at[1] == '{';
		const char *word = at + 1 + braced;
		char after;

		if (braced && *word == '?')
			word++;
		if (!g_str_has_prefix(word, MACRO))
			continue;
		after = word[strlen(MACRO)];
		if (after == '\0' || g_ascii_isspace(after) || (braced && after == '}'))
			return TRUE;
	}
	return FALSE;
}

char *varve_release_raise(const char *value, guint64 by, GError **error)
{
	const char *rest = value + strspn(value, "0123456789");
	g_autofree char *digits = g_strndup(value, (gsize)(rest - value));
	guint64 number, raised;

	if (!g_ascii_string_to_unsigned(digits, 10, 0, G_MAXINT64, &number, NULL) ||
	    __builtin_add_overflow(number, by, &raised) || raised > G_MAXINT64 ||
	    (*rest && strcmp(rest, "%{?dist}") != 0 && strcmp(rest, "%{dist}") != 0)) {
		varve_fail(
			error, VARVE_ERROR_UNSUPPORTED,
			"Release '%s' is no number, alone or followed by %%{?dist}, and so cannot "
			"be raised",
			value);
		return NULL;
	}
	return g_strdup_printf("%" G_GUINT64_FORMAT "%s", raised, rest);
}

char *varve_release_find(const char *spec, GError **error)
{
	g_auto(GStrv) lines = g_strsplit(spec, "\n", -1);
	char *found = NULL;

	for (char **line = lines; *line && !varve_spec_starts_section(*line); line++) {
		const char *tag = *line + strspn(*line, " \t");
		const char *rest;

		if (g_ascii_strncasecmp(tag, "Release", 7) != 0)
			continue;
		rest = tag + 7 + strspn(tag + 7, " \t");
		if (*rest != ':')
			continue;
		g_free(found);
		found = g_strstrip(g_strdup(rest + 1));
	}
	if (!found)
		varve_fail(error, VARVE_ERROR_NOT_FOUND,
			   "the spec has no Release tag in its main package");
	return found;
}

gboolean varve_release_calculate(VarveReleaseCalculation calculation, const char *component,
				 const char *value, guint64 by, char **ret_value, GError **error)
{
	g_autoptr(GError) cause = NULL;
	char *raised;

	if (calculation == VARVE_RELEASE_MANUAL || calculation == VARVE_RELEASE_AUTORELEASE ||
	    (calculation == VARVE_RELEASE_AUTO && varve_release_is_auto(value))) {
		*ret_value = NULL;
		return TRUE;
	}
	if (varve_release_is_auto(value))
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "component '%s': release.calculation is \"static\", but its spec "
				  "says 'Release: %s'; set it to \"autorelease\"",
				  component, value);
	raised = varve_release_raise(value, by, &cause);
	if (!raised)
		return varve_fail(
			error, VARVE_ERROR_UNSUPPORTED,
			"component '%s': %s; set release.calculation = \"manual\", and the "
			"Release by an overlay of type spec-set-tag where it has to change",
			component, cause->message);
	*ret_value = raised;
	return TRUE;
}
