/* What programs write as TOML. */
#pragma once

#include <glib.h>

/** varve_toml_append_string: appends @value, UTF-8, as a basic string (TOML 1.0, String): quoted,
 * and escaped where it must be. */
void varve_toml_append_string(GString *text, const char *value);
