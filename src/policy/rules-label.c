/* Rules about SELinux labels: what a layer's files may do is what its labels say. */
#include "base/text.h"
#include "policy/rule.h"

#include <string.h>

char *varve_rule_unlabelled(const VarveCase *c)
{
	VarvePath usr;

	if (!varve_facts_find(c->base, "usr", &usr) || usr.label[0] == '\0')
		return NULL;
	for (guint i = 0; i < c->layer->tree->len; i++) {
		const VarvePath *path = c->layer->tree->pdata[i];

		if (path->label[0] == '\0')
			return g_strdup_printf("/%s lacks an SELinux label", path->path);
	}
	return NULL;
}

/* "USER:ROLE:" and what follows the type: a layer chooses types only, and only its key's. */
static gboolean differs_in_type_only(const char *a, const char *b)
{
	g_auto(GStrv) x = g_strsplit(a, ":", 4);
	g_auto(GStrv) y = g_strsplit(b, ":", 4);

	return g_strv_length(x) == 4 && g_strv_length(y) == 4 && strcmp(x[0], y[0]) == 0 &&
	       strcmp(x[1], y[1]) == 0 && strcmp(x[3], y[3]) == 0;
}

static gboolean may_have(const VarveCase *c, const char *label, const char *expected)
{
	g_autofree char *type = varve_labels_type(label);

	for (guint i = 0; i < c->allows->len; i++) {
		const VarveAllow *allow = c->allows->pdata[i];

		if (g_strv_contains((const char *const *)allow->selinux_types, type))
			return differs_in_type_only(label, expected);
	}
	return FALSE;
}

char *varve_rule_wrong_label(const VarveCase *c)
{
	if (!c->base->labels)
		return NULL;
	for (guint i = 0; i < c->layer->tree->len; i++) {
		const VarvePath *path = c->layer->tree->pdata[i];
		g_autofree char *absolute = g_strconcat("/", path->path, NULL);
		g_autofree char *expected =
			varve_labels_find(c->base->labels, absolute, path->mode);

		if (!expected || strcmp(path->label, expected) == 0 ||
		    may_have(c, path->label, expected))
			continue;
		return g_strdup_printf(
			"%s has the label '%s', the base's policy gives it '%s'; its key may "
			"use no other type",
			absolute, path->label, expected);
	}
	return NULL;
}
