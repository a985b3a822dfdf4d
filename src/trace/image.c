/* Answers of layers that are not mounted. */
#include "trace/image.h"

#include "base/error.h"
#include "crypt/sha256.h"
#include "trace/resolve.h"
#include "trace/writable.h"

#include <string.h>
#include <sys/stat.h>

#define FACTORY "usr/share/factory/"
#define CONTENT_LIMIT ((size_t)2 * 1024 * 1024 * 1024)

static void refused_free(gpointer data)
{
	VarveTraceRefused *refused = data;

	g_free(refused->file);
	g_free(refused->code);
	g_free(refused->sentence);
	g_free(refused);
}

VarveTraceImage *varve_trace_image_new(void)
{
	VarveTraceImage *image = g_new0(VarveTraceImage, 1);

	image->stack = varve_trace_stack_new();
	image->refused = g_ptr_array_new_with_free_func(refused_free);
	image->trees = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
	return image;
}

void varve_trace_image_free(VarveTraceImage *image)
{
	if (!image)
		return;
	g_hash_table_unref(image->trees);
	varve_trace_stack_free(image->stack);
	g_ptr_array_unref(image->refused);
	g_free(image);
}

gboolean varve_trace_image_add(VarveTraceImage *image, VarveLayer *layer, const char *file,
			       GError **error)
{
	g_autoptr(VarveLayer) taken = layer;
	g_autoptr(VarveTraceLayer) traced = varve_trace_layer_new(varve_layer_root(layer));
	GPtrArray *tree;

	traced->layer = g_steal_pointer(&taken);
	if (!varve_layer_check_data(layer, error))
		return FALSE;
	traced->manifest = varve_layer_read_manifest(layer, error);
	traced->paths =
		traced->manifest ? varve_layer_read_paths(layer, traced->manifest, error) : NULL;
	traced->erofs = traced->paths ? varve_layer_open_erofs(layer, error) : NULL;
	tree = traced->erofs ? varve_layer_read_tree(layer, FALSE, error) : NULL;
	if (!tree)
		return FALSE;
	traced->enforced = TRUE;
	g_free(traced->enforcement);
	traced->enforcement = g_strdup("all of its bytes were hashed now against the root hash");
	g_free(traced->file);
	traced->file = g_strdup(file);
	g_hash_table_insert(image->trees, traced, tree);
	g_ptr_array_add(image->stack->layers, g_steal_pointer(&traced));
	return TRUE;
}

/* One layer's record of a path. */
typedef struct {
	const VarveTraceLayer *layer; /* NULL: nobody has it */
	VarvePath record;
	gboolean self;
} Owner;

static gboolean find_in(const VarveTraceLayer *layer, const char *path, Owner *owner,
			GError **error)
{
	gboolean found;

	if (!varve_trace_layer_find(layer, path, &found, &owner->record, &owner->self, error))
		return FALSE;
	owner->layer = found ? layer : NULL;
	return TRUE;
}

static gboolean find_top(const VarveTraceStack *stack, const char *path, Owner *owner,
			 GError **error)
{
	for (guint i = stack->layers->len; i-- > 0 && !owner->layer;) {
		if (!find_in(stack->layers->pdata[i], path, owner, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean is_writable(const char *path)
{
	return g_str_has_prefix(path, "etc/") || g_str_has_prefix(path, "var/");
}

/* Whose @path is on a node that was never written to: /usr is merged, all else is the base's, and
 * what layers have for /etc and /var is placed there. */
static gboolean find_owner(const VarveTraceStack *stack, const char *path, Owner *owner,
			   GError **error)
{
	g_autofree char *factory = g_strconcat(FACTORY, path, NULL);

	*owner = (Owner){ NULL };
	if (strcmp(path, "usr") == 0 || g_str_has_prefix(path, "usr/"))
		return find_top(stack, path, owner, error);
	if (!find_in(stack->layers->pdata[0], path, owner, error))
		return FALSE;
	return owner->layer || !is_writable(path) || find_top(stack, factory, owner, error);
}

static gboolean ask_written(const VarveTraceImage *image, const char *path, gboolean *ret_written,
			    VarveTraceFound **ret_found, GError **error)
{
	*ret_written = FALSE;
	*ret_found = NULL;
	return !image->written || !is_writable(path) ||
	       image->written(path, ret_written, ret_found, image->written_data, error);
}

static gboolean look(const char *path, gboolean *ret_exists, char **ret_target, gpointer data,
		     GError **error)
{
	const VarveTraceImage *image = data;
	VarveTraceFound *found;
	gboolean written;
	Owner owner;

	if (!ask_written(image, path + 1, &written, &found, error))
		return FALSE;
	if (written) {
		*ret_exists = found != NULL;
		if (found && S_ISLNK(found->mode))
			*ret_target = g_strdup(found->target);
		varve_trace_found_free(found);
		return TRUE;
	}
	if (!find_owner(image->stack, path + 1, &owner, error))
		return FALSE;
	*ret_exists = owner.layer != NULL;
	if (owner.layer && S_ISLNK(owner.record.mode))
		*ret_target = g_strdup(owner.record.target);
	return TRUE;
}

static gint by_path(gconstpointer a, gconstpointer b)
{
	return strcmp((*(const VarvePath *const *)a)->path, (*(const VarvePath *const *)b)->path);
}

/* What the image really has at @path of the layer. */
static VarveTraceFound *find_real(const VarveTraceImage *image, const VarveTraceLayer *layer,
				  const char *path, GError **error)
{
	GPtrArray *tree = g_hash_table_lookup(image->trees, layer);
	const VarvePath key = { .path = path }, *wanted = &key;
	const VarvePath *const *real =
		bsearch(&wanted, tree->pdata, tree->len, sizeof(gpointer), by_path);
	g_autoptr(VarveTraceFound) found = NULL;
	g_autofree char *content = NULL;
	size_t size;

	if (!real) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "manifest-mismatch: layer '%s' has no /%s, its path table has",
			   layer->manifest->name, path);
		return NULL;
	}
	found = varve_trace_found_new();
	found->mode = (*real)->mode;
	found->uid = (*real)->uid;
	found->gid = (*real)->gid;
	found->size = (*real)->size;
	g_free(found->target);
	g_free(found->label);
	found->target = g_strdup((*real)->target);
	found->label = g_strdup((*real)->label);
	if (!S_ISREG(found->mode))
		return g_steal_pointer(&found);
	if (!varve_erofs_read_file(layer->erofs, path, CONTENT_LIMIT, &content, &size, error))
		return NULL;
	varve_sha256(content, size, &found->digest);
	found->read = TRUE;
	return g_steal_pointer(&found);
}

static void add_others(const VarveTraceStack *stack, const char *path, VarveTraceAnswer *answer)
{
	for (guint i = stack->layers->len; i-- > 0;) {
		const VarveTraceLayer *layer = stack->layers->pdata[i];
		Owner owner = { NULL };
		VarveTraceOther *other;

		if (layer == answer->layer || !find_in(layer, path, &owner, NULL) || !owner.layer)
			continue;
		other = g_new0(VarveTraceOther, 1);
		other->layer = layer;
		other->record = varve_path_copy(&owner.record);
		g_ptr_array_add(answer->others, other);
	}
}

static gboolean answer_signed(const VarveTraceImage *image, VarveTraceAnswer *answer,
			      GError **error)
{
	const char *path = answer->path + 1;
	Owner owner;

	if (!find_owner(image->stack, path, &owner, error))
		return FALSE;
	if (!owner.layer)
		return TRUE;
	answer->state = VARVE_TRACE_SIGNED;
	varve_trace_answer_from(answer, owner.layer, &owner.record, owner.self);
	answer->found = find_real(image, owner.layer, owner.record.path, error);
	if (!answer->found)
		return FALSE;
	if (g_str_has_prefix(path, "usr/"))
		add_others(image->stack, path, answer);
	/* The table may leave out the root. */
	if (!owner.self && *path)
		answer->differs = varve_trace_differs(&owner.record, answer->found, TRUE);
	if (answer->differs)
		varve_trace_answer_problem(answer,
					   "what is in layer '%s' is not what its path table says",
					   owner.layer->manifest->name);
	return TRUE;
}

static VarveTraceAnswer *answer_path(const VarveTraceImage *image, const char *path, GError **error)
{
	g_autoptr(VarveTraceAnswer) answer = varve_trace_answer_new(path);
	VarveTraceFound *found;
	gboolean written;

	if (!ask_written(image, path + 1, &written, &found, error))
		return NULL;
	if (written) {
		answer->found = found;
		if (!varve_writable_answer(image->stack, path + 1, TRUE, answer, error))
			return NULL;
	} else if (!answer_signed(image, answer, error)) {
		return NULL;
	}
	return g_steal_pointer(&answer);
}

VarveTraceWhy *varve_trace_image_why(const VarveTraceImage *image, const char *path, GError **error)
{
	g_autoptr(VarveTraceWhy) why = varve_trace_why_new(path);
	g_autoptr(GPtrArray) steps = NULL;

	if (!varve_trace_resolve(path, look, (gpointer)image, &steps, error))
		return NULL;
	for (guint i = 0; i < steps->len; i++) {
		VarveTraceAnswer *answer = answer_path(image, steps->pdata[i], error);

		if (!answer)
			return NULL;
		g_ptr_array_add(why->answers, answer);
	}
	return g_steal_pointer(&why);
}
