/* Digests of whole files. */
#include "rpm/digest-internal.h"

#include "base/error.h"
#include "ground/fd.h"
#include "rpm/context.h"

#include <fcntl.h>
#include <rpm/rpmcrypto.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK (1u << 20)

static gboolean feed(int fd, DIGEST_CTX state, guint64 *ret_size, GError **error)
{
	g_autofree char *buffer = g_malloc(CHUNK);
	guint64 size = 0;

	for (;;) {
		ssize_t n = read(fd, buffer, CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return varve_fail_errno(error, errno, "reading a file for its digest");
		if (n == 0)
			break;
		rpmDigestUpdate(state, buffer, (size_t)n);
		size += (guint64)n;
	}
	*ret_size = size;
	return TRUE;
}

gboolean varve_rpm_digest_fd(int fd, VarveDigest *ret_digest, guint64 *ret_size, GError **error)
{
	DIGEST_CTX state;
	void *bytes = NULL;
	size_t length = 0;
	guint64 size;
	gboolean fine;

	varve_rpm_init();
	state = rpmDigestInit(RPM_HASH_SHA256, RPMDIGEST_NONE);
	fine = feed(fd, state, &size, error);
	rpmDigestFinal(state, &bytes, &length, 0);
	if (fine) {
		memcpy(ret_digest->bytes, bytes, sizeof(ret_digest->bytes));
		*ret_size = size;
	}
	free(bytes);
	return fine;
}

gboolean varve_rpm_digest_file(const char *path, VarveDigest *ret_digest, guint64 *ret_size,
			       GError **error)
{
	varve_autofd fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return varve_fail_errno(error, errno, "%s", path);
	return varve_rpm_digest_fd(fd, ret_digest, ret_size, error);
}

static int algorithm_of(const char *name)
{
	static const struct {
		const char *name;
		int algorithm;
	} known[] = { { "sha256", RPM_HASH_SHA256 }, { "sha512", RPM_HASH_SHA512 },
		      { "sha384", RPM_HASH_SHA384 }, { "sha224", RPM_HASH_SHA224 },
		      { "sha1", RPM_HASH_SHA1 },     { "sha", RPM_HASH_SHA1 },
		      { "md5", RPM_HASH_MD5 } };

	for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
		if (g_ascii_strcasecmp(known[i].name, name) == 0)
			return known[i].algorithm;
	return -1;
}

gboolean varve_rpm_file_matches(const char *path, const char *algorithm, const char *hex,
				guint64 size)
{
	varve_autofd fd = open(path, O_RDONLY | O_CLOEXEC);
	int number = algorithm_of(algorithm);
	void *found = NULL;
	size_t length = 0;
	DIGEST_CTX state;
	guint64 found_size = 0;
	gboolean same;

	if (fd < 0 || number < 0)
		return FALSE;
	varve_rpm_init();
	state = rpmDigestInit(number, RPMDIGEST_NONE);
	if (!state)
		return FALSE;
	same = feed(fd, state, &found_size, NULL);
	rpmDigestFinal(state, &found, &length, 1);
	same = same && found && g_ascii_strcasecmp(found, hex) == 0 &&
	       (!size || size == found_size);
	free(found);
	return same;
}
