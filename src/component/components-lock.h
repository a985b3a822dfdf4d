/* components.lock: what each component was made from, one fact a line. See
 * docs/components-sources.md. */
#pragma once

#include "component/sources-file.h"

#define VARVE_COMPONENTS_LOCK "components.lock"

/** Of one component. */
typedef struct {
	char *name;
	char *upstream;            /* (nullable) "fedora/43 curl" */
	char *pin;                 /* as varve_source_pin() has it */
	char *commit;              /* (nullable) of the upstream */
	char *spec;                /* SHA-256 of the upstream's spec */
	char *fingerprint;         /* of all inputs: component/inputs.h */
	VarveSourcesFile *sources; /* what `sources` says */
} VarveComponentRecord;

void varve_component_record_free(VarveComponentRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveComponentRecord, varve_component_record_free)

typedef struct VarveComponentsLock VarveComponentsLock;

/** varve_components_lock_open: a missing file is an empty lock. Errors: CORRUPT, with the line;
 *  UNSUPPORTED (another version of the format). */
VarveComponentsLock *varve_components_lock_open(const char *path, GError **error);
/** varve_components_lock_parse: @name for messages. */
VarveComponentsLock *varve_components_lock_parse(const char *text, gsize size, const char *name,
						 GError **error);
void varve_components_lock_free(VarveComponentsLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveComponentsLock, varve_components_lock_free)

/** varve_components_lock_find: (borrowed, nullable) */
const VarveComponentRecord *varve_components_lock_find(const VarveComponentsLock *lock,
						       const char *name);
/** varve_components_lock_set: takes @record, in the place of one of the same name. */
void varve_components_lock_set(VarveComponentsLock *lock, VarveComponentRecord *record);
/** varve_components_lock_keep: drops the records of all components but @names (NULL-ended). */
void varve_components_lock_keep(VarveComponentsLock *lock, const char *const *names);
/** varve_components_lock_names: (caller frees the array) sorted. */
GPtrArray *varve_components_lock_names(const VarveComponentsLock *lock);

/** varve_components_lock_print: (caller frees) the same records, the same bytes. */
char *varve_components_lock_print(const VarveComponentsLock *lock);
/** varve_components_lock_save: writes it where it differs from what is there. */
gboolean varve_components_lock_save(const VarveComponentsLock *lock, const char *path,
				    GError **error);

/** varve_components_lock_line: (caller frees) how a line of @name's fact @key begins:
 *  "\"curl\".commit = ". */
char *varve_components_lock_line(const char *name, const char *key);
