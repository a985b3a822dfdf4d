/* A walk over a spec's lines: conditions, definitions, the tags that are asked for. */
#include "component/facts.h"

#include "base/text.h"
#include "component/macros.h"

#include <string.h>

#define LEVEL_LIMIT 128
#define FILES_LIMIT 20000

/** Of one %if: whether its present branch is the one that is taken, or may be. */
typedef struct {
	gboolean likely, possible;
	gboolean done, maybe_done; /* a branch before this one was taken, or may have been */
} Level;

typedef struct {
	VarveMacros *macros;
	VarveSpecFacts *facts;
	GArray *levels; /* Level */
	guint too_deep;
	enum { SECTION_MAIN, SECTION_PACKAGE, SECTION_LIST, SECTION_OTHER } section;
	GHashTable *seen; /* of facts->files */
} Walk;

gboolean varve_spec_starts_section(const char *line)
{
	static const char *const sections[] = {
		"package",
		"description",
		"prep",
		"generate_buildrequires",
		"conf",
		"build",
		"install",
		"check",
		"clean",
		"pre",
		"post",
		"preun",
		"postun",
		"pretrans",
		"posttrans",
		"preuntrans",
		"postuntrans",
		"triggerprein",
		"triggerin",
		"triggerun",
		"triggerpostun",
		"filetriggerin",
		"filetriggerun",
		"filetriggerpostun",
		"transfiletriggerin",
		"transfiletriggerun",
		"transfiletriggerpostun",
		"verifyscript",
		"files",
		"changelog",
		"sourcelist",
		"patchlist",
		"sepolicy",
		NULL,
	};
	g_autofree char *word = NULL;

	if (*line != '%')
		return FALSE;
	word = g_strndup(line + 1, strcspn(line + 1, " \t\r"));
	return g_strv_contains(sections, word);
}

static gboolean likely(const Walk *walk)
{
	for (guint i = 0; i < walk->levels->len; i++) {
		if (!g_array_index(walk->levels, Level, i).likely)
			return FALSE;
	}
	return TRUE;
}

static gboolean possible(const Walk *walk)
{
	for (guint i = 0; i < walk->levels->len; i++) {
		if (!g_array_index(walk->levels, Level, i).possible)
			return FALSE;
	}
	return TRUE;
}

/* The rest of a line that begins with the directive @word, else NULL. */
static const char *after(const char *line, const char *word)
{
	gsize size = strlen(word);

	if (strncmp(line, word, size) != 0 || (line[size] && !strchr(" \t\r(!\"", line[size])))
		return NULL;
	return line + size;
}

static void judge(Walk *walk, const char *expression, Level *level)
{
	gboolean environment = FALSE;
	g_autofree char *text = varve_macros_expand(walk->macros, expression, FALSE, NULL);
	g_autofree char *doubted =
		varve_macros_expand(walk->macros, expression, TRUE, &environment);
	VarveTruth truth = varve_expression_truth(text);
	VarveTruth second = varve_expression_truth(doubted);

	level->likely = FALSE;
	level->possible = !level->done || level->maybe_done;
	if (!level->possible)
		return;
	if (!environment && second != VARVE_TRUTH_UNKNOWN) {
		level->possible = second == VARVE_TRUTH_YES;
		if (!level->possible)
			return;
		level->likely = !level->done;
		level->done = TRUE;
		level->maybe_done = FALSE;
		return;
	}
	/* Later branches stay possible. */
	level->likely = truth == VARVE_TRUTH_YES && !level->done;
	level->done = level->done || level->likely;
	level->maybe_done = TRUE;
}

static void push(Walk *walk, const Level *level)
{
	if (walk->levels->len < LEVEL_LIMIT)
		g_array_append_val(walk->levels, *level);
	else
		walk->too_deep++;
}

/* %if and its kin. Returns: whether @line was one. */
static gboolean condition(Walk *walk, const char *line)
{
	static const char *const machines[] = { "%ifarch",   "%ifnarch", "%ifos", "%ifnos",
						"%elifarch", "%elifos",  NULL };
	Level *last = walk->levels->len ? &g_array_index(walk->levels, Level, walk->levels->len - 1)
					: NULL;
	const char *rest;

	for (gsize i = 0; machines[i]; i++) {
		Level level = { .possible = TRUE, .maybe_done = TRUE };

		if (!after(line, machines[i]))
			continue;
		/* No machine is named: either may be. */
		if (g_str_has_prefix(line, "%if"))
			push(walk, &level);
		else if (last)
			last->likely = FALSE, last->possible = TRUE, last->maybe_done = TRUE;
		return TRUE;
	}
	if ((rest = after(line, "%if"))) {
		Level level = { 0 };

		judge(walk, rest, &level);
		push(walk, &level);
	} else if ((rest = after(line, "%elif"))) {
		if (last)
			judge(walk, rest, last);
	} else if (after(line, "%else")) {
		if (last) {
			last->likely = !last->done;
			last->possible = !last->done || last->maybe_done;
			last->done = TRUE;
		}
	} else if (after(line, "%endif")) {
		if (walk->too_deep)
			walk->too_deep--;
		else if (last)
			g_array_set_size(walk->levels, walk->levels->len - 1);
	} else {
		return FALSE;
	}
	return TRUE;
}

/* A name with what is not known in it, as a pattern. */
static void add_file(Walk *walk, const char *name)
{
	g_autoptr(GString) pattern = g_string_new(NULL);

	for (; *name; name++) {
		if (*name == VARVE_MACRO_UNKNOWN)
			g_string_append(pattern, "**");
		else if (strchr("*?[]\\", *name))
			g_string_append_printf(pattern, "\\%c", *name);
		else
			g_string_append_c(pattern, *name);
	}
	if (!pattern->len || walk->facts->files->len >= FILES_LIMIT ||
	    g_hash_table_contains(walk->seen, pattern->str))
		return;
	g_ptr_array_add(walk->facts->files, g_string_free(g_steal_pointer(&pattern), FALSE));
	g_hash_table_add(walk->seen,
			 g_ptr_array_index(walk->facts->files, walk->facts->files->len - 1));
}

/* Macros of Fedora's that stand for the URL of an archive: it is in `sources`, never a loose file.
 */
static gboolean is_archive_macro(const char *value)
{
	static const char *const names[] = { "crates_source", "forgesource", "gosource",
					     "pypi_source" };
	const char *name = value + strspn(value, " \t");

	if (*name != '%')
		return FALSE;
	name += 1 + (name[1] == '{');
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		gsize size = strlen(names[i]);

		if (strncmp(name, names[i], size) == 0 && !g_ascii_isalpha(name[size]) &&
		    name[size] != '_')
			return TRUE;
	}
	return FALSE;
}

/* rpm takes the last part of whatever is written; a path is also looked for where it says. */
static void add_reference(Walk *walk, const char *value)
{
	g_autofree char *text = NULL;
	const char *base;

	if (is_archive_macro(value))
		return;
	text = g_strstrip(varve_macros_expand(walk->macros, value, TRUE, NULL));
	if (g_str_has_prefix(text, "./"))
		memmove(text, text + 2, strlen(text + 2) + 1);
	base = strrchr(text, '/') ? strrchr(text, '/') + 1 : text;
	add_file(walk, base);
	if (strstr(text, "://")) {
		g_autofree char *path = g_strndup(text, strcspn(text, "#?"));

		add_file(walk, strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
	} else if (base != text) {
		add_file(walk, text);
	}
}

static char *known(VarveMacros *macros, const char *value)
{
	g_autofree char *text = varve_macros_expand(macros, value, FALSE, NULL);

	g_strstrip(text);
	if (!*text || strchr(text, VARVE_MACRO_UNKNOWN))
		return NULL;
	return g_steal_pointer(&text);
}

static void replace(char **place, char *value)
{
	g_free(*place);
	*place = value;
}

/* The arguments of %autorelease, which may stand in braces or run to the end of the line. */
static void read_release(Walk *walk, const char *value)
{
	const char *call = strstr(value, "autorelease"), *end;
	g_autofree char *raw = NULL, *arguments = NULL;
	g_auto(GStrv) words = NULL;
	int depth = 0;

	walk->facts->autorelease = call && call > value;
	if (!walk->facts->autorelease)
		return;
	call += strlen("autorelease");
	for (end = call; *end; end++) {
		depth += (*end == '{') - (*end == '}');
		if (depth < 0)
			break;
	}
	raw = g_strndup(call, (gsize)(end - call));
	arguments = varve_macros_expand(walk->macros, raw, FALSE, NULL);
	words = g_strsplit_set(arguments, " \t", -1);
	for (char **word = words; *word; word++) {
		const char *argument =
			word[0][0] == '-' && word[0][1] && word[0][2] ? *word + 2 : word[1];

		if (g_str_has_prefix(*word, "-p")) {
			walk->facts->prerelease = TRUE;
			continue;
		}
		if (**word != '-' || !argument || strchr(argument, VARVE_MACRO_UNKNOWN))
			continue;
		if (word[0][1] == 'b')
			g_ascii_string_to_unsigned(argument, 10, 0, G_MAXUINT32, &walk->facts->base,
						   NULL);
		else if (word[0][1] == 'e')
			replace(&walk->facts->extra_version, g_strdup(argument));
		else if (word[0][1] == 's')
			replace(&walk->facts->snapshot, g_strdup(argument));
	}
}

static void main_tag(Walk *walk, const char *tag, const char *value)
{
	VarveSpecFacts *facts = walk->facts;
	g_autofree char *lower = g_ascii_strdown(tag, -1);
	char *text = known(walk->macros, value);

	if (strcmp(lower, "name") == 0) {
		replace(&facts->name, g_steal_pointer(&text));
	} else if (strcmp(lower, "version") == 0) {
		replace(&facts->version, g_steal_pointer(&text));
	} else if (strcmp(lower, "epoch") == 0) {
		facts->has_epoch = TRUE;
		replace(&facts->epoch, g_steal_pointer(&text));
	} else if (strcmp(lower, "release") == 0) {
		read_release(walk, value);
	} else if (strcmp(lower, "url") != 0) {
		g_free(text);
		return;
	}
	g_free(text);
	/* rpm defines %{name}, %{version}, … from here on. */
	text = varve_macros_expand(walk->macros, value, FALSE, NULL);
	varve_macros_define(walk->macros, lower, g_strstrip(text));
	g_free(text);
}

static gboolean is_numbered(const char *tag, const char *name)
{
	gsize size = strlen(name);

	return g_ascii_strncasecmp(tag, name, size) == 0 &&
	       strspn(tag + size, "0123456789") == strlen(tag + size);
}

static void tag_line(Walk *walk, const char *line)
{
	gsize size = 0;
	g_autofree char *tag = NULL;
	const char *colon;

	while (g_ascii_isalnum(line[size]))
		size++;
	colon = line + size + strspn(line + size, " \t");
	if (size == 0 || *colon != ':')
		return;
	tag = g_strndup(line, size);
	if (is_numbered(tag, "Source") || is_numbered(tag, "Patch"))
		add_reference(walk, colon + 1);
	else if (walk->section == SECTION_MAIN && likely(walk))
		main_tag(walk, tag, colon + 1);
}

/* Definitions of a branch that may be taken, but was not: the macro is in doubt. */
static void doubt(Walk *walk, const char *line)
{
	static const char *const words[] = { "%global", "%define", "%undefine", NULL };

	for (gsize i = 0; words[i]; i++) {
		const char *rest = after(line, words[i]);
		g_autofree char *name = NULL;
		gsize size = 0;

		if (!rest)
			continue;
		rest += strspn(rest, " \t");
		while (g_ascii_isalnum(rest[size]) || rest[size] == '_')
			size++;
		name = g_strndup(rest, size);
		varve_macros_doubt(walk->macros, name);
	}
	if (g_str_has_prefix(line, "%bcond")) {
		const char *rest = line + strcspn(line, " \t");
		g_autofree char *word = g_strstrip(g_strdup(rest));
		g_autofree char *name = NULL;

		word[strcspn(word, " \t")] = '\0';
		name = g_strconcat("with_", word, NULL);
		varve_macros_doubt(walk->macros, name);
	}
}

static void enter_section(Walk *walk, const char *line)
{
	if (after(line, "%package"))
		walk->section = SECTION_PACKAGE;
	else if (after(line, "%sourcelist") || after(line, "%patchlist"))
		walk->section = SECTION_LIST;
	else
		walk->section = SECTION_OTHER;
}

/* %{load:…} and %include name files too. */
static void read_inclusion(Walk *walk, const char *line)
{
	const char *include = after(line, "%include");
	const char *load = strstr(line, "%{load:");

	if (include)
		add_reference(walk, include);
	if (load) {
		g_autofree char *name = g_strdup(load + strlen("%{load:"));
		char *end = strrchr(name, '}');

		if (end)
			*end = '\0';
		add_reference(walk, name);
	}
}

static void read_line(Walk *walk, const char *text)
{
	const char *line = text + strspn(text, " \t");

	if (condition(walk, line) || !possible(walk))
		return;
	if (varve_spec_starts_section(line)) {
		enter_section(walk, line);
		return;
	}
	if (*line == '#' || !*line)
		return;
	read_inclusion(walk, line);
	if (*line == '%') {
		if (likely(walk))
			g_free(varve_macros_expand(walk->macros, line, FALSE, NULL));
		else
			doubt(walk, line);
		return;
	}
	if (walk->section == SECTION_LIST)
		add_reference(walk, line);
	else if (walk->section != SECTION_OTHER)
		tag_line(walk, line);
}

/* Whether @line goes on below: a backslash at its end, or a brace of a definition not closed. */
static gboolean goes_on(const GString *line)
{
	const char *text = line->str + strspn(line->str, " \t");
	int depth = 0;

	if (*text != '%')
		return FALSE;
	if (line->str[line->len - 1] == '\\')
		return TRUE;
	if (!after(text, "%global") && !after(text, "%define") && text[1] != '{')
		return FALSE;
	for (; *text; text++)
		depth += (*text == '{') - (*text == '}');
	return depth > 0;
}

VarveSpecFacts *varve_spec_facts(const char *spec, const VarveSetting *macros, gsize n_macros)
{
	g_autoptr(VarveMacros) table = varve_macros_new();
	g_autoptr(GArray) levels = g_array_new(FALSE, FALSE, sizeof(Level));
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GString) line = g_string_new(NULL);
	g_auto(GStrv) lines = g_strsplit(spec, "\n", -1);
	Walk walk = { .macros = table, .levels = levels, .seen = seen };

	walk.facts = g_new0(VarveSpecFacts, 1);
	walk.facts->base = 1;
	walk.facts->files = g_ptr_array_new_with_free_func(g_free);
	for (gsize i = 0; i < n_macros; i++)
		varve_macros_define(table, macros[i].key, macros[i].value);
	for (char **each = lines; *each; each++) {
		g_strchomp(*each);
		g_string_append(line, *each);
		if (line->len && goes_on(line) && each[1] && line->len < (1u << 16)) {
			g_string_append_c(line, '\n');
			continue;
		}
		read_line(&walk, line->str);
		g_string_truncate(line, 0);
	}
	return walk.facts;
}

void varve_spec_facts_free(VarveSpecFacts *facts)
{
	if (!facts)
		return;
	g_free(facts->name);
	g_free(facts->epoch);
	g_free(facts->version);
	g_free(facts->extra_version);
	g_free(facts->snapshot);
	g_ptr_array_unref(facts->files);
	g_free(facts);
}

gboolean varve_spec_facts_refers(const VarveSpecFacts *facts, const char *name)
{
	for (guint i = 0; i < facts->files->len; i++) {
		if (varve_glob_match(facts->files->pdata[i], name))
			return TRUE;
	}
	return FALSE;
}
