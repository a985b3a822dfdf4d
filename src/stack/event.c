/* Events, from entries of the journal. */
#include "stack/event.h"

#include "base/text.h"
#include "format/audit-record.h"
#include "format/kernel-message.h"

#include <string.h>

static const char *const kind_names[VARVE_EVENT_KINDS] = {
	[VARVE_EVENT_LAYER] = "layer",
	[VARVE_EVENT_WARNING] = "warning",
	[VARVE_EVENT_SELINUX] = "selinux",
	[VARVE_EVENT_IPE] = "ipe",
	[VARVE_EVENT_ENFORCEMENT] = "enforcement",
	[VARVE_EVENT_VERITY] = "verity",
	[VARVE_EVENT_LOCKDOWN] = "lockdown",
	[VARVE_EVENT_MODULE] = "module",
	[VARVE_EVENT_LOST] = "lost",
};

const char *varve_event_kind_name(VarveEventKind kind)
{
	return kind_names[kind];
}

gboolean varve_event_kind_from_name(const char *name, VarveEventKind *ret_kind)
{
	for (guint i = 0; i < VARVE_EVENT_KINDS; i++) {
		if (strcmp(kind_names[i], name) != 0)
			continue;
		*ret_kind = (VarveEventKind)i;
		return TRUE;
	}
	return FALSE;
}

VarveEvent *varve_event_new(VarveEventKind kind, gint64 when, const char *what)
{
	VarveEvent *event = g_new0(VarveEvent, 1);

	event->kind = kind;
	event->when = when;
	event->what = varve_text_line(what);
	event->comm = g_strdup("");
	event->unit = g_strdup("");
	event->path = g_strdup("");
	event->layer = g_strdup("");
	event->package = g_strdup("");
	return event;
}

void varve_event_free(VarveEvent *event)
{
	if (!event)
		return;
	g_free(event->what);
	g_free(event->comm);
	g_free(event->unit);
	g_free(event->path);
	g_free(event->layer);
	g_free(event->package);
	g_free(event);
}

static const char *text_of(const json_t *entry, const char *key)
{
	const char *text = json_string_value(json_object_get(entry, key));

	return text ? text : "";
}

static guint64 number_of(const char *text)
{
	return g_ascii_strtoull(text, NULL, 10);
}

/* When it happened, where the entry knows; else when the journal got it. */
static gint64 time_of(const json_t *entry)
{
	const char *source = text_of(entry, "_SOURCE_REALTIME_TIMESTAMP");
	guint64 when = number_of(*source ? source : text_of(entry, "__REALTIME_TIMESTAMP"));

	return when <= G_MAXINT64 ? (gint64)when : 0;
}

static void set_line(char **field, const char *value)
{
	g_free(*field);
	*field = varve_text_line(value);
}

/* "sshd_t" of "system_u:system_r:sshd_t:s0-s0:c0.c1023". */
static char *type_of(const char *context)
{
	g_auto(GStrv) parts = g_strsplit(context, ":", 4);

	return g_strdup(g_strv_length(parts) >= 3 ? parts[2] : context);
}

static VarveEvent *from_avc(const VarveAuditRecord *record, gint64 when)
{
	g_autofree char *source = type_of(varve_audit_record_get(record, "scontext"));
	g_autofree char *target = type_of(varve_audit_record_get(record, "tcontext"));
	g_autofree char *what = NULL;
	VarveEvent *event;

	if (record->type != VARVE_AUDIT_SELINUX_ERR && strcmp(record->decision, "denied") != 0)
		return NULL;
	if (record->type == VARVE_AUDIT_SELINUX_ERR)
		what = g_strdup_printf("error in %s", varve_audit_record_get(record, "op"));
	else
		what = g_strdup_printf("denied: %s of a %s, %s on %s", record->permissions,
				       varve_audit_record_get(record, "tclass"), source, target);
	event = varve_event_new(VARVE_EVENT_SELINUX, when, what);
	event->only_told = strcmp(varve_audit_record_get(record, "permissive"), "1") == 0;
	return event;
}

static VarveEvent *from_ipe(const VarveAuditRecord *record, gint64 when)
{
	const char *rule = varve_audit_record_get(record, "rule");
	g_autofree char *what =
		g_strdup_printf("denied: %s (%s), by %s", varve_audit_record_get(record, "ipe_op"),
				varve_audit_record_get(record, "ipe_hook"), rule);
	VarveEvent *event;

	if (!g_str_has_suffix(rule, "action=DENY"))
		return NULL;
	event = varve_event_new(VARVE_EVENT_IPE, when, what);
	event->only_told = strcmp(varve_audit_record_get(record, "enforcing"), "0") == 0;
	return event;
}

static VarveEvent *from_enforcement(const VarveAuditRecord *record, gint64 when)
{
	const char *module = varve_audit_record_get(record, "lsm");
	const char *enforcing = varve_audit_record_get(record, "enforcing");
	g_autofree char *what = NULL;

	if (record->type == VARVE_AUDIT_IPE_POLICY)
		what = g_strdup_printf("an IPE policy was loaded: %s %s",
				       varve_audit_record_get(record, "policy_name"),
				       varve_audit_record_get(record, "policy_version"));
	else if (record->type == VARVE_AUDIT_IPE_CONFIG)
		what = g_strdup_printf("another IPE policy is active: %s %s",
				       varve_audit_record_get(record, "new_active_pol_name"),
				       varve_audit_record_get(record, "new_active_pol_version"));
	else if (*enforcing)
		what = g_strdup_printf("%s %s", *module ? module : "selinux",
				       strcmp(enforcing, "0") == 0
					       ? "does not enforce any more: it only tells"
					       : "enforces");
	return what ? varve_event_new(VARVE_EVENT_ENFORCEMENT, when, what) : NULL;
}

static VarveEvent *from_record(const VarveAuditRecord *record, gint64 when)
{
	const char *path = varve_audit_record_get(record, "path");
	const char *name = varve_audit_record_get(record, "name");
	VarveEvent *event = NULL;

	switch (record->type) {
	case VARVE_AUDIT_AVC:
	case VARVE_AUDIT_USER_AVC:
	case VARVE_AUDIT_SELINUX_ERR:
		event = from_avc(record, when);
		break;
	case VARVE_AUDIT_IPE_ACCESS:
		event = from_ipe(record, when);
		break;
	case VARVE_AUDIT_MAC_STATUS:
	case VARVE_AUDIT_IPE_CONFIG:
	case VARVE_AUDIT_IPE_POLICY:
		event = from_enforcement(record, when);
		break;
	}
	if (!event)
		return NULL;
	set_line(&event->comm, varve_audit_record_get(record, "comm"));
	event->pid = (guint)MIN(number_of(varve_audit_record_get(record, "pid")), G_MAXINT);
	g_free(event->path);
	event->path = g_utf8_make_valid(*path ? path : name, -1);
	event->serial = record->serial;
	event->serial_ms = record->time_ms;
	return event;
}

static VarveEvent *from_message(const char *text, gint64 when)
{
	g_auto(VarveMessage) message = { 0 };
	g_autofree char *what = NULL;
	VarveEvent *event;

	varve_message_parse(text, &message);
	switch (message.kind) {
	case VARVE_MESSAGE_VERITY:
		what = g_strdup_printf("block %" G_GUINT64_FORMAT
				       " of the %s on device %u:%u is not "
				       "what was signed",
				       message.block, message.tree ? "verity tree" : "data",
				       message.major, message.minor);
		event = varve_event_new(VARVE_EVENT_VERITY, when, what);
		event->major = message.major;
		event->minor = message.minor;
		event->tree = message.tree;
		event->block = message.block;
		return event;
	case VARVE_MESSAGE_LOCKDOWN:
		what = g_strdup_printf("denied: %s, the kernel is locked down", message.what);
		event = varve_event_new(VARVE_EVENT_LOCKDOWN, when, what);
		set_line(&event->comm, message.comm);
		return event;
	case VARVE_MESSAGE_MODULE:
		what = g_strdup_printf("a kernel module was rejected: %s", message.what);
		return varve_event_new(VARVE_EVENT_MODULE, when, what);
	case VARVE_MESSAGE_LOST:
		what = message.count > 0 ? g_strdup_printf("%" G_GUINT64_FORMAT
							   " records did not reach the log",
							   message.count)
					 : g_strdup("records did not reach the log");
		return varve_event_new(VARVE_EVENT_LOST, when, what);
	case VARVE_MESSAGE_OTHER:
		break;
	}
	return NULL;
}

static VarveEvent *from_kernel(const json_t *entry, gint64 when)
{
	const char *text = text_of(entry, "MESSAGE");
	g_autoptr(VarveAuditRecord) record = NULL;

	if (strcmp(text_of(entry, "SYSLOG_FACILITY"), "0") != 0)
		return NULL;
	record = varve_audit_record_parse(text);
	return record ? from_record(record, when) : from_message(text, when);
}

VarveEvent *varve_event_from_entry(const json_t *entry)
{
	const char *transport = text_of(entry, "_TRANSPORT");
	gint64 when = time_of(entry);
	g_autoptr(VarveAuditRecord) record = NULL;
	VarveEvent *event = NULL;

	if (strcmp(transport, "kernel") == 0) {
		event = from_kernel(entry, when);
	} else if (strcmp(transport, "audit") == 0) {
		record = varve_audit_record_parse_text(
			(guint)MIN(number_of(text_of(entry, "_AUDIT_TYPE")), G_MAXINT), when / 1000,
			number_of(text_of(entry, "_AUDIT_ID")), text_of(entry, "MESSAGE"));
		event = from_record(record, when);
		if (event)
			set_line(&event->unit, text_of(entry, "_SYSTEMD_UNIT"));
	} else if (strcmp(transport, "driver") == 0) {
		/* The journal's own words, of which only one kind is of interest. */
		event = from_message(text_of(entry, "MESSAGE"), when);
		if (event && event->kind != VARVE_EVENT_LOST)
			g_clear_pointer(&event, varve_event_free);
	}
	return event;
}

json_t *varve_event_to_json(const VarveEvent *event)
{
	json_t *json = json_object();

	json_object_set_new(json, "when", json_integer(event->when));
	json_object_set_new(json, "kind", json_string(varve_event_kind_name(event->kind)));
	json_object_set_new(json, "what", json_string(event->what));
	json_object_set_new(json, "only-told", json_boolean(event->only_told));
	json_object_set_new(json, "comm", json_string(event->comm));
	json_object_set_new(json, "pid", json_integer(event->pid));
	json_object_set_new(json, "unit", json_string(event->unit));
	json_object_set_new(json, "path", json_string(event->path));
	json_object_set_new(json, "layer", json_string(event->layer));
	json_object_set_new(json, "package", json_string(event->package));
	return json;
}
