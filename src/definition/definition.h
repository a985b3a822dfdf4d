/* The definition as a model: what the tree of TOML files says, read, merged, checked, with every
 * reference resolved. docs/definition.md is the specification of the tables. */
#pragma once

#include "format/manifest.h"

#include <glib.h>
#include <sys/types.h>

/**
 * Where something was said. @file is what is shown to people: relative to the directory of the
 * root file where it lies below it, else absolute. @line and @column count from 1; line 0 is
 * "nowhere": a default.
 */
typedef struct {
	const char *file;
	guint line, column;
} VarveOrigin;

/* Everything below is owned by the VarveDefinition and lives as long as it does. Strings that were
 * not set are NULL where marked nullable, else "" or the default that is named. Arrays of strings
 * are NULL-terminated and never NULL. Arrays of structs have their count beside them and are in
 * order of appearance. Paths of the host are absolute, normalised; paths of the target are
 * absolute. */

/** [project]: azldev's, with what Varve uses of it. */
typedef struct {
	VarveOrigin origin;
	const char *description;
	const char *output_dir; /* default: "out" beside the root file */
	const char *work_dir;   /* default: "build/work" beside the root file */
	const char *log_dir;    /* default: "build/logs" beside the root file */
} VarveProject;

/** [os] */
typedef struct {
	VarveOrigin origin; /* line 0: the definition has no [os] (and so no layers) */
	const char *id;
	const char *name;
	const char *version_id;
	const char *vendor;
	const char *home_url; /* (nullable) */
	const char *released; /* "YYYY-MM-DD" */
	gint64 released_time; /* the same day at 00:00 UTC, seconds since the epoch */
} VarveOs;

typedef enum {
	VARVE_UPSTREAM_DEBIAN,
	VARVE_UPSTREAM_RPM_MD,
} VarveUpstreamType;

/** One rpm-md repository; exactly one of @metalink, @mirrorlist and @baseurl is set. */
typedef struct {
	VarveOrigin origin;
	const char *name;       /* the upstream's, or "UPSTREAM-NAME" for one of `repositories` */
	const char *metalink;   /* (nullable) $basearch and $releasever are not yet replaced */
	const char *mirrorlist; /* (nullable) */
	const char *baseurl;    /* (nullable) */
	const char *const *gpg_keys; /* host paths; at least one */
	const char *releasever;      /* (nullable) */
	guint max_age_days;          /* 0: metadata of any age */
} VarveRepository;

/** [upstreams.NAME] */
typedef struct {
	VarveOrigin origin;
	const char *name;
	VarveUpstreamType type;
	/* debian */
	const char *suite;
	const char *const *archive_components; /* default: "main" */
	const char *mirror;  /* (nullable) NULL: the machine's apt configuration */
	const char *keyring; /* (nullable) host path; NULL: Debian's own */
	const char *const *essential;
	const char *const *drop;
	/* rpm-md: the upstream's own first, then its `repositories`, which inherit gpg-keys,
	 * releasever and max-age-days where they do not set them. */
	const VarveRepository *repositories;
	gsize n_repositories;
} VarveUpstream;

/** How one upstream spells a package set. */
typedef struct {
	VarveOrigin origin;
	const VarveUpstream *upstream;
	const char *const *packages; /* $debarch and $basearch are not yet replaced */
} VarveSpelling;

/** [package-sets.NAME] */
typedef struct {
	VarveOrigin origin;
	const char *name;
	const VarveSpelling *spellings;
	gsize n_spellings;
} VarvePackageSet;

typedef struct {
	VarveOrigin origin;
	const char *name;
	guint32 gid;
} VarveGroup;

typedef struct {
	VarveOrigin origin;
	const char *name;
	guint32 uid;
	const char *group;   /* default: @name */
	const char *comment; /* default: "" */
	const char *home;    /* default: "/" */
	const char *shell;   /* default: "/usr/sbin/nologin" */
	const char *const *groups;
} VarveUser;

#define VARVE_MODE_KEEP ((int)-1)

typedef enum {
	VARVE_ENTRY_FILE,
	VARVE_ENTRY_LINK,
	VARVE_ENTRY_DIRECTORY,
	VARVE_ENTRY_MODE, /* changes what a package brought */
} VarveEntryKind;

/** One of files, links, directories, modes. */
typedef struct {
	VarveOrigin origin;
	VarveEntryKind kind;
	const char *path;    /* in the target */
	const char *content; /* files: (nullable) text; else @source */
	gsize content_size;
	const char *source; /* files: (nullable) host path */
	const char *target; /* links */
	int mode;           /* 0644 for files, 0755 for directories by default; modes may KEEP */
	const char *user;   /* default: "root"; modes: (nullable) NULL keeps */
	const char *group;  /* likewise */
} VarveEntry;

typedef struct {
	VarveOrigin origin;
	const char *key;
	const char *value; /* integers and booleans as the kernel wants them: "1", "0" */
} VarveSetting;

typedef enum {
	VARVE_SELINUX_ENFORCING,
	VARVE_SELINUX_PERMISSIVE,
} VarveSelinuxMode;

/** [layers.NAME.selinux] of a base: the policy of every edition that is built on it. */
typedef struct {
	const char *policy; /* (nullable) "default", "targeted": what the package calls it; NULL: no
			     * path of the edition is labelled */
	VarveSelinuxMode mode;
	const char *const *modules; /* of the package; none: those that it has installed itself */
	const char *const *cil;     /* host paths of modules of our own */
	const char *const *enable;  /* booleans that are on */
	const char *const *disable; /* … and off */
} VarveSelinux;

/** [[layers.NAME.checks]]; exactly one of @unit and @command is set. */
typedef struct {
	VarveOrigin origin;
	const char *unit;           /* (nullable) */
	const char *const *command; /* an absolute path and its arguments */
	const char *timeout_text;   /* (nullable) as it was written */
	guint timeout;              /* seconds */
} VarveCheckDefinition;

/** [layers.NAME] */
typedef struct {
	VarveOrigin origin;
	const char *name;
	VarveRole role;           /* BASE or EXTENSION */
	const char *description;  /* default: "" */
	const char *version_from; /* (nullable) package whose version the layer carries */
	guint64 revision;         /* default: 1: of the layer, where its packages are the same */
	guint64 rollback_index;   /* default: 1 */
	const char *key;          /* default: "base" for bases, else "layers" */
	const VarvePackageSet *const *package_sets;
	gsize n_package_sets;
	const char *const *exclude; /* globs over target paths; directories go whole */
	const char *const *keep;    /* globs that win over exclude */
	const char *const *exclude_packages;
	const char *const *restart; /* units */
	const char *const *reload;
	const char *const *ask;
	const VarveCheckDefinition *checks;
	gsize n_checks;
	const VarveGroup *groups;
	gsize n_groups;
	const VarveUser *users;
	gsize n_users;
	const VarveEntry *entries; /* directories, then files, then links, then modes */
	gsize n_entries;
	const char *const *enable; /* units */
	const char *const *disable;
	const char *const *mask;
	const VarveSetting *sysctl;
	gsize n_sysctl;
	VarveSelinux selinux;
} VarveLayerDefinition;

/** Whether the node executes only code of layers that its kernel verified. */
typedef enum {
	VARVE_CODE_INTEGRITY_OFF,
	VARVE_CODE_INTEGRITY_AUDIT, /* told, not kept from it */
	VARVE_CODE_INTEGRITY_ENFORCE,
} VarveCodeIntegrity;

/** [editions.NAME] */
typedef struct {
	VarveOrigin origin;
	const char *name;
	const char *description;       /* default: "" */
	const char *variant_id;        /* default: @name */
	const VarveUpstream *upstream; /* the default; --upstream overrides */
	const char *arch; /* (nullable) "x86-64", "arm64"; NULL: the machine's; --arch overrides */
	const VarveLayerDefinition *base;
	const VarveLayerDefinition *const *extensions;
	gsize n_extensions;
	const char *policy;              /* (nullable) host path */
	const char *const *trusted_keys; /* whose certificates the base gets beside those of the
					  * keys that seal its layers */
	guint support_years;             /* 0: no end is said */
	const char *const *kernel_command_line;
	const char *const *initrd_modules;
	guint64 state_size; /* bytes; 0: the image's own default */
	guint64 slot_size;
	guint64 esp_size;
	VarveCodeIntegrity code_integrity; /* default: OFF */
} VarveEdition;

/** azldev's part of the model: definition/components.h. */
typedef struct VarveComponents VarveComponents;

typedef struct VarveDefinition {
	const char *directory;    /* absolute: where the root file lies */
	const char *const *files; /* host paths of all files read, the root file first */
	gsize n_files;
	VarveProject project;
	VarveOs os;
	const VarveUpstream *upstreams;
	gsize n_upstreams;
	const VarvePackageSet *package_sets;
	gsize n_package_sets;
	const VarveLayerDefinition *layers;
	gsize n_layers;
	const VarveEdition *editions;
	gsize n_editions;
	const VarveComponents *components;
	/*< private >*/
	struct VarveDefinitionStore *store;
} VarveDefinition;

/**
 * varve_definition_load:
 * Reads @path and all that its `includes` name, and checks everything.
 *
 * @path: a directory (its varve.toml, else its azldev.toml) or a root file.
 *
 * Errors: NOT_FOUND (no such directory or root file), DEFINITION: the message lists every mistake
 * of all files, sorted by file and line, each as "file:line:column: message", the source line and
 * a caret below it; the last line counts them.
 */
VarveDefinition *varve_definition_load(const char *path, GError **error);
/** One mistake, for programs. */
typedef struct {
	char *file; /* as VarveOrigin.file */
	guint line, column;
	char *message;
} VarveDefinitionMistake;

void varve_definition_mistake_free(VarveDefinitionMistake *mistake);

/**
 * varve_definition_load_listing:
 * The same.
 *
 * @mistakes: (element-type VarveDefinitionMistake) all of them are appended, sorted.
 */
VarveDefinition *varve_definition_load_listing(const char *path, GPtrArray *mistakes,
					       GError **error);

/** varve_definition_message: (caller frees) "file:line:column: @message", the line and a caret. */
char *varve_definition_message(const VarveDefinition *definition, const VarveOrigin *origin,
			       const char *message);

void varve_definition_free(VarveDefinition *definition);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveDefinition, varve_definition_free)

/* Lookups by name. Returns: (borrowed), or NULL with @error NOT_FOUND, which names the nearest
 * known name and lists what there is. @error may be NULL. */
const VarveUpstream *varve_definition_upstream(const VarveDefinition *definition, const char *name,
					       GError **error);
const VarvePackageSet *varve_definition_package_set(const VarveDefinition *definition,
						    const char *name, GError **error);
const VarveLayerDefinition *varve_definition_layer(const VarveDefinition *definition,
						   const char *name, GError **error);
const VarveEdition *varve_definition_edition(const VarveDefinition *definition, const char *name,
					     GError **error);

/** varve_package_set_spelling: (borrowed, nullable) how @upstream spells @set. */
const VarveSpelling *varve_package_set_spelling(const VarvePackageSet *set,
						const VarveUpstream *upstream);

/**
 * varve_layer_definition_packages:
 * The packages that all package sets of @layer name for @upstream, in order of appearance, once
 * each, $debarch and $basearch replaced by @debian_arch and @rpm_arch ("amd64", "x86_64").
 *
 * Returns: (caller frees with g_strfreev) or NULL: NOT_FOUND where a set is not spelled for
 * @upstream (the message names the set, where it is, and what to add).
 */
char **varve_layer_definition_packages(const VarveLayerDefinition *layer,
				       const VarveUpstream *upstream, const char *debian_arch,
				       const char *rpm_arch, GError **error);

/** varve_origin_text: (caller frees) "file:line", for messages; "(default)" for line 0. */
char *varve_origin_text(const VarveOrigin *origin);

/** varve_edition_support_end: (caller frees, nullable) `released` + support-years, "YYYY-MM-DD". */
char *varve_edition_support_end(const VarveDefinition *definition, const VarveEdition *edition);
