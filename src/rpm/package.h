/* One binary RPM, as the metadata of a repository or its own header describe it, and the files that
 * it brings. Shared by solver, repositories, transactions and what is built on them. */
#pragma once

#include "base/digest.h"
#include "format/manifest.h"

#include <glib.h>
#include <sys/types.h>

/** All strings are owned and never NULL ("" where unknown), all arrays are never NULL. */
typedef struct {
	char *name;
	guint epoch;
	char *version;
	char *release;
	char *arch;             /* RPM's spelling: "x86_64", "noarch" */
	char *nevra;            /* "openssh-server-1:10.0p1-7.x86_64"; an epoch of 0 is left out */
	char *repository;       /* the name of the repository that it was found in */
	char *location;         /* of the file, relative to the repository's base */
	char *path;             /* of the local file, "" until it was fetched and verified */
	VarveDigest digest;     /* SHA-256 of the whole file */
	guint64 size;           /* bytes of the file */
	guint64 installed_size; /* bytes that it unpacks to */
	char *source;           /* file name of the source RPM */
	char *license;
	char *vendor;
	/* (nullable) What it was built from, where its header says so; a repository's metadata do
	 * not. */
	VarveComponentFacts *component;
	char **provides; /* capabilities, sorted: "libc.so.6(GLIBC_2.38)(64bit)", */
	char **requires; /* "openssl-libs >= 1:3.0"; rich ones in parentheses; no rpmlib() */
} VarvePackage;

/** varve_package_new: all strings "", all arrays empty. */
VarvePackage *varve_package_new(void);
VarvePackage *varve_package_copy(const VarvePackage *package);
void varve_package_free(VarvePackage *package);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarvePackage, varve_package_free)

/** varve_package_array_new: an empty array that frees its VarvePackage *. */
GPtrArray *varve_package_array_new(void);

/** varve_package_compare: by name, version (as RPM compares), architecture. For qsort on
 *  VarvePackage *. */
int varve_package_compare(const VarvePackage *a, const VarvePackage *b);

/** varve_package_to_manifest: (caller frees) the entry of a layer's manifest; @upstream is the
 *  definition's name of where it came from. */
VarveManifestPackage *varve_package_to_manifest(const VarvePackage *package, const char *upstream);

typedef enum {
	VARVE_PACKAGE_FILE_CONFIG = 1 << 0,
	VARVE_PACKAGE_FILE_DOC = 1 << 1,
	VARVE_PACKAGE_FILE_LICENSE = 1 << 2,
	VARVE_PACKAGE_FILE_GHOST = 1 << 3, /* owned, but not in the payload */
} VarvePackageFileFlags;

/** One path of a package, from its signed header: what was meant to be on disk. */
typedef struct {
	char *path;  /* relative to the root, no leading slash: "usr/bin/env" */
	mode_t mode; /* type and permission bits */
	char *user;
	char *group;
	char *capabilities; /* text of cap_from_text(3), "" for none */
	char *target;       /* symbolic links; else "" */
	char *digest; /* regular files: lowercase hex SHA-256; "" for another algorithm or kind */
	guint64 size;
	gint64 mtime;
	VarvePackageFileFlags flags;
	const VarvePackage *package; /* borrowed */
} VarvePackageFile;

void varve_package_file_free(VarvePackageFile *file);
