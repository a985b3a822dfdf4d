/* Source archives that overlays change: unpacked into a directory, changed there, and packed again
 * in the format and compression they came in, the same input to the same bytes. */
#pragma once

#include <glib.h>

/**
 * varve_archive_unpack:
 * Unpacks @name, a file of the directory @sources, into the empty directory @into. Entries that
 * would leave it (absolute, "..", through a link) are an error, and so are devices.
 *
 * Errors: CORRUPT, UNSUPPORTED (format or compression), SYSTEM.
 */
gboolean varve_archive_unpack(int sources, const char *name, int into, GError **error);

/**
 * varve_archive_pack:
 * Replaces @name in @sources by an archive of what is in @from: same format and compression (told
 * from its name and bytes), entries sorted, owners and times fixed as azldev fixes them, so that
 * the same tree is the same file everywhere. The old file is there until the new one is whole.
 */
gboolean varve_archive_pack(int sources, const char *name, int from, GError **error);
