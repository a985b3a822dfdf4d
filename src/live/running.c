/* Between the report of what runs and the layers themselves. */
#include "live/running.h"

#include "base/error.h"
#include "device/verity-device.h"
#include "live/manager.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

GPtrArray *varve_running_layers(const VarveReport *report, GError **error)
{
	g_autoptr(GPtrArray) layers =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_mounted_free);

	for (guint i = 0; i < report->layers->len; i++) {
		const VarveReportLayer *layer = report->layers->pdata[i];
		VarveMounted *mounted;
		VarveDigest root;

		if (!layer->accepted)
			continue;
		if (!varve_digest_from_hex(layer->root, &root)) {
			varve_fail(error, VARVE_ERROR_CORRUPT,
				   VARVE_REPORT_FILE ": '%s' is no root hash", layer->root);
			return NULL;
		}
		mounted = varve_mounted_running(VARVE_LAYER_MOUNTS, &root, error);
		if (!mounted) {
			g_prefix_error(error, "layer '%s' %s, which runs: ", layer->name,
				       layer->version);
			return NULL;
		}
		mounted->device = g_strdup(layer->device);
		g_ptr_array_add(layers, mounted);
	}
	return g_steal_pointer(&layers);
}

static void copy(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

VarveReport *varve_running_next(const VarveReport *running)
{
	VarveReport *next = varve_report_new();
	const struct {
		char **to;
		const char *from;
	} texts[] = {
		{ &next->base->name, running->base->name },
		{ &next->base->version, running->base->version },
		{ &next->base->arch, running->base->arch },
		{ &next->base->root, running->base->root },
		{ &next->base->certificate, running->base->certificate },
		{ &next->base->signer, running->base->signer },
		{ &next->base->device, running->base->device },
		{ &next->base->support_end, running->base->support_end },
		{ &next->verification, running->verification },
		{ &next->verification_detail, running->verification_detail },
		{ &next->integrity_asked, running->integrity_asked },
		{ &next->integrity, running->integrity },
		{ &next->integrity_detail, running->integrity_detail },
		{ &next->state, running->state },
		{ &next->state_detail, running->state_detail },
		{ &next->selection, running->selection },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		copy(texts[i].to, texts[i].from);
	next->base->development = running->base->development;
	next->base->packages = running->base->packages;
	next->base->rollback_index = running->base->rollback_index;
	next->base->accepted = running->base->accepted;
	next->usr = running->usr;
	next->generation = running->generation;
	for (guint i = 0; i < running->warnings->len; i++)
		g_ptr_array_add(next->warnings, g_strdup(running->warnings->pdata[i]));
	return next;
}

static VarvePastStack *stack_of(const GPtrArray *layers, const VarveMounted *base, guint generation,
				guint64 device)
{
	VarvePastStack *stack = varve_past_stack_new();

	stack->generation = generation;
	stack->device = (dev_t)device;
	stack->since = g_get_real_time() / G_USEC_PER_SEC;
	for (guint i = layers->len + 1; i-- > 0;) {
		const VarveMounted *layer = i ? layers->pdata[i - 1] : base;

		varve_past_stack_add(stack, layer->manifest->name, layer->manifest->version,
				     layer->device ? layer->device : "", &layer->facts.root);
	}
	return stack;
}

/* The topmost of @layers on @base that has @path ("/usr/…"). */
static const VarveMounted *owner_of(const GPtrArray *layers, const VarveMounted *base,
				    const char *path)
{
	for (guint i = layers->len; i-- > 0;) {
		const VarveMounted *layer = layers->pdata[i];
		gsize index;

		if (varve_path_table_find(layer->paths, path + 1, &index, NULL))
			return layer;
	}
	return base;
}

/* What the stack that goes had at the paths that change: whose, and which inode, because that is
 * what the kernel tells of a file that somebody holds. */
static GHashTable *replaced_by(const VarveChanges *changes, const GPtrArray *from,
			       const VarveMounted *base)
{
	GHashTable *replaced = varve_past_files_new();

	for (guint i = 0; i < changes->list->len; i++) {
		const VarveMergedChange *change = changes->list->pdata[i];
		const VarveMounted *layer;
		VarvePastFile *file;
		struct stat st;

		if (!change->before || !S_ISREG(change->before->mode) ||
		    (change->after &&
		     varve_digest_equal(&change->before->digest, &change->after->digest)))
			continue;
		layer = owner_of(from, base, change->path);
		file = g_new0(VarvePastFile, 1);
		file->digest = change->before->digest;
		file->layer = layer->facts.root;
		if (fstatat(layer->fd, change->path + 1, &st, AT_SYMLINK_NOFOLLOW) == 0)
			file->inode = st.st_ino;
		g_hash_table_insert(replaced, g_strdup(change->path), file);
	}
	return replaced;
}

/* Of stacks that nobody holds any more nothing needs to be known. */
static void forget(VarvePast *past)
{
	g_auto(GStrv) devices = varve_verity_device_list("varve-", NULL);

	if (devices)
		varve_past_forget(past, (const char *const *)devices);
}

void varve_running_remember(VarvePast *past, const VarveReport *running, const GPtrArray *from,
			    const GPtrArray *to, const VarveMounted *base, const VarveNewUsr *usr,
			    const VarveReport *next, const VarveChanges *changes)
{
	g_autoptr(GHashTable) replaced = replaced_by(changes, from, base);
	g_autoptr(GHashTable) nothing = varve_past_files_new();

	forget(past);
	if (past->stacks->len == 0)
		varve_past_add(past, stack_of(from, base, running->generation, running->usr),
			       nothing);
	varve_past_add(past, stack_of(to, base, next->generation, usr->device), replaced);
}

gboolean varve_running_well(const VarveReport *running, guint window, GError **error)
{
	g_autoptr(GPtrArray) layers = varve_running_layers(running, error);
	g_autoptr(VarveChanges) none =
		layers ? varve_changes_find(NULL, layers, layers, error) : NULL;
	g_autoptr(VarveManagerWork) work = none ? varve_manager_plan(none, layers, layers) : NULL;
	g_autoptr(VarveManagerBefore) now = NULL;

	if (!work)
		return FALSE;
	if (work->checks->len == 0)
		return TRUE;
	now = varve_manager_look(error);
	return now && varve_manager_healthy(now, work, window, error);
}
