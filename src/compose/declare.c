/* What a layer's definition adds to its packages. */
#include "compose/declare.h"

#include "base/error.h"
#include "compose/accounts.h"
#include "compose/root-dir.h"

#include <string.h>
#include <sys/stat.h>

#define SOURCE_LIMIT (256 << 20)

static gboolean add_entry(VarveInputs *inputs, const VarveEntry *entry, GError **error)
{
	varve_inputs_add_number(inputs, "entry", entry->kind);
	varve_inputs_add(inputs, "path", entry->path);
	varve_inputs_add(inputs, "target", entry->target);
	varve_inputs_add(inputs, "user", entry->user);
	varve_inputs_add(inputs, "group", entry->group);
	varve_inputs_add_number(inputs, "mode", (guint64)entry->mode);
	if (entry->content)
		varve_inputs_add(inputs, "content", entry->content);
	return !entry->source || varve_inputs_add_file(inputs, "source", entry->source, error);
}

gboolean varve_declare_inputs(VarveInputs *inputs, const VarveLayerDefinition *layer,
			      GError **error)
{
	g_autofree char *preset = varve_declare_preset(layer);
	g_autofree char *sysctl = varve_declare_sysctl(layer);
	g_autofree char *accounts = varve_declare_sysusers(layer);

	varve_inputs_add(inputs, "layer", layer->name);
	varve_inputs_add_number(inputs, "role", layer->role);
	varve_inputs_add(inputs, "preset", preset);
	varve_inputs_add_strings(inputs, "mask", layer->mask);
	varve_inputs_add(inputs, "sysctl", sysctl);
	varve_inputs_add(inputs, "accounts", accounts);
	for (gsize i = 0; i < layer->n_entries; i++)
		if (!add_entry(inputs, &layer->entries[i], error))
			return FALSE;
	return TRUE;
}

static gboolean owner_ids(const VarveEntry *entry, GHashTable *users, GHashTable *groups,
			  uid_t *ret_uid, gid_t *ret_gid, GError **error)
{
	g_autofree char *at = varve_origin_text(&entry->origin);
	gpointer id;

	if (entry->user) {
		if (!g_hash_table_lookup_extended(users, entry->user, NULL, &id))
			return varve_fail(
				error, VARVE_ERROR_NOT_FOUND,
				"%s: '%s' is to belong to user '%s', which neither the layer "
				"nor its base has; declare it with its number",
				at, entry->path, entry->user);
		*ret_uid = GPOINTER_TO_UINT(id);
	}
	if (entry->group) {
		if (!g_hash_table_lookup_extended(groups, entry->group, NULL, &id))
			return varve_fail(
				error, VARVE_ERROR_NOT_FOUND,
				"%s: '%s' is to belong to group '%s', which neither the layer "
				"nor its base has; declare it with its number",
				at, entry->path, entry->group);
		*ret_gid = GPOINTER_TO_UINT(id);
	}
	return TRUE;
}

/* Changes mode and owner of what a package brought. */
static gboolean change_mode(const char *root, const VarveEntry *entry, uid_t uid, gid_t gid,
			    GError **error)
{
	g_autofree char *at = varve_origin_text(&entry->origin);
	g_autofree char *name = NULL;
	varve_autofd parent = varve_root_parent(root, entry->path, &name, error);
	struct stat st;

	if (parent < 0)
		return FALSE;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return varve_fail(
			error, VARVE_ERROR_NOT_FOUND,
			"%s: no package of the layer brings '%s', so its mode cannot be changed",
			at, entry->path);
	if (S_ISLNK(st.st_mode))
		return varve_fail(error, VARVE_ERROR_CONFLICT,
				  "%s: '%s' is a link; name the file that it leads to", at,
				  entry->path);
	/* The owner first: chown clears the set-id bits. */
	if (fchownat(parent, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(parent, name,
		     entry->mode == VARVE_MODE_KEEP ? st.st_mode & 07777 : (mode_t)entry->mode,
		     0) < 0)
		return varve_fail_errno(error, errno, "%s: cannot change '%s'", at, entry->path);
	return TRUE;
}

static gboolean make_file(const char *root, const VarveEntry *entry, uid_t uid, gid_t gid,
			  GError **error)
{
	g_autofree char *data = NULL;
	size_t size = entry->content_size;

	if (entry->source &&
	    !varve_file_read(AT_FDCWD, entry->source, SOURCE_LIMIT, &data, &size, error))
		return FALSE;
	return varve_root_write(root, entry->path, data ? data : entry->content, size,
				(mode_t)entry->mode, uid, gid, error);
}

static gboolean make_entry(const char *root, const VarveEntry *entry, GHashTable *users,
			   GHashTable *groups, GError **error)
{
	uid_t uid = entry->kind == VARVE_ENTRY_MODE ? (uid_t)-1 : 0;
	gid_t gid = entry->kind == VARVE_ENTRY_MODE ? (gid_t)-1 : 0;

	if (!owner_ids(entry, users, groups, &uid, &gid, error))
		return FALSE;
	switch (entry->kind) {
	case VARVE_ENTRY_FILE:
		return make_file(root, entry, uid, gid, error);
	case VARVE_ENTRY_LINK:
		return varve_root_link(root, entry->path, entry->target, error);
	case VARVE_ENTRY_DIRECTORY:
		return varve_root_mkdir(root, entry->path, (mode_t)entry->mode, uid, gid, error);
	case VARVE_ENTRY_MODE:
		return change_mode(root, entry, uid, gid, error);
	}
	g_return_val_if_reached(FALSE);
}

gboolean varve_declare_entries(const char *root, const char *lower,
			       const VarveLayerDefinition *layer, GError **error)
{
	g_autoptr(GHashTable) users = NULL, groups = NULL;

	if (!varve_declare_ids(layer, lower ? lower : root, &users, &groups, error))
		return FALSE;
	for (gsize i = 0; i < layer->n_entries; i++)
		if (!make_entry(root, &layer->entries[i], users, groups, error))
			return FALSE;
	return TRUE;
}

gboolean varve_declare_ids(const VarveLayerDefinition *layer, const char *passwd_root,
			   GHashTable **ret_users, GHashTable **ret_groups, GError **error)
{
	g_autoptr(GHashTable) users = NULL, groups = NULL;

	if (passwd_root) {
		if (!varve_accounts_read_ids(passwd_root, "etc/passwd", &users, error) ||
		    !varve_accounts_read_ids(passwd_root, "etc/group", &groups, error))
			return FALSE;
	} else {
		users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	}
	g_hash_table_replace(users, g_strdup("root"), GUINT_TO_POINTER(0));
	g_hash_table_replace(groups, g_strdup("root"), GUINT_TO_POINTER(0));
	for (gsize i = 0; i < layer->n_users; i++)
		g_hash_table_replace(users, g_strdup(layer->users[i].name),
				     GUINT_TO_POINTER(layer->users[i].uid));
	for (gsize i = 0; i < layer->n_groups; i++)
		g_hash_table_replace(groups, g_strdup(layer->groups[i].name),
				     GUINT_TO_POINTER(layer->groups[i].gid));
	*ret_users = g_steal_pointer(&users);
	*ret_groups = g_steal_pointer(&groups);
	return TRUE;
}

char *varve_declare_sysusers(const VarveLayerDefinition *layer)
{
	GString *text = g_string_new(NULL);

	for (gsize i = 0; i < layer->n_groups; i++)
		g_string_append_printf(text, "g %s %u\n", layer->groups[i].name,
				       layer->groups[i].gid);
	for (gsize i = 0; i < layer->n_users; i++) {
		const VarveUser *user = &layer->users[i];

		g_string_append_printf(text, "u! %s %u:%s \"%s\" %s %s\n", user->name, user->uid,
				       user->group, user->comment, user->home, user->shell);
		for (gsize j = 0; user->groups && user->groups[j]; j++)
			g_string_append_printf(text, "m %s %s\n", user->name, user->groups[j]);
	}
	return g_string_free(text, FALSE);
}

char *varve_declare_preset(const VarveLayerDefinition *layer)
{
	GString *text = g_string_new(NULL);

	for (gsize i = 0; layer->enable && layer->enable[i]; i++)
		g_string_append_printf(text, "enable %s\n", layer->enable[i]);
	for (gsize i = 0; layer->disable && layer->disable[i]; i++)
		g_string_append_printf(text, "disable %s\n", layer->disable[i]);
	return g_string_free(text, FALSE);
}

char *varve_declare_sysctl(const VarveLayerDefinition *layer)
{
	GString *text = g_string_new(NULL);

	for (gsize i = 0; i < layer->n_sysctl; i++)
		g_string_append_printf(text, "%s = %s\n", layer->sysctl[i].key,
				       layer->sysctl[i].value);
	return g_string_free(text, FALSE);
}
