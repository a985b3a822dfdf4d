/* Reading the journal. */
#include "stack/journal.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"

#include <string.h>

#define ENTRY_MAX (256 * 1024)
#define MACHINE_ID_MAX 64

typedef struct {
	VarveJournalVisit visit;
	gpointer data;
	guint64 broken;
} Reading;

/* journalctl ends well and shows nothing where it may read nothing. */
static gboolean check_access(GError **error)
{
	static const char *const dirs[] = { "/var/log/journal", "/run/log/journal" };
	g_autofree char *id = NULL;
	gboolean there = FALSE;
	gsize size;

	if (!varve_file_read(AT_FDCWD, "/etc/machine-id", MACHINE_ID_MAX, &id, &size, error))
		return FALSE;
	g_strchomp(id);
	for (gsize i = 0; i < G_N_ELEMENTS(dirs); i++) {
		g_autofree char *file = g_build_filename(dirs[i], id, "system.journal", NULL);

		if (access(file, R_OK) == 0)
			return TRUE;
		there |= errno != ENOENT;
	}
	if (there)
		return varve_fail(error, VARVE_ERROR_SYSTEM,
				  "the journal cannot be read by this user: only root and the "
				  "group systemd-journal may");
	return varve_fail(error, VARVE_ERROR_NOT_FOUND,
			  "there is no journal of this machine in %s or %s: see 'systemctl status "
			  "systemd-journald'",
			  dirs[0], dirs[1]);
}

static gboolean take_line(const char *line, gsize size, gpointer data, GError **error)
{
	Reading *reading = data;
	g_autoptr(json_t) entry = varve_json_parse(line, size, "journal entry", NULL);

	if (!entry) {
		reading->broken++;
		return TRUE;
	}
	return reading->visit(entry, reading->data, error);
}

gboolean varve_journal_read(const VarveJournalQuery *query, VarveJournalVisit visit, gpointer data,
			    guint64 *ret_left_out, GError **error)
{
	g_autofree char *boot = g_strdup_printf("--boot=%d", query->boot);
	g_autofree char *since = g_strconcat("--since=", query->since, NULL);
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	const char *const fixed[] = {
		"journalctl",
		"--quiet",
		"--no-pager",
		"--output=json",
		"--output-fields=MESSAGE,_TRANSPORT,SYSLOG_FACILITY,_AUDIT_TYPE,"
		"_AUDIT_ID,_SOURCE_REALTIME_TIMESTAMP,_SYSTEMD_UNIT",
		"_TRANSPORT=kernel",
		"_TRANSPORT=audit",
		"_TRANSPORT=driver"
	};
	Reading reading = { .visit = visit, .data = data };
	VarveProcess process = { 0 };
	guint64 left_out = 0;

	if (!check_access(error))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(fixed); i++)
		g_ptr_array_add(argv, (gpointer)fixed[i]);
	g_ptr_array_add(argv, boot);
	if (query->since)
		g_ptr_array_add(argv, since);
	if (query->follow) {
		g_ptr_array_add(argv, (gpointer) "--follow");
		g_ptr_array_add(argv, (gpointer) "--no-tail");
	}
	g_ptr_array_add(argv, NULL);
	process.argv = (const char *const *)argv->pdata;
	if (!varve_process_lines(&process, ENTRY_MAX, take_line, &reading, &left_out, error))
		return FALSE;
	if (ret_left_out)
		*ret_left_out = left_out + reading.broken;
	return TRUE;
}
