/* The manual page and the completion, generated from the verbs' tables. */
#include "cli/generate.h"

#include <stdio.h>
#include <string.h>

static const GOptionEntry shared[] = {
	{ "json", 0, 0, G_OPTION_ARG_NONE, NULL, "Print the report as JSON", NULL },
	{ "quiet", 'q', 0, G_OPTION_ARG_NONE, NULL, "Show no progress", NULL },
	{ NULL },
};

/* Text for roff: no line may begin with a control character, hyphens and backslashes are literal.
 */
static void put(const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", stdout);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else
			putchar(*text);
	}
}

static void put_option(const GOptionEntry *entry)
{
	if (entry->flags & G_OPTION_FLAG_HIDDEN)
		return;
	puts(".TP");
	fputs(".B ", stdout);
	if (entry->short_name)
		printf("\\-%c, ", entry->short_name);
	fputs("\\-\\-", stdout);
	put(entry->long_name);
	if (entry->arg_description) {
		fputs("=\\fI", stdout);
		put(entry->arg_description);
		fputs("\\fR", stdout);
	}
	putchar('\n');
	put(entry->description);
	puts(".");
}

/* Calls @each for every option that @verb takes. */
static void for_options(const VarveVerb *verb, void (*each)(const GOptionEntry *entry))
{
	g_autofree gpointer options = verb->options_size ? g_malloc0(verb->options_size) : NULL;
	g_autofree GOptionEntry *entries = verb->entries ? verb->entries(options) : NULL;

	for (const GOptionEntry *entry = entries; entry && entry->long_name; entry++)
		each(entry);
	for (const GOptionEntry *entry = shared; entry->long_name; entry++)
		if (verb->reports || strcmp(entry->long_name, "json") != 0)
			each(entry);
}

static void put_verb(const VarveVerb *verb)
{
	fputs(".SS ", stdout);
	put(verb->words);
	if (*verb->arguments) {
		fputs(" \\fI", stdout);
		put(verb->arguments);
		fputs("\\fR", stdout);
	}
	putchar('\n');
	put(verb->summary);
	putchar('\n');
	if (verb->details) {
		puts(".PP");
		put(verb->details);
		putchar('\n');
	}
	for_options(verb, put_option);
}

void varve_generate_manual(const char *program, const char *about, const VarveVerb *const *verbs,
			   int section)
{
	g_autofree char *upper = g_ascii_strup(program, -1);

	printf(".TH %s %d \"\" \"Varve %s\" \"Varve\"\n.SH NAME\n%s \\- %s\n", upper, section,
	       VARVE_VERSION, program, about);
	printf(".SH SYNOPSIS\n.B %s\n.I VERB\n[\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n.SH "
	       "VERBS\n",
	       program);
	for (; *verbs; verbs++)
		put_verb(*verbs);
	puts(".SH EXIT STATUS\n"
	     ".TP\n.B 0\ndone\n.TP\n.B 1\nfailed\n.TP\n.B 2\nthe command line is wrong\n"
	     ".TP\n.B 3\nrefused by policy\n.TP\n.B 4\nnot found\n"
	     ".TP\n.B 5\ncorrupt or untrusted");
}

static void put_long_option(const GOptionEntry *entry)
{
	if (!(entry->flags & G_OPTION_FLAG_HIDDEN))
		printf(" --%s", entry->long_name);
}

void varve_generate_completion(const char *program, const VarveVerb *const *verbs)
{
	printf("# bash completion for %s, generated from its verbs\n_%s()\n{\n"
	       "\tlocal word=${COMP_WORDS[COMP_CWORD]} first=${COMP_WORDS[1]} "
	       "second=${COMP_WORDS[2]}\n"
	       "\tlocal options=--help words=\n",
	       program, program);
	puts("\tcase \"$first $second\" in");
	for (const VarveVerb *const *verb = verbs; *verb; verb++) {
		printf("\t\"%s%s) options=\"--help", (*verb)->words,
		       strchr((*verb)->words, ' ') ? "\"" : " \"*");
		for_options(*verb, put_long_option);
		puts("\" ;;");
	}
	puts("\tesac\n\tcase $COMP_CWORD in\n\t1) words=\"");
	for (const VarveVerb *const *verb = verbs; *verb; verb++)
		printf("%.*s ", (int)strcspn((*verb)->words, " "), (*verb)->words);
	puts("\" ;;\n\t2) case $first in");
	for (const VarveVerb *const *verb = verbs; *verb; verb++) {
		const char *space = strchr((*verb)->words, ' ');

		if (space)
			printf("\t\t%.*s) words=\"$words %s\" ;;&\n", (int)(space - (*verb)->words),
			       (*verb)->words, space + 1);
	}
	printf("\t\tesac ;;\n\tesac\n"
	       "\tif [[ $word == -* ]]; then\n\t\tCOMPREPLY=($(compgen -W \"$options\" -- "
	       "\"$word\"))\n"
	       "\telif [[ -n $words ]]; then\n\t\tCOMPREPLY=($(compgen -W \"$words\" -- "
	       "\"$word\"))\n"
	       "\telse\n\t\tcompopt -o default\n\t\tCOMPREPLY=()\n\tfi\n}\ncomplete -F _%s %s\n",
	       program, program);
}
