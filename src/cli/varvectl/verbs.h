/* The verbs of varvectl, each in a file of its own; main.c has the table. */
#pragma once

#include "cli/verb.h"

extern const VarveVerb varve_verb_boot;
extern const VarveVerb varve_verb_drift;
extern const VarveVerb varve_verb_floors;
extern const VarveVerb varve_verb_gc;
extern const VarveVerb varve_verb_good;
extern const VarveVerb varve_verb_history;
extern const VarveVerb varve_verb_log;
extern const VarveVerb varve_verb_merge;
extern const VarveVerb varve_verb_plan;
extern const VarveVerb varve_verb_policy;
extern const VarveVerb varve_verb_release;
extern const VarveVerb varve_verb_rollback;
extern const VarveVerb varve_verb_status;
extern const VarveVerb varve_verb_swap;
extern const VarveVerb varve_verb_unmerge;
extern const VarveVerb varve_verb_verify;
extern const VarveVerb varve_verb_who;
extern const VarveVerb varve_verb_why;
