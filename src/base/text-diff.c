/* Unified differences: E. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), the
 * greedy form, on what is left between the common beginning and the common end. */
#include "base/text-diff.h"

#include <string.h>

#define CONTEXT 3
#define STEPS_LIMIT 2000 /* the trace takes memory in its square */

typedef struct {
	const char *text;
	gsize size; /* without the line feed */
	gboolean ended;
} Line;

/** One line of the difference: kept, of the old, of the new. */
typedef struct {
	char kind; /* ' ', '-', '+' */
	const Line *line;
} Step;

static GArray *split(const char *text, gsize size)
{
	GArray *lines = g_array_new(FALSE, FALSE, sizeof(Line));
	const char *end = text + size;

	while (text < end) {
		const char *feed = memchr(text, '\n', (gsize)(end - text));
		Line line = { text, (gsize)((feed ? feed : end) - text), feed != NULL };

		g_array_append_val(lines, line);
		text += line.size + line.ended;
	}
	return lines;
}

static gboolean same(const Line *a, const Line *b)
{
	return a->size == b->size && a->ended == b->ended && memcmp(a->text, b->text, a->size) == 0;
}

static const Line *line_at(const GArray *lines, gsize i)
{
	return &g_array_index(lines, Line, i);
}

static void add_step(GArray *steps, char kind, const Line *line)
{
	Step step = { kind, line };

	g_array_append_val(steps, step);
}

/* The middle parts, to be compared. */
typedef struct {
	const Line *old, *new;
	gssize n, m;
} Middle;

static void replace_all(const Middle *middle, GArray *steps)
{
	for (gssize i = 0; i < middle->n; i++)
		add_step(steps, '-', &middle->old[i]);
	for (gssize i = 0; i < middle->m; i++)
		add_step(steps, '+', &middle->new[i]);
}

/* Goes back through the fronts of each step; what it finds is in the wrong order. */
static void walk_back(const Middle *middle, const GPtrArray *trace, GArray *steps)
{
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Step));
	gssize x = middle->n, y = middle->m;

	for (gssize d = (gssize)trace->len - 1; d >= 0; d--) {
		/* Front d has the diagonals -d … d of what was reached with d - 1 steps. */
		const gssize *front = (const gssize *)trace->pdata[d] + d;
		gssize k = x - y, before_k, before_x, before_y;

		if (d == 0) {
			before_x = before_y = 0;
			while (x > before_x && y > before_y)
				x--, y--, add_step(found, ' ', &middle->old[x]);
			break;
		}
		before_k = k == -d || (k != d && front[k - 1] < front[k + 1]) ? k + 1 : k - 1;
		before_x = front[before_k];
		before_y = before_x - before_k;
		while (x > before_x && y > before_y)
			x--, y--, add_step(found, ' ', &middle->old[x]);
		if (x > before_x)
			x--, add_step(found, '-', &middle->old[x]);
		else if (y > before_y)
			y--, add_step(found, '+', &middle->new[y]);
	}
	for (guint i = found->len; i > 0; i--)
		g_array_append_val(steps, g_array_index(found, Step, i - 1));
}

static void compare(const Middle *middle, GArray *steps)
{
	gssize limit = MIN(middle->n + middle->m, STEPS_LIMIT);
	g_autofree gssize *room = g_new0(gssize, 2 * limit + 3);
	gssize *front = room + limit + 1; /* by diagonal */
	g_autoptr(GPtrArray) trace = g_ptr_array_new_with_free_func(g_free);

	for (gssize d = 0; d <= limit; d++) {
		g_ptr_array_add(trace, g_memdup2(front - d, (gsize)(2 * d + 1) * sizeof(*front)));
		for (gssize k = -d; k <= d; k += 2) {
			gssize x = k == -d || (k != d && front[k - 1] < front[k + 1])
					   ? front[k + 1]
					   : front[k - 1] + 1;
			gssize y = x - k;

			while (x < middle->n && y < middle->m &&
			       same(&middle->old[x], &middle->new[y]))
				x++, y++;
			front[k] = x;
			if (x >= middle->n && y >= middle->m) {
				walk_back(middle, trace, steps);
				return;
			}
		}
	}
	replace_all(middle, steps);
}

static GArray *compare_lines(const GArray *old, const GArray *new)
{
	GArray *steps = g_array_new(FALSE, FALSE, sizeof(Step));
	gsize start = 0, end = 0, shorter = MIN(old->len, new->len);
	Middle middle;

	while (start < shorter && same(line_at(old, start), line_at(new, start)))
		add_step(steps, ' ', line_at(old, start)), start++;
	while (end < shorter - start &&
	       same(line_at(old, old->len - 1 - end), line_at(new, new->len - 1 - end)))
		end++;
	middle = (Middle){ .old = start < old->len ? line_at(old, start) : NULL,
			   .new = start < new->len ? line_at(new, start) : NULL,
			   .n = (gssize)(old->len - start - end),
			   .m = (gssize)(new->len - start - end) };
	compare(&middle, steps);
	for (gsize i = old->len - end; i < old->len; i++)
		add_step(steps, ' ', line_at(old, i));
	return steps;
}

static void print_line(GString *text, const Step *step)
{
	g_string_append_c(text, step->kind);
	g_string_append_len(text, step->line->text, (gssize)step->line->size);
	g_string_append(text, step->line->ended ? "\n" : "\n\\ No newline at end of file\n");
}

static void print_range(GString *text, char sign, gsize first, gsize count)
{
	g_string_append_printf(text, "%c%zu", sign, count ? first + 1 : first);
	if (count != 1)
		g_string_append_printf(text, ",%zu", count);
}

/* The hunk around the change at @at. Returns: where it ends. */
static guint print_hunk(GString *text, const GArray *steps, guint at, gsize old, gsize new)
{
	guint first = at > CONTEXT ? at - CONTEXT : 0, end = at, last = at;
	gsize n_old = 0, n_new = 0;

	while (end < steps->len && end <= last + 2 * CONTEXT) {
		if (g_array_index(steps, Step, end).kind != ' ')
			last = end;
		end++;
	}
	end = MIN(last + CONTEXT + 1, steps->len);
	for (guint i = first; i < end; i++) {
		n_old += g_array_index(steps, Step, i).kind != '+';
		n_new += g_array_index(steps, Step, i).kind != '-';
	}
	g_string_append(text, "@@ ");
	print_range(text, '-', old - (at - first), n_old);
	g_string_append_c(text, ' ');
	print_range(text, '+', new - (at - first), n_new);
	g_string_append(text, " @@\n");
	for (guint i = first; i < end; i++)
		print_line(text, &g_array_index(steps, Step, i));
	return end;
}

char *varve_text_diff(const char *old_name, const char *old_text, gsize old_size,
		      const char *new_name, const char *new_text, gsize new_size)
{
	g_autoptr(GArray) old = split(old_text, old_size), new = split(new_text, new_size);
	g_autoptr(GArray) steps = compare_lines(old, new);
	g_autoptr(GString) text = g_string_new(NULL);
	gsize old_line = 0, new_line = 0;
	guint printed = 0;

	for (guint i = 0; i < steps->len; i++) {
		char kind = g_array_index(steps, Step, i).kind;

		if (kind != ' ' && i >= printed) {
			if (!text->len)
				g_string_append_printf(text, "--- %s\n+++ %s\n", old_name,
						       new_name);
			printed = print_hunk(text, steps, i, old_line, new_line);
		}
		old_line += kind != '+';
		new_line += kind != '-';
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}
