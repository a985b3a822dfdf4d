/* Differences of lines by Myers' greedy algorithm: "An O(ND) Difference Algorithm and Its
 * Variations", 1986, section 4. */
#include "component/line-diff.h"

#include <string.h>

/* Differences that are looked for; memory and time grow with the square. */
#define EFFORT 1500

typedef struct {
	const char *text;
	gsize size;
	guint id; /* equal lines have equal ones */
} Line;

typedef struct {
	GArray *lines; /* Line */
	gboolean ends; /* with a line feed */
} Text;

/* What is kept of @before and @after: a change takes away and puts in. */
typedef struct {
	guint before, n_before, after, n_after;
} Change;

static Text split(const char *text, gsize size, GHashTable *ids)
{
	Text all = { g_array_new(FALSE, FALSE, sizeof(Line)), size == 0 || text[size - 1] == '\n' };
	const char *end = text + size;

	while (text < end) {
		const char *feed = memchr(text, '\n', (gsize)(end - text));
		gsize length = (gsize)((feed ? feed : end) - text);
		GBytes *key = g_bytes_new_static(text, length);
		guint id = GPOINTER_TO_UINT(g_hash_table_lookup(ids, key));
		Line line = { text, length, id };

		if (!id) {
			line.id = g_hash_table_size(ids) + 1;
			g_hash_table_insert(ids, key, GUINT_TO_POINTER(line.id));
		} else {
			g_bytes_unref(key);
		}
		g_array_append_val(all.lines, line);
		text += length + (feed ? 1 : 0);
	}
	return all;
}

static const Line *line_at(const Text *text, guint i)
{
	return &g_array_index(text->lines, Line, i);
}

static gboolean equal(const Text *before, guint i, const Text *after, guint j)
{
	/* The last line without a line feed is another than that with it. */
	gboolean left = i + 1 < before->lines->len || before->ends;
	gboolean right = j + 1 < after->lines->len || after->ends;

	return line_at(before, i)->id == line_at(after, j)->id && left == right;
}

typedef struct {
	const Text *before, *after;
	guint from_before, from_after; /* where the differing middle starts */
	int n, m;                      /* its sizes */
	GPtrArray *rounds;             /* int *: the furthest x of each diagonal, per round */
} Search;

static int extend(const Search *search, int x, int y)
{
	while (x < search->n && y < search->m &&
	       equal(search->before, search->from_before + (guint)x, search->after,
		     search->from_after + (guint)y))
		x++, y++;
	return x;
}

/* Returns: the number of differences; -1: too many. */
static int find(Search *search)
{
	int most = MIN(search->n + search->m, EFFORT);
	g_autofree int *furthest = g_new0(int, 2 * (gsize)most + 3);
	int *at = furthest + most + 1;

	for (int d = 0; d <= most; d++) {
		int *round = g_new(int, 2 * (gsize)d + 1);

		for (int k = -d; k <= d; k += 2) {
			gboolean down = k == -d || (k != d && at[k - 1] < at[k + 1]);
			int x = extend(search, down ? at[k + 1] : at[k - 1] + 1,
				       (down ? at[k + 1] : at[k - 1] + 1) - k);

			at[k] = x;
			round[k + d] = x;
			if (x >= search->n && x - k >= search->m) {
				g_ptr_array_add(search->rounds, round);
				return d;
			}
		}
		g_ptr_array_add(search->rounds, round);
	}
	return -1;
}

static int reached(const Search *search, int d, int k)
{
	const int *round = search->rounds->pdata[d];

	return k < -d || k > d ? -1 : round[k + d];
}

/* Adds one line taken away or put in, from the last to the first: to the change that it touches. */
static void step(GArray *changes, guint before, guint after, gboolean taken)
{
	Change one = { before, taken, after, !taken };

	if (changes->len > 0) {
		Change *last = &g_array_index(changes, Change, changes->len - 1);

		if (before + one.n_before == last->before && after + one.n_after == last->after) {
			last->before = before;
			last->after = after;
			last->n_before += one.n_before;
			last->n_after += one.n_after;
			return;
		}
	}
	g_array_append_val(changes, one);
}

static void trace(const Search *search, int d, GArray *changes)
{
	int x = search->n, y = search->m;

	for (; d > 0; d--) {
		int k = x - y;
		gboolean down = k == -d || (k != d && reached(search, d - 1, k - 1) <
							      reached(search, d - 1, k + 1));

		x = reached(search, d - 1, down ? k + 1 : k - 1);
		y = x - (down ? k + 1 : k - 1);
		step(changes, search->from_before + (guint)x, search->from_after + (guint)y, !down);
	}
}

/* The changes from the last to the first. */
static GArray *compare(const Text *before, const Text *after)
{
	GArray *changes = g_array_new(FALSE, FALSE, sizeof(Change));
	guint n = before->lines->len, m = after->lines->len, head = 0, tail = 0;
	g_autoptr(GPtrArray) rounds = g_ptr_array_new_with_free_func(g_free);
	Search search = { before, after, 0, 0, 0, 0, rounds };
	int d;

	while (head < n && head < m && equal(before, head, after, head))
		head++;
	while (tail < n - head && tail < m - head &&
	       equal(before, n - tail - 1, after, m - tail - 1))
		tail++;
	if (n - head - tail > G_MAXINT / 4 || m - head - tail > G_MAXINT / 4)
		return changes;
	search.from_before = search.from_after = head;
	search.n = (int)(n - head - tail);
	search.m = (int)(m - head - tail);
	d = find(&search);
	if (d >= 0) {
		trace(&search, d, changes);
	} else {
		Change whole = { head, (guint)search.n, head, (guint)search.m };

		g_array_append_val(changes, whole);
	}
	return changes;
}

/* Writing */

static void write_line(GString *out, char sign, const Text *text, guint i)
{
	const Line *line = line_at(text, i);

	g_string_append_c(out, sign);
	g_string_append_len(out, line->text, (gssize)line->size);
	g_string_append_c(out, '\n');
	if (i + 1 == text->lines->len && !text->ends)
		g_string_append(out, "\\ No newline at end of file\n");
}

static void write_range(GString *out, char sign, guint start, guint n)
{
	/* Of nothing the line before it is named. */
	g_string_append_printf(out, " %c%u", sign, n ? start + 1 : start);
	if (n != 1)
		g_string_append_printf(out, ",%u", n);
}

/* The changes [@last, @first] of the array, which runs backwards. */
static void write_hunk(GString *out, const Text *before, const Text *after, const GArray *changes,
		       guint first, guint last, guint context)
{
	const Change *start = &g_array_index(changes, Change, first);
	const Change *end = &g_array_index(changes, Change, last);
	guint above = MIN(context, start->before);
	guint below = MIN(context, before->lines->len - end->before - end->n_before);
	guint from = start->before - above, at = from;

	g_string_append(out, "@@");
	write_range(out, '-', from, end->before + end->n_before + below - from);
	write_range(out, '+', start->after - above,
		    end->after + end->n_after + below - (start->after - above));
	g_string_append(out, " @@\n");
	for (guint i = first + 1; i > last; i--) {
		const Change *change = &g_array_index(changes, Change, i - 1);

		for (; at < change->before; at++)
			write_line(out, ' ', before, at);
		for (guint j = 0; j < change->n_before; j++)
			write_line(out, '-', before, change->before + j);
		for (guint j = 0; j < change->n_after; j++)
			write_line(out, '+', after, change->after + j);
		at = change->before + change->n_before;
	}
	for (; at < end->before + end->n_before + below; at++)
		write_line(out, ' ', before, at);
}

GString *varve_line_diff(const char *before, gsize before_size, const char *after, gsize after_size,
			 guint context)
{
	g_autoptr(GHashTable) ids = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
							  (GDestroyNotify)g_bytes_unref, NULL);
	Text left = split(before, before_size, ids), right = split(after, after_size, ids);
	g_autoptr(GArray) changes = compare(&left, &right);
	GString *out = g_string_new(NULL);

	for (guint i = changes->len; i > 0;) {
		guint first = i - 1, last = first;

		while (last > 0) {
			const Change *here = &g_array_index(changes, Change, last);
			const Change *next = &g_array_index(changes, Change, last - 1);

			if (next->before - here->before - here->n_before > 2 * context)
				break;
			last--;
		}
		write_hunk(out, &left, &right, changes, first, last, context);
		i = last;
	}
	g_array_unref(left.lines);
	g_array_unref(right.lines);
	return out;
}
