/* A disk image in the forms that others take: raw, qcow2, VHD; and a base layer's tree as an OCI
 * image archive. All but qcow2 are the same bytes for the same input. */
#pragma once

#include "format/partition-types.h"

#include <glib.h>

typedef enum {
	VARVE_EXPORT_RAW,
	VARVE_EXPORT_QCOW2, /* compressed clusters, by qemu-img */
	VARVE_EXPORT_VHD,   /* fixed, a multiple of 1 MiB: what Azure takes */
	VARVE_EXPORT_OCI,   /* from a layer file, not from a disk */
} VarveExportFormat;

gboolean varve_export_format_from_name(const char *name, VarveExportFormat *ret);
const char *varve_export_format_suffix(VarveExportFormat format); /* ".vhd" */

/**
 * varve_export_disk: @from is a raw disk image; @to appears only when it is whole.
 * Errors: USAGE (@format is OCI), NOT_FOUND, SYSTEM.
 */
gboolean varve_export_disk(const char *from, VarveExportFormat format, const char *to,
			   GError **error);

/** VarveOci: what an OCI archive says of itself. */
typedef struct {
	const VarveArch *arch;
	const char *reference; /* "container:43", org.opencontainers.image.ref.name */
	gint64 epoch;
} VarveOci;

/**
 * varve_export_oci:
 * Writes the tree of the sealed layer @layer as an OCI image layout (image-spec 1.1) in one tar
 * file with one gzip layer. Owners, modes, xattrs and hard links are kept, SELinux labels are not.
 */
gboolean varve_export_oci(const VarveOci *oci, const char *layer, const char *to, GError **error);
