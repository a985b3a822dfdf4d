/* varve layer seal: verity tree and signature for an image that was built unsigned, or a new
 * signature for one that another key has sealed. */
#include "base/file.h"
#include "cli/cli.h"
#include "cli/varve/verbs.h"
#include "format/erofs.h"
#include "layer/layer.h"
#include "layer/seal.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
	char *key, *certificate, *output;
} SealOptions;

static GOptionEntry *entries(gpointer data)
{
	SealOptions *options = data;
	const GOptionEntry table[] = {
		{ "key", 0, 0, G_OPTION_ARG_STRING, &options->key,
		  "Private key: a file, or a pkcs11: URI", "KEY" },
		{ "certificate", 0, 0, G_OPTION_ARG_FILENAME, &options->certificate,
		  "Its certificate", "FILE" },
		{ "output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output,
		  "Directory for NAME_VERSION_ARCH.raw (default: that of the image)", "DIR" },
		{ NULL },
	};

	return g_memdup2(table, sizeof(table));
}

/* The manifest of an EROFS image: the only .json in its place. */
static VarveManifest *read_manifest(const char *path, GError **error)
{
	varve_autofd fd = open(path, O_RDONLY | O_CLOEXEC);
	g_autoptr(VarveErofs) erofs = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		varve_fail_errno(error, errno, "%s: cannot open", path);
		return NULL;
	}
	erofs = varve_erofs_open(fd, 0, (guint64)st.st_size, path, error);
	return erofs ? varve_layer_manifest_of(erofs, path, error) : NULL;
}

static int run(const VarveInvocation *invocation, GError **error)
{
	const SealOptions *options = invocation->options;
	const char *image = invocation->argv[0];
	g_autoptr(VarveManifest) manifest = NULL;
	g_autoptr(VarveCertificate) certificate = NULL;
	g_autoptr(VarvePrivateKey) key = NULL;
	g_autofree char *directory = NULL, *name = NULL, *path = NULL;
	const VarveArch *arch;
	char hex[VARVE_DIGEST_HEX_SIZE];
	VarveDigest root;

	if (!options->key || !options->certificate) {
		varve_fail(error, VARVE_ERROR_USAGE, "'layer seal' needs --key and --certificate");
		return VARVE_EXIT_USAGE;
	}
	manifest = read_manifest(image, error);
	if (!manifest)
		return VARVE_EXIT_FAILED;
	arch = varve_arch_find(manifest->arch);
	if (!arch) {
		varve_fail(error, VARVE_ERROR_CORRUPT, "%s: its manifest says architecture '%s'",
			   image, manifest->arch);
		return VARVE_EXIT_FAILED;
	}
	certificate = varve_certificate_load(options->certificate, error);
	key = certificate ? varve_private_key_load(options->key, error) : NULL;
	if (!key)
		return VARVE_EXIT_FAILED;
	directory = options->output ? g_strdup(options->output) : g_path_get_dirname(image);
	name = varve_layer_file_name(manifest->name, manifest->version, arch);
	path = g_build_filename(directory, name, NULL);
	if (!varve_dir_make(directory, 0755, error) ||
	    !varve_layer_seal(image, arch, manifest->name, manifest->version, key, certificate,
			      path, &root, error))
		return VARVE_EXIT_FAILED;
	varve_digest_to_hex(&root, hex);
	printf("%s\nroot hash %s, signed by %s\n", path, hex,
	       varve_certificate_subject(certificate));
	return VARVE_EXIT_OK;
}

const VarveVerb varve_verb_layer_seal = {
	.words = "layer seal",
	.arguments = "IMAGE.erofs",
	.summary =
		"Add the verity tree and sign the root hash of an image that was built unsigned.",
	.options_size = sizeof(SealOptions),
	.entries = entries,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run,
};
