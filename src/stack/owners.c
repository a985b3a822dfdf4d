/* Who has a path of the running stack. */
#include "stack/owners.h"

#include "base/file.h"
#include "stack/stack.h"

typedef struct {
	const VarveReportLayer *layer;
	VarvePathTable *table; /* NULL: not read yet, or not to be read */
	gboolean tried;
} Owner;

struct VarveOwners {
	GArray *owners; /* Owner: topmost first */
};

static void owner_clear(gpointer data)
{
	Owner *owner = data;

	varve_path_table_free(owner->table);
}

VarveOwners *varve_owners_new(const VarveReport *boot)
{
	VarveOwners *owners = g_new0(VarveOwners, 1);
	Owner base = { .layer = boot->base };

	owners->owners = g_array_new(FALSE, FALSE, sizeof(Owner));
	g_array_set_clear_func(owners->owners, owner_clear);
	for (guint i = boot->layers->len; i-- > 0;) {
		Owner owner = { .layer = boot->layers->pdata[i] };

		if (owner.layer->accepted)
			g_array_append_val(owners->owners, owner);
	}
	g_array_append_val(owners->owners, base);
	return owners;
}

void varve_owners_free(VarveOwners *owners)
{
	if (!owners)
		return;
	g_array_unref(owners->owners);
	g_free(owners);
}

static void read_table(Owner *owner)
{
	const VarveReportLayer *layer = owner->layer;
	g_autofree char *mount = layer->role == VARVE_ROLE_BASE
					 ? g_strdup(VARVE_BASE_MOUNT)
					 : g_build_filename(VARVE_LAYER_MOUNTS, layer->root, NULL);
	varve_autofd fd = varve_dir_open(AT_FDCWD, mount, NULL);

	owner->tried = TRUE;
	if (fd >= 0)
		owner->table = varve_mounted_map_paths(fd, layer->name, NULL);
}

const VarveReportLayer *varve_owners_find(VarveOwners *owners, const char *path, char **ret_package)
{
	if (path[0] != '/')
		return NULL;
	for (guint i = 0; i < owners->owners->len; i++) {
		Owner *owner = &g_array_index(owners->owners, Owner, i);
		VarvePath found;
		gsize index;

		if (!owner->tried)
			read_table(owner);
		if (!owner->table || !varve_path_table_find(owner->table, path + 1, &index, NULL) ||
		    !varve_path_table_get(owner->table, index, &found, NULL))
			continue;
		if (ret_package)
			*ret_package = g_strdup(found.package);
		return owner->layer;
	}
	return NULL;
}
