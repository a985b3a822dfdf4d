/* From the base's policy to the one that holds. */
#include "stack/effective.h"

#include "base/error.h"
#include "base/file.h"
#include "ground/syscalls.h"
#include "stack/compliance.h"

#include <string.h>
#include <sys/stat.h>

#define FILES_MAX 100
#define FILE_LIMIT (1024 * 1024)
#define DISPLAY_DIR "/etc/" VARVE_LOCAL_POLICY_DIR
#define CODE "policy-file"
#define NEXT \
	"correct it ('varvectl policy --check FILE' tells whether it is right), then reboot; " \
	"what " \
	"the file says does not hold until then"
#define NEXT_IDLE \
	"correct the line or remove it, then reboot; what else the file says holds meanwhile"

/* Who may write here may as well write the policy. */
static gboolean check_owner(int fd, const char *name, GError **error)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return varve_fail_errno(error, errno, "%s", name);
	if (st.st_uid != 0)
		return varve_fail(error, VARVE_ERROR_UNTRUSTED,
				  "%s belongs to user %u, expected root: it is not read", name,
				  st.st_uid);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return varve_fail(error, VARVE_ERROR_UNTRUSTED,
				  "%s has mode %04o, so that others than root may write it, "
				  "expected 0644 or 0755: it is not read",
				  name, st.st_mode & 07777);
	return TRUE;
}

static int open_dir(int etc_fd, GError **error)
{
	static const char *const parts[] = { "varve", "policy.d" };
	varve_autofd fd = fcntl(etc_fd, F_DUPFD_CLOEXEC, 3);
	GString *name = g_string_new("/etc");
	gboolean ok = fd >= 0 ? check_owner(fd, name->str, error)
			      : varve_fail(error, VARVE_ERROR_SYSTEM, "/etc cannot be opened");

	for (gsize i = 0; ok && i < G_N_ELEMENTS(parts); i++) {
		int below = varve_dir_open_beneath(fd, parts[i], error);

		g_string_append_printf(name, "/%s", parts[i]);
		if (below < 0) {
			g_prefix_error(error, "%s: ", name->str);
			ok = FALSE;
			break;
		}
		varve_autofd_close(&fd);
		fd = below;
		ok = check_owner(fd, name->str, error);
	}
	g_string_free(name, TRUE);
	return ok ? varve_fd_steal(&fd) : -1;
}

static gboolean read_local(int dirfd, const char *name, const char *shown, char **ret_text,
			   gsize *ret_size, GError **error)
{
	varve_autofd fd = varve_openat2(dirfd, name, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0,
					VARVE_RESOLVE_STRICT);

	if (fd < 0 && errno == ELOOP)
		return varve_fail(error, VARVE_ERROR_UNTRUSTED,
				  "%s is a symbolic link, expected a file: it is not read", shown);
	if (fd < 0)
		return varve_fail_errno(error, errno, "%s", shown);
	if (!check_owner(fd, shown, error))
		return FALSE;
	return varve_file_read_fd(fd, shown, FILE_LIMIT, ret_text, ret_size, error);
}

static void take_file(int dirfd, const char *name, const VarvePolicy *base, VarvePolicy *policy,
		      VarveReport *report)
{
	/* As a terminal can show it. */
	g_autofree char *escaped = g_strescape(name, NULL);
	g_autofree char *shown = g_strconcat(DISPLAY_DIR "/", escaped, NULL);
	g_autoptr(GPtrArray) idle = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(VarvePolicy) local = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	gsize size;

	if (read_local(dirfd, name, shown, &text, &size, &error))
		local = varve_tighten_parse(text, size, shown, base, idle, &error);
	if (!local) {
		varve_report_complain(report, CODE, NEXT, "%s", error->message);
		return;
	}
	for (guint i = 0; i < idle->len; i++)
		varve_report_complain(report, CODE, NEXT_IDLE, "%s", (char *)idle->pdata[i]);
	varve_policy_tighten(policy, local);
}

void varve_local_policies(int etc_fd, VarvePolicy *policy, VarveReport *report)
{
	g_autoptr(GError) error = NULL;
	varve_autofd dir = open_dir(etc_fd, &error);
	g_autoptr(VarvePolicy) local = varve_policy_new();
	g_auto(GStrv) names = NULL;
	guint n = 0;

	if (dir < 0 || !varve_dir_list(dir, ".", &names, &error)) {
		if (!g_error_matches(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
			varve_report_complain(report, CODE, NEXT, "%s", error->message);
		return;
	}
	/* Each file is compared with the base alone: what one says is no mistake of the other. */
	for (char **name = names; *name; name++) {
		if (**name == '.' || !g_str_has_suffix(*name, ".toml"))
			continue;
		if (++n > FILES_MAX) {
			varve_report_complain(report, CODE, NEXT,
					      "there are more than %d files in " DISPLAY_DIR
					      ": '%s' and those after it are not read",
					      FILES_MAX, *name);
			break;
		}
		take_file(dir, *name, policy, local, report);
	}
	varve_policy_tighten(policy, local);
}

VarvePolicy *varve_effective_policy(int base_fd, int etc_fd, const VarveFloors *floors,
				    VarveReport *report, GError **error)
{
	g_autoptr(VarvePolicy) policy = varve_policy_load(base_fd, error);
	g_autoptr(VarvePolicy) record = varve_record_policy(varve_floors_record(floors));

	varve_floors_describe(floors, report);
	if (!policy)
		return NULL;
	varve_local_policies(etc_fd, policy, report);
	varve_record_revocations(report->to_record, policy);
	varve_policy_tighten(policy, record);
	return g_steal_pointer(&policy);
}
