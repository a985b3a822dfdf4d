/* Roots made of packages by our own installer and kept by what they were made of: the tools tree,
 * the roots in which components are built. */
#pragma once

#include "compose/inputs.h"
#include "package/install.h"

/** What to make. Zero-initialise; nothing is owned. */
typedef struct {
	const char *work;   /* the work directory */
	const char *kind;   /* "tools": of the store */
	const char *format; /* "tools 2": raised when the same packages are to give another root */
	const char *name;   /* within the kind: an architecture */
	guint keep;         /* how many of them stay */
	gint64 epoch;
	const char *lower;     /* (nullable) a root that it lies on; then it is what comes to it */
	const char *lower_key; /* ... and what that was made of */
	/* (nullable) Called once the packages are there. @directory has "root", and takes what else
	 * is to be kept beside it. */
	gboolean (*finish)(const char *directory, const VarveInstalled *installed, gpointer data,
			   GError **error);
	gpointer data;
} VarvePackageRoot;

/** varve_inputs_add_packages: NEVRA and digest of each of @packages (VarvePackage *). */
void varve_inputs_add_packages(VarveInputs *inputs, const GPtrArray *packages);

/**
 * varve_package_root_make:
 * The root of @packages (VarvePackage *, solved): from the store, else fetched and installed.
 *
 * @ret_key: (caller frees) what it was made of.
 *
 * Returns: (caller frees) the directory that has "root"; NULL with the errors of
 * varve_universe_fetch(), varve_install() and @finish.
 */
char *varve_package_root_make(const VarvePackageRoot *how, VarveUniverse *universe,
			      GPtrArray *packages, char **ret_key, GError **error);
