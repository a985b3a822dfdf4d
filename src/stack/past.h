/* The stacks that were over /usr since the boot, the running one last, as /run/varve/stacks.json:
 * who still holds files of an earlier one runs old code. A mount that was taken away has no entry
 * in mountinfo any more, so what has to be known of it is kept here (docs/formats.md). */
#pragma once

#include "base/digest.h"

#include <sys/types.h>

#define VARVE_PAST_FILE "/run/varve/stacks.json"

/** One layer of a stack that was. */
typedef struct {
	char *name;
	char *version;
	char *device; /* dm name; "" where it has none. As long as it exists, somebody holds a file
		       * of the layer */
	VarveDigest root;
} VarvePastLayer;

/** A file that a stack had. */
typedef struct {
	VarveDigest digest; /* of its content */
	VarveDigest layer;  /* root hash of the layer that had it */
	guint64 inode;      /* in that layer's filesystem; 0: not known */
} VarvePastFile;

typedef struct {
	guint generation;  /* 0: none was recorded */
	dev_t device;      /* of the overlay, as st_dev and /proc/PID/maps have it */
	gint64 since;      /* when it came over /usr, seconds since the epoch */
	GPtrArray *lowers; /* VarvePastLayer *: topmost first, the base last */
	/* "/usr/…" → (VarvePastFile *) what this stack had there, for every file that some later
	 * stack has otherwise or no longer. Whether the running one does is asked when it matters:
	 * what was rolled back is no old code. Where a layer was rebuilt before the file changed,
	 * @layer is the later build, and not among @lowers. */
	GHashTable *replaced;
} VarvePastStack;

typedef struct {
	GPtrArray *stacks; /* VarvePastStack *: oldest first, the running one last */
} VarvePast;

VarvePastStack *varve_past_stack_new(void);
void varve_past_stack_free(VarvePastStack *stack);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarvePastStack, varve_past_stack_free)
/** varve_past_stack_add: one more of @stack->lowers, the next below. */
void varve_past_stack_add(VarvePastStack *stack, const char *name, const char *version,
			  const char *device, const VarveDigest *root);
/** varve_past_files_new: (caller unrefs) an empty table for varve_past_add(). */
GHashTable *varve_past_files_new(void);

VarvePast *varve_past_new(void);
void varve_past_free(VarvePast *past);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarvePast, varve_past_free)

/** varve_past_load: (caller frees) none where nothing was swapped since the boot. Errors: CORRUPT,
 *  SYSTEM. */
VarvePast *varve_past_load(GError **error);
gboolean varve_past_save(const VarvePast *past, GError **error);

/** varve_past_parse, varve_past_write (caller frees): the bytes of the file. Errors: CORRUPT. */
VarvePast *varve_past_parse(const char *text, size_t size, const char *name, GError **error);
char *varve_past_write(const VarvePast *past);

/**
 * varve_past_add:
 * @stack (taken) runs from now on.
 *
 * @replaced: "/usr/…" → (VarvePastFile *) of the files that the stack which ran until now had and
 * @stack has otherwise or not: added to that of every earlier stack that does not know the path
 * yet. Earlier stacks that had the device of @stack are dropped: the kernel gave its number again.
 */
void varve_past_add(VarvePast *past, VarvePastStack *stack, GHashTable *replaced);

/** varve_past_running: (borrowed, nullable) the last. */
const VarvePastStack *varve_past_running(const VarvePast *past);

/**
 * varve_past_forget:
 * Drops every stack but the running one of which a layer's device is not among @devices any more:
 * an overlay keeps all its layers, so nobody holds a file of it.
 *
 * @devices: names of all devices of the device-mapper.
 * Returns: the number of those dropped.
 */
guint varve_past_forget(VarvePast *past, const char *const *devices);

/**
 * varve_past_layer: (borrowed, nullable) the layer of @stack that the inode number @number of its
 * overlay is of; NULL where the number is none of an overlay like it.
 *
 * @ret_inode: (nullable) in the layer's own filesystem.
 */
const VarvePastLayer *varve_past_layer(const VarvePastStack *stack, guint64 number,
				       guint64 *ret_inode);

/** varve_past_number: the inode number that @file has on the overlay of @stack; 0 where that is not
 *  known. */
guint64 varve_past_number(const VarvePastStack *stack, const VarvePastFile *file);
