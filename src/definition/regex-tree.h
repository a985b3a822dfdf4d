/* A regular expression of RE2's syntax as a tree, and what makes it and takes it: regex-parse.c,
 * regex-class.c (what stands for one character), regex-node.c, regex-pcre.c. */
#pragma once

#include "definition/regex-set.h"
#include "definition/regex-unicode.h"

/* RE2's limits: of one repetition and of those in each other multiplied; of the tree's height. */
#define VARVE_REGEX_REPEAT_MAX 1000
#define VARVE_REGEX_HEIGHT_MAX 1000
/* Ours: PCRE2 cannot compile what is much larger. */
#define VARVE_REGEX_PATTERN_MAX (64 * 1024)

typedef enum {
	VARVE_REGEX_EMPTY,
	VARVE_REGEX_ONE,       /* one character of @set */
	VARVE_REGEX_ASSERTION, /* of no width */
	VARVE_REGEX_SEQUENCE,
	VARVE_REGEX_CHOICE, /* the first that fits, as Perl has it */
	VARVE_REGEX_REPEAT,
	VARVE_REGEX_GROUP, /* a capture: nothing refers to it, but it counts for the height */
} VarveRegexKind;

typedef enum {
	VARVE_REGEX_TEXT_BEGIN,
	VARVE_REGEX_TEXT_END,
	VARVE_REGEX_LINE_BEGIN,
	VARVE_REGEX_LINE_END,
	VARVE_REGEX_WORD_BOUNDARY,
	VARVE_REGEX_NO_WORD_BOUNDARY,
} VarveRegexAssertion;

#define VARVE_REGEX_UNLIMITED (-1)

typedef struct VarveRegexNode VarveRegexNode;

struct VarveRegexNode {
	VarveRegexKind kind;
	VarveRuneSet *set;             /* ONE */
	VarveRegexAssertion assertion; /* ASSERTION */
	int min, max;                  /* REPEAT */
	gboolean lazy;
	GPtrArray *children; /* (element-type VarveRegexNode) of the last four */
	guint height;
	guint repeats; /* the most that repetitions in each other come to */
	gboolean nullable;
};

/* regex-node.c. The constructors take over what they are given. */
VarveRegexNode *varve_regex_node_empty(void);
VarveRegexNode *varve_regex_node_one(VarveRuneSet *set);
VarveRegexNode *varve_regex_node_assertion(VarveRegexAssertion assertion);
/** varve_regex_node_join: of @kind SEQUENCE or CHOICE; the one itself where there is one. */
VarveRegexNode *varve_regex_node_join(VarveRegexKind kind, GPtrArray *children);
VarveRegexNode *varve_regex_node_repeat(VarveRegexNode *child, int min, int max, gboolean lazy);
VarveRegexNode *varve_regex_node_group(VarveRegexNode *child);
void varve_regex_node_free(VarveRegexNode *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveRegexNode, varve_regex_node_free)

/* What a pattern is read from. */
typedef struct {
	const char *pattern;
	gsize size, at;
	gboolean fold, multiline, dot_all, ungreedy; /* the flags that hold at @at */
	VarveUnicode *unicode;
} VarveRegexReader;

/** varve_regex_fault: sets @error: what @what is wrong at byte @at of the pattern; FALSE. */
gboolean varve_regex_fault(const VarveRegexReader *reader, gsize at, GError **error,
			   const char *what, ...) G_GNUC_PRINTF(4, 5);
/** varve_regex_foreign: the same for what RE2's syntax does not have, by name. */
gboolean varve_regex_foreign(const VarveRegexReader *reader, gsize at, const char *name,
			     GError **error);

/** varve_regex_read_class: what stands at '['. (transfer full) NULL: USAGE, UNSUPPORTED. */
VarveRuneSet *varve_regex_read_class(VarveRegexReader *reader, GError **error);
/** varve_regex_read_escape: a character or a class at '\', outside of brackets. The same. */
VarveRuneSet *varve_regex_read_escape(VarveRegexReader *reader, GError **error);
/** varve_regex_rune: (transfer full) @rune, in either case where the flags say so. */
VarveRuneSet *varve_regex_rune(VarveRegexReader *reader, gunichar rune);

/** varve_regex_parse: the tree of @pattern; NULL: USAGE, UNSUPPORTED. */
VarveRegexNode *varve_regex_parse(const char *pattern, GError **error);

/** A callout of the pattern. */
typedef struct {
	guint32 end; /* where it ends in the pattern */
	/* 0 or 1: behind it stands a repetition without limit of one character, at least so many
	 * times, and then the stop of the index @after; where that was visited so many characters
	 * further on, it was visited at all places up to where the repetition ends. -1: nothing of
	 * the kind. */
	gint8 ahead;
	/* What stands behind it runs over the same characters again from each place that it begins
	 * at. Where @after refused more often than the text is long, this one must refuse too:
	 * another way to write the same follows, with stops within the repetition. */
	gboolean gives_way;
	guint32 after;
} VarveRegexStop;

/**
 * varve_regex_to_pcre2:
 * @node in PCRE2's syntax, for PCRE2_UTF, PCRE2_DOTALL, PCRE2_NO_AUTO_CAPTURE and newline LF.
 *
 * @stops: (element-type VarveRegexStop) its callouts are appended. A callout must refuse to go on
 * at a place of the text where it was called before in one search; its number is what it costs.
 *
 * Returns: (caller frees) or NULL: UNSUPPORTED (too large for PCRE2).
 */
char *varve_regex_to_pcre2(VarveRegexNode *node, GArray *stops, GError **error);
