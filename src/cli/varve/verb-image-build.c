/* varve image build: a bootable disk from sealed layers. */
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/varve/keys.h"
#include "cli/varve/verbs.h"
#include "image/boot-tree.h"
#include "image/code-integrity.h"
#include "image/image.h"

#include <stdio.h>
#include <string.h>

#define EPOCH_DEFAULT 315532800 /* 1980-01-01, the first day that FAT knows */

typedef struct {
	char *output, *name, *version, *root, *init, *varvectl, *keys, *tools;
	char **modules, **arguments;
	char *esp_size, *slot_size, *state_size;
	char *code_integrity;
} BuildOptions;

static GOptionEntry *entries(gpointer data)
{
	BuildOptions *options = data;
	const GOptionEntry table[] = {
		{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
		  "The image (default: NAME_VERSION_ARCH.disk.raw here)", "FILE" },
		{ "name", 0, 0, G_OPTION_ARG_STRING, &options->name,
		  "Name of the image (default: the base layer's)", "NAME" },
		{ "version", 0, 0, G_OPTION_ARG_STRING, &options->version,
		  "Version of the image (default: the base layer's)", "VERSION" },
		{ "root", 0, 0, G_OPTION_ARG_FILENAME, &options->root,
		  "The tree that the base was made from (default: taken out of BASE)", "DIR" },
		{ "init", 0, 0, G_OPTION_ARG_FILENAME, &options->init,
		  "varve-init (default: the tree's)", "FILE" },
		{ "varvectl", 0, 0, G_OPTION_ARG_FILENAME, &options->varvectl,
		  "varvectl of the initrd (default: the tree's)", "FILE" },
		{ "keys", 0, 0, G_OPTION_ARG_FILENAME, &options->keys,
		  "Sign for Secure Boot with platform.key and platform.crt of DIR; with PK and KEK "
		  "there the image can enrol them",
		  "DIR" },
		{ "tools", 0, 0, G_OPTION_ARG_FILENAME, &options->tools,
		  "Root of the tools tree (default: this machine's programs)", "DIR" },
		{ "module", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->modules,
		  "A further kernel module for the initrd", "NAME" },
		{ "argument", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->arguments,
		  "A further argument of the kernel", "ARGUMENT" },
		{ "code-integrity", 0, 0, G_OPTION_ARG_STRING, &options->code_integrity,
		  "Whether nodes execute only code that their kernel verified: off, audit, enforce "
		  "(default: off)",
		  "MODE" },
		{ "esp-size", 0, 0, G_OPTION_ARG_STRING, &options->esp_size,
		  "Size of the ESP (default: computed)", "SIZE" },
		{ "slot-size", 0, 0, G_OPTION_ARG_STRING, &options->slot_size,
		  "Size of a slot for the base (default: computed)", "SIZE" },
		{ "state-size", 0, 0, G_OPTION_ARG_STRING, &options->state_size,
		  "Size of the state partition (default: computed)", "SIZE" },
		{ NULL },
	};

	return g_memdup2(table, sizeof(table));
}

/* "512M", "2G"; NULL is 0. */
static gboolean parse_size(const char *option, const char *text, guint64 *ret, GError **error)
{
	static const char units[] = "KMGT";
	char *end = NULL;
	guint64 value = text ? g_ascii_strtoull(text, &end, 10) : 0;
	const char *unit = text && *end ? strchr(units, *end) : NULL;
	guint shift = unit ? 10 * (guint)(unit - units + 1) : 0;

	if (!text) {
		*ret = 0;
		return TRUE;
	}
	if (!g_ascii_isdigit(*text) || end == text || (*end && (!unit || end[1])) || value == 0 ||
	    value > (guint64)G_MAXINT64 >> shift)
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "%s: '%s' is not a size; expected a number with K, M, G or T",
				  option, text);
	*ret = value << shift;
	return TRUE;
}

/* What --keys brings; cleared by the caller. */
typedef struct {
	VarvePrivateKey *key;
	VarveCertificate *certificate;
	GBytes *enrolment[VARVE_ENROLMENT_N];
} Keys;

static void keys_clear(Keys *keys)
{
	varve_private_key_free(keys->key);
	varve_certificate_free(keys->certificate);
	for (gsize i = 0; i < VARVE_ENROLMENT_N; i++)
		g_clear_pointer(&keys->enrolment[i], g_bytes_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Keys, keys_clear)

static gboolean load_keys(const BuildOptions *options, Keys *keys, GError **error)
{
	return !options->keys ||
	       (varve_keys_platform(options->keys, &keys->key, &keys->certificate, error) &&
		varve_keys_enrolment(options->keys, keys->enrolment, error));
}

/* A disk that its own kernel would refuse is not made. */
static gboolean check_admitted(const VarveLayer *base, const BuildOptions *options, GError **error)
{
	if (!options->keys || varve_layer_claims(base)->platform_signature)
		return TRUE;
	return varve_fail(error, VARVE_ERROR_REFUSED,
			  "%s: it has no platform signature, and a kernel under Secure Boot does "
			  "not start it; admit it first with 'varve layer admit --base'",
			  varve_layer_name(base));
}

static gboolean parse_integrity(const char *word, VarveCodeIntegrity *ret, GError **error)
{
	const VarveCodeIntegrity all[] = { VARVE_CODE_INTEGRITY_OFF, VARVE_CODE_INTEGRITY_AUDIT,
					   VARVE_CODE_INTEGRITY_ENFORCE };

	for (gsize i = 0; word && i < G_N_ELEMENTS(all); i++) {
		if (strcmp(word, varve_code_integrity_word(all[i])) != 0)
			continue;
		*ret = all[i];
		return TRUE;
	}
	return !word || varve_fail(error, VARVE_ERROR_USAGE,
				   "--code-integrity: '%s' is none of off, audit, enforce", word);
}

static gint64 epoch(void)
{
	const char *text = g_getenv("SOURCE_DATE_EPOCH");
	gint64 value = text ? g_ascii_strtoll(text, NULL, 10) : 0;

	return value > EPOCH_DEFAULT ? value : EPOCH_DEFAULT;
}

static void report_json(const char *path, const VarveImageSummary *summary)
{
	g_autoptr(json_t) object = json_pack(
		"{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f}", "path", path, "rootHash",
		summary->disk.root_hash, "size", (json_int_t)summary->disk.size, "allocated",
		(json_int_t)summary->disk.allocated, "initrdSize",
		(json_int_t)summary->initrd.packed, "initrdModules",
		(json_int_t)summary->initrd.n_modules, "ukiSize", (json_int_t)summary->uki_size,
		"initrdSeconds", summary->initrd_seconds, "ukiSeconds", summary->uki_seconds,
		"diskSeconds", summary->disk.seconds);
	g_autofree char *text = varve_json_dump(object, FALSE);

	fputs(text, stdout);
}

static void report(const char *path, const VarveImageSummary *summary)
{
	g_autofree char *size = varve_size_text(summary->disk.size);
	g_autofree char *allocated = varve_size_text(summary->disk.allocated);
	g_autofree char *initrd = varve_size_text(summary->initrd.packed);
	g_autofree char *uki = varve_size_text(summary->uki_size);

	printf("%s\n  %s, of which %s are in use; root hash %.16s…\n"
	       "  kernel %s, initrd %s (%u modules, %u libraries) in %.1f s, UKI %s in %.1f s, "
	       "disk in %.1f s\n",
	       path, size, allocated, summary->disk.root_hash, summary->initrd.kernel_version,
	       initrd, summary->initrd.n_modules, summary->initrd.n_libraries,
	       summary->initrd_seconds, uki, summary->uki_seconds, summary->disk.seconds);
}

/* Fills @image from what the base says of itself; strings are kept in @manifest. */
static gboolean describe(VarveImage *image, const BuildOptions *options, const VarveLayer *base,
			 VarveManifest **ret_manifest, GError **error)
{
	VarveManifest *manifest = varve_layer_read_manifest(base, error);

	if (!manifest)
		return FALSE;
	*ret_manifest = manifest;
	if (manifest->role != VARVE_ROLE_BASE)
		return varve_fail(
			error, VARVE_ERROR_USAGE,
			"%s: is a layer of the role '%s', and the first one has to be the "
			"base",
			image->base, varve_role_name(manifest->role));
	image->arch = varve_arch_find(manifest->arch);
	image->name = options->name ? options->name : manifest->name;
	image->version = options->version ? options->version : manifest->version;
	if (!image->arch)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED, "%s: unknown architecture '%s'",
				  image->base, manifest->arch);
	return parse_size("--esp-size", options->esp_size, &image->esp_size, error) &&
	       parse_size("--slot-size", options->slot_size, &image->slot_size, error) &&
	       parse_size("--state-size", options->state_size, &image->state_size, error);
}

static gboolean build(VarveImage *image, const BuildOptions *options, const VarveLayer *base,
		      gboolean json, GError **error)
{
	g_autofree char *scratch = g_strdup("/var/tmp/varve-image.XXXXXX");
	g_autofree char *file = varve_disk_file_name(image->name, image->version, image->arch);
	const char *path = options->output ? options->output : file;
	VarveImageSummary summary = { 0 };
	gboolean built;

	if (!g_mkdtemp(scratch))
		return varve_fail_errno(error, errno, "%s: cannot make a directory", scratch);
	image->root = options->root ? options->root : scratch;
	built = (options->root || varve_boot_tree_extract(base, scratch, error)) &&
		varve_image_build(image, path, &summary, error);
	if (built && json)
		report_json(path, &summary);
	else if (built)
		report(path, &summary);
	varve_image_summary_clear(&summary);
	varve_dir_remove(AT_FDCWD, scratch, NULL);
	return built;
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const BuildOptions *options = invocation->options;
	g_autoptr(VarveLayer) base = varve_layer_open_path(invocation->argv[0], error);
	g_autoptr(VarveManifest) manifest = NULL;
	g_autoptr(VarveTools) tools = varve_tools_open(options->tools);
	g_auto(Keys) keys = { 0 };
	VarveImage image = {
		.base = invocation->argv[0],
		.layers = (const char *const *)invocation->argv + 1,
		.init = options->init,
		.varvectl = options->varvectl,
		.modules = (const char *const *)options->modules,
		.command_line = (const char *const *)options->arguments,
		.epoch = epoch(),
		.tools = tools,
	};

	if (!base || !describe(&image, options, base, &manifest, error) ||
	    !parse_integrity(options->code_integrity, &image.code_integrity, error) ||
	    !check_admitted(base, options, error) || !load_keys(options, &keys, error))
		return VARVE_EXIT_FAILED;
	image.key = keys.key;
	image.certificate = keys.certificate;
	image.enrolment = keys.enrolment;
	return build(&image, options, base, invocation->json, error) ? VARVE_EXIT_OK
								     : VARVE_EXIT_FAILED;
}

const VarveVerb varve_verb_image_build = {
	.words = "image build",
	.arguments = "BASE [LAYER…]",
	.summary = "Make a bootable disk image from sealed layers.",
	.details = "BASE and LAYER are sealed layer files. Kernel, initrd and boot loader come "
		   "out of the base; the layers go to the state partition. 'varve build' does this "
		   "as its last step.",
	.options_size = sizeof(BuildOptions),
	.entries = entries,
	.reports = TRUE,
	.min_arguments = 1,
	.max_arguments = -1,
	.run = run,
};
