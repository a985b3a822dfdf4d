/* What a node will say of layers, asked before they are shipped or admitted. */
#include "cli/varve/verdict.h"

#include "base/file.h"
#include "layer/compare.h"
#include "policy/policy.h"

#include <string.h>

#define RELEASE_LIMIT (1 << 20)
#define RELEASE_DIR "usr/lib/extension-release.d"

/* One layer and all that its facts borrow. */
typedef struct {
	VarveLayer *layer;
	VarveManifest *manifest;
	VarvePathTable *paths;
	VarveLabels *labels;
	GPtrArray *tree;
	char *name, *release;
	VarveFacts facts;
	const char *code;      /* static: what an error means while it is opened */
	VarveRefusal *refusal; /* (nullable) found while it was opened */
} Candidate;

static void candidate_free(gpointer pointer)
{
	Candidate *candidate = pointer;

	g_clear_pointer(&candidate->tree, g_ptr_array_unref);
	varve_path_table_free(candidate->paths);
	varve_labels_free(candidate->labels);
	varve_manifest_free(candidate->manifest);
	varve_layer_free(candidate->layer);
	g_free(candidate->name);
	g_free(candidate->release);
	varve_refusal_free(candidate->refusal);
	g_free(candidate);
}

static gboolean read_release(Candidate *candidate, GError **error)
{
	g_autoptr(VarveErofs) erofs = varve_layer_open_erofs(candidate->layer, error);
	g_autofree char *path =
		g_strdup_printf(RELEASE_DIR "/extension-release.%s", candidate->manifest->name);

	if (!erofs ||
	    !varve_erofs_read_file(erofs, path, RELEASE_LIMIT, &candidate->release, NULL, error))
		return FALSE;
	candidate->facts.extension_release = candidate->release;
	candidate->facts.extension_release_strict = TRUE;
	for (guint i = 0; i < candidate->tree->len; i++) {
		const VarvePath *found = g_ptr_array_index(candidate->tree, i);

		if (strcmp(found->path, path) != 0)
			continue;
		for (size_t x = 0; x < found->n_xattrs; x++)
			if (strcmp(found->xattrs[x].name, "user.extension-release.strict") == 0)
				candidate->facts.extension_release_strict =
					found->xattrs[x].size != 1 ||
					memcmp(found->xattrs[x].value, "0", 1) != 0;
	}
	return TRUE;
}

/* Step by step in a node's order; candidate->code is what the step that fails will have meant. */
static gboolean open_candidate(const VarveVerdict *verdict, const VarvePolicy *policy,
			       const char *file, Candidate *candidate, GError **error)
{
	g_autoptr(GPtrArray) certificates = varve_policy_certificates(policy);
	const VarveCertificate *signer = NULL;

	candidate->code = "not-a-layer";
	candidate->layer = varve_layer_open_path(file, error);
	if (!candidate->layer)
		return FALSE;
	candidate->facts.root = *varve_layer_root(candidate->layer);
	candidate->code = "untrusted";
	if (!varve_layer_check_signature(candidate->layer, certificates, &signer, error))
		return FALSE;
	candidate->facts.signer = varve_policy_trusted(policy, signer);
	candidate->code = "damaged";
	if (verdict->whole && !varve_layer_check_data(candidate->layer, error))
		return FALSE;
	candidate->code = "manifest-invalid";
	candidate->facts.manifest = candidate->manifest =
		varve_layer_read_manifest(candidate->layer, error);
	if (!candidate->manifest)
		return FALSE;
	candidate->facts.paths = candidate->paths =
		varve_layer_read_paths(candidate->layer, candidate->manifest, error);
	if (!candidate->paths)
		return FALSE;
	candidate->code = "manifest-mismatch";
	return !verdict->whole || varve_layer_check_tree(candidate->layer, candidate->manifest,
							 candidate->paths, NULL, error);
}

/* A base has no tree of its own to look at: the rules ask its path table. */
static gboolean read_extension(Candidate *candidate, GError **error)
{
	candidate->code = "manifest-invalid";
	candidate->facts.tree = candidate->tree =
		varve_layer_read_tree(candidate->layer, FALSE, error);
	return candidate->tree && read_release(candidate, error);
}

static Candidate *candidate_new(const char *file)
{
	Candidate *candidate = g_new0(Candidate, 1);

	candidate->facts.file = candidate->name = g_path_get_basename(file);
	return candidate;
}

static Candidate *open_base(const VarveVerdict *verdict, const VarvePolicy *policy, GError **error)
{
	Candidate *base = candidate_new(verdict->base);

	if (open_candidate(verdict, policy, verdict->base, base, error) &&
	    varve_labels_open(verdict->base_root, &base->labels, error)) {
		base->facts.labels = base->labels;
		if (base->manifest->role == VARVE_ROLE_BASE)
			return base;
		varve_fail(error, VARVE_ERROR_USAGE, "%s: a layer of role '%s', expected a base",
			   verdict->base, varve_role_name(base->manifest->role));
	}
	candidate_free(base);
	return NULL;
}

/* One bad file does not hide what there is to say of the others; that it is not there does. */
static gboolean open_extension(const VarveVerdict *verdict, const VarvePolicy *policy,
			       const char *file, GPtrArray *candidates, GPtrArray *facts,
			       GError **error)
{
	Candidate *candidate = candidate_new(file);
	g_autoptr(GError) local = NULL;

	g_ptr_array_add(candidates, candidate);
	if (open_candidate(verdict, policy, file, candidate, &local) &&
	    read_extension(candidate, &local)) {
		g_ptr_array_add(facts, &candidate->facts);
		return TRUE;
	}
	if (g_error_matches(local, VARVE_ERROR, VARVE_ERROR_UNTRUSTED) ||
	    g_error_matches(local, VARVE_ERROR, VARVE_ERROR_CORRUPT)) {
		candidate->refusal = varve_refusal_new(candidate->code, "%s", local->message);
		return TRUE;
	}
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

/* @refusals are of those candidates that could be opened, in their order. */
static gboolean report(const VarveVerdict *verdict, const GPtrArray *candidates,
		       const GPtrArray *refusals, GError **error)
{
	g_autofree char *base = g_path_get_basename(verdict->base);
	g_autoptr(GString) list = g_string_new(NULL);
	guint next = 0;

	for (guint i = 0; i < candidates->len; i++) {
		const Candidate *candidate = g_ptr_array_index(candidates, i);
		const VarveRefusal *refusal = candidate->refusal
						      ? candidate->refusal
						      : g_ptr_array_index(refusals, next++);

		if (refusal)
			g_string_append_printf(list, "\n  %s: %s: %s\n    %s", candidate->name,
					       refusal->code, refusal->sentence, refusal->next);
	}
	if (!list->len)
		return TRUE;
	return varve_fail(error, VARVE_ERROR_REFUSED, "the policy of '%s' refuses:%s", base,
			  list->str);
}

gboolean varve_verdict(const VarveVerdict *verdict, VarveDigest *ret_roots, GError **error)
{
	varve_autofd root = varve_dir_open(AT_FDCWD, verdict->base_root, error);
	g_autoptr(VarvePolicy) policy = root < 0 ? NULL : varve_policy_load(root, error);
	g_autoptr(GPtrArray) candidates = g_ptr_array_new_with_free_func(candidate_free);
	g_autoptr(GPtrArray) facts = g_ptr_array_new(), refusals = NULL;
	Candidate *base;
	gboolean ok;

	if (!policy)
		return FALSE;
	for (const char *const *file = verdict->files; *file; file++) {
		if (!open_extension(verdict, policy, *file, candidates, facts, error))
			return FALSE;
	}
	base = open_base(verdict, policy, error);
	if (!base)
		return FALSE;
	refusals = varve_policy_decide(policy, &base->facts, facts, verdict->today);
	ok = report(verdict, candidates, refusals, error);
	for (guint i = 0; ok && ret_roots && i < facts->len; i++)
		ret_roots[i] = ((const VarveFacts *)facts->pdata[i])->root;
	if (ok && ret_roots)
		ret_roots[facts->len] = base->facts.root;
	candidate_free(base);
	return ok;
}

gboolean varve_verdict_platform_key(const char *base_root, const VarveCertificate *certificate,
				    GError **error)
{
	varve_autofd root = varve_dir_open(AT_FDCWD, base_root, error);
	g_autoptr(GPtrArray) trusted = root < 0 ? NULL : varve_certificates_load(root, error);

	if (!trusted)
		return FALSE;
	for (guint i = 0; i < trusted->len; i++) {
		const VarveTrusted *one = trusted->pdata[i];

		if (varve_certificate_same_key(one->certificate, certificate))
			return varve_fail(error, VARVE_ERROR_REFUSED,
					  "the key of '%s' signs layers (the base has it as "
					  "/" VARVE_CERTIFICATES_DIR "/%s), so it cannot be the "
					  "platform key: who signs layers could sign a kernel; "
					  "keep a key of its own for the platform",
					  varve_certificate_name(certificate), one->name);
	}
	return TRUE;
}
