/* Regular expressions over the lines of a spec's sections. */
#include "base/error.h"
#include "component/spec-internal.h"

#include <string.h>

/* Replaces in the line; *@ret_changed whether it is another one now. */
static gboolean replace_line(const SpecLine *line, const VarveRegex *regex, const char *replacement,
			     GString *text, gboolean *ret_changed, GError **error)
{
	guint matches = 0;

	g_string_truncate(text, 0);
	if (!varve_regex_replace(regex, line->text, line->size, replacement, text, &matches, error))
		return FALSE;
	*ret_changed = matches > 0 &&
		       (text->len != line->size || memcmp(text->str, line->text, line->size) != 0);
	return TRUE;
}

static gboolean nothing_changed(VarveSpec *spec, const char *section, const char *package,
				guint looked_at, GError **error)
{
	g_autofree char *where = NULL;

	if (looked_at == 0 && (section || package))
		return varve_spec_no_section(spec, section, package, error);
	where = section && package ? g_strdup_printf("%s of '%s'", section, package)
		: section          ? g_strdup(section)
		: package          ? g_strdup_printf("the sections of '%s'", package)
				   : g_strdup("the spec");
	return varve_fail(error, VARVE_ERROR_NOT_FOUND,
			  "the regular expression changes none of the %u lines of %s", looked_at,
			  where);
}

gboolean varve_spec_replace(VarveSpec *spec, const char *section, const char *package,
			    const VarveRegex *regex, const char *replacement, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GArray) splices = g_array_new(FALSE, FALSE, sizeof(SpecSplice));
	g_autoptr(GArray) made = g_array_new(FALSE, FALSE, sizeof(SpecLine));
	/* Not the index: what a replacement makes a header counts from the next line on. */
	SpecSection current = { "", "", SECTION_PACKAGE, 0, 0 };
	guint looked_at = 0;

	section = section && *section ? section : NULL;
	package = package && *package ? package : NULL;
	for (guint i = 0; i < spec->lines->len; i++) {
		const SpecLine *line = varve_spec_at(spec, i);
		SpecSplice splice = { i, i + 1, made->len, 0 };
		SpecLine first;
		gboolean changed;

		if (line->mark == SPEC_HEADER)
			varve_spec_header(spec, line, &current);
		if (line->mark == SPEC_HEADER || !varve_spec_is(&current, section, package))
			continue;
		looked_at++;
		if (!replace_line(line, regex, replacement, text, &changed, error))
			return FALSE;
		if (!changed)
			continue;
		first = (SpecLine){ text->str, (guint32)text->len,
				    varve_spec_mark(text->str, text->len) };
		if (first.mark == SPEC_HEADER)
			varve_spec_header(spec, &first, &current);
		if (!varve_spec_make(spec, text->str, text->len, made, error))
			return FALSE;
		splice.to = made->len;
		g_array_append_val(splices, splice);
	}
	if (splices->len == 0)
		return nothing_changed(spec, section, package, looked_at, error);
	return varve_spec_splice(spec, splices, made, error);
}
