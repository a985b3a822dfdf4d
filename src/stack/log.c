/* What was refused and denied on this node. */
#include "stack/log.h"

#include "base/text.h"
#include "stack/damage.h"
#include "stack/journal.h"
#include "stack/owners.h"
#include "stack/unit-of.h"

#include <string.h>
#include <sys/stat.h>

/* Kernel and audit system tell the same within moments of each other. */
#define REMEMBERED 256

typedef struct {
	guint64 serial;
	gint64 ms;
} Seen;

typedef struct {
	const VarveReport *boot;
	const VarveLogQuery *query;
	VarveOwners *owners;
	VarveDamageFinder *finder; /* NULL: not asked for yet, or not to be had */
	gboolean finder_tried;
	Seen seen[REMEMBERED];
	guint n_seen;
	VarveEventVisit visit;
	gpointer data;
} Log;

static gboolean is_wanted(const Log *log, const VarveEvent *event)
{
	return log->query->kinds == 0 || (log->query->kinds & (1u << event->kind)) != 0;
}

static gboolean was_seen(Log *log, const VarveEvent *event)
{
	if (event->serial == 0)
		return FALSE;
	for (guint i = 0; i < MIN(log->n_seen, REMEMBERED); i++) {
		if (log->seen[i].serial == event->serial && log->seen[i].ms == event->serial_ms)
			return TRUE;
	}
	log->seen[log->n_seen++ % REMEMBERED] = (Seen){ event->serial, event->serial_ms };
	return FALSE;
}

static void replace(char **field, char *value)
{
	g_free(*field);
	*field = value;
}

/* The layers that run are those of this boot. */
static void find_damage(Log *log, VarveEvent *event)
{
	g_autoptr(VarveDamage) damage = NULL;
	g_autofree char *sentence = NULL;

	if (!log->finder_tried)
		log->finder = varve_damage_finder_new(log->boot, NULL);
	log->finder_tried = TRUE;
	if (!log->finder)
		return;
	damage = varve_damage_finder_find(log->finder, event->major, event->minor, event->tree,
					  event->block);
	if (!damage)
		return;
	sentence = varve_damage_sentence(damage);
	replace(&event->what, varve_text_line(sentence));
	replace(&event->path, g_strdup(damage->path));
	replace(&event->layer, g_strdup(damage->layer));
	replace(&event->package, g_strdup(damage->package));
}

static void find_owner(Log *log, VarveEvent *event)
{
	const VarveReportLayer *layer;
	char *package = NULL;

	if (!g_str_has_prefix(event->path, "/usr/"))
		return;
	layer = varve_owners_find(log->owners, event->path, &package);
	if (!layer)
		return;
	replace(&event->layer, g_strdup(layer->name));
	replace(&event->package, package);
}

static gboolean take_entry(const json_t *entry, gpointer data, GError **error)
{
	g_autoptr(VarveEvent) event = varve_event_from_entry(entry);
	Log *log = data;

	(void)error;
	if (!event || !is_wanted(log, event) || was_seen(log, event))
		return TRUE;
	if (log->query->boot == 0 && event->kind == VARVE_EVENT_VERITY)
		find_damage(log, event);
	else if (log->query->boot == 0)
		find_owner(log, event);
	if (log->query->boot == 0 && !*event->unit && event->pid > 0) {
		char *unit = varve_unit_of(event->pid, event->comm, event->when);

		if (unit)
			replace(&event->unit, unit);
	}
	log->visit(event, log->data);
	return TRUE;
}

static void tell(Log *log, VarveEventKind kind, gint64 when, const char *what, const char *layer)
{
	g_autoptr(VarveEvent) event = varve_event_new(kind, when, what);

	replace(&event->layer, g_strdup(layer));
	if (is_wanted(log, event))
		log->visit(event, log->data);
}

static void tell_boot(Log *log)
{
	const VarveReport *boot = log->boot;
	struct stat st;
	gint64 when =
		stat(VARVE_REPORT_FILE, &st) == 0
			? (gint64)st.st_mtim.tv_sec * G_USEC_PER_SEC + st.st_mtim.tv_nsec / 1000
			: 0;

	for (guint i = 0; i < boot->layers->len; i++) {
		const VarveReportLayer *layer = boot->layers->pdata[i];
		g_autofree char *what = NULL;

		if (layer->accepted || layer->retired)
			continue;
		what = g_strdup_printf("%s refused, %s: %s",
				       *layer->file ? layer->file : layer->name, layer->code,
				       layer->sentence);
		tell(log, VARVE_EVENT_LAYER, when, what, layer->name);
	}
	for (guint i = 0; i < boot->warnings->len; i++)
		tell(log, VARVE_EVENT_WARNING, when, boot->warnings->pdata[i], "");
}

gboolean varve_node_log(const VarveReport *boot, const VarveLogQuery *query, VarveEventVisit visit,
			gpointer data, guint64 *ret_left_out, GError **error)
{
	const VarveJournalQuery journal = { .boot = query->boot,
					    .since = query->since,
					    .follow = query->follow };
	g_autoptr(VarveOwners) owners = varve_owners_new(boot);
	Log log = { .boot = boot, .query = query, .owners = owners, .visit = visit, .data = data };
	gboolean ok;

	if (query->boot == 0 && !query->since)
		tell_boot(&log);
	ok = varve_journal_read(&journal, take_entry, &log, ret_left_out, error);
	varve_damage_finder_free(log.finder);
	return ok;
}
