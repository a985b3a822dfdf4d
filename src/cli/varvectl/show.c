/* How varvectl shows stacks to people. */
#include "cli/varvectl/show.h"

#include <stdio.h>
#include <string.h>
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
	const char *what = *layer->file ? layer->file : layer->name;

	if (layer->retired) {
		printf("%s%s: %s: %s\n", indent, what, layer->code, layer->sentence);
		return;
	}
	printf("%s%s: refused, %s: %s\n", indent, what, layer->code, layer->sentence);
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

char *varve_show_verification(const VarveReport *report)
{
	return varve_report_kernel_mode(report)
		       ? g_strdup_printf("kernel (%s) and userspace", report->verification_detail)
		       : g_strdup_printf("userspace: %s", report->verification_detail);
}

char *varve_show_integrity(const VarveReport *report)
{
	if (strcmp(report->integrity_asked, "off") == 0)
		return NULL;
	if (strcmp(report->integrity, "enforce") == 0)
		return g_strdup("enforced: only code that the kernel verified is executed");
	if (strcmp(report->integrity, "audit") == 0)
		return g_strdup(
			"audit: code that the kernel did not verify is logged, and executed");
	return g_strdup_printf("not in force, '%s' was asked for: %s", report->integrity_asked,
			       report->integrity_detail);
}
