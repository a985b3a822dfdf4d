/* TOML 1.0.0: text -> a document of values that know where they were written, so that every
 * message can show the line. https://toml.io/en/v1.0.0 */
#pragma once

#include "base/error.h"

#include <glib.h>

/* Limits: beyond them a document is an error, never a crash or a long wait. */
#define VARVE_TOML_MAX_SIZE ((gsize)64 << 20)
#define VARVE_TOML_MAX_DEPTH 128 /* tables and arrays within one another, dotted parts included */
#define VARVE_TOML_MAX_PROBLEMS 100 /* the reader gives up on a document with more */

typedef struct VarveToml VarveToml;
typedef struct VarveTomlValue VarveTomlValue;
typedef struct VarveTomlEntry VarveTomlEntry;

typedef enum {
	VARVE_TOML_STRING,
	VARVE_TOML_INTEGER,
	VARVE_TOML_FLOAT,
	VARVE_TOML_BOOLEAN,
	VARVE_TOML_OFFSET_DATETIME,
	VARVE_TOML_LOCAL_DATETIME,
	VARVE_TOML_LOCAL_DATE,
	VARVE_TOML_LOCAL_TIME,
	VARVE_TOML_ARRAY,
	VARVE_TOML_TABLE,
} VarveTomlType;

/** How a table or array came to be. */
typedef enum {
	VARVE_TOML_INLINE,  /* { … }, [ … ]: complete where it stands */
	VARVE_TOML_HEADER,  /* [a.b]; for an array: [[a.b]]; the root table */
	VARVE_TOML_DOTTED,  /* the a of `a.b = 1` */
	VARVE_TOML_IMPLIED, /* the a of [a.b] where no [a] was seen */
} VarveTomlMade;

/** Bytes of the document, @start inclusive, @end exclusive. */
typedef struct {
	guint32 start, end;
} VarveTomlSpan;

/** Parts that a type does not have are 0; nanoseconds are truncated, not rounded. */
typedef struct {
	guint16 year;
	guint8 month, day, hour, minute, second;
	gint16 offset; /* minutes east of UTC; OFFSET_DATETIME only */
	guint32 nanosecond;
} VarveTomlDatetime;

struct VarveTomlValue {
	VarveTomlType type;
	VarveTomlMade made; /* tables and arrays */
	VarveTomlSpan span; /* the value; for tables with a header or dotted key: that key */
	union {
		struct {
			const char *text; /* valid UTF-8, NUL-terminated */
			gsize size;       /* a string may hold U+0000 */
		} string;
		gint64 integer;
		double real;
		gboolean boolean;
		VarveTomlDatetime datetime;
		struct {
			VarveTomlValue **items;
			guint32 n, space;
		} array;
		struct {
			VarveTomlEntry *entries; /* in order of appearance */
			guint32 n, space;
			guint32 *index; /* of the reader: NULL for small tables */
			guint32 index_size;
			guint32 seed;
		} table;
	};
};

struct VarveTomlEntry {
	const char *key; /* as VarveTomlValue.string: usually without U+0000 */
	guint32 key_size;
	guint32 hash;
	VarveTomlSpan key_span; /* the part of a dotted key that is this key, quotes included */
	VarveTomlValue *value;
};

/** for each `const VarveTomlEntry *entry` of a table, in order of appearance. */
#define TOML_FOREACH(entry, of) \
	for (const VarveTomlEntry *entry = (of)->table.entries, \
				  *entry##_end = entry ? entry + (of)->table.n : NULL; \
	     entry != entry##_end; entry++)

/** Something wrong with a document. */
typedef struct {
	VarveTomlSpan span;
	char *message;
	guint32 section;     /* where the table starts (its span) that the line belongs to */
	gboolean lost_key;   /* the line could not be read: what it set is not in the document */
	gboolean lost_table; /* the same of a header: what follows is not there either */
} VarveTomlProblem;

void varve_toml_problem_free(VarveTomlProblem *problem);

/**
 * varve_toml_parse:
 * Reads a whole document. A byte-order mark at the start is skipped.
 *
 * @name: the file's name for messages; copied.
 * @text: need not end with NUL; copied.
 *
 * Errors: DEFINITION with every problem found (varve_toml_message() each, separated by newlines).
 */
VarveToml *varve_toml_parse(const char *name, const char *text, gsize size, GError **error);

/**
 * varve_toml_parse_tolerant:
 * The same, but never without a document: what could be read, and a list of what could not. After a
 * mistake reading goes on with the next line that looks like a key or a header.
 *
 * @problems: (element-type VarveTomlProblem) appended to, in order of appearance.
 */
VarveToml *varve_toml_parse_tolerant(const char *name, const char *text, gsize size,
				     GPtrArray *problems);

void varve_toml_free(VarveToml *toml);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveToml, varve_toml_free)

/* (borrowed; all of a document lives as long as it) */
const VarveTomlValue *varve_toml_root(const VarveToml *toml);
const char *varve_toml_name(const VarveToml *toml);
const char *varve_toml_text(const VarveToml *toml, gsize *ret_size);

/** varve_toml_locate: line and column, from 1, of byte @offset; columns count code points. */
void varve_toml_locate(const VarveToml *toml, guint32 offset, guint *ret_line, guint *ret_column);

/**
 * varve_toml_message:
 * Returns: (caller frees) "name:line:column: message", then the source line and a caret below,
 * three lines without a final newline. Long lines are cut around the place.
 */
char *varve_toml_message(const VarveToml *toml, VarveTomlSpan span, const char *message);

/** varve_toml_fail: sets a DEFINITION error made by varve_toml_message(). Returns: FALSE. */
gboolean varve_toml_fail(const VarveToml *toml, VarveTomlSpan span, GError **error,
			 const char *format, ...) G_GNUC_PRINTF(4, 5);

/** (static) "string", "integer", … with its article: "a string", "an integer". */
const char *varve_toml_type_name(VarveTomlType type);

/** (borrowed, nullable) the entry or value called @key; constant time in big tables. */
const VarveTomlEntry *varve_toml_entry(const VarveTomlValue *table, const char *key);
const VarveTomlEntry *varve_toml_entry_sized(const VarveTomlValue *table, const char *key,
					     gsize size);
const VarveTomlValue *varve_toml_get(const VarveTomlValue *table, const char *key);

/* Typed access, for readers of small files that stop at the first mistake. Each sets *ret and
 * returns TRUE; a key that is not there leaves *ret as it is, or is an error where @required.
 * Errors: DEFINITION, with the place. Strings with U+0000 in them are refused. */
gboolean varve_toml_read_string(const VarveToml *toml, const VarveTomlValue *table, const char *key,
				gboolean required, const char **ret, GError **error);
gboolean varve_toml_read_integer(const VarveToml *toml, const VarveTomlValue *table,
				 const char *key, gboolean required, gint64 min, gint64 max,
				 gint64 *ret, GError **error);
gboolean varve_toml_read_boolean(const VarveToml *toml, const VarveTomlValue *table,
				 const char *key, gboolean required, gboolean *ret, GError **error);
/** @ret: (caller frees with g_strfreev) */
gboolean varve_toml_read_strings(const VarveToml *toml, const VarveTomlValue *table,
				 const char *key, gboolean required, char ***ret, GError **error);
/** @ret: (borrowed) a table */
gboolean varve_toml_read_table(const VarveToml *toml, const VarveTomlValue *table, const char *key,
			       gboolean required, const VarveTomlValue **ret, GError **error);
/** @ret: (borrowed) an array whose items are all tables */
gboolean varve_toml_read_tables(const VarveToml *toml, const VarveTomlValue *table, const char *key,
				gboolean required, const VarveTomlValue **ret, GError **error);
/** varve_toml_check_keys: an error for the first key that is not among @known (ended by NULL), with
 *  the nearest known one. */
gboolean varve_toml_check_keys(const VarveToml *toml, const VarveTomlValue *table,
			       const char *const *known, GError **error);
