/* Printing answers. */
#include "cli/why-text.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SHORT_HASH 16

static char *printable(const char *format, ...) G_GNUC_PRINTF(1, 2);
static char *printable(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = varve_text_printable(format, args);
	va_end(args);
	return g_strdelimit(text, "\n", ' ');
}

void varve_why_row(const char *title, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = varve_text_printable(format, args);
	va_end(args);
	printf("  %-11s %s\n", title, g_strdelimit(text, "\n", ' '));
}

char *varve_why_layer_text(const VarveTraceLayer *layer)
{
	return g_strdup_printf("%s %s (%s)", layer->manifest->name, layer->manifest->version,
			       varve_role_name(layer->manifest->role));
}

/* Which spec, and what was changed in it and why. */
static void print_component(const VarveComponentFacts *facts)
{
	char hex[VARVE_DIGEST_HEX_SIZE];

	varve_digest_to_hex(&facts->spec, hex);
	varve_why_row("component", "%s: spec from %s, as built %.*s…", facts->name,
		      *facts->upstream ? facts->upstream : "unknown", SHORT_HASH, hex);
	if (facts->overlays->len == 0)
		varve_why_row("overlays", "none: built as its upstream has it");
	for (guint i = 0; i < facts->overlays->len; i++) {
		const VarveFactsOverlay *overlay = facts->overlays->pdata[i];

		varve_why_row(i == 0 ? "overlays" : "", "%s (%s)",
			      *overlay->summary ? overlay->summary : "not described",
			      overlay->type);
		varve_why_row("", "  because: %s%s%s%s",
			      *overlay->reason ? overlay->reason : "no reason was given",
			      *overlay->category ? " [" : "", overlay->category,
			      *overlay->category ? "]" : "");
		for (char **link = overlay->links; *link; link++)
			varve_why_row("", "  see: %s", *link);
	}
}

void varve_why_package_rows(const VarveManifestPackage *package, const char *nevra)
{
	if (!package) {
		varve_why_row("package", "%s",
			      *nevra ? nevra
				     : "none: the build made it, or wrote over a package's");
		return;
	}
	varve_why_row("package", "%s", nevra);
	varve_why_row("source", "%s, from %s", *package->source ? package->source : "unknown",
		      *package->upstream ? package->upstream : "unknown");
	if (*package->license)
		varve_why_row("licence", "%s", package->license);
	if (package->component)
		print_component(package->component);
}

/* How the layer is known and checked. */
static void print_layer(const VarveTraceLayer *layer)
{
	const VarveTraceSigner *signer = &layer->signer;
	g_autofree char *text = varve_why_layer_text(layer);

	varve_why_row("layer", "%s", text);
	varve_why_row("root hash", "%s", layer->root);
	if (*signer->certificate || *signer->subject)
		varve_why_row("signer", "%s, CN=%s%s%.*s%s%s",
			      *signer->certificate ? signer->certificate : "unknown",
			      signer->subject, *signer->fingerprint ? ", " : "", SHORT_HASH,
			      signer->fingerprint, *signer->fingerprint ? "…" : "",
			      signer->development ? " (DEVELOPMENT KEY)" : "");
	else
		varve_why_row("signer", "unknown");
	varve_why_row("", "%s: %s", signer->verified ? "verified" : "NOT VERIFIED", signer->basis);
}

/* Who checks what is read, where it is read from the layer. */
static void print_enforcement(const VarveTraceAnswer *answer)
{
	if (answer->state == VARVE_TRACE_SIGNED && *answer->layer->enforcement)
		varve_why_row("read", "%s%s", answer->layer->enforced ? "" : "UNCHECKED: ",
			      answer->layer->enforcement);
}

static void print_digests(const VarveTraceAnswer *answer)
{
	const VarveTraceFound *found = answer->found;
	const VarvePath *record = answer->describes_layer ? NULL : answer->record;
	g_autofree char *expected = NULL, *hex = NULL;

	if (record && S_ISREG(record->mode))
		expected = varve_digest_dup_hex(&record->digest);
	if (found && found->read)
		hex = varve_digest_dup_hex(&found->digest);
	if (expected && hex && strcmp(expected, hex) == 0) {
		varve_why_row("SHA-256", "%s, as expected", hex);
		return;
	}
	if (hex)
		varve_why_row("SHA-256", "%s%s", hex,
			      expected ? " found, not as expected:"
			      : answer->describes_layer
				      ? ", and nothing but the layer's root hash says what it "
					"should be"
				      : "");
	else if (found && *found->unread)
		varve_why_row("SHA-256", "not taken: %s", found->unread);
	if (expected)
		varve_why_row(hex ? "" : "SHA-256", "%s expected", expected);
}

/* @words, or what else was expected. */
static void print_compared(const char *title, const char *found, const char *expected)
{
	if (!expected)
		varve_why_row(title, "%s", found);
	else if (strcmp(found, expected) == 0)
		varve_why_row(title, "%s, as expected", found);
	else
		varve_why_row(title, "%s, expected %s", found, expected);
}

static void print_metadata(const VarveTraceAnswer *answer)
{
	const VarveTraceFound *found = answer->found;
	const VarvePath *record = answer->describes_layer ? NULL : answer->record;
	g_autofree char *mode = NULL, *expected = NULL;
	/* The label of a factory's file is that of /usr, and not what its copy has to have. */
	gboolean factory = answer->record && g_str_has_prefix(answer->at, "usr/share/factory/") &&
			   !g_str_has_prefix(answer->path, "/usr/");

	if (!found)
		return;
	mode = g_strdup_printf("%06o, owner %u:%u", found->mode, found->uid, found->gid);
	if (record && *record->path)
		expected = g_strdup_printf("%06o, owner %u:%u", record->mode, record->uid,
					   record->gid);
	print_compared("mode", mode, expected);
	if (*found->label || (record && *record->label))
		print_compared("label", *found->label ? found->label : "none",
			       record && *record->label && !factory ? record->label : NULL);
}

static void print_others(const VarveTraceAnswer *answer)
{
	gboolean directory = answer->found && S_ISDIR(answer->found->mode);
	const char *title = directory ? "also in" : "overrides";

	for (guint i = 0; i < answer->others->len; i++) {
		const VarveTraceOther *other = answer->others->pdata[i];
		const VarveTraceSigner *signer = &other->layer->signer;
		g_autofree char *text = varve_why_layer_text(other->layer);

		varve_why_row(title, "%s, root %.*s…, signed by %s", text, SHORT_HASH,
			      other->layer->root,
			      *signer->certificate ? signer->certificate : "nobody known");
		title = "";
	}
}

char *varve_why_earlier_text(const VarveTraceEarlier *earlier)
{
	g_autofree char *now = NULL;

	if (earlier->same)
		now = g_strdup("the running stack has the same");
	else if (earlier->now)
		now = g_strdup_printf("the running stack has that of %s %s",
				      earlier->now->manifest->name,
				      earlier->now->manifest->version);
	else
		now = g_strdup("the running stack has none");
	return g_strdup_printf("%s %s, of generation %u; %s", earlier->layer, earlier->version,
			       earlier->generation, now);
}

/* (caller frees) when a stack was replaced, and what is there now. */
static char *since_text(const VarveTraceEarlier *earlier)
{
	g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(earlier->until);
	g_autofree char *text = when ? g_date_time_format(when, "%F %T UTC") : NULL;

	return g_strdup_printf("generation %u was replaced %s", earlier->generation,
			       text ? text : "at a time that is none");
}

/* The sentence that answers first. */
static char *headline(const VarveTraceAnswer *answer)
{
	g_autofree char *words = varve_change_words(answer->differs);
	g_autofree char *layer = answer->layer ? varve_why_layer_text(answer->layer) : NULL;
	g_autofree char *earlier = answer->earlier ? varve_why_earlier_text(answer->earlier) : NULL;

	switch (answer->state) {
	case VARVE_TRACE_SIGNED:
		return g_strdup_printf("signed: %s", layer ? layer : "in no layer");
	case VARVE_TRACE_UNCHANGED:
		return g_strdup_printf("unchanged: as %s has it", layer);
	case VARVE_TRACE_CHANGED:
		return g_strdup_printf("CHANGED HERE (%s): not as %s has it", words, layer);
	case VARVE_TRACE_LOCAL:
		return g_strdup("local: this node's own; no layer has it, and nobody signed it");
	case VARVE_TRACE_VOLATILE:
		return g_strdup_printf("volatile: %s; gone at power-off, and nobody signed it",
				       answer->filesystem);
	case VARVE_TRACE_FOREIGN:
		return g_strdup_printf("foreign: %s; no part of the system, and nobody signed it",
				       answer->filesystem);
	case VARVE_TRACE_DELETED:
		return g_strdup_printf("DELETED HERE: %s has it", layer);
	case VARVE_TRACE_MISSING:
		return g_strdup_printf("missing: %s has a copy for this place, and it is not there",
				       layer);
	case VARVE_TRACE_REPLACED:
		return g_strconcat("replaced: ", earlier, NULL);
	case VARVE_TRACE_ABSENT:
		break;
	}
	return g_strdup("not here, and no layer has it");
}

static void print_link(const VarveTraceAnswer *answer)
{
	g_autofree char *line =
		printable("%s -> %s", answer->path, answer->found ? answer->found->target : "");
	g_autofree char *said = headline(answer);

	printf("%s  (link, %s", line, said);
	if (answer->state == VARVE_TRACE_SIGNED && answer->record)
		printf("; %s",
		       *answer->record->package ? answer->record->package : "made by the build");
	puts(")");
	for (guint i = 0; i < answer->problems->len; i++)
		varve_why_row("PROBLEM", "%s", (const char *)answer->problems->pdata[i]);
}

/* It is read from a stack that a swap has replaced. */
static void print_earlier(const VarveTraceAnswer *answer)
{
	const VarveTraceEarlier *earlier = answer->earlier;
	g_autofree char *since = since_text(earlier);
	g_autofree char *now = earlier->now ? varve_why_layer_text(earlier->now) : NULL;

	varve_why_row("since", "%s", since);
	if (answer->state != VARVE_TRACE_REPLACED)
		return;
	varve_why_row("there", "/%s", answer->at);
	varve_why_row("layer", "%s %s, root hash %s", earlier->layer, earlier->version,
		      earlier->root);
	varve_why_row("now", "%s", now ? now : "in no layer");
}

void varve_why_print_answer(const VarveTraceAnswer *answer)
{
	g_autofree char *path = printable("%s", answer->path);
	g_autofree char *said = headline(answer);

	puts(path);
	varve_why_row("", "%s", said);
	for (guint i = 0; i < answer->problems->len; i++)
		varve_why_row("PROBLEM", "%s", (const char *)answer->problems->pdata[i]);
	if (answer->layer) {
		print_layer(answer->layer);
		print_enforcement(answer);
		if (strcmp(answer->path + 1, answer->at) != 0)
			varve_why_row("there", "/%s", answer->at);
		if (answer->describes_layer)
			varve_why_row("package", "none: it describes the layer itself");
		else if (answer->record && !S_ISDIR(answer->record->mode))
			varve_why_package_rows(varve_trace_answer_package(answer),
					       answer->record->package);
	}
	if (answer->earlier)
		print_earlier(answer);
	print_digests(answer);
	print_metadata(answer);
	print_others(answer);
}

void varve_why_print(const VarveTraceWhy *why)
{
	for (guint i = 0; i + 1 < why->answers->len; i++)
		print_link(why->answers->pdata[i]);
	varve_why_print_answer(varve_trace_why_last(why));
}
