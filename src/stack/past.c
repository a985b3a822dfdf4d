/* The stacks that were, in memory and as JSON. */
#include "stack/past.h"

#include "base/error.h"
#include "base/file.h"
#include "format/members.h"
#include "stack/xino.h"

#include <string.h>
#include <sys/sysmacros.h>

#define PAST_FORMAT 1
#define PAST_LIMIT ((size_t)256 * 1024 * 1024)
#define STACKS_MAX 10000
#define LOWERS_MAX 500 /* of an overlay */

static void layer_free(gpointer data)
{
	VarvePastLayer *layer = data;

	g_free(layer->name);
	g_free(layer->version);
	g_free(layer->device);
	g_free(layer);
}

GHashTable *varve_past_files_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

VarvePastStack *varve_past_stack_new(void)
{
	VarvePastStack *stack = g_new0(VarvePastStack, 1);

	stack->lowers = g_ptr_array_new_with_free_func(layer_free);
	stack->replaced = varve_past_files_new();
	return stack;
}

void varve_past_stack_free(VarvePastStack *stack)
{
	if (!stack)
		return;
	g_ptr_array_unref(stack->lowers);
	g_hash_table_unref(stack->replaced);
	g_free(stack);
}

void varve_past_stack_add(VarvePastStack *stack, const char *name, const char *version,
			  const char *device, const VarveDigest *root)
{
	VarvePastLayer *layer = g_new0(VarvePastLayer, 1);

	layer->name = g_strdup(name);
	layer->version = g_strdup(version);
	layer->device = g_strdup(device);
	layer->root = *root;
	g_ptr_array_add(stack->lowers, layer);
}

VarvePast *varve_past_new(void)
{
	VarvePast *past = g_new0(VarvePast, 1);

	past->stacks = g_ptr_array_new_with_free_func((GDestroyNotify)varve_past_stack_free);
	return past;
}

void varve_past_free(VarvePast *past)
{
	if (!past)
		return;
	g_ptr_array_unref(past->stacks);
	g_free(past);
}

const VarvePastStack *varve_past_running(const VarvePast *past)
{
	return past->stacks->len ? past->stacks->pdata[past->stacks->len - 1] : NULL;
}

static void learn(VarvePastStack *stack, GHashTable *replaced)
{
	GHashTableIter iter;
	gpointer path, file;

	g_hash_table_iter_init(&iter, replaced);
	while (g_hash_table_iter_next(&iter, &path, &file)) {
		if (!g_hash_table_contains(stack->replaced, path))
			g_hash_table_insert(stack->replaced, g_strdup(path),
					    g_memdup2(file, sizeof(VarvePastFile)));
	}
}

void varve_past_add(VarvePast *past, VarvePastStack *stack, GHashTable *replaced)
{
	for (guint i = past->stacks->len; i-- > 0;) {
		VarvePastStack *earlier = past->stacks->pdata[i];

		if (earlier->device == stack->device)
			g_ptr_array_remove_index(past->stacks, i);
		else
			learn(earlier, replaced);
	}
	g_ptr_array_add(past->stacks, stack);
}

static gboolean is_held(const VarvePastStack *stack, const char *const *devices)
{
	for (guint i = 0; i < stack->lowers->len; i++) {
		const VarvePastLayer *layer = stack->lowers->pdata[i];

		if (*layer->device && !g_strv_contains(devices, layer->device))
			return FALSE;
	}
	return TRUE;
}

guint varve_past_forget(VarvePast *past, const char *const *devices)
{
	guint before = past->stacks->len;

	for (guint i = before; i-- > 0;) {
		if (i + 1 < before && !is_held(past->stacks->pdata[i], devices))
			g_ptr_array_remove_index(past->stacks, i);
	}
	return before - past->stacks->len;
}

/* With a single layer an empty directory lies below it. */
static guint count_lowers(const VarvePastStack *stack)
{
	return MAX(stack->lowers->len, 2);
}

const VarvePastLayer *varve_past_layer(const VarvePastStack *stack, guint64 number,
				       guint64 *ret_inode)
{
	guint layer = varve_xino_layer(number, count_lowers(stack), ret_inode);

	return layer && layer <= stack->lowers->len ? stack->lowers->pdata[layer - 1] : NULL;
}

guint64 varve_past_number(const VarvePastStack *stack, const VarvePastFile *file)
{
	for (guint i = 0; file->inode && i < stack->lowers->len; i++) {
		const VarvePastLayer *layer = stack->lowers->pdata[i];

		if (varve_digest_equal(&layer->root, &file->layer))
			return varve_xino_number(file->inode, i + 1, count_lowers(stack));
	}
	return 0;
}

static json_t *lowers_to_json(const VarvePastStack *stack)
{
	json_t *array = json_array();

	for (guint i = 0; i < stack->lowers->len; i++) {
		const VarvePastLayer *layer = stack->lowers->pdata[i];
		json_t *object = json_object();

		json_object_set_new(object, "name", json_string(layer->name));
		json_object_set_new(object, "version", json_string(layer->version));
		json_object_set_new(object, "device", json_string(layer->device));
		json_object_set_new(object, "root", varve_members_of_digest(&layer->root));
		json_array_append_new(array, object);
	}
	return array;
}

/* By layer, so that a root hash is not repeated for every path: {"ROOT": {"PATH": [INODE,
 * "DIGEST"]}}. Paths are escaped as in C, because they may be any bytes. */
static json_t *replaced_to_json(const VarvePastStack *stack)
{
	json_t *object = json_object();
	GHashTableIter iter;
	gpointer key, value;

	g_hash_table_iter_init(&iter, stack->replaced);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		const VarvePastFile *file = value;
		g_autofree char *path = g_strescape(key, NULL);
		char root[VARVE_DIGEST_HEX_SIZE], digest[VARVE_DIGEST_HEX_SIZE];
		json_t *files;

		varve_digest_to_hex(&file->layer, root);
		varve_digest_to_hex(&file->digest, digest);
		files = json_object_get(object, root);
		if (!files) {
			files = json_object();
			json_object_set_new(object, root, files);
		}
		json_object_set_new(files, path,
				    json_pack("[I,s]", (json_int_t)file->inode, digest));
	}
	return object;
}

char *varve_past_write(const VarvePast *past)
{
	g_autoptr(json_t) object = json_object();
	json_t *stacks = json_array();

	for (guint i = 0; i < past->stacks->len; i++) {
		const VarvePastStack *stack = past->stacks->pdata[i];
		json_t *json = json_object();

		json_object_set_new(json, "generation", json_integer(stack->generation));
		json_object_set_new(
			json, "device",
			json_pack("[i,i]", (int)major(stack->device), (int)minor(stack->device)));
		json_object_set_new(json, "since", json_integer((json_int_t)stack->since));
		json_object_set_new(json, "lowers", lowers_to_json(stack));
		json_object_set_new(json, "replaced", replaced_to_json(stack));
		json_array_append_new(stacks, json);
	}
	json_object_set_new(object, "format", json_integer(PAST_FORMAT));
	json_object_set_new(object, "stacks", stacks);
	return varve_json_dump(object, FALSE);
}

static gboolean take_device(const json_t *array, const char *name, dev_t *ret, GError **error)
{
	const json_t *first = json_array_get(array, 0), *second = json_array_get(array, 1);
	json_int_t numbers[2] = { json_integer_value(first), json_integer_value(second) };

	/* What the kernel has room for. */
	if (json_array_size(array) != 2 || !json_is_integer(first) || !json_is_integer(second) ||
	    numbers[0] < 0 || numbers[0] >= 1 << 12 || numbers[1] < 0 || numbers[1] >= 1 << 20)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'device' has to be the major and the minor number", name);
	*ret = makedev((guint)numbers[0], (guint)numbers[1]);
	return TRUE;
}

static gboolean take_layer(const json_t *object, const char *name, VarvePastStack *stack,
			   GError **error)
{
	static const char *const known[] = { "name", "version", "device", "root", NULL };
	g_autofree char *layer = NULL, *version = NULL, *device = NULL;
	VarveDigest root;

	if (!varve_members_check(object, known, name, error) ||
	    !varve_members_text(object, "name", name, &layer, error) ||
	    !varve_members_text(object, "version", name, &version, error) ||
	    !varve_members_text(object, "device", name, &device, error) ||
	    !varve_members_digest(object, "root", name, &root, error))
		return FALSE;
	varve_past_stack_add(stack, layer, version, device, &root);
	return TRUE;
}

static gboolean take_lowers(const json_t *array, const char *name, VarvePastStack *stack,
			    GError **error)
{
	const json_t *value;
	size_t i;

	if (json_array_size(array) < 1 || json_array_size(array) > LOWERS_MAX)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'lowers' has to be an array of 1 to %d layers", name,
				  LOWERS_MAX);
	json_array_foreach (array, i, value) {
		if (!take_layer(value, name, stack, error))
			return FALSE;
	}
	return TRUE;
}

/* (caller frees, nullable) what replaced_to_json() escaped: nothing else than what it writes. */
static char *unescape(const char *key)
{
	g_autofree char *path = NULL, *again = NULL;

	for (const char *at = key; *at; at++) {
		if (*at == '\\' && !*++at)
			return NULL;
	}
	path = g_strcompress(key);
	again = g_strescape(path, NULL);
	return strcmp(again, key) == 0 ? g_steal_pointer(&path) : NULL;
}

static gboolean take_file(const char *key, const json_t *value, const VarveDigest *layer,
			  const char *name, VarvePastStack *stack, GError **error)
{
	g_autofree char *path = unescape(key);
	const json_t *inode = json_array_get(value, 0);
	const char *digest = json_string_value(json_array_get(value, 1));
	VarvePastFile file = { .layer = *layer };

	if (!path || !g_str_has_prefix(path, "/usr/") || json_array_size(value) != 2 ||
	    !json_is_integer(inode) || json_integer_value(inode) < 0 || !digest ||
	    !varve_digest_from_hex(digest, &file.digest) ||
	    g_hash_table_contains(stack->replaced, path))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: '%s' has to be a path below /usr, once, with inode and "
				  "digest",
				  name, key);
	file.inode = (guint64)json_integer_value(inode);
	g_hash_table_insert(stack->replaced, g_steal_pointer(&path),
			    g_memdup2(&file, sizeof(file)));
	return TRUE;
}

static gboolean take_replaced(json_t *object, const char *name, VarvePastStack *stack,
			      GError **error)
{
	const char *root, *path;
	json_t *files, *file;
	VarveDigest layer;

	if (!json_is_object(object))
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: 'replaced' is no object", name);
	json_object_foreach (object, root, files) {
		if (!varve_digest_from_hex(root, &layer) || !json_is_object(files))
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: '%s' has to be a root hash, with files", name, root);
		json_object_foreach (files, path, file) {
			if (!take_file(path, file, &layer, name, stack, error))
				return FALSE;
		}
	}
	return TRUE;
}

static VarvePastStack *stack_from_json(const json_t *object, const char *name, GError **error)
{
	static const char *const known[] = { "generation", "device",   "since",
					     "lowers",     "replaced", NULL };
	g_autoptr(VarvePastStack) stack = varve_past_stack_new();
	gint64 generation;

	if (!varve_members_check(object, known, name, error) ||
	    !varve_json_get_int(object, "generation", name, 0, G_MAXINT, &generation, error) ||
	    !varve_json_get_int(object, "since", name, G_MININT64, G_MAXINT64, &stack->since,
				error) ||
	    !take_device(json_object_get(object, "device"), name, &stack->device, error) ||
	    !take_lowers(json_object_get(object, "lowers"), name, stack, error) ||
	    !take_replaced(json_object_get(object, "replaced"), name, stack, error))
		return NULL;
	stack->generation = (guint)generation;
	return g_steal_pointer(&stack);
}

VarvePast *varve_past_parse(const char *text, size_t size, const char *name, GError **error)
{
	static const char *const known[] = { "format", "stacks", NULL };
	g_autoptr(json_t) json = varve_json_parse(text, size, name, error);
	g_autoptr(VarvePast) past = varve_past_new();
	const json_t *stacks, *value;
	size_t i;

	if (!json || !varve_members_format(json, PAST_FORMAT, name, error) ||
	    !varve_members_check(json, known, name, error))
		return NULL;
	stacks = json_object_get(json, "stacks");
	if (!json_is_array(stacks) || json_array_size(stacks) > STACKS_MAX) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "%s: 'stacks' has to be an array of at most %d", name, STACKS_MAX);
		return NULL;
	}
	json_array_foreach (stacks, i, value) {
		VarvePastStack *stack = stack_from_json(value, name, error);

		if (!stack)
			return NULL;
		g_ptr_array_add(past->stacks, stack);
	}
	return g_steal_pointer(&past);
}

VarvePast *varve_past_load(GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) local = NULL;
	size_t size;

	if (varve_file_read(AT_FDCWD, VARVE_PAST_FILE, PAST_LIMIT, &text, &size, &local))
		return varve_past_parse(text, size, VARVE_PAST_FILE, error);
	if (g_error_matches(local, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
		return varve_past_new();
	g_propagate_error(error, g_steal_pointer(&local));
	return NULL;
}

gboolean varve_past_save(const VarvePast *past, GError **error)
{
	g_autofree char *text = varve_past_write(past);

	return varve_file_write(AT_FDCWD, VARVE_PAST_FILE, text, strlen(text), 0644, error);
}
