/* Whether a stack provides what a layer requires: capabilities, files, and RPM's boolean
 * dependencies (rpm's manual, boolean dependencies). */
#include "format/version.h"
#include "policy/rule.h"

#include <string.h>

#define DEPTH_MAX 16

typedef struct {
	const GPtrArray *stack;
	GHashTable *provides; /* name → GPtrArray of const char *, borrowed */
} Index;

static gsize name_length(const char *capability)
{
	return strcspn(capability, " ");
}

/* "libssl.so.3" of "libssl.so.3(OPENSSL_3.0.0)(64bit)", "bash" of "bash(x86-64) = 5.2". */
static char *stem_of(const char *capability)
{
	return g_strndup(capability, strcspn(capability, " ("));
}

static gboolean is_soname(const char *capability)
{
	const char *so = strstr(capability, ".so");

	return so && (so[3] == '.' || so[3] == '(') && strchr(so, '(');
}

/* What a patch takes the place of in the layers that it patches: its packages by their names, and
 * whatever an older build of its libraries had. A library whose name it does not provide stays. */
static void add_replaced(GHashTable *replaced, const VarveManifest *patch)
{
	for (guint i = 0; i < patch->packages->len; i++) {
		const VarveManifestPackage *package = patch->packages->pdata[i];

		g_hash_table_add(replaced, g_strdup(package->name));
	}
	for (char **provides = patch->provides; *provides; provides++) {
		g_autofree char *stem = stem_of(*provides);

		if (is_soname(*provides))
			g_hash_table_add(replaced, g_strconcat(stem, "(", NULL));
		else if (g_hash_table_contains(replaced, stem))
			g_hash_table_add(replaced, g_strndup(*provides, name_length(*provides)));
	}
}

static gboolean patches(const VarveManifest *patch, const VarveManifest *layer)
{
	for (guint i = 0; i < patch->overrides->len; i++) {
		const VarveManifestOverride *override = patch->overrides->pdata[i];

		if (strcmp(override->layer, layer->name) == 0)
			return TRUE;
	}
	return FALSE;
}

/* (caller unrefs) what the patches of @stack replace of @layer. */
static GHashTable *replaced_of(const GPtrArray *stack, const VarveManifest *layer)
{
	GHashTable *replaced = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < stack->len; i++) {
		const VarveManifest *patch = ((const VarveFacts *)stack->pdata[i])->manifest;

		if (patch->role == VARVE_ROLE_PATCH && patch != layer && patches(patch, layer))
			add_replaced(replaced, patch);
	}
	return replaced;
}

static gboolean is_replaced(GHashTable *replaced, const char *capability)
{
	g_autofree char *name = NULL, *stem = NULL;

	if (g_hash_table_size(replaced) == 0)
		return FALSE;
	name = g_strndup(capability, name_length(capability));
	stem = stem_of(capability);
	if (is_soname(capability)) {
		g_autofree char *family = g_strconcat(stem, "(", NULL);

		return g_hash_table_contains(replaced, family);
	}
	return g_hash_table_contains(replaced, name);
}

static void add_provides(Index *index, char *const *provides, GHashTable *replaced)
{
	for (; *provides; provides++) {
		g_autofree char *name = g_strndup(*provides, name_length(*provides));
		GPtrArray *list = g_hash_table_lookup(index->provides, name);

		if (is_replaced(replaced, *provides))
			continue;
		if (!list) {
			list = g_ptr_array_new();
			g_hash_table_insert(index->provides, g_steal_pointer(&name), list);
		}
		g_ptr_array_add(list, *provides);
	}
}

static gboolean has_file(const Index *index, const char *path)
{
	g_autofree char *merged = g_strconcat("usr", path, NULL);
	VarvePath found;

	for (guint i = 0; i < index->stack->len; i++) {
		const VarveFacts *facts = index->stack->pdata[i];

		if (varve_facts_find(facts, path + 1, &found) ||
		    varve_facts_find(facts, merged, &found))
			return TRUE;
	}
	return FALSE;
}

static gboolean has_capability(const Index *index, const char *required)
{
	g_autofree char *name = g_strndup(required, name_length(required));
	const GPtrArray *list = g_hash_table_lookup(index->provides, name);

	for (guint i = 0; list && i < list->len; i++) {
		if (varve_capability_satisfies(list->pdata[i], required))
			return TRUE;
	}
	/* What rpm itself must be able to do is not the stack's business. */
	return (required[0] == '/' && has_file(index, required)) ||
	       g_str_has_prefix(required, "rpmlib(");
}

/* The end of the operand at @text: a parenthesised group, or everything to " OPERATOR ". */
static const char *operand_end(const char *text)
{
	static const char *const operators[] = { " or ",   " and ",     " if ",  " unless ",
						 " with ", " without ", " else " };
	guint depth = 0;

	for (const char *p = text; *p; p++) {
		if (*p == '(')
			depth++;
		else if (*p == ')' && depth-- == 0)
			return p;
		for (gsize i = 0; depth == 0 && *p == ' ' && i < G_N_ELEMENTS(operators); i++) {
			if (g_str_has_prefix(p, operators[i]))
				return p;
		}
	}
	return text + strlen(text);
}

static gboolean satisfied(const Index *index, const char *required, guint depth);

/* Evaluates "A or B or C", "A if B", "A if B else C" without the outer parentheses. */
static gboolean evaluate(const Index *index, const char *text, guint depth)
{
	gboolean value, has_value = FALSE;
	g_autofree char *joiner = g_strdup("");

	value = FALSE;
	while (*text) {
		const char *end = operand_end(text);
		g_autofree char *operand = g_strndup(text, (gsize)(end - text));
		gboolean one = satisfied(index, operand, depth + 1);

		if (!has_value)
			value = one;
		else if (strcmp(joiner, "or") == 0)
			value = value || one;
		else if (strcmp(joiner, "and") == 0 || strcmp(joiner, "with") == 0)
			value = value && one;
		else if (strcmp(joiner, "without") == 0)
			value = value && !one;
		else if (strcmp(joiner, "if") == 0) {
			const char *other = end;

			if (one)
				return value;
			return g_str_has_prefix(other, " else ")
				       ? satisfied(index, other + strlen(" else "), depth + 1)
				       : TRUE;
		} else {
			return FALSE;
		}
		has_value = TRUE;
		if (*end != ' ')
			break;
		g_free(joiner);
		joiner = g_strndup(end + 1, strcspn(end + 1, " "));
		text = end + 1 + strlen(joiner);
		text += *text == ' ';
	}
	return value;
}

static gboolean satisfied(const Index *index, const char *required, guint depth)
{
	g_autofree char *inner = NULL;
	gsize length = strlen(required);

	if (required[0] != '(')
		return has_capability(index, required);
	if (depth > DEPTH_MAX || length < 2 || required[length - 1] != ')')
		return FALSE;
	inner = g_strndup(required + 1, length - 2);
	return evaluate(index, inner, depth);
}

char *varve_requires_missing(const VarveFacts *layer, const GPtrArray *stack)
{
	g_autoptr(GHashTable) provides = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
							       (GDestroyNotify)g_ptr_array_unref);
	Index index = { .stack = stack, .provides = provides };

	for (guint i = 0; i < stack->len; i++) {
		const VarveFacts *facts = stack->pdata[i];
		g_autoptr(GHashTable) replaced = replaced_of(stack, facts->manifest);

		add_provides(&index, facts->manifest->provides, replaced);
	}
	for (char **required = layer->manifest->requires; *required; required++) {
		if (!satisfied(&index, *required, 0))
			return g_strdup(*required);
	}
	return NULL;
}
