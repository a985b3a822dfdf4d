/* Writing RPM packages (format version 4: lead, signature header, header, zstd-compressed cpio)
 * without rpmbuild: the bytes depend only on what is added here.
 * Format: rpm.org, "Package format" of RPM 4.x; tags: rpmtag.h. */
#pragma once

#include "base/digest.h"

#include <glib.h>

typedef struct VarveRpmWriter VarveRpmWriter;

/** What a package says of itself. Everything is copied; NULL leaves the tag out where nullable. */
typedef struct {
	const char *name;
	gint64 epoch; /* below 0: none */
	const char *version;
	const char *release;
	const char *arch; /* "x86_64", "aarch64", "noarch" */
	const char *summary;
	const char *description; /* (nullable) */
	const char *license;
	const char *vendor;       /* (nullable) */
	const char *packager;     /* (nullable) */
	const char *url;          /* (nullable) */
	const char *group;        /* (nullable) */
	const char *distribution; /* (nullable) */
	const char *source_rpm;   /* "NAME-VERSION-RELEASE.src.rpm" */
	gint64 build_time;        /* seconds since the epoch */
} VarveRpmIdentity;

typedef enum {
	VARVE_RPM_FILE_CONFIG = 1 << 0,
	VARVE_RPM_FILE_DOC = 1 << 1,
	VARVE_RPM_FILE_NOREPLACE = 1 << 4,
	VARVE_RPM_FILE_LICENSE = 1 << 7,
} VarveRpmFileFlags;

typedef struct {
	const char *path; /* absolute, normalised, not "/" */
	guint32 mode;     /* permission and type bits */
	const char *user;
	const char *group;
	const char *target;       /* of a symbolic link, else NULL */
	const char *capabilities; /* (nullable) as cap_from_text(3) reads them */
	guint32 flags;
	gint64 mtime;
	guint32 device; /* of a device node: (major << 8) | minor */
	/* A regular file's bytes: @size bytes at @offset of @fd, which is borrowed until the
	 * package is written. */
	int fd;
	guint64 offset;
	guint64 size;
	guint32 link; /* files with the same number above 0 are hard links of one file, and name the
		       * same bytes */
} VarveRpmFile;

typedef enum {
	VARVE_RPM_PROVIDES,
	VARVE_RPM_REQUIRES,
	VARVE_RPM_CONFLICTS,
	VARVE_RPM_OBSOLETES,
} VarveRpmRelation;

/* How a relation compares, and where it comes from; RPM's own bits. */
typedef enum {
	VARVE_RPM_LESS = 1 << 1,
	VARVE_RPM_GREATER = 1 << 2,
	VARVE_RPM_EQUAL = 1 << 3,
	VARVE_RPM_PRE = 1 << 9, /* Requires(pre): installed before */
	VARVE_RPM_FOUND_REQUIRES = 1 << 14,
	VARVE_RPM_FOUND_PROVIDES = 1 << 15,
	VARVE_RPM_RPMLIB = 1 << 24,
} VarveRpmSense;

/**
 * VarveRpmSign: makes a detached binary OpenPGP signature (version 4) of @size bytes at @data.
 *
 * @time: what the signature should be dated, so that signing again gives the same.
 * @ret_signature: (caller owns)
 */
typedef gboolean (*VarveRpmSign)(const void *data, gsize size, gint64 time, gpointer user,
				 GBytes **ret_signature, GError **error);

VarveRpmWriter *varve_rpm_writer_new(const VarveRpmIdentity *identity);
void varve_rpm_writer_free(VarveRpmWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveRpmWriter, varve_rpm_writer_free)

/** varve_rpm_writer_add_file: the order does not matter; a path is added once. */
void varve_rpm_writer_add_file(VarveRpmWriter *writer, const VarveRpmFile *file);

/**
 * varve_rpm_writer_add_relation:
 * Adds one relation; one that is there already is not added again. The package's own name and
 * what its features need of rpm ("rpmlib(…)") are added by themselves.
 *
 * @name: a name, or a whole rich dependency "(a or b)" with @sense and @version empty.
 * @version: (nullable) "[epoch:]version[-release]"
 */
void varve_rpm_writer_add_relation(VarveRpmWriter *writer, VarveRpmRelation relation,
				   const char *name, guint32 sense, const char *version);

/**
 * varve_rpm_writer_add_soname:
 * Adds what rpm's elfdeps prints: "libc.so.6(GLIBC_2.34)(64bit)".
 */
void varve_rpm_writer_add_soname(VarveRpmWriter *writer, VarveRpmRelation relation,
				 const char *capability);

/** varve_rpm_writer_file_name: (caller frees) "NAME-VERSION-RELEASE.ARCH.rpm". */
char *varve_rpm_writer_file_name(const VarveRpmWriter *writer);

/**
 * varve_rpm_writer_write:
 * Writes the package to @fd, at its position.
 *
 * @sign: (nullable) NULL leaves the package unsigned.
 * @scratch: a directory for the unnamed temporary file that holds the payload.
 * @ret_header: (nullable) SHA-256 of the header, which covers every byte but the signature: two
 * packages with the same are the same.
 *
 * Errors: SYSTEM, CORRUPT (two files with one path; a file shorter than its size), UNSUPPORTED
 * (a file of 4 GiB or more, which this format's version cannot carry).
 */
gboolean varve_rpm_writer_write(VarveRpmWriter *writer, int fd, const char *scratch,
				VarveRpmSign sign, gpointer user, VarveDigest *ret_header,
				GError **error);
