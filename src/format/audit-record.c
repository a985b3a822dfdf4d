/* Audit records as text. */
#include "format/audit-record.h"

#include <string.h>

#define FIELDS_MAX 256

/* What the kernel writes between quotes, or as hex where a byte in it could end the quotes
 * (audit_log_untrustedstring()). */
static const char *const untrusted[] = { "acct", "cmd", "comm", "cwd",  "dev", "exe",
					 "file", "key", "name", "path", NULL };

static gboolean is_hex(const char *text)
{
	gsize length = strlen(text);

	if (length < 2 || length % 2 != 0)
		return FALSE;
	for (; *text; text++) {
		if (!g_ascii_isdigit(*text) && !(*text >= 'A' && *text <= 'F'))
			return FALSE;
	}
	return TRUE;
}

/* Takes @text. A NUL among the bytes is shown as a question mark: it would end the text. */
static char *decode_hex(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from += 2) {
		char c = (char)(g_ascii_xdigit_value(from[0]) << 4 | g_ascii_xdigit_value(from[1]));

		*to++ = c ? c : '?';
	}
	*to = '\0';
	return text;
}

static void take_field(VarveAuditRecord *record, char *key, char *value, gboolean quoted)
{
	if (!quoted && g_strv_contains(untrusted, key) && is_hex(value))
		value = decode_hex(value);
	if (g_hash_table_size(record->fields) >= FIELDS_MAX ||
	    g_hash_table_contains(record->fields, key)) {
		g_free(key);
		g_free(value);
		return;
	}
	g_hash_table_insert(record->fields, key, value);
}

static void set(char **field, const char *from, gsize length)
{
	g_free(*field);
	*field = g_strstrip(g_strndup(from, length));
}

static void parse_words(VarveAuditRecord *record, const char *text, gboolean nested);

/* The value behind an equals sign; returns what follows it. A message of a program, msg='…', has
 * fields of its own. */
static const char *parse_value(VarveAuditRecord *record, char *key, const char *at, gboolean nested)
{
	char quote = *at == '"' || *at == '\'' ? *at : '\0';
	const char *end = quote ? strchr(at + 1, quote) : NULL;
	gboolean quoted = end != NULL;

	if (quoted)
		at++;
	else
		end = at + strcspn(at, " \n");
	if (!nested && quoted && quote == '\'' && strcmp(key, "msg") == 0) {
		g_autofree char *inner = g_strndup(at, (gsize)(end - at));

		parse_words(record, inner, TRUE);
		g_free(key);
	} else {
		take_field(record, key, g_strndup(at, (gsize)(end - at)), quoted);
	}
	return quoted ? end + 1 : end;
}

static void parse_words(VarveAuditRecord *record, const char *text, gboolean nested)
{
	while (*text) {
		gsize length = strcspn(text, " =\n");
		const char *brace;

		if (length > 0 && text[length] == '=') {
			text = parse_value(record, g_strndup(text, length), text + length + 1,
					   nested);
			continue;
		}
		brace = *text == '{' ? strchr(text, '}') : NULL;
		if (brace) {
			set(&record->permissions, text + 1, (gsize)(brace - text) - 1);
			text = brace + 1;
			continue;
		}
		if ((length == 6 && strncmp(text, "denied", 6) == 0) ||
		    (length == 7 && strncmp(text, "granted", 7) == 0))
			set(&record->decision, text, length);
		text += length;
		text += *text != '\0';
	}
}

VarveAuditRecord *varve_audit_record_parse_text(guint type, gint64 time_ms, guint64 serial,
						const char *text)
{
	VarveAuditRecord *record = g_new0(VarveAuditRecord, 1);

	record->type = type;
	record->time_ms = time_ms;
	record->serial = serial;
	record->decision = g_strdup("");
	record->permissions = g_strdup("");
	record->fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	parse_words(record, text, FALSE);
	return record;
}

/* Takes @prefix off @text. */
static gboolean skip(const char **text, const char *prefix)
{
	if (!g_str_has_prefix(*text, prefix))
		return FALSE;
	*text += strlen(prefix);
	return TRUE;
}

static gboolean skip_number(const char **text, guint64 max, guint64 *ret)
{
	char *end;
	guint64 number;

	if (!g_ascii_isdigit(**text))
		return FALSE;
	number = g_ascii_strtoull(*text, &end, 10);
	if (number > max)
		return FALSE;
	*text = end;
	*ret = number;
	return TRUE;
}

VarveAuditRecord *varve_audit_record_parse(const char *line)
{
	guint64 type, seconds, milliseconds, serial;

	if (!skip(&line, "audit: type=") || !skip_number(&line, G_MAXUINT, &type) ||
	    !skip(&line, " audit(") || !skip_number(&line, G_MAXINT64 / 1000 - 1, &seconds) ||
	    !skip(&line, ".") || !skip_number(&line, 999, &milliseconds) || !skip(&line, ":") ||
	    !skip_number(&line, G_MAXUINT64 - 1, &serial) || !skip(&line, "):"))
		return NULL;
	return varve_audit_record_parse_text((guint)type, (gint64)(seconds * 1000 + milliseconds),
					     serial, line);
}

void varve_audit_record_free(VarveAuditRecord *record)
{
	if (!record)
		return;
	g_hash_table_unref(record->fields);
	g_free(record->decision);
	g_free(record->permissions);
	g_free(record);
}

const char *varve_audit_record_get(const VarveAuditRecord *record, const char *key)
{
	const char *value = g_hash_table_lookup(record->fields, key);

	return value ? value : "";
}
