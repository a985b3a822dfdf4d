/* Sets of code points. Ranges are appended as they come and put in order when somebody asks. */
#include "definition/regex-set.h"

/* Up to here an unordered tail may grow: the same class named a thousand times must not cost a
 * thousand times its memory. */
#define TAIL_MAX 4096

struct VarveRuneSet {
	gint references;
	GArray *ranges;
	guint ordered; /* so many of them, from the first, are in order */
};

VarveRuneSet *varve_rune_set_new(void)
{
	VarveRuneSet *set = g_new0(VarveRuneSet, 1);

	set->references = 1;
	set->ranges = g_array_new(FALSE, FALSE, sizeof(VarveRuneRange));
	return set;
}

VarveRuneSet *varve_rune_set_ref(VarveRuneSet *set)
{
	set->references++;
	return set;
}

void varve_rune_set_unref(VarveRuneSet *set)
{
	if (set && --set->references == 0) {
		g_array_unref(set->ranges);
		g_free(set);
	}
}

static gint compare_ranges(gconstpointer a, gconstpointer b)
{
	const VarveRuneRange *left = a, *right = b;

	return (left->first > right->first) - (left->first < right->first);
}

static void put_in_order(VarveRuneSet *set)
{
	VarveRuneRange *ranges = (VarveRuneRange *)(void *)set->ranges->data;
	guint n = 0;

	if (set->ordered == set->ranges->len)
		return;
	g_array_sort(set->ranges, compare_ranges);
	for (guint i = 0; i < set->ranges->len; i++) {
		if (n > 0 && ranges[i].first <= ranges[n - 1].last + 1)
			ranges[n - 1].last = MAX(ranges[n - 1].last, ranges[i].last);
		else
			ranges[n++] = ranges[i];
	}
	g_array_set_size(set->ranges, n);
	set->ordered = n;
}

void varve_rune_set_add(VarveRuneSet *set, gunichar first, gunichar last)
{
	VarveRuneRange range = { first, last };
	VarveRuneRange *end;

	if (set->ranges->len > 0) {
		end = &g_array_index(set->ranges, VarveRuneRange, set->ranges->len - 1);
		if (first >= end->first && first <= end->last + 1) {
			end->last = MAX(end->last, last);
			return;
		}
	}
	if (set->ranges->len == set->ordered && (set->ranges->len == 0 || first > end->last))
		set->ordered++;
	g_array_append_val(set->ranges, range);
	if (set->ranges->len - set->ordered > TAIL_MAX)
		put_in_order(set);
}

void varve_rune_set_add_set(VarveRuneSet *set, VarveRuneSet *more)
{
	gsize n;
	const VarveRuneRange *ranges = varve_rune_set_ranges(more, &n);

	for (gsize i = 0; i < n; i++)
		varve_rune_set_add(set, ranges[i].first, ranges[i].last);
}

void varve_rune_set_negate(VarveRuneSet *set)
{
	g_autoptr(GArray) others = g_array_new(FALSE, FALSE, sizeof(VarveRuneRange));
	gunichar next = 0;
	GArray *swap;

	put_in_order(set);
	for (guint i = 0; i < set->ranges->len; i++) {
		const VarveRuneRange *range = &g_array_index(set->ranges, VarveRuneRange, i);
		VarveRuneRange gap = { next, range->first - 1 };

		if (range->first > next)
			g_array_append_val(others, gap);
		next = range->last + 1;
	}
	if (next <= VARVE_RUNE_MAX) {
		VarveRuneRange gap = { next, VARVE_RUNE_MAX };

		g_array_append_val(others, gap);
	}
	swap = set->ranges;
	set->ranges = g_steal_pointer(&others);
	others = swap;
	set->ordered = set->ranges->len;
}

gboolean varve_rune_set_has(VarveRuneSet *set, gunichar rune)
{
	guint low = 0, high;

	put_in_order(set);
	high = set->ranges->len;
	while (low < high) {
		guint middle = low + (high - low) / 2;
		const VarveRuneRange *range = &g_array_index(set->ranges, VarveRuneRange, middle);

		if (rune < range->first)
			high = middle;
		else if (rune > range->last)
			low = middle + 1;
		else
			return TRUE;
	}
	return FALSE;
}

const VarveRuneRange *varve_rune_set_ranges(VarveRuneSet *set, gsize *ret_n)
{
	put_in_order(set);
	*ret_n = set->ranges->len;
	return (const VarveRuneRange *)(const void *)set->ranges->data;
}
