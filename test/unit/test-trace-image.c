/* Layers that are not mounted: verified, judged by the base's policy, asked. */
#include "base/error.h"
#include "base/file.h"
#include "crypt/authority.h"
#include "layer-make.h"
#include "trace/image.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

enum { TEAM, STRANGER, N_KEYS };
static const char *const key_names[N_KEYS] = { "team", "stranger" };

typedef struct {
	char *dir;
	VarvePrivateKey *key[N_KEYS];
	VarveCertificate *certificate[N_KEYS];
} Fixture;

static char *file_of(const Fixture *f, const char *name, const char *version)
{
	return g_strdup_printf("%s/%s_%s_x86-64.raw", f->dir, name, version);
}

static void fill_base(const Fixture *f, const char *tree)
{
	static const char policy[] = "[[allow]]\ncertificate = \"team.crt\"\nlayers = [\"*\"]\n"
				     "roles = [\"extension\"]\npaths = [\"/usr/**\"]\n";
	g_autofree char *pem = varve_certificate_to_pem(f->certificate[TEAM]);
	g_autofree char *link = g_build_filename(tree, "bin", NULL);

	layer_put(tree, "usr/lib/varve/policy.toml", policy, 0644);
	layer_put(tree, "usr/lib/verity.d/team.crt", pem, 0644);
	layer_put(tree, "usr/bin/tool", "tool", 0755);
	layer_put(tree, "etc/hosts", "hosts", 0644);
	g_assert_cmpint(symlink("usr/bin", link), ==, 0);
}

static void fill_extension(const char *tree, const char *name, const char *version)
{
	g_autofree char *own = g_strconcat("usr/share/", name, "/version", NULL);
	g_autofree char *config = g_strconcat("usr/share/factory/etc/", name, ".conf", NULL);
	g_autofree char *release =
		g_strconcat("usr/lib/extension-release.d/extension-release.", name, NULL);
	g_autofree char *release_path = g_build_filename(tree, release, NULL);

	layer_put(tree, own, version, 0644);
	layer_put(tree, config, name, 0600);
	layer_put(tree, release, "ID=varve\nVERSION_ID=1\nARCHITECTURE=x86-64\n", 0644);
	g_assert_cmpint(setxattr(release_path, "user.extension-release.strict", "0", 1, 0), ==, 0);
}

static void lie(GPtrArray *paths, VarveManifest *manifest)
{
	(void)manifest;
	for (guint i = 0; i < paths->len; i++) {
		VarvePath *path = paths->pdata[i];

		if (strcmp(path->path, "usr/share/liar/version") == 0)
			path->digest.bytes[0] ^= 1;
	}
}

static gboolean make(const Fixture *f, const char *name, const char *version, int signer,
		     LayerTamper tamper)
{
	g_autofree char *tree = g_build_filename(f->dir, "tree", NULL);
	g_autofree char *output = file_of(f, name, version);
	g_autoptr(VarveManifest) manifest = layer_manifest(name, version);

	g_assert_true(varve_dir_remove(AT_FDCWD, tree, NULL));
	if (strcmp(name, "base") == 0) {
		manifest->role = VARVE_ROLE_BASE;
		fill_base(f, tree);
	} else {
		fill_extension(tree, name, version);
	}
	return layer_make(tree, manifest, f->key[signer], f->certificate[signer], output, tamper);
}

static void add(const Fixture *f, VarveTraceImage *image, const char *name, const char *version)
{
	g_autofree char *path = file_of(f, name, version);
	g_autofree char *file = g_path_get_basename(path);
	g_autoptr(GError) error = NULL;

	varve_trace_image_add(image, varve_layer_open_path(path, NULL), file, &error);
	g_assert_no_error(error);
}

static void compose(VarveTraceImage *image)
{
	g_autoptr(GError) error = NULL;

	varve_trace_image_compose(image, NULL, NULL, 0, &error);
	g_assert_no_error(error);
}

static void answers(const VarveTraceImage *image, const char *path, const char *state,
		    const char *layer, const char *at, guint problems)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveTraceWhy) why = varve_trace_image_why(image, path, &error);
	const VarveTraceAnswer *answer;

	g_assert_no_error(error);
	answer = varve_trace_why_last(why);
	g_assert_cmpstr(varve_trace_state_name(answer->state), ==, state);
	g_assert_cmpstr(answer->layer ? answer->layer->manifest->name : "", ==, layer);
	g_assert_cmpstr(answer->at, ==, at);
	g_assert_cmpuint(answer->problems->len, ==, problems);
}

static void test_answers(gconstpointer data)
{
	const Fixture *f = data;
	g_autoptr(VarveTraceImage) image = varve_trace_image_new();
	g_autoptr(VarveTraceWhy) why = NULL;
	const VarveTraceLayer *base;
	const VarveTraceAnswer *answer;

	add(f, image, "two", "1");
	add(f, image, "base", "1");
	add(f, image, "one", "1");
	add(f, image, "one", "10");
	add(f, image, "liar", "1");
	compose(image);
	/* The base below, of one name the newest, by name. */
	g_assert_cmpuint(image->stack->layers->len, ==, 4);
	g_assert_cmpuint(image->refused->len, ==, 0);
	base = image->stack->layers->pdata[0];
	g_assert_cmpstr(base->manifest->name, ==, "base");
	g_assert_true(base->signer.verified);
	g_assert_true(base->enforced);
	answers(image, "/usr/share/one/version", "signed", "one", "usr/share/one/version", 0);
	answers(image, "/bin/tool", "signed", "base", "usr/bin/tool", 0);
	answers(image, "/etc/hosts", "signed", "base", "etc/hosts", 0);
	answers(image, "/etc/two.conf", "signed", "two", "usr/share/factory/etc/two.conf", 0);
	answers(image, "/usr/lib/varve/layers/two.json", "signed", "two",
		"usr/lib/varve/layers/two.json", 0);
	answers(image, "/", "signed", "base", "", 0);
	answers(image, "/usr/none", "absent", "", "", 0);
	answers(image, "/opt/none", "absent", "", "", 0);
	answers(image, "/usr/share/liar/version", "signed", "liar", "usr/share/liar/version", 1);
	why = varve_trace_image_why(image, "/usr/share/one/version", NULL);
	answer = varve_trace_why_last(why);
	g_assert_cmpstr(answer->layer->manifest->version, ==, "10");
	g_assert_cmpuint(answer->found->size, ==, 2);
	g_assert_true(answer->found->read);
}

static void test_refused(gconstpointer data)
{
	const Fixture *f = data;
	g_autoptr(VarveTraceImage) image = varve_trace_image_new();
	const VarveTraceRefused *refused;

	add(f, image, "base", "1");
	add(f, image, "one", "1");
	add(f, image, "foreign", "1");
	compose(image);
	g_assert_cmpuint(image->stack->layers->len, ==, 2);
	g_assert_cmpuint(image->refused->len, ==, 1);
	refused = image->refused->pdata[0];
	g_assert_cmpstr(refused->file, ==, "foreign_1_x86-64.raw");
	g_assert_cmpstr(refused->code, ==, "untrusted");
	answers(image, "/usr/share/foreign/version", "absent", "", "", 0);
}

/* Another certificate than the base's own is what the asker believes. */
static void test_certificates(gconstpointer data)
{
	const Fixture *f = data;
	g_autoptr(VarveTraceImage) image = varve_trace_image_new(), alone = varve_trace_image_new();
	g_autoptr(GPtrArray) certificates = g_ptr_array_new();
	const VarveTraceLayer *layer;

	g_ptr_array_add(certificates, f->certificate[STRANGER]);
	add(f, image, "base", "1");
	g_assert_true(varve_trace_image_compose(image, certificates, "a stranger's", 0, NULL));
	g_assert_cmpuint(image->stack->problems->len, ==, 1);
	layer = image->stack->layers->pdata[0];
	g_assert_false(layer->signer.verified);
	/* A single layer, which nobody judges. */
	add(f, alone, "foreign", "1");
	g_assert_true(varve_trace_image_compose(alone, certificates, "a stranger's", 0, NULL));
	g_assert_cmpuint(alone->stack->problems->len, ==, 0);
	layer = alone->stack->layers->pdata[0];
	g_assert_true(layer->signer.verified);
	g_assert_cmpstr(layer->signer.subject, ==, "stranger");
	answers(alone, "/usr/share/foreign/version", "signed", "foreign",
		"usr/share/foreign/version", 0);
}

static void test_should_fail(gconstpointer data)
{
	const Fixture *f = data;
	g_autoptr(VarveTraceImage) none = varve_trace_image_new(), two = varve_trace_image_new(),
				   damaged = varve_trace_image_new();
	g_autofree char *from = file_of(f, "one", "1");
	g_autofree char *to = g_build_filename(f->dir, "damaged.raw", NULL);
	g_autoptr(GError) error = NULL;
	varve_autofd fd = -1;

	g_assert_false(varve_trace_image_compose(none, NULL, NULL, 0, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_clear_error(&error);
	add(f, two, "base", "1");
	add(f, two, "base", "1");
	g_assert_false(varve_trace_image_compose(two, NULL, NULL, 0, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_clear_error(&error);
	g_assert_true(varve_file_copy(from, to, 0644, NULL));
	fd = open(to, O_WRONLY | O_CLOEXEC);
	g_assert_cmpint(pwrite(fd, "x", 1, (1 << 20) + 3000), ==, 1);
	g_assert_false(
		varve_trace_image_add(damaged, varve_layer_open_path(to, NULL), "damaged", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
}

/* What a state partition has: a changed, a deleted and a local file. */
static gboolean written(const char *path, gboolean *ret_written, VarveTraceFound **ret_found,
			gpointer data, GError **error)
{
	VarveTraceFound *found;

	(void)data;
	(void)error;
	*ret_written = strcmp(path, "etc/hosts") == 0 || strcmp(path, "etc/mine") == 0 ||
		       strcmp(path, "etc/link") == 0;
	if (!*ret_written || strcmp(path, "etc/hosts") == 0)
		return TRUE;
	*ret_found = found = varve_trace_found_new();
	found->mode = S_IFREG | 0644;
	if (strcmp(path, "etc/link") == 0) {
		g_free(found->target);
		found->target = g_strdup("mine");
		found->mode = S_IFLNK | 0777;
	}
	return TRUE;
}

static void test_written(gconstpointer data)
{
	const Fixture *f = data;
	g_autoptr(VarveTraceImage) image = varve_trace_image_new();

	add(f, image, "base", "1");
	compose(image);
	image->written = written;
	answers(image, "/etc/hosts", "deleted", "base", "etc/hosts", 0);
	answers(image, "/etc/mine", "local", "", "", 0);
	answers(image, "/etc/link", "local", "", "", 0);
	answers(image, "/etc/none", "absent", "", "", 0);
	answers(image, "/usr/bin/tool", "signed", "base", "usr/bin/tool", 0);
}

static gboolean set_up(Fixture *f)
{
	f->dir = g_dir_make_tmp("varve-image-XXXXXX", NULL);
	for (int i = 0; i < N_KEYS; i++) {
		g_autofree char *key = g_strdup_printf("%s/%s.key", f->dir, key_names[i]);
		g_autofree char *certificate = g_strdup_printf("%s/%s.crt", f->dir, key_names[i]);

		g_assert_true(varve_authority_make(f->dir, key_names[i], NULL));
		f->key[i] = varve_private_key_load(key, NULL);
		f->certificate[i] = varve_certificate_load(certificate, NULL);
	}
	return make(f, "base", "1", TEAM, NULL) && make(f, "one", "1", TEAM, NULL) &&
	       make(f, "one", "10", TEAM, NULL) && make(f, "two", "1", TEAM, NULL) &&
	       make(f, "liar", "1", TEAM, lie) && make(f, "foreign", "1", STRANGER, NULL);
}

int main(int argc, char **argv)
{
	Fixture f;
	int result = 77;

	g_test_init(&argc, &argv, NULL);
	if (!set_up(&f)) {
		g_print("1..0 # SKIP mkfs.erofs is not installed (erofs-utils)\n");
	} else {
		g_test_add_data_func("/trace-image/answers", &f, test_answers);
		g_test_add_data_func("/trace-image/refused", &f, test_refused);
		g_test_add_data_func("/trace-image/certificates", &f, test_certificates);
		g_test_add_data_func("/trace-image/should-fail", &f, test_should_fail);
		g_test_add_data_func("/trace-image/written", &f, test_written);
		result = g_test_run();
	}
	for (int i = 0; i < N_KEYS; i++) {
		varve_private_key_free(f.key[i]);
		varve_certificate_free(f.certificate[i]);
	}
	varve_dir_remove(AT_FDCWD, f.dir, NULL);
	g_free(f.dir);
	return result;
}
