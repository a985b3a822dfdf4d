/* What is generated from the verbs' tables: the manual page and the shell's completion. Hidden
 * options of both programs, run by the build. */
#pragma once

#include "cli/verb.h"

/** Prints the manual page in man(7)'s macros. */
void varve_generate_manual(const char *program, const char *about, const VarveVerb *const *verbs,
			   int section);

/** Prints a completion script for bash: verbs, their second words, their long options, files. */
void varve_generate_completion(const char *program, const VarveVerb *const *verbs);
