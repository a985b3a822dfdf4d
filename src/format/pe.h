/* PE/COFF images of 64-bit UEFI programs (PE32+; Microsoft's PE format, UEFI 2.10, 32.2): list and
 * extract sections, append sections to a stub (unified kernel images, UAPI.5), the Authenticode
 * digest, Secure Boot signatures. Input is hostile: every offset is checked when it is opened. */
#pragma once

#include "base/digest.h"
#include "crypt/signature.h"

#include <glib.h>

typedef struct VarvePe VarvePe;

#define VARVE_PE_NAME_MAX 8 /* bytes of a section's name */

typedef struct {
	char name[VARVE_PE_NAME_MAX + 1];
	guint32 virtual_size;
	guint32 virtual_address; /* relative to ImageBase */
	guint32 raw_size;        /* in the file, a multiple of FileAlignment */
	guint32 raw_offset;
	guint32 characteristics;
} VarvePeSection;

/**
 * varve_pe_open:
 * @bytes: a whole image; kept alive.
 * @name: for messages.
 *
 * Errors: CORRUPT (names the field), UNSUPPORTED (PE32, not an EFI image).
 */
VarvePe *varve_pe_open(GBytes *bytes, const char *name, GError **error);
void varve_pe_free(VarvePe *pe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarvePe, varve_pe_free)

/** IMAGE_FILE_MACHINE_…; compare with VarveArch.pe_machine. */
guint16 varve_pe_machine(const VarvePe *pe);
gsize varve_pe_n_sections(const VarvePe *pe);
/** (borrowed) section @index. */
const VarvePeSection *varve_pe_section(const VarvePe *pe, gsize index);
/** (borrowed, nullable) the first section called @name, as ".linux". */
const VarvePeSection *varve_pe_find(const VarvePe *pe, const char *name);
/** (caller unrefs) the content: virtual_size bytes, or raw_size where that is less. */
GBytes *varve_pe_content(const VarvePe *pe, const VarvePeSection *section);

typedef struct {
	const char *name; /* ".osrel", ".cmdline", ".uname", ".linux", ".initrd", ".sbat" */
	GBytes *content;  /* (borrowed) not empty */
} VarvePeAddition;

/**
 * varve_pe_append:
 * A copy of @pe with @additions as further sections, in their order: each at the next multiple of
 * SectionAlignment after the end of all sections in memory, read-only data, its file content
 * padded to FileAlignment. Where @pe already has a section of that name (a stub's .sbat) its
 * content is replaced in place, if it fits. A symbol table behind the
 * sections is dropped. SizeOfImage, SizeOfInitializedData, section count and
 * CheckSum follow; an existing signature is an error.
 *
 * Returns: (caller unrefs) the new image; the same input gives the same bytes.
 * Errors: UNSUPPORTED (no room in the headers for one section more: make the stub with more;
 * 2 GiB or more), CONFLICT (signed already; does not fit in place), USAGE (a name or content that
 * a section cannot have).
 */
GBytes *varve_pe_append(const VarvePe *pe, const VarvePeAddition *additions, gsize n_additions,
			GError **error);

/** varve_pe_is_signed: whether there is a certificate table. Says nothing of its worth. */
gboolean varve_pe_is_signed(const VarvePe *pe);

/**
 * varve_pe_signatures:
 * The PKCS#7 structures of the certificate table (WIN_CERTIFICATE of revision 2.0 and type PKCS
 * signed data), in their order; others are left out. Borrowed bytes of the image.
 *
 * @ret: (caller unrefs) GBytes *.
 * Errors: CORRUPT (an entry that does not fit into the table).
 */
gboolean varve_pe_signatures(const VarvePe *pe, GPtrArray **ret, GError **error);

/** varve_pe_digest: Authenticode's SHA-256: all but CheckSum, the certificate table's directory
 *  entry and the table, padded with zeros to 8 bytes. */
void varve_pe_digest(const VarvePe *pe, VarveDigest *ret_digest);

/**
 * varve_pe_sign:
 * A copy of @pe with one signature (WIN_CERTIFICATE, PKCS#7, SPC_INDIRECT_DATA, SHA-256) more, of
 * the kind that UEFI firmware checks against db. Without a time: the same bytes every time.
 *
 * Errors: CONFLICT where @key is not the certificate's, UNSUPPORTED (an image with gaps between its
 * sections, or without an entry for certificates), SYSTEM.
 */
GBytes *varve_pe_sign(const VarvePe *pe, const VarvePrivateKey *key,
		      const VarveCertificate *certificate, GError **error);
