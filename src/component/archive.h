/* Source archives that overlays change: unpacked into a directory, changed there, and packed again
 * in the format and compression they came in, the same input to the same bytes. */
#pragma once

#include <glib.h>

/** What an archive may come to. */
typedef struct {
	guint64 entry, total; /* bytes of one file, and of all */
	guint entries;
} VarveArchiveLimits;

/**
 * varve_archive_unpack:
 * Unpacks the tar archive @name, a file of the directory @sources, into the empty directory @into.
 * Its compression is told from its bytes (upstreams' names can be wrong), but its name must be that
 * of an archive: .tar, .tar.gz, .tgz, .tar.bz2, .tbz2, .tbz, .tar.xz, .txz, .tar.zst, .tzst,
 * .tar.lzma, .tar.lz.
 *
 * Files, directories and symbolic links, with their permissions; nothing else can be packed again,
 * and so devices, fifos and hard links are an error, as are entries that would leave @into
 * (absolute, "..", through a link) and links that lead out of it. Of two files of one name the
 * later wins. Owners, times and extended attributes are not kept.
 *
 * On an error @into holds a part; the caller removes it.
 *
 * Errors: NOT_FOUND; CORRUPT (damaged, or hostile); UNSUPPORTED (not the name of an archive, other
 * kinds of entries, more than 10 GiB in one file, 32 GiB in all or 4 million entries); SYSTEM.
 */
gboolean varve_archive_unpack(int sources, const char *name, int into, GError **error);

/** varve_archive_unpack_within: the same with other limits. */
gboolean varve_archive_unpack_within(int sources, const char *name, int into,
				     const VarveArchiveLimits *limits, GError **error);

/**
 * varve_archive_pack:
 * Replaces @name in @sources by an archive of what is in @from: GNU tar in the compression of the
 * file that is there, entries sorted by bytes, a directory before what is in it; owners 0 and
 * without names, times 0; gzip at level 9 without name, time and system. The same tree is the same
 * file with the same libraries. The new file has the permissions of the old one, which is there
 * until the new one is whole and on the disk.
 *
 * Errors: as varve_archive_unpack(); UNSUPPORTED: @from holds what no archive of sources should.
 */
gboolean varve_archive_pack(int sources, const char *name, int from, GError **error);

/** varve_archive_create: the same to a new file, in the compression that @name asks for; one that
 *  is there gives way. */
gboolean varve_archive_create(int sources, const char *name, int from, GError **error);

/**
 * varve_archive_named:
 * Whether @name is that of an archive that can be written.
 *
 * @ret_filter: (nullable) libarchive's ARCHIVE_FILTER_… of its compression.
 *
 * Errors: UNSUPPORTED.
 */
gboolean varve_archive_named(const char *name, int *ret_filter, GError **error);
