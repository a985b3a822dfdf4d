/* What every kind of bill of materials says in its own syntax: the subject, the layers that it
 * consists of, and how a package is called in the world outside (package URLs, licences). */
#pragma once

#include "format/manifest.h"

#include <glib.h>

/** What a document is about. Nothing is owned. */
typedef struct {
	const char *name; /* of the layer or image: "ssh", "container" */
	const char *version;
	const char *supplier;               /* "" where it is not known */
	gint64 created;                     /* seconds since the epoch */
	const VarveManifest *const *layers; /* one: the subject is that layer itself */
	gsize n_layers;
} VarveBom;

/**
 * varve_bom_purl:
 * Returns: (caller frees) the package URL of a package of @layer, with what scanners need to match
 * it: "pkg:rpm/OSID/NAME@VERSION-RELEASE?arch=ARCH&distro=OSID-VERSIONID&epoch=1&upstream=SRPM".
 * epoch is left out where it is 0, upstream where the source RPM is not known.
 */
char *varve_bom_purl(const VarveManifest *layer, const VarveManifestPackage *package);

/** varve_bom_is_system: whether the subject is an OS: an image, or a base layer. */
gboolean varve_bom_is_system(const VarveBom *bom);

/** varve_bom_time: (caller frees) "2026-11-22T23:00:00Z". */
char *varve_bom_time(gint64 created);

/**
 * varve_bom_uuid:
 * Returns: (caller frees) a UUID (version 8) made from everything that the document says but its
 * time: the same content is the same document. @kind keeps the formats apart.
 */
char *varve_bom_uuid(const VarveBom *bom, const char *kind);
