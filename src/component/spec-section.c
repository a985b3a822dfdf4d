/* The sections of a spec, and edits that are told by section: lines at its top and end, removal
 * that leaves every %if its %endif. */
#include "base/error.h"
#include "base/text.h"
#include "component/spec-internal.h"

#include <string.h>

const GArray *varve_spec_index(VarveSpec *spec)
{
	SpecSection section = { "", "", SECTION_PACKAGE, 0, 0 };

	if (spec->indexed)
		return spec->sections;
	g_array_set_size(spec->sections, 0);
	g_string_chunk_clear(spec->names);
	for (guint i = 0; i < spec->lines->len; i++) {
		const SpecLine *line = varve_spec_at(spec, i);

		if (line->mark != SPEC_HEADER)
			continue;
		section.end = i;
		g_array_append_val(spec->sections, section);
		varve_spec_header(spec, line, &section);
		section.start = i;
	}
	section.end = spec->lines->len;
	g_array_append_val(spec->sections, section);
	spec->indexed = TRUE;
	return spec->sections;
}

gboolean varve_spec_is(const SpecSection *section, const char *name, const char *package)
{
	return (!name || strcmp(section->name, name) == 0) &&
	       (!package || strcmp(section->package, package) == 0);
}

static gboolean has_any(const GArray *sections, const char *name, const char *package)
{
	for (guint i = 0; i < sections->len; i++)
		if (varve_spec_is(&g_array_index(sections, SpecSection, i), name, package))
			return TRUE;
	return FALSE;
}

gboolean varve_spec_has_section(VarveSpec *spec, const char *section)
{
	return has_any(varve_spec_index(spec), section, NULL);
}

/* "%files of the sub-package 'devel'" */
static char *section_text(const char *name, const char *package)
{
	const char *what = !name ? "section" : *name ? name : "preamble";

	if (!package || !*package)
		return g_strdup(what);
	return g_strdup_printf("%s of the sub-package '%s'", what, package);
}

gboolean varve_spec_no_section(VarveSpec *spec, const char *name, const char *package,
			       GError **error)
{
	const GArray *sections = varve_spec_index(spec);
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autoptr(GPtrArray) packages = g_ptr_array_new();
	g_autofree char *wanted = section_text(name, package);
	g_autofree char *hint = NULL;
	const char *nearest;

	for (guint i = 0; i < sections->len; i++) {
		const SpecSection *section = &g_array_index(sections, SpecSection, i);

		g_ptr_array_add(names, (gpointer)section->name);
		if (varve_spec_is(section, name, NULL) && *section->package)
			g_ptr_array_add(packages, (gpointer)section->package);
	}
	g_ptr_array_add(names, NULL);
	g_ptr_array_add(packages, NULL);
	if (name && !g_strv_contains((const char *const *)names->pdata, name)) {
		nearest = varve_nearest(name, (const char *const *)names->pdata);
		if (*name != '%')
			hint = g_strdup("; a section's name begins with '%'");
		else if (nearest && *nearest)
			hint = g_strdup_printf("; did you mean '%s'?", nearest);
	} else if (package && *package) {
		nearest = varve_nearest(package, (const char *const *)packages->pdata);
		if (nearest)
			hint = g_strdup_printf("; did you mean '%s'?", nearest);
	}
	return varve_fail(error, VARVE_ERROR_NOT_FOUND, "the spec has no %s%s", wanted,
			  hint ? hint : "");
}

/* @at_end: above the next header, else below the section's own. */
static gboolean put_lines(VarveSpec *spec, const char *name, const char *package,
			  const char *const *lines, gboolean at_end, GError **error)
{
	g_autoptr(GArray) splices = g_array_new(FALSE, FALSE, sizeof(SpecSplice));
	g_autoptr(GArray) made = g_array_new(FALSE, FALSE, sizeof(SpecLine));
	const GArray *sections = varve_spec_index(spec);

	for (; *lines; lines++)
		if (!varve_spec_make(spec, *lines, strlen(*lines), made, error))
			return FALSE;
	for (guint i = 0; i < sections->len; i++) {
		const SpecSection *section = &g_array_index(sections, SpecSection, i);
		guint place = at_end ? section->end : section->start + (*section->name ? 1 : 0);
		SpecSplice splice = { place, place, 0, made->len };

		if (varve_spec_is(section, name, package))
			g_array_append_val(splices, splice);
	}
	if (splices->len == 0)
		return varve_spec_no_section(spec, name, package, error);
	return varve_spec_splice(spec, splices, made, error);
}

gboolean varve_spec_prepend_to(VarveSpec *spec, const char *section, const char *package,
			       const char *const *lines, GError **error)
{
	return put_lines(spec, section, package, lines, FALSE, error);
}

gboolean varve_spec_append_to(VarveSpec *spec, const char *section, const char *package,
			      const char *const *lines, GError **error)
{
	return put_lines(spec, section, package, lines, TRUE, error);
}

/* Conditionals: of each line that is one, the line of its other half; of a branch, its %if. Those
 * in the body of a macro count as all others do: azldev tells none of them apart. */

static gboolean pair_conditionals(const VarveSpec *spec, guint *others, GError **error)
{
	g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(guint));

	for (guint i = 0; i < spec->lines->len; i++) {
		SpecMark mark = varve_spec_at(spec, i)->mark;

		others[i] = G_MAXUINT;
		if (mark == SPEC_IF) {
			g_array_append_val(open, i);
		} else if (mark == SPEC_BRANCH && open->len > 0) {
			others[i] = g_array_index(open, guint, open->len - 1);
		} else if (mark == SPEC_ENDIF) {
			if (open->len == 0)
				return varve_fail(error, VARVE_ERROR_CONFLICT,
						  "the spec's line %u is an %%endif without a %%if "
						  "(those in the body of a macro count)",
						  i + 1);
			others[i] = g_array_index(open, guint, open->len - 1);
			others[others[i]] = i;
			g_array_set_size(open, open->len - 1);
		}
	}
	if (open->len > 0)
		return varve_fail(error, VARVE_ERROR_CONFLICT,
				  "the spec's line %u is a %%if without an %%endif (those in the "
				  "body of a macro count)",
				  g_array_index(open, guint, 0) + 1);
	return TRUE;
}

static gboolean is_inside(const SpecSection *section, guint line)
{
	return line >= section->start && line < section->end;
}

/* Neither blank nor comment nor the border of a conditional. */
static gboolean is_content(const SpecLine *line)
{
	SpecPiece text = varve_spec_trim(line->text, line->size);

	return line->mark != SPEC_IF && line->mark != SPEC_ENDIF && text.size > 0 &&
	       *text.text != '#';
}

static gboolean reaches_out(const SpecSection *section, guint line, GError **error)
{
	g_autofree char *what = section_text(section->name, section->package);

	return varve_fail(error, VARVE_ERROR_CONFLICT,
			  "the conditional at the spec's line %u reaches over the border of %s "
			  "(lines %u to %u) and has content of both; part them with an overlay of "
			  "type spec-search-replace first",
			  line + 1, what, section->start + 1, section->end);
}

/* Where the part of the section ends that may go: from there on are only halves of conditionals
 * whose other halves are outside, and what is empty. */
static gboolean balance(const VarveSpec *spec, const guint *others, const SpecSection *section,
			guint *ret_end, GError **error)
{
	guint end = section->end;

	for (guint i = section->end; i > section->start; i--) {
		guint line = i - 1;
		SpecMark mark = varve_spec_at(spec, line)->mark;

		if ((mark == SPEC_IF || mark == SPEC_ENDIF) && others[line] != G_MAXUINT &&
		    !is_inside(section, others[line]))
			end = line;
		/* A branch of a conditional that stays would go. */
		if (mark == SPEC_BRANCH && others[line] != G_MAXUINT &&
		    (!is_inside(section, others[line]) ||
		     !is_inside(section, others[others[line]])))
			return reaches_out(section, line, error);
	}
	for (guint line = end; line < section->end; line++)
		if (is_content(varve_spec_at(spec, line)))
			return reaches_out(section, end, error);
	*ret_end = end;
	return TRUE;
}

gboolean varve_spec_remove(VarveSpec *spec, const char *section, const char *package,
			   GError **error)
{
	const GArray *sections = varve_spec_index(spec);
	g_autofree guint *others = g_new(guint, spec->lines->len + 1);
	g_autoptr(GArray) going = g_array_new(FALSE, FALSE, sizeof(SpecSplice));

	if (section ? !*section : !*package)
		return varve_fail(error, VARVE_ERROR_USAGE, "the %s cannot be removed; name a %s",
				  section ? "preamble" : "main package",
				  section ? "section" : "sub-package");
	if (!has_any(sections, section, package))
		return varve_spec_no_section(spec, section, package, error);
	if (!pair_conditionals(spec, others, error))
		return FALSE;
	for (guint i = 0; i < sections->len; i++) {
		const SpecSection *one = &g_array_index(sections, SpecSection, i);
		SpecSplice splice = { .start = one->start };

		if (!varve_spec_is(one, section, package))
			continue;
		if (!balance(spec, others, one, &splice.end, error))
			return FALSE;
		g_array_append_val(going, splice);
	}
	return varve_spec_splice(spec, going, NULL, error);
}
