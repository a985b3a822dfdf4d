/* policy/: every rule refuses what it is for, with its code, and nothing else; one refused layer
 * never keeps another out. */
#include "policy-fixture.h"
#include "policy/rule.h"

static void make_role(Layer *layer)
{
	layer->manifest->role = VARVE_ROLE_BASE;
}

static void make_revoked(Layer *layer)
{
	layer->facts.root.bytes[31] = 0xff;
}

static void make_denied(Layer *layer)
{
	set(&layer->manifest->name, "app-denied");
}

static void make_out_of_scope(Layer *layer)
{
	set(&layer->manifest->name, "sshd");
}

static void make_foreign(Layer *layer)
{
	set(&layer->manifest->arch, "arm64");
}

static void make_wrong_release(Layer *layer)
{
	layer->facts.extension_release = "ID=varve\nVERSION_ID=2\n";
}

static void make_misnamed(Layer *layer)
{
	layer->facts.file = "apple_1_x86-64.raw";
}

static void make_old(Layer *layer)
{
	layer->manifest->rollback_index = 2;
}

static void make_ended(Layer *layer)
{
	set(&layer->manifest->support_end, "2024-10-03"); /* 20000 days are 2024-10-04 */
}

static void make_outside(Layer *layer)
{
	add_path(layer, "etc/passwd", S_IFREG | 0644);
}

static void make_whiteout(Layer *layer)
{
	add_path(layer, "usr/bin/ls", S_IFCHR);
}

static const VarveXattr opaque = { "trusted.overlay.opaque", "y", 1 };
static const VarveXattr capability = { "security.capability", "x", 1 };

static void make_opaque(Layer *layer)
{
	VarvePath *path = add_path(layer, "usr/share", S_IFDIR | 0755);

	path->xattrs = &opaque;
	path->n_xattrs = 1;
}

static void make_setuid(Layer *layer)
{
	add_path(layer, "usr/bin/su", S_IFREG | 04755);
}

static void make_capable(Layer *layer)
{
	VarvePath *path = add_path(layer, "usr/bin/ping", S_IFREG | 0755);

	path->xattrs = &capability;
	path->n_xattrs = 1;
}

static void make_module(Layer *layer)
{
	add_path(layer, "usr/lib/modules/6.12/kernel/x.ko", S_IFREG | 0644);
}

static void make_reserved(Layer *layer)
{
	add_path(layer, "usr/lib/verity.d/mine.crt", S_IFREG | 0644);
}

static void make_dropin(Layer *layer)
{
	add_path(layer, "usr/lib/systemd/system/dbus.service.d/x.conf", S_IFREG | 0644);
}

/* A directory by another name is that directory to who reads it. */
static void make_dropin_link(Layer *layer)
{
	make_link(layer, "usr/lib/systemd/system/dbus.service.d", "/usr/share/b");
}

static void make_wants_link(Layer *layer)
{
	make_link(layer, "usr/lib/systemd/system/sysinit.target.wants", "/usr/share/b");
}

static void make_reserved_link(Layer *layer)
{
	make_link(layer, "usr/lib/modprobe.d", "/usr/share/b");
}

static void make_parent_link(Layer *layer)
{
	make_link(layer, "usr/share/factory", "/usr/share/b");
}

static void make_local_unit(Layer *layer)
{
	add_path(layer, "usr/local/lib/systemd/system/dbus.service", S_IFREG | 0644);
}

static void make_factory_unit(Layer *layer)
{
	add_path(layer, "usr/share/factory/etc/systemd/system/dbus.service", S_IFREG | 0644);
}

static void make_factory_rules(Layer *layer)
{
	add_path(layer, "usr/share/factory/etc/udev/rules.d/00-b.rules", S_IFREG | 0644);
}

static void make_linked_description(Layer *layer)
{
	g_autofree char *name =
		g_strdup_printf("usr/lib/varve/layers/%s.json", layer->manifest->name);

	make_link(layer, g_intern_string(name), "/run/varve/state/b.json");
}

static void make_stray(Layer *layer)
{
	add_path(layer, "usr/sbin/x", S_IFREG | 0755);
}

static void make_conflict(Layer *layer)
{
	add_path(layer, "usr/bin/sh", S_IFREG | 0755);
}

static void make_directory_mismatch(Layer *layer)
{
	VarvePath *path = layer->tree->pdata[2];

	g_assert_cmpstr(path->path, ==, "usr/bin");
	path->mode = S_IFDIR | 0777;
}

static void make_needy(Layer *layer)
{
	g_strfreev(layer->manifest->requires);
	layer->manifest->requires = g_strsplit("libc.so.6()(64bit)|base >= 2", "|", -1);
}

static void make_duplicate(Layer *layer)
{
	set(&layer->manifest->name, "app");
	layer->facts.file = "app_1_x86-64.raw";
}

static const struct {
	const char *code;
	void (*make)(Layer *layer);
} cases[] = {
	{ "role", make_role },
	{ "revoked", make_revoked },
	{ "denied-locally", make_denied },
	{ "key-scope", make_out_of_scope },
	{ "architecture", make_foreign },
	{ "extension-release", make_wrong_release },
	{ "misnamed", make_misnamed },
	{ "rollback", make_old },
	{ "support-ended", make_ended },
	{ "path-outside-usr", make_outside },
	{ "device-node", make_whiteout },
	{ "overlay-attribute", make_opaque },
	{ "setuid", make_setuid },
	{ "file-capability", make_capable },
	{ "kernel-module", make_module },
	{ "reserved-path", make_reserved },
	{ "reserved-path", make_dropin },
	{ "reserved-path", make_dropin_link },
	{ "reserved-path", make_wants_link },
	{ "reserved-path", make_reserved_link },
	{ "reserved-path", make_parent_link },
	{ "reserved-path", make_local_unit },
	{ "reserved-path", make_factory_unit },
	{ "reserved-path", make_factory_rules },
	{ "reserved-path", make_linked_description },
	{ "path-scope", make_stray },
	{ "patch-scope", NULL },    /* test-patch.c */
	{ "unlabelled", NULL },     /* test_unlabelled */
	{ "wrong-label", NULL },    /* test_wrong_label */
	{ "retired", NULL },        /* test-patch.c */
	{ "patch-mismatch", NULL }, /* test-patch.c */
	{ "duplicate-layer", make_duplicate },
	{ "path-conflict", make_conflict },
	{ "directory-mismatch", make_directory_mismatch },
	{ "requires", make_needy },
};

/* Each bad layer is refused with its own reason between two good ones that are accepted. */
static void test_each_reason(Fixture *f, gconstpointer data)
{
	(void)data;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *expected = g_strdup_printf("- %s -", cases[i].code);
		g_autofree char *found = NULL;
		Layer *bad;

		if (!cases[i].make)
			continue;
		g_ptr_array_set_size(f->layers, 0);
		add_layer(f, "app", "usr/bin/app");
		bad = add_layer(f, strcmp(cases[i].code, "rollback") == 0 ? "app" : "app-b",
				"usr/bin/b");
		if (strcmp(cases[i].code, "rollback") == 0)
			set(&((Layer *)f->layers->pdata[0])->manifest->name, "app-a"),
				((Layer *)f->layers->pdata[0])->facts.file = "app-a_1_x86-64.raw";
		cases[i].make(bad);
		add_layer(f, "lib", "usr/bin/c");
		found = decide(f);
		g_assert_cmpstr(found, ==, expected);
	}
}

static void assert_sentence(Fixture *f, const char *code, const char *sentence)
{
	Layer *layer = f->layers->pdata[f->layers->len - 1];
	g_autoptr(VarveRefusal) refusal = NULL;

	g_ptr_array_sort(layer->tree, by_path);
	refusal = varve_policy_judge(f->policy, &f->base->facts, &layer->facts, 20000);
	g_assert_nonnull(refusal);
	g_assert_cmpstr(refusal->code, ==, code);
	g_assert_cmpstr(refusal->sentence, ==, sentence);
}

/* Who set a floor, revoked or denied something is in the sentence. */
static void test_refusals_say_who(Fixture *f, gconstpointer data)
{
	Layer *layer = add_layer(f, "app", "usr/bin/app");

	(void)data;
	make_old(layer);
	assert_sentence(f, "rollback",
			"its rollback index is 2, the lowest acceptable is 3, says the base");
	varve_policy_floor(f->policy, "app", 9, "/etc/varve/policy.d/a.toml:2");
	assert_sentence(f, "rollback",
			"its rollback index is 2, the lowest acceptable is 9, says "
			"/etc/varve/policy.d/a.toml:2");
	make_revoked(layer);
	assert_sentence(f, "revoked",
			"root hash 00000000000000000000000000000000000000000000000000000000000000ff"
			" was revoked, says the base");
	layer = add_layer(f, "app", "usr/bin/denied");
	make_denied(layer);
	assert_sentence(f, "denied-locally", "local:1 denies it: not on this node");
	layer = add_layer(f, "lib", "usr/bin/ended");
	make_ended(layer);
	assert_sentence(f, "support-ended",
			"its support ended on 2024-10-03, and support-end is \"refuse\", says the "
			"base");
}

/* A denial by certificate is one of its key: another certificate with that key is no way around. */
static void test_denied_by_certificate(Fixture *f, gconstpointer data)
{
	static const char text[] = "[[deny]]\ncertificate = \"team.crt\"\nreason = \"left\"\n"
				   "[[deny]]\ncertificate = \"other.crt\"\n"
				   "layers = [\"lib\"]\nreason = \"both\"\n";
	g_autoptr(GPtrArray) idle = g_ptr_array_new();
	g_autoptr(VarvePolicy) local =
		varve_tighten_parse(text, strlen(text), "local", NULL, idle, NULL);
	VarveTrusted *renewed = g_new0(VarveTrusted, 1);
	g_autofree char *pem = varve_certificate_to_pem(f->signer.certificate);

	(void)data;
	/* The base knows the same key as team.crt and as renewed.crt. */
	renewed->name = g_strdup("team.crt");
	renewed->certificate = varve_certificate_parse(pem, strlen(pem), "team.crt", NULL);
	g_ptr_array_add(f->policy->trusted, renewed);
	varve_policy_tighten(f->policy, local);
	f->signer.name = (char *)"renewed.crt";
	add_layer(f, "app", "usr/bin/app");
	assert_sentence(f, "denied-locally", "local:1 denies it: left");
	/* Both conditions must be met, and other.crt is not there. */
	g_ptr_array_remove_index(f->policy->denies, 1);
	add_layer(f, "lib", "usr/bin/lib");
	{
		g_autofree char *found = decide(f);

		g_assert_cmpstr(found, ==, "key-scope key-scope");
	}
}

/* The record knows keys by themselves: the certificate that was revoked need not be there. */
static void test_revoked_by_key(Fixture *f, gconstpointer data)
{
	g_autofree char *expected = NULL;
	g_autofree char *hex = NULL;
	VarveDigest key;

	(void)data;
	varve_certificate_key_digest(f->signer.certificate, &key);
	hex = varve_digest_dup_hex(&key);
	varve_policy_revoke(f->policy->revoked_keys, hex, "the record");
	add_layer(f, "app", "usr/bin/app");
	assert_sentence(f, "revoked",
			"the key of certificate 'team.crt' was revoked, says the record");
}

static void test_support_end(void)
{
	g_assert_false(varve_support_ended("2024-10-04", 20000));
	g_assert_true(varve_support_ended("2024-10-03", 20000));
	g_assert_false(varve_support_ended("", 20000));
	g_assert_false(varve_support_ended("2024-10-03", 0));
	g_assert_true(varve_support_ended("soon", 20000));
	g_assert_true(varve_support_ended("2024-13-01", 20000));
	g_assert_true(varve_support_ended("2099-01-01x", 20000));
}

/* All of them together: every one keeps its own reason, the good ones stay. */
static void test_all_at_once(Fixture *f, gconstpointer data)
{
	g_autoptr(GString) expected = g_string_new("-");
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *found = NULL;

	(void)data;
	add_layer(f, "app", "usr/bin/app");
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *name = g_strdup_printf("app-%02zu", i);
		char *binary = g_strdup_printf("usr/bin/%02zu", i);
		Layer *bad;

		g_ptr_array_add(names, name);
		g_ptr_array_add(names, binary);
		if (!cases[i].make || strcmp(cases[i].code, "rollback") == 0)
			continue;
		bad = add_layer(f, name, binary);
		cases[i].make(bad);
		g_string_append_printf(expected, " %s", cases[i].code);
	}
	add_layer(f, "lib", "usr/bin/lib");
	g_string_append(expected, " -");
	found = decide(f);
	g_assert_cmpstr(found, ==, expected->str);
}

/* A rule without a case here would be a rule that nobody has seen refuse. */
static void test_every_rule_has_a_case(void)
{
	for (const VarveRule *rule = varve_policy_rules(); rule->reason.code; rule++) {
		gboolean found = rule->check == NULL;

		g_assert_nonnull(rule->reason.means);
		g_assert_nonnull(rule->reason.next);
		for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
			found = found || strcmp(cases[i].code, rule->reason.code) == 0;
		if (!found)
			g_error("no case for '%s'", rule->reason.code);
	}
}

/* docs/policy.md is what people search a code in. */
static void test_every_code_is_documented(void)
{
	g_autofree char *path =
		g_build_filename(g_getenv("G_TEST_SRCDIR"), "../../docs/policy.md", NULL);
	g_autofree char *text = NULL;
	const char *at;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	at = strstr(text, "## Reasons");
	g_assert_nonnull(at);
	for (const VarveReasonCode *code = varve_policy_codes(); code->code; code++) {
		g_autofree char *row = g_strdup_printf("| `%s` |", code->code);

		at = strstr(at, row);
		if (!at)
			g_error("'%s' is not in docs/policy.md, or not in its place", code->code);
	}
}

static void test_unlabelled(Fixture *f, gconstpointer data)
{
	g_autofree char *unlabelled = NULL;
	g_autofree char *labelled = NULL;
	Layer *layer;

	(void)data;
	for (guint i = 0; i < f->base->tree->len; i++)
		((VarvePath *)f->base->tree->pdata[i])->label = "system_u:object_r:usr_t:s0";
	layer = add_layer(f, "app", "usr/bin/app");
	unlabelled = decide(f);
	g_assert_cmpstr(unlabelled, ==, "unlabelled");
	for (guint i = 0; i < layer->tree->len; i++)
		((VarvePath *)layer->tree->pdata[i])->label = "system_u:object_r:usr_t:s0";
	labelled = decide(f);
	g_assert_cmpstr(labelled, ==, "-");
}

static VarveLabels *make_labels(const char *dir)
{
	static const char contexts[] = "/.*  system_u:object_r:default_t:s0\n"
				       "/usr(/.*)?  system_u:object_r:usr_t:s0\n"
				       "/usr/bin/.*  --  system_u:object_r:bin_t:s0\n";
	g_autofree char *files = g_build_filename(dir, "etc/selinux/x/contexts/files", NULL);
	g_autofree char *config = g_build_filename(dir, "etc/selinux/config", NULL);
	g_autofree char *path = g_build_filename(files, "file_contexts", NULL);
	VarveLabels *labels = NULL;

	g_assert_true(varve_dir_make(files, 0755, NULL));
	g_assert_true(g_file_set_contents(config, "SELINUX=enforcing\nSELINUXTYPE=x\n", -1, NULL));
	g_assert_true(g_file_set_contents(path, contexts, -1, NULL));
	g_assert_true(varve_labels_open(dir, &labels, NULL));
	return labels;
}

static void label_all(Layer *layer, const char *file_label)
{
	for (guint i = 0; i < layer->tree->len; i++) {
		VarvePath *path = layer->tree->pdata[i];

		path->label = strcmp(path->path, "usr/bin/app") == 0 ? file_label
			      : *path->path                          ? "system_u:object_r:usr_t:s0"
					    : "system_u:object_r:default_t:s0";
	}
}

static void test_wrong_label(Fixture *f, gconstpointer data)
{
	static const struct {
		const char *label, *type, *expected;
	} labels[] = {
		{ "system_u:object_r:bin_t:s0", NULL, "-" },
		{ "system_u:object_r:sshd_exec_t:s0", NULL, "wrong-label" },
		{ "system_u:object_r:sshd_exec_t:s0", "app_exec_t", "wrong-label" },
		{ "system_u:object_r:app_exec_t:s0", "app_exec_t", "-" },
		/* A key has types, and nothing else of a label. */
		{ "other_u:object_r:app_exec_t:s0", "app_exec_t", "wrong-label" },
		{ "system_u:object_r:app_exec_t:s0:c1", "app_exec_t", "wrong-label" },
		{ "app_exec_t", "app_exec_t", "wrong-label" },
	};
	g_autofree char *dir = g_dir_make_tmp("varve-labels-XXXXXX", NULL);
	g_autoptr(VarveLabels) base = make_labels(dir);
	VarveAllow *allow = f->policy->allows->pdata[0];
	Layer *layer = add_layer(f, "app", "usr/bin/app");

	(void)data;
	f->base->facts.labels = base;
	for (guint i = 0; i < f->base->tree->len; i++)
		((VarvePath *)f->base->tree->pdata[i])->label = "system_u:object_r:usr_t:s0";
	for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
		g_autofree char *found = NULL;

		g_strfreev(allow->selinux_types);
		allow->selinux_types = g_new0(char *, 2);
		allow->selinux_types[0] = g_strdup(labels[i].type);
		label_all(layer, labels[i].label);
		found = decide(f);
		g_assert_cmpstr(found, ==, labels[i].expected);
	}
	varve_dir_remove(AT_FDCWD, dir, NULL);
}

static void require(Layer *layer, const char *what)
{
	g_strfreev(layer->manifest->requires);
	layer->manifest->requires = g_strsplit(what, "|", -1);
}

static void provide(Layer *layer, const char *what)
{
	g_strfreev(layer->manifest->provides);
	layer->manifest->provides = g_strsplit(what, "|", -1);
}

static void test_requires(Fixture *f, gconstpointer data)
{
	static const struct {
		const char *requires;
		const char *verdict;
	} questions[] = {
		{ "libc.so.6()(64bit)", "-" },
		{ "base >= 1.5", "-" },
		{ "base > 1.5-1", "requires" },
		{ "/usr/bin/sh", "-" },
		{ "/bin/sh", "-" },
		{ "/bin/bash", "requires" },
		{ "rpmlib(FileDigests) <= 4.6.0-1", "-" },
		{ "(nothing or base)", "-" },
		{ "(nothing or nobody)", "requires" },
		{ "(base and libc.so.6()(64bit))", "-" },
		{ "(base and nothing)", "requires" },
		{ "(nothing if absent)", "-" },
		{ "(nothing if base)", "requires" },
		{ "(nothing if base else base)", "requires" },
		{ "(nothing if absent else base)", "-" },
		{ "((nothing or base) and (base >= 1 or nobody))", "-" },
		{ "(base", "requires" },
		{ "()", "requires" },
	};
	Layer *layer = add_layer(f, "app", "usr/bin/app");

	(void)data;
	for (gsize i = 0; i < G_N_ELEMENTS(questions); i++) {
		g_autofree char *found = NULL;

		require(layer, questions[i].requires);
		found = decide(f);
		g_test_message("%s", questions[i].requires);
		g_assert_cmpstr(found, ==, questions[i].verdict);
	}
}

/* What depends on a refused layer is refused; what the refused one stood in the way of is not. */
static void test_chains(Fixture *f, gconstpointer data)
{
	g_autofree char *found = NULL;
	Layer *first = add_layer(f, "app-1", "usr/bin/shared");
	Layer *second = add_layer(f, "app-2", "usr/bin/shared");
	Layer *third = add_layer(f, "app-3", "usr/bin/three");
	Layer *fourth = add_layer(f, "app-4", "usr/bin/four");

	(void)data;
	/* 1 lacks something, so 2 may have the path that both bring. 4 needs 3, which needs 1. */
	require(first, "absent");
	provide(first, "one");
	provide(second, "two");
	require(third, "one");
	provide(third, "three");
	require(fourth, "three");
	found = decide(f);
	g_assert_cmpstr(found, ==, "requires - requires requires");
}

static void test_conflict_between_extensions(Fixture *f, gconstpointer data)
{
	g_autofree char *found = NULL;

	(void)data;
	add_layer(f, "app-1", "usr/bin/shared");
	add_layer(f, "app-2", "usr/bin/shared");
	add_layer(f, "app-3", "usr/bin/three");
	found = decide(f);
	g_assert_cmpstr(found, ==, "- path-conflict -");
}

#define ETC "usr/share/factory/etc/"

static const Brought brought[] = {
	{ "credentials", "reserved-path", "usr/lib/credstore/x" },
	{ "encrypted credentials", "reserved-path", "usr/lib/credstore.encrypted/x" },
	{ "kernel parameters", "reserved-path", "usr/lib/sysctl.d/x.conf" },
	{ "networks", "reserved-path", "usr/lib/systemd/network/00-x.network" },
	{ "a setting of logind's", "reserved-path", "usr/lib/systemd/logind.conf.d/x.conf" },
	{ "all settings of logind's", "reserved-path", "usr/lib/systemd/logind.conf" },
	{ "sshd's configuration", "reserved-path", ETC "ssh/sshd_config.d/x.conf" },
	{ "that of shells", "reserved-path", ETC "profile" },
	{ "more of that", "reserved-path", ETC "profile.d/x.sh" },
	{ "bash's", "reserved-path", ETC "bash.bashrc" },
	{ "the environment", "reserved-path", ETC "environment" },
	{ "the environment of users' services", "reserved-path", ETC "environment.d/x.conf" },
	{ "kernel parameters of /etc", "reserved-path", ETC "sysctl.d/x.conf" },
	{ "the file of kernel parameters", "reserved-path", ETC "sysctl.conf" },
	{ "what tmpfiles makes by /etc", "reserved-path", ETC "tmpfiles.d/x.conf" },
	{ "accounts by /etc", "reserved-path", ETC "sysusers.d/x.conf" },
	{ "credentials of /etc", "reserved-path", ETC "credstore.encrypted/x" },
	{ "the bus's configuration in /etc", "reserved-path", ETC "dbus-1/system.d/x.conf" },
	{ "a link to such", "reserved-path", ETC "ssh -> /usr/share/b" },
	/* What services need: 'paths' says who may bring it. */
	{ "what a service needs", "-",
	  "usr/lib/tmpfiles.d/x.conf\nusr/lib/sysusers.d/x.conf\n"
	  "usr/share/dbus-1/system.d/x.conf\n" ETC "x/x.conf" },
};

static void test_brought(Fixture *f, gconstpointer data)
{
	(void)data;
	assert_brought(f, brought, G_N_ELEMENTS(brought));
}

/* The layer's own description, and no other's. */
static void test_own_description(Fixture *f, gconstpointer data)
{
	Layer *layer = add_layer(f, "app", "usr/bin/app");
	g_autofree char *own = NULL, *others = NULL;

	(void)data;
	add_path(layer, "usr/lib/varve/layers/app.json", S_IFREG | 0644);
	own = decide(f);
	g_assert_cmpstr(own, ==, "-");
	add_path(layer, "usr/lib/varve/layers/base.json", S_IFREG | 0644);
	others = decide(f);
	g_assert_cmpstr(others, ==, "reserved-path");
}

/* A program may not come in the way of another one by the order in which PATH is searched. */
static void test_shadowed_programs(Fixture *f, gconstpointer data)
{
	static const struct {
		const char *first, *second, *expected;
	} programs[] = {
		{ "usr/bin/a", "usr/sbin/b", "- -" },
		{ "usr/bin/a", "usr/sbin/a", "- path-conflict" },
		{ "usr/sbin/a", "usr/bin/a", "- path-conflict" },
		{ "usr/sbin/a\nusr/bin/a -> ../sbin/a", "usr/bin/b", "- -" },
		{ "usr/sbin/sh", "usr/bin/b", "path-conflict -" },
		{ "usr/sbin/sh -> ../bin/sh", "usr/bin/b", "path-conflict -" },
		{ "usr/bin/init", "usr/bin/b", "path-conflict -" },
		{ "usr/sbin/d/sh", "usr/lib/sh", "- -" },
	};
	VarveAllow *allow = f->policy->allows->pdata[0];

	(void)data;
	g_strfreev(allow->paths);
	allow->paths = g_strsplit("/usr/**", " ", -1);
	for (gsize i = 0; i < G_N_ELEMENTS(programs); i++) {
		g_autofree char *found = NULL;

		g_ptr_array_set_size(f->layers, 0);
		bring(add_layer(f, "app-1", "usr/bin/one"), programs[i].first);
		bring(add_layer(f, "app-2", "usr/bin/two"), programs[i].second);
		found = decide(f);
		g_test_message("%s", programs[i].first);
		g_assert_cmpstr(found, ==, programs[i].expected);
	}
}

static void test_shadowing_is_told(Fixture *f, gconstpointer data)
{
	Layer *layer = add_layer(f, "app", "usr/bin/init");
	g_autoptr(GPtrArray) facts = g_ptr_array_new(), verdicts = NULL;

	(void)data;
	g_ptr_array_sort(f->base->tree, by_path);
	g_ptr_array_sort(layer->tree, by_path);
	g_ptr_array_add(facts, &layer->facts);
	verdicts = varve_policy_decide(f->policy, &f->base->facts, facts, 20000);
	g_assert_cmpstr(((VarveRefusal *)verdicts->pdata[0])->sentence, ==,
			"/usr/bin/init is called like /usr/sbin/init of layer 'base': PATH finds "
			"one in the place of the other");
}

static void test_empty_policy_allows_nothing(Fixture *f, gconstpointer data)
{
	g_autofree char *found = NULL;

	(void)data;
	add_layer(f, "app", "usr/bin/app");
	varve_policy_free(f->policy);
	f->policy = varve_policy_parse("", 0, "policy", NULL);
	found = decide(f);
	g_assert_cmpstr(found, ==, "key-scope");
}

int main(int argc, char **argv)
{
	g_autoptr(VarveCertificate) certificate = NULL;

#define ADD(name, function) \
	g_test_add("/policy/" name, Fixture, certificate, setup, function, teardown)
	g_test_init(&argc, &argv, NULL);
	certificate = make_certificate();
	ADD("each-reason-alone", test_each_reason);
	ADD("all-reasons-at-once", test_all_at_once);
	ADD("refusals-say-who", test_refusals_say_who);
	ADD("denied-by-certificate", test_denied_by_certificate);
	ADD("revoked-by-key", test_revoked_by_key);
	ADD("unlabelled", test_unlabelled);
	ADD("wrong-label", test_wrong_label);
	ADD("requires", test_requires);
	ADD("chains", test_chains);
	ADD("conflict-between-extensions", test_conflict_between_extensions);
	ADD("what-is-brought", test_brought);
	ADD("own-description", test_own_description);
	ADD("shadowed-programs", test_shadowed_programs);
	ADD("shadowing-is-told", test_shadowing_is_told);
	ADD("empty-policy-allows-nothing", test_empty_policy_allows_nothing);
	g_test_add_func("/policy/every-rule-has-a-case", test_every_rule_has_a_case);
	g_test_add_func("/policy/every-code-is-documented", test_every_code_is_documented);
	g_test_add_func("/policy/support-end", test_support_end);
	return g_test_run();
}
