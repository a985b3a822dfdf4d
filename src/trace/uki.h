/* A unified kernel image, asked about itself: its sections and its initrd's files beside the
 * manifest in that initrd, and the signature that covers them all. */
#pragma once

#include "base/json.h"
#include "crypt/signature.h"
#include "format/boot-manifest.h"

/** One file of the initrd, as it is in there. */
typedef struct {
	mode_t mode;
	guint64 size;
	VarveDigest digest; /* of a regular file, else zero */
	char *target;       /* of a link, else "" */
} VarveUkiFile;

/** One section of the image. */
typedef struct {
	char *name;
	guint64 size;
	VarveDigest digest;
} VarveUkiSection;

/** Who signed an EFI program, by what it says itself. */
typedef struct {
	gboolean is_signed;
	VarveCertificate *certificate; /* (nullable) of the first signature, where that is good */
	char *problem;                 /* what is wrong with it, or "" */
} VarveEfiSignature;

void varve_efi_signature_clear(VarveEfiSignature *signature);
/** varve_efi_signature_read: of the image @bytes. Errors: CORRUPT, UNSUPPORTED (no PE image). */
gboolean varve_efi_signature_read(GBytes *bytes, const char *name, VarveEfiSignature *ret,
				  GError **error);

typedef struct {
	char *name; /* for messages: the file's */
	guint64 size;
	VarveDigest digest; /* of the whole file */
	VarveEfiSignature signature;
	GPtrArray *sections; /* VarveUkiSection *, in the image's order */
	GHashTable *files;   /* path → VarveUkiFile *: the initrd's, without directories */
	VarveBootManifest *manifest; /* (nullable) made by a Varve that wrote none yet */
	char *manifest_text;         /* its bytes, or NULL */
	GPtrArray *certificates;     /* VarveCertificate *: whom the initrd trusts */
	GPtrArray *problems;         /* char *: where image and manifest contradict each other */
} VarveTraceUki;

/**
 * varve_trace_uki_open:
 * Reads the whole image, unpacks its initrd, hashes every part and every file and compares them
 * with the manifest. Input is hostile.
 *
 * Errors: CORRUPT, UNSUPPORTED: it is no unified kernel image that can be read.
 */
VarveTraceUki *varve_trace_uki_open(GBytes *bytes, const char *name, GError **error);
void varve_trace_uki_free(VarveTraceUki *uki);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveTraceUki, varve_trace_uki_free)

/** (borrowed, nullable) */
const VarveUkiSection *varve_trace_uki_section(const VarveTraceUki *uki, const char *name);
