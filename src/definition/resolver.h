/* What the files of definition/ share while azldev's part of the model is completed: components
 * that no table declares are found by patterns. */
#pragma once

#include "definition/schema.h"

typedef struct {
	VarveLoader *loader;
	VarveComponent *declared;  /* by tables: where [components] has them */
	GPtrArray *found;          /* VarveComponent *: the others */
	GHashTable *files;         /* char *path → overlay file: each is read once */
	GHashTable *overlay_files; /* char *name → those that the project's patterns find */
	GHashTable *contested;     /* of those, what two patterns find */
	GArray *members;           /* VarveMember: who is found by a group's `specs` */
} VarveResolver;

typedef struct {
	guint component; /* its place in the model */
	const VarveComponentGroup *group;
} VarveMember;

/** The place of @name among all components, from 1; 0: there is no such component. */
guint varve_loader_component(const VarveLoader *loader, const char *name);
/** (borrowed, nullable) the component called @name. */
VarveComponent *varve_resolver_find(const VarveResolver *resolver, const char *name);
/** Makes an empty one, which is not there yet. */
VarveComponent *varve_resolver_add(VarveResolver *resolver, const char *name, VarveOrigin origin);

/** overlay-files.c: adds the components that only overlay files make. */
void varve_resolve_overlay_files(VarveResolver *resolver);
/** overlay-files.c: what a group's or a distribution's defaults must not hold. */
void varve_check_overlay_files(VarveLoader *loader, const VarveTable *table);
/** overlay-files.c: adds the overlays of the files that apply to each of all @components, whose
 *  groups are known. */
void varve_resolve_overlays(VarveResolver *resolver, const struct VarveComponents *model,
			    VarveComponent *components);
/** groups.c: adds the components that `specs` of groups find. */
void varve_resolve_group_specs(VarveResolver *resolver, const struct VarveComponents *model);
/** groups.c: fills VarveComponent.groups of all @components, whose number is final. */
void varve_resolve_membership(VarveResolver *resolver, const struct VarveComponents *model,
			      VarveComponent *components);
