/* A depth-first walk, in the order in which the components were named. */
#include "build/order.h"

#include "base/error.h"

#include <string.h>

void varve_build_needs_free(VarveBuildNeeds *needs)
{
	if (!needs)
		return;
	g_free(needs->name);
	g_strfreev(needs->requires);
	g_strfreev(needs->provides);
	g_free(needs);
}

/* "zlib-devel >= 1.2" → "zlib-devel" */
static char *name_of(const char *capability)
{
	return g_strndup(capability, strcspn(capability, " "));
}

typedef enum { NEW, OPEN, DONE } State;

typedef struct {
	const GPtrArray *needs;
	GHashTable *bringers; /* char * → VarveBuildNeeds * (borrowed) */
	GHashTable *states;   /* VarveBuildNeeds * → State */
	GPtrArray *path;      /* VarveBuildNeeds *: who waits for whom */
	GPtrArray *order;
} Walk;

static void walk_clear(Walk *walk)
{
	g_hash_table_unref(walk->bringers);
	g_hash_table_unref(walk->states);
	g_ptr_array_unref(walk->path);
	g_clear_pointer(&walk->order, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Walk, walk_clear)

static GHashTable *index_bringers(const GPtrArray *needs)
{
	GHashTable *index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	/* The first wins: two cannot publish one package anyway. */
	for (guint i = needs->len; i-- > 0;) {
		VarveBuildNeeds *one = needs->pdata[i];

		for (char **capability = one->provides; *capability; capability++)
			g_hash_table_replace(index, name_of(*capability), one);
	}
	return index;
}

static gboolean fail_circle(const Walk *walk, const VarveBuildNeeds *again, GError **error)
{
	g_autoptr(GString) circle = g_string_new(again->name);

	for (guint i = walk->path->len; i-- > 0;) {
		const VarveBuildNeeds *one = walk->path->pdata[i];

		g_string_prepend(circle, " needs ");
		g_string_prepend(circle, one->name);
		if (one == again)
			break;
	}
	return varve_fail(error, VARVE_ERROR_CONFLICT,
			  "these components cannot be built from nothing: %s; build one of them by "
			  "itself first, with what the upstream has",
			  circle->str);
}

static gboolean visit(Walk *walk, VarveBuildNeeds *one, GError **error)
{
	State state = (State)GPOINTER_TO_INT(g_hash_table_lookup(walk->states, one));

	if (state == DONE)
		return TRUE;
	if (state == OPEN)
		return fail_circle(walk, one, error);
	g_hash_table_insert(walk->states, one, GINT_TO_POINTER(OPEN));
	g_ptr_array_add(walk->path, one);
	for (char **capability = one->requires; *capability; capability++) {
		g_autofree char *name = name_of(*capability);
		VarveBuildNeeds *bringer = g_hash_table_lookup(walk->bringers, name);

		if (bringer && bringer != one && !visit(walk, bringer, error))
			return FALSE;
	}
	g_ptr_array_set_size(walk->path, (int)walk->path->len - 1);
	g_hash_table_insert(walk->states, one, GINT_TO_POINTER(DONE));
	g_ptr_array_add(walk->order, one);
	return TRUE;
}

GPtrArray *varve_build_order(const GPtrArray *needs, GError **error)
{
	g_auto(Walk) walk = { .needs = needs,
			      .bringers = index_bringers(needs),
			      .states = g_hash_table_new(NULL, NULL),
			      .path = g_ptr_array_new(),
			      .order = g_ptr_array_new() };

	for (guint i = 0; i < needs->len; i++)
		if (!visit(&walk, needs->pdata[i], error))
			return NULL;
	return g_steal_pointer(&walk.order);
}

static gboolean brings(const VarveBuildNeeds *one, const char *name)
{
	for (char **capability = one->provides; *capability; capability++) {
		g_autofree char *provided = name_of(*capability);

		if (strcmp(provided, name) == 0)
			return TRUE;
	}
	return FALSE;
}

const VarveBuildNeeds *varve_build_needs_any(const VarveBuildNeeds *needs, const GPtrArray *others)
{
	for (char **capability = needs->requires; *capability; capability++) {
		g_autofree char *name = name_of(*capability);

		for (guint i = 0; i < others->len; i++)
			if (others->pdata[i] != needs && brings(others->pdata[i], name))
				return others->pdata[i];
	}
	return NULL;
}
