/* The package "setup": Debian's fixed users and groups, which base-passwd's maintainer script
 * would write. */
#include "package/convert-internal.h"

#include "base/error.h"
#include "ground/fd.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define MASTER_DIRECTORY "/usr/share/base-passwd/"

typedef struct {
	VarveRpmWriter *writer;
	int fd; /* holds the four files' bytes, one after the other */
	guint64 end;
	gint64 mtime;
} Setup;

static gboolean read_master(const VarveDeb *deb, const char *name, char **ret_text, GError **error)
{
	g_autofree char *path = g_strconcat(MASTER_DIRECTORY, name, NULL);
	const VarveDebEntry *entry = varve_deb_find(deb, path);
	gsize size = 0;

	if (!entry)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND, "package 'base-passwd': has no %s",
				  path);
	return varve_deb_read(deb, entry, ret_text, &size, error);
}

static gboolean add_file(Setup *setup, const char *path, guint32 mode, const char *group,
			 const GString *text, GError **error)
{
	VarveRpmFile file = { .path = path,
			      .mode = S_IFREG | mode,
			      .user = "root",
			      .group = group,
			      .flags = VARVE_RPM_FILE_CONFIG | VARVE_RPM_FILE_NOREPLACE,
			      .mtime = setup->mtime,
			      .fd = setup->fd,
			      .offset = setup->end,
			      .size = text->len };

	if (varve_fd_pwrite_full(setup->fd, text->str, text->len, (off_t)setup->end) < 0)
		return varve_fail_errno(error, errno, "%s: cannot write", path);
	setup->end += text->len;
	varve_rpm_writer_add_file(setup->writer, &file);
	return TRUE;
}

/* The master's lines with the password in the shadow file, where no password matches "*". */
static gboolean split_master(const char *master, guint fields, const char *name,
			     const char *shadow_format, GString *open, GString *shadow,
			     GError **error)
{
	g_auto(GStrv) lines = g_strsplit(master, "\n", -1);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) parts = NULL;
		g_autofree char *joined = NULL;

		if (!**line)
			continue;
		parts = g_strsplit(*line, ":", -1);
		if (g_strv_length(parts) != fields)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "package 'base-passwd': %s: expected %u fields in '%s'",
					  name, fields, *line);
		g_string_append_printf(shadow, "%s%s", parts[0], shadow_format);
		g_free(parts[1]);
		parts[1] = g_strdup("x");
		joined = g_strjoinv(":", parts);
		g_string_append_printf(open, "%s\n", joined);
	}
	return TRUE;
}

static gboolean add_files(Setup *setup, const VarveDeb *deb, GError **error)
{
	g_autofree char *passwd_master = NULL, *group_master = NULL;
	g_autoptr(GString) passwd = g_string_new(NULL), shadow = g_string_new(NULL);
	g_autoptr(GString) group = g_string_new(NULL), gshadow = g_string_new(NULL);

	return read_master(deb, "passwd.master", &passwd_master, error) &&
	       read_master(deb, "group.master", &group_master, error) &&
	       split_master(passwd_master, 7, "passwd.master", ":*::0:99999:7:::\n", passwd, shadow,
			    error) &&
	       split_master(group_master, 4, "group.master", ":*::\n", group, gshadow, error) &&
	       add_file(setup, "/etc/passwd", 0644, "root", passwd, error) &&
	       add_file(setup, "/etc/group", 0644, "root", group, error) &&
	       add_file(setup, "/etc/shadow", 0640, "shadow", shadow, error) &&
	       add_file(setup, "/etc/gshadow", 0640, "shadow", gshadow, error);
}

char *varve_convert_setup_file_name(const VarveConverter *converter, const VarveParagraph *stanza,
				    GError **error)
{
	g_auto(VarveConvertIdentity) id = { 0 };

	if (!varve_convert_identify(converter, stanza, &id, error))
		return NULL;
	return g_strdup_printf("setup-%s-%s.noarch.rpm", id.version.version, id.version.release);
}

gboolean varve_convert_setup(const VarveConverter *converter, const VarveParagraph *stanza, int fd,
			     int out, GError **error)
{
	g_auto(VarveConvertIdentity) id = { 0 };
	g_autoptr(VarveDeb) deb = varve_convert_open(converter, stanza, fd, error);
	g_autoptr(VarveRpmWriter) writer = NULL;
	varve_autofd bytes = memfd_create("setup", MFD_CLOEXEC);
	VarveRpmIdentity rpm = { 0 };
	Setup setup = { 0 };

	if (!deb || !varve_convert_identify(converter, stanza, &id, error))
		return FALSE;
	if (bytes < 0)
		return varve_fail_errno(error, errno, "setup: cannot make a memory file");
	rpm = (VarveRpmIdentity){ .name = "setup",
				  .epoch = id.version.epoch,
				  .version = id.version.version,
				  .release = id.version.release,
				  .arch = "noarch",
				  .summary = "The fixed users and groups of the system",
				  .description = "The users and groups with fixed numbers that "
						 "Debian's base-passwd defines.",
				  .license = "LicenseRef-Debian-public-domain",
				  .vendor = "Debian",
				  .source_rpm = id.source_rpm,
				  .build_time = deb->newest };
	writer = varve_rpm_writer_new(&rpm);
	setup = (Setup){ .writer = writer, .fd = bytes, .mtime = deb->newest };
	return add_files(&setup, deb, error) &&
	       varve_convert_finish(converter, writer, out, deb->newest, error);
}
