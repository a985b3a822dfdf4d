/* Whether the stack that runs is still what the boot merged, as far as a look can tell. */
#pragma once

#include "stack/damage.h"
#include "stack/overmount.h"

typedef struct {
	GPtrArray *damage;        /* VarveDamage *; NULL where it is not known */
	char *damage_unknown;     /* why not; "" where it is known */
	GPtrArray *overmounts;    /* VarveOvermount *; NULL where they are not known */
	char *overmounts_unknown; /* why not */
} VarveHealth;

/** varve_node_health: (caller frees) never NULL: what cannot be asked is said to be unknown. */
VarveHealth *varve_node_health(const VarveReport *boot);

/** varve_health_complain: adds to the complaints of @report (`damaged`, `mounted-over`) what a look
 *  found. */
void varve_health_complain(const VarveHealth *health, VarveReport *report);
void varve_health_free(VarveHealth *health);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveHealth, varve_health_free)
