/* What source.c and source-fetch.c share. */
#pragma once

#include "base/checksum.h"
#include "component/source.h"

typedef struct {
	const char *name; /* "$pkg"; NULL ends the list */
	const char *value;
} VarvePlaceholder;

/** varve_uri_fill: (caller frees) @template with its placeholders replaced, escaped as one element
 *  of a path. */
char *varve_uri_fill(const char *template, const VarvePlaceholder *placeholders);
