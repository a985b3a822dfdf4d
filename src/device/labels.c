/* File contexts through libselinux. */
#include "device/labels.h"

#include "base/error.h"
#include "base/file.h"

#include <selinux/label.h>
#include <selinux/selinux.h>
#include <string.h>
#include <sys/stat.h>

#define CONFIG "etc/selinux/config"
#define CONFIG_LIMIT (64 * 1024)

struct VarveLabels {
	struct selabel_handle *handle;
};

/* The library would write its complaints to standard error. */
static int be_quiet(int type, const char *format, ...)
{
	(void)type;
	(void)format;
	return 0;
}

/* (caller frees, nullable) SELINUXTYPE, which becomes part of a path. */
static char *policy_name(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	char *found = NULL;

	for (char **line = lines; *line; line++) {
		const char *value = g_strstrip(*line);

		if (!g_str_has_prefix(value, "SELINUXTYPE="))
			continue;
		g_free(found);
		found = g_strdup(value + strlen("SELINUXTYPE="));
	}
	if (found && (!*found || strchr(found, '/') || *found == '.'))
		g_clear_pointer(&found, g_free);
	return found;
}

gboolean varve_labels_open(const char *root, VarveLabels **ret, GError **error)
{
	g_autofree char *config = g_build_filename(root, CONFIG, NULL);
	g_autofree char *text = NULL, *name = NULL, *contexts = NULL;
	g_autoptr(GError) local = NULL;
	struct selinux_opt option = { .type = SELABEL_OPT_PATH };
	struct selabel_handle *handle;
	VarveLabels *labels;

	if (!varve_file_read(AT_FDCWD, config, CONFIG_LIMIT, &text, NULL, &local)) {
		if (g_error_matches(local, VARVE_ERROR, VARVE_ERROR_NOT_FOUND)) {
			*ret = NULL;
			return TRUE;
		}
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	name = policy_name(text);
	if (!name)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: SELINUXTYPE does not name a policy", config);
	contexts =
		g_build_filename(root, "etc/selinux", name, "contexts/files/file_contexts", NULL);
	option.value = contexts;
	selinux_set_callback(SELINUX_CB_LOG, (union selinux_callback){ .func_log = be_quiet });
	handle = selabel_open(SELABEL_CTX_FILE, &option, 1);
	if (!handle)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: the file contexts cannot be read: %s", contexts,
				  g_strerror(errno));
	labels = g_new0(VarveLabels, 1);
	labels->handle = handle;
	*ret = labels;
	return TRUE;
}

void varve_labels_free(VarveLabels *labels)
{
	if (!labels)
		return;
	selabel_close(labels->handle);
	g_free(labels);
}

char *varve_labels_find(const VarveLabels *labels, const char *path, mode_t mode)
{
	g_autofree char *at = g_strdup(path);

	for (;;) {
		char *context = NULL, *label, *slash;

		if (selabel_lookup_raw(labels->handle, &context, at, (int)(mode & S_IFMT)) == 0) {
			label = g_strdup(context);
			freecon(context);
			return label;
		}
		slash = strrchr(at, '/');
		if (!slash || at[1] == '\0')
			return NULL;
		slash[slash == at ? 1 : 0] = '\0';
		mode = S_IFDIR;
	}
}

char *varve_labels_type(const char *label)
{
	g_auto(GStrv) parts = g_strsplit(label, ":", 4);

	return g_strdup(g_strv_length(parts) >= 3 ? parts[2] : "");
}
