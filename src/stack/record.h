/* What a node remembers of what was good on it (docs/formats.md, the record of floors): the highest
 * rollback index of each layer, and every revocation that was ever in force. It only grows. */
#pragma once

#include "base/json.h"
#include "format/manifest.h"
#include "policy/policy.h"

#define VARVE_ORIGIN_RECORD "the record of what was good on this node"
#define VARVE_RECORD_NUMBER_MAX G_GINT64_CONSTANT(1000000000000000)

/** Somebody who said that a record is to be taken although it was not the anchored one. */
typedef struct {
	gint64 when; /* seconds since the epoch */
	char *by;
	char *why;
} VarveAcceptance;

typedef struct {
	gint64 number;      /* of this version of the record, from 1; 0: never written */
	gboolean anchored;  /* it was written together with an anchor in a TPM */
	GHashTable *floors; /* layer name → guint64 * */
	/* Sets of 64 lowercase hex digits: as in VarvePolicy. */
	GHashTable *certificates, *keys, *layers;
	GPtrArray *accepted; /* VarveAcceptance *, oldest first */
} VarveRecord;

VarveRecord *varve_record_new(void);
VarveRecord *varve_record_copy(const VarveRecord *record);
void varve_record_free(VarveRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveRecord, varve_record_free)

/** varve_record_floor: the higher one of @index and the floor that is there. Returns: whether that
 *  changed anything. */
gboolean varve_record_floor(VarveRecord *record, const char *layer, guint64 index);

/** varve_record_raise: adds floors and revocations of @by; number, anchored and accepted stay.
 *  Returns: whether that changed anything. */
gboolean varve_record_raise(VarveRecord *record, const VarveRecord *by);

/** varve_record_accepted: appends; only the newest hundred are kept. */
void varve_record_accepted(VarveRecord *record, gint64 when, const char *by, const char *why);

/** varve_record_revocations: adds all that @policy has revoked, and the keys of those revoked
 *  certificates that it has. */
void varve_record_revocations(VarveRecord *record, const VarvePolicy *policy);

/** varve_record_policy: what @record says as a policy, for varve_policy_tighten(). */
VarvePolicy *varve_record_policy(const VarveRecord *record);

/** varve_record_parse: hostile bytes in. @name for messages. Errors: CORRUPT. */
VarveRecord *varve_record_parse(const char *text, gsize size, const char *name, GError **error);
/** varve_record_write: (caller frees) canonical JSON. Errors: UNSUPPORTED (it would be larger than
 *  what is read). */
char *varve_record_write(const VarveRecord *record, GError **error);

/* Its two parts, for other documents: {"floors": …, "revoked": …}. */
void varve_record_to_json(const VarveRecord *record, json_t *object);
gboolean varve_record_from_json(VarveRecord *record, const json_t *object, const char *name,
				GError **error);
