/* Exchanging /usr. */
#include "live/commit.h"

#include "base/error.h"
#include "base/file.h"
#include "device/verity-device.h"
#include "format/mountinfo.h"
#include "ground/fd.h"
#include "ground/mount.h"
#include "stack/history.h"
#include "stack/stack.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define USR "/usr"
#define EMPTY_DIR VARVE_RUN_DIR "/empty"

void varve_new_usr_clear(VarveNewUsr *usr)
{
	varve_autofd_close(&usr->fd);
}

gboolean varve_commit_prepare(const GPtrArray *layers, VarveNewUsr *ret, GError **error)
{
	g_auto(GStrv) lowers = varve_stack_lowers(layers, VARVE_BASE_MOUNT USR);
	varve_autofd fd = varve_stack_merge_usr((const char *const *)lowers, EMPTY_DIR, error);
	struct stat st;

	if (fd < 0)
		return FALSE;
	if (fstat(fd, &st) < 0)
		return varve_fail_errno(error, errno, "the new /usr cannot be asked");
	ret->device = (guint64)st.st_dev;
	ret->fd = varve_fd_steal(&fd);
	return TRUE;
}

static gboolean same_namespace(void)
{
	struct stat own, first;

	return stat("/proc/self/ns/mnt", &own) == 0 && stat("/proc/1/ns/mnt", &first) == 0 &&
	       own.st_ino == first.st_ino && own.st_dev == first.st_dev;
}

static GPtrArray *read_mounts(GError **error)
{
	g_autofree char *text = NULL;

	if (!g_file_get_contents("/proc/self/mountinfo", &text, NULL, NULL)) {
		varve_fail(error, VARVE_ERROR_SYSTEM, "/proc/self/mountinfo cannot be read");
		return NULL;
	}
	return varve_mountinfo_parse(text, error);
}

gboolean varve_commit_possible(const VarveReport *running, GError **error)
{
	g_autoptr(GPtrArray) mounts = NULL;
	struct stat st;

	if (!same_namespace())
		return varve_fail(error, VARVE_ERROR_REFUSED,
				  "this process does not see the mounts of the system itself, but "
				  "those of a service or container; run varvectl outside of it");
	if (stat(USR, &st) < 0)
		return varve_fail_errno(error, errno, USR);
	if ((guint64)st.st_dev != running->usr)
		return varve_fail(error, VARVE_ERROR_BUSY,
				  "what is mounted at " USR " is not the running stack, but device "
				  "%u:%u: 'varvectl status' says what lies over it; take that away",
				  major(st.st_dev), minor(st.st_dev));
	mounts = read_mounts(error);
	if (!mounts)
		return FALSE;
	for (guint i = 0; i < mounts->len; i++) {
		const VarveMount *mount = mounts->pdata[i];

		if (g_str_has_prefix(mount->point, USR "/"))
			return varve_fail(
				error, VARVE_ERROR_BUSY,
				"%s is mounted at '%s': it would be lost with the old " USR
				"; unmount it first",
				*mount->source ? mount->source : mount->type, mount->point);
	}
	return TRUE;
}

/* After /usr was exchanged: what is written here only says what is so already. */
static gboolean write_down(const VarveReport *report, const VarveStateDirs *dirs, GError **error)
{
	g_autoptr(VarveGeneration) generation = NULL;

	if (rename(VARVE_REPORT_NEXT, VARVE_REPORT_FILE) < 0)
		return varve_fail_errno(error, errno, VARVE_REPORT_FILE);
	if (report->generation == 0)
		return TRUE;
	generation = varve_generation_load(dirs->generations, report->generation, error);
	return generation && varve_generation_link(dirs->generations, generation, "current", error);
}

gboolean varve_commit(VarveNewUsr *usr, const VarveStateDirs *dirs, VarveReport *next,
		      gint64 *ret_microseconds, GError **error)
{
	varve_autofd old = open(USR, O_PATH | O_DIRECTORY | O_CLOEXEC);
	g_autoptr(GError) local = NULL;
	gint64 since;

	if (old < 0)
		return varve_fail_errno(error, errno, USR);
	next->usr = usr->device;
	if (!varve_report_save(next, VARVE_REPORT_NEXT, error))
		return FALSE;
	since = g_get_monotonic_time();
	if (varve_mount_beneath(usr->fd, USR) < 0) {
		varve_fail_errno(error, errno,
				 "the new " USR " cannot be put beneath the one that is there");
		unlink(VARVE_REPORT_NEXT);
		return FALSE;
	}
	if (varve_mount_uncover(old) < 0)
		return varve_fail_errno(error, errno,
					"the old " USR
					" cannot be let go; the new one lies beneath "
					"it, and the next 'varvectl swap' finishes the change");
	*ret_microseconds = g_get_monotonic_time() - since;
	if (!write_down(next, dirs, &local))
		varve_report_warn(next,
				  "the change is made but not recorded: %s. The next boot has the "
				  "stack before",
				  local->message);
	return TRUE;
}

/* Recovery. */

/* Whether an overlay with @device lies at /usr, below the topmost. */
static gboolean lies_beneath(guint64 device, gboolean *ret, GError **error)
{
	g_autoptr(GPtrArray) mounts = read_mounts(error);

	if (!mounts)
		return FALSE;
	*ret = FALSE;
	for (guint i = 0; i < mounts->len; i++) {
		const VarveMount *mount = mounts->pdata[i];

		if (strcmp(mount->point, USR) == 0 && mount->device == (dev_t)device)
			*ret = TRUE;
	}
	return TRUE;
}

/* The upper of the two at /usr goes, as the commit would have done. */
static gboolean uncover(GError **error)
{
	varve_autofd old = open(USR, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (old < 0 || varve_mount_uncover(old) < 0)
		return varve_fail_errno(error, errno, "the old " USR " cannot be let go");
	return TRUE;
}

/* @ret_done: the stack of @next runs. */
static gboolean finish(const VarveReport *next, gboolean *ret_done, GError **error)
{
	struct stat st;

	if (stat(USR, &st) < 0)
		return varve_fail_errno(error, errno, USR);
	*ret_done = (guint64)st.st_dev == next->usr;
	if (*ret_done)
		return TRUE;
	if (!lies_beneath(next->usr, ret_done, error))
		return FALSE;
	return !*ret_done || uncover(error);
}

static gboolean recover_commit(VarveReport **running, const VarveStateDirs *dirs, char **ret_found,
			       GError **error)
{
	g_autoptr(VarveReport) next = NULL;
	g_autoptr(GError) local = NULL;
	gboolean done;

	if (access(VARVE_REPORT_NEXT, F_OK) < 0)
		return TRUE;
	next = varve_report_load(VARVE_REPORT_NEXT, &local);
	if (next && !finish(next, &done, error))
		return FALSE;
	if (next && done) {
		if (!write_down(next, dirs, error))
			return FALSE;
		*ret_found = g_strdup_printf("a swap to generation %u was interrupted after its "
					     "commit; it is finished now",
					     next->generation);
		varve_report_free(*running);
		*running = g_steal_pointer(&next);
		return TRUE;
	}
	*ret_found = g_strdup("a swap was interrupted before its commit; it was taken back");
	if (unlink(VARVE_REPORT_NEXT) < 0)
		return varve_fail_errno(error, errno, VARVE_REPORT_NEXT);
	return TRUE;
}

static gboolean recover_state(const VarveReport *running, const VarveStateDirs *dirs,
			      GError **error)
{
	g_autoptr(GError) local = NULL;
	VarveDigest base;

	if (!varve_digest_from_hex(running->base->root, &base))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  VARVE_REPORT_FILE ": '%s' is no root hash", running->base->root);
	/* Killed between the two halves of write_down(), or without room for the second, what runs
	 * is above the current one, and is no swap that was never committed. A damaged record must
	 * not keep the node from being given another stack. */
	if (running->generation > 0 &&
	    !varve_generation_make_current(dirs->generations, running->generation, &base, &local) &&
	    g_error_matches(local, VARVE_ERROR, VARVE_ERROR_SYSTEM)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	return varve_history_take_back(dirs->generations, dirs->layers, &base, error) &&
	       varve_target_unstage(dirs, error);
}

/* Whether @root (hex) is a layer that runs. */
static gboolean runs(const VarveReport *running, const char *root)
{
	for (guint i = 0; i < running->layers->len; i++) {
		const VarveReportLayer *layer = running->layers->pdata[i];

		if (layer->accepted && strcmp(layer->root, root) == 0)
			return TRUE;
	}
	return strcmp(running->base->root, root) == 0;
}

void varve_commit_release(const VarveReport *running)
{
	g_autoptr(VarveReport) before = varve_report_load(VARVE_REPORT_BEFORE, NULL);
	g_auto(GStrv) names = NULL, devices = varve_verity_device_list("varve-", NULL);

	if (varve_dir_list(AT_FDCWD, VARVE_LAYER_MOUNTS, &names, NULL)) {
		for (char **name = names; *name; name++) {
			g_autofree char *path = g_strconcat(VARVE_LAYER_MOUNTS "/", *name, NULL);

			if (runs(running, *name) || (before && runs(before, *name)))
				continue;
			umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
			rmdir(path);
		}
	}
	/* The kernel removes at once those that nobody has open. */
	for (char **device = devices; device && *device; device++) {
		const char *root = *device + strlen("varve-");

		if (strlen(root) == VARVE_DIGEST_HEX_SIZE - 1 && !runs(running, root))
			varve_verity_device_close(*device, TRUE, NULL);
	}
}

/* A stack that was written down and never came. */
static gboolean recover_past(const VarveReport *running, GError **error)
{
	g_autoptr(VarvePast) past = varve_past_load(error);
	const VarvePastStack *last;

	if (!past)
		return FALSE;
	last = past->stacks->len ? past->stacks->pdata[past->stacks->len - 1] : NULL;
	if (!last || (guint64)last->device == running->usr)
		return TRUE;
	g_ptr_array_set_size(past->stacks, (int)past->stacks->len - 1);
	return varve_past_save(past, error);
}

gboolean varve_commit_recover(VarveReport **running, const VarveStateDirs *dirs, char **ret_found,
			      GError **error)
{
	g_autofree char *found = NULL;

	if (!recover_commit(running, dirs, &found, error) || !recover_past(*running, error) ||
	    !recover_state(*running, dirs, error))
		return FALSE;
	varve_commit_release(*running);
	if (ret_found)
		*ret_found = g_steal_pointer(&found);
	return TRUE;
}
