/* Generation records: NNNN.json and, per base, ROOT.current and ROOT.good. */
#include "stack/generation.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define GENERATION_FORMAT 1
#define GENERATION_LIMIT (1024 * 1024)
#define GENERATION_MAX 99999999u
#define LAYERS_MAX 500 /* more than the kernel merges */

const char *varve_selection_name(VarveSelection selection)
{
	return selection == VARVE_SELECTION_LISTED ? "listed" : "directory";
}

static void layer_free(gpointer data)
{
	VarveGenerationLayer *layer = data;

	g_free(layer->name);
	g_free(layer->version);
	g_free(layer->file);
	g_free(layer);
}

VarveGenerationLayer *varve_generation_layer_new(const char *name, const char *version,
						 const char *file, const VarveDigest *root)
{
	VarveGenerationLayer *layer = g_new0(VarveGenerationLayer, 1);

	layer->name = g_strdup(name);
	layer->version = g_strdup(version);
	layer->file = g_strdup(file);
	layer->root = *root;
	return layer;
}

VarveGeneration *varve_generation_new(void)
{
	VarveGeneration *generation = g_new0(VarveGeneration, 1);

	generation->base_name = g_strdup("");
	generation->base_version = g_strdup("");
	generation->by = g_strdup("");
	generation->why = g_strdup("");
	generation->outcome = g_strdup("");
	generation->reason = g_strdup("");
	generation->layers = g_ptr_array_new_with_free_func(layer_free);
	return generation;
}

void varve_generation_free(VarveGeneration *generation)
{
	if (!generation)
		return;
	g_free(generation->base_name);
	g_free(generation->base_version);
	g_free(generation->by);
	g_free(generation->why);
	g_free(generation->outcome);
	g_free(generation->reason);
	g_ptr_array_unref(generation->layers);
	g_free(generation);
}

guint64 varve_generation_stamp(int fd)
{
	struct stat st;
	guint64 stamp = G_GUINT64_CONSTANT(14695981039346656037); /* FNV-1a, 64 bits */
	guint64 words[6];

	if (fstat(fd, &st) < 0)
		return 0;
	words[0] = (guint64)st.st_ino;
	words[1] = (guint64)st.st_size;
	words[2] = (guint64)st.st_mtim.tv_sec;
	words[3] = (guint64)st.st_mtim.tv_nsec;
	words[4] = (guint64)st.st_ctim.tv_sec;
	words[5] = (guint64)st.st_ctim.tv_nsec;
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		for (int shift = 0; shift < 64; shift += 8)
			stamp = (stamp ^ ((words[i] >> shift) & 0xff)) *
				G_GUINT64_CONSTANT(1099511628211);
	/* JSON's integers are signed here. */
	stamp &= G_MAXINT64;
	return stamp ? stamp : 1;
}

gboolean varve_generation_same(const VarveGeneration *a, const VarveGeneration *b)
{
	if (!varve_digest_equal(&a->base, &b->base) || a->selection != b->selection ||
	    a->layers->len != b->layers->len)
		return FALSE;
	for (guint i = 0; i < a->layers->len; i++) {
		const VarveGenerationLayer *x = a->layers->pdata[i], *y = b->layers->pdata[i];

		if (!varve_digest_equal(&x->root, &y->root) || x->stamp != y->stamp ||
		    strcmp(x->file, y->file) != 0)
			return FALSE;
	}
	return TRUE;
}

char *varve_generation_dump(const VarveGeneration *generation)
{
	g_autoptr(json_t) json = json_object();
	json_t *layers = json_array();
	char hex[VARVE_DIGEST_HEX_SIZE];

	for (guint i = 0; i < generation->layers->len; i++) {
		const VarveGenerationLayer *layer = generation->layers->pdata[i];

		json_t *object;

		varve_digest_to_hex(&layer->root, hex);
		object = json_pack("{s:s,s:s,s:s,s:s,s:I}", "name", layer->name, "version",
				   layer->version, "file", layer->file, "root", hex, "stamp",
				   (json_int_t)layer->stamp);
		if (layer->staged)
			json_object_set_new(object, "staged", json_true());
		json_array_append_new(layers, object);
	}
	varve_digest_to_hex(&generation->base, hex);
	json_object_set_new(json, "format", json_integer(GENERATION_FORMAT));
	json_object_set_new(json, "number", json_integer(generation->number));
	json_object_set_new(json, "base",
			    json_pack("{s:s,s:s,s:s}", "root", hex, "name", generation->base_name,
				      "version", generation->base_version));
	json_object_set_new(json, "selection",
			    json_string(varve_selection_name(generation->selection)));
	json_object_set_new(json, "layers", layers);
	json_object_set_new(json, "by", json_string(generation->by));
	json_object_set_new(json, "why", json_string(generation->why));
	json_object_set_new(json, "when", json_integer(generation->when));
	if (*generation->outcome) {
		json_object_set_new(json, "outcome", json_string(generation->outcome));
		json_object_set_new(json, "reason", json_string(generation->reason));
	}
	return varve_json_dump(json, FALSE);
}

/* A text that a terminal shows as it is: records are printed, and anyone who can write to the disk
 * may have made one. */
static gboolean take_text(const json_t *object, const char *key, const char *name, const char **ret,
			  GError **error)
{
	if (!varve_json_get_string(object, key, name, ret, error))
		return FALSE;
	for (const char *at = *ret; *at; at = g_utf8_next_char(at)) {
		if (g_unichar_iscntrl(g_utf8_get_char(at)))
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: '%s' contains a control character", name, key);
	}
	return TRUE;
}

/* No two records of a generation are of one layer. */
static gboolean check_distinct(const VarveGeneration *generation, const char *name, GError **error)
{
	const GPtrArray *layers = generation->layers;

	for (guint i = 0; i < layers->len; i++) {
		const VarveGenerationLayer *a = layers->pdata[i];

		for (guint j = 0; j < i; j++) {
			const VarveGenerationLayer *b = layers->pdata[j];

			if (strcmp(a->file, b->file) == 0 || varve_digest_equal(&a->root, &b->root))
				return varve_fail(error, VARVE_ERROR_CORRUPT,
						  "%s: '%s' is there twice", name, a->file);
		}
	}
	return TRUE;
}

static gboolean take_digest(const json_t *object, const char *name, VarveDigest *ret,
			    GError **error)
{
	const char *hex;

	if (!varve_json_get_string(object, "root", name, &hex, error))
		return FALSE;
	if (!varve_digest_from_hex(hex, ret))
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: '%s' is no root hash", name,
				  hex);
	return TRUE;
}

static gboolean take_layers(VarveGeneration *generation, const json_t *layers, const char *name,
			    GError **error)
{
	const json_t *value;
	size_t i;

	if (!json_is_array(layers) || json_array_size(layers) > LAYERS_MAX)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'layers' is no array of at most %d", name, LAYERS_MAX);
	json_array_foreach (layers, i, value) {
		const char *layer_name, *version, *file;
		VarveGenerationLayer *layer;
		VarveDigest root;
		gint64 stamp;

		if (!json_is_object(value))
			return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: a layer is no object",
					  name);
		if (!take_text(value, "name", name, &layer_name, error) ||
		    !take_text(value, "version", name, &version, error) ||
		    !take_text(value, "file", name, &file, error) ||
		    !varve_json_get_int(value, "stamp", name, 0, G_MAXINT64, &stamp, error) ||
		    !take_digest(value, name, &root, error))
			return FALSE;
		if (strchr(file, '/') || file[0] == '.')
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: '%s' is no file of the layers directory", name,
					  file);
		layer = varve_generation_layer_new(layer_name, version, file, &root);
		layer->stamp = (guint64)stamp;
		layer->staged = json_is_true(json_object_get(value, "staged"));
		g_ptr_array_add(generation->layers, layer);
	}
	return check_distinct(generation, name, error);
}

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

/* What became of it is only there where it is worth telling. */
static gboolean take_outcome(VarveGeneration *generation, const json_t *json, const char *name,
			     GError **error)
{
	const char *outcome, *reason;

	if (!json_object_get(json, "outcome"))
		return TRUE;
	if (!take_text(json, "outcome", name, &outcome, error) ||
	    !take_text(json, "reason", name, &reason, error))
		return FALSE;
	if (strcmp(outcome, VARVE_OUTCOME_FAILED) != 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: outcome '%s' is not known", name,
				  outcome);
	set(&generation->outcome, outcome);
	set(&generation->reason, reason);
	return TRUE;
}

static gboolean from_json(VarveGeneration *generation, const json_t *json, const char *name,
			  GError **error)
{
	const json_t *base = json_object_get(json, "base");
	const char *selection, *by, *why, *base_name, *base_version;
	gint64 number;

	if (!json_is_object(base))
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: 'base' is no object", name);
	if (!varve_json_get_int(json, "format", name, GENERATION_FORMAT, GENERATION_FORMAT, &number,
				error) ||
	    !varve_json_get_int(json, "number", name, 1, GENERATION_MAX, &number, error) ||
	    !varve_json_get_int(json, "when", name, 0, G_MAXINT64, &generation->when, error) ||
	    !take_text(json, "selection", name, &selection, error) ||
	    !take_text(json, "by", name, &by, error) ||
	    !take_text(json, "why", name, &why, error) ||
	    !take_text(base, "name", name, &base_name, error) ||
	    !take_text(base, "version", name, &base_version, error) ||
	    !take_digest(base, name, &generation->base, error) ||
	    !take_layers(generation, json_object_get(json, "layers"), name, error) ||
	    !take_outcome(generation, json, name, error))
		return FALSE;
	if (strcmp(selection, "listed") != 0 && strcmp(selection, "directory") != 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: selection '%s' is not known",
				  name, selection);
	generation->number = (guint)number;
	generation->selection = strcmp(selection, "listed") == 0 ? VARVE_SELECTION_LISTED
								 : VARVE_SELECTION_DIRECTORY;
	set(&generation->by, by);
	set(&generation->why, why);
	set(&generation->base_name, base_name);
	set(&generation->base_version, base_version);
	return TRUE;
}

VarveGeneration *varve_generation_parse(const char *text, gsize size, const char *name,
					GError **error)
{
	g_autoptr(VarveGeneration) generation = varve_generation_new();
	g_autoptr(json_t) json = varve_json_parse(text, size, name, error);

	return json && from_json(generation, json, name, error) ? g_steal_pointer(&generation)
								: NULL;
}

VarveGeneration *varve_generation_load(int dirfd, guint number, GError **error)
{
	g_autoptr(VarveGeneration) generation = NULL;
	g_autofree char *file = g_strdup_printf("%04u.json", number);
	g_autofree char *name = g_strdup_printf("generation %u", number);
	g_autofree char *text = NULL;
	gsize size;

	if (!varve_file_read(dirfd, file, GENERATION_LIMIT, &text, &size, error))
		return NULL;
	generation = varve_generation_parse(text, size, name, error);
	if (!generation)
		return NULL;
	if (generation->number != number) {
		varve_fail(error, VARVE_ERROR_CORRUPT, "%s: the file says that it is number %u",
			   file, generation->number);
		return NULL;
	}
	return g_steal_pointer(&generation);
}

/* Accepts only "NNNN.json" in the one way that we write it. */
static guint number_of(const char *file)
{
	g_autofree char *again = NULL;
	unsigned long number = strtoul(file, NULL, 10);

	if (number == 0 || number > GENERATION_MAX)
		return 0;
	again = g_strdup_printf("%04lu.json", number);
	return strcmp(again, file) == 0 ? (guint)number : 0;
}

static char *link_name(const VarveDigest *base, const char *link)
{
	g_autofree char *hex = varve_digest_dup_hex(base);

	return g_strconcat(hex, ".", link, NULL);
}

VarveGeneration *varve_generation_linked(int dirfd, const char *link, const VarveDigest *base,
					 GError **error)
{
	g_autofree char *name = link_name(base, link);
	g_autoptr(VarveGeneration) generation = NULL;
	g_autoptr(GError) local = NULL;
	char target[64];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target) - 1);
	guint number;

	if (n < 0) {
		varve_fail_errno(error, errno, "generation link '%s' cannot be read", name);
		return NULL;
	}
	target[n] = '\0';
	number = number_of(target);
	if (number == 0) {
		g_autofree char *shown = g_strescape(target, NULL);

		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "generation link '%s' leads to '%s', which is no generation", name,
			   shown);
		return NULL;
	}
	generation = varve_generation_load(dirfd, number, &local);
	if (!generation && g_error_matches(local, VARVE_ERROR, VARVE_ERROR_NOT_FOUND)) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "generation link '%s' leads to '%s', which is not there", name, target);
		return NULL;
	}
	if (!generation) {
		g_propagate_error(error, g_steal_pointer(&local));
		return NULL;
	}
	if (!varve_digest_equal(&generation->base, base)) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "generation %u belongs to another base than its link says", number);
		return NULL;
	}
	return g_steal_pointer(&generation);
}

static guint highest(int dirfd, GError **error)
{
	g_auto(GStrv) names = NULL;
	guint found = 0;

	if (!varve_dir_list(dirfd, ".", &names, error))
		return GENERATION_MAX;
	for (char **name = names; *name; name++)
		found = MAX(found, number_of(*name));
	return found;
}

gboolean varve_generation_link(int dirfd, const VarveGeneration *generation, const char *link,
			       GError **error)
{
	g_autofree char *name = link_name(&generation->base, link);
	g_autofree char *target = g_strdup_printf("%04u.json", generation->number);

	return varve_file_link(dirfd, name, target, error);
}

gboolean varve_generation_make_current(int dirfd, guint number, const VarveDigest *base,
				       GError **error)
{
	g_autoptr(VarveGeneration) current = varve_generation_linked(dirfd, "current", base, NULL);
	g_autoptr(VarveGeneration) generation = NULL;

	if (current && current->number == number)
		return TRUE;
	generation = varve_generation_load(dirfd, number, error);
	if (!generation)
		return FALSE;
	if (!varve_digest_equal(&generation->base, base))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "generation %u is of another base than the one that runs",
				  number);
	return varve_generation_link(dirfd, generation, "current", error);
}

gboolean varve_generation_rewrite(int dirfd, const VarveGeneration *generation, GError **error)
{
	g_autofree char *file = g_strdup_printf("%04u.json", generation->number);
	g_autofree char *text = varve_generation_dump(generation);

	return varve_file_write(dirfd, file, text, strlen(text), 0644, error);
}

gboolean varve_generation_write(int dirfd, VarveGeneration *generation, GError **error)
{
	guint number = highest(dirfd, error);

	if (number >= GENERATION_MAX)
		return error && *error ? FALSE
				       : varve_fail(error, VARVE_ERROR_UNSUPPORTED,
						    "there are no generation numbers left");
	generation->number = number + 1;
	if (varve_generation_rewrite(dirfd, generation, error))
		return TRUE;
	varve_generation_remove(dirfd, generation->number, NULL);
	generation->number = 0;
	return FALSE;
}

gboolean varve_generation_commit(int dirfd, VarveGeneration *generation, GError **error)
{
	if (!varve_generation_write(dirfd, generation, error))
		return FALSE;
	if (varve_generation_link(dirfd, generation, "current", error))
		return TRUE;
	varve_generation_remove(dirfd, generation->number, NULL);
	generation->number = 0;
	return FALSE;
}

gboolean varve_generation_fail(int dirfd, guint number, const char *reason, GError **error)
{
	g_autoptr(VarveGeneration) generation = varve_generation_load(dirfd, number, error);

	if (!generation)
		return FALSE;
	set(&generation->outcome, VARVE_OUTCOME_FAILED);
	g_free(generation->reason);
	generation->reason = varve_text_line(reason);
	return varve_generation_rewrite(dirfd, generation, error);
}

gboolean varve_generation_remove(int dirfd, guint number, GError **error)
{
	g_autofree char *file = g_strdup_printf("%04u.json", number);

	if (unlinkat(dirfd, file, 0) < 0 && errno != ENOENT)
		return varve_fail_errno(error, errno, "generation %u cannot be removed", number);
	if (fsync(dirfd) < 0)
		return varve_fail_errno(error, errno, "the generations directory cannot be synced");
	return TRUE;
}

static gint by_number(gconstpointer a, gconstpointer b)
{
	const VarveGeneration *x = *(VarveGeneration *const *)a, *y = *(VarveGeneration *const *)b;

	return (x->number > y->number) - (x->number < y->number);
}

GPtrArray *varve_generation_list(int dirfd, guint *ret_unreadable, GError **error)
{
	g_autoptr(GPtrArray) list =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_generation_free);
	g_auto(GStrv) names = NULL;

	*ret_unreadable = 0;
	if (!varve_dir_list(dirfd, ".", &names, error))
		return NULL;
	for (char **name = names; *name; name++) {
		guint number = number_of(*name);
		VarveGeneration *generation;

		if (number == 0)
			continue;
		generation = varve_generation_load(dirfd, number, NULL);
		if (generation)
			g_ptr_array_add(list, generation);
		else
			(*ret_unreadable)++;
	}
	g_ptr_array_sort(list, by_number);
	return g_steal_pointer(&list);
}

guint varve_generation_settled(int dirfd, const GPtrArray *list, const VarveDigest *base)
{
	g_autoptr(VarveGeneration) current = varve_generation_linked(dirfd, "current", base, NULL);
	guint settled;

	/* Nothing of a node goes because one record or link of it was lost. */
	if (!current)
		return G_MAXUINT;
	settled = current->number;
	for (guint i = 0; i < list->len; i++) {
		const VarveGeneration *generation = list->pdata[i];

		if (*generation->outcome && varve_digest_equal(&generation->base, base))
			settled = MAX(settled, generation->number);
	}
	return settled;
}

GPtrArray *varve_generation_unfinished(int dirfd, const VarveDigest *base, GError **error)
{
	guint unreadable, settled;
	GPtrArray *list = varve_generation_list(dirfd, &unreadable, error);

	if (!list)
		return NULL;
	settled = varve_generation_settled(dirfd, list, base);
	for (guint i = list->len; i-- > 0;) {
		const VarveGeneration *generation = list->pdata[i];

		if (generation->number <= settled || !varve_digest_equal(&generation->base, base))
			g_ptr_array_remove_index(list, i);
	}
	return list;
}
