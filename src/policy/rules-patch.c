/* Rules about patches: which files of which layers one stands for, whether it may, whether they are
 * the ones that it was made for, and whether it is needed at all. */
#include "base/text.h"
#include "format/version.h"
#include "policy/rule.h"

#include <string.h>
#include <sys/stat.h>

#define SET_ID (S_ISUID | S_ISGID)
#define CAPABILITY_XATTR "security.capability"

static const VarveManifestOverride *override_at(const VarveCase *c, guint i)
{
	return c->layer->manifest->overrides->pdata[i];
}

/* The one table that lets the key do both: override files of that layer, bring that path. */
static gboolean may_override(const VarveCase *c, const VarveManifestOverride *override)
{
	for (guint i = 0; i < c->allows->len; i++) {
		const VarveAllow *allow = c->allows->pdata[i];

		if (!varve_globs_match(allow->paths, override->path))
			continue;
		for (char **glob = allow->patches; *glob; glob++) {
			if (varve_glob_match(*glob, override->layer))
				return TRUE;
		}
	}
	return FALSE;
}

char *varve_rule_patch_scope(const VarveCase *c)
{
	for (guint i = 0; i < c->layer->manifest->overrides->len; i++) {
		const VarveManifestOverride *override = override_at(c, i);

		if (!may_override(c, override))
			return g_strdup_printf("it overrides /%s of layer '%s', and '%s' may not",
					       override->path, override->layer,
					       c->layer->signer->name);
	}
	return NULL;
}

static const VarveFacts *find_layer(const VarveCase *c, const char *name)
{
	for (guint i = 0; i < c->stack->len; i++) {
		const VarveFacts *layer = c->stack->pdata[i];

		if (strcmp(layer->manifest->name, name) == 0)
			return layer;
	}
	return NULL;
}

const VarveManifestPackage *varve_patch_package(const VarveFacts *patch, const char *path)
{
	VarvePath record;

	if (!varve_facts_record(patch, path, &record) || !*record.package)
		return NULL;
	for (guint i = 0; i < patch->manifest->packages->len; i++) {
		const VarveManifestPackage *package = patch->manifest->packages->pdata[i];
		g_autofree char *nevra = varve_manifest_package_nevra(package);

		if (strcmp(nevra, record.package) == 0)
			return package;
	}
	return NULL;
}

static const VarveXattr *capability_of(const VarvePath *path)
{
	for (size_t i = 0; i < path->n_xattrs; i++) {
		if (strcmp(path->xattrs[i].name, CAPABILITY_XATTR) == 0)
			return &path->xattrs[i];
	}
	return NULL;
}

static gboolean same_capability(const VarvePath *x, const VarvePath *y)
{
	const VarveXattr *a = capability_of(x), *b = capability_of(y);

	if (!a || !b)
		return a == b;
	return a->size == b->size && memcmp(a->value, b->value, a->size) == 0;
}

/* Whether @layer has what the patch brings at the override's path, with all that says who may do
 * what with it, or something newer. */
static gboolean carries(const VarveFacts *layer, const VarveFacts *patch, const char *path)
{
	const VarveManifestPackage *package = varve_patch_package(patch, path);
	g_autofree char *evr = package ? varve_manifest_package_evr(package) : NULL;
	VarvePath below, ours;

	if (varve_facts_record(layer, path, &below) && varve_facts_record(patch, path, &ours) &&
	    !S_ISDIR(ours.mode) && below.mode == ours.mode && below.uid == ours.uid &&
	    below.gid == ours.gid && strcmp(below.label, ours.label) == 0 &&
	    same_capability(&below, &ours) && varve_digest_equal(&below.digest, &ours.digest))
		return TRUE;
	for (guint i = 0; package && i < layer->manifest->packages->len; i++) {
		const VarveManifestPackage *there = layer->manifest->packages->pdata[i];
		g_autofree char *theirs = varve_manifest_package_evr(there);

		if (strcmp(there->name, package->name) == 0 &&
		    strcmp(there->arch, package->arch) == 0 &&
		    varve_rpm_evr_compare(theirs, evr) >= 0)
			return TRUE;
	}
	return FALSE;
}

/* Those of the stack whose files are overridden are all in @carrying, in their order. */
static char *who_carries(const VarveCase *c, const GPtrArray *carrying)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < c->stack->len; i++) {
		const VarveFacts *layer = c->stack->pdata[i];

		if (g_ptr_array_find((GPtrArray *)carrying, layer, NULL))
			g_string_append_printf(text, "%s%s %s", text->len ? " and " : "",
					       layer->manifest->name, layer->manifest->version);
	}
	g_string_append(text, carrying->len > 1 ? " carry the fix" : " carries the fix");
	return g_string_free(text, FALSE);
}

char *varve_rule_retired(const VarveCase *c)
{
	const GPtrArray *overrides = c->layer->manifest->overrides;
	g_autoptr(GPtrArray) layers = g_ptr_array_new();

	for (guint i = 0; i < overrides->len; i++) {
		const VarveManifestOverride *override = override_at(c, i);
		const VarveFacts *layer = find_layer(c, override->layer);

		if (!layer || !carries(layer, c->layer, override->path))
			return NULL;
		if (!g_ptr_array_find(layers, layer, NULL))
			g_ptr_array_add(layers, (gpointer)layer);
	}
	return layers->len > 0 ? who_carries(c, layers) : NULL;
}

/* What is wrong with one override; NULL where it is as declared. */
static char *mismatch(const VarveCase *c, const VarveManifestOverride *override)
{
	const VarveFacts *layer = find_layer(c, override->layer);
	char found[VARVE_DIGEST_HEX_SIZE], expected[VARVE_DIGEST_HEX_SIZE];
	VarvePath ours, below;

	if (!varve_facts_find(c->layer, override->path, &ours) || S_ISDIR(ours.mode))
		return g_strdup_printf("it says that it overrides /%s, and does not bring it",
				       override->path);
	if (!layer)
		return g_strdup_printf("it overrides /%s of layer '%s', which is not merged",
				       override->path, override->layer);
	if (strcmp(layer->manifest->version, override->version) != 0)
		return g_strdup_printf(
			"it was made for %s %s, and overrides /%s there; here it is %s %s",
			override->layer, override->version, override->path, override->layer,
			layer->manifest->version);
	if (!varve_facts_record(layer, override->path, &below) || S_ISDIR(below.mode))
		return g_strdup_printf("it overrides /%s of layer '%s', which has no such file",
				       override->path, override->layer);
	if (varve_digest_equal(&below.digest, &override->digest))
		return NULL;
	varve_digest_to_hex(&below.digest, found);
	varve_digest_to_hex(&override->digest, expected);
	return g_strdup_printf("/%s of layer '%s' has the digest %.16s…, it was made for %.16s…",
			       override->path, override->layer, found, expected);
}

char *varve_rule_patch_mismatch(const VarveCase *c)
{
	const GPtrArray *overrides = c->layer->manifest->overrides;

	if (overrides->len == 0)
		return g_strdup("it is a patch, and declares no file that it overrides");
	for (guint i = 0; i < overrides->len; i++) {
		char *sentence = mismatch(c, override_at(c, i));

		if (sentence)
			return sentence;
	}
	return NULL;
}

/* What the patch replaces at @path; FALSE where the file is new. */
static gboolean find_replaced(const VarveCase *c, const char *path, VarvePath *ret)
{
	const VarveManifestOverride *override =
		varve_manifest_find_override(c->layer->manifest, path);
	const VarveFacts *layer = override ? find_layer(c, override->layer) : NULL;

	return layer && varve_facts_find(layer, path, ret);
}

static VarveRefusal *check_set_id(const VarvePath *ours, const VarvePath *below)
{
	if (!S_ISREG(ours->mode) || !(ours->mode & SET_ID))
		return NULL;
	if (!below)
		return varve_refusal_new("setuid",
					 "/%s has mode %04o and replaces no file: a patch brings "
					 "such a bit only where it was",
					 ours->path, ours->mode & 07777);
	if ((ours->mode & SET_ID) == (below->mode & SET_ID) && ours->uid == below->uid &&
	    ours->gid == below->gid)
		return NULL;
	return varve_refusal_new("setuid",
				 "/%s has mode %04o, owner %u:%u; what it replaces has %04o, %u:%u",
				 ours->path, ours->mode & 07777, ours->uid, ours->gid,
				 below->mode & 07777, below->uid, below->gid);
}

VarveRefusal *varve_patch_bits(const VarveCase *c)
{
	for (guint i = 0; i < c->layer->tree->len; i++) {
		const VarvePath *ours = c->layer->tree->pdata[i];
		VarvePath found;
		const VarvePath *below = find_replaced(c, ours->path, &found) ? &found : NULL;
		VarveRefusal *refusal = check_set_id(ours, below);

		if (refusal)
			return refusal;
		if (!capability_of(ours) || (below && same_capability(ours, below)))
			continue;
		return varve_refusal_new("file-capability",
					 below ? "/%s has other capabilities than what it replaces"
					       : "/%s has capabilities and replaces no file: a "
						 "patch brings them only where they were",
					 ours->path);
	}
	return NULL;
}
