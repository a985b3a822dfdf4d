/* Loading the IPE policy through securityfs. */
#include "stack/integrity.h"

#include "base/error.h"
#include "base/file.h"
#include "ground/mount.h"
#include "stack/compliance.h"

#include <string.h>

#define POLICY_LIMIT (64 * 1024)
#define SECURITY "/kernel/security"
#define IPE SECURITY "/ipe"
#define ACTIVE IPE "/policies/varve/active" /* the policy's name is in the policy */
#define ENFORCE IPE "/enforce"

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

/* TRUE where the file @path below @sys holds "1". */
static gboolean read_flag(const char *sys, const char *path, gboolean *ret, GError **error)
{
	g_autofree char *whole = g_strconcat(sys, path, NULL);
	g_autofree char *text = NULL;

	if (!varve_file_read(AT_FDCWD, whole, 64, &text, NULL, error))
		return FALSE;
	*ret = text[0] == '1';
	return TRUE;
}

/* One write: what these files take, they take whole. */
static gboolean write_once(const char *sys, const char *path, const void *data, gsize size,
			   GError **error)
{
	g_autofree char *whole = g_strconcat(sys, path, NULL);
	varve_autofd fd = open(whole, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, data, size);

	if (n < 0 && (errno == ENOKEY || errno == EKEYREJECTED))
		return varve_fail(error, VARVE_ERROR_UNTRUSTED,
				  "the kernel does not accept the policy's signature (%s): the "
				  "certificate of the key that made it is not in the firmware's db",
				  g_strerror(errno));
	if (n < 0)
		return varve_fail_errno(error, errno, "%s", whole);
	if ((gsize)n != size)
		return varve_fail(error, VARVE_ERROR_SYSTEM, "%s took %zd of %zu bytes", whole, n,
				  size);
	return TRUE;
}

static gboolean mount_securityfs(const char *sys, GError **error)
{
	static const VarveMountOption options[] = { { "source", "securityfs" }, { NULL, NULL } };
	const unsigned strict = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	g_autofree char *where = g_strconcat(sys, SECURITY, NULL);
	g_autofree char *ipe = g_strconcat(sys, IPE, NULL);

	if (access(ipe, F_OK) == 0)
		return TRUE;
	if (!varve_mount_is(where) && varve_mount_at("securityfs", options, strict, where) < 0)
		return varve_fail_errno(error, errno, "securityfs cannot be mounted at %s", where);
	if (access(ipe, F_OK) == 0)
		return TRUE;
	return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
			  "the kernel has no IPE, or lsm= on its command line leaves it out");
}

static gboolean load_policy(int initrd_fd, const char *sys, gboolean enforce, GError **error)
{
	g_autofree char *policy = NULL;
	gboolean active = FALSE, enforced = !enforce;
	gsize size;

	/* Before the policy is active, so that in audit mode nothing is ever denied. */
	if (!varve_file_read(initrd_fd, VARVE_INTEGRITY_POLICY, POLICY_LIMIT, &policy, &size,
			     error) ||
	    !mount_securityfs(sys, error) ||
	    !write_once(sys, IPE "/new_policy", policy, size, error) ||
	    !write_once(sys, ENFORCE, enforce ? "1" : "0", 1, error) ||
	    !write_once(sys, ACTIVE, "1", 1, error) || !read_flag(sys, ACTIVE, &active, error) ||
	    !read_flag(sys, ENFORCE, &enforced, error))
		return FALSE;
	return (active && enforced == enforce) ||
	       varve_fail(error, VARVE_ERROR_SYSTEM,
			  "the kernel took the policy and does not say that it is in force");
}

static void complain(VarveReport *report, const char *why)
{
	varve_report_complain(report, "code-integrity",
			      "do what the sentence says, then reboot: each boot sets it again",
			      "CODE INTEGRITY IS NOT IN FORCE: %s", why);
}

void varve_integrity_start(int initrd_fd, const char *sys, gboolean kernel_mode,
			   VarveReport *report)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *asked = NULL;

	if (!varve_file_read(initrd_fd, VARVE_INTEGRITY_ASKED, 64, &asked, NULL, &error)) {
		if (g_error_matches(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
			return;
		asked = g_strdup("enforce");
	}
	g_strchomp(asked);
	set(&report->integrity_asked, asked);
	if (!error && strcmp(asked, "audit") != 0 && strcmp(asked, "enforce") != 0)
		varve_fail(&error, VARVE_ERROR_CORRUPT,
			   "/" VARVE_INTEGRITY_ASKED " says '%s', expected 'audit' or 'enforce'",
			   asked);
	if (!error && !kernel_mode) {
		g_free(report->integrity_detail);
		report->integrity_detail = g_strdup_printf(
			"%s, so the kernel would accept no policy", report->verification_detail);
		return;
	}
	if (!error && load_policy(initrd_fd, sys, strcmp(asked, "enforce") == 0, &error)) {
		set(&report->integrity, asked);
		return;
	}
	set(&report->integrity_detail, error->message);
	complain(report, error->message);
}

void varve_integrity_check(const char *sys, VarveReport *report)
{
	gboolean active = FALSE, enforced = FALSE;
	g_autofree char *why = NULL;
	const char *found;

	if (strcmp(report->integrity, "off") == 0 || !read_flag(sys, ACTIVE, &active, NULL) ||
	    !read_flag(sys, ENFORCE, &enforced, NULL))
		return;
	found = !active ? "off" : enforced ? "enforce" : "audit";
	/* More than was asked for is nothing to complain of. */
	if (active && (enforced || strcmp(report->integrity, "audit") == 0))
		return;
	why = g_strdup_printf("the boot set it to '%s', and root has changed it to '%s' since",
			      report->integrity, found);
	complain(report, why);
	set(&report->integrity, found);
	set(&report->integrity_detail, why);
}
