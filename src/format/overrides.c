/* What a patch overrides, as docs/formats.md describes it. */
#include "format/overrides.h"

#include "base/error.h"
#include "format/members.h"
#include "format/path.h"

#include <string.h>

VarveManifestOverride *varve_manifest_override_new(const char *layer, const char *version,
						   const char *path, const VarveDigest *digest)
{
	VarveManifestOverride *override = g_new0(VarveManifestOverride, 1);

	override->layer = g_strdup(layer);
	override->version = g_strdup(version);
	override->path = g_strdup(path);
	override->digest = *digest;
	return override;
}

void varve_manifest_override_free(VarveManifestOverride *override)
{
	if (!override)
		return;
	g_free(override->layer);
	g_free(override->version);
	g_free(override->path);
	g_free(override);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveManifestOverride, varve_manifest_override_free)

static gint by_path(gconstpointer a, gconstpointer b)
{
	const VarveManifestOverride *x = *(VarveManifestOverride *const *)a;
	const VarveManifestOverride *y = *(VarveManifestOverride *const *)b;

	return strcmp(x->path, y->path);
}

void varve_overrides_sort(GPtrArray *overrides)
{
	g_ptr_array_sort(overrides, by_path);
}

const VarveManifestOverride *varve_manifest_find_override(const VarveManifest *manifest,
							  const char *path)
{
	VarveManifestOverride wanted = { .path = (char *)path };
	const VarveManifestOverride *key = &wanted;
	VarveManifestOverride **found;

	if (manifest->overrides->len == 0)
		return NULL;
	found = bsearch(&key, manifest->overrides->pdata, manifest->overrides->len,
			sizeof(gpointer), by_path);
	return found ? *found : NULL;
}

void varve_overrides_write(json_t *root, const GPtrArray *overrides)
{
	g_autoptr(GPtrArray) sorted = g_ptr_array_new();
	json_t *array;

	/* A layer that is no patch stays the bytes that it was. */
	if (overrides->len == 0)
		return;
	array = json_array();
	for (guint i = 0; i < overrides->len; i++)
		g_ptr_array_add(sorted, overrides->pdata[i]);
	varve_overrides_sort(sorted);
	for (guint i = 0; i < sorted->len; i++) {
		const VarveManifestOverride *override = sorted->pdata[i];
		json_t *object = json_object();

		json_object_set_new(object, "layer", varve_json_text(override->layer));
		json_object_set_new(object, "version", varve_json_text(override->version));
		json_object_set_new(object, "path", varve_json_text(override->path));
		json_object_set_new(object, "digest", varve_members_of_digest(&override->digest));
		json_array_append_new(array, object);
	}
	json_object_set_new(root, "overrides", array);
}

static VarveManifestOverride *parse_one(const json_t *object, const char *name, GError **error)
{
	static const char *const known[] = { "layer", "version", "path", "digest", NULL };
	g_autoptr(VarveManifestOverride) override = g_new0(VarveManifestOverride, 1);

	if (!json_is_object(object)) {
		varve_fail(error, VARVE_ERROR_CORRUPT, "%s: is not an object", name);
		return NULL;
	}
	if (!varve_members_check(object, known, name, error) ||
	    !varve_members_word(object, "layer", ".+-", name, &override->layer, error) ||
	    !varve_members_word(object, "version", ".+~^-", name, &override->version, error) ||
	    !varve_members_text(object, "path", name, &override->path, error) ||
	    !varve_members_digest(object, "digest", name, &override->digest, error))
		return NULL;
	if (!*override->path || !varve_path_is_canonical(override->path)) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "%s: 'path' is '%s', expected a path relative to the root, without "
			   "empty, '.' or '..' components",
			   name, override->path);
		return NULL;
	}
	return g_steal_pointer(&override);
}

gboolean varve_overrides_parse(const json_t *root, const char *name, GPtrArray *overrides,
			       GError **error)
{
	const json_t *array = json_object_get(root, "overrides");

	if (!array)
		return TRUE;
	if (!json_is_array(array) || json_array_size(array) == 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'overrides' is empty or of another type, expected an array "
				  "with something in it",
				  name);
	for (gsize i = 0; i < json_array_size(array); i++) {
		g_autofree char *where =
			g_strdup_printf("%s: item %" G_GSIZE_FORMAT " of 'overrides'", name, i);
		VarveManifestOverride *override = parse_one(json_array_get(array, i), where, error);

		if (!override)
			return FALSE;
		g_ptr_array_add(overrides, override);
		if (i > 0 && by_path(&overrides->pdata[i - 1], &overrides->pdata[i]) >= 0)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: '%s' is there twice or out of order", where,
					  override->path);
	}
	return TRUE;
}
