#include "image/initrd.h"

#include "base/error.h"
#include "base/file.h"
#include "crypt/authority.h"
#include "format/cpio.h"

#include <link.h>
#include <stdio.h>
#include <string.h>
#include <zstd.h>

#define VERSION "6.12.0-test"
#define ADDRESS 0x400000

/* The smallest ELF file that wants something of the dynamic loader. */
typedef struct {
	Elf64_Ehdr header;
	Elf64_Phdr load, interpreter, dynamic;
	char interpreter_name[32];
	Elf64_Dyn entries[8];
	char strings[128];
} Sample;

typedef struct {
	char *tree;
} Fixture;

static guint64 at(gsize offset)
{
	return GUINT64_TO_LE(ADDRESS + offset);
}

static void put(const char *tree, const char *path, const void *data, gssize size)
{
	g_autofree char *full = g_build_filename(tree, path, NULL);
	g_autofree char *parent = g_path_get_dirname(full);

	g_assert_true(varve_dir_make(parent, 0755, NULL));
	g_assert_true(g_file_set_contents(full, data, size, NULL));
}

/* @needed: names, apart by spaces. */
static void put_elf(const char *tree, const char *path, const char *needed, const char *runpath,
		    const char *interpreter, guint16 machine)
{
	g_auto(GStrv) names = g_strsplit(needed, " ", -1);
	Sample sample = { .strings = "" };
	gsize used = 1, n = 0;

	memcpy(sample.header.e_ident, ELFMAG, SELFMAG);
	sample.header.e_ident[EI_CLASS] = ELFCLASS64;
	sample.header.e_ident[EI_DATA] = ELFDATA2LSB;
	sample.header.e_type = GUINT16_TO_LE(ET_DYN);
	sample.header.e_machine = GUINT16_TO_LE(machine);
	sample.header.e_phoff = GUINT64_TO_LE(offsetof(Sample, load));
	sample.header.e_phentsize = GUINT16_TO_LE(sizeof(Elf64_Phdr));
	sample.header.e_phnum = GUINT16_TO_LE(3);
	sample.load.p_type = GUINT32_TO_LE(PT_LOAD);
	sample.load.p_vaddr = GUINT64_TO_LE(ADDRESS);
	sample.load.p_filesz = GUINT64_TO_LE(sizeof(sample));
	sample.interpreter.p_type = GUINT32_TO_LE(*interpreter ? PT_INTERP : PT_NULL);
	sample.interpreter.p_offset = GUINT64_TO_LE(offsetof(Sample, interpreter_name));
	sample.interpreter.p_filesz = GUINT64_TO_LE(strlen(interpreter) + 1);
	g_strlcpy(sample.interpreter_name, interpreter, sizeof(sample.interpreter_name));
	sample.dynamic.p_type = GUINT32_TO_LE(PT_DYNAMIC);
	sample.dynamic.p_offset = GUINT64_TO_LE(offsetof(Sample, entries));
	sample.dynamic.p_vaddr = at(offsetof(Sample, entries));
	sample.dynamic.p_filesz = GUINT64_TO_LE(sizeof(sample.entries));
	sample.entries[n++] =
		(Elf64_Dyn){ GINT64_TO_LE(DT_STRTAB), { at(offsetof(Sample, strings)) } };
	sample.entries[n++] =
		(Elf64_Dyn){ GINT64_TO_LE(DT_STRSZ), { GUINT64_TO_LE(sizeof(sample.strings)) } };
	for (char **name = names; *name && **name; name++) {
		sample.entries[n++] =
			(Elf64_Dyn){ GINT64_TO_LE(DT_NEEDED), { GUINT64_TO_LE(used) } };
		used += g_strlcpy(sample.strings + used, *name, sizeof(sample.strings) - used) + 1;
	}
	if (*runpath) {
		sample.entries[n++] =
			(Elf64_Dyn){ GINT64_TO_LE(DT_RUNPATH), { GUINT64_TO_LE(used) } };
		g_strlcpy(sample.strings + used, runpath, sizeof(sample.strings) - used);
	}
	put(tree, path, &sample, sizeof(sample));
}

static void link_to(const char *tree, const char *path, const char *target)
{
	g_autofree char *full = g_build_filename(tree, path, NULL);

	g_assert_cmpint(symlink(target, full), ==, 0);
}

/* A base with a merged /usr: varvectl needs a (run path), c (a configured directory) and libc. */
static void fixture_set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	const char *tree = fixture->tree = g_dir_make_tmp("varve-initrd-XXXXXX", NULL);
	static const char interpreter[] = "/lib64/ld-test.so.2";

	put(tree, "usr/lib64/keep", "", 0);
	put(tree, "usr/bin/keep", "", 0);
	link_to(tree, "lib64", "usr/lib64");
	link_to(tree, "lib", "usr/lib");
	link_to(tree, "bin", "usr/bin");
	put_elf(tree, "usr/lib/varve/varve-init", "", "", "", EM_X86_64);
	put_elf(tree, "usr/bin/varvectl", "liba.so.1 libc.so.6 libconf.so.3",
		"$ORIGIN/../lib/varve", interpreter, EM_X86_64);
	put_elf(tree, "usr/lib/varve/liba.so.1.2", "libb.so.2 libc.so.6", "", "", EM_X86_64);
	link_to(tree, "usr/lib/varve/liba.so.1", "liba.so.1.2");
	put_elf(tree, "usr/lib/x86_64-linux-gnu/libb.so.2", "liba.so.1 libc.so.6", "/usr/lib/varve",
		"", EM_X86_64);
	put_elf(tree, "usr/lib/x86_64-linux-gnu/libc.so.6", "ld-test.so.2", "", interpreter,
		EM_X86_64);
	put_elf(tree, "usr/lib/x86_64-linux-gnu/ld-test.so.2", "", "", "", EM_X86_64);
	link_to(tree, "usr/lib64/ld-test.so.2", "../lib/x86_64-linux-gnu/ld-test.so.2");
	/* Of another machine: passed over, as the loader does. */
	put_elf(tree, "usr/lib64/libb.so.2", "", "", "", EM_AARCH64);
	put_elf(tree, "usr/lib/own/libconf.so.3", "libc.so.6", "", "", EM_X86_64);
	put(tree, "etc/ld.so.conf", "include ld.so.conf.d/*.conf\n", -1);
	put(tree, "etc/ld.so.conf.d/own.conf", "# ours\n/usr/lib/own\n", -1);
	put(tree, "etc/ld.so.cache", "cache", -1);
	put(tree, "usr/lib/verity.d/base.crt", "certificate", -1);
	put(tree, "usr/lib/verity.d/README", "no certificate", -1);
	put(tree, "usr/lib/modules/" VERSION "/modules.dep",
	    "kernel/erofs.ko: kernel/crc.ko\nkernel/crc.ko:\nkernel/more.ko:\n", -1);
	for (const char *const *name = (const char *const[]){ "erofs", "crc", "more", NULL }; *name;
	     name++) {
		g_autofree char *path =
			g_strdup_printf("usr/lib/modules/" VERSION "/kernel/%s.ko", *name);

		put(tree, path, "\177ELF", -1);
	}
}

static void fixture_tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_true(varve_dir_remove(AT_FDCWD, fixture->tree, NULL));
	g_free(fixture->tree);
}

static VarveInitrd describe(const Fixture *fixture)
{
	return (VarveInitrd){ .root = fixture->tree,
			      .arch = varve_arch_find("x86-64"),
			      .epoch = 1700000000 };
}

static char *unpack(GBytes *packed, gsize *ret_size)
{
	gsize size;
	const void *data = g_bytes_get_data(packed, &size);
	const gsize room = 1024 * 1024;
	char *plain = g_malloc(room);
	ZSTD_DCtx *context = ZSTD_createDCtx();
	size_t n = ZSTD_decompressDCtx(context, plain, room, data, size);

	ZSTD_freeDCtx(context);
	g_assert_false(ZSTD_isError(n));
	*ret_size = n;
	return plain;
}

static guint64 field(const char *header, int index)
{
	g_autofree char *digits = g_strndup(header + 6 + 8 * index, 8);

	return g_ascii_strtoull(digits, NULL, 16);
}

/* newc: path → content (links: their target; directories: ""). */
static GHashTable *list(GBytes *packed)
{
	GHashTable *entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	gsize size, offset = 0;
	g_autofree char *plain = unpack(packed, &size);

	for (;;) {
		const char *header = plain + offset;
		guint64 file_size = field(header, 6), name_size = field(header, 11);
		const char *name = header + 110;
		gsize content = (offset + 110 + name_size + 3) & ~(gsize)3;

		g_assert_cmpmem(header, 6, "070701", 6);
		if (strcmp(name, "TRAILER!!!") == 0)
			return entries;
		g_assert_cmpuint(field(header, 5), ==, 1700000000);
		g_assert_true(g_hash_table_insert(entries, g_strdup(name),
						  g_strndup(plain + content, file_size)));
		offset = (content + file_size + 3) & ~(gsize)3;
		g_assert_cmpuint(offset, <, size);
	}
}

static void check_entry(GHashTable *entries, const char *path, const char *content)
{
	const char *found = g_hash_table_lookup(entries, path);

	if (!found)
		g_test_message("'%s' is not in the initrd", path);
	g_assert_nonnull(found);
	if (content)
		g_assert_cmpstr(found, ==, content);
}

static void test_contents(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	VarveInitrd initrd = describe(fixture);
	VarveInitrdSummary summary = { 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) packed = varve_initrd_build(&initrd, &summary, &error);
	g_autoptr(GHashTable) entries = NULL;
	static const char library[] = "/usr/lib/x86_64-linux-gnu/ld-test.so.2";

	g_assert_no_error(error);
	entries = list(packed);
	check_entry(entries, "init", NULL);
	check_entry(entries, "usr/bin/varvectl", NULL);
	check_entry(entries, "usr/lib/varve/liba.so.1.2", NULL);
	check_entry(entries, "usr/lib/varve/liba.so.1", "/usr/lib/varve/liba.so.1.2");
	check_entry(entries, "usr/lib/x86_64-linux-gnu/libb.so.2", NULL);
	check_entry(entries, "usr/lib/x86_64-linux-gnu/ld-test.so.2", NULL);
	check_entry(entries, "usr/lib64/ld-test.so.2", library);
	check_entry(entries, "lib64", "usr/lib64");
	check_entry(entries, "usr/lib/own/libconf.so.3", NULL);
	/* libconf is found by the cache alone. */
	check_entry(entries, "etc/ld.so.cache", "cache");
	check_entry(entries, "usr/lib/verity.d/base.crt", "certificate");
	g_assert_false(g_hash_table_contains(entries, "usr/lib/verity.d/README"));
	g_assert_false(g_hash_table_contains(entries, "usr/lib64/libb.so.2"));
	check_entry(entries, VARVE_INITRD_MODULES,
		    "/usr/lib/modules/" VERSION "/kernel/crc.ko\n"
		    "/usr/lib/modules/" VERSION "/kernel/erofs.ko\n");
	check_entry(entries, "sysroot", "");
	g_assert_cmpstr(summary.kernel_version, ==, VERSION);
	g_assert_cmpuint(summary.n_modules, ==, 2);
	g_assert_cmpuint(summary.n_libraries, ==, 5);
	g_assert_cmpuint(summary.packed, ==, g_bytes_get_size(packed));
	varve_initrd_summary_clear(&summary);
}

static void test_same_bytes(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	VarveInitrd initrd = describe(fixture);
	g_autoptr(GBytes) first = varve_initrd_build(&initrd, NULL, NULL);
	g_autoptr(GBytes) second = varve_initrd_build(&initrd, NULL, NULL);

	g_assert_nonnull(first);
	g_assert_true(g_bytes_equal(first, second));
}

static void test_further_modules(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	VarveInitrd initrd = describe(fixture);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) packed = NULL;
	g_autoptr(GHashTable) entries = NULL;

	initrd.modules = (const char *const[]){ "more", NULL };
	packed = varve_initrd_build(&initrd, NULL, &error);
	g_assert_no_error(error);
	entries = list(packed);
	check_entry(entries, "usr/lib/modules/" VERSION "/kernel/more.ko", "\177ELF");
	initrd.modules = (const char *const[]){ "less", NULL };
	g_assert_null(varve_initrd_build(&initrd, NULL, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "less"));
}

/* What the initrd's programs are told: whether a shell may be given, and code integrity. */
static void test_settings(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	VarveInitrd initrd = describe(fixture);
	g_autofree char *certificate =
		g_build_filename(fixture->tree, "usr/lib/verity.d/team.crt", NULL);
	g_autofree char *dir = g_path_get_dirname(certificate);
	const char *certificates[] = { certificate, NULL };
	g_autoptr(GBytes) plain = varve_initrd_build(&initrd, NULL, NULL), packed = NULL;
	g_autoptr(GHashTable) before = list(plain), entries = NULL;
	g_autoptr(GBytes) policy = g_bytes_new_static("signed", 6);
	g_autoptr(GError) error = NULL;

	/* Its certificate is none that anything marks. */
	g_assert_false(g_hash_table_contains(before, VARVE_INITRD_DEVELOPMENT));
	g_assert_false(g_hash_table_contains(before, VARVE_INITRD_INTEGRITY));
	g_assert_true(varve_authority_make(dir, "team", NULL));
	initrd.certificates = certificates;
	initrd.code_integrity = "enforce";
	initrd.code_integrity_policy = policy;
	packed = varve_initrd_build(&initrd, NULL, &error);
	g_assert_no_error(error);
	entries = list(packed);
	check_entry(entries, VARVE_INITRD_DEVELOPMENT, "");
	check_entry(entries, VARVE_INITRD_INTEGRITY, "enforce");
	check_entry(entries, VARVE_INITRD_INTEGRITY_POLICY, "signed");
	/* One that is none beside it, and a shell is out of the question. */
	g_clear_pointer(&packed, g_bytes_unref);
	g_clear_pointer(&entries, g_hash_table_unref);
	initrd.certificates = NULL;
	packed = varve_initrd_build(&initrd, NULL, &error);
	g_assert_no_error(error);
	entries = list(packed);
	check_entry(entries, "usr/lib/verity.d/team.crt", NULL);
	g_assert_false(g_hash_table_contains(entries, VARVE_INITRD_DEVELOPMENT));
}

static void check_fails(const Fixture *fixture, const char *path, VarveError code, const char *text)
{
	VarveInitrd initrd = describe(fixture);
	g_autofree char *full = g_build_filename(fixture->tree, path, NULL);
	g_autofree char *aside = g_strconcat(full, ".aside", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(rename(full, aside), ==, 0);
	g_assert_null(varve_initrd_build(&initrd, NULL, &error));
	g_assert_error(error, VARVE_ERROR, (gint)code);
	if (!strstr(error->message, text))
		g_test_message("%s", error->message);
	g_assert_nonnull(strstr(error->message, text));
	g_assert_cmpint(rename(aside, full), ==, 0);
}

static void test_should_fail(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	VarveInitrd initrd = describe(fixture);
	g_autoptr(GError) error = NULL;

	check_fails(fixture, "usr/bin/varvectl", VARVE_ERROR_NOT_FOUND, "usr/bin/varvectl");
	check_fails(fixture, "usr/lib/varve/varve-init", VARVE_ERROR_NOT_FOUND, "varve-init");
	check_fails(fixture, "usr/lib/x86_64-linux-gnu/libb.so.2", VARVE_ERROR_NOT_FOUND,
		    "'usr/lib/varve/liba.so.1.2' needs the library 'libb.so.2'");
	check_fails(fixture, "usr/lib/modules/" VERSION "/modules.dep", VARVE_ERROR_NOT_FOUND,
		    "depmod");
	put(fixture->tree, "usr/lib/modules/other/keep", "", 0);
	check_fails(fixture, "etc/ld.so.cache", VARVE_ERROR_CONFLICT, "other");
	initrd.arch = varve_arch_find("arm64");
	initrd.kernel_version = VERSION;
	g_assert_null(varve_initrd_build(&initrd, NULL, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*run)(Fixture *, gconstpointer);
	} tests[] = {
		{ "/initrd/contents", test_contents },
		{ "/initrd/same-bytes", test_same_bytes },
		{ "/initrd/further-modules", test_further_modules },
		{ "/initrd/settings", test_settings },
		{ "/initrd/should-fail", test_should_fail },
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, Fixture, NULL, fixture_set_up, tests[i].run,
			   fixture_tear_down);
	return g_test_run();
}
