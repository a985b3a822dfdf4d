/* How varvectl shows stacks to people. */
#include "cli/varvectl/show.h"

#include <stdio.h>
#include <unistd.h>

#define SHORT_HASH 12

char *varve_show_layer_line(const VarveReportLayer *layer)
{
	return g_strdup_printf("%s %s  root %.*s…  signed by %s%s", layer->name, layer->version,
			       SHORT_HASH, layer->root, layer->certificate,
			       layer->development ? " (DEVELOPMENT KEY)" : "");
}

void varve_show_refused(const VarveReportLayer *layer, const char *indent)
{
	printf("%s%s: refused, %s: %s\n", indent, *layer->file ? layer->file : layer->name,
	       layer->code, layer->sentence);
	printf("%s  next: %s\n", indent, layer->next);
}

void varve_show_warnings(const VarveReport *report, const char *indent)
{
	for (guint i = 0; i < report->warnings->len; i++)
		printf("%swarning: %s\n", indent, (const char *)report->warnings->pdata[i]);
}

void varve_show_compliance(const VarveReport *report, const char *indent)
{
	for (guint i = 0; i < report->complaints->len; i++) {
		const VarveComplaint *complaint = report->complaints->pdata[i];

		printf("%sNOT COMPLIANT: %s: %s\n", indent, complaint->code, complaint->sentence);
		printf("%s  next: %s\n", indent, complaint->next);
	}
}

gboolean varve_show_is_root(GError **error)
{
	return geteuid() == 0 ||
	       varve_fail(error, VARVE_ERROR_USAGE, "only root can ask the TPM: run it as root");
}
