/* The lock file (TOML, one package a line). */
#include "package/lock.h"

#include "base/error.h"
#include "base/file.h"
#include "toml/toml.h"
#include "toml/write.h"

#include <string.h>

#define LOCK_VERSION 1
#define LOCK_LIMIT (64u << 20)

/** One package of one layer. */
typedef struct {
	char *name; /* NEVRA; of an own package its name alone */
	char *repository;
	gboolean own;
	VarveDigest digest; /* unless own */
} Entry;

struct VarveLock {
	char *path;
	GHashTable *layers; /* "LAYER ARCH" → GPtrArray of Entry */
	gboolean changed;
};

static void free_entry(gpointer data)
{
	Entry *entry = data;

	g_free(entry->name);
	g_free(entry->repository);
	g_free(entry);
}

static void free_entries(gpointer data)
{
	g_ptr_array_unref(data);
}

static char *key_of(const char *layer, const char *arch)
{
	return g_strconcat(layer, " ", arch, NULL);
}

/* The string member @key of an entry's inline table; NULL where it is not there. */
static gboolean read_string(const VarveToml *toml, const VarveTomlEntry *entry, const char *key,
			    const char **ret, GError **error)
{
	const VarveTomlEntry *member = varve_toml_entry(entry->value, key);

	*ret = NULL;
	if (!member)
		return TRUE;
	if (member->value->type != VARVE_TOML_STRING)
		return varve_toml_fail(toml, member->value->span, error,
				       "'%s' is %s, expected a string", key,
				       varve_toml_type_name(member->value->type));
	*ret = member->value->string.text;
	return TRUE;
}

static gboolean read_entry(const VarveToml *toml, const VarveTomlEntry *from, GPtrArray *entries,
			   GError **error)
{
	const char *repository, *digest;
	Entry *entry;

	if (from->value->type != VARVE_TOML_TABLE)
		return varve_toml_fail(toml, from->key_span, error,
				       "expected { repository = \"…\", sha256 = \"…\" }");
	if (!read_string(toml, from, "repository", &repository, error) ||
	    !read_string(toml, from, "sha256", &digest, error))
		return FALSE;
	if (!repository)
		return varve_toml_fail(toml, from->key_span, error, "has no repository");
	entry = g_new0(Entry, 1);
	entry->name = g_strdup(from->key);
	entry->repository = g_strdup(repository);
	entry->own = digest == NULL;
	g_ptr_array_add(entries, entry);
	if (digest && !varve_digest_from_hex(digest, &entry->digest))
		return varve_toml_fail(toml, from->key_span, error,
				       "its sha256 is not 64 lowercase hex digits");
	return TRUE;
}

static gboolean read_layer(VarveLock *lock, const VarveToml *toml, const VarveTomlEntry *layer,
			   GError **error)
{
	if (layer->value->type != VARVE_TOML_TABLE)
		return varve_toml_fail(toml, layer->key_span, error,
				       "expected a table [layer.arch]");
	TOML_FOREACH (arch, layer->value) {
		g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(free_entry);

		if (arch->value->type != VARVE_TOML_TABLE)
			return varve_toml_fail(toml, arch->key_span, error,
					       "expected a table [layer.arch]");
		TOML_FOREACH (entry, arch->value) {
			if (!read_entry(toml, entry, entries, error))
				return FALSE;
		}
		g_hash_table_insert(lock->layers, key_of(layer->key, arch->key),
				    g_steal_pointer(&entries));
	}
	return TRUE;
}

static gboolean read_all(VarveLock *lock, const VarveToml *toml, GError **error)
{
	const VarveTomlEntry *version = varve_toml_entry(varve_toml_root(toml), "version");
	const VarveTomlEntry *layers = varve_toml_entry(varve_toml_root(toml), "layers");

	if (!version || version->value->type != VARVE_TOML_INTEGER ||
	    version->value->integer != LOCK_VERSION)
		return varve_fail(
			error, VARVE_ERROR_UNSUPPORTED,
			"%s: is not a lock file of version %d: make it anew with --update-lock",
			lock->path, LOCK_VERSION);
	if (!layers)
		return TRUE;
	if (layers->value->type != VARVE_TOML_TABLE)
		return varve_toml_fail(toml, layers->key_span, error,
				       "expected tables [layers.….…]");
	TOML_FOREACH (layer, layers->value) {
		if (!read_layer(lock, toml, layer, error))
			return FALSE;
	}
	return TRUE;
}

VarveLock *varve_lock_open(const char *path, GError **error)
{
	g_autoptr(VarveLock) lock = g_new0(VarveLock, 1);
	g_autoptr(GError) cause = NULL;
	g_autoptr(VarveToml) toml = NULL;
	g_autofree char *text = NULL;
	size_t size;

	lock->path = g_strdup(path);
	lock->layers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_entries);
	if (!varve_file_read(AT_FDCWD, path, LOCK_LIMIT, &text, &size, &cause)) {
		if (g_error_matches(cause, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
			return g_steal_pointer(&lock);
		g_propagate_error(error, g_steal_pointer(&cause));
		return NULL;
	}
	toml = varve_toml_parse(path, text, size, &cause);
	if (!toml || !read_all(lock, toml, &cause)) {
		varve_fail(error,
			   cause->code == VARVE_ERROR_DEFINITION ? VARVE_ERROR_CORRUPT
								 : (VarveError)cause->code,
			   "%s", cause->message);
		return NULL;
	}
	return g_steal_pointer(&lock);
}

void varve_lock_free(VarveLock *lock)
{
	if (!lock)
		return;
	g_hash_table_unref(lock->layers);
	g_free(lock->path);
	g_free(lock);
}

gboolean varve_lock_has(const VarveLock *lock, const char *layer, const VarveArch *arch)
{
	g_autofree char *key = key_of(layer, arch->name);

	return g_hash_table_contains(lock->layers, key);
}

/* The locked packages that the upstream has, as a request's `only`. */
static gboolean find_locked(const VarveLock *lock, VarveUniverse *universe,
			    const GPtrArray *entries, GPtrArray *only, GError **error)
{
	for (guint i = 0; i < entries->len; i++) {
		const Entry *entry = g_ptr_array_index(entries, i);
		g_autoptr(VarvePackage) other = NULL;
		VarvePackage *package;

		if (entry->own)
			continue;
		package = varve_universe_find(universe, entry->name, &entry->digest);
		if (package) {
			g_ptr_array_add(only, package);
			continue;
		}
		other = varve_universe_find(universe, entry->name, NULL);
		if (other)
			return varve_fail(
				error, VARVE_ERROR_CONFLICT,
				"package '%s' differs from the one in %s: repository '%s' has "
				"another file under the same name and version; to take it, build "
				"with --update-lock",
				entry->name, lock->path, other->repository);
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "package '%s', which %s names, is gone from repository '%s'; "
				  "to take what is there now, build with --update-lock",
				  entry->name, lock->path, entry->repository);
	}
	return TRUE;
}

static gboolean is_own(VarveUniverse *universe, const VarvePackage *package)
{
	const VarvePackageRepository *repository =
		varve_universe_repository(universe, package->repository);

	return repository && varve_package_repository_is_own(repository);
}

/* What was solved must be what is locked, all of it: a package that nothing asks for any more is a
 * change of the definition that the lock does not know, and so is one that was built here since. */
static gboolean check_complete(const VarveLock *lock, VarveUniverse *universe,
			       const GPtrArray *only, const GPtrArray *packages, GError **error)
{
	g_autoptr(GHashTable) solved = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) built = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GString) unused = g_string_new(NULL);

	for (guint i = 0; i < packages->len; i++) {
		const VarvePackage *package = g_ptr_array_index(packages, i);

		if (is_own(universe, package))
			g_hash_table_insert(built, package->name, package->nevra);
		else
			g_hash_table_add(solved, package->nevra);
	}
	for (guint i = 0; i < only->len; i++) {
		const VarvePackage *package = g_ptr_array_index(only, i);
		const char *own = g_hash_table_lookup(built, package->name);

		if (g_hash_table_contains(solved, package->nevra))
			continue;
		g_string_append_printf(unused, "%s%s", unused->len ? ", " : "", package->nevra);
		if (own)
			g_string_append_printf(unused, " ('%s' was built here)", own);
	}
	if (!unused->len)
		return TRUE;
	return varve_fail(error, VARVE_ERROR_CONFLICT,
			  "%s names packages that are not asked for any more: %s; build with "
			  "--update-lock",
			  lock->path, unused->str);
}

static gboolean resolve_locked(VarveLock *lock, VarveUniverse *universe,
			       const VarveSolveRequest *request, const GPtrArray *entries,
			       GPtrArray **ret_packages, GError **error)
{
	g_autoptr(GPtrArray) only = varve_package_array_new();
	g_autoptr(GPtrArray) packages = NULL;
	g_autoptr(GError) cause = NULL;
	VarveSolveRequest exact = *request;

	if (!find_locked(lock, universe, entries, only, error))
		return FALSE;
	exact.only = only;
	if (!varve_universe_solve(universe, &exact, &packages, &cause)) {
		if (!g_error_matches(cause, VARVE_ERROR, VARVE_ERROR_CONFLICT)) {
			g_propagate_error(error, g_steal_pointer(&cause));
			return FALSE;
		}
		return varve_fail(error, VARVE_ERROR_CONFLICT,
				  "the packages in %s are not what the definition asks for; where "
				  "that is meant, build with --update-lock. With the locked "
				  "packages alone, %s",
				  lock->path, cause->message);
	}
	if (!check_complete(lock, universe, only, packages, error))
		return FALSE;
	*ret_packages = g_steal_pointer(&packages);
	return TRUE;
}

static void record(VarveLock *lock, VarveUniverse *universe, const char *key,
		   const GPtrArray *packages)
{
	GPtrArray *entries = g_ptr_array_new_with_free_func(free_entry);

	for (guint i = 0; i < packages->len; i++) {
		const VarvePackage *package = g_ptr_array_index(packages, i);
		Entry *entry = g_new0(Entry, 1);

		entry->own = is_own(universe, package);
		entry->name = g_strdup(entry->own ? package->name : package->nevra);
		entry->repository = g_strdup(package->repository);
		entry->digest = package->digest;
		g_ptr_array_add(entries, entry);
	}
	g_hash_table_insert(lock->layers, g_strdup(key), entries);
	lock->changed = TRUE;
}

gboolean varve_lock_resolve(VarveLock *lock, VarveUniverse *universe, const char *layer,
			    const VarveSolveRequest *request, gboolean update,
			    GPtrArray **ret_packages, GError **error)
{
	g_autofree char *key = key_of(layer, varve_universe_arch(universe)->name);
	const GPtrArray *entries = g_hash_table_lookup(lock->layers, key);

	if (entries && !update)
		return resolve_locked(lock, universe, request, entries, ret_packages, error);
	if (!varve_universe_solve(universe, request, ret_packages, error))
		return FALSE;
	record(lock, universe, key, *ret_packages);
	return TRUE;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_entries(gconstpointer a, gconstpointer b)
{
	return strcmp((*(const Entry *const *)a)->name, (*(const Entry *const *)b)->name);
}

static void append_layer(GString *text, const char *key, GPtrArray *entries)
{
	g_auto(GStrv) parts = g_strsplit(key, " ", 2);

	g_string_append(text, "\n[layers.");
	varve_toml_append_string(text, parts[0]);
	g_string_append_printf(text, ".%s]\n", parts[1]);
	g_ptr_array_sort(entries, compare_entries);
	for (guint i = 0; i < entries->len; i++) {
		const Entry *entry = g_ptr_array_index(entries, i);
		char hex[VARVE_DIGEST_HEX_SIZE];

		varve_toml_append_string(text, entry->name);
		g_string_append(text, " = { repository = ");
		varve_toml_append_string(text, entry->repository);
		if (!entry->own) {
			varve_digest_to_hex(&entry->digest, hex);
			g_string_append_printf(text, ", sha256 = \"%s\"", hex);
		}
		g_string_append(text, " }\n");
	}
}

gboolean varve_lock_save(VarveLock *lock, GError **error)
{
	g_autoptr(GString) text = g_string_new("# The packages of each layer, to the byte, so that "
					       "a build can be repeated. Made by\n"
					       "# 'varve build', moved by its --update-lock. A "
					       "package without a digest is built here.\n");
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	GHashTableIter iterator;
	gpointer key;

	if (!lock->changed)
		return TRUE;
	g_string_append_printf(text, "version = %d\n", LOCK_VERSION);
	g_hash_table_iter_init(&iterator, lock->layers);
	while (g_hash_table_iter_next(&iterator, &key, NULL))
		g_ptr_array_add(keys, key);
	g_ptr_array_sort(keys, compare_names);
	for (guint i = 0; i < keys->len; i++)
		append_layer(text, keys->pdata[i],
			     g_hash_table_lookup(lock->layers, keys->pdata[i]));
	if (!varve_file_write(AT_FDCWD, lock->path, text->str, text->len, 0644, error))
		return FALSE;
	lock->changed = FALSE;
	return TRUE;
}
