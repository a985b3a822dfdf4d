/* What reading and writing archives share. */
#pragma once

#include "ground/fd.h"

#include <archive.h>
#include <glib.h>

typedef struct archive VarveArchiveReader;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveArchiveReader, archive_read_free)

struct archive_entry;

/** An archive that is open at its first entry. */
typedef struct {
	int fd;
	VarveArchiveReader *reader;
	struct archive_entry *first; /* (nullable) NULL: it has none */
	int filter;                  /* ARCHIVE_FILTER_… */
	guint mode;                  /* permissions of the file */
} VarveArchiveFile;

gboolean varve_archive_open(int sources, const char *name, VarveArchiveFile *ret, GError **error);
void varve_archive_close(VarveArchiveFile *file);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveArchiveFile, varve_archive_close)

/** varve_archive_damaged: CORRUPT, with what libarchive says; FALSE. */
gboolean varve_archive_damaged(const char *name, VarveArchiveReader *reader, GError **error);
