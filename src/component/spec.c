/* The lines of a spec: read, printed, put in and taken out. */
#include "base/error.h"
#include "component/spec-internal.h"

#include <string.h>

static VarveSpec *spec_new(const char *name)
{
	VarveSpec *spec = g_new0(VarveSpec, 1);

	spec->name = g_strdup(name);
	spec->lines = g_array_new(FALSE, FALSE, sizeof(SpecLine));
	spec->texts = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	spec->sections = g_array_new(FALSE, FALSE, sizeof(SpecSection));
	spec->names = g_string_chunk_new(1024);
	return spec;
}

void varve_spec_free(VarveSpec *spec)
{
	if (!spec)
		return;
	g_free(spec->name);
	g_array_unref(spec->lines);
	g_ptr_array_unref(spec->texts);
	g_array_unref(spec->sections);
	g_string_chunk_free(spec->names);
	g_free(spec);
}

VarveSpec *varve_spec_copy(const VarveSpec *spec)
{
	VarveSpec *copy = spec_new(spec->name);

	copy->edited = spec->edited;
	g_array_append_vals(copy->lines, spec->lines->data, spec->lines->len);
	for (guint i = 0; i < spec->texts->len; i++)
		g_ptr_array_add(copy->texts, g_bytes_ref(spec->texts->pdata[i]));
	return copy;
}

/* A blank at the end of a line: what the line is stays. */
static void drop_return(SpecLine *line)
{
	if (line->size > 0 && line->text[line->size - 1] == '\r')
		line->size--;
}

/* Cuts @size bytes at @text into lines. A text without a line feed at its end has one more line;
 * @file: but not an empty one, and a carriage return belongs to the line feed that follows. */
static gboolean cut(const VarveSpec *spec, const char *text, gsize size, gboolean file,
		    GArray *lines, GError **error)
{
	const char *end = text + size;

	for (const char *p = text;;) {
		const char *feed = memchr(p, '\n', (gsize)(end - p));
		gsize length = (gsize)((feed ? feed : end) - p);
		SpecLine line = { p, (guint32)length, SPEC_TEXT };

		if (!feed && length == 0 && file)
			return TRUE;
		if (length > VARVE_SPEC_LINE_MAX)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s:%u: the line has %zu bytes, a spec's have at most "
					  "%u; break it in its source",
					  spec->name, lines->len + 1, length, VARVE_SPEC_LINE_MAX);
		line.mark = varve_spec_mark(p, length);
		if (file)
			drop_return(&line);
		g_array_append_val(lines, line);
		if (!feed)
			return TRUE;
		p = feed + 1;
	}
}

VarveSpec *varve_spec_parse(const char *name, const char *data, gsize size, GError **error)
{
	g_autoptr(VarveSpec) spec = spec_new(name);
	GBytes *text = g_bytes_new(data, size);

	g_ptr_array_add(spec->texts, text);
	if (size > 0 && !cut(spec, g_bytes_get_data(text, NULL), size, TRUE, spec->lines, error))
		return NULL;
	return g_steal_pointer(&spec);
}

GString *varve_spec_print(const VarveSpec *spec)
{
	gsize size = 1;
	GString *text;

	for (guint i = 0; i < spec->lines->len; i++)
		size += varve_spec_at(spec, i)->size + 1;
	text = g_string_sized_new(size);
	for (guint i = 0; i < spec->lines->len; i++) {
		const SpecLine *line = varve_spec_at(spec, i);

		g_string_append_len(text, line->text, line->size);
		g_string_append_c(text, '\n');
	}
	return text;
}

void varve_spec_settle(VarveSpec *spec)
{
	if (!spec->edited)
		return;
	spec->edited = FALSE;
	for (guint i = 0; i < spec->lines->len; i++)
		drop_return(varve_spec_at(spec, i));
}

guint varve_spec_lines(const VarveSpec *spec)
{
	return spec->lines->len;
}

const char *varve_spec_line(const VarveSpec *spec, guint line, gsize *ret_size)
{
	*ret_size = varve_spec_at(spec, line)->size;
	return varve_spec_at(spec, line)->text;
}

static void touch(VarveSpec *spec)
{
	spec->indexed = FALSE;
	spec->edited = TRUE;
}

gboolean varve_spec_insert(VarveSpec *spec, guint line, const char *text, gsize size,
			   guint *ret_inserted, GError **error)
{
	g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(SpecLine));
	g_autoptr(GBytes) bytes = g_bytes_new(text, size);
	const char *kept = size > 0 ? g_bytes_get_data(bytes, NULL) : "";

	if (!cut(spec, kept, size, FALSE, lines, error))
		return FALSE;
	g_ptr_array_add(spec->texts, g_steal_pointer(&bytes));
	g_array_insert_vals(spec->lines, line, lines->data, lines->len);
	touch(spec);
	if (ret_inserted)
		*ret_inserted = lines->len;
	return TRUE;
}

gboolean varve_spec_insert_all(VarveSpec *spec, guint line, const char *const *texts,
			       GError **error)
{
	for (guint n; *texts; texts++, line += n)
		if (!varve_spec_insert(spec, line, *texts, strlen(*texts), &n, error))
			return FALSE;
	return TRUE;
}

gboolean varve_spec_put(VarveSpec *spec, guint line, const char *text, gsize size,
			guint *ret_inserted, GError **error)
{
	g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(SpecLine));
	g_autoptr(GBytes) bytes = g_bytes_new(text, size);

	if (memchr(text, '\n', size)) {
		varve_spec_delete(spec, line, 1);
		return varve_spec_insert(spec, line, text, size, ret_inserted, error);
	}
	if (!cut(spec, size > 0 ? g_bytes_get_data(bytes, NULL) : "", size, FALSE, lines, error))
		return FALSE;
	g_ptr_array_add(spec->texts, g_steal_pointer(&bytes));
	*varve_spec_at(spec, line) = g_array_index(lines, SpecLine, 0);
	touch(spec);
	*ret_inserted = 1;
	return TRUE;
}

void varve_spec_delete(VarveSpec *spec, guint line, guint n)
{
	if (n > 0)
		g_array_remove_range(spec->lines, line, n);
	touch(spec);
}

gboolean varve_spec_prepend(VarveSpec *spec, const char *const *lines, GError **error)
{
	return varve_spec_insert_all(spec, 0, lines, error);
}

gboolean varve_spec_append(VarveSpec *spec, const char *const *lines, GError **error)
{
	return varve_spec_insert_all(spec, spec->lines->len, lines, error);
}
