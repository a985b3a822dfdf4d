/* A policy and layers in memory, for tests of what the policy makes of them. */
#pragma once

#include "base/file.h"
#include "crypt/authority.h"
#include "policy/policy.h"

#include <string.h>
#include <sys/stat.h>

static const char release_text[] = "ID=varve\nVERSION_ID=\"1\"\nARCHITECTURE=x86-64\n";

/* One layer in memory. */
typedef struct {
	VarveManifest *manifest;
	GPtrArray *tree;
	VarveFacts facts;
	char *file;
} Layer;

typedef struct {
	VarveTrusted signer;
	VarvePolicy *policy;
	Layer *base;
	GPtrArray *layers; /* Layer *, in the order of the candidates */
} Fixture;

static inline void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

static inline VarvePath *add_path(Layer *layer, const char *name, mode_t mode)
{
	VarvePath *path = g_new0(VarvePath, 1);

	path->path = name;
	path->mode = mode;
	path->target = path->label = path->package = "";
	g_ptr_array_add(layer->tree, path);
	return path;
}

static inline gint by_path(gconstpointer a, gconstpointer b)
{
	const VarvePath *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

static inline Layer *layer_new(Fixture *f, const char *name, VarveRole role)
{
	Layer *layer = g_new0(Layer, 1);

	layer->manifest = varve_manifest_new();
	set(&layer->manifest->name, name);
	set(&layer->manifest->version, "1");
	set(&layer->manifest->arch, "x86-64");
	set(&layer->manifest->os_id, "varve");
	set(&layer->manifest->os_version_id, "1");
	layer->manifest->role = role;
	layer->manifest->rollback_index = 5;
	layer->tree = g_ptr_array_new_with_free_func(g_free);
	add_path(layer, "", S_IFDIR | 0755);
	add_path(layer, "usr", S_IFDIR | 0755);
	add_path(layer, "usr/bin", S_IFDIR | 0755);
	layer->file = g_strdup_printf("%s_1_x86-64.raw", name);
	layer->facts = (VarveFacts){
		.file = role == VARVE_ROLE_BASE ? "" : layer->file,
		.signer = &f->signer,
		.manifest = layer->manifest,
		.tree = layer->tree,
		.extension_release = release_text,
	};
	return layer;
}

static inline void layer_free(gpointer data)
{
	Layer *layer = data;

	varve_manifest_free(layer->manifest);
	g_ptr_array_unref(layer->tree);
	g_free(layer->file);
	g_free(layer);
}

static inline void teardown(Fixture *f, gconstpointer data)
{
	(void)data;
	g_ptr_array_unref(f->layers);
	layer_free(f->base);
	varve_policy_free(f->policy);
}

/* What the policy says of each candidate: NULL or its refusal. */
static inline GPtrArray *judge(Fixture *f)
{
	g_autoptr(GPtrArray) facts = g_ptr_array_new();

	g_ptr_array_sort(f->base->tree, by_path);
	for (guint i = 0; i < f->layers->len; i++) {
		Layer *layer = f->layers->pdata[i];

		g_ptr_array_sort(layer->tree, by_path);
		varve_manifest_sort(layer->manifest);
		g_ptr_array_add(facts, &layer->facts);
	}
	return varve_policy_decide(f->policy, &f->base->facts, facts, 20000);
}

/* The one certificate of all tests; making a key takes long. */
static inline VarveCertificate *make_certificate(void)
{
	g_autofree char *dir = g_dir_make_tmp("varve-policy-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "team.crt", NULL);
	VarveCertificate *certificate;

	g_assert_true(varve_authority_make(dir, "team", NULL));
	certificate = varve_certificate_load(path, NULL);
	g_assert_nonnull(certificate);
	varve_dir_remove(AT_FDCWD, dir, NULL);
	return certificate;
}
