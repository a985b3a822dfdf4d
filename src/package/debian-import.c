/* The import, step by step. The cache below VarveDebianImport.cache:
 *   apt-ARCH/   apt's configuration and lists
 *   debs/       packages as downloaded
 *   rpms/KEY.rpm converted packages by what they were made of (varve_convert_key())
 *   tmp/        scratch, emptied by each run
 * Packages of the repository are hard links to those in rpms/. */
#include "package/debian-import.h"

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "crypt/sha256.h"
#include "ground/fd.h"
#include "package/convert.h"
#include "package/debian-apt.h"
#include "package/debian-closure.h"
#include "package/debian-fetch.h"
#include "package/repository.h"
#include "rpm/openpgp.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SETUP_SOURCE "base-passwd"

/* One package of the repository. */
typedef struct {
	const VarveParagraph *stanza;
	gboolean is_setup;
	guint64 size;    /* of the .deb */
	char *deb;       /* path */
	char *key;       /* of the cache */
	char *cached;    /* path in rpms/ */
	char *published; /* "packages/NAME.rpm" below the output */
} Item;

typedef struct {
	const VarveDebianImport *options;
	char *debs, *rpms, *tmp, *packages;
	int lock;
	char *identity; /* of the package key */
	GMutex key_lock;
	VarveOpenpgp *key; /* opened by the first that signs */
	VarveApt *apt;
	GPtrArray *stanzas; /* all that apt chose */
	VarveDebianClosure closure;
	GPtrArray *items; /* of Item */
	VarveConverter converter;
	VarveProgress *progress;
	VarveDebianImported result;
} Import;

static void free_item(gpointer pointer)
{
	Item *item = pointer;

	g_free(item->deb);
	g_free(item->key);
	g_free(item->cached);
	g_free(item->published);
	g_free(item);
}

static void clear_import(Import *import)
{
	varve_progress_free(import->progress);
	g_ptr_array_unref(import->items);
	varve_debian_closure_clear(&import->closure);
	g_clear_pointer(&import->stanzas, g_ptr_array_unref);
	varve_apt_free(import->apt);
	varve_openpgp_free(import->key);
	g_mutex_clear(&import->key_lock);
	g_free(import->identity);
	if (import->tmp)
		varve_dir_remove(AT_FDCWD, import->tmp, NULL);
	varve_autofd_close(&import->lock);
	g_free(import->debs);
	g_free(import->rpms);
	g_free(import->tmp);
	g_free(import->packages);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Import, clear_import)

/* What a killed run was writing. */
static gboolean sweep(const char *directory, GError **error)
{
	g_auto(GStrv) names = NULL;

	if (!varve_dir_list(AT_FDCWD, directory, &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_build_filename(directory, *name, NULL);

		if (g_str_has_suffix(*name, ".partial") && unlink(path) < 0)
			return varve_fail_errno(error, errno, "%s: cannot remove", path);
	}
	return TRUE;
}

static gboolean open_directories(Import *import, GError **error)
{
	const VarveDebianImport *options = import->options;
	g_autofree char *lock = g_build_filename(options->cache, "lock", NULL);

	import->debs = g_build_filename(options->cache, "debs", NULL);
	import->rpms = g_build_filename(options->cache, "rpms", NULL);
	import->packages = g_build_filename(options->output, "packages", NULL);
	if (!varve_dir_make(import->debs, 0755, error) ||
	    !varve_dir_make(import->rpms, 0755, error) ||
	    !varve_dir_make(import->packages, 0755, error))
		return FALSE;
	import->lock = varve_lock(lock, TRUE, error);
	if (import->lock < 0)
		return FALSE;
	/* Only now: another run's scratch must not be taken away. */
	import->tmp = g_build_filename(options->cache, "tmp", NULL);
	return varve_dir_remove(AT_FDCWD, import->tmp, error) &&
	       varve_dir_make(import->tmp, 0755, error) && sweep(import->rpms, error) &&
	       sweep(import->packages, error) && sweep(import->debs, error);
}

/* The public key stands for the key in caches, so that nothing secret is opened where nothing is
 * to be signed. */
static gboolean identify_key(Import *import, GError **error)
{
	g_autofree char *path = g_build_filename(import->options->keys, "package.asc", NULL);
	g_autofree char *text = NULL;
	VarveDigest digest;
	gsize size = 0;

	if (!varve_file_read(AT_FDCWD, path, 1 << 20, &text, &size, error)) {
		g_prefix_error(error, "the package key (made by 'varve keys init %s'): ",
			       import->options->keys);
		return FALSE;
	}
	varve_sha256(text, size, &digest);
	import->identity = varve_digest_dup_hex(&digest);
	return TRUE;
}

static VarveOpenpgp *open_key(Import *import, GError **error)
{
	g_autofree char *home = g_build_filename(import->options->keys, "package-gnupg", NULL);
	VarveOpenpgp *key;

	g_mutex_lock(&import->key_lock);
	if (!import->key)
		import->key = varve_openpgp_open(home, error);
	key = import->key;
	g_mutex_unlock(&import->key_lock);
	return key;
}

static gboolean sign(const void *data, gsize size, gint64 time, gpointer user,
		     GBytes **ret_signature, GError **error)
{
	VarveOpenpgp *key = open_key(user, error);

	return key && varve_openpgp_sign(data, size, time, key, ret_signature, error);
}

static GPtrArray *wanted_names(const VarveDebianImport *options)
{
	GPtrArray *names = g_ptr_array_new();
	const char *const *lists[] = { options->essential, options->wanted };
	g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);

	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
		for (const char *const *name = lists[i]; name && *name; name++)
			if (g_hash_table_add(known, (gpointer)*name))
				g_ptr_array_add(names, (gpointer)*name);
	return names;
}

static gboolean resolve(Import *import, GError **error)
{
	static const char *const main_component[] = { "main", NULL };
	const VarveDebianImport *options = import->options;
	VarveAptSource source = { .debian_arch = options->arch->debian,
				  .suite = options->suite,
				  .components = options->components && *options->components
							? options->components
							: main_component,
				  .mirror = options->mirror,
				  .security_mirror = options->security_mirror,
				  .keyring = options->keyring };
	g_autofree char *name = g_strconcat("apt-", options->arch->debian, NULL);
	g_autofree char *directory = g_build_filename(options->cache, name, NULL);
	g_autoptr(GPtrArray) wanted = wanted_names(options), asked = NULL;

	/* Every package needs setup, and setup needs base-files to stand beside it. */
	if (!g_ptr_array_find_with_equal_func(wanted, "base-files", g_str_equal, NULL))
		g_ptr_array_add(wanted, (gpointer) "base-files");
	asked = g_ptr_array_copy(wanted, NULL, NULL);
	g_ptr_array_add(asked, (gpointer)SETUP_SOURCE);
	import->apt = varve_apt_open(&source, directory, error);
	if (!import->apt ||
	    !varve_apt_update(import->apt, options->refresh, &import->result.list_age, error))
		return FALSE;
	import->stanzas = varve_apt_resolve(import->apt, asked, error);
	return import->stanzas && varve_debian_closure_find(import->stanzas, wanted, options->drop,
							    &import->closure, error);
}

static gboolean add_item(Import *import, const VarveParagraph *stanza, gboolean is_setup,
			 GError **error)
{
	g_autofree char *deb = varve_apt_file_name(stanza, error), *rpm = NULL;
	Item *item;

	if (!deb)
		return FALSE;
	rpm = is_setup ? varve_convert_setup_file_name(&import->converter, stanza, error)
		       : varve_convert_file_name(&import->converter, stanza, error);
	if (!rpm)
		return FALSE;
	item = g_new0(Item, 1);
	g_ptr_array_add(import->items, item);
	item->stanza = stanza;
	item->is_setup = is_setup;
	if (!varve_debian_fetch_size(stanza, &item->size, error))
		return FALSE;
	item->deb = g_build_filename(import->debs, deb, NULL);
	item->published = g_build_filename("packages", rpm, NULL);
	item->key = varve_convert_key(&import->converter, stanza, error);
	if (!item->key)
		return FALSE;
	item->cached =
		g_strdup_printf("%s/%s%s.rpm", import->rpms, is_setup ? "setup-" : "", item->key);
	return TRUE;
}

static gint compare_sizes(gconstpointer a, gconstpointer b)
{
	const Item *left = *(const Item *const *)a, *right = *(const Item *const *)b;

	return (left->size < right->size) - (left->size > right->size);
}

static gboolean list_items(Import *import, GError **error)
{
	for (guint i = 0; i < import->closure.packages->len; i++)
		if (!add_item(import, g_ptr_array_index(import->closure.packages, i), FALSE, error))
			return FALSE;
	for (guint i = 0; i < import->stanzas->len; i++) {
		const VarveParagraph *stanza = g_ptr_array_index(import->stanzas, i);

		if (g_strcmp0(varve_paragraph_get(stanza, "Package"), SETUP_SOURCE) == 0 &&
		    !add_item(import, stanza, TRUE, error))
			return FALSE;
	}
	import->result.packages = import->items->len;
	/* The largest first, or the last core would work alone on the kernel. */
	g_ptr_array_sort(import->items, compare_sizes);
	return TRUE;
}

/* The .debs of packages that are not converted yet. */
static gboolean fetch(Import *import, GError **error)
{
	g_autoptr(GPtrArray) stanzas = g_ptr_array_new();

	for (guint i = 0; i < import->items->len; i++) {
		const Item *item = g_ptr_array_index(import->items, i);

		if (access(item->cached, F_OK) < 0 &&
		    !g_ptr_array_find(stanzas, item->stanza, NULL))
			g_ptr_array_add(stanzas, (gpointer)item->stanza);
	}
	return varve_debian_fetch(import->apt, stanzas, import->debs, &import->result.fetched,
				  error);
}

static gboolean convert_item(Import *import, const Item *item, GError **error)
{
	varve_autofd deb = open(item->deb, O_RDONLY | O_CLOEXEC);
	g_autoptr(VarveNewFile) file = NULL;
	g_autoptr(GError) failure = NULL;
	gboolean done;

	if (deb < 0)
		return varve_fail_errno(error, errno, "%s: cannot open", item->deb);
	file = varve_new_file_open(item->cached, 0644, error);
	if (!file)
		return FALSE;
	done = item->is_setup ? varve_convert_setup(&import->converter, item->stanza, deb, file->fd,
						    &failure)
			      : varve_convert_deb(&import->converter, item->stanza, deb, file->fd,
						  &failure);
	if (done)
		return varve_new_file_commit(file, error);
	if (g_error_matches(failure, VARVE_ERROR, VARVE_ERROR_UNTRUSTED)) {
		unlink(item->deb);
		g_prefix_error(&failure, "%s: refused, and removed from the cache: ", item->deb);
	}
	g_propagate_error(error, g_steal_pointer(&failure));
	return FALSE;
}

typedef struct {
	Import *import;
	const GPtrArray *items;
} Conversion;

static gboolean convert_one(gsize index, gpointer data, GError **error)
{
	Conversion *conversion = data;
	const Item *item = g_ptr_array_index(conversion->items, index);

	if (!convert_item(conversion->import, item, error))
		return FALSE;
	varve_progress_add(conversion->import->progress, item->size,
			   varve_paragraph_get(item->stanza, "Package"));
	return TRUE;
}

static gboolean convert(Import *import, GError **error)
{
	g_autoptr(GPtrArray) missing = g_ptr_array_new();
	Conversion conversion = { import, missing };
	guint64 bytes = 0;

	for (guint i = 0; i < import->items->len; i++) {
		Item *item = g_ptr_array_index(import->items, i);

		if (access(item->cached, F_OK) == 0)
			continue;
		g_ptr_array_add(missing, item);
		bytes += item->size;
	}
	import->result.converted = missing->len;
	if (!missing->len)
		return TRUE;
	import->progress = varve_progress_new("importing packages", VARVE_PROGRESS_BYTES, bytes);
	if (!varve_parallel(missing->len, 0, convert_one, &conversion, error))
		return FALSE;
	varve_progress_end(import->progress, "%u packages", missing->len);
	return TRUE;
}

/* Links the packages of this import into the repository. */
static gboolean link_packages(Import *import, GError **error)
{
	for (guint i = 0; i < import->items->len; i++) {
		const Item *item = g_ptr_array_index(import->items, i);
		g_autofree char *path =
			g_build_filename(import->options->output, item->published, NULL);
		g_autofree char *temporary = g_strconcat(path, ".partial", NULL);
		struct stat cached, published;

		if (stat(item->cached, &cached) < 0)
			return varve_fail_errno(error, errno, "%s: cannot stat", item->cached);
		if (stat(path, &published) == 0 && published.st_ino == cached.st_ino &&
		    published.st_dev == cached.st_dev)
			continue;
		unlink(temporary);
		if (link(item->cached, temporary) < 0 || rename(temporary, path) < 0)
			return varve_fail_errno(error, errno, "%s: cannot put in place", path);
	}
	return TRUE;
}

/* "packages/NAME-VERSION-RELEASE.ARCH.rpm" -> NAME */
static char *package_name(const char *published)
{
	char *name = g_path_get_basename(published);

	for (int i = 0; i < 2; i++) {
		char *dash = strrchr(name, '-');

		if (dash)
			*dash = '\0';
	}
	return name;
}

/* Takes out what must not be there: dropped packages, and with `prune` all of other imports. */
static gboolean remove_others(Import *import, GPtrArray *names, GError **error)
{
	g_autoptr(GHashTable) ours = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < import->items->len; i++)
		g_hash_table_add(ours, ((Item *)g_ptr_array_index(import->items, i))->published);
	for (guint i = names->len; i-- > 0;) {
		const char *published = g_ptr_array_index(names, i);
		g_autofree char *name = package_name(published);
		g_autofree char *path = g_build_filename(import->options->output, published, NULL);

		if (g_hash_table_contains(ours, published) ||
		    (!import->options->prune &&
		     !g_hash_table_contains(import->closure.dropped, name)))
			continue;
		if (unlink(path) < 0)
			return varve_fail_errno(error, errno, "%s: cannot remove", path);
		g_ptr_array_remove_index(names, i);
		import->result.removed++;
	}
	return TRUE;
}

/* With `prune`: what no repository holds any more, and .debs of other versions. */
static gboolean prune_cache(const Import *import, GError **error)
{
	g_autoptr(GHashTable) kept = g_hash_table_new(g_str_hash, g_str_equal);
	const char *const directories[] = { import->rpms, import->debs };

	for (guint i = 0; i < import->items->len; i++) {
		const Item *item = g_ptr_array_index(import->items, i);

		g_hash_table_add(kept, item->deb);
		g_hash_table_add(kept, item->cached);
	}
	for (gsize k = 0; k < G_N_ELEMENTS(directories); k++) {
		g_auto(GStrv) names = NULL;

		if (!varve_dir_list(AT_FDCWD, directories[k], &names, error))
			return FALSE;
		for (char **name = names; *name; name++) {
			g_autofree char *path = g_build_filename(directories[k], *name, NULL);
			struct stat st;

			/* Another architecture's repository may link to it. */
			if (g_hash_table_contains(kept, path) || lstat(path, &st) < 0 ||
			    !S_ISREG(st.st_mode) || st.st_nlink > 1)
				continue;
			if (unlink(path) < 0)
				return varve_fail_errno(error, errno, "%s: cannot remove", path);
		}
	}
	return TRUE;
}

/* What the index depends on, as a digest: names and inodes' identities of all packages, the key. */
static char *index_state(const Import *import, const GPtrArray *names)
{
	g_autoptr(GString) state = g_string_new(import->identity);
	VarveDigest digest;

	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path = g_build_filename(import->options->output,
							 g_ptr_array_index(names, i), NULL);
		struct stat st = { 0 };

		stat(path, &st);
		g_string_append_printf(state, "\n%s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
				       (const char *)g_ptr_array_index(names, i),
				       (guint64)st.st_ino, (guint64)st.st_size);
	}
	varve_sha256(state->str, state->len, &digest);
	return varve_digest_dup_hex(&digest);
}

static gboolean publish(Import *import, GError **error)
{
	const char *output = import->options->output;
	g_autofree char *stamp = g_build_filename(output, ".published", NULL);
	g_autofree char *signature = g_build_filename(output, "repodata", "repomd.xml.asc", NULL);
	g_autofree char *state = NULL, *before = NULL;
	g_autoptr(GPtrArray) names = NULL;
	VarveOpenpgp *key;

	if (!link_packages(import, error))
		return FALSE;
	names = varve_repository_packages(output, error);
	if (!names || !remove_others(import, names, error))
		return FALSE;
	state = index_state(import, names);
	if (access(signature, F_OK) == 0 &&
	    varve_file_read(AT_FDCWD, stamp, 4096, &before, NULL, NULL) &&
	    strcmp(before, state) == 0)
		return TRUE;
	key = open_key(import, error);
	if (!key || !varve_repository_publish(output, key, names, error))
		return FALSE;
	import->result.published = TRUE;
	return varve_file_write(AT_FDCWD, stamp, state, strlen(state), 0644, error);
}

gboolean varve_debian_import(const VarveDebianImport *options, VarveDebianImported *ret_imported,
			     GError **error)
{
	g_auto(Import) import = { .options = options,
				  .lock = -1,
				  .items = g_ptr_array_new_with_free_func(free_item) };

	g_mutex_init(&import.key_lock);
	if (!open_directories(&import, error) || !identify_key(&import, error) ||
	    !resolve(&import, error))
		return FALSE;
	import.converter = (VarveConverter){ .arch = options->arch,
					     .suite = options->suite,
					     .dropped = import.closure.dropped,
					     .scratch = import.tmp,
					     .sign = sign,
					     .user = &import,
					     .identity = import.identity };
	if (!list_items(&import, error) || !fetch(&import, error) || !convert(&import, error) ||
	    !publish(&import, error) || (options->prune && !prune_cache(&import, error)))
		return FALSE;
	*ret_imported = import.result;
	return TRUE;
}
