/* From a request to a list of layers. */
#include "live/target.h"

#include "base/error.h"
#include "base/file.h"
#include "layer/layer.h"
#include "stack/select.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

void varve_state_dirs_clear(VarveStateDirs *dirs)
{
	varve_autofd_close(&dirs->layers);
	varve_autofd_close(&dirs->generations);
	varve_autofd_close(&dirs->staging);
}

static int open_dir(const char *path, GError **error)
{
	int fd = open(path, DIR_FLAGS);

	if (fd < 0)
		varve_fail_errno(error, errno, "%s: the state of the node cannot be opened", path);
	return fd;
}

gboolean varve_state_dirs_open(VarveStateDirs *ret, GError **error)
{
	g_auto(VarveStateDirs) dirs = { -1, -1, -1 };

	if (mkdir("/" VARVE_STAGING_DIR, 0700) < 0 && errno != EEXIST)
		return varve_fail_errno(error, errno, "/" VARVE_STAGING_DIR);
	dirs.layers = open_dir("/" VARVE_CANDIDATES_DIR, error);
	if (dirs.layers >= 0)
		dirs.generations = open_dir("/" VARVE_GENERATIONS_DIR, error);
	if (dirs.generations >= 0)
		dirs.staging = open_dir("/" VARVE_STAGING_DIR, error);
	if (dirs.staging < 0)
		return FALSE;
	*ret = dirs;
	dirs = (VarveStateDirs){ -1, -1, -1 };
	return TRUE;
}

gboolean varve_target_unstage(const VarveStateDirs *dirs, GError **error)
{
	g_auto(GStrv) names = NULL;

	if (!varve_dir_list(dirs->staging, ".", &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		if (unlinkat(dirs->staging, *name, 0) < 0 && errno != ENOENT)
			return varve_fail_errno(error, errno, "/" VARVE_STAGING_DIR "/%s", *name);
	}
	return TRUE;
}

void varve_target_free(VarveTarget *target)
{
	if (!target)
		return;
	varve_generation_free(target->generation);
	g_strfreev(target->staged);
	g_free(target);
}

static VarveGenerationLayer *find_layer(const GPtrArray *layers, const char *name)
{
	for (guint i = 0; i < layers->len; i++) {
		VarveGenerationLayer *layer = layers->pdata[i];

		if (strcmp(layer->name, name) == 0)
			return layer;
	}
	return NULL;
}

/* The merged layers, lowest first, as a list to start from. */
static gboolean list_running(const VarveReport *running, VarveGeneration *generation,
			     GError **error)
{
	for (guint i = 0; i < running->layers->len; i++) {
		const VarveReportLayer *layer = running->layers->pdata[i];
		VarveDigest root;

		if (!layer->accepted)
			continue;
		if (!varve_digest_from_hex(layer->root, &root))
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  VARVE_REPORT_FILE ": '%s' is no root hash", layer->root);
		g_ptr_array_add(generation->layers,
				varve_generation_layer_new(layer->name, layer->version, layer->file,
							   &root));
	}
	return TRUE;
}

/* @ret_there: a file of the name is there with the same layer in it. */
static gboolean look_for(const VarveStateDirs *dirs, const char *file, const VarveDigest *root,
			 gboolean *ret_there, GError **error)
{
	varve_autofd fd =
		openat(dirs->layers, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	g_autoptr(VarveLayer) layer = NULL;

	*ret_there = fd >= 0;
	if (fd < 0 && errno == ENOENT)
		return TRUE;
	layer = fd >= 0 ? varve_layer_open(fd, file, NULL) : NULL;
	if (layer && varve_digest_equal(varve_layer_root(layer), root))
		return TRUE;
	return varve_fail(
		error, VARVE_ERROR_CONFLICT,
		"'%s' is in /" VARVE_CANDIDATES_DIR
		" already, and is not the same layer: two layers have different versions. "
		"Build the new one with a version of its own, or remove the file that is "
		"there",
		file);
}

static gboolean stage(int fd, const char *path, const char *file, GError **error)
{
	g_autofree char *to = g_strconcat("/" VARVE_STAGING_DIR "/", file, NULL);
	g_autoptr(VarveNewFile) copy = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return varve_fail_errno(error, errno, "%s", path);
	copy = varve_new_file_open(to, 0644, error);
	return copy && varve_file_copy_bytes(fd, copy->fd, (guint64)st.st_size, path, error) &&
	       varve_new_file_commit(copy, error);
}

static int open_file(const char *path, GError **error)
{
	varve_autofd fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		varve_fail_errno(error, errno, "%s cannot be opened", path);
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		varve_fail(error, VARVE_ERROR_USAGE, "%s is no regular file", path);
		return -1;
	}
	return varve_fd_steal(&fd);
}

/* Puts the layer of the file @path into the list, in the place of the one with its name. */
static gboolean add_file(VarveTarget *target, const VarveStateDirs *dirs, const char *path,
			 GHashTable *given, GPtrArray *staged, GError **error)
{
	varve_autofd fd = open_file(path, error);
	g_autofree char *file = g_path_get_basename(path), *name = NULL, *version = NULL;
	g_autoptr(VarveLayer) layer = NULL;
	VarveGenerationLayer *old;
	gboolean there;

	if (fd < 0)
		return FALSE;
	if (!varve_select_split_name(file, &name, &version) || file[0] == '.')
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "'%s' is no name that a layer's file can have: "
				  "NAME_VERSION_ARCH.raw was expected",
				  file);
	layer = varve_layer_open(fd, file, error);
	if (!layer)
		return FALSE;
	if (!g_hash_table_add(given, g_strdup(name)))
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "two files of a layer called '%s' are given", name);
	if (!look_for(dirs, file, varve_layer_root(layer), &there, error) ||
	    (!there && !stage(fd, path, file, error)))
		return FALSE;
	if (!there)
		g_ptr_array_add(staged, g_strdup(file));
	old = find_layer(target->generation->layers, name);
	if (old)
		g_ptr_array_remove(target->generation->layers, old);
	g_ptr_array_add(target->generation->layers,
			varve_generation_layer_new(name, version, file, varve_layer_root(layer)));
	return TRUE;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	const VarveGenerationLayer *x = *(VarveGenerationLayer *const *)a;
	const VarveGenerationLayer *y = *(VarveGenerationLayer *const *)b;

	return strcmp(x->name, y->name);
}

static gboolean with_files(VarveTarget *target, const VarveStateDirs *dirs,
			   const char *const *paths, GError **error)
{
	g_autoptr(GHashTable) given = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) staged = g_ptr_array_new_with_free_func(g_free);

	for (gsize i = 0; paths[i]; i++) {
		if (!add_file(target, dirs, paths[i], given, staged, error))
			return FALSE;
	}
	/* As a boot orders what it finds. */
	g_ptr_array_sort(target->generation->layers, by_name);
	g_ptr_array_add(staged, NULL);
	target->staged = (char **)g_ptr_array_free(g_steal_pointer(&staged), FALSE);
	return TRUE;
}

static gboolean without(VarveTarget *target, const char *const *names, GError **error)
{
	for (gsize i = 0; names[i]; i++) {
		VarveGenerationLayer *layer = find_layer(target->generation->layers, names[i]);

		if (!layer)
			return varve_fail(error, VARVE_ERROR_NOT_FOUND,
					  "no layer called '%s' is merged; 'varvectl status' lists "
					  "those that are",
					  names[i]);
		g_ptr_array_remove(target->generation->layers, layer);
	}
	return TRUE;
}

static gboolean same_roots(const VarveGeneration *a, const VarveGeneration *b)
{
	if (a->layers->len != b->layers->len)
		return FALSE;
	for (guint i = 0; i < a->layers->len; i++) {
		const VarveGenerationLayer *x = a->layers->pdata[i], *y = b->layers->pdata[i];

		if (!varve_digest_equal(&x->root, &y->root))
			return FALSE;
	}
	return TRUE;
}

/* Whether a node could want to go back to @generation: it ran, and is not what runs now. */
static gboolean is_earlier(const VarveGeneration *generation, const VarveGeneration *now,
			   guint number)
{
	return generation->number < number && !*generation->outcome &&
	       varve_digest_equal(&generation->base, &now->base) && !same_roots(generation, now);
}

static VarveGeneration *find_before(const VarveReport *running, const VarveGeneration *now,
				    int dirfd, GError **error)
{
	/* Where the base runs alone every generation was before that. */
	guint limit = running->generation ? running->generation : G_MAXUINT, unreadable = 0;
	g_autoptr(GPtrArray) list = varve_generation_list(dirfd, &unreadable, error);

	if (!list)
		return NULL;
	for (guint i = list->len; i-- > 0;) {
		const VarveGeneration *generation = list->pdata[i];

		if (is_earlier(generation, now, limit))
			return varve_generation_load(dirfd, generation->number, error);
	}
	varve_fail(error, VARVE_ERROR_NOT_FOUND,
		   "there is no other generation of this base that did not fail to go back to%s",
		   unreadable ? "; some records cannot be read, see 'varvectl history'" : "");
	return NULL;
}

static gboolean of_generation(VarveTarget *target, const VarveReport *running, int dirfd,
			      guint number, GError **error)
{
	g_autoptr(VarveGeneration) now = g_steal_pointer(&target->generation);
	g_autoptr(GError) local = NULL;
	g_autoptr(VarveGeneration) found = number ? varve_generation_load(dirfd, number, &local)
						  : find_before(running, now, dirfd, &local);

	if (!found && number && g_error_matches(local, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "there is no generation %u; 'varvectl history' lists those that "
				  "are",
				  number);
	if (!found) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	if (!varve_digest_equal(&found->base, &now->base))
		return varve_fail(error, VARVE_ERROR_REFUSED,
				  "generation %u is of another base (%s %s) than the one that "
				  "runs: its layers were made for that; boot the other slot",
				  found->number, found->base_name, found->base_version);
	target->from = found->number;
	found->number = 0;
	found->selection = VARVE_SELECTION_LISTED;
	target->generation = g_steal_pointer(&found);
	return TRUE;
}

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

VarveTarget *varve_target_find(const VarveReport *running, const VarveStateDirs *dirs,
			       const VarveTargetRequest *request, GError **error)
{
	g_autoptr(VarveTarget) target = g_new0(VarveTarget, 1);
	gboolean ok = TRUE;

	target->generation = varve_generation_new();
	target->staged = g_new0(char *, 1);
	target->generation->selection = request->kind == VARVE_TARGET_DIRECTORY
						? VARVE_SELECTION_DIRECTORY
						: VARVE_SELECTION_LISTED;
	set(&target->generation->base_name, running->base->name);
	set(&target->generation->base_version, running->base->version);
	if (!varve_digest_from_hex(running->base->root, &target->generation->base)) {
		varve_fail(error, VARVE_ERROR_CORRUPT, VARVE_REPORT_FILE ": '%s' is no root hash",
			   running->base->root);
		return NULL;
	}
	if (request->kind != VARVE_TARGET_DIRECTORY)
		ok = list_running(running, target->generation, error);
	if (ok && request->kind == VARVE_TARGET_FILES) {
		g_clear_pointer(&target->staged, g_strfreev);
		ok = with_files(target, dirs, request->arguments, error);
	} else if (ok && request->kind == VARVE_TARGET_WITHOUT) {
		ok = without(target, request->arguments, error);
	} else if (ok && request->kind == VARVE_TARGET_GENERATION) {
		ok = of_generation(target, running, dirs->generations, request->generation, error);
	}
	return ok ? g_steal_pointer(&target) : NULL;
}
