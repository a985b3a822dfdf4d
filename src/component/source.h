/* Where a component's spec and files come from: the upstream's dist-git and lookaside, a directory
 * of the definition, and the definition's own source-files. */
#pragma once

#include "component/effective.h"
#include "component/git.h"
#include "component/sources-file.h"

#define VARVE_SOURCE_TREE "tree:"

typedef struct VarveSource VarveSource;

/**
 * VarveSourceMake:
 * Makes a file whose origin is a script (origin.type "custom") and that no lookaside has.
 *
 * Returns: (caller frees) its path; it need not stay there. NULL with @error.
 */
typedef char *(*VarveSourceMake)(const VarveSource *source, const VarveSourceFile *file,
				 gpointer data, GError **error);

/** Places of this machine. Nothing is owned. */
typedef struct {
	const char *work;          /* clones and files are kept below it */
	const char *lookaside;     /* (nullable) a directory with a lookaside's files: DIR/PKG/NAME,
				    * DIR/NAME or DIR/TYPE/CHECKSUM; asked before the network */
	const char *debian_mirror; /* (nullable) URI for debian: ones; NULL: `mirror` of the
				    * definition's Debian upstream, else the machine's apt
				    * configuration */
	gboolean offline;
	VarveSourceMake make; /* (nullable) NULL: no script is run */
	gpointer make_data;
} VarveSourceOptions;

/** A component's upstream at one commit, or its directory. */
struct VarveSource {
	const char *name; /* of the component */
	const VarveEffective *effective;
	const VarveDefinition *definition;
	const VarveSourceOptions *options;
	char *upstream_name;
	char *pin; /* what the definition asks for: "commit X", "snapshot T of BRANCH", "branch B",
		    * "local" */
	VarveGit *git;    /* NULL: local */
	char *commit;     /* NULL: local */
	GPtrArray *files; /* NULL: local; VarveGitFile * */
	char *directory;  /* NULL: of git */
	char *spec_name;  /* as the upstream calls it: "curl.spec" */
	char *spec;       /* its text */
	gsize spec_size;
	/* What the `sources` file is to say: the upstream's, with the definition's source-files. */
	VarveSourcesFile *sources;
	gboolean has_sources_file; /* the upstream has one */
};

/** varve_source_is_tree: whether @file is `tree:DIR`: packed where it is built of what lies there
 *  (build/stage.h), so that it has neither hash nor place. It is in no list of sources. */
gboolean varve_source_is_tree(const VarveSourceFile *file);

/**
 * varve_source_tree:
 * The DIR of `tree:DIR?only=PATH,PATH`.
 *
 * @directory: of the definition.
 * @ret_only: (nullable, caller frees with g_strfreev) NULL: all of it.
 *
 * Returns: (caller frees) absolute
 */
char *varve_source_tree(const VarveSourceFile *file, const char *directory, char ***ret_only);

/**
 * varve_source_pin:
 * What the definition asks for; see VarveSource. It tells whether a recorded commit still answers.
 *
 * Returns: (caller frees)
 */
char *varve_source_pin(const VarveEffective *effective);

/**
 * varve_source_open:
 * Finds the upstream's commit and reads spec and `sources`.
 *
 * @commit: (nullable) the commit to take, instead of what the pin gives now.
 *
 * Errors: NOT_FOUND (no such repository, commit, spec), DEFINITION (what is needed is not set; a
 * source-file that takes the name of one of the upstream's without replace-upstream, or replaces
 * what is not there, or has no hash), REFUSED, CORRUPT, SYSTEM.
 */
VarveSource *varve_source_open(const VarveDefinition *definition, const VarveEffective *effective,
			       const VarveSourceOptions *options, const char *commit,
			       GError **error);
void varve_source_free(VarveSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveSource, varve_source_free)

/** varve_source_export: the spec and the files beside it, as they are upstream, to the empty
 *  directory @into. */
gboolean varve_source_export(VarveSource *source, int into, GError **error);

/**
 * varve_source_fetch:
 * Has the file @name of @source->sources in the cache, checked.
 *
 * Returns: (caller frees) its path there, or NULL: those of varve_download() and of
 * @source->options->make; NOT_FOUND (not in `sources`); UNSUPPORTED (a script makes it, and none is
 * to be run).
 */
char *varve_source_fetch(const VarveSource *source, const char *name, GError **error);

/** varve_source_fetch_into: the same, copied to the directory @into; a file that has the name there
 *  gives way. */
gboolean varve_source_fetch_into(const VarveSource *source, const char *name, const char *into,
				 GError **error);
