/* Whose turn it is at a boot: from the records on the state partition to the generation that is
 * taken, and what is left out of the layers directory. `varvectl boot` and `plan` are the same
 * here. */
#pragma once

#include "stack/history.h"
#include "stack/report.h"
#include "stack/tries.h"

/* Why layers are refused where it is nobody's turn. */
#define VARVE_TURN_NOTHING_CODE "did-not-come-up"
#define VARVE_TURN_NOTHING_SENTENCE "no stack of this base came up on this node"

typedef struct {
	VarveGeneration *current; /* (nullable) of the base; NULL: the layers directory decides */
	VarveHistory *history;
	VarveTry attempt; /* NOTHING: the base alone, whatever @current is */
} VarveTurn;

/**
 * varve_turn_find:
 * Reads the records of @base, takes back what a swap left that was interrupted before its commit,
 * and counts the boot. Whatever cannot be read or written is a warning in @report, a generation
 * that did not come up a complaint; a node boots all the same.
 *
 * @generations_fd: -1: there are no records. @layers_fd: -1: there are no layers.
 * @writes: FALSE: nothing is written, and what would be decided is said.
 */
void varve_turn_find(int generations_fd, int layers_fd, const VarveDigest *base, gboolean writes,
		     VarveReport *report, VarveTurn *ret);
void varve_turn_clear(VarveTurn *turn);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveTurn, varve_turn_clear)
