/* Paths and packages as text and as JSON. */
#include "cli/varve/layer-text.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

char *varve_printable(const char *text)
{
	g_autoptr(GString) shown = g_string_new(NULL);

	while (*text) {
		gunichar c = g_utf8_get_char_validated(text, -1);

		if (c == (gunichar)-1 || c == (gunichar)-2 || !g_unichar_isprint(c)) {
			g_string_append_printf(shown, "\\x%02x", (guint8)*text++);
			continue;
		}
		g_string_append_unichar(shown, c);
		text = g_utf8_next_char(text);
	}
	return g_string_free(g_steal_pointer(&shown), FALSE);
}

char *varve_mode_text(mode_t mode)
{
	static const char types[] = "?pc?d?b?-?l?s???";
	char text[] = "?rwxrwxrwx";

	text[0] = types[(mode & S_IFMT) >> 12];
	for (int i = 0; i < 9; i++) {
		if (!(mode & (0400u >> i)))
			text[1 + i] = '-';
	}
	if (mode & S_ISUID)
		text[3] = mode & S_IXUSR ? 's' : 'S';
	if (mode & S_ISGID)
		text[6] = mode & S_IXGRP ? 's' : 'S';
	if (mode & S_ISVTX)
		text[9] = mode & S_IXOTH ? 't' : 'T';
	return g_strdup(text);
}

/* Names on disk are bytes; JSON is UTF-8. */
static json_t *json_bytes(const char *text)
{
	g_autofree char *escaped = g_utf8_validate(text, -1, NULL) ? NULL : varve_printable(text);

	return json_string(escaped ?: text);
}

static json_t *json_hex(const void *bytes, size_t size)
{
	g_autofree char *hex = varve_hex(bytes, size);

	return json_string(hex);
}

json_t *varve_path_json(const VarvePath *path)
{
	json_t *object = json_object(), *xattrs;
	g_autofree char *name = g_strconcat("/", path->path, NULL);
	g_autofree char *mode = g_strdup_printf("%06o", (guint)path->mode);

	json_object_set_new(object, "path", json_bytes(name));
	json_object_set_new(object, "mode", json_string(mode));
	json_object_set_new(object, "uid", json_integer(path->uid));
	json_object_set_new(object, "gid", json_integer(path->gid));
	if (S_ISREG(path->mode)) {
		json_object_set_new(object, "size", json_integer((json_int_t)path->size));
		json_object_set_new(object, "sha256",
				    json_hex(path->digest.bytes, sizeof(path->digest.bytes)));
	}
	if (S_ISLNK(path->mode))
		json_object_set_new(object, "target", json_bytes(path->target));
	if (S_ISCHR(path->mode) || S_ISBLK(path->mode)) {
		json_object_set_new(object, "major", json_integer(major(path->device)));
		json_object_set_new(object, "minor", json_integer(minor(path->device)));
	}
	if (*path->label)
		json_object_set_new(object, "label", json_bytes(path->label));
	if (*path->package)
		json_object_set_new(object, "package", json_bytes(path->package));
	if (path->hardlink)
		json_object_set_new(object, "hardlink", json_integer((json_int_t)path->hardlink));
	if (path->n_xattrs == 0)
		return object;
	xattrs = json_object();
	for (size_t i = 0; i < path->n_xattrs; i++) {
		g_autofree char *key = varve_printable(path->xattrs[i].name);

		json_object_set_new(xattrs, key,
				    json_hex(path->xattrs[i].value, path->xattrs[i].size));
	}
	json_object_set_new(object, "xattrs", xattrs);
	return object;
}

json_t *varve_package_json(const VarveManifestPackage *package)
{
	json_t *object = json_object();
	g_autofree char *evr = varve_manifest_package_evr(package);

	json_object_set_new(object, "name", json_string(package->name));
	json_object_set_new(object, "evr", json_string(evr));
	json_object_set_new(object, "arch", json_string(package->arch));
	json_object_set_new(object, "source", json_string(package->source));
	json_object_set_new(object, "license", json_string(package->license));
	json_object_set_new(object, "vendor", json_string(package->vendor));
	json_object_set_new(object, "upstream", json_string(package->upstream));
	json_object_set_new(object, "sha256",
			    json_hex(package->digest.bytes, sizeof(package->digest.bytes)));
	json_object_set_new(object, "size", json_integer((json_int_t)package->size));
	return object;
}

json_t *varve_overrides_json(const VarveManifest *manifest)
{
	json_t *list = json_array();

	for (guint i = 0; i < manifest->overrides->len; i++) {
		const VarveManifestOverride *override = manifest->overrides->pdata[i];
		g_autofree char *path = g_strconcat("/", override->path, NULL);
		json_t *object = json_object();

		json_object_set_new(object, "layer", json_string(override->layer));
		json_object_set_new(object, "version", json_string(override->version));
		json_object_set_new(object, "path", json_string(path));
		json_object_set_new(
			object, "sha256",
			json_hex(override->digest.bytes, sizeof(override->digest.bytes)));
		json_array_append_new(list, object);
	}
	return list;
}

char *varve_override_text(const VarveManifestOverride *override)
{
	g_autofree char *path = varve_printable(override->path);

	return g_strdup_printf("/%s of %s %s", path, override->layer, override->version);
}
