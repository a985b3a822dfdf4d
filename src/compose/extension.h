/* The shape of an extension: everything below /usr (design.md §5). What its packages have elsewhere
 * goes to the factory and is placed by tmpfiles; users, units, settings become files of their own.
 */
#pragma once

#include "compose/tree.h"
#include "definition/definition.h"
#include "format/partition-types.h"

typedef struct {
	const VarveDefinition *definition;
	const VarveLayerDefinition *layer;
	const VarveArch *arch;
	const char *base_root; /* host path of the base's staged root */
} VarveExtension;

/**
 * varve_extension_shape:
 * Changes @tree, scanned from what the packages added to the base:
 *
 *   /etc/X, /var/X  → usr/share/factory/{etc,var}/X and lines in usr/lib/tmpfiles.d/varve-NAME.conf
 *   /opt/X          → usr/opt/X
 *   users, groups   → usr/lib/sysusers.d/varve-NAME.conf
 *   enabled units   → links in usr/lib/systemd/system/TARGET.{wants,requires}/, from [Install]
 *   sysctl          → usr/lib/sysctl.d/60-NAME.conf
 *   and usr/lib/extension-release.d/extension-release.NAME with its xattr.
 *
 * Directories outside /usr that hold nothing go; a whiteout (a scriptlet that removed a file of the
 * base) and any other path outside /usr is a CONFLICT naming it and its package.
 */
gboolean varve_extension_shape(VarveTree *tree, const VarveExtension *extension, GError **error);

/** varve_extension_identify: the last of these alone, for a layer that is in shape already. */
void varve_extension_identify(VarveTree *tree, const VarveExtension *extension);
