/* What a package says of its component. */
#include "format/component-facts.h"

#include "base/error.h"
#include "base/text.h"
#include "format/members.h"

#include <string.h>

#define PREFIX "varve:component/"
#define NAME_OTHERS "._+-"

static void overlay_free(gpointer pointer)
{
	VarveFactsOverlay *overlay = pointer;

	g_free(overlay->type);
	g_free(overlay->summary);
	g_free(overlay->reason);
	g_free(overlay->category);
	g_free(overlay->status);
	g_strfreev(overlay->links);
	g_free(overlay);
}

VarveComponentFacts *varve_component_facts_new(void)
{
	VarveComponentFacts *facts = g_new0(VarveComponentFacts, 1);

	facts->name = g_strdup("");
	facts->upstream = g_strdup("");
	facts->overlays = g_ptr_array_new_with_free_func(overlay_free);
	return facts;
}

void varve_component_facts_free(VarveComponentFacts *facts)
{
	if (!facts)
		return;
	g_free(facts->name);
	g_free(facts->upstream);
	g_ptr_array_unref(facts->overlays);
	g_free(facts);
}

/* On one line, and cut where a character begins. */
static char *fit(const char *text)
{
	char *line = varve_text_line(text ? text : "");

	if (strlen(line) > VARVE_FACTS_TEXT_MAX)
		*g_utf8_find_prev_char(line, line + VARVE_FACTS_TEXT_MAX + 1) = '\0';
	return line;
}

void varve_component_facts_add(VarveComponentFacts *facts, const VarveFactsOverlay *overlay)
{
	VarveFactsOverlay *copy = g_new0(VarveFactsOverlay, 1);
	guint n = overlay->links ? MIN(g_strv_length(overlay->links), VARVE_FACTS_LINKS_MAX) : 0;

	copy->type = fit(overlay->type);
	copy->summary = fit(overlay->summary);
	copy->reason = fit(overlay->reason);
	copy->category = fit(overlay->category);
	copy->status = fit(overlay->status);
	copy->links = g_new0(char *, n + 1);
	for (guint i = 0; i < n; i++)
		copy->links[i] = fit(overlay->links[i]);
	g_ptr_array_add(facts->overlays, copy);
}

VarveComponentFacts *varve_component_facts_copy(const VarveComponentFacts *facts)
{
	VarveComponentFacts *copy = varve_component_facts_new();

	g_free(copy->name);
	g_free(copy->upstream);
	copy->name = g_strdup(facts->name);
	copy->upstream = g_strdup(facts->upstream);
	copy->spec = facts->spec;
	for (guint i = 0; i < facts->overlays->len; i++)
		varve_component_facts_add(copy, facts->overlays->pdata[i]);
	return copy;
}

/* JSON */

json_t *varve_component_facts_to_json(const VarveComponentFacts *facts)
{
	json_t *object = json_object(), *overlays = json_array();

	json_object_set_new(object, "name", varve_json_text(facts->name));
	json_object_set_new(object, "upstream", varve_json_text(facts->upstream));
	json_object_set_new(object, "spec", varve_members_of_digest(&facts->spec));
	for (guint i = 0; i < facts->overlays->len; i++) {
		const VarveFactsOverlay *overlay = facts->overlays->pdata[i];
		json_t *entry = json_object();

		json_object_set_new(entry, "type", varve_json_text(overlay->type));
		json_object_set_new(entry, "summary", varve_json_text(overlay->summary));
		json_object_set_new(entry, "reason", varve_json_text(overlay->reason));
		json_object_set_new(entry, "category", varve_json_text(overlay->category));
		json_object_set_new(entry, "status", varve_json_text(overlay->status));
		json_object_set_new(entry, "links",
				    varve_json_strings((const char *const *)overlay->links));
		json_array_append_new(overlays, entry);
	}
	json_object_set_new(object, "overlays", overlays);
	return object;
}

static gboolean read_text(const json_t *object, const char *key, const char *where, char **ret,
			  GError **error)
{
	if (!varve_members_text(object, key, where, ret, error))
		return FALSE;
	return strlen(*ret) <= VARVE_FACTS_TEXT_MAX ||
	       varve_fail(error, VARVE_ERROR_CORRUPT, "%s: '%s' is longer than %d bytes", where,
			  key, VARVE_FACTS_TEXT_MAX);
}

static gboolean read_links(const json_t *object, const char *where, char ***ret, GError **error)
{
	g_auto(GStrv) links = NULL;

	if (!varve_json_get_strings(object, "links", where, &links, error))
		return FALSE;
	if (g_strv_length(links) > VARVE_FACTS_LINKS_MAX)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: more than %d links", where,
				  VARVE_FACTS_LINKS_MAX);
	for (char **link = links; *link; link++)
		if (strlen(*link) > VARVE_FACTS_TEXT_MAX || varve_members_has_control(*link))
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: a link is too long or has a control character",
					  where);
	g_strfreev(*ret);
	*ret = g_steal_pointer(&links);
	return TRUE;
}

static gboolean read_overlay(VarveComponentFacts *facts, const json_t *object, const char *where,
			     GError **error)
{
	static const char *const known[] = { "type",   "summary", "reason", "category",
					     "status", "links",   NULL };
	static const VarveFactsOverlay nothing = { 0 };
	VarveFactsOverlay *overlay;

	if (!json_is_object(object))
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: an overlay is not an object",
				  where);
	varve_component_facts_add(facts, &nothing);
	overlay = facts->overlays->pdata[facts->overlays->len - 1];
	return varve_members_check(object, known, where, error) &&
	       varve_members_word(object, "type", "-", where, &overlay->type, error) &&
	       read_text(object, "summary", where, &overlay->summary, error) &&
	       read_text(object, "reason", where, &overlay->reason, error) &&
	       read_text(object, "category", where, &overlay->category, error) &&
	       read_text(object, "status", where, &overlay->status, error) &&
	       read_links(object, where, &overlay->links, error);
}

VarveComponentFacts *varve_component_facts_from_json(const json_t *object, const char *where,
						     GError **error)
{
	static const char *const known[] = { "name", "upstream", "spec", "overlays", NULL };
	g_autoptr(VarveComponentFacts) facts = varve_component_facts_new();
	g_autofree char *inside = g_strconcat(where, ": component", NULL);
	const json_t *overlays;

	if (!json_is_object(object)) {
		varve_fail(error, VARVE_ERROR_CORRUPT, "%s is not an object", inside);
		return NULL;
	}
	if (!varve_members_check(object, known, inside, error) ||
	    !varve_members_word(object, "name", NAME_OTHERS, inside, &facts->name, error) ||
	    !read_text(object, "upstream", inside, &facts->upstream, error) ||
	    !varve_members_digest(object, "spec", inside, &facts->spec, error))
		return NULL;
	overlays = json_object_get(object, "overlays");
	if (!json_is_array(overlays) || json_array_size(overlays) > VARVE_FACTS_OVERLAYS_MAX) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "%s: 'overlays' is not an array of at most %d", inside,
			   VARVE_FACTS_OVERLAYS_MAX);
		return NULL;
	}
	for (gsize i = 0; i < json_array_size(overlays); i++)
		if (!read_overlay(facts, json_array_get(overlays, i), inside, error))
			return NULL;
	return g_steal_pointer(&facts);
}

/* The tag of a header */

/* Base64: a macro's value may have neither '%' nor a line's end, and tools print the tag. */
char *varve_component_facts_to_tag(const VarveComponentFacts *facts)
{
	g_autoptr(json_t) object = varve_component_facts_to_json(facts);
	g_autofree char *text = varve_json_dump(object, TRUE);
	g_autofree char *coded = g_base64_encode((const guchar *)text, strlen(text));

	return g_strdup_printf(PREFIX "%s;%s", facts->name, coded);
}

gboolean varve_component_facts_is_tag(const char *tag)
{
	return g_str_has_prefix(tag, PREFIX);
}

VarveComponentFacts *varve_component_facts_from_tag(const char *tag, const char *where,
						    GError **error)
{
	const char *name = tag + strlen(PREFIX), *coded = strchr(tag, ';');
	g_autoptr(VarveComponentFacts) facts = NULL;
	g_autoptr(json_t) object = NULL;
	g_autofree guchar *text = NULL;
	gsize size = 0;

	if (!varve_component_facts_is_tag(tag) || !coded ||
	    strnlen(tag, VARVE_FACTS_TAG_MAX + 1) > VARVE_FACTS_TAG_MAX) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "%s: its DISTURL is not '" PREFIX "NAME;FACTS', or is too long", where);
		return NULL;
	}
	text = g_base64_decode(coded + 1, &size);
	object = varve_json_parse((const char *)text, size, where, error);
	facts = object ? varve_component_facts_from_json(object, where, error) : NULL;
	if (!facts)
		return NULL;
	if (strlen(facts->name) != (gsize)(coded - name) ||
	    strncmp(facts->name, name, strlen(facts->name)) != 0) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "%s: its DISTURL names one component outside and '%s' inside", where,
			   facts->name);
		return NULL;
	}
	return g_steal_pointer(&facts);
}
