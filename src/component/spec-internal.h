/* What the files of the spec model share. */
#pragma once

#include "component/spec.h"

/** What a line does to the structure, whatever section it is in. */
typedef enum {
	SPEC_TEXT,
	SPEC_HEADER, /* begins a section */
	SPEC_IF,
	SPEC_BRANCH, /* %else, %elif… */
	SPEC_ENDIF,
} SpecMark;

typedef struct {
	const char *text; /* @size bytes; owned by the spec */
	guint32 size;
	SpecMark mark;
} SpecLine;

typedef enum {
	SECTION_PACKAGE, /* has tags */
	SECTION_OTHER,
	SECTION_LIST, /* has no package: %changelog, %patchlist, %sourcelist */
} SectionKind;

typedef struct {
	const char *name; /* as it is spelled; "": the preamble */
	const char *package;
	SectionKind kind;
	guint start, end; /* lines; @start is the header but for the preamble */
} SpecSection;

struct VarveSpec {
	char *name;
	GArray *lines;    /* SpecLine */
	GPtrArray *texts; /* GBytes *, behind the lines; shared with copies */
	GArray *sections; /* SpecSection; of the lines as they were when @indexed was set */
	GStringChunk *names;
	gboolean indexed;
	gboolean edited; /* since it was read or settled */
};

/* spec-line.c: single lines. */

/** A piece of a text. */
typedef struct {
	const char *text;
	gsize size;
} SpecPiece;

/** varve_spec_mark: what the line is. */
SpecMark varve_spec_mark(const char *text, gsize size);
/** varve_spec_header: of a header line: its section's name, package and kind. */
void varve_spec_header(VarveSpec *spec, const SpecLine *line, SpecSection *ret);
/** varve_spec_parse_tag: whether the line, in a section that has tags, is one. */
gboolean varve_spec_parse_tag(const SpecLine *line, SpecPiece *ret_tag, SpecPiece *ret_value);
/** varve_spec_trim: without blanks (Unicode's) at both ends. */
SpecPiece varve_spec_trim(const char *text, gsize size);
/** varve_spec_same: equal in lower case, letter by letter. */
gboolean varve_spec_same(SpecPiece piece, const char *text);
/** varve_spec_same_folded: equal by Unicode's simple folding, in which more letters are. */
gboolean varve_spec_same_folded(SpecPiece piece, const char *text);

/* spec.c: the lines. */

static inline SpecLine *varve_spec_at(const VarveSpec *spec, guint line)
{
	return &g_array_index(spec->lines, SpecLine, line);
}

/** Lines from @start to before @end go, which may be none; of the lines that were made, those from
 *  @from to before @to come in their place. */
typedef struct {
	guint start, end, from, to;
} SpecSplice;

/** varve_spec_make: appends @text's lines to @made (element-type SpecLine). Errors: CORRUPT. */
gboolean varve_spec_make(VarveSpec *spec, const char *text, gsize size, GArray *made,
			 GError **error);
/**
 * varve_spec_splice:
 * Makes all edits at once, in time linear in the spec: it may have a million places.
 *
 * @splices: (element-type SpecSplice) of the lines as they are now, none with another's; are
 * sorted.
 *
 * Errors: CORRUPT (too many lines; the spec is as it was).
 */
gboolean varve_spec_splice(VarveSpec *spec, GArray *splices, const GArray *made, GError **error);
/** varve_spec_insert: the lines of all @texts before @line. Errors: CORRUPT. */
gboolean varve_spec_insert(VarveSpec *spec, guint line, const char *const *texts, GError **error);

/* spec-section.c */

/** varve_spec_index: (borrowed, element-type SpecSection) in order; good until the next edit. */
const GArray *varve_spec_index(VarveSpec *spec);
/** varve_spec_is: whether the section has this name (NULL: any) and package (NULL: any). */
gboolean varve_spec_is(const SpecSection *section, const char *name, const char *package);
/** varve_spec_no_section: sets NOT_FOUND with what there is. Returns: FALSE. */
gboolean varve_spec_no_section(VarveSpec *spec, const char *name, const char *package,
			       GError **error);
