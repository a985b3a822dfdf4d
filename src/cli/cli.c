/* The dispatcher: finds the verb, reads its options, runs it, prints its error. */
#include "cli/cli.h"

#include "base/progress.h"
#include "base/text.h"
#include "cli/generate.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

typedef struct {
	const char *program, *about;
	const VarveVerb *const *verbs;
} Cli;

/* How many of @argv's leading words are @verb's, or 0 where they are not. */
static int matched_words(const VarveVerb *verb, int argc, char **argv)
{
	g_auto(GStrv) words = g_strsplit(verb->words, " ", -1);
	int n = (int)g_strv_length(words);

	if (n > argc)
		return 0;
	for (int i = 0; i < n; i++)
		if (strcmp(words[i], argv[i]) != 0)
			return 0;
	return n;
}

static const VarveVerb *find_verb(const Cli *cli, int argc, char **argv, int *ret_words)
{
	const VarveVerb *found = NULL;

	*ret_words = 0;
	for (const VarveVerb *const *verb = cli->verbs; *verb; verb++) {
		int words = matched_words(*verb, argc, argv);

		if (words > *ret_words) {
			*ret_words = words;
			found = *verb;
		}
	}
	return found;
}

static void print_overview(const Cli *cli)
{
	gsize width = 0;

	for (const VarveVerb *const *verb = cli->verbs; *verb; verb++)
		width = MAX(width, strlen((*verb)->words) + 1 +
					   (gsize)g_utf8_strlen((*verb)->arguments, -1));
	printf("%s: %s\n\nUsage: %s VERB [OPTION…] [ARGUMENT…]\n\n", cli->program, cli->about,
	       cli->program);
	for (const VarveVerb *const *verb = cli->verbs; *verb; verb++) {
		int used = (int)(strlen((*verb)->words) + 1 +
				 (gsize)g_utf8_strlen((*verb)->arguments, -1));

		printf("  %s %s%*s  %s\n", (*verb)->words, (*verb)->arguments, (int)width - used,
		       "", (*verb)->summary);
	}
	printf("\n'%s VERB --help' tells a verb's options. Exit status: 0 done, 1 failed, 2 "
	       "usage,\n"
	       "3 refused by policy, 4 not found, 5 corrupt or untrusted.\n",
	       cli->program);
}

static int unknown_verb(const Cli *cli, int argc, char **argv)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *two = argc > 1 ? g_strdup_printf("%s %s", argv[0], argv[1]) : NULL;
	const char *nearest = NULL;
	gboolean group = FALSE;

	for (const VarveVerb *const *verb = cli->verbs; *verb; verb++) {
		gsize n = strlen(argv[0]);

		g_ptr_array_add(names, (gpointer)(*verb)->words);
		if (strncmp((*verb)->words, argv[0], n) == 0 && (*verb)->words[n] == ' ') {
			if (!group)
				fprintf(stderr, "%s: '%s' takes a second word:\n", cli->program,
					argv[0]);
			fprintf(stderr, "  %s %s\n", cli->program, (*verb)->words);
			group = TRUE;
		}
	}
	if (group)
		return VARVE_EXIT_USAGE;
	g_ptr_array_add(names, NULL);
	nearest = varve_nearest(argv[0], (const char *const *)names->pdata);
	if (!nearest && two)
		nearest = varve_nearest(two, (const char *const *)names->pdata);
	fprintf(stderr, "%s: '%s' is not a verb%s%s%s; '%s --help' lists them\n", cli->program,
		argv[0], nearest ? ": did you mean '" : "", nearest ? nearest : "",
		nearest ? "'?" : "", cli->program);
	return VARVE_EXIT_USAGE;
}

/* Strings and arrays that the options put behind @entries. */
static void free_option_values(const GOptionEntry *entries)
{
	for (const GOptionEntry *entry = entries; entry && entry->long_name; entry++) {
		if (entry->arg == G_OPTION_ARG_STRING || entry->arg == G_OPTION_ARG_FILENAME)
			g_free(*(char **)entry->arg_data);
		else if (entry->arg == G_OPTION_ARG_STRING_ARRAY ||
			 entry->arg == G_OPTION_ARG_FILENAME_ARRAY)
			g_strfreev(*(char ***)entry->arg_data);
	}
}

static gboolean check_arguments(const VarveVerb *verb, int argc, char **argv, GError **error)
{
	if (argc < verb->min_arguments)
		return varve_fail(error, VARVE_ERROR_USAGE, "'%s' needs %s", verb->words,
				  verb->arguments);
	if (verb->max_arguments >= 0 && argc > verb->max_arguments)
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "'%s' is one argument too many for '%s %s'",
				  argv[verb->max_arguments], verb->words, verb->arguments);
	return TRUE;
}

/* Parses what follows the verb's words and runs it. @argv is the caller's to free. */
static int run_verb(const Cli *cli, const VarveVerb *verb, int argc, char **argv, GError **error)
{
	gboolean json = FALSE, quiet = FALSE;
	const GOptionEntry common[] = {
		{ "json", 0, verb->reports ? 0 : G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &json,
		  "Print the report as JSON", NULL },
		{ "quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "Show no progress", NULL },
		{ NULL },
	};
	g_autofree gpointer options = verb->options_size ? g_malloc0(verb->options_size) : NULL;
	g_autofree GOptionEntry *entries = verb->entries ? verb->entries(options) : NULL;
	g_autofree char *name = g_strdup_printf("%s %s", cli->program, verb->words);
	g_autoptr(GOptionContext) context = g_option_context_new(verb->arguments);
	g_autoptr(GError) parse_error = NULL;
	int status;

	g_set_prgname(name);
	g_option_context_set_summary(context, verb->summary);
	g_option_context_set_description(context, verb->details);
	if (entries)
		g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_add_main_entries(context, common, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &parse_error)) {
		free_option_values(entries);
		varve_fail(error, VARVE_ERROR_USAGE, "%s; '%s --help' tells the options",
			   parse_error->message, name);
		return VARVE_EXIT_USAGE;
	}
	if (argc > 1 && strcmp(argv[1], "--") == 0) {
		argc--;
		argv++;
	}
	varve_progress_set_quiet(quiet);
	if (json && !verb->reports) {
		varve_fail(error, VARVE_ERROR_USAGE, "'%s' has no --json: it reports nothing",
			   verb->words);
		status = VARVE_EXIT_USAGE;
	} else if (!check_arguments(verb, argc - 1, argv + 1, error)) {
		status = VARVE_EXIT_USAGE;
	} else {
		VarveInvocation invocation = { verb, json, options, argc - 1, argv + 1 };

		status = verb->run(&invocation, error);
	}
	free_option_values(entries);
	return status;
}

GOptionEntry *varve_entries_join(const GOptionEntry *entries, gsize n, const GOptionEntry *more)
{
	gsize n_more = 0;
	GOptionEntry *all;

	while (more && more[n_more].long_name)
		n_more++;
	all = g_new0(GOptionEntry, n + n_more + 1);
	memcpy(all, entries, n * sizeof(*entries));
	if (n_more)
		memcpy(all + n, more, n_more * sizeof(*more));
	return all;
}

int varve_cli_main(const char *program, const char *about, const VarveVerb *const *verbs, int argc,
		   char **argv)
{
	const Cli cli = { program, about, verbs };
	g_autoptr(GError) error = NULL;
	g_autofree char **rest = NULL;
	const VarveVerb *verb;
	int words, status, leading = 0;

	setlocale(LC_ALL, "");
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_overview(&cli);
		return argc < 2 ? VARVE_EXIT_USAGE : VARVE_EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("%s %s\n", program, VARVE_VERSION);
		return VARVE_EXIT_OK;
	}
	if (strcmp(argv[1], "--generate-manual") == 0) {
		varve_generate_manual(program, about, verbs, 1);
		return VARVE_EXIT_OK;
	}
	if (strcmp(argv[1], "--generate-completion") == 0) {
		varve_generate_completion(program, verbs);
		return VARVE_EXIT_OK;
	}
	/* `varve -C DIR VERB` is `varve VERB -C DIR`, as with make and git. */
	if (strcmp(argv[1], "-C") == 0 && argc > 3)
		leading = 2;
	verb = find_verb(&cli, argc - 1 - leading, argv + 1 + leading, &words);
	if (!verb)
		return unknown_verb(&cli, argc - 1 - leading, argv + 1 + leading);
	/* GOption wants a program name first and moves pointers about: it gets an array of its own.
	 */
	rest = g_new0(char *, argc - words + 1);
	rest[0] = argv[0];
	for (int i = 0; i < leading; i++)
		rest[1 + i] = argv[1 + i];
	for (int i = leading + words + 1; i < argc; i++)
		rest[i - words] = argv[i];
	status = run_verb(&cli, verb, argc - words, rest, &error);
	if (error) {
		/* A definition's mistakes start with the file's name, for editors to jump to. */
		if (g_error_matches(error, VARVE_ERROR, VARVE_ERROR_DEFINITION))
			fprintf(stderr, "%s\n", error->message);
		else
			fprintf(stderr, "%s: %s\n", program, error->message);
		return status > 1 ? status : varve_exit_status(error);
	}
	return status;
}
