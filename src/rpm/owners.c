/* Owners by name become numbers after everything is unpacked. librpm looks names up while it
 * unpacks, and where the root does not know one yet it falls back to root and drops set-id bits. */
#include "rpm/transaction-internal.h"

#include "base/error.h"
#include "ground/fd.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

static int open_inside(int root_fd, const char *path, guint64 flags)
{
	/* A scriptlet can have made any directory a link: never leave the root. */
	struct open_how how = { .flags = flags | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
}

/* name → id of the root's own passwd or group; what cannot be read is as good as empty. */
static GHashTable *read_ids(int root_fd, const char *path)
{
	GHashTable *ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	varve_autofd fd = open_inside(root_fd, path, O_RDONLY);
	g_auto(GStrv) lines = NULL;
	g_autofree char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > 16 << 20)
		return ids;
	text = g_malloc((gsize)st.st_size + 1);
	n = varve_fd_read_full(fd, text, (size_t)st.st_size, 0);
	text[n < 0 ? 0 : n] = '\0';
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_auto(GStrv) fields = g_strsplit(*line, ":", 4);
		guint64 id;

		if (g_strv_length(fields) >= 3 &&
		    g_ascii_string_to_unsigned(fields[2], 10, 0, G_MAXUINT32 - 1, &id, NULL))
			g_hash_table_replace(ids, g_strdup(fields[0]), GUINT_TO_POINTER((guint)id));
	}
	return ids;
}

static gboolean look_up(GHashTable *given, GHashTable *own, const char *name, guint *ret_id)
{
	gpointer id = NULL;

	if (strcmp(name, "root") == 0) {
		*ret_id = 0;
		return TRUE;
	}
	if ((!given || !g_hash_table_lookup_extended(given, name, NULL, &id)) &&
	    !g_hash_table_lookup_extended(own, name, NULL, &id))
		return FALSE;
	*ret_id = GPOINTER_TO_UINT(id);
	return TRUE;
}

static gboolean own_path(int root_fd, const VarvePackageFile *file, uid_t uid, gid_t gid,
			 GError **error)
{
	g_autofree char *directory = g_path_get_dirname(file->path);
	g_autofree char *name = g_path_get_basename(file->path);
	varve_autofd parent = open_inside(root_fd, directory, O_PATH | O_DIRECTORY);
	varve_autofd fd = -1;
	char caps[64];
	ssize_t caps_size = -1;
	struct stat st;

	if (parent < 0 || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return TRUE; /* a ghost, or left out */
		return varve_fail_errno(error, errno, "%s", file->path);
	}
	if ((st.st_mode & S_IFMT) != (file->mode & S_IFMT))
		return TRUE; /* a scriptlet put something else there */
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			return varve_fail_errno(error, errno, "%s", file->path);
		if (S_ISREG(st.st_mode)) /* chown takes them away */
			caps_size = fgetxattr(fd, "security.capability", caps, sizeof(caps));
	}
	if (fchownat(parent, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (fd >= 0 && fchmod(fd, file->mode & 07777) < 0) ||
	    (caps_size > 0 && fsetxattr(fd, "security.capability", caps, (size_t)caps_size, 0) < 0))
		return varve_fail_errno(error, errno, "setting the owner of %s", file->path);
	return TRUE;
}

gboolean varve_transaction_own(const VarveTransaction *transaction, int root_fd,
			       const VarveTransactionItem *items, gsize n_items, GError **error)
{
	g_autoptr(GHashTable) users = read_ids(root_fd, "etc/passwd");
	g_autoptr(GHashTable) groups = read_ids(root_fd, "etc/group");

	for (gsize i = 0; i < n_items; i++) {
		g_autoptr(GPtrArray) files = varve_rpm_header_files(items[i].header, NULL);

		for (guint j = 0; j < files->len; j++) {
			const VarvePackageFile *file = g_ptr_array_index(files, j);
			gboolean user_known, group_known;
			guint uid = 0, gid = 0;

			if (strcmp(file->user, "root") == 0 && strcmp(file->group, "root") == 0)
				continue;
			user_known = look_up(transaction->users, users, file->user, &uid);
			group_known = look_up(transaction->groups, groups, file->group, &gid);
			if (!user_known || !group_known)
				return varve_fail(error, VARVE_ERROR_NOT_FOUND,
						  "package '%s': /%s belongs to %s '%s', which has "
						  "no number: "
						  "declare it in the layer's %s",
						  items[i].nevra, file->path,
						  user_known ? "group" : "user",
						  user_known ? file->group : file->user,
						  user_known ? "groups" : "users");
			if (!own_path(root_fd, file, uid, gid, error))
				return FALSE;
		}
	}
	return TRUE;
}
