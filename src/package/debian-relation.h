/* Debian's versions and relations between packages (Debian Policy 5.6.12 and 7.1), and what they
 * are in RPM's terms. */
#pragma once

#include <glib.h>

/** A version in RPM's three parts. */
typedef struct {
	gint64 epoch; /* below 0: none */
	char *version;
	char *release; /* "0" where Debian has no revision */
} VarveDebianVersion;

void varve_debian_version_clear(VarveDebianVersion *version);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveDebianVersion, varve_debian_version_clear)

/**
 * varve_debian_version_parse:
 * "[epoch:]upstream[-revision]". A dash inside the upstream part becomes an underscore: RPM's
 * order of versions does not tell them apart. @ret_version is untouched on failure.
 *
 * Errors: CORRUPT.
 */
gboolean varve_debian_version_parse(const char *text, VarveDebianVersion *ret_version,
				    GError **error);

/** varve_debian_version_evr: (caller frees) "[epoch:]version-release". */
char *varve_debian_version_evr(const VarveDebianVersion *version);

/** One of the alternatives of a clause. */
typedef struct {
	char *name;    /* without ":any" and the like */
	char *op;      /* (nullable) "<<", "<=", "=", ">=", ">>" */
	char *version; /* (nullable) in RPM's form, "[epoch:]version-release" */
} VarveDebianAlternative;

/**
 * varve_debian_relations_parse:
 * Reads a field such as Depends. Restrictions of architecture and build profile are not for binary
 * packages and are refused.
 *
 * @text: (nullable) NULL is no relation.
 * @name: whose field this is, for messages.
 *
 * Returns: (caller frees with g_ptr_array_unref) clauses, each a GPtrArray of
 * VarveDebianAlternative*, or NULL with CORRUPT.
 */
GPtrArray *varve_debian_relations_parse(const char *text, const char *name, GError **error);

/** What a clause is in RPM: a name with flags and version, or a rich dependency in the name. */
typedef struct {
	char *name;
	guint32 sense; /* VarveRpmSense */
	char *version; /* (nullable) */
} VarveRpmClause;

void varve_rpm_clause_clear(VarveRpmClause *clause);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveRpmClause, varve_rpm_clause_clear)

/** varve_debian_clause_to_rpm: @clause as varve_debian_relations_parse() gives it. */
void varve_debian_clause_to_rpm(const GPtrArray *clause, VarveRpmClause *ret_clause);

/** varve_debian_clause_names: whether an alternative of @clause is in the set @names. */
gboolean varve_debian_clause_names(const GPtrArray *clause, GHashTable *names);
