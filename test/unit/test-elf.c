#include "format/elf.h"

#include "base/error.h"
#include "ground/fd.h"

#include <fcntl.h>
#include <link.h>
#include <string.h>

/* A little 64-bit shared object, put together here: header, three program headers, then the
 * interpreter's name, the dynamic section and its strings, all in one segment. */
typedef struct {
	Elf64_Ehdr header;
	Elf64_Phdr load, interpreter, dynamic;
	char interpreter_name[16];
	Elf64_Dyn entries[8];
	char strings[64];
} Sample;

#define ADDRESS 0x400000

static void make_sample(Sample *sample)
{
	static const char strings[] = "\0libc.so.6\0libm.so.6\0libx.so.1\0$ORIGIN/lib";

	memset(sample, 0, sizeof *sample);
	memcpy(sample->header.e_ident, ELFMAG, SELFMAG);
	sample->header.e_ident[EI_CLASS] = ELFCLASS64;
	sample->header.e_ident[EI_DATA] = ELFDATA2LSB;
	sample->header.e_type = GUINT16_TO_LE(ET_DYN);
	sample->header.e_machine = GUINT16_TO_LE(EM_X86_64);
	sample->header.e_phoff = GUINT64_TO_LE(offsetof(Sample, load));
	sample->header.e_phentsize = GUINT16_TO_LE(sizeof(Elf64_Phdr));
	sample->header.e_phnum = GUINT16_TO_LE(3);
	sample->load.p_type = GUINT32_TO_LE(PT_LOAD);
	sample->load.p_vaddr = GUINT64_TO_LE(ADDRESS);
	sample->load.p_filesz = GUINT64_TO_LE(sizeof *sample);
	sample->interpreter.p_type = GUINT32_TO_LE(PT_INTERP);
	sample->interpreter.p_offset = GUINT64_TO_LE(offsetof(Sample, interpreter_name));
	sample->interpreter.p_filesz = GUINT64_TO_LE(sizeof sample->interpreter_name);
	sample->dynamic.p_type = GUINT32_TO_LE(PT_DYNAMIC);
	sample->dynamic.p_offset = GUINT64_TO_LE(offsetof(Sample, entries));
	sample->dynamic.p_filesz = GUINT64_TO_LE(sizeof sample->entries);
	strcpy(sample->interpreter_name, "/lib/ld.so");
	memcpy(sample->strings, strings, sizeof strings);
	for (gsize i = 0; i < G_N_ELEMENTS(sample->entries); i++) {
		static const Elf64_Dyn entries[] = {
			{ DT_NEEDED, { 1 } },
			{ DT_NEEDED, { 11 } },
			{ DT_SONAME, { 21 } },
			{ DT_RUNPATH, { 31 } },
			{ DT_STRTAB, { ADDRESS + offsetof(Sample, strings) } },
			{ DT_STRSZ, { sizeof sample->strings } },
			{ DT_NULL, { 0 } },
			{ DT_NEEDED, { 9999 } }, /* after the end: not read */
		};

		sample->entries[i].d_tag = GINT64_TO_LE(entries[i].d_tag);
		sample->entries[i].d_un.d_val = GUINT64_TO_LE(entries[i].d_un.d_val);
	}
}

static void test_sample(void)
{
	g_autoptr(VarveElf) elf = NULL;
	g_autoptr(GError) error = NULL;
	Sample sample;

	make_sample(&sample);
	elf = varve_elf_parse(&sample, sizeof sample, "sample", &error);
	g_assert_no_error(error);
	g_assert_cmpuint(elf->machine, ==, EM_X86_64);
	g_assert_cmpuint(elf->bits, ==, 64);
	g_assert_cmpuint(elf->type, ==, ET_DYN);
	g_assert_cmpstr(elf->interpreter, ==, "/lib/ld.so");
	g_assert_cmpstr(elf->soname, ==, "libx.so.1");
	g_assert_cmpstr(elf->runpath, ==, "$ORIGIN/lib");
	g_assert_cmpuint(g_strv_length(elf->needed), ==, 2);
	g_assert_cmpstr(elf->needed[0], ==, "libc.so.6");
	g_assert_cmpstr(elf->needed[1], ==, "libm.so.6");
}

static void refused(const Sample *sample, VarveError code)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveElf) elf = varve_elf_parse(sample, sizeof *sample, "sample", &error);

	g_assert_null(elf);
	g_assert_error(error, VARVE_ERROR, (int)code);
}

static void test_should_fail(void)
{
	Sample s;

	make_sample(&s);
	s.header.e_ident[EI_MAG0] = '#';
	refused(&s, VARVE_ERROR_NOT_FOUND);
	make_sample(&s);
	s.header.e_ident[EI_CLASS] = 3;
	refused(&s, VARVE_ERROR_CORRUPT);
	make_sample(&s);
	s.header.e_phoff = G_MAXUINT64;
	refused(&s, VARVE_ERROR_CORRUPT);
	make_sample(&s);
	s.header.e_phnum = GUINT16_TO_LE(0xffff);
	refused(&s, VARVE_ERROR_CORRUPT);
	make_sample(&s);
	s.header.e_phentsize = GUINT16_TO_LE(8);
	refused(&s, VARVE_ERROR_CORRUPT);
	make_sample(&s);
	s.load.p_offset = GUINT64_TO_LE(8); /* past the end of the file */
	refused(&s, VARVE_ERROR_CORRUPT);
	make_sample(&s);
	s.load.p_filesz = G_MAXUINT64;
	refused(&s, VARVE_ERROR_CORRUPT);
	make_sample(&s);
	s.load.p_vaddr = 0; /* the strings are in no segment */
	refused(&s, VARVE_ERROR_CORRUPT);
	make_sample(&s);
	s.dynamic.p_filesz = GUINT64_TO_LE(UINT64_C(1) << 40);
	refused(&s, VARVE_ERROR_CORRUPT);
	make_sample(&s);
	s.entries[0].d_un.d_val = G_MAXUINT64;
	refused(&s, VARVE_ERROR_CORRUPT);
	make_sample(&s);
	s.entries[2].d_un.d_val = GUINT64_TO_LE(64);
	refused(&s, VARVE_ERROR_CORRUPT);
	make_sample(&s);
	s.entries[5].d_un.d_val = GUINT64_TO_LE(65); /* the table passes the segment */
	refused(&s, VARVE_ERROR_CORRUPT);
	make_sample(&s);
	memset(s.strings, 'x', sizeof s.strings);
	refused(&s, VARVE_ERROR_CORRUPT);
	make_sample(&s);
	memset(s.interpreter_name, 'x', sizeof s.interpreter_name);
	refused(&s, VARVE_ERROR_CORRUPT);
	make_sample(&s);
	s.interpreter.p_offset = G_MAXUINT64;
	refused(&s, VARVE_ERROR_CORRUPT);
}

static void test_truncated(void)
{
	Sample sample;

	make_sample(&sample);
	for (gsize size = 0; size < sizeof sample; size++) {
		g_autofree void *part = g_memdup2(&sample, MAX(size, 1));

		g_assert_null(varve_elf_parse(part, size, "part", NULL));
	}
}

static void test_any_byte_changed(void)
{
	static const guint8 values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	Sample sample;

	for (gsize i = 0; i < sizeof sample; i++) {
		for (gsize j = 0; j < G_N_ELEMENTS(values); j++) {
			g_autoptr(VarveElf) elf = NULL;

			make_sample(&sample);
			((guint8 *)&sample)[i] = values[j];
			elf = varve_elf_parse(&sample, sizeof sample, "sample", NULL);
		}
	}
}

/* This program is what the loader says it is. */
static void test_itself(void)
{
	varve_autofd fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	varve_autofd null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	g_autoptr(VarveElf) elf = NULL;
	g_autoptr(GError) error = NULL;

	elf = varve_elf_read(fd, "this program", &error);
	g_assert_no_error(error);
	g_assert_cmpuint(elf->bits, ==, sizeof(void *) * 8);
	g_assert_true(g_strv_contains((const char *const *)elf->needed, "libc.so.6"));
	g_assert_true(g_file_test(elf->interpreter, G_FILE_TEST_EXISTS));
	g_assert_null(varve_elf_read(null, "null", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/elf/sample", test_sample);
	g_test_add_func("/elf/should-fail", test_should_fail);
	g_test_add_func("/elf/truncated", test_truncated);
	g_test_add_func("/elf/any-byte-changed", test_any_byte_changed);
	g_test_add_func("/elf/itself", test_itself);
	return g_test_run();
}
