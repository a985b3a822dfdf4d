/* From candidates to a decision each: the rules are asked one by one, then about the stack. */
#include "base/text.h"
#include "policy/rule.h"

#include <string.h>

static gint compare_path(gconstpointer a, gconstpointer b)
{
	const VarvePath *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

gboolean varve_facts_find(const VarveFacts *facts, const char *path, VarvePath *ret_path)
{
	VarvePath wanted = { .path = path };
	const VarvePath *key = &wanted;
	const VarvePath **found;
	gsize index;

	if (facts->tree) {
		found = bsearch(&key, facts->tree->pdata, facts->tree->len, sizeof(gpointer),
				compare_path);
		if (found)
			*ret_path = **found;
		return found != NULL;
	}
	return facts->paths && varve_path_table_find(facts->paths, path, &index, NULL) &&
	       varve_path_table_get(facts->paths, index, ret_path, NULL);
}

gboolean varve_facts_record(const VarveFacts *facts, const char *path, VarvePath *ret_path)
{
	gsize index;

	if (!facts->paths)
		return varve_facts_find(facts, path, ret_path);
	return varve_path_table_find(facts->paths, path, &index, NULL) &&
	       varve_path_table_get(facts->paths, index, ret_path, NULL);
}

static gboolean is_for(const VarveAllow *allow, const VarveTrusted *signer, const char *name)
{
	if (strcmp(allow->certificate, signer->name) != 0)
		return FALSE;
	for (char **glob = allow->layers; *glob; glob++) {
		if (varve_glob_match(*glob, name))
			return TRUE;
	}
	return FALSE;
}

gboolean varve_policy_may_sign(const VarvePolicy *policy, const VarveTrusted *signer,
			       const char *name)
{
	for (guint i = 0; i < policy->allows->len; i++) {
		if (is_for(policy->allows->pdata[i], signer, name))
			return TRUE;
	}
	return FALSE;
}

/* The policy's rules for the candidate's certificate, name and role. */
static GPtrArray *applying(const VarvePolicy *policy, const VarveFacts *layer)
{
	GPtrArray *list = g_ptr_array_new();

	for (guint i = 0; i < policy->allows->len; i++) {
		VarveAllow *allow = policy->allows->pdata[i];

		if (is_for(allow, layer->signer, layer->manifest->name) &&
		    (allow->roles & (1u << layer->manifest->role)) != 0)
			g_ptr_array_add(list, allow);
	}
	return list;
}

VarveRefusal *varve_policy_ask(const VarveCase *c, VarveStage stage)
{
	for (const VarveRule *rule = varve_policy_rules(); rule->reason.code; rule++) {
		g_autofree char *sentence = NULL;

		if (rule->stage != stage)
			continue;
		sentence = rule->check(c);
		if (sentence)
			return varve_refusal_new(rule->reason.code, "%s", sentence);
	}
	return NULL;
}

VarveRefusal *varve_policy_judge(const VarvePolicy *policy, const VarveFacts *base,
				 const VarveFacts *layer, gint64 today)
{
	g_autoptr(GPtrArray) allows = applying(policy, layer);
	VarveCase c = {
		.policy = policy, .base = base, .layer = layer, .allows = allows, .today = today
	};

	return varve_policy_ask(&c, VARVE_STAGE_SELF);
}

static void remember_paths(GHashTable *owners, const VarveFacts *layer)
{
	for (guint i = 0; i < layer->tree->len; i++) {
		const VarvePath *path = layer->tree->pdata[i];

		if (!g_hash_table_contains(owners, path->path))
			g_hash_table_insert(owners, (gpointer)path->path, (gpointer)layer);
	}
}

/* Refuses, lowest first, what collides with the base or with an accepted layer below. */
static void ask_conflicts(const VarveCase *common, const GPtrArray *candidates, GPtrArray *hard,
			  GPtrArray *verdicts)
{
	g_autoptr(GHashTable) owners = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GPtrArray) stack = g_ptr_array_new();

	g_ptr_array_add(stack, (gpointer)common->base);
	for (guint i = 0; i < candidates->len; i++) {
		VarveCase c = *common;
		VarveRefusal *refusal;

		varve_refusal_free(verdicts->pdata[i]);
		verdicts->pdata[i] = NULL;
		if (hard->pdata[i])
			continue;
		c.layer = candidates->pdata[i];
		c.owners = owners;
		c.stack = stack;
		refusal = varve_policy_ask(&c, VARVE_STAGE_CONFLICT);
		verdicts->pdata[i] = refusal;
		if (refusal)
			continue;
		remember_paths(owners, c.layer);
		g_ptr_array_add(stack, (gpointer)c.layer);
	}
}

/* Refuses for good who lacks something; returns whether there was one. */
static gboolean ask_requires(const VarveCase *common, const GPtrArray *candidates, GPtrArray *hard,
			     const GPtrArray *verdicts)
{
	g_autoptr(GPtrArray) stack = g_ptr_array_new();
	gboolean changed = FALSE;

	g_ptr_array_add(stack, (gpointer)common->base);
	for (guint i = 0; i < candidates->len; i++) {
		if (!hard->pdata[i] && !verdicts->pdata[i])
			g_ptr_array_add(stack, candidates->pdata[i]);
	}
	for (guint i = 0; i < candidates->len; i++) {
		VarveCase c = *common;

		if (hard->pdata[i] || verdicts->pdata[i])
			continue;
		c.layer = candidates->pdata[i];
		c.stack = stack;
		hard->pdata[i] = varve_policy_ask(&c, VARVE_STAGE_REQUIRE);
		changed = changed || hard->pdata[i];
	}
	return changed;
}

/* In turn until nothing changes: every further round refuses one more for good. */
static GPtrArray *decide_extensions(const VarveCase *common, const GPtrArray *candidates,
				    GPtrArray *hard)
{
	GPtrArray *verdicts = g_ptr_array_new_with_free_func((GDestroyNotify)varve_refusal_free);

	g_ptr_array_set_size(verdicts, (gint)candidates->len);
	/* First what cannot work in any case, so that it takes no path from others. */
	while (ask_requires(common, candidates, hard, verdicts))
		continue;
	do {
		ask_conflicts(common, candidates, hard, verdicts);
	} while (ask_requires(common, candidates, hard, verdicts));
	for (guint i = 0; i < candidates->len; i++) {
		if (hard->pdata[i])
			verdicts->pdata[i] = g_steal_pointer(&hard->pdata[i]);
	}
	return verdicts;
}

static gboolean is_patch(const VarveFacts *layer)
{
	return layer->manifest->role == VARVE_ROLE_PATCH;
}

/* Those that are patches, or are not, with what was found of each. @hard gives up its own. */
static void pick(const GPtrArray *candidates, gboolean patches, GPtrArray *hard, GPtrArray *ret,
		 GPtrArray *ret_hard)
{
	for (guint i = 0; i < candidates->len; i++) {
		if (is_patch(candidates->pdata[i]) != patches)
			continue;
		g_ptr_array_add(ret, candidates->pdata[i]);
		g_ptr_array_add(ret_hard, g_steal_pointer(&hard->pdata[i]));
	}
}

GPtrArray *varve_policy_decide(const VarvePolicy *policy, const VarveFacts *base,
			       const GPtrArray *candidates, gint64 today)
{
	GDestroyNotify free_refusal = (GDestroyNotify)varve_refusal_free;
	g_autoptr(GPtrArray) verdicts = g_ptr_array_new_with_free_func(free_refusal);
	g_autoptr(GPtrArray) hard = g_ptr_array_new_with_free_func(free_refusal);
	g_autoptr(GPtrArray) on_patches = g_ptr_array_new_with_free_func(free_refusal);
	g_autoptr(GPtrArray) extensions = g_ptr_array_new(), patches = g_ptr_array_new();
	g_autoptr(GPtrArray) stack = g_ptr_array_new(), on_extensions = NULL;
	VarveCase common = { .policy = policy, .base = base, .today = today };
	guint next_patch = 0, next_extension = 0;

	g_ptr_array_set_size(verdicts, (gint)candidates->len);
	for (guint i = 0; i < candidates->len; i++) {
		const VarveFacts *layer = candidates->pdata[i];

		if (!layer->passed)
			verdicts->pdata[i] = varve_policy_judge(policy, base, layer, today);
	}
	pick(candidates, FALSE, verdicts, extensions, hard);
	pick(candidates, TRUE, verdicts, patches, on_patches);
	on_extensions = decide_extensions(&common, extensions, hard);
	g_ptr_array_add(stack, (gpointer)base);
	for (guint i = 0; i < extensions->len; i++) {
		if (!on_extensions->pdata[i])
			g_ptr_array_add(stack, extensions->pdata[i]);
	}
	varve_patches_decide(&common, stack, patches, on_patches);
	for (guint i = 0; i < candidates->len; i++)
		verdicts->pdata[i] =
			is_patch(candidates->pdata[i])
				? g_steal_pointer(&on_patches->pdata[next_patch++])
				: g_steal_pointer(&on_extensions->pdata[next_extension++]);
	return g_steal_pointer(&verdicts);
}
