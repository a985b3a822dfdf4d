/* Reading a .deb (deb(5)): an ar archive of control.tar and data.tar. The bytes of its files are
 * unpacked to one unnamed temporary file, so that memory does not grow with the package. */
#pragma once

#include <glib.h>

typedef struct {
	char *path;   /* absolute, normalised; /bin, /lib, … are moved below /usr */
	guint32 mode; /* permission and type bits */
	char *user, *group;
	char *target; /* of a symbolic link */
	gint64 mtime;
	guint64 offset, size; /* of a regular file, in VarveDeb.fd */
	guint32 link;         /* above 0: hard links of one file */
	guint32 device;       /* (major << 8) | minor */
} VarveDebEntry;

typedef struct {
	char *control;         /* text of the control file */
	GHashTable *conffiles; /* set of paths */
	GPtrArray *entries;    /* of VarveDebEntry */
	int fd;
	gint64 newest; /* mtime of the newest entry */
} VarveDeb;

/**
 * varve_deb_open:
 * Reads the package behind @fd from its start, whole.
 *
 * @name: for messages.
 * @scratch: a directory for the temporary file.
 *
 * Errors: CORRUPT (not a .deb, a path that leaves the root, a damaged archive), UNSUPPORTED,
 * SYSTEM.
 */
VarveDeb *varve_deb_open(int fd, const char *name, const char *scratch, GError **error);
void varve_deb_free(VarveDeb *deb);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveDeb, varve_deb_free)

/** varve_deb_find: (borrowed, nullable) the entry at @path. */
const VarveDebEntry *varve_deb_find(const VarveDeb *deb, const char *path);

/**
 * varve_deb_read:
 * The bytes of a regular file of at most 4 MiB.
 *
 * @ret_data: (caller frees) with a NUL after @ret_size bytes.
 */
gboolean varve_deb_read(const VarveDeb *deb, const VarveDebEntry *entry, char **ret_data,
			gsize *ret_size, GError **error);
