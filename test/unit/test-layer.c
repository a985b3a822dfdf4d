#include "base/error.h"
#include "base/file.h"
#include "crypt/authority.h"
#include "format/verity.h"
#include "layer/admit.h"
#include "layer/layer.h"
#include "layer/seal.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define IMAGE_SIZE (300 * 4096 + 100)

typedef struct {
	char *dir, *image, *path;
	VarvePrivateKey *key;
	VarveCertificate *certificate;
	VarveDigest root;
	char *bytes; /* of the sealed layer */
	size_t size;
	guint64 data_offset, data_size, hash_offset, hash_size, signature_offset;
} Fixture;

/* What sealing asks of an image is only its magic number. */
static void make_image(const char *path)
{
	g_autofree char *image = g_malloc(IMAGE_SIZE);

	for (size_t i = 0; i < IMAGE_SIZE; i++)
		image[i] = (char)(i * 7 + i / 4096);
	memcpy(image + 1024, "\xe2\xe1\xf5\xe0", 4);
	g_assert_true(g_file_set_contents(path, image, IMAGE_SIZE, NULL));
}

static char *seal(const Fixture *f, const char *version, VarveDigest *ret_root)
{
	g_autofree char *name = varve_layer_file_name("ssh", version, varve_arch_find("amd64"));
	char *path = g_build_filename(f->dir, name, NULL);
	g_autoptr(GError) error = NULL;

	varve_layer_seal(f->image, varve_arch_find("amd64"), "ssh", version, f->key, f->certificate,
			 path, ret_root, &error);
	g_assert_no_error(error);
	return path;
}

static void fixture_make(Fixture *f)
{
	g_autofree char *key = NULL, *certificate = NULL;
	g_autoptr(VarveLayer) layer = NULL;
	g_autoptr(GError) error = NULL;
	guint64 ignored;

	f->dir = g_dir_make_tmp("varve-layer-XXXXXX", &error);
	g_assert_no_error(error);
	varve_authority_make(f->dir, "layers", &error);
	g_assert_no_error(error);
	key = g_build_filename(f->dir, "layers.key", NULL);
	certificate = g_build_filename(f->dir, "layers.crt", NULL);
	f->key = varve_private_key_load(key, &error);
	g_assert_no_error(error);
	f->certificate = varve_certificate_load(certificate, &error);
	g_assert_no_error(error);
	f->image = g_build_filename(f->dir, "image.erofs", NULL);
	make_image(f->image);
	f->path = seal(f, "1.0", &f->root);
	g_assert_true(g_file_get_contents(f->path, &f->bytes, &f->size, NULL));
	layer = varve_layer_open_path(f->path, &error);
	g_assert_no_error(error);
	varve_layer_extents(layer, &f->data_offset, &f->data_size, &f->hash_offset, &f->hash_size);
	varve_layer_signature_extent(layer, &f->signature_offset, &ignored);
}

static void fixture_clear(Fixture *f)
{
	varve_private_key_free(f->key);
	varve_certificate_free(f->certificate);
	g_assert_true(varve_dir_remove(AT_FDCWD, f->dir, NULL));
	g_free(f->dir);
	g_free(f->image);
	g_free(f->path);
	g_free(f->bytes);
}

static int part(const Fixture *f, guint64 offset, guint64 size)
{
	int fd = memfd_create("part", MFD_CLOEXEC);

	g_assert_cmpint(pwrite(fd, f->bytes + offset, size, 0), ==, (ssize_t)size);
	return fd;
}

static gboolean check(const VarveLayer *layer, const Fixture *f, GError **error)
{
	g_autoptr(GPtrArray) certificates = g_ptr_array_new();
	const VarveCertificate *signer = NULL;

	g_ptr_array_add(certificates, f->certificate);
	if (!varve_layer_check_signature(layer, certificates, &signer, error))
		return FALSE;
	g_assert_true(signer == f->certificate);
	return varve_layer_check_data(layer, error);
}

static void test_sealed_is_good(gconstpointer data)
{
	const Fixture *f = data;
	g_autoptr(VarveLayer) layer = NULL;
	g_autoptr(GError) error = NULL;
	struct stat st;

	g_assert_true(g_str_has_suffix(f->path, "/ssh_1.0_x86-64.raw"));
	g_assert_cmpint(stat(f->path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 07777, ==, 0644);
	layer = varve_layer_open_path(f->path, &error);
	g_assert_no_error(error);
	g_assert_true(varve_digest_equal(varve_layer_root(layer), &f->root));
	g_assert_cmpstr(varve_layer_arch(layer)->name, ==, "x86-64");
	g_assert_cmpuint(f->data_size, ==, 301 * 4096);
	g_assert_true(check(layer, f, &error));
	g_assert_no_error(error);
}

static void test_other_architecture(gconstpointer data)
{
	const Fixture *f = data;
	const VarveArch *arm = varve_arch_find("aarch64");
	g_autofree char *path = g_build_filename(f->dir, "arm.raw", NULL);
	g_autoptr(VarveLayer) layer = NULL;
	g_autoptr(GError) error = NULL;

	varve_layer_seal(f->image, arm, "ssh", "1.0", f->key, f->certificate, path, NULL, &error);
	g_assert_no_error(error);
	layer = varve_layer_open_path(path, &error);
	g_assert_no_error(error);
	g_assert_true(varve_layer_arch(layer) == arm);
	g_assert_true(varve_digest_equal(varve_layer_root(layer), &f->root));
	g_assert_true(check(layer, f, &error));
}

static void test_sealed_twice_is_the_same(gconstpointer data)
{
	const Fixture *f = data;
	g_autofree char *again = NULL, *path = NULL;
	VarveDigest root;
	gsize size;

	path = seal(f, "1.0", &root);
	g_assert_true(g_file_get_contents(path, &again, &size, NULL));
	g_assert_cmpmem(again, size, f->bytes, f->size);
}

static void test_three_partitions(gconstpointer data)
{
	const Fixture *f = data;
	int data_fd, hash_fd, signature_fd;
	g_autoptr(VarveLayer) layer = NULL;
	g_autoptr(GError) error = NULL;

	data_fd = part(f, f->data_offset, f->data_size);
	hash_fd = part(f, f->hash_offset, f->hash_size);
	signature_fd = part(f, f->signature_offset, VARVE_SIGNATURE_PARTITION_SIZE);
	/* A slot is larger than what is in it. */
	g_assert_cmpint(ftruncate(data_fd, (off_t)(f->data_size + 8192)), ==, 0);
	g_assert_cmpint(ftruncate(hash_fd, (off_t)(f->hash_size + 8192)), ==, 0);
	layer = varve_layer_open_partitions(data_fd, hash_fd, signature_fd, "base", &error);
	g_assert_no_error(error);
	close(data_fd);
	close(hash_fd);
	close(signature_fd);
	g_assert_true(check(layer, f, &error));
	g_assert_no_error(error);
}

static gboolean open_bytes(const char *bytes, size_t size, const Fixture *f, GError **error)
{
	g_autoptr(VarveLayer) layer = NULL;
	varve_autofd fd = memfd_create("layer", MFD_CLOEXEC);

	g_assert_cmpint(pwrite(fd, bytes, size, 0), ==, (ssize_t)size);
	layer = varve_layer_open(fd, "changed", error);
	return layer && check(layer, f, error);
}

/* Opens the layer with the byte at @at changed; asserts the refusal and a word of its sentence. */
static void assert_flip(const Fixture *f, guint64 at, const char *word)
{
	g_autofree char *bytes = g_memdup2(f->bytes, f->size);
	g_autoptr(GError) error = NULL;

	bytes[at] ^= 4;
	g_assert_false(open_bytes(bytes, f->size, f, &error));
	g_assert_true(g_error_matches(error, VARVE_ERROR, VARVE_ERROR_CORRUPT) ||
		      g_error_matches(error, VARVE_ERROR, VARVE_ERROR_UNTRUSTED));
	g_assert_true(g_str_has_prefix(error->message, "layer 'changed'"));
	if (!strstr(error->message, word))
		g_error("'%s' is not in: %s", word, error->message);
}

static void test_should_fail_one_flipped_bit(gconstpointer data)
{
	const Fixture *f = data;

	assert_flip(f, 512 + 60, "its checksum is wrong");
	assert_flip(f, 1024 + 16, "checksum is wrong");
	assert_flip(f, f->data_offset, "data block 0 ");
	assert_flip(f, f->data_offset + 200 * 4096 + 5, "data block 200 ");
	assert_flip(f, f->data_offset + f->data_size - 1, "data block 300 ");
	assert_flip(f, f->hash_offset, "verity superblock");
	assert_flip(f, f->hash_offset + 72, "the data partition has");
	assert_flip(f, f->hash_offset + 4096, "verity tree");
	assert_flip(f, f->hash_offset + 3 * 4096 + 7, "verity tree");
	assert_flip(f, f->hash_offset + 4095, "verity superblock");
	assert_flip(f, f->signature_offset + VARVE_SIGNATURE_PARTITION_SIZE - 1, "not NUL");
	assert_flip(f, f->size - 512 + 57, "at its end");
	assert_flip(f, f->size - 33 * 512, "at its end");
	/* Changes of the JSON: of its form, of the root hash, of the signature. */
	assert_flip(f, f->signature_offset, "signature partition");
	for (size_t i = 0; i < 600; i += 7)
		assert_flip(f, f->signature_offset + i, "");
}

static void test_should_fail_truncated(gconstpointer data)
{
	const Fixture *f = data;

	for (size_t size = 0; size < f->size; size += size < 4096 ? 512 : 65536) {
		g_autoptr(GError) error = NULL;

		g_assert_false(open_bytes(f->bytes, size, f, &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	}
}

/* The data of one layer under the table of another. */
static void test_should_fail_mixed(gconstpointer data)
{
	const Fixture *f = data;
	g_autofree char *bytes = g_memdup2(f->bytes, f->size);
	g_autofree VarveGpt *gpt = NULL;
	g_autoptr(GError) error = NULL;
	varve_autofd fd = memfd_create("layer", MFD_CLOEXEC);

	g_assert_cmpint(pwrite(fd, f->bytes, f->size, 0), ==, (ssize_t)f->size);
	g_assert_true(varve_gpt_read(fd, &gpt, NULL));
	gpt->partitions[0].id.bytes[3] ^= 1;
	g_assert_true(varve_gpt_write(fd, gpt, NULL));
	g_assert_cmpint(pread(fd, bytes, f->size, 0), ==, (ssize_t)f->size);
	g_assert_false(open_bytes(bytes, f->size, f, &error));
	g_assert_nonnull(strstr(error->message, "not of one layer"));
	g_clear_error(&error);
	gpt->partitions[0].id.bytes[3] ^= 1;
	gpt->n_partitions = 2;
	g_assert_true(varve_gpt_write(fd, gpt, NULL));
	g_assert_cmpint(pread(fd, bytes, f->size, 0), ==, (ssize_t)f->size);
	g_assert_false(open_bytes(bytes, f->size, f, &error));
	g_assert_nonnull(strstr(error->message, "not sealed"));
}

/* Who @key and @certificate are, in a directory of its own. */
static void make_platform(const Fixture *f, const char *name, VarvePrivateKey **ret_key,
			  VarveCertificate **ret_certificate)
{
	g_autofree char *key = g_strdup_printf("%s/%s.key", f->dir, name);
	g_autofree char *certificate = g_strdup_printf("%s/%s.crt", f->dir, name);

	g_assert_true(varve_authority_make(f->dir, name, NULL));
	*ret_key = varve_private_key_load(key, NULL);
	*ret_certificate = varve_certificate_load(certificate, NULL);
	g_assert_nonnull(*ret_key);
	g_assert_nonnull(*ret_certificate);
}

static gboolean is_admitted(const char *path, const VarveCertificate *by, GError **error)
{
	g_autoptr(VarveLayer) layer = varve_layer_open_path(path, error);
	g_autoptr(GPtrArray) certificates = g_ptr_array_new();
	const VarveCertificate *signer = NULL;

	g_ptr_array_add(certificates, (gpointer)by);
	if (!layer || !varve_layer_check_platform(layer, certificates, &signer, error))
		return FALSE;
	g_assert_true(signer == by);
	return TRUE;
}

static void test_admit(gconstpointer data)
{
	const Fixture *f = data;
	g_autoptr(VarvePrivateKey) key = NULL;
	g_autoptr(VarveCertificate) certificate = NULL;
	g_autofree char *path = g_build_filename(f->dir, "admitted.raw", NULL);
	g_autofree char *bytes = NULL, *again = NULL;
	g_autoptr(GError) error = NULL;
	VarveDigest other = f->root;
	gsize size, end = f->signature_offset + VARVE_SIGNATURE_PARTITION_SIZE;

	make_platform(f, "platform", &key, &certificate);
	g_assert_false(is_admitted(f->path, certificate, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNTRUSTED);
	g_clear_error(&error);
	varve_layer_admit(f->path, &f->root, key, certificate, path, &error);
	g_assert_no_error(error);
	g_assert_true(is_admitted(path, certificate, &error));
	g_assert_no_error(error);
	/* The layer's own signature is not the platform's, nor the other way round. */
	g_assert_false(is_admitted(path, f->certificate, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNTRUSTED);
	g_clear_error(&error);

	/* Nothing else changed, not even a place. */
	g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
	g_assert_cmpuint(size, ==, f->size);
	g_assert_cmpmem(bytes, f->signature_offset, f->bytes, f->signature_offset);
	g_assert_cmpmem(bytes + end, size - end, f->bytes + end, size - end);
	g_assert_true(open_bytes(bytes, size, f, &error));

	/* In place, and once more: the same bytes. */
	varve_layer_admit(path, NULL, key, certificate, path, &error);
	g_assert_no_error(error);
	g_assert_true(g_file_get_contents(path, &again, &size, NULL));
	g_assert_cmpmem(again, size, bytes, f->size);

	other.bytes[0] ^= 1;
	g_assert_false(varve_layer_admit(f->path, &other, key, certificate, path, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_clear_error(&error);
	g_assert_false(varve_layer_admit(f->path, NULL, f->key, certificate, path, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
}

/* Another platform's signature takes the place of the first one's. */
static void test_admit_again(gconstpointer data)
{
	const Fixture *f = data;
	g_autoptr(VarvePrivateKey) key = NULL, foreign_key = NULL;
	g_autoptr(VarveCertificate) certificate = NULL, foreign = NULL;
	g_autofree char *path = g_build_filename(f->dir, "twice.raw", NULL);
	g_autofree char *bytes = NULL;
	g_autoptr(GError) error = NULL;
	varve_autofd fd = -1;
	gsize size;

	make_platform(f, "first", &key, &certificate);
	make_platform(f, "second", &foreign_key, &foreign);
	g_assert_true(varve_layer_admit(f->path, NULL, key, certificate, path, NULL));
	g_assert_true(varve_layer_admit(path, NULL, foreign_key, foreign, path, NULL));
	g_assert_false(is_admitted(path, certificate, NULL));
	g_assert_true(is_admitted(path, foreign, &error));
	g_assert_no_error(error);

	/* The platform's signature with one bit changed is not its signature any more, and the
	 * layer's own does not care. */
	g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
	{
		char *at = strstr(bytes + f->signature_offset, "platformSignature\":\"");

		g_assert_nonnull(at);
		at[200] = at[200] == 'A' ? 'B' : 'A';
	}
	g_assert_true(g_file_set_contents(path, bytes, (gssize)size, NULL));
	g_assert_false(is_admitted(path, foreign, &error));
	g_assert_true(g_error_matches(error, VARVE_ERROR, VARVE_ERROR_UNTRUSTED) ||
		      g_error_matches(error, VARVE_ERROR, VARVE_ERROR_CORRUPT));
	g_clear_error(&error);
	g_assert_true(open_bytes(bytes, size, f, &error));
	g_assert_no_error(error);
}

static void test_failed_seal_leaves_nothing(gconstpointer data)
{
	const Fixture *f = data;
	g_autofree char *empty = g_build_filename(f->dir, "empty", NULL);
	g_autofree char *out = g_build_filename(f->dir, "none.raw", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_true(g_file_set_contents(empty, "", 0, NULL));
	g_assert_false(varve_layer_seal(empty, varve_arch_native(), "ssh", "1", f->key,
					f->certificate, out, NULL, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
	g_clear_error(&error);
	g_assert_false(varve_layer_seal(f->image, varve_arch_native(), "ssh", "1_2", f->key,
					f->certificate, out, NULL, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_USAGE);
	g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		GTestDataFunc function;
	} tests[] = {
		{ "/layer/sealed-is-good", test_sealed_is_good },
		{ "/layer/other-architecture", test_other_architecture },
		{ "/layer/sealed-twice-is-the-same", test_sealed_twice_is_the_same },
		{ "/layer/three-partitions", test_three_partitions },
		{ "/layer/should-fail-one-flipped-bit", test_should_fail_one_flipped_bit },
		{ "/layer/should-fail-truncated", test_should_fail_truncated },
		{ "/layer/should-fail-mixed", test_should_fail_mixed },
		{ "/layer/admit", test_admit },
		{ "/layer/admit-again", test_admit_again },
		{ "/layer/failed-seal-leaves-nothing", test_failed_seal_leaves_nothing },
	};
	Fixture fixture = { 0 };
	int status;

	g_test_init(&argc, &argv, NULL);
	fixture_make(&fixture);
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add_data_func(tests[i].path, &fixture, tests[i].function);
	status = g_test_run();
	fixture_clear(&fixture);
	return status;
}
