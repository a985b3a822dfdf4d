/* Publishing a directory of RPMs as a signed rpm-md repository. */
#pragma once

#include "rpm/openpgp.h"

#include <glib.h>

/**
 * varve_repository_publish:
 * Indexes the packages below @directory and puts @directory/repodata, with repomd.xml.asc by @key,
 * in place in one step: a reader sees the old index or the new one, each with its signature. The
 * same packages give the same index.
 *
 * @packages: (nullable) names relative to @directory; NULL: all *.rpm below it.
 *
 * Errors: NOT_FOUND (no such directory, no package in it, no createrepo_c), SYSTEM.
 */
gboolean varve_repository_publish(const char *directory, VarveOpenpgp *key,
				  const GPtrArray *packages, GError **error);

/**
 * varve_repository_sign:
 * Signs those of @packages that carry no signature, in place; their mtime stays.
 *
 * @ret_signed: how many those were.
 */
gboolean varve_repository_sign(const char *directory, VarveOpenpgp *key, const GPtrArray *packages,
			       guint *ret_signed, GError **error);

/**
 * varve_repository_packages:
 * Returns: (caller frees with g_ptr_array_unref) the names of all *.rpm below @directory, relative
 * to it, sorted; or NULL.
 */
GPtrArray *varve_repository_packages(const char *directory, GError **error);
