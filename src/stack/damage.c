/* Damage that a running node met. */
#include "stack/damage.h"

#include "base/error.h"
#include "base/file.h"
#include "device/verity-status.h"
#include "format/kernel-message.h"
#include "layer/layer.h"
#include "stack/generation.h"
#include "stack/journal.h"

#include <string.h>

#define RECORD_MAX 8192
/* A disk that fails fails in many places: enough to tell what it is. */
#define BLOCKS_MAX 32

/* One layer of the running stack and its device. */
typedef struct {
	const VarveReportLayer *layer;
	VarveVerityStatus status;
	int fd; /* of the verity device; -1: not open */
	VarveErofs *erofs;
} Target;

struct VarveDamageFinder {
	GArray *targets; /* Target: the base, then the layers as they are merged */
};

void varve_damage_free(VarveDamage *damage)
{
	if (!damage)
		return;
	g_free(damage->layer);
	g_free(damage->version);
	g_free(damage->file);
	g_free(damage->path);
	g_free(damage->package);
	g_free(damage);
}

static VarveDamage *damage_new(const VarveReportLayer *layer)
{
	VarveDamage *damage = g_new0(VarveDamage, 1);

	damage->layer = g_strdup(layer->name);
	damage->version = g_strdup(layer->version);
	damage->file = g_strdup(layer->file);
	damage->path = g_strdup("");
	damage->package = g_strdup("");
	return damage;
}

char *varve_damage_sentence(const VarveDamage *damage)
{
	g_autofree char *package =
		*damage->package ? g_strdup_printf(" (package %s)", damage->package) : g_strdup("");

	if (!damage->known)
		return g_strdup("a block is not what was signed; no message of the kernel is left "
				"that says which, 'varvectl verify' finds it");
	if (damage->tree)
		return g_strdup_printf("block %" G_GUINT64_FORMAT
				       " of its verity tree is not what was signed",
				       damage->block);
	if (!*damage->path)
		return g_strdup_printf("block %" G_GUINT64_FORMAT
				       ", of which no path can be told, is not what was signed",
				       damage->block);
	return g_strdup_printf("block %" G_GUINT64_FORMAT " of %s%s is not what was signed",
			       damage->block, damage->path, package);
}

char *varve_damage_next(const VarveDamage *damage)
{
	if (!*damage->file)
		return g_strdup("start the other entry of the boot menu and write the base again "
				"from its image; check the disk");
	return g_strdup_printf("put a good copy of %s into /" VARVE_CANDIDATES_DIR
			       " and start the node again; check the disk",
			       damage->file);
}

static void target_clear(gpointer data)
{
	Target *target = data;

	varve_erofs_free(target->erofs);
	if (target->fd >= 0)
		close(target->fd);
}

/* A device that is gone has nothing to tell. */
static gboolean add_target(VarveDamageFinder *finder, const VarveReportLayer *layer, GError **error)
{
	Target target = { .layer = layer, .fd = -1 };
	g_autoptr(GError) local = NULL;

	if (!*layer->device)
		return TRUE;
	if (varve_verity_status_read(layer->device, &target.status, &local)) {
		g_array_append_val(finder->targets, target);
		return TRUE;
	}
	if (g_error_matches(local, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&local));
	return FALSE;
}

VarveDamageFinder *varve_damage_finder_new(const VarveReport *boot, GError **error)
{
	g_autoptr(VarveDamageFinder) finder = g_new0(VarveDamageFinder, 1);

	finder->targets = g_array_new(FALSE, FALSE, sizeof(Target));
	g_array_set_clear_func(finder->targets, target_clear);
	if (!add_target(finder, boot->base, error))
		return NULL;
	for (guint i = 0; i < boot->layers->len; i++) {
		const VarveReportLayer *layer = boot->layers->pdata[i];

		if (layer->accepted && !add_target(finder, layer, error))
			return NULL;
	}
	return g_steal_pointer(&finder);
}

void varve_damage_finder_free(VarveDamageFinder *finder)
{
	if (!finder)
		return;
	g_array_unref(finder->targets);
	g_free(finder);
}

/* Through the verity device: what can be read of the filesystem is what was signed. */
static VarveErofs *open_erofs(Target *target)
{
	g_autofree char *path = g_strconcat("/dev/mapper/", target->layer->device, NULL);

	if (target->fd >= 0)
		return target->erofs;
	target->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (target->fd >= 0)
		target->erofs = varve_erofs_open(target->fd, 0, target->status.data_blocks * 4096,
						 path, NULL);
	return target->erofs;
}

static Target *find_target(const VarveDamageFinder *finder, guint major, guint minor)
{
	for (guint i = 0; i < finder->targets->len; i++) {
		Target *target = &g_array_index(finder->targets, Target, i);

		if (target->status.data_major == major && target->status.data_minor == minor)
			return target;
	}
	return NULL;
}

static VarveDamage *describe(Target *target, gboolean tree, guint64 block)
{
	VarveDamage *damage = damage_new(target->layer);
	VarveErofs *erofs = tree ? NULL : open_erofs(target);
	char *path, *package;

	damage->known = TRUE;
	damage->tree = tree;
	damage->block = block;
	if (!erofs || !varve_layer_find_block(erofs, block, &path, &package))
		return damage;
	g_free(damage->path);
	g_free(damage->package);
	damage->path = path;
	damage->package = package;
	return damage;
}

VarveDamage *varve_damage_finder_find(VarveDamageFinder *finder, guint major, guint minor,
				      gboolean tree, guint64 block)
{
	Target *target = find_target(finder, major, minor);

	return target ? describe(target, tree, block) : NULL;
}

/* What the messages of this boot name, each place once. */
typedef struct {
	const VarveDamageFinder *finder;
	GArray *found; /* VarveMessage without texts */
} Search;

static void take_text(Search *search, const char *text)
{
	g_auto(VarveMessage) message = { 0 };
	VarveMessage place;

	varve_message_parse(text, &message);
	if (message.kind != VARVE_MESSAGE_VERITY ||
	    !find_target(search->finder, message.major, message.minor))
		return;
	for (guint i = 0; i < search->found->len; i++) {
		const VarveMessage *other = &g_array_index(search->found, VarveMessage, i);

		if (other->major == message.major && other->minor == message.minor &&
		    other->tree == message.tree && other->block == message.block)
			return;
	}
	place = message;
	place.comm = place.what = NULL;
	g_array_append_val(search->found, place);
}

/* @ret_whole: whether the log reaches back to the start of the machine. */
static gboolean search_kmsg(Search *search, gboolean *ret_whole, GError **error)
{
	varve_autofd fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char record[RECORD_MAX];
	gboolean first = TRUE;

	if (fd < 0)
		return varve_fail_errno(error, errno, "/dev/kmsg");
	*ret_whole = TRUE;
	for (;;) {
		ssize_t n = read(fd, record, sizeof(record));
		g_autoptr(VarveKmsg) kmsg = NULL;

		/* EPIPE: the record was overwritten while we read the one before. */
		if (n < 0 && (errno == EPIPE || errno == EINTR)) {
			*ret_whole = *ret_whole && errno != EPIPE;
			continue;
		}
		if (n < 0 && errno == EAGAIN)
			return TRUE;
		if (n <= 0)
			return varve_fail_errno(error, n < 0 ? errno : EIO, "/dev/kmsg");
		kmsg = varve_kmsg_parse(record, (gsize)n);
		if (!kmsg)
			continue;
		if (first && kmsg->sequence > 0)
			*ret_whole = FALSE;
		first = FALSE;
		if (kmsg->facility == 0)
			take_text(search, kmsg->text);
	}
}

static gboolean take_entry(const json_t *entry, gpointer data, GError **error)
{
	const char *transport = json_string_value(json_object_get(entry, "_TRANSPORT"));
	const char *facility = json_string_value(json_object_get(entry, "SYSLOG_FACILITY"));
	const char *text = json_string_value(json_object_get(entry, "MESSAGE"));

	(void)error;
	if (text && g_strcmp0(transport, "kernel") == 0 && g_strcmp0(facility, "0") == 0)
		take_text(data, text);
	return TRUE;
}

static gint by_block(gconstpointer a, gconstpointer b)
{
	const VarveMessage *x = a, *y = b;

	if (x->tree != y->tree)
		return x->tree - y->tree;
	return x->block < y->block ? -1 : x->block > y->block;
}

static void describe_target(const Search *search, Target *target, GPtrArray *damages)
{
	guint n = 0;

	for (guint i = 0; i < search->found->len && n < BLOCKS_MAX; i++) {
		const VarveMessage *place = &g_array_index(search->found, VarveMessage, i);

		if (place->major != target->status.data_major ||
		    place->minor != target->status.data_minor)
			continue;
		g_ptr_array_add(damages, describe(target, place->tree, place->block));
		n++;
	}
	if (n == 0)
		g_ptr_array_add(damages, damage_new(target->layer));
}

GPtrArray *varve_node_damage(const VarveReport *boot, GError **error)
{
	g_autoptr(VarveDamageFinder) finder = varve_damage_finder_new(boot, error);
	g_autoptr(GPtrArray) damages =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_damage_free);
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(VarveMessage));
	const VarveJournalQuery query = { 0 };
	Search search = { .finder = finder, .found = found };
	gboolean corrupted = FALSE, whole = TRUE;

	if (!finder)
		return NULL;
	for (guint i = 0; i < finder->targets->len; i++)
		corrupted |= g_array_index(finder->targets, Target, i).status.corrupted;
	if (!corrupted)
		return g_steal_pointer(&damages);
	if (!search_kmsg(&search, &whole, error))
		return NULL;
	/* Without a journal there is less to tell, and still that there is damage. */
	if (!whole)
		varve_journal_read(&query, take_entry, &search, NULL, NULL);
	g_array_sort(found, by_block);
	for (guint i = 0; i < finder->targets->len; i++) {
		Target *target = &g_array_index(finder->targets, Target, i);

		if (target->status.corrupted)
			describe_target(&search, target, damages);
	}
	return g_steal_pointer(&damages);
}
