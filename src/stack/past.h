/* The stacks that were over /usr since the boot, the running one last, as /run/varve/stacks.json:
 * who still holds files of an earlier one runs old code. A mount that was taken away has no entry
 * in mountinfo any more, so what has to be known of it is kept here. */
#pragma once

#include "base/digest.h"

#include <sys/types.h>

/** One layer of a stack that was. */
typedef struct {
	char *name;
	char *version;
	char *device; /* dm name: as long as it exists, somebody holds a file of the layer */
	VarveDigest root;
} VarvePastLayer;

typedef struct {
	guint generation;  /* 0: none was recorded */
	dev_t device;      /* of the overlay, as st_dev and /proc/PID/maps have it */
	gint64 since;      /* when it came over /usr, seconds since the epoch */
	GPtrArray *lowers; /* VarvePastLayer *: topmost first, the base last */
	/* "/usr/…" → (VarveDigest *) what this stack had there, for every file that some later
	 * stack has otherwise or no longer. Whether the running one does is asked when it matters:
	 * what was rolled back is no old code. */
	GHashTable *replaced;
} VarvePastStack;

typedef struct {
	GPtrArray *stacks; /* VarvePastStack *: oldest first, the running one last */
} VarvePast;

VarvePastStack *varve_past_stack_new(void);
void varve_past_stack_free(VarvePastStack *stack);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarvePastStack, varve_past_stack_free)

/** varve_past_load: (caller frees) none where nothing was swapped since the boot. Errors: CORRUPT,
 *  SYSTEM. */
VarvePast *varve_past_load(GError **error);
gboolean varve_past_save(const VarvePast *past, GError **error);
void varve_past_free(VarvePast *past);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarvePast, varve_past_free)

/**
 * varve_past_add:
 * @stack (taken) runs from now on.
 *
 * @replaced: "/usr/…" → (VarveDigest *) of the files that the stack which ran until now had and
 * @stack has otherwise or not: added to that of every earlier stack that does not know the path
 * yet. Earlier stacks that had the device of @stack are dropped: the kernel gave its number again.
 */
void varve_past_add(VarvePast *past, VarvePastStack *stack, GHashTable *replaced);
