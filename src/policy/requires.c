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

static void add_provides(Index *index, char *const *provides)
{
	for (; *provides; provides++) {
		g_autofree char *name = g_strndup(*provides, name_length(*provides));
		GPtrArray *list = g_hash_table_lookup(index->provides, name);

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

		add_provides(&index, facts->manifest->provides);
	}
	for (char **required = layer->manifest->requires; *required; required++) {
		if (!satisfied(&index, *required, 0))
			return g_strdup(*required);
	}
	return NULL;
}
