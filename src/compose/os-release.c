/* os-release and extension-release texts. */
#include "compose/os-release.h"

#include <string.h>

/* A shell-quoted assignment; what the shell would expand is escaped. */
static void assign(GString *text, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	g_string_append_printf(text, "%s=\"", key);
	for (; *value; value++) {
		if (strchr("\"\\$`", *value))
			g_string_append_c(text, '\\');
		g_string_append_c(text, *value);
	}
	g_string_append(text, "\"\n");
}

char *varve_os_release(const VarveDefinition *definition, const VarveEdition *edition,
		       const char *version)
{
	const VarveOs *os = &definition->os;
	g_autofree char *pretty =
		g_strdup_printf("%s %s (%s)", os->name, os->version_id, edition->variant_id);
	g_autofree char *support_end = varve_edition_support_end(definition, edition);
	g_autofree char *image_id = g_strdup_printf("%s-%s", os->id, edition->name);
	GString *text = g_string_new(NULL);

	assign(text, "NAME", os->name);
	assign(text, "ID", os->id);
	assign(text, "VERSION_ID", os->version_id);
	assign(text, "PRETTY_NAME", pretty);
	assign(text, "VARIANT_ID", edition->variant_id);
	assign(text, "IMAGE_ID", image_id);
	assign(text, "IMAGE_VERSION", version);
	assign(text, "SUPPORT_END", support_end);
	assign(text, "VENDOR_NAME", os->vendor);
	assign(text, "HOME_URL", os->home_url);
	assign(text, "DEFAULT_HOSTNAME", os->id);
	return g_string_free(text, FALSE);
}

char *varve_extension_release(const VarveDefinition *definition, const VarveArch *arch,
			      const VarveLayerDefinition *layer)
{
	GString *text = g_string_new(NULL);

	assign(text, "ID", definition->os.id);
	assign(text, "VERSION_ID", definition->os.version_id);
	assign(text, "ARCHITECTURE", arch->name);
	g_string_append(text, "SYSEXT_SCOPE=\"system\"\nEXTENSION_RELOAD_MANAGER=\"1\"\n");
	if (layer->restart && *layer->restart) {
		g_autofree char *units = g_strjoinv(" ", (char **)layer->restart);

		assign(text, "EXTENSION_RESTART_UNITS", units);
	}
	if (layer->reload && *layer->reload) {
		g_autofree char *units = g_strjoinv(" ", (char **)layer->reload);

		assign(text, "EXTENSION_RELOAD_OR_RESTART_UNITS", units);
	}
	return g_string_free(text, FALSE);
}
