/* Which patches are merged: decided when the layers that they override files of are known. */
#include "format/version.h"
#include "policy/rule.h"

#include <string.h>
#include <sys/stat.h>

typedef struct {
	const VarveCase *common;
	const GPtrArray *stack;    /* VarveFacts *: the base and the extensions */
	const GPtrArray *patches;  /* VarveFacts * */
	GPtrArray *verdicts;       /* VarveRefusal *, for good */
	const VarveFacts **beaten; /* by which other patch one is superseded, now */
} Patches;

static gboolean is_alive(const Patches *p, guint i)
{
	return !p->verdicts->pdata[i] && !p->beaten[i];
}

static VarveCase case_of(const Patches *p, guint i, GPtrArray *stack)
{
	VarveCase c = *p->common;

	c.layer = p->patches->pdata[i];
	c.stack = stack;
	return c;
}

/* What each is by itself, on these layers. */
static void ask_below(const Patches *p)
{
	for (guint i = 0; i < p->patches->len; i++) {
		VarveCase c = case_of(p, i, (GPtrArray *)p->stack);
		VarveRefusal *refusal;

		if (p->verdicts->pdata[i])
			continue;
		refusal = varve_policy_ask(&c, VARVE_STAGE_PATCH);
		p->verdicts->pdata[i] = refusal ? refusal : varve_patch_bits(&c);
	}
}

/* How the package that @a has @path from compares with @b's; 0 where they cannot be compared. */
static int compare_package(const VarveFacts *a, const VarveFacts *b, const char *path)
{
	const VarveManifestPackage *x = varve_patch_package(a, path);
	const VarveManifestPackage *y = varve_patch_package(b, path);
	g_autofree char *left = x ? varve_manifest_package_evr(x) : NULL;
	g_autofree char *right = y ? varve_manifest_package_evr(y) : NULL;

	if (!x || !y || strcmp(x->name, y->name) != 0 || strcmp(x->arch, y->arch) != 0)
		return 0;
	return varve_rpm_evr_compare(left, right);
}

/* Whether @newer makes @older unnecessary: it overrides all that @older does, each with a newer
 * package, or says so and has none that is older. */
static gboolean supersedes(const VarveFacts *newer, const VarveFacts *older)
{
	const char *const *said = (const char *const *)newer->manifest->supersedes;
	gboolean named = g_strv_contains(said, older->manifest->name);
	const GPtrArray *overrides = older->manifest->overrides;

	for (guint i = 0; i < overrides->len; i++) {
		const VarveManifestOverride *theirs = overrides->pdata[i];
		const VarveManifestOverride *ours =
			varve_manifest_find_override(newer->manifest, theirs->path);
		int order;

		if (!ours || strcmp(ours->layer, theirs->layer) != 0)
			return FALSE;
		order = compare_package(newer, older, theirs->path);
		if (order < 0 || (order == 0 && !named))
			return FALSE;
	}
	return overrides->len > 0;
}

/* Only one that is not superseded itself supersedes others, so that of two which say it of each
 * other one stays. */
static void find_beaten(const Patches *p)
{
	for (guint i = 0; i < p->patches->len; i++)
		p->beaten[i] = NULL;
	for (guint i = 0; i < p->patches->len; i++) {
		for (guint j = 0; j < p->patches->len && is_alive(p, i); j++) {
			if (j != i && is_alive(p, j) &&
			    supersedes(p->patches->pdata[j], p->patches->pdata[i]))
				p->beaten[i] = p->patches->pdata[j];
		}
	}
}

static void remember_paths(GHashTable *owners, const VarveFacts *layer)
{
	for (guint i = 0; i < layer->tree->len; i++) {
		const VarvePath *path = layer->tree->pdata[i];

		if (!S_ISDIR(path->mode) || !g_hash_table_contains(owners, path->path))
			g_hash_table_insert(owners, (gpointer)path->path, (gpointer)layer);
	}
}

/* Refuses the first one that collides with a layer below it; returns whether there was one. */
static gboolean ask_conflicts(const Patches *p)
{
	g_autoptr(GHashTable) owners = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) stack = g_ptr_array_new();

	/* The first of the stack is the base, which is looked up in its table. */
	for (guint i = 0; i < p->stack->len; i++) {
		g_ptr_array_add(stack, p->stack->pdata[i]);
		if (i > 0)
			remember_paths(owners, p->stack->pdata[i]);
	}
	for (guint i = 0; i < p->patches->len; i++) {
		VarveCase c = case_of(p, i, stack);

		if (!is_alive(p, i))
			continue;
		c.owners = owners;
		p->verdicts->pdata[i] = varve_policy_ask(&c, VARVE_STAGE_CONFLICT);
		if (p->verdicts->pdata[i])
			return TRUE;
		remember_paths(owners, c.layer);
		g_ptr_array_add(stack, (gpointer)c.layer);
	}
	return FALSE;
}

/* The stack with the patches that are alive, @without (nullable) one of them. */
static GPtrArray *patched(const Patches *p, const VarveFacts *without)
{
	GPtrArray *stack = g_ptr_array_new();

	for (guint i = 0; i < p->stack->len; i++)
		g_ptr_array_add(stack, p->stack->pdata[i]);
	for (guint i = 0; i < p->patches->len; i++) {
		if (is_alive(p, i) && p->patches->pdata[i] != without)
			g_ptr_array_add(stack, p->patches->pdata[i]);
	}
	return stack;
}

/* Refuses the patch that took @missing away from @layer: the topmost without which it is there. */
static void blame(const Patches *p, const VarveFacts *layer, const char *missing)
{
	guint culprit = p->patches->len;

	for (guint i = p->patches->len; i-- > 0;) {
		g_autoptr(GPtrArray) stack = NULL;
		g_autofree char *still = NULL;

		if (!is_alive(p, i))
			continue;
		if (culprit == p->patches->len)
			culprit = i;
		stack = patched(p, p->patches->pdata[i]);
		still = varve_requires_missing(layer, stack);
		if (still && strcmp(still, missing) == 0)
			continue;
		culprit = i;
		break;
	}
	p->verdicts->pdata[culprit] = varve_refusal_new(
		"requires", "layer '%s' requires '%s', which nothing provides any more with it",
		layer->manifest->name, missing);
}

/* Refuses one that lacks something, or with which another layer would; returns whether there was
 * one. */
static gboolean ask_requires(const Patches *p)
{
	g_autoptr(GPtrArray) stack = patched(p, NULL);

	if (stack->len == p->stack->len)
		return FALSE;
	for (guint i = 0; i < p->patches->len; i++) {
		VarveCase c = case_of(p, i, stack);

		if (!is_alive(p, i))
			continue;
		p->verdicts->pdata[i] = varve_policy_ask(&c, VARVE_STAGE_REQUIRE);
		if (p->verdicts->pdata[i])
			return TRUE;
	}
	for (guint i = 0; i < p->stack->len; i++) {
		const VarveFacts *layer = p->stack->pdata[i];
		g_autofree char *missing = varve_requires_missing(layer, stack);
		g_autofree char *before = missing ? varve_requires_missing(layer, p->stack) : NULL;

		if (!missing || (before && strcmp(before, missing) == 0))
			continue;
		blame(p, layer, missing);
		return TRUE;
	}
	return FALSE;
}

void varve_patches_decide(const VarveCase *common, const GPtrArray *stack, const GPtrArray *patches,
			  GPtrArray *verdicts)
{
	g_autofree const VarveFacts **beaten = g_new0(const VarveFacts *, patches->len + 1);
	const Patches p = { common, stack, patches, verdicts, beaten };

	ask_below(&p);
	/* What cannot work in any case takes no path from others; every further round refuses one
	 * more, for which those that it superseded come back. */
	do
		find_beaten(&p);
	while (ask_requires(&p) || ask_conflicts(&p));
	for (guint i = 0; i < patches->len; i++) {
		if (!verdicts->pdata[i] && beaten[i])
			verdicts->pdata[i] = varve_refusal_new(
				"superseded", "patch '%s' %s stands for all that it overrides",
				beaten[i]->manifest->name, beaten[i]->manifest->version);
	}
}
