/* Building one component: from its spec to signed packages in the local repository. */
#pragma once

#include "build/order.h"
#include "build/root.h"
#include "component/effective.h"

/** What to build and how. Zero-initialise; nothing is owned. */
typedef struct {
	VarveBuildPlace place;
	const VarveEffective *effective;
	const char *log_dir; /* its log goes to LOG_DIR/components/NAME.log */
	gboolean no_check;   /* %check is not run */
	gboolean anew;       /* also where nothing changed */
	gboolean verify;     /* build twice and compare */
	gboolean keep_root;  /* leave the root as the build left it */
	gboolean shell;      /* a shell in the root where the build fails */
} VarveBuildJob;

/** What came of it. Strings are owned. */
typedef struct {
	gboolean made;   /* FALSE: it was there, made of the same */
	char *directory; /* of its packages and its source package */
	char **packages; /* file names in it, sorted */
	char *log;       /* path; of this run where @made */
	char *key;       /* what it was made of */
	char *root;      /* (nullable) where @keep_root left the root */
} VarveBuildResult;

void varve_build_result_clear(VarveBuildResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveBuildResult, varve_build_result_clear)

/**
 * varve_build_run:
 * One process at a time builds in a work directory; others wait.
 *
 * Errors: SYSTEM (the build failed: the message has the log's last lines and its path), CONFLICT
 * (@verify: two builds differ; packages, tags and files are named), NOT_FOUND, those of
 * varve_stage_make(), varve_build_root_make() and varve_build_publish().
 */
gboolean varve_build_run(const VarveBuildJob *job, VarveBuildResult *ret_result, GError **error);

/**
 * varve_build_ask:
 * What the component of @job asks for and brings, as its spec says without being built: what it
 * finds out while it is built (%generate_buildrequires) is not among it.
 *
 * Returns: (transfer full) for varve_build_order(). Errors: those of varve_build_run().
 */
VarveBuildNeeds *varve_build_ask(const VarveBuildJob *job, GError **error);
