/* Inputs of a component. */
#include "component/inputs.h"

#include "base/checksum.h"
#include "base/error.h"
#include "base/file.h"
#include "crypt/sha256.h"

#include <string.h>

#define SHOWN 64 /* bytes of a value that are told */

static void free_input(gpointer data)
{
	VarveComponentInput *input = data;

	g_free(input->key);
	g_free(input->name);
	g_free(input->value);
	g_free(input->shown);
	g_free(input);
}

static void add(GPtrArray *inputs, const char *key, const char *name, const char *value,
		const char *shown)
{
	VarveComponentInput *input = g_new0(VarveComponentInput, 1);

	input->key = g_strdup(key);
	input->name = g_strdup(name);
	input->value = g_strdup(value);
	input->shown =
		shown ? g_strdup(shown) : g_strdup_printf("%s%s%s", key, *name ? " " : "", name);
	g_ptr_array_add(inputs, input);
}

static void add_strings(GPtrArray *inputs, const char *key, const char *const *names)
{
	for (; names && *names; names++)
		add(inputs, key, *names, "yes", NULL);
}

/* One field of an overlay; told apart from the next by its length. */
static void add_field(GString *text, const char *name, const char *value)
{
	if (value && *value)
		g_string_append_printf(text, "%s %zu %s\n", name, strlen(value), value);
}

static gboolean add_source(GString *text, const char *path, GError **error)
{
	varve_autofd fd = open(path, O_RDONLY | O_CLOEXEC);
	g_autofree char *hex = NULL;
	VarveDigest digest;
	guint64 size;

	if (fd < 0)
		return varve_fail_errno(error, errno, "%s", path);
	if (!varve_sha256_fd(fd, &digest, &size, error))
		return FALSE;
	hex = varve_digest_dup_hex(&digest);
	add_field(text, "content", hex);
	return TRUE;
}

static char *digest_of(const GString *text)
{
	VarveDigest digest;

	varve_sha256(text->str, text->len, &digest);
	return varve_digest_dup_hex(&digest);
}

/* The name of the file that an overlay adds is what follows from `source` where `file` is not set.
 */
static const char *name_of_source(const VarveSpecOverlay *overlay)
{
	const char *slash = overlay->source ? strrchr(overlay->source, '/') : NULL;

	return slash ? slash + 1 : overlay->source;
}

static gboolean add_overlay(GPtrArray *inputs, const VarveSpecOverlay *overlay, gsize number,
			    GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *name = g_strdup_printf("%zu", number), *value = NULL, *shown = NULL;
	g_autofree char *origin = varve_origin_text(&overlay->origin);

	add_field(text, "type", varve_overlay_type_name(overlay->type));
	add_field(text, "file", overlay->file);
	add_field(text, "archive", overlay->archive);
	add_field(text, "section", overlay->section);
	add_field(text, "package", overlay->package);
	add_field(text, "tag", overlay->tag);
	add_field(text, "value", overlay->value);
	add_field(text, "regex", overlay->regex);
	add_field(text, "replacement", overlay->replacement);
	for (const char *const *line = overlay->lines; line && *line; line++)
		g_string_append_printf(text, "line %zu %s\n", strlen(*line), *line);
	add_field(text, "source", name_of_source(overlay));
	if (overlay->source && !add_source(text, overlay->source, error)) {
		g_prefix_error(error, "overlay %zu (%s): ", number, origin);
		return FALSE;
	}
	value = digest_of(text);
	shown = g_strdup_printf("overlay %zu (%s, %s%s%s)", number,
				varve_overlay_type_name(overlay->type), origin,
				overlay->description && *overlay->description ? ": " : "",
				overlay->description ? overlay->description : "");
	add(inputs, "overlay", name, value, shown);
	return TRUE;
}

static void add_build(GPtrArray *inputs, const VarveEffective *effective)
{
	static const char *const calculations[] = {
		[VARVE_RELEASE_AUTO] = "auto",
		[VARVE_RELEASE_AUTORELEASE] = "autorelease",
		[VARVE_RELEASE_STATIC] = "static",
		[VARVE_RELEASE_MANUAL] = "manual",
	};
	const VarveComponent *component = &effective->component;
	const VarveComponentBuild *build = &component->build;

	add_strings(inputs, "with", build->with);
	add_strings(inputs, "without", build->without);
	add_strings(inputs, "undefine", build->undefines);
	for (gsize i = 0; i < build->n_defines; i++)
		add(inputs, "define", build->defines[i].key, build->defines[i].value, NULL);
	if (build->emit_upstream_provenance)
		add(inputs, "build.emit-upstream-provenance", "", "true", NULL);
	if (build->check_skip)
		add(inputs, "check.skip", "",
		    build->check_skip_reason ? build->check_skip_reason : "", NULL);
	if (component->has_release && component->release != VARVE_RELEASE_AUTO)
		add(inputs, "release.calculation", "", calculations[component->release], NULL);
	if (component->skip_file_filter)
		add(inputs, "render.skip-file-filter", "", "true", NULL);
}

/* It is part of every package's release, through %dist. */
static void add_distro(GPtrArray *inputs, const VarveDefinition *definition)
{
	const VarveDistroReference *reference = &definition->components->default_distro;
	const VarveDistro *distro =
		reference->origin.line
			? varve_distro_find(definition->components, reference->name, NULL)
			: NULL;
	const VarveDistroVersion *version =
		distro ? varve_distro_version(distro, reference->version, NULL) : NULL;

	if (version && version->release_ver)
		add(inputs, "release-ver", "", version->release_ver, NULL);
}

/* What the lock knows: the upstream as it was found. */
static void add_record(GPtrArray *inputs, const VarveComponentRecord *record)
{
	if (record->upstream)
		add(inputs, "upstream", "", record->upstream, NULL);
	if (record->commit)
		add(inputs, "commit", "", record->commit, "spec commit");
	add(inputs, "spec", "", record->spec, "the upstream's spec");
	for (guint i = 0; i < record->sources->entries->len; i++) {
		const VarveSourceEntry *entry = record->sources->entries->pdata[i];
		g_autofree char *value =
			g_strdup_printf("%s %s", varve_checksum_name(entry->type), entry->checksum);

		add(inputs, "source", entry->name, value, NULL);
	}
}

/* A spec of our own has its files beside it. */
static gboolean add_directory(GPtrArray *inputs, const char *path, const char *prefix,
			      GError **error)
{
	g_auto(GStrv) names = NULL;

	if (!varve_dir_list(AT_FDCWD, path, &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *inner = g_build_filename(path, *name, NULL);
		g_autofree char *shown = g_strconcat(prefix, *name, NULL);
		g_autoptr(GString) text = g_string_new(NULL);
		g_autofree char *value = NULL, *below = NULL;

		/* The definition's own files are read, not built from. */
		if (g_str_has_suffix(*name, ".toml") || strcmp(*name, ".git") == 0)
			continue;
		if (g_file_test(inner, G_FILE_TEST_IS_SYMLINK)) {
			value = g_file_read_link(inner, NULL);
		} else if (g_file_test(inner, G_FILE_TEST_IS_DIR)) {
			below = g_strconcat(shown, "/", NULL);
			if (!add_directory(inputs, inner, below, error))
				return FALSE;
			continue;
		} else {
			if (!add_source(text, inner, error))
				return FALSE;
			value = digest_of(text);
		}
		add(inputs, "file", shown, value ? value : "", NULL);
	}
	return TRUE;
}

static gboolean add_local(GPtrArray *inputs, const VarveEffective *effective, GError **error)
{
	const VarveComponent *component = &effective->component;
	const char *path = component->found_spec ? component->found_spec : component->spec.path;
	g_autofree char *directory = NULL;

	if (!component->found_spec && component->spec.type != VARVE_SPEC_LOCAL)
		return TRUE;
	directory = g_path_get_dirname(path);
	return add_directory(inputs, directory, "", error);
}

static int compare_inputs(gconstpointer a, gconstpointer b)
{
	const VarveComponentInput *left = *(const VarveComponentInput *const *)a,
				  *right = *(const VarveComponentInput *const *)b;
	int order = strcmp(left->key, right->key);

	if (order == 0 && strcmp(left->key, "overlay") == 0)
		return atoi(left->name) - atoi(right->name);
	return order != 0 ? order : strcmp(left->name, right->name);
}

GPtrArray *varve_component_inputs_new(const VarveDefinition *definition,
				      const VarveEffective *effective,
				      const VarveComponentRecord *record, GError **error)
{
	g_autoptr(GPtrArray) inputs = g_ptr_array_new_with_free_func(free_input);
	const VarveComponent *component = &effective->component;

	add_build(inputs, effective);
	add_distro(inputs, definition);
	for (gsize i = 0; i < component->n_overlays; i++) {
		if (!add_overlay(inputs, &component->overlays[i], i + 1, error)) {
			g_prefix_error(error, "component '%s': ", effective->name);
			return NULL;
		}
	}
	if (!add_local(inputs, effective, error))
		return NULL;
	if (record)
		add_record(inputs, record);
	g_ptr_array_sort(inputs, compare_inputs);
	return g_steal_pointer(&inputs);
}

char *varve_component_inputs_fingerprint(const GPtrArray *inputs)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < inputs->len; i++) {
		const VarveComponentInput *input = inputs->pdata[i];

		g_string_append_printf(text, "%s %zu %s %zu %s\n", input->key, strlen(input->name),
				       input->name, strlen(input->value), input->value);
	}
	return digest_of(text);
}

/* Differences. Overlays are told apart by what they do, the rest by its name. */

static gboolean is_overlay(const VarveComponentInput *input)
{
	return strcmp(input->key, "overlay") == 0;
}

static const VarveComponentInput *find(const GPtrArray *inputs, const VarveComponentInput *like)
{
	for (guint i = 0; i < inputs->len; i++) {
		const VarveComponentInput *input = inputs->pdata[i];

		if (strcmp(input->key, like->key) == 0 && strcmp(input->name, like->name) == 0)
			return input;
	}
	return NULL;
}

static guint count(const GPtrArray *inputs, const char *value)
{
	guint n = 0;

	for (guint i = 0; i < inputs->len; i++) {
		const VarveComponentInput *input = inputs->pdata[i];

		n += is_overlay(input) && strcmp(input->value, value) == 0;
	}
	return n;
}

static gboolean is_digest(const char *value)
{
	return strlen(value) >= 32 && strspn(value, "0123456789abcdef") == strlen(value);
}

static void say_change(GPtrArray *reasons, const VarveComponentInput *before,
		       const VarveComponentInput *after)
{
	gboolean digests = is_digest(before->value) && is_digest(after->value);

	if (digests && strcmp(after->key, "commit") == 0)
		g_ptr_array_add(reasons, g_strdup_printf("%s %.12s → %.12s", after->shown,
							 before->value, after->value));
	else if (digests || strlen(before->value) > SHOWN || strlen(after->value) > SHOWN)
		g_ptr_array_add(reasons, g_strdup_printf("%s changed", after->shown));
	else
		g_ptr_array_add(reasons, g_strdup_printf("%s '%s' → '%s'", after->shown,
							 before->value, after->value));
}

static void say(GPtrArray *reasons, const VarveComponentInput *input, const char *what)
{
	g_ptr_array_add(reasons, g_strdup_printf("%s %s", input->shown, what));
}

static void compare_overlays(GPtrArray *reasons, const GPtrArray *before, const GPtrArray *after)
{
	gboolean moved = FALSE;
	guint start = reasons->len;

	for (guint i = 0; i < after->len; i++) {
		const VarveComponentInput *input = after->pdata[i];
		const VarveComponentInput *same_place =
			is_overlay(input) ? find(before, input) : NULL;

		if (!is_overlay(input))
			continue;
		moved = moved || !same_place || strcmp(same_place->value, input->value) != 0;
		if (count(before, input->value) >= count(after, input->value))
			continue;
		/* What stood in its place and is gone has become this. */
		say(reasons, input,
		    same_place && count(after, same_place->value) == 0 ? "changed" : "is new");
	}
	for (guint i = 0; i < before->len; i++) {
		const VarveComponentInput *input = before->pdata[i];
		const VarveComponentInput *same_place =
			is_overlay(input) ? find(after, input) : NULL;

		if (is_overlay(input) && count(after, input->value) < count(before, input->value) &&
		    !(same_place && count(before, same_place->value) == 0))
			say(reasons, input, "is gone");
	}
	if (moved && reasons->len == start)
		g_ptr_array_add(reasons, g_strdup("its overlays are in another order"));
}

GPtrArray *varve_component_inputs_compare(const GPtrArray *before, const GPtrArray *after)
{
	GPtrArray *reasons = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < after->len; i++) {
		const VarveComponentInput *input = after->pdata[i], *old;

		if (is_overlay(input))
			continue;
		old = find(before, input);
		if (!old)
			say(reasons, input, "is new");
		else if (strcmp(old->value, input->value) != 0)
			say_change(reasons, old, input);
	}
	for (guint i = 0; i < before->len; i++) {
		const VarveComponentInput *input = before->pdata[i];

		if (!is_overlay(input) && !find(after, input))
			say(reasons, input, "is gone");
	}
	compare_overlays(reasons, before, after);
	return reasons;
}
