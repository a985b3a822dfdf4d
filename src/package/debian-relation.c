/* Debian's versions and relations, parsed and mapped. */
#include "package/debian-relation.h"

#include "base/error.h"
#include "format/rpm-writer.h"

#include <string.h>

static const struct {
	const char *debian;
	const char *rpm;
	guint32 sense;
} operators[] = {
	{ "<<", "<", VARVE_RPM_LESS },
	{ "<=", "<=", VARVE_RPM_LESS | VARVE_RPM_EQUAL },
	{ ">=", ">=", VARVE_RPM_GREATER | VARVE_RPM_EQUAL },
	{ ">>", ">", VARVE_RPM_GREATER },
	{ "=", "=", VARVE_RPM_EQUAL },
	/* Policy 7.1: obsolete spellings of "<=" and ">=". */
	{ "<", "<=", VARVE_RPM_LESS | VARVE_RPM_EQUAL },
	{ ">", ">=", VARVE_RPM_GREATER | VARVE_RPM_EQUAL },
};

void varve_debian_version_clear(VarveDebianVersion *version)
{
	g_free(version->version);
	g_free(version->release);
}

static gboolean all_of(const char *text, const char *punctuation)
{
	for (; *text; text++)
		if (!g_ascii_isalnum(*text) && !strchr(punctuation, *text))
			return FALSE;
	return TRUE;
}

gboolean varve_debian_version_parse(const char *text, VarveDebianVersion *ret_version,
				    GError **error)
{
	g_auto(VarveDebianVersion) version = { .epoch = -1 };
	const char *colon = strchr(text, ':'), *upstream = text, *dash = strrchr(text, '-');
	guint64 epoch = 0;

	if (colon) {
		g_autofree char *number = g_strndup(text, (gsize)(colon - text));

		if (!g_ascii_string_to_unsigned(number, 10, 0, G_MAXINT32, &epoch, NULL))
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "version '%s': the epoch is not a number", text);
		/* RPM tells "0:" from nothing only in names of files. */
		version.epoch = epoch ? (gint64)epoch : -1;
		upstream = colon + 1;
	}
	version.version = dash && dash > upstream ? g_strndup(upstream, (gsize)(dash - upstream))
						  : g_strdup(upstream);
	version.release = g_strdup(dash && dash > upstream ? dash + 1 : "0");
	if (!*version.version || !*version.release || !all_of(version.version, ".+~-:") ||
	    !all_of(version.release, ".+~"))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "version '%s': expected [epoch:]upstream[-revision] of letters, "
				  "digits and .+~-",
				  text);
	g_strdelimit(version.version, "-:", '_');
	*ret_version = version;
	version = (VarveDebianVersion){ 0 };
	return TRUE;
}

char *varve_debian_version_evr(const VarveDebianVersion *version)
{
	if (version->epoch < 0)
		return g_strdup_printf("%s-%s", version->version, version->release);
	return g_strdup_printf("%" G_GINT64_FORMAT ":%s-%s", version->epoch, version->version,
			       version->release);
}

static void free_alternative(gpointer pointer)
{
	VarveDebianAlternative *alternative = pointer;

	g_free(alternative->name);
	g_free(alternative->op);
	g_free(alternative->version);
	g_free(alternative);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveDebianAlternative, free_alternative)

/* "(>= 1.2-3)" */
static gboolean parse_constraint(const char *text, const char *name,
				 VarveDebianAlternative *alternative, GError **error)
{
	g_auto(VarveDebianVersion) version = { 0 };
	g_autofree char *inside = NULL;
	const char *close = strchr(text, ')');
	gsize op;

	if (*text != '(' || !close || close[1])
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: expected '(operator version)', found '%s'", name, text);
	inside = g_strndup(text + 1, (gsize)(close - text) - 1);
	g_strstrip(inside);
	op = strspn(inside, "<>=");
	alternative->op = g_strndup(inside, op);
	for (gsize i = 0; i < G_N_ELEMENTS(operators); i++) {
		if (strcmp(operators[i].debian, alternative->op) != 0)
			continue;
		if (!varve_debian_version_parse(inside + op + strspn(inside + op, " \t\n"),
						&version, error)) {
			g_prefix_error(error, "%s: ", name);
			return FALSE;
		}
		alternative->version = varve_debian_version_evr(&version);
		return TRUE;
	}
	return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: unknown operator in '%s'", name, text);
}

static gboolean parse_alternative(char *text, const char *name, GPtrArray *clause, GError **error)
{
	g_autoptr(VarveDebianAlternative) alternative = g_new0(VarveDebianAlternative, 1);
	gsize length;

	g_strstrip(text);
	length = strcspn(text, " \t\n(:[<");
	alternative->name = g_strndup(text, length);
	if (length < 2 || !all_of(alternative->name, "+-."))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: expected the name of a package, found '%s'", name, text);
	text += length;
	if (*text == ':') /* an architecture, as in python3:any */
		text += strcspn(text, " \t\n(");
	text += strspn(text, " \t\n");
	if (*text && !parse_constraint(text, name, alternative, error))
		return FALSE;
	g_ptr_array_add(clause, g_steal_pointer(&alternative));
	return TRUE;
}

GPtrArray *varve_debian_relations_parse(const char *text, const char *name, GError **error)
{
	g_autoptr(GPtrArray) clauses =
		g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	g_auto(GStrv) parts = g_strsplit(text ? text : "", ",", -1);

	for (char **part = parts; *part; part++) {
		g_auto(GStrv) alternatives = NULL;
		GPtrArray *clause;

		g_strstrip(*part);
		if (!**part) /* a comma at the end is common and harmless */
			continue;
		clause = g_ptr_array_new_with_free_func(free_alternative);
		g_ptr_array_add(clauses, clause);
		alternatives = g_strsplit(*part, "|", -1);
		for (char **alternative = alternatives; *alternative; alternative++)
			if (!parse_alternative(*alternative, name, clause, error))
				return NULL;
	}
	return g_steal_pointer(&clauses);
}

void varve_rpm_clause_clear(VarveRpmClause *clause)
{
	g_free(clause->name);
	g_free(clause->version);
}

static const char *rpm_operator(const char *debian, guint32 *ret_sense)
{
	for (gsize i = 0; i < G_N_ELEMENTS(operators); i++)
		if (strcmp(operators[i].debian, debian) == 0) {
			*ret_sense = operators[i].sense;
			return operators[i].rpm;
		}
	g_assert_not_reached();
}

void varve_debian_clause_to_rpm(const GPtrArray *clause, VarveRpmClause *ret_clause)
{
	const VarveDebianAlternative *only = g_ptr_array_index(clause, 0);
	g_autoptr(GString) rich = NULL;
	guint32 sense = 0;

	*ret_clause = (VarveRpmClause){ 0 };
	if (clause->len == 1) {
		if (only->op)
			rpm_operator(only->op, &ret_clause->sense);
		ret_clause->name = g_strdup(only->name);
		ret_clause->version = g_strdup(only->version);
		return;
	}
	rich = g_string_new("(");
	for (guint i = 0; i < clause->len; i++) {
		const VarveDebianAlternative *alternative = g_ptr_array_index(clause, i);

		g_string_append_printf(rich, "%s%s", i ? " or " : "", alternative->name);
		if (alternative->op)
			g_string_append_printf(rich, " %s %s",
					       rpm_operator(alternative->op, &sense),
					       alternative->version);
	}
	g_string_append_c(rich, ')');
	ret_clause->name = g_string_free(g_steal_pointer(&rich), FALSE);
}

gboolean varve_debian_clause_names(const GPtrArray *clause, GHashTable *names)
{
	for (guint i = 0; i < clause->len; i++) {
		const VarveDebianAlternative *alternative = g_ptr_array_index(clause, i);

		if (g_hash_table_contains(names, alternative->name))
			return TRUE;
	}
	return FALSE;
}
