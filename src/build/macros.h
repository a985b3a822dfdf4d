/* The macros that every build of ours sees after rpm's own: where things are, how they are
 * compiled, and what makes two builds the same bytes. */
#pragma once

#include "build/root.h"

/**
 * varve_build_macros:
 * @facts: what becomes every package's DISTURL (format/component-facts.h).
 *
 * Returns: (caller frees) the text of a macros file. It does not depend on the machine. What the
 * component itself sets is in a macros file of its own, which its spec loads (component/render.h).
 */
char *varve_build_macros(const VarveBuildPlace *place, const char *facts);
