/* The lines of a spec: read, printed, put in and taken out. */
#include "base/error.h"
#include "component/spec-internal.h"

#include <string.h>

#define LINES_MAX (1 << 28)

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
	/* One array for all copies, which only grows: there is a copy for each overlay. */
	g_ptr_array_unref(copy->texts);
	copy->texts = g_ptr_array_ref(spec->texts);
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

gboolean varve_spec_make(VarveSpec *spec, const char *text, gsize size, GArray *made,
			 GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, size);

	if (!cut(spec, size > 0 ? g_bytes_get_data(bytes, NULL) : "", size, FALSE, made, error))
		return FALSE;
	g_ptr_array_add(spec->texts, g_steal_pointer(&bytes));
	return TRUE;
}

static gint by_start(gconstpointer a, gconstpointer b)
{
	const SpecSplice *left = a, *right = b;

	return left->start < right->start ? -1 : left->start > right->start;
}

static gboolean count_lines(const VarveSpec *spec, const GArray *splices, guint *ret,
			    GError **error)
{
	guint64 n = spec->lines->len;

	for (guint i = 0; i < splices->len; i++) {
		const SpecSplice *splice = &g_array_index(splices, SpecSplice, i);

		n += splice->to - splice->from;
		n -= splice->end - splice->start;
	}
	if (n > LINES_MAX)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: the spec would have %" G_GUINT64_FORMAT
				  " lines, more than %d; put in less",
				  spec->name, n, LINES_MAX);
	*ret = (guint)n;
	return TRUE;
}

gboolean varve_spec_splice(VarveSpec *spec, GArray *splices, const GArray *made, GError **error)
{
	g_autoptr(GArray) lines = NULL;
	guint n = 0, next = 0;

	if (!count_lines(spec, splices, &n, error))
		return FALSE;
	g_array_sort(splices, by_start);
	lines = g_array_sized_new(FALSE, FALSE, sizeof(SpecLine), n);
	for (guint i = 0; i < splices->len; i++) {
		const SpecSplice *splice = &g_array_index(splices, SpecSplice, i);

		if (splice->start > next)
			g_array_append_vals(lines, varve_spec_at(spec, next), splice->start - next);
		if (splice->to > splice->from)
			g_array_append_vals(lines, &g_array_index(made, SpecLine, splice->from),
					    splice->to - splice->from);
		next = splice->end;
	}
	if (spec->lines->len > next)
		g_array_append_vals(lines, varve_spec_at(spec, next), spec->lines->len - next);
	g_array_unref(spec->lines);
	spec->lines = g_steal_pointer(&lines);
	spec->indexed = FALSE;
	spec->edited = TRUE;
	return TRUE;
}

gboolean varve_spec_insert(VarveSpec *spec, guint line, const char *const *texts, GError **error)
{
	g_autoptr(GArray) made = g_array_new(FALSE, FALSE, sizeof(SpecLine));
	g_autoptr(GArray) splices = g_array_new(FALSE, FALSE, sizeof(SpecSplice));
	SpecSplice splice = { .start = line, .end = line };

	for (; *texts; texts++)
		if (!varve_spec_make(spec, *texts, strlen(*texts), made, error))
			return FALSE;
	splice.to = made->len;
	g_array_append_val(splices, splice);
	return varve_spec_splice(spec, splices, made, error);
}

gboolean varve_spec_prepend(VarveSpec *spec, const char *const *lines, GError **error)
{
	return varve_spec_insert(spec, 0, lines, error);
}

gboolean varve_spec_append(VarveSpec *spec, const char *const *lines, GError **error)
{
	return varve_spec_insert(spec, spec->lines->len, lines, error);
}
