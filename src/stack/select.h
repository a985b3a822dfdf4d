/* From the layers directory to the layers that are merged: candidates, the policy's decision, and
 * older versions where the newest is refused. Boot and plan are the same here. */
#pragma once

#include "stack/history.h"
#include "stack/stack.h"

/** What to choose from, and with what. Nothing is owned. */
typedef struct {
	VarveOpening opening;
	const VarveFacts *base;
	int layers_fd;   /* the layers directory; -1: there is none */
	gboolean staged; /* listed layers may lie in staged_fd, which is asked first */
	int staged_fd;
	const VarveGeneration
		*current;            /* (nullable) what was committed for this base, or is to be */
	const VarveHistory *history; /* (nullable) what failed here is not taken again */
	gint64 today;                /* varve_policy_decide() */
} VarveSelecting;

/**
 * varve_select:
 * Candidates are exactly the layers of a current generation that was `listed`, else the newest
 * version of each name in the directory; there at most the first 1000 files by name, and a file
 * whose name no layer can have is not opened. Every decision is appended to @report: the accepted
 * ones in the order of the result, then the refused.
 *
 * Returns: (caller frees with g_ptr_array_unref) VarveMounted *, lowest first, patches above all
 * others. Never NULL: whatever is wrong is wrong with one layer.
 */
GPtrArray *varve_select(const VarveSelecting *selecting, VarveReport *report);

/** varve_select_files: (caller frees with g_strfreev) the files that varve_select() looks at, in
 * that order; of one name in the directory the later ones only where the first is refused. */
char **varve_select_files(const VarveSelecting *selecting, VarveReport *report);

/** varve_select_split_name: what NAME_VERSION_ARCH.raw claims; FALSE where @file is not of the
 * form. Claims are good for choosing what to look at and for nothing else. */
gboolean varve_select_split_name(const char *file, char **ret_name, char **ret_version);

/** varve_select_none: refuses every file of the directory for one reason that is the base's. */
void varve_select_none(int layers_fd, const char *code, const char *sentence, VarveReport *report);
