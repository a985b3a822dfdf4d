/* What the files of toml/ share: the document, its memory, the parser's state. */
#pragma once

#include "toml/toml.h"

typedef struct VarveTomlBlock VarveTomlBlock;

struct VarveToml {
	char *name;
	char *text; /* NUL-terminated */
	gsize size;
	gsize begin; /* after a byte-order mark */
	VarveTomlValue *root;
	guint32 seed; /* of the key hashes: a document cannot choose its collisions */
	VarveTomlBlock *blocks;
	char *free; /* the rest of the newest block */
	gsize room;
	guint32 *lines; /* where each line starts */
	guint32 n_lines;
};

typedef struct {
	VarveToml *toml;
	const char *at;  /* the next byte */
	const char *end; /* the NUL behind the last */
	GPtrArray *problems;
	char *scratch; /* for text that differs from its source; grows */
	gsize scratch_size, scratch_space;
	guint32 section;  /* where the current table starts */
	gboolean stopped; /* too many problems, or nothing left to go on with */
} VarveTomlParser;

/** Memory that lives as long as the document; 8-byte aligned, not zeroed. */
void *varve_toml_alloc(VarveToml *toml, gsize size);
char *varve_toml_copy(VarveToml *toml, const char *text, gsize size);
void varve_toml_index_lines(VarveToml *toml);

/** Returns: FALSE. Records a problem at @start … @end. */
gboolean varve_toml_problem(VarveTomlParser *parser, const char *start, const char *end,
			    const char *format, ...) G_GNUC_PRINTF(4, 5);

VarveTomlValue *varve_toml_new_value(VarveTomlParser *parser, VarveTomlType type,
				     const char *start);
guint32 varve_toml_hash(const VarveToml *toml, const char *key, gsize size);
VarveTomlEntry *varve_toml_find(const VarveTomlValue *table, const char *key, gsize size,
				guint32 hash);
void varve_toml_insert(VarveToml *toml, VarveTomlValue *table, const VarveTomlEntry *entry);
void varve_toml_append(VarveToml *toml, VarveTomlValue *array, VarveTomlValue *item);

/** The first byte that is not UTF-8, or @end. */
const char *varve_toml_utf8_end(const char *text, const char *end);

/* scalar.c: the parser stands on the first byte. */
gboolean varve_toml_scan_string(VarveTomlParser *parser, gboolean may_be_multiline,
				const char **ret_text, gsize *ret_size);
gboolean varve_toml_scan_scalar(VarveTomlParser *parser, VarveTomlValue **ret);
