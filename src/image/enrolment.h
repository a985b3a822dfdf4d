/* Secure Boot with keys of our own: what goes into the firmware's PK, KEK and db out of a keys
 * directory (UEFI 2.10, 32.3). db gets the platform certificate alone: a layer key must never be
 * able to sign what the firmware starts. */
#pragma once

#include "crypt/signature.h"

#include <glib.h>

typedef enum {
	VARVE_ENROLMENT_PK,
	VARVE_ENROLMENT_KEK,
	VARVE_ENROLMENT_DB,
	VARVE_ENROLMENT_N,
} VarveEnrolmentVariable;

typedef struct VarveEnrolment VarveEnrolment;

/** varve_enrolment_variable_name: (static) "PK", "KEK", "db". */
const char *varve_enrolment_variable_name(VarveEnrolmentVariable variable);

/**
 * varve_enrolment_open:
 * Reads PK.crt, KEK.crt and platform.crt of the directory @keys.
 *
 * Errors: NOT_FOUND (names what is missing, and how to make it), CORRUPT.
 */
VarveEnrolment *varve_enrolment_open(const char *keys, GError **error);
void varve_enrolment_free(VarveEnrolment *enrolment);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveEnrolment, varve_enrolment_free)

/** varve_enrolment_certificate: (borrowed) whose key @variable names. */
const VarveCertificate *varve_enrolment_certificate(const VarveEnrolment *enrolment,
						    VarveEnrolmentVariable variable);

/** varve_enrolment_list: (caller unrefs) the content of @variable, an .esl file. */
GBytes *varve_enrolment_list(const VarveEnrolment *enrolment, VarveEnrolmentVariable variable);

/**
 * varve_enrolment_sign:
 * The three updates with which a machine in setup mode, or one that has these PK and KEK, takes
 * the keys: .auth files. PK signs PK and KEK, KEK signs db. The time in each is that from which
 * its certificate is valid, so that a later certificate can follow.
 *
 * @pk, @kek: (nullable) private keys, files or pkcs11: URIs; NULL: PK.key, KEK.key of the
 * directory.
 * @ret: (caller unrefs each) by VarveEnrolmentVariable.
 *
 * Errors: as varve_private_key_load() and varve_efi_variable_sign().
 */
gboolean varve_enrolment_sign(const VarveEnrolment *enrolment, const char *pk, const char *kek,
			      GBytes *ret[VARVE_ENROLMENT_N], GError **error);

/**
 * varve_enrolment_variables:
 * @store (a template of QEMU's firmware, or the variables of an earlier run) with these keys in the
 * place of any others and Secure Boot on.
 *
 * @name: of @store, for messages.
 * Returns: (caller unrefs). Errors: as varve_variable_store_set().
 */
GBytes *varve_enrolment_variables(const VarveEnrolment *enrolment, GBytes *store, const char *name,
				  GError **error);
