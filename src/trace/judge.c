/* Which of an image's layers a node would merge: by the policy of the base among them. */
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "device/labels.h"
#include "format/version.h"
#include "policy/policy.h"
#include "trace/image.h"

#include <string.h>
#include <sys/stat.h>

#define FILE_LIMIT ((size_t)64 * 1024 * 1024)
#define RELEASE_LIMIT ((size_t)1024 * 1024)
#define RELEASE_DIR "usr/lib/extension-release.d"

/* What the policy reads of a base, in a directory of its own. */
static const char *const policy_files[] = {
	VARVE_POLICY_FILE,
	VARVE_CERTIFICATES_DIR "/*",
	"etc/selinux/config",
	"etc/selinux/*/contexts/files/*",
};

static gboolean is_policy_file(const char *path)
{
	for (gsize i = 0; i < G_N_ELEMENTS(policy_files); i++) {
		if (varve_glob_match(policy_files[i], path))
			return TRUE;
	}
	return FALSE;
}

static gboolean extract(const VarveTraceLayer *base, const GPtrArray *tree, const char *directory,
			GError **error)
{
	for (guint i = 0; i < tree->len; i++) {
		const VarvePath *path = tree->pdata[i];
		g_autofree char *to = NULL, *parent = NULL, *content = NULL;
		size_t size;

		if (!S_ISREG(path->mode) || !is_policy_file(path->path))
			continue;
		to = g_build_filename(directory, path->path, NULL);
		parent = g_path_get_dirname(to);
		if (!varve_erofs_read_file(base->erofs, path->path, FILE_LIMIT, &content, &size,
					   error) ||
		    !varve_dir_make(parent, 0755, error) ||
		    !varve_file_write(AT_FDCWD, to, content, size, 0644, error))
			return FALSE;
	}
	return TRUE;
}

/* A base's policy, its labels, and where they were taken out to. */
typedef struct {
	char *directory;
	VarvePolicy *policy; /* (nullable) with the reason why not */
	GError *policy_error;
	VarveLabels *labels; /* (nullable) */
} Judge;

static void judge_clear(Judge *judge)
{
	varve_labels_free(judge->labels);
	varve_policy_free(judge->policy);
	g_clear_error(&judge->policy_error);
	if (judge->directory)
		varve_dir_remove(AT_FDCWD, judge->directory, NULL);
	g_free(judge->directory);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Judge, judge_clear)

static gboolean judge_open(Judge *judge, const VarveTraceImage *image, const VarveTraceLayer *base,
			   GError **error)
{
	varve_autofd fd = -1;

	judge->directory = g_dir_make_tmp("varve-why-XXXXXX", error);
	if (!judge->directory ||
	    !extract(base, g_hash_table_lookup(image->trees, base), judge->directory, error))
		return FALSE;
	fd = varve_dir_open(AT_FDCWD, judge->directory, error);
	if (fd < 0)
		return FALSE;
	judge->policy = varve_policy_load(fd, &judge->policy_error);
	return varve_labels_open(judge->directory, &judge->labels, error);
}

/* Asks @certificates who signed, under the names that they have. */
static gboolean check_signer(VarveTraceLayer *layer, const GPtrArray *certificates,
			     const char *whose, const VarveCertificate **ret_signer, GError **error)
{
	g_autofree char *basis = g_strdup_printf("its signature was checked now against %s", whose);
	const VarveCertificate *signer = NULL;
	g_autofree char *name = NULL;

	layer->signer_known = TRUE;
	if (!varve_layer_check_signature(layer->layer, certificates, &signer, error)) {
		varve_trace_signer_set(&layer->signer, "", NULL, (*error)->message);
		return FALSE;
	}
	name = g_path_get_basename(varve_certificate_name(signer));
	varve_trace_signer_set(&layer->signer, name, signer, basis);
	layer->signer.verified = TRUE;
	if (ret_signer)
		*ret_signer = signer;
	return TRUE;
}

static VarveTraceRefused *refuse(VarveTraceImage *image, const VarveTraceLayer *layer,
				 const char *code, const char *sentence)
{
	VarveTraceRefused *refused = g_new0(VarveTraceRefused, 1);

	refused->file = g_strdup(layer->file);
	refused->code = g_strdup(code);
	refused->sentence = g_strdup(sentence);
	g_ptr_array_add(image->refused, refused);
	return refused;
}

/* (caller frees, nullable) the layer's extension-release, and whether it is strict. */
static char *read_release(const VarveTraceImage *image, const VarveTraceLayer *layer,
			  gboolean *ret_strict)
{
	const GPtrArray *tree = g_hash_table_lookup(image->trees, layer);
	g_autofree char *path =
		g_strconcat(RELEASE_DIR "/extension-release.", layer->manifest->name, NULL);
	char *text = NULL;

	*ret_strict = TRUE;
	varve_erofs_read_file(layer->erofs, path, RELEASE_LIMIT, &text, NULL, NULL);
	for (guint i = 0; i < tree->len; i++) {
		const VarvePath *found = tree->pdata[i];

		if (strcmp(found->path, path) != 0)
			continue;
		for (size_t x = 0; x < found->n_xattrs; x++) {
			const VarveXattr *xattr = &found->xattrs[x];

			if (strcmp(xattr->name, "user.extension-release.strict") == 0)
				*ret_strict = xattr->size != 1 || memcmp(xattr->value, "0", 1);
		}
	}
	return text;
}

/* Newest first; the file's name decides between equal ones. */
static gint by_name_newest(gconstpointer a, gconstpointer b)
{
	const VarveTraceLayer *x = *(VarveTraceLayer *const *)a, *y = *(VarveTraceLayer *const *)b;
	int order = strcmp(x->manifest->name, y->manifest->name);

	if (order == 0)
		order = varve_version_compare(y->manifest->version, x->manifest->version);
	return order ? order : strcmp(x->file, y->file);
}

/* What of a layer the policy is asked about; everything is borrowed but the text. */
typedef struct {
	VarveTraceLayer *layer;
	char *release;
	VarveFacts facts;
	VarveRefusal *refusal;
} Candidate;

static void candidate_free(gpointer data)
{
	Candidate *candidate = data;

	g_free(candidate->release);
	varve_refusal_free(candidate->refusal);
	g_free(candidate);
}

static VarveFacts facts_of(const VarveTraceImage *image, const VarveTraceLayer *layer)
{
	return (VarveFacts){ .file = layer->file,
			     .root = layer->digest,
			     .manifest = layer->manifest,
			     .paths = layer->paths,
			     .tree = g_hash_table_lookup(image->trees, layer) };
}

static Candidate *candidate_new(const VarveTraceImage *image, VarveTraceLayer *layer,
				const VarvePolicy *policy)
{
	g_autoptr(GPtrArray) certificates = varve_policy_certificates(policy);
	Candidate *candidate = g_new0(Candidate, 1);
	const VarveCertificate *signer = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *revoked = NULL;

	candidate->layer = layer;
	candidate->facts = facts_of(image, layer);
	if (!check_signer(layer, certificates, "the base's certificates", &signer, &error)) {
		candidate->refusal = varve_refusal_new("untrusted", "%s", error->message);
		return candidate;
	}
	candidate->facts.signer = varve_policy_trusted(policy, signer);
	revoked = varve_policy_revoked(policy, candidate->facts.signer, &layer->digest);
	if (revoked)
		candidate->refusal = varve_refusal_new("revoked", "%s", revoked);
	candidate->release = read_release(image, layer, &candidate->facts.extension_release_strict);
	candidate->facts.extension_release = candidate->release;
	return candidate;
}

/* Of each name the newest that is not refused for itself; in the order of names. */
static GPtrArray *choose(VarveTraceImage *image, const GPtrArray *layers, const Judge *judge,
			 const VarveFacts *base, gint64 today)
{
	GPtrArray *chosen = g_ptr_array_new_with_free_func(candidate_free);

	for (guint i = 0; i < layers->len; i++) {
		Candidate *candidate = candidate_new(image, layers->pdata[i], judge->policy);
		const Candidate *last = chosen->len ? chosen->pdata[chosen->len - 1] : NULL;

		if (last &&
		    strcmp(last->layer->manifest->name, candidate->layer->manifest->name) == 0) {
			candidate_free(candidate);
			continue;
		}
		if (!candidate->refusal)
			candidate->refusal =
				varve_policy_judge(judge->policy, base, &candidate->facts, today);
		if (!candidate->refusal) {
			g_ptr_array_add(chosen, candidate);
			continue;
		}
		refuse(image, candidate->layer, candidate->refusal->code,
		       candidate->refusal->sentence);
		candidate_free(candidate);
	}
	return chosen;
}

static void decide(VarveTraceImage *image, const GPtrArray *layers, const Judge *judge,
		   VarveTraceLayer *base_layer, gint64 today, GPtrArray *accepted)
{
	VarveFacts base = facts_of(image, base_layer);
	g_autoptr(GPtrArray) chosen = NULL, facts = g_ptr_array_new(), verdicts = NULL;

	base.labels = judge->labels;
	chosen = choose(image, layers, judge, &base, today);
	for (guint i = 0; i < chosen->len; i++)
		g_ptr_array_add(facts, &((Candidate *)chosen->pdata[i])->facts);
	verdicts = varve_policy_decide(judge->policy, &base, facts, today);
	for (guint i = 0; i < chosen->len; i++) {
		const Candidate *candidate = chosen->pdata[i];
		const VarveRefusal *refusal = verdicts->pdata[i];

		if (refusal)
			refuse(image, candidate->layer, refusal->code, refusal->sentence)->retired =
				refusal->retired;
	}
	/* Patches lie above all others. */
	for (guint i = 0; i < 2 * chosen->len; i++) {
		const Candidate *candidate = chosen->pdata[i % chosen->len];
		gboolean patch = candidate->layer->manifest->role == VARVE_ROLE_PATCH;

		if (!verdicts->pdata[i % chosen->len] && patch == (i >= chosen->len))
			g_ptr_array_add(accepted, candidate->layer);
	}
}

static void check_base(VarveTraceImage *image, VarveTraceLayer *base, const Judge *judge,
		       const GPtrArray *certificates, const char *whose)
{
	g_autoptr(GPtrArray) own = judge->policy ? varve_policy_certificates(judge->policy) : NULL;
	g_autoptr(GError) error = NULL;
	gboolean ok;

	if (certificates)
		ok = check_signer(base, certificates, whose, NULL, &error);
	else if (own)
		ok = check_signer(base, own,
				  "its own certificates; whom a node believes its initrd says",
				  NULL, &error);
	else
		return;
	if (!ok)
		varve_trace_stack_problem(image->stack, "base '%s': %s", base->manifest->name,
					  error->message);
}

/* Keeps of the stack's layers what is in @accepted, in that order; frees the others. */
static void keep(VarveTraceImage *image, const GPtrArray *accepted)
{
	GPtrArray *kept = g_ptr_array_new_with_free_func((GDestroyNotify)varve_trace_layer_free);
	GPtrArray *all = image->stack->layers;

	for (guint i = 0; i < accepted->len; i++) {
		guint index;

		if (!g_ptr_array_find(all, accepted->pdata[i], &index))
			continue;
		all->pdata[index] = NULL;
		g_ptr_array_add(kept, accepted->pdata[i]);
	}
	for (guint i = 0; i < all->len; i++) {
		if (all->pdata[i])
			g_hash_table_remove(image->trees, all->pdata[i]);
	}
	g_ptr_array_unref(all);
	image->stack->layers = kept;
}

static gboolean compose_on(VarveTraceImage *image, VarveTraceLayer *base, GPtrArray *layers,
			   const GPtrArray *certificates, const char *whose, gint64 today,
			   GError **error)
{
	g_autoptr(GPtrArray) accepted = g_ptr_array_new();
	g_auto(Judge) judge = { NULL };

	if (!judge_open(&judge, image, base, error))
		return FALSE;
	g_ptr_array_add(accepted, base);
	check_base(image, base, &judge, certificates, whose);
	if (judge.policy)
		decide(image, layers, &judge, base, today, accepted);
	for (guint i = 0; !judge.policy && i < layers->len; i++)
		refuse(image, layers->pdata[i], "policy-invalid", judge.policy_error->message);
	keep(image, accepted);
	return TRUE;
}

gboolean varve_trace_image_compose(VarveTraceImage *image, const GPtrArray *certificates,
				   const char *whose, gint64 today, GError **error)
{
	g_autoptr(GPtrArray) layers = g_ptr_array_new();
	VarveTraceLayer *base = NULL;

	if (image->stack->layers->len == 0)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND, "there is no layer");
	for (guint i = 0; i < image->stack->layers->len; i++) {
		VarveTraceLayer *layer = image->stack->layers->pdata[i];

		if (layer->manifest->role != VARVE_ROLE_BASE) {
			g_ptr_array_add(layers, layer);
		} else if (base) {
			return varve_fail(error, VARVE_ERROR_CONFLICT,
					  "there are two bases, '%s' and '%s'; say which one",
					  base->file, layer->file);
		} else {
			base = layer;
		}
	}
	g_ptr_array_sort(layers, by_name_newest);
	if (base)
		return compose_on(image, base, layers, certificates, whose, today, error);
	for (guint i = 0; certificates && i < layers->len; i++) {
		g_autoptr(GError) local = NULL;
		VarveTraceLayer *layer = layers->pdata[i];

		if (!check_signer(layer, certificates, whose, NULL, &local))
			varve_trace_stack_problem(image->stack, "layer '%s': %s",
						  layer->manifest->name, local->message);
	}
	keep(image, layers);
	return TRUE;
}
