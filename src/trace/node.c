/* Opening the layers of a running node. */
#include "trace/node.h"

#include "base/error.h"
#include "base/file.h"
#include "device/verity-device.h"
#include "ground/cmdline.h"
#include "ground/fd.h"
#include "stack/node.h"

#include <string.h>
#include <sys/stat.h>

#define EMPTY_DIR VARVE_RUN_DIR "/empty"

void varve_trace_node_free(VarveTraceNode *node)
{
	if (!node)
		return;
	varve_trace_stack_free(node->stack);
	g_clear_pointer(&node->mounts, g_ptr_array_unref);
	g_clear_pointer(&node->by_lower, g_ptr_array_unref);
	g_clear_pointer(&node->trusted, g_ptr_array_unref);
	varve_report_free(node->boot);
	varve_past_free(node->past);
	g_free(node->upper);
	g_free(node);
}

/* What the kernel checks the layer's blocks against decides which layer it is; names are claims. */
static void ask_device(VarveTraceNode *node, VarveTraceLayer *layer, const char *where)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *hex = NULL;
	VarveDigest root;

	g_free(layer->enforcement);
	if (varve_verity_device_root(layer->device, &root, &error)) {
		layer->enforced = varve_digest_equal(&root, &layer->digest);
		layer->enforcement = g_strdup("the kernel checks every block that is read "
					      "(dm-verity)");
		if (layer->enforced)
			return;
		hex = varve_digest_dup_hex(&root);
		varve_trace_stack_problem(node->stack,
					  "%s is mounted from a device with root hash %s: another "
					  "layer was put in its place",
					  where, hex);
		return;
	}
	layer->enforcement = g_strdup(error->message);
	if (g_error_matches(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND) ||
	    g_error_matches(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED))
		varve_trace_stack_problem(node->stack, "nothing checks what is read from %s: %s",
					  where, error->message);
}

/* The layer at the mount @where; its root hash is @root unless the kernel knows better. */
static VarveTraceLayer *open_layer(VarveTraceNode *node, const char *where, const VarveDigest *root,
				   GError **error)
{
	g_autoptr(VarveTraceLayer) layer = varve_trace_layer_new(root);
	struct stat st;

	layer->fd = varve_dir_open(AT_FDCWD, where, error);
	if (layer->fd < 0)
		return NULL;
	if (!varve_trace_layer_load(layer, error)) {
		g_prefix_error(error, "%s: ", where);
		return NULL;
	}
	if (fstat(layer->fd, &st) < 0) {
		varve_fail_errno(error, errno, "%s", where);
		return NULL;
	}
	layer->device = st.st_dev;
	ask_device(node, layer, where);
	return g_steal_pointer(&layer);
}

/* The root hash of the base, as far as it can be known: the kernel's, else the command line's. */
static gboolean base_root(const VarveTraceNode *node, VarveDigest *ret)
{
	char cmdline[VARVE_CMDLINE_SIZE], hex[80];
	struct stat st;

	if (stat(VARVE_BASE_MOUNT, &st) == 0 && varve_verity_device_root(st.st_dev, ret, NULL))
		return TRUE;
	if (varve_cmdline_read(cmdline) == 0 &&
	    varve_cmdline_get(cmdline, "varve.roothash", hex, sizeof(hex)) &&
	    varve_digest_from_hex(hex, ret))
		return TRUE;
	return node->boot && varve_digest_from_hex(node->boot->base->root, ret);
}

/* The firmware started an image whose signed command line names the base. */
static void check_command_line(VarveTraceNode *node, const VarveTraceLayer *base)
{
	char cmdline[VARVE_CMDLINE_SIZE], hex[80];

	if (varve_cmdline_read(cmdline) < 0 ||
	    !varve_cmdline_get(cmdline, "varve.roothash", hex, sizeof(hex)) ||
	    g_ascii_strcasecmp(hex, base->root) == 0)
		return;
	varve_trace_stack_problem(
		node->stack, "the kernel was started with varve.roothash=%s, and the base has %s",
		hex, base->root);
}

static gboolean open_base(VarveTraceNode *node, GError **error)
{
	VarveDigest root = { 0 };
	VarveTraceLayer *base;

	if (!base_root(node, &root))
		varve_trace_stack_problem(node->stack, "which root hash the base has is not known");
	base = open_layer(node, VARVE_BASE_MOUNT, &root, error);
	if (!base)
		return FALSE;
	g_ptr_array_add(node->stack->layers, base);
	check_command_line(node, base);
	return TRUE;
}

/* /run/varve/layers/HEX/usr → the layer; NULL where @lower is none of ours. */
static VarveTraceLayer *open_lower(VarveTraceNode *node, const char *lower, GError **error)
{
	g_autofree char *where = g_path_get_dirname(lower);
	g_autofree char *parent = g_path_get_dirname(where);
	g_autofree char *name = g_path_get_basename(where);
	g_autofree char *last = g_path_get_basename(lower);
	VarveDigest root;

	if (strcmp(parent, VARVE_LAYER_MOUNTS) != 0 || strcmp(last, "usr") != 0 ||
	    !varve_digest_from_hex(name, &root)) {
		varve_trace_stack_problem(node->stack,
					  "/usr is merged of %s, which is no layer's mount", lower);
		return NULL;
	}
	return open_layer(node, where, &root, error);
}

/* The lowers of /usr, topmost first, as the kernel has them. */
static gboolean open_lowers(VarveTraceNode *node, const VarveMount *usr, GError **error)
{
	g_auto(GStrv) lowers = varve_mount_option(usr, "lowerdir+");
	guint n = g_strv_length(lowers);

	if (n < 2)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "the kernel does not say of which layers /usr is merged");
	/* The base first: it is the lowest. */
	if (!open_base(node, error))
		return FALSE;
	node->by_lower = g_ptr_array_new();
	g_ptr_array_set_size(node->by_lower, (gint)n);
	for (guint i = n; i-- > 0;) {
		g_autoptr(GError) local = NULL;
		VarveTraceLayer *layer;

		if (strcmp(lowers[i], VARVE_BASE_MOUNT "/usr") == 0) {
			node->by_lower->pdata[i] = node->stack->layers->pdata[0];
			continue;
		}
		if (strcmp(lowers[i], EMPTY_DIR) == 0)
			continue;
		layer = open_lower(node, lowers[i], &local);
		node->by_lower->pdata[i] = layer;
		if (layer)
			g_ptr_array_add(node->stack->layers, layer);
		else if (local)
			varve_trace_stack_problem(node->stack, "a layer of /usr cannot be read: %s",
						  local->message);
	}
	return TRUE;
}

/* /etc and the state partition; where they are not as a boot makes them nothing is assumed. */
static void find_writable(VarveTraceNode *node)
{
	const VarveMount *etc = varve_mount_topmost(node->mounts, "/etc");
	const VarveMount *state = varve_mount_topmost(node->mounts, VARVE_STATE_MOUNT);

	if (state)
		node->state = state->device;
	if (etc && strcmp(etc->type, "overlay") == 0) {
		g_auto(GStrv) uppers = varve_mount_option(etc, "upperdir");
		g_auto(GStrv) lowers = varve_mount_option(etc, "lowerdir");

		node->etc = etc->device;
		if (uppers[0])
			node->upper = g_strdup(uppers[0]);
		if (!lowers[0] || strcmp(lowers[0], VARVE_BASE_MOUNT "/etc") != 0)
			varve_trace_stack_problem(node->stack,
						  "/etc does not lie over the base's, but over %s",
						  lowers[0] ? lowers[0] : "nothing");
	} else {
		varve_trace_stack_problem(node->stack, "/etc is no overlay over the base's");
	}
	if (!node->upper)
		node->upper = g_strdup("");
}

VarveTraceNode *varve_trace_node_open(GError **error)
{
	g_autoptr(VarveTraceNode) node = g_new0(VarveTraceNode, 1);
	g_autoptr(GError) local = NULL;
	const VarveMount *usr;

	node->stack = varve_trace_stack_new();
	node->mounts = varve_mounts_read(error);
	if (!node->mounts)
		return NULL;
	usr = varve_mount_topmost(node->mounts, "/usr");
	if (!usr || strcmp(usr->type, "overlay") != 0 ||
	    !varve_mount_topmost(node->mounts, VARVE_BASE_MOUNT)) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND,
			   "/usr is not merged of layers here: this machine was not started by "
			   "Varve; of an image file 'varve why' can be asked");
		return NULL;
	}
	node->usr = usr->device;
	node->boot = varve_node_report(NULL);
	node->past = varve_past_load(&local);
	if (local)
		varve_trace_stack_problem(node->stack, "%s", local->message);
	if (!open_lowers(node, usr, error))
		return NULL;
	find_writable(node);
	return g_steal_pointer(&node);
}
