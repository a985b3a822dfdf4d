/* Files by checksum from the web or from this machine: fetched once, resumed after a break, checked
 * while they are written, kept under their checksum. What has no known checksum is not fetched. */
#pragma once

#include <glib.h>

/** What is wanted. Nothing is owned. */
typedef struct {
	const char *name;        /* for messages: "curl-8.tar.xz" */
	const char *const *uris; /* tried in order, NULL-ended: https:, file:, http: (see below) */
	GChecksumType type;
	const char *checksum; /* hexadecimal, as @type asks */
	gboolean plain_http;  /* http: from anywhere; else only from this machine */
	gboolean offline;     /* only what is in the cache or a file of this machine */
} VarveDownload;

/**
 * varve_download:
 * Has the file in the directory @cache, as TYPE/CHECKSUM, and checks it again if it was there. What
 * does not have the checksum is removed. Several processes may share a cache.
 *
 * Returns: (caller frees) the path, or NULL: CORRUPT (what came is another file; both checksums
 * are named), NOT_FOUND (no such file at any of the URIs, or offline), REFUSED (a URI of another
 * kind), SYSTEM.
 */
char *varve_download(const VarveDownload *download, const char *cache, GError **error);

/**
 * varve_mirror_uris:
 * The places of @path below a mirror as apt writes it: one for "https://…/debian", one for each
 * mirror that a list names for "mirror+file:/…".
 *
 * Returns: (caller frees with g_strfreev) or NULL: NOT_FOUND (no such list, or an empty one).
 */
char **varve_mirror_uris(const char *mirror, const char *path, GError **error);
