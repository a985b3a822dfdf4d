/* Having packages of an archive in a directory. */
#pragma once

#include "package/debian-apt.h"

/**
 * varve_debian_fetch:
 * Downloads, with progress, those of the packages of @stanzas that are not in @directory with the
 * size that the archive says. They appear under varve_apt_file_name() when they are whole; apt
 * writes to @directory/.fetch, and what a killed run left whole there is taken.
 *
 * @ret_fetched: how many were downloaded.
 *
 * Errors: those of varve_apt_download(); CORRUPT (a stanza without a size).
 */
gboolean varve_debian_fetch(VarveApt *apt, const GPtrArray *stanzas, const char *directory,
			    guint *ret_fetched, GError **error);

/** varve_debian_fetch_size: the size of the .deb that @stanza describes. */
gboolean varve_debian_fetch_size(const VarveParagraph *stanza, guint64 *ret, GError **error);
