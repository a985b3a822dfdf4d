/* Account files line by line. */
#include "trace/accounts.h"

#include "base/file.h"

#include <string.h>
#include <sys/stat.h>

#define SYSUSERS "usr/lib/sysusers.d"
#define SYSUSERS_LIMIT ((size_t)1024 * 1024)

gboolean varve_accounts_is_file(const char *path)
{
	static const char *const paths[] = { "/etc/passwd", "/etc/group", "/etc/shadow",
					     "/etc/gshadow", NULL };

	return g_strv_contains(paths, path);
}

void varve_accounts_declare(const char *text, GHashTable *names)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line; line++) {
		g_auto(GStrv) words = NULL;

		g_strdelimit(g_strstrip(*line), "\t", ' ');
		if (!g_str_has_prefix(*line, "u ") && !g_str_has_prefix(*line, "u! ") &&
		    !g_str_has_prefix(*line, "g "))
			continue;
		words = g_strsplit(*line, " ", -1);
		for (char **word = words + 1; *word; word++) {
			if (!**word)
				continue;
			g_hash_table_add(names, g_strdup(*word));
			break;
		}
	}
}

/* A number in words that every reader takes alike, and not root's. */
static gboolean is_other_than_root(const char *field)
{
	guint64 id;

	return g_ascii_string_to_unsigned(field, 10, 1, G_MAXUINT32 - 1, &id, NULL);
}

/* An added line of @file is one that a declaration makes, and harmless. */
static gboolean is_declared(const char *file, const char *line, GHashTable *names)
{
	g_auto(GStrv) fields = g_strsplit(line, ":", -1);
	guint n = g_strv_length(fields);

	if (n < 3 || !g_hash_table_contains(names, fields[0]))
		return FALSE;
	if (strcmp(file, "passwd") == 0)
		return strcmp(fields[1], "x") == 0 && is_other_than_root(fields[2]);
	if (strcmp(file, "group") == 0)
		return is_other_than_root(fields[2]);
	/* A locked password: nothing that is entered has such a hash. */
	return fields[1][0] == '!' || fields[1][0] == '*';
}

gboolean varve_accounts_explained(const char *file, const char *signed_text, const char *found,
				  GHashTable *names)
{
	g_auto(GStrv) before = g_strsplit(signed_text, "\n", -1);
	g_auto(GStrv) after = g_strsplit(found, "\n", -1);

	for (char **line = before; *line; line++) {
		if (**line && !g_strv_contains((const char *const *)after, *line))
			return FALSE;
	}
	for (char **line = after; *line; line++) {
		if (**line && !g_strv_contains((const char *const *)before, *line) &&
		    !is_declared(file, *line, names))
			return FALSE;
	}
	return TRUE;
}

static gboolean read_declarations(const VarveTraceLayer *layer, const VarvePath *record,
				  gpointer data, GError **error)
{
	g_autofree char *text = NULL;
	size_t size;

	if (!S_ISREG(record->mode) || !g_str_has_suffix(record->path, ".conf"))
		return TRUE;
	if (!varve_file_read_beneath(layer->fd, record->path, SYSUSERS_LIMIT, &text, &size, error))
		return FALSE;
	varve_accounts_declare(text, data);
	return TRUE;
}

GHashTable *varve_accounts_declared(const VarveTraceStack *stack, GError **error)
{
	g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < stack->layers->len; i++) {
		if (!varve_trace_layer_below(stack->layers->pdata[i], SYSUSERS, read_declarations,
					     names, error))
			return NULL;
	}
	return g_steal_pointer(&names);
}
