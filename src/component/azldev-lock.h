/* azldev's lock files: LOCK-DIR/NAME.lock says which commit of its upstream a component is made
 * from, and has a fingerprint of what goes into it. `azldev component update` writes them; here
 * they are read. */
#pragma once

#include <glib.h>

typedef struct {
	char *commit;      /* (nullable) of the upstream */
	char *fingerprint; /* (nullable) azldev's own: equal or not is all that it says */
} VarveAzldevLock;

void varve_azldev_lock_clear(VarveAzldevLock *lock);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveAzldevLock, varve_azldev_lock_clear)

/**
 * varve_azldev_lock_read:
 * @directory: where they lie; need not be there.
 * @ret: all NULL where the component @name has none.
 *
 * Errors: CORRUPT (what is wrong, with the line), UNSUPPORTED (another version of the format),
 * SYSTEM.
 */
gboolean varve_azldev_lock_read(const char *directory, const char *name, VarveAzldevLock *ret,
				GError **error);

/** varve_azldev_lock_fact: whether @line of such a file sets @key; if so *@ret (caller frees) is
 *  what to. For lines out of their file, as in a patch. */
gboolean varve_azldev_lock_fact(const char *line, const char *key, char **ret);
