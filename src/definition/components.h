/* azldev's part of the model: components with their spec overlays, the groups and defaults that
 * apply to them, distributions, images. As the files say it: inheritance (distribution's defaults,
 * then groups by name, then the component) is applied by who builds them. The schema is azldev's,
 * August 2026; older spellings that Azure Linux 4.0 has are taken too. */
#pragma once

#include "definition/definition.h"

/** A reference to a distribution. */
typedef struct {
	VarveOrigin origin; /* line 0: not set */
	const char *name;
	const char *version;  /* (nullable) its default-version */
	const char *snapshot; /* (nullable) RFC 3339 */
} VarveDistroReference;

typedef enum {
	VARVE_SPEC_INHERITED, /* "" or not set */
	VARVE_SPEC_LOCAL,
	VARVE_SPEC_UPSTREAM,
} VarveSpecType;

typedef struct {
	VarveOrigin origin; /* line 0: no spec table */
	VarveSpecType type;
	const char *path;            /* (nullable) host path */
	const char *upstream_name;   /* (nullable) the component's name */
	const char *upstream_commit; /* (nullable) */
	VarveDistroReference upstream_distro;
} VarveSpecSource;

typedef enum {
	VARVE_OVERLAY_SPEC_ADD_TAG,
	VARVE_OVERLAY_SPEC_INSERT_TAG,
	VARVE_OVERLAY_SPEC_SET_TAG,
	VARVE_OVERLAY_SPEC_UPDATE_TAG,
	VARVE_OVERLAY_SPEC_REMOVE_TAG,
	VARVE_OVERLAY_SPEC_PREPEND_LINES,
	VARVE_OVERLAY_SPEC_APPEND_LINES,
	VARVE_OVERLAY_SPEC_SEARCH_REPLACE,
	VARVE_OVERLAY_SPEC_REMOVE_SECTION,
	VARVE_OVERLAY_SPEC_REMOVE_SUBPACKAGE,
	VARVE_OVERLAY_PATCH_ADD,
	VARVE_OVERLAY_PATCH_REMOVE,
	VARVE_OVERLAY_FILE_PREPEND_LINES,
	VARVE_OVERLAY_FILE_SEARCH_REPLACE,
	VARVE_OVERLAY_FILE_ADD,
	VARVE_OVERLAY_FILE_REMOVE,
	VARVE_OVERLAY_FILE_RENAME,
} VarveOverlayType;

typedef struct {
	VarveOrigin origin;
	const char *url;
} VarveUrl;

/** Why an overlay is there. */
typedef struct {
	VarveOrigin origin; /* line 0: no metadata */
	const char *category;
	const char *upstream_status;
	const VarveUrl *commits;
	gsize n_commits;
	const VarveUrl *bugs;
	gsize n_bugs;
} VarveOverlayMetadata;

/** One spec overlay; strings that its type does not take are NULL. */
typedef struct {
	VarveOrigin origin;
	VarveOverlayType type;
	const char *description; /* (nullable) */
	const char *file;
	const char *archive;
	const char *section;
	const char *package;
	const char *tag;
	const char *value;
	const char *regex;
	const char *replacement; /* (nullable) NULL is "" */
	const char *const *lines;
	const char *source; /* host path */
	VarveOverlayMetadata metadata;
} VarveSpecOverlay;

typedef enum {
	VARVE_SOURCE_DOWNLOAD,
	VARVE_SOURCE_CUSTOM,
	VARVE_SOURCE_OVERLAY,
} VarveSourceOrigin;

typedef struct {
	VarveOrigin origin;
	const char *filename;
	const char *hash;      /* (nullable) hexadecimal */
	const char *hash_type; /* (nullable) "SHA256", "SHA512" */
	VarveSourceOrigin from;
	const char *uri;    /* download */
	const char *script; /* custom */
	const char *const *mock_packages;
	const char *const *inputs;
	gboolean replace_upstream;
	const char *replace_reason; /* (nullable) */
} VarveSourceFile;

typedef struct {
	VarveOrigin origin; /* line 0: no build table */
	const char *const *with;
	const char *const *without;
	const VarveSetting *defines;
	gsize n_defines;
	const char *const *undefines;
	gboolean emit_upstream_provenance;
	gboolean check_skip;
	const char *check_skip_reason;
	gboolean failure_expected;
	const char *failure_reason;
	gboolean expensive;
} VarveComponentBuild;

typedef enum {
	VARVE_RELEASE_AUTO,
	VARVE_RELEASE_AUTORELEASE,
	VARVE_RELEASE_STATIC,
	VARVE_RELEASE_MANUAL,
} VarveReleaseCalculation;

typedef struct {
	const char *rpm_channel; /* (nullable) each */
	const char *srpm_channel;
	const char *debuginfo_channel;
} VarvePublish;

/** Overrides for one binary package. */
typedef struct {
	VarveOrigin origin;
	const char *name;
	VarvePublish publish;
} VarvePackageConfig;

/** [components.NAME], or a default-component-config. */
typedef struct {
	VarveOrigin origin; /* line 0: no such table */
	const char *name;   /* NULL for a default */
	VarveSpecSource spec;
	gboolean has_release;
	VarveReleaseCalculation release;
	VarveComponentBuild build;
	const VarveSpecOverlay *overlays; /* its own, then those of overlay_files */
	gsize n_overlays;
	const char *const *overlay_files; /* patterns, as written */
	const VarveSourceFile *source_files;
	gsize n_source_files;
	const VarvePackageConfig *packages;
	gsize n_packages;
	VarvePublish publish;
} VarveComponent;

/** [component-groups.NAME] */
typedef struct {
	VarveOrigin origin;
	const char *name;
	const char *description; /* (nullable) */
	const char *const *components;
	const char *const *specs; /* patterns of host paths */
	const char *const *excluded_paths;
	VarveOverlayMetadata metadata;
	VarveComponent defaults;
} VarveComponentGroup;

/** [package-groups.NAME] */
typedef struct {
	VarveOrigin origin;
	const char *name;
	const char *description; /* (nullable) */
	const char *const *packages;
	VarvePublish publish;
} VarvePackageGroup;

typedef struct {
	VarveOrigin origin;
	const char *name;
	const char *description; /* (nullable) */
	const char *release_ver;
	const char *dist_git_branch; /* (nullable) */
	const char *mock_config;     /* (nullable) host paths */
	const char *mock_config_x86_64;
	const char *mock_config_aarch64;
	VarveComponent defaults;
} VarveDistroVersion;

/** [distros.NAME] */
typedef struct {
	VarveOrigin origin;
	const char *name;
	const char *description;        /* (nullable) */
	const char *default_version;    /* (nullable) */
	const char *dist_git_base_uri;  /* (nullable) $pkg */
	const char *lookaside_base_uri; /* (nullable) $pkg, $filename, $hashtype, $hash */
	gboolean disable_origins;
	const VarveUrl *repositories; /* base-uri of `repos` */
	gsize n_repositories;
	const VarveDistroVersion *versions;
	gsize n_versions;
} VarveDistro;

/** [images.NAME] */
typedef struct {
	VarveOrigin origin;
	const char *name;
	const char *description; /* (nullable) */
	const char *type;        /* (nullable) "kiwi" */
	const char *path;        /* (nullable) host path */
	const char *profile;     /* (nullable) */
} VarveImage;

struct VarveComponents {
	const VarveDistro *distros;
	gsize n_distros;
	VarveDistroReference default_distro; /* of [project] */
	const char *rendered_specs_dir;      /* (nullable) host paths, of [project] */
	const char *lock_dir;
	const char *default_author_email;
	VarveComponent defaults;          /* [default-component-config] */
	VarvePublish publish;             /* [default-package-config] */
	const VarveComponent *components; /* declared, then those that only overlay files make */
	gsize n_components;
	const VarveComponentGroup *groups;
	gsize n_groups;
	const VarvePackageGroup *package_groups;
	gsize n_package_groups;
	const VarveImage *images;
	gsize n_images;
};

/** varve_components_find: (borrowed) NOT_FOUND names the nearest. */
const VarveComponent *varve_components_find(const VarveComponents *components, const char *name,
					    GError **error);
/** varve_distro_find: (borrowed) the distribution, and the version of it (NULL: its default). */
const VarveDistro *varve_distro_find(const VarveComponents *components, const char *name,
				     GError **error);
const VarveDistroVersion *varve_distro_version(const VarveDistro *distro, const char *version,
					       GError **error);
/** (static) "spec-add-tag". */
const char *varve_overlay_type_name(VarveOverlayType type);
