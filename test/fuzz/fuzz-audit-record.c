/* Audit records: a value has no more bytes than the line, and what was parsed can be shown. */
#include "format/audit-record.h"

#include "base/text.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_field(gpointer key, gpointer value, gpointer line)
{
	g_autofree char *shown = varve_text_line(value);

	if (strlen(key) + strlen(value) > strlen(line) || !g_utf8_validate(shown, -1, NULL))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *line = g_strndup((const char *)data, size);
	g_autoptr(VarveAuditRecord) record = varve_audit_record_parse(line);
	g_autoptr(VarveAuditRecord) text = varve_audit_record_parse_text(1400, 0, 0, line);

	if (record)
		g_hash_table_foreach(record->fields, check_field, line);
	g_hash_table_foreach(text->fields, check_field, line);
	return 0;
}
