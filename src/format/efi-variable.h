/* What UEFI variables of Secure Boot hold and how a change of one is signed: signature lists (UEFI
 * 2.10, 32.4.1) and time-based authenticated updates (8.2.2). All of it is written, nothing read.
 */
#pragma once

#include "crypt/signature.h"
#include "format/guid.h"

#include <glib.h>

/* EFI_VARIABLE_… (8.2.1). */
#define VARVE_EFI_NON_VOLATILE 0x01u
#define VARVE_EFI_BOOT_SERVICE 0x02u
#define VARVE_EFI_RUNTIME 0x04u
#define VARVE_EFI_TIME_AUTHENTICATED 0x20u

/* Vendors: EFI_GLOBAL_VARIABLE has PK and KEK, EFI_IMAGE_SECURITY_DATABASE has db. */
#define VARVE_EFI_GLOBAL "8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define VARVE_EFI_SECURITY_DATABASE "d719b2cb-3d3a-4596-a3bc-dad00e67656f"

#define VARVE_EFI_TIME_SIZE 16

/** VarveEfiVariable: one that is to be written. Nothing is owned. */
typedef struct {
	const char *name;   /* ASCII */
	const char *vendor; /* a GUID's text */
	guint32 attributes;
	gint64 time; /* of an authenticated one: seconds since 1970, 0 for others */
	GBytes *data;
} VarveEfiVariable;

/** varve_efi_name: (caller frees) @name as it lies in variables: UTF-16, little-endian, with the
 *  final NUL. @ret_size: bytes, the NUL included. */
guint8 *varve_efi_name(const char *name, gsize *ret_size);

/** varve_efi_time: EFI_TIME (8.3.1), UTC, whole seconds; times before 1970 are 1970. */
void varve_efi_time(gint64 seconds, guint8 ret[VARVE_EFI_TIME_SIZE]);

/** varve_efi_signature_list: (caller unrefs) EFI_SIGNATURE_LIST with @certificate alone: the
 *  content of PK, KEK or db, and of an .esl file. */
GBytes *varve_efi_signature_list(const VarveCertificate *certificate);

/**
 * varve_efi_variable_sign:
 * The value with which SetVariable() makes @variable what it says: EFI_VARIABLE_AUTHENTICATION_2
 * signed by @key, then the data; an .auth file. Firmware that has the variable already takes it
 * only where its time is later.
 *
 * Returns: (caller unrefs); with an RSA key the same input is the same bytes.
 * Errors: as varve_signed_data_make().
 */
GBytes *varve_efi_variable_sign(const VarveEfiVariable *variable, const VarvePrivateKey *key,
				const VarveCertificate *certificate, GError **error);
