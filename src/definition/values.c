/* What a component's table says, key by key, with where each was said; and what people wrote beside
 * it. For those who ask why something is so. */
#include "definition/components.h"
#include "definition/tree.h"

#include <string.h>

void varve_component_value_free(VarveComponentValue *value)
{
	if (!value)
		return;
	g_free(value->key);
	g_free(value->value);
	g_free(value);
}

/* TOML on one line */

static void append_string(GString *out, const char *text)
{
	g_string_append_c(out, '"');
	for (const char *c = text; *c; c++) {
		if (*c == '"' || *c == '\\')
			g_string_append_printf(out, "\\%c", *c);
		else if (*c == '\n')
			g_string_append(out, "\\n");
		else if (*c == '\t')
			g_string_append(out, "\\t");
		else if ((guchar)*c < 0x20 || *c == 0x7f)
			g_string_append_printf(out, "\\u%04X", (guint)*c);
		else
			g_string_append_c(out, *c);
	}
	g_string_append_c(out, '"');
}

static void append_key(GString *out, const char *key)
{
	if (*key &&
	    strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
		    strlen(key))
		g_string_append(out, key);
	else
		append_string(out, key);
}

/* Of what a component's schema lets through; depth is that of the document, which is limited. */
static void append_value(GString *out, const VarveTomlValue *value)
{
	const char *separator = "";

	switch (value->type) {
	case VARVE_TOML_STRING:
		append_string(out, value->string.text);
		break;
	case VARVE_TOML_INTEGER:
		g_string_append_printf(out, "%" G_GINT64_FORMAT, value->integer);
		break;
	case VARVE_TOML_BOOLEAN:
		g_string_append(out, value->boolean ? "true" : "false");
		break;
	case VARVE_TOML_ARRAY:
		g_string_append_c(out, '[');
		for (guint32 i = 0; i < value->array.n; i++) {
			g_string_append(out, separator);
			append_value(out, value->array.items[i]);
			separator = ", ";
		}
		g_string_append_c(out, ']');
		break;
	case VARVE_TOML_TABLE:
		g_string_append(out, "{ ");
		TOML_FOREACH (entry, value) {
			g_string_append(out, separator);
			append_key(out, entry->key);
			g_string_append(out, " = ");
			append_value(out, entry->value);
			separator = ", ";
		}
		g_string_append(out, " }");
		break;
	default:
		g_string_append(out, "…");
		break;
	}
}

/* What files were merged into a table; as deep as the schema. */
static void append_table(GString *out, const VarveTable *table)
{
	const char *separator = "";

	g_string_append(out, "{ ");
	for (guint i = 0; i < table->items->len; i++) {
		const VarveItem *item = &g_array_index(table->items, VarveItem, i);

		g_string_append(out, separator);
		append_key(out, item->key);
		g_string_append(out, " = ");
		if (item->table)
			append_table(out, item->table);
		else
			append_value(out, item->value);
		separator = ", ";
	}
	g_string_append(out, " }");
}

/* Walking a table */

/* Takes @text over. */
static void add(GPtrArray *values, const char *key, GString *text, VarveOrigin origin,
		gboolean adds)
{
	VarveComponentValue *one = g_new0(VarveComponentValue, 1);

	one->key = g_strdup(key);
	one->value = g_string_free(text, FALSE);
	one->adds = adds;
	one->origin = origin;
	one->key_origin = origin;
	g_ptr_array_add(values, one);
}

static void add_array(GPtrArray *values, const char *key, const VarveItem *item)
{
	if (item->earlier)
		add_array(values, key, item->earlier);
	for (guint i = 0; item->tables && i < item->tables->len; i++) {
		const VarveTable *table = item->tables->pdata[i];
		GString *text = g_string_new(NULL);

		append_table(text, table);
		add(values, key, text, varve_source_origin(table->source, table->span), TRUE);
	}
	for (guint32 i = 0; !item->tables && i < item->value->array.n; i++) {
		const VarveTomlValue *value = item->value->array.items[i];
		GString *text = g_string_new(NULL);

		append_value(text, value);
		add(values, key, text, varve_source_origin(item->source, value->span), TRUE);
		((VarveComponentValue *)values->pdata[values->len - 1])->key_origin =
			varve_source_origin(item->source, item->key_span);
	}
}

static void walk(GPtrArray *values, const VarveTable *table, const char *prefix)
{
	for (guint i = 0; i < table->items->len; i++) {
		const VarveItem *item = &g_array_index(table->items, VarveItem, i);
		g_autoptr(GString) key = g_string_new(prefix);

		if (!item->field)
			continue;
		append_key(key, item->key);
		/* Overlays are told from the model, for those of overlay files. */
		if (!*prefix && strcmp(item->key, "overlays") == 0)
			continue;
		if (item->table) {
			g_string_append_c(key, '.');
			walk(values, item->table, key->str);
		} else if (item->value->type == VARVE_TOML_ARRAY) {
			add_array(values, key->str, item);
		} else {
			GString *text = g_string_new(NULL);

			append_value(text, item->value);
			add(values, key->str, text,
			    varve_source_origin(item->source, item->key_span), FALSE);
		}
	}
}

static void add_overlays(GPtrArray *values, const VarveComponent *component)
{
	for (gsize i = 0; i < component->n_overlays; i++) {
		const VarveSpecOverlay *overlay = &component->overlays[i];
		GString *text = g_string_new("{ type = ");

		append_string(text, varve_overlay_type_name(overlay->type));
		if (overlay->description) {
			g_string_append(text, ", description = ");
			append_string(text, overlay->description);
		}
		g_string_append(text, " }");
		add(values, "overlays", text, overlay->origin, TRUE);
	}
}

GPtrArray *varve_component_values(const VarveDefinition *definition,
				  const VarveComponent *component)
{
	GPtrArray *values =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_component_value_free);

	(void)definition;
	if (component->table)
		walk(values, component->table, "");
	add_overlays(values, component);
	return values;
}

/* Comments */

static const VarveSource *find_source(const VarveLoader *loader, const char *name)
{
	for (guint i = 0; i < loader->sources->len; i++) {
		const VarveSource *source = loader->sources->pdata[i];

		if (source->name == name || strcmp(source->name, name) == 0)
			return source;
	}
	return NULL;
}

static const char *line_start(const char *text, gsize size, guint line)
{
	const char *at = text;

	for (; line > 1 && at; line--) {
		const char *end = memchr(at, '\n', size - (gsize)(at - text));

		at = end ? end + 1 : NULL;
	}
	return at;
}

/* What follows a '#' that is not in a string: the text without it, or NULL. Lines within strings of
 * several lines are told as any other: it is for people. */
static char *comment_of(const char *line, gsize size)
{
	const char *end = memchr(line, '\n', size);
	char quote = '\0';

	if (!end)
		end = line + size;
	for (; line < end; line++) {
		if (quote == '"' && *line == '\\' && line + 1 < end)
			line++;
		else if (quote && *line == quote)
			quote = '\0';
		else if (!quote && (*line == '"' || *line == '\''))
			quote = *line;
		else if (!quote && *line == '#')
			break;
	}
	if (line == end)
		return NULL;
	while (line < end && (*line == '#' || g_ascii_isspace(*line)))
		line++;
	return g_strchomp(g_strndup(line, (gsize)(end - line)));
}

static gboolean is_comment(const char *line, const char *end)
{
	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	return line < end && *line == '#';
}

/* Rulers of dashes and the like say nothing. */
static gboolean says_something(const char *text)
{
	for (; *text; text++) {
		if (g_ascii_isalnum(*text) || *text & 0x80)
			return TRUE;
	}
	return FALSE;
}

static char *comment_above(const char *text, const char *line)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GString) all = g_string_new(NULL);

	while (line > text) {
		const char *end = line - 1, *start = end;
		char *one;

		while (start > text && start[-1] != '\n')
			start--;
		if (!is_comment(start, end))
			break;
		one = comment_of(start, (gsize)(end - start));
		if (one)
			g_ptr_array_insert(lines, 0, one);
		line = start;
	}
	for (guint i = 0; i < lines->len; i++) {
		if (!says_something(lines->pdata[i]))
			continue;
		g_string_append_printf(all, "%s%s", all->len ? " " : "", (char *)lines->pdata[i]);
	}
	return all->len ? g_string_free(g_steal_pointer(&all), FALSE) : NULL;
}

/* (nullable) the line before @line, where it is a table's header. */
static const char *header_above(const char *text, const char *line)
{
	if (line == text)
		return NULL;
	line--;
	while (line > text && line[-1] != '\n')
		line--;
	return line[strspn(line, " \t")] == '[' ? line : NULL;
}

char *varve_definition_comment(const VarveDefinition *definition, const VarveOrigin *origin)
{
	const VarveLoader *loader = (const VarveLoader *)definition->store;
	const VarveSource *source = origin->line ? find_source(loader, origin->file) : NULL;
	const char *text = NULL, *line = NULL;
	g_autofree char *comment = NULL;
	gsize size = 0;

	if (source)
		text = varve_toml_text(source->toml, &size);
	if (text)
		line = line_start(text, size, origin->line);
	if (!line)
		return NULL;
	comment = comment_of(line, size - (gsize)(line - text));
	if (comment && says_something(comment))
		return g_steal_pointer(&comment);
	g_free(comment);
	comment = comment_above(text, line);
	/* The first key of a table: what is said of the table is said of it. */
	if (!comment && (line = header_above(text, line)))
		comment = comment_above(text, line);
	return g_steal_pointer(&comment);
}
