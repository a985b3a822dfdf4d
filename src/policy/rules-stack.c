/* Rules about a layer among the others. */
#include "policy/rule.h"

#include <string.h>
#include <sys/stat.h>

char *varve_rule_duplicate_layer(const VarveCase *c)
{
	const char *name = c->layer->manifest->name;

	for (guint i = 0; i < c->stack->len; i++) {
		const VarveFacts *other = c->stack->pdata[i];

		if (other != c->layer && strcmp(other->manifest->name, name) == 0)
			return g_strdup_printf("'%s' in %s is merged already", name,
					       *other->file ? other->file : "the base");
	}
	return NULL;
}

/* Who below @c->layer has @path, and as what; NULL where nobody does. */
static const VarveFacts *owner_of(const VarveCase *c, const char *path, VarvePath *ret_path)
{
	const VarveFacts *owner = g_hash_table_lookup(c->owners, path);

	if (owner && varve_facts_find(owner, path, ret_path))
		return owner;
	return varve_facts_find(c->base, path, ret_path) ? c->base : NULL;
}

/* Whether it is a file that a patch says it overrides, of the layer that it says. */
static gboolean is_override(const VarveCase *c, const VarvePath *path, const VarveFacts *owner)
{
	const VarveManifestOverride *override =
		varve_manifest_find_override(c->layer->manifest, path->path);

	return override && owner->manifest->role != VARVE_ROLE_PATCH &&
	       strcmp(override->layer, owner->manifest->name) == 0;
}

/* (caller frees, nullable) where PATH looks as well for a program that lies at @path. */
static char *other_place(const char *path)
{
	static const char *const places[][2] = { { "usr/bin/", "usr/sbin/" },
						 { "usr/sbin/", "usr/bin/" } };

	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		const char *name;

		if (!g_str_has_prefix(path, places[i][0]))
			continue;
		name = path + strlen(places[i][0]);
		return strchr(name, '/') ? NULL : g_strconcat(places[i][1], name, NULL);
	}
	return NULL;
}

/* (caller frees, nullable) why @path comes in the way of a program that lies below. */
static char *shadow(const VarveCase *c, const VarvePath *path)
{
	g_autofree char *other = S_ISDIR(path->mode) ? NULL : other_place(path->path);
	const VarveFacts *owner;
	VarvePath below;

	if (!other)
		return NULL;
	owner = owner_of(c, other, &below);
	if (!owner || S_ISDIR(below.mode))
		return NULL;
	return g_strdup_printf("/%s is called like /%s of layer '%s': PATH finds one in the place "
			       "of the other",
			       path->path, other, owner->manifest->name);
}

char *varve_rule_path_conflict(const VarveCase *c)
{
	for (guint i = 0; i < c->layer->tree->len; i++) {
		const VarvePath *path = c->layer->tree->pdata[i];
		const VarveFacts *owner;
		VarvePath below;
		char *shadowed;

		owner = owner_of(c, path->path, &below);
		/* What is overridden was found by that name already. */
		if (owner && is_override(c, path, owner))
			continue;
		if (owner && !(S_ISDIR(path->mode) && S_ISDIR(below.mode)))
			return g_strdup_printf("/%s is also in layer '%s'", path->path,
					       owner->manifest->name);
		shadowed = shadow(c, path);
		if (shadowed)
			return shadowed;
	}
	return NULL;
}

/* The topmost directory wins in a merge: all must agree, or the base's would silently change. */
char *varve_rule_directory_mismatch(const VarveCase *c)
{
	for (guint i = 0; i < c->layer->tree->len; i++) {
		const VarvePath *path = c->layer->tree->pdata[i];
		const VarveFacts *owner;
		VarvePath below;

		/* The root is not merged, what is below /usr is. */
		if (!S_ISDIR(path->mode) || path->path[0] == '\0')
			continue;
		owner = owner_of(c, path->path, &below);
		if (!owner)
			continue;
		if (path->mode != below.mode || path->uid != below.uid || path->gid != below.gid)
			return g_strdup_printf(
				"/%s has mode %04o, owner %u:%u; in layer '%s' it has "
				"%04o, %u:%u",
				path->path, path->mode & 07777, path->uid, path->gid,
				owner->manifest->name, below.mode & 07777, below.uid, below.gid);
		if (strcmp(path->label, below.label) != 0)
			return g_strdup_printf("/%s has label '%s'; in layer '%s' it has '%s'",
					       path->path, path->label, owner->manifest->name,
					       below.label);
	}
	return NULL;
}

char *varve_rule_requires(const VarveCase *c)
{
	g_autofree char *missing = varve_requires_missing(c->layer, c->stack);

	if (!missing)
		return NULL;
	return g_strdup_printf(
		"it requires '%s', which neither the base nor another accepted layer "
		"provides",
		missing);
}
