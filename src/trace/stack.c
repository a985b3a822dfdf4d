/* Layers: manifests and path tables, from their own mounts. */
#include "trace/stack.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ground/fd.h"
#include "stack/stack.h"

#include <string.h>
#include <sys/stat.h>

#define MANIFEST_LIMIT ((size_t)16 * 1024 * 1024)

static void set(char **field, const char *value)
{
	char *copy = g_strdup(value ? value : "");

	g_free(*field);
	*field = copy;
}

VarveTraceLayer *varve_trace_layer_new(const VarveDigest *root)
{
	VarveTraceLayer *layer = g_new0(VarveTraceLayer, 1);

	layer->root = varve_digest_dup_hex(root);
	layer->digest = *root;
	layer->fd = -1;
	layer->enforcement = g_strdup("");
	layer->file = g_strdup("");
	varve_trace_signer_set(&layer->signer, "", NULL, "nobody was asked");
	return layer;
}

void varve_trace_layer_free(VarveTraceLayer *layer)
{
	if (!layer)
		return;
	varve_manifest_free(layer->manifest);
	varve_path_table_free(layer->paths);
	varve_erofs_free(layer->erofs);
	varve_layer_free(layer->layer);
	varve_autofd_close(&layer->fd);
	g_free(layer->root);
	g_free(layer->enforcement);
	g_free(layer->file);
	g_free(layer->signer.certificate);
	g_free(layer->signer.subject);
	g_free(layer->signer.fingerprint);
	g_free(layer->signer.basis);
	g_free(layer);
}

VarveTraceStack *varve_trace_stack_new(void)
{
	VarveTraceStack *stack = g_new0(VarveTraceStack, 1);

	stack->layers = g_ptr_array_new_with_free_func((GDestroyNotify)varve_trace_layer_free);
	stack->problems = g_ptr_array_new_with_free_func(g_free);
	return stack;
}

void varve_trace_stack_free(VarveTraceStack *stack)
{
	if (!stack)
		return;
	g_ptr_array_unref(stack->layers);
	g_ptr_array_unref(stack->problems);
	g_free(stack);
}

void varve_trace_stack_problem(VarveTraceStack *stack, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(stack->problems, varve_text_printable(format, args));
	va_end(args);
}

void varve_trace_signer_set(VarveTraceSigner *signer, const char *name,
			    const VarveCertificate *certificate, const char *basis)
{
	set(&signer->certificate, name);
	set(&signer->basis, basis);
	set(&signer->subject, certificate ? varve_certificate_subject(certificate) : "");
	g_free(signer->fingerprint);
	signer->fingerprint =
		certificate ? varve_digest_dup_hex(varve_certificate_fingerprint(certificate))
			    : g_strdup("");
	signer->development = certificate && varve_certificate_is_development(certificate);
	signer->verified = FALSE;
}

gboolean varve_trace_layer_load(VarveTraceLayer *layer, GError **error)
{
	g_autofree char *name = varve_mounted_find_manifest(layer->fd, error);
	g_autofree char *json = NULL, *stem = NULL, *text = NULL;
	size_t size;

	if (!name)
		return FALSE;
	json = g_strconcat(VARVE_LAYERS_DIR "/", name, NULL);
	stem = g_strndup(name, strlen(name) - strlen(".json"));
	if (!varve_file_read_beneath(layer->fd, json, MANIFEST_LIMIT, &text, &size, error))
		return FALSE;
	layer->manifest = varve_manifest_parse(text, size, json, error);
	if (!layer->manifest)
		return FALSE;
	layer->paths = varve_mounted_map_paths(layer->fd, stem, error);
	return layer->paths != NULL;
}

/* The manifest and the table, which cannot be in the table. */
static gboolean describes_itself(const VarveTraceLayer *layer, const char *path)
{
	g_autofree char *json =
		g_strconcat(VARVE_LAYERS_DIR "/", layer->manifest->name, ".json", NULL);
	g_autofree char *table =
		g_strconcat(VARVE_LAYERS_DIR "/", layer->manifest->name, ".paths", NULL);

	return strcmp(path, json) == 0 || strcmp(path, table) == 0;
}

gboolean varve_trace_layer_find(const VarveTraceLayer *layer, const char *path, gboolean *ret_found,
				VarvePath *ret_record, gboolean *ret_self, GError **error)
{
	g_autoptr(GError) local = NULL;
	gsize index;

	*ret_self = FALSE;
	if (varve_path_table_find(layer->paths, path, &index, &local)) {
		*ret_found = TRUE;
		return varve_path_table_get(layer->paths, index, ret_record, error);
	}
	if (!g_error_matches(local, VARVE_ERROR, VARVE_ERROR_NOT_FOUND)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	/* The table may leave out the root. */
	*ret_self = describes_itself(layer, path);
	*ret_found = *ret_self || !*path;
	if (*ret_found)
		*ret_record = (VarvePath){ .path = *path ? g_intern_string(path) : "",
					   .mode = *path ? S_IFREG | 0644 : S_IFDIR | 0755,
					   .target = "",
					   .label = "",
					   .package = "" };
	return TRUE;
}

const VarveManifestPackage *varve_trace_layer_package(const VarveTraceLayer *layer,
						      const char *nevra)
{
	for (guint i = 0; *nevra && i < layer->manifest->packages->len; i++) {
		const VarveManifestPackage *package = layer->manifest->packages->pdata[i];
		g_autofree char *name = NULL;

		if (!g_str_has_prefix(nevra, package->name))
			continue;
		name = varve_manifest_package_nevra(package);
		if (strcmp(name, nevra) == 0)
			return package;
	}
	return NULL;
}

gboolean varve_trace_layer_below(const VarveTraceLayer *layer, const char *path,
				 VarveTraceVisit visit, gpointer data, GError **error)
{
	g_autofree char *prefix = g_strconcat(path, "/", NULL);
	gsize index;

	if (!varve_path_table_seek(layer->paths, prefix, &index, error))
		return FALSE;
	for (; index < varve_path_table_count(layer->paths); index++) {
		VarvePath record;

		if (!varve_path_table_get(layer->paths, index, &record, error))
			return FALSE;
		if (!g_str_has_prefix(record.path, prefix))
			return TRUE;
		if (!visit(layer, &record, data, error))
			return FALSE;
	}
	return TRUE;
}
