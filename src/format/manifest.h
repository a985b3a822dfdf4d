/* What a layer says of itself: usr/lib/varve/layers/NAME.json inside it. A claim until the tree was
 * compared with it (layer/, policy/). */
#pragma once

#include "format/component-facts.h"

#include <glib.h>

#define VARVE_LAYERS_DIR "usr/lib/varve/layers"

typedef enum {
	VARVE_ROLE_BASE,
	VARVE_ROLE_EXTENSION,
	VARVE_ROLE_PATCH,
} VarveRole;

const char *varve_role_name(VarveRole role);
gboolean varve_role_from_name(const char *name, VarveRole *ret_role);

/** One RPM that the layer brings. Strings are owned by the manifest. */
typedef struct {
	char *name;
	guint epoch;
	char *version;
	char *release;
	char *arch;
	char *source; /* file name of the source RPM, "" where unknown */
	char *license;
	char *vendor;
	char *upstream;     /* the definition's name of where it came from */
	VarveDigest digest; /* of the package file */
	guint64 size;       /* installed bytes */
	VarveComponentFacts *component; /* (nullable) what it was built from, where that was here */
} VarveManifestPackage;

/** What has to hold when the layer was swapped: a unit is active, or a command ends with status 0.
 */
typedef struct {
	char *unit;     /* "" where it is a command */
	char **command; /* an absolute path and its arguments; empty where it is a unit */
	guint timeout;  /* seconds, 1 to VARVE_CHECK_TIMEOUT_MAX */
} VarveManifestCheck;

#define VARVE_CHECK_TIMEOUT 10 /* where none is said */
#define VARVE_CHECK_TIMEOUT_MAX 600
/** One file of a layer below that a patch stands for. Strings are owned by the manifest. */
typedef struct {
	char *layer;
	char *version;      /* of that layer */
	char *path;         /* relative to the root, canonical */
	VarveDigest digest; /* of the file that is replaced: its content, or a link's target */
} VarveManifestOverride;

typedef struct {
	char *name;
	char *version; /* [0-9A-Za-z.+~^-], no underscore: it separates in file names */
	guint64 rollback_index;
	VarveRole role;
	char *arch;  /* "x86-64", "arm64" */
	char *os_id; /* what extension-release says too */
	char *os_version_id;
	char **provides; /* RPM capabilities: "libc.so.6(GLIBC_2.38)(64bit)", "openssh = 1:10.0-1"
			  */
	char **requires;
	char **replaces; /* names of layers */
	char **supersedes;
	char **restart;       /* units */
	char **reload;        /* units that take up what is new without a restart */
	char **ask;           /* units that are left to a person */
	GPtrArray *checks;    /* VarveManifestCheck *, in the order in which they were declared */
	char *support_end;    /* YYYY-MM-DD or "" */
	GPtrArray *packages;  /* VarveManifestPackage *, sorted by name, then version */
	GHashTable *inputs;   /* char * → char *: digests of the layer's own inputs, by kind */
	VarveDigest paths;    /* SHA-256 of the path table's file */
	GPtrArray *overrides; /* VarveManifestOverride *, sorted by path; of a patch alone */
} VarveManifest;

/** varve_manifest_new: all strings "", all arrays empty, never NULL. */
VarveManifest *varve_manifest_new(void);
void varve_manifest_free(VarveManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveManifest, varve_manifest_free)
void varve_manifest_package_free(VarveManifestPackage *package);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveManifestPackage, varve_manifest_package_free)
/** varve_manifest_check_new: (caller frees) copies; one of @unit and @command is "" or empty. */
VarveManifestCheck *varve_manifest_check_new(const char *unit, const char *const *command,
					     guint timeout);
void varve_manifest_check_free(VarveManifestCheck *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveManifestCheck, varve_manifest_check_free)
/** varve_manifest_override_new: (caller frees) copies. */
VarveManifestOverride *varve_manifest_override_new(const char *layer, const char *version,
						   const char *path, const VarveDigest *digest);
void varve_manifest_override_free(VarveManifestOverride *override);
/** (borrowed, nullable) what @manifest, which is sorted, says of @path. */
const VarveManifestOverride *varve_manifest_find_override(const VarveManifest *manifest,
							  const char *path);
/** (caller frees) */
VarveManifestPackage *varve_manifest_package_copy(const VarveManifestPackage *package);

/** varve_manifest_parse: hostile bytes in; every field is checked. @name for messages. */
VarveManifest *varve_manifest_parse(const char *text, size_t size, const char *name,
				    GError **error);
/** varve_manifest_write: (caller frees) canonical JSON; the same manifest is the same bytes. */
char *varve_manifest_write(const VarveManifest *manifest);

/** varve_manifest_sort: puts packages and overrides into the order in which they are written, so
 * that what else is made from the manifest has them in that order too. */
void varve_manifest_sort(VarveManifest *manifest);

/** (caller frees) "[epoch:]version-release". */
char *varve_manifest_package_evr(const VarveManifestPackage *package);
/** (caller frees) NEVRA: "openssh-server-1:10.0p1-7.x86_64". */
char *varve_manifest_package_nevra(const VarveManifestPackage *package);
