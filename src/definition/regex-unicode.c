/* Categories and scripts as GLib's tables have them (UAX #44, gc and sc), and simple case folding
 * (CaseFolding.txt, C and S). The names are those of Unicode's PropertyValueAliases.txt. */
#include "definition/regex-unicode.h"

#include <glib-object.h>
#include <string.h>

#define BIT(type) (1u << G_UNICODE_##type)
#define CASED (BIT(UPPERCASE_LETTER) | BIT(LOWERCASE_LETTER) | BIT(TITLECASE_LETTER))
#define LETTERS (CASED | BIT(MODIFIER_LETTER) | BIT(OTHER_LETTER))
#define MARKS (BIT(SPACING_MARK) | BIT(ENCLOSING_MARK) | BIT(NON_SPACING_MARK))
#define NUMBERS (BIT(DECIMAL_NUMBER) | BIT(LETTER_NUMBER) | BIT(OTHER_NUMBER))
#define PUNCTUATION \
	(BIT(CONNECT_PUNCTUATION) | BIT(DASH_PUNCTUATION) | BIT(CLOSE_PUNCTUATION) | \
	 BIT(FINAL_PUNCTUATION) | BIT(INITIAL_PUNCTUATION) | BIT(OTHER_PUNCTUATION) | \
	 BIT(OPEN_PUNCTUATION))
#define SYMBOLS (BIT(CURRENCY_SYMBOL) | BIT(MODIFIER_SYMBOL) | BIT(MATH_SYMBOL) | BIT(OTHER_SYMBOL))
#define SEPARATORS (BIT(LINE_SEPARATOR) | BIT(PARAGRAPH_SEPARATOR) | BIT(SPACE_SEPARATOR))
#define ASSIGNED_OTHERS (BIT(CONTROL) | BIT(FORMAT) | BIT(PRIVATE_USE) | BIT(SURROGATE))
#define OTHERS (ASSIGNED_OTHERS | BIT(UNASSIGNED))

typedef struct {
	const char *name;
	const char *long_name;
	const char *other_name;
	guint32 types;
} Category;

static const Category categories[] = {
	{ "c", "other", NULL, OTHERS },
	{ "cc", "control", "cntrl", BIT(CONTROL) },
	{ "cf", "format", NULL, BIT(FORMAT) },
	{ "cn", "unassigned", NULL, BIT(UNASSIGNED) },
	{ "co", "privateuse", NULL, BIT(PRIVATE_USE) },
	{ "cs", "surrogate", NULL, BIT(SURROGATE) },
	{ "l", "letter", NULL, LETTERS },
	{ "lc", "casedletter", NULL, CASED },
	{ "ll", "lowercaseletter", NULL, BIT(LOWERCASE_LETTER) },
	{ "lm", "modifierletter", NULL, BIT(MODIFIER_LETTER) },
	{ "lo", "otherletter", NULL, BIT(OTHER_LETTER) },
	{ "lt", "titlecaseletter", NULL, BIT(TITLECASE_LETTER) },
	{ "lu", "uppercaseletter", NULL, BIT(UPPERCASE_LETTER) },
	{ "m", "mark", "combiningmark", MARKS },
	{ "mc", "spacingmark", NULL, BIT(SPACING_MARK) },
	{ "me", "enclosingmark", NULL, BIT(ENCLOSING_MARK) },
	{ "mn", "nonspacingmark", NULL, BIT(NON_SPACING_MARK) },
	{ "n", "number", NULL, NUMBERS },
	{ "nd", "decimalnumber", "digit", BIT(DECIMAL_NUMBER) },
	{ "nl", "letternumber", NULL, BIT(LETTER_NUMBER) },
	{ "no", "othernumber", NULL, BIT(OTHER_NUMBER) },
	{ "p", "punctuation", "punct", PUNCTUATION },
	{ "pc", "connectorpunctuation", NULL, BIT(CONNECT_PUNCTUATION) },
	{ "pd", "dashpunctuation", NULL, BIT(DASH_PUNCTUATION) },
	{ "pe", "closepunctuation", NULL, BIT(CLOSE_PUNCTUATION) },
	{ "pf", "finalpunctuation", NULL, BIT(FINAL_PUNCTUATION) },
	{ "pi", "initialpunctuation", NULL, BIT(INITIAL_PUNCTUATION) },
	{ "po", "otherpunctuation", NULL, BIT(OTHER_PUNCTUATION) },
	{ "ps", "openpunctuation", NULL, BIT(OPEN_PUNCTUATION) },
	{ "s", "symbol", NULL, SYMBOLS },
	{ "sc", "currencysymbol", NULL, BIT(CURRENCY_SYMBOL) },
	{ "sk", "modifiersymbol", NULL, BIT(MODIFIER_SYMBOL) },
	{ "sm", "mathsymbol", NULL, BIT(MATH_SYMBOL) },
	{ "so", "othersymbol", NULL, BIT(OTHER_SYMBOL) },
	{ "z", "separator", NULL, SEPARATORS },
	{ "zl", "lineseparator", NULL, BIT(LINE_SEPARATOR) },
	{ "zp", "paragraphseparator", NULL, BIT(PARAGRAPH_SEPARATOR) },
	{ "zs", "spaceseparator", NULL, BIT(SPACE_SEPARATOR) },
	{ "assigned", NULL, NULL, ~BIT(UNASSIGNED) },
	{ "any", NULL, NULL, ~0u },
};

/* @rune and @folded: those with one @folded are one letter but for the case. */
typedef struct {
	gunichar folded, rune;
} Fold;

struct VarveUnicode {
	GHashTable *named; /* plain name -> VarveRuneSet */
	GArray *folds;     /* (nullable) sorted by @folded */
};

VarveUnicode *varve_unicode_new(void)
{
	VarveUnicode *unicode = g_new0(VarveUnicode, 1);

	unicode->named = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					       (GDestroyNotify)varve_rune_set_unref);
	return unicode;
}

void varve_unicode_free(VarveUnicode *unicode)
{
	if (!unicode)
		return;
	g_hash_table_unref(unicode->named);
	g_clear_pointer(&unicode->folds, g_array_unref);
	g_free(unicode);
}

static char *plain_name(const char *name, gsize size)
{
	GString *plain = g_string_sized_new(size);

	for (gsize i = 0; i < size; i++) {
		if (!strchr("_- ", name[i]))
			g_string_append_c(plain, g_ascii_tolower(name[i]));
	}
	return g_string_free(plain, FALSE);
}

static VarveRuneSet *of_types(guint32 types)
{
	VarveRuneSet *set = varve_rune_set_new();

	for (gunichar rune = 0; rune <= VARVE_RUNE_MAX; rune++) {
		if (types & (1u << g_unichar_type(rune)))
			varve_rune_set_add(set, rune, rune);
	}
	return set;
}

static VarveRuneSet *of_script(const char *plain)
{
	g_autoptr(GTypeClass) class = g_type_class_ref(G_TYPE_UNICODE_SCRIPT);
	const GEnumClass *scripts = (const GEnumClass *)class;

	for (guint i = 0; i < scripts->n_values; i++) {
		const char *nick = scripts->values[i].value_nick;
		g_autofree char *name = plain_name(nick, strlen(nick));
		VarveRuneSet *set;

		if (strcmp(name, plain) != 0 ||
		    scripts->values[i].value == G_UNICODE_SCRIPT_UNKNOWN ||
		    scripts->values[i].value == G_UNICODE_SCRIPT_INVALID_CODE ||
		    scripts->values[i].value == G_UNICODE_SCRIPT_MATH)
			continue;
		set = varve_rune_set_new();
		for (gunichar rune = 0; rune <= VARVE_RUNE_MAX; rune++) {
			if ((int)g_unichar_get_script(rune) == scripts->values[i].value)
				varve_rune_set_add(set, rune, rune);
		}
		return set;
	}
	return NULL;
}

static VarveRuneSet *look_up(const char *plain)
{
	if (strcmp(plain, "ascii") == 0) {
		VarveRuneSet *set = varve_rune_set_new();

		varve_rune_set_add(set, 0, 0x7f);
		return set;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(categories); i++) {
		if (strcmp(plain, categories[i].name) == 0 ||
		    g_strcmp0(plain, categories[i].long_name) == 0 ||
		    g_strcmp0(plain, categories[i].other_name) == 0)
			return of_types(categories[i].types);
	}
	return of_script(plain);
}

VarveRuneSet *varve_unicode_named(VarveUnicode *unicode, const char *name, gsize size)
{
	g_autofree char *plain = plain_name(name, size);
	VarveRuneSet *set = g_hash_table_lookup(unicode->named, plain);

	if (!set) {
		set = look_up(plain);
		if (!set)
			return NULL;
		g_hash_table_insert(unicode->named, g_steal_pointer(&plain), set);
	}
	return varve_rune_set_ref(set);
}

/* By way of the upper case, so that those letters meet that share it: s and long s, k and the
 * kelvin sign. The two Turkish letters do not fold without a language; and GLib changes the case of
 * letters only, which Roman numerals, letters in circles and the iota below are not. */
static gunichar folded(gunichar rune)
{
	if (rune == 0x130 || rune == 0x131)
		return rune;
	if (rune == 0x345)
		return 0x3b9;
	if (rune >= 0x2160 && rune <= 0x216f)
		return rune + 0x10;
	if (rune >= 0x24b6 && rune <= 0x24cf)
		return rune + 0x1a;
	return g_unichar_tolower(g_unichar_toupper(rune));
}

static gint compare_folds(gconstpointer a, gconstpointer b)
{
	const Fold *left = a, *right = b;

	return left->folded != right->folded
		       ? (left->folded > right->folded) - (left->folded < right->folded)
		       : (left->rune > right->rune) - (left->rune < right->rune);
}

static GArray *read_folds(void)
{
	GArray *folds = g_array_new(FALSE, FALSE, sizeof(Fold));

	for (gunichar rune = 0; rune <= VARVE_RUNE_MAX; rune++) {
		Fold other = { folded(rune), rune };
		Fold self = { other.folded, other.folded };

		if (other.folded == rune)
			continue;
		g_array_append_val(folds, other);
		g_array_append_val(folds, self); /* again for every other: that does no harm */
	}
	g_array_sort(folds, compare_folds);
	return folds;
}

static const GArray *folds_of(VarveUnicode *unicode)
{
	if (!unicode->folds)
		unicode->folds = read_folds();
	return unicode->folds;
}

/* ASCII without the table, which takes milliseconds to make: most expressions have nothing else. */
static void fold_ascii(VarveRuneSet *set)
{
	for (gunichar letter = 'a'; letter <= 'z'; letter++) {
		gunichar upper = letter - 'a' + 'A';

		if (!varve_rune_set_has(set, letter) && !varve_rune_set_has(set, upper))
			continue;
		varve_rune_set_add(set, letter, letter);
		varve_rune_set_add(set, upper, upper);
		if (letter == 'k')
			varve_rune_set_add(set, 0x212a, 0x212a);
		if (letter == 's')
			varve_rune_set_add(set, 0x17f, 0x17f);
	}
}

static gboolean is_ascii(VarveRuneSet *set)
{
	gsize n;
	const VarveRuneRange *ranges = varve_rune_set_ranges(set, &n);

	return n == 0 || ranges[n - 1].last < 0x80;
}

VarveRuneSet *varve_unicode_cases(VarveUnicode *unicode, gunichar rune)
{
	VarveRuneSet *set = varve_rune_set_new();
	gunichar wanted = folded(rune);
	const GArray *folds;
	guint low = 0, high;

	varve_rune_set_add(set, rune, rune);
	if (rune < 0x80) {
		fold_ascii(set);
		return set;
	}
	folds = folds_of(unicode);
	high = folds->len;
	while (low < high) {
		guint middle = low + (high - low) / 2;

		if (g_array_index(folds, Fold, middle).folded < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < folds->len && g_array_index(folds, Fold, low).folded == wanted; low++) {
		gunichar other = g_array_index(folds, Fold, low).rune;

		varve_rune_set_add(set, other, other);
	}
	return set;
}

void varve_unicode_fold(VarveUnicode *unicode, VarveRuneSet *set)
{
	g_autoptr(GArray) more = g_array_new(FALSE, FALSE, sizeof(gunichar));
	const GArray *folds;
	guint end;

	if (is_ascii(set)) {
		fold_ascii(set);
		return;
	}
	folds = folds_of(unicode);
	for (guint i = 0; i < folds->len; i = end) {
		const Fold *first = &g_array_index(folds, Fold, i);
		gboolean wanted = FALSE;

		for (end = i; end < folds->len; end++) {
			const Fold *fold = &g_array_index(folds, Fold, end);

			if (fold->folded != first->folded)
				break;
			wanted = wanted || varve_rune_set_has(set, fold->rune);
		}
		for (guint k = i; wanted && k < end; k++)
			g_array_append_val(more, g_array_index(folds, Fold, k).rune);
	}
	for (guint i = 0; i < more->len; i++) {
		gunichar rune = g_array_index(more, gunichar, i);

		varve_rune_set_add(set, rune, rune);
	}
}
