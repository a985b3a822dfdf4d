/* PK, KEK and db: certificates out of a keys directory, as lists, as signed updates, in a store. */
#include "image/enrolment.h"

#include "base/error.h"
#include "format/variable-store.h"

#include <string.h>

#define AUTHENTICATED \
	(VARVE_EFI_NON_VOLATILE | VARVE_EFI_BOOT_SERVICE | VARVE_EFI_RUNTIME | \
	 VARVE_EFI_TIME_AUTHENTICATED)
/* EDK2's own switch (gEfiSecureBootEnableDisableGuid). */
#define SECURE_BOOT_ENABLE_VENDOR "f0a30bc7-af08-4556-99c4-001009c93a44"

static const struct {
	const char *name, *vendor;
	const char *file; /* of the keys directory, without suffix */
} parts[VARVE_ENROLMENT_N] = {
	[VARVE_ENROLMENT_PK] = { "PK", VARVE_EFI_GLOBAL, "PK" },
	[VARVE_ENROLMENT_KEK] = { "KEK", VARVE_EFI_GLOBAL, "KEK" },
	[VARVE_ENROLMENT_DB] = { "db", VARVE_EFI_SECURITY_DATABASE, "platform" },
};

struct VarveEnrolment {
	char *keys;
	VarveCertificate *certificates[VARVE_ENROLMENT_N];
};

const char *varve_enrolment_variable_name(VarveEnrolmentVariable variable)
{
	return parts[variable].name;
}

VarveEnrolment *varve_enrolment_open(const char *keys, GError **error)
{
	g_autoptr(VarveEnrolment) enrolment = g_new0(VarveEnrolment, 1);

	enrolment->keys = g_strdup(keys);
	for (gsize i = 0; i < VARVE_ENROLMENT_N; i++) {
		g_autofree char *path = g_strdup_printf("%s/%s.crt", keys, parts[i].file);

		if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
			varve_fail(
				error, VARVE_ERROR_NOT_FOUND,
				"%s: not there, and enrolling keys for Secure Boot needs PK, KEK "
				"and platform; make a development one with 'varve keys add %s %s', "
				"or put the certificate there",
				path, keys, parts[i].file);
			return NULL;
		}
		enrolment->certificates[i] = varve_certificate_load(path, error);
		if (!enrolment->certificates[i])
			return NULL;
	}
	return g_steal_pointer(&enrolment);
}

void varve_enrolment_free(VarveEnrolment *enrolment)
{
	if (!enrolment)
		return;
	for (gsize i = 0; i < VARVE_ENROLMENT_N; i++)
		varve_certificate_free(enrolment->certificates[i]);
	g_free(enrolment->keys);
	g_free(enrolment);
}

const VarveCertificate *varve_enrolment_certificate(const VarveEnrolment *enrolment,
						    VarveEnrolmentVariable variable)
{
	return enrolment->certificates[variable];
}

GBytes *varve_enrolment_list(const VarveEnrolment *enrolment, VarveEnrolmentVariable variable)
{
	return varve_efi_signature_list(enrolment->certificates[variable]);
}

/* @data belongs to the caller. */
static VarveEfiVariable describe(const VarveEnrolment *enrolment, VarveEnrolmentVariable variable,
				 GBytes *data)
{
	VarveEfiVariable description = { .name = parts[variable].name,
					 .vendor = parts[variable].vendor,
					 .attributes = AUTHENTICATED,
					 .data = data };
	gint64 to;

	varve_certificate_validity(enrolment->certificates[variable], &description.time, &to);
	return description;
}

static VarvePrivateKey *load_key(const VarveEnrolment *enrolment, const char *given,
				 VarveEnrolmentVariable signer, GError **error)
{
	g_autofree char *path = g_strdup_printf("%s/%s.key", enrolment->keys, parts[signer].file);

	return varve_private_key_load(given ? given : path, error);
}

gboolean varve_enrolment_sign(const VarveEnrolment *enrolment, const char *pk, const char *kek,
			      GBytes *ret[VARVE_ENROLMENT_N], GError **error)
{
	static const VarveEnrolmentVariable signers[VARVE_ENROLMENT_N] = {
		[VARVE_ENROLMENT_PK] = VARVE_ENROLMENT_PK,
		[VARVE_ENROLMENT_KEK] = VARVE_ENROLMENT_PK,
		[VARVE_ENROLMENT_DB] = VARVE_ENROLMENT_KEK,
	};
	g_autoptr(VarvePrivateKey) pk_key = load_key(enrolment, pk, VARVE_ENROLMENT_PK, error);
	g_autoptr(VarvePrivateKey) kek_key =
		pk_key ? load_key(enrolment, kek, VARVE_ENROLMENT_KEK, error) : NULL;
	GBytes *updates[VARVE_ENROLMENT_N] = { NULL };

	if (!kek_key)
		return FALSE;
	for (gsize i = 0; i < VARVE_ENROLMENT_N; i++) {
		g_autoptr(GBytes) list = varve_enrolment_list(enrolment, i);
		const VarveEfiVariable variable = describe(enrolment, i, list);

		updates[i] = varve_efi_variable_sign(
			&variable, signers[i] == VARVE_ENROLMENT_PK ? pk_key : kek_key,
			enrolment->certificates[signers[i]], error);
		if (!updates[i]) {
			while (i > 0)
				g_bytes_unref(updates[--i]);
			return FALSE;
		}
	}
	memcpy(ret, updates, sizeof(updates));
	return TRUE;
}

GBytes *varve_enrolment_variables(const VarveEnrolment *enrolment, GBytes *store, const char *name,
				  GError **error)
{
	static const guint8 on[] = { 1 };
	g_autoptr(GBytes) enable = g_bytes_new_static(on, sizeof(on));
	GBytes *lists[VARVE_ENROLMENT_N];
	VarveEfiVariable variables[VARVE_ENROLMENT_N + 1];
	GBytes *result;

	for (gsize i = 0; i < VARVE_ENROLMENT_N; i++) {
		lists[i] = varve_enrolment_list(enrolment, i);
		variables[i] = describe(enrolment, i, lists[i]);
	}
	variables[VARVE_ENROLMENT_N] =
		(VarveEfiVariable){ .name = "SecureBootEnable",
				    .vendor = SECURE_BOOT_ENABLE_VENDOR,
				    .attributes = VARVE_EFI_NON_VOLATILE | VARVE_EFI_BOOT_SERVICE,
				    .data = enable };
	result = varve_variable_store_set(store, name, variables, G_N_ELEMENTS(variables), error);
	for (gsize i = 0; i < VARVE_ENROLMENT_N; i++)
		g_bytes_unref(lists[i]);
	return result;
}
