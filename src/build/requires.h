/* Build requirements: what a spec asks for, as text that programs inside a build root wrote. They
 * come from outside and are bounded. */
#pragma once

#include <glib.h>

#define VARVE_REQUIRES_MAX 4096

/** What rpmspec says of a spec before it is built. Strings are owned. */
typedef struct {
	char *name, *version, *release;
	gint64 changelog; /* time of the newest entry; 0: there is none */
	char **requires;  /* RPM capabilities, sorted, each once */
} VarveSpecFacts;

void varve_spec_facts_clear(VarveSpecFacts *facts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveSpecFacts, varve_spec_facts_clear)

/* What rpmspec is asked for (--queryformat), in the form that varve_spec_facts_parse() reads. */
#define VARVE_SPEC_FACTS_FORMAT \
	"N %{NAME}\\nV %{VERSION}\\nL %{RELEASE}\\n[T %{CHANGELOGTIME}\\n][R %{REQUIRENEVRS}\\n]"

/** varve_spec_facts_parse: @where for messages. Errors: CORRUPT. */
gboolean varve_spec_facts_parse(const char *text, const char *where, VarveSpecFacts *ret_facts,
				GError **error);

/**
 * varve_requires_parse:
 * Capabilities, one a line; what rpm itself has to be able to ("rpmlib(…)") is left out.
 *
 * Returns: (caller frees) sorted, each once; NULL with CORRUPT: a line with control characters, or
 * too many lines.
 */
char **varve_requires_parse(const char *text, const char *where, GError **error);

/** varve_requires_merge: (caller frees) what either has, sorted. @ret_more: whether @b has what @a
 *  has not. */
char **varve_requires_merge(const char *const *a, const char *const *b, gboolean *ret_more);

/** varve_requires_debian_package: (caller frees, nullable) the package of a Debian archive that
 *  @capability names; NULL where it is no such name: a file, "pkgconfig(x)", a rich one. */
char *varve_requires_debian_package(const char *capability);

/** varve_requires_file_package: (caller frees) "packages/zlib1g-1.3-1.x86_64.rpm" → "zlib1g". */
char *varve_requires_file_package(const char *file);
