/* Inside policy/: what the readers of the base's policy and of a node's own files share. */
#pragma once

#include "policy/policy.h"
#include "toml/toml.h"

/** Reads a document into a policy. Nothing is owned. */
typedef struct {
	const VarveToml *toml;
	VarvePolicy *policy;
	const char *origin; /* (nullable) of everything; NULL: "NAME:LINE" of each entry */
} VarvePolicyReader;

/** (caller frees) who says what stands at @span. */
char *varve_policy_reader_origin(const VarvePolicyReader *reader, VarveTomlSpan span);

/** A list that is there replaces the empty one; @field is never NULL afterwards. */
gboolean varve_policy_read_list(const VarveToml *toml, const VarveTomlValue *table, const char *key,
				gboolean required, char ***field, GError **error);

/** An optional list, appended to @into as VarveSaid *. */
gboolean varve_policy_read_said(const VarvePolicyReader *reader, const VarveTomlValue *table,
				const char *key, GPtrArray *into, GError **error);

/** One word of a fixed few (ended by NULL); @ret is its index, untouched where the key is not
 *  there. */
gboolean varve_policy_read_choice(const VarveToml *toml, const VarveTomlValue *table,
				  const char *key, const char *const *choices, guint *ret,
				  GError **error);

/** The table [rollback-floors]. */
gboolean varve_policy_read_floors(const VarvePolicyReader *reader, const VarveTomlValue *table,
				  GError **error);

/** The table [revoked]. */
gboolean varve_policy_read_revoked(const VarvePolicyReader *reader, const VarveTomlValue *table,
				   GError **error);

/** Whether @name can be a file in VARVE_CERTIFICATES_DIR; an error at @key of @table where not. */
gboolean varve_policy_check_certificate(const VarveToml *toml, const VarveTomlValue *table,
					const char *key, const char *name, GError **error);

/** (caller unrefs) an empty list that owns VarveTrusted *. */
GPtrArray *varve_trusted_list_new(void);
