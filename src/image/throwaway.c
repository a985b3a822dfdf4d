/* Throwaway disks: qcow2 overlays by qemu-img, injection by debugfs at the partition's offset. */
#include "image/throwaway.h"

#include "base/error.h"
#include "base/file.h"
#include "format/gpt.h"
#include "image/disk.h"
#include "image/sparse.h"

#include <string.h>
#include <sys/stat.h>

#define ROOM_BESIDE (1024 * 1024) /* directories, extents */
#define AUTHORIZED_KEYS "etc/upper/ssh/authorized_keys.d"

gboolean varve_injection_is_empty(const VarveInjection *injection)
{
	return !injection->authorized_key && !(injection->layers && injection->layers[0]);
}

gboolean varve_throwaway_overlay(const char *from, const char *to, GError **error)
{
	g_autofree char *absolute = g_canonicalize_filename(from, NULL);

	return varve_run(error, "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b",
			 absolute, to, NULL);
}

gboolean varve_throwaway_copy(const char *from, const char *to, GError **error)
{
	varve_autofd in = open(from, O_RDONLY | O_CLOEXEC);
	varve_autofd out = -1;

	if (in < 0)
		return varve_fail_errno(error, errno, "%s: cannot open", from);
	out = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (out < 0)
		return varve_fail_errno(error, errno, "%s: cannot make", to);
	return varve_sparse_copy_file(in, out, from, error);
}

static gboolean find_state(const char *disk, guint64 *ret_offset, GError **error)
{
	varve_autofd fd = open(disk, O_RDONLY | O_CLOEXEC);
	g_autofree VarveGpt *gpt = NULL;

	if (fd < 0)
		return varve_fail_errno(error, errno, "%s: cannot open", disk);
	if (!varve_gpt_read(fd, &gpt, error))
		return FALSE;
	for (guint i = 0; i < gpt->n_partitions; i++) {
		if (strcmp(gpt->partitions[i].name, VARVE_DISK_STATE) == 0) {
			*ret_offset = gpt->partitions[i].offset;
			return TRUE;
		}
	}
	return varve_fail(error, VARVE_ERROR_NOT_FOUND,
			  "%s: has no partition '%s' to put keys and layers into", disk,
			  VARVE_DISK_STATE);
}

/* One file that goes to @directory/@name of the state partition. */
typedef struct {
	char *source; /* absolute */
	const char *directory;
	char *name;
	mode_t mode;
} Item;

static void item_clear(gpointer data)
{
	Item *item = data;

	g_free(item->source);
	g_free(item->name);
}

static gboolean debugfs(const VarveTools *tools, const char *disk, const char *mode,
			const char *request, guint64 offset, const GArray *binds, char **ret_output,
			GError **error)
{
	g_autofree char *where = g_strdup_printf("%s?offset=%" G_GUINT64_FORMAT, disk, offset);
	const char *const argv[] = { "debugfs", "-w", mode, request, where, NULL };

	return varve_tools_run(tools, argv, (const VarveBind *)(gpointer)binds->data, binds->len, 0,
			       ret_output, error);
}

static void write_requests(GString *script, const Item *item)
{
	for (const char *slash = strchr(item->directory, '/'); slash;
	     slash = strchr(slash + 1, '/'))
		g_string_append_printf(script, "mkdir \"/%.*s\"\n", (int)(slash - item->directory),
				       item->directory);
	g_string_append_printf(script, "mkdir \"/%s\"\nrm \"/%s/%s\"\nwrite \"%s\" \"/%s/%s\"\n",
			       item->directory, item->directory, item->name, item->source,
			       item->directory, item->name);
	g_string_append_printf(script,
			       "set_inode_field \"/%s/%s\" mode 0%o\n"
			       "set_inode_field \"/%s/%s\" uid 0\n"
			       "set_inode_field \"/%s/%s\" gid 0\n",
			       item->directory, item->name, (unsigned)(S_IFREG | item->mode),
			       item->directory, item->name, item->directory, item->name);
}

/* debugfs ends with 0 whatever happened, so what was written is looked at. */
static gboolean check_item(const VarveTools *tools, const char *disk, guint64 offset,
			   const GArray *binds, const Item *item, GError **error)
{
	g_autofree char *request = g_strdup_printf("stat \"/%s/%s\"", item->directory, item->name);
	g_autofree char *output = NULL;
	const char *size;
	struct stat st;

	if (stat(item->source, &st) < 0)
		return varve_fail_errno(error, errno, "%s: cannot stat", item->source);
	if (!debugfs(tools, disk, "-R", request, offset, binds, &output, error))
		return FALSE;
	size = strstr(output, " Size: ");
	if (!size || g_ascii_strtoull(size + 7, NULL, 10) != (guint64)st.st_size)
		return varve_fail(error, VARVE_ERROR_SYSTEM,
				  "%s: '%s' could not be written into its state partition: is it "
				  "full, or no ext4?",
				  disk, item->name);
	return TRUE;
}

/* A line of debugfs' "show_super_stats -h": "Free blocks:              13026". */
static guint64 super_value(const char *output, const char *label)
{
	const char *line = strstr(output, label);

	return line ? g_ascii_strtoull(line + strlen(label), NULL, 10) : 0;
}

/* A file that debugfs cannot write to its end has its full size all the same, so the room is looked
 * at before. */
static gboolean check_room(const VarveTools *tools, const char *disk, guint64 offset,
			   const GArray *binds, guint64 needed, GError **error)
{
	g_autofree char *output = NULL;
	guint64 room;

	if (!debugfs(tools, disk, "-R", "show_super_stats -h", offset, binds, &output, error))
		return FALSE;
	room = super_value(output, "Free blocks:") * super_value(output, "Block size:");
	if (room == 0 || needed + needed / 64 + ROOM_BESIDE > room)
		return varve_fail(error, VARVE_ERROR_SYSTEM,
				  "%s: its state partition has room for %" G_GUINT64_FORMAT
				  " bytes more, and %" G_GUINT64_FORMAT " are to be put into it",
				  disk, room, needed);
	return TRUE;
}

static gboolean inject_items(const VarveTools *tools, const char *disk, const GArray *items,
			     GError **error)
{
	g_autofree char *script_path = g_strdup_printf("%s.requests", disk);
	g_autoptr(GString) script = g_string_new(NULL);
	g_autoptr(GArray) binds = g_array_new(FALSE, FALSE, sizeof(VarveBind));
	const VarveBind disk_bind = { .source = disk, .target = disk, .writable = TRUE };
	const VarveBind script_bind = { .source = script_path, .target = script_path };
	guint64 offset = 0, needed = 0;
	gboolean ran;

	if (!find_state(disk, &offset, error))
		return FALSE;
	g_array_append_val(binds, disk_bind);
	g_array_append_val(binds, script_bind);
	for (guint i = 0; i < items->len; i++) {
		const Item *item = &g_array_index(items, Item, i);
		const VarveBind bind = { .source = item->source, .target = item->source };
		struct stat st;

		if (strpbrk(item->source, "\"\n"))
			return varve_fail(error, VARVE_ERROR_USAGE,
					  "'%s': quotes and line breaks cannot be in this name",
					  item->source);
		if (stat(item->source, &st) < 0)
			return varve_fail_errno(error, errno, "%s: cannot read", item->source);
		needed += (guint64)st.st_size;
		g_array_append_val(binds, bind);
		write_requests(script, item);
	}
	if (!varve_file_write(AT_FDCWD, script_path, script->str, script->len, 0600, error))
		return FALSE;
	ran = check_room(tools, disk, offset, binds, needed, error) &&
	      debugfs(tools, disk, "-f", script_path, offset, binds, NULL, error);
	for (guint i = 0; i < items->len && ran; i++)
		ran = check_item(tools, disk, offset, binds, &g_array_index(items, Item, i), error);
	unlink(script_path);
	return ran;
}

static void add_item(GArray *items, const char *from, const char *directory, const char *name,
		     mode_t mode)
{
	Item item = { .source = g_canonicalize_filename(from, NULL),
		      .directory = directory,
		      .name = name ? g_strdup(name) : g_path_get_basename(from),
		      .mode = mode };

	g_array_append_val(items, item);
}

gboolean varve_throwaway_inject(const VarveTools *tools, const char *disk,
				const VarveInjection *injection, GError **error)
{
	g_autofree char *absolute = g_canonicalize_filename(disk, NULL);
	g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(Item));

	g_array_set_clear_func(items, item_clear);
	if (injection->authorized_key)
		add_item(items, injection->authorized_key, AUTHORIZED_KEYS, "root", 0644);
	for (const char *const *layer = injection->layers; layer && *layer; layer++)
		add_item(items, *layer, VARVE_STATE_LAYERS, NULL, 0644);
	return inject_items(tools, absolute, items, error);
}
