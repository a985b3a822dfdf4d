/* What a result was made from, as one digest: the key of every cache of a build. */
#pragma once

#include "crypt/sha256.h"

/** Collects labelled values; "a"+"bc" and "ab"+"c" differ. */
typedef struct VarveInputs VarveInputs;

/** @kind: what is made and by which version of the code ("root 1"). */
VarveInputs *varve_inputs_new(const char *kind);
void varve_inputs_free(VarveInputs *inputs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveInputs, varve_inputs_free)

void varve_inputs_add(VarveInputs *inputs, const char *label, const char *value); /* NULL is "" */
void varve_inputs_add_number(VarveInputs *inputs, const char *label, guint64 value);
void varve_inputs_add_strings(VarveInputs *inputs, const char *label, const char *const *values);
void varve_inputs_add_digest(VarveInputs *inputs, const char *label, const VarveDigest *value);
/** The bytes of a file of the host; @path itself does not count. */
gboolean varve_inputs_add_file(VarveInputs *inputs, const char *label, const char *path,
			       GError **error);

/** varve_inputs_key: (caller frees) 64 hex digits; the collecting can go on after it. */
char *varve_inputs_key(const VarveInputs *inputs);
