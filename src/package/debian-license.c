/* DEP-5's short names of licences (debian.org, copyright-format 1.0, 7.1) and SPDX's identifiers.
 */
#include "package/debian-license.h"

#include "format/license.h"
#include "package/deb822.h"

#include <string.h>

static const struct {
	const char *debian;
	const char *spdx;
} known[] = {
	{ "agpl-3", "AGPL-3.0-only" },
	{ "agpl-3+", "AGPL-3.0-or-later" },
	{ "apache-2", "Apache-2.0" },
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
	gboolean later = g_str_has_suffix(name, "+");
	g_autofree char *clean = g_strndup(name, strlen(name) - (later ? 1 : 0));

	for (char *c = clean; *c; c++)
		if (!g_ascii_isalnum(*c) && *c != '.' && *c != '-')
			*c = '-';
	return g_strconcat("LicenseRef-Debian-", clean, later ? "-or-later" : "", NULL);
}

static char *spdx_name(const char *name)
{
	g_autofree char *lower = g_ascii_strdown(name, -1);

	for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
		if (strcmp(known[i].debian, lower) == 0)
			return g_strdup(known[i].spdx);
	return varve_license_is_expression(name) ? g_strdup(name) : license_ref(name);
}

/* Reading a synopsis (copyright-format 1.0, 7.2): names joined by "and" and "or", of which "and"
 * binds closer, as in SPDX; a comma before one of them parts the whole. Exceptions ("with …") are
 * in the text and left out here. */
typedef struct {
	GPtrArray *groups; /* of char* */
	GString *group;    /* the one that is being read */
	const char *joint; /* (nullable) of the next name, said by a word */
	gboolean groups_are_choices;
} Synopsis;

static void close_group(Synopsis *synopsis)
{
	if (synopsis->group->len)
		g_ptr_array_add(synopsis->groups, g_strdup(synopsis->group->str));
	g_string_truncate(synopsis->group, 0);
	synopsis->joint = NULL;
}

static void add_word(Synopsis *synopsis, const char *word)
{
	gboolean is_or = g_ascii_strcasecmp(word, "or") == 0;
	g_autofree char *name = NULL;

	if (is_or || g_ascii_strcasecmp(word, "and") == 0) {
		if (synopsis->group->len)
			synopsis->joint = is_or ? " OR " : " AND ";
		else if (synopsis->groups->len)
			synopsis->groups_are_choices |= is_or;
		return;
	}
	name = spdx_name(word);
	if (synopsis->group->len)
		g_string_append(synopsis->group, synopsis->joint ? synopsis->joint : " AND ");
	g_string_append(synopsis->group, name);
	synopsis->joint = NULL;
}

static void read_synopsis(Synopsis *synopsis, char *line)
{
	g_auto(GStrv) words = NULL;
	gboolean excepted = FALSE;

	g_strdelimit(line, "()|/\t", ' ');
	words = g_strsplit(line, " ", -1);
	for (char **word = words; *word; word++) {
		char *comma = strchr(*word, ',');

		if (comma)
			*comma = '\0';
		if (g_ascii_strcasecmp(*word, "and") == 0 || g_ascii_strcasecmp(*word, "or") == 0)
			excepted = FALSE;
		else if (g_ascii_strcasecmp(*word, "with") == 0)
			excepted = TRUE;
		if (**word && !excepted)
			add_word(synopsis, *word);
		if (comma) {
			excepted = FALSE;
			close_group(synopsis);
		}
	}
	close_group(synopsis);
}

/* What a synopsis asks for, taken apart at its outermost "and"s. */
static void add_names(GTree *names, const char *value)
{
	g_autofree char *line = g_strndup(value, strcspn(value, "\n"));
	g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) group = g_string_new(NULL);
	Synopsis synopsis = { .groups = groups, .group = group };

	read_synopsis(&synopsis, line);
	if (synopsis.groups_are_choices) {
		g_autofree char *whole = NULL;

		g_ptr_array_add(groups, NULL);
		whole = g_strjoinv(" OR ", (char **)groups->pdata);
		g_tree_insert(names, g_strdup_printf("(%s)", whole), NULL);
		return;
	}
	for (guint i = 0; i < groups->len; i++) {
		const char *text = g_ptr_array_index(groups, i);
		g_auto(GStrv) parts = NULL;

		if (strstr(text, " OR ")) {
			g_tree_insert(names, g_strdup_printf("(%s)", text), NULL);
			continue;
		}
		parts = g_strsplit(text, " AND ", -1);
		for (char **name = parts; *name; name++)
			g_tree_insert(names, g_strdup(*name), NULL);
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
	if (g_tree_nnodes(names) == 1 && text->str[0] == '(') {
		g_string_truncate(text, text->len - 1);
		g_string_erase(text, 0, 1);
	}
	return g_string_free(text, FALSE);
}
