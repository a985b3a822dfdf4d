/* What the files of effective* share. */
#pragma once

#include "component/effective.h"

/** One of the tables that were merged. */
typedef struct {
	const VarveComponent *component;
	const char *name;                 /* "distro", "project", "group", "component" */
	const VarveComponentGroup *group; /* (nullable) */
} VarveLevel;

struct VarveEffectiveStore {
	const VarveDefinition *definition;
	const VarveComponent *declared;
	GPtrArray *memory; /* (nullable) freed with g_free: what could not be borrowed */
	gsize n_levels;
	VarveLevel levels[]; /* in the order they were merged */
};
