/* What a unified kernel image is made of, gathered while it is made: where each part came from and,
 * where the base's own path table or the tools tree knows, which package brought it. */
#pragma once

#include "compose/tools.h"
#include "crypt/signature.h"
#include "format/boot-manifest.h"
#include "layer/layer.h"

typedef struct VarveBootRecord VarveBootRecord;

/**
 * varve_boot_record_new:
 * @base: the sealed base that the image starts; its manifest and path table are read. A compressed
 * one cannot be read here: then no package of it is named.
 * @tools: (borrowed) where stub and boot loader may come from.
 *
 * Errors: CORRUPT, SYSTEM.
 */
VarveBootRecord *varve_boot_record_new(const VarveLayer *base, const VarveTools *tools,
				       GError **error);
void varve_boot_record_free(VarveBootRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveBootRecord, varve_boot_record_free)

/** (borrowed) what was gathered: the caller fills in what is no part. */
VarveBootManifest *varve_boot_record_manifest(VarveBootRecord *record);

/**
 * varve_boot_record_part:
 * Describes @bytes, which came from @from of @origin, in @ret (overwritten). Of VARVE_BOOT_TREE,
 * bytes that the base has at that path too become VARVE_BOOT_BASE.
 */
void varve_boot_record_part(VarveBootRecord *record, VarveBootOrigin origin, const char *from,
			    GBytes *bytes, VarveBootPart *ret);

/** varve_boot_record_stub: the stub with the digests of its sections. Errors: CORRUPT. */
gboolean varve_boot_record_stub(VarveBootRecord *record, VarveBootOrigin origin, const char *from,
				GBytes *bytes, GError **error);

/** varve_boot_record_signer: who signs image and boot loader; NULL: nobody. */
void varve_boot_record_signer(VarveBootRecord *record, const VarveCertificate *certificate);
