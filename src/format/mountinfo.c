/* /proc/PID/mountinfo. */
#include "format/mountinfo.h"

#include "base/error.h"

#include <string.h>
#include <sys/sysmacros.h>

/* "36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue": any number of
 * optional fields up to a dash. */
enum {
	FIELD_ID,
	FIELD_PARENT,
	FIELD_DEVICE,
	FIELD_ROOT,
	FIELD_POINT,
	FIELD_OPTIONS,
	FIELD_OPTIONAL,
};

static void mount_free(gpointer data)
{
	VarveMount *mount = data;

	g_free(mount->root);
	g_free(mount->point);
	g_free(mount->type);
	g_free(mount->source);
	g_free(mount->options);
	g_free(mount->super);
	g_free(mount);
}

static gboolean is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* The kernel escapes what would end a field: space, tab, newline, backslash and hash. */
static char *unescape(const char *field)
{
	char *text = g_malloc(strlen(field) + 1), *to = text;

	while (*field) {
		char c = *field++;

		if (c == '\\' && field[0] >= '0' && field[0] <= '3' && is_octal(field[1]) &&
		    is_octal(field[2])) {
			c = (char)((field[0] - '0') << 6 | (field[1] - '0') << 3 |
				   (field[2] - '0'));
			field += 3;
		}
		*to++ = c ? c : '?';
	}
	*to = '\0';
	return text;
}

static gboolean to_number(const char *field, guint *ret)
{
	guint64 number;

	if (!g_ascii_string_to_unsigned(field, 10, 0, G_MAXUINT, &number, NULL))
		return FALSE;
	*ret = (guint)number;
	return TRUE;
}

static gboolean to_device(const char *field, dev_t *ret)
{
	g_auto(GStrv) numbers = g_strsplit(field, ":", -1);
	guint major, minor;

	if (g_strv_length(numbers) != 2 || !to_number(numbers[0], &major) ||
	    !to_number(numbers[1], &minor))
		return FALSE;
	*ret = makedev(major, minor);
	return TRUE;
}

static VarveMount *parse_line(const char *line)
{
	g_auto(GStrv) fields = g_strsplit(line, " ", -1);
	guint n = g_strv_length(fields), dash = FIELD_OPTIONAL, id, parent;
	VarveMount *mount;
	dev_t device;

	while (dash < n && strcmp(fields[dash], "-") != 0)
		dash++;
	/* The source may be missing, but for its space. */
	if (dash + 3 >= n || !to_number(fields[FIELD_ID], &id) ||
	    !to_number(fields[FIELD_PARENT], &parent) || !to_device(fields[FIELD_DEVICE], &device))
		return NULL;
	mount = g_new0(VarveMount, 1);
	mount->id = id;
	mount->parent = parent;
	mount->device = device;
	mount->root = unescape(fields[FIELD_ROOT]);
	mount->point = unescape(fields[FIELD_POINT]);
	mount->options = unescape(fields[FIELD_OPTIONS]);
	mount->type = unescape(fields[dash + 1]);
	mount->source = unescape(fields[dash + 2]);
	/* Not unescaped: commas that separate options must stay apart from those in names. */
	mount->super = g_strdup(fields[dash + 3]);
	return mount;
}

GPtrArray *varve_mountinfo_parse(const char *text, GError **error)
{
	g_autoptr(GPtrArray) mounts = g_ptr_array_new_with_free_func(mount_free);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (guint i = 0; lines[i]; i++) {
		VarveMount *mount;

		if (!*lines[i])
			continue;
		mount = parse_line(lines[i]);
		if (!mount) {
			varve_fail(error, VARVE_ERROR_CORRUPT,
				   "mountinfo: line %u is not as proc(5) describes it", i + 1);
			return NULL;
		}
		g_ptr_array_add(mounts, mount);
	}
	return g_steal_pointer(&mounts);
}

char **varve_mount_option(const VarveMount *mount, const char *key)
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

static gboolean is_covered(const GPtrArray *mounts, const VarveMount *mount)
{
	for (guint i = 0; i < mounts->len; i++) {
		const VarveMount *other = mounts->pdata[i];

		if (other != mount && other->parent == mount->id &&
		    strcmp(other->point, mount->point) == 0)
			return TRUE;
	}
	return FALSE;
}

const VarveMount *varve_mount_topmost(const GPtrArray *mounts, const char *point)
{
	for (guint i = mounts->len; i-- > 0;) {
		const VarveMount *mount = mounts->pdata[i];

		if (strcmp(mount->point, point) == 0 && !is_covered(mounts, mount))
			return mount;
	}
	return NULL;
}
