/* deb822(5), read. */
#include "package/deb822.h"

#include "base/error.h"

#include <string.h>

struct VarveParagraph {
	GHashTable *fields; /* lowercase name -> GString */
};

typedef struct {
	const char *name;
	guint line;
	GPtrArray *paragraphs;
	VarveParagraph *current; /* (nullable) owned by @paragraphs */
	GString *value;          /* (nullable) of the field that may be continued */
} Parser;

static void free_value(gpointer value)
{
	g_string_free(value, TRUE);
}

static void free_paragraph(gpointer pointer)
{
	VarveParagraph *paragraph = pointer;

	g_hash_table_unref(paragraph->fields);
	g_free(paragraph);
}

static gboolean continue_field(Parser *parser, const char *text, gsize size, GError **error)
{
	if (!parser->value)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s:%u: a continuation line without a field before it",
				  parser->name, parser->line);
	g_string_append_c(parser->value, '\n');
	g_string_append_len(parser->value, text + 1, (gssize)size - 1);
	return TRUE;
}

static gboolean start_field(Parser *parser, const char *text, gsize size, GError **error)
{
	const char *colon = memchr(text, ':', size);
	const char *end = text + size;
	g_autofree char *field = NULL;

	if (!colon || colon == text)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s:%u: expected 'Field: value', found '%.*s'", parser->name,
				  parser->line, (int)MIN(size, 60), text);
	field = g_ascii_strdown(text, colon - text);
	if (!parser->current) {
		parser->current = g_new0(VarveParagraph, 1);
		parser->current->fields =
			g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_value);
		g_ptr_array_add(parser->paragraphs, parser->current);
	}
	if (g_hash_table_contains(parser->current->fields, field))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s:%u: the field '%s' is in one paragraph twice", parser->name,
				  parser->line, field);
	for (colon++; colon < end && (*colon == ' ' || *colon == '\t'); colon++)
		;
	parser->value = g_string_new_len(colon, end - colon);
	g_hash_table_insert(parser->current->fields, g_steal_pointer(&field), parser->value);
	return TRUE;
}

static gboolean is_blank(const char *text, gsize size)
{
	for (gsize i = 0; i < size; i++)
		if (text[i] != ' ' && text[i] != '\t')
			return FALSE;
	return TRUE;
}

static gboolean parse_line(Parser *parser, const char *text, gsize size, GError **error)
{
	parser->line++;
	while (size && (text[size - 1] == '\r' || text[size - 1] == ' ' || text[size - 1] == '\t'))
		size--;
	if (is_blank(text, size)) {
		parser->current = NULL;
		parser->value = NULL;
		return TRUE;
	}
	if (*text == '#')
		return TRUE;
	if (*text == ' ' || *text == '\t')
		return continue_field(parser, text, size, error);
	return start_field(parser, text, size, error);
}

GPtrArray *varve_deb822_parse(const char *text, gsize size, const char *name, GError **error)
{
	g_autoptr(GPtrArray) paragraphs = g_ptr_array_new_with_free_func(free_paragraph);
	Parser parser = { .name = name, .paragraphs = paragraphs };

	if (memchr(text, '\0', size)) {
		varve_fail(error, VARVE_ERROR_CORRUPT, "%s: has a NUL byte", name);
		return NULL;
	}
	for (gsize at = 0; at < size;) {
		const char *newline = memchr(text + at, '\n', size - at);
		gsize length = newline ? (gsize)(newline - text) - at : size - at;

		if (!parse_line(&parser, text + at, length, error))
			return NULL;
		at += length + 1;
	}
	return g_steal_pointer(&paragraphs);
}

const char *varve_paragraph_get(const VarveParagraph *paragraph, const char *field)
{
	g_autofree char *lower = g_ascii_strdown(field, -1);
	const GString *value = g_hash_table_lookup(paragraph->fields, lower);

	return value ? value->str : NULL;
}

const char *varve_paragraph_require(const VarveParagraph *paragraph, const char *field,
				    const char *name, GError **error)
{
	const char *value = varve_paragraph_get(paragraph, field);

	if (value && *value)
		return value;
	varve_fail(error, VARVE_ERROR_CORRUPT, "%s: the field '%s' is missing", name, field);
	return NULL;
}
