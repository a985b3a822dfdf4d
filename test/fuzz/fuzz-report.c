/* Boot reports: what is accepted is written the same way for ever. */
#include "stack/report.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(json_t) json = varve_json_parse((const char *)data, size, "input", NULL);
	g_autoptr(VarveReport) report = json ? varve_report_from_json(json, NULL) : NULL;
	g_autoptr(VarveReport) again = NULL;
	g_autoptr(json_t) first = NULL, second = NULL;
	g_autofree char *text = NULL, *repeated = NULL;

	if (!report)
		return 0;
	first = varve_report_to_json(report);
	again = varve_report_from_json(first, NULL);
	if (!again)
		__builtin_trap();
	second = varve_report_to_json(again);
	text = varve_json_dump(first, FALSE);
	repeated = varve_json_dump(second, FALSE);
	if (strcmp(text, repeated) != 0)
		__builtin_trap();
	return 0;
}
