/* The files of a definition, merged into one tree that still knows where every key was said, and
 * the list of mistakes. What docs/definition.md allows is described by VarveSchema tables. */
#pragma once

#include "definition/definition.h"
#include "toml/toml.h"

/** One file. */
typedef struct VarveSource VarveSource;
struct VarveSource {
	const char *path;      /* absolute: of the host */
	const char *directory; /* of @path: what its relative paths start from */
	const char *name;      /* as in VarveOrigin */
	VarveToml *toml;
	const VarveSource *includer; /* NULL for the root file */
	guint64 device, inode;
	GArray *lost; /* guint32: VarveTomlProblem.section of lines that could not be read */
};

typedef struct VarveTable VarveTable;
typedef struct VarveField VarveField;
typedef struct VarveSchema VarveSchema;

/** One key of a merged table, with what it was set to. */
typedef struct VarveItem VarveItem;
struct VarveItem {
	const char *key;
	VarveTomlSpan key_span;
	const VarveTomlValue *value; /* a leaf; of a table the first that made it */
	const VarveSource *source;
	const VarveField *field;
	VarveTable *table; /* TABLE, MAP */
	GPtrArray *tables; /* TABLES: VarveTable *, in order */
	/* (nullable) STRINGS that add up: what an earlier file says, which comes first. */
	const VarveItem *earlier;
};

struct VarveTable {
	const VarveSchema *schema;
	const char *name; /* its key, or NULL for an element of an array */
	const VarveSource *source;
	VarveTomlSpan span; /* of the header or key that made it first */
	/* Here and below a later file's value replaces an earlier one's if it is not empty, false
	 * or 0; arrays add up. */
	gboolean later_wins;
	GArray *items;     /* VarveItem, in order of appearance */
	GHashTable *index; /* char * → position + 1; NULL while small */
	/* (nullable) keys that are not among the items, but are not missing: known ones that
	 * unknown ones were taken for, entries of the wrong kind. */
	GPtrArray *meant;
};

typedef enum {
	VARVE_FIELD_STRING,
	VARVE_FIELD_STRINGS, /* array of strings */
	VARVE_FIELD_PATH,    /* string: of the host, relative to its file */
	VARVE_FIELD_PATHS,
	VARVE_FIELD_CHOICE,  /* string, one of @choices; the struct gets its position as an int */
	VARVE_FIELD_MODE,    /* string, octal; int */
	VARVE_FIELD_SIZE,    /* string: "512M"; guint64 */
	VARVE_FIELD_DATE,    /* TOML local date; "YYYY-MM-DD" */
	VARVE_FIELD_INTEGER, /* gint64 within @min and @max */
	VARVE_FIELD_BOOLEAN, /* gboolean */
	VARVE_FIELD_SCALAR,  /* string, integer or boolean; as a string, booleans "1" and "0" */
	VARVE_FIELD_TABLE,   /* a table of @schema */
	VARVE_FIELD_TABLES,  /* an array of such tables: [[key]] or inline */
	VARVE_FIELD_MAP,     /* a table whose entries are named tables of @schema */
	VARVE_FIELD_OPAQUE,  /* any table: kept, not looked into */
} VarveFieldKind;

/** What is wrong with @text, or NULL: "must start with '/'". */
typedef const char *(*VarveTextCheck)(const char *text);

/** The same, where the message must be made: (caller frees). */
typedef char *(*VarveTextJudge)(const char *text);

#define VARVE_NOWHERE G_MAXSIZE

enum {
	VARVE_FIELD_REQUIRED = 1 << 0,
	VARVE_FIELD_NOT_EMPTY = 1 << 1, /* strings, arrays and their elements */
	VARVE_FIELD_DISTINCT = 1 << 2,  /* STRINGS: no element twice */
	VARVE_FIELD_REPLACED = 1 << 3,  /* later files win over earlier ones as a whole */
	VARVE_FIELD_BLANK = 1 << 4,     /* "" is as if the key were not there */
	VARVE_FIELD_OR_NONE = 1 << 5,   /* with NOT_EMPTY: an array may be empty */
	VARVE_FIELD_ONCE = 1 << 6,      /* MAP: an entry is said in one file */
};

struct VarveField {
	const char *key;
	VarveFieldKind kind;
	guint flags;
	gsize offset; /* in the struct; VARVE_NOWHERE: only checked */
	gsize count;  /* TABLES, MAP: where the number of structs goes (gsize); INTEGER: bytes */
	const VarveSchema *schema;
	const char *const *choices;
	VarveTextCheck check;
	VarveTextJudge judge;
	gint64 min, max;
};

typedef struct VarveLoader VarveLoader;

struct VarveSchema {
	const char *what;         /* "layer": messages say "layer 'base'"; else "[os]" */
	const VarveField *fields; /* ended by a NULL key */
	const VarveField *any;    /* (nullable) every other key */
	/* Of the struct, which starts with a VarveOrigin and, for entries of a MAP, the name; 0:
	 * fields are of the struct of the table above. */
	gsize size;
	VarveTextCheck check_name; /* MAP entries */
	gboolean later_wins;
	/* (nullable) what no single field can say; also sets defaults in @data. */
	void (*check)(VarveLoader *loader, const VarveTable *table, void *data);
};

typedef struct {
	const VarveSource *source;
	VarveTomlSpan span;
	char *message;
} VarveMistake;

/** The state of one load; becomes VarveDefinition.store. */
struct VarveLoader {
	VarveDefinition *definition;
	char *root;            /* absolute directory of the root file */
	char *prefix;          /* what messages put before a file's name */
	GPtrArray *sources;    /* VarveSource * */
	GPtrArray *mistakes;   /* VarveMistake * */
	GPtrArray *memory;     /* freed with g_free */
	char *room, *room_end; /* what is left of the newest block of varve_loader_alloc() */
	GPtrArray *tables;     /* VarveTable * */
	VarveTable *top;
	/* After resolving: char *name → position + 1 in the model. Keys lie in the documents. */
	GHashTable *components;
	GHashTable *packages; /* of package groups */
	gboolean incomplete;  /* a file could not be read: what is missing may be there */
	gboolean lost_tables; /* a header could not be read: likewise for names */
};

/* What is missing is a mistake only where nothing was lost that may have been it. */
gboolean varve_table_partial(const VarveLoader *loader, const VarveTable *table);
gboolean varve_loader_partial(const VarveLoader *loader);

/** Memory that lives as long as the definition; zeroed. */
void *varve_loader_alloc(VarveLoader *loader, gsize size);
/** Takes @memory over. Returns: @memory. */
void *varve_loader_keep(VarveLoader *loader, void *memory);

void varve_loader_mistake(VarveLoader *loader, const VarveSource *source, VarveTomlSpan span,
			  const char *format, ...) G_GNUC_PRINTF(4, 5);
/** The same at an item's value, at its key, and at a table's header. */
void varve_item_mistake(VarveLoader *loader, const VarveItem *item, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
void varve_key_mistake(VarveLoader *loader, const VarveItem *item, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
void varve_table_mistake(VarveLoader *loader, const VarveTable *table, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/** (caller frees, nullable) all mistakes, sorted, formatted; NULL where there are none. @list:
 *  (nullable) takes a VarveDefinitionMistake each. */
char *varve_loader_report(VarveLoader *loader, GPtrArray *list);

VarveOrigin varve_source_origin(const VarveSource *source, VarveTomlSpan span);
/** (caller frees) "file:line" of where @item was set. */
char *varve_item_place(const VarveItem *item);
/** (caller frees) "layer 'base'", "[os]". */
char *varve_table_text(const VarveTable *table);

/** (caller frees) the same for an origin of the model. */
char *varve_origin_place(const VarveLoader *loader, const VarveOrigin *origin);

/* source.c */

/** (borrowed from @path) as messages name a file: relative to the root where it lies below. */
const char *varve_loader_display(const VarveLoader *loader, const char *path);

/** varve_source_read: reads and parses; mistakes are recorded. @at: where it was asked for, NULL
 * for the root. Returns: (nullable) (borrowed). */
VarveSource *varve_source_read(VarveLoader *loader, const char *path, const VarveSource *includer,
			       VarveTomlSpan at);
/* glob.c */

/** varve_source_glob: the files that @pattern names; relative to @directory. In a directory those
 * beside each other come by their names, what two stars find further below after them. */
GPtrArray *varve_source_glob(const char *directory, const char *pattern);
/** varve_source_match: does the absolute @pattern name @path? */
gboolean varve_source_match(const char *pattern, const char *path);
/** varve_source_is_pattern: may it match nothing? */
gboolean varve_source_is_pattern(const char *text);

/* tree.c */

VarveTable *varve_table_new(VarveLoader *loader, const VarveSchema *schema, const char *name,
			    const VarveSource *source, VarveTomlSpan span);
/** Merges @value, a table of @source, into @table; types and unknown keys are checked. */
void varve_table_merge(VarveLoader *loader, VarveTable *table, const VarveSource *source,
		       const VarveTomlValue *value);
/** (nullable) */
VarveItem *varve_table_item(const VarveTable *table, const char *key);
VarveTable *varve_table_child(const VarveTable *table, const char *key);

/** Is @key set, if only wrongly, or an unknown one that was taken for it? */
gboolean varve_table_mentions(const VarveTable *table, const char *key);
/** Is @key set to one of its choices? */
gboolean varve_table_has_choice(const VarveTable *table, const char *key);

/* read.c */

/** Fills @data (zeroed, of @table's schema) and what hangs below; records mistakes. */
void varve_table_read(VarveLoader *loader, const VarveTable *table, void *data);

/** (borrowed) "" or the string at @item's element @i, which is known to be a string. */
const char *varve_item_string(const VarveItem *item, guint i);
