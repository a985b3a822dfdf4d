/* The document: its memory, its tables' indexes, and messages that show the line. */
#include "toml/document.h"

#include <string.h>

struct VarveTomlBlock {
	VarveTomlBlock *next;
	guint64 data[];
};

#define BLOCK_SIZE ((gsize)64 << 10)

void *varve_toml_alloc(VarveToml *toml, gsize size)
{
	void *memory;

	size = (size + 7) & ~(gsize)7;
	if (size > toml->room) {
		gsize space = MAX(size, BLOCK_SIZE);
		VarveTomlBlock *block = g_malloc(sizeof(*block) + space);

		block->next = toml->blocks;
		toml->blocks = block;
		/* A big piece gets a block of its own: what is left of the current one stays. */
		if (size > BLOCK_SIZE / 4 && toml->room > 0)
			return block->data;
		toml->free = (char *)block->data;
		toml->room = space;
	}
	memory = toml->free;
	toml->free += size;
	toml->room -= size;
	return memory;
}

char *varve_toml_copy(VarveToml *toml, const char *text, gsize size)
{
	char *copy = varve_toml_alloc(toml, size + 1);

	if (size > 0)
		memcpy(copy, text, size);
	copy[size] = '\0';
	return copy;
}

void varve_toml_free(VarveToml *toml)
{
	if (!toml)
		return;
	while (toml->blocks) {
		VarveTomlBlock *next = toml->blocks->next;

		g_free(toml->blocks);
		toml->blocks = next;
	}
	g_free(toml->lines);
	g_free(toml->text);
	g_free(toml->name);
	g_free(toml);
}

const VarveTomlValue *varve_toml_root(const VarveToml *toml)
{
	return toml->root;
}

const char *varve_toml_name(const VarveToml *toml)
{
	return toml->name;
}

const char *varve_toml_text(const VarveToml *toml, gsize *ret_size)
{
	if (ret_size)
		*ret_size = toml->size;
	return toml->text;
}

/* Tables: entries in order; an open-addressing index of positions + 1 once there are many. */

#define INDEX_FROM 12

guint32 varve_toml_hash(const VarveToml *toml, const char *key, gsize size)
{
	guint64 hash = toml->seed ^ 0x9e3779b97f4a7c15ull;

	while (size >= 8) {
		guint64 word;

		memcpy(&word, key, 8);
		hash = (hash ^ word) * 0xff51afd7ed558ccdull;
		hash ^= hash >> 32;
		key += 8;
		size -= 8;
	}
	for (; size > 0; size--, key++)
		hash = (hash ^ (guint8)*key) * 0x100000001b3ull;
	hash = (hash ^ (hash >> 29)) * 0xc4ceb9fe1a85ec53ull;
	return (guint32)(hash >> 32);
}

static gboolean entry_is(const VarveTomlEntry *entry, const char *key, gsize size)
{
	return entry->key_size == size && memcmp(entry->key, key, size) == 0;
}

VarveTomlEntry *varve_toml_find(const VarveTomlValue *table, const char *key, gsize size,
				guint32 hash)
{
	guint32 mask = table->table.index_size - 1;

	if (!table->table.index) {
		for (guint32 i = 0; i < table->table.n; i++) {
			VarveTomlEntry *entry = &table->table.entries[i];

			if (entry->hash == hash && entry_is(entry, key, size))
				return entry;
		}
		return NULL;
	}
	for (guint32 slot = hash & mask; table->table.index[slot]; slot = (slot + 1) & mask) {
		VarveTomlEntry *entry = &table->table.entries[table->table.index[slot] - 1];

		if (entry->hash == hash && entry_is(entry, key, size))
			return entry;
	}
	return NULL;
}

static void index_put(VarveTomlValue *table, guint32 position)
{
	guint32 mask = table->table.index_size - 1;
	guint32 slot = table->table.entries[position].hash & mask;

	while (table->table.index[slot])
		slot = (slot + 1) & mask;
	table->table.index[slot] = position + 1;
}

static void index_grow(VarveToml *toml, VarveTomlValue *table)
{
	guint32 size = table->table.index_size ? table->table.index_size * 4 : INDEX_FROM * 4;

	/* A power of two, at most half full. */
	while (size & (size - 1))
		size += size & -size;
	table->table.index = varve_toml_alloc(toml, size * sizeof(guint32));
	memset(table->table.index, 0, size * sizeof(guint32));
	table->table.index_size = size;
	for (guint32 i = 0; i < table->table.n; i++)
		index_put(table, i);
}

void varve_toml_insert(VarveToml *toml, VarveTomlValue *table, const VarveTomlEntry *entry)
{
	if (table->table.n == table->table.space) {
		guint32 space = table->table.space ? table->table.space * 2 : 4;
		VarveTomlEntry *entries = varve_toml_alloc(toml, space * sizeof(*entries));

		if (table->table.n)
			memcpy(entries, table->table.entries, table->table.n * sizeof(*entries));
		table->table.entries = entries;
		table->table.space = space;
	}
	table->table.entries[table->table.n++] = *entry;
	if (table->table.n < INDEX_FROM)
		return;
	if (table->table.n * 2 > table->table.index_size)
		index_grow(toml, table);
	else
		index_put(table, table->table.n - 1);
}

void varve_toml_append(VarveToml *toml, VarveTomlValue *array, VarveTomlValue *item)
{
	if (array->array.n == array->array.space) {
		guint32 space = array->array.space ? array->array.space * 2 : 4;
		VarveTomlValue **items = varve_toml_alloc(toml, space * sizeof(*items));

		if (array->array.n)
			memcpy(items, array->array.items, array->array.n * sizeof(*items));
		array->array.items = items;
		array->array.space = space;
	}
	array->array.items[array->array.n++] = item;
}

/* Places */

void varve_toml_index_lines(VarveToml *toml)
{
	g_autoptr(GArray) lines =
		g_array_sized_new(FALSE, FALSE, sizeof(guint32), (guint)(toml->size / 32 + 16));
	const char *at = toml->text, *end = toml->text + toml->size;
	guint32 start = 0;

	g_array_append_val(lines, start);
	while ((at = memchr(at, '\n', (gsize)(end - at)))) {
		start = (guint32)(++at - toml->text);
		g_array_append_val(lines, start);
	}
	toml->n_lines = lines->len;
	toml->lines = (guint32 *)(void *)g_array_free(g_steal_pointer(&lines), FALSE);
}

/* The index of the line that holds @offset. */
static guint32 line_of(const VarveToml *toml, guint32 offset)
{
	guint32 low = 0, high = toml->n_lines;

	while (high - low > 1) {
		guint32 middle = low + (high - low) / 2;

		if (toml->lines[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Counts what is not a continuation byte, so that text which is not UTF-8 can be shown too. */
static guint count_characters(const char *from, const char *to)
{
	guint n = 0;

	for (; from < to; from++)
		n += ((guint8)*from & 0xc0) != 0x80;
	return n;
}

void varve_toml_locate(const VarveToml *toml, guint32 offset, guint *ret_line, guint *ret_column)
{
	guint32 line, start;

	offset = MIN(offset, (guint32)toml->size);
	line = line_of(toml, offset);
	start = toml->lines[line];
	if (line == 0)
		start = MIN((guint32)toml->begin, offset);
	*ret_line = line + 1;
	*ret_column = count_characters(toml->text + start, toml->text + offset) + 1;
}

#define SHOWN_BEFORE 60
#define SHOWN_AFTER 40

static const char *back(const char *at, const char *limit, guint characters)
{
	while (at > limit && characters > 0) {
		at--;
		if (((guint8)*at & 0xc0) != 0x80)
			characters--;
	}
	return at;
}

static const char *forward(const char *at, const char *limit, guint characters)
{
	while (at < limit && characters > 0) {
		at++;
		while (at < limit && ((guint8)*at & 0xc0) == 0x80)
			at++;
		characters--;
	}
	return at;
}

char *varve_toml_message(const VarveToml *toml, VarveTomlSpan span, const char *message)
{
	const char *at = toml->text + MIN(span.start, toml->size);
	const char *end = toml->text + MIN(span.end, toml->size);
	const char *from, *to, *line_end;
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *number = NULL;
	guint line, column;

	varve_toml_locate(toml, span.start, &line, &column);
	from = toml->text + toml->lines[line - 1];
	if (line == 1)
		from = MIN(toml->text + toml->begin, at);
	line_end = memchr(at, '\n', (gsize)(toml->text + toml->size - at));
	if (!line_end)
		line_end = toml->text + toml->size;
	if (line_end > at && line_end[-1] == '\r')
		line_end--;
	end = CLAMP(end, at, line_end);
	from = back(at, from, SHOWN_BEFORE);
	to = forward(end, line_end, SHOWN_AFTER);

	g_string_append_printf(out, "%s:%u:%u: %s\n", toml->name, line, column, message);
	number = g_strdup_printf("%5u | ", line);
	g_string_append(out, number);
	for (const char *c = from; c < to; c++)
		g_string_append_c(out, (guint8)*c < 0x20 && *c != '\t' ? '?' : *c);
	g_string_append_printf(out, "\n%*s| ", (int)strlen(number) - 2, "");
	for (const char *c = from; c < at; c++) {
		/* The same tabs, so that the caret stands where the place is shown. */
		if (((guint8)*c & 0xc0) != 0x80)
			g_string_append_c(out, *c == '\t' ? '\t' : ' ');
	}
	for (guint n = MAX(count_characters(at, end), 1u); n > 0; n--)
		g_string_append_c(out, '^');
	return g_string_free(g_steal_pointer(&out), FALSE);
}

gboolean varve_toml_fail(const VarveToml *toml, VarveTomlSpan span, GError **error,
			 const char *format, ...)
{
	g_autofree char *message = NULL, *whole = NULL;
	va_list args;

	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	whole = varve_toml_message(toml, span, message);
	return varve_fail(error, VARVE_ERROR_DEFINITION, "%s", whole);
}

void varve_toml_problem_free(VarveTomlProblem *problem)
{
	if (!problem)
		return;
	g_free(problem->message);
	g_free(problem);
}
