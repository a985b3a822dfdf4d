/* Inside policy/: what a rule is and what it sees. One rule, one stable reason code. */
#pragma once

#include "policy/policy.h"

/** Everything a rule may look at. All borrowed. */
typedef struct {
	const VarvePolicy *policy;
	const VarveFacts *base;
	const VarveFacts *layer;
	const GPtrArray *allows; /* VarveAllow *: the rules of the policy that apply to it */
	gint64 today;            /* days since the epoch; 0: not known */
	/* Only for rules that are about the stack: */
	GHashTable *owners; /* path → VarveFacts *, of the layers that were accepted below; where a
			     * patch overrides a file, the patch */
	GPtrArray *stack;   /* VarveFacts *: the base and all layers still accepted */
} VarveCase;

/** VarveCheck: NULL where the layer passes, else (caller frees) the sentence that says why not. */
typedef char *(*VarveCheck)(const VarveCase *c);

typedef enum {
	VARVE_STAGE_BEFORE,   /* found while the layer is opened; no check */
	VARVE_STAGE_SELF,     /* about the layer itself */
	VARVE_STAGE_PATCH,    /* about a patch and the layers that it overrides files of */
	VARVE_STAGE_CONFLICT, /* with those below */
	VARVE_STAGE_REQUIRE,  /* of those below and beside */
} VarveStage;

typedef struct {
	VarveReasonCode reason;
	VarveStage stage;
	VarveCheck check;
} VarveRule;

/** (static) all rules in the order in which they are asked; ends with a NULL code. */
const VarveRule *varve_policy_rules(void);

/** varve_policy_ask: (caller frees, nullable) the first refusal of the rules of @stage. */
VarveRefusal *varve_policy_ask(const VarveCase *c, VarveStage stage);

/** varve_facts_record: (borrowed strings) the same as varve_facts_find() with digest and package,
 *  as the layer's path table has them. */
gboolean varve_facts_record(const VarveFacts *facts, const char *path, VarvePath *ret_path);

/** varve_facts_find: (borrowed strings) looks @path up in the tree or, for a base, the path table.
 */
gboolean varve_facts_find(const VarveFacts *facts, const char *path, VarvePath *ret_path);

/** varve_globs_match: whether @path (relative) matches one of @globs (absolute). */
gboolean varve_globs_match(char *const *globs, const char *path);

/** varve_requires_missing: (caller frees) the first requirement of @layer that nothing in @stack
 *  provides, or NULL. What a patch in @stack replaces of the layers that it patches is not
 *  provided by them any more. */
char *varve_requires_missing(const VarveFacts *layer, const GPtrArray *stack);

/* units.c */
/** varve_units_meddle: whether @path says something of, or starts, a systemd unit that the layer
 *  does not bring itself. */
gboolean varve_units_meddle(const VarveCase *c, const VarvePath *path);
/* rules-identity.c */
char *varve_rule_role(const VarveCase *c);
char *varve_rule_revoked(const VarveCase *c);
char *varve_rule_denied_locally(const VarveCase *c);
char *varve_rule_key_scope(const VarveCase *c);
char *varve_rule_architecture(const VarveCase *c);
char *varve_rule_extension_release(const VarveCase *c);
char *varve_rule_misnamed(const VarveCase *c);
char *varve_rule_rollback(const VarveCase *c);
char *varve_rule_support_ended(const VarveCase *c);
/* rules-content.c */
char *varve_rule_path_outside_usr(const VarveCase *c);
char *varve_rule_device_node(const VarveCase *c);
char *varve_rule_overlay_attribute(const VarveCase *c);
char *varve_rule_setuid(const VarveCase *c);
char *varve_rule_file_capability(const VarveCase *c);
char *varve_rule_kernel_module(const VarveCase *c);
char *varve_rule_reserved_path(const VarveCase *c);
char *varve_rule_path_scope(const VarveCase *c);
char *varve_rule_unlabelled(const VarveCase *c);
char *varve_rule_wrong_label(const VarveCase *c);
/* rules-patch.c */
char *varve_rule_patch_scope(const VarveCase *c);
char *varve_rule_retired(const VarveCase *c);
char *varve_rule_patch_mismatch(const VarveCase *c);
/** varve_patch_bits: (caller frees, nullable) why a file would be setuid, or have capabilities,
 *  otherwise than the one that it replaces, or without replacing one. */
VarveRefusal *varve_patch_bits(const VarveCase *c);
/** varve_patch_package: (borrowed, nullable) which of the patch's packages brought @path. */
const VarveManifestPackage *varve_patch_package(const VarveFacts *patch, const char *path);
/* patches.c */
/**
 * varve_patches_decide:
 * Decides about @patches (VarveFacts *, lowest first) on top of @stack: the base and the extensions
 * that were accepted.
 *
 * @verdicts: (element-type VarveRefusal, nullable) as many, owned; those that are there stay, the
 * others are set where a patch is not merged.
 */
void varve_patches_decide(const VarveCase *common, const GPtrArray *stack, const GPtrArray *patches,
			  GPtrArray *verdicts);
/* rules-stack.c */
char *varve_rule_duplicate_layer(const VarveCase *c);
char *varve_rule_path_conflict(const VarveCase *c);
char *varve_rule_directory_mismatch(const VarveCase *c);
char *varve_rule_requires(const VarveCase *c);
