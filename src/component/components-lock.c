/* The lock of components: TOML with dotted keys, so that every line says whose it is and a
 * difference of two locks can be read, and its history searched, line by line. */
#include "component/components-lock.h"

#include "base/checksum.h"
#include "base/error.h"
#include "base/file.h"
#include "toml/toml.h"
#include "toml/write.h"

#include <string.h>

#define LOCK_VERSION 1
#define LOCK_LIMIT (256u << 20)

struct VarveComponentsLock {
	GHashTable *records; /* name → VarveComponentRecord */
};

void varve_component_record_free(VarveComponentRecord *record)
{
	if (!record)
		return;
	g_free(record->name);
	g_free(record->upstream);
	g_free(record->pin);
	g_free(record->commit);
	g_free(record->spec);
	g_free(record->fingerprint);
	varve_sources_file_free(record->sources);
	g_free(record);
}

static void free_record(gpointer data)
{
	varve_component_record_free(data);
}

static VarveComponentsLock *new_lock(void)
{
	VarveComponentsLock *lock = g_new0(VarveComponentsLock, 1);

	lock->records = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_record);
	return lock;
}

void varve_components_lock_free(VarveComponentsLock *lock)
{
	if (!lock)
		return;
	g_hash_table_unref(lock->records);
	g_free(lock);
}

/* "SHA512 HEX" */
static gboolean read_source(const VarveToml *toml, const VarveTomlEntry *entry,
			    VarveSourcesFile *sources, GError **error)
{
	const char *text = entry->value->type == VARVE_TOML_STRING ? entry->value->string.text : "";
	g_auto(GStrv) words = g_strsplit(text, " ", 2);
	GChecksumType type;

	if (g_strv_length(words) != 2 || !varve_checksum_type(words[0], &type) ||
	    !varve_checksum_valid(type, words[1]) || !varve_is_file_name(entry->key))
		return varve_toml_fail(toml, entry->key_span, error,
				       "expected \"FILE\" = \"SHA512 CHECKSUM\"");
	varve_sources_file_set(sources, entry->key, type, words[1]);
	return TRUE;
}

static char **field_of(VarveComponentRecord *record, const char *key)
{
	const struct {
		const char *key;
		char **field;
	} fields[] = {
		{ "commit", &record->commit },     { "fingerprint", &record->fingerprint },
		{ "pin", &record->pin },           { "spec", &record->spec },
		{ "upstream", &record->upstream },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
		if (strcmp(fields[i].key, key) == 0)
			return fields[i].field;
	}
	return NULL;
}

static gboolean read_record(VarveComponentsLock *lock, const VarveToml *toml,
			    const VarveTomlEntry *from, GError **error)
{
	g_autoptr(VarveComponentRecord) record = g_new0(VarveComponentRecord, 1);

	record->name = g_strdup(from->key);
	record->sources = varve_sources_file_new();
	if (from->value->type != VARVE_TOML_TABLE)
		return varve_toml_fail(toml, from->key_span, error,
				       "expected \"NAME\".KEY = \"…\"");
	TOML_FOREACH (entry, from->value) {
		char **field = field_of(record, entry->key);

		if (strcmp(entry->key, "source") == 0 && entry->value->type == VARVE_TOML_TABLE) {
			TOML_FOREACH (source, entry->value) {
				if (!read_source(toml, source, record->sources, error))
					return FALSE;
			}
			continue;
		}
		if (!field || entry->value->type != VARVE_TOML_STRING)
			return varve_toml_fail(toml, entry->key_span, error,
					       "'%s' is no fact of a component that is known here",
					       entry->key);
		*field = g_strdup(entry->value->string.text);
	}
	if (!record->fingerprint || !record->pin || !record->spec)
		return varve_toml_fail(toml, from->key_span, error,
				       "'%s' lacks its fingerprint, pin or spec", from->key);
	varve_components_lock_set(lock, g_steal_pointer(&record));
	return TRUE;
}

static gboolean read_all(VarveComponentsLock *lock, const VarveToml *toml, const char *name,
			 GError **error)
{
	const VarveTomlEntry *version = varve_toml_entry(varve_toml_root(toml), "version");

	if (!version || version->value->type != VARVE_TOML_INTEGER ||
	    version->value->integer != LOCK_VERSION)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "%s: is not a lock of components of version %d: remove it and "
				  "render again",
				  name, LOCK_VERSION);
	TOML_FOREACH (entry, varve_toml_root(toml)) {
		if (entry != version && !read_record(lock, toml, entry, error))
			return FALSE;
	}
	return TRUE;
}

VarveComponentsLock *varve_components_lock_parse(const char *text, gsize size, const char *name,
						 GError **error)
{
	g_autoptr(VarveComponentsLock) lock = new_lock();
	g_autoptr(GError) cause = NULL;
	g_autoptr(VarveToml) toml = varve_toml_parse(name, text, size, &cause);

	if (toml && read_all(lock, toml, name, &cause))
		return g_steal_pointer(&lock);
	varve_fail(error,
		   cause->code == VARVE_ERROR_DEFINITION ? VARVE_ERROR_CORRUPT
							 : (VarveError)cause->code,
		   "%s", cause->message);
	return NULL;
}

VarveComponentsLock *varve_components_lock_open(const char *path, GError **error)
{
	g_autoptr(GError) cause = NULL;
	g_autofree char *text = NULL;
	size_t size;

	if (varve_file_read(AT_FDCWD, path, LOCK_LIMIT, &text, &size, &cause))
		return varve_components_lock_parse(text, size, path, error);
	if (g_error_matches(cause, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
		return new_lock();
	g_propagate_error(error, g_steal_pointer(&cause));
	return NULL;
}

const VarveComponentRecord *varve_components_lock_find(const VarveComponentsLock *lock,
						       const char *name)
{
	return g_hash_table_lookup(lock->records, name);
}

void varve_components_lock_set(VarveComponentsLock *lock, VarveComponentRecord *record)
{
	g_hash_table_replace(lock->records, record->name, record);
}

static gboolean is_not_named(gpointer key, gpointer value, gpointer data)
{
	(void)value;
	return !g_hash_table_contains(data, key);
}

void varve_components_lock_keep(VarveComponentsLock *lock, const char *const *names)
{
	g_autoptr(GHashTable) kept = g_hash_table_new(g_str_hash, g_str_equal);

	for (; *names; names++)
		g_hash_table_add(kept, (gpointer)*names);
	g_hash_table_foreach_remove(lock->records, is_not_named, kept);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *varve_components_lock_names(const VarveComponentsLock *lock)
{
	GPtrArray *names = g_ptr_array_new();
	GHashTableIter iterator;
	gpointer key;

	g_hash_table_iter_init(&iterator, lock->records);
	while (g_hash_table_iter_next(&iterator, &key, NULL))
		g_ptr_array_add(names, key);
	g_ptr_array_sort(names, compare_names);
	return names;
}

char *varve_components_lock_line(const char *name, const char *key)
{
	g_autoptr(GString) text = g_string_new(NULL);

	varve_toml_append_string(text, name);
	g_string_append_printf(text, ".%s = ", key);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void append_fact(GString *text, const char *name, const char *key, const char *value)
{
	g_autofree char *line = varve_components_lock_line(name, key);

	if (!value)
		return;
	g_string_append(text, line);
	varve_toml_append_string(text, value);
	g_string_append_c(text, '\n');
}

static int compare_entries(gconstpointer a, gconstpointer b)
{
	return strcmp((*(const VarveSourceEntry *const *)a)->name,
		      (*(const VarveSourceEntry *const *)b)->name);
}

static void append_record(GString *text, const VarveComponentRecord *record)
{
	g_autoptr(GPtrArray) sorted = g_ptr_array_copy(record->sources->entries, NULL, NULL);

	g_ptr_array_set_free_func(sorted, NULL);
	g_ptr_array_sort(sorted, compare_entries);
	append_fact(text, record->name, "commit", record->commit);
	append_fact(text, record->name, "fingerprint", record->fingerprint);
	append_fact(text, record->name, "pin", record->pin);
	for (guint i = 0; i < sorted->len; i++) {
		const VarveSourceEntry *entry = sorted->pdata[i];
		g_autoptr(GString) key = g_string_new("source.");
		g_autofree char *value =
			g_strdup_printf("%s %s", varve_checksum_name(entry->type), entry->checksum);

		varve_toml_append_string(key, entry->name);
		append_fact(text, record->name, key->str, value);
	}
	append_fact(text, record->name, "spec", record->spec);
	append_fact(text, record->name, "upstream", record->upstream);
}

char *varve_components_lock_print(const VarveComponentsLock *lock)
{
	g_autoptr(GPtrArray) names = varve_components_lock_names(lock);
	g_autoptr(GString) text = g_string_new(
		"# What each component was made from. Written by 'varve component "
		"render'; its --update moves\n# what follows a branch or a snapshot.\n");

	g_string_append_printf(text, "version = %d\n", LOCK_VERSION);
	for (guint i = 0; i < names->len; i++) {
		g_string_append_c(text, '\n');
		append_record(text, g_hash_table_lookup(lock->records, names->pdata[i]));
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

gboolean varve_components_lock_save(const VarveComponentsLock *lock, const char *path,
				    GError **error)
{
	g_autofree char *text = varve_components_lock_print(lock), *there = NULL;
	size_t size;

	if (varve_file_read(AT_FDCWD, path, LOCK_LIMIT, &there, &size, NULL) &&
	    strcmp(there, text) == 0)
		return TRUE;
	return varve_file_write(AT_FDCWD, path, text, strlen(text), 0644, error);
}
