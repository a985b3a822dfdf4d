/* `varvectl boot`. */
#include "stack/boot.h"

#include "base/error.h"
#include "base/file.h"
#include "device/verity-device.h"
#include "ground/block.h"
#include "ground/fd.h"
#include "ground/mount.h"
#include "stack/compliance.h"
#include "stack/effective.h"
#include "stack/exitrd.h"
#include "stack/integrity.h"
#include "stack/mode.h"
#include "stack/select.h"
#include "stack/side-doors.h"
#include "stack/state.h"
#include "stack/turn.h"

#include <string.h>
#include <sys/stat.h>

#define DEVICE_PREFIX "varve-"
#define EMPTY_DIR VARVE_RUN_DIR "/empty"
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Mounts made so far, undone in reverse order unless everything succeeded. */
typedef struct {
	GPtrArray *points;
	char *device; /* of the base */
	gboolean done;
} Undo;

static void undo_clear(Undo *undo)
{
	for (guint i = undo->points->len; !undo->done && i-- > 0;)
		umount2(undo->points->pdata[i], MNT_DETACH | UMOUNT_NOFOLLOW);
	if (!undo->done && undo->device)
		varve_verity_device_close(undo->device, TRUE, NULL);
	g_ptr_array_unref(undo->points);
	g_free(undo->device);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Undo, undo_clear)

static void undo_add(Undo *undo, const char *point)
{
	g_ptr_array_add(undo->points, g_strdup(point));
}

typedef struct {
	const VarveBootOptions *options;
	VarveReport *report;
	Undo *undo;
	char data[VARVE_DEVICE_PATH_SIZE], hash[VARVE_DEVICE_PATH_SIZE];
	char signature[VARVE_DEVICE_PATH_SIZE];
	VarveMode mode;
	VarveMounted *base;
	GPtrArray *trusted; /* of the initrd */
	VarveTurn turn;
} Boot;

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

static gboolean find_partition(const char *uuid, const char *what,
			       char device[VARVE_DEVICE_PATH_SIZE], GError **error)
{
	if (varve_block_find(uuid, device) == 1)
		return TRUE;
	return varve_fail(error, VARVE_ERROR_NOT_FOUND,
			  "base: there is no partition with PARTUUID %s, which should hold its %s",
			  uuid, what);
}

static gboolean find_base(Boot *boot, GError **error)
{
	char uuid[37], name[64];
	g_autofree char *signature = NULL;

	if (varve_uuid_from_hash(boot->options->root_hash, 0, uuid) < 0)
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "'%s' is no root hash: 64 hexadecimal digits were expected",
				  boot->options->root_hash);
	if (!find_partition(uuid, "data", boot->data, error))
		return FALSE;
	varve_uuid_from_hash(boot->options->root_hash, 1, uuid);
	if (!find_partition(uuid, "verity tree", boot->hash, error))
		return FALSE;
	if (varve_block_name(boot->data, name, sizeof(name)) < 0)
		return varve_fail_errno(error, errno, "%s has no partition name", boot->data);
	signature = g_strconcat(name, "-sig", NULL);
	if (varve_block_find_sibling(boot->data, signature, boot->signature) != 1)
		return varve_fail(
			error, VARVE_ERROR_NOT_FOUND,
			"base: the disk of %s has no partition called '%s' with its signature",
			boot->data, signature);
	return TRUE;
}

static gboolean open_base(Boot *boot, GError **error)
{
	varve_autofd data = open(boot->data, O_RDONLY | O_CLOEXEC);
	varve_autofd hash = open(boot->hash, O_RDONLY | O_CLOEXEC);
	varve_autofd signature = open(boot->signature, O_RDONLY | O_CLOEXEC);
	g_autofree char *root = NULL;

	if (data < 0 || hash < 0 || signature < 0)
		return varve_fail_errno(error, errno, "base: its partitions cannot be opened");
	boot->base->layer = varve_layer_open_partitions(data, hash, signature, "base", error);
	if (!boot->base->layer)
		return FALSE;
	root = varve_digest_dup_hex(varve_layer_root(boot->base->layer));
	if (g_ascii_strcasecmp(root, boot->options->root_hash) != 0)
		return varve_fail(
			error, VARVE_ERROR_UNTRUSTED,
			"base: the kernel's command line names root hash %s, the signature "
			"partition is for %s: start another boot entry or write the slot again",
			boot->options->root_hash, root);
	set(&boot->report->base->root, root);
	return TRUE;
}

/* The base is signed by a certificate that the (signed) initrd carries. */
static gboolean check_base(Boot *boot, GError **error)
{
	g_autoptr(GPtrArray) certificates = g_ptr_array_new();
	const VarveCertificate *signer = NULL;

	boot->trusted = varve_certificates_load(boot->options->initrd_fd, error);
	if (!boot->trusted)
		return FALSE;
	for (guint i = 0; i < boot->trusted->len; i++) {
		const VarveTrusted *trusted = boot->trusted->pdata[i];

		g_ptr_array_add(certificates, trusted->certificate);
	}
	if (!varve_layer_check_signature(boot->base->layer, certificates, &signer, error))
		return FALSE;
	for (guint i = 0; i < boot->trusted->len; i++) {
		const VarveTrusted *trusted = boot->trusted->pdata[i];

		if (trusted->certificate == signer)
			set(&boot->report->base->certificate, trusted->name);
	}
	set(&boot->report->base->signer, varve_certificate_subject(signer));
	boot->report->base->development = varve_certificate_is_development(signer);
	return TRUE;
}

/* A production base starts without side doors or not at all. */
static gboolean check_side_doors(Boot *boot, GError **error)
{
	g_autoptr(GPtrArray) doors = varve_side_doors_find(boot->options->command_line);

	for (guint i = 0; i < doors->len; i++) {
		const VarveSideDoor *door = doors->pdata[i];

		if (!boot->report->base->development)
			return varve_fail(
				error, VARVE_ERROR_REFUSED,
				"base: the kernel's command line has '%s': it %s. Only a base "
				"that a development key signed starts with it; take it out of "
				"the edition's kernel-command-line, or build a development "
				"image",
				door->word, door->reason);
		varve_report_warn(boot->report,
				  "the kernel's command line has '%s': it %s. A base that no "
				  "development key signed would not start with it",
				  door->word, door->reason);
	}
	return TRUE;
}

static gboolean find_mode(Boot *boot, GError **error)
{
	if (!varve_mode_find("/sys", &boot->mode, error))
		return FALSE;
	set(&boot->report->verification, boot->mode.kernel ? "kernel" : "userspace");
	set(&boot->report->verification_detail, boot->mode.why);
	return TRUE;
}

/* Not worth the boot: without it the power-off complains, and that is all. */
static void bind_exitrd(Boot *boot)
{
	g_autoptr(GError) error = NULL;

	if (varve_exitrd_bind(boot->options->sysroot, &error))
		undo_add(boot->undo, VARVE_EXITRD_MOUNT);
	else
		varve_report_warn(boot->report, "the power-off will not be clean: %s",
				  error->message);
}

static gboolean mount_base(Boot *boot, GError **error)
{
	const unsigned strict = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	const char *sysroot = boot->options->sysroot;
	VarveMounted *base = boot->base;

	base->device = g_strconcat(DEVICE_PREFIX, boot->report->base->root, NULL);
	if (!varve_verified_mount(base->layer, boot->data, boot->hash, boot->mode.kernel,
				  base->device, MOUNT_ATTR_NODEV, sysroot, error))
		return FALSE;
	boot->undo->device = g_strdup(base->device);
	undo_add(boot->undo, sysroot);
	if (boot->mode.kernel)
		bind_exitrd(boot);
	/* Bound before anything is mounted over /usr, and private: a mount on the one must not
	 * appear in the other, or an overlay would be its own lower. */
	if (varve_make_dirs(VARVE_BASE_MOUNT) < 0 ||
	    varve_mount_bind(sysroot, VARVE_BASE_MOUNT, strict | MOUNT_ATTR_RDONLY) < 0)
		return varve_fail_errno(error, errno,
					"base: it cannot be bound at " VARVE_BASE_MOUNT);
	undo_add(boot->undo, VARVE_BASE_MOUNT);
	base->fd = varve_dir_open(AT_FDCWD, VARVE_BASE_MOUNT, error);
	set(&boot->report->base->device, base->device);
	boot->report->base->accepted = TRUE;
	return base->fd >= 0;
}

static gboolean start_base(Boot *boot, GError **error)
{
	gint64 since = g_get_monotonic_time();

	if (!find_mode(boot, error) || !find_base(boot, error) || !open_base(boot, error) ||
	    !check_base(boot, error) || !check_side_doors(boot, error) ||
	    !mount_base(boot, error) ||
	    !varve_labels_open(VARVE_BASE_MOUNT, &boot->base->labels, error))
		return FALSE;
	varve_report_time(boot->report, "base", since);
	return TRUE;
}

static gboolean start_state(Boot *boot, GError **error)
{
	gint64 since = g_get_monotonic_time();
	varve_autofd seed = openat(boot->base->fd, "usr/share/factory/var",
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char device[VARVE_DEVICE_PATH_SIZE];
	gboolean found = varve_block_find_sibling(boot->data, "state", device) == 1;

	if (!varve_state_mount(found ? device : NULL, boot->options->sysroot, seed,
			       boot->base->labels, boot->report, error))
		return FALSE;
	undo_add(boot->undo, VARVE_STATE_MOUNT);
	varve_report_time(boot->report, "state", since);
	return TRUE;
}

/* The record of what was good here and its anchor are part of the policy. */
static VarvePolicy *load_policy(Boot *boot, GError **error)
{
	gint64 since = g_get_monotonic_time();
	varve_autofd state = strcmp(boot->report->state, "ok") == 0
				     ? open(VARVE_STATE_MOUNT "/" VARVE_STATE_DIR, DIR_FLAGS)
				     : -1;
	g_autoptr(VarveFloors) floors = varve_floors_open(state, varve_anchor_tpm());
	g_autofree char *path = g_strconcat(boot->options->sysroot, "/etc", NULL);
	varve_autofd etc = open(path, DIR_FLAGS);
	VarvePolicy *policy =
		varve_effective_policy(boot->base->fd, etc, floors, boot->report, error);

	varve_report_time(boot->report, "policy", since);
	return policy;
}

/* Never fails: a node whose policy cannot be read runs the base alone. */
static GPtrArray *choose_layers(Boot *boot, VarvePolicy *policy, const GError *policy_error,
				int layers_fd)
{
	gint64 since = g_get_monotonic_time();
	VarveSelecting selecting = {
		.opening = { .policy = policy,
			     .mounts = VARVE_LAYER_MOUNTS,
			     .device_prefix = DEVICE_PREFIX,
			     .kernel_mode = boot->mode.kernel,
			     .known = boot->turn.current },
		.base = &boot->base->facts,
		.layers_fd = layers_fd,
		.current = boot->turn.current,
		.history = boot->turn.history,
		.today = varve_today(),
	};
	g_autoptr(VarveRefusal) refused = NULL;
	g_autoptr(GError) error = NULL;
	GPtrArray *layers;

	if (!varve_base_inspect(boot->base, &error)) {
		varve_compliance_unjudged("base-unknown", error->message, boot->report);
		varve_select_none(layers_fd, "base-unknown",
				  "the base's manifest cannot be read, see above", boot->report);
		return g_ptr_array_new();
	}
	varve_report_layer_describe(boot->report->base, boot->base->manifest);
	refused = varve_compliance_base(policy, boot->report, selecting.today);
	if (!policy) {
		varve_compliance_unjudged("policy-invalid", policy_error->message, boot->report);
		varve_select_none(layers_fd, "policy-invalid",
				  "the base's policy cannot be read, see above", boot->report);
		return g_ptr_array_new();
	}
	if (refused) {
		varve_select_none(layers_fd, refused->code, refused->sentence, boot->report);
		return g_ptr_array_new();
	}
	if (boot->turn.attempt == VARVE_TRY_NOTHING) {
		varve_select_none(layers_fd, VARVE_TURN_NOTHING_CODE, VARVE_TURN_NOTHING_SENTENCE,
				  boot->report);
		return g_ptr_array_new();
	}
	layers = varve_select(&selecting, boot->report);
	varve_report_time(boot->report, "layers", since);
	return layers;
}

static gboolean merge_usr(Boot *boot, const GPtrArray *layers, GError **error)
{
	gint64 since = g_get_monotonic_time();
	g_auto(GStrv) lowers = varve_stack_lowers(layers, VARVE_BASE_MOUNT "/usr");
	g_autofree char *usr = g_strconcat(boot->options->sysroot, "/usr", NULL);
	varve_autofd mount_fd = -1;
	struct stat st;

	if (varve_make_dirs(EMPTY_DIR) < 0)
		return varve_fail_errno(error, errno, EMPTY_DIR);
	mount_fd = varve_stack_merge_usr((const char *const *)lowers, EMPTY_DIR, error);
	if (mount_fd < 0)
		return FALSE;
	if (fstat(mount_fd, &st) == 0)
		boot->report->usr = (guint64)st.st_dev;
	if (varve_mount_attach(mount_fd, usr) < 0)
		return varve_fail_errno(error, errno, "%s: the merged /usr cannot be put there",
					usr);
	undo_add(boot->undo, usr);
	varve_report_time(boot->report, "merge", since);
	return TRUE;
}

/* Layers that the kernel will not merge must not keep the base from starting. */
static gboolean merge_layers(Boot *boot, GPtrArray *layers, GError **error)
{
	VarveReport *report = boot->report;
	g_autoptr(GError) local = NULL;

	if (layers->len == 0)
		return merge_usr(boot, layers, error);
	if (merge_usr(boot, layers, &local))
		return TRUE;
	varve_report_warn(report, "no extension is merged, the base runs alone: %s",
			  local->message);
	for (guint i = 0; i < report->layers->len; i++) {
		g_autoptr(VarveRefusal) refusal =
			varve_refusal_new("not-mountable", "%s", local->message);
		VarveReportLayer *layer = report->layers->pdata[i];

		if (!layer->accepted)
			continue;
		layer->accepted = FALSE;
		set(&layer->code, refusal->code);
		set(&layer->sentence, refusal->sentence);
		set(&layer->next, refusal->next);
	}
	g_ptr_array_set_size(layers, 0);
	return merge_usr(boot, layers, error);
}

static VarveGeneration *make_generation(const Boot *boot, const GPtrArray *layers,
					const VarveGeneration *current)
{
	VarveGeneration *generation = varve_generation_new();

	generation->base = *varve_layer_root(boot->base->layer);
	set(&generation->base_name, boot->report->base->name);
	set(&generation->base_version, boot->report->base->version);
	set(&generation->by, "boot");
	set(&generation->why,
	    current ? "the layers directory changed" : "the first boot of this base");
	generation->when = g_get_real_time() / G_USEC_PER_SEC;
	generation->selection = VARVE_SELECTION_DIRECTORY;
	for (guint i = 0; i < layers->len; i++) {
		const VarveMounted *layer = layers->pdata[i];
		VarveGenerationLayer *record =
			varve_generation_layer_new(layer->manifest->name, layer->manifest->version,
						   layer->file, varve_layer_root(layer->layer));

		record->stamp = layer->stamp;
		g_ptr_array_add(generation->layers, record);
	}
	return generation;
}

/* A node that cannot write its record still runs. */
static void record_generation(Boot *boot, const GPtrArray *layers, int generations_fd)
{
	const VarveGeneration *current = boot->turn.current;
	g_autoptr(VarveGeneration) generation = make_generation(boot, layers, current);
	VarveReport *report = boot->report;
	g_autoptr(GError) error = NULL;

	/* What runs is no generation, and the next boot decides the same. */
	if (boot->turn.attempt == VARVE_TRY_NOTHING) {
		set(&report->selection, varve_selection_name(VARVE_SELECTION_LISTED));
		return;
	}
	if (current && (current->selection == VARVE_SELECTION_LISTED ||
			varve_generation_same(current, generation))) {
		report->generation = current->number;
		set(&report->selection, varve_selection_name(current->selection));
		return;
	}
	set(&report->selection, varve_selection_name(generation->selection));
	if (strcmp(report->state, "ok") != 0)
		return;
	if (generations_fd >= 0 && varve_generation_commit(generations_fd, generation, &error) &&
	    varve_tries_first(generations_fd, &generation->base, generation->number, &error)) {
		report->generation = generation->number;
		report->attempt = 1;
	} else {
		varve_report_warn(
			report,
			"the generation is not recorded: %s. Make room on the state "
			"partition; until then every boot looks at the layers directory again",
			error ? error->message : "there is no directory for it");
	}
}

/* What was written since has no label yet; without one a confined reader is denied, no more. */
static void label_records(Boot *boot)
{
	varve_autofd fd = varve_dir_open(AT_FDCWD, VARVE_STATE_MOUNT, NULL);
	g_autoptr(GError) error = NULL;

	if (fd >= 0 && !varve_state_label(fd, boot->base->labels, &error))
		varve_report_warn(boot->report, "the state partition is not labelled whole: %s",
				  error->message);
}

static gboolean compose(Boot *boot, GError **error)
{
	varve_autofd generations = -1, candidates = -1;
	g_autoptr(VarvePolicy) policy = NULL;
	g_autoptr(GError) policy_error = NULL;
	/* The last, so that it is freed before the policy whose certificates it points to. */
	g_autoptr(GPtrArray) layers = NULL;
	gint64 since;

	if (!start_base(boot, error) || !start_state(boot, error))
		return FALSE;
	generations = open(VARVE_STATE_MOUNT "/" VARVE_GENERATIONS_DIR, DIR_FLAGS);
	candidates = open(VARVE_STATE_MOUNT "/" VARVE_CANDIDATES_DIR, DIR_FLAGS);
	varve_turn_find(generations, candidates, varve_layer_root(boot->base->layer),
			strcmp(boot->report->state, "ok") == 0, boot->report, &boot->turn);
	policy = load_policy(boot, &policy_error);
	layers = choose_layers(boot, policy, policy_error, candidates);
	if (!merge_layers(boot, layers, error))
		return FALSE;
	if (policy)
		varve_compliance_required(policy, boot->report);
	varve_compliance_layers(boot->report, varve_today());
	varve_compliance_to_record(boot->report);
	since = g_get_monotonic_time();
	record_generation(boot, layers, generations);
	label_records(boot);
	varve_report_time(boot->report, "record", since);
	for (guint i = 0; i < layers->len; i++)
		((VarveMounted *)layers->pdata[i])->kept = TRUE;
	return TRUE;
}

gboolean varve_boot(const VarveBootOptions *options, VarveReport *report, GError **error)
{
	g_auto(Undo) undo = { .points = g_ptr_array_new_with_free_func(g_free) };
	g_autoptr(VarveMounted) base = varve_mounted_new("");
	Boot boot = { .options = options, .report = report, .undo = &undo, .base = base };
	g_autoptr(GError) local = NULL;
	gint64 since = g_get_monotonic_time();
	gboolean ok = compose(&boot, error);

	varve_turn_clear(&boot.turn);
	g_clear_pointer(&boot.trusted, g_ptr_array_unref);
	if (!ok)
		return FALSE;
	undo.done = TRUE;
	varve_integrity_start(options->initrd_fd, "/sys", boot.mode.kernel, report);
	varve_report_time(report, "total", since);
	if (!varve_report_save(report, VARVE_REPORT_FILE, &local))
		varve_report_warn(report, "the boot report cannot be kept: %s", local->message);
	return TRUE;
}
