/* What the kinds of bills of materials share. */
#include "format/bom.h"

#include "crypt/sha256.h"

#include <string.h>

/* Percent-encoding as package URLs want it; ':' stays. */
static void append_encoded(GString *purl, const char *text)
{
	for (; *text; text++) {
		if (g_ascii_isalnum(*text) || strchr(".-_~:", *text))
			g_string_append_c(purl, *text);
		else
			g_string_append_printf(purl, "%%%02X", (guint8)*text);
	}
}

char *varve_bom_purl(const VarveManifest *layer, const VarveManifestPackage *package)
{
	g_autoptr(GString) purl = g_string_new("pkg:rpm/");

	append_encoded(purl, layer->os_id);
	g_string_append_c(purl, '/');
	append_encoded(purl, package->name);
	g_string_append_c(purl, '@');
	append_encoded(purl, package->version);
	g_string_append_c(purl, '-');
	append_encoded(purl, package->release);
	g_string_append(purl, "?arch=");
	append_encoded(purl, package->arch);
	g_string_append(purl, "&distro=");
	append_encoded(purl, layer->os_id);
	g_string_append_c(purl, '-');
	append_encoded(purl, layer->os_version_id);
	if (package->epoch)
		g_string_append_printf(purl, "&epoch=%u", package->epoch);
	if (*package->source) {
		g_string_append(purl, "&upstream=");
		append_encoded(purl, package->source);
	}
	return g_string_free(g_steal_pointer(&purl), FALSE);
}

gboolean varve_bom_is_system(const VarveBom *bom)
{
	return bom->n_layers != 1 || bom->layers[0]->role == VARVE_ROLE_BASE;
}

char *varve_bom_time(gint64 created)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(created);

	/* Out of the calendar: the epoch is as wrong as anything, and valid. */
	return time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ")
		    : g_strdup("1970-01-01T00:00:00Z");
}

static void update_text(VarveSha256 *state, const char *text)
{
	varve_sha256_update(state, text, strlen(text) + 1);
}

char *varve_bom_uuid(const VarveBom *bom, const char *kind)
{
	g_autoptr(VarveSha256) state = varve_sha256_new();
	VarveDigest digest;
	g_autofree char *hex = NULL;

	update_text(state, kind);
	update_text(state, bom->name);
	update_text(state, bom->version);
	for (gsize i = 0; i < bom->n_layers; i++) {
		VarveManifest layer = *bom->layers[i];
		g_autofree char *text = NULL;

		/* Not yet known when the document goes into the layer. */
		memset(&layer.paths, 0, sizeof layer.paths);
		text = varve_manifest_write(&layer);
		update_text(state, text);
	}
	varve_sha256_finish(state, &digest);
	/* RFC 9562, version 8: made by a rule of one's own. */
	digest.bytes[6] = (guint8)((digest.bytes[6] & 0x0f) | 0x80);
	digest.bytes[8] = (guint8)((digest.bytes[8] & 0x3f) | 0x80);
	hex = varve_hex(digest.bytes, 16);
	return g_strdup_printf("%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
			       hex + 20);
}
