/* The places where a node can deviate, one after the other. */
#include "trace/drift.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ground/cmdline.h"
#include "stack/stack.h"
#include "trace/accounts.h"
#include "trace/boot.h"
#include "trace/why.h"

#include <string.h>
#include <sys/stat.h>

#define FACTORY "usr/share/factory"
#define ACCOUNTS_LIMIT ((size_t)4 * 1024 * 1024)

typedef struct {
	VarveTraceNode *node;
	GPtrArray *list;
	const char *place;
	GHashTable *declared; /* (nullable) account names, once they were asked for */
} Look;

static const char *const kinds[] = {
	[VARVE_DRIFT_ADDED] = "added",     [VARVE_DRIFT_CHANGED] = "changed",
	[VARVE_DRIFT_DELETED] = "deleted", [VARVE_DRIFT_MISSING] = "missing",
	[VARVE_DRIFT_COVERED] = "covered", [VARVE_DRIFT_BROKEN] = "broken",
};

const char *varve_drift_kind_name(VarveDriftKind kind)
{
	return kinds[kind];
}

static void drift_free(gpointer data)
{
	VarveDrift *drift = data;

	g_free(drift->path);
	g_free(drift->detail);
	g_free(drift->expected);
	g_free(drift);
}

static VarveDrift *add(Look *look, VarveDriftKind kind, const char *path, guint differs)
{
	const char *expected = varve_drift_expected(kind, path, differs);
	VarveDrift *drift = g_new0(VarveDrift, 1);

	drift->place = look->place;
	drift->path = g_strdup(path);
	drift->kind = kind;
	drift->differs = differs;
	drift->detail = g_strdup("");
	drift->expected = g_strdup(expected ? expected : "");
	g_ptr_array_add(look->list, drift);
	return drift;
}

static void set(char **field, char *owned)
{
	g_free(*field);
	*field = owned;
}

static void detail(VarveDrift *drift, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void detail(VarveDrift *drift, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(&drift->detail, varve_text_printable(format, args));
	va_end(args);
}

/* Whether the account file at @path has more only than what layers declare. */
static gboolean explain_accounts(Look *look, const VarveTraceAnswer *answer, gboolean *ret,
				 GError **error)
{
	const guint content = VARVE_CHANGE_CONTENT | VARVE_CHANGE_SIZE;
	g_autofree char *before = NULL, *after = NULL;
	size_t size;

	*ret = FALSE;
	if (!varve_accounts_is_file(answer->path) || answer->differs & ~content)
		return TRUE;
	if (!look->declared)
		look->declared = varve_accounts_declared(look->node->stack, error);
	if (!look->declared ||
	    !varve_file_read_beneath(answer->layer->fd, answer->at, ACCOUNTS_LIMIT, &before, &size,
				     error) ||
	    !varve_file_read(AT_FDCWD, answer->path, ACCOUNTS_LIMIT, &after, &size, error))
		return FALSE;
	*ret = varve_accounts_explained(answer->path + strlen("/etc/"), before, after,
					look->declared);
	return TRUE;
}

/* What an answer about a writable path means for the list. */
static gboolean take(Look *look, const VarveTraceAnswer *answer, GError **error)
{
	VarveDrift *drift = NULL;
	gboolean explained = FALSE;

	switch (answer->state) {
	case VARVE_TRACE_CHANGED:
		drift = add(look, VARVE_DRIFT_CHANGED, answer->path, answer->differs);
		if (!explain_accounts(look, answer, &explained, error))
			return FALSE;
		if (!explained && varve_accounts_is_file(answer->path))
			detail(drift, "there is more than signed layers declare");
		if (explained)
			set(&drift->expected,
			    g_strdup("accounts that signed layers declare, added by "
				     "systemd-sysusers"));
		break;
	case VARVE_TRACE_LOCAL:
	case VARVE_TRACE_FOREIGN:
	case VARVE_TRACE_VOLATILE:
		drift = add(look, VARVE_DRIFT_ADDED, answer->path, answer->differs);
		break;
	case VARVE_TRACE_DELETED:
		drift = add(look, VARVE_DRIFT_DELETED, answer->path, answer->differs);
		break;
	case VARVE_TRACE_MISSING:
		drift = add(look, VARVE_DRIFT_MISSING, answer->path, answer->differs);
		break;
	case VARVE_TRACE_SIGNED:
	case VARVE_TRACE_UNCHANGED:
	case VARVE_TRACE_REPLACED:
	case VARVE_TRACE_ABSENT:
		break;
	}
	if (drift)
		drift->layer = answer->layer;
	for (guint i = 0; i < answer->problems->len; i++)
		detail(add(look, VARVE_DRIFT_BROKEN, answer->path, 0), "%s",
		       (const char *)answer->problems->pdata[i]);
	return TRUE;
}

/* Asks about @path itself, where a link is not followed. */
static gboolean ask(Look *look, const char *path, GError **error)
{
	g_autoptr(VarveTraceAnswer) answer = varve_trace_why_path(look->node, path, error);

	return answer && take(look, answer, error);
}

/* /etc: what was written lies in the upper of its overlay. */

static gboolean has_opaque(const VarvePath *path)
{
	for (size_t i = 0; i < path->n_xattrs; i++) {
		if (strcmp(path->xattrs[i].name, "trusted.overlay.opaque") == 0)
			return TRUE;
	}
	return FALSE;
}

/* Below a directory that hides the base's, each of the base's that is not there again. */
static gboolean ask_hidden(const VarveTraceLayer *layer, const VarvePath *record, gpointer data,
			   GError **error)
{
	g_autofree char *path = g_strconcat("/", record->path, NULL);
	struct stat st;

	(void)layer;
	return fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0 || ask(data, path, error);
}

static gboolean look_at_written(Look *look, const VarvePath *written, GError **error)
{
	const VarveTraceLayer *base = look->node->stack->layers->pdata[0];
	g_autofree char *path = g_strconcat("/etc/", written->path, NULL);

	if (!*written->path)
		return TRUE;
	if (!ask(look, path, error))
		return FALSE;
	if (S_ISDIR(written->mode) ? !has_opaque(written) : !S_ISCHR(written->mode))
		return TRUE;
	/* A whiteout over a directory takes all that is in it away. */
	return varve_trace_layer_below(base, path + 1, ask_hidden, look, error);
}

/* What a layer's factory has for /etc or /var. What is there in /etc was looked at where it was
 * written, and what the base has there is no factory's. */
static gboolean look_at_factory(Look *look, const VarvePath *record, GError **error)
{
	const VarveTraceLayer *base = look->node->stack->layers->pdata[0];
	const char *path = record->path + strlen(FACTORY);
	gboolean found, self;
	VarvePath other;
	struct stat st;

	if (g_str_has_prefix(path, "/etc/")) {
		if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return TRUE;
		if (!varve_trace_layer_find(base, path + 1, &found, &other, &self, error))
			return FALSE;
		if (found)
			return TRUE;
	}
	return ask(look, path, error);
}

/* Each path once, by the topmost layer that has it. */
typedef struct {
	Look *look;
	GHashTable *seen;
} Factory;

static gboolean look_once(const VarveTraceLayer *layer, const VarvePath *record, gpointer data,
			  GError **error)
{
	Factory *factory = data;

	(void)layer;
	return !g_hash_table_add(factory->seen, g_strdup(record->path)) ||
	       look_at_factory(factory->look, record, error);
}

static gboolean look_at_factories(Look *look, const char *directory, GError **error)
{
	const GPtrArray *layers = look->node->stack->layers;
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	Factory factory = { .look = look, .seen = seen };

	for (guint i = layers->len; i-- > 0;) {
		if (!varve_trace_layer_below(layers->pdata[i], directory, look_once, &factory,
					     error))
			return FALSE;
	}
	return TRUE;
}

static gboolean look_at_etc(Look *look, GError **error)
{
	g_autoptr(GStringChunk) strings = g_string_chunk_new(4096);
	g_autoptr(GPtrArray) written = NULL;
	varve_autofd upper = -1;

	if (!*look->node->upper)
		return TRUE;
	upper = varve_dir_open(AT_FDCWD, look->node->upper, error);
	written = upper < 0 ? NULL : varve_tree_walk(upper, strings, error);
	if (!written) {
		g_prefix_error(error, "what was written to /etc: ");
		return FALSE;
	}
	for (guint i = 0; i < written->len; i++) {
		if (!look_at_written(look, written->pdata[i], error))
			return FALSE;
	}
	return look_at_factories(look, FACTORY "/etc", error);
}

/* /var is the node's data: only what was placed there by layers is compared. */
static gboolean look_at_var(Look *look, GError **error)
{
	return look_at_factories(look, FACTORY "/var", error);
}

/* Mounts over signed paths: what they cover is not read any more. */
static gboolean look_at_mounts(Look *look, GError **error)
{
	const VarveTraceNode *node = look->node;
	const VarveTraceLayer *base = node->stack->layers->pdata[0];
	guint over_usr = 0;

	(void)error;
	for (guint i = 0; i < node->mounts->len; i++) {
		const VarveMount *mount = node->mounts->pdata[i];
		gboolean usr = strcmp(mount->point, "/usr") == 0;
		gboolean selinux = strcmp(mount->point, "/etc/selinux") == 0 &&
				   strcmp(mount->root, "/etc/selinux") == 0 &&
				   mount->device == base->device;

		over_usr += usr;
		if (selinux || (!g_str_has_prefix(mount->point, "/usr/") &&
				!g_str_has_prefix(mount->point, "/etc/") && !(usr && over_usr > 1)))
			continue;
		detail(add(look, VARVE_DRIFT_COVERED, mount->point, 0),
		       "%s (%s) is mounted over it", mount->type, mount->source);
	}
	return TRUE;
}

/* What came before the base, beside what lies on the ESP; and the words that the kernel got. A node
 * that left no manifest has nothing to compare with. */
static gboolean look_at_boot(Look *look, GError **error)
{
	const VarveTraceLayer *base = look->node->stack->layers->pdata[0];
	g_autoptr(VarveTraceBoot) boot = varve_trace_boot_node(base->root, NULL);
	char cmdline[VARVE_CMDLINE_SIZE];

	if (!boot)
		return TRUE;
	if (varve_cmdline_read(cmdline) < 0)
		return varve_fail_errno(error, errno, "/proc/cmdline");
	if (strcmp(cmdline, boot->manifest->command_line) != 0)
		detail(add(look, VARVE_DRIFT_CHANGED, "", 0),
		       "the kernel was started with '%s', its image has '%s'", cmdline,
		       boot->manifest->command_line);
	for (guint i = 0; i < boot->problems->len; i++)
		detail(add(look, VARVE_DRIFT_BROKEN, "", 0), "%s",
		       (const char *)boot->problems->pdata[i]);
	return TRUE;
}

static gboolean look_at_stack(Look *look, GError **error)
{
	const GPtrArray *problems = look->node->stack->problems;

	(void)error;
	for (guint i = 0; i < problems->len; i++)
		detail(add(look, VARVE_DRIFT_BROKEN, "", 0), "%s",
		       (const char *)problems->pdata[i]);
	return TRUE;
}

GPtrArray *varve_drift_list(VarveTraceNode *node, GError **error)
{
	static const struct {
		const char *name;
		gboolean (*look)(Look *look, GError **error);
	} places[] = {
		{ "etc", look_at_etc },
		{ "var", look_at_var },
		{ "mounts", look_at_mounts },
		{ "boot", look_at_boot },
		/* The last: the others may find that the stack is not what it should be. */
		{ "stack", look_at_stack },
	};
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(drift_free);
	Look look = { .node = node, .list = list };
	gboolean ok = TRUE;

	for (gsize i = 0; i < G_N_ELEMENTS(places) && ok; i++) {
		look.place = places[i].name;
		ok = places[i].look(&look, error);
	}
	g_clear_pointer(&look.declared, g_hash_table_unref);
	return ok ? g_steal_pointer(&list) : NULL;
}

guint varve_drift_unexpected(const GPtrArray *list)
{
	guint n = 0;

	for (guint i = 0; i < list->len; i++)
		n += !*((const VarveDrift *)list->pdata[i])->expected;
	return n;
}

json_t *varve_drift_json(const GPtrArray *list)
{
	json_t *object = json_object(), *array = json_array();

	for (guint i = 0; i < list->len; i++) {
		const VarveDrift *drift = list->pdata[i];
		g_autofree char *words = varve_change_words(drift->differs);
		g_auto(GStrv) differs = g_strsplit(words, ", ", -1);
		json_t *item = json_object();

		json_object_set_new(item, "place", json_string(drift->place));
		json_object_set_new(item, "path", varve_json_escaped(drift->path));
		json_object_set_new(item, "kind", json_string(varve_drift_kind_name(drift->kind)));
		json_object_set_new(item, "differs",
				    varve_json_strings((const char *const *)differs));
		json_object_set_new(item, "layer",
				    drift->layer ? json_string(drift->layer->manifest->name)
						 : json_null());
		json_object_set_new(item, "detail", varve_json_escaped(drift->detail));
		json_object_set_new(item, "expected", varve_json_escaped(drift->expected));
		json_array_append_new(array, item);
	}
	json_object_set_new(object, "unexpected", json_integer(varve_drift_unexpected(list)));
	json_object_set_new(object, "differences", array);
	return object;
}
