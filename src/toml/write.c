/* Strings of names that come from outside: what a basic string may not hold is written as it must.
 */
#include "toml/write.h"

void varve_toml_append_string(GString *text, const char *value)
{
	g_string_append_c(text, '"');
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			g_string_append_c(text, '\\');
		if (g_ascii_iscntrl(*value))
			g_string_append_printf(text, "\\u%04x", (guint)(guchar)*value);
		else
			g_string_append_c(text, *value);
	}
	g_string_append_c(text, '"');
}
