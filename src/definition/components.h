/* azldev's part of the model: components with their spec overlays, the groups and defaults that
 * apply to them, distributions, images. As the files say it: inheritance (distribution's defaults,
 * then groups by name, then the component) is applied by who builds them. The schema is azldev's,
 * August 2026; older spellings that Azure Linux 4.0 has are taken too. */
#pragma once

#include "definition/definition.h"

typedef struct {
	VarveOrigin origin;
	const char *url;
} VarveUrl;

/** Why something differs from upstream. @reason, @until and @fixed_in are Varve's additions. */
typedef struct {
	VarveOrigin origin; /* line 0: no metadata */
	const char *category;
	const char *upstream_status;
	const char *reason;   /* (nullable) */
	const char *until;    /* (nullable) "YYYY-MM-DD": past it, what is temporary is overdue */
	const char *fixed_in; /* (nullable) upstream's version that needs this no more */
	const VarveUrl *commits;
	gsize n_commits;
	const VarveUrl *bugs;
	gsize n_bugs;
} VarveOverlayMetadata;

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
	VarveOverlayMetadata metadata; /* Varve's: why a spec of our own, or another revision */
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
	const char *replace_reason;    /* (nullable) */
	VarveOverlayMetadata metadata; /* Varve's */
} VarveSourceFile;

typedef struct {
	VarveOrigin origin; /* line 0: no build table */
	const char *const *with;
	const char *const *without;
	const VarveSetting *defines;
	gsize n_defines;
	const char *const *undefines;
	gboolean emit_upstream_provenance;
	VarveOverlayMetadata metadata; /* Varve's: of the four above */
	gboolean check_skip;
	const char *check_skip_reason;
	VarveOverlayMetadata check_metadata; /* Varve's */
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

/** A test that a component has: exactly one of the two is set. */
typedef struct {
	VarveOrigin origin;
	const char *name;
	const char *group;
} VarveTestReference;

typedef struct VarveComponentGroup VarveComponentGroup;

/** [components.NAME], or a default-component-config. */
typedef struct {
	VarveOrigin origin; /* line 0: no such table */
	const char *name;   /* NULL for a default */
	VarveSpecSource spec;
	gboolean has_release; /* release.calculation is set */
	VarveReleaseCalculation release;
	VarveComponentBuild build;
	const VarveSpecOverlay *overlays; /* its own, then those of overlay_files */
	gsize n_overlays;
	const char *const *overlay_files; /* patterns, as written */
	gboolean skip_file_filter;        /* render.skip-file-filter */
	const VarveSourceFile *source_files;
	gsize n_source_files;
	const VarvePackageConfig *packages;
	gsize n_packages;
	VarvePublish publish;
	const VarveTestReference *tests;
	gsize n_tests;
	/* Found by a pattern of a group's `specs`: then this is its spec, whatever `spec` says. */
	const char *found_spec;   /* (nullable) host path */
	VarveOrigin found_origin; /* of the pattern */
	const VarveComponentGroup *found_by;
	const VarveComponentGroup *const *groups; /* that it is in, by name */
	gsize n_groups;
	/*< private >*/
	const struct VarveTable *table; /* (nullable) as it was read */
} VarveComponent;

/** [component-groups.NAME] */
struct VarveComponentGroup {
	VarveOrigin origin;
	const char *name;
	const char *description; /* (nullable) */
	const char *const *components;
	const char *const *specs; /* patterns of host paths */
	const char *const *excluded_paths;
	VarveOverlayMetadata metadata; /* of all that @defaults bring and that has none itself */
	VarveComponent defaults;
};

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
	const char *azldev_locks; /* (nullable) host path: where azldev has its lock files */
	const char *default_author_email;
	VarveComponent defaults; /* [default-component-config] */
	VarvePublish publish;    /* [default-package-config] */
	/* Declared, then those that only overlay files make, then those of groups' specs. */
	const VarveComponent *components;
	gsize n_components;
	const VarveComponentGroup *groups;
	gsize n_groups;
	const VarvePackageGroup *package_groups;
	gsize n_package_groups;
	const VarveImage *images;
	gsize n_images;
	/*< private >*/
	const struct VarveLoader *loader;
};

/** varve_components_find: (borrowed) NOT_FOUND names the nearest. */
const VarveComponent *varve_components_find(const VarveComponents *components, const char *name,
					    GError **error);
/** varve_components_package_group: (borrowed, nullable) the group that @package is in. */
const VarvePackageGroup *varve_components_package_group(const VarveComponents *components,
							const char *package);

/** One thing that a component's table says. */
typedef struct {
	char *key;     /* "build.check.skip", dotted from the component's table */
	char *value;   /* as TOML writes it, on one line */
	gboolean adds; /* an element of an array: values of other levels stay beside it */
	VarveOrigin origin;
	VarveOrigin key_origin; /* of an element: where the array's key is */
} VarveComponentValue;

void varve_component_value_free(VarveComponentValue *value);

/**
 * varve_component_values:
 * What the table behind @component (or a default-component-config) says, in order of appearance;
 * its overlays last, those of its overlay files among them. Empty where there is no table.
 *
 * Returns: (transfer full) (element-type VarveComponentValue)
 */
GPtrArray *varve_component_values(const VarveDefinition *definition,
				  const VarveComponent *component);

/**
 * varve_definition_comment:
 * What people wrote of a place: the comment on the line of @origin, else the lines of comments
 * right above it, as one line of text.
 *
 * Returns: (caller frees, nullable)
 */
char *varve_definition_comment(const VarveDefinition *definition, const VarveOrigin *origin);

/** varve_distro_find: (borrowed) the distribution, and the version of it (NULL: its default). */
const VarveDistro *varve_distro_find(const VarveComponents *components, const char *name,
				     GError **error);
const VarveDistroVersion *varve_distro_version(const VarveDistro *distro, const char *version,
					       GError **error);
/** (static) "spec-add-tag". */
const char *varve_overlay_type_name(VarveOverlayType type);
