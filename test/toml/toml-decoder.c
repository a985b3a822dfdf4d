/* Reads TOML on standard input and prints it as tagged JSON, as the conformance suite of
 * toml-lang/toml-test wants it; exit 1 and the problems on standard error for an invalid document.
 */
#include "toml/toml.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

static json_t *tagged(const char *type, const char *text, gsize size)
{
	return json_pack("{s:s, s:o}", "type", type, "value", json_stringn(text, size));
}

static json_t *encode_float(double real)
{
	char text[64];

	if (isnan(real))
		g_strlcpy(text, "nan", sizeof(text));
	else if (isinf(real))
		g_strlcpy(text, real < 0 ? "-inf" : "inf", sizeof(text));
	else
		g_ascii_formatd(text, sizeof(text), "%.17g", real);
	return tagged("float", text, strlen(text));
}

static json_t *encode_datetime(const VarveTomlValue *value)
{
	const VarveTomlDatetime *when = &value->datetime;
	g_autoptr(GString) text = g_string_new(NULL);
	const char *type = "time-local";

	if (value->type != VARVE_TOML_LOCAL_TIME)
		g_string_append_printf(text, "%04u-%02u-%02u", when->year, when->month, when->day);
	if (value->type == VARVE_TOML_LOCAL_DATE)
		return tagged("date-local", text->str, text->len);
	if (text->len > 0) {
		g_string_append_c(text, 'T');
		type = "datetime-local";
	}
	g_string_append_printf(text, "%02u:%02u:%02u.%09u", when->hour, when->minute, when->second,
			       when->nanosecond);
	if (value->type == VARVE_TOML_OFFSET_DATETIME) {
		guint minutes = (guint)ABS(when->offset);

		type = "datetime";
		g_string_append_printf(text, "%c%02u:%02u", when->offset < 0 ? '-' : '+',
				       minutes / 60, minutes % 60);
	}
	return tagged(type, text->str, text->len);
}

static json_t *encode(const VarveTomlValue *value)
{
	g_autofree char *text = NULL;
	json_t *out;

	switch (value->type) {
	case VARVE_TOML_STRING:
		return tagged("string", value->string.text, value->string.size);
	case VARVE_TOML_INTEGER:
		text = g_strdup_printf("%" G_GINT64_FORMAT, value->integer);
		return tagged("integer", text, strlen(text));
	case VARVE_TOML_FLOAT:
		return encode_float(value->real);
	case VARVE_TOML_BOOLEAN:
		return value->boolean ? tagged("bool", "true", 4) : tagged("bool", "false", 5);
	case VARVE_TOML_ARRAY:
		out = json_array();
		for (guint32 i = 0; i < value->array.n; i++)
			json_array_append_new(out, encode(value->array.items[i]));
		return out;
	case VARVE_TOML_TABLE:
		out = json_object();
		TOML_FOREACH (entry, value)
			json_object_setn_new(out, entry->key, entry->key_size,
					     encode(entry->value));
		return out;
	default:
		return encode_datetime(value);
	}
}

int main(void)
{
	g_autoptr(GByteArray) input = g_byte_array_new();
	g_autoptr(VarveToml) toml = NULL;
	g_autoptr(GError) error = NULL;
	guint8 buffer[65536];
	json_t *json;
	ssize_t n;

	while ((n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
		g_byte_array_append(input, buffer, (guint)n);
	if (n < 0)
		return 2;
	toml = varve_toml_parse("stdin", (const char *)input->data, input->len, &error);
	if (!toml) {
		fprintf(stderr, "%s\n", error->message);
		return 1;
	}
	json = encode(varve_toml_root(toml));
	json_dumpf(json, stdout, JSON_INDENT(1) | JSON_ALLOW_NUL);
	putchar('\n');
	json_decref(json);
	return 0;
}
