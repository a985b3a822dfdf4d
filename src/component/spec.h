/* The text of an RPM spec file as lines, sections, tags and conditionals, for edits that leave
 * every other byte alone. Nothing is evaluated: macros stay text, and both branches of a %if are
 * there. What a line is follows azldev, so that the same spec overlays give the same spec. */
#pragma once

#include "definition/regex.h"

/* The longest line, without its line feed. */
#define VARVE_SPEC_LINE_MAX 65535

typedef struct VarveSpec VarveSpec;

/**
 * varve_spec_parse:
 * Reads a spec from memory. Any bytes are a spec; a line ends at a line feed, with which goes one
 * carriage return before it. Any other carriage return is a part of its line.
 *
 * @name: of the file, for messages.
 *
 * Errors: CORRUPT (a line longer than VARVE_SPEC_LINE_MAX).
 */
VarveSpec *varve_spec_parse(const char *name, const char *data, gsize size, GError **error);
/** varve_spec_copy: (transfer full) the same text, to go back to; for the same thread. */
VarveSpec *varve_spec_copy(const VarveSpec *spec);
void varve_spec_free(VarveSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveSpec, varve_spec_free)

/** varve_spec_print: (transfer full) all lines, each with a line feed: what was read but for the
 *  carriage returns at the ends of lines, and a final line feed where it was missing. */
GString *varve_spec_print(const VarveSpec *spec);
/** varve_spec_settle: makes of a spec that was edited what printing and reading it would: each line
 *  loses one carriage return at its end. */
void varve_spec_settle(VarveSpec *spec);
/** varve_spec_lines: how many there are. */
guint varve_spec_lines(const VarveSpec *spec);
/** varve_spec_line: (borrowed until the next edit) without its line feed. */
const char *varve_spec_line(const VarveSpec *spec, guint line, gsize *ret_size);

/* Sections. A section is a line with a section's name and what follows up to the next such line;
 * the preamble, of the name "", comes before the first. @package is the sub-package as the header
 * spells it: "devel" of `%files devel`, "other" of `%files -n other`, "" of the main package. Names
 * are compared as they are spelled. Where several sections have one name and package, as in two
 * branches of a %if, each is meant. */

/** varve_spec_package_of: (caller frees) the sub-package that a header names; its tokens, of which
 *  the first is the section. */
char *varve_spec_package_of(const char *const *tokens);
/** varve_spec_has_section: of any package. */
gboolean varve_spec_has_section(VarveSpec *spec, const char *section);

/* Edits. Texts may have several lines; one that is too long is CORRUPT. After an error a spec may
 * be changed in part: varve_spec_copy() before the edit keeps what it was. */

/** varve_spec_prepend: at the top of the file. */
gboolean varve_spec_prepend(VarveSpec *spec, const char *const *lines, GError **error);
/** varve_spec_append: at the end of the file. */
gboolean varve_spec_append(VarveSpec *spec, const char *const *lines, GError **error);

/**
 * varve_spec_prepend_to:
 * Puts @lines below the header of a section.
 *
 * Errors: NOT_FOUND (no such section; the nearest is named).
 */
gboolean varve_spec_prepend_to(VarveSpec *spec, const char *section, const char *package,
			       const char *const *lines, GError **error);
/** varve_spec_append_to: the same above the next section's header, or at the end of the file. */
gboolean varve_spec_append_to(VarveSpec *spec, const char *section, const char *package,
			      const char *const *lines, GError **error);

/**
 * varve_spec_remove:
 * Removes sections, header and body. A %if or %endif at their end that belongs to another section
 * stays, so that conditionals keep their balance.
 *
 * @section: (nullable) NULL: every section of @package.
 *
 * Errors: NOT_FOUND; CONFLICT (a conditional that cannot be kept apart reaches into another
 * section, or a %if or %endif is alone); USAGE (the preamble, or every section of the main
 * package).
 */
gboolean varve_spec_remove(VarveSpec *spec, const char *section, const char *package,
			   GError **error);

/* Tags: "NAME: VALUE" in the preamble and in %package. Names are compared without case. */

/** varve_spec_tag: (caller frees, nullable) the value of the first such tag. */
char *varve_spec_tag(VarveSpec *spec, const char *package, const char *tag);

/** varve_spec_add_tag: at the end of the package's preamble. Errors: NOT_FOUND (no such package).
 */
gboolean varve_spec_add_tag(VarveSpec *spec, const char *package, const char *tag,
			    const char *value, GError **error);
/**
 * varve_spec_insert_tag:
 * Adds a tag below the last one of its family (the name without its number), else below the last
 * tag, else as varve_spec_add_tag(). Inside of a conditional it goes below its %endif.
 *
 * Errors: NOT_FOUND (no such package).
 */
gboolean varve_spec_insert_tag(VarveSpec *spec, const char *package, const char *tag,
			       const char *value, GError **error);
/** varve_spec_update_tag: every such tag becomes "@tag: @value". Errors: NOT_FOUND. */
gboolean varve_spec_update_tag(VarveSpec *spec, const char *package, const char *tag,
			       const char *value, GError **error);
/** varve_spec_set_tag: updates, or adds where there is none. */
gboolean varve_spec_set_tag(VarveSpec *spec, const char *package, const char *tag,
			    const char *value, GError **error);
/** varve_spec_remove_tag: every such tag; @value: (nullable) only with it, without case.
 *  Errors: NOT_FOUND. */
gboolean varve_spec_remove_tag(VarveSpec *spec, const char *package, const char *tag,
			       const char *value, GError **error);

/* Patches: PatchN tags of all packages, and the lines of %patchlist. */

/** varve_spec_patch_number: whether @tag is "PatchN" (without case), and N. */
gboolean varve_spec_patch_number(const char *tag, gint64 *ret);
/** varve_spec_highest_patch: the highest N; plain "Patch" tags count from 0; -1: there are none. */
gint64 varve_spec_highest_patch(VarveSpec *spec);
/** varve_spec_add_patch: to %patchlist where there is one, else as the next PatchN of @package.
 *  Errors: NOT_FOUND (no such package), CONFLICT (no number is left). */
gboolean varve_spec_add_patch(VarveSpec *spec, const char *package, const char *file,
			      GError **error);
/** varve_spec_remove_patches: those whose name matches @pattern (component/pattern.h).
 *  Errors: NOT_FOUND, USAGE (the pattern is wrong). */
gboolean varve_spec_remove_patches(VarveSpec *spec, const char *pattern, GError **error);

/**
 * varve_spec_replace:
 * Replaces each match of @regex in the lines of sections, headers left out. A line that becomes a
 * header begins its section at once; a line feed in @replacement makes lines for later edits only.
 *
 * @section, @package: (nullable) NULL or "": any.
 *
 * Errors: NOT_FOUND (nothing changed), UNSUPPORTED (too much work).
 */
gboolean varve_spec_replace(VarveSpec *spec, const char *section, const char *package,
			    const VarveRegex *regex, const char *replacement, GError **error);
