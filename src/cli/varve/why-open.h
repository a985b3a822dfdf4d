/* What `varve why` is asked of: a sealed layer, a disk image, a unified kernel image, or the
 * directory that a build wrote to. */
#pragma once

#include "compose/tools.h"
#include "trace/boot.h"
#include "trace/image.h"

typedef struct VarveWhySource VarveWhySource;

/**
 * varve_why_source_open:
 * @certificates: (nullable) host directory of *.crt: whom the base, or a single layer, is checked
 * against; else the initrd's where there is one, else the base's own.
 * @slot: 'A', 'B' or 0: of a disk; 0 is the one that its newest image starts.
 *
 * Errors: NOT_FOUND, USAGE (a slot of what is no disk).
 */
VarveWhySource *varve_why_source_open(const char *path, const char *certificates, char slot,
				      const VarveTools *tools, GError **error);
void varve_why_source_free(VarveWhySource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveWhySource, varve_why_source_free)

/** varve_why_source_image: (borrowed) its layers, verified and put together, once. Errors: as
 *  varve_trace_image_add() and varve_trace_image_compose(); UNSUPPORTED (it has none). */
const VarveTraceImage *varve_why_source_image(VarveWhySource *source, GError **error);

/** varve_why_source_boot: (borrowed) what starts it, once. Errors: as varve_trace_boot_of();
 *  UNSUPPORTED (nothing starts it). */
const VarveTraceBoot *varve_why_source_boot(VarveWhySource *source, GError **error);
