/* The contract of a verb: one file, one exported const struct; help, completion and the man pages'
 * option lists come from it. */
#pragma once

#include "base/error.h"

#include <glib.h>

/**
 * VarveVerb: @words are matched from the longest ("layer verify" before "layer"). @options is a
 * GOptionEntry array that points into the verb's own struct, made by @options_new for each run, so
 * there are no globals. run() gets the arguments that are left.
 */
typedef struct VarveVerb VarveVerb;

typedef struct {
	const VarveVerb *verb;
	gboolean json; /* --json, for verbs that report */
	gpointer options;
	int argc;
	char **argv; /* argv[0] is the first argument after the verb's words; NULL-terminated */
} VarveInvocation;

struct VarveVerb {
	const char *words;
	const char *arguments; /* "FILE…", "" */
	const char *summary;   /* one line, imperative, a full stop */
	const char *details;   /* (nullable) paragraphs below the options in --help */
	gsize options_size; /* of the struct behind VarveInvocation.options; zeroed, 0 for none */
	/* (nullable) (caller frees with g_free) entries whose arg_data point into @options. Strings
	 * and arrays there are freed by the dispatcher after run(). */
	GOptionEntry *(*entries)(gpointer options);
	gboolean reports;                 /* takes --json */
	int min_arguments, max_arguments; /* -1: any number */
	/* Returns: the exit status; with @error set the dispatcher prints it and uses its status.
	 */
	int (*run)(const VarveInvocation *invocation, GError **error);
};

/** varve_entries_join: (caller frees) @n entries and those of @more (nullable, ended by an empty
 *  one), ended by an empty one. */
GOptionEntry *varve_entries_join(const GOptionEntry *entries, gsize n, const GOptionEntry *more);

/**
 * varve_cli_main: finds the verb, parses, runs, prints the error. @verbs ends with NULL.
 * @about: the program's one-line description for --help.
 */
int varve_cli_main(const char *program, const char *about, const VarveVerb *const *verbs, int argc,
		   char **argv);
