/* What stands for one character in RE2's syntax: escapes, classes, characters with their case. */
#include "definition/regex-tree.h"

#include <string.h>

typedef struct {
	const char *name;
	const char *ranges; /* first and last of each, one after the other */
} Named;

static const Named posix_classes[] = {
	{ "alnum", "09AZaz" },   { "alpha", "AZaz" },    { "ascii", "" },
	{ "blank", "\t\t  " },   { "cntrl", "" },        { "digit", "09" },
	{ "graph", "!~" },       { "lower", "az" },      { "print", " ~" },
	{ "punct", "!/:@[`{~" }, { "space", "\t\r  " },  { "upper", "AZ" },
	{ "word", "09AZaz__" },  { "xdigit", "09AFaf" },
};

/* As Perl had them before 5.18: no vertical tab in \s. */
static const Named perl_classes[] = {
	{ "d", "09" },
	{ "s", "\t\n\f\r  " },
	{ "w", "09AZaz__" },
};

static VarveRuneSet *of_named(const Named *named)
{
	VarveRuneSet *set = varve_rune_set_new();

	for (const char *c = named->ranges; *c; c += 2)
		varve_rune_set_add(set, (guchar)c[0], (guchar)c[1]);
	/* Their ranges begin with a NUL, which a string cannot hold. */
	if (strcmp(named->name, "ascii") == 0)
		varve_rune_set_add(set, 0, 0x7f);
	if (strcmp(named->name, "cntrl") == 0) {
		varve_rune_set_add(set, 0, 0x1f);
		varve_rune_set_add(set, 0x7f, 0x7f);
	}
	return set;
}

/* The case first, then the negation: (?i)\W is all that (?i)\w is not. */
static VarveRuneSet *finish(VarveRegexReader *reader, VarveRuneSet *set, gboolean negated)
{
	if (reader->fold)
		varve_unicode_fold(reader->unicode, set);
	if (negated)
		varve_rune_set_negate(set);
	return set;
}

VarveRuneSet *varve_regex_rune(VarveRegexReader *reader, gunichar rune)
{
	VarveRuneSet *set;

	if (reader->fold)
		return varve_unicode_cases(reader->unicode, rune);
	set = varve_rune_set_new();
	varve_rune_set_add(set, rune, rune);
	return set;
}

static char peek(const VarveRegexReader *reader, gsize ahead)
{
	return reader->size - reader->at > ahead ? reader->pattern[reader->at + ahead] : '\0';
}

static gunichar next_rune(VarveRegexReader *reader)
{
	const char *at = reader->pattern + reader->at;

	reader->at = (gsize)(g_utf8_next_char(at) - reader->pattern);
	return g_utf8_get_char(at);
}

/* "\p{Greek}", "\PL", "\p{^Lu}" */
static VarveRuneSet *read_unicode(VarveRegexReader *reader, GError **error)
{
	gsize start = reader->at, size;
	gboolean negated = peek(reader, 1) == 'P';
	const char *name, *end;
	VarveRuneSet *set;

	reader->at += 2;
	if (reader->at == reader->size) {
		varve_regex_fault(reader, start, error, "'\\p' without the name of a class");
		return NULL;
	}
	name = reader->pattern + reader->at;
	if (*name == '{') {
		name++;
		end = memchr(name, '}', (gsize)(reader->pattern + reader->size - name));
		if (!end) {
			varve_regex_fault(reader, start, error, "'\\p{' without '}'");
			return NULL;
		}
		reader->at = (gsize)(end + 1 - reader->pattern);
	} else {
		next_rune(reader);
		end = reader->pattern + reader->at;
	}
	if (name < end && *name == '^') {
		negated = !negated;
		name++;
	}
	size = (gsize)(end - name);
	set = varve_unicode_named(reader->unicode, name, size);
	if (!set) {
		varve_regex_fault(reader, start, error,
				  "'%.*s' is not a category or script of Unicode",
				  (int)MIN(size, 64), name);
		return NULL;
	}
	if (reader->fold || negated) {
		g_autoptr(VarveRuneSet) known = set;

		set = varve_rune_set_new();
		varve_rune_set_add_set(set, known);
		finish(reader, set, negated);
	}
	return set;
}

/* \d, \S and the like; NULL and nothing read where there is none. */
static VarveRuneSet *read_perl(VarveRegexReader *reader)
{
	char letter = peek(reader, 0) == '\\' ? peek(reader, 1) : '\0';

	for (gsize i = 0; i < G_N_ELEMENTS(perl_classes); i++) {
		if (letter && g_ascii_tolower(letter) == perl_classes[i].name[0]) {
			reader->at += 2;
			return finish(reader, of_named(&perl_classes[i]), g_ascii_isupper(letter));
		}
	}
	return NULL;
}

/* "[:word:]" and "[:^word:]"; NULL without @error where it is none and '[' is a character. */
static VarveRuneSet *read_posix(VarveRegexReader *reader, GError **error)
{
	const char *start = reader->pattern + reader->at, *name = start + 2, *end;
	gboolean negated;

	if (peek(reader, 0) != '[' || peek(reader, 1) != ':' ||
	    !(end = g_strstr_len(name, (gssize)(reader->pattern + reader->size - name), ":]")))
		return NULL;
	negated = *name == '^';
	if (negated)
		name++;
	for (gsize i = 0; i < G_N_ELEMENTS(posix_classes); i++) {
		const char *known = posix_classes[i].name;

		if (strlen(known) == (gsize)(end - name) &&
		    strncmp(known, name, strlen(known)) == 0) {
			reader->at += (gsize)(end + 2 - start);
			return finish(reader, of_named(&posix_classes[i]), negated);
		}
	}
	varve_regex_fault(reader, reader->at, error, "'%.*s' is not a class of characters",
			  (int)MIN(end + 2 - start, 64), start);
	return NULL;
}

static gboolean read_hex(VarveRegexReader *reader, gsize start, gunichar *ret_rune, GError **error)
{
	gboolean braces = peek(reader, 0) == '{';
	gsize digits = 0;
	gunichar rune = 0;

	if (braces)
		reader->at++;
	while (g_ascii_isxdigit(peek(reader, 0)) && (braces || digits < 2)) {
		rune = rune * 16 + (gunichar)g_ascii_xdigit_value(peek(reader, 0));
		reader->at++;
		digits++;
		if (rune > VARVE_RUNE_MAX)
			return varve_regex_fault(reader, start, error,
						 "no character has a number above 10FFFF");
	}
	if (braces ? digits == 0 || peek(reader, 0) != '}' : digits != 2)
		return varve_regex_fault(reader, start, error,
					 "'\\x' takes two hexadecimal digits, or any number of "
					 "them in braces");
	if (braces)
		reader->at++;
	*ret_rune = rune;
	return TRUE;
}

/* What PCRE2 or another dialect knows by this letter; NULL: none that we know. */
static const char *foreign_escape(char letter)
{
	switch (letter) {
	case 'k':
	case 'g':
		return "backreferences (and other uses of '\\k' and '\\g')";
	case 'Z':
		return "'\\Z' (write '\\n?\\z')";
	case 'C':
		return "'\\C', a single byte";
	case 'G':
	case 'K':
	case 'N':
	case 'R':
	case 'X':
	case 'h':
	case 'H':
	case 'V':
	case 'c':
	case 'e':
		return "this escape";
	default:
		return NULL;
	}
}

static gboolean read_octal(VarveRegexReader *reader, gunichar *ret_rune)
{
	gunichar rune = 0;

	/* One digit that is no zero would be a backreference. */
	if (peek(reader, 0) != '0' &&
	    (peek(reader, 0) > '7' || peek(reader, 1) < '0' || peek(reader, 1) > '7'))
		return FALSE;
	for (int i = 0; i < 3 && peek(reader, 0) >= '0' && peek(reader, 0) <= '7'; i++)
		rune = rune * 8 + (gunichar)(reader->pattern[reader->at++] - '0');
	*ret_rune = rune;
	return TRUE;
}

/* An escape that stands for one character. */
static gboolean read_escaped_rune(VarveRegexReader *reader, gunichar *ret_rune, GError **error)
{
	static const char letters[] = "afnrtv", meant[] = "\a\f\n\r\t\v";
	gsize start = reader->at++;
	char letter = peek(reader, 0);
	const char *known = letter ? strchr(letters, letter) : NULL;

	if (reader->at == reader->size)
		return varve_regex_fault(reader, start, error, "a backslash at the end");
	if (g_ascii_isdigit(letter))
		return read_octal(reader, ret_rune) ||
		       varve_regex_foreign(reader, start, "backreferences", error);
	if (letter == 'x') {
		reader->at++;
		return read_hex(reader, start, ret_rune, error);
	}
	if (!known && foreign_escape(letter))
		return varve_regex_foreign(reader, start, foreign_escape(letter), error);
	if (!known && ((guchar)letter >= 0x80 || g_ascii_isalnum(letter))) {
		const char *at = reader->pattern + reader->at;

		return varve_regex_fault(reader, start, error, "'\\%.*s' is not an escape",
					 (int)(g_utf8_next_char(at) - at), at);
	}
	reader->at++;
	*ret_rune = (guchar)(known ? meant[known - letters] : letter);
	return TRUE;
}

VarveRuneSet *varve_regex_read_escape(VarveRegexReader *reader, GError **error)
{
	VarveRuneSet *set;
	gunichar rune = 0;

	if (peek(reader, 1) == 'p' || peek(reader, 1) == 'P')
		return read_unicode(reader, error);
	set = read_perl(reader);
	if (set)
		return set;
	if (!read_escaped_rune(reader, &rune, error))
		return NULL;
	return varve_regex_rune(reader, rune);
}

static gboolean read_class_rune(VarveRegexReader *reader, gsize start, gunichar *ret_rune,
				GError **error)
{
	if (reader->at == reader->size)
		return varve_regex_fault(reader, start, error, "'[' without ']'");
	if (peek(reader, 0) == '\\')
		return read_escaped_rune(reader, ret_rune, error);
	*ret_rune = next_rune(reader);
	return TRUE;
}

/* One character or two with '-' between them. */
static gboolean read_range(VarveRegexReader *reader, gsize start, VarveRuneSet *set, GError **error)
{
	gsize begin = reader->at;
	gunichar first = 0, last;

	if (!read_class_rune(reader, start, &first, error))
		return FALSE;
	last = first;
	if (peek(reader, 0) == '-' && reader->size - reader->at >= 2 && peek(reader, 1) != ']') {
		reader->at++;
		if (!read_class_rune(reader, start, &last, error))
			return FALSE;
		if (last < first)
			return varve_regex_fault(
				reader, begin, error, "the range '%.*s' is the wrong way round",
				(int)MIN(reader->at - begin, 64), reader->pattern + begin);
	}
	varve_rune_set_add(set, first, last);
	return TRUE;
}

/* One of the classes with a name: to @ret_set; none where there is none. */
static gboolean read_inner_class(VarveRegexReader *reader, VarveRuneSet **ret_set, GError **error)
{
	g_autoptr(GError) failure = NULL;
	VarveRuneSet *set = read_posix(reader, &failure);

	if (!set && !failure && peek(reader, 0) == '\\' &&
	    (peek(reader, 1) == 'p' || peek(reader, 1) == 'P'))
		set = read_unicode(reader, &failure);
	if (!set && !failure)
		set = read_perl(reader);
	if (failure) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	*ret_set = set;
	return TRUE;
}

VarveRuneSet *varve_regex_read_class(VarveRegexReader *reader, GError **error)
{
	g_autoptr(VarveRuneSet) plain = varve_rune_set_new(), set = varve_rune_set_new();
	gsize start = reader->at++;
	gboolean negated = peek(reader, 0) == '^';

	if (negated)
		reader->at++;
	for (gboolean first = TRUE; first || peek(reader, 0) != ']'; first = FALSE) {
		g_autoptr(VarveRuneSet) inner = NULL;

		if (!read_inner_class(reader, &inner, error) ||
		    (!inner && !read_range(reader, start, plain, error)))
			return NULL;
		if (inner)
			varve_rune_set_add_set(set, inner);
	}
	reader->at++;
	finish(reader, plain, FALSE);
	varve_rune_set_add_set(set, plain);
	if (negated)
		varve_rune_set_negate(set);
	return g_steal_pointer(&set);
}
