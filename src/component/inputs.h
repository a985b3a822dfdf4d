/* All that goes into a component, named, so that two states of a definition can be compared and a
 * person told what differs; and a fingerprint of it. Descriptions, comments, the order of keys and
 * where the definition lies do not count. */
#pragma once

#include "component/components-lock.h"
#include "component/effective.h"

typedef struct {
	char *key;   /* "overlay", "define", "with", "source", "commit", … */
	char *name;  /* what of it: a file, a macro; of an overlay its number; "" */
	char *value; /* itself where it is short, else its SHA-256 */
	char *shown; /* for people: "overlay 3 (spec-add-tag, base/comps/…:12: why)" */
} VarveComponentInput;

/**
 * varve_component_inputs_new:
 * @record: (nullable) what the lock says of it: commit, spec, sources; where there is none these
 * are left out.
 *
 * Returns: (caller frees with g_ptr_array_unref) VarveComponentInput *, sorted by key, overlays in
 * order; or NULL: NOT_FOUND, SYSTEM (a file that an overlay names).
 */
GPtrArray *varve_component_inputs_new(const VarveDefinition *definition,
				      const VarveEffective *effective,
				      const VarveComponentRecord *record, GError **error);

/** varve_component_inputs_fingerprint: (caller frees) 64 hex digits. */
char *varve_component_inputs_fingerprint(const GPtrArray *inputs);

/**
 * varve_component_inputs_compare:
 * Why a component has to be built again, a sentence each: "overlay 3 (…) is new", "commit 12ab… →
 * 34cd…".
 *
 * Returns: (caller frees with g_ptr_array_unref) of char *; empty: nothing differs.
 */
GPtrArray *varve_component_inputs_compare(const GPtrArray *before, const GPtrArray *after);
