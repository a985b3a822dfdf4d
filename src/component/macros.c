/* The macro expander. Grammar: rpm's manual, "Macro syntax". */
#include "component/macros.h"

#include <string.h>

#define DEPTH_LIMIT 48
#define SIZE_LIMIT (1u << 18) /* of one expansion */
#define WORK_LIMIT (4u << 20) /* bytes and calls, over the life of a table */

typedef struct {
	char *value;
	gboolean has_arguments; /* %define name(…): its value hangs on how it is called */
} Macro;

struct VarveMacros {
	GHashTable *table;    /* name → Macro */
	GHashTable *doubtful; /* names */
	gsize work;
};

/** One expansion. */
typedef struct {
	VarveMacros *macros;
	GString *out;
	gboolean doubtful, environment;
	guint depth;
} Expansion;

static void expand(Expansion *expansion, const char *text, gsize size);

static void free_macro(gpointer data)
{
	Macro *macro = data;

	g_free(macro->value);
	g_free(macro);
}

VarveMacros *varve_macros_new(void)
{
	VarveMacros *macros = g_new0(VarveMacros, 1);

	macros->table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_macro);
	macros->doubtful = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return macros;
}

void varve_macros_free(VarveMacros *macros)
{
	if (!macros)
		return;
	g_hash_table_unref(macros->table);
	g_hash_table_unref(macros->doubtful);
	g_free(macros);
}

static void set(VarveMacros *macros, const char *name, const char *value, gboolean has_arguments)
{
	Macro *macro = g_new0(Macro, 1);

	macro->value = g_strdup(value);
	macro->has_arguments = has_arguments;
	g_hash_table_insert(macros->table, g_strdup(name), macro);
}

void varve_macros_define(VarveMacros *macros, const char *name, const char *value)
{
	set(macros, name, value, FALSE);
}

void varve_macros_undefine(VarveMacros *macros, const char *name)
{
	g_hash_table_remove(macros->table, name);
}

gboolean varve_macros_defined(const VarveMacros *macros, const char *name)
{
	return g_hash_table_contains(macros->table, name);
}

void varve_macros_doubt(VarveMacros *macros, const char *name)
{
	g_hash_table_add(macros->doubtful, g_strdup(name));
}

static gboolean is_name(char c)
{
	return g_ascii_isalnum(c) || c == '_';
}

static void unknown(Expansion *expansion)
{
	if (!expansion->out->len ||
	    expansion->out->str[expansion->out->len - 1] != VARVE_MACRO_UNKNOWN)
		g_string_append_c(expansion->out, VARVE_MACRO_UNKNOWN);
}

/* Whether there is room for more; counts @amount as work done. */
static gboolean afford(Expansion *expansion, gsize amount)
{
	VarveMacros *macros = expansion->macros;

	macros->work = MIN(macros->work + amount + 1, WORK_LIMIT);
	return macros->work < WORK_LIMIT && expansion->out->len < SIZE_LIMIT &&
	       expansion->depth < DEPTH_LIMIT;
}

static void append(Expansion *expansion, const char *text, gsize size)
{
	if (afford(expansion, size) && size < SIZE_LIMIT)
		g_string_append_len(expansion->out, text, (gssize)size);
	else
		unknown(expansion);
}

/* What @text expands to, apart. */
static char *expanded(Expansion *expansion, const char *text, gsize size)
{
	g_autoptr(GString) out = g_string_new(NULL);
	Expansion inner = *expansion;

	inner.out = out;
	inner.depth++;
	expand(&inner, text, size);
	expansion->environment = inner.environment;
	return g_string_free(g_steal_pointer(&out), FALSE);
}

static void expand_nested(Expansion *expansion, const char *text, gsize size)
{
	if (!afford(expansion, 1)) {
		unknown(expansion);
		return;
	}
	expansion->depth++;
	expand(expansion, text, size);
	expansion->depth--;
}

/* The size of what begins with @open at @text, up to its partner; 0 where there is none. */
static gsize enclosed(const char *text, gsize size, char open, char close)
{
	guint depth = 0;

	for (gsize i = 0; i < size; i++) {
		if (text[i] == '\\' && i + 1 < size)
			i++;
		else if (text[i] == open)
			depth++;
		else if (text[i] == close && --depth == 0)
			return i + 1;
	}
	return 0;
}

static void value_of(Expansion *expansion, const char *name)
{
	const Macro *macro = g_hash_table_lookup(expansion->macros->table, name);

	if (!macro || macro->has_arguments ||
	    (expansion->doubtful && g_hash_table_contains(expansion->macros->doubtful, name))) {
		expansion->environment = TRUE;
		unknown(expansion);
		return;
	}
	expand_nested(expansion, macro->value, strlen(macro->value));
}

/* A body of %define: a backslash goes before a line break that belongs to it. */
static char *body_of(const char *text, gsize size)
{
	g_autoptr(GString) body = g_string_new(NULL);

	for (gsize i = 0; i < size; i++) {
		if (text[i] == '\\' && i + 1 < size && text[i + 1] == '\n')
			continue;
		g_string_append_c(body, text[i]);
	}
	return g_strstrip(g_string_free(g_steal_pointer(&body), FALSE));
}

/* %define and %global: @text is what follows the word. */
static void define(Expansion *expansion, const char *text, gsize size, gboolean now)
{
	g_autofree char *name = NULL, *body = NULL, *value = NULL;
	gboolean has_arguments;
	gsize at = 0, start;

	while (at < size && (text[at] == ' ' || text[at] == '\t'))
		at++;
	start = at;
	while (at < size && is_name(text[at]))
		at++;
	if (at == start)
		return;
	name = g_strndup(text + start, at - start);
	has_arguments = at < size && text[at] == '(';
	if (has_arguments)
		at += enclosed(text + at, size - at, '(', ')');
	body = body_of(text + at, size - at);
	if (*body == '{' && enclosed(body, strlen(body), '{', '}') == strlen(body)) {
		body[strlen(body) - 1] = '\0';
		memmove(body, body + 1, strlen(body));
	}
	if (now && !has_arguments)
		value = expanded(expansion, body, strlen(body));
	set(expansion->macros, name, value ? value : body, has_arguments);
}

static void bcond(Expansion *expansion, const char *kind, const char *text, gsize size)
{
	g_autofree char *arguments = expanded(expansion, text, size);
	g_auto(GStrv) words = g_strsplit(g_strstrip(arguments), " ", 2);
	g_autofree char *with = NULL, *asked_with = NULL, *asked_without = NULL;
	gboolean on;

	if (!words[0])
		return;
	with = g_strconcat("with_", words[0], NULL);
	asked_with = g_strconcat("_with_", words[0], NULL);
	asked_without = g_strconcat("_without_", words[0], NULL);
	if (strcmp(kind, "bcond_with") == 0)
		on = FALSE;
	else if (strcmp(kind, "bcond_without") == 0)
		on = TRUE;
	else
		on = words[1] && varve_expression_truth(words[1]) == VARVE_TRUTH_YES;
	if (varve_macros_defined(expansion->macros, asked_with))
		on = TRUE;
	else if (varve_macros_defined(expansion->macros, asked_without))
		on = FALSE;
	if (on)
		varve_macros_define(expansion->macros, with, "1");
	else
		varve_macros_undefine(expansion->macros, with);
}

static void with(Expansion *expansion, const char *feature, gboolean wanted)
{
	g_autofree char *name = g_strconcat("with_", feature, NULL);
	gboolean is = varve_macros_defined(expansion->macros, name);

	if (expansion->doubtful && g_hash_table_contains(expansion->macros->doubtful, name)) {
		unknown(expansion);
		return;
	}
	append(expansion, is == wanted ? "1" : "0", 1);
}

/* Words that take the rest of the line. Returns: whether @name is one. */
static gboolean directive(Expansion *expansion, const char *name, const char *text, gsize size)
{
	if (strcmp(name, "define") == 0 || strcmp(name, "global") == 0) {
		define(expansion, text, size, *name == 'g');
		return TRUE;
	}
	if (strcmp(name, "undefine") == 0) {
		g_autofree char *word = g_strstrip(g_strndup(text, size));

		varve_macros_undefine(expansion->macros, word);
		return TRUE;
	}
	if (g_str_has_prefix(name, "bcond")) {
		bcond(expansion, name, text, size);
		return TRUE;
	}
	return FALSE;
}

/* %{name:argument} of rpm's own functions. */
static void function(Expansion *expansion, const char *name, const char *text, gsize size)
{
	static const char *const silent[] = { "echo", "warn", "error", "load", "dump", NULL };
	g_autofree char *argument = NULL, *result = NULL;

	if (g_strv_contains(silent, name))
		return;
	if (strcmp(name, "lua") == 0 || strcmp(name, "shrink") == 0) {
		unknown(expansion);
		return;
	}
	argument = expanded(expansion, text, size);
	if (strcmp(name, "lower") == 0)
		result = g_ascii_strdown(argument, -1);
	else if (strcmp(name, "upper") == 0)
		result = g_ascii_strup(argument, -1);
	else if (strcmp(name, "quote") == 0)
		result = g_strdup(argument);
	else if (strcmp(name, "basename") == 0)
		result = g_strdup(strrchr(argument, '/') ? strrchr(argument, '/') + 1 : argument);
	else if (strcmp(name, "defined") == 0)
		result = g_strdup(varve_macros_defined(expansion->macros, argument) ? "1" : "0");
	if (strcmp(name, "expand") == 0)
		expand_nested(expansion, argument, strlen(argument));
	else if (result)
		append(expansion, result, strlen(result));
	else
		unknown(expansion);
}

/* What is between the braces of %{…}. */
static void braced(Expansion *expansion, const char *text, gsize size)
{
	gboolean asks = FALSE, wants = TRUE, is;
	g_autofree char *name = NULL;
	gsize at = 0, start;

	for (; at < size && (text[at] == '?' || text[at] == '!'); at++) {
		asks = asks || text[at] == '?';
		wants = text[at] == '!' ? !wants : wants;
	}
	start = at;
	while (at < size && is_name(text[at]))
		at++;
	name = g_strndup(text + start, at - start);
	is = varve_macros_defined(expansion->macros, name);
	if (!*name) { /* %{-x*}, %{*}, %{1} of a macro with arguments */
		if (!asks)
			unknown(expansion);
	} else if (asks) {
		if (!is || (expansion->doubtful &&
			    g_hash_table_contains(expansion->macros->doubtful, name)))
			expansion->environment = TRUE;
		if (is != wants)
			return;
		if (at < size && text[at] == ':')
			expand_nested(expansion, text + at + 1, size - at - 1);
		else if (is)
			value_of(expansion, name);
	} else if (at == size) {
		value_of(expansion, name);
	} else if (text[at] == ':') {
		function(expansion, name, text + at + 1, size - at - 1);
	} else if (strcmp(name, "with") == 0 || strcmp(name, "without") == 0) {
		g_autofree char *feature = g_strstrip(g_strndup(text + at, size - at));

		with(expansion, feature, strcmp(name, "with") == 0);
	} else if (!directive(expansion, name, text + at, size - at)) {
		unknown(expansion);
	}
}

/* %name, %?name, %!?name. Returns: how many bytes after the percent sign it took. */
static gsize bare(Expansion *expansion, const char *text, gsize size)
{
	g_autofree char *name = NULL;
	gsize at = 0, start, end;
	const Macro *macro;

	while (at < size && (text[at] == '?' || text[at] == '!'))
		at++;
	start = at;
	if (at < size && g_ascii_isdigit(text[at]))
		at++;
	while (at < size && is_name(text[at]) && !g_ascii_isdigit(text[start]))
		at++;
	if (at == start) {
		append(expansion, "%", 1);
		return 0;
	}
	if (start > 0) {
		braced(expansion, text, at);
		return at;
	}
	name = g_strndup(text, at);
	/* To the end of the line, and of those that it is continued on. */
	for (end = at; end < size && text[end] != '\n'; end++) {
		if (text[end] == '\\' && end + 1 < size && text[end + 1] == '\n')
			end++;
	}
	if (directive(expansion, name, text + at, end - at))
		return end;
	macro = g_hash_table_lookup(expansion->macros->table, name);
	if (macro && macro->has_arguments) {
		unknown(expansion);
		return end;
	}
	value_of(expansion, name);
	return at;
}

static void computed(Expansion *expansion, const char *text, gsize size)
{
	g_autofree char *inner = expanded(expansion, text, size);
	g_autofree char *value = varve_expression_value(inner);

	if (value)
		append(expansion, value, strlen(value));
	else
		unknown(expansion);
}

/* What follows a percent sign. Returns: how many bytes of it were taken. */
static gsize macro_at(Expansion *expansion, const char *text, gsize size)
{
	static const char close[] = { ['{'] = '}', ['('] = ')', ['['] = ']' };
	gsize skip, span;

	if (size > 0 && *text == '%') {
		append(expansion, "%", 1);
		return 1;
	}
	skip = 0;
	while (skip < size && (text[skip] == '?' || text[skip] == '!'))
		skip++;
	if (skip > 0 && skip < size && text[skip] == '{')
		skip = 0; /* no such form */
	if (skip > 0 || size == 0 || !strchr("{([", *text))
		return bare(expansion, text, size);
	span = enclosed(text, size, *text, close[(guchar)*text]);
	if (span == 0) {
		unknown(expansion);
		return size;
	}
	if (*text == '{')
		braced(expansion, text + 1, span - 2);
	else if (*text == '[')
		computed(expansion, text + 1, span - 2);
	else
		unknown(expansion);
	return span;
}

static void expand(Expansion *expansion, const char *text, gsize size)
{
	gsize at = 0;

	if (!afford(expansion, 1)) {
		unknown(expansion);
		return;
	}
	while (at < size) {
		const char *percent = memchr(text + at, '%', size - at);
		gsize plain = percent ? (gsize)(percent - text) - at : size - at;

		append(expansion, text + at, plain);
		at += plain;
		if (!percent)
			return;
		at++;
		at += macro_at(expansion, text + at, size - at);
		if (!afford(expansion, 0)) {
			unknown(expansion);
			return;
		}
	}
}

char *varve_macros_expand(VarveMacros *macros, const char *text, gboolean doubtful,
			  gboolean *ret_environment)
{
	g_autoptr(GString) out = g_string_new(NULL);
	Expansion expansion = { .macros = macros, .out = out, .doubtful = doubtful };

	expand(&expansion, text, strlen(text));
	if (ret_environment)
		*ret_environment = expansion.environment;
	return g_string_free(g_steal_pointer(&out), FALSE);
}
