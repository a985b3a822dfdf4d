/* [[layers.NAME.checks]]: what has to hold when a layer was swapped. */
#include "definition/checks.h"
#include "definition/schema.h"

static const VarveField check_fields[] = {
	{ "unit", VARVE_FIELD_STRING, 0, .offset = offsetof(VarveCheckDefinition, unit),
	  .check = varve_check_unit },
	{ "command", VARVE_FIELD_STRINGS, VARVE_FIELD_NOT_EMPTY,
	  .offset = offsetof(VarveCheckDefinition, command), .check = varve_check_line },
	{ "timeout", VARVE_FIELD_STRING, 0, .offset = offsetof(VarveCheckDefinition, timeout_text),
	  .check = varve_check_timeout },
	{ NULL },
};

static void check_check(VarveLoader *loader, const VarveTable *table, void *data)
{
	const VarveItem *unit = varve_table_item(table, "unit");
	const VarveItem *command = varve_table_item(table, "command");
	VarveCheckDefinition *check = data;

	if (unit && command)
		varve_key_mistake(loader, command,
				  "this check has 'unit' too; it must have one of the two");
	else if (!varve_table_mentions(table, "unit") && !varve_table_mentions(table, "command") &&
		 !varve_table_partial(loader, table))
		varve_table_mistake(loader, table,
				    "this check has neither 'unit' nor 'command'; it must have one "
				    "of the two");
	if (command && command->field && *check->command && **check->command != '/')
		varve_item_mistake(loader, command,
				   "'command': '%s' must be an absolute path: start with '/'",
				   *check->command);
	check->timeout = VARVE_CHECK_TIMEOUT;
	if (check->timeout_text && !varve_check_timeout(check->timeout_text))
		check->timeout = varve_timeout_seconds(check->timeout_text);
}

const VarveSchema varve_schema_check = {
	.what = "check",
	.fields = check_fields,
	.size = sizeof(VarveCheckDefinition),
	.check = check_check,
};
