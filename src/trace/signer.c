/* Who signed a layer that runs: the signature is checked where it lies. */
#include "base/error.h"
#include "base/file.h"
#include "ground/block.h"
#include "ground/fd.h"
#include "ground/syscalls.h"
#include "policy/policy.h"
#include "stack/generation.h"
#include "trace/node.h"

#include <string.h>

/* No directory of layers has more that are worth looking at. */
#define FILES_MAX 1000

static const VarveReportLayer *reported(const VarveTraceNode *node, const VarveTraceLayer *layer)
{
	if (!node->boot)
		return NULL;
	if (strcmp(node->boot->base->root, layer->root) == 0)
		return node->boot->base;
	for (guint i = 0; i < node->boot->layers->len; i++) {
		const VarveReportLayer *candidate = node->boot->layers->pdata[i];

		if (candidate->accepted && strcmp(candidate->root, layer->root) == 0)
			return candidate;
	}
	return NULL;
}

static int open_sibling(const char *device, const char *name, const char *suffix, GError **error)
{
	g_autofree char *sibling = g_strconcat(name, suffix, NULL);
	char path[VARVE_DEVICE_PATH_SIZE];
	int fd;

	if (varve_block_find_sibling(device, sibling, path) != 1) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "there is no partition '%s' beside %s",
			   sibling, device);
		return -1;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		varve_fail_errno(error, errno, "%s", path);
	return fd;
}

static VarveLayer *open_partitions(const VarveTraceLayer *layer, char **ret_what, GError **error)
{
	char uuid[37], device[VARVE_DEVICE_PATH_SIZE], name[64];
	varve_autofd data = -1, hash = -1, signature = -1;

	if (varve_uuid_from_hash(layer->root, 0, uuid) < 0 || varve_block_find(uuid, device) != 1 ||
	    varve_block_name(device, name, sizeof(name)) < 0) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "there is no partition for its root hash");
		return NULL;
	}
	data = open(device, O_RDONLY | O_CLOEXEC);
	if (data < 0) {
		varve_fail_errno(error, errno, "%s", device);
		return NULL;
	}
	hash = open_sibling(device, name, "-verity", error);
	signature = hash < 0 ? -1 : open_sibling(device, name, "-sig", error);
	*ret_what = g_strdup_printf("the signature in partition %s-sig", name);
	return signature < 0 ? NULL
			     : varve_layer_open_partitions(data, hash, signature, "base", error);
}

/* The file in the directory of layers with this root hash; (nullable). */
static VarveLayer *open_file(int dir, const char *name, const VarveTraceLayer *layer)
{
	varve_autofd fd =
		varve_openat2(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, VARVE_RESOLVE_STRICT);
	g_autoptr(VarveLayer) file = fd < 0 ? NULL : varve_layer_open(fd, name, NULL);

	if (!file || !varve_digest_equal(varve_layer_root(file), &layer->digest))
		return NULL;
	return g_steal_pointer(&file);
}

static VarveLayer *find_file(const VarveTraceNode *node, VarveTraceLayer *layer, char **ret_what,
			     GError **error)
{
	const VarveReportLayer *hint = reported(node, layer);
	varve_autofd dir = varve_dir_open(AT_FDCWD, "/" VARVE_CANDIDATES_DIR, error);
	g_auto(GStrv) names = NULL;
	VarveLayer *found = NULL;
	const char *name = NULL;

	if (dir < 0)
		return NULL;
	if (hint && *hint->file && !strchr(hint->file, '/')) {
		name = hint->file;
		found = open_file(dir, name, layer);
	}
	if (!found && !varve_dir_list(dir, ".", &names, error))
		return NULL;
	for (guint i = 0; !found && names[i] && i < FILES_MAX; i++) {
		name = names[i];
		found = g_str_has_suffix(name, ".raw") ? open_file(dir, name, layer) : NULL;
	}
	if (!found) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND,
			   "its file is not in /" VARVE_CANDIDATES_DIR " any more");
		return NULL;
	}
	g_free(layer->file);
	layer->file = g_strdup(name);
	*ret_what = g_strdup_printf("the signature in '%s'", name);
	return found;
}

static gboolean load_trusted(VarveTraceNode *node, GError **error)
{
	const VarveTraceLayer *base = node->stack->layers->pdata[0];

	if (!node->trusted)
		node->trusted = varve_certificates_load(base->fd, error);
	return node->trusted != NULL;
}

static gboolean check(VarveTraceNode *node, VarveTraceLayer *layer, GError **error)
{
	g_autoptr(GPtrArray) certificates = g_ptr_array_new();
	gboolean base = layer->manifest->role == VARVE_ROLE_BASE;
	const VarveCertificate *signer = NULL;
	g_autofree char *what = NULL, *basis = NULL;
	const char *name = "";

	layer->layer =
		base ? open_partitions(layer, &what, error) : find_file(node, layer, &what, error);
	if (!layer->layer || !load_trusted(node, error))
		return FALSE;
	for (guint i = 0; i < node->trusted->len; i++)
		g_ptr_array_add(certificates,
				((const VarveTrusted *)node->trusted->pdata[i])->certificate);
	if (!varve_digest_equal(varve_layer_root(layer->layer), &layer->digest))
		return varve_fail(error, VARVE_ERROR_UNTRUSTED, "%s is over another root hash",
				  what);
	if (!varve_layer_check_signature(layer->layer, certificates, &signer, error))
		return FALSE;
	for (guint i = 0; i < node->trusted->len; i++) {
		const VarveTrusted *trusted = node->trusted->pdata[i];

		if (trusted->certificate == signer)
			name = trusted->name;
	}
	basis = g_strdup_printf("%s was checked now against the base's own certificates%s", what,
				base ? "; the boot checked it against the initrd's" : "");
	varve_trace_signer_set(&layer->signer, name, signer, basis);
	layer->signer.verified = TRUE;
	return TRUE;
}

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

void varve_trace_node_signer(VarveTraceNode *node, VarveTraceLayer *layer)
{
	const VarveReportLayer *report;
	g_autoptr(GError) error = NULL;
	g_autofree char *basis = NULL;

	if (layer->signer_known)
		return;
	layer->signer_known = TRUE;
	if (check(node, layer, &error))
		return;
	if (g_error_matches(error, VARVE_ERROR, VARVE_ERROR_UNTRUSTED) ||
	    g_error_matches(error, VARVE_ERROR, VARVE_ERROR_CORRUPT))
		varve_trace_stack_problem(node->stack, "the signature of layer '%s': %s",
					  layer->manifest->name, error->message);
	report = reported(node, layer);
	basis = g_strdup_printf("%s; not checked now: %s",
				report ? "as the boot reported it" : "nobody is known",
				error->message);
	varve_trace_signer_set(&layer->signer, report ? report->certificate : "", NULL, basis);
	if (!report)
		return;
	set(&layer->signer.subject, report->signer);
	layer->signer.development = report->development;
	if (!*layer->file)
		set(&layer->file, report->file);
}
