#include "format/manifest.h"

#include "base/error.h"

#include <string.h>

static VarveManifestPackage *package(const char *name, guint epoch, const char *version)
{
	VarveManifestPackage *made = g_new0(VarveManifestPackage, 1);

	made->name = g_strdup(name);
	made->epoch = epoch;
	made->version = g_strdup(version);
	made->release = g_strdup("7");
	made->arch = g_strdup("x86_64");
	made->source = g_strdup_printf("%s-%s-7.src.rpm", name, version);
	made->license = g_strdup("BSD-2-Clause AND ISC");
	made->vendor = g_strdup("Varve");
	made->upstream = g_strdup("debian-trixie");
	memset(made->digest.bytes, 0xab, sizeof made->digest.bytes);
	made->size = 1234567890123;
	return made;
}

static void add_component(VarveManifestPackage *package)
{
	package->component = varve_component_facts_new();
	g_free(package->component->name);
	package->component->name = g_strdup("openssh");
	varve_component_facts_add(
		package->component,
		&(VarveFactsOverlay){ .type = (char *)"patch-add", .reason = (char *)"because" });
}

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

static VarveManifest *sample(void)
{
	static const char *const provides[] = { "openssh = 1:10.0p1-7", "sshd", "openssh-server",
						NULL };
	VarveManifest *manifest = varve_manifest_new();

	set(&manifest->name, "ssh");
	set(&manifest->version, "10.0p1-7");
	set(&manifest->arch, "x86-64");
	set(&manifest->os_id, "varve");
	set(&manifest->os_version_id, "1.0");
	set(&manifest->support_end, "2028-02-29");
	manifest->rollback_index = 3;
	manifest->role = VARVE_ROLE_EXTENSION;
	g_strfreev(manifest->provides);
	manifest->provides = g_strdupv((char **)provides);
	g_ptr_array_add(manifest->packages, package("openssh-server", 1, "10.0p1"));
	g_ptr_array_add(manifest->packages, package("openssh-client", 0, "10.0p10"));
	g_ptr_array_add(manifest->packages, package("openssh-client", 0, "10.0p9"));
	g_hash_table_insert(manifest->inputs, g_strdup("files"), g_strdup("sha256:00ff"));
	memset(manifest->paths.bytes, 0x11, sizeof manifest->paths.bytes);
	return manifest;
}

/* The same as a patch of two layers, its overrides out of order. */
static VarveManifest *patch_sample(void)
{
	VarveManifest *manifest = sample();
	VarveDigest digest;

	memset(digest.bytes, 0x22, sizeof(digest.bytes));
	manifest->role = VARVE_ROLE_PATCH;
	g_ptr_array_add(manifest->overrides,
			varve_manifest_override_new("containerd", "1.7~ds1-6+r2",
						    "usr/lib/libssl.so.3", &digest));
	g_ptr_array_add(manifest->overrides,
			varve_manifest_override_new("base", "1.0", "usr/bin/openssl", &digest));
	return manifest;
}

static VarveManifest *parse(const char *text, GError **error)
{
	return varve_manifest_parse(text, strlen(text), "manifest", error);
}

static void test_component(void)
{
	g_autoptr(VarveManifest) manifest = sample(), back = NULL;
	g_autofree char *text = NULL, *broken = NULL;
	g_autoptr(GError) error = NULL;
	const VarveManifestPackage *last;
	char **parts;

	add_component(manifest->packages->pdata[0]);
	text = varve_manifest_write(manifest);
	back = parse(text, &error);
	g_assert_no_error(error);
	g_assert_null(((VarveManifestPackage *)back->packages->pdata[0])->component);
	last = back->packages->pdata[2];
	g_assert_cmpstr(last->component->name, ==, "openssh");
	g_assert_cmpstr(((VarveFactsOverlay *)last->component->overlays->pdata[0])->reason, ==,
			"because");
	parts = g_strsplit(text, "because", 2);
	broken = g_strjoinv("\\u001b", parts);
	g_strfreev(parts);
	g_assert_null(parse(broken, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_assert_nonnull(strstr(error->message, "package 2: component: 'reason'"));
}

static void test_round_trip(void)
{
	g_autoptr(VarveManifest) manifest = sample(), back = NULL;
	g_autofree char *text = varve_manifest_write(manifest), *again = NULL, *digest = NULL,
			*nevra = NULL;
	g_autoptr(GError) error = NULL;
	const VarveManifestPackage *first;

	back = parse(text, &error);
	g_assert_no_error(error);
	again = varve_manifest_write(back);
	g_assert_cmpstr(again, ==, text);
	g_assert_cmpstr(back->name, ==, "ssh");
	g_assert_cmpuint(back->rollback_index, ==, 3);
	g_assert_cmpint(back->role, ==, VARVE_ROLE_EXTENSION);
	g_assert_cmpstr(back->provides[0], ==, "openssh = 1:10.0p1-7");
	g_assert_cmpuint(back->packages->len, ==, 3);
	first = back->packages->pdata[0];
	g_assert_cmpstr(first->version, ==, "10.0p9");
	g_assert_cmpuint(first->size, ==, 1234567890123);
	nevra = varve_manifest_package_nevra(back->packages->pdata[2]);
	g_assert_cmpstr(nevra, ==, "openssh-server-1:10.0p1-7.x86_64");
	g_assert_cmpstr(g_hash_table_lookup(back->inputs, "files"), ==, "sha256:00ff");
	/* The bytes are part of what is signed: they change only with the format's number. */
	digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
	g_assert_cmpstr(digest, ==,
			"cccd6e44763f7d3e59c7bb9db154da544ed33810cac594c280e93433dd04c7a9");
}

static void test_order_does_not_matter(void)
{
	g_autoptr(VarveManifest) a = sample(), b = sample();
	g_autofree char *text_a = varve_manifest_write(a), *text_b = NULL;
	gpointer package = g_ptr_array_steal_index(b->packages, 0);
	char *provides = b->provides[0];

	g_ptr_array_add(b->packages, package);
	b->provides[0] = b->provides[2];
	b->provides[2] = provides;
	text_b = varve_manifest_write(b);
	g_assert_cmpstr(text_a, ==, text_b);
	varve_manifest_sort(b);
	g_assert_cmpstr(((VarveManifestPackage *)b->packages->pdata[0])->version, ==, "10.0p9");
}

/* What packages say of themselves is not always UTF-8, nor one line. */
static void test_strange_text(void)
{
	g_autoptr(VarveManifest) manifest = sample(), back = NULL;
	VarveManifestPackage *first = manifest->packages->pdata[0];
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;

	set(&first->vendor, "Jos\xe9\n\x1b[31m");
	text = varve_manifest_write(manifest);
	back = parse(text, &error);
	g_assert_no_error(error);
	first = back->packages->pdata[2];
	g_assert_cmpstr(first->vendor, ==, "Jos\xef\xbf\xbd  [31m");
}

/* Replaces @from by @to in the sample's text: that must be refused, naming @what. */
static void refused_of(VarveManifest *made, const char *from, const char *to, VarveError code,
		       const char *what)
{
	g_autoptr(VarveManifest) manifest = made, back = NULL;
	g_autofree char *text = varve_manifest_write(manifest);
	g_autoptr(GString) changed = g_string_new(text);
	g_autoptr(GError) error = NULL;

	if (!g_string_replace(changed, from, to, 1))
		g_error("the sample has no '%s'", from);
	back = parse(changed->str, &error);
	g_assert_null(back);
	g_assert_error(error, VARVE_ERROR, (int)code);
	if (!strstr(error->message, what))
		g_error("'%s' does not name '%s'", error->message, what);
}

static void refused(const char *from, const char *to, VarveError code, const char *what)
{
	refused_of(sample(), from, to, code, what);
}

static void refused_check(const char *check, const char *word)
{
	g_autofree char *members = g_strdup_printf("\"restart\": [], \"checks\": [%s]", check);

	refused("\"restart\": []", members, VARVE_ERROR_CORRUPT, word);
}

static void test_should_fail(void)
{
	VarveError corrupt = VARVE_ERROR_CORRUPT;

	refused("\"name\": \"ssh\"", "\"name\": \"../ssh\"", corrupt, "name");
	refused("\"name\": \"ssh\"", "\"name\": \".ssh\"", corrupt, "name");
	refused("\"name\": \"ssh\"", "\"name\": \"a_b\"", corrupt, "name");
	refused("\"name\": \"ssh\"", "\"name\": \"\"", corrupt, "name");
	refused("\"name\": \"ssh\"", "\"name\": 1", corrupt, "name");
	refused("\"name\": \"ssh\",", "", corrupt, "name");
	refused("\"version\": \"10.0p1-7\"", "\"version\": \"10_0\"", corrupt, "version");
	refused("\"rollback-index\": 3", "\"rollback-index\": -1", corrupt, "rollback-index");
	refused("\"rollback-index\": 3", "\"rollback-index\": 3.0", corrupt, "rollback-index");
	refused("\"rollback-index\": 3", "\"rollback-index\": 9223372036854775808", corrupt,
		"JSON");
	refused("\"role\": \"extension\"", "\"role\": \"root\"", corrupt, "role");
	refused("2028-02-29", "2027-02-29", corrupt, "support-end");
	refused("2028-02-29", "2028-2-29", corrupt, "support-end");
	refused("2028-02-29", "2028-00-29", corrupt, "support-end");
	refused("2028-02-29", "forever", corrupt, "support-end");
	refused("\"format\": 1", "\"format\": 2", VARVE_ERROR_UNSUPPORTED, "format 2");
	refused("\"format\": 1", "\"format\": 1, \"setuid\": true", VARVE_ERROR_UNSUPPORTED,
		"setuid");
	refused("\"format\": 1", "\"format\": 1, \"format\": 1", corrupt, "JSON");
	refused("\"epoch\": 1", "\"epoch\": 4294967296", corrupt, "epoch");
	refused("\"arch\": \"x86_64\"", "\"arch\": \"x86 64\"", corrupt, "arch");
	refused("\"sha256\": \"ab", "\"sha256\": \"AB", corrupt, "sha256");
	refused("\"paths\": \"11", "\"paths\": \"1", corrupt, "paths");
	refused("\"license\": \"BSD", "\"license\": \"\\u001b", corrupt, "license");
	refused("\"license\": \"BSD", "\"license\": \"\\u009b", corrupt, "license");
	refused("\"license\": \"BSD", "\"license\": \"\\u0000", corrupt, "JSON");
	refused("\"provides\": [", "\"provides\": [\"\",", corrupt, "provides");
	refused("\"provides\": [", "\"provides\": [1,", corrupt, "provides");
	refused("\"restart\": []", "\"restart\": [\"../x.service\"]", corrupt, "restart");
	refused("\"restart\": []", "\"restart\": [], \"reload\": []", corrupt, "reload");
	refused("\"restart\": []", "\"restart\": [], \"ask\": [\"a/b\"]", corrupt, "ask");
	refused("\"restart\": []", "\"restart\": [], \"ask\": \"a.service\"", corrupt, "ask");
	refused_check("", "checks");
	refused_check("1", "checks");
	refused_check("{\"timeout\": 1}", "one of");
	refused_check("{\"unit\": \"a.service\"}", "timeout");
	refused_check("{\"unit\": \"a.service\", \"timeout\": 0}", "timeout");
	refused_check("{\"unit\": \"a.service\", \"timeout\": 601}", "timeout");
	refused_check("{\"unit\": \"a b\", \"timeout\": 1}", "unit");
	refused_check("{\"unit\": \"a.service\", \"command\": [\"/a\"], \"timeout\": 1}", "one of");
	refused_check("{\"command\": [], \"timeout\": 1}", "command");
	refused_check("{\"command\": [\"a\"], \"timeout\": 1}", "command");
	refused_check("{\"command\": [\"/a\", \"\\u001b\"], \"timeout\": 1}", "command");
	refused("\"restart\": []", "\"restart\": [], \"checks\": [{\"unit\": \"a\", \"x\": 1}]",
		VARVE_ERROR_UNSUPPORTED, "x");
	refused("\"replaces\": []", "\"replaces\": {}", corrupt, "replaces");
	refused("\"replaces\": [],", "", corrupt, "replaces");
	refused("\"files\": \"sha256:00ff\"", "\"files\": \"\"", corrupt, "files");
	refused("\"version\": \"10.0p9\"", "\"version\": \"10.0p11\"", corrupt, "order");
	refused("\"version\": \"10.0p9\"", "\"version\": \"10.0p10\"", corrupt, "twice");
}

/* What a swap does about units is only written where it is declared. */
static void test_units(void)
{
	static const char *const reload[] = { "b.service", "a.service", NULL };
	static const char *const command[] = { "/usr/bin/ctr", "version", NULL };
	g_autoptr(VarveManifest) manifest = sample(), back = NULL;
	g_autofree char *without = varve_manifest_write(manifest), *with = NULL, *again = NULL;
	g_autoptr(GError) error = NULL;
	const VarveManifestCheck *check;

	g_assert_null(strstr(without, "reload"));
	g_assert_null(strstr(without, "ask"));
	g_assert_null(strstr(without, "checks"));
	g_strfreev(manifest->reload);
	manifest->reload = g_strdupv((char **)reload);
	g_strfreev(manifest->ask);
	manifest->ask = g_strdupv((char **)reload + 1);
	g_ptr_array_add(manifest->checks, varve_manifest_check_new("c.service", NULL, 600));
	g_ptr_array_add(manifest->checks, varve_manifest_check_new("", command, 10));
	with = varve_manifest_write(manifest);
	back = parse(with, &error);
	g_assert_no_error(error);
	again = varve_manifest_write(back);
	g_assert_cmpstr(again, ==, with);
	g_assert_cmpstrv(back->reload, reload);
	g_assert_cmpstrv(back->ask, reload + 1);
	g_assert_cmpuint(back->checks->len, ==, 2);
	check = back->checks->pdata[0];
	g_assert_cmpstr(check->unit, ==, "c.service");
	g_assert_cmpuint(check->timeout, ==, 600);
	check = back->checks->pdata[1];
	g_assert_cmpstr(check->unit, ==, "");
	g_assert_cmpstrv(check->command, command);
}

static void test_overrides(void)
{
	g_autoptr(VarveManifest) manifest = patch_sample(), back = NULL;
	g_autofree char *text = varve_manifest_write(manifest), *again = NULL, *digest = NULL;
	g_autoptr(GError) error = NULL;
	const VarveManifestOverride *found;

	back = parse(text, &error);
	g_assert_no_error(error);
	again = varve_manifest_write(back);
	g_assert_cmpstr(again, ==, text);
	g_assert_cmpuint(back->overrides->len, ==, 2);
	found = varve_manifest_find_override(back, "usr/lib/libssl.so.3");
	g_assert_cmpstr(found->layer, ==, "containerd");
	g_assert_cmpstr(found->version, ==, "1.7~ds1-6+r2");
	g_assert_cmphex(found->digest.bytes[31], ==, 0x22);
	g_assert_null(varve_manifest_find_override(back, "usr/lib/libssl.so"));
	digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
	g_assert_cmpstr(digest, ==,
			"4a9985019eef45ec8e8f588bc8e1ae7c1d524e5333066e6b6d6140ac76114b0e");
}

/* Of @patch_sample() changed in one place. */
static void override_refused(const char *from, const char *to, VarveError code, const char *what)
{
	refused_of(patch_sample(), from, to, code, what);
}

static void test_overrides_should_fail(void)
{
	const char *ssl = "\"path\": \"usr/lib/libssl.so.3\"";
	VarveError corrupt = VARVE_ERROR_CORRUPT;

	override_refused("\"role\": \"patch\"", "\"role\": \"extension\"", corrupt, "only a patch");
	override_refused("\"role\": \"patch\"", "\"role\": \"base\"", corrupt, "only a patch");
	override_refused("\"overrides\": [", "\"overrides\": [1,", corrupt, "not an object");
	override_refused("\"overrides\": [", "\"overrides\": [], \"x\": [", VARVE_ERROR_UNSUPPORTED,
			 "'x'");
	refused("\"name\": \"ssh\"", "\"name\": \"ssh\", \"overrides\": []", corrupt, "overrides");
	refused("\"name\": \"ssh\"", "\"name\": \"ssh\", \"overrides\": {}", corrupt, "overrides");
	override_refused("\"layer\": \"containerd\"", "\"layer\": \"../x\"", corrupt, "layer");
	override_refused("\"layer\": \"containerd\",", "", corrupt, "layer");
	override_refused("\"layer\": \"containerd\",", "\"layer\": \"containerd\", \"mode\": 1,",
			 VARVE_ERROR_UNSUPPORTED, "mode");
	override_refused("1.7~ds1-6+r2", "1_7", corrupt, "version");
	override_refused("\"digest\": \"22", "\"digest\": \"2", corrupt, "digest");
	override_refused(ssl, "\"path\": \"\"", corrupt, "path");
	override_refused(ssl, "\"path\": \"/usr/lib/x\"", corrupt, "path");
	override_refused(ssl, "\"path\": \"usr/lib/../../etc/shadow\"", corrupt, "path");
	override_refused(ssl, "\"path\": \"usr//lib\"", corrupt, "path");
	override_refused(ssl, "\"path\": \"usr/lib/\"", corrupt, "path");
	override_refused(ssl, "\"path\": \"usr/lib/\\u001b\"", corrupt, "control");
	override_refused(ssl, "\"path\": \"usr/bin/openssl\"", corrupt, "twice");
	override_refused(ssl, "\"path\": \"usr/bin/a\"", corrupt, "order");
	override_refused(ssl, "\"path\": [\"usr/bin/a\"]", corrupt, "path");
}

static void test_truncated(void)
{
	g_autoptr(VarveManifest) manifest = sample();
	g_autofree char *text = varve_manifest_write(manifest);

	for (gsize size = 0; size + 2 < strlen(text); size++) {
		g_autofree char *part = g_memdup2(text, size + 1);
		g_autoptr(GError) error = NULL;

		g_assert_null(varve_manifest_parse(part, size, "manifest", &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/manifest/round-trip", test_round_trip);
	g_test_add_func("/manifest/component", test_component);
	g_test_add_func("/manifest/order-does-not-matter", test_order_does_not_matter);
	g_test_add_func("/manifest/strange-text", test_strange_text);
	g_test_add_func("/manifest/should-fail", test_should_fail);
	g_test_add_func("/manifest/units", test_units);
	g_test_add_func("/manifest/overrides", test_overrides);
	g_test_add_func("/manifest/overrides-should-fail", test_overrides_should_fail);
	g_test_add_func("/manifest/truncated-is-corrupt", test_truncated);
	return g_test_run();
}
