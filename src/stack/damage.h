/* Damage that a running node met: blocks of its layers that are not what was signed. dm-verity lets
 * nobody read them; the kernel's log says which they were, and the layer's own filesystem what lies
 * there. */
#pragma once

#include "stack/report.h"

/** One block. Strings are "" where unknown, never NULL. */
typedef struct {
	char *layer, *version;
	char *file;     /* in the layers directory; "" for the base */
	gboolean known; /* FALSE: the device met damage, and no message is left that says where */
	gboolean tree;  /* a block of the verity tree, else of the data */
	guint64 block;  /* of 4096 bytes */
	char *path;
	char *package;
} VarveDamage;

void varve_damage_free(VarveDamage *damage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveDamage, varve_damage_free)

/** (caller frees) "block 17 of /usr/bin/x (package P) is not what was signed"; no final stop. */
char *varve_damage_sentence(const VarveDamage *damage);
/** (caller frees) what to do about it. */
char *varve_damage_next(const VarveDamage *damage);

/**
 * varve_node_damage:
 * Asks the devices of the base and the merged layers whether they met damage; only where one did,
 * the kernel's log is read, and the journal where that log does not reach back to the boot.
 *
 * Returns: (caller unrefs) VarveDamage *, by layer as in @boot, each block once. Errors:
 * UNSUPPORTED (the caller may not ask device-mapper), SYSTEM.
 */
GPtrArray *varve_node_damage(const VarveReport *boot, GError **error);

/** VarveDamageFinder: from what a message of the kernel names to what lies there. */
typedef struct VarveDamageFinder VarveDamageFinder;

/** varve_damage_finder_new: for the devices of @boot, which must outlive it. Errors: as above. */
VarveDamageFinder *varve_damage_finder_new(const VarveReport *boot, GError **error);
void varve_damage_finder_free(VarveDamageFinder *finder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveDamageFinder, varve_damage_finder_free)

/**
 * varve_damage_finder_find:
 * Returns: (caller frees) who has block @block of the data (or, where @tree, of the hash tree) on
 * the device @major:@minor; NULL where that is no layer of the running stack.
 */
VarveDamage *varve_damage_finder_find(VarveDamageFinder *finder, guint major, guint minor,
				      gboolean tree, guint64 block);
