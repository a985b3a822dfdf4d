/* One .deb to one RPM: metadata from the signed Packages index, files from the package, sonames
 * from its ELF files. Maintainer scripts are left behind: what they do is the distribution's to
 * declare. */
#pragma once

#include "format/partition-types.h"
#include "format/rpm-writer.h"
#include "package/deb822.h"

/* Part of every cache key: counts the changes of what a conversion gives. */
#define VARVE_CONVERTER_VERSION 2

/** What all conversions of one import share; nothing is owned, nothing changes meanwhile. */
typedef struct {
	const VarveArch *arch;
	const char *suite;
	GHashTable *dropped;  /* set of names: a clause that has one of them goes whole */
	const char *scratch;  /* directory for temporary files */
	VarveRpmSign sign;    /* (nullable) */
	gpointer user;        /* of @sign */
	const char *identity; /* of the signing key, for cache keys; "" without */
} VarveConverter;

/**
 * varve_convert_key:
 * What the conversion of the package that @stanza describes depends on, as a digest.
 *
 * @stanza: of a Packages index; needs SHA256.
 *
 * Returns: (caller frees) 64 hex digits, or NULL with CORRUPT.
 */
char *varve_convert_key(const VarveConverter *converter, const VarveParagraph *stanza,
			GError **error);

/**
 * varve_convert_file_name: (caller frees) the RPM's file name, from @stanza alone; CORRUPT where a
 * field that it needs is missing or wrong.
 */
char *varve_convert_file_name(const VarveConverter *converter, const VarveParagraph *stanza,
			      GError **error);

/**
 * varve_convert_deb:
 * Checks that @deb has the SHA-256 that @stanza says, converts it and writes the RPM to @out, whose
 * mtime becomes that of the newest file in it (an index records it). Thread-safe.
 *
 * Errors: UNTRUSTED (the digest differs: both are named), CORRUPT, UNSUPPORTED, SYSTEM.
 */
gboolean varve_convert_deb(const VarveConverter *converter, const VarveParagraph *stanza, int deb,
			   int out, GError **error);

/**
 * varve_convert_setup:
 * Writes the package "setup": /etc/passwd, group, shadow and gshadow with Debian's fixed users and
 * groups, from the master files of the package base-passwd, which @stanza and @deb are. Every
 * converted package requires it, so that owners have numbers when files arrive.
 */
gboolean varve_convert_setup(const VarveConverter *converter, const VarveParagraph *stanza, int deb,
			     int out, GError **error);

/** varve_convert_setup_file_name: (caller frees) as varve_convert_file_name(). */
char *varve_convert_setup_file_name(const VarveConverter *converter, const VarveParagraph *stanza,
				    GError **error);
