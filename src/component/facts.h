/* What a spec says of itself, as far as it can be told without running anything: name, version,
 * release, and which files it refers to. */
#pragma once

#include "definition/definition.h"

typedef struct {
	/* (nullable) each: NULL where it is not said, or cannot be told. */
	char *name;
	char *epoch;
	char *version;
	gboolean has_epoch; /* said, whether or not it can be told */
	/* %autorelease in the Release: its arguments. */
	gboolean autorelease;
	guint64 base;        /* -b; 1 where not given */
	gboolean prerelease; /* -p */
	char *extra_version; /* (nullable) -e */
	char *snapshot;      /* (nullable) -s */
	GPtrArray *files; /* of char *: patterns for varve_glob_match(), in order of appearance */
} VarveSpecFacts;

/**
 * varve_spec_facts:
 * Reads @spec. Where its conditions depend on what is not known here (architecture, macros of the
 * build system), the files of both branches count; where part of a file's name is not known, its
 * pattern has a '*' there: the list may name too much, never too little.
 *
 * @macros: what is defined before the spec begins.
 *
 * Returns: (caller frees); never fails.
 */
VarveSpecFacts *varve_spec_facts(const char *spec, const VarveSetting *macros, gsize n_macros);
void varve_spec_facts_free(VarveSpecFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveSpecFacts, varve_spec_facts_free)

/** varve_spec_facts_refers: whether the file @name (relative, canonical) is one of @facts->files.
 */
gboolean varve_spec_facts_refers(const VarveSpecFacts *facts, const char *name);

/** varve_spec_starts_section: whether @line begins a section ("%description -n x"). */
gboolean varve_spec_starts_section(const char *line);
