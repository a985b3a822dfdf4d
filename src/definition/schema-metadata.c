/* Metadata: why something differs from upstream, until when, and where upstream stands. azldev's
 * table, with keys of Varve's own: reason, until, fixed-in. */
#include "definition/checks.h"
#include "definition/schema.h"

#include <string.h>

#define AT(type, member) .offset = offsetof(type, member)
#define ARRAY(type, member) .offset = offsetof(type, member), .count = offsetof(type, n_##member)
#define UNBOUND .offset = VARVE_NOWHERE, .count = VARVE_NOWHERE

static const char *const categories[] = { "upstream-backport",
					  "azl-pruning",
					  "azl-compatibility",
					  "azl-temp-workaround",
					  "azl-branding-policy",
					  "azl-disable-flaky-tests",
					  "azl-disable-unsupported-tests",
					  "azl-security-compliance",
					  "azl-release-management",
					  "azl-platform-adaptation",
					  NULL };
static const char *const upstream_statuses[] = {
	"upstreamed", "upstreamable", "needs-upstream-hook", "inapplicable", "unknown", NULL
};

static const VarveField url_fields[] = {
	{ "url", VARVE_FIELD_STRING, VARVE_FIELD_REQUIRED, AT(VarveUrl, url),
	  .check = varve_check_web_url },
	{ NULL },
};

static const VarveSchema url_schema = {
	.what = "reference",
	.fields = url_fields,
	.size = sizeof(VarveUrl),
};

static const VarveField metadata_fields[] = {
	{ "category", VARVE_FIELD_CHOICE, VARVE_FIELD_REQUIRED, UNBOUND, .choices = categories },
	{ "upstream-status", VARVE_FIELD_CHOICE, VARVE_FIELD_REQUIRED, UNBOUND,
	  .choices = upstream_statuses },
	/* Varve's own. */
	{ "reason", VARVE_FIELD_STRING, VARVE_FIELD_NOT_EMPTY, AT(VarveOverlayMetadata, reason) },
	{ "until", VARVE_FIELD_STRING, 0, AT(VarveOverlayMetadata, until),
	  .check = varve_check_date },
	{ "fixed-in", VARVE_FIELD_STRING, 0, AT(VarveOverlayMetadata, fixed_in),
	  .check = varve_check_rpm_version },
	{ "commits", VARVE_FIELD_TABLES, 0, ARRAY(VarveOverlayMetadata, commits),
	  .schema = &url_schema },
	{ "bugs", VARVE_FIELD_TABLES, 0, ARRAY(VarveOverlayMetadata, bugs), .schema = &url_schema },
	{ NULL },
};

static const char *string_of(const VarveTable *table, const char *key)
{
	const VarveItem *item = varve_table_item(table, key);

	return item && item->field ? item->value->string.text : NULL;
}

static void check_metadata(VarveLoader *loader, const VarveTable *table, void *data)
{
	VarveOverlayMetadata *metadata = data;
	const char *status = string_of(table, "upstream-status");

	metadata->category = string_of(table, "category");
	metadata->upstream_status = status;
	if (g_strcmp0(metadata->category, "upstream-backport") != 0)
		return;
	if (metadata->n_commits == 0 && !varve_table_partial(loader, table))
		varve_table_mistake(loader, table,
				    "category 'upstream-backport' needs at least one of 'commits'");
	if (status && g_strv_contains(upstream_statuses, status) &&
	    strcmp(status, "upstreamed") != 0 && strcmp(status, "upstreamable") != 0)
		varve_item_mistake(loader, varve_table_item(table, "upstream-status"),
				   "'%s' contradicts the category 'upstream-backport', which is "
				   "'upstreamed' or 'upstreamable'",
				   status);
}

const VarveSchema varve_schema_metadata = {
	.what = "metadata",
	.fields = metadata_fields,
	.size = sizeof(VarveOverlayMetadata),
	.check = check_metadata,
};
