/* What a unified kernel image consists of: usr/lib/varve/initrd/manifest.json in its initrd, so
 * that the image's signature covers it. docs/formats.md describes the document. */
#pragma once

#include "base/digest.h"
#include "format/manifest.h"

#include <glib.h>
#include <sys/types.h>

#define VARVE_BOOT_MANIFEST "usr/lib/varve/initrd/manifest.json"
#define VARVE_BOOT_MANIFEST_LIMIT ((gsize)16 * 1024 * 1024)

/** Where the bytes of something came from. */
typedef enum {
	VARVE_BOOT_BASE,      /* the base layer: a file with these very bytes is in it */
	VARVE_BOOT_TREE,      /* the tree that the base was made of, changed since */
	VARVE_BOOT_TOOLS,     /* the tools tree */
	VARVE_BOOT_HOST,      /* the machine that built the image */
	VARVE_BOOT_GENERATED, /* the build itself */
} VarveBootOrigin;

const char *varve_boot_origin_name(VarveBootOrigin origin);

typedef struct {
	VarveBootOrigin origin;
	char *from;    /* path there, relative; "" where it was generated */
	char *package; /* NEVRA, "" where none is known */
	VarveDigest digest;
	guint64 size;
} VarveBootPart;

typedef struct {
	char *path;         /* relative to the initrd's root, canonical */
	mode_t mode;        /* type and permission bits */
	char *target;       /* of a link, else "" */
	VarveBootPart part; /* of a regular file; else empty */
} VarveBootFile;

/** A section of the stub, which is in the image unchanged. */
typedef struct {
	char *name; /* ".text" */
	VarveDigest digest;
} VarveBootSection;

typedef struct {
	char *name, *version, *arch; /* of the image */
	char *base_name, *base_version;
	VarveDigest base_root;
	char *kernel_version;
	char *command_line;
	gboolean is_signed; /* for Secure Boot; the next three say by whom */
	char *signer;       /* subject of the certificate */
	VarveDigest signer_fingerprint;
	gboolean signer_development;
	VarveBootPart kernel, os_release, stub;
	VarveBootPart boot_loader;     /* as it came; what lies on the ESP is … */
	VarveDigest boot_loader_final; /* … this: with its signature */
	GPtrArray *stub_sections;      /* VarveBootSection *, sorted by name */
	GPtrArray *packages;           /* VarveManifestPackage *, those that are named here */
	GPtrArray *files;              /* VarveBootFile *, sorted by bytes of the path */
} VarveBootManifest;

/** varve_boot_manifest_new: all strings "", all arrays empty, never NULL. */
VarveBootManifest *varve_boot_manifest_new(void);
void varve_boot_manifest_free(VarveBootManifest *manifest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveBootManifest, varve_boot_manifest_free)
VarveBootFile *varve_boot_file_new(const char *path, mode_t mode);
VarveBootSection *varve_boot_section_new(const char *name, const VarveDigest *digest);

/** varve_boot_manifest_parse: hostile bytes in; every field is checked. @name for messages. */
VarveBootManifest *varve_boot_manifest_parse(const char *text, size_t size, const char *name,
					     GError **error);
/** varve_boot_manifest_write: (caller frees) canonical JSON; the same manifest is the same bytes,
 *  in whatever order its arrays are. */
char *varve_boot_manifest_write(const VarveBootManifest *manifest);

/** (borrowed, nullable) */
const VarveBootFile *varve_boot_manifest_file(const VarveBootManifest *manifest, const char *path);
/** (borrowed, nullable) the package with that NEVRA; NULL for "". */
const VarveManifestPackage *varve_boot_manifest_package(const VarveBootManifest *manifest,
							const char *nevra);
