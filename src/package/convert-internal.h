/* What convert.c and convert-setup.c share. */
#pragma once

#include "package/convert.h"
#include "package/deb-archive.h"
#include "package/debian-relation.h"

/** Fields of a stanza in RPM's form; strings are owned where not const. */
typedef struct {
	const char *name;
	VarveDebianVersion version;
	const char *arch; /* RPM's, static */
	char *source_rpm;
} VarveConvertIdentity;

void varve_convert_identity_clear(VarveConvertIdentity *identity);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveConvertIdentity, varve_convert_identity_clear)

gboolean varve_convert_identify(const VarveConverter *converter, const VarveParagraph *stanza,
				VarveConvertIdentity *ret_identity, GError **error);

/** Verifies the digest of @fd against @stanza and opens the package. */
VarveDeb *varve_convert_open(const VarveConverter *converter, const VarveParagraph *stanza, int fd,
			     GError **error);

/** Writes the package that is ready in @writer and sets @out's mtime to @time. */
gboolean varve_convert_finish(const VarveConverter *converter, VarveRpmWriter *writer, int out,
			      gint64 time, GError **error);
