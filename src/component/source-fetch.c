/* Archives of a component: from the definition's own places, a directory of this machine, the
 * upstream's lookaside. */
#include "base/error.h"
#include "base/file.h"
#include "component/source-internal.h"
#include "package/debian-mirror.h"
#include "package/download.h"

#include <string.h>

#define APT_DIRECTORY "/etc/apt"
#define DEBIAN_SCHEME "debian:"

static const VarveSourceFile *declared(const VarveSource *source, const char *name)
{
	const VarveComponent *component = &source->effective->component;

	for (gsize i = component->n_source_files; i > 0; i--) {
		if (strcmp(component->source_files[i - 1].filename, name) == 0)
			return &component->source_files[i - 1];
	}
	return NULL;
}

static const char *defined_mirror(const VarveSource *source)
{
	if (source->options->debian_mirror)
		return source->options->debian_mirror;
	for (gsize i = 0; i < source->definition->n_upstreams; i++) {
		const VarveUpstream *upstream = &source->definition->upstreams[i];

		if (upstream->type == VARVE_UPSTREAM_DEBIAN && upstream->mirror)
			return upstream->mirror;
	}
	return NULL;
}

static gboolean append_mirror(GPtrArray *uris, const char *mirror, const char *path, GError **error)
{
	g_auto(GStrv) found = varve_mirror_uris(mirror, path, error);

	for (char **uri = found; uri && *uri; uri++)
		g_ptr_array_add(uris, g_strdup(*uri));
	return found != NULL;
}

/* "debian:pool/…": below the archive that packages come from, whatever mirror that is here. */
static gboolean append_debian(const VarveSource *source, const char *path, GPtrArray *uris,
			      GError **error)
{
	const char *mirror = defined_mirror(source);
	g_auto(VarveDebianMirror) machine = { 0 };
	g_autofree char *clean = g_canonicalize_filename(path, "/");

	if (!g_str_has_prefix(path, "pool/") || strcmp(clean + 1, path) != 0 ||
	    strpbrk(path, "?#%\\ "))
		return varve_fail(error, VARVE_ERROR_DEFINITION,
				  "component '%s': 'debian:%s' is no path of a Debian archive "
				  "('debian:pool/main/…')",
				  source->name, path);
	if (mirror)
		return append_mirror(uris, mirror, path, error);
	return varve_debian_mirror_find(APT_DIRECTORY, &machine, error) &&
	       append_mirror(uris, machine.archive, path, error) &&
	       (!machine.security || append_mirror(uris, machine.security, path, error));
}

static void append_file(GPtrArray *uris, const char *path)
{
	if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
		g_ptr_array_add(uris, g_filename_to_uri(path, NULL, NULL));
}

static void append_local(const VarveSource *source, const VarveSourceEntry *entry, GPtrArray *uris)
{
	const char *directory = source->options->lookaside;
	g_autofree char *type = g_ascii_strdown(varve_checksum_name(entry->type), -1);
	g_autofree char *absolute = directory ? g_canonicalize_filename(directory, NULL) : NULL;
	g_autofree char *below = NULL, *plain = NULL, *by_sum = NULL;

	if (!directory)
		return;
	below = g_build_filename(absolute, source->upstream_name, entry->name, NULL);
	plain = g_build_filename(absolute, entry->name, NULL);
	by_sum = g_build_filename(absolute, type, entry->checksum, NULL);
	append_file(uris, below);
	append_file(uris, plain);
	append_file(uris, by_sum);
}

/* The distribution that is being made; it may have a lookaside of its own. */
static const VarveDistro *own_distro(const VarveSource *source)
{
	const VarveComponents *components = source->definition->components;

	if (!components->default_distro.origin.line)
		return NULL;
	return varve_distro_find(components, components->default_distro.name, NULL);
}

static void append_lookaside(const VarveSource *source, const VarveSourceEntry *entry,
			     GPtrArray *uris)
{
	const VarveDistro *const distros[] = { own_distro(source), source->effective->distro };
	g_autofree char *type = g_ascii_strdown(varve_checksum_name(entry->type), -1);
	const VarvePlaceholder placeholders[] = { { "$pkg", source->upstream_name },
						  { "$filename", entry->name },
						  { "$hashtype", type },
						  { "$hash", entry->checksum },
						  { NULL } };

	for (gsize i = 0; i < G_N_ELEMENTS(distros); i++) {
		g_autofree char *uri = NULL;

		if (!distros[i] || !distros[i]->lookaside_base_uri)
			continue;
		uri = varve_uri_fill(distros[i]->lookaside_base_uri, placeholders);
		if (!g_ptr_array_find_with_equal_func(uris, uri, g_str_equal, NULL))
			g_ptr_array_add(uris, g_steal_pointer(&uri));
	}
}

static gboolean origins_are_disabled(const VarveSource *source)
{
	const VarveDistro *own = own_distro(source), *upstream = source->effective->distro;

	return (own && own->disable_origins) || (upstream && upstream->disable_origins);
}

static gboolean append_origin(const VarveSource *source, const VarveSourceFile *file,
			      GPtrArray *uris, gboolean *ret_plain_http, GError **error)
{
	if (file->from != VARVE_SOURCE_DOWNLOAD || origins_are_disabled(source))
		return TRUE;
	if (!file->uri || !*file->uri)
		return varve_fail(error, VARVE_ERROR_DEFINITION,
				  "component '%s': '%s' has no origin.uri", source->name,
				  file->filename);
	if (g_str_has_prefix(file->uri, DEBIAN_SCHEME)) {
		/* Debian's mirrors speak http; what comes is known by its checksum. */
		*ret_plain_http = TRUE;
		return append_debian(source, file->uri + strlen(DEBIAN_SCHEME), uris, error);
	}
	g_ptr_array_add(uris, g_strdup(file->uri));
	return TRUE;
}

static gboolean no_place(const VarveSource *source, const VarveSourceFile *file, const char *name,
			 GError **error)
{
	if (file && file->from == VARVE_SOURCE_CUSTOM)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "component '%s': '%s' is made by a script (origin.type "
				  "\"custom\"), which runs where the component is built, and no "
				  "lookaside has it; build it first (varve component build %s), or "
				  "give the directory that has it with --lookaside",
				  source->name, name, source->name);
	if (file)
		return varve_fail(error, VARVE_ERROR_DEFINITION,
				  "component '%s': '%s' may not be fetched from its origin "
				  "(disable-origins), and there is no lookaside; set "
				  "lookaside-base-uri",
				  source->name, name);
	return varve_fail(error, VARVE_ERROR_DEFINITION,
			  "component '%s': 'sources' names '%s', but there is no lookaside to "
			  "fetch it from; set lookaside-base-uri of its upstream, or declare it in "
			  "source-files",
			  source->name, name);
}

/* A directory of this machine, lookasides, the file's own origin. */
static gboolean list_uris(const VarveSource *source, const VarveSourceEntry *entry, GPtrArray *uris,
			  gboolean *ret_plain_http, GError **error)
{
	const VarveSourceFile *file = declared(source, entry->name);

	append_local(source, entry, uris);
	append_lookaside(source, entry, uris);
	return !file || append_origin(source, file, uris, ret_plain_http, error);
}

static char *download(const VarveSource *source, const VarveSourceEntry *entry, GPtrArray *uris,
		      gboolean plain_http, GError **error)
{
	g_autofree char *cache = g_build_filename(source->options->work, "files", NULL);
	VarveDownload what = { .name = entry->name,
			       .type = entry->type,
			       .checksum = entry->checksum,
			       .plain_http = plain_http,
			       .offline = source->options->offline };
	char *path;

	g_ptr_array_add(uris, NULL);
	what.uris = (const char *const *)uris->pdata;
	path = varve_download(&what, cache, error);
	if (!path)
		g_prefix_error(error, "component '%s': ", source->name);
	return path;
}

/* What a script made is checked and kept as what came from a server is. */
static char *make(const VarveSource *source, const VarveSourceEntry *entry,
		  const VarveSourceFile *file, GError **error)
{
	g_autoptr(GPtrArray) uris = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *made = NULL, *path = NULL;

	if (!source->options->make) {
		no_place(source, file, entry->name, error);
		return NULL;
	}
	made = source->options->make(source, file, source->options->make_data, error);
	if (!made)
		return NULL;
	append_file(uris, made);
	path = download(source, entry, uris, FALSE, error);
	if (!path)
		g_prefix_error(error,
			       "what the script '%s' made is not what 'hash' says: ", file->script);
	return g_steal_pointer(&path);
}

char *varve_source_fetch(const VarveSource *source, const char *name, GError **error)
{
	const VarveSourceEntry *entry = varve_sources_file_find(source->sources, name);
	g_autoptr(GPtrArray) uris = g_ptr_array_new_with_free_func(g_free);
	const VarveSourceFile *file = declared(source, name);
	gboolean custom = file && file->from == VARVE_SOURCE_CUSTOM, plain_http = FALSE;
	g_autoptr(GError) cause = NULL;
	char *path;

	if (!entry) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND,
			   "component '%s': there is no '%s' in its 'sources'", source->name, name);
		return NULL;
	}
	if (!list_uris(source, entry, uris, &plain_http, error))
		return NULL;
	if (uris->len == 0 && !custom) {
		no_place(source, file, name, error);
		return NULL;
	}
	/* Without any URI there may still be one in the cache. */
	path = download(source, entry, uris, plain_http, &cause);
	if (path)
		return path;
	if (custom && g_error_matches(cause, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
		return make(source, entry, file, error);
	g_propagate_error(error, g_steal_pointer(&cause));
	return NULL;
}

gboolean varve_source_fetch_into(const VarveSource *source, const char *name, const char *into,
				 GError **error)
{
	g_autofree char *target = g_build_filename(into, name, NULL);
	g_autofree char *path = varve_source_fetch(source, name, error);

	return path && varve_file_copy(path, target, 0644, error);
}
