/* SPDX licence expressions: a recursive descent over the grammar of annex D. */
#include "format/license.h"

#include "format/license-list.h"

#include <string.h>

#define DEPTH_MAX 64
#define REFERENCE "LicenseRef-"
#define DOCUMENT "DocumentRef-"

typedef struct {
	const char *at;
	int depth;
	GPtrArray *references; /* (nullable) takes the LicenseRef-s met */
} Parser;

static gboolean is_id_character(char c)
{
	return g_ascii_isalnum(c) || c == '-' || c == '.';
}

static gsize id_length(const char *text)
{
	gsize length = 0;

	while (is_id_character(text[length]))
		length++;
	return length;
}

static void skip_spaces(Parser *parser)
{
	while (*parser->at == ' ')
		parser->at++;
}

/* The keyword @word, which must not be the start of a longer one. */
static gboolean take_word(Parser *parser, const char *word)
{
	gsize length = strlen(word);

	skip_spaces(parser);
	if (strncmp(parser->at, word, length) != 0 || is_id_character(parser->at[length]))
		return FALSE;
	parser->at += length;
	return TRUE;
}

/* LicenseRef-X or DocumentRef-X:LicenseRef-Y. */
static gboolean take_reference(Parser *parser)
{
	const char *start = parser->at, *at = start;

	if (g_str_has_prefix(at, DOCUMENT)) {
		at += id_length(at);
		if (*at++ != ':')
			return FALSE;
	}
	if (!g_str_has_prefix(at, REFERENCE) || id_length(at) == strlen(REFERENCE))
		return FALSE;
	at += id_length(at);
	if (parser->references && g_str_has_prefix(start, REFERENCE))
		g_ptr_array_add(parser->references, g_strndup(start, (gsize)(at - start)));
	parser->at = at;
	return TRUE;
}

static gboolean take_license(Parser *parser)
{
	gsize length;

	skip_spaces(parser);
	if (take_reference(parser))
		return TRUE;
	length = id_length(parser->at);
	if (parser->at[length] == '+')
		length++;
	/* "GPL-2.0+" is an identifier of its own, "Apache-2.0+" an identifier and an operator. */
	if (!varve_license_is_known(parser->at, length) &&
	    !(length > 1 && parser->at[length - 1] == '+' &&
	      varve_license_is_known(parser->at, length - 1)))
		return FALSE;
	parser->at += length;
	return TRUE;
}

static gboolean take_expression(Parser *parser);

static gboolean take_term(Parser *parser)
{
	gsize length;

	skip_spaces(parser);
	if (*parser->at == '(') {
		parser->at++;
		if (++parser->depth > DEPTH_MAX || !take_expression(parser))
			return FALSE;
		parser->depth--;
		skip_spaces(parser);
		return *parser->at++ == ')';
	}
	if (!take_license(parser))
		return FALSE;
	if (!take_word(parser, "WITH"))
		return TRUE;
	skip_spaces(parser);
	length = id_length(parser->at);
	if (!varve_license_exception_is_known(parser->at, length))
		return FALSE;
	parser->at += length;
	return TRUE;
}

/* AND binds tighter than OR, which does not matter for what is valid. */
static gboolean take_expression(Parser *parser)
{
	if (!take_term(parser))
		return FALSE;
	while (take_word(parser, "AND") || take_word(parser, "OR"))
		if (!take_term(parser))
			return FALSE;
	return TRUE;
}

static gboolean parse(const char *text, GPtrArray *references)
{
	Parser parser = { .at = text, .references = references };

	if (!take_expression(&parser))
		return FALSE;
	skip_spaces(&parser);
	return *parser.at == '\0';
}

gboolean varve_license_is_expression(const char *text)
{
	return parse(text, NULL);
}

char **varve_license_references(const char *text)
{
	g_autoptr(GPtrArray) references = g_ptr_array_new_with_free_func(g_free);

	if (!parse(text, references))
		g_ptr_array_set_size(references, 0);
	g_ptr_array_add(references, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&references), FALSE);
}

char *varve_license_reference(const char *text)
{
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

	return g_strdup_printf(REFERENCE "varve-%.16s", digest);
}
