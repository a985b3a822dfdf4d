/* How varvectl status shows what a look at the running stack found. */
#pragma once

#include "base/json.h"
#include "stack/health.h"

/** varve_show_health: prints what is wrong or not known, each after @indent; nothing where all is
 *  well. */
void varve_show_health(const VarveHealth *health, const char *indent);

/** varve_show_health_json: puts "damage" and "mounted-over" into @object: null where unknown, with
 *  the reason in "damage-unknown" and "mounted-over-unknown". */
void varve_show_health_json(const VarveHealth *health, json_t *object);
