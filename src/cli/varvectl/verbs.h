/* The verbs of varvectl, each in a file of its own; main.c has the table. */
#pragma once

#include "cli/verb.h"

extern const VarveVerb varve_verb_boot;
