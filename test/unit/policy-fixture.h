/* A policy, a base and layers in memory, for tests of the policy's rules. */
#pragma once

#include "layer-fixture.h"
#include "policy/tighten.h"

static const char policy_text[] = "[[allow]]\n"
				  "certificate = \"team.crt\"\n"
				  "layers = [\"app*\", \"lib\"]\n"
				  "roles = [\"extension\"]\n"
				  "paths = [\"/usr/bin/*\", \"/usr/l*/**\", \"/usr/share/**\"]\n"
				  "[rollback-floors]\n"
				  "app = 3\n"
				  "[revoked]\n"
				  "layers = [\"00000000000000000000000000000000"
				  "000000000000000000000000000000ff\"]\n";

static const char local_text[] = "[[deny]]\n"
				 "layers = [\"app-denied\"]\n"
				 "reason = \"not on this node\"\n";

static inline Layer *add_layer(Fixture *f, const char *name, const char *binary)
{
	Layer *layer = layer_new(f, name, VARVE_ROLE_EXTENSION);

	add_path(layer, binary, S_IFREG | 0755);
	g_ptr_array_add(f->layers, layer);
	return layer;
}

/* @data: the one certificate of all tests; making a key takes long. */
static inline void setup(Fixture *f, gconstpointer data)
{
	g_autoptr(GPtrArray) idle = g_ptr_array_new();
	g_autoptr(VarvePolicy) local = NULL;
	GError *error = NULL;

	f->signer.name = (char *)"team.crt";
	f->signer.certificate = (VarveCertificate *)data;
	f->policy = varve_policy_parse(policy_text, strlen(policy_text), "policy", &error);
	g_assert_no_error(error);
	local = varve_tighten_parse(local_text, strlen(local_text), "local", NULL, idle, &error);
	g_assert_no_error(error);
	varve_policy_tighten(f->policy, local);
	f->base = layer_new(f, "base", VARVE_ROLE_BASE);
	add_path(f->base, "usr/bin/sh", S_IFREG | 0755);
	add_path(f->base, "usr/sbin/init", S_IFREG | 0755);
	add_path(f->base, "etc/systemd/system/bus.service", S_IFLNK | 0777);
	set(&f->base->manifest->name, "base");
	g_strfreev(f->base->manifest->provides);
	f->base->manifest->provides = g_strsplit("libc.so.6()(64bit)|base = 1.5-1", "|", -1);
	f->layers = g_ptr_array_new_with_free_func(layer_free);
}

/* "-" for an accepted layer, the code for a refused one, joined by blanks. */
static inline char *decide(Fixture *f)
{
	g_autoptr(GPtrArray) verdicts = judge(f);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < verdicts->len; i++) {
		const VarveRefusal *refusal = verdicts->pdata[i];

		g_string_append_printf(text, "%s%s", i ? " " : "", refusal ? refusal->code : "-");
		if (refusal)
			g_assert_cmpuint(strlen(refusal->sentence), >, 0);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static inline void make_link(Layer *layer, const char *name, const char *target)
{
	add_path(layer, name, S_IFLNK | 0777)->target = target;
}

/* "PATH" or "LINK -> TARGET", one a line. */
static inline void bring(Layer *layer, const char *lines)
{
	g_auto(GStrv) list = g_strsplit(lines, "\n", -1);

	for (char **line = list; *line; line++) {
		g_auto(GStrv) link = g_strsplit(*line, " -> ", 2);

		if (link[1])
			make_link(layer, g_intern_string(link[0]), g_intern_string(link[1]));
		else
			add_path(layer, g_intern_string(*line), S_IFREG | 0644);
	}
}

/* What becomes of a layer that brings such paths. */
typedef struct {
	const char *name, *expected, *lines;
} Brought;

static inline void assert_brought(Fixture *f, const Brought *brought, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		g_autofree char *found = NULL;

		g_ptr_array_set_size(f->layers, 0);
		bring(add_layer(f, "app", "usr/bin/app"), brought[i].lines);
		found = decide(f);
		g_test_message("%s", brought[i].name);
		g_assert_cmpstr(found, ==, brought[i].expected);
	}
}
