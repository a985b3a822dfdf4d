/* What the tables of docs/definition.md may hold, and what becomes of them. */
#pragma once

#include "definition/components.h"
#include "definition/tree.h"

typedef struct {
	VarveProject project;
	VarveDistroReference default_distro;
	const char *rendered_specs_dir;
	const char *lock_dir;
	const char *default_author_email;
} VarveProjectDraft;

/** The struct behind the root of the tree: arrays of what was read, before references are resolved.
 */
typedef struct {
	VarveOrigin origin;
	void *upstreams;
	gsize n_upstreams;
	void *package_sets;
	gsize n_package_sets;
	void *layers;
	gsize n_layers;
	VarveEdition *editions;
	gsize n_editions;
	VarveOs os;
	VarveProjectDraft project;
	VarvePackageConfig package_defaults;
	struct VarveComponents components;
} VarveDraft;

extern const VarveSchema varve_schema_root;

/* Varve's own tables: schema-varve.c */
extern const VarveSchema varve_schema_os;
extern const VarveSchema varve_schema_upstream;
extern const VarveSchema varve_schema_package_set;
extern const VarveSchema varve_schema_layer;
extern const VarveSchema varve_schema_edition;
extern const VarveSchema varve_schema_check; /* schema-check.c */

/* azldev's: schema-azldev.c, schema-component.c where nothing else is said */
extern const VarveSchema varve_schema_project;
extern const VarveSchema varve_schema_distro;
extern const VarveSchema varve_schema_distro_reference;
extern const VarveSchema varve_schema_component;
extern const VarveSchema varve_schema_component_defaults;
extern const VarveSchema varve_schema_component_group;
extern const VarveSchema varve_schema_overlay;
extern const VarveSchema varve_schema_source_file; /* schema-source-file.c */
extern const VarveSchema varve_schema_metadata;
extern const VarveSchema varve_schema_package_config;
extern const VarveSchema varve_schema_package_group;
extern const VarveSchema varve_schema_image;
extern const VarveSchema varve_schema_tools;
extern const VarveSchema varve_schema_resources; /* schema-resource.c */
/* schema-test.c */
extern const VarveSchema varve_schema_suite_reference;
extern const VarveSchema varve_schema_test_suite;
extern const VarveSchema varve_schema_test;
extern const VarveSchema varve_schema_test_group;
extern const VarveSchema varve_schema_test_reference;

/** Bases of the model's arrays while they are read: what cannot be told until all files are. */
typedef struct {
	VarveUpstream upstream;
	VarveRepository own;
	VarveRepository *more;
	gsize n_more;
} VarveUpstreamDraft;

typedef struct {
	VarveLayerDefinition layer;
	VarveEntry *files, *links, *directories, *modes;
	gsize n_files, n_links, n_directories, n_modes;
} VarveLayerDraft;

typedef struct {
	VarvePackageSet set;
} VarvePackageSetDraft;

/** resolve.c: makes the model of @draft: arrays, references between tables, what spans tables. */
void varve_draft_resolve(VarveLoader *loader, const VarveDraft *draft);

/** Returns: the position of @name among the entries of [@table_name], which is its position in the
 *  model; or -1, with a mistake at @span. */
int varve_loader_look_up(VarveLoader *loader, const char *table_name, const char *what,
			 const VarveSource *source, VarveTomlSpan span, const char *name);

/** resources.c, tests.c: references among their tables. */
void varve_resources_check(VarveLoader *loader);
void varve_tests_check(VarveLoader *loader);

/** components.c: overlay files, implicit components, references among azldev's tables. */
void varve_components_resolve(VarveLoader *loader, VarveDraft *draft);
