/* What a node will say of an edition's layers, asked at build time. */
#include "cli/varve/verdict.h"

#include "base/file.h"
#include "layer/layer.h"
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

static Candidate *open_candidate(const VarvePolicy *policy, const char *file, gboolean base,
				 GError **error)
{
	g_autoptr(GPtrArray) certificates = varve_policy_certificates(policy);
	Candidate *candidate = g_new0(Candidate, 1);
	const VarveCertificate *signer = NULL;
	gboolean ok;

	candidate->name = g_path_get_basename(file);
	candidate->layer = varve_layer_open_path(file, error);
	ok = candidate->layer &&
	     varve_layer_check_signature(candidate->layer, certificates, &signer, error) &&
	     (candidate->manifest = varve_layer_read_manifest(candidate->layer, error)) &&
	     (candidate->paths =
		      varve_layer_read_paths(candidate->layer, candidate->manifest, error)) &&
	     (base || (candidate->tree = varve_layer_read_tree(candidate->layer, FALSE, error))) &&
	     (base || read_release(candidate, error));
	if (!ok) {
		candidate_free(candidate);
		return NULL;
	}
	candidate->facts.file = candidate->name;
	candidate->facts.root = *varve_layer_root(candidate->layer);
	candidate->facts.signer = varve_policy_trusted(policy, signer);
	candidate->facts.manifest = candidate->manifest;
	candidate->facts.paths = candidate->paths;
	candidate->facts.tree = candidate->tree;
	return candidate;
}

static gboolean report(const GPtrArray *candidates, const GPtrArray *refusals, GError **error)
{
	g_autoptr(GString) list = g_string_new(NULL);

	for (guint i = 0; i < refusals->len; i++) {
		const VarveRefusal *refusal = g_ptr_array_index(refusals, i);
		const Candidate *candidate = g_ptr_array_index(candidates, i);

		if (refusal)
			g_string_append_printf(list, "\n  %s: %s: %s\n    %s", candidate->name,
					       refusal->code, refusal->sentence, refusal->next);
	}
	if (!list->len)
		return TRUE;
	return varve_fail(error, VARVE_ERROR_REFUSED,
			  "the edition's own policy refuses what was built:%s", list->str);
}

gboolean varve_verdict(const char *base_root, const char *base, const char *const *files,
		       gint64 today, GError **error)
{
	varve_autofd root = varve_dir_open(AT_FDCWD, base_root, error);
	g_autoptr(VarvePolicy) policy = root < 0 ? NULL : varve_policy_load(root, error);
	g_autoptr(GPtrArray) candidates = g_ptr_array_new_with_free_func(candidate_free);
	g_autoptr(GPtrArray) facts = g_ptr_array_new(), refusals = NULL;
	Candidate *below;
	gboolean ok;

	if (!policy)
		return FALSE;
	for (; *files; files++) {
		Candidate *candidate = open_candidate(policy, *files, FALSE, error);

		if (!candidate)
			return FALSE;
		g_ptr_array_add(candidates, candidate);
		g_ptr_array_add(facts, &candidate->facts);
	}
	below = open_candidate(policy, base, TRUE, error);
	if (!below)
		return FALSE;
	if (!varve_labels_open(base_root, &below->labels, error)) {
		candidate_free(below);
		return FALSE;
	}
	below->facts.labels = below->labels;
	refusals = varve_policy_decide(policy, &below->facts, facts, today);
	ok = report(candidates, refusals, error);
	candidate_free(below);
	return ok;
}
