/* Who runs old code, for people and programs. */
#include "cli/varvectl/show-who.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define NAMED_MAX 5 /* in a sentence */

static gboolean is_of(const VarveHeldFile *file, const char *const *layers)
{
	return !layers || !*layers || g_strv_contains(layers, file->layer);
}

gboolean varve_show_who_concerns(const VarveHolder *holder, const char *const *layers)
{
	if (!layers || !*layers)
		return TRUE;
	for (guint i = 0; i < holder->files->len; i++) {
		if (is_of(holder->files->pdata[i], layers))
			return TRUE;
	}
	return FALSE;
}

static gint by_unit(gconstpointer a, gconstpointer b)
{
	const VarveHolder *x = *(VarveHolder *const *)a, *y = *(VarveHolder *const *)b;
	int order = strcmp(x->unit, y->unit);

	return order ? order : x->pid - y->pid;
}

/* (caller frees with g_ptr_array_unref) borrowed holders, those of a unit together. */
static GPtrArray *sorted(const VarveWho *who, const char *const *layers)
{
	GPtrArray *list = g_ptr_array_new();

	for (guint i = 0; i < who->holders->len; i++) {
		if (varve_show_who_concerns(who->holders->pdata[i], layers))
			g_ptr_array_add(list, who->holders->pdata[i]);
	}
	g_ptr_array_sort(list, by_unit);
	return list;
}

char *varve_show_who_next(const VarveHolder *holder, const char *declared)
{
	const char *unit = holder->unit;

	if (!varve_who_is_pending(holder))
		return g_strdup("nothing: its code is new");
	if (holder->pid == 1)
		return g_strdup("systemctl daemon-reexec");
	if (g_str_has_prefix(unit, "session-") || g_str_has_prefix(unit, "user@"))
		return g_strdup("log out of all sessions of its user, and in again");
	if (strcmp(unit, "dbus.service") == 0 || strcmp(unit, "dbus-broker.service") == 0)
		return g_strdup("start the node again: all that talks over the bus would lose it");
	/* Who is reloaded stays in its mount namespace, which shows the earlier stack. */
	if (g_str_has_suffix(unit, ".service"))
		return g_strdup_printf(
			"systemctl %s %s",
			strcmp(declared, "reload") == 0 && holder->follows ? "reload" : "restart",
			unit);
	if (*unit)
		return g_strdup_printf("restart what started %s", unit);
	return g_strdup_printf("end process %d", holder->pid);
}

/* (caller frees, nullable) who says @what of the unit. */
static char *declared_text(const char *layer, const char *what)
{
	if (strcmp(what, "ask") == 0)
		return g_strdup_printf("layer %s leaves it to you", layer);
	return *what ? g_strdup_printf("layer %s: %s", layer, what) : NULL;
}

/* (caller frees) "/usr/lib/libssl.so.3 (base 1; now libssl-patch 3.5.5)" */
static char *file_text(const VarveHeldFile *file, const VarveShown *shown)
{
	const VarveManifest *now = varve_shown_layer(shown, file->path);
	g_autofree char *text =
		now ? g_strdup_printf("%s%s (%s %s; now %s %s)", file->code ? "" : "data ",
				      file->path, file->layer, file->version, now->name,
				      now->version)
		    : g_strdup_printf("%s%s (%s %s; now gone)", file->code ? "" : "data ",
				      file->path, file->layer, file->version);

	return varve_text_line(text);
}

static void print_holder(const VarveHolder *holder, const VarveShown *shown,
			 const char *const *layers)
{
	g_autofree char *command = varve_text_line(holder->command);

	printf("  %7d  %s\n", holder->pid, command);
	if (!holder->follows) {
		g_autofree char *obstacle = varve_text_line(holder->obstacle);

		printf("           it does not see the running stack: %s\n", obstacle);
	}
	for (guint i = 0; i < holder->files->len; i++) {
		g_autofree char *text = NULL;

		if (!is_of(holder->files->pdata[i], layers))
			continue;
		text = file_text(holder->files->pdata[i], shown);
		printf("           %s\n", text);
	}
}

/* The first that is pending speaks for the unit. */
static const VarveHolder *speaker(const GPtrArray *list, guint first)
{
	const VarveHolder *holder = list->pdata[first];

	for (guint i = first; i < list->len; i++) {
		const VarveHolder *other = list->pdata[i];

		if (strcmp(other->unit, holder->unit) != 0)
			break;
		if (varve_who_is_pending(other))
			return other;
	}
	return holder;
}

static void print_unit(const VarveHolder *holder, const VarveShown *shown)
{
	const char *layer = NULL, *declared = varve_shown_declared(shown, holder->unit, &layer);
	g_autofree char *unit = varve_text_line(*holder->unit ? holder->unit : "in no unit");
	g_autofree char *next = varve_show_who_next(holder, declared);
	g_autofree char *what = varve_text_line(next);
	g_autofree char *said = *holder->unit ? declared_text(layer, declared) : NULL;

	printf("%s: %s", unit, what);
	if (said && varve_who_is_pending(holder))
		printf(" (%s)", said);
	putchar('\n');
}

static void print_summary(const VarveWho *who)
{
	guint pending = varve_who_pending(who);

	if (pending == 0)
		puts("Nobody runs old code.");
	else
		printf("%u process%s old code.\n", pending, pending == 1 ? " runs" : "es run");
	if (who->stacks > 0)
		printf("%u earlier stack%s still held, also by %u process%s whose files did not "
		       "change.\n",
		       who->stacks, who->stacks == 1 ? " is" : "s are", who->pinning,
		       who->pinning == 1 ? "" : "es");
	if (who->unseen > 0)
		printf("%u process%s could not be looked at.\n", who->unseen,
		       who->unseen == 1 ? "" : "es");
}

void varve_show_who(const VarveWho *who, const VarveShown *shown, const char *const *layers)
{
	g_autoptr(GPtrArray) list = sorted(who, layers);
	const char *unit = NULL;

	for (guint i = 0; i < list->len; i++) {
		const VarveHolder *holder = list->pdata[i];

		if (!unit || strcmp(unit, holder->unit) != 0)
			print_unit(speaker(list, i), shown);
		unit = holder->unit;
		print_holder(holder, shown, layers);
	}
	if (list->len > 0)
		putchar('\n');
	print_summary(who);
}

static json_t *file_json(const VarveHeldFile *file, const VarveShown *shown)
{
	const VarveManifest *now = varve_shown_layer(shown, file->path);
	json_t *object = json_object();

	json_object_set_new(object, "path", varve_json_escaped(file->path));
	json_object_set_new(object, "layer", varve_json_escaped(file->layer));
	json_object_set_new(object, "version", varve_json_escaped(file->version));
	json_object_set_new(object, "code", json_boolean(file->code));
	json_object_set_new(
		object, "now",
		now ? json_pack("{s:s,s:s}", "layer", now->name, "version", now->version)
		    : json_null());
	return object;
}

static json_t *holder_json(const VarveHolder *holder, const VarveShown *shown)
{
	const char *layer = NULL, *what = varve_shown_declared(shown, holder->unit, &layer);
	g_autofree char *next = varve_show_who_next(holder, what);
	json_t *object = json_object(), *files = json_array();

	for (guint i = 0; i < holder->files->len; i++)
		json_array_append_new(files, file_json(holder->files->pdata[i], shown));
	json_object_set_new(object, "pid", json_integer(holder->pid));
	json_object_set_new(object, "command", varve_json_escaped(holder->command));
	json_object_set_new(object, "unit", varve_json_escaped(holder->unit));
	json_object_set_new(object, "pending", json_boolean(varve_who_is_pending(holder)));
	json_object_set_new(object, "generation", json_integer(holder->generation));
	json_object_set_new(object, "follows", json_boolean(holder->follows));
	json_object_set_new(object, "obstacle", varve_json_escaped(holder->obstacle));
	json_object_set_new(object, "files", files);
	json_object_set_new(object, "next", varve_json_escaped(next));
	json_object_set_new(object, "declared",
			    *what ? json_pack("{s:s,s:s}", "action", what, "layer", layer)
				  : json_null());
	return object;
}

json_t *varve_show_who_json(const VarveWho *who, const VarveShown *shown, const char *const *layers)
{
	g_autoptr(GPtrArray) list = sorted(who, layers);
	json_t *object = json_object(), *holders = json_array();

	for (guint i = 0; i < list->len; i++)
		json_array_append_new(holders, holder_json(list->pdata[i], shown));
	json_object_set_new(object, "holders", holders);
	json_object_set_new(object, "pending", json_integer(varve_who_pending(who)));
	json_object_set_new(object, "pinning", json_integer(who->pinning));
	json_object_set_new(object, "earlier-stacks", json_integer(who->stacks));
	json_object_set_new(object, "unseen", json_integer(who->unseen));
	return object;
}

/* "ssh.service (sshd 812, sshd 813)" of each unit, the first few processes. */
static void append_units(GString *text, const GPtrArray *list)
{
	const char *unit = NULL;
	guint named = 0;

	for (guint i = 0; i < list->len; i++) {
		const VarveHolder *holder = list->pdata[i];
		gboolean same = unit && strcmp(unit, holder->unit) == 0;

		if (!same)
			named = 0;
		if (!same)
			g_string_append_printf(text, "%s%s (", unit ? "), " : ": ",
					       *holder->unit ? holder->unit : "in no unit");
		if (named < NAMED_MAX)
			g_string_append_printf(text, "%s%s %d", named ? ", " : "", holder->command,
					       holder->pid);
		else if (named == NAMED_MAX)
			g_string_append(text, ", …");
		named++;
		unit = holder->unit;
	}
	g_string_append(text, unit ? ")" : "");
}

char *varve_show_who_sentence(const VarveWho *who)
{
	g_autoptr(GPtrArray) list = sorted(who, NULL);
	guint pending = varve_who_pending(who);
	g_autoptr(GString) text = g_string_new(NULL);

	if (pending == 0)
		return NULL;
	for (guint i = list->len; i-- > 0;) {
		if (!varve_who_is_pending(list->pdata[i]))
			g_ptr_array_remove_index(list, i);
	}
	g_string_append_printf(text, "%u process%s old code", pending,
			       pending == 1 ? " runs" : "es run");
	append_units(text, list);
	return varve_text_line(text->str);
}
