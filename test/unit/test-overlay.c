#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "component/archive.h"
#include "component/overlay.h"

#include <string.h>
#include <sys/stat.h>

#define NOBODY 65534

typedef struct {
	char *path, *source; /* the sources; a file that overlays add */
	VarveOverlayTarget target;
} Fixture;

static void put(const Fixture *fixture, const char *name, const char *text)
{
	g_assert_true(
		varve_file_write(fixture->target.sources, name, text, strlen(text), 0644, NULL));
}

static void expect_file(const Fixture *fixture, const char *name, const char *text)
{
	g_autofree char *data = NULL;
	gsize size;

	if (!varve_file_read(fixture->target.sources, name, 1 << 20, &data, &size, NULL))
		g_assert_null(text);
	else
		g_assert_cmpstr(data, ==, text);
}

static void expect_spec(const Fixture *fixture, const char *text)
{
	g_autoptr(GString) printed = varve_spec_print(fixture->target.spec);

	g_assert_cmpstr(printed->str, ==, text);
}

static void set_up(Fixture *fixture, gconstpointer spec)
{
	const char *text = spec ? spec : "Name: a\n\n%build\nmake\n";

	fixture->path = g_dir_make_tmp("overlay-XXXXXX", NULL);
	fixture->source = g_strconcat(fixture->path, ".source", NULL);
	g_assert_true(g_file_set_contents(fixture->source, "added\n", -1, NULL));
	fixture->target.name = "demo";
	fixture->target.sources = varve_dir_open(AT_FDCWD, fixture->path, NULL);
	fixture->target.spec = varve_spec_parse("a.spec", text, strlen(text), NULL);
}

static void tear_down(Fixture *fixture, gconstpointer unused)
{
	(void)unused;
	varve_spec_free(fixture->target.spec);
	close(fixture->target.sources);
	g_assert_true(varve_dir_remove(AT_FDCWD, fixture->path, NULL));
	g_assert_cmpint(unlink(fixture->source), ==, 0);
	g_free(fixture->path);
	g_free(fixture->source);
}

static void apply(Fixture *fixture, const VarveSpecOverlay *overlay)
{
	g_autoptr(GError) error = NULL;

	varve_overlay_apply(&fixture->target, overlay, &error);
	g_assert_no_error(error);
}

static void refuse(Fixture *fixture, const VarveSpecOverlay *overlay, const char *part)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(varve_overlay_apply(&fixture->target, overlay, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	if (!strstr(error->message, part))
		g_error("'%s' does not say '%s'", error->message, part);
}

static const char *const lines[] = { "x", "y", NULL };

static void test_spec_types(Fixture *fixture, gconstpointer unused)
{
	(void)unused;
	apply(fixture,
	      &(VarveSpecOverlay){ .type = VARVE_OVERLAY_SPEC_ADD_TAG, .tag = "A", .value = "1" });
	expect_spec(fixture, "Name: a\n\nA: 1\n%build\nmake\n");
	apply(fixture, &(VarveSpecOverlay){ .type = VARVE_OVERLAY_SPEC_INSERT_TAG,
					    .tag = "Name2",
					    .value = "b" });
	apply(fixture,
	      &(VarveSpecOverlay){ .type = VARVE_OVERLAY_SPEC_SET_TAG, .tag = "a", .value = "2" });
	apply(fixture, &(VarveSpecOverlay){ .type = VARVE_OVERLAY_SPEC_UPDATE_TAG,
					    .tag = "Name",
					    .value = "c" });
	expect_spec(fixture, "Name: c\nName2: b\n\na: 2\n%build\nmake\n");
	apply(fixture, &(VarveSpecOverlay){ .type = VARVE_OVERLAY_SPEC_REMOVE_TAG, .tag = "A" });
	apply(fixture,
	      &(VarveSpecOverlay){ .type = VARVE_OVERLAY_SPEC_PREPEND_LINES, .lines = lines });
	apply(fixture, &(VarveSpecOverlay){ .type = VARVE_OVERLAY_SPEC_APPEND_LINES,
					    .section = "%build",
					    .lines = lines });
	expect_spec(fixture, "x\ny\nName: c\nName2: b\n\n%build\nmake\nx\ny\n");
	apply(fixture,
	      &(VarveSpecOverlay){ .type = VARVE_OVERLAY_SPEC_SEARCH_REPLACE, .regex = "^[xy]$" });
	apply(fixture, &(VarveSpecOverlay){ .type = VARVE_OVERLAY_SPEC_REMOVE_SECTION,
					    .section = "%build" });
	expect_spec(fixture, "\n\nName: c\nName2: b\n\n");
}

static void test_subpackage(Fixture *fixture, gconstpointer unused)
{
	(void)unused;
	apply(fixture, &(VarveSpecOverlay){ .type = VARVE_OVERLAY_SPEC_REMOVE_SUBPACKAGE,
					    .package = "libs" });
	expect_spec(fixture, "Name: a\n%files\n");
	refuse(fixture,
	       &(VarveSpecOverlay){ .type = VARVE_OVERLAY_SPEC_REMOVE_SUBPACKAGE,
				    .package = "libs" },
	       "no section of the sub-package 'libs'");
}

/* Who wanted it, where it is written, and what was looked for. */
static void test_error_names_the_overlay(Fixture *fixture, gconstpointer unused)
{
	const VarveSpecOverlay overlay = { .origin = { "comps/demo.toml", 12, 1 },
					   .type = VARVE_OVERLAY_SPEC_SEARCH_REPLACE,
					   .description = "Drop the frobnicator",
					   .regex = "frob" };
	const VarveSpecOverlay bad = { .type = VARVE_OVERLAY_SPEC_SEARCH_REPLACE, .regex = "(" };

	(void)unused;
	refuse(fixture, &overlay,
	       "comps/demo.toml:12:1: component 'demo': the overlay of type "
	       "spec-search-replace (Drop the frobnicator) does not fit: regex 'frob': ");
	refuse(fixture, &bad, "component 'demo'");
	expect_spec(fixture, "Name: a\n\n%build\nmake\n");
}

static void test_patch_add_is_all_or_nothing(Fixture *fixture, gconstpointer unused)
{
	VarveSpecOverlay overlay = { .type = VARVE_OVERLAY_PATCH_ADD,
				     .source = fixture->source,
				     .file = "fix.patch" };

	(void)unused;
	apply(fixture, &overlay);
	expect_spec(fixture, "Name: a\n\nPatch0: fix.patch\n%build\nmake\n");
	expect_file(fixture, "fix.patch", "added\n");
	refuse(fixture, &overlay, "is there already");
	expect_spec(fixture, "Name: a\n\nPatch0: fix.patch\n%build\nmake\n");
	overlay.file = "other.patch";
	overlay.source = "/nonexistent/other.patch";
	refuse(fixture, &overlay, "/nonexistent/other.patch");
	overlay.source = fixture->source;
	overlay.file = "../other.patch";
	refuse(fixture, &overlay, "below the directory");
	expect_spec(fixture, "Name: a\n\nPatch0: fix.patch\n%build\nmake\n");
}

static void test_patch_remove(Fixture *fixture, gconstpointer unused)
{
	const VarveSpecOverlay overlay = { .type = VARVE_OVERLAY_PATCH_REMOVE,
					   .file = "CVE-*.patch" };

	(void)unused;
	refuse(fixture, &overlay, "no file beside the spec matches 'CVE-*.patch'");
	expect_spec(fixture, "Patch1: CVE-1.patch\nPatch2: b.patch\n");
	put(fixture, "CVE-1.patch", "");
	put(fixture, "b.patch", "");
	apply(fixture, &overlay);
	expect_spec(fixture, "Patch2: b.patch\n");
	expect_file(fixture, "CVE-1.patch", NULL);
	expect_file(fixture, "b.patch", "");
	put(fixture, "CVE-2.patch", "");
	refuse(fixture, &overlay, "no PatchN tag");
	expect_file(fixture, "CVE-2.patch", "");
}

static void test_file_types(Fixture *fixture, gconstpointer unused)
{
	(void)unused;
	put(fixture, "a.conf", "one\ntwo\n");
	put(fixture, "b.conf", "three\n");
	apply(fixture, &(VarveSpecOverlay){ .type = VARVE_OVERLAY_FILE_PREPEND_LINES,
					    .file = "a.conf",
					    .lines = lines });
	expect_file(fixture, "a.conf", "x\ny\none\ntwo\n");
	/* One file at least; the whole text and not a line at a time. */
	apply(fixture, &(VarveSpecOverlay){ .type = VARVE_OVERLAY_FILE_SEARCH_REPLACE,
					    .file = "*.conf",
					    .regex = "one\\nt",
					    .replacement = "T" });
	expect_file(fixture, "a.conf", "x\ny\nTwo\n");
	expect_file(fixture, "b.conf", "three\n");
	refuse(fixture,
	       &(VarveSpecOverlay){ .type = VARVE_OVERLAY_FILE_SEARCH_REPLACE,
				    .file = "*.conf",
				    .regex = "^Two" },
	       "changes nothing in the 2 files");
	refuse(fixture,
	       &(VarveSpecOverlay){ .type = VARVE_OVERLAY_FILE_RENAME,
				    .file = "*.conf",
				    .replacement = "c.conf" },
	       "2 files");
	apply(fixture, &(VarveSpecOverlay){ .type = VARVE_OVERLAY_FILE_RENAME,
					    .file = "b.conf",
					    .replacement = "c.conf" });
	expect_file(fixture, "c.conf", "three\n");
	apply(fixture,
	      &(VarveSpecOverlay){ .type = VARVE_OVERLAY_FILE_REMOVE, .file = "{a,c}.conf" });
	expect_file(fixture, "a.conf", NULL);
	expect_file(fixture, "c.conf", NULL);
}

static void test_paths_are_tidied(Fixture *fixture, gconstpointer unused)
{
	VarveSpecOverlay overlay = { .type = VARVE_OVERLAY_FILE_ADD, .source = fixture->source };

	(void)unused;
	g_assert_cmpint(mkdirat(fixture->target.sources, "d", 0755), ==, 0);
	overlay.file = "././d//new";
	apply(fixture, &overlay);
	expect_file(fixture, "d/new", "added\n");
	overlay.type = VARVE_OVERLAY_FILE_REMOVE;
	overlay.file = "./d//n*";
	apply(fixture, &overlay);
	expect_file(fixture, "d/new", NULL);
	overlay.type = VARVE_OVERLAY_FILE_ADD;
	overlay.file = "d/./e/../new";
	apply(fixture, &overlay);
	expect_file(fixture, "d/new", "added\n");
	overlay.type = VARVE_OVERLAY_FILE_REMOVE;
	overlay.file = "e/../d/new";
	apply(fixture, &overlay);
	expect_file(fixture, "d/new", NULL);
	overlay.file = "d/../../x";
	refuse(fixture, &overlay, "'../x' is not a path below");
	overlay.file = "d/..";
	refuse(fixture, &overlay, "the file's name is empty");
}

/* Of the lines that an overlay puts in, the next one sees what reading the spec again gives. */
static void test_carriage_returns(Fixture *fixture, gconstpointer unused)
{
	static const char *const returned[] = { "x\r", NULL };
	const VarveSpecOverlay overlay = { .type = VARVE_OVERLAY_SPEC_APPEND_LINES,
					   .lines = returned };

	(void)unused;
	apply(fixture, &overlay);
	expect_spec(fixture, "Name: a\nx\r\n");
	apply(fixture, &overlay);
	expect_spec(fixture, "Name: a\nx\nx\r\n");
}

static void test_specs_are_no_loose_files(Fixture *fixture, gconstpointer unused)
{
	static const VarveOverlayType types[] = { VARVE_OVERLAY_FILE_PREPEND_LINES,
						  VARVE_OVERLAY_FILE_SEARCH_REPLACE,
						  VARVE_OVERLAY_FILE_ADD, VARVE_OVERLAY_FILE_REMOVE,
						  VARVE_OVERLAY_FILE_RENAME };

	(void)unused;
	put(fixture, "a.spec", "Name: a\n");
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
		refuse(fixture,
		       &(VarveSpecOverlay){ .type = types[i],
					    .file = "a.spec",
					    .regex = "a",
					    .replacement = "b",
					    .lines = lines,
					    .source = fixture->source },
		       "begin with 'spec-'");
	expect_file(fixture, "a.spec", "Name: a\n");
}

static void test_no_sources(Fixture *fixture, gconstpointer unused)
{
	VarveOverlayTarget target = fixture->target;
	g_autoptr(GError) error = NULL;

	(void)unused;
	target.sources = -1;
	g_assert_false(varve_overlay_apply(
		&target, &(VarveSpecOverlay){ .type = VARVE_OVERLAY_FILE_REMOVE, .file = "a" },
		&error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	fixture->target.spec = target.spec;
}

static void test_all_stop_at_the_first_that_fails(Fixture *fixture, gconstpointer unused)
{
	const VarveSpecOverlay overlays[] = {
		{ .type = VARVE_OVERLAY_SPEC_ADD_TAG, .tag = "A", .value = "1" },
		{ .type = VARVE_OVERLAY_SPEC_UPDATE_TAG, .tag = "B", .value = "1" },
		{ .type = VARVE_OVERLAY_SPEC_ADD_TAG, .tag = "C", .value = "1" },
	};
	g_autoptr(GError) error = NULL;

	(void)unused;
	g_assert_false(varve_overlay_apply_all(&fixture->target, overlays, G_N_ELEMENTS(overlays),
					       &error));
	g_assert_nonnull(strstr(error->message, "spec-update-tag"));
	expect_spec(fixture, "Name: a\n\nA: 1\n%build\nmake\n");
}

/* The link goes, not what it leads to; what would be read through it is refused. */
static void test_links(Fixture *fixture, gconstpointer unused)
{
	g_autoptr(GError) error = NULL;
	struct stat st;

	(void)unused;
	put(fixture, "x", "text\n");
	g_assert_cmpint(symlinkat("x", fixture->target.sources, "link"), ==, 0);
	g_assert_cmpint(symlinkat("nowhere", fixture->target.sources, "line"), ==, 0);
	g_assert_cmpint(symlinkat("nowhere", fixture->target.sources, "other"), ==, 0);
	g_assert_false(
		varve_overlay_apply(&fixture->target,
				    &(VarveSpecOverlay){ .type = VARVE_OVERLAY_FILE_SEARCH_REPLACE,
							 .file = "link",
							 .regex = "text" },
				    &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	refuse(fixture,
	       &(VarveSpecOverlay){
		       .type = VARVE_OVERLAY_FILE_SEARCH_REPLACE, .file = "li*", .regex = "text" },
	       "no file beside the spec matches 'li*'");
	apply(fixture, &(VarveSpecOverlay){ .type = VARVE_OVERLAY_FILE_RENAME,
					    .file = "other",
					    .replacement = "little" });
	apply(fixture, &(VarveSpecOverlay){ .type = VARVE_OVERLAY_FILE_REMOVE, .file = "link" });
	apply(fixture, &(VarveSpecOverlay){ .type = VARVE_OVERLAY_FILE_REMOVE, .file = "li*" });
	for (const char *const *name =
		     (const char *const[]){ "link", "line", "little", "other", NULL };
	     *name; name++)
		g_assert_cmpint(fstatat(fixture->target.sources, *name, &st, AT_SYMLINK_NOFOLLOW),
				==, -1);
	expect_file(fixture, "x", "text\n");
}

static void test_too_large_names_the_pattern(Fixture *fixture, gconstpointer unused)
{
	g_autofree char *path = g_build_filename(fixture->path, "blob", NULL);

	(void)unused;
	put(fixture, "blob", "");
	g_assert_cmpint(truncate(path, (off_t)257 << 20), ==, 0);
	refuse(fixture,
	       &(VarveSpecOverlay){
		       .type = VARVE_OVERLAY_FILE_SEARCH_REPLACE, .file = "**", .regex = "x" },
	       "in 'blob', which '**' matches: 'blob' has 269484032 bytes and is too large");
}

/* Archives */

/* Packs @name of files: path, text, path, text…, NULL; a path that ends in a slash is a directory
 * that nobody may write. */
static void pack(const Fixture *fixture, const char *name, const char *const *files)
{
	g_autofree char *tree = g_strconcat(fixture->path, ".tree", NULL);
	g_autoptr(GPtrArray) closed = g_ptr_array_new_with_free_func(g_free);
	varve_autofd fd = -1;

	for (; *files; files += 2) {
		g_autofree char *path = g_build_filename(tree, files[0], NULL);
		g_autofree char *parent = g_path_get_dirname(path);

		g_assert_true(varve_dir_make(parent, 0755, NULL));
		if (g_str_has_suffix(files[0], "/"))
			g_ptr_array_add(closed, g_steal_pointer(&path));
		else
			g_assert_true(g_file_set_contents(path, files[1], -1, NULL));
	}
	for (guint i = 0; i < closed->len; i++)
		g_assert_cmpint(chmod(closed->pdata[i], 0555), ==, 0);
	fd = varve_dir_open(AT_FDCWD, tree, NULL);
	put(fixture, name, "");
	g_assert_true(varve_archive_pack(fixture->target.sources, name, fd, NULL));
	for (guint i = 0; i < closed->len; i++)
		g_assert_cmpint(chmod(closed->pdata[i], 0755), ==, 0);
	g_assert_true(varve_dir_remove(AT_FDCWD, tree, NULL));
}

/* The text of a file of the archive, and the permissions of the directory that it is in. */
static char *unpacked(const Fixture *fixture, const char *name, const char *path, mode_t *ret_mode)
{
	g_autofree char *tree = g_strconcat(fixture->path, ".tree", NULL);
	g_autofree char *full = g_build_filename(tree, path, NULL);
	g_autofree char *parent = g_path_get_dirname(full);
	varve_autofd fd = -1;
	char *text = NULL;
	struct stat st;

	g_assert_true(varve_dir_make(tree, 0755, NULL));
	fd = varve_dir_open(AT_FDCWD, tree, NULL);
	g_assert_true(varve_archive_unpack(fixture->target.sources, name, fd, NULL));
	g_file_get_contents(full, &text, NULL, NULL);
	g_assert_cmpint(stat(parent, &st), ==, 0);
	*ret_mode = st.st_mode & 0777;
	g_assert_true(varve_run(NULL, "chmod", "-R", "u+rwx", tree, NULL));
	g_assert_true(varve_dir_remove(AT_FDCWD, tree, NULL));
	return text;
}

static void expect_no_rest(void)
{
	g_auto(GStrv) names = NULL;

	g_assert_true(varve_dir_list(AT_FDCWD, g_get_tmp_dir(), &names, NULL));
	for (char **name = names; *name; name++)
		g_assert_false(g_str_has_prefix(*name, "varve-archive-"));
}

static void change_closed(Fixture *fixture)
{
	const char *const files[] = { "p-1/g", "old",     "p-1/ro/f", "old", "p-1/ro/h",
				      "old",   "p-1/ro/", NULL,       NULL };
	const VarveSpecOverlay overlays[] = {
		{ .type = VARVE_OVERLAY_FILE_SEARCH_REPLACE,
		  .archive = "p.tar.gz",
		  .file = "{g,ro/f}",
		  .regex = "old",
		  .replacement = "new" },
		{ .type = VARVE_OVERLAY_FILE_REMOVE, .archive = "p.tar.gz", .file = "ro/h" },
		{ .type = VARVE_OVERLAY_FILE_REMOVE, .archive = "p.tar.gz", .file = "none" },
	};
	g_autofree char *f = NULL, *g = NULL, *h = NULL, *kept = NULL;
	g_autoptr(GError) error = NULL;
	mode_t mode, top;

	pack(fixture, "p.tar.gz", files);
	/* A failure changes nothing and leaves nothing. */
	g_assert_false(varve_overlay_apply_all(&fixture->target, overlays, 3, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_assert_nonnull(strstr(error->message, "(paths are below its directory 'p-1'): no file "
						"there matches 'none'"));
	g_clear_error(&error);
	kept = unpacked(fixture, "p.tar.gz", "p-1/ro/f", &mode);
	g_assert_cmpstr(kept, ==, "old");
	expect_no_rest();
	varve_overlay_apply_all(&fixture->target, overlays, 2, &error);
	g_assert_no_error(error);
	g = unpacked(fixture, "p.tar.gz", "p-1/g", &top);
	f = unpacked(fixture, "p.tar.gz", "p-1/ro/f", &mode);
	h = unpacked(fixture, "p.tar.gz", "p-1/ro/h", &mode);
	g_assert_cmpstr(g, ==, "new");
	g_assert_cmpstr(f, ==, "new");
	g_assert_null(h);
	g_assert_cmpint(mode, ==, 0555);
	expect_no_rest();
}

/* Of an archive that has them, for a user who has to obey them. */
static void test_directories_without_write_permission(Fixture *fixture, gconstpointer unused)
{
	gboolean root = geteuid() == 0;

	(void)unused;
	if (root && (chown(fixture->path, NOBODY, (gid_t)-1) < 0 || seteuid(NOBODY) < 0)) {
		g_test_skip("cannot become an ordinary user here");
		return;
	}
	change_closed(fixture);
	g_assert_true(!root || seteuid(0) == 0);
}

static void test_archives_that_do_not_fit(Fixture *fixture, gconstpointer unused)
{
	const char *const files[] = { "a/f", "1", "b/f", "2", NULL };
	VarveSpecOverlay overlay = { .type = VARVE_OVERLAY_FILE_REMOVE,
				     .archive = "two.tar",
				     .file = "f" };

	(void)unused;
	pack(fixture, "two.tar", files);
	refuse(fixture, &overlay,
	       "in the archive 'two.tar' (paths are below its top, which has several entries): "
	       "no file there matches 'f'");
	overlay.archive = "sub/two.tar";
	refuse(fixture, &overlay, "'sub/two.tar' cannot be the name of an archive");
}

/* Whatever the order they are written in. */
static void test_archives_come_last(Fixture *fixture, gconstpointer unused)
{
	const char *const files[] = { "a/f", "1", "a/g", "2", NULL };
	const VarveSpecOverlay overlays[] = {
		{ .type = VARVE_OVERLAY_FILE_REMOVE, .archive = "new.tar", .file = "f" },
		{ .type = VARVE_OVERLAY_FILE_RENAME, .file = "old.tar", .replacement = "new.tar" },
	};
	g_autoptr(GError) error = NULL;
	g_autofree char *f = NULL, *g = NULL;
	mode_t mode;

	(void)unused;
	pack(fixture, "old.tar", files);
	varve_overlay_apply_all(&fixture->target, overlays, 2, &error);
	g_assert_no_error(error);
	f = unpacked(fixture, "new.tar", "a/f", &mode);
	g = unpacked(fixture, "new.tar", "a/g", &mode);
	g_assert_null(f);
	g_assert_cmpstr(g, ==, "2");
}

#define ADD(path, spec, test) g_test_add("/overlay/" path, Fixture, spec, set_up, test, tear_down)

int main(int argc, char **argv)
{
	/* Of our own, so that what is left in it can be told, and open to an ordinary user. */
	const char *above = g_getenv("TMPDIR");
	g_autofree char *own = g_build_filename(above ? above : "/tmp", "overlay-XXXXXX", NULL);
	int result;

	if (!g_mkdtemp(own) || chmod(own, 01777) < 0)
		return 1;
	g_setenv("TMPDIR", own, TRUE);
	g_test_init(&argc, &argv, NULL);
	ADD("spec-types", NULL, test_spec_types);
	ADD("subpackage", "Name: a\n%package libs\nA: b\n%files\n%files libs\n/l\n",
	    test_subpackage);
	ADD("error-names-the-overlay", NULL, test_error_names_the_overlay);
	ADD("patch-add-is-all-or-nothing", NULL, test_patch_add_is_all_or_nothing);
	ADD("patch-remove", "Patch1: CVE-1.patch\nPatch2: b.patch\n", test_patch_remove);
	ADD("file-types", NULL, test_file_types);
	ADD("paths-are-tidied", NULL, test_paths_are_tidied);
	ADD("carriage-returns", "Name: a\r\n", test_carriage_returns);
	ADD("specs-are-no-loose-files", NULL, test_specs_are_no_loose_files);
	ADD("no-sources", NULL, test_no_sources);
	ADD("links", NULL, test_links);
	ADD("too-large-names-the-pattern", NULL, test_too_large_names_the_pattern);
	ADD("directories-without-write-permission", NULL,
	    test_directories_without_write_permission);
	ADD("archives-that-do-not-fit", NULL, test_archives_that_do_not_fit);
	ADD("archives-come-last", NULL, test_archives_come_last);
	ADD("all-stop-at-the-first-that-fails", NULL, test_all_stop_at_the_first_that_fails);
	result = g_test_run();
	return rmdir(own) == 0 ? result : 1;
}
