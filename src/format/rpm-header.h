/* RPM's header structure: a sorted index of typed tags over one block of data. Used twice in a
 * package, for the signature and for the header proper. */
#pragma once

#include <glib.h>

typedef struct VarveRpmHeader VarveRpmHeader;

/** @region: 62 for a signature header, 63 for a package's header. */
VarveRpmHeader *varve_rpm_header_new(guint32 region);
void varve_rpm_header_free(VarveRpmHeader *header);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveRpmHeader, varve_rpm_header_free)

/* Each adds one tag, which must not be there yet. Arrays without elements are left out. */
void varve_rpm_header_string(VarveRpmHeader *header, guint32 tag, const char *value);
void varve_rpm_header_translated(VarveRpmHeader *header, guint32 tag, const char *value);
void varve_rpm_header_strings(VarveRpmHeader *header, guint32 tag, const GPtrArray *values);
void varve_rpm_header_u16(VarveRpmHeader *header, guint32 tag, const GArray *values);
void varve_rpm_header_u32(VarveRpmHeader *header, guint32 tag, const GArray *values);
void varve_rpm_header_one_u32(VarveRpmHeader *header, guint32 tag, guint32 value);
void varve_rpm_header_one_u64(VarveRpmHeader *header, guint32 tag, guint64 value);
void varve_rpm_header_bytes(VarveRpmHeader *header, guint32 tag, gconstpointer data, gsize size);

/** varve_rpm_header_serialise: (caller owns) magic, index and data, not padded at the end. */
GByteArray *varve_rpm_header_serialise(VarveRpmHeader *header);
