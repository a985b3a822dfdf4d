/* RPM macros, expanded as far as that is safe: no shell, no Lua, no file is read and nothing of the
 * machine's own macros is known. What cannot be known becomes VARVE_MACRO_UNKNOWN. For questions
 * that are asked of specs nobody vouches for; what builds is rpm's, in its sandbox. */
#pragma once

#include <glib.h>

/** Stands in an expansion for text that is not known. */
#define VARVE_MACRO_UNKNOWN '\001'

typedef struct VarveMacros VarveMacros;

VarveMacros *varve_macros_new(void);
void varve_macros_free(VarveMacros *macros);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveMacros, varve_macros_free)

/** varve_macros_define: @value is expanded where it is used. */
void varve_macros_define(VarveMacros *macros, const char *name, const char *value);
void varve_macros_undefine(VarveMacros *macros, const char *name);
gboolean varve_macros_defined(const VarveMacros *macros, const char *name);

/**
 * varve_macros_doubt:
 * From here on the value of @name is not known: a branch that may or may not be taken sets it.
 * Only expansions with @doubtful see that.
 */
void varve_macros_doubt(VarveMacros *macros, const char *name);

/**
 * varve_macros_expand:
 * Expands @text; %global, %define, %undefine, %bcond… in it take effect. Work and size are bounded:
 * beyond it the rest is unknown.
 *
 * @doubtful: macros in doubt are unknown, not what they were last.
 * @ret_environment: (nullable) whether the result hangs on macros that are not defined here, but
 * may be where the spec is built.
 *
 * Returns: (caller frees)
 */
char *varve_macros_expand(VarveMacros *macros, const char *text, gboolean doubtful,
			  gboolean *ret_environment);

typedef enum { VARVE_TRUTH_NO, VARVE_TRUTH_YES, VARVE_TRUTH_UNKNOWN } VarveTruth;

/** varve_expression_truth: of an expression as %if takes it, macros expanded. */
VarveTruth varve_expression_truth(const char *text);
/** varve_expression_value: (caller frees, nullable) its value as %[ ] gives it; NULL: unknown. */
char *varve_expression_value(const char *text);
