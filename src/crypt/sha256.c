/* SHA-256 by OpenSSL. */
#include "crypt/sha256.h"

#include "base/error.h"
#include "ground/fd.h"

#include <openssl/evp.h>

struct VarveSha256 {
	EVP_MD *md;
	EVP_MD_CTX *context;
};

/* SHA-256 is in every provider that OpenSSL can run with; without it nothing here means anything,
 * and a caller could only abort as well. */
static void must(int result)
{
	if (result != 1)
		g_error("OpenSSL has no working SHA-256");
}

void varve_sha256(const void *data, size_t size, VarveDigest *ret_digest)
{
	must(EVP_Digest(data, size, ret_digest->bytes, NULL, EVP_sha256(), NULL));
}

VarveSha256 *varve_sha256_new(void)
{
	VarveSha256 *state = g_new0(VarveSha256, 1);

	/* Fetched once: an implicit fetch at each start costs a tenth of a 4096-byte block. */
	state->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	state->context = EVP_MD_CTX_new();
	must(state->md && state->context);
	must(EVP_DigestInit_ex2(state->context, state->md, NULL));
	return state;
}

void varve_sha256_update(VarveSha256 *state, const void *data, size_t size)
{
	must(EVP_DigestUpdate(state->context, data, size));
}

void varve_sha256_finish(VarveSha256 *state, VarveDigest *ret_digest)
{
	must(EVP_DigestFinal_ex(state->context, ret_digest->bytes, NULL));
	must(EVP_DigestInit_ex2(state->context, NULL, NULL));
}

void varve_sha256_free(VarveSha256 *state)
{
	if (!state)
		return;
	EVP_MD_CTX_free(state->context);
	EVP_MD_free(state->md);
	g_free(state);
}

gboolean varve_sha256_fd(int fd, VarveDigest *ret_digest, guint64 *ret_size, GError **error)
{
	g_autoptr(VarveSha256) state = varve_sha256_new();
	const size_t chunk = 256 * 1024; /* stays in the second-level cache between read and hash */
	g_autofree char *buffer = g_malloc(chunk);
	guint64 total = 0;

	for (;;) {
		ssize_t n = varve_fd_read_full(fd, buffer, chunk, (off_t)total);

		if (n < 0)
			return varve_fail_errno(error, errno, "read at byte %" G_GUINT64_FORMAT,
						total);
		varve_sha256_update(state, buffer, (size_t)n);
		total += (guint64)n;
		if ((size_t)n < chunk)
			break;
	}
	varve_sha256_finish(state, ret_digest);
	if (ret_size)
		*ret_size = total;
	return TRUE;
}
