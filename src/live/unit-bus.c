/* How units are, asked of the manager itself: org.freedesktop.systemd1(5). */
#include "base/error.h"
#include "live/unit-states.h"

#include <gio/gio.h>
#include <string.h>

/* Its own socket, where root is answered also while the bus is restarted. */
#define ADDRESS "unix:path=/run/systemd/private"
#define MANAGER "org.freedesktop.systemd1.Manager"
/* The manager answers at once or not at all. */
#define TIMEOUT_MS 60000

typedef struct {
	const char *suffix, *interface;
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

/* One by one: all of a service are hundreds, for some of which the manager reads the group's
 * counters. */
static const char *const unit_properties[] = {
	"Names",    "FragmentPath", "WantedBy",  "RequiredBy", "UpheldBy",
	"CanStart", "TriggeredBy",  "Transient", "CanReload",  NULL,
};
/* What a list of units tells too. */
static const char *const list_properties[] = { "Id", "LoadState", "ActiveState", "SubState", NULL };

typedef struct {
	GDBusConnection *manager;
	GMainContext *context;
	GHashTable *units; /* object path → its properties, name → text */
	guint pending;
	GError *error; /* the first that is not about one property */
} Asking;

typedef struct {
	Asking *asking;
	GHashTable *properties;
	const char *name;
} Question;

static void asking_clear(Asking *asking)
{
	if (asking->manager)
		g_dbus_connection_close_sync(asking->manager, NULL, NULL);
	g_clear_object(&asking->manager);
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

/* A property that this manager does not have, or a unit that has just gone, says nothing. */
static void answered(GObject *manager, GAsyncResult *result, gpointer data)
{
	g_autofree Question *question = data;
	Asking *asking = question->asking;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(manager), result, &error);
	g_autoptr(GVariant) value = NULL;
	char *text;

	asking->pending--;
	if (!reply) {
		if (!asking->error && !g_dbus_error_is_remote_error(error))
			asking->error = g_steal_pointer(&error);
		return;
	}
	g_variant_get(reply, "(v)", &value);
	text = text_of(value);
	if (text)
		g_hash_table_replace(question->properties, g_strdup(question->name), text);
}

static void ask(Asking *asking, const char *path, GHashTable *properties, const char *interface,
		const char *const *names)
{
	for (; *names; names++) {
		Question *question = g_new(Question, 1);

		*question = (Question){ asking, properties, *names };
		asking->pending++;
		g_dbus_connection_call(
			asking->manager, NULL, path, "org.freedesktop.DBus.Properties", "Get",
			g_variant_new("(ss)", interface, *names), G_VARIANT_TYPE("(v)"),
			G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MS, NULL, answered, question);
	}
}

static GHashTable *add_unit(Asking *asking, const char *path)
{
	GHashTable *properties = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

	g_hash_table_insert(asking->units, g_strdup(path), properties);
	return properties;
}

static void ask_everything(Asking *asking, const char *path, GHashTable *properties,
			   const Type *type)
{
	ask(asking, path, properties, UNIT, unit_properties);
	ask(asking, path, properties, type->interface, type->properties);
}

static gboolean is_as_it_was(const VarveUnitState *was, const char *load, const char *active,
			     const char *sub)
{
	return was && g_str_equal(was->load, load) && g_str_equal(was->active, active) &&
	       g_str_equal(was->sub, sub);
}

/* What is not known of a unit of the list, and may matter. */
static void ask_for_listed(Asking *asking, const char *path, GHashTable *properties,
			   const Type *type, const VarveUnitState *was, gboolean same,
			   gboolean named)
{
	static const char *const restarts[] = { "NRestarts", NULL };
	gboolean inactive = g_str_equal(g_hash_table_lookup(properties, "ActiveState"), "inactive");
	GHashTableIter iter;
	gpointer name, text;

	if (inactive && !named && (!was || same))
		return;
	if (named || !same) {
		ask_everything(asking, path, properties, type);
		return;
	}
	g_hash_table_iter_init(&iter, was->properties);
	while (g_hash_table_iter_next(&iter, &name, &text))
		g_hash_table_replace(properties, g_strdup(name), g_strdup(text));
	if (g_hash_table_contains(properties, *restarts))
		ask(asking, path, properties, type->interface, restarts);
}

static GVariant *call_manager(Asking *asking, const char *method, GVariant *arguments,
			      const char *type, GError **error)
{
	return g_dbus_connection_call_sync(asking->manager, NULL, "/org/freedesktop/systemd1",
					   MANAGER, method, arguments, G_VARIANT_TYPE(type),
					   G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MS, NULL, error);
}

/* All that is loaded, in one answer. */
static gboolean ask_for_list(Asking *asking, const char *const *names,
			     const VarveUnitStates *before, GError **error)
{
	g_autoptr(GVariant) reply =
		call_manager(asking, "ListUnits", NULL, "(a(ssssssouso))", error);
	g_autoptr(GVariantIter) iter = NULL;
	const char *id, *load, *active, *sub, *path;

	if (!reply)
		return FALSE;
	g_variant_get(reply, "(a(ssssssouso))", &iter);
	while (g_variant_iter_next(iter, "(&s&s&s&s&s&s&ou&s&o)", &id, NULL, &load, &active, &sub,
				   NULL, &path, NULL, NULL, NULL)) {
		const VarveUnitState *was = before ? varve_unit_states_find(before, id) : NULL;
		const char *const values[] = { id, load, active, sub };
		const Type *type = type_of(id);
		GHashTable *properties;

		if (!type)
			continue;
		properties = add_unit(asking, path);
		for (gsize i = 0; i < G_N_ELEMENTS(values); i++)
			g_hash_table_insert(properties, g_strdup(list_properties[i]),
					    g_strdup(values[i]));
		ask_for_listed(asking, path, properties, type, was,
			       is_as_it_was(was, load, active, sub),
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
	GHashTable *properties;
	const char *path;

	if (!reply && !g_dbus_error_is_remote_error(local)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	if (!reply || !type)
		return TRUE;
	g_variant_get(reply, "(&o)", &path);
	properties = g_hash_table_lookup(asking->units, path);
	if (!properties)
		properties = add_unit(asking, path);
	ask(asking, path, properties, UNIT, list_properties);
	ask_everything(asking, path, properties, type);
	return TRUE;
}

static gboolean ask_all(Asking *asking, const char *const *names, const VarveUnitStates *before,
			GError **error)
{
	asking->manager = g_dbus_connection_new_for_address_sync(
		ADDRESS, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL, NULL, error);
	if (!asking->manager || !ask_for_list(asking, names, before, error))
		return FALSE;
	for (; names && *names; names++)
		if (!strstr(*names, "@.") && !ask_for(asking, *names, error))
			return FALSE;
	return TRUE;
}

VarveUnitStates *varve_unit_states_read(const char *const *names, const VarveUnitStates *before,
					GError **error)
{
	g_auto(Asking) asking = { .context = g_main_context_new() };
	g_autoptr(GError) local = NULL;
	VarveUnitStates *states;
	GHashTableIter iter;
	gpointer properties;

	/* What is answered is looked at here, and nothing else is. */
	g_main_context_push_thread_default(asking.context);
	asking.units = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					     (GDestroyNotify)g_hash_table_unref);
	if (!ask_all(&asking, names, before, &local) && !asking.error)
		asking.error = g_steal_pointer(&local);
	while (asking.pending > 0)
		g_main_context_iteration(asking.context, TRUE);
	if (asking.error) {
		varve_fail(error, VARVE_ERROR_SYSTEM, "the service manager does not answer: %s",
			   asking.error->message);
		return NULL;
	}
	states = varve_unit_states_new();
	g_hash_table_iter_init(&iter, asking.units);
	while (g_hash_table_iter_next(&iter, NULL, &properties))
		varve_unit_states_add(states, properties);
	return states;
}
