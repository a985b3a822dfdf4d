/* Where the keys are, for every verb alike, and what more than one verb loads from there. */
#pragma once

#include "crypt/signature.h"
#include "image/enrolment.h"

#include <glib.h>

/** What --keys says of itself in --help. */
#define VARVE_KEYS_HELP \
	"Keys, as 'varve keys init' makes them (default: $VARVE_KEYS, else WORK/keys)"

/**
 * varve_keys_directory: @given (nullable), else $VARVE_KEYS, else @work/keys.
 * Returns: (caller frees) absolute, or NULL: NOT_FOUND, with how to make it.
 */
char *varve_keys_directory(const char *given, const char *work, GError **error);

/** varve_keys_find: the same, where WORK is that of the definition in @directory (nullable: here),
 *  which is read only where it is asked for. */
char *varve_keys_find(const char *given, const char *directory, GError **error);

/** varve_keys_platform: what signs UKI and boot loader, and its certificate. */
gboolean varve_keys_platform(const char *keys, VarvePrivateKey **ret_key,
			     VarveCertificate **ret_certificate, GError **error);

/**
 * varve_keys_enrolment:
 * The .auth files of an image (varve_enrolment_sign()). A directory that lacks a half of PK or KEK,
 * as production's do, gives none: @ret is left alone then.
 */
gboolean varve_keys_enrolment(const char *keys, GBytes *ret[VARVE_ENROLMENT_N], GError **error);
