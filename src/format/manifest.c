/* Layer manifests, as docs/formats.md describes them. */
#include "format/manifest.h"

#include "base/error.h"
#include "format/members.h"
#include "format/overrides.h"

#include <stdio.h>
#include <string.h>

#define FORMAT 1

static const char *const roles[] = {
	[VARVE_ROLE_BASE] = "base",
	[VARVE_ROLE_EXTENSION] = "extension",
	[VARVE_ROLE_PATCH] = "patch",
};

const char *varve_role_name(VarveRole role)
{
	return roles[role];
}

gboolean varve_role_from_name(const char *name, VarveRole *ret_role)
{
	for (gsize i = 0; i < G_N_ELEMENTS(roles); i++) {
		if (strcmp(name, roles[i]) == 0) {
			*ret_role = (VarveRole)i;
			return TRUE;
		}
	}
	return FALSE;
}

void varve_manifest_package_free(VarveManifestPackage *package)
{
	if (!package)
		return;
	g_free(package->name);
	g_free(package->version);
	g_free(package->release);
	g_free(package->arch);
	g_free(package->source);
	g_free(package->license);
	g_free(package->vendor);
	g_free(package->upstream);
	varve_component_facts_free(package->component);
	g_free(package);
}

VarveManifestPackage *varve_manifest_package_copy(const VarveManifestPackage *package)
{
	VarveManifestPackage *copy = g_memdup2(package, sizeof(*package));

	copy->name = g_strdup(package->name);
	copy->version = g_strdup(package->version);
	copy->release = g_strdup(package->release);
	copy->arch = g_strdup(package->arch);
	copy->source = g_strdup(package->source);
	copy->license = g_strdup(package->license);
	copy->vendor = g_strdup(package->vendor);
	copy->upstream = g_strdup(package->upstream);
	copy->component =
		package->component ? varve_component_facts_copy(package->component) : NULL;
	return copy;
}

VarveManifestCheck *varve_manifest_check_new(const char *unit, const char *const *command,
					     guint timeout)
{
	VarveManifestCheck *check = g_new0(VarveManifestCheck, 1);

	check->unit = g_strdup(unit);
	check->command = command ? g_strdupv((char **)command) : g_new0(char *, 1);
	check->timeout = timeout;
	return check;
}

void varve_manifest_check_free(VarveManifestCheck *check)
{
	if (!check)
		return;
	g_free(check->unit);
	g_strfreev(check->command);
	g_free(check);
}

VarveManifest *varve_manifest_new(void)
{
	VarveManifest *manifest = g_new0(VarveManifest, 1);

	manifest->name = g_strdup("");
	manifest->version = g_strdup("");
	manifest->role = VARVE_ROLE_EXTENSION;
	manifest->arch = g_strdup("");
	manifest->os_id = g_strdup("");
	manifest->os_version_id = g_strdup("");
	manifest->provides = g_new0(char *, 1);
	manifest->requires = g_new0(char *, 1);
	manifest->replaces = g_new0(char *, 1);
	manifest->supersedes = g_new0(char *, 1);
	manifest->restart = g_new0(char *, 1);
	manifest->reload = g_new0(char *, 1);
	manifest->ask = g_new0(char *, 1);
	manifest->checks =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_manifest_check_free);
	manifest->support_end = g_strdup("");
	manifest->packages =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_manifest_package_free);
	manifest->inputs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	manifest->overrides =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_manifest_override_free);
	return manifest;
}

void varve_manifest_free(VarveManifest *manifest)
{
	if (!manifest)
		return;
	g_free(manifest->name);
	g_free(manifest->version);
	g_free(manifest->arch);
	g_free(manifest->os_id);
	g_free(manifest->os_version_id);
	g_strfreev(manifest->provides);
	g_strfreev(manifest->requires);
	g_strfreev(manifest->replaces);
	g_strfreev(manifest->supersedes);
	g_strfreev(manifest->restart);
	g_strfreev(manifest->reload);
	g_strfreev(manifest->ask);
	g_ptr_array_unref(manifest->checks);
	g_free(manifest->support_end);
	g_ptr_array_unref(manifest->packages);
	g_hash_table_unref(manifest->inputs);
	g_ptr_array_unref(manifest->overrides);
	g_free(manifest);
}

char *varve_manifest_package_evr(const VarveManifestPackage *package)
{
	if (package->epoch)
		return g_strdup_printf("%u:%s-%s", package->epoch, package->version,
				       package->release);
	return g_strdup_printf("%s-%s", package->version, package->release);
}

char *varve_manifest_package_nevra(const VarveManifestPackage *package)
{
	g_autofree char *evr = varve_manifest_package_evr(package);

	return g_strdup_printf("%s-%s.%s", package->name, evr, package->arch);
}

void varve_manifest_sort(VarveManifest *manifest)
{
	varve_members_sort_packages(manifest->packages);
	varve_overrides_sort(manifest->overrides);
}

/* Writing. */

static gint sort_strings(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static json_t *json_set(char *const *strings)
{
	g_autoptr(GPtrArray) sorted = g_ptr_array_new();
	json_t *array = json_array();

	for (gsize i = 0; strings && strings[i]; i++)
		g_ptr_array_add(sorted, strings[i]);
	g_ptr_array_sort(sorted, sort_strings);
	for (guint i = 0; i < sorted->len; i++)
		if (i == 0 || strcmp(sorted->pdata[i - 1], sorted->pdata[i]) != 0)
			json_array_append_new(array, varve_json_text(sorted->pdata[i]));
	return array;
}

static json_t *json_inputs(GHashTable *inputs)
{
	json_t *object = json_object();
	GHashTableIter iter;
	gpointer key, value;

	g_hash_table_iter_init(&iter, inputs);
	while (g_hash_table_iter_next(&iter, &key, &value))
		json_object_set_new(object, key, varve_json_text(value));
	return object;
}

/* What a layer does not declare is not written: it stays the bytes that it was. */
static void set_units(json_t *root, const char *key, char *const *units)
{
	if (units && *units)
		json_object_set_new(root, key, varve_json_strings((const char *const *)units));
}

static void set_checks(json_t *root, const GPtrArray *checks)
{
	json_t *array;

	if (checks->len == 0)
		return;
	array = json_array();
	for (guint i = 0; i < checks->len; i++) {
		const VarveManifestCheck *check = checks->pdata[i];
		json_t *object = json_object();

		if (*check->unit)
			json_object_set_new(object, "unit", varve_json_text(check->unit));
		else
			json_object_set_new(
				object, "command",
				varve_json_strings((const char *const *)check->command));
		json_object_set_new(object, "timeout", json_integer(check->timeout));
		json_array_append_new(array, object);
	}
	json_object_set_new(root, "checks", array);
}

char *varve_manifest_write(const VarveManifest *manifest)
{
	g_autoptr(json_t) root = json_object();
	json_t *os = json_object();

	json_object_set_new(os, "id", varve_json_text(manifest->os_id));
	json_object_set_new(os, "version-id", varve_json_text(manifest->os_version_id));
	json_object_set_new(root, "format", json_integer(FORMAT));
	json_object_set_new(root, "name", varve_json_text(manifest->name));
	json_object_set_new(root, "version", varve_json_text(manifest->version));
	json_object_set_new(root, "rollback-index",
			    json_integer((json_int_t)manifest->rollback_index));
	json_object_set_new(root, "role", json_string(varve_role_name(manifest->role)));
	json_object_set_new(root, "arch", varve_json_text(manifest->arch));
	json_object_set_new(root, "os", os);
	json_object_set_new(root, "provides", json_set(manifest->provides));
	json_object_set_new(root, "requires", json_set(manifest->requires));
	json_object_set_new(root, "replaces", json_set(manifest->replaces));
	json_object_set_new(root, "supersedes", json_set(manifest->supersedes));
	/* Units restart in the order given. */
	json_object_set_new(root, "restart",
			    varve_json_strings((const char *const *)manifest->restart));
	set_units(root, "reload", manifest->reload);
	set_units(root, "ask", manifest->ask);
	set_checks(root, manifest->checks);
	json_object_set_new(root, "support-end", varve_json_text(manifest->support_end));
	json_object_set_new(root, "packages", varve_members_of_packages(manifest->packages));
	json_object_set_new(root, "inputs", json_inputs(manifest->inputs));
	varve_overrides_write(root, manifest->overrides);
	json_object_set_new(root, "paths", varve_members_of_digest(&manifest->paths));
	return varve_json_dump(root, FALSE);
}

/* Reading. */

/* @others: what words may be made of beside letters and digits, NULL where text is free. */
static gboolean get_list(const json_t *object, const char *key, const char *others,
			 const char *name, char ***ret, GError **error)
{
	g_auto(GStrv) list = NULL;

	if (!json_is_array(json_object_get(object, key)))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: '%s' is missing or of another type, expected an array", name,
				  key);
	if (!varve_json_get_strings(object, key, name, &list, error))
		return FALSE;
	for (gsize i = 0; list[i]; i++) {
		gboolean good = others ? varve_members_made_of(list[i], others) : *list[i] != '\0';

		if (!good || varve_members_has_control(list[i]))
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: item %" G_GSIZE_FORMAT
					  " of '%s' is empty or has characters that do not belong "
					  "there",
					  name, i, key);
	}
	g_strfreev(*ret);
	*ret = g_steal_pointer(&list);
	return TRUE;
}

#define UNIT_CHARACTERS ":_.\\@-"

/* A member that is only there where it says something. */
static gboolean get_units(const json_t *root, const char *key, const char *name, char ***ret,
			  GError **error)
{
	if (!json_object_get(root, key))
		return TRUE;
	if (!get_list(root, key, UNIT_CHARACTERS, name, ret, error))
		return FALSE;
	if (!**ret)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: '%s' is empty, and then it is left out", name, key);
	return TRUE;
}

static gboolean parse_check(const json_t *object, const char *name, GPtrArray *checks,
			    GError **error)
{
	static const char *const known[] = { "unit", "command", "timeout", NULL };
	g_autoptr(VarveManifestCheck) check = varve_manifest_check_new("", NULL, 0);
	gint64 timeout;

	if (!json_is_object(object))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: an item of 'checks' is of another type, expected an object",
				  name);
	if (!varve_members_check(object, known, name, error))
		return FALSE;
	if (!json_object_get(object, "unit") == !json_object_get(object, "command"))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: an item of 'checks' must have one of 'unit' and 'command'",
				  name);
	if (json_object_get(object, "unit")
		    ? !varve_members_word(object, "unit", UNIT_CHARACTERS, name, &check->unit,
					  error)
		    : !get_list(object, "command", NULL, name, &check->command, error))
		return FALSE;
	if (!*check->unit && (!check->command[0] || check->command[0][0] != '/'))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'command' of 'checks' does not begin with an absolute path",
				  name);
	if (!varve_json_get_int(object, "timeout", name, 1, VARVE_CHECK_TIMEOUT_MAX, &timeout,
				error))
		return FALSE;
	check->timeout = (guint)timeout;
	g_ptr_array_add(checks, g_steal_pointer(&check));
	return TRUE;
}

static gboolean parse_checks(const json_t *root, const char *name, GPtrArray *checks,
			     GError **error)
{
	const json_t *array = json_object_get(root, "checks");

	if (!array)
		return TRUE;
	if (!json_is_array(array) || json_array_size(array) == 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'checks' is empty or of another type, expected an array "
				  "with something in it",
				  name);
	for (gsize i = 0; i < json_array_size(array); i++)
		if (!parse_check(json_array_get(array, i), name, checks, error))
			return FALSE;
	return TRUE;
}

/* What a swap of the layer does about units. */
static gboolean parse_units(const json_t *root, const char *name, VarveManifest *manifest,
			    GError **error)
{
	return get_list(root, "restart", UNIT_CHARACTERS, name, &manifest->restart, error) &&
	       get_units(root, "reload", name, &manifest->reload, error) &&
	       get_units(root, "ask", name, &manifest->ask, error) &&
	       parse_checks(root, name, manifest->checks, error);
}

static gboolean get_date(const json_t *object, const char *key, const char *name, char **ret,
			 GError **error)
{
	static const char shape[] = "dddd-dd-dd";
	gboolean good;
	int year, month, day;

	if (!varve_members_text(object, key, name, ret, error))
		return FALSE;
	if (!**ret)
		return TRUE;
	good = strlen(*ret) == strlen(shape);
	for (gsize i = 0; good && shape[i]; i++)
		good = shape[i] == 'd' ? g_ascii_isdigit((*ret)[i]) : (*ret)[i] == shape[i];
	good = good && sscanf(*ret, "%4d-%2d-%2d", &year, &month, &day) == 3 && year > 0 &&
	       month >= 1 && month <= 12 && day >= 1 &&
	       g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year);
	if (!good)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: '%s' is '%s', expected a date YYYY-MM-DD or nothing", name,
				  key, *ret);
	return TRUE;
}

static gboolean parse_inputs(const json_t *root, const char *name, GHashTable *inputs,
			     GError **error)
{
	const json_t *object = json_object_get(root, "inputs");
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'inputs' is missing or of another type, expected an object",
				  name);
	json_object_foreach ((json_t *)object, key, value) {
		char *text = NULL;

		if (!varve_members_made_of(key, "._-"))
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: 'inputs' has a key that is no word", name);
		if (!varve_members_word(object, key, "._:+-", name, &text, error)) {
			g_free(text);
			return FALSE;
		}
		g_hash_table_insert(inputs, g_strdup(key), text);
	}
	return TRUE;
}

/* Who the layer is and for what. */
static gboolean parse_identity(const json_t *root, const char *name, VarveManifest *manifest,
			       GError **error)
{
	static const char *const known_os[] = { "id", "version-id", NULL };
	const json_t *os = json_object_get(root, "os");
	const char *role;
	gint64 rollback_index;

	if (!varve_members_word(root, "name", ".+-", name, &manifest->name, error) ||
	    !varve_members_word(root, "version", ".+~^-", name, &manifest->version, error) ||
	    !varve_members_word(root, "arch", "-", name, &manifest->arch, error) ||
	    !varve_json_get_int(root, "rollback-index", name, 0, G_MAXINT64, &rollback_index,
				error) ||
	    !varve_json_get_string(root, "role", name, &role, error))
		return FALSE;
	if (!g_ascii_isalnum(*manifest->name))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'name' is '%s', expected a letter or digit first", name,
				  manifest->name);
	if (!varve_role_from_name(role, &manifest->role))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'role' is none of base, extension, patch", name);
	if (!json_is_object(os))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: 'os' is missing or of another type, expected an object",
				  name);
	manifest->rollback_index = (guint64)rollback_index;
	return varve_members_check(os, known_os, name, error) &&
	       varve_members_word(os, "id", "._-", name, &manifest->os_id, error) &&
	       varve_members_word(os, "version-id", "._-", name, &manifest->os_version_id, error) &&
	       get_date(root, "support-end", name, &manifest->support_end, error);
}

VarveManifest *varve_manifest_parse(const char *text, size_t size, const char *name, GError **error)
{
	static const char *const known[] = { "format",   "name",     "version",    "rollback-index",
					     "role",     "arch",     "os",         "provides",
					     "requires", "replaces", "supersedes", "restart",
					     "reload",   "ask",      "checks",     "support-end",
					     "packages", "inputs",   "paths",      "overrides",
					     NULL };
	g_autoptr(VarveManifest) manifest = varve_manifest_new();
	g_autoptr(json_t) root = varve_json_parse(text, size, name, error);

	if (!root || !varve_members_format(root, FORMAT, name, error) ||
	    !varve_members_check(root, known, name, error) ||
	    !parse_identity(root, name, manifest, error) ||
	    !get_list(root, "provides", NULL, name, &manifest->provides, error) ||
	    !get_list(root, "requires", NULL, name, &manifest->requires, error) ||
	    !get_list(root, "replaces", ".+-", name, &manifest->replaces, error) ||
	    !get_list(root, "supersedes", NULL, name, &manifest->supersedes, error) ||
	    !parse_units(root, name, manifest, error) ||
	    !varve_members_packages(root, name, manifest->packages, error) ||
	    !parse_inputs(root, name, manifest->inputs, error) ||
	    !varve_members_digest(root, "paths", name, &manifest->paths, error) ||
	    !varve_overrides_parse(root, name, manifest->overrides, error))
		return NULL;
	if (manifest->overrides->len > 0 && manifest->role != VARVE_ROLE_PATCH) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "%s: it has 'overrides' and the role %s: only a patch overrides files",
			   name, varve_role_name(manifest->role));
		return NULL;
	}
	return g_steal_pointer(&manifest);
}
