/* How varvectl shows stacks to people. */
#include "cli/varvectl/show.h"

#include <stdio.h>

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
