/* Tags of a spec: found, added, changed, removed; patches, which are tags or lines of %patchlist.
 */
#include "base/error.h"
#include "component/pattern.h"
#include "component/spec-internal.h"

#include <string.h>

/* Goes through the tags of one package (NULL: of all), from the last to the first. */
typedef struct {
	VarveSpec *spec;
	const char *package;
	guint section, line; /* one past */
	SpecPiece tag, value;
} TagWalk;

static TagWalk walk_tags(VarveSpec *spec, const char *package)
{
	const GArray *sections = varve_spec_index(spec);

	return (TagWalk){ .spec = spec, .package = package, .section = sections->len };
}

/* @walk->line is the tag's. */
static gboolean next_tag(TagWalk *walk)
{
	const GArray *sections = walk->spec->sections;

	for (;;) {
		const SpecSection *section;

		if (walk->section < sections->len) {
			section = &g_array_index(sections, SpecSection, walk->section);
			while (walk->line > section->start) {
				const SpecLine *line = varve_spec_at(walk->spec, --walk->line);

				if (line->mark != SPEC_HEADER &&
				    varve_spec_parse_tag(line, &walk->tag, &walk->value))
					return TRUE;
			}
		}
		do {
			if (walk->section == 0)
				return FALSE;
			section = &g_array_index(sections, SpecSection, --walk->section);
		} while (section->kind != SECTION_PACKAGE ||
			 !varve_spec_is(section, NULL, walk->package));
		walk->line = section->end;
	}
}

char *varve_spec_tag(VarveSpec *spec, const char *package, const char *tag)
{
	TagWalk walk = walk_tags(spec, package);
	SpecPiece found = { NULL, 0 };

	while (next_tag(&walk))
		if (varve_spec_same(walk.tag, tag))
			found = walk.value;
	return found.text ? g_strndup(found.text, found.size) : NULL;
}

static char *tag_line(const char *tag, const char *value)
{
	return g_strdup_printf("%s: %s", tag, value ? value : "");
}

static const char *preamble_of(const char *package)
{
	return *package ? "%package" : "";
}

gboolean varve_spec_add_tag(VarveSpec *spec, const char *package, const char *tag,
			    const char *value, GError **error)
{
	g_autofree char *line = tag_line(tag, value);
	const char *const lines[] = { line, NULL };

	return varve_spec_append_to(spec, preamble_of(package), package, lines, error);
}

static gboolean no_tag(const char *package, const char *tag, const char *value, GError **error)
{
	const char *where = *package ? package : "the main package";

	if (value && *value)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "the spec has no tag '%s' with the value '%s' in %s", tag, value,
				  where);
	return varve_fail(error, VARVE_ERROR_NOT_FOUND, "the spec has no tag '%s' in %s", tag,
			  where);
}

/* Replaces or (@text is NULL) removes the tags that are meant. */
static gboolean change_tags(VarveSpec *spec, const char *package, const char *tag,
			    const char *value, const char *text, guint *ret_n, GError **error)
{
	g_autoptr(GArray) splices = g_array_new(FALSE, FALSE, sizeof(SpecSplice));
	g_autoptr(GArray) made = g_array_new(FALSE, FALSE, sizeof(SpecLine));
	TagWalk walk = walk_tags(spec, package);

	if (text && !varve_spec_make(spec, text, strlen(text), made, error))
		return FALSE;
	while (next_tag(&walk)) {
		SpecSplice splice = { walk.line, walk.line + 1, 0, made->len };

		if (varve_spec_same(walk.tag, tag) &&
		    (!value || !*value || varve_spec_same_folded(walk.value, value)))
			g_array_append_val(splices, splice);
	}
	*ret_n = splices->len;
	return splices->len == 0 || varve_spec_splice(spec, splices, made, error);
}

gboolean varve_spec_update_tag(VarveSpec *spec, const char *package, const char *tag,
			       const char *value, GError **error)
{
	g_autofree char *line = tag_line(tag, value);
	guint n;

	if (!change_tags(spec, package, tag, NULL, line, &n, error))
		return FALSE;
	return n > 0 || no_tag(package, tag, NULL, error);
}

gboolean varve_spec_set_tag(VarveSpec *spec, const char *package, const char *tag,
			    const char *value, GError **error)
{
	g_autofree char *line = tag_line(tag, value);
	guint n;

	if (!change_tags(spec, package, tag, NULL, line, &n, error))
		return FALSE;
	return n > 0 || varve_spec_add_tag(spec, package, tag, value, error);
}

gboolean varve_spec_remove_tag(VarveSpec *spec, const char *package, const char *tag,
			       const char *value, GError **error)
{
	guint n;

	if (!change_tags(spec, package, tag, value, NULL, &n, error))
		return FALSE;
	return n > 0 || no_tag(package, tag, value, error);
}

/* The name without the digits at its end, but not nothing. */
static SpecPiece family_of(SpecPiece tag)
{
	gsize size = tag.size;

	while (size > 0 && g_ascii_isdigit(tag.text[size - 1]))
		size--;
	return (SpecPiece){ tag.text, size > 0 ? size : tag.size };
}

/* The %endif below which nothing is conditional any more, within the section; else @line. */
static guint leave_conditional(const VarveSpec *spec, guint line, guint end)
{
	int depth = 0;

	for (guint i = 0; i < end; i++) {
		SpecMark mark = varve_spec_at(spec, i)->mark;

		depth += (mark == SPEC_IF) - (mark == SPEC_ENDIF);
		if (i >= line && depth <= 0)
			return i;
	}
	return line;
}

gboolean varve_spec_insert_tag(VarveSpec *spec, const char *package, const char *tag,
			       const char *value, GError **error)
{
	TagWalk walk = walk_tags(spec, package);
	SpecPiece piece = family_of((SpecPiece){ tag, strlen(tag) });
	g_autofree char *family = g_strndup(piece.text, piece.size);
	g_autofree char *text = tag_line(tag, value);
	guint end = 0, last = G_MAXUINT, line = G_MAXUINT;

	while (line == G_MAXUINT && next_tag(&walk)) {
		const SpecSection *section =
			&g_array_index(spec->sections, SpecSection, walk.section);

		if (!varve_spec_is(section, preamble_of(package), NULL))
			continue;
		if (last == G_MAXUINT)
			last = walk.line;
		if (varve_spec_same(family_of(walk.tag), family))
			line = walk.line;
	}
	if (line == G_MAXUINT)
		line = last;
	if (line == G_MAXUINT)
		return varve_spec_add_tag(spec, package, tag, value, error);
	for (guint i = 0; i < spec->sections->len; i++) {
		const SpecSection *section = &g_array_index(spec->sections, SpecSection, i);

		if (varve_spec_is(section, preamble_of(package), package))
			end = section->end;
	}
	line = leave_conditional(spec, line, end);
	return varve_spec_insert(spec, line + 1, (const char *const[]){ text, NULL }, error);
}

/* Patches */

static gboolean patch_number(SpecPiece tag, gint64 *ret)
{
	static const char word[] = "patch";
	g_autofree char *digits = NULL;
	const gsize n = sizeof(word) - 1;

	if (tag.size <= n || !varve_spec_same((SpecPiece){ tag.text, n }, word))
		return FALSE;
	digits = g_strndup(tag.text + n, tag.size - n);
	return g_ascii_string_to_signed(*digits == '+' && g_ascii_isdigit(digits[1]) ? digits + 1
										     : digits,
					10, G_MININT64, G_MAXINT64, ret, NULL);
}

gboolean varve_spec_patch_number(const char *tag, gint64 *ret)
{
	return patch_number((SpecPiece){ tag, strlen(tag) }, ret);
}

gint64 varve_spec_highest_patch(VarveSpec *spec)
{
	TagWalk walk = walk_tags(spec, NULL);
	gint64 highest = -1, plain = 0, number;

	while (next_tag(&walk)) {
		if (patch_number(walk.tag, &number))
			highest = MAX(highest, number);
		else if (varve_spec_same_folded(walk.tag, "patch"))
			plain++;
	}
	return MAX(highest, plain - 1);
}

gboolean varve_spec_add_patch(VarveSpec *spec, const char *package, const char *file,
			      GError **error)
{
	const char *const lines[] = { file, NULL };
	g_autofree char *tag = NULL;
	gint64 highest;

	if (varve_spec_has_section(spec, "%patchlist"))
		return varve_spec_append_to(spec, "%patchlist", "", lines, error);
	highest = varve_spec_highest_patch(spec);
	if (highest == G_MAXINT64)
		return varve_fail(error, VARVE_ERROR_CONFLICT,
				  "the spec has a tag Patch%" G_GINT64_FORMAT
				  ", after which there is no number",
				  highest);
	tag = g_strdup_printf("Patch%" G_GINT64_FORMAT, highest + 1);
	return varve_spec_add_tag(spec, package, tag, file, error);
}

static void find_listed(VarveSpec *spec, const VarvePattern *pattern, GArray *going)
{
	const GArray *sections = varve_spec_index(spec);

	for (guint i = 0; i < sections->len; i++) {
		const SpecSection *section = &g_array_index(sections, SpecSection, i);

		if (!varve_spec_is(section, "%patchlist", NULL))
			continue;
		for (guint j = section->start + 1; j < section->end; j++) {
			const SpecLine *line = varve_spec_at(spec, j);
			SpecPiece name = varve_spec_trim(line->text, line->size);
			g_autofree char *text = g_strndup(name.text, name.size);
			SpecSplice splice = { .start = j, .end = j + 1 };

			if (*text && varve_pattern_match_value(pattern, text))
				g_array_append_val(going, splice);
		}
	}
}

gboolean varve_spec_remove_patches(VarveSpec *spec, const char *pattern, GError **error)
{
	g_autoptr(VarvePattern) compiled = varve_pattern_new(pattern, error);
	g_autoptr(GArray) going = g_array_new(FALSE, FALSE, sizeof(SpecSplice));
	TagWalk walk = walk_tags(spec, NULL);

	if (!compiled)
		return FALSE;
	while (next_tag(&walk)) {
		g_autofree char *value = g_strndup(walk.value.text, walk.value.size);
		SpecSplice splice = { .start = walk.line, .end = walk.line + 1 };
		gint64 number;

		if (patch_number(walk.tag, &number) && varve_pattern_match_value(compiled, value))
			g_array_append_val(going, splice);
	}
	find_listed(spec, compiled, going);
	if (going->len == 0)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "no PatchN tag and no line of %%patchlist matches '%s'", pattern);
	return varve_spec_splice(spec, going, NULL, error);
}
