/* FAT32 by mkfs.vfat and mtools, ext4 by mkfs.ext4 and debugfs. */
#include "image/filesystem.h"

#include "base/error.h"
#include "base/file.h"

#include <string.h>
#include <sys/stat.h>

#define KIB 1024
#define MIB (1024 * 1024)

static gboolean run(const VarveFilesystem *filesystem, const char *directory, GPtrArray *argv,
		    GError **error)
{
	const VarveBind binds[] = {
		{ .source = filesystem->disk, .target = filesystem->disk, .writable = TRUE },
		{ .source = directory, .target = directory },
	};

	g_ptr_array_add(argv, NULL);
	return varve_tools_run(filesystem->tools, (const char *const *)argv->pdata, binds,
			       G_N_ELEMENTS(binds), filesystem->epoch, NULL, error);
}

static GPtrArray *arguments(const char *program)
{
	GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);

	/* mtools turns SOURCE_DATE_EPOCH into the local time of the machine. */
	g_ptr_array_add(argv, g_strdup("env"));
	g_ptr_array_add(argv, g_strdup("TZ=UTC0"));
	g_ptr_array_add(argv, g_strdup(program));
	return argv;
}

static void add(GPtrArray *argv, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void add(GPtrArray *argv, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	g_ptr_array_add(argv, g_strdup_vprintf(format, list));
	va_end(list);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All parents of @files, parents first. */
static GPtrArray *parents_of(const VarveFilesystemFile *files, gsize n)
{
	GPtrArray *parents = g_ptr_array_new_with_free_func(g_free);

	for (gsize i = 0; i < n; i++) {
		for (const char *slash = strchr(files[i].path, '/'); slash;
		     slash = strchr(slash + 1, '/')) {
			g_autofree char *parent =
				g_strndup(files[i].path, (gsize)(slash - files[i].path));

			if (!g_ptr_array_find_with_equal_func(parents, parent, g_str_equal, NULL))
				g_ptr_array_add(parents, g_steal_pointer(&parent));
		}
	}
	g_ptr_array_sort(parents, by_name);
	return parents;
}

gboolean varve_esp_make(const VarveFilesystem *filesystem, const char *directory,
			const VarveFilesystemFile *files, gsize n, GError **error)
{
	g_autoptr(GPtrArray) mkfs = arguments("mkfs.vfat");
	g_autoptr(GPtrArray) mmd = arguments("mmd");
	g_autoptr(GPtrArray) parents = parents_of(files, n);
	g_autofree char *image =
		g_strdup_printf("%s@@%" G_GUINT64_FORMAT, filesystem->disk, filesystem->offset);

	/* One sector a cluster where that still is FAT32 for mtools: below 65,525 clusters a
	 * filesystem counts as FAT16, whatever its header says. */
	for (const char *const *option =
		     (const char *const[]){ "-F", "32", "-n", "ESP", "--invariant", "-s", NULL };
	     *option; option++)
		add(mkfs, "%s", *option);
	add(mkfs, "%d", filesystem->size < (guint64)1024 * MIB ? 1 : 8);
	add(mkfs, "--offset=%" G_GUINT64_FORMAT, filesystem->offset / 512);
	add(mkfs, "%s", filesystem->disk);
	add(mkfs, "%" G_GUINT64_FORMAT, filesystem->size / KIB);
	if (!run(filesystem, directory, mkfs, error))
		return FALSE;
	add(mmd, "-i");
	add(mmd, "%s", image);
	for (guint i = 0; i < parents->len; i++)
		add(mmd, "::%s", (char *)g_ptr_array_index(parents, i));
	if (parents->len && !run(filesystem, directory, mmd, error))
		return FALSE;
	for (gsize i = 0; i < n; i++) {
		g_autoptr(GPtrArray) mcopy = arguments("mcopy");

		add(mcopy, "-i");
		add(mcopy, "%s", image);
		add(mcopy, "%s", files[i].source);
		add(mcopy, "::%s", files[i].path);
		if (!run(filesystem, directory, mcopy, error)) {
			g_prefix_error(error, "ESP of %" G_GUINT64_FORMAT " MiB: ",
				       filesystem->size / MIB);
			return FALSE;
		}
	}
	return TRUE;
}

/* debugfs' commands that make the inode of @path independent of when and by whom it was staged. */
static void settle_inode(GString *script, const char *path, mode_t mode, gint64 epoch)
{
	static const char *const times[] = { "atime", "ctime", "mtime", "crtime" };

	for (gsize i = 0; i < G_N_ELEMENTS(times); i++)
		g_string_append_printf(script,
				       "set_inode_field \"/%s\" %s @%" G_GINT64_FORMAT "\n"
				       "set_inode_field \"/%s\" %s_extra 0\n",
				       path, times[i], epoch, path, times[i]);
	g_string_append_printf(script,
			       "set_inode_field \"/%s\" uid 0\n"
			       "set_inode_field \"/%s\" gid 0\n"
			       "set_inode_field \"/%s\" mode 0%o\n",
			       path, path, path, (unsigned)mode);
}

static gboolean settle_tree(GString *script, int parent, const char *path, gint64 epoch,
			    GError **error)
{
	varve_autofd fd = varve_dir_open(parent, *path ? path : ".", error);
	g_auto(GStrv) names = NULL;

	settle_inode(script, path, S_IFDIR | 0755, epoch);
	if (fd < 0 || !varve_dir_list(fd, ".", &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *below =
			*path ? g_build_filename(path, *name, NULL) : g_strdup(*name);
		struct stat st;

		if (strpbrk(below, "\"\n"))
			return varve_fail(error, VARVE_ERROR_USAGE,
					  "state partition: the name '%s' cannot be written",
					  below);
		if (fstatat(fd, *name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return varve_fail_errno(error, errno, "%s: cannot stat", below);
		if (!S_ISDIR(st.st_mode))
			settle_inode(script, below, S_IFREG | 0644, epoch);
		else if (!settle_tree(script, parent, below, epoch, error))
			return FALSE;
	}
	return TRUE;
}

/* mkfs.ext4 before 1.47.1 takes the times of change and access from the staged files. */
static gboolean settle(const VarveFilesystem *filesystem, const char *directory, GError **error)
{
	varve_autofd fd = varve_dir_open(AT_FDCWD, directory, error);
	g_autofree char *path = g_strdup_printf("%s.settle", directory);
	g_autoptr(GPtrArray) argv = arguments("debugfs");
	g_autoptr(GString) script = g_string_new(NULL);
	gboolean settled;

	g_string_printf(script, "set_current_time @%" G_GINT64_FORMAT "\n", filesystem->epoch);
	if (fd < 0 || !settle_tree(script, fd, "", filesystem->epoch, error) ||
	    !varve_file_write(AT_FDCWD, path, script->str, script->len, 0644, error))
		return FALSE;
	add(argv, "-w");
	add(argv, "-f");
	add(argv, "%s", path);
	add(argv, "%s?offset=%" G_GUINT64_FORMAT, filesystem->disk, filesystem->offset);
	settled = run(filesystem, path, argv, error);
	unlink(path);
	return settled;
}

gboolean varve_state_make(const VarveFilesystem *filesystem, const char *directory,
			  const char *uuid, GError **error)
{
	g_autoptr(GPtrArray) mkfs = arguments("mkfs.ext4");

	for (const char *const *option =
		     (const char *const[]){ "-q", "-F", "-b", "4096", "-I", "256", "-m", "1", "-L",
					    "state", "-U", uuid, "-d", directory, "-E", NULL };
	     *option; option++)
		add(mkfs, "%s", *option);
	/* The file is new, so all of it reads as zeros: nothing to initialise later in the guest.
	 */
	add(mkfs,
	    "offset=%" G_GUINT64_FORMAT
	    ",nodiscard,assume_storage_prezeroed=1,root_owner=0:0,hash_seed=%s",
	    filesystem->offset, uuid);
	add(mkfs, "%s", filesystem->disk);
	add(mkfs, "%" G_GUINT64_FORMAT "k", filesystem->size / KIB);
	/* E2FSPROGS_FAKE_TIME is what releases know that do not know SOURCE_DATE_EPOCH. */
	g_ptr_array_insert(
		mkfs, 1,
		g_strdup_printf("E2FSPROGS_FAKE_TIME=%" G_GINT64_FORMAT, filesystem->epoch));
	return run(filesystem, directory, mkfs, error) && settle(filesystem, directory, error);
}
