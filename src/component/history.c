/* From a history to a release number and a changelog. Commits are read in pages, from the newest,
 * and only as far as the answer needs. */
#include "component/autospec.h"

#include "base/error.h"
#include "component/facts.h"

#include <string.h>

#define PAGE 64
#define SPEC_LIMIT ((gsize)8 << 20)
#define CHANGELOG_LIMIT ((gsize)16 << 20)

/** A commit of the upstream, or a change of ours. */
typedef struct Node {
	const VarveGitCommit *commit;       /* NULL: ours */
	const VarveComponentChange *change; /* NULL: the upstream's */
	GPtrArray *parents;                 /* of Node *, borrowed */
	guint index;                        /* of the upstream's, in the order of the history */
	VarveSpecFacts *facts;              /* NULL: there is no spec */
	gboolean loaded, needed, counted;
	guint64 number;
} Node;

typedef struct {
	const VarveAutospecHistory *history;
	GPtrArray *commits; /* VarveGitCommit *, newest first */
	GPtrArray *nodes;   /* Node *, newest first, ours among them */
	GPtrArray *ours;    /* Node * */
	GHashTable *by_name;
	Node *head;
} Walk;

static void free_node(gpointer data)
{
	Node *node = data;

	g_ptr_array_unref(node->parents);
	varve_spec_facts_free(node->facts);
	g_free(node);
}

static void clear_walk(Walk *walk)
{
	if (walk->commits)
		g_ptr_array_unref(walk->commits);
	g_ptr_array_unref(walk->nodes);
	g_ptr_array_unref(walk->ours);
	g_hash_table_unref(walk->by_name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Walk, clear_walk)

static Node *new_node(void)
{
	Node *node = g_new0(Node, 1);

	node->parents = g_ptr_array_new();
	return node;
}

static void make_nodes(Walk *walk)
{
	for (guint i = 0; walk->commits && i < walk->commits->len; i++) {
		Node *node = new_node();

		node->commit = walk->commits->pdata[i];
		node->index = i;
		g_ptr_array_add(walk->nodes, node);
		g_hash_table_insert(walk->by_name, node->commit->commit, node);
	}
	for (guint i = 0; i < walk->nodes->len; i++) {
		Node *node = walk->nodes->pdata[i];

		for (char **parent = node->commit->parents; *parent; parent++) {
			gpointer found = g_hash_table_lookup(walk->by_name, *parent);

			if (found)
				g_ptr_array_add(node->parents, found);
		}
	}
	walk->head = walk->nodes->len ? walk->nodes->pdata[0] : NULL;
}

static void replace_parent(Walk *walk, const Node *old, Node *new)
{
	for (guint i = 0; i < walk->nodes->len; i++) {
		Node *node = walk->nodes->pdata[i];

		for (guint j = 0; node != new &&j < node->parents->len; j++) {
			if (node->parents->pdata[j] == old)
				node->parents->pdata[j] = new;
		}
	}
}

/* A change is put after the upstream's commit that it was made on, and before what the upstream
 * did next; those on the present commit, or on none, come last. */
static void add_ours(Walk *walk)
{
	const GPtrArray *changes = walk->history->changes;
	g_autoptr(GHashTable) tips = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; changes && i < changes->len; i++) {
		const VarveComponentChange *change = changes->pdata[i];
		gboolean last = !change->upstream || !walk->history->commit ||
				strcmp(change->upstream, walk->history->commit) == 0;
		Node *below =
			last ? walk->head : g_hash_table_lookup(walk->by_name, change->upstream);
		Node *tip = last ? NULL : g_hash_table_lookup(tips, change->upstream), *node;
		guint place = 0;

		if (!last && !below)
			continue; /* of another branch */
		node = new_node();
		node->change = change;
		below = tip ? tip : below;
		if (below) {
			replace_parent(walk, below, node);
			g_ptr_array_add(node->parents, below);
			g_ptr_array_find(walk->nodes, below, &place);
		}
		g_ptr_array_insert(walk->nodes, (gint)place, node);
		g_ptr_array_add(walk->ours, node);
		if (!last)
			g_hash_table_insert(tips, change->upstream, node);
		if (below == walk->head)
			walk->head = node;
	}
}

/* The specs of a page of the upstream's commits. */
static gboolean load_page(Walk *walk, guint page, GError **error)
{
	guint first = page * PAGE, end = MIN(first + PAGE, walk->commits->len);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) contents = NULL;

	for (guint i = first; i < end; i++) {
		const VarveGitCommit *commit = walk->commits->pdata[i];

		g_ptr_array_add(names,
				g_strdup_printf("%s:%s", commit->commit, walk->history->spec_name));
	}
	g_ptr_array_add(names, NULL);
	contents = varve_git_read(walk->history->git, (const char *const *)names->pdata, SPEC_LIMIT,
				  error);
	if (!contents)
		return FALSE;
	for (guint i = first; i < end; i++) {
		const VarveGitCommit *commit = walk->commits->pdata[i];
		Node *node = g_hash_table_lookup(walk->by_name, commit->commit);
		GBytes *content = contents->pdata[i - first];
		g_autofree char *text = NULL;

		node->loaded = TRUE;
		if (!content)
			continue;
		text = g_strndup(g_bytes_get_data(content, NULL), g_bytes_get_size(content));
		node->facts = varve_spec_facts(text, NULL, 0);
	}
	return TRUE;
}

static gboolean load(Walk *walk, Node *node, GError **error)
{
	const VarveAutospecHistory *history = walk->history;
	Node *below;

	if (node->loaded)
		return TRUE;
	if (node->commit)
		return load_page(walk, node->index / PAGE, error);
	node->loaded = TRUE;
	below = node->parents->len ? node->parents->pdata[0] : NULL;
	/* The last of ours is what is rendered; the others leave the spec as it was. */
	if (node == walk->head || !below) {
		node->facts = varve_spec_facts(history->spec, history->macros, history->n_macros);
		return TRUE;
	}
	if (!load(walk, below, error))
		return FALSE;
	if (below->facts) {
		node->facts = g_new0(VarveSpecFacts, 1);
		node->facts->version = g_strdup(below->facts->version);
		node->facts->epoch = g_strdup(below->facts->epoch);
		node->facts->has_epoch = below->facts->has_epoch;
		node->facts->base = below->facts->base;
		node->facts->prerelease = below->facts->prerelease;
		node->facts->extra_version = g_strdup(below->facts->extra_version);
		node->facts->snapshot = g_strdup(below->facts->snapshot);
		node->facts->files = g_ptr_array_new();
	}
	return TRUE;
}

/* "[EPOCH:]VERSION", NULL where it cannot be told. */
static char *epoch_version(const Node *node)
{
	const VarveSpecFacts *facts = node->facts;

	if (!facts || !facts->version || (facts->has_epoch && !facts->epoch))
		return NULL;
	return g_strconcat(facts->has_epoch ? facts->epoch : "", facts->has_epoch ? ":" : "",
			   facts->version, NULL);
}

/* Whether what was before @node counts for its number. */
static gboolean goes_on(Walk *walk, Node *node, gboolean *ret, GError **error)
{
	g_autofree char *own = NULL;

	if (!load(walk, node, error))
		return FALSE;
	own = epoch_version(node);
	*ret = !own;
	for (guint i = 0; i < node->parents->len; i++) {
		g_autofree char *theirs = NULL;

		if (!load(walk, node->parents->pdata[i], error))
			return FALSE;
		theirs = epoch_version(node->parents->pdata[i]);
		*ret = *ret || !theirs || strcmp(theirs, own) == 0;
	}
	return TRUE;
}

static void count(Node *node)
{
	g_autofree char *own = epoch_version(node);

	node->counted = TRUE;
	for (guint i = 0; i < node->parents->len; i++) {
		const Node *parent = node->parents->pdata[i];
		g_autofree char *theirs = parent->counted ? epoch_version(parent) : NULL;

		if (parent->counted && (!own || !theirs || strcmp(own, theirs) == 0))
			node->number = MAX(node->number, parent->number);
	}
	node->number += node->facts != NULL;
}

/* The numbers of all nodes that are needed, and of those that these stand on. */
static gboolean count_all(Walk *walk, GError **error)
{
	for (guint i = 0; i < walk->nodes->len; i++) {
		Node *node = walk->nodes->pdata[i];
		gboolean on = FALSE;

		if (!node->needed)
			continue;
		if (!goes_on(walk, node, &on, error))
			return FALSE;
		for (guint j = 0; on && j < node->parents->len; j++)
			((Node *)node->parents->pdata[j])->needed = TRUE;
	}
	for (guint i = walk->nodes->len; i > 0; i--) {
		Node *node = walk->nodes->pdata[i - 1];

		if (node->needed)
			count(node);
	}
	return TRUE;
}

static char *evr_of(const Node *node)
{
	const VarveSpecFacts *facts = node->facts;
	g_autofree char *version = epoch_version(node);
	g_autoptr(GString) text = g_string_new(version);

	if (!version)
		return NULL;
	g_string_append_printf(text, "-%s%" G_GUINT64_FORMAT, facts->prerelease ? "0." : "",
			       node->number + facts->base - 1);
	if (facts->extra_version)
		g_string_append_printf(text, ".%s", facts->extra_version);
	if (facts->snapshot)
		g_string_append_printf(text, ".%s", facts->snapshot);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* "[skip changelog]" on a line of its own; several words may stand between the brackets. */
static gboolean asks_to_skip(const char *message)
{
	g_auto(GStrv) lines = g_strsplit(message, "\n", -1);

	for (char **line = lines; *line; line++) {
		char *text = g_strstrip(*line);
		gsize size = strlen(text);
		g_auto(GStrv) words = NULL;

		if (size < 2 || *text != '[' || text[size - 1] != ']')
			continue;
		text[size - 1] = '\0';
		words = g_strsplit(text + 1, ",", -1);
		for (char **word = words; *word; word++) {
			g_auto(GStrv) parts = g_strsplit_set(g_strstrip(*word), " \t", -1);
			g_autofree char *joined = g_strjoinv("", parts);

			if (strcmp(joined, "skipchangelog") == 0)
				return TRUE;
		}
	}
	return FALSE;
}

/* Commits that touch nothing that a package is made of. */
static gboolean is_housekeeping(const VarveGitCommit *commit)
{
	static const char *const files[] = { ".gitignore", "gating.yaml", "sources", NULL };

	if (!commit->changed || !commit->changed[0])
		return FALSE;
	for (char **path = commit->changed; *path; path++) {
		if (!g_strv_contains(files, *path) && !g_str_has_prefix(*path, "tests/"))
			return FALSE;
	}
	return TRUE;
}

/** What the changelog consists of, newest first: entries of nodes, then what a file says. */
typedef struct {
	GPtrArray *entries; /* Node * */
	char *rest;         /* (nullable) verbatim */
	const Node *broken; /* (nullable) a merge that does not say what to follow */
} Log;

static void clear_log(Log *log)
{
	g_ptr_array_unref(log->entries);
	g_free(log->rest);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Log, clear_log)

static gboolean read_changelog(Walk *walk, const VarveGitCommit *commit, char **ret, GError **error)
{
	g_autofree char *name = g_strconcat(commit->commit, ":changelog", NULL);
	const char *const names[] = { name, NULL };
	g_autoptr(GPtrArray) contents =
		varve_git_read(walk->history->git, names, CHANGELOG_LIMIT, error);
	GBytes *content;

	*ret = NULL;
	if (!contents)
		return FALSE;
	content = contents->pdata[0];
	if (content)
		*ret = g_utf8_make_valid(g_bytes_get_data(content, NULL),
					 (gssize)g_bytes_get_size(content));
	return TRUE;
}

/* A merge: what it is the same as is followed; else only a changelog file that it changed itself
 * helps. @ret_next NULL: the end. */
static gboolean follow_merge(Walk *walk, Node *node, Log *log, Node **ret_next, GError **error)
{
	g_autofree char *own = NULL;

	*ret_next = NULL;
	for (guint i = 0; i < node->parents->len; i++) {
		Node *parent = node->parents->pdata[i];

		if (parent->commit && strcmp(parent->commit->tree, node->commit->tree) == 0) {
			*ret_next = parent;
			return TRUE;
		}
	}
	if (!read_changelog(walk, node->commit, &own, error))
		return FALSE;
	for (guint i = 0; own && i < node->parents->len; i++) {
		const Node *parent = node->parents->pdata[i];
		g_autofree char *theirs = NULL;

		if (parent->commit && !read_changelog(walk, parent->commit, &theirs, error))
			return FALSE;
		if (g_strcmp0(own, theirs) == 0)
			g_clear_pointer(&own, g_free);
	}
	log->rest = g_steal_pointer(&own);
	if (!log->rest) {
		log->broken = node;
		node->needed = TRUE;
	}
	return TRUE;
}

/* Follows the history down from the head and notes what becomes an entry. */
static gboolean write_log(Walk *walk, Log *log, GError **error)
{
	gboolean removed = FALSE;
	Node *next;

	for (Node *node = walk->head; node; node = next) {
		const VarveGitCommit *commit = node->commit;
		g_autofree char *file = NULL;
		gboolean changed;

		if (!load(walk, node, error))
			return FALSE;
		next = node->parents->len ? node->parents->pdata[0] : NULL;
		if (commit && g_strv_length(commit->parents) > 1) {
			if (!follow_merge(walk, node, log, &next, error))
				return FALSE;
			continue;
		}
		changed = commit && commit->changed &&
			  g_strv_contains((const char *const *)commit->changed, "changelog");
		if (changed && !read_changelog(walk, commit, &file, error))
			return FALSE;
		if (file) {
			log->rest = removed ? NULL : g_steal_pointer(&file);
			return TRUE;
		}
		removed = removed || changed;
		if (node->facts &&
		    !asks_to_skip(commit ? commit->message : node->change->message) &&
		    !(commit && is_housekeeping(commit))) {
			node->needed = TRUE;
			g_ptr_array_add(log->entries, node);
		}
	}
	return TRUE;
}

static void append_entry(GString *text, const Node *node, const char *only)
{
	const char *message = node->commit ? node->commit->message : node->change->message;
	g_auto(GStrv) items = varve_changelog_items(message);
	const char *const single[] = { only, NULL };
	g_autofree char *evr = evr_of(node);
	g_autofree char *entry =
		varve_changelog_entry(node->commit ? node->commit->author : node->change->author,
				      node->commit ? node->commit->time : node->change->time, evr,
				      only ? single : (const char *const *)items);

	g_string_append_printf(text, "%s%s\n", text->len ? "\n" : "", entry);
}

static char *print_log(const Log *log)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < log->entries->len; i++)
		append_entry(text, log->entries->pdata[i], NULL);
	if (log->broken)
		append_entry(text, log->broken, "RPMAUTOSPEC: unresolvable merge");
	if (log->rest)
		g_string_append_printf(text, "%s%s", text->len ? "\n" : "", log->rest);
	if (text->len && text->str[text->len - 1] == '\n')
		g_string_truncate(text, text->len - 1);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean read_commits(Walk *walk, GError **error)
{
	const VarveAutospecHistory *history = walk->history;

	if (!history->git)
		return TRUE;
	walk->commits = varve_git_history(history->git, history->commit, NULL, error);
	return walk->commits && varve_git_add_changes(history->git, walk->commits, error);
}

gboolean varve_autospec_work_out(const VarveAutospecHistory *history, VarveAutospec *ret,
				 GError **error)
{
	g_auto(Walk) walk = { .history = history,
			      .nodes = g_ptr_array_new_with_free_func(free_node),
			      .ours = g_ptr_array_new(),
			      .by_name = g_hash_table_new(g_str_hash, g_str_equal) };
	g_auto(Log) log = { .entries = g_ptr_array_new() };

	if (!read_commits(&walk, error))
		return FALSE;
	make_nodes(&walk);
	add_ours(&walk);
	if (!walk.head) {
		*ret = (VarveAutospec){ .number = 1, .changelog = g_strdup("") };
		return TRUE;
	}
	walk.head->needed = TRUE;
	if (!write_log(&walk, &log, error) || !count_all(&walk, error))
		return FALSE;
	*ret = (VarveAutospec){ .number = walk.head->number, .changelog = print_log(&log) };
	return TRUE;
}
