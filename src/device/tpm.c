/* NV indices through ESYS. The transport to the kernel's device is linked and not looked for by
 * tpm2-tss's loader: an initrd holds what is linked. */
#include "device/tpm.h"

#include "device/tpm-transport.h"

#include <errno.h>
#include <string.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tcti_device.h>
#include <unistd.h>

#define ANNOUNCED_WAIT_MS 2000
#define WAIT_STEP_MS 20
/* Readable and writable without a password, and no guess at one locks the TPM. With the owner's
 * password, where one is set later, it can still be read, written and removed. */
#define ATTRIBUTES \
	(TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_OWNERREAD | TPMA_NV_OWNERWRITE | \
	 TPMA_NV_NO_DA)

struct VarveTpm {
	TSS2_TCTI_CONTEXT *transport;
	ESYS_CONTEXT *esys;
	char *name;
};

static gboolean fail(const VarveTpm *tpm, TSS2_RC result, VarveError code, const char *what,
		     GError **error)
{
	return varve_fail(error, code, "TPM %s: %s: %s (0x%x)", tpm->name, what,
			  Tss2_RC_Decode(result), result);
}

void varve_tpm_free(VarveTpm *tpm)
{
	if (!tpm)
		return;
	if (tpm->esys)
		Esys_Finalize(&tpm->esys);
	if (tpm->transport)
		Tss2_Tcti_Finalize(tpm->transport);
	g_free(tpm->transport);
	g_free(tpm->name);
	g_free(tpm);
}

VarveTpm *varve_tpm_new(TSS2_TCTI_CONTEXT *transport, const char *name, GError **error)
{
	g_autoptr(VarveTpm) tpm = g_new0(VarveTpm, 1);
	TSS2_RC result;

	/* The library logs every refusal to standard error, also those that are answers here. */
	g_setenv("TSS2_LOG", "all+none", FALSE);
	tpm->transport = transport;
	tpm->name = g_strdup(name);
	result = Esys_Initialize(&tpm->esys, transport, NULL);
	if (result == TSS2_RC_SUCCESS)
		return g_steal_pointer(&tpm);
	fail(tpm, result, VARVE_ERROR_SYSTEM, "it cannot be used", error);
	return NULL;
}

static gboolean is_known(void)
{
	return access("/sys/class/tpm/tpm0", F_OK) == 0;
}

static gboolean is_announced(void)
{
	return is_known() || access("/sys/firmware/acpi/tables/TPM2", F_OK) == 0;
}

VarveTpm *varve_tpm_open(GError **error)
{
	gboolean announced = is_announced();
	TSS2_TCTI_CONTEXT *transport;
	size_t size = 0;
	TSS2_RC result;

	/* A chip that the kernel knows has its device at the same moment. */
	for (guint waited = 0; announced && !is_known() && waited < ANNOUNCED_WAIT_MS;
	     waited += WAIT_STEP_MS)
		g_usleep(WAIT_STEP_MS * 1000);
	if (access(VARVE_TPM_DEVICE, F_OK) < 0) {
		varve_fail(
			error, VARVE_ERROR_NOT_FOUND, "%s",
			is_known() ? "a TPM that is none of version 2.0"
			: announced
				? "a TPM that the firmware announces and the kernel does not find"
				: "no TPM");
		return NULL;
	}
	if (Tss2_Tcti_Device_Init(NULL, &size, VARVE_TPM_DEVICE) != TSS2_RC_SUCCESS) {
		varve_fail(error, VARVE_ERROR_SYSTEM, VARVE_TPM_DEVICE ": cannot be used");
		return NULL;
	}
	g_setenv("TSS2_LOG", "all+none", FALSE);
	transport = g_malloc0(size);
	result = Tss2_Tcti_Device_Init(transport, &size, VARVE_TPM_DEVICE);
	if (result != TSS2_RC_SUCCESS) {
		varve_fail(error, VARVE_ERROR_SYSTEM, VARVE_TPM_DEVICE ": cannot be opened: %s",
			   g_strerror(errno));
		g_free(transport);
		return NULL;
	}
	return varve_tpm_new(transport, VARVE_TPM_DEVICE, error);
}

/* Whether @result is the TPM's (or its resource manager's) answer @code, whatever it is about. */
static gboolean is_answer(TSS2_RC result, TSS2_RC code)
{
	guint32 layer = result & TSS2_RC_LAYER_MASK;
	guint32 answer = result & ~TSS2_RC_LAYER_MASK;

	if (layer != TSS2_TPM_RC_LAYER && layer != TSS2_RESMGR_TPM_RC_LAYER)
		return FALSE;
	/* Format one: bits 8 to 11 count handles, sessions and parameters. */
	if (answer & TPM2_RC_FMT1)
		answer &= ~(TPM2_RC_N_MASK | TPM2_RC_P);
	return answer == code;
}

/* ESYS's own handle of the index. */
static gboolean find_index(VarveTpm *tpm, guint32 index, ESYS_TR *ret, GError **error)
{
	TSS2_RC result = Esys_TR_FromTPMPublic(tpm->esys, index, ESYS_TR_NONE, ESYS_TR_NONE,
					       ESYS_TR_NONE, ret);

	if (result == TSS2_RC_SUCCESS)
		return TRUE;
	if (is_answer(result, TPM2_RC_HANDLE))
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "TPM %s: NV index 0x%08x is not there", tpm->name, index);
	return fail(tpm, result, VARVE_ERROR_SYSTEM, "the NV index cannot be looked up", error);
}

static gboolean check_index(VarveTpm *tpm, guint32 index, ESYS_TR handle, gsize size,
			    gboolean *ret_written, GError **error)
{
	TPM2B_NV_PUBLIC *public = NULL;
	TSS2_RC result = Esys_NV_ReadPublic(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE,
					    ESYS_TR_NONE, &public, NULL);
	gboolean ours;

	if (result != TSS2_RC_SUCCESS)
		return fail(tpm, result, VARVE_ERROR_SYSTEM, "the NV index cannot be described",
			    error);
	ours = public->nvPublic.dataSize == size &&
	       (public->nvPublic.attributes & ~(TPMA_NV)TPMA_NV_WRITTEN) == ATTRIBUTES;
	if (ours)
		*ret_written = (public->nvPublic.attributes & TPMA_NV_WRITTEN) != 0;
	else
		varve_fail(error, VARVE_ERROR_CONFLICT,
			   "TPM %s: NV index 0x%08x is somebody else's: %u bytes with attributes "
			   "0x%08x, expected %zu bytes with 0x%08x; remove it if it is not needed",
			   tpm->name, index, public->nvPublic.dataSize, public->nvPublic.attributes,
			   size, (guint)ATTRIBUTES);
	Esys_Free(public);
	return ours;
}

gboolean varve_tpm_nv_read(VarveTpm *tpm, guint32 index, void *data, gsize size, GError **error)
{
	TPM2B_MAX_NV_BUFFER *read = NULL;
	ESYS_TR handle = ESYS_TR_NONE;
	gboolean written, complete;
	TSS2_RC result;

	if (!find_index(tpm, index, &handle, error) ||
	    !check_index(tpm, index, handle, size, &written, error))
		return FALSE;
	if (!written)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "TPM %s: NV index 0x%08x was never written", tpm->name, index);
	result = Esys_NV_Read(tpm->esys, handle, handle, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			      ESYS_TR_NONE, (UINT16)size, 0, &read);
	if (result != TSS2_RC_SUCCESS)
		return fail(tpm, result, VARVE_ERROR_SYSTEM, "the NV index cannot be read", error);
	complete = read->size == size;
	if (complete)
		memcpy(data, read->buffer, size);
	Esys_Free(read);
	return complete ||
	       varve_fail(error, VARVE_ERROR_SYSTEM,
			  "TPM %s: it gave fewer bytes of the NV index than it has", tpm->name);
}

static gboolean make_index(VarveTpm *tpm, guint32 index, gsize size, ESYS_TR *ret, GError **error)
{
	const TPM2B_AUTH no_password = { .size = 0 };
	const TPM2B_NV_PUBLIC public = {
		.nvPublic = {
			.nvIndex = index,
			.nameAlg = TPM2_ALG_SHA256,
			.attributes = ATTRIBUTES,
			.dataSize = (UINT16)size,
		},
	};
	TSS2_RC result =
		Esys_NV_DefineSpace(tpm->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				    ESYS_TR_NONE, &no_password, &public, ret);

	return result == TSS2_RC_SUCCESS ||
	       fail(tpm, result, VARVE_ERROR_SYSTEM,
		    "the NV index cannot be made (that needs the owner's password to be empty)",
		    error);
}

gboolean varve_tpm_nv_write(VarveTpm *tpm, guint32 index, const void *data, gsize size,
			    GError **error)
{
	TPM2B_MAX_NV_BUFFER buffer = { .size = (UINT16)size };
	ESYS_TR handle = ESYS_TR_NONE;
	g_autoptr(GError) local = NULL;
	gboolean written;
	TSS2_RC result;

	g_return_val_if_fail(size <= 512, FALSE);
	if (find_index(tpm, index, &handle, &local)) {
		if (!check_index(tpm, index, handle, size, &written, error))
			return FALSE;
	} else if (!g_error_matches(local, VARVE_ERROR, VARVE_ERROR_NOT_FOUND)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	} else if (!make_index(tpm, index, size, &handle, error)) {
		return FALSE;
	}
	memcpy(buffer.buffer, data, size);
	result = Esys_NV_Write(tpm->esys, handle, handle, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			       ESYS_TR_NONE, &buffer, 0);
	return result == TSS2_RC_SUCCESS ||
	       fail(tpm, result, VARVE_ERROR_SYSTEM, "the NV index cannot be written", error);
}
