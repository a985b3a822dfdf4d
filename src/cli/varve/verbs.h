/* The verbs of varve, each in a file of its own; main.c has the table. */
#pragma once

#include "cli/verb.h"

extern const VarveVerb varve_verb_build;
extern const VarveVerb varve_verb_check;
extern const VarveVerb varve_verb_component_build;
extern const VarveVerb varve_verb_component_changed;
extern const VarveVerb varve_verb_component_diff;
extern const VarveVerb varve_verb_component_list;
extern const VarveVerb varve_verb_component_show;
extern const VarveVerb varve_verb_deviations;
extern const VarveVerb varve_verb_component_render;
extern const VarveVerb varve_verb_import;
extern const VarveVerb varve_verb_keys_add;
extern const VarveVerb varve_verb_keys_enroll;
extern const VarveVerb varve_verb_keys_init;
extern const VarveVerb varve_verb_layer_admit;
extern const VarveVerb varve_verb_layer_build;
extern const VarveVerb varve_verb_layer_patch;
extern const VarveVerb varve_verb_layer_seal;
extern const VarveVerb varve_verb_layer_verify;
extern const VarveVerb varve_verb_layer_show;
extern const VarveVerb varve_verb_layer_diff;
extern const VarveVerb varve_verb_repo_publish;
extern const VarveVerb varve_verb_image_build;
extern const VarveVerb varve_verb_image_export;
extern const VarveVerb varve_verb_run;
extern const VarveVerb varve_verb_sbom;
extern const VarveVerb varve_verb_why;
