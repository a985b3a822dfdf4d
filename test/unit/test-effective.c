/* stack/effective.c: /etc/varve/policy.d is read without following links, and only where nobody but
 * root can write; a file with a mistake costs the node its compliance and nothing else. */
#include "stack/effective.h"

#include "base/error.h"
#include "base/file.h"
#include "stack/compliance.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define A1 "00000000000000000000000000000000000000000000000000000000000000a1"
#define A2 "00000000000000000000000000000000000000000000000000000000000000a2"
#define REVOKE(hex) "[revoked]\nlayers = [\"" hex "\"]\n"

typedef struct {
	char *dir;
	int etc;
	VarvePolicy *policy;
	VarveReport *report;
} Fixture;

static void put(const Fixture *f, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename("varve/policy.d", name, NULL);

	g_assert_true(varve_file_write(f->etc, path, text, strlen(text), 0644, NULL));
}

static void setup(Fixture *f, gconstpointer data)
{
	g_autofree char *policy_dir = NULL;

	(void)data;
	f->dir = g_dir_make_tmp("varve-effective-XXXXXX", NULL);
	policy_dir = g_build_filename(f->dir, "varve/policy.d", NULL);
	g_assert_true(varve_dir_make(policy_dir, 0755, NULL));
	f->etc = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->policy = varve_policy_parse("", 0, "policy.toml", NULL);
	f->report = varve_report_new();
}

static void teardown(Fixture *f, gconstpointer data)
{
	(void)data;
	close(f->etc);
	varve_policy_free(f->policy);
	varve_report_free(f->report);
	varve_dir_remove(AT_FDCWD, f->dir, NULL);
	g_free(f->dir);
}

static gboolean is_root(void)
{
	if (geteuid() == 0)
		return TRUE;
	g_test_skip("files that belong to root need root");
	return FALSE;
}

static gboolean revokes(const Fixture *f, const char *hex)
{
	return g_hash_table_contains(f->policy->revoked_layers, hex);
}

/* There must be one complaint, which says @says. */
static void assert_complaint(const Fixture *f, const char *says)
{
	const VarveComplaint *complaint;

	g_assert_cmpuint(f->report->complaints->len, ==, 1);
	complaint = f->report->complaints->pdata[0];
	g_assert_cmpstr(complaint->code, ==, "policy-file");
	if (!strstr(complaint->sentence, says))
		g_error("'%s' does not say '%s'", complaint->sentence, says);
}

static void test_sorted_files(Fixture *f, gconstpointer data)
{
	const VarveFloor *floor;

	(void)data;
	if (!is_root())
		return;
	put(f, "20-b.toml", REVOKE(A2) "[rollback-floors]\nssh = 3\n");
	put(f, "10-a.toml", REVOKE(A1) "[rollback-floors]\nssh = 3\n");
	put(f, "README", "not read");
	put(f, ".hidden.toml", "not read");
	put(f, "10-a.toml.old", "not read");
	varve_local_policies(f->etc, f->policy, f->report);
	g_assert_cmpuint(f->report->complaints->len, ==, 0);
	g_assert_true(revokes(f, A1) && revokes(f, A2));
	g_assert_cmpstr(g_hash_table_lookup(f->policy->revoked_layers, A2), ==,
			"/etc/varve/policy.d/20-b.toml:2");
	floor = g_hash_table_lookup(f->policy->floors, "ssh");
	g_assert_cmpstr(floor->origin, ==, "/etc/varve/policy.d/10-a.toml:4");
}

static void test_nothing_there(Fixture *f, gconstpointer data)
{
	(void)data;
	if (!is_root())
		return;
	varve_local_policies(f->etc, f->policy, f->report);
	varve_dir_remove(f->etc, "varve/policy.d", NULL);
	varve_local_policies(f->etc, f->policy, f->report);
	varve_dir_remove(f->etc, "varve", NULL);
	varve_local_policies(f->etc, f->policy, f->report);
	g_assert_cmpuint(f->report->complaints->len, ==, 0);
	varve_local_policies(-1, f->policy, f->report);
	assert_complaint(f, "/etc cannot be opened");
}

/* One mistake of one file, and the others hold. */
static void test_mistake(Fixture *f, gconstpointer data)
{
	(void)data;
	if (!is_root())
		return;
	put(f, "10-a.toml", REVOKE(A1));
	put(f, "20-b.toml", REVOKE(A2) "[[allow]]\n");
	put(f, "30-c.toml", "[defaults]\ncheck = \"always\"\n");
	varve_local_policies(f->etc, f->policy, f->report);
	assert_complaint(f, "/etc/varve/policy.d/20-b.toml:3:3: 'allow' is for the base's policy");
	g_assert_true(revokes(f, A1));
	g_assert_false(revokes(f, A2));
	g_assert_cmpint(f->policy->check, ==, VARVE_CHECK_ALWAYS);
}

/* A base that has outgrown a line does not switch off the rest of the file. */
static void test_outgrown_line(Fixture *f, gconstpointer data)
{
	(void)data;
	if (!is_root())
		return;
	varve_policy_floor(f->policy, "ssh", 5, VARVE_ORIGIN_BASE);
	put(f, "10-a.toml", REVOKE(A1) "[rollback-floors]\nssh = 4\n");
	varve_local_policies(f->etc, f->policy, f->report);
	assert_complaint(f, "/etc/varve/policy.d/10-a.toml:4:7: the floor of 'ssh' is 5");
	g_assert_true(revokes(f, A1));
}

static void test_links(Fixture *f, gconstpointer data)
{
	(void)data;
	if (!is_root())
		return;
	put(f, "10-a.toml", REVOKE(A1));
	g_assert_cmpint(renameat(f->etc, "varve/policy.d/10-a.toml", f->etc, "real.toml"), ==, 0);
	g_assert_cmpint(symlinkat("../../real.toml", f->etc, "varve/policy.d/10-a.toml"), ==, 0);
	varve_local_policies(f->etc, f->policy, f->report);
	assert_complaint(f, "10-a.toml is a symbolic link");
	g_assert_false(revokes(f, A1));
	/* Nor the directories on the way. */
	g_ptr_array_set_size(f->report->complaints, 0);
	g_assert_cmpint(renameat(f->etc, "varve", f->etc, "other"), ==, 0);
	g_assert_cmpint(symlinkat("other", f->etc, "varve"), ==, 0);
	varve_local_policies(f->etc, f->policy, f->report);
	assert_complaint(f, "/etc/varve");
}

static void test_no_file(Fixture *f, gconstpointer data)
{
	(void)data;
	if (!is_root())
		return;
	g_assert_cmpint(mkfifoat(f->etc, "varve/policy.d/10-a.toml", 0600), ==, 0);
	varve_local_policies(f->etc, f->policy, f->report);
	assert_complaint(f, "not a regular file");
}

/* What others than root can write is not read, file or directory. */
static void test_owners_and_modes(Fixture *f, gconstpointer data)
{
	static const struct {
		const char *path;
		mode_t mode;
		uid_t owner;
		const char *says;
	} cases[] = {
		{ "varve/policy.d/10-a.toml", 0664, 0, "mode 0664" },
		{ "varve/policy.d/10-a.toml", 0646, 0, "mode 0646" },
		{ "varve/policy.d/10-a.toml", 0644, 1000, "belongs to user 1000" },
		{ "varve/policy.d", 01777, 0, "/etc/varve/policy.d has mode 1777" },
		{ "varve/policy.d", 0755, 1000, "/etc/varve/policy.d belongs to user 1000" },
		{ "varve", 0775, 0, "/etc/varve has mode 0775" },
		{ "varve", 0755, 1000, "/etc/varve belongs to user 1000" },
		{ ".", 0757, 0, "/etc has mode 0757" },
	};

	(void)data;
	if (!is_root())
		return;
	put(f, "10-a.toml", REVOKE(A1));
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct stat before;

		g_assert_cmpint(fstatat(f->etc, cases[i].path, &before, 0), ==, 0);
		g_assert_cmpint(fchownat(f->etc, cases[i].path, cases[i].owner, 0, 0), ==, 0);
		g_assert_cmpint(fchmodat(f->etc, cases[i].path, cases[i].mode, 0), ==, 0);
		varve_local_policies(f->etc, f->policy, f->report);
		assert_complaint(f, cases[i].says);
		g_assert_false(revokes(f, A1));
		g_ptr_array_set_size(f->report->complaints, 0);
		g_assert_cmpint(fchownat(f->etc, cases[i].path, 0, 0, 0), ==, 0);
		g_assert_cmpint(fchmodat(f->etc, cases[i].path, before.st_mode & 07777, 0), ==, 0);
	}
	varve_local_policies(f->etc, f->policy, f->report);
	g_assert_cmpuint(f->report->complaints->len, ==, 0);
	g_assert_true(revokes(f, A1));
}

static void test_too_many(Fixture *f, gconstpointer data)
{
	(void)data;
	if (!is_root())
		return;
	for (guint i = 0; i < 101; i++) {
		g_autofree char *name = g_strdup_printf("%03u.toml", i);

		put(f, name, i == 99 ? REVOKE(A1) : i == 100 ? REVOKE(A2) : "");
	}
	varve_local_policies(f->etc, f->policy, f->report);
	assert_complaint(f, "'100.toml' and those after it are not read");
	g_assert_true(revokes(f, A1));
	g_assert_false(revokes(f, A2));
}

int main(int argc, char **argv)
{
#define ADD(name, function) g_test_add("/effective/" name, Fixture, NULL, setup, function, teardown)
	g_test_init(&argc, &argv, NULL);
	ADD("sorted-files", test_sorted_files);
	ADD("nothing-there", test_nothing_there);
	ADD("mistake", test_mistake);
	ADD("outgrown-line", test_outgrown_line);
	ADD("links", test_links);
	ADD("no-file", test_no_file);
	ADD("owners-and-modes", test_owners_and_modes);
	ADD("too-many", test_too_many);
	return g_test_run();
}
