/* trace/ on real mounts: a base and two layers as EROFS through loop devices, merged as a node
 * merges them, with /etc as an overlay over the base's; entered by chroot, so that all is where a
 * node has it. There is no dm-verity here: that nothing checks what is read has to be told. */
#include "base/error.h"
#include "base/file.h"
#include "ground/mount.h"
#include "node-fixture.h"
#include "stack/owners.h"
#include "stack/stack.h"
#include "trace/drift.h"
#include "trace/process.h"
#include "trace/why.h"

#include <string.h>
#include <sys/stat.h>

static void make_dirs(const char *root, const char *const *names)
{
	for (; *names; names++) {
		g_autofree char *path = g_build_filename(root, *names, NULL);

		g_assert_cmpint(varve_make_dirs(path), ==, 0);
	}
}

static void make_base_tree(const NodeFixture *host, const char *tree)
{
	static const char *const dirs[] = { "proc", "run", "var", "tmp", NULL };
	g_autofree char *link = g_build_filename(tree, "bin", NULL);
	g_autofree char *sh = g_build_filename(tree, "usr/bin/sh", NULL);
	g_autofree char *pem = varve_certificate_to_pem(host->certificate);

	make_dirs(tree, dirs);
	layer_put(tree, "usr/bin/tool", "tool", 0755);
	layer_put(tree, "usr/bin/both", "base's", 0755);
	layer_put(tree, "usr/share/base/file", "x", 0644);
	layer_put(tree, "usr/share/factory/var/lib/seed", "seed", 0644);
	layer_put(tree, "usr/lib/verity.d/team.crt", pem, 0644);
	layer_put(tree, "usr/lib/sysusers.d/x.conf", "u sshd 74\n", 0644);
	layer_put(tree, "etc/hosts", "localhost\n", 0644);
	layer_put(tree, "etc/issue", "hello\n", 0644);
	layer_put(tree, "etc/passwd", "root:x:0:0::/:/bin/sh\n", 0644);
	layer_put(tree, "etc/pam.d/login", "auth\n", 0644);
	layer_put(tree, "etc/pam.d/other", "deny\n", 0644);
	g_assert_cmpint(symlink("usr/bin", link), ==, 0);
	g_assert_cmpint(symlink("tool", sh), ==, 0);
}

static void make_layer_tree(const char *tree, const char *name)
{
	g_autofree char *own = g_strconcat("usr/share/", name, "/file", NULL);
	g_autofree char *config = g_strconcat("usr/share/factory/etc/", name, ".conf", NULL);

	layer_put(tree, own, name, 0644);
	layer_put(tree, config, name, 0600);
	layer_put(tree, "usr/bin/both", name, 0755);
}

static void attribute(GPtrArray *paths, VarveManifest *manifest)
{
	g_autofree char *nevra = varve_manifest_package_nevra(manifest->packages->pdata[0]);

	for (guint i = 0; i < paths->len; i++) {
		VarvePath *path = paths->pdata[i];

		if (strcmp(path->path, "usr/bin/tool") == 0)
			path->package = g_intern_string(nevra);
	}
}

/* A table that does not know the layer's own file, and has another digest for the other. */
static void lie(GPtrArray *paths, VarveManifest *manifest)
{
	(void)manifest;
	for (guint i = paths->len; i-- > 0;) {
		VarvePath *path = paths->pdata[i];

		if (strcmp(path->path, "usr/share/liar/file") == 0)
			g_ptr_array_remove_index(paths, i);
		else if (strcmp(path->path, "usr/bin/both") == 0)
			path->digest.bytes[0] ^= 1;
	}
}

static VarveTraceNode *open_node(void)
{
	g_autoptr(GError) error = NULL;
	VarveTraceNode *node = varve_trace_node_open(&error);

	g_assert_no_error(error);
	return node;
}

static VarveTraceWhy *why(VarveTraceNode *node, const char *path)
{
	g_autoptr(GError) error = NULL;
	VarveTraceWhy *answer = varve_trace_why(node, path, &error);

	g_assert_no_error(error);
	return answer;
}

/* The last answer for @path: its state, its layer ("" for none) and the number of problems. */
static void answers(VarveTraceNode *node, const char *path, const char *state, const char *layer,
		    guint problems)
{
	g_autoptr(VarveTraceWhy) all = why(node, path);
	const VarveTraceAnswer *answer = varve_trace_why_last(all);

	g_test_message("%s: %s", path, varve_trace_state_name(answer->state));
	for (guint i = 0; i < answer->problems->len; i++)
		g_test_message("  %s", (char *)answer->problems->pdata[i]);
	g_assert_cmpstr(varve_trace_state_name(answer->state), ==, state);
	g_assert_cmpstr(answer->layer ? answer->layer->manifest->name : "", ==, layer);
	g_assert_cmpuint(answer->problems->len, ==, problems);
}

static void test_stack(gconstpointer data)
{
	const NodeFixture *host = data;
	g_autoptr(VarveTraceNode) node = open_node();
	const GPtrArray *layers = node->stack->layers;

	g_assert_cmpuint(layers->len, ==, 4);
	for (guint i = 0; i < layers->len; i++) {
		const VarveTraceLayer *layer = layers->pdata[i];

		g_assert_cmpstr(layer->root, ==, host->hashes->pdata[i]);
		g_assert_false(layer->enforced);
	}
	/* Each of the four is read through a loop device that checks nothing. */
	g_assert_cmpuint(node->stack->problems->len, ==, 4);
	g_assert_nonnull(strstr(node->stack->problems->pdata[0], "nothing checks what is read"));
}

static void test_signed(gconstpointer data)
{
	g_autoptr(VarveTraceNode) node = open_node();
	g_autoptr(VarveTraceWhy) link = NULL, directory = NULL, both = NULL;
	const VarveTraceAnswer *answer;

	(void)data;
	answers(node, "/usr/bin/tool", "signed", "base", 0);
	answers(node, "/usr/share/one/file", "signed", "one", 0);
	answers(node, "/usr/share/two/file", "signed", "two", 0);
	answers(node, "/usr/lib/varve/layers/one.json", "signed", "one", 0);
	answers(node, "/run/varve/base/etc/hosts", "signed", "base", 0);
	answers(node, "/", "signed", "base", 0);
	link = why(node, "/bin/sh");
	g_assert_cmpuint(link->answers->len, ==, 3);
	answer = link->answers->pdata[1];
	g_assert_cmpstr(answer->path, ==, "/usr/bin/sh");
	g_assert_cmpstr(answer->found->target, ==, "tool");
	answer = varve_trace_why_last(link);
	g_assert_cmpstr(varve_trace_answer_package(answer)->name, ==, "libtest");
	g_assert_true(answer->found->read);
	/* A directory is made of all that have it; a file hides those below. */
	directory = why(node, "/usr/share");
	answer = varve_trace_why_last(directory);
	g_assert_cmpstr(answer->layer->manifest->name, ==, "liar");
	g_assert_cmpuint(answer->others->len, ==, 3);
	g_assert_cmpuint(answer->problems->len, ==, 0);
	both = why(node, "/usr/bin/both");
	answer = varve_trace_why_last(both);
	g_assert_cmpuint(answer->others->len, ==, 3);
	g_assert_cmpstr(((VarveTraceOther *)answer->others->pdata[2])->layer->manifest->name, ==,
			"base");
}

/* What the kernel reads is not what the table says. */
static void test_lies(gconstpointer data)
{
	g_autoptr(VarveTraceNode) node = open_node();

	(void)data;
	answers(node, "/usr/bin/both", "signed", "liar", 1);
	/* No table has it: the kernel says whose it is, and the table of that one lacks it. */
	answers(node, "/usr/share/liar/file", "signed", "liar", 2);
}

static void test_signer(gconstpointer data)
{
	g_autoptr(VarveTraceNode) node = open_node();
	VarveTraceLayer *one = node->stack->layers->pdata[1];
	VarveTraceLayer *liar = node->stack->layers->pdata[3];

	(void)data;
	varve_trace_node_signer(node, one);
	g_test_message("%s", one->signer.basis);
	g_assert_true(one->signer.verified);
	g_assert_cmpstr(one->signer.certificate, ==, "team.crt");
	g_assert_cmpstr(one->signer.subject, ==, "team");
	g_assert_true(one->signer.development);
	g_assert_cmpuint(strlen(one->signer.fingerprint), ==, 64);
	varve_trace_node_signer(node, liar);
	g_test_message("%s", liar->signer.basis);
	g_assert_false(liar->signer.verified);
	g_assert_nonnull(strstr(liar->signer.basis, "is not in /var/lib/varve/layers any more"));
}

static void test_writable(gconstpointer data)
{
	g_autoptr(VarveTraceNode) node = open_node();

	(void)data;
	answers(node, "/etc/hosts", "unchanged", "base", 0);
	answers(node, "/etc/one.conf", "missing", "one", 0);
	answers(node, "/etc/none", "absent", "", 0);
	answers(node, "/usr/none", "absent", "", 0);
	answers(node, "/var/lib/seed", "missing", "base", 0);
	layer_put("/etc", "one.conf", "one", 0600);
	answers(node, "/etc/one.conf", "unchanged", "one", 0);
	layer_put("/etc", "one.conf", "one", 0640);
	answers(node, "/etc/one.conf", "changed", "one", 0);
	g_assert_cmpint(chmod("/etc/hosts", 0600), ==, 0);
	answers(node, "/etc/hosts", "changed", "base", 0);
	g_assert_cmpint(chmod("/etc/hosts", 0644), ==, 0);
	answers(node, "/etc/hosts", "unchanged", "base", 0);
	layer_put("/etc", "hosts", "other\n", 0644);
	answers(node, "/etc/hosts", "changed", "base", 0);
	g_assert_cmpint(unlink("/etc/hosts"), ==, 0);
	answers(node, "/etc/hosts", "deleted", "base", 0);
	layer_put("/etc", "mine", "x", 0644);
	answers(node, "/etc/mine", "local", "", 0);
	layer_put("/var", "lib/seed", "seed", 0644);
	answers(node, "/var/lib/seed", "unchanged", "base", 0);
	layer_put("/var", "lib/mine", "x", 0644);
	answers(node, "/var/lib/mine", "local", "", 0);
	layer_put("/run", "x", "x", 0644);
	answers(node, "/run/x", "volatile", "", 0);
	answers(node, "/proc/self/status", "volatile", "", 0);
}

/* "place kind path" of everything, one a line. */
static char *list_drift(guint *ret_unexpected)
{
	g_autoptr(VarveTraceNode) node = open_node();
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) list = varve_drift_list(node, &error);
	g_autoptr(json_t) json = NULL;
	GString *text = g_string_new(NULL);

	g_assert_no_error(error);
	for (guint i = 0; i < list->len; i++) {
		const VarveDrift *drift = list->pdata[i];

		/* That nothing is checked here is said elsewhere. */
		if (strcmp(drift->place, "stack") != 0)
			g_string_append_printf(text, "%s %s %s\n", drift->place,
					       varve_drift_kind_name(drift->kind), drift->path);
	}
	*ret_unexpected = varve_drift_unexpected(list);
	json = varve_drift_json(list);
	g_assert_cmpint(json_integer_value(json_object_get(json, "unexpected")), ==,
			*ret_unexpected);
	return g_string_free(text, FALSE);
}

static void test_drift(gconstpointer data)
{
	g_autofree char *before = NULL, *after = NULL;
	guint unexpected, more;

	(void)data;
	/* As the tests before have left it. */
	before = list_drift(&unexpected);
	g_assert_cmpstr(before, ==,
			"etc deleted /etc/hosts\n"
			"etc added /etc/mine\n"
			"etc changed /etc/one.conf\n"
			"etc missing /etc/liar.conf\n"
			"etc missing /etc/two.conf\n");
	layer_put("/etc", "passwd", "root:x:0:0::/:/bin/sh\nsshd:x:74:74::/:\n", 0644);
	layer_put("/etc", "ssh/ssh_host_rsa_key", "key", 0600);
	g_assert_true(varve_dir_remove(AT_FDCWD, "/etc/pam.d", NULL));
	g_assert_cmpint(mkdir("/etc/pam.d", 0755), ==, 0);
	layer_put("/etc", "pam.d/login", "permit\n", 0644);
	g_assert_cmpint(varve_mount_bind("/run/x", "/usr/bin/tool", 0), ==, 0);
	after = list_drift(&more);
	g_assert_cmpint(umount2("/usr/bin/tool", MNT_DETACH), ==, 0);
	g_assert_cmpstr(after, ==,
			"etc deleted /etc/hosts\n"
			"etc added /etc/mine\n"
			"etc changed /etc/one.conf\n"
			"etc deleted /etc/pam.d/other\n"
			"etc changed /etc/pam.d/login\n"
			"etc changed /etc/passwd\n"
			"etc added /etc/ssh\n"
			"etc added /etc/ssh/ssh_host_rsa_key\n"
			"etc missing /etc/liar.conf\n"
			"etc missing /etc/two.conf\n"
			"mounts covered /usr/bin/tool\n");
	/* The accounts are declared and the key is as on every node; the others are not. */
	g_assert_cmpuint(more, ==, unexpected + 4);
	layer_put("/etc", "passwd", "root:x:0:0::/:/bin/sh\neve:x:0:0::/:\n", 0644);
	g_free(list_drift(&more));
	g_assert_cmpuint(more, ==, unexpected + 4);
}

static void test_covered(gconstpointer data)
{
	g_autoptr(VarveTraceNode) node = NULL;

	(void)data;
	g_assert_cmpint(varve_mount_bind("/run/x", "/usr/bin/tool", 0), ==, 0);
	node = open_node();
	answers(node, "/usr/bin/tool", "volatile", "", 1);
	g_assert_cmpint(umount2("/usr/bin/tool", MNT_DETACH), ==, 0);
}

static VarveReportLayer *report_layer(const VarveTraceLayer *layer)
{
	VarveReportLayer *reported = varve_report_layer_new();

	varve_report_layer_describe(reported, layer->manifest);
	g_free(reported->root);
	reported->root = g_strdup(layer->root);
	reported->accepted = TRUE;
	return reported;
}

static void test_owners(gconstpointer data)
{
	g_autoptr(VarveTraceNode) node = open_node();
	g_autoptr(VarveReport) boot = varve_report_new();
	g_autoptr(VarveOwners) owners = NULL;
	const GPtrArray *layers = node->stack->layers;
	g_autofree char *package = NULL, *none = NULL;

	(void)data;
	varve_report_layer_free(boot->base);
	boot->base = report_layer(layers->pdata[0]);
	for (guint i = 1; i < layers->len; i++)
		g_ptr_array_add(boot->layers, report_layer(layers->pdata[i]));
	owners = varve_owners_new(boot);
	g_assert_true(varve_owners_find(owners, "/usr/bin/tool", &package) == boot->base);
	g_assert_cmpstr(package, ==, "libtest-1.0-1.x86_64");
	g_assert_true(varve_owners_find(owners, "/usr/bin/both", &none) ==
		      boot->layers->pdata[boot->layers->len - 1]);
	g_assert_cmpstr(none, ==, "");
	g_assert_null(varve_owners_find(owners, "/usr/share/liar/file", NULL));
	g_assert_null(varve_owners_find(owners, "usr/bin/tool", NULL));
}

/* Another layer at the place of one: names are not believed. */
static void test_exchanged(gconstpointer data)
{
	const NodeFixture *host = data;
	g_autofree char *one =
		g_strdup_printf("/run/varve/layers/%s", (char *)host->hashes->pdata[1]);
	g_autofree char *two =
		g_strdup_printf("/run/varve/layers/%s", (char *)host->hashes->pdata[2]);
	g_autoptr(VarveTraceNode) node = NULL;

	g_assert_cmpint(varve_mount_bind(two, one, NODE_READ_ONLY), ==, 0);
	node = open_node();
	answers(node, "/usr/share/one/file", "signed", "two", 3);
	g_assert_cmpint(umount2(one, MNT_DETACH), ==, 0);
	g_clear_pointer(&node, varve_trace_node_free);
	node = open_node();
	answers(node, "/usr/share/one/file", "signed", "one", 0);
}

/* This very program lies on the host, where nobody signed it. */
static void test_process(gconstpointer data)
{
	g_autoptr(VarveTraceNode) node = open_node();
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveTraceProcess) process = varve_trace_process(node, getpid(), FALSE, &error);
	const VarveTraceMapping *program;

	(void)data;
	g_assert_no_error(error);
	program = process->mappings->pdata[0];
	g_assert_true(program->program);
	g_assert_true(program->flagged);
	g_assert_cmpuint(process->flagged, >, 1);
	for (guint i = 0; i < process->mappings->len; i++) {
		const VarveTraceMapping *mapping = process->mappings->pdata[i];

		if (strcmp(mapping->name, "[vdso]") == 0)
			g_assert_false(mapping->flagged);
		for (guint j = i + 1; j < process->mappings->len; j++) {
			const VarveTraceMapping *other = process->mappings->pdata[j];

			g_assert_false(*mapping->name && strcmp(mapping->name, other->name) == 0);
		}
	}
	g_clear_pointer(&process, varve_trace_process_free);
	process = varve_trace_process(node, 0x7ffffff0, FALSE, &error);
	g_assert_null(process);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
}

/* What was opened before a swap is answered for by what the stack was then. */
static VarveTraceAnswer *earlier(VarveTraceNode *node, int fd, const char *path)
{
	const VarveTraceAsk ask = { .path = path, .hash = TRUE };
	g_autoptr(GError) error = NULL;
	VarveTraceAnswer *answer = varve_trace_why_fd(node, fd, &ask, &error);

	g_assert_no_error(error);
	g_test_message("%s: %s", path, varve_trace_state_name(answer->state));
	for (guint i = 0; i < answer->problems->len; i++)
		g_test_message("  %s", (char *)answer->problems->pdata[i]);
	return answer;
}

static VarvePastStack *describe(const NodeFixture *host, guint generation, int usr,
				const char *const *names)
{
	VarvePastStack *stack = varve_past_stack_new();
	struct stat st;

	g_assert_cmpint(fstat(usr, &st), ==, 0);
	stack->generation = generation;
	stack->device = st.st_dev;
	stack->since = 1700000000 + generation;
	for (; *names; names++) {
		static const char *const all[] = { "base", "one", "two", "liar" };
		guint i = 0;
		VarveDigest root;

		while (strcmp(all[i], *names) != 0)
			i++;
		g_assert_true(varve_digest_from_hex(host->hashes->pdata[i], &root));
		varve_past_stack_add(stack, *names, "1", "", &root);
	}
	return stack;
}

/* /usr without "two", put in the place of the other as a swap does it. */
static int swap_usr(const NodeFixture *host)
{
	g_autofree char *liar =
		g_strdup_printf(VARVE_LAYER_MOUNTS "/%s/usr", (char *)host->hashes->pdata[3]);
	g_autofree char *one =
		g_strdup_printf(VARVE_LAYER_MOUNTS "/%s/usr", (char *)host->hashes->pdata[1]);
	const char *const lowers[] = { liar, one, VARVE_BASE_MOUNT "/usr", NULL };
	g_autoptr(GError) error = NULL;
	int fd = varve_stack_merge_usr(lowers, VARVE_RUN_DIR "/empty", &error);
	varve_autofd old = open("/usr", O_PATH | O_DIRECTORY | O_CLOEXEC);

	g_assert_no_error(error);
	if (varve_mount_beneath(fd, "/usr") < 0) {
		close(fd);
		return -1;
	}
	g_assert_cmpint(varve_mount_uncover(old), ==, 0);
	return fd;
}

static void remember(const NodeFixture *host, int before, int after)
{
	static const char *const first[] = { "liar", "two", "one", "base", NULL };
	static const char *const second[] = { "liar", "one", "base", NULL };
	g_autoptr(VarvePast) past = varve_past_new();
	g_autoptr(GHashTable) nothing = varve_past_files_new(), replaced = varve_past_files_new();
	VarvePastFile file = { 0 };
	struct stat st;
	g_autofree char *gone = g_strdup_printf(VARVE_LAYER_MOUNTS "/%s/usr/share/two/file",
						(char *)host->hashes->pdata[2]);

	g_assert_true(varve_digest_from_hex(host->hashes->pdata[2], &file.layer));
	g_assert_cmpint(stat(gone, &st), ==, 0);
	file.inode = st.st_ino;
	g_hash_table_insert(replaced, g_strdup("/usr/share/two/file"),
			    g_memdup2(&file, sizeof(file)));
	varve_past_add(past, describe(host, 7, before, first), nothing);
	varve_past_add(past, describe(host, 8, after, second), replaced);
	g_assert_true(varve_past_save(past, NULL));
}

static void test_earlier(gconstpointer data)
{
	const NodeFixture *host = data;
	varve_autofd usr = open("/usr", O_PATH | O_CLOEXEC);
	varve_autofd gone = open("/usr/share/two/file", O_RDONLY | O_CLOEXEC);
	varve_autofd tool = open("/usr/bin/tool", O_RDONLY | O_CLOEXEC);
	varve_autofd after = swap_usr(host);
	g_autoptr(VarveTraceNode) node = NULL;
	g_autoptr(VarveTraceAnswer) replaced = NULL, same = NULL, elsewhere = NULL;

	if (after < 0) {
		g_test_skip("mounts are put beneath others since Linux 6.5");
		return;
	}
	remember(host, usr, after);
	node = open_node();
	replaced = earlier(node, gone, "/share/two/file");
	g_assert_cmpint(replaced->state, ==, VARVE_TRACE_REPLACED);
	g_assert_cmpstr(replaced->earlier->layer, ==, "two");
	g_assert_cmpuint(replaced->earlier->generation, ==, 7);
	g_assert_cmpint(replaced->earlier->until, ==, 1700000008);
	g_assert_null(replaced->earlier->now);
	g_assert_false(replaced->earlier->same);
	g_assert_cmpstr(replaced->at, ==, "usr/share/two/file");
	/* It has no device: nothing checks what is read. */
	g_assert_cmpuint(replaced->problems->len, ==, 1);
	/* Nothing changed for a file of a layer that still runs, whatever its name is. */
	same = earlier(node, tool, "/bin/tool");
	g_assert_cmpint(same->state, ==, VARVE_TRACE_SIGNED);
	g_assert_cmpstr(same->layer->manifest->name, ==, "base");
	g_assert_cmpstr(same->at, ==, "usr/bin/tool");
	g_assert_cmpuint(same->problems->len, ==, 0);
	g_assert_nonnull(same->earlier);
	elsewhere = earlier(node, tool, "/srv/root/usr/bin/tool");
	g_assert_cmpstr(elsewhere->at, ==, "usr/bin/tool");
}

static void set_up(NodeFixture *host)
{
	static const char *const names[] = { "one", "two", "liar" };
	g_autofree char *base = NULL;

	node_fixture_init(host);
	base = g_build_filename(host->dir, "base-tree", NULL);
	make_base_tree(host, base);
	node_fixture_base(host, base, attribute);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *tree = g_strdup_printf("%s/%s-tree", host->dir, names[i]);
		gboolean liar = strcmp(names[i], "liar") == 0;

		make_layer_tree(tree, names[i]);
		/* The liar's file is gone, as of a layer that was taken away while it runs. */
		node_fixture_layer(host, names[i], tree, liar ? lie : NULL, !liar);
	}
	node_fixture_enter(host);
}

int main(int argc, char **argv)
{
	const char *why_not = node_fixture_obstacle();
	NodeFixture host = { NULL };
	int result;

	g_test_init(&argc, &argv, NULL);
	if (why_not) {
		g_print("1..0 # SKIP %s\n", why_not);
		return 77;
	}
	set_up(&host);
	g_test_add_data_func("/trace/stack", &host, test_stack);
	g_test_add_data_func("/trace/signed", &host, test_signed);
	g_test_add_data_func("/trace/lies", &host, test_lies);
	g_test_add_data_func("/trace/signer", &host, test_signer);
	g_test_add_data_func("/trace/writable", &host, test_writable);
	g_test_add_data_func("/trace/drift", &host, test_drift);
	g_test_add_data_func("/trace/covered", &host, test_covered);
	g_test_add_data_func("/trace/owners", &host, test_owners);
	g_test_add_data_func("/trace/exchanged", &host, test_exchanged);
	g_test_add_data_func("/trace/process", &host, test_process);
	/* The last: it leaves another stack behind. */
	g_test_add_data_func("/trace/earlier", &host, test_earlier);
	result = g_test_run();
	node_fixture_clear(&host);
	return result;
}
