/* %autorelease and %autochangelog: the release number and the changelog that a package's history
 * gives, by the rules that rpmautospec documents, with the distribution's own changes put in where
 * they were made. */
#pragma once

#include "component/git.h"
#include "definition/definition.h"

/** What a spec leaves to its history. */
typedef struct {
	gboolean autorelease;
	gboolean autochangelog; /* also where there is no %changelog at all */
	gboolean processed;     /* has been worked out already: left as it is */
} VarveAutospecUse;

/** A change that the distribution made to a component: one commit of the definition. */
typedef struct {
	char *commit; /* of the definition; NULL: not committed yet */
	char *author; /* "Name <mail>" */
	gint64 time;  /* seconds since the epoch */
	char *message;
	char *upstream; /* (nullable) the upstream's commit at that time */
} VarveComponentChange;

void varve_component_change_free(VarveComponentChange *change);

/** Where a component's history is. Nothing is owned. */
typedef struct {
	VarveGit *git;              /* (nullable) the upstream; NULL: it has none */
	const char *commit;         /* of it */
	const char *spec_name;      /* "curl.spec", as the upstream calls it */
	const GPtrArray *changes;   /* (nullable) of VarveComponentChange *, oldest first */
	const char *spec;           /* as it is rendered */
	const VarveSetting *macros; /* that it is rendered with */
	gsize n_macros;
} VarveAutospecHistory;

/** What was worked out. */
typedef struct {
	guint64 number;
	char *changelog; /* entries, newest first, without the final newline */
} VarveAutospec;

void varve_autospec_clear(VarveAutospec *autospec);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveAutospec, varve_autospec_clear)

void varve_autospec_look(const char *spec, VarveAutospecUse *ret);

/**
 * varve_autospec_work_out:
 * The number counts the commits since the epoch and version last changed, the last one included.
 * Where a version cannot be told from a spec (component/facts.h), it counts as the same.
 *
 * Errors: those of component/git.h; NOT_FOUND (the commit).
 */
gboolean varve_autospec_work_out(const VarveAutospecHistory *history, VarveAutospec *ret,
				 GError **error);

/**
 * varve_autospec_apply:
 * @spec with the macro %autorelease defined above everything, and the changelog in place, as @use
 * asks for.
 *
 * Returns: (caller frees)
 */
char *varve_autospec_apply(const char *spec, const VarveAutospecUse *use,
			   const VarveAutospec *autospec);

/** varve_changelog_items: (caller frees) the items that a commit's @message gives: its subject, and
 *  more where its body goes on with "..." or has a list. */
char **varve_changelog_items(const char *message);

/** varve_changelog_entry: (caller frees) "* Mon Jan 05 2026 …\n- …", wrapped; @evr (nullable). */
char *varve_changelog_entry(const char *author, gint64 time, const char *evr,
			    const char *const *items);
