/* What becomes of a spec's Release: azldev's release calculation. A static number is raised by how
 * often the distribution changed the component; %autorelease is worked out from the history
 * (component/autospec.h). */
#pragma once

#include "definition/components.h"

/** varve_release_is_auto: whether the value of a Release tag calls %autorelease in a form that
 * takes nothing else in its place. */
gboolean varve_release_is_auto(const char *value);

/**
 * varve_release_raise:
 * "3%{?dist}" raised by 2 is "5%{?dist}". Only a number, alone or followed by %{?dist} or %{dist},
 * can be raised.
 *
 * Returns: (caller frees) or NULL: UNSUPPORTED.
 */
char *varve_release_raise(const char *value, guint64 by, GError **error);

/**
 * varve_release_find:
 * The value of the last Release tag of the main package, as it is written in @spec.
 *
 * Returns: (caller frees) or NULL: NOT_FOUND.
 */
char *varve_release_find(const char *spec, GError **error);

/**
 * varve_release_calculate:
 * What the Release @value is to become.
 *
 * @component: its name, for messages.
 * @by: how many changes of ours the component has had.
 * @ret_value: (caller frees) the new value, or NULL where the tag stays as it is.
 *
 * Errors: UNSUPPORTED: a form that cannot be raised, or %autorelease where the definition says
 * "static"; the message says what to set.
 */
gboolean varve_release_calculate(VarveReleaseCalculation calculation, const char *component,
				 const char *value, guint64 by, char **ret_value, GError **error);
