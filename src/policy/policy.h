/* Trust and rules (design.md §5): which key may sign which layer, and what a layer may bring. The
 * policy and its certificates are read only from the base's own mount; default deny; a node may
 * tighten it (tighten.h). Rules look at the tree that was found, never at what the manifest says of
 * it. */
#pragma once

#include "base/error.h"
#include "crypt/signature.h"
#include "device/labels.h"
#include "format/manifest.h"
#include "format/path-table.h"

#define VARVE_POLICY_FILE "usr/lib/varve/policy.toml"
#define VARVE_CERTIFICATES_DIR "usr/lib/verity.d"

/** A certificate with the file name that the policy calls it by. */
typedef struct {
	char *name; /* "layers.crt" */
	VarveCertificate *certificate;
} VarveTrusted;

typedef struct {
	char *certificate; /* file name in VARVE_CERTIFICATES_DIR */
	char **layers;     /* globs over layer names */
	guint roles;       /* bits 1 << VARVE_ROLE_… */
	char **paths;      /* globs over absolute paths; directories above a match are implied */
	char **selinux_types;
	char **setuid;       /* globs: files that may be setuid or setgid */
	char **capabilities; /* globs: paths that may carry security.capability */
	char **reserved;     /* globs: reserved paths that this key may bring all the same */
	char **patches;      /* globs over names of layers whose files its patches may override */
	gboolean kernel_modules;
} VarveAllow;

typedef enum {
	VARVE_CHECK_FIRST,  /* a layer's bytes are hashed whole when this node first meets them */
	VARVE_CHECK_ALWAYS, /* at every boot */
	VARVE_CHECK_NEVER,  /* left to dm-verity, block by block as they are read */
} VarveCheckWhen;

#define VARVE_ORIGIN_BASE "the base"

/** One entry of a list, and who said it: VARVE_ORIGIN_BASE, "/etc/varve/policy.d/site.toml:3". */
typedef struct {
	char *value;
	char *origin;
} VarveSaid;

/** The lowest rollback index of a layer that is accepted, and who said so. */
typedef struct {
	guint64 index;
	char *origin;
} VarveFloor;

/** A node's own refusal (tighten.h). Both conditions must be met; one of them is there. */
typedef struct {
	char **layers;     /* globs over layer names; empty: any */
	char *certificate; /* (nullable) file name in VARVE_CERTIFICATES_DIR; NULL: any */
	char *reason;
	char *origin;
} VarveDeny;

typedef struct {
	GPtrArray *trusted;         /* VarveTrusted *, by name */
	GPtrArray *allows;          /* VarveAllow *, in the order of the file */
	GPtrArray *denies;          /* VarveDeny * */
	GPtrArray *required_layers; /* VarveSaid *: without them the node is not compliant */
	GPtrArray *reserved;        /* VarveSaid *: globs added to the built-in reserved paths */
	VarveCheckWhen check;
	char *check_origin;
	gboolean refuse_ended; /* support-end: "refuse" (else "warn") */
	char *ended_origin;
	GHashTable *floors; /* layer name → VarveFloor * */
	/* 64 lowercase hex digits → origin. Keys by SHA-256 of their SubjectPublicKeyInfo: so a
	 * node remembers those that were revoked with a certificate that a base may not have. */
	GHashTable *revoked_certificates; /* by fingerprint */
	GHashTable *revoked_keys;
	GHashTable *revoked_layers; /* by root hash */
} VarvePolicy;

/**
 * varve_policy_load:
 * Reads VARVE_POLICY_FILE and the certificates below @base_fd (the base's own root). An unknown
 * key, a rule that names a missing certificate, or no file at all is an error: the caller then
 * refuses every extension and says so.
 *
 * Errors: NOT_FOUND, DEFINITION (with file, line and column), CORRUPT (certificate).
 */
VarvePolicy *varve_policy_load(int base_fd, GError **error);
/** varve_policy_parse: the rules alone, from memory; @name for messages; no certificates. */
VarvePolicy *varve_policy_parse(const char *text, gsize size, const char *name, GError **error);
void varve_policy_free(VarvePolicy *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarvePolicy, varve_policy_free)

/** varve_policy_new: one that says nothing at all: what it is merged with stays as it is. */
VarvePolicy *varve_policy_new(void);
/** varve_policy_floor: the higher one of @index and the floor that is there holds. */
void varve_policy_floor(VarvePolicy *policy, const char *layer, guint64 index, const char *origin);
/** varve_policy_revoke: adds @hex to @revoked, one of the policy's three; the first origin stays.
 */
void varve_policy_revoke(GHashTable *revoked, const char *hex, const char *origin);
/**
 * varve_policy_tighten:
 * Adds all that @by says and that makes @policy stricter: revocations, denials, higher floors,
 * required layers, reserved paths, a stricter check or support-end. Its allows and certificates are
 * not looked at: nothing becomes looser.
 */
void varve_policy_tighten(VarvePolicy *policy, const VarvePolicy *by);

/** varve_support_ended: whether @support_end (YYYY-MM-DD, or "" for none) is before the day @today
 *  (days since the epoch; 0: not known). What is no date has ended. */
gboolean varve_support_ended(const char *support_end, gint64 today);

/** (caller frees with g_ptr_array_unref) the VarveCertificate * of all trusted ones, borrowed, as
 *  varve_signature_verify() takes them. */
GPtrArray *varve_policy_certificates(const VarvePolicy *policy);
/** (borrowed, nullable) the one that @certificate is. */
const VarveTrusted *varve_policy_trusted(const VarvePolicy *policy,
					 const VarveCertificate *certificate);

/**
 * varve_certificates_load:
 * All *.crt and *.pem files below @dirfd/VARVE_CERTIFICATES_DIR, sorted by name.
 *
 * Returns: (caller frees with g_ptr_array_unref) VarveTrusted *.
 */
GPtrArray *varve_certificates_load(int dirfd, GError **error);

/**
 * VarveRefusal: why a candidate is not merged. @code is stable: tools and people search for it.
 */
typedef struct {
	const char *code; /* static */
	char *sentence;   /* what was expected and what was found; no final stop */
	const char *next; /* static: what to do about it */
	gboolean retired; /* a patch that is not needed any more: nothing is wrong with it */
} VarveRefusal;

void varve_refusal_free(VarveRefusal *refusal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveRefusal, varve_refusal_free)

/**
 * varve_refusal_new:
 * For what is found before the rules can look (unreadable, unsigned, damaged). @code must be one of
 * varve_policy_codes(); anything else aborts.
 */
VarveRefusal *varve_refusal_new(const char *code, const char *format, ...) G_GNUC_PRINTF(2, 3);
/** varve_refusal_from_error: the same with the code that @error's means before the mount. */
VarveRefusal *varve_refusal_from_error(const GError *error);

/** A reason code with its meaning and next step, for `--help`, the documentation and tests. */
typedef struct {
	const char *code;
	const char *means;
	const char *next;
} VarveReasonCode;
/** (static) all of them; ends with a NULL code. */
const VarveReasonCode *varve_policy_codes(void);

/**
 * VarveFacts: what was established about one candidate, from its verified bytes. Everything is
 * borrowed and must outlive the decision.
 */
typedef struct {
	const char *file; /* file name: a claim */
	VarveDigest root;
	const VarveTrusted *signer;
	const VarveManifest *manifest;
	VarvePathTable *paths;             /* (nullable) what digests and packages are read from */
	const GPtrArray *tree;             /* (nullable: base only) VarvePath *, sorted by bytes,
					    * digests not filled where there is a table */
	const char *extension_release;     /* (nullable) the text of its extension-release file */
	gboolean extension_release_strict; /* xattr user.extension-release.strict is not "0" */
	const VarveLabels
		*labels; /* (nullable) base only: what its policy says paths are labelled */
	gboolean passed; /* varve_policy_judge() accepted it: same policy, base and day */
} VarveFacts;

/**
 * varve_policy_may_sign:
 * Whether some rule lets the holder of @signer sign a layer called @name, in whatever role.
 */
gboolean varve_policy_may_sign(const VarvePolicy *policy, const VarveTrusted *signer,
			       const char *name);

/**
 * varve_policy_revoked:
 * Asked before a layer's bytes are given to the kernel.
 *
 * Returns: NULL, or (caller frees) the sentence that says what was revoked: the layer's root hash,
 * or the signer's key. A key is revoked with the certificate that has it: signatures do not protect
 * which of two certificates with one key they name.
 */
char *varve_policy_revoked(const VarvePolicy *policy, const VarveTrusted *signer,
			   const VarveDigest *root);

/**
 * varve_policy_judge:
 * Asks the rules that are about @layer alone, without those about other layers.
 *
 * Returns: NULL, or (caller frees) the first refusal.
 */
VarveRefusal *varve_policy_judge(const VarvePolicy *policy, const VarveFacts *base,
				 const VarveFacts *layer, gint64 today);

/**
 * varve_policy_decide:
 * Judges @candidates (VarveFacts *, in the order in which they would be merged, lowest first; but
 * patches lie above all that are none, wherever they are in the list) on top of @base. Each that
 * has not passed already is judged by itself, then with those accepted so far; whoever depends on a
 * refused one is refused too. One that is refused never keeps another from being accepted. Patches
 * are decided last: no other layer is refused for one.
 *
 * @today: days since the epoch, for support ends; 0 where the clock is not to be believed.
 *
 * Returns: (caller frees with g_ptr_array_unref) as many elements as @candidates: NULL where
 * accepted, else a VarveRefusal *.
 */
GPtrArray *varve_policy_decide(const VarvePolicy *policy, const VarveFacts *base,
			       const GPtrArray *candidates, gint64 today);
