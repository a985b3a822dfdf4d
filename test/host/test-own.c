/* Our own packages: the same programs are the same file, other programs another, and what they are
 * linked with is required. Makes a key of its own; needs gpg, createrepo_c and rpm's elfdeps. */
#include "package/own.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "format/rpm-writer.h"
#include "rpm/keys.h"
#include "rpm/reader.h"

#include <string.h>
#include <sys/stat.h>

typedef struct {
	char *directory, *keys, *repository;
} Place;

static void set_up(Place *place, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *home = NULL, *public_key = NULL;
	g_autoptr(GError) error = NULL;

	place->directory = g_dir_make_tmp("test-own-XXXXXX", NULL);
	place->keys = g_build_filename(place->directory, "keys", NULL);
	place->repository = g_build_filename(place->directory, "local", NULL);
	home = g_build_filename(place->keys, "package-gnupg", NULL);
	public_key = g_build_filename(place->keys, "package.asc", NULL);
	g_assert_true(varve_dir_make(home, 0700, NULL));
	varve_run(&error, "gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode",
		  "loopback", "--passphrase", "", "--quick-generate-key", "own@example.org",
		  "rsa2048", "sign", "never", NULL);
	g_assert_no_error(error);
	varve_run(&error, "gpg", "--homedir", home, "--batch", "--armor", "--output", public_key,
		  "--export", NULL);
	g_assert_no_error(error);
	varve_run(NULL, "gpgconf", "--homedir", home, "--kill", "gpg-agent", NULL);
}

static void tear_down(Place *place, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_true(varve_dir_remove(AT_FDCWD, place->directory, NULL));
	g_free(place->directory);
	g_free(place->keys);
	g_free(place->repository);
}

static void make(const Place *place, const char *varvectl, const char *init)
{
	g_autoptr(GError) error = NULL;

	varve_own_varvectl(varvectl, init, "0.1", varve_arch_native(), 1700000000, place->keys,
			   place->repository, &error);
	g_assert_no_error(error);
}

static char *package_path(const Place *place)
{
	g_autofree char *name = g_strdup_printf("varvectl-0.1-1.%s.rpm", varve_arch_native()->rpm);

	return g_build_filename(place->repository, "packages", name, NULL);
}

/* What is bound at /run/initramfs is whole: the program, and where the old root's mounts go. */
static void check_exitrd(const GPtrArray *files)
{
	static const char *const directories[] = { "dev", "oldroot", "proc", "run", "sys" };
	guint found = 0;

	g_assert_cmpuint(files->len, ==, 10);
	for (guint i = 0; i < files->len; i++) {
		const VarvePackageFile *file = g_ptr_array_index(files, i);

		if (strcmp(file->path, "usr/lib/varve/exitrd/shutdown") == 0)
			g_assert_cmpuint(file->mode, ==, S_IFREG | 0755);
		if (strcmp(file->path, "usr/lib/varve/varve-init") == 0)
			g_assert_cmpuint(file->mode & S_IFMT, ==, S_IFLNK);
		for (gsize d = 0; d < G_N_ELEMENTS(directories); d++) {
			g_autofree char *path =
				g_build_filename("usr/lib/varve/exitrd", directories[d], NULL);

			if (strcmp(file->path, path) != 0)
				continue;
			g_assert_cmpuint(file->mode, ==, S_IFDIR | 0755);
			found++;
		}
	}
	g_assert_cmpuint(found, ==, G_N_ELEMENTS(directories));
}

static void test_package(Place *place, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *path = package_path(place);
	g_autofree char *public_key = g_build_filename(place->keys, "package.asc", NULL);
	const char *const paths[] = { public_key, NULL };
	g_autoptr(VarvePackageKeys) keys = varve_package_keys_load(paths, NULL);
	g_autoptr(VarvePackage) package = NULL;
	g_autoptr(GPtrArray) files = NULL;
	g_autoptr(GError) error = NULL;
	const VarvePackageFile *varvectl;

	make(place, "/bin/ls", "/bin/true");
	varve_rpm_verify(path, keys, &package, &files, &error);
	g_assert_no_error(error);
	g_assert_true(
		g_strv_contains((const char *const *)package->requires, "libc.so.6()(64bit)"));
	check_exitrd(files);
	varvectl = g_ptr_array_index(files, 0);
	g_assert_cmpstr(varvectl->path, ==, "usr/bin/varvectl");
	g_assert_cmpuint(varvectl->mode, ==, S_IFREG | 0755);
	g_assert_cmpint(varvectl->mtime, ==, 1700000000);
}

static void test_same_programs_same_file(Place *place, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *path = package_path(place);
	struct stat first, second, third;

	make(place, "/bin/ls", "/bin/true");
	g_assert_cmpint(stat(path, &first), ==, 0);
	make(place, "/bin/ls", "/bin/true");
	g_assert_cmpint(stat(path, &second), ==, 0);
	g_assert_cmpuint(first.st_ino, ==, second.st_ino);
	g_assert_cmpint(first.st_ctim.tv_nsec, ==, second.st_ctim.tv_nsec);
	make(place, "/bin/ls", "/bin/false");
	g_assert_cmpint(stat(path, &third), ==, 0);
	g_assert_cmpuint(first.st_ino, !=, third.st_ino);
}

static void test_index_is_signed_and_whole(Place *place, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *index =
		g_build_filename(place->repository, "repodata", "repomd.xml", NULL);
	g_autofree char *signature = g_strconcat(index, ".asc", NULL);
	g_autofree char *public_key = g_build_filename(place->keys, "package.asc", NULL);
	const char *const paths[] = { public_key, NULL };
	g_autoptr(VarvePackageKeys) keys = varve_package_keys_load(paths, NULL);
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) left = NULL;

	make(place, "/bin/ls", "/bin/true");
	varve_package_keys_check_detached(keys, index, signature, &error);
	g_assert_no_error(error);
	g_assert_true(varve_dir_list(AT_FDCWD, place->repository, &left, NULL));
	g_assert_cmpuint(g_strv_length(left), ==, 2);
}

static void test_missing_program_is_not_found(Place *place, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(varve_own_varvectl("/nowhere/varvectl", "/bin/true", "0.1",
					  varve_arch_native(), 1700000000, place->keys,
					  place->repository, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "/nowhere/varvectl"));
}

int main(int argc, char **argv)
{
	static const char *const needed[] = { "gpg", "createrepo_c", "rpm", NULL };

	g_test_init(&argc, &argv, NULL);
	for (const char *const *program = needed; *program; program++) {
		g_autofree char *found = g_find_program_in_path(*program);

		if (!found) {
			g_print("1..0 # SKIP %s is not installed\n", *program);
			return 0;
		}
	}
	g_test_add("/own/package", Place, NULL, set_up, test_package, tear_down);
	g_test_add("/own/same-programs-same-file", Place, NULL, set_up,
		   test_same_programs_same_file, tear_down);
	g_test_add("/own/index-is-signed-and-whole", Place, NULL, set_up,
		   test_index_is_signed_and_whole, tear_down);
	g_test_add("/own/missing-program-is-not-found", Place, NULL, set_up,
		   test_missing_program_is_not_found, tear_down);
	return g_test_run();
}
