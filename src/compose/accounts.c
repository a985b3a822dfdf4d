/* Accounts of a staged root. Formats: passwd(5), group(5), shadow(5), gshadow(5). */
#include "compose/accounts.h"

#include "base/error.h"
#include "compose/root-dir.h"

#include <string.h>

gboolean varve_accounts_read_ids(const char *root, const char *file, GHashTable **ret_ids,
				 GError **error)
{
	g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	if (varve_root_exists(root, file)) {
		text = varve_root_read(root, file, error);
		if (!text)
			return FALSE;
		lines = g_strsplit(text, "\n", -1);
	}
	for (guint i = 0; lines && lines[i]; i++) {
		g_auto(GStrv) fields = g_strsplit(lines[i], ":", 4);
		guint64 id;

		if (!*lines[i])
			continue;
		if (g_strv_length(fields) < 3 ||
		    !g_ascii_string_to_unsigned(fields[2], 10, 0, G_MAXUINT32 - 1, &id, NULL))
			return varve_fail(error, VARVE_ERROR_CORRUPT, "%s/%s:%u: not an account",
					  root, file, i + 1);
		g_hash_table_replace(ids, g_strdup(fields[0]), GUINT_TO_POINTER((guint)id));
	}
	*ret_ids = g_steal_pointer(&ids);
	return TRUE;
}

/* One of the four files while it is being changed. */
typedef struct {
	const char *path;
	gboolean secret;
	GString *text;
} Database;

static gboolean load(const char *root, Database *database, GError **error)
{
	g_autofree char *text = NULL;

	database->text = g_string_new(NULL);
	if (!varve_root_exists(root, database->path))
		return TRUE;
	text = varve_root_read(root, database->path, error);
	if (!text)
		return FALSE;
	g_string_assign(database->text, text);
	if (database->text->len && database->text->str[database->text->len - 1] != '\n')
		g_string_append_c(database->text, '\n');
	return TRUE;
}

/* Adds @member to the list that ends the line of @group. */
static void add_member(GString *text, const char *group, const char *member)
{
	g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
	g_autofree char *prefix = g_strconcat(group, ":", NULL);

	g_string_truncate(text, 0);
	for (char **line = lines; *line; line++) {
		if (!**line)
			continue;
		g_string_append(text, *line);
		if (g_str_has_prefix(*line, prefix)) {
			const char *list = strrchr(*line, ':') + 1;

			g_string_append_printf(text, "%s%s", *list ? "," : "", member);
		}
		g_string_append_c(text, '\n');
	}
}

static const char *name_of(GHashTable *ids, guint id)
{
	GHashTableIter iter;
	gpointer name, value;

	g_hash_table_iter_init(&iter, ids);
	while (g_hash_table_iter_next(&iter, &name, &value))
		if (GPOINTER_TO_UINT(value) == id)
			return name;
	return NULL;
}

/* @ret_add: FALSE where @name is there with @id already. */
static gboolean claim(GHashTable *ids, const char *what, const char *name, guint id,
		      const VarveOrigin *origin, gboolean *ret_add, GError **error)
{
	g_autofree char *at = varve_origin_text(origin);
	const char *holder;
	gpointer value;

	*ret_add = FALSE;
	if (g_hash_table_lookup_extended(ids, name, NULL, &value)) {
		if (GPOINTER_TO_UINT(value) == id)
			return TRUE;
		return varve_fail(error, VARVE_ERROR_CONFLICT,
				  "%s: %s '%s' is declared as %u, but is %u in the root", at, what,
				  name, id, GPOINTER_TO_UINT(value));
	}
	holder = name_of(ids, id);
	if (holder)
		return varve_fail(error, VARVE_ERROR_CONFLICT,
				  "%s: %s '%s' is declared as %u, which is taken by '%s'", at, what,
				  name, id, holder);
	g_hash_table_replace(ids, g_strdup(name), GUINT_TO_POINTER(id));
	*ret_add = TRUE;
	return TRUE;
}

typedef struct {
	Database passwd, shadow, group, gshadow;
	GHashTable *users, *groups;
} Accounts;

static gboolean add_group(Accounts *accounts, const VarveGroup *group, GError **error)
{
	gboolean add;

	if (!claim(accounts->groups, "group", group->name, group->gid, &group->origin, &add, error))
		return FALSE;
	if (add) {
		g_string_append_printf(accounts->group.text, "%s:x:%u:\n", group->name, group->gid);
		g_string_append_printf(accounts->gshadow.text, "%s:!*::\n", group->name);
	}
	return TRUE;
}

static gboolean add_user(Accounts *accounts, const VarveUser *user, GError **error)
{
	g_autofree char *at = varve_origin_text(&user->origin);
	gpointer gid;
	gboolean add;

	if (!claim(accounts->users, "user", user->name, user->uid, &user->origin, &add, error))
		return FALSE;
	if (!g_hash_table_lookup_extended(accounts->groups, user->group, NULL, &gid))
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "%s: user '%s' is to be in group '%s', which is not declared", at,
				  user->name, user->group);
	if (add) {
		g_string_append_printf(accounts->passwd.text, "%s:x:%u:%u:%s:%s:%s\n", user->name,
				       user->uid, GPOINTER_TO_UINT(gid), user->comment, user->home,
				       user->shell);
		/* No day of the last change: it would differ from build to build. */
		g_string_append_printf(accounts->shadow.text,
				       user->uid ? "%s:!*:::::::\n" : "%s:*:::::::\n", user->name);
	}
	for (gsize i = 0; user->groups && user->groups[i]; i++) {
		if (!g_hash_table_contains(accounts->groups, user->groups[i]))
			return varve_fail(
				error, VARVE_ERROR_NOT_FOUND,
				"%s: user '%s' is to be in group '%s', which is not declared", at,
				user->name, user->groups[i]);
		add_member(accounts->group.text, user->groups[i], user->name);
		add_member(accounts->gshadow.text, user->groups[i], user->name);
	}
	return TRUE;
}

static gboolean change(Accounts *accounts, const char *root, const VarveLayerDefinition *layer,
		       GError **error)
{
	Database *const all[] = { &accounts->passwd, &accounts->shadow, &accounts->group,
				  &accounts->gshadow };
	gpointer shadow;

	for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
		if (!load(root, all[i], error))
			return FALSE;
	if (!varve_accounts_read_ids(root, "etc/passwd", &accounts->users, error) ||
	    !varve_accounts_read_ids(root, "etc/group", &accounts->groups, error))
		return FALSE;
	for (gsize i = 0; i < layer->n_groups; i++)
		if (!add_group(accounts, &layer->groups[i], error))
			return FALSE;
	for (gsize i = 0; i < layer->n_users; i++)
		if (!add_user(accounts, &layer->users[i], error))
			return FALSE;
	shadow = g_hash_table_lookup(accounts->groups, "shadow");
	for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
		if (!varve_root_write(root, all[i]->path, all[i]->text->str, all[i]->text->len,
				      all[i]->secret ? (shadow ? 0640 : 0) : 0644, 0,
				      all[i]->secret ? GPOINTER_TO_UINT(shadow) : 0, error))
			return FALSE;
	return TRUE;
}

gboolean varve_accounts_add(const char *root, const VarveLayerDefinition *layer, GError **error)
{
	Accounts accounts = {
		.passwd = { "etc/passwd", FALSE, NULL },
		.shadow = { "etc/shadow", TRUE, NULL },
		.group = { "etc/group", FALSE, NULL },
		.gshadow = { "etc/gshadow", TRUE, NULL },
	};
	gboolean ok = change(&accounts, root, layer, error);
	Database *const all[] = { &accounts.passwd, &accounts.shadow, &accounts.group,
				  &accounts.gshadow };

	for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
		if (all[i]->text)
			g_string_free(all[i]->text, TRUE);
	g_clear_pointer(&accounts.users, g_hash_table_unref);
	g_clear_pointer(&accounts.groups, g_hash_table_unref);
	return ok;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void list_new(GString *list, const char *what, GHashTable *now, GHashTable *before)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	GHashTableIter iter;
	gpointer name;

	g_hash_table_iter_init(&iter, now);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		if (!g_hash_table_contains(before, name))
			g_ptr_array_add(names, name);
	g_ptr_array_sort(names, compare_names);
	for (guint i = 0; i < names->len; i++)
		g_string_append_printf(list, "\n  %s %s", what,
				       (const char *)g_ptr_array_index(names, i));
}

gboolean varve_accounts_check(const char *root, GHashTable *users_before, GHashTable *groups_before,
			      const VarveLayerDefinition *layer, GError **error)
{
	g_autoptr(GHashTable) users = NULL, groups = NULL;
	g_autoptr(GString) list = g_string_new(NULL);

	if (!varve_accounts_read_ids(root, "etc/passwd", &users, error) ||
	    !varve_accounts_read_ids(root, "etc/group", &groups, error))
		return FALSE;
	list_new(list, "user", users, users_before);
	list_new(list, "group", groups, groups_before);
	if (!list->len)
		return TRUE;
	return varve_fail(
		error, VARVE_ERROR_CONFLICT,
		"layer '%s': sysusers.d of its packages makes accounts that the definition "
		"does not number:%s\ndeclare each in [layers.%s.users] or [layers.%s.groups], "
		"so that it has the same number in every build",
		layer->name, list->str, layer->name, layer->name);
}
