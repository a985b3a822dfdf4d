/* Files: memory that lives as long as a definition, reading. */
#include "base/file.h"
#include "definition/tree.h"

#include <string.h>
#include <sys/stat.h>

#define BLOCK_SIZE ((gsize)64 << 10)

void *varve_loader_keep(VarveLoader *loader, void *memory)
{
	g_ptr_array_add(loader->memory, memory);
	return memory;
}

/* Thousands of tables come and go together. */
void *varve_loader_alloc(VarveLoader *loader, gsize size)
{
	gsize taken = (MAX(size, 1) + 15) & ~(gsize)15;
	char *memory;

	if (taken > BLOCK_SIZE / 4)
		return varve_loader_keep(loader, g_malloc0(size));
	if (!loader->room || (gsize)(loader->room_end - loader->room) < taken) {
		loader->room = varve_loader_keep(loader, g_malloc0(BLOCK_SIZE));
		loader->room_end = loader->room + BLOCK_SIZE;
	}
	memory = loader->room;
	loader->room += taken;
	return memory;
}

/* Reading */

const char *varve_loader_display(const VarveLoader *loader, const char *path)
{
	gsize size = strlen(loader->root);

	if (strcmp(loader->root, "/") != 0 && strncmp(path, loader->root, size) == 0 &&
	    path[size] == '/')
		return path + size + 1;
	return path;
}

static char *name_for_messages(VarveLoader *loader, const VarveSource *source)
{
	if (*source->name == '/')
		return g_strdup(source->name);
	return g_strconcat(loader->prefix, source->name, NULL);
}

VarveSource *varve_source_read(VarveLoader *loader, const char *path, const VarveSource *includer,
			       VarveTomlSpan at)
{
	g_autoptr(GPtrArray) problems =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_toml_problem_free);
	VarveSource *source = varve_loader_alloc(loader, sizeof(*source));
	g_autofree char *text = NULL, *name = NULL;
	g_autoptr(GError) error = NULL;
	struct stat st = { 0 };
	gsize size = 0;

	source->path = varve_loader_keep(loader, g_canonicalize_filename(path, loader->root));
	source->directory = varve_loader_keep(loader, g_path_get_dirname(source->path));
	source->name = varve_loader_display(loader, source->path);
	source->includer = includer;
	source->lost = g_array_new(FALSE, FALSE, sizeof(guint32));
	if (stat(source->path, &st) == 0) {
		source->device = st.st_dev;
		source->inode = st.st_ino;
	}
	if (!varve_file_read(AT_FDCWD, source->path, VARVE_TOML_MAX_SIZE, &text, &size, &error)) {
		loader->incomplete = TRUE;
		if (includer) {
			varve_loader_mistake(loader, includer, at, "%s", error->message);
			g_array_unref(source->lost);
			return NULL;
		}
	}
	name = name_for_messages(loader, source);
	source->toml = varve_toml_parse_tolerant(name, text ? text : "", size, problems);
	g_ptr_array_add(loader->sources, source);
	if (error) {
		varve_loader_mistake(loader, source, (VarveTomlSpan){ 0 }, "%s", error->message);
		return NULL;
	}
	for (guint i = 0; i < problems->len; i++) {
		const VarveTomlProblem *problem = problems->pdata[i];

		if (problem->lost_key)
			g_array_append_val(source->lost, problem->section);
		if (problem->lost_table)
			loader->lost_tables = TRUE;
		varve_loader_mistake(loader, source, problem->span, "%s", problem->message);
	}
	return source;
}
