/* Checksums by GLib. */
#include "base/checksum.h"

#include "base/error.h"
#include "ground/fd.h"

#include <string.h>

static const struct {
	const char *name;
	GChecksumType type;
} kinds[] = {
	{ "MD5", G_CHECKSUM_MD5 },       { "SHA1", G_CHECKSUM_SHA1 },
	{ "SHA256", G_CHECKSUM_SHA256 }, { "SHA384", G_CHECKSUM_SHA384 },
	{ "SHA512", G_CHECKSUM_SHA512 },
};

gboolean varve_checksum_type(const char *name, GChecksumType *ret)
{
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (g_ascii_strcasecmp(name, kinds[i].name) == 0) {
			*ret = kinds[i].type;
			return TRUE;
		}
	}
	return FALSE;
}

const char *varve_checksum_name(GChecksumType type)
{
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (kinds[i].type == type)
			return kinds[i].name;
	}
	return "";
}

gboolean varve_checksum_valid(GChecksumType type, const char *hex)
{
	gsize size = strlen(hex);

	return size == 2 * (gsize)g_checksum_type_get_length(type) &&
	       strspn(hex, "0123456789abcdefABCDEF") == size;
}

char *varve_checksum_fd(int fd, GChecksumType type, const char *name, GError **error)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(type);
	g_autofree guchar *buffer = g_malloc(1 << 17);
	off_t offset = 0;
	ssize_t n;

	while ((n = varve_fd_read_full(fd, buffer, 1 << 17, offset)) > 0) {
		g_checksum_update(checksum, buffer, n);
		offset += n;
	}
	if (n < 0) {
		varve_fail_errno(error, errno, "%s: cannot read", name);
		return NULL;
	}
	return g_strdup(g_checksum_get_string(checksum));
}
