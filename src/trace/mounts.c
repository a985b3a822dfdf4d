/* Reading mountinfo. */
#include "trace/mounts.h"

#include "base/error.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#define MOUNTINFO "/proc/self/mountinfo"
#define MOUNTINFO_LIMIT ((size_t)64 * 1024 * 1024)

static void mount_free(gpointer data)
{
	VarveMountInfo *mount = data;

	g_free(mount->root);
	g_free(mount->point);
	g_free(mount->type);
	g_free(mount->source);
	g_free(mount->super);
	g_free(mount);
}

/* \040 is a space: the kernel writes what would separate, and backslashes, in names so. */
static char *unescape(const char *text)
{
	GString *plain = g_string_new(NULL);

	while (*text) {
		gboolean octal = text[0] == '\\' && text[1] >= '0' && text[1] <= '3' &&
				 text[2] >= '0' && text[2] <= '7' && text[3] >= '0' &&
				 text[3] <= '7';

		if (!octal) {
			g_string_append_c(plain, *text++);
			continue;
		}
		g_string_append_c(plain, (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
						(text[3] - '0')));
		text += 4;
	}
	return g_string_free(plain, FALSE);
}

/* id parent major:minor root point options [tag…] - type source super */
static VarveMountInfo *parse_line(const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	guint n = g_strv_length(words), dash = 6, id, parent, major, minor;
	VarveMountInfo *mount;

	while (dash < n && strcmp(words[dash], "-") != 0)
		dash++;
	if (dash + 3 >= n || sscanf(words[0], "%u", &id) != 1 ||
	    sscanf(words[1], "%u", &parent) != 1 || sscanf(words[2], "%u:%u", &major, &minor) != 2)
		return NULL;
	mount = g_new0(VarveMountInfo, 1);
	mount->id = id;
	mount->parent = parent;
	mount->device = makedev(major, minor);
	mount->root = unescape(words[3]);
	mount->point = unescape(words[4]);
	mount->type = unescape(words[dash + 1]);
	mount->source = unescape(words[dash + 2]);
	/* Not unescaped: commas that separate options must stay apart from those in names. */
	mount->super = g_strdup(words[dash + 3]);
	return mount;
}

GPtrArray *varve_mounts_parse(const char *text, GError **error)
{
	g_autoptr(GPtrArray) mounts = g_ptr_array_new_with_free_func(mount_free);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		VarveMountInfo *mount;

		if (!**line)
			continue;
		mount = parse_line(*line);
		if (!mount) {
			varve_fail(error, VARVE_ERROR_CORRUPT,
				   MOUNTINFO ": line %u is not of its form",
				   (guint)(line - lines) + 1);
			return NULL;
		}
		g_ptr_array_add(mounts, mount);
	}
	return g_steal_pointer(&mounts);
}

GPtrArray *varve_mounts_read(GError **error)
{
	g_autofree char *text = NULL;
	size_t size;

	if (!varve_file_read(AT_FDCWD, MOUNTINFO, MOUNTINFO_LIMIT, &text, &size, error))
		return NULL;
	return varve_mounts_parse(text, error);
}

const VarveMountInfo *varve_mounts_by_id(const GPtrArray *mounts, guint64 id)
{
	for (guint i = 0; i < mounts->len; i++) {
		const VarveMountInfo *mount = mounts->pdata[i];

		if (mount->id == id)
			return mount;
	}
	return NULL;
}

const VarveMountInfo *varve_mounts_at(const GPtrArray *mounts, const char *point)
{
	for (guint i = mounts->len; i-- > 0;) {
		const VarveMountInfo *mount = mounts->pdata[i];

		if (strcmp(mount->point, point) == 0)
			return mount;
	}
	return NULL;
}

char **varve_mounts_option(const VarveMountInfo *mount, const char *key)
{
	g_auto(GStrv) options = g_strsplit(mount->super, ",", -1);
	g_autoptr(GStrvBuilder) values = g_strv_builder_new();
	gsize length = strlen(key);

	for (char **option = options; *option; option++) {
		g_autofree char *value = NULL;

		if (strncmp(*option, key, length) != 0 || (*option)[length] != '=')
			continue;
		value = unescape(*option + length + 1);
		g_strv_builder_add(values, value);
	}
	return g_strv_builder_end(values);
}

/* What follows the directory @prefix in @path, without slashes in front; NULL where @path is not
 * below it, or it itself. */
static const char *below(const char *path, const char *prefix)
{
	gsize length = strcmp(prefix, "/") == 0 ? 0 : strlen(prefix);

	if (strncmp(path, prefix, length) != 0 || (path[length] != '/' && path[length] != '\0'))
		return NULL;
	return path + length + strspn(path + length, "/");
}

char *varve_mounts_inside(const VarveMountInfo *mount, const char *path)
{
	const char *rest = below(path, mount->point);
	const char *root = mount->root + strspn(mount->root, "/");

	if (!rest)
		return NULL;
	return g_strconcat(root, *root && *rest ? "/" : "", rest, NULL);
}
