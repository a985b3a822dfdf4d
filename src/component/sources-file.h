/* The `sources` file of a dist-git repository: which files its lookaside has, by checksum. Both
 * formats are read: "SHA512 (NAME) = HEX", and "HEX  NAME" with MD5 of old. The first is written.
 */
#pragma once

#include <glib.h>

typedef struct {
	char *name; /* a file name, no path */
	GChecksumType type;
	char *checksum; /* lowercase hexadecimal */
} VarveSourceEntry;

/** VarveSourcesFile: entries in order, no name twice. */
typedef struct {
	GPtrArray *entries; /* of VarveSourceEntry * */
} VarveSourcesFile;

VarveSourcesFile *varve_sources_file_new(void);
void varve_sources_file_free(VarveSourcesFile *sources);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveSourcesFile, varve_sources_file_free)

/**
 * varve_sources_file_parse:
 * @name: of the file, for messages.
 *
 * Errors: CORRUPT, with the line; UNSUPPORTED (a kind of checksum that is not known).
 */
VarveSourcesFile *varve_sources_file_parse(const char *text, gsize size, const char *name,
					   GError **error);

/** varve_sources_file_print: (caller frees) as it is written. */
char *varve_sources_file_print(const VarveSourcesFile *sources);

/** varve_sources_file_find: (borrowed, nullable) */
VarveSourceEntry *varve_sources_file_find(const VarveSourcesFile *sources, const char *name);

/** varve_sources_file_set: adds an entry, or gives the one of that name another checksum. */
void varve_sources_file_set(VarveSourcesFile *sources, const char *name, GChecksumType type,
			    const char *checksum);

/** varve_sources_file_remove: a missing entry is fine. */
void varve_sources_file_remove(VarveSourcesFile *sources, const char *name);

/** varve_is_file_name: whether @name is a name of one file: not empty, not longer than 255 bytes,
 * no slash, no control characters, neither "." nor "..", and no dash first. */
gboolean varve_is_file_name(const char *name);
