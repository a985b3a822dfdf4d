/* The tools tree: running its programs. */
#include "compose/tools.h"

#include "base/file.h"
#include "base/json.h"
#include "format/members.h"

#include <string.h>

#define OWNERS_LIMIT (1 << 20)

struct VarveTools {
	char *root;
};

VarveTools *varve_tools_open(const char *root)
{
	VarveTools *tools = g_new0(VarveTools, 1);

	tools->root = g_strdup(root);
	return tools;
}

void varve_tools_free(VarveTools *tools)
{
	if (!tools)
		return;
	g_free(tools->root);
	g_free(tools);
}

const char *varve_tools_root(const VarveTools *tools)
{
	return tools->root;
}

VarveManifestPackage *varve_tools_owner(const VarveTools *tools, const char *path)
{
	g_autofree char *directory = tools->root ? g_path_get_dirname(tools->root) : NULL;
	g_autofree char *file =
		directory ? g_build_filename(directory, VARVE_TOOLS_OWNERS, NULL) : NULL;
	g_autoptr(GPtrArray) packages =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_manifest_package_free);
	g_autoptr(json_t) owners = NULL;
	g_autofree char *text = NULL;
	size_t size;

	if (!file || !varve_file_read(AT_FDCWD, file, OWNERS_LIMIT, &text, &size, NULL))
		return NULL;
	owners = varve_json_parse(text, size, file, NULL);
	if (!owners ||
	    !varve_members_packages(json_object_get(owners, path), file, packages, NULL) ||
	    packages->len != 1)
		return NULL;
	return varve_manifest_package_copy(packages->pdata[0]);
}

gboolean varve_tools_write_owners(const char *file, GHashTable *owners, GError **error)
{
	g_autoptr(json_t) object = json_object();
	g_autofree char *text = NULL;
	GHashTableIter iter;
	gpointer path, package;

	g_hash_table_iter_init(&iter, owners);
	while (g_hash_table_iter_next(&iter, &path, &package)) {
		g_autoptr(GPtrArray) one = g_ptr_array_new();
		json_t *owner = json_object();

		g_ptr_array_add(one, package);
		json_object_set_new(owner, "packages", varve_members_of_packages(one));
		json_object_set_new(object, path, owner);
	}
	text = varve_json_dump(object, FALSE);
	return varve_file_write(AT_FDCWD, file, text, strlen(text), 0644, error);
}

gboolean varve_tools_run(const VarveTools *tools, const char *const *argv, const VarveBind *binds,
			 size_t n_binds, gint64 epoch, char **ret_output, GError **error)
{
	g_autofree char *source_date =
		g_strdup_printf("SOURCE_DATE_EPOCH=%" G_GINT64_FORMAT, epoch);
	const char *env[] = { source_date, NULL };
	VarveProcess process = {
		.argv = argv,
		.env = env,
		.root = tools->root,
		.binds = binds,
		.n_binds = n_binds,
		.read_only_root = TRUE,
	};

	return varve_process_run(&process, ret_output, error);
}
