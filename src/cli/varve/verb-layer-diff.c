/* varve layer diff: which packages and files changed from one layer to another. */
#include "base/text.h"
#include "cli/cli.h"
#include "cli/varve/layer-text.h"
#include "cli/varve/verbs.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
	VarveLayer *layer;
	VarveManifest *manifest;
	GPtrArray *tree;
} Side;

typedef struct {
	guint added, removed, changed;
	gint64 bytes; /* after minus before, of regular files */
} Sum;

static void side_clear(Side *side)
{
	g_clear_pointer(&side->layer, varve_layer_free);
	g_clear_pointer(&side->manifest, varve_manifest_free);
	g_clear_pointer(&side->tree, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Side, side_clear)

/* The tree itself is compared, not what the path tables say of it. */
static gboolean load(const char *path, Side *side, GError **error)
{
	side->layer = varve_layer_open_path(path, error);
	if (!side->layer || !varve_layer_check_data(side->layer, error))
		return FALSE;
	side->manifest = varve_layer_read_manifest(side->layer, error);
	if (!side->manifest)
		return FALSE;
	side->tree = varve_layer_read_tree(side->layer, TRUE, error);
	return side->tree != NULL;
}

static void print_package(const VarvePackageChange *change)
{
	g_autofree char *before =
		change->before ? varve_manifest_package_evr(change->before) : NULL;
	g_autofree char *after = change->after ? varve_manifest_package_evr(change->after) : NULL;
	const VarveManifestPackage *any = change->after ?: change->before;

	if (!before)
		printf("  + %s.%s %s\n", any->name, any->arch, after);
	else if (!after)
		printf("  - %s.%s %s\n", any->name, any->arch, before);
	else if (strcmp(before, after) == 0)
		printf("  ~ %s.%s %s, built anew\n", any->name, any->arch, after);
	else
		printf("  ~ %s.%s %s -> %s\n", any->name, any->arch, before, after);
}

/* Xattrs of @path that @other does not have or, where @changed, has with another value. */
static void append_xattrs(GString *text, const VarvePath *path, const VarvePath *other, char sign,
			  gboolean changed)
{
	for (size_t i = 0; i < path->n_xattrs; i++) {
		const VarveXattr *xattr = &path->xattrs[i], *match = NULL;

		for (size_t k = 0; k < other->n_xattrs && !match; k++) {
			if (strcmp(other->xattrs[k].name, xattr->name) == 0)
				match = &other->xattrs[k];
		}
		if (match ? changed && (match->size != xattr->size ||
					memcmp(match->value, xattr->value, xattr->size) != 0)
			  : !changed)
			g_string_append_printf(text, " %c%s", sign, xattr->name);
	}
}

/* "mode -rw-r--r-- -> -rwxr-xr-x, size 10 -> 12, content": what changed, from what to what. */
static char *describe(const VarvePathChange *change)
{
	const VarvePath *a = change->before, *b = change->after;
	g_autofree char *a_mode = varve_mode_text(a->mode), *b_mode = varve_mode_text(b->mode);
	g_autoptr(GString) text = g_string_new(NULL);

	if (change->what & (VARVE_CHANGE_TYPE | VARVE_CHANGE_MODE))
		g_string_append_printf(text, ", mode %s -> %s", a_mode, b_mode);
	if (change->what & VARVE_CHANGE_OWNER)
		g_string_append_printf(text, ", owner %u:%u -> %u:%u", a->uid, a->gid, b->uid,
				       b->gid);
	if (change->what & VARVE_CHANGE_SIZE && S_ISREG(b->mode))
		g_string_append_printf(text, ", size %" G_GUINT64_FORMAT " -> %" G_GUINT64_FORMAT,
				       a->size, b->size);
	if (change->what & VARVE_CHANGE_CONTENT && *a->target && *b->target)
		g_string_append_printf(text, ", target %s -> %s", a->target, b->target);
	else if (change->what & VARVE_CHANGE_CONTENT)
		g_string_append(text, ", content");
	if (change->what & VARVE_CHANGE_DEVICE)
		g_string_append(text, ", device number");
	if (change->what & VARVE_CHANGE_LABEL)
		g_string_append_printf(text, ", label %s -> %s", *a->label ? a->label : "none",
				       *b->label ? b->label : "none");
	if (change->what & VARVE_CHANGE_XATTRS) {
		g_string_append(text, ", xattrs");
		append_xattrs(text, a, b, '-', FALSE);
		append_xattrs(text, b, a, '+', FALSE);
		append_xattrs(text, b, a, '~', TRUE);
	}
	if (change->what & VARVE_CHANGE_HARDLINK)
		g_string_append(text, ", hard links");
	return g_strdup(text->str + (text->len ? 2 : 0));
}

static void print_path(const VarvePathChange *change)
{
	const VarvePath *any = change->after ?: change->before;
	g_autofree char *name = varve_printable(any->path);
	g_autofree char *text = NULL, *shown = NULL;

	if (change->before && change->after) {
		text = describe(change);
		shown = varve_printable(text);
		printf("  ~ /%s  %s\n", name, shown);
		return;
	}
	printf("  %c /%s  %" G_GUINT64_FORMAT "\n", change->after ? '+' : '-', name, any->size);
}

static Sum sum_up(const GArray *changes)
{
	Sum sum = { 0 };

	for (guint i = 0; i < changes->len; i++) {
		const VarvePathChange *change = &g_array_index(changes, VarvePathChange, i);

		sum.added += !change->before;
		sum.removed += !change->after;
		sum.changed += change->before && change->after;
		sum.bytes += (change->after ? (gint64)change->after->size : 0) -
			     (change->before ? (gint64)change->before->size : 0);
	}
	return sum;
}

static gboolean has_override(const VarveManifest *manifest, const VarveManifestOverride *wanted)
{
	const VarveManifestOverride *found = varve_manifest_find_override(manifest, wanted->path);

	return found && strcmp(found->layer, wanted->layer) == 0 &&
	       strcmp(found->version, wanted->version) == 0 &&
	       varve_digest_equal(&found->digest, &wanted->digest);
}

/* Those of @side that @other does not have. */
static void print_overrides(const VarveManifest *side, const VarveManifest *other, char sign)
{
	for (guint i = 0; i < side->overrides->len; i++) {
		g_autofree char *text = varve_override_text(side->overrides->pdata[i]);

		if (!has_override(other, side->overrides->pdata[i]))
			printf("  %c %s\n", sign, text);
	}
}

static void print_text(const Side *a, const Side *b, const GArray *packages, const GArray *paths)
{
	Sum sum = sum_up(paths);
	g_autofree char *bytes = varve_size_text((guint64)ABS(sum.bytes));

	printf("%s %s -> %s %s\n", a->manifest->name, a->manifest->version, b->manifest->name,
	       b->manifest->version);
	printf("packages: %u changed\n", packages->len);
	for (guint i = 0; i < packages->len; i++)
		print_package(&g_array_index(packages, VarvePackageChange, i));
	if (a->manifest->overrides->len > 0 || b->manifest->overrides->len > 0) {
		printf("overrides: %u, then %u\n", a->manifest->overrides->len,
		       b->manifest->overrides->len);
		print_overrides(a->manifest, b->manifest, '-');
		print_overrides(b->manifest, a->manifest, '+');
	}
	printf("files: %u added, %u removed, %u changed, %s%s\n", sum.added, sum.removed,
	       sum.changed, sum.bytes < 0 ? "-" : "+", bytes);
	for (guint i = 0; i < paths->len; i++)
		print_path(&g_array_index(paths, VarvePathChange, i));
}

static json_t *side_json(const Side *side)
{
	g_autofree char *root = varve_digest_dup_hex(varve_layer_root(side->layer));
	json_t *object = json_object();

	json_object_set_new(object, "name", json_string(side->manifest->name));
	json_object_set_new(object, "version", json_string(side->manifest->version));
	json_object_set_new(object, "rootHash", json_string(root));
	if (side->manifest->overrides->len > 0)
		json_object_set_new(object, "overrides", varve_overrides_json(side->manifest));
	return object;
}

static void print_json(const Side *a, const Side *b, const GArray *packages, const GArray *paths)
{
	g_autoptr(json_t) object = json_object();
	g_autofree char *text = NULL;
	json_t *list = json_array(), *files = json_array();

	json_object_set_new(object, "before", side_json(a));
	json_object_set_new(object, "after", side_json(b));
	for (guint i = 0; i < packages->len; i++) {
		const VarvePackageChange *change = &g_array_index(packages, VarvePackageChange, i);
		json_t *item = json_object();

		if (change->before)
			json_object_set_new(item, "before", varve_package_json(change->before));
		if (change->after)
			json_object_set_new(item, "after", varve_package_json(change->after));
		json_array_append_new(list, item);
	}
	json_object_set_new(object, "packages", list);
	for (guint i = 0; i < paths->len; i++) {
		const VarvePathChange *change = &g_array_index(paths, VarvePathChange, i);
		g_autofree char *words = varve_change_words(change->what);
		json_t *item = json_object();

		json_object_set_new(item, "what", json_string(words));
		if (change->before)
			json_object_set_new(item, "before", varve_path_json(change->before));
		if (change->after)
			json_object_set_new(item, "after", varve_path_json(change->after));
		json_array_append_new(files, item);
	}
	json_object_set_new(object, "files", files);
	text = varve_json_dump(object, FALSE);
	fputs(text, stdout);
}

static int run(const VarveInvocation *invocation, GError **error)
{
	g_auto(Side) a = { 0 }, b = { 0 };
	g_autoptr(GArray) packages = NULL, paths = NULL;

	if (!load(invocation->argv[0], &a, error) || !load(invocation->argv[1], &b, error))
		return VARVE_EXIT_FAILED;
	packages = varve_packages_compare(a.manifest, b.manifest);
	paths = varve_paths_compare(a.tree, b.tree);
	if (invocation->json)
		print_json(&a, &b, packages, paths);
	else
		print_text(&a, &b, packages, paths);
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_layer_diff = {
	.words = "layer diff",
	.arguments = "BEFORE AFTER",
	.summary = "Say which packages and files changed between two layers.",
	.details = "Every block of both is checked against its root hash first; who signed them is "
		   "not: that is\n'varve layer verify'.",
	.reports = TRUE,
	.min_arguments = 2,
	.max_arguments = 2,
	.run = run,
};
