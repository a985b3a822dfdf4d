/* The nodes of a regular expression's tree, and what is known of each as it is made. */
#include "definition/regex-tree.h"

static VarveRegexNode *new_node(VarveRegexKind kind)
{
	VarveRegexNode *node = g_new0(VarveRegexNode, 1);

	node->kind = kind;
	node->height = 1;
	node->repeats = 1;
	node->nullable = TRUE;
	return node;
}

static void adopt(VarveRegexNode *node, const VarveRegexNode *child)
{
	node->height = MAX(node->height, child->height + 1);
	node->repeats = MAX(node->repeats, child->repeats);
}

VarveRegexNode *varve_regex_node_empty(void)
{
	return new_node(VARVE_REGEX_EMPTY);
}

VarveRegexNode *varve_regex_node_one(VarveRuneSet *set)
{
	VarveRegexNode *node = new_node(VARVE_REGEX_ONE);

	node->set = set;
	node->nullable = FALSE;
	return node;
}

VarveRegexNode *varve_regex_node_assertion(VarveRegexAssertion assertion)
{
	VarveRegexNode *node = new_node(VARVE_REGEX_ASSERTION);

	node->assertion = assertion;
	return node;
}

/* Of a choice between single characters: one of them all; NULL: there are others. */
static VarveRuneSet *unite(const GPtrArray *children)
{
	g_autoptr(VarveRuneSet) set = varve_rune_set_new();

	for (guint i = 0; i < children->len; i++) {
		const VarveRegexNode *child = g_ptr_array_index(children, i);

		if (child->kind != VARVE_REGEX_ONE)
			return NULL;
		varve_rune_set_add_set(set, child->set);
	}
	return g_steal_pointer(&set);
}

VarveRegexNode *varve_regex_node_join(VarveRegexKind kind, GPtrArray *children)
{
	VarveRegexNode *node;
	VarveRuneSet *set;

	if (kind == VARVE_REGEX_CHOICE && children->len > 1 && (set = unite(children))) {
		g_ptr_array_unref(children);
		return varve_regex_node_one(set);
	}
	if (children->len == 1) {
		node = g_ptr_array_steal_index(children, 0);
		g_ptr_array_unref(children);
		return node;
	}
	node = new_node(children->len == 0 ? VARVE_REGEX_EMPTY : kind);
	node->children = children;
	node->nullable = kind == VARVE_REGEX_SEQUENCE;
	for (guint i = 0; i < children->len; i++) {
		const VarveRegexNode *child = g_ptr_array_index(children, i);

		adopt(node, child);
		node->nullable = kind == VARVE_REGEX_SEQUENCE ? node->nullable && child->nullable
							      : node->nullable || child->nullable;
	}
	return node;
}

/* Once the same repetition of a repetition is that repetition; and what is empty stays so. */
static gboolean is_idempotent(const VarveRegexNode *child, int min, int max, gboolean lazy)
{
	if (child->kind == VARVE_REGEX_EMPTY || (min == 1 && max == 1))
		return TRUE;
	return child->kind == VARVE_REGEX_REPEAT && child->min == min && child->max == max &&
	       child->lazy == lazy && min <= 1 && (max == 1 || max == VARVE_REGEX_UNLIMITED);
}

VarveRegexNode *varve_regex_node_repeat(VarveRegexNode *child, int min, int max, gboolean lazy)
{
	VarveRegexNode *node;

	if (is_idempotent(child, min, max, lazy))
		return child;
	node = new_node(VARVE_REGEX_REPEAT);
	node->children = g_ptr_array_new_with_free_func((GDestroyNotify)varve_regex_node_free);
	g_ptr_array_add(node->children, child);
	adopt(node, child);
	node->min = min;
	node->max = max;
	node->lazy = lazy;
	node->nullable = min == 0 || child->nullable;
	if (max == 0)
		node->repeats = 1;
	else
		node->repeats *= (guint)MAX(1, max == VARVE_REGEX_UNLIMITED ? min : max);
	return node;
}

VarveRegexNode *varve_regex_node_group(VarveRegexNode *child)
{
	VarveRegexNode *node = new_node(VARVE_REGEX_GROUP);

	node->children = g_ptr_array_new_with_free_func((GDestroyNotify)varve_regex_node_free);
	g_ptr_array_add(node->children, child);
	adopt(node, child);
	node->nullable = child->nullable;
	return node;
}

void varve_regex_node_free(VarveRegexNode *node)
{
	if (!node)
		return;
	varve_rune_set_unref(node->set);
	g_clear_pointer(&node->children, g_ptr_array_unref);
	g_free(node);
}
