/* policy/: patches: what one may override, when it is not what it was made for, when it retires,
 * and what becomes of two for one file. */
#include "layer-fixture.h"
#include "policy/rule.h"

#define SSL "usr/lib/libssl.so.3"
#define TOOL "usr/bin/tool"
#define SU "usr/bin/su"

static const char policy_text[] = "[[allow]]\n"
				  "certificate = \"security.crt\"\n"
				  "layers = [\"fix*\"]\n"
				  "roles = [\"patch\"]\n"
				  "paths = [\"/usr/lib/**\", \"/usr/bin/*\"]\n"
				  "setuid-paths = [\"/usr/bin/*\"]\n"
				  "capability-paths = [\"/usr/bin/*\"]\n"
				  "patches = [\"base\", \"app*\"]\n"
				  /* Between the two neither both may be done at once. */
				  "[[allow]]\n"
				  "certificate = \"security.crt\"\n"
				  "layers = [\"fix*\"]\n"
				  "roles = [\"patch\"]\n"
				  "paths = [\"/usr/share/**\"]\n"
				  "patches = [\"docs\"]\n"
				  "[[allow]]\n"
				  "certificate = \"security.crt\"\n"
				  "layers = [\"app*\", \"docs\"]\n"
				  "roles = [\"extension\"]\n"
				  "paths = [\"/usr/**\"]\n";

static VarvePath *add_file(Layer *layer, const char *name, mode_t mode, guint8 content,
			   const char *package)
{
	VarvePath *path = add_path(layer, name, mode);

	path->package = package;
	path->digest.bytes[0] = content;
	return path;
}

static Layer *add_layer(Fixture *f, const char *name, VarveRole role)
{
	Layer *layer = layer_new(f, name, role);

	add_path(layer, "usr/lib", S_IFDIR | 0755);
	if (role != VARVE_ROLE_BASE)
		g_ptr_array_add(f->layers, layer);
	return layer;
}

/* Brings the package and says what it provides. */
static void add_package(Layer *layer, const char *name, const char *version, const char *provides)
{
	VarveManifestPackage *package = g_new0(VarveManifestPackage, 1);
	g_autofree char *all =
		g_strdup_printf("%s = %s-1%s%s", name, version, *provides ? "|" : "", provides);
	g_auto(GStrv) more = g_strsplit(all, "|", -1);
	g_autofree char *old = g_strjoinv("|", layer->manifest->provides);
	g_autofree char *new = g_strjoinv("|", more);
	g_autofree char *joined = g_strdup_printf("%s%s%s", old, *old ? "|" : "", new);

	package->name = g_strdup(name);
	package->version = g_strdup(version);
	package->release = g_strdup("1");
	package->arch = g_strdup("x86_64");
	package->source = g_strdup("");
	package->license = g_strdup("");
	package->vendor = g_strdup("");
	package->upstream = g_strdup("");
	g_ptr_array_add(layer->manifest->packages, package);
	g_strfreev(layer->manifest->provides);
	layer->manifest->provides = g_strsplit(joined, "|", -1);
}

static void requires(Layer *layer, const char *what)
{
	g_strfreev(layer->manifest->requires);
	layer->manifest->requires = g_strsplit(what, "|", -1);
}

static void overrides(Layer *patch, const char *layer, const char *path, guint8 content)
{
	VarveDigest digest = { { content } };

	g_ptr_array_add(patch->manifest->overrides,
			varve_manifest_override_new(layer, "1", path, &digest));
}

#define SSL_PROVIDES "libssl.so.3()(64bit)|libssl.so.3(SSL_3)(64bit)|libssl.so.3(SSL_3_1)(64bit)"

static void setup(Fixture *f, gconstpointer data)
{
	GError *error = NULL;

	f->signer.name = (char *)"security.crt";
	f->signer.certificate = (VarveCertificate *)data;
	f->policy = varve_policy_parse(policy_text, strlen(policy_text), "policy", &error);
	g_assert_no_error(error);
	f->layers = g_ptr_array_new_with_free_func(layer_free);
	f->base = add_layer(f, "base", VARVE_ROLE_BASE);
	add_package(f->base, "libssl", "3.0", SSL_PROVIDES);
	add_package(f->base, "tool", "1.0", "");
	add_file(f->base, SSL, S_IFREG | 0644, 1, "libssl-3.0-1.x86_64");
	add_file(f->base, TOOL, S_IFREG | 0755, 2, "tool-1.0-1.x86_64");
	add_file(f->base, SU, S_IFREG | 04755, 3, "tool-1.0-1.x86_64");
}

/* A patch of the base's libssl, to @version. */
static Layer *add_fix(Fixture *f, const char *name, const char *version)
{
	Layer *patch = add_layer(f, name, VARVE_ROLE_PATCH);
	const char *package = version[0] == '3' && version[2] == '1' ? "libssl-3.1-1.x86_64"
								     : "libssl-3.2-1.x86_64";

	add_package(patch, "libssl", version, SSL_PROVIDES);
	add_file(patch, SSL, S_IFREG | 0644, (guint8)(0x10 + version[2]), package);
	overrides(patch, "base", SSL, 1);
	return patch;
}

/* "-" for an accepted layer, else its code; in the order of the candidates. */
static void expect(Fixture *f, const char *expected)
{
	g_autoptr(GPtrArray) verdicts = judge(f);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < verdicts->len; i++) {
		const VarveRefusal *refusal = verdicts->pdata[i];

		g_string_append_printf(text, "%s%s", i ? " " : "", refusal ? refusal->code : "-");
		if (refusal)
			g_test_message("%s", refusal->sentence);
		if (refusal)
			g_assert_cmpint(refusal->retired, ==,
					strcmp(refusal->code, "retired") == 0 ||
						strcmp(refusal->code, "superseded") == 0);
	}
	g_assert_cmpstr(text->str, ==, expected);
}

static Layer *last(Fixture *f)
{
	return f->layers->pdata[f->layers->len - 1];
}

static VarvePath *path_of(Layer *layer, const char *name)
{
	for (guint i = 0; i < layer->tree->len; i++) {
		VarvePath *path = layer->tree->pdata[i];

		if (strcmp(path->path, name) == 0)
			return path;
	}
	g_error("there is no %s", name);
}

static VarveManifestPackage *package_of(Layer *layer, guint i)
{
	return layer->manifest->packages->pdata[i];
}

/* One way in which a patch of libssl is not as it should be. */
static void be_good(Fixture *f)
{
	(void)f;
}

static void be_undeclared(Fixture *f)
{
	add_file(last(f), TOOL, S_IFREG | 0755, 9, "");
}

static void be_declared_for_nobody(Fixture *f)
{
	g_ptr_array_set_size(last(f)->manifest->overrides, 0);
}

static void add_new_file(Fixture *f)
{
	add_file(last(f), "usr/lib/libnew.so.1", S_IFREG | 0644, 9, "");
}

static void of_another_version(Fixture *f)
{
	set(&f->base->manifest->version, "2");
}

static void of_another_file(Fixture *f)
{
	path_of(f->base, SSL)->digest.bytes[0] = 0x77;
}

static void of_a_directory(Fixture *f)
{
	path_of(f->base, SSL)->mode = S_IFDIR | 0755;
}

static void of_nothing(Fixture *f)
{
	overrides(last(f), "base", "usr/lib/gone", 1);
	add_file(last(f), "usr/lib/gone", S_IFREG | 0644, 9, "");
}

static void without_its_file(Fixture *f)
{
	overrides(last(f), "base", TOOL, 2);
}

static void of_a_layer_that_is_not_there(Fixture *f)
{
	overrides(last(f), "app", "usr/bin/app", 1);
	add_file(last(f), "usr/bin/app", S_IFREG | 0755, 9, "");
}

static void of_a_foreign_layer(Fixture *f)
{
	overrides(last(f), "docs", "usr/lib/docs", 1);
	add_file(last(f), "usr/lib/docs", S_IFREG | 0644, 9, "");
}

static void base_has_it(Fixture *f)
{
	set(&package_of(f->base, 0)->version, "3.1");
	set(&f->base->manifest->version, "2");
}

static void base_has_a_newer(Fixture *f)
{
	set(&package_of(f->base, 0)->version, "3.5");
}

static void base_has_the_bytes(Fixture *f)
{
	path_of(f->base, SSL)->digest = path_of(last(f), SSL)->digest;
}

/* The fix can be who may read or execute a file. */
static void base_has_the_bytes_alone(Fixture *f)
{
	overrides(last(f), "base", TOOL, 2);
	add_file(last(f), TOOL, S_IFREG | 0700, 2, "tool-1.1-1.x86_64");
	base_has_it(f);
	set(&f->base->manifest->version, "1");
	((VarveManifestOverride *)last(f)->manifest->overrides->pdata[0])->digest =
		path_of(f->base, SSL)->digest;
}

static void base_has_half(Fixture *f)
{
	base_has_it(f);
	overrides(last(f), "base", TOOL, 2);
	add_file(last(f), TOOL, S_IFREG | 0755, 9, "tool-1.1-1.x86_64");
	add_package(last(f), "tool", "1.1", "");
}

static void patch_su(Fixture *f, mode_t mode)
{
	overrides(last(f), "base", SU, 3);
	add_file(last(f), SU, S_IFREG | mode, 9, "");
}

static void setuid_as_before(Fixture *f)
{
	patch_su(f, 04755);
}

static void setuid_otherwise(Fixture *f)
{
	patch_su(f, 06755);
}

static void setuid_of_another(Fixture *f)
{
	patch_su(f, 04755);
	path_of(last(f), SU)->uid = 1;
}

static void setuid_no_more(Fixture *f)
{
	patch_su(f, 0755);
}

static void setuid_suddenly(Fixture *f)
{
	overrides(last(f), "base", TOOL, 2);
	add_file(last(f), TOOL, S_IFREG | 04755, 9, "");
}

/* A file that the newer package has newly can nobody have relied on. */
static void setuid_and_new(Fixture *f)
{
	add_file(last(f), "usr/bin/shell", S_IFREG | 04755, 9, "");
}

static const VarveXattr capability = { "security.capability", "x", 1 };
static const VarveXattr more_capability = { "security.capability", "y", 1 };

static void capable_suddenly(Fixture *f)
{
	VarvePath *path = add_file(last(f), TOOL, S_IFREG | 0755, 9, "");

	overrides(last(f), "base", TOOL, 2);
	path->xattrs = &capability;
	path->n_xattrs = 1;
}

static void capable_as_before(Fixture *f)
{
	VarvePath *path = path_of(f->base, TOOL);

	capable_suddenly(f);
	path->xattrs = &capability;
	path->n_xattrs = 1;
}

static void capable_of_more(Fixture *f)
{
	capable_as_before(f);
	path_of(f->base, TOOL)->xattrs = &more_capability;
}

static void capable_and_new(Fixture *f)
{
	VarvePath *path = add_file(last(f), "usr/bin/shell", S_IFREG | 0755, 9, "");

	path->xattrs = &capability;
	path->n_xattrs = 1;
}

/* Of two files that are patched the base has the bytes of both. */
static VarvePath *same_bytes(Fixture *f)
{
	VarveManifestOverride *override = last(f)->manifest->overrides->pdata[0];

	base_has_the_bytes(f);
	override->digest = path_of(f->base, SSL)->digest;
	overrides(last(f), "base", TOOL, 2);
	return add_file(last(f), TOOL, S_IFREG | 0755, 2, "");
}

static void base_has_the_bytes_of_both(Fixture *f)
{
	same_bytes(f);
}

/* The fix can be what a program may do. */
static void capable_no_more(Fixture *f)
{
	VarvePath *path = path_of(f->base, TOOL);

	same_bytes(f);
	path->xattrs = &capability;
	path->n_xattrs = 1;
}

static void labelled_otherwise(Fixture *f)
{
	VarvePath *path = same_bytes(f);

	path->label = "system_u:object_r:tool_exec_t:s0";
}

static void reserved(Fixture *f)
{
	add_file(f->base, "usr/lib/verity.d/base.crt", S_IFREG | 0644, 4, "");
	add_file(last(f), "usr/lib/verity.d/base.crt", S_IFREG | 0644, 9, "");
	overrides(last(f), "base", "usr/lib/verity.d/base.crt", 4);
}

static void out_of_paths(Fixture *f)
{
	add_file(f->base, "usr/sbin/x", S_IFREG | 0755, 4, "");
	add_file(last(f), "usr/sbin/x", S_IFREG | 0755, 9, "");
	overrides(last(f), "base", "usr/sbin/x", 4);
}

/* The one table has the path, the other the layer. */
static void of_two_tables(Fixture *f)
{
	add_file(f->base, "usr/share/x", S_IFREG | 0644, 4, "");
	add_file(last(f), "usr/share/x", S_IFREG | 0644, 9, "");
	overrides(last(f), "base", "usr/share/x", 4);
}

/* PATH finds the tool by both names; what is overridden is found as before. */
static void tool_of_two_names(Fixture *f)
{
	add_file(f->base, "usr/sbin/tool", S_IFLNK | 0777, 4, "");
	add_file(last(f), TOOL, S_IFREG | 0755, 9, "");
	overrides(last(f), "base", TOOL, 2);
}

static void tool_under_a_name_of_sbin(Fixture *f)
{
	add_file(f->base, "usr/sbin/another", S_IFREG | 0755, 4, "");
	add_file(last(f), "usr/bin/another", S_IFREG | 0755, 9, "");
}

static void lacks_something(Fixture *f)
{
	requires(last(f), "libmissing.so.1()(64bit)");
}

static void shared_directory(Fixture *f)
{
	path_of(last(f), "usr/lib")->mode = S_IFDIR | 0700;
}

static const struct {
	const char *code;
	void (*make)(Fixture *f);
} cases[] = {
	{ "-", be_good },
	{ "path-conflict", be_undeclared },
	{ "patch-mismatch", be_declared_for_nobody },
	{ "-", add_new_file },
	{ "patch-mismatch", of_another_version },
	{ "patch-mismatch", of_another_file },
	{ "patch-mismatch", of_a_directory },
	{ "patch-mismatch", of_nothing },
	{ "patch-mismatch", without_its_file },
	{ "patch-mismatch", of_a_layer_that_is_not_there },
	{ "patch-scope", of_a_foreign_layer },
	{ "retired", base_has_it },
	{ "retired", base_has_a_newer },
	{ "retired", base_has_the_bytes },
	{ "-", base_has_the_bytes_alone },
	{ "retired", base_has_the_bytes_of_both },
	{ "-", capable_no_more },
	{ "-", labelled_otherwise },
	{ "patch-mismatch", base_has_half },
	{ "-", setuid_as_before },
	{ "setuid", setuid_otherwise },
	{ "setuid", setuid_of_another },
	{ "-", setuid_no_more },
	{ "setuid", setuid_suddenly },
	{ "setuid", setuid_and_new },
	{ "file-capability", capable_suddenly },
	{ "-", capable_as_before },
	{ "file-capability", capable_of_more },
	{ "file-capability", capable_and_new },
	{ "reserved-path", reserved },
	{ "path-scope", out_of_paths },
	{ "patch-scope", of_two_tables },
	{ "-", tool_of_two_names },
	{ "path-conflict", tool_under_a_name_of_sbin },
	{ "requires", lacks_something },
	{ "directory-mismatch", shared_directory },
};

static void test_each(gconstpointer data)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *expected = g_strdup_printf("- %s", cases[i].code);
		Fixture f = { 0 };
		Layer *app;

		setup(&f, data);
		app = add_layer(&f, "appother", VARVE_ROLE_EXTENSION);
		add_file(app, "usr/bin/other", S_IFREG | 0755, 5, "");
		add_fix(&f, "fix", "3.1");
		cases[i].make(&f);
		g_test_message("case %" G_GSIZE_FORMAT, i);
		expect(&f, expected);
		teardown(&f, data);
	}
}

/* The sentence is what an operator sees. */
static void test_retired_says_who(Fixture *f, gconstpointer data)
{
	g_autoptr(GPtrArray) verdicts = NULL;
	Layer *app = add_layer(f, "app", VARVE_ROLE_EXTENSION);

	(void)data;
	add_file(app, "usr/bin/app", S_IFREG | 0755, 5, "app-1.0-1.x86_64");
	add_package(app, "app", "2.0", "");
	set(&app->manifest->version, "2");
	set(&app->file, "app_2_x86-64.raw");
	app->facts.file = app->file;
	add_fix(f, "fix", "3.1");
	add_package(last(f), "app", "1.5", "");
	add_file(last(f), "usr/bin/app", S_IFREG | 0755, 6, "app-1.5-1.x86_64");
	overrides(last(f), "app", "usr/bin/app", 5);
	base_has_it(f);
	verdicts = judge(f);
	g_assert_null(verdicts->pdata[0]);
	g_assert_cmpstr(((VarveRefusal *)verdicts->pdata[1])->code, ==, "retired");
	g_assert_cmpstr(((VarveRefusal *)verdicts->pdata[1])->sentence, ==,
			"base 2 and app 2 carry the fix");
}

/* A patch of an extension lies above it wherever its name puts it, and falls with it. */
static void test_of_an_extension(Fixture *f, gconstpointer data)
{
	Layer *patch = add_layer(f, "fix", VARVE_ROLE_PATCH), *app;

	(void)data;
	overrides(patch, "zapp", "usr/bin/app", 5);
	set(&((VarveManifestOverride *)patch->manifest->overrides->pdata[0])->layer, "app");
	add_file(patch, "usr/bin/app", S_IFREG | 0755, 6, "");
	app = add_layer(f, "app", VARVE_ROLE_EXTENSION);
	add_file(app, "usr/bin/app", S_IFREG | 0755, 5, "");
	expect(f, "- -");
	requires(app, "nothing-has-this");
	expect(f, "patch-mismatch requires");
}

/* One that patches two layers is for these two. */
static void test_of_two_layers(Fixture *f, gconstpointer data)
{
	Layer *app = add_layer(f, "app", VARVE_ROLE_EXTENSION);
	Layer *patch;

	(void)data;
	add_package(app, "app", "1.0", "");
	add_file(app, "usr/bin/app", S_IFREG | 0755, 4, "app-1.0-1.x86_64");
	patch = add_fix(f, "fix", "3.1");
	add_package(patch, "app", "1.1", "");
	add_file(patch, "usr/bin/app", S_IFREG | 0755, 9, "app-1.1-1.x86_64");
	overrides(patch, "app", "usr/bin/app", 4);
	expect(f, "- -");
	set(&package_of(app, 0)->version, "1.1");
	set(&app->manifest->version, "2");
	set(&app->file, "app_2_x86-64.raw");
	app->facts.file = app->file;
	expect(f, "- patch-mismatch");
	base_has_it(f);
	expect(f, "- retired");
}

/* An extension that comes later takes no path from others because a patch has it. */
static void test_extensions_come_first(Fixture *f, gconstpointer data)
{
	Layer *app;

	(void)data;
	add_fix(f, "fix", "3.1");
	add_new_file(f);
	app = add_layer(f, "app", VARVE_ROLE_EXTENSION);
	add_file(app, "usr/lib/libnew.so.1", S_IFREG | 0644, 5, "");
	expect(f, "path-conflict -");
}

/* Symbols that are gone break who needs them: then it is the patch that is refused. */
static void test_provides(Fixture *f, gconstpointer data)
{
	Layer *app = add_layer(f, "app", VARVE_ROLE_EXTENSION), *patch;

	(void)data;
	add_file(app, "usr/bin/app", S_IFREG | 0755, 5, "");
	requires(app, "libssl.so.3(SSL_3_1)(64bit)|libssl >= 3.0");
	patch = add_fix(f, "fix", "3.1");
	expect(f, "- -");
	g_strfreev(patch->manifest->provides);
	patch->manifest->provides = g_strsplit(
		"libssl = 3.1-1|libssl.so.3()(64bit)|libssl.so.3(SSL_3)(64bit)", "|", -1);
	expect(f, "- requires");
	/* What does not need them does not mind. */
	requires(app, "libssl.so.3(SSL_3)(64bit)");
	expect(f, "- -");
	/* The old package is not there any more. */
	requires(app, "libssl = 3.0-1");
	expect(f, "- requires");
	/* A library whose name the new package does not have stays where it is. */
	g_strfreev(patch->manifest->provides);
	patch->manifest->provides = g_strsplit("libssl = 3.1-1|libssl.so.4()(64bit)", "|", -1);
	requires(app, "libssl.so.3(SSL_3_1)(64bit)");
	expect(f, "- -");
	/* A patch may need what it brings itself, and no extension what only a patch brings. */
	requires(patch, "libssl = 3.1-1");
	expect(f, "- -");
	requires(app, "libssl = 3.1-1");
	expect(f, "requires -");
}

/* Of two patches the one without which all is there is refused. */
static void test_provides_blame(Fixture *f, gconstpointer data)
{
	Layer *app = add_layer(f, "app", VARVE_ROLE_EXTENSION), *patch;

	(void)data;
	add_file(app, "usr/bin/app", S_IFREG | 0755, 5, "");
	requires(app, "libssl = 3.0-1");
	add_fix(f, "fix-a", "3.1");
	patch = add_layer(f, "fix-b", VARVE_ROLE_PATCH);
	add_package(patch, "tool", "1.1", "");
	add_file(patch, TOOL, S_IFREG | 0755, 9, "tool-1.1-1.x86_64");
	overrides(patch, "base", TOOL, 2);
	expect(f, "- requires -");
}

static void test_two_patches(Fixture *f, gconstpointer data)
{
	Layer *a, *b;

	(void)data;
	a = add_fix(f, "fix-a", "3.2");
	b = add_fix(f, "fix-b", "3.1");
	/* The newer package wins, whatever the names are. */
	expect(f, "- superseded");
	/* One that has more files than the newer stands in its way. */
	overrides(b, "base", TOOL, 2);
	add_file(b, TOOL, S_IFREG | 0755, 9, "");
	expect(f, "- path-conflict");
	/* The newer is refused: the older is merged. */
	requires(a, "nothing-has-this");
	expect(f, "requires -");
}

static void test_two_of_one_version(Fixture *f, gconstpointer data)
{
	static const char *const a_says[] = { "fix-b", NULL };
	static const char *const b_says[] = { "fix-a", NULL };
	Layer *a = add_fix(f, "fix-a", "3.1"), *b = add_fix(f, "fix-b", "3.1");

	(void)data;
	expect(f, "- path-conflict");
	g_strfreev(b->manifest->supersedes);
	b->manifest->supersedes = g_strdupv((char **)b_says);
	expect(f, "superseded -");
	/* Each says it of the other: one of them stays. */
	g_strfreev(a->manifest->supersedes);
	a->manifest->supersedes = g_strdupv((char **)a_says);
	expect(f, "superseded -");
	/* Words do not make an older one newer. */
	set(&package_of(a, 0)->version, "3.2");
	path_of(a, SSL)->package = "libssl-3.2-1.x86_64";
	g_strfreev(a->manifest->supersedes);
	a->manifest->supersedes = g_new0(char *, 1);
	expect(f, "- superseded");
}

/* Of the same name only one is merged. */
static void test_one_name(Fixture *f, gconstpointer data)
{
	Layer *b;

	(void)data;
	add_fix(f, "fix", "3.1");
	b = add_layer(f, "fix", VARVE_ROLE_PATCH);
	add_package(b, "tool", "1.1", "");
	add_file(b, TOOL, S_IFREG | 0755, 9, "tool-1.1-1.x86_64");
	overrides(b, "base", TOOL, 2);
	expect(f, "- duplicate-layer");
}

/* Only who is allowed to override anything has to say what. */
static void test_policy_key(void)
{
	static const char text[] = "[[allow]]\ncertificate = \"a.crt\"\nlayers = [\"a\"]\n"
				   "roles = [\"extension\"]\npaths = []\npatches = [\"base\"]\n";
	g_autoptr(GError) error = NULL;
	g_autoptr(VarvePolicy) policy = varve_policy_parse(text, strlen(text), "policy", &error);

	g_assert_null(policy);
	g_assert_nonnull(strstr(error->message, "'roles' does not allow \"patch\""));
}

int main(int argc, char **argv)
{
	g_autoptr(VarveCertificate) certificate = NULL;

	g_test_init(&argc, &argv, NULL);
	certificate = make_certificate();
	g_test_add_data_func("/patch/each", certificate, test_each);
#define ADD(name, function) \
	g_test_add("/patch/" name, Fixture, certificate, setup, function, teardown)
	ADD("retired-says-who", test_retired_says_who);
	ADD("of-an-extension", test_of_an_extension);
	ADD("of-two-layers", test_of_two_layers);
	ADD("extensions-come-first", test_extensions_come_first);
	ADD("provides", test_provides);
	ADD("provides-blame", test_provides_blame);
	ADD("two-patches", test_two_patches);
	ADD("two-of-one-version", test_two_of_one_version);
	ADD("one-name", test_one_name);
	g_test_add_func("/patch/policy-key", test_policy_key);
	return g_test_run();
}
