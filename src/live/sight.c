/* Judging the mounts of a namespace. */
#include "live/sight.h"

#include "base/file.h"
#include "format/mountinfo.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define USR "/usr"
#define MOUNTINFO_LIMIT ((size_t)64 * 1024 * 1024)

GPtrArray *varve_sight_mounts(int dir, GError **error)
{
	g_autofree char *text = NULL;
	size_t size;

	if (!varve_file_read(dir, "mountinfo", MOUNTINFO_LIMIT, &text, &size, error))
		return NULL;
	return varve_mountinfo_parse(text, error);
}

char *varve_sight_key(int dir, dev_t *ret_root)
{
	char namespace[64], root[PATH_MAX];
	ssize_t n = readlinkat(dir, "ns/mnt", namespace, sizeof(namespace) - 1);
	ssize_t m = readlinkat(dir, "root", root, sizeof(root) - 1);
	struct stat st;

	if (n < 0 || m < 0 || fstatat(dir, "root", &st, 0) < 0)
		return NULL;
	*ret_root = st.st_dev;
	return g_strdup_printf("%.*s %.*s", (int)n, namespace, (int)m, root);
}

static gboolean same_layers(const VarvePastStack *a, const VarvePastStack *b)
{
	if (a->lowers->len != b->lowers->len)
		return FALSE;
	for (guint i = 0; i < a->lowers->len; i++) {
		const VarvePastLayer *x = a->lowers->pdata[i], *y = b->lowers->pdata[i];

		if (!varve_digest_equal(&x->root, &y->root))
			return FALSE;
	}
	return TRUE;
}

static const VarvePastStack *find(const VarvePast *past, dev_t device)
{
	for (guint i = past->stacks->len; i-- > 0;) {
		const VarvePastStack *stack = past->stacks->pdata[i];

		if (stack->device == device)
			return stack;
	}
	return NULL;
}

/* The stack on @device that has been replaced. */
static const VarvePastStack *find_earlier(const VarvePast *past, dev_t device)
{
	const VarvePastStack *stack = find(past, device), *running = varve_past_running(past);

	return stack && stack != running && !same_layers(stack, running) ? stack : NULL;
}

/* The number of a stack's device may be another filesystem's by now. */
static gboolean is_stack(const VarveMount *mount)
{
	return strcmp(mount->type, "overlay") == 0 && strcmp(mount->source, "varve") == 0;
}

/* (caller frees) what is mounted below the old /usr, which keeps the whole where it is. */
static char *list_below(const GPtrArray *mounts)
{
	GString *list = g_string_new(NULL);

	for (guint i = 0; i < mounts->len; i++) {
		const VarveMount *mount = mounts->pdata[i];

		if (g_str_has_prefix(mount->point, USR "/"))
			g_string_append_printf(list, "%s%s", list->len ? ", " : "", mount->point);
	}
	return g_string_free(list, FALSE);
}

static gboolean lies_beneath(const GPtrArray *mounts, dev_t device)
{
	for (guint i = 0; i < mounts->len; i++) {
		const VarveMount *mount = mounts->pdata[i];

		if (mount->device == device && strcmp(mount->point, USR) == 0)
			return TRUE;
	}
	return FALSE;
}

static char *explain_usr(const VarvePast *past, const GPtrArray *mounts)
{
	g_autofree char *below = list_below(mounts);

	if (*below)
		return g_strdup_printf("it has mounts of its own below " USR " (%s), which keep "
				       "the earlier one there",
				       below);
	if (lies_beneath(mounts, varve_past_running(past)->device))
		return g_strdup("an earlier " USR " lies over the running one in its namespace");
	return g_strdup("its mounts are private: no change of " USR " reaches it");
}

static gboolean has_same(const GPtrArray *mounts, const VarveMount *wanted)
{
	for (guint i = 0; i < mounts->len; i++) {
		const VarveMount *mount = mounts->pdata[i];

		if (mount->device == wanted->device && strcmp(mount->point, wanted->point) == 0)
			return TRUE;
	}
	return FALSE;
}

/* What is bound from an earlier stack to anywhere. */
static const VarveMount *find_bound(const VarvePast *past, const GPtrArray *mounts,
				    const GPtrArray *host)
{
	for (guint i = 0; i < mounts->len; i++) {
		const VarveMount *mount = mounts->pdata[i];

		if (is_stack(mount) && find_earlier(past, mount->device) && !has_same(host, mount))
			return mount;
	}
	return NULL;
}

void varve_sight_judge(const VarvePast *past, const GPtrArray *mounts, const GPtrArray *host,
		       dev_t root, VarveSight *ret)
{
	const VarveMount *usr = varve_mount_topmost(mounts, USR), *bound;
	VarveSight sight = { .obstacle = NULL };

	if (usr && is_stack(usr))
		sight.stack = find(past, usr->device);
	if (sight.stack && find_earlier(past, usr->device)) {
		sight.earlier = sight.stack;
		sight.obstacle = explain_usr(past, mounts);
	} else if ((bound = find_bound(past, mounts, host))) {
		sight.earlier = find(past, bound->device);
		sight.obstacle =
			g_strdup_printf("%s is bound there from an earlier " USR, bound->point);
	} else if ((sight.earlier = find_earlier(past, root))) {
		sight.obstacle = g_strdup("its root directory is one of an earlier " USR);
	}
	sight.follows = !sight.earlier;
	if (!sight.obstacle)
		sight.obstacle = g_strdup("");
	*ret = sight;
}

void varve_sight_clear(VarveSight *sight)
{
	g_clear_pointer(&sight->obstacle, g_free);
}
