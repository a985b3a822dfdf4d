/* Members of manifests, a layer's and the boot's: read strictly from hostile JSON (an unknown one,
 * a control character, a word with what does not belong there is an error that names it), and
 * written in one way. @name is what the document is, for messages. */
#pragma once

#include "base/json.h"
#include "format/manifest.h"

/** varve_members_check: UNSUPPORTED where @object has a member that is not among @known. */
gboolean varve_members_check(const json_t *object, const char *const *known, const char *name,
			     GError **error);

/** varve_members_format: whether the member "format" is @expected. Errors: CORRUPT, UNSUPPORTED. */
gboolean varve_members_format(const json_t *object, int expected, const char *name, GError **error);

/** varve_members_made_of: whether @text is 1 to 128 ASCII letters, digits and characters of
 *  @others. */
gboolean varve_members_made_of(const char *text, const char *others);

/** varve_members_has_control: whether valid UTF-8 could make a terminal do something. */
gboolean varve_members_has_control(const char *text);

/* Each replaces what @ret points to (the text is freed) or fails with CORRUPT. */

/** varve_members_text: a string without control characters. */
gboolean varve_members_text(const json_t *object, const char *key, const char *name, char **ret,
			    GError **error);
/** varve_members_word: one that is varve_members_made_of() @others. */
gboolean varve_members_word(const json_t *object, const char *key, const char *others,
			    const char *name, char **ret, GError **error);
/** varve_members_digest: 64 lowercase hexadecimal digits. */
gboolean varve_members_digest(const json_t *object, const char *key, const char *name,
			      VarveDigest *ret, GError **error);

/** varve_members_packages: appends the VarveManifestPackage * of the member "packages", which have
 *  to be in order, to @packages. */
gboolean varve_members_packages(const json_t *root, const char *name, GPtrArray *packages,
				GError **error);

/** (caller owns) */
json_t *varve_members_of_digest(const VarveDigest *digest);
/** (caller owns) the same packages in their order. */
json_t *varve_members_of_packages(const GPtrArray *packages);

/** varve_members_sort_packages: by name, epoch, version, release (as RPM compares), architecture.
 */
void varve_members_sort_packages(GPtrArray *packages);
