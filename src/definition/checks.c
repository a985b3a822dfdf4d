/* What single strings must be. */
#include "definition/checks.h"

#include "definition/regex.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static gboolean made_of(const char *text, const char *characters)
{
	return text[strspn(text, characters)] == '\0';
}

static gboolean has_control(const char *text)
{
	for (; *text; text++) {
		if ((guint8)*text < 0x20 || *text == 0x7f)
			return TRUE;
	}
	return FALSE;
}

const char *varve_check_name(const char *text)
{
	if (!made_of(text, LOWER DIGITS ".+-") || !*text || !strchr(LOWER DIGITS, *text))
		return "must be of a-z, 0-9, '.', '+' and '-' and start with a letter or digit";
	if (strlen(text) > 64)
		return "must not be longer than 64 characters";
	return NULL;
}

const char *varve_check_os_id(const char *text)
{
	if (!*text || !made_of(text, LOWER DIGITS "._-"))
		return "must be of a-z, 0-9, '.', '_' and '-'";
	return NULL;
}

const char *varve_check_version(const char *text)
{
	if (!*text || !made_of(text, LOWER UPPER DIGITS ".+~^-"))
		return "must be of letters, digits, '.', '+', '~', '^' and '-'";
	return NULL;
}

const char *varve_check_line(const char *text)
{
	return has_control(text) ? "must be one line without control characters" : NULL;
}

static gboolean is_web_url(const char *text)
{
	const char *rest = NULL;

	if (g_ascii_strncasecmp(text, "https://", 8) == 0)
		rest = text + 8;
	else if (g_ascii_strncasecmp(text, "http://", 7) == 0)
		rest = text + 7;
	return rest && *rest && *rest != '/' && !strpbrk(text, " \t\r\n");
}

const char *varve_check_web_url(const char *text)
{
	return is_web_url(text) ? NULL : "must be a URL that starts with https:// or http://";
}

const char *varve_check_plain_url(const char *text)
{
	return is_web_url(text) && !strpbrk(text, "?#")
		       ? NULL
		       : "must be a URL that starts with https:// or http://, without '?' and '#'";
}

const char *varve_check_gpg_key(const char *text)
{
	g_autofree char *scheme = g_uri_parse_scheme(text);

	if (has_control(text))
		return "must be one line without control characters";
	if (!scheme || is_web_url(text) || g_ascii_strncasecmp(text, "file:///", 8) == 0)
		return NULL;
	return "must be a path, or a URL that starts with https://, http:// or file:///";
}

const char *varve_check_url(const char *text)
{
	if (strncmp(text, "file:///", 8) == 0 || is_web_url(text))
		return NULL;
	return "must be a URL that starts with https://, http:// or file:///";
}

const char *varve_check_package(const char *text)
{
	if (!*text || has_control(text) || strchr("-!+ ", *text) || strchr(text, '/') == text + 1)
		return "is not the name of a package";
	return NULL;
}

const char *varve_check_unit(const char *text)
{
	static const char *const types[] = { ".service", ".socket", ".target", ".timer",
					     ".mount",   ".path",   ".slice",  ".automount",
					     ".swap",    ".device", ".scope" };

	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		if (g_str_has_suffix(text, types[i]) && strlen(text) > strlen(types[i]) &&
		    strlen(text) < 256 && made_of(text, LOWER UPPER DIGITS ":-_.\\@"))
			return NULL;
	}
	return "is not the name of a unit; it ends in .service, .socket, .timer, ...";
}

const char *varve_check_unit_pattern(const char *text)
{
	if (strpbrk(text, "*?["))
		return made_of(text, LOWER UPPER DIGITS ":-_.\\@*?[]!")
			       ? NULL
			       : "is not a pattern of units";
	return varve_check_unit(text);
}

unsigned varve_timeout_seconds(const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	return (unsigned)(strcmp(end, "min") == 0 ? number * 60 : number);
}

const char *varve_check_timeout(const char *text)
{
	gsize digits = strspn(text, DIGITS);

	if (digits == 0 || digits > 3 ||
	    (strcmp(text + digits, "s") != 0 && strcmp(text + digits, "min") != 0) ||
	    varve_timeout_seconds(text) < 1 || varve_timeout_seconds(text) > 600)
		return "must be a time from \"1s\" to \"600s\" or \"10min\"";
	return NULL;
}

const char *varve_check_account(const char *text)
{
	if (!*text || !strchr(LOWER "_", *text) || !made_of(text, LOWER DIGITS "_-") ||
	    strlen(text) > 31)
		return "must start with a-z or '_', be of a-z, 0-9, '_' and '-', and have at most "
		       "31 "
		       "characters";
	return NULL;
}

const char *varve_check_target_path(const char *text)
{
	gsize size = strlen(text);

	if (*text != '/' || size == 1)
		return "must be an absolute path: start with '/'";
	if (has_control(text))
		return "must not hold control characters";
	if (strstr(text, "//") || strstr(text, "/./") || strstr(text, "/../") ||
	    text[size - 1] == '/' || g_str_has_suffix(text, "/.") || g_str_has_suffix(text, "/.."))
		return "must be written plainly: no '.', '..', '//' or '/' at the end";
	return NULL;
}

const char *varve_check_glob(const char *text)
{
	for (const char *c = text; *c; c++) {
		if (*c == '\\') {
			if (!*++c)
				return "ends in a backslash";
		} else if (*c == '[') {
			c += c[1] == '!' || c[1] == '^' ? 2 : 1;
			if (*c == ']')
				c++;
			while (*c && *c != ']')
				c += *c == '\\' && c[1] ? 2 : 1;
			if (!*c)
				return "is not a pattern: '[' without ']'";
		}
	}
	return NULL;
}

const char *varve_check_pattern(const char *text)
{
	const char *wrong = varve_check_glob(text);
	int depth = 0;

	for (const char *c = text; *c && !wrong; c++) {
		if (*c == '\\' && c[1])
			c++;
		else if (*c == '{')
			depth++;
		else if (*c == '}' && depth > 0)
			depth--;
	}
	return !wrong && depth > 0 ? "is not a pattern: '{' without '}'" : wrong;
}

const char *varve_check_target_glob(const char *text)
{
	if (*text != '/')
		return "must be a pattern of absolute paths: start with '/'";
	return varve_check_glob(text);
}

const char *varve_check_link_target(const char *text)
{
	if (!*text || has_control(text))
		return "is not a link's target";
	return NULL;
}

const char *varve_check_selinux_name(const char *text)
{
	if (!*text || !made_of(text, LOWER UPPER DIGITS "_"))
		return "must be of letters, digits and '_'";
	return NULL;
}

const char *varve_check_sysctl(const char *text)
{
	if (!*text || *text == '.' || !made_of(text, LOWER UPPER DIGITS "._-/*"))
		return "is not the name of a kernel parameter";
	return NULL;
}

const char *varve_check_module(const char *text)
{
	if (!*text || !made_of(text, LOWER UPPER DIGITS "_-"))
		return "is not the name of a kernel module (without path and .ko)";
	return NULL;
}

const char *varve_check_argument(const char *text)
{
	if (!*text || has_control(text))
		return "is not an argument of the kernel";
	if (strpbrk(text, " \t") && !strchr(text, '"'))
		return "must be one argument; give each its own string";
	if (g_str_has_prefix(text, "varve.roothash=") || g_str_has_prefix(text, "roothash="))
		return "is set by the build";
	return NULL;
}

const char *varve_check_file_name(const char *text)
{
	if (!*text || strchr(text, '/') || strcmp(text, ".") == 0 || strcmp(text, "..") == 0 ||
	    has_control(text))
		return "must be a file name without a directory";
	return NULL;
}

const char *varve_check_plain_name(const char *text)
{
	const char *wrong = varve_check_file_name(text);

	for (const char *c = text; *c && !wrong; c++) {
		if (*c == ' ' || *c == '\\' || *c & 0x80)
			wrong = "must be of ASCII characters, without blanks and backslashes";
	}
	return wrong;
}

const char *varve_check_key_name(const char *text)
{
	if (!*text || !made_of(text, LOWER UPPER DIGITS "._-") || *text == '.')
		return "is not the name of a key: the file name in the key directory without .key";
	return NULL;
}

const char *varve_check_relative_path(const char *text)
{
	if (*text == '/')
		return "must be a relative path";
	if (has_control(text))
		return "must not hold control characters";
	return NULL;
}

const char *varve_check_subpath(const char *text)
{
	const char *wrong = varve_check_relative_path(text);
	g_auto(GStrv) segments = g_strsplit(text, "/", -1);

	if (wrong || !*text)
		return wrong ? wrong : "must not be empty";
	if (g_strv_contains((const char *const *)segments, ".."))
		return "must not leave its directory";
	return strpbrk(text, "?#") ? "must not hold '?' and '#'" : NULL;
}

const char *varve_check_resource_name(const char *text)
{
	if (!*text || !strchr(LOWER UPPER DIGITS, *text) ||
	    !made_of(text, LOWER UPPER DIGITS "_.:-"))
		return "must be of letters, digits, '_', '.', ':' and '-' and start with a letter "
		       "or "
		       "digit";
	return NULL;
}

const char *varve_check_channel(const char *text)
{
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0 || strpbrk(text, "/\\"))
		return "is not the name of a channel";
	return NULL;
}

const char *varve_check_commit(const char *text)
{
	if (!made_of(text, DIGITS "abcdefABCDEF") || strlen(text) < 7 || strlen(text) > 40)
		return "must be 7 to 40 hexadecimal digits";
	return NULL;
}

const char *varve_check_whole_commit(const char *text)
{
	return strlen(text) == 40 && !varve_check_commit(text) ? NULL
							       : "must be 40 hexadecimal digits";
}

/* RFC 3339, section 5.6: as it is written there, in capitals, with seconds and an offset. */
static gboolean is_timestamp(const char *text)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd";
	const char *at = text;

	for (const char *s = shape; *s; s++, at++) {
		if (*s == 'd' ? !g_ascii_isdigit(*at) : *at != *s)
			return FALSE;
	}
	if (*at == '.') {
		gsize digits = strspn(++at, DIGITS);

		if (digits == 0)
			return FALSE;
		at += digits;
	}
	if (strcmp(at, "Z") == 0)
		return TRUE;
	return strlen(at) == 6 && strchr("+-", *at) && at[3] == ':' &&
	       strspn(at + 1, DIGITS) == 2 && strspn(at + 4, DIGITS) == 2;
}

const char *varve_check_timestamp(const char *text)
{
	g_autoptr(GDateTime) when =
		is_timestamp(text) ? g_date_time_new_from_iso8601(text, NULL) : NULL;

	return when ? NULL : "must be a time as in 2026-02-24T00:00:00-08:00";
}

const char *varve_check_date(const char *text)
{
	g_autofree char *full = g_strconcat(text, "T00:00:00Z", NULL);
	g_autoptr(GDateTime) day = NULL;

	if (strlen(text) == 10 && text[4] == '-' && text[7] == '-')
		day = g_date_time_new_from_iso8601(full, NULL);
	return day ? NULL : "must be a day as in 2026-11-22";
}

const char *varve_check_rpm_version(const char *text)
{
	if (*text && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				  "._~^+:-") == strlen(text))
		return NULL;
	return "must be a version as in 1.24.3-2: of letters, digits and ._~^+:-";
}

const char *varve_check_archive(const char *text)
{
	static const char *const suffixes[] = { ".tar",     ".tar.gz", ".tgz",      ".tar.bz2",
						".tbz2",    ".tbz",    ".tar.xz",   ".txz",
						".tar.zst", ".tzst",   ".tar.lzma", ".tar.lz" };

	for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		gsize size = strlen(suffixes[i]);

		if (strlen(text) > size &&
		    g_ascii_strcasecmp(text + strlen(text) - size, suffixes[i]) == 0)
			return strchr(text, '/') ? "must be a file name without a directory" : NULL;
	}
	return "is not a recognized archive name; known are .tar and .tar.{gz,bz2,xz,zst}";
}

char *varve_check_regex(const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveRegex) regex = varve_regex_new(text, &error);

	return regex ? NULL : g_strdup_printf("is refused: %s", error->message);
}
