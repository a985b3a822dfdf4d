/* Sets of code points, as ranges: what a character class is made of. */
#pragma once

#include <glib.h>

#define VARVE_RUNE_MAX 0x10FFFFu

typedef struct {
	gunichar first, last;
} VarveRuneRange;

/** Reference-counted: a set that a node of an expression holds is not changed any more. */
typedef struct VarveRuneSet VarveRuneSet;

VarveRuneSet *varve_rune_set_new(void);
VarveRuneSet *varve_rune_set_ref(VarveRuneSet *set);
void varve_rune_set_unref(VarveRuneSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveRuneSet, varve_rune_set_unref)

void varve_rune_set_add(VarveRuneSet *set, gunichar first, gunichar last);
void varve_rune_set_add_set(VarveRuneSet *set, VarveRuneSet *more);

/** varve_rune_set_negate: leaves all other code points, surrogates too. */
void varve_rune_set_negate(VarveRuneSet *set);

gboolean varve_rune_set_has(VarveRuneSet *set, gunichar rune);

/** varve_rune_set_ranges: (borrowed) sorted, apart by at least one; until @set is changed. */
const VarveRuneRange *varve_rune_set_ranges(VarveRuneSet *set, gsize *ret_n);
