/* Which systemd units are a layer's own, and what it brings for others' units: systemd.unit(5). */
#include "policy/rule.h"

#include <string.h>
#include <sys/stat.h>

/* Units of the system's manager, and of those of users. */
typedef struct {
	const char *units;
	const char *etc; /* is asked before: a link there says that a name means another unit */
} Place;

static const Place places[] = {
	{ "usr/lib/systemd/system/", "etc/systemd/system/" },
	{ "usr/lib/systemd/user/", "etc/systemd/user/" },
};

static const char *const file_types[] = { "automount", "mount", "path",   "service", "slice",
					  "socket",    "swap",  "target", "timer",   NULL };
/* Made while the system runs: a file of such a name changes one that somebody else made. */
static const char *const made_types[] = { "device", "scope", NULL };

/* (nullable) the type of unit that @name says; NULL where it is no whole name: "service" alone is
 * what a drop-in directory for all services is called after. */
static const char *type_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (!dot || dot == name)
		return NULL;
	return g_strv_contains(file_types, dot + 1) || g_strv_contains(made_types, dot + 1)
		       ? dot + 1
		       : NULL;
}

/* (nullable) "a@.service" of its instance "a@b.service". */
static char *template_of(const char *name)
{
	const char *at = strchr(name, '@'), *dot = strrchr(name, '.');

	if (!at || !dot || dot <= at + 1)
		return NULL;
	return g_strdup_printf("%.*s%s", (int)(at + 1 - name), name, dot);
}

/* Whether a unit of this name is about itself alone: what is said of "a-.service" holds for all
 * that begin with "a-", and system.slice is there without a file. */
static gboolean can_be_own(const char *name)
{
	const char *type = type_of(name), *at = strchr(name, '@');
	const char *end = at ? at : strrchr(name, '.');

	return type && g_strv_contains(file_types, type) && end > name && end[-1] != '-' &&
	       strcmp(name, "system.slice") != 0;
}

static gboolean brings_file(const VarveCase *c, const Place *place, const char *name)
{
	g_autofree char *path = g_strconcat(place->units, name, NULL);
	VarvePath found;

	return varve_facts_find(c->layer, path, &found) && S_ISREG(found.mode);
}

static gboolean means_another(const VarveCase *c, const Place *place, const char *name)
{
	g_autofree char *path = g_strconcat(place->etc, name, NULL);
	VarvePath found;

	return varve_facts_find(c->base, path, &found);
}

/* Whether the layer brings the unit @name itself: as a file, or the template of which it is an
 * instance. A link is no unit: what is said of it holds for another. */
static gboolean is_own(const VarveCase *c, const Place *place, const char *name)
{
	g_autofree char *template = template_of(name);
	const char *file = template ? template : name;

	return can_be_own(file) && brings_file(c, place, file) && !means_another(c, place, file) &&
	       !means_another(c, place, name);
}

/* Whether the layer may say what @name is: as an instance it would stand before its template. */
static gboolean may_name(const VarveCase *c, const Place *place, const char *name)
{
	g_autofree char *template = template_of(name);

	return template ? is_own(c, place, template) : can_be_own(name);
}

/* Whether a link in the directory of units is another name of a unit of the layer's own. */
static gboolean is_own_alias(const VarveCase *c, const Place *place, const char *target)
{
	if (*target == '/' && g_str_has_prefix(target + 1, place->units))
		target += 1 + strlen(place->units);
	return !strchr(target, '/') && is_own(c, place, target);
}

/* What lies directly in the directory of units. */
static gboolean entry_meddles(const VarveCase *c, const Place *place, const VarvePath *path,
			      const char *name)
{
	static const char *const directories[] = { ".d", ".wants", ".requires", ".upholds" };

	if (S_ISLNK(path->mode)) {
		for (gsize i = 0; i < G_N_ELEMENTS(directories); i++)
			if (g_str_has_suffix(name, directories[i]))
				return TRUE;
	}
	if (!type_of(name))
		return FALSE;
	return !may_name(c, place, name) ||
	       (S_ISLNK(path->mode) && !is_own_alias(c, place, path->target));
}

/* UNIT.d/FILE says more of a unit; UNIT.wants/OTHER, .requires and .upholds start the other. */
static gboolean below_meddles(const VarveCase *c, const Place *place, const char *name,
			      const char *slash)
{
	g_autofree char *unit = NULL;

	if (slash - name < 2 || strncmp(slash - 2, ".d", 2) != 0)
		return !is_own(c, place, slash + 1);
	unit = g_strndup(name, (gsize)(slash - name - 2));
	return !is_own(c, place, unit);
}

gboolean varve_units_meddle(const VarveCase *c, const VarvePath *path)
{
	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		const Place *place = &places[i];
		gsize length = strlen(place->units);
		const char *name, *slash;

		/* The directory itself, as a link to others. */
		if (S_ISLNK(path->mode) && strlen(path->path) == length - 1 &&
		    g_str_has_prefix(place->units, path->path))
			return TRUE;
		if (!g_str_has_prefix(path->path, place->units))
			continue;
		name = path->path + length;
		slash = strchr(name, '/');
		return slash ? below_meddles(c, place, name, slash)
			     : entry_meddles(c, place, path, name);
	}
	return FALSE;
}
