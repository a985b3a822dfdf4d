/* Answering for earlier stacks, by what was written down of them. */
#include "trace/earlier.h"

#include "base/error.h"
#include "device/verity-device.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* The earlier stack on @device, and the one that came after it. */
static const VarvePastStack *find_stack(const VarveTraceNode *node, dev_t device,
					const VarvePastStack **ret_next)
{
	for (guint i = 0; node->past && i + 1 < node->past->stacks->len; i++) {
		const VarvePastStack *stack = node->past->stacks->pdata[i];

		if (stack->device != device)
			continue;
		*ret_next = node->past->stacks->pdata[i + 1];
		return stack;
	}
	return NULL;
}

/* (borrowed, nullable) the layer, where it still runs. */
static const VarveTraceLayer *find_running(const VarveTraceNode *node, const VarvePastLayer *layer)
{
	for (guint i = 0; i < node->stack->layers->len; i++) {
		const VarveTraceLayer *running = node->stack->layers->pdata[i];

		if (varve_digest_equal(&running->digest, &layer->root))
			return running;
	}
	return NULL;
}

/* (borrowed, nullable) "/usr/…" of a file that some later stack has otherwise. @name: from the root
 * of the overlay. */
static const char *find_replaced(const VarvePastStack *stack, guint64 number, const char *name,
				 const VarvePastFile **ret)
{
	GHashTableIter iter;
	gpointer path, file;

	g_hash_table_iter_init(&iter, stack->replaced);
	while (g_hash_table_iter_next(&iter, &path, &file)) {
		guint64 known = varve_past_number(stack, file);

		if (known ? known != number
			  : strcmp((const char *)path + strlen("/usr"), name) != 0)
			continue;
		*ret = file;
		return path;
	}
	return NULL;
}

static gboolean is_inode(const VarveTraceLayer *layer, const char *path, guint64 inode)
{
	struct stat st;

	return fstatat(layer->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == inode;
}

/* What the running stack has at @path, relative. */
static gboolean find_now(const VarveTraceNode *node, const char *path, VarveTraceEarlier *earlier,
			 VarvePath *ret, GError **error)
{
	for (guint i = node->stack->layers->len; i-- > 0;) {
		const VarveTraceLayer *layer = node->stack->layers->pdata[i];
		gboolean found, self;

		if (!varve_trace_layer_find(layer, path, &found, ret, &self, error))
			return FALSE;
		if (!found)
			continue;
		earlier->now = layer;
		return TRUE;
	}
	return TRUE;
}

/* That a block of it is still checked against the layer's root hash is the kernel's to say. */
static void check_device(const VarvePastLayer *layer, VarveTraceAnswer *answer)
{
	g_autoptr(GError) error = NULL;
	VarveDigest root;

	if (!*layer->device)
		varve_trace_answer_problem(answer,
					   "nothing is known to check what is read from layer %s "
					   "%s: it has no device",
					   layer->name, layer->version);
	else if (!varve_verity_device_root_named(layer->device, &root, &error))
		varve_trace_answer_problem(answer, "layer %s %s: %s", layer->name, layer->version,
					   error->message);
	else if (!varve_digest_equal(&root, &layer->root))
		varve_trace_answer_problem(answer,
					   "device %s checks against another root hash than that "
					   "of layer %s %s",
					   layer->device, layer->name, layer->version);
}

/* (caller frees, nullable) where @layer has the inode, relative: @name is a path from the root of
 * the overlay, or from one that has it at /usr. */
static char *find_inode(const VarveTraceLayer *layer, const char *name, guint64 inode)
{
	g_autofree char *path = g_strconcat("usr", name, NULL);

	if (is_inode(layer, path, inode))
		return g_steal_pointer(&path);
	for (; (name = strstr(name, "/usr/")); name++) {
		if (is_inode(layer, name + 1, inode))
			return g_strdup(name + 1);
	}
	return NULL;
}

/* It is as it was, and its layer still runs. */
static gboolean answer_unchanged(const VarveTraceLayer *layer, const char *name, guint64 inode,
				 VarveTraceAnswer *answer, GError **error)
{
	g_autofree char *path = find_inode(layer, name, inode);
	gboolean found, self;
	VarvePath record;

	answer->state = VARVE_TRACE_SIGNED;
	answer->layer = layer;
	if (!path)
		return TRUE;
	if (!varve_trace_layer_find(layer, path, &found, &record, &self, error))
		return FALSE;
	if (found)
		varve_trace_answer_from(answer, layer, &record, self);
	return TRUE;
}

static gboolean answer_replaced(const VarveTraceNode *node, const VarvePastLayer *layer,
				const char *path, const VarvePastFile *file,
				VarveTraceAnswer *answer, GError **error)
{
	VarvePath record;

	answer->state = VARVE_TRACE_REPLACED;
	if (!find_now(node, path, answer->earlier, &record, error))
		return FALSE;
	/* What no later stack has changed is not in the list. */
	answer->earlier->same = !file || (answer->earlier->now &&
					  varve_digest_equal(&file->digest, &record.digest));
	g_free(answer->at);
	answer->at = g_strdup(path);
	check_device(layer, answer);
	return TRUE;
}

gboolean varve_trace_earlier_answer(VarveTraceNode *node, dev_t device, guint64 inode,
				    const char *inside, VarveTraceAnswer *answer,
				    gboolean *ret_known, GError **error)
{
	const VarvePastStack *next = NULL, *stack = find_stack(node, device, &next);
	g_autofree char *name = g_strconcat("/", inside ? inside : answer->path + 1, NULL);
	g_autofree char *path = NULL;
	const VarvePastFile *file = NULL;
	const VarveTraceLayer *running;
	const VarvePastLayer *layer;
	const char *replaced;
	guint64 own;

	layer = stack ? varve_past_layer(stack, inode, &own) : NULL;
	*ret_known = layer != NULL;
	if (!layer)
		return TRUE;
	running = find_running(node, layer);
	replaced = find_replaced(stack, inode, name, &file);
	path = replaced ? g_strdup(replaced + 1) : g_strconcat("usr", name, NULL);
	answer->earlier = varve_trace_earlier_new(stack->generation, layer, next->since);
	/* Changed, and changed back. */
	if (running && replaced) {
		VarvePath record;

		if (!find_now(node, path, answer->earlier, &record, error))
			return FALSE;
		if (answer->earlier->now == running &&
		    varve_digest_equal(&record.digest, &file->digest))
			replaced = NULL;
	}
	if (running && !replaced)
		return answer_unchanged(running, name, own, answer, error);
	return answer_replaced(node, layer, path, file, answer, error);
}
