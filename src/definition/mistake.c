/* The list of mistakes: recorded where they are found, told together. */
#include "definition/tree.h"

#include <string.h>

#define MISTAKES_SHOWN 100

static void add(VarveLoader *loader, const VarveSource *source, VarveTomlSpan span, char *message)
{
	VarveMistake *mistake = g_new0(VarveMistake, 1);

	mistake->source = source;
	mistake->span = span;
	mistake->message = message;
	g_ptr_array_add(loader->mistakes, mistake);
}

void varve_loader_mistake(VarveLoader *loader, const VarveSource *source, VarveTomlSpan span,
			  const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(loader, source, span, g_strdup_vprintf(format, args));
	va_end(args);
}

void varve_item_mistake(VarveLoader *loader, const VarveItem *item, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(loader, item->source, item->value->span, g_strdup_vprintf(format, args));
	va_end(args);
}

void varve_key_mistake(VarveLoader *loader, const VarveItem *item, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(loader, item->source, item->key_span, g_strdup_vprintf(format, args));
	va_end(args);
}

void varve_table_mistake(VarveLoader *loader, const VarveTable *table, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(loader, table->source, table->span, g_strdup_vprintf(format, args));
	va_end(args);
}

VarveOrigin varve_source_origin(const VarveSource *source, VarveTomlSpan span)
{
	VarveOrigin origin = { .file = source->name };

	varve_toml_locate(source->toml, span.start, &origin.line, &origin.column);
	return origin;
}

char *varve_item_place(const VarveItem *item)
{
	VarveOrigin origin = varve_source_origin(item->source, item->key_span);

	return g_strdup_printf("%s:%u", varve_toml_name(item->source->toml), origin.line);
}

char *varve_origin_place(const VarveLoader *loader, const VarveOrigin *origin)
{
	return g_strdup_printf("%s%s:%u", *origin->file == '/' ? "" : loader->prefix, origin->file,
			       origin->line);
}

char *varve_table_text(const VarveTable *table)
{
	if (table->schema->what && table->name)
		return g_strdup_printf("%s '%s'", table->schema->what, table->name);
	if (table->schema->what)
		return g_strdup_printf("this %s", table->schema->what);
	if (table->name)
		return g_strdup_printf("[%s]", table->name);
	return g_strdup("this table");
}

static int compare_mistakes(gconstpointer a, gconstpointer b)
{
	const VarveMistake *left = *(VarveMistake *const *)a, *right = *(VarveMistake *const *)b;
	int order = strcmp(left->source->name, right->source->name);

	if (order == 0)
		order = (left->span.start > right->span.start) -
			(left->span.start < right->span.start);
	return order != 0 ? order : strcmp(left->message, right->message);
}

static gboolean same_mistake(const VarveMistake *a, const VarveMistake *b)
{
	return a->source == b->source && a->span.start == b->span.start &&
	       strcmp(a->message, b->message) == 0;
}

void varve_definition_mistake_free(VarveDefinitionMistake *mistake)
{
	if (!mistake)
		return;
	g_free(mistake->file);
	g_free(mistake->message);
	g_free(mistake);
}

static void add_to_list(GPtrArray *list, const VarveMistake *mistake)
{
	VarveOrigin origin = varve_source_origin(mistake->source, mistake->span);
	VarveDefinitionMistake *one = g_new0(VarveDefinitionMistake, 1);

	one->file = g_strdup(origin.file);
	one->line = origin.line;
	one->column = origin.column;
	one->message = g_strdup(mistake->message);
	g_ptr_array_add(list, one);
}

/* The byte of @source's text at @line and @column. */
static guint32 offset_at(const VarveSource *source, guint line, guint column)
{
	gsize size;
	const char *text = varve_toml_text(source->toml, &size), *end = text + size, *at = text;

	for (guint i = 1; i < line && at < end; i++) {
		const char *newline = memchr(at, '\n', (gsize)(end - at));

		at = newline ? newline + 1 : end;
	}
	for (guint i = 1; i < column && at < end; i++)
		at = g_utf8_next_char(at);
	return (guint32)(MIN(at, end) - text);
}

char *varve_definition_message(const VarveDefinition *definition, const VarveOrigin *origin,
			       const char *message)
{
	const VarveLoader *loader = (const VarveLoader *)definition->store;

	for (guint i = 0; origin->line > 0 && i < loader->sources->len; i++) {
		const VarveSource *source = loader->sources->pdata[i];
		VarveTomlSpan span;

		if (strcmp(source->name, origin->file) != 0)
			continue;
		span.start = span.end = offset_at(source, origin->line, origin->column);
		return varve_toml_message(source->toml, span, message);
	}
	return g_strdup(message);
}

char *varve_loader_report(VarveLoader *loader, GPtrArray *list)
{
	GPtrArray *mistakes = loader->mistakes;
	g_autoptr(GString) out = g_string_new(NULL);
	guint n = 0, files = 0;

	if (mistakes->len == 0)
		return NULL;
	g_ptr_array_sort(mistakes, compare_mistakes);
	for (guint i = 0; i < mistakes->len; i++) {
		const VarveMistake *mistake = mistakes->pdata[i];
		const VarveMistake *before = i > 0 ? mistakes->pdata[i - 1] : NULL;
		g_autofree char *message = NULL;

		if (before && same_mistake(before, mistake))
			continue;
		if (list)
			add_to_list(list, mistake);
		files += !before || before->source != mistake->source;
		if (++n > MISTAKES_SHOWN)
			continue;
		message =
			varve_toml_message(mistake->source->toml, mistake->span, mistake->message);
		g_string_append_printf(out, "%s\n", message);
	}
	if (n > MISTAKES_SHOWN)
		g_string_append_printf(out, "... and %u more\n", n - MISTAKES_SHOWN);
	g_string_append_printf(out, "%u mistake%s in %u file%s", n, n == 1 ? "" : "s", files,
			       files == 1 ? "" : "s");
	return g_string_free(g_steal_pointer(&out), FALSE);
}
