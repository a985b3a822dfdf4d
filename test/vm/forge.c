/* Layers for test/vm/matrix that are bad in exactly one way each, as a table says:
 *   forge make TABLE BASE KEYS OUT     OUT/layers/… for BASE (a layer file) by the keys in KEYS;
 *                                      OUT/rows: name, expected code, file; OUT/roots: root hashes
 *   forge check ROWS REPORT [LAYER…]   a report (JSON of status or plan) says of every row what the
 *                                      table expects, and nothing else but LAYERs is merged: TAP
 */
#include "forge.h"

#include "base/file.h"
#include "base/json.h"
#include "crypt/sha256.h"
#include "layer/seal.h"
#include "stack/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY "forge"
#define MERGED "merged"
#define CONTEXTS_MAX (16 * 1024 * 1024)

void forge_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("forge: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

void forge_check(const GError *error, const char *what)
{
	if (error)
		forge_die("%s: %s", what, error->message);
}

void forge_set_file(Forged *forged, const char *file)
{
	g_free(forged->file);
	g_free(forged->path);
	forged->file = g_strdup(file);
	forged->path = g_build_filename(forged->shop->layers, file, NULL);
}

static const ForgeStep *find_step(const char *name)
{
	static const ForgeStep *const tables[] = { forge_tree_steps, forge_file_steps };

	for (gsize t = 0; t < G_N_ELEMENTS(tables); t++) {
		for (const ForgeStep *step = tables[t]; step->name; step++) {
			if (strcmp(step->name, name) == 0)
				return step;
		}
	}
	forge_die("'%s' is no step", name);
}

/* Takes the steps of @stage; returns how many there were. */
static guint take_steps(Forged *forged, const GPtrArray *steps, ForgeStage stage)
{
	guint taken = 0;

	for (guint i = 0; i < steps->len; i++) {
		char **words = steps->pdata[i];
		const ForgeStep *step = find_step(words[0]);

		if (step->stage != stage)
			continue;
		if (g_strv_length(words) != step->n_arguments + 1)
			forge_die("step '%s' takes %u arguments", step->name, step->n_arguments);
		step->take(forged, words + 1);
		taken++;
	}
	return taken;
}

static GPtrArray *read_image(const char *image)
{
	varve_autofd fd = open(image, O_RDONLY | O_CLOEXEC);
	g_autoptr(VarveErofs) erofs = NULL;
	GError *error = NULL;
	GPtrArray *paths;

	erofs = varve_erofs_open(fd, 0, (guint64)lseek(fd, 0, SEEK_END), image, &error);
	forge_check(error, image);
	paths = varve_layer_tree_of(erofs, TRUE, &error);
	forge_check(error, image);
	return paths;
}

static void write_file(const char *path, const void *data, gsize size)
{
	GError *error = NULL;

	g_file_set_contents(path, data, (gssize)size, &error);
	forge_check(error, path);
}

/* Path table and manifest, as the layer has them or lies in them. */
static void describe(Forged *forged, const GPtrArray *steps)
{
	VarveManifest *manifest = forged->manifest;
	g_autofree char *dir = g_build_filename(forged->tree, VARVE_LAYERS_DIR, NULL);
	g_autofree char *stem = g_build_filename(dir, forged->stem, NULL);
	g_autofree char *json = g_strconcat(stem, ".json", NULL);
	g_autofree char *table = g_strconcat(stem, ".paths", NULL);
	g_autofree char *text = NULL;
	g_autoptr(GBytes) bytes = NULL;
	GError *error = NULL;

	varve_dir_make(dir, 0755, &error);
	forge_check(error, dir);
	forge_image_make(forged);
	forged->paths = read_image(forged->image);
	take_steps(forged, steps, FORGE_TABLE);
	bytes = varve_path_table_write(forged->paths, &error);
	forge_check(error, table);
	varve_sha256(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &manifest->paths);
	manifest->paths.bytes[0] ^= forged->wrong_digest;
	text = varve_manifest_write(manifest);
	if (forged->unknown_member) {
		char *longer = g_strconcat("{\n  \"another\": 1,", text + 1, NULL);

		g_free(text);
		text = longer;
	}
	if (!forged->no_table)
		write_file(table, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
	if (!forged->no_manifest)
		write_file(json, text, strlen(text));
	forge_image_make(forged);
}

/* What begins like EROFS and is none. */
static void make_garbage_image(const Forged *forged)
{
	guint8 bytes[8192] = { 0 };

	memcpy(bytes + 1024, "\xe2\xe1\xf5\xe0", 4);
	write_file(forged->image, bytes, sizeof(bytes));
}

static void seal(Forged *forged, VarveDigest *ret_root)
{
	g_autofree char *stem = g_build_filename(forged->shop->keys, forged->key, NULL);
	g_autofree char *key_path = g_strconcat(stem, ".key", NULL);
	g_autofree char *certificate_path = g_strconcat(stem, ".crt", NULL);
	GError *error = NULL;
	g_autoptr(VarvePrivateKey) key = varve_private_key_load(key_path, &error);
	g_autoptr(VarveCertificate) certificate = NULL;

	forge_check(error, key_path);
	certificate = varve_certificate_load(certificate_path, &error);
	forge_check(error, certificate_path);
	varve_layer_seal(forged->image, forged->arch, forged->manifest->name,
			 forged->manifest->version, key, certificate, forged->path, ret_root,
			 &error);
	forge_check(error, forged->path);
}

static Forged *forged_new(const ForgeShop *shop, const char *name)
{
	Forged *forged = g_new0(Forged, 1);
	VarveManifest *manifest = varve_manifest_new();
	g_autofree char *file = g_strdup_printf("%s_" FORGE_VERSION "_x86-64.raw", name);

	forged->shop = shop;
	forged->own_labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	forged->tree = g_build_filename(shop->scratch, name, NULL);
	forged->image = g_strconcat(forged->tree, ".erofs", NULL);
	forged->key = g_strdup(KEY);
	forged->stem = g_strdup(name);
	forged->arch = varve_arch_find("x86-64");
	forge_set_file(forged, file);
	g_free(manifest->name);
	g_free(manifest->version);
	g_free(manifest->arch);
	g_free(manifest->os_id);
	g_free(manifest->os_version_id);
	manifest->name = g_strdup(name);
	manifest->version = g_strdup(FORGE_VERSION);
	manifest->arch = g_strdup(shop->base->arch);
	manifest->os_id = g_strdup(shop->base->os_id);
	manifest->os_version_id = g_strdup(shop->base->os_version_id);
	manifest->rollback_index = 1;
	manifest->role = VARVE_ROLE_EXTENSION;
	forged->manifest = manifest;
	return forged;
}

static void forged_free(Forged *forged)
{
	varve_manifest_free(forged->manifest);
	g_clear_pointer(&forged->paths, g_ptr_array_unref);
	g_hash_table_unref(forged->own_labels);
	g_free(forged->tree);
	g_free(forged->image);
	g_free(forged->file);
	g_free(forged->path);
	g_free(forged->key);
	g_free(forged->stem);
	g_free(forged);
}

/* "step a b; step c", with the row's name for every %. */
static GPtrArray *parse_steps(const char *text, const char *name)
{
	GPtrArray *steps = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
	g_auto(GStrv) halves = g_strsplit(text, "%", -1);
	g_autofree char *whole = g_strjoinv(name, halves);
	g_auto(GStrv) parts = g_strsplit(whole, ";", -1);

	for (char **part = parts; *part; part++) {
		g_auto(GStrv) words = g_strsplit_set(g_strstrip(*part), " \t", -1);
		g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
		gboolean any = FALSE;

		for (char **word = words; *word; word++) {
			if (!**word)
				continue;
			g_strv_builder_add(builder, *word);
			any = TRUE;
		}
		if (any)
			g_ptr_array_add(steps, g_strv_builder_end(builder));
	}
	return steps;
}

static void make_row(ForgeShop *shop, const char *name, const char *code, const char *text,
		     GString *rows, GString *roots)
{
	g_autoptr(GPtrArray) steps = parse_steps(text, name);
	Forged *forged = forged_new(shop, name);
	g_autofree char *shown = NULL;

	take_steps(forged, steps, FORGE_NAME);
	if (take_steps(forged, steps, FORGE_INSTEAD) == 0) {
		char hex[VARVE_DIGEST_HEX_SIZE];
		VarveDigest root;

		forge_tree_make(forged);
		take_steps(forged, steps, FORGE_TREE);
		take_steps(forged, steps, FORGE_MANIFEST);
		describe(forged, steps);
		if (forged->garbage_image)
			make_garbage_image(forged);
		seal(forged, &root);
		take_steps(forged, steps, FORGE_SEALED);
		varve_digest_to_hex(&root, hex);
		g_string_append_printf(roots, "%s %s\n", name, hex);
	}
	shown = g_strescape(forged->file, NULL);
	g_string_append_printf(rows, "%s\t%s\t%s\n", name, code, shown);
	g_hash_table_insert(shop->made, g_strdup(name), g_strdup(forged->path));
	forged_free(forged);
}

/* Copies the files of the directory @path of the base, and those in it that are files. */
static void copy_files(VarveErofs *erofs, const char *path, const char *to)
{
	g_autofree char *dir = g_build_filename(to, path, NULL);
	g_auto(GStrv) names = NULL;

	varve_erofs_list(erofs, path, &names, NULL);
	if (names && !varve_dir_make(dir, 0755, NULL))
		forge_die("%s cannot be made", dir);
	for (char **name = names; name && *name; name++) {
		g_autofree char *from = g_build_filename(path, *name, NULL);
		g_autofree char *file = g_build_filename(dir, *name, NULL);
		g_autofree char *text = NULL;
		size_t size;

		if (varve_erofs_read_file(erofs, from, CONTEXTS_MAX, &text, &size, NULL))
			write_file(file, text, size);
	}
}

/* What the base's SELinux policy says of paths; NULL where there is none. */
static VarveLabels *read_labels(VarveErofs *erofs, const char *scratch)
{
	g_autofree char *root = g_build_filename(scratch, "selinux", NULL);
	g_auto(GStrv) types = NULL;
	VarveLabels *labels = NULL;
	GError *error = NULL;

	copy_files(erofs, "etc/selinux", root);
	varve_erofs_list(erofs, "etc/selinux", &types, NULL);
	for (char **type = types; type && *type; type++) {
		g_autofree char *path = g_strdup_printf("etc/selinux/%s/contexts/files", *type);

		copy_files(erofs, path, root);
	}
	varve_labels_open(root, &labels, &error);
	forge_check(error, root);
	return labels;
}

static void make_rows(ForgeShop *shop, const char *table, const char *output)
{
	g_autoptr(GString) rows = g_string_new(NULL), roots = g_string_new(NULL);
	g_autofree char *rows_path = g_build_filename(output, "rows", NULL);
	g_autofree char *roots_path = g_build_filename(output, "roots", NULL);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	GError *error = NULL;

	g_file_get_contents(table, &text, NULL, &error);
	forge_check(error, table);
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		char name[64], code[64];
		int rest = 0;

		if (!**line || **line == '#')
			continue;
		if (sscanf(*line, "%63s %63s %n", name, code, &rest) != 2 || rest == 0)
			forge_die("%s: not a row: %s", table, *line);
		if (*name != '?')
			make_row(shop, name, code, *line + rest, rows, roots);
		else if (shop->labels)
			make_row(shop, name + 1, code, *line + rest, rows, roots);
	}
	write_file(rows_path, rows->str, rows->len);
	write_file(roots_path, roots->str, roots->len);
}

static int make(char **argv)
{
	GError *error = NULL;
	g_autoptr(VarveLayer) base = varve_layer_open_path(argv[1], &error);
	g_autoptr(VarveManifest) manifest = NULL;
	g_autoptr(VarvePathTable) paths = NULL;
	g_autoptr(VarveErofs) erofs = NULL;
	g_autofree char *layers = g_build_filename(argv[3], "layers", NULL);
	g_autofree char *scratch = g_build_filename(argv[3], "scratch", NULL);
	ForgeShop shop = { .keys = argv[2], .layers = layers, .scratch = scratch };

	forge_check(error, argv[1]);
	manifest = varve_layer_read_manifest(base, &error);
	forge_check(error, argv[1]);
	paths = varve_layer_read_paths(base, manifest, &error);
	forge_check(error, argv[1]);
	erofs = varve_layer_open_erofs(base, &error);
	forge_check(error, argv[1]);
	if (!varve_dir_make(layers, 0755, &error) || !varve_dir_make(scratch, 0755, &error))
		forge_check(error, argv[3]);
	shop.base = manifest;
	shop.base_paths = paths;
	shop.labels = read_labels(erofs, scratch);
	shop.made = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	make_rows(&shop, argv[0], argv[3]);
	g_hash_table_unref(shop.made);
	varve_labels_free(shop.labels);
	varve_dir_remove(AT_FDCWD, scratch, NULL);
	return 0;
}

static const VarveReportLayer *find_layer(const VarveReport *report, const char *file)
{
	for (guint i = 0; i < report->layers->len; i++) {
		const VarveReportLayer *layer = report->layers->pdata[i];

		if (strcmp(layer->file, file) == 0)
			return layer;
	}
	return NULL;
}

static guint failed, points;

static void tell(gboolean ok, const char *what, const char *found)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", ++points, what);
	if (!ok)
		printf("# %s\n", found);
	failed += !ok;
}

static void check_row(const VarveReport *report, const char *name, const char *code,
		      const char *file)
{
	const VarveReportLayer *layer = find_layer(report, file);
	g_autofree char *what = g_strdup_printf("%s: %s", name, code);
	g_autofree char *found = NULL;
	gboolean merged = strcmp(code, MERGED) == 0;

	if (!layer) {
		tell(FALSE, what, "the report does not know the file");
		return;
	}
	found = g_strdup_printf("found: %s, %s", layer->accepted ? MERGED : layer->code,
				layer->sentence);
	tell(layer->accepted == merged && (merged || (strcmp(layer->code, code) == 0 &&
						      *layer->sentence && *layer->next)),
	     what, found);
}

static int check(int argc, char **argv)
{
	g_autofree char *text = NULL, *json_text = NULL;
	g_autoptr(GHashTable) expected = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(VarveReport) report = NULL;
	g_autoptr(json_t) json = NULL;
	g_auto(GStrv) lines = NULL;
	GError *error = NULL;
	gsize size;

	g_file_get_contents(argv[0], &text, NULL, &error);
	forge_check(error, argv[0]);
	g_file_get_contents(argv[1], &json_text, &size, &error);
	forge_check(error, argv[1]);
	json = varve_json_parse(json_text, size, argv[1], &error);
	forge_check(error, argv[1]);
	report = varve_report_from_json(json, &error);
	forge_check(error, argv[1]);
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line && **line; line++) {
		char **fields = g_strsplit(*line, "\t", 3);

		check_row(report, fields[0], fields[1], fields[2]);
		g_hash_table_add(expected, fields[2]);
	}
	for (int i = 2; i < argc; i++) {
		gboolean there = FALSE;

		for (guint k = 0; k < report->layers->len; k++) {
			const VarveReportLayer *layer = report->layers->pdata[k];

			if (strcmp(layer->name, argv[i]) != 0 ||
			    g_hash_table_contains(expected, layer->file))
				continue;
			there = layer->accepted;
			g_hash_table_add(expected, layer->file);
		}
		tell(there, argv[i], "it is not merged");
	}
	for (guint i = 0; i < report->layers->len; i++) {
		const VarveReportLayer *layer = report->layers->pdata[i];

		if (!g_hash_table_contains(expected, layer->file))
			tell(FALSE, layer->file, "nobody expected this file");
	}
	printf("1..%u\n", points);
	return failed > 0;
}

int main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "make") == 0)
		return make(argv + 2);
	if (argc >= 4 && strcmp(argv[1], "check") == 0)
		return check(argc - 2, argv + 2);
	fprintf(stderr, "usage: forge make TABLE BASE KEYS OUT | check ROWS REPORT [LAYER…]\n");
	return 2;
}
