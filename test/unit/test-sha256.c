#include "crypt/sha256.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void assert_hex(const VarveDigest *digest, const char *expected)
{
	g_autofree char *hex = varve_digest_dup_hex(digest);

	g_assert_cmpstr(hex, ==, expected);
}

/* FIPS 180-4's examples. */
static void test_known_answers(void)
{
	const char *abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	g_autoptr(VarveSha256) state = varve_sha256_new();
	VarveDigest digest;

	varve_sha256("abc", 3, &digest);
	assert_hex(&digest, abc);
	varve_sha256_update(state, "a", 1);
	varve_sha256_update(state, "bc", 2);
	varve_sha256_finish(state, &digest);
	assert_hex(&digest, abc);
	/* The state starts afresh after each finish. */
	varve_sha256_finish(state, &digest);
	assert_hex(&digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void test_whole_file(void)
{
	int fd = memfd_create("sha256", MFD_CLOEXEC);
	g_autofree char *data = g_malloc(1000000);
	VarveDigest digest;
	guint64 size = 0;

	memset(data, 'a', 1000000);
	g_assert_cmpint(write(fd, data, 1000000), ==, 1000000);
	g_assert_true(varve_sha256_fd(fd, &digest, &size, NULL));
	g_assert_cmpuint(size, ==, 1000000);
	assert_hex(&digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	close(fd);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sha256/known-answers", test_known_answers);
	g_test_add_func("/sha256/whole-file", test_whole_file);
	return g_test_run();
}
