/* Questions to a running node. */
#include "stack/node.h"

#include "base/error.h"
#include "base/file.h"
#include "ground/block.h"
#include "ground/fd.h"
#include "ground/mount.h"
#include "stack/compliance.h"
#include "stack/node-floors.h"
#include "stack/select.h"
#include "stack/turn.h"

#include <sched.h>
#include <string.h>

#define LAYERS_PATH "/" VARVE_CANDIDATES_DIR
#define GENERATIONS_PATH "/" VARVE_GENERATIONS_DIR
#define PLAN_DIR VARVE_RUN_DIR "/empty"

VarveReport *varve_node_report(GError **error)
{
	g_autoptr(GError) local = NULL;
	VarveReport *report = varve_report_load(VARVE_REPORT_FILE, &local);

	if (!report && g_error_matches(local, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
		varve_fail(error, VARVE_ERROR_NOT_FOUND,
			   "there is no " VARVE_REPORT_FILE
			   ": this machine was not started by Varve");
	else if (!report)
		g_propagate_error(error, g_steal_pointer(&local));
	return report;
}

int varve_node_generations(GError **error)
{
	return varve_dir_open(AT_FDCWD, GENERATIONS_PATH, error);
}

/* A tmpfs of our own for mount points, over an empty directory that only we see it on. */
static gboolean enter_namespace(GError **error)
{
	static const VarveMountOption options[] = { { "source", "varve-plan" },
						    { "mode", "0700" },
						    { NULL, NULL } };

	if (unshare(CLONE_NEWNS) < 0)
		return varve_fail_errno(error, errno,
					"no mount namespace can be made; are you root?");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return varve_fail_errno(error, errno, "/ cannot be made private");
	if (varve_mount_at("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, PLAN_DIR) < 0)
		return varve_fail_errno(error, errno, "no tmpfs can be mounted at " PLAN_DIR);
	return TRUE;
}

static void describe_base(const VarveReport *boot, VarveReport *plan)
{
	VarveReportLayer *base = plan->base;

	g_free(base->root);
	g_free(base->certificate);
	g_free(base->signer);
	g_free(plan->state);
	g_free(plan->state_detail);
	base->root = g_strdup(boot->base->root);
	base->certificate = g_strdup(boot->base->certificate);
	base->signer = g_strdup(boot->base->signer);
	base->development = boot->base->development;
	base->accepted = TRUE;
	g_free(plan->verification);
	g_free(plan->verification_detail);
	plan->verification = g_strdup(boot->verification);
	plan->verification_detail = g_strdup(boot->verification_detail);
	plan->state = g_strdup(boot->state);
	plan->state_detail = g_strdup(boot->state_detail);
}

static gboolean plan_layers(VarveMounted *base, const VarveReport *boot, VarveReport *plan,
			    const VarveDigest *root, GError **error)
{
	g_auto(VarveTurn) turn = { NULL };
	g_autoptr(VarvePolicy) policy = varve_node_policy(base->fd, boot, plan, error);
	varve_autofd generations_fd = varve_node_generations(NULL);
	varve_autofd layers_fd = open(LAYERS_PATH, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	g_autofree char *prefix = g_strdup_printf("varve-plan-%d-", (int)getpid());
	g_autoptr(GPtrArray) layers = NULL;
	VarveSelecting selecting = {
		.opening = { .policy = policy,
			     .mounts = PLAN_DIR,
			     .device_prefix = prefix,
			     .kernel_mode = varve_report_kernel_mode(plan) },
		.base = &base->facts,
		.layers_fd = layers_fd,
		.today = varve_today(),
	};
	g_autoptr(VarveRefusal) refused = NULL;

	if (!policy)
		return FALSE;
	varve_turn_find(generations_fd, layers_fd, root, FALSE, plan, &turn);
	plan->generation = turn.current ? turn.current->number : 0;
	selecting.opening.known = selecting.current = turn.current;
	selecting.history = turn.history;
	refused = varve_compliance_base(policy, plan, selecting.today);
	if (refused)
		varve_select_none(layers_fd, refused->code, refused->sentence, plan);
	else if (turn.attempt == VARVE_TRY_NOTHING)
		varve_select_none(layers_fd, VARVE_TURN_NOTHING_CODE, VARVE_TURN_NOTHING_SENTENCE,
				  plan);
	else
		layers = varve_select(&selecting, plan);
	varve_compliance_required(policy, plan);
	varve_compliance_layers(plan, selecting.today);
	g_free(plan->selection);
	plan->selection = g_strdup(varve_selection_name(turn.current ? turn.current->selection
								     : VARVE_SELECTION_DIRECTORY));
	return TRUE;
}

gboolean varve_node_plan(const VarveReport *boot, VarveReport *plan, GError **error)
{
	g_autoptr(VarveMounted) base = varve_mounted_new("");
	gint64 since = g_get_monotonic_time();
	VarveDigest root;

	describe_base(boot, plan);
	if (!varve_digest_from_hex(boot->base->root, &root))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  VARVE_REPORT_FILE ": '%s' is no root hash", boot->base->root);
	if (!enter_namespace(error))
		return FALSE;
	base->fd = varve_dir_open(AT_FDCWD, VARVE_BASE_MOUNT, error);
	if (base->fd < 0 || !varve_labels_open(VARVE_BASE_MOUNT, &base->labels, error) ||
	    !varve_base_inspect(base, error))
		return FALSE;
	base->facts.root = root;
	varve_report_layer_describe(plan->base, base->manifest);
	if (!plan_layers(base, boot, plan, &root, error))
		return FALSE;
	varve_report_time(plan, "total", since);
	return TRUE;
}

gboolean varve_node_release(GError **error)
{
	g_auto(GStrv) names = NULL;
	g_autoptr(GError) local = NULL;

	if (varve_mount_is("/usr") && umount2("/usr", MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		return varve_fail_errno(error, errno, "/usr cannot be let go");
	if (varve_dir_list(AT_FDCWD, VARVE_LAYER_MOUNTS, &names, &local)) {
		for (char **name = names; *name; name++) {
			g_autofree char *path = g_strconcat(VARVE_LAYER_MOUNTS "/", *name, NULL);

			if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL)
				return varve_fail_errno(error, errno, "%s cannot be let go", path);
		}
	}
	if (umount2(VARVE_BASE_MOUNT, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL &&
	    errno != ENOENT)
		return varve_fail_errno(error, errno, VARVE_BASE_MOUNT " cannot be let go");
	return TRUE;
}
