/* The anchor in this machine's TPM. */
#include "stack/anchor.h"

#include "base/error.h"
#include "format/bytes.h"
#include "stack/record.h"

#include <string.h>

#define MAGIC "VarveFlr"
#define NUMBER_AT 8
#define DIGEST_AT 16

void varve_anchor_encode(const VarveAnchored *anchored, guint8 bytes[VARVE_ANCHOR_SIZE])
{
	memcpy(bytes, MAGIC, NUMBER_AT);
	varve_put_le64(bytes + NUMBER_AT, (guint64)anchored->number);
	memcpy(bytes + DIGEST_AT, anchored->digest.bytes, VARVE_DIGEST_SIZE);
}

gboolean varve_anchor_decode(const guint8 bytes[VARVE_ANCHOR_SIZE], VarveAnchored *ret)
{
	guint64 number = varve_get_le64(bytes + NUMBER_AT);

	if (memcmp(bytes, MAGIC, NUMBER_AT) != 0 || number == 0 ||
	    number > (guint64)VARVE_RECORD_NUMBER_MAX)
		return FALSE;
	ret->number = (gint64)number;
	memcpy(ret->digest.bytes, bytes + DIGEST_AT, VARVE_DIGEST_SIZE);
	return TRUE;
}

static VarveAnchorState read_tpm(VarveAnchor *anchor, VarveAnchored *ret, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(VarveTpm) tpm = ((VarveTpmAnchor *)anchor)->open(&local);
	guint8 bytes[VARVE_ANCHOR_SIZE];

	if (!tpm) {
		gboolean none = g_error_matches(local, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);

		g_propagate_error(error, g_steal_pointer(&local));
		return none ? VARVE_ANCHOR_NONE : VARVE_ANCHOR_SILENT;
	}
	if (!varve_tpm_nv_read(tpm, VARVE_ANCHOR_INDEX, bytes, sizeof(bytes), &local)) {
		if (g_error_matches(local, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
			return VARVE_ANCHOR_EMPTY;
		g_propagate_error(error, g_steal_pointer(&local));
		return VARVE_ANCHOR_SILENT;
	}
	if (varve_anchor_decode(bytes, ret))
		return VARVE_ANCHOR_SET;
	varve_fail(error, VARVE_ERROR_CONFLICT,
		   "NV index 0x%08x of the TPM holds no anchor of Varve's; remove it if it is not "
		   "needed",
		   VARVE_ANCHOR_INDEX);
	return VARVE_ANCHOR_SILENT;
}

static gboolean write_tpm(VarveAnchor *anchor, const VarveAnchored *anchored, GError **error)
{
	g_autoptr(VarveTpm) tpm = ((VarveTpmAnchor *)anchor)->open(error);
	guint8 bytes[VARVE_ANCHOR_SIZE];

	varve_anchor_encode(anchored, bytes);
	return tpm && varve_tpm_nv_write(tpm, VARVE_ANCHOR_INDEX, bytes, sizeof(bytes), error);
}

VarveTpmAnchor varve_tpm_anchor(VarveTpm *(*open)(GError **error))
{
	return (VarveTpmAnchor){ .anchor = { .read = read_tpm, .write = write_tpm }, .open = open };
}

VarveAnchor *varve_anchor_tpm(void)
{
	static VarveTpmAnchor anchor = { .anchor = { .read = read_tpm, .write = write_tpm },
					 .open = varve_tpm_open };

	return &anchor.anchor;
}
