/* How units are, asked of the manager itself: org.freedesktop.systemd1(5). */
#include "base/error.h"
#include "live/unit-states.h"

#include <gio/gio.h>
#include <string.h>

/* Over the bus: on its own socket the manager tells every change of every unit, too, and answers
 * behind all that. */
#define NAME "org.freedesktop.systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
/* The manager answers at once or not at all. */
#define TIMEOUT_MS 60000
/* How long it may be away: it executes itself anew. */
#define AWAY_US (15 * G_USEC_PER_SEC)
#define PAUSE_US (G_USEC_PER_SEC / 5)
/* How many questions are open at once: more of them wait in sockets that fill up. */
#define QUESTIONS_OPEN 32

typedef struct {
	const char *suffix, *interface;
	/* Asked for one by one: all of a service are hundreds, for some of which the manager reads
	 * the group's counters. */
	const char *properties[4];
} Type;

/* Devices, slices and swaps are nobody's concern. */
static const Type types[] = {
	{ ".service", "org.freedesktop.systemd1.Service", { "Result", "BusName", "NRestarts" } },
	{ ".socket", "org.freedesktop.systemd1.Socket", { "Result" } },
	{ ".target", "org.freedesktop.systemd1.Target", { NULL } },
	{ ".timer", "org.freedesktop.systemd1.Timer", { "Result" } },
	{ ".path", "org.freedesktop.systemd1.Path", { "Result" } },
	{ ".mount", "org.freedesktop.systemd1.Mount", { "Result" } },
	{ ".automount", "org.freedesktop.systemd1.Automount", { "Result" } },
	{ ".scope", "org.freedesktop.systemd1.Scope", { "Result" } },
};

#define UNIT "org.freedesktop.systemd1.Unit"

/* What is kept of all that the interface has, which one answer brings. */
static const char *const unit_properties[] = {
	"Id",        "Names",       "FragmentPath", "WantedBy",  "RequiredBy",
	"UpheldBy",  "CanStart",    "TriggeredBy",  "Transient", "CanReload",
	"LoadState", "ActiveState", "SubState",     NULL,
};

typedef struct {
	GDBusConnection *manager;
	GMainContext *context;
	GHashTable *units; /* object path → its properties, name → text */
	GQueue questions;  /* Question *, not asked yet */
	guint open;        /* asked and not answered */
	GError *error;     /* the first that is not about one property */
} Asking;

typedef struct {
	Asking *asking;
	const char *path, *interface, *name; /* @path: a key of @units; @name: NULL for all */
	GHashTable *properties;
} Question;

static void asking_clear(Asking *asking)
{
	if (asking->manager)
		g_dbus_connection_close_sync(asking->manager, NULL, NULL);
	g_clear_object(&asking->manager);
	g_queue_clear_full(&asking->questions, g_free);
	g_clear_pointer(&asking->units, g_hash_table_unref);
	g_clear_error(&asking->error);
	g_main_context_pop_thread_default(asking->context);
	g_main_context_unref(asking->context);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Asking, asking_clear)

static const Type *type_of(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
		if (g_str_has_suffix(name, types[i].suffix))
			return &types[i];
	return NULL;
}

/* (caller frees, nullable) as systemctl(1) shows it. */
static char *text_of(GVariant *value)
{
	if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
		return g_variant_dup_string(value, NULL);
	if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING_ARRAY)) {
		g_autofree const char **words = g_variant_get_strv(value, NULL);

		return g_strjoinv(" ", (char **)words);
	}
	if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
		return g_strdup(g_variant_get_boolean(value) ? "yes" : "no");
	if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32))
		return g_strdup_printf("%u", g_variant_get_uint32(value));
	return NULL;
}

static void ask_next(Asking *asking);

/* Nobody there can answer, now. */
static gboolean is_away(const GError *error)
{
	return g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
	       g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER) ||
	       g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY) ||
	       g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_DISCONNECTED) ||
	       (!g_dbus_error_is_remote_error(error) &&
		!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT));
}

/* Not about one property or unit. */
static gboolean is_about_all(const GError *error)
{
	return is_away(error) || !g_dbus_error_is_remote_error(error);
}

static void note(const Question *question, const char *name, GVariant *value)
{
	char *text = text_of(value);

	if (text)
		g_hash_table_replace(question->properties, g_strdup(name), text);
}

static void note_answer(const Question *question, GVariant *reply)
{
	g_autoptr(GVariant) answer = NULL;
	GVariantIter iter;
	GVariant *value;
	const char *name;

	g_variant_get(reply, question->name ? "(v)" : "(@a{sv})", &answer);
	if (question->name) {
		note(question, question->name, answer);
		return;
	}
	g_variant_iter_init(&iter, answer);
	while (g_variant_iter_next(&iter, "{&sv}", &name, &value)) {
		if (g_strv_contains(unit_properties, name))
			note(question, name, value);
		g_variant_unref(value);
	}
}

/* A property that this manager does not have, or a unit that has just gone, says nothing. */
static void answered(GObject *manager, GAsyncResult *result, gpointer data)
{
	g_autofree Question *question = data;
	Asking *asking = question->asking;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(manager), result, &error);

	asking->open--;
	if (reply)
		note_answer(question, reply);
	else if (!asking->error && is_about_all(error))
		asking->error = g_steal_pointer(&error);
	ask_next(asking);
}

static void put_question(Asking *asking, Question *question)
{
	GVariant *arguments = question->name
				      ? g_variant_new("(ss)", question->interface, question->name)
				      : g_variant_new("(s)", question->interface);

	asking->open++;
	g_dbus_connection_call(asking->manager, NAME, question->path,
			       "org.freedesktop.DBus.Properties", question->name ? "Get" : "GetAll",
			       arguments, G_VARIANT_TYPE(question->name ? "(v)" : "(a{sv})"),
			       G_DBUS_CALL_FLAGS_NO_AUTO_START, TIMEOUT_MS, NULL, answered,
			       question);
}

static void ask_next(Asking *asking)
{
	while (!asking->error && asking->open < QUESTIONS_OPEN &&
	       !g_queue_is_empty(&asking->questions))
		put_question(asking, g_queue_pop_head(&asking->questions));
}

typedef struct {
	const char *path;
	GHashTable *properties;
} Unit;

/* @name: (nullable) all */
static void ask(Asking *asking, const Unit *unit, const char *interface, const char *name)
{
	Question *question = g_new(Question, 1);

	*question = (Question){ asking, unit->path, interface, name, unit->properties };
	g_queue_push_tail(&asking->questions, question);
}

static Unit add_unit(Asking *asking, const char *path)
{
	Unit unit = { g_strdup(path),
		      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free) };

	g_hash_table_insert(asking->units, (gpointer)unit.path, unit.properties);
	return unit;
}

static void ask_everything(Asking *asking, const Unit *unit, const Type *type)
{
	ask(asking, unit, UNIT, NULL);
	for (const char *const *name = type->properties; *name; name++)
		ask(asking, unit, type->interface, *name);
}

static gboolean is_as_it_was(const VarveUnitState *was, const char *load, const char *active,
			     const char *sub)
{
	return was && g_str_equal(was->load, load) && g_str_equal(was->active, active) &&
	       g_str_equal(was->sub, sub);
}

/* What is not known of a unit of the list, and may matter. */
static void ask_for_listed(Asking *asking, const Unit *unit, const Type *type,
			   const VarveUnitState *was, gboolean same, gboolean named)
{
	gboolean inactive =
		g_str_equal(g_hash_table_lookup(unit->properties, "ActiveState"), "inactive");
	GHashTableIter iter;
	gpointer name, text;

	if (named || (was ? !same : !inactive)) {
		ask_everything(asking, unit, type);
		return;
	}
	if (inactive)
		return;
	g_hash_table_iter_init(&iter, was->properties);
	while (g_hash_table_iter_next(&iter, &name, &text))
		g_hash_table_replace(unit->properties, g_strdup(name), g_strdup(text));
	if (g_hash_table_contains(unit->properties, "NRestarts"))
		ask(asking, unit, type->interface, "NRestarts");
}

static GVariant *call_manager(Asking *asking, const char *method, GVariant *arguments,
			      const char *type, GError **error)
{
	return g_dbus_connection_call_sync(
		asking->manager, NAME, "/org/freedesktop/systemd1", MANAGER, method, arguments,
		G_VARIANT_TYPE(type), G_DBUS_CALL_FLAGS_NO_AUTO_START, TIMEOUT_MS, NULL, error);
}

/* All that is loaded, in one answer. */
static gboolean ask_for_list(Asking *asking, const char *const *names,
			     const VarveUnitStates *before, GError **error)
{
	g_autoptr(GVariant) reply =
		call_manager(asking, "ListUnits", NULL, "(a(ssssssouso))", error);
	g_autoptr(GVariantIter) iter = NULL;
	static const char *const keys[] = { "Id", "LoadState", "ActiveState", "SubState" };
	const char *id, *load, *active, *sub, *path;

	if (!reply)
		return FALSE;
	g_variant_get(reply, "(a(ssssssouso))", &iter);
	while (g_variant_iter_next(iter, "(&s&s&s&s&s&s&ou&s&o)", &id, NULL, &load, &active, &sub,
				   NULL, &path, NULL, NULL, NULL)) {
		const VarveUnitState *was = before ? varve_unit_states_find(before, id) : NULL;
		const char *const values[] = { id, load, active, sub };
		const Type *type = type_of(id);
		Unit unit;

		if (!type)
			continue;
		unit = add_unit(asking, path);
		for (gsize i = 0; i < G_N_ELEMENTS(values); i++)
			g_hash_table_insert(unit.properties, g_strdup(keys[i]),
					    g_strdup(values[i]));
		ask_for_listed(asking, &unit, type, was, is_as_it_was(was, load, active, sub),
			       varve_unit_among(id, (char *const *)names));
	}
	return TRUE;
}

/* A name that the manager does not take is nobody's. */
static gboolean ask_for(Asking *asking, const char *name, GError **error)
{
	g_autoptr(GError) local = NULL;
	g_autoptr(GVariant) reply =
		call_manager(asking, "LoadUnit", g_variant_new("(s)", name), "(o)", &local);
	const Type *type = type_of(name);
	gpointer known, properties;
	const char *path;
	Unit unit;

	if (!reply && is_about_all(local)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	if (!reply || !type)
		return TRUE;
	g_variant_get(reply, "(&o)", &path);
	if (g_hash_table_lookup_extended(asking->units, path, &known, &properties))
		unit = (Unit){ known, properties };
	else
		unit = add_unit(asking, path);
	ask_everything(asking, &unit, type);
	return TRUE;
}

static gboolean ask_all(Asking *asking, const char *const *names, const VarveUnitStates *before,
			GError **error)
{
	g_autofree char *address = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SYSTEM, NULL, error);

	if (!address)
		return FALSE;
	asking->manager = g_dbus_connection_new_for_address_sync(
		address,
		G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
			G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
		NULL, NULL, error);
	if (!asking->manager || !ask_for_list(asking, names, before, error))
		return FALSE;
	for (; names && *names; names++)
		if (!strstr(*names, "@.") && !ask_for(asking, *names, error))
			return FALSE;
	return TRUE;
}

static VarveUnitStates *read_once(const char *const *names, const VarveUnitStates *before,
				  GError **error)
{
	g_auto(Asking) asking = { .context = g_main_context_new(), .questions = G_QUEUE_INIT };
	VarveUnitStates *states;
	GHashTableIter iter;
	gpointer properties;

	/* What is answered is looked at here, and nothing else is. */
	g_main_context_push_thread_default(asking.context);
	asking.units = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					     (GDestroyNotify)g_hash_table_unref);
	if (!ask_all(&asking, names, before, error))
		return NULL;
	ask_next(&asking);
	while (asking.open > 0)
		g_main_context_iteration(asking.context, TRUE);
	if (asking.error) {
		g_propagate_error(error, g_steal_pointer(&asking.error));
		return NULL;
	}
	states = varve_unit_states_new();
	g_hash_table_iter_init(&iter, asking.units);
	while (g_hash_table_iter_next(&iter, NULL, &properties))
		varve_unit_states_add(states, properties);
	return states;
}

VarveUnitStates *varve_unit_states_read(const char *const *names, const VarveUnitStates *before,
					GError **error)
{
	gint64 end = g_get_monotonic_time() + AWAY_US;

	for (;;) {
		g_autoptr(GError) local = NULL;
		VarveUnitStates *states = read_once(names, before, &local);

		if (states)
			return states;
		if (!is_away(local) || g_get_monotonic_time() >= end) {
			varve_fail(error, VARVE_ERROR_SYSTEM,
				   "the service manager does not answer on the bus: %s. Is "
				   "dbus.service active? --no-services goes without them",
				   local->message);
			return NULL;
		}
		g_usleep(PAUSE_US);
	}
}
