/* DEP-5's short names of licences (debian.org, copyright-format 1.0, 7.1) and SPDX's identifiers.
 */
#include "package/debian-license.h"

#include "package/deb822.h"

#include <string.h>

static const struct {
	const char *debian;
	const char *spdx;
} known[] = {
	{ "agpl-3", "AGPL-3.0-only" },
	{ "agpl-3+", "AGPL-3.0-or-later" },
	{ "apache-2.0", "Apache-2.0" },
	{ "artistic", "Artistic-1.0-Perl" },
	{ "artistic-2.0", "Artistic-2.0" },
	{ "bsd-2-clause", "BSD-2-Clause" },
	{ "bsd-3-clause", "BSD-3-Clause" },
	{ "bsd-4-clause", "BSD-4-Clause" },
	{ "bsl-1.0", "BSL-1.0" },
	{ "cc-by-3.0", "CC-BY-3.0" },
	{ "cc-by-4.0", "CC-BY-4.0" },
	{ "cc-by-sa-3.0", "CC-BY-SA-3.0" },
	{ "cc-by-sa-4.0", "CC-BY-SA-4.0" },
	{ "cc0", "CC0-1.0" },
	{ "cc0-1.0", "CC0-1.0" },
	{ "expat", "MIT" },
	{ "gfdl-1.2+", "GFDL-1.2-or-later" },
	{ "gfdl-1.3+", "GFDL-1.3-or-later" },
	{ "gpl-1", "GPL-1.0-only" },
	{ "gpl-1+", "GPL-1.0-or-later" },
	{ "gpl-2", "GPL-2.0-only" },
	{ "gpl-2+", "GPL-2.0-or-later" },
	{ "gpl-2.0", "GPL-2.0-only" },
	{ "gpl-2.0+", "GPL-2.0-or-later" },
	{ "gpl-3", "GPL-3.0-only" },
	{ "gpl-3+", "GPL-3.0-or-later" },
	{ "gpl-3.0", "GPL-3.0-only" },
	{ "gpl-3.0+", "GPL-3.0-or-later" },
	{ "isc", "ISC" },
	{ "lgpl-2", "LGPL-2.0-only" },
	{ "lgpl-2+", "LGPL-2.0-or-later" },
	{ "lgpl-2.0+", "LGPL-2.0-or-later" },
	{ "lgpl-2.1", "LGPL-2.1-only" },
	{ "lgpl-2.1+", "LGPL-2.1-or-later" },
	{ "lgpl-3", "LGPL-3.0-only" },
	{ "lgpl-3+", "LGPL-3.0-or-later" },
	{ "mit", "MIT" },
	{ "mpl-1.1", "MPL-1.1" },
	{ "mpl-2.0", "MPL-2.0" },
	{ "openssl", "OpenSSL" },
	{ "psf-2", "PSF-2.0" },
	{ "unlicense", "Unlicense" },
	{ "zlib", "Zlib" },
};

/* Letters, digits, dots and dashes are all that an SPDX LicenseRef may have. */
static char *license_ref(const char *name)
{
	g_autofree char *clean = g_strdup(name);

	for (char *c = clean; *c; c++)
		if (!g_ascii_isalnum(*c) && *c != '.' && *c != '-')
			*c = '-';
	return g_strconcat("LicenseRef-Debian-", clean, NULL);
}

/* "GPL-2+ or MIT and BSD-3-clause, and …": the names between the words. */
static void add_names(GTree *names, const char *value)
{
	g_autofree char *line = g_strndup(value, strcspn(value, "\n"));
	g_auto(GStrv) words = NULL;

	g_strdelimit(line, ",()|/", ' ');
	words = g_strsplit_set(line, " \t", -1);
	for (char **word = words; *word; word++) {
		g_autofree char *lower = g_ascii_strdown(*word, -1);
		const char *spdx = NULL;

		if (!*lower || strcmp(lower, "and") == 0 || strcmp(lower, "or") == 0)
			continue;
		/* "GPL-2+ with OpenSSL exception": the exception is in the text. */
		if (strcmp(lower, "with") == 0)
			break;
		for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
			if (strcmp(known[i].debian, lower) == 0)
				spdx = known[i].spdx;
		g_tree_insert(names, spdx ? g_strdup(spdx) : license_ref(*word), NULL);
	}
}

static gboolean append_name(gpointer key, gpointer value G_GNUC_UNUSED, gpointer data)
{
	GString *text = data;

	g_string_append_printf(text, "%s%s", text->len ? " AND " : "", (const char *)key);
	return FALSE;
}

static gint compare_names(gconstpointer a, gconstpointer b, gpointer data G_GNUC_UNUSED)
{
	return strcmp(a, b);
}

char *varve_debian_license(const char *copyright)
{
	g_autoptr(GPtrArray) paragraphs =
		copyright ? varve_deb822_parse(copyright, strlen(copyright), "copyright", NULL)
			  : NULL;
	g_autoptr(GTree) names = g_tree_new_full(compare_names, NULL, g_free, NULL);
	GString *text = g_string_new(NULL);

	if (paragraphs && paragraphs->len &&
	    varve_paragraph_get(g_ptr_array_index(paragraphs, 0), "Format"))
		for (guint i = 0; i < paragraphs->len; i++) {
			const VarveParagraph *paragraph = g_ptr_array_index(paragraphs, i);
			const char *value = varve_paragraph_get(paragraph, "License");

			/* Paragraphs without files only repeat the text of a licence. */
			if (value && (i == 0 || varve_paragraph_get(paragraph, "Files")))
				add_names(names, value);
		}
	g_tree_foreach(names, append_name, text);
	if (!text->len)
		g_string_assign(text, "LicenseRef-Debian-copyright");
	return g_string_free(text, FALSE);
}
