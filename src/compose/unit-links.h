/* Enabling a unit inside a layer: the links that `systemctl enable` would make in /etc, made in
 * /usr, where they come and go with the layer. */
#pragma once

#include "compose/tree.h"
#include "definition/definition.h"

/**
 * varve_unit_links_add:
 * Reads [Install] of @unit in @tree (usr/lib/systemd/system) and adds its Alias=, WantedBy=,
 * RequiredBy= and UpheldBy= links, and those of its Also= units.
 *
 * Errors: NOT_FOUND (the layer has no such unit), CONFLICT (it has no [Install]: names what to do).
 */
gboolean varve_unit_links_add(VarveTree *tree, const VarveLayerDefinition *layer, const char *unit,
			      GError **error);
