/* Upstreams: which commit, which files. What they hold is hostile; so is what a server answers. */
#include "component/source.h"

#include "base/error.h"
#include "base/file.h"
#include "component/loose-files.h"
#include "component/source-internal.h"

#include <string.h>

#define SPEC_LIMIT ((gsize)16 << 20)
#define LIST_LIMIT ((gsize)4 << 20)

void varve_source_free(VarveSource *source)
{
	if (!source)
		return;
	g_free(source->upstream_name);
	g_free(source->pin);
	varve_git_free(source->git);
	g_free(source->commit);
	if (source->files)
		g_ptr_array_unref(source->files);
	g_free(source->directory);
	g_free(source->spec_name);
	g_free(source->spec);
	varve_sources_file_free(source->sources);
	g_free(source);
}

static gboolean is_local(const VarveEffective *effective)
{
	return effective->component.found_spec ||
	       effective->component.spec.type == VARVE_SPEC_LOCAL;
}

static const char *branch_of(const VarveEffective *effective)
{
	return effective->version ? effective->version->dist_git_branch : NULL;
}

/* (nullable) the commit that is asked for by name. */
static const char *named_commit(const VarveEffective *effective)
{
	const char *own = effective->component.spec.upstream_commit;

	return effective->locked_commit ? effective->locked_commit : own;
}

char *varve_source_pin(const VarveEffective *effective)
{
	const char *branch = branch_of(effective), *commit = named_commit(effective);

	if (is_local(effective))
		return g_strdup("local");
	if (commit)
		return g_strconcat("commit ", commit, NULL);
	if (effective->snapshot)
		return g_strdup_printf("snapshot %s of %s", effective->snapshot,
				       branch ? branch : "");
	return g_strconcat("branch ", branch ? branch : "", NULL);
}

char *varve_uri_fill(const char *template, const VarvePlaceholder *placeholders)
{
	g_autoptr(GString) uri = g_string_new(NULL);

	while (*template) {
		const VarvePlaceholder *longest = NULL;

		/* $hashtype begins like $hash. */
		for (const VarvePlaceholder *each = placeholders; each->name; each++) {
			if (g_str_has_prefix(template, each->name) &&
			    (!longest || strlen(each->name) > strlen(longest->name)))
				longest = each;
		}
		if (longest)
			g_string_append_uri_escaped(uri, longest->value,
						    G_URI_RESERVED_CHARS_ALLOWED_IN_PATH_ELEMENT,
						    FALSE);
		else
			g_string_append_c(uri, *template);
		template += longest ? strlen(longest->name) : 1;
	}
	return g_string_free(g_steal_pointer(&uri), FALSE);
}

static gboolean need(const VarveSource *source, const char *value, const char *key, GError **error)
{
	const VarveDistro *distro = source->effective->distro;

	if (value && *value)
		return TRUE;
	return varve_fail(error, VARVE_ERROR_DEFINITION,
			  "component '%s': its upstream '%s' has no '%s'; set it in [distros.%s]",
			  source->name, distro->name, key, distro->name);
}

static gboolean parse_snapshot(const VarveSource *source, gint64 *ret, GError **error)
{
	const char *text = source->effective->snapshot;
	g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
	g_autoptr(GDateTime) time = text ? g_date_time_new_from_iso8601(text, utc) : NULL;

	if (text && !time)
		return varve_fail(error, VARVE_ERROR_DEFINITION,
				  "component '%s': snapshot '%s' is no date and time", source->name,
				  text);
	*ret = time ? g_date_time_to_unix(time) : 0;
	return TRUE;
}

static gboolean open_git(VarveSource *source, GError **error)
{
	const VarveDistro *distro = source->effective->distro;
	const VarvePlaceholder placeholders[] = { { "$pkg", source->upstream_name }, { NULL } };
	g_autofree char *cache = g_build_filename(source->options->work, "git", NULL), *uri = NULL;
	VarveGitSource from = { .cache = cache, .offline = source->options->offline };

	if (!distro)
		return varve_fail(error, VARVE_ERROR_DEFINITION,
				  "component '%s': its spec comes from upstream, but no "
				  "distribution is named; set spec.upstream-distro",
				  source->name);
	if (!need(source, distro->dist_git_base_uri, "dist-git-base-uri", error))
		return FALSE;
	from.uri = uri = varve_uri_fill(distro->dist_git_base_uri, placeholders);
	source->git = varve_git_open(&from, error);
	return source->git != NULL;
}

static gboolean find_commit(VarveSource *source, const char *commit, GError **error)
{
	const char *branch = branch_of(source->effective);
	const char *wanted = commit ? commit : named_commit(source->effective);
	gint64 time = 0;

	if (wanted) {
		source->commit = varve_git_find_commit(source->git, wanted, branch, error);
		return source->commit != NULL;
	}
	if (!need(source, branch, "dist-git-branch of the version", error) ||
	    !parse_snapshot(source, &time, error))
		return FALSE;
	source->commit = varve_git_find_before(source->git, branch, time, error);
	return source->commit != NULL;
}

static const VarveGitFile *find_file(const VarveSource *source, const char *name)
{
	for (guint i = 0; i < source->files->len; i++) {
		const VarveGitFile *file = source->files->pdata[i];

		if (strcmp(file->path, name) == 0 && file->mode != 0120000)
			return file;
	}
	return NULL;
}

/* UPSTREAM.spec, or the only spec that there is. */
static const VarveGitFile *find_spec(const VarveSource *source)
{
	g_autofree char *usual = g_strconcat(source->upstream_name, ".spec", NULL);
	const VarveGitFile *found = find_file(source, usual);

	for (guint i = 0; !found && i < source->files->len; i++) {
		const VarveGitFile *file = source->files->pdata[i];

		if (strchr(file->path, '/') || !g_str_has_suffix(file->path, ".spec"))
			continue;
		for (guint j = i + 1; j < source->files->len; j++) {
			const VarveGitFile *other = source->files->pdata[j];

			if (!strchr(other->path, '/') && g_str_has_suffix(other->path, ".spec"))
				return NULL;
		}
		return file->mode != 0120000 ? file : NULL;
	}
	return found;
}

static gboolean read_git(VarveSource *source, char **ret_list, gsize *ret_size, GError **error)
{
	const VarveGitFile *spec, *list;
	const char *objects[3] = { NULL };
	g_autoptr(GPtrArray) contents = NULL;

	source->files = varve_git_files(source->git, source->commit, error);
	if (!source->files)
		return FALSE;
	spec = find_spec(source);
	list = find_file(source, "sources");
	if (!spec)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "component '%s': commit %.12s of '%s' has no '%s.spec'; set "
				  "spec.upstream-name where the package is called differently",
				  source->name, source->commit, source->upstream_name,
				  source->upstream_name);
	objects[0] = spec->object;
	objects[1] = list ? list->object : NULL;
	contents = varve_git_read(source->git, objects, SPEC_LIMIT, error);
	if (!contents)
		return FALSE;
	source->spec_name = g_strdup(spec->path);
	source->spec = g_strndup(g_bytes_get_data(contents->pdata[0], &source->spec_size),
				 g_bytes_get_size(contents->pdata[0]));
	if (list)
		*ret_list = g_strndup(g_bytes_get_data(contents->pdata[1], ret_size),
				      g_bytes_get_size(contents->pdata[1]));
	return TRUE;
}

static gboolean read_local(VarveSource *source, char **ret_list, gsize *ret_size, GError **error)
{
	const VarveComponent *component = &source->effective->component;
	const char *path = component->found_spec ? component->found_spec : component->spec.path;
	g_autofree char *list = NULL;

	source->directory = g_path_get_dirname(path);
	source->spec_name = g_path_get_basename(path);
	if (!varve_file_read(AT_FDCWD, path, SPEC_LIMIT, &source->spec, &source->spec_size,
			     error)) {
		g_prefix_error(error, "component '%s': its spec: ", source->name);
		return FALSE;
	}
	list = g_build_filename(source->directory, "sources", NULL);
	return !g_file_test(list, G_FILE_TEST_IS_REGULAR) ||
	       varve_file_read(AT_FDCWD, list, LIST_LIMIT, ret_list, ret_size, error);
}

gboolean varve_source_is_tree(const VarveSourceFile *file)
{
	return file->from == VARVE_SOURCE_DOWNLOAD && file->uri &&
	       g_str_has_prefix(file->uri, VARVE_SOURCE_TREE);
}

char *varve_source_tree(const VarveSourceFile *file, const char *directory, char ***ret_only)
{
	g_auto(GStrv) parts = g_strsplit(file->uri + strlen(VARVE_SOURCE_TREE), "?only=", 2);

	*ret_only = parts[1] ? g_strsplit(parts[1], ",", -1) : NULL;
	return g_canonicalize_filename(parts[0], directory);
}

/* One of the definition's source-files, put into the list. */
static gboolean add_source_file(VarveSource *source, const VarveSourceFile *file, GError **error)
{
	gboolean there = varve_sources_file_find(source->sources, file->filename) != NULL;
	g_autofree char *origin = varve_origin_text(&file->origin);
	GChecksumType type;

	if (!file->hash || !file->hash_type || !varve_checksum_type(file->hash_type, &type) ||
	    !varve_checksum_valid(type, file->hash))
		return varve_fail(error, VARVE_ERROR_DEFINITION,
				  "component '%s': %s: '%s' has no hash that it can be checked by; "
				  "set 'hash' and 'hash-type' (\"SHA512\")%s",
				  source->name, origin, file->filename,
				  file->from == VARVE_SOURCE_CUSTOM
					  ? "; with a 'hash' of zeros its build says what the "
					    "script made"
					  : "");
	if (there && !file->replace_upstream)
		return varve_fail(
			error, VARVE_ERROR_DEFINITION,
			"component '%s': %s: '%s' is in the upstream's 'sources' already; "
			"where it is meant to take its place, set replace-upstream and "
			"replace-reason",
			source->name, origin, file->filename);
	if (!there && file->replace_upstream)
		return varve_fail(error, VARVE_ERROR_DEFINITION,
				  "component '%s': %s: '%s' is to replace one of the upstream's "
				  "'sources', which has no such file; correct 'filename', or drop "
				  "replace-upstream",
				  source->name, origin, file->filename);
	varve_sources_file_remove(source->sources, file->filename);
	varve_sources_file_set(source->sources, file->filename, type, file->hash);
	return TRUE;
}

static gboolean make_list(VarveSource *source, const char *text, gsize size, GError **error)
{
	const VarveComponent *component = &source->effective->component;
	g_autofree char *name = g_strconcat(source->upstream_name, "/sources", NULL);

	source->has_sources_file = text != NULL;
	source->sources =
		text ? varve_sources_file_parse(text, size, name, error) : varve_sources_file_new();
	if (!source->sources)
		return FALSE;
	for (gsize i = 0; i < component->n_source_files; i++) {
		if (component->source_files[i].from != VARVE_SOURCE_OVERLAY &&
		    !varve_source_is_tree(&component->source_files[i]) &&
		    !add_source_file(source, &component->source_files[i], error))
			return FALSE;
	}
	return TRUE;
}

VarveSource *varve_source_open(const VarveDefinition *definition, const VarveEffective *effective,
			       const VarveSourceOptions *options, const char *commit,
			       GError **error)
{
	g_autoptr(VarveSource) source = g_new0(VarveSource, 1);
	const char *name = effective->component.spec.upstream_name;
	g_autofree char *list = NULL;
	gsize size = 0;
	gboolean ok;

	source->name = effective->name;
	source->effective = effective;
	source->definition = definition;
	source->options = options;
	source->upstream_name = g_strdup(name ? name : effective->name);
	source->pin = varve_source_pin(effective);
	if (!varve_is_file_name(source->upstream_name)) {
		varve_fail(error, VARVE_ERROR_DEFINITION,
			   "component '%s': '%s' is no name that a package has", source->name,
			   source->upstream_name);
		return NULL;
	}
	if (is_local(effective))
		ok = read_local(source, &list, &size, error);
	else
		ok = open_git(source, error) && find_commit(source, commit, error) &&
		     read_git(source, &list, &size, error);
	if (!ok || !make_list(source, list, size, error))
		return NULL;
	return g_steal_pointer(&source);
}

gboolean varve_source_export(VarveSource *source, int into, GError **error)
{
	varve_autofd directory = -1;

	if (source->git)
		return varve_git_export(source->git, source->files, into, error);
	directory = varve_dir_open(AT_FDCWD, source->directory, error);
	return directory >= 0 && varve_loose_copy(directory, into, NULL, error);
}
