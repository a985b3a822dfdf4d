/* How varvectl shows who runs old code. */
#pragma once

#include "base/json.h"
#include "live/shown.h"

/** varve_show_who: prints, unit by unit, the processes that run old code or do not follow, what
 *  they hold and what to do, and a summary last.
 *  @layers: (nullable) only what is held of the layers of these names. */
void varve_show_who(const VarveWho *who, const VarveShown *shown, const char *const *layers);

/** varve_show_who_json: (caller owns) the same. */
json_t *varve_show_who_json(const VarveWho *who, const VarveShown *shown,
			    const char *const *layers);

/** varve_show_who_next: (caller frees) what ends it: a command, or what to do.
 *  @declared: of varve_shown_declared(). */
char *varve_show_who_next(const VarveHolder *holder, const char *declared);

/** varve_show_who_concerns: whether @holder has a file of @layers, or @layers is NULL or empty. */
gboolean varve_show_who_concerns(const VarveHolder *holder, const char *const *layers);

/** varve_show_who_sentence: (caller frees, nullable) what the node has to say of those that are
 *  pending, in one sentence without a full stop; NULL where there are none. */
char *varve_show_who_sentence(const VarveWho *who);
