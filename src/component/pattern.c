/* Patterns of file names: alternatives are written out, the rest is varve_glob_match()'s. */
#include "component/pattern.h"

#include "base/error.h"
#include "base/text.h"

#include <string.h>

/* Alternatives multiply: {a,b}{a,b}… */
#define STEPS_MAX 4096

struct VarvePattern {
	char *literal;    /* (nullable) */
	GPtrArray *globs; /* char *, without alternatives */
};

void varve_pattern_free(VarvePattern *pattern)
{
	if (!pattern)
		return;
	g_free(pattern->literal);
	g_ptr_array_unref(pattern->globs);
	g_free(pattern);
}

/* @c is at '['. Returns: what follows the class, NULL where it is empty or has no end. */
static const char *skip_class(const char *c)
{
	c += c[1] == '!' || c[1] == '^' ? 2 : 1;
	if (*c == ']')
		return NULL;
	for (; *c && *c != ']'; c++)
		if (*c == '\\' && !*++c)
			return NULL;
	return *c ? c + 1 : NULL;
}

/* What is wrong with it, or NULL. */
static const char *check(const char *text)
{
	guint depth = 0;

	for (const char *c = text; *c; c++) {
		if (*c == '\\') {
			if (!*++c)
				return "ends in a backslash";
		} else if (*c == '[') {
			c = skip_class(c);
			if (!c)
				return "has a '[' without its ']' or with nothing between";
			c--;
		} else if (*c == '{') {
			depth++;
		} else if (*c == '}' && depth-- == 0) {
			return "has a '}' without its '{'";
		}
	}
	return depth > 0 ? "has a '{' without its '}'" : NULL;
}

/* The first wildcard, or NULL; @alternatives: the first '{'. */
static const char *find_special(const char *text, gboolean alternatives)
{
	for (const char *c = text; *c; c++) {
		if (*c == '\\') {
			if (!*++c)
				return NULL;
		} else if (*c == '{' || (!alternatives && strchr("*?[", *c))) {
			return c;
		} else if (*c == '[') {
			c = skip_class(c);
			if (!c)
				return NULL;
			c--;
		}
	}
	return NULL;
}

/* Two stars are special as a whole segment only; elsewhere they are one. */
static char *normalise(const char *text)
{
	GString *glob = g_string_new(NULL);

	for (const char *c = text; *c;) {
		gsize stars = strspn(c, "*");
		const char *next = c + 1;
		gboolean first = glob->len == 0 || glob->str[glob->len - 1] == '/';

		if (stars > 0) {
			gboolean deep = stars == 2 && first && (c[2] == '/' || !c[2]);

			g_string_append(glob, deep ? "**" : "*");
			c += stars;
			continue;
		}
		if (*c == '\\' && c[1])
			next = c + 2;
		else if (*c == '[' && skip_class(c))
			next = skip_class(c);
		g_string_append_len(glob, c, next - c);
		c = next;
	}
	return g_string_free(glob, FALSE);
}

/* Of the text behind a '{': its '}'. */
static const char *find_end(const char *c)
{
	for (guint depth = 1; *c; c++) {
		if (*c == '\\' && c[1])
			c++;
		else if (*c == '{')
			depth++;
		else if (*c == '}' && --depth == 0)
			return c;
	}
	return NULL;
}

/* Writes out the first alternatives of @text and puts the results on @todo. */
static void expand_one(const char *text, const char *open, GQueue *todo)
{
	const char *end = find_end(open + 1), *start = open + 1;
	guint depth = 0;

	for (const char *c = start; c <= end; c++) {
		if (*c == '\\' && c[1]) {
			c++;
		} else if (c == end || (*c == ',' && depth == 0)) {
			g_queue_push_tail(todo,
					  g_strdup_printf("%.*s%.*s%s", (int)(open - text), text,
							  (int)(c - start), start, end + 1));
			start = c + 1;
		} else if (*c == '{') {
			depth++;
		} else if (*c == '}') {
			depth--;
		}
	}
}

static gboolean expand(const char *text, GPtrArray *globs, GError **error)
{
	g_autoptr(GQueue) todo = g_queue_new();
	guint steps = 0;

	for (g_queue_push_tail(todo, g_strdup(text)); !g_queue_is_empty(todo); steps++) {
		g_autofree char *one = g_queue_pop_head(todo);
		const char *open = find_special(one, TRUE);

		if (steps == STEPS_MAX) {
			g_queue_clear_full(todo, g_free);
			return varve_fail(
				error, VARVE_ERROR_USAGE,
				"the pattern '%s' has too many alternatives; write several "
				"overlays",
				text);
		}
		if (open && find_end(open + 1))
			expand_one(one, open, todo);
		else
			g_ptr_array_add(globs, normalise(one));
	}
	return TRUE;
}

static char *unquote(const char *text)
{
	GString *name = g_string_new(NULL);

	for (; *text; text++) {
		if (*text == '\\' && text[1] && strchr("*?[]{}", text[1]))
			text++;
		g_string_append_c(name, *text);
	}
	return g_string_free(name, FALSE);
}

VarvePattern *varve_pattern_new(const char *text, GError **error)
{
	g_autoptr(VarvePattern) pattern = g_new0(VarvePattern, 1);
	const char *wrong = check(text);

	pattern->globs = g_ptr_array_new_with_free_func(g_free);
	if (wrong) {
		varve_fail(error, VARVE_ERROR_USAGE, "the pattern '%s' %s", text, wrong);
		return NULL;
	}
	if (!find_special(text, FALSE))
		pattern->literal = unquote(text);
	if (!expand(text, pattern->globs, error))
		return NULL;
	return g_steal_pointer(&pattern);
}

guint varve_pattern_depth(const VarvePattern *pattern)
{
	guint depth = 0;

	for (guint i = 0; i < pattern->globs->len; i++) {
		g_auto(GStrv) parts = g_strsplit(pattern->globs->pdata[i], "/", -1);

		/* A slash in a class counts too: what is too deep matches nothing. */
		depth = MAX(depth, g_strv_length(parts) - 1);
		if (g_strv_contains((const char *const *)parts, "**"))
			return G_MAXUINT;
	}
	return depth;
}

const char *varve_pattern_literal(const VarvePattern *pattern)
{
	return pattern->literal;
}

gboolean varve_pattern_match(const VarvePattern *pattern, const char *path)
{
	for (guint i = 0; i < pattern->globs->len; i++)
		if (varve_glob_match(pattern->globs->pdata[i], path))
			return TRUE;
	return FALSE;
}
