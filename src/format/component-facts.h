/* What a package that was built here says of its component: which spec, changed by which overlays,
 * and why. It travels in the package's signed header (as its DISTURL) and from there into the
 * manifest of every layer that has the package (docs/formats.md). */
#pragma once

#include "base/digest.h"
#include "base/json.h"

/** One deviation from the upstream's spec. Strings are owned, "" where nothing was said. */
typedef struct {
	char *type;    /* of a spec overlay: "spec-search-replace"; "build-options", "check-skip" */
	char *summary; /* what it does */
	char *reason;  /* why: of its metadata */
	char *category; /* of its metadata */
	char *status;   /* upstream-status of its metadata */
	char **links;   /* commits and bugs */
} VarveFactsOverlay;

typedef struct {
	char *name;
	char *upstream;      /* where the spec is from: "local", "fedora 43" */
	VarveDigest spec;    /* SHA-256 of the spec that was built, overlays applied */
	GPtrArray *overlays; /* VarveFactsOverlay *, in the order in which they were applied; what
			      * is set of the build comes last */
} VarveComponentFacts;

#define VARVE_FACTS_OVERLAYS_MAX 1024
#define VARVE_FACTS_LINKS_MAX 64
#define VARVE_FACTS_TEXT_MAX 4096     /* bytes of one text */
#define VARVE_FACTS_TAG_MAX (1 << 20) /* bytes of the tag */

/** varve_component_facts_new: strings "", no overlay. */
VarveComponentFacts *varve_component_facts_new(void);
VarveComponentFacts *varve_component_facts_copy(const VarveComponentFacts *facts);
void varve_component_facts_free(VarveComponentFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveComponentFacts, varve_component_facts_free)
/** varve_component_facts_add: adds a copy of @overlay, whose members may be NULL, at the end; texts
 *  that are too long or have control characters are made fit. */
void varve_component_facts_add(VarveComponentFacts *facts, const VarveFactsOverlay *overlay);

/** varve_component_facts_to_json: (caller owns) */
json_t *varve_component_facts_to_json(const VarveComponentFacts *facts);
/** varve_component_facts_from_json: hostile. Errors: CORRUPT, UNSUPPORTED (an unknown member). */
VarveComponentFacts *varve_component_facts_from_json(const json_t *object, const char *where,
						     GError **error);

/** varve_component_facts_to_tag: (caller frees) "varve:component/NAME;BASE64" */
char *varve_component_facts_to_tag(const VarveComponentFacts *facts);
/** varve_component_facts_is_tag: whether @tag is of that kind at all: other builders have their
 * own. */
gboolean varve_component_facts_is_tag(const char *tag);
/** varve_component_facts_from_tag: hostile. Errors: CORRUPT, UNSUPPORTED. */
VarveComponentFacts *varve_component_facts_from_tag(const char *tag, const char *where,
						    GError **error);
