/* What the files of definition/ share while azldev's part of the model is completed: components
 * that no table declares are found by patterns. */
#pragma once

#include "definition/schema.h"

typedef struct {
	VarveLoader *loader;
	GArray *components; /* VarveComponent; what points into it holds until one is added */
	GHashTable *files;  /* char *path → overlay file: each is read once */
} VarveResolver;

/** (borrowed, nullable) the component called @name. */
VarveComponent *varve_resolver_find(const VarveResolver *resolver, const char *name);
/** Makes an empty one, which is not there yet. */
VarveComponent *varve_resolver_add(VarveResolver *resolver, const char *name, VarveOrigin origin);

/** overlay-files.c: reads overlay files, adds the components that only such files make. */
void varve_resolve_overlay_files(VarveResolver *resolver);
/** groups.c: adds the components that `specs` of groups find. */
void varve_resolve_group_specs(VarveResolver *resolver, const struct VarveComponents *model);
/** groups.c: fills VarveComponent.groups of all @components, whose number is final. */
void varve_resolve_membership(VarveLoader *loader, const struct VarveComponents *model,
			      VarveComponent *components);
