/* The definition, one edition, its directories, its packages. */
#include "cli/varve/workspace.h"

#include "base/file.h"
#include "build/publish.h"
#include "cli/varve/keys.h"
#include "package/import.h"
#include "package/own.h"

#include <string.h>

#define OWN "local" /* the repository of the programs that were built with this one */
#define COMPONENTS "components"
#define REPOSITORIES_MAX 3

GOptionEntry *varve_workspace_entries(VarveWorkspaceOptions *options, const GOptionEntry *more)
{
	const GOptionEntry entries[] = {
		{ "directory", 'C', 0, G_OPTION_ARG_FILENAME, &options->directory,
		  "Where the definition is (default: .)", "DIR" },
		{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
		  "Where results go (default: the definition's output-dir)", "DIR" },
		{ "work", 0, 0, G_OPTION_ARG_FILENAME, &options->work,
		  "Where caches are (default: the definition's work-dir)", "DIR" },
		{ "keys", 0, 0, G_OPTION_ARG_FILENAME, &options->keys, VARVE_KEYS_HELP, "DIR" },
		{ "arch", 0, 0, G_OPTION_ARG_STRING, &options->arch,
		  "Architecture: x86-64, arm64 (default: the edition's, else this machine's)",
		  "ARCH" },
		{ "upstream", 0, 0, G_OPTION_ARG_STRING, &options->upstream,
		  "Upstream (default: the edition's)", "NAME" },
		{ "mirror", 0, 0, G_OPTION_ARG_STRING, &options->mirror,
		  "Archive to import from (default: the machine's own)", "URI" },
		{ "update-lock", 0, 0, G_OPTION_ARG_NONE, &options->update_lock,
		  "Resolve packages afresh and move the lock file", NULL },
		{ "refresh", 0, 0, G_OPTION_ARG_NONE, &options->refresh,
		  "Fetch the archive's lists anew before importing", NULL },
		{ "node-programs", 0, 0, G_OPTION_ARG_STRING, &options->node_programs,
		  "Whose varvectl nodes get: host, what was built with this program (the "
		  "default), or component, what 'varve component build varvectl' made",
		  "WHICH" },
	};

	return varve_entries_join(entries, G_N_ELEMENTS(entries), more);
}

static gboolean choose_edition(VarveWorkspace *workspace, const char *name, GError **error)
{
	const VarveDefinition *definition = workspace->definition;

	if (name) {
		workspace->edition = varve_definition_edition(definition, name, error);
		return workspace->edition != NULL;
	}
	if (definition->n_editions == 1) {
		workspace->edition = &definition->editions[0];
		return TRUE;
	}
	return varve_fail(error, VARVE_ERROR_USAGE,
			  "%s: the definition has %zu editions; say which one with --edition",
			  definition->directory, definition->n_editions);
}

static gboolean choose_upstream(VarveWorkspace *workspace, GError **error)
{
	const char *name = workspace->options->upstream;

	workspace->upstream = name ? varve_definition_upstream(workspace->definition, name, error)
				   : workspace->edition->upstream;
	return workspace->upstream != NULL;
}

static gboolean choose_arch(VarveWorkspace *workspace, GError **error)
{
	const char *name =
		workspace->options->arch ? workspace->options->arch : workspace->edition->arch;

	workspace->arch = name ? varve_arch_find(name) : varve_arch_native();
	return workspace->arch ||
	       varve_fail(error, VARVE_ERROR_USAGE,
			  "'%s' is not an architecture; expected x86-64 or arm64", name);
}

static char *absolute(const char *given, const char *otherwise)
{
	return given ? g_canonicalize_filename(given, NULL) : g_strdup(otherwise);
}

/* The node's programs lie beside this one in a build directory, and where they were installed. */
static gboolean find_programs(VarveWorkspace *workspace, GError **error)
{
	static const char *const varvectl[] = { "varvectl", NULL };
	static const char *const init[] = { "../init/varve-init", "../libexec/varve/varve-init",
					    NULL };
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *directory = self ? g_path_get_dirname(self) : g_strdup(".");
	const char *const *const candidates[] = { varvectl, init };
	char **const found[] = { &workspace->varvectl, &workspace->init };

	for (gsize i = 0; i < G_N_ELEMENTS(found); i++) {
		for (const char *const *name = candidates[i]; *name && !*found[i]; name++) {
			g_autofree char *path = g_canonicalize_filename(*name, directory);

			if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
				*found[i] = g_steal_pointer(&path);
		}
		if (!*found[i])
			return varve_fail(
				error, VARVE_ERROR_NOT_FOUND,
				"%s/%s: the node's program is not there; build it with 'make', or "
				"install Varve whole",
				directory, candidates[i][0]);
	}
	return TRUE;
}

VarveWorkspace *varve_workspace_open(const VarveWorkspaceOptions *options, const char *edition,
				     GError **error)
{
	g_autoptr(VarveWorkspace) workspace = g_new0(VarveWorkspace, 1);

	workspace->options = options;
	if (options->node_programs && strcmp(options->node_programs, "host") != 0 &&
	    strcmp(options->node_programs, "component") != 0) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "--node-programs: expected host or component, found '%s'",
			   options->node_programs);
		return NULL;
	}
	workspace->definition =
		varve_definition_load(options->directory ? options->directory : ".", error);
	if (!workspace->definition || !choose_edition(workspace, edition, error) ||
	    !choose_upstream(workspace, error) || !choose_arch(workspace, error))
		return NULL;
	workspace->output = absolute(options->output, workspace->definition->project.output_dir);
	workspace->work = absolute(options->work, workspace->definition->project.work_dir);
	workspace->keys = varve_keys_directory(options->keys, workspace->work, error);
	return workspace->keys ? g_steal_pointer(&workspace) : NULL;
}

void varve_workspace_free(VarveWorkspace *workspace)
{
	if (!workspace)
		return;
	varve_composer_free(workspace->composer);
	varve_definition_free(workspace->definition);
	g_free(workspace->output);
	g_free(workspace->work);
	g_free(workspace->keys);
	g_free(workspace->varvectl);
	g_free(workspace->init);
	g_free(workspace);
}

/* The repositories of one architecture beside those that the upstream names. */
typedef struct {
	VarveRepositorySource sources[REPOSITORIES_MAX];
	size_t n;
	char *baseurls[REPOSITORIES_MAX];
	char *key;
	const char *keys[2];
} Repositories;

static void repositories_clear(Repositories *repositories)
{
	for (gsize i = 0; i < G_N_ELEMENTS(repositories->baseurls); i++)
		g_free(repositories->baseurls[i]);
	g_free(repositories->key);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Repositories, repositories_clear)

static void add_repository(Repositories *repositories, const char *name, const char *directory,
			   gboolean own)
{
	size_t i = repositories->n++;

	repositories->baseurls[i] = g_strconcat("file://", directory, NULL);
	repositories->sources[i] = (VarveRepositorySource){
		.name = name,
		.baseurl = repositories->baseurls[i],
		.keys = repositories->keys,
		.own = own,
	};
}

static gboolean from_component(const VarveWorkspace *workspace)
{
	return g_strcmp0(workspace->options->node_programs, "component") == 0;
}

static gboolean add_programs(VarveWorkspace *workspace, const VarveArch *arch,
			     Repositories *repositories, GError **error)
{
	g_autofree char *local =
		g_build_filename(workspace->work, "upstream", OWN, arch->name, NULL);

	if (from_component(workspace))
		return TRUE;
	if (!find_programs(workspace, error) ||
	    !varve_own_varvectl(workspace->varvectl, workspace->init, VARVE_VERSION, arch,
				workspace->definition->os.released_time, workspace->keys, local,
				error))
		return FALSE;
	add_repository(repositories, OWN, local, TRUE);
	return TRUE;
}

/* What was built of the definition's components, if anything was. */
static gboolean add_components(const VarveWorkspace *workspace, const VarveArch *arch,
			       Repositories *repositories, GError **error)
{
	const VarveBuildPlace place = { .work = workspace->work, .arch = arch };
	g_autofree char *directory = varve_build_own_directory(&place);
	g_autofree char *index = g_build_filename(directory, "repodata", "repomd.xml", NULL);

	if (from_component(workspace)) {
		g_auto(GStrv) made = varve_build_published(&place, "varvectl", error);

		if (!made)
			return FALSE;
		if (!*made)
			return varve_fail(error, VARVE_ERROR_NOT_FOUND,
					  "component 'varvectl' was not built for %s; run 'varve "
					  "component build varvectl' first",
					  arch->name);
	}
	if (g_file_test(index, G_FILE_TEST_EXISTS))
		add_repository(repositories, COMPONENTS, directory, TRUE);
	return TRUE;
}

/* Imports and builds what is needed for @arch, and says where it is. */
static gboolean prepare(VarveWorkspace *workspace, const VarveArch *arch, gboolean own,
			Repositories *repositories, GError **error)
{
	repositories->key = g_build_filename(workspace->keys, "package.asc", NULL);
	repositories->keys[0] = repositories->key;
	if (workspace->upstream->type == VARVE_UPSTREAM_DEBIAN) {
		const VarveBuildPlace place = { .work = workspace->work, .arch = arch };
		g_auto(GStrv) made = varve_build_own_packages(&place, error);
		const VarveImport import = {
			.definition = workspace->definition,
			.upstream = workspace->upstream,
			.arch = arch,
			.work = workspace->work,
			.keys = workspace->keys,
			.mirror = workspace->options->mirror,
			.refresh = workspace->options->refresh,
			.own = (const char *const *)made,
		};
		g_autofree char *directory =
			varve_import_directory(workspace->work, workspace->upstream, arch);
		VarveDebianImported imported;

		if (!made || !varve_import_run(&import, &imported, error)) {
			g_prefix_error(error, "upstream '%s': ", workspace->upstream->name);
			return FALSE;
		}
		add_repository(repositories, workspace->upstream->name, directory, FALSE);
	}
	return !own || (add_programs(workspace, arch, repositories, error) &&
			add_components(workspace, arch, repositories, error));
}

/* An imported upstream's lock lies beside the import, which is ours and keeps what it names; any
 * other beside the definition, to be committed with it. */
static char *lock_path(const VarveWorkspace *workspace)
{
	if (workspace->upstream->type == VARVE_UPSTREAM_DEBIAN)
		return g_build_filename(workspace->work, "upstream", workspace->upstream->name,
					"varve.lock", NULL);
	return g_build_filename(workspace->definition->directory, "varve.lock", NULL);
}

VarveComposer *varve_workspace_compose(VarveWorkspace *workspace, GError **error)
{
	g_auto(Repositories) target = { 0 }, native = { 0 };
	g_autofree char *lock = lock_path(workspace);
	VarveComposerOptions options = {
		.definition = workspace->definition,
		.edition = workspace->edition,
		.upstream = workspace->upstream,
		.arch = workspace->arch,
		.work = workspace->work,
		.keys = workspace->keys,
		.repositories = target.sources,
		.tools_repositories = native.sources,
		.lock_file = lock,
		.update_lock = workspace->options->update_lock,
	};

	if (workspace->composer)
		return workspace->composer;
	if (!prepare(workspace, workspace->arch, TRUE, &target, error) ||
	    (workspace->arch != varve_arch_native() &&
	     !prepare(workspace, varve_arch_native(), FALSE, &native, error)))
		return NULL;
	options.n_repositories = target.n;
	options.n_tools_repositories = native.n;
	workspace->composer = varve_composer_open(&options, error);
	return workspace->composer;
}
