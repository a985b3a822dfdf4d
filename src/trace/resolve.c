/* Path resolution (path_resolution(7)). */
#include "trace/resolve.h"

#include "base/error.h"

#include <string.h>

typedef struct {
	GString *done; /* "" is the root; else "/usr/bin": exists and has no links in it */
	char *rest;    /* what is still to be followed */
	GPtrArray *steps;
} Walk;

/* The next component of @walk->rest, taken off it; NULL at the end. */
static char *next_component(Walk *walk)
{
	const char *at = walk->rest + strspn(walk->rest, "/");
	gsize length = strcspn(at, "/");
	char *component = length ? g_strndup(at, length) : NULL;
	char *rest = g_strdup(at + length);

	g_free(walk->rest);
	walk->rest = rest;
	return component;
}

static void go_up(Walk *walk)
{
	const char *slash = strrchr(walk->done->str, '/');

	if (slash)
		g_string_truncate(walk->done, (gsize)(slash - walk->done->str));
}

static void follow(Walk *walk, const char *link, const char *target)
{
	char *rest = g_strconcat(target, "/", walk->rest, NULL);

	g_ptr_array_add(walk->steps, g_strdup(link));
	g_free(walk->rest);
	walk->rest = rest;
	if (*target == '/')
		g_string_truncate(walk->done, 0);
}

/* One component further. @ret_stop: what is there does not exist, so nothing below it does. */
static gboolean step(Walk *walk, const char *component, VarveResolveLook look, gpointer data,
		     gboolean *ret_stop, GError **error)
{
	g_autofree char *path = g_strconcat(walk->done->str, "/", component, NULL);
	g_autofree char *target = NULL;
	gboolean exists = FALSE;

	if (!look(path, &exists, &target, data, error))
		return FALSE;
	if (target) {
		follow(walk, path, target);
		return TRUE;
	}
	g_string_assign(walk->done, path);
	*ret_stop = !exists;
	return TRUE;
}

/* What cannot be looked at any more is added as it was asked. */
static void add_rest(Walk *walk)
{
	char *component;

	while ((component = next_component(walk))) {
		if (strcmp(component, "..") == 0)
			go_up(walk);
		else if (strcmp(component, ".") != 0)
			g_string_append_printf(walk->done, "/%s", component);
		g_free(component);
	}
}

static void walk_clear(Walk *walk)
{
	g_string_free(walk->done, TRUE);
	g_free(walk->rest);
	g_clear_pointer(&walk->steps, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Walk, walk_clear)

gboolean varve_trace_resolve(const char *path, VarveResolveLook look, gpointer data,
			     GPtrArray **ret_steps, GError **error)
{
	g_auto(Walk) walk = { .done = g_string_new(NULL),
			      .rest = g_strdup(path),
			      .steps = g_ptr_array_new_with_free_func(g_free) };
	gboolean stop = FALSE;

	if (*path != '/')
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "'%s' is no absolute path; begin it with a slash", path);
	while (!stop) {
		g_autofree char *component = next_component(&walk);

		if (!component)
			break;
		if (strcmp(component, ".") == 0)
			continue;
		if (strcmp(component, "..") == 0) {
			go_up(&walk);
			continue;
		}
		if (!step(&walk, component, look, data, &stop, error))
			return FALSE;
		if (walk.steps->len > VARVE_RESOLVE_LINKS_MAX)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "'%s' leads over more than %d links: they go in circles",
					  path, VARVE_RESOLVE_LINKS_MAX);
	}
	add_rest(&walk);
	g_ptr_array_add(walk.steps, g_strdup(walk.done->len ? walk.done->str : "/"));
	*ret_steps = g_steal_pointer(&walk.steps);
	return TRUE;
}
