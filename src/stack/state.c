/* Mounting and preparing the state partition. */
#include "stack/state.h"

#include "base/error.h"
#include "base/file.h"
#include "ground/fd.h"
#include "ground/mount.h"
#include "stack/dress.h"
#include "stack/generation.h"

#include <string.h>
#include <sys/stat.h>

#define STATE_FLAGS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

/* In place, and marked only when it is whole: what was interrupted is done again. */
static gboolean seed_var(int state_fd, int seed_fd, const VarveLabels *labels, GError **error)
{
	varve_autofd to = -1, mark = -1;
	struct stat st;

	if (fstatat(state_fd, VARVE_STATE_SEEDED, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return TRUE;
	if (mkdirat(state_fd, "var", 0755) < 0 && errno != EEXIST)
		return varve_fail_errno(error, errno, "var");
	to = openat(state_fd, "var", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return varve_fail_errno(error, errno, "'var' on it is no directory");
	if (seed_fd >= 0 && !varve_seed_copy(seed_fd, to, error))
		return FALSE;
	if (seed_fd >= 0 && fstat(seed_fd, &st) == 0 && fchmod(to, st.st_mode & 07777) < 0)
		return varve_fail_errno(error, errno, "var");
	if (labels && !varve_dress_tree(to, "/var", labels, error))
		return FALSE;
	if (syncfs(to) < 0)
		return varve_fail_errno(error, errno, "the seed of /var cannot be kept");
	mark = openat(state_fd, VARVE_STATE_SEEDED, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
		      0644);
	if (mark < 0 || fsync(mark) < 0 || fsync(state_fd) < 0)
		return varve_fail_errno(error, errno, "the seed of /var cannot be kept");
	return TRUE;
}

/* A link would lead the mounts that follow to wherever it likes. */
static gboolean make_dir(int dirfd, const char *path, mode_t mode, GError **error)
{
	varve_autofd fd = -1;

	if (mkdirat(dirfd, path, mode) < 0 && errno != EEXIST)
		return varve_fail_errno(error, errno, "directory '%s' cannot be made", path);
	fd = varve_dir_open_beneath(dirfd, path, error);
	return fd >= 0;
}

static gboolean dress(int state_fd, const char *path, const char *as, const VarveLabels *labels,
		      GError **error)
{
	varve_autofd fd = varve_dir_open_beneath(state_fd, path, error);

	return fd >= 0 && varve_dress_tree(fd, as, labels, error);
}

gboolean varve_state_label(int fd, const VarveLabels *labels, GError **error)
{
	static const char *const own[] = { "etc/work", "lost+found" };
	varve_autofd mark = openat(fd, VARVE_STATE_SEEDED, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (!labels)
		return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(own); i++) {
		g_autofree char *as = g_build_filename(VARVE_STATE_MOUNT, own[i], NULL);
		struct stat st;

		if (fstatat(fd, own[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    !dress(fd, own[i], as, labels, error))
			return FALSE;
	}
	if (mark >= 0 &&
	    !varve_dress_one(mark, VARVE_STATE_MOUNT "/" VARVE_STATE_SEEDED, labels, error))
		return FALSE;
	return dress(fd, VARVE_STATE_DIR, "/" VARVE_STATE_DIR, labels, error);
}

/* Everything else was labelled when the state was seeded, or by whom it belongs to. */
static gboolean dress_state(int fd, const VarveLabels *labels, GError **error)
{
	static const char *const own[] = { ".", "etc", "etc/work" };

	if (!labels)
		return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(own); i++) {
		varve_autofd dir = varve_dir_open_beneath(fd, own[i], error);
		g_autofree char *as = g_build_filename(VARVE_STATE_MOUNT, own[i], NULL);

		if (dir < 0 || !varve_dress_one(dir, i ? as : VARVE_STATE_MOUNT, labels, error))
			return FALSE;
	}
	/* The upper directory's own label is that of the merged /etc. */
	return dress(fd, "etc/upper", "/etc", labels, error) &&
	       varve_state_label(fd, labels, error);
}

gboolean varve_state_prepare(int fd, int seed_fd, const VarveLabels *labels, GError **error)
{
	/* Parents first: a name is only looked up below what was found to be a directory. */
	static const struct {
		const char *path;
		mode_t mode;
	} dirs[] = {
		{ "etc", 0755 },
		{ "etc/upper", 0755 },
		{ "etc/work", 0700 },
		{ "var", 0755 },
		{ "var/lib", 0755 },
		{ VARVE_STATE_DIR, 0755 },
		{ VARVE_CANDIDATES_DIR, 0755 },
		{ VARVE_GENERATIONS_DIR, 0755 },
	};

	if (!seed_var(fd, seed_fd, labels, error))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(dirs); i++) {
		if (!make_dir(fd, dirs[i].path, dirs[i].mode, error))
			return FALSE;
	}
	return dress_state(fd, labels, error);
}

static gboolean compose_etc(const char *sysroot, GError **error)
{
	static const VarveMountOption options[] = {
		{ "source", "varve-etc" },
		{ "lowerdir", VARVE_BASE_MOUNT "/etc" },
		{ "upperdir", VARVE_STATE_MOUNT "/etc/upper" },
		{ "workdir", VARVE_STATE_MOUNT "/etc/work" },
		{ NULL, NULL },
	};
	g_autofree char *etc = g_strconcat(sysroot, "/etc", NULL);
	g_autofree char *selinux = g_strconcat(sysroot, "/etc/selinux", NULL);
	char log[512];
	varve_autofd mount_fd = varve_mount_make("overlay", options, STATE_FLAGS, log, sizeof(log));

	if (mount_fd < 0 || varve_mount_attach(mount_fd, etc) < 0)
		return varve_fail_errno(error, errno, "/etc cannot be merged%s%s", *log ? ": " : "",
					log);
	if (access(VARVE_BASE_MOUNT "/etc/selinux", F_OK) < 0)
		return TRUE;
	if (varve_mount_bind(VARVE_BASE_MOUNT "/etc/selinux", selinux,
			     STATE_FLAGS | MOUNT_ATTR_RDONLY) == 0)
		return TRUE;
	varve_fail_errno(error, errno, "/etc/selinux cannot be bound from the base");
	umount2(etc, MNT_DETACH);
	return FALSE;
}

static gboolean compose(const char *sysroot, GError **error)
{
	g_autofree char *var = g_strconcat(sysroot, "/var", NULL);

	if (varve_mount_bind(VARVE_STATE_MOUNT "/var", var, STATE_FLAGS) < 0)
		return varve_fail_errno(error, errno,
					"/var cannot be bound from the state partition");
	if (compose_etc(sysroot, error))
		return TRUE;
	umount2(var, MNT_DETACH);
	return FALSE;
}

/* All that is done with the mounted state; what fails leaves nothing of it behind. */
static gboolean use_mount(const char *sysroot, int seed_fd, const VarveLabels *labels,
			  GError **error)
{
	varve_autofd fd = varve_dir_open(AT_FDCWD, VARVE_STATE_MOUNT, error);

	if (fd >= 0 && varve_state_prepare(fd, seed_fd, labels, error) && compose(sysroot, error))
		return TRUE;
	umount2(VARVE_STATE_MOUNT, MNT_DETACH);
	return FALSE;
}

static gboolean mount_partition(const char *device, const char *sysroot, int seed_fd,
				const VarveLabels *labels, GError **error)
{
	const VarveMountOption options[] = { { "source", device }, { NULL, NULL } };
	varve_autofd mount_fd = -1;
	char log[512];

	if (varve_make_dirs(VARVE_STATE_MOUNT) < 0)
		return varve_fail_errno(error, errno, VARVE_STATE_MOUNT);
	mount_fd = varve_mount_make("ext4", options, STATE_FLAGS, log, sizeof(log));
	if (mount_fd < 0)
		return varve_fail_errno(error, errno, "%s cannot be mounted as ext4%s%s", device,
					*log ? ": " : "", log);
	if (varve_mount_attach(mount_fd, VARVE_STATE_MOUNT) < 0)
		return varve_fail_errno(error, errno, "%s cannot be mounted", device);
	return use_mount(sysroot, seed_fd, labels, error);
}

/* A policy that is loaded later forgets the labels of a tmpfs: systemd-tmpfiles gives them again.
 */
static gboolean leave_relabelling(GError **error)
{
	static const char lines[] = "# Written at boot: the state lies in memory.\n"
				    "Z /var - - - -\n"
				    "Z /etc - - - -\n";

	return varve_dir_make("/run/tmpfiles.d", 0755, error) &&
	       varve_file_write(AT_FDCWD, "/run/tmpfiles.d/varve-state.conf", lines, strlen(lines),
				0644, error);
}

static gboolean mount_memory(const char *sysroot, int seed_fd, const VarveLabels *labels,
			     GError **error)
{
	static const VarveMountOption options[] = { { "source", "varve-state" },
						    { "mode", "0755" },
						    { NULL, NULL } };

	if (varve_make_dirs(VARVE_STATE_MOUNT) < 0 ||
	    varve_mount_at("tmpfs", options, STATE_FLAGS, VARVE_STATE_MOUNT) < 0)
		return varve_fail_errno(error, errno,
					"no tmpfs can be mounted at " VARVE_STATE_MOUNT);
	return use_mount(sysroot, seed_fd, labels, error) && (!labels || leave_relabelling(error));
}

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

gboolean varve_state_mount(const char *device, const char *sysroot, int seed_fd,
			   const VarveLabels *labels, VarveReport *report, GError **error)
{
	g_autoptr(GError) local = NULL;

	if (device && mount_partition(device, sysroot, seed_fd, labels, &local)) {
		set(&report->state, "ok");
		set(&report->state_detail, device);
		return TRUE;
	}
	set(&report->state, "volatile");
	set(&report->state_detail,
	    local ? local->message : "the disk has no partition called 'state'");
	varve_report_warn(
		report,
		"the state partition cannot be used: %s. The base runs alone, with memory "
		"in its place: everything that is written now is gone at the next boot. "
		"Repair it with e2fsck, or make it anew and copy the layers there",
		report->state_detail);
	return mount_memory(sysroot, seed_fd, labels, error);
}
