/* varve import: an upstream that is no RPM repository, made into one. */
#include "base/json.h"
#include "build/root.h"
#include "cli/cli.h"
#include "cli/varve/keys.h"
#include "cli/varve/verbs.h"
#include "package/import.h"

#include <stdio.h>
#include <string.h>

#define DAY_SECONDS (24 * 60 * 60)

typedef struct {
	char *directory, *work, *keys, *arch, *mirror, *security_mirror;
	gboolean refresh, prune;
} ImportOptions;

static GOptionEntry *entries(gpointer data)
{
	ImportOptions *options = data;
	const GOptionEntry table[] = {
		{ "directory", 'C', 0, G_OPTION_ARG_FILENAME, &options->directory,
		  "Where the definition is (default: here)", "DIR" },
		{ "work", 0, 0, G_OPTION_ARG_FILENAME, &options->work,
		  "Work directory (default: the definition's)", "DIR" },
		{ "keys", 0, 0, G_OPTION_ARG_FILENAME, &options->keys, VARVE_KEYS_HELP, "DIR" },
		{ "arch", 0, 0, G_OPTION_ARG_STRING, &options->arch,
		  "Architecture (default: this machine's)", "ARCH" },
		{ "mirror", 0, 0, G_OPTION_ARG_STRING, &options->mirror,
		  "Fetch from here instead of the definition's or this machine's mirror", "URI" },
		{ "security-mirror", 0, 0, G_OPTION_ARG_STRING, &options->security_mirror,
		  "The security archive that goes with --mirror", "URI" },
		{ "refresh", 0, 0, G_OPTION_ARG_NONE, &options->refresh,
		  "Fetch the archive's lists anew, however young they are", NULL },
		{ "prune", 0, 0, G_OPTION_ARG_NONE, &options->prune,
		  "Drop packages of earlier imports from the repository", NULL },
		{ NULL },
	};

	return g_memdup2(table, sizeof(table));
}

static gboolean find_arch(const char *name, const VarveArch **ret_arch, GError **error)
{
	*ret_arch = name ? varve_arch_find(name) : varve_arch_native();
	return *ret_arch ? TRUE
			 : varve_fail(error, VARVE_ERROR_USAGE,
				      "--arch: '%s' is not known; 'x86-64' and 'arm64' are", name);
}

static void report(const VarveImport *import, const VarveDebianImported *imported, gboolean json)
{
	g_autofree char *directory =
		varve_import_directory(import->work, import->upstream, import->arch);
	gint64 days = imported->list_age / DAY_SECONDS;

	if (json) {
		g_autoptr(json_t) object = json_pack(
			"{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:I, s:b}", "upstream",
			import->upstream->name, "arch", import->arch->name, "repository", directory,
			"packages", imported->packages, "fetched", imported->fetched, "converted",
			imported->converted, "removed", imported->removed, "listAge",
			(json_int_t)imported->list_age, "changed", imported->published);
		g_autofree char *text = varve_json_dump(object, FALSE);

		fputs(text, stdout);
		return;
	}
	printf("%s (%s): %u packages, %u fetched, %u converted%s\n  %s\n", import->upstream->name,
	       import->arch->name, imported->packages, imported->fetched, imported->converted,
	       imported->published ? "" : ", nothing changed", directory);
	if (days > 0)
		fprintf(stderr,
			"varve: the archive cannot be reached; its lists are %" G_GINT64_FORMAT
			" days old\n",
			days);
}

/* Upstreams that need an import: the one named, or all. */
static gboolean import_all(VarveImport *import, const char *name, gboolean json, GError **error)
{
	const VarveDefinition *definition = import->definition;
	gsize imported = 0;

	if (name) {
		import->upstream = varve_definition_upstream(definition, name, error);
		if (!import->upstream)
			return FALSE;
	}
	for (gsize i = 0; i < definition->n_upstreams; i++) {
		const VarveUpstream *upstream = &definition->upstreams[i];
		const VarveBuildPlace place = { .work = import->work, .arch = import->arch };
		VarveDebianImported result = { 0 };
		g_auto(GStrv) made = NULL;

		if (name ? upstream != import->upstream : upstream->type != VARVE_UPSTREAM_DEBIAN)
			continue;
		import->upstream = upstream;
		made = varve_build_own_packages(&place, error);
		import->own = (const char *const *)made;
		if (!made || !varve_import_run(import, &result, error)) {
			g_prefix_error(error, "import of '%s': ", upstream->name);
			return FALSE;
		}
		report(import, &result, json);
		imported++;
	}
	return imported ? TRUE
			: varve_fail(error, VARVE_ERROR_NOT_FOUND,
				     "the definition has no upstream of type \"debian\": there is "
				     "nothing to import");
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const ImportOptions *options = invocation->options;
	g_autoptr(VarveDefinition) definition =
		varve_definition_load(options->directory ? options->directory : ".", error);
	g_autofree char *keys = NULL;
	VarveImport import = { .definition = definition,
			       .mirror = options->mirror,
			       .security_mirror = options->security_mirror,
			       .refresh = options->refresh,
			       .prune = options->prune };

	if (!definition || !find_arch(options->arch, &import.arch, error))
		return VARVE_EXIT_FAILED;
	import.work = options->work ? options->work : definition->project.work_dir;
	import.keys = keys = varve_keys_directory(options->keys, import.work, error);
	return keys && import_all(&import, invocation->argc ? invocation->argv[0] : NULL,
				  invocation->json, error)
		       ? VARVE_EXIT_OK
		       : VARVE_EXIT_FAILED;
}

const VarveVerb varve_verb_import = {
	.words = "import",
	.arguments = "[UPSTREAM]",
	.summary = "Make a signed RPM repository of Debian packages.",
	.details =
		"Takes what the definition's package sets name for the upstream, and what that "
		"needs, from a\nDebian archive whose signatures chain to Debian's archive keyring, "
		"and makes each package a\nsigned RPM in WORK/upstream/UPSTREAM/ARCH. What was "
		"fetched and converted before is used\nagain; the archive's lists serve for a day. "
		"Without UPSTREAM: all of the definition's.",
	.options_size = sizeof(ImportOptions),
	.entries = entries,
	.reports = TRUE,
	.min_arguments = 0,
	.max_arguments = 1,
	.run = run,
};
