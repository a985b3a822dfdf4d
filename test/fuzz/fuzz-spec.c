/* Specs: printed as they were read, but for what ends lines; any overlays applied to any bytes
 * leave a spec that is read back as it was printed, and one that does not fit leaves it alone. An
 * input is overlays, one a line with its fields parted by tabs (type, section, package, tag,
 * value), a line of "=", and the spec. */
#include "base/error.h"
#include "component/overlay.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static VarveSpec *parse(const char *text, gsize size)
{
	g_autoptr(GError) error = NULL;
	VarveSpec *spec = varve_spec_parse("input", text, size, &error);

	if (!spec && !g_error_matches(error, VARVE_ERROR, VARVE_ERROR_CORRUPT))
		__builtin_trap();
	return spec;
}

static void check_lines(const VarveSpec *spec, const GString *printed)
{
	const char *p = printed->str;

	for (guint i = 0; i < varve_spec_lines(spec); i++) {
		gsize n;
		const char *line = varve_spec_line(spec, i, &n);

		if (n > VARVE_SPEC_LINE_MAX || memchr(line, '\n', n) ||
		    p + n >= printed->str + printed->len || memcmp(line, p, n) != 0 || p[n] != '\n')
			__builtin_trap();
		p += n + 1;
	}
	if (p != printed->str + printed->len)
		__builtin_trap();
}

static gboolean same_line(const VarveSpec *spec, const VarveSpec *again, guint i)
{
	gsize n, m;
	const char *line = varve_spec_line(spec, i, &n), *read = varve_spec_line(again, i, &m);

	n -= n > 0 && line[n - 1] == '\r';
	return n == m && memcmp(line, read, n) == 0;
}

/* What is printed is read as the same lines, but for a carriage return at their ends. */
static GString *check_printed(const VarveSpec *spec)
{
	GString *printed = varve_spec_print(spec);
	g_autoptr(VarveSpec) again = parse(printed->str, printed->len);

	check_lines(spec, printed);
	if (!again || varve_spec_lines(again) != varve_spec_lines(spec))
		__builtin_trap();
	for (guint i = 0; i < varve_spec_lines(spec); i++)
		if (!same_line(spec, again, i))
			__builtin_trap();
	return printed;
}

/* What was read is printed: but for carriage returns at the ends of lines, and a line feed at the
 * end of the last. */
static void check_read(const char *text, gsize size, const GString *printed)
{
	g_autoptr(GString) expected = g_string_new_len(text, (gssize)size);

	if (size > 0 && text[size - 1] != '\n')
		g_string_append_c(expected, '\n');
	for (gsize i = expected->len; i-- > 1;)
		if (expected->str[i] == '\n' && expected->str[i - 1] == '\r')
			g_string_erase(expected, (gssize)--i, 1);
	if (!g_string_equal(expected, printed))
		__builtin_trap();
}

static gboolean read_overlay(const char *line, char **fields, VarveSpecOverlay *ret)
{
	static const char *lines[2];

	if (g_strv_length(fields) != 5)
		return FALSE;
	for (int type = 0; type <= VARVE_OVERLAY_PATCH_REMOVE; type++) {
		if (strcmp(fields[0], varve_overlay_type_name(type)) != 0)
			continue;
		lines[0] = fields[4];
		*ret = (VarveSpecOverlay){ .origin = { line, 1, 1 },
					   .type = (VarveOverlayType)type,
					   .section = fields[1],
					   .package = fields[2],
					   .tag = fields[3],
					   .value = fields[4],
					   .regex = fields[3],
					   .replacement = fields[4],
					   .lines = lines,
					   .file = fields[3],
					   .source = "/nonexistent" };
		/* Expressions and what they may cost have a fuzzer of their own. */
		return type != VARVE_OVERLAY_SPEC_SEARCH_REPLACE ||
		       (strlen(fields[3]) < 64 && strlen(fields[4]) < 64);
	}
	return FALSE;
}

static void apply(VarveOverlayTarget *target, const char *line)
{
	g_auto(GStrv) fields = g_strsplit(line, "\t", 6);
	g_autoptr(GString) before = varve_spec_print(target->spec), after = NULL;
	g_autoptr(GError) error = NULL;
	VarveSpecOverlay overlay;

	if (!read_overlay("input", fields, &overlay))
		return;
	if (varve_overlay_apply(target, &overlay, &error)) {
		after = check_printed(target->spec);
		return;
	}
	after = varve_spec_print(target->spec);
	if (!error || !g_string_equal(before, after))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char mark[] = "\n=\n";
	const char *text = (const char *)data;
	const char *part = size < 1 << 16 ? memmem(text, size, mark, strlen(mark)) : NULL;
	const char *start = part ? part + strlen(mark) : text;
	gsize n = size - (gsize)(start - text);
	VarveOverlayTarget target = { parse(start, n), "fuzzed", -1 };
	g_autofree char *overlays = g_strndup(text, part ? (gsize)(part - text) : 0);
	g_auto(GStrv) lines = g_strsplit(overlays, "\n", 32);
	g_autoptr(GString) printed = NULL;

	if (!target.spec)
		return 0;
	printed = check_printed(target.spec);
	check_read(start, n, printed);
	for (char **line = lines; *line; line++)
		apply(&target, *line);
	varve_spec_free(target.spec);
	return 0;
}
