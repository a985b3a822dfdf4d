/* stack/select.c up to the device: what lies in the layers directory and is no layer of ours is
 * refused with its own reason, without root and without device-mapper. */
#include "base/error.h"
#include "base/file.h"
#include "crypt/authority.h"
#include "layer-make.h"
#include "layer/admit.h"
#include "stack/select.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PREREQUISITE "mkfs.erofs is not installed (erofs-utils)"

/* Of the team and of a stranger; made once, because that takes long. */
typedef struct {
	VarvePrivateKey *key[2];
	VarveCertificate *certificate[2];
} Keys;

typedef struct {
	char *dir;
	const Keys *keys;
	VarvePolicy *policy;
	VarveManifest *base_manifest;
	GPtrArray *base_tree;
	VarveFacts base;
	gboolean skip, kernel_mode;
} Fixture;

static char *inside(const Fixture *f, const char *name)
{
	return g_build_filename(f->dir, name, NULL);
}

static void make_layer(Fixture *f, const char *file, int signer)
{
	g_autofree char *tree = inside(f, "tree");
	g_autofree char *program = g_build_filename(tree, "usr/bin/app", NULL);
	g_autofree char *layers = inside(f, "layers");
	g_autofree char *output = g_build_filename(layers, file, NULL);
	g_autofree char *bin = g_path_get_dirname(program);
	g_autoptr(VarveManifest) manifest = layer_manifest("app", "1");

	g_assert_true(varve_dir_make(bin, 0755, NULL));
	g_assert_true(g_file_set_contents(program, "#!/bin/sh\n", -1, NULL));
	f->skip = !layer_make(tree, manifest, f->keys->key[signer], f->keys->certificate[signer],
			      output, NULL);
}

static void setup(Fixture *f, gconstpointer data)
{
	static const char policy[] = "[[allow]]\ncertificate = \"team.crt\"\nlayers = [\"*\"]\n"
				     "roles = [\"extension\"]\npaths = [\"/usr/**\"]\n";
	g_autofree char *layers = NULL;
	VarveTrusted *trusted = g_new0(VarveTrusted, 1);

	f->keys = data;
	f->dir = g_dir_make_tmp("varve-select-XXXXXX", NULL);
	layers = inside(f, "layers");
	g_assert_true(varve_dir_make(layers, 0755, NULL));
	f->policy = varve_policy_parse(policy, strlen(policy), "policy", NULL);
	trusted->name = g_strdup("team.crt");
	trusted->certificate = f->keys->certificate[0];
	g_ptr_array_set_free_func(f->policy->trusted, NULL);
	g_ptr_array_add(f->policy->trusted, trusted);
	f->base_manifest = layer_manifest("base", "1");
	f->base_manifest->role = VARVE_ROLE_BASE;
	f->base_tree = g_ptr_array_new();
	f->base = (VarveFacts){ .file = "", .manifest = f->base_manifest, .tree = f->base_tree };
}

static void teardown(Fixture *f, gconstpointer data)
{
	(void)data;
	g_ptr_array_unref(f->base_tree);
	varve_manifest_free(f->base_manifest);
	g_free(((VarveTrusted *)f->policy->trusted->pdata[0])->name);
	g_free(f->policy->trusted->pdata[0]);
	varve_policy_free(f->policy);
	varve_dir_remove(AT_FDCWD, f->dir, NULL);
	g_free(f->dir);
}

/* "FILE CODE" a line, in the order of the report. */
static char *select_layers(Fixture *f, const VarveGeneration *current)
{
	g_autofree char *layers = inside(f, "layers");
	g_autofree char *mounts = inside(f, "mounts");
	varve_autofd fd = varve_dir_open(AT_FDCWD, layers, NULL);
	VarveSelecting selecting = {
		.opening = { .policy = f->policy,
			     .mounts = mounts,
			     .device_prefix = "varve-test-",
			     .kernel_mode = f->kernel_mode,
			     .known = current },
		.base = &f->base,
		.layers_fd = fd,
		.current = current,
	};
	g_autoptr(VarveReport) report = varve_report_new();
	g_autoptr(GPtrArray) accepted = varve_select(&selecting, report);
	GString *text = g_string_new(NULL);

	g_assert_cmpuint(accepted->len, ==, 0);
	g_assert_cmpuint(varve_report_refused(report), ==, report->layers->len);
	for (guint i = 0; i < report->layers->len; i++) {
		const VarveReportLayer *layer = report->layers->pdata[i];

		g_string_append_printf(text, "%s %s\n", layer->file, layer->code);
		g_assert_cmpuint(strlen(layer->sentence), >, 0);
		g_assert_cmpuint(strlen(layer->next), >, 0);
	}
	return g_string_free(text, FALSE);
}

static void flip(const Fixture *f, const char *file, off_t offset)
{
	g_autofree char *layers = inside(f, "layers");
	g_autofree char *path = g_build_filename(layers, file, NULL);
	varve_autofd fd = open(path, O_RDWR | O_CLOEXEC);
	char byte;

	g_assert_cmpint(pread(fd, &byte, 1, offset), ==, 1);
	byte ^= 1;
	g_assert_cmpint(pwrite(fd, &byte, 1, offset), ==, 1);
}

static void test_bad_files(Fixture *f, gconstpointer data)
{
	g_autofree char *layers = inside(f, "layers");
	varve_autofd fd = varve_dir_open(AT_FDCWD, layers, NULL);
	g_autofree char *found = NULL;

	(void)data;
	make_layer(f, "app_2_x86-64.raw", 0);
	if (f->skip) {
		g_test_skip(PREREQUISITE);
		return;
	}
	make_layer(f, "app_3_x86-64.raw", 1);
	make_layer(f, "cut_1_x86-64.raw", 0);
	flip(f, "app_2_x86-64.raw", 1024 * 1024 + 1024);
	g_assert_cmpint(mkdirat(fd, "directory_1_x86-64.raw", 0755), ==, 0);
	g_assert_cmpint(mkfifoat(fd, "fifo_1_x86-64.raw", 0644), ==, 0);
	g_assert_cmpint(symlinkat("app_2_x86-64.raw", fd, "link_1_x86-64.raw"), ==, 0);
	g_assert_true(varve_file_write(fd, "junk_1_x86-64.raw", "junk", 4, 0644, NULL));
	g_assert_true(varve_file_write(fd, "empty_1_x86-64.raw", "", 0, 0644, NULL));
	g_assert_true(varve_file_write(fd, "noname.raw", "x", 1, 0644, NULL));
	g_assert_true(varve_file_write(fd, ".app_9_x86-64.raw", "partial", 7, 0644, NULL));
	g_assert_true(varve_file_write(fd, "README", "text", 4, 0644, NULL));
	{
		g_autofree char *cut = g_build_filename(layers, "cut_1_x86-64.raw", NULL);

		g_assert_cmpint(truncate(cut, 1024 * 1024 + 100), ==, 0);
	}
	found = select_layers(f, NULL);
	g_assert_cmpstr(found, ==,
			"app_3_x86-64.raw untrusted\n"
			"app_2_x86-64.raw damaged\n"
			"cut_1_x86-64.raw not-a-layer\n"
			"directory_1_x86-64.raw unreadable\n"
			"empty_1_x86-64.raw not-a-layer\n"
			"fifo_1_x86-64.raw unreadable\n"
			"junk_1_x86-64.raw not-a-layer\n"
			"link_1_x86-64.raw unreadable\n"
			"noname.raw not-a-layer\n");
}

/* In kernel mode what nobody admitted never reaches the kernel; an admission by a key that is not
 * the layer's makes no layer trusted. */
static void test_kernel_mode(Fixture *f, gconstpointer data)
{
	g_autofree char *admitted = inside(f, "layers/app_1_x86-64.raw");
	g_autofree char *stranger = inside(f, "layers/app_3_x86-64.raw");
	VarveAllow *allow = f->policy->allows->pdata[0];
	g_autofree char *found = NULL;

	(void)data;
	f->kernel_mode = TRUE;
	make_layer(f, "app_1_x86-64.raw", 0);
	if (f->skip) {
		g_test_skip(PREREQUISITE);
		return;
	}
	make_layer(f, "app_2_x86-64.raw", 0);
	make_layer(f, "app_3_x86-64.raw", 1);
	make_layer(f, "other_1_x86-64.raw", 0);
	g_strfreev(allow->layers);
	allow->layers = g_strdupv((char *[]){ (char *)"app", NULL });
	/* Damaged, so that it goes no further than the whole bytes: where the kernel has no
	 * device-mapper the refusal behind that would be another. */
	flip(f, "app_1_x86-64.raw", 1024 * 1024 + 1024);
	g_assert_true(varve_layer_admit(admitted, NULL, f->keys->key[1], f->keys->certificate[1],
					admitted, NULL));
	g_assert_true(varve_layer_admit(stranger, NULL, f->keys->key[1], f->keys->certificate[1],
					stranger, NULL));
	found = select_layers(f, NULL);
	g_assert_cmpstr(found, ==,
			"app_3_x86-64.raw untrusted\n"
			"app_2_x86-64.raw not-admitted\n"
			"app_1_x86-64.raw damaged\n"
			"other_1_x86-64.raw key-scope\n");
}

/* A listed generation: its layers and no others, also where one is missing. */
static void test_listed(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveGeneration) current = varve_generation_new();
	g_autofree char *found = NULL;
	VarveDigest root = { { 1 } };

	(void)data;
	make_layer(f, "app_1_x86-64.raw", 1);
	if (f->skip) {
		g_test_skip(PREREQUISITE);
		return;
	}
	make_layer(f, "other_1_x86-64.raw", 1);
	current->selection = VARVE_SELECTION_LISTED;
	g_ptr_array_add(current->layers,
			varve_generation_layer_new("gone", "1", "gone_1_x86-64.raw", &root));
	g_ptr_array_add(current->layers,
			varve_generation_layer_new("app", "1", "app_1_x86-64.raw", &root));
	found = select_layers(f, current);
	g_assert_cmpstr(found, ==, "gone_1_x86-64.raw unreadable\napp_1_x86-64.raw untrusted\n");
}

/* What a swap brought that was never committed is no candidate: not even one that is refused. */
static void test_interrupted(Fixture *f, gconstpointer data)
{
	g_autofree char *layers = inside(f, "layers"), *records = inside(f, "generations");
	g_autoptr(VarveGeneration) current = varve_generation_new();
	g_autoptr(VarveGeneration) swap = varve_generation_new();
	g_autoptr(VarveHistory) history = NULL;
	g_autoptr(VarveReport) report = varve_report_new();
	g_auto(GStrv) files = NULL;
	varve_autofd fd = varve_dir_open(AT_FDCWD, layers, NULL), generations = -1;
	VarveGenerationLayer *layer;
	VarveDigest root = { { 1 } };

	(void)data;
	g_assert_true(varve_dir_make(records, 0755, NULL));
	generations = varve_dir_open(AT_FDCWD, records, NULL);
	layer = varve_generation_layer_new("app", "2", "app_2_x86-64.raw", &root);
	layer->staged = TRUE;
	g_ptr_array_add(swap->layers, layer);
	g_assert_true(varve_generation_commit(generations, current, NULL));
	g_assert_true(varve_generation_write(generations, swap, NULL));
	history = varve_history_load(generations, &swap->base);
	g_assert_true(varve_file_write(fd, "app_1_x86-64.raw", "x", 1, 0644, NULL));
	g_assert_true(varve_file_write(fd, "app_2_x86-64.raw", "x", 1, 0644, NULL));
	files = varve_select_files(&(VarveSelecting){ .layers_fd = fd, .history = history },
				   report);
	g_assert_cmpuint(g_strv_length(files), ==, 1);
	g_assert_cmpstr(files[0], ==, "app_1_x86-64.raw");
	g_assert_cmpuint(report->warnings->len, ==, 1);
	g_assert_nonnull(strstr(report->warnings->pdata[0], "app_2_x86-64.raw"));
}

/* A name that no layer can have is not opened, and cannot speak to the terminal; who fills the
 * directory does not hold up the boot. */
static void test_names_and_numbers(Fixture *f, gconstpointer data)
{
	g_autofree char *layers = inside(f, "layers");
	varve_autofd fd = varve_dir_open(AT_FDCWD, layers, NULL);
	g_autofree char *found = NULL;
	g_auto(GStrv) lines = NULL;
	guint files = 0;

	(void)data;
	g_assert_cmpint(symlinkat("/nowhere", fd, "\033[2J_1_x86-64.raw"), ==, 0);
	g_assert_true(varve_file_write(fd, "all is\nwell_1_x86-64.raw", "x", 1, 0644, NULL));
	found = select_layers(f, NULL);
	g_assert_cmpstr(found, ==,
			"\\033[2J_1_x86-64.raw misnamed\n"
			"all is\\nwell_1_x86-64.raw misnamed\n");
	g_clear_pointer(&found, g_free);
	for (guint i = 0; i < 1200; i++) {
		g_autofree char *name = g_strdup_printf("f%u_1_x86-64.raw", i);

		g_assert_cmpint(symlinkat("/nowhere", fd, name), ==, 0);
	}
	found = select_layers(f, NULL);
	lines = g_strsplit(found, "\n", -1);
	while (lines[files] && *lines[files])
		files++;
	g_assert_cmpuint(files, ==, 1000);
}

static void test_none(Fixture *f, gconstpointer data)
{
	g_autoptr(VarveReport) report = varve_report_new();
	g_autofree char *layers = inside(f, "layers");
	varve_autofd fd = varve_dir_open(AT_FDCWD, layers, NULL);
	g_autofree char *found = select_layers(f, NULL);
	const VarveReportLayer *layer;

	(void)data;
	g_assert_cmpstr(found, ==, "");
	g_assert_true(varve_file_write(fd, "a_1_x86-64.raw", "x", 1, 0644, NULL));
	varve_select_none(fd, "policy-invalid", "policy.toml:1:1", report);
	g_assert_cmpuint(report->layers->len, ==, 1);
	layer = report->layers->pdata[0];
	g_assert_cmpstr(layer->code, ==, "policy-invalid");
	varve_select_none(-1, "policy-invalid", "policy.toml:1:1", report);
	g_assert_cmpuint(report->layers->len, ==, 1);
}

static void make_keys(Keys *keys)
{
	static const char *const names[] = { "team", "stranger" };
	g_autofree char *dir = g_dir_make_tmp("varve-select-XXXXXX", NULL);

	for (int i = 0; i < 2; i++) {
		g_autofree char *key = g_strdup_printf("%s/%s.key", dir, names[i]);
		g_autofree char *certificate = g_strdup_printf("%s/%s.crt", dir, names[i]);

		g_assert_true(varve_authority_make(dir, names[i], NULL));
		keys->key[i] = varve_private_key_load(key, NULL);
		keys->certificate[i] = varve_certificate_load(certificate, NULL);
	}
	varve_dir_remove(AT_FDCWD, dir, NULL);
}

int main(int argc, char **argv)
{
	Keys keys;
	int result;

#define ADD(name, function) g_test_add("/select/" name, Fixture, &keys, setup, function, teardown)
	g_test_init(&argc, &argv, NULL);
	make_keys(&keys);
	ADD("bad-files", test_bad_files);
	ADD("kernel-mode", test_kernel_mode);
	ADD("listed", test_listed);
	ADD("interrupted", test_interrupted);
	ADD("names-and-numbers", test_names_and_numbers);
	ADD("none", test_none);
	result = g_test_run();
	for (int i = 0; i < 2; i++) {
		varve_private_key_free(keys.key[i]);
		varve_certificate_free(keys.certificate[i]);
	}
	return result;
}
