#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "crypt/authority.h"
#include "format/gpt.h"
#include "image/disk.h"
#include "image/export.h"
#include "image/sparse.h"
#include "image/throwaway.h"
#include "layer/layer.h"
#include "layer/seal.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define MIB ((guint64)1024 * 1024)
#define EPOCH 1700000000

typedef struct {
	char *dir, *base, *extension;
	VarveTools *tools;
	GBytes *uki, *loader;
	VarveDigest root;
} Fixture;

/* What sealing asks of an image is only its magic number. */
static char *make_layer(const Fixture *fixture, const char *name, gsize size, VarveDigest *ret_root)
{
	g_autofree char *image = g_malloc0(size);
	g_autofree char *erofs = g_build_filename(fixture->dir, "image.erofs", NULL);
	g_autofree char *key_path = g_build_filename(fixture->dir, "layers.key", NULL);
	g_autofree char *certificate_path = g_build_filename(fixture->dir, "layers.crt", NULL);
	g_autoptr(VarvePrivateKey) key = varve_private_key_load(key_path, NULL);
	g_autoptr(VarveCertificate) certificate = varve_certificate_load(certificate_path, NULL);
	g_autofree char *file = varve_layer_file_name(name, "1", varve_arch_find("x86-64"));
	char *path = g_build_filename(fixture->dir, file, NULL);
	g_autoptr(GError) error = NULL;

	for (gsize i = 0; i < size; i++)
		image[i] = (char)(i * 7 + i / 4096 + (gsize)name[0]);
	memcpy(image + 1024, "\xe2\xe1\xf5\xe0", 4);
	g_assert_true(g_file_set_contents(erofs, image, (gssize)size, NULL));
	varve_layer_seal(erofs, varve_arch_find("x86-64"), name, "1", key, certificate, path,
			 ret_root, &error);
	g_assert_no_error(error);
	return path;
}

static void fixture_set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	fixture->dir = g_dir_make_tmp("varve-disk-XXXXXX", NULL);
	varve_authority_make(fixture->dir, "layers", &error);
	g_assert_no_error(error);
	fixture->base = make_layer(fixture, "base", 5 * MIB, &fixture->root);
	fixture->extension = make_layer(fixture, "ssh", MIB, NULL);
	fixture->tools = varve_tools_open(NULL);
	fixture->uki = g_bytes_new_take(g_strnfill(3 * MIB, 'u'), 3 * MIB);
	fixture->loader = g_bytes_new_static("the boot loader", 15);
}

static void fixture_tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_true(varve_dir_remove(AT_FDCWD, fixture->dir, NULL));
	g_free(fixture->dir);
	g_free(fixture->base);
	g_free(fixture->extension);
	varve_tools_free(fixture->tools);
	g_bytes_unref(fixture->uki);
	g_bytes_unref(fixture->loader);
}

static gboolean lacks_programs(void)
{
	static const char *const programs[] = { "mkfs.vfat", "mmd",     "mcopy",
						"mkfs.ext4", "debugfs", "mdir" };

	g_setenv("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", TRUE);
	for (gsize i = 0; i < G_N_ELEMENTS(programs); i++) {
		g_autofree char *path = g_find_program_in_path(programs[i]);

		if (!path) {
			g_autofree char *reason =
				g_strdup_printf("'%s' is not installed", programs[i]);

			g_test_skip(reason);
			return TRUE;
		}
	}
	return FALSE;
}

static VarveDisk describe(const Fixture *fixture)
{
	return (VarveDisk){ .arch = varve_arch_find("x86-64"),
			    .name = "container",
			    .version = "1.2~rc1",
			    .base = fixture->base,
			    .uki = fixture->uki,
			    .boot_loader = fixture->loader,
			    .esp_size = 64 * MIB,
			    .slot_size = 8 * MIB,
			    .state_size = 80 * MIB,
			    .epoch = EPOCH,
			    .tools = fixture->tools };
}

static char *build(const Fixture *fixture, const char *name, gboolean with_layer)
{
	VarveDisk disk = describe(fixture);
	const char *const layers[] = { fixture->extension, NULL };
	char *path = g_build_filename(fixture->dir, name, NULL);
	VarveDiskSummary summary;
	g_autoptr(GError) error = NULL;

	if (with_layer)
		disk.layers = layers;
	varve_disk_build(&disk, path, &summary, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(summary.slot_size, ==, 8 * MIB);
	g_assert_cmpuint(summary.allocated, <, summary.size);
	return path;
}

static VarveGpt *table_of(const char *path)
{
	varve_autofd fd = open(path, O_RDONLY | O_CLOEXEC);
	VarveGpt *gpt = NULL;
	g_autoptr(GError) error = NULL;

	varve_gpt_read(fd, &gpt, &error);
	g_assert_no_error(error);
	return gpt;
}

static void assert_same_bytes(const char *left, guint64 left_offset, const char *right,
			      guint64 right_offset, guint64 size)
{
	g_autoptr(GMappedFile) a = g_mapped_file_new(left, FALSE, NULL);
	g_autoptr(GMappedFile) b = g_mapped_file_new(right, FALSE, NULL);

	g_assert_cmpuint(left_offset + size, <=, g_mapped_file_get_length(a));
	g_assert_cmpuint(right_offset + size, <=, g_mapped_file_get_length(b));
	g_assert_cmpint(memcmp(g_mapped_file_get_contents(a) + left_offset,
			       g_mapped_file_get_contents(b) + right_offset, size),
			==, 0);
}

static void test_partitions(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const names[] = { "esp",        "base-A", "base-A-verity",
					     "base-A-sig", "base-B", "base-B-verity",
					     "base-B-sig", "state" };
	g_autofree char *path = NULL;
	g_autofree VarveGpt *gpt = NULL;
	g_autofree VarveGpt *layer = NULL;

	if (lacks_programs())
		return;
	path = build(fixture, "disk.raw", FALSE);
	gpt = table_of(path);
	layer = table_of(fixture->base);
	g_assert_cmpuint(gpt->n_partitions, ==, G_N_ELEMENTS(names));
	for (guint i = 0; i < gpt->n_partitions; i++)
		g_assert_cmpstr(gpt->partitions[i].name, ==, names[i]);
	/* PARTUUIDs are the halves of the root hash; that is how the base is found. */
	g_assert_cmpmem(gpt->partitions[1].id.bytes, 16, fixture->root.bytes, 16);
	g_assert_cmpmem(gpt->partitions[2].id.bytes, 16, fixture->root.bytes + 16, 16);
	for (guint i = 0; i < 3; i++)
		assert_same_bytes(fixture->base, layer->partitions[i].offset, path,
				  gpt->partitions[i + 1].offset, layer->partitions[i].size);
	g_assert_true(gpt->partitions[7].attributes & VARVE_GPT_ATTRIBUTE_NO_AUTO);
	g_assert_false(gpt->partitions[7].attributes & VARVE_GPT_ATTRIBUTE_READ_ONLY);
	g_assert_cmpuint(gpt->disk_size % MIB, ==, 0);
}

static void test_same_bytes(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *first = NULL, *second = NULL;
	struct stat a, b;

	if (lacks_programs())
		return;
	first = build(fixture, "first.raw", TRUE);
	/* FAT has steps of two seconds, ext4 one: the second one is built at another time. */
	g_usleep(2100 * 1000);
	second = build(fixture, "second.raw", TRUE);
	g_assert_cmpint(stat(first, &a), ==, 0);
	g_assert_cmpint(stat(second, &b), ==, 0);
	g_assert_cmpint(a.st_size, ==, b.st_size);
	assert_same_bytes(first, 0, second, 0, (guint64)a.st_size);
}

static char *ask_state(const char *path, const char *request)
{
	g_autofree VarveGpt *gpt = table_of(path);
	g_autofree char *where = g_strdup_printf("%s?offset=%" G_GUINT64_FORMAT, path,
						 (guint64)gpt->partitions[7].offset);
	const char *argv[] = { "debugfs", "-R", request, where, NULL };
	char *output = NULL;
	g_autoptr(GError) error = NULL;

	varve_process_run(&(VarveProcess){ .argv = argv }, &output, &error);
	g_assert_no_error(error);
	return output;
}

static void check_state_file(const char *path, const char *name, const char *expected_mode,
			     guint64 size)
{
	g_autofree char *request = g_strdup_printf("stat %s", name);
	g_autofree char *output = ask_state(path, request);
	g_autofree char *mode = g_strdup_printf("Mode:  %s", expected_mode);
	g_autofree char *text = g_strdup_printf("Size: %" G_GUINT64_FORMAT "\n", size);

	if (!strstr(output, mode) || (size && !strstr(output, text)))
		g_test_message("%s", output);
	g_assert_nonnull(strstr(output, mode));
	g_assert_nonnull(strstr(output, "User:     0   Group:     0"));
	if (size)
		g_assert_nonnull(strstr(output, text));
}

static void test_filesystems(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *path = NULL;
	g_autofree char *image = NULL;
	g_autofree char *listing = NULL;
	g_autoptr(GError) error = NULL;
	struct stat st;

	if (lacks_programs())
		return;
	path = build(fixture, "disk.raw", TRUE);
	image = g_strdup_printf("%s@@1M", path);
	varve_process_run(&(VarveProcess){ .argv = (const char *const[]){ "mdir", "-b", "-/", "-i",
									  image, "::", NULL } },
			  &listing, &error);
	g_assert_no_error(error);
	for (const char *const *name =
		     (const char *const[]){ "::/EFI/BOOT/BOOTX64.EFI",
					    "::/EFI/systemd/systemd-bootx64.efi",
					    "::/loader/loader.conf",
					    "::/EFI/Linux/container_1.2~rc1+3.efi", NULL };
	     *name; name++) {
		if (!strstr(listing, *name))
			g_test_message("no %s in:\n%s", *name, listing);
		g_assert_nonnull(strstr(listing, *name));
	}
	g_assert_cmpint(stat(fixture->extension, &st), ==, 0);
	check_state_file(path, "/var/lib/varve/layers/ssh_1_x86-64.raw", "0644",
			 (guint64)st.st_size);
	check_state_file(path, "/etc/upper", "0755", 0);
	check_state_file(path, "/etc/work", "0755", 0);
	/* Staging by a second name must not show in the layer itself. */
	g_assert_cmpuint(st.st_nlink, ==, 1);
}

static char *read_esp(const char *path, const char *name)
{
	g_autofree char *image = g_strdup_printf("%s@@1M", path);
	char *content = NULL;
	g_autoptr(GError) error = NULL;

	varve_process_run(&(VarveProcess){ .argv = (const char *const[]){ "mtype", "-i", image,
									  name, NULL } },
			  &content, &error);
	g_assert_no_error(error);
	return content;
}

/* Keys to enrol are offered, never more than that; without them there is no word of it. */
static void test_enrolment(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	GBytes *enrolment[VARVE_ENROLMENT_N] = { g_bytes_new_static("the PK", 6),
						 g_bytes_new_static("the KEK", 7),
						 g_bytes_new_static("the db", 6) };
	VarveDisk disk = describe(fixture);
	g_autofree char *with = g_build_filename(fixture->dir, "with.raw", NULL);
	g_autofree char *without = NULL, *conf = NULL, *plain = NULL, *pk = NULL, *kek = NULL;
	g_autofree char *db = NULL;
	g_autoptr(GError) error = NULL;

	if (lacks_programs())
		return;
	disk.enrolment = enrolment;
	varve_disk_build(&disk, with, NULL, &error);
	g_assert_no_error(error);
	conf = read_esp(with, "::/loader/loader.conf");
	g_assert_true(g_str_has_suffix(conf, "\nsecure-boot-enroll manual\n"));
	pk = read_esp(with, "::/loader/keys/container/PK.auth");
	g_assert_cmpstr(pk, ==, "the PK");
	kek = read_esp(with, "::/loader/keys/container/KEK.auth");
	g_assert_cmpstr(kek, ==, "the KEK");
	db = read_esp(with, "::/loader/keys/container/db.auth");
	g_assert_cmpstr(db, ==, "the db");
	without = build(fixture, "without.raw", FALSE);
	plain = read_esp(without, "::/loader/loader.conf");
	g_assert_null(strstr(plain, "secure-boot-enroll"));
	/* Of that name the boot loader would not ask. */
	disk.name = "auto";
	g_assert_false(varve_disk_build(&disk, with, NULL, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_USAGE);
	for (gsize i = 0; i < VARVE_ENROLMENT_N; i++)
		g_bytes_unref(enrolment[i]);
}

static void test_inject(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *path = NULL;
	g_autofree char *key = g_build_filename(fixture->dir, "a key.pub", NULL);
	g_autofree char *big = g_build_filename(fixture->dir, "big_1_x86-64.raw", NULL);
	g_autofree char *content = NULL;
	const char *const layers[] = { fixture->extension, NULL };
	VarveInjection injection = { .authorized_key = key, .layers = layers };
	g_autoptr(GError) error = NULL;
	struct stat st;

	g_assert_false(varve_injection_is_empty(&injection));
	if (lacks_programs())
		return;
	path = build(fixture, "disk.raw", FALSE);
	/* Twice: what is there is replaced. */
	for (int i = 0; i < 2; i++) {
		g_autofree char *text = g_strdup_printf("ssh-ed25519 key %d\n", i);

		g_assert_true(g_file_set_contents(key, text, -1, NULL));
		varve_throwaway_inject(fixture->tools, path, &injection, &error);
		g_assert_no_error(error);
	}
	content = ask_state(path, "cat /etc/upper/ssh/authorized_keys.d/root");
	g_assert_cmpstr(content, ==, "ssh-ed25519 key 1\n");
	g_assert_cmpint(stat(fixture->extension, &st), ==, 0);
	check_state_file(path, "/var/lib/varve/layers/ssh_1_x86-64.raw", "0644",
			 (guint64)st.st_size);
	/* More than there is room for; what is not there; what is no disk. */
	g_assert_true(g_file_set_contents(big, "x", 1, NULL));
	g_assert_cmpint(truncate(big, 1), ==, 0);
	content = (g_free(content), g_strnfill(100 * MIB, 'x'));
	g_assert_true(g_file_set_contents(big, content, 100 * MIB, NULL));
	injection.layers = (const char *const[]){ big, NULL };
	g_assert_false(varve_throwaway_inject(fixture->tools, path, &injection, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_SYSTEM);
	g_clear_error(&error);
	injection.layers = (const char *const[]){ "/nonexistent/x.raw", NULL };
	g_assert_false(varve_throwaway_inject(fixture->tools, path, &injection, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_clear_error(&error);
	injection.layers = NULL;
	g_assert_false(varve_throwaway_inject(fixture->tools, big, &injection, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_clear_error(&error);
	g_assert_false(varve_throwaway_inject(fixture->tools, fixture->base, &injection, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
}

static void build_fails(const Fixture *fixture, const VarveDisk *disk, VarveError code,
			const char *text)
{
	g_autofree char *path = g_build_filename(fixture->dir, "failed", "disk.raw", NULL);
	g_autofree char *parent = g_path_get_dirname(path);
	g_auto(GStrv) names = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_false(varve_disk_build(disk, path, NULL, &error));
	g_assert_error(error, VARVE_ERROR, (gint)code);
	if (!strstr(error->message, text))
		g_test_message("%s", error->message);
	g_assert_nonnull(strstr(error->message, text));
	/* Neither the disk nor anything half done. */
	g_assert_true(varve_dir_list(AT_FDCWD, parent, &names, NULL));
	g_assert_cmpuint(g_strv_length(names), ==, 0);
}

static void test_should_fail(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	VarveDisk disk = describe(fixture);
	const char *const twice[] = { fixture->extension, fixture->extension, NULL };

	disk.name = "my_edition";
	build_fails(fixture, &disk, VARVE_ERROR_USAGE, "my_edition");
	disk = describe(fixture);
	disk.slot_size = 4 * MIB;
	build_fails(fixture, &disk, VARVE_ERROR_USAGE, "needs 5 MiB");
	disk = describe(fixture);
	disk.state_size = 8 * MIB;
	build_fails(fixture, &disk, VARVE_ERROR_USAGE, "state-size");
	disk = describe(fixture);
	disk.esp_size = MIB;
	build_fails(fixture, &disk, VARVE_ERROR_USAGE, "esp-size");
	disk = describe(fixture);
	disk.layers = twice;
	build_fails(fixture, &disk, VARVE_ERROR_CONFLICT, "ssh_1_x86-64.raw");
	disk = describe(fixture);
	disk.base = "/nonexistent";
	build_fails(fixture, &disk, VARVE_ERROR_NOT_FOUND, "/nonexistent");
	disk = describe(fixture);
	disk.arch = varve_arch_find("arm64");
	build_fails(fixture, &disk, VARVE_ERROR_CORRUPT, "arm64");
}

/* A file that may not grow stands for a disk that is full. */
static void test_full_disk(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	VarveDisk disk = describe(fixture);
	struct rlimit before, limit;

	if (lacks_programs())
		return;
	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
	limit = before;
	signal(SIGXFSZ, SIG_IGN);
	for (guint64 size = 2 * MIB; size < 170 * MIB; size += 40 * MIB) {
		limit.rlim_cur = size;
		g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
		build_fails(fixture, &disk, VARVE_ERROR_SYSTEM, "");
	}
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);
	signal(SIGXFSZ, SIG_DFL);
}

static void test_export(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *from = g_build_filename(fixture->dir, "x.raw", NULL);
	g_autofree char *raw = g_build_filename(fixture->dir, "y.raw", NULL);
	g_autofree char *vhd = g_build_filename(fixture->dir, "y.vhd", NULL);
	g_autofree char *again = g_build_filename(fixture->dir, "z.vhd", NULL);
	const guint64 size = 5 * MIB + 4096;
	g_autoptr(GError) error = NULL;
	struct stat st;

	g_assert_true(g_file_set_contents(from, "begins", -1, NULL));
	g_assert_cmpint(truncate(from, (off_t)size), ==, 0);
	varve_export_disk(from, VARVE_EXPORT_RAW, raw, &error);
	g_assert_no_error(error);
	varve_export_disk(from, VARVE_EXPORT_VHD, vhd, &error);
	g_assert_no_error(error);
	varve_export_disk(from, VARVE_EXPORT_VHD, again, &error);
	g_assert_no_error(error);
	assert_same_bytes(from, 0, raw, 0, size);
	assert_same_bytes(from, 0, vhd, 0, size);
	g_assert_cmpint(stat(vhd, &st), ==, 0);
	g_assert_cmpint(st.st_size, ==, 6 * MIB + 512);
	g_assert_cmpint(st.st_blocks * 512, <, MIB);
	assert_same_bytes(vhd, 0, again, 0, (guint64)st.st_size);
	g_assert_false(varve_export_disk(from, VARVE_EXPORT_OCI, again, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_USAGE);
}

static void test_sparse(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *from = g_build_filename(fixture->dir, "from", NULL);
	g_autofree char *to = g_build_filename(fixture->dir, "to", NULL);
	varve_autofd in = open(from, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	varve_autofd out = open(to, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	g_autoptr(GError) error = NULL;
	char found[4];

	g_assert_cmpint(ftruncate(in, 8 * MIB), ==, 0);
	g_assert_cmpint(ftruncate(out, 8 * MIB), ==, 0);
	g_assert_cmpint(varve_fd_pwrite_full(in, "data", 4, MIB + 100), ==, 0);
	g_assert_cmpint(varve_fd_pwrite_full(in, "tail", 4, 3 * MIB - 2), ==, 0);
	/* From the middle of an extent, to the middle of one. */
	varve_sparse_copy(in, MIB + 101, 2 * MIB - 101, out, 7, "from", &error);
	g_assert_no_error(error);
	g_assert_cmpint(varve_fd_read_full(out, found, 4, 7), ==, 4);
	g_assert_cmpmem(found, 4, "ata\0", 4);
	g_assert_cmpint(varve_fd_read_full(out, found, 4, 2 * MIB - 101 + 7 - 2), ==, 4);
	g_assert_cmpmem(found, 4, "ta\0\0", 4);
	g_assert_false(varve_sparse_copy(in, 8 * MIB - 4, 5, out, 0, "from", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
}

static void test_names(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	const VarveArch *arch = varve_arch_find("x86-64");
	g_autoptr(GError) error = NULL;
	char *found;

	g_assert_null(varve_disk_find(fixture->dir, "container", arch, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "varve build container"));
	for (const char *const *version =
		     (const char *const[]){ "1.9", "1.10", "1.10~rc1", "1", NULL };
	     *version; version++) {
		g_autofree char *name = varve_disk_file_name("container", *version, arch);
		g_autofree char *path = g_build_filename(fixture->dir, name, NULL);

		g_assert_true(g_file_set_contents(path, "", 0, NULL));
	}
	found = varve_disk_find(fixture->dir, "container", arch, NULL);
	g_assert_true(g_str_has_suffix(found, "/container_1.10_x86-64.disk.raw"));
	g_free(found);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*run)(Fixture *, gconstpointer);
	} tests[] = {
		{ "/disk/partitions", test_partitions },
		{ "/disk/same-bytes", test_same_bytes },
		{ "/disk/filesystems", test_filesystems },
		{ "/disk/enrolment", test_enrolment },
		{ "/disk/should-fail", test_should_fail },
		{ "/disk/full", test_full_disk },
		{ "/disk/names", test_names },
		{ "/throwaway/inject", test_inject },
		{ "/export/raw-and-vhd", test_export },
		{ "/sparse/copy", test_sparse },
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, Fixture, NULL, fixture_set_up, tests[i].run,
			   fixture_tear_down);
	return g_test_run();
}
