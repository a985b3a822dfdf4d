/* Where the number and the digest of the record of floors are kept, out of reach of who can write
 * the disk (docs/formats.md, the anchor): a TPM's NV index. */
#pragma once

#include "base/digest.h"
#include "device/tpm.h"

#define VARVE_ANCHOR_INDEX 0x01805661u /* of the owner's range; its last bytes are "Va" */
#define VARVE_ANCHOR_SIZE 48

/** Which record belongs to the anchor. */
typedef struct {
	gint64 number;
	VarveDigest digest; /* of the record's file */
} VarveAnchored;

typedef enum {
	VARVE_ANCHOR_NONE,   /* there is no place for one: no TPM */
	VARVE_ANCHOR_EMPTY,  /* nothing was ever anchored in it */
	VARVE_ANCHOR_SET,    /* there is one */
	VARVE_ANCHOR_SILENT, /* the place is there and does not answer; or it is not ours */
} VarveAnchorState;

/** A place for an anchor. */
typedef struct VarveAnchor VarveAnchor;
struct VarveAnchor {
	/** @ret: filled where SET. @error: set where NONE and SILENT. */
	VarveAnchorState (*read)(VarveAnchor *anchor, VarveAnchored *ret, GError **error);
	/** All of it or nothing, as far as the place can promise. After an error it may be either.
	 */
	gboolean (*write)(VarveAnchor *anchor, const VarveAnchored *anchored, GError **error);
};

/** VarveTpmAnchor: VARVE_ANCHOR_INDEX of a TPM that @open opens anew for every question. */
typedef struct {
	VarveAnchor anchor;
	VarveTpm *(*open)(GError **error); /* as varve_tpm_open() */
} VarveTpmAnchor;
VarveTpmAnchor varve_tpm_anchor(VarveTpm *(*open)(GError **error));

/** varve_anchor_tpm: (static) this machine's TPM. */
VarveAnchor *varve_anchor_tpm(void);

/** The bytes of the NV index. Decoding fails for what no varve_anchor_encode() made. */
void varve_anchor_encode(const VarveAnchored *anchored, guint8 bytes[VARVE_ANCHOR_SIZE]);
gboolean varve_anchor_decode(const guint8 bytes[VARVE_ANCHOR_SIZE], VarveAnchored *ret);
