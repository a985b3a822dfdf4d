/* Our own RPMs. A stamp beside them says what they were made of. */
#include "package/own.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "crypt/sha256.h"
#include "format/rpm-writer.h"
#include "ground/fd.h"
#include "package/repository.h"
#include "rpm/elfdeps.h"
#include "rpm/openpgp.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Counts the changes of what is written for the same package. */
#define OWN_VERSION 1

typedef struct {
	const VarveOwnPackage *package;
	const char *keys;
	GArray *fds; /* one a file; -1 for links and directories */
	guint64 *sizes;
	char *state; /* digest of all that goes in */
} Own;

static void close_fd(gpointer pointer)
{
	varve_autofd_close(pointer);
}

static void clear_own(Own *own)
{
	g_array_unref(own->fds);
	g_free(own->sizes);
	g_free(own->state);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Own, clear_own)

/* Opens what goes in and takes the digest of it all. */
static gboolean open_inputs(Own *own, GError **error)
{
	const VarveOwnPackage *package = own->package;
	g_autofree char *public_path = g_build_filename(own->keys, "package.asc", NULL);
	g_autofree char *public_key = NULL;
	g_autoptr(GString) state = g_string_new(NULL);
	VarveDigest digest;

	if (!varve_file_read(AT_FDCWD, public_path, 1 << 20, &public_key, NULL, error)) {
		g_prefix_error(error,
			       "the package key (made by 'varve keys init %s'): ", own->keys);
		return FALSE;
	}
	g_string_printf(state, "%d\n%s\n%s\n%s\n%s\n%s\n%s\n%s\n%" G_GINT64_FORMAT "\n%s",
			OWN_VERSION, package->name, package->version,
			package->release ? package->release : "", package->summary,
			package->license, package->vendor ? package->vendor : "",
			package->arch->rpm, package->time, public_key);
	for (gsize i = 0; i < package->n_files; i++) {
		const VarveOwnFile *file = &package->files[i];
		g_autofree char *hex = NULL;
		int fd = -1;

		if (file->source) {
			fd = open(file->source, O_RDONLY | O_CLOEXEC);
			if (fd < 0)
				return varve_fail_errno(error, errno, "%s: cannot open",
							file->source);
			g_array_append_val(own->fds, fd);
			if (!varve_sha256_fd(fd, &digest, &own->sizes[i], error))
				return FALSE;
			hex = varve_digest_dup_hex(&digest);
		} else {
			g_array_append_val(own->fds, fd);
		}
		g_string_append_printf(state, "\n%s %o %s %s", file->path, file->mode,
				       hex ? hex : "-", file->target ? file->target : "");
	}
	varve_sha256(state->str, state->len, &digest);
	own->state = varve_digest_dup_hex(&digest);
	return TRUE;
}

static VarveRpmWriter *make_writer(const Own *own)
{
	const VarveOwnPackage *package = own->package;
	const char *release = package->release ? package->release : "1";
	g_autofree char *source =
		g_strdup_printf("%s-%s-%s.src.rpm", package->name, package->version, release);
	VarveRpmIdentity identity = { .name = package->name,
				      .epoch = -1,
				      .version = package->version,
				      .release = release,
				      .arch = package->arch->rpm,
				      .summary = package->summary,
				      .license = package->license,
				      .vendor = package->vendor,
				      .source_rpm = source,
				      .build_time = package->time };
	VarveRpmWriter *writer = varve_rpm_writer_new(&identity);

	for (gsize i = 0; i < package->n_files; i++) {
		const VarveOwnFile *own_file = &package->files[i];
		VarveRpmFile file = { .path = own_file->path,
				      .mode = S_IFREG | own_file->mode,
				      .user = "root",
				      .group = "root",
				      .target = own_file->target,
				      .mtime = package->time,
				      .fd = g_array_index(own->fds, int, i),
				      .size = own->sizes[i] };

		if (own_file->target)
			file.mode = S_IFLNK | 0777;
		else if (!own_file->source)
			file.mode = S_IFDIR | own_file->mode;
		varve_rpm_writer_add_file(writer, &file);
	}
	return writer;
}

static gboolean add_sonames(const Own *own, VarveRpmWriter *writer, GError **error)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new();
	g_auto(GStrv) provides = NULL;
	g_auto(GStrv) requires = NULL;

	for (gsize i = 0; i < own->package->n_files; i++) {
		char magic[4];
		int fd = g_array_index(own->fds, int, i);

		if (fd >= 0 && varve_fd_read_full(fd, magic, 4, 0) == 4 &&
		    memcmp(magic, "\177ELF", 4) == 0)
			g_ptr_array_add(paths, (gpointer)own->package->files[i].source);
	}
	if (!paths->len)
		return TRUE;
	if (!varve_elfdeps_run(paths, &provides, &requires, error))
		return FALSE;
	for (char **name = provides; *name; name++)
		varve_rpm_writer_add_soname(writer, VARVE_RPM_PROVIDES, *name);
	for (char **name = requires; *name; name++)
		varve_rpm_writer_add_soname(writer, VARVE_RPM_REQUIRES, *name);
	return TRUE;
}

static gboolean write_rpm(const Own *own, const char *packages, char **ret_name, GError **error)
{
	const struct timespec times[2] = { { .tv_sec = own->package->time },
					   { .tv_sec = own->package->time } };
	g_autofree char *home = g_build_filename(own->keys, "package-gnupg", NULL);
	g_autoptr(VarveOpenpgp) key = varve_openpgp_open(home, error);
	g_autoptr(VarveRpmWriter) writer = make_writer(own);
	g_autofree char *name = varve_rpm_writer_file_name(writer);
	g_autofree char *path = g_build_filename(packages, name, NULL);
	g_autoptr(VarveNewFile) file = NULL;

	if (!key || !add_sonames(own, writer, error))
		return FALSE;
	file = varve_new_file_open(path, 0644, error);
	if (!file || !varve_rpm_writer_write(writer, file->fd, packages, varve_openpgp_sign, key,
					     NULL, error))
		return FALSE;
	if (futimens(file->fd, times) < 0)
		return varve_fail_errno(error, errno, "%s: cannot set its time", path);
	if (!varve_new_file_commit(file, error))
		return FALSE;
	*ret_name = g_steal_pointer(&name);
	return TRUE;
}

/* Other versions of the package have no place in a repository of what was built here. */
static gboolean remove_older(const Own *own, const char *packages, const char *current,
			     GError **error)
{
	g_auto(GStrv) names = NULL;

	if (!varve_dir_list(AT_FDCWD, packages, &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *stem = g_strdup(*name);
		g_autofree char *path = g_build_filename(packages, *name, NULL);
		char *dash = strrchr(stem, '-');

		if (dash)
			*dash = '\0';
		dash = strrchr(stem, '-');
		if (dash)
			*dash = '\0';
		if (strcmp(*name, current) == 0 || !dash || strcmp(stem, own->package->name) != 0)
			continue;
		if (unlink(path) < 0)
			return varve_fail_errno(error, errno, "%s: cannot remove", path);
	}
	return TRUE;
}

gboolean varve_own_write(const VarveOwnPackage *package, const char *keys, const char *directory,
			 gboolean *ret_changed, GError **error)
{
	g_auto(Own) own = { .package = package,
			    .keys = keys,
			    .fds = g_array_new(FALSE, FALSE, sizeof(int)),
			    .sizes = g_new0(guint64, package->n_files + 1) };
	g_autofree char *packages = g_build_filename(directory, "packages", NULL);
	g_autofree char *stamp = g_strdup_printf("%s/.%s.made", packages, package->name);
	g_autofree char *before = NULL, *after = NULL, *name = NULL;
	g_auto(GStrv) parts = NULL;

	g_array_set_clear_func(own.fds, close_fd);
	if (!open_inputs(&own, error) || !varve_dir_make(packages, 0755, error))
		return FALSE;
	/* "DIGEST FILE" */
	if (varve_file_read(AT_FDCWD, stamp, 4096, &before, NULL, NULL)) {
		g_autofree char *path = NULL;

		parts = g_strsplit(before, " ", 2);
		path = parts[1] ? g_build_filename(packages, parts[1], NULL) : NULL;
		if (path && strcmp(parts[0], own.state) == 0 && access(path, F_OK) == 0) {
			if (ret_changed)
				*ret_changed = FALSE;
			return TRUE;
		}
	}
	if (!write_rpm(&own, packages, &name, error) || !remove_older(&own, packages, name, error))
		return FALSE;
	after = g_strdup_printf("%s %s", own.state, name);
	if (!varve_file_write(AT_FDCWD, stamp, after, strlen(after), 0644, error))
		return FALSE;
	if (ret_changed)
		*ret_changed = TRUE;
	return TRUE;
}

/* A copy without what only debuggers read. Where strip is missing, or is not for this architecture,
 * the program as it is. */
static char *strip_program(const char *program, const char *directory)
{
	g_autofree char *base = g_path_get_basename(program);
	char *copy = g_build_filename(directory, base, NULL);

	if (!varve_run(NULL, "strip", "--strip-unneeded", "-o", copy, program, NULL)) {
		g_free(copy);
		copy = g_strdup(program);
	}
	return copy;
}

static gboolean index_repository(const char *directory, const char *keys, GError **error)
{
	g_autofree char *home = g_build_filename(keys, "package-gnupg", NULL);
	g_autoptr(VarveOpenpgp) key = varve_openpgp_open(home, error);

	return key && varve_repository_publish(directory, key, NULL, error);
}

gboolean varve_own_varvectl(const char *varvectl, const char *varve_init, const char *version,
			    const VarveArch *arch, gint64 time, const char *keys,
			    const char *directory, GError **error)
{
	g_autofree char *scratch = g_build_filename(directory, ".stripped", NULL);
	g_autofree char *signature =
		g_build_filename(directory, "repodata", "repomd.xml.asc", NULL);
	g_autofree char *control = NULL, *init = NULL;
	gboolean changed = FALSE, done;

	if (!varve_dir_make(scratch, 0755, error))
		return FALSE;
	control = strip_program(varvectl, scratch);
	init = strip_program(varve_init, scratch);
	{
		const VarveOwnFile files[] = {
			{ .path = "/usr/bin/varvectl", .source = control, .mode = 0755 },
			{ .path = "/usr/lib/varve", .mode = 0755 },
			/* What is bound at /run/initramfs: whole, with what the old root's
			 * filesystems are moved to. */
			{ .path = "/usr/lib/varve/exitrd", .mode = 0755 },
			{ .path = "/usr/lib/varve/exitrd/dev", .mode = 0755 },
			{ .path = "/usr/lib/varve/exitrd/oldroot", .mode = 0755 },
			{ .path = "/usr/lib/varve/exitrd/proc", .mode = 0755 },
			{ .path = "/usr/lib/varve/exitrd/run", .mode = 0755 },
			{ .path = "/usr/lib/varve/exitrd/shutdown", .source = init, .mode = 0755 },
			{ .path = "/usr/lib/varve/exitrd/sys", .mode = 0755 },
			{ .path = "/usr/lib/varve/varve-init", .target = "exitrd/shutdown" },
		};
		const VarveOwnPackage package = {
			.name = "varvectl",
			.version = version,
			.summary = "Verifies, merges and swaps the layers of a running system",
			.license = "LGPL-2.1-or-later",
			.vendor = "Varve",
			.arch = arch,
			.files = files,
			.n_files = G_N_ELEMENTS(files),
			.time = time,
		};

		done = varve_own_write(&package, keys, directory, &changed, error);
	}
	varve_dir_remove(AT_FDCWD, scratch, NULL);
	if (!done)
		return FALSE;
	return (!changed && access(signature, F_OK) == 0) ||
	       index_repository(directory, keys, error);
}

gboolean varve_own_is(const char *name)
{
	return strcmp(name, "varvectl") == 0;
}
