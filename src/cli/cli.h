/* The exit statuses that verbs return. */
#pragma once

#include "cli/verb.h"

/** Exit status with which a verb that already told everything itself returns. */
enum {
	VARVE_EXIT_OK = 0,
	VARVE_EXIT_FAILED = 1,
	VARVE_EXIT_USAGE = 2,
	VARVE_EXIT_REFUSED = 3,
	VARVE_EXIT_NOT_FOUND = 4,
	VARVE_EXIT_UNTRUSTED = 5,
};
