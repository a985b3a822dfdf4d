#include "format/pe.h"

#include "base/error.h"
#include "base/file.h"
#include "crypt/authenticode.h"
#include "crypt/authority.h"

#include <string.h>

#define PE 0x80 /* offsets within the sample */
#define OPTIONAL (PE + 24)
#define TABLE (OPTIONAL + 112 + 16 * 8)
#define HEADERS 0x400
#define IMAGE_BASE UINT64_C(0x14df90000)

static void put(guint8 *data, gsize offset, guint64 value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		data[offset + (gsize)i] = (guint8)(value >> 8 * i);
}

static guint32 get(GBytes *bytes, gsize offset, int size)
{
	const guint8 *data = g_bytes_get_data(bytes, NULL);
	guint32 value = 0;

	for (int i = 0; i < size; i++)
		value |= (guint32)data[offset + (gsize)i] << 8 * i;
	return value;
}

static void put_section(guint8 *data, int index, const char *name, guint32 virtual_size,
			guint32 address, guint32 raw_size, guint32 raw_offset)
{
	gsize at = TABLE + 40 * (gsize)index;

	memcpy(data + at, name, strlen(name));
	put(data, at + 8, virtual_size, 4);
	put(data, at + 12, address, 4);
	put(data, at + 16, raw_size, 4);
	put(data, at + 20, raw_offset, 4);
	put(data, at + 36, 0x60000020, 4);
	memset(data + raw_offset, name[1], raw_size);
}

/* A stub as systemd's: a base address, sections not in the order of their addresses, symbols at
 * the end. */
static guint8 *make_stub(gsize *ret_size)
{
	gsize size = HEADERS + 0x800 + 18;
	guint8 *data = g_malloc0(size);

	memcpy(data, "MZ", 2);
	put(data, 0x3c, PE, 4);
	memcpy(data + PE, "PE\0\0", 4);
	put(data, PE + 4, 0x8664, 2);
	put(data, PE + 6, 3, 2);
	put(data, PE + 12, HEADERS + 0x800, 4);
	put(data, PE + 16, 1, 4);
	put(data, PE + 20, 112 + 16 * 8, 2);
	put(data, OPTIONAL, 0x20b, 2);
	put(data, OPTIONAL + 8, 0x600, 4);
	put(data, OPTIONAL + 24, IMAGE_BASE, 8);
	put(data, OPTIONAL + 32, 0x1000, 4);
	put(data, OPTIONAL + 36, 0x200, 4);
	put(data, OPTIONAL + 56, 0x5000, 4);
	put(data, OPTIONAL + 60, HEADERS, 4);
	put(data, OPTIONAL + 68, 10, 2);
	put(data, OPTIONAL + 108, 16, 4);
	put_section(data, 0, ".text", 0x2100, 0x1000, 0x400, HEADERS);
	put_section(data, 1, ".reloc", 0x10, 0x4010, 0x200, HEADERS + 0x600);
	put_section(data, 2, ".sbat", 0x20, 0x4000, 0x200, HEADERS + 0x400);
	memset(data + HEADERS + 0x800, 's', 18);
	*ret_size = size;
	return data;
}

static VarvePe *open_stub(void)
{
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) error = NULL;
	VarvePe *pe;
	gsize size;
	guint8 *data = make_stub(&size);

	bytes = g_bytes_new_take(data, size);
	pe = varve_pe_open(bytes, "stub", &error);
	g_assert_no_error(error);
	return pe;
}

static GBytes *append(const VarvePe *pe, const char *name, const char *content, GError **error)
{
	g_autoptr(GBytes) bytes = g_bytes_new(content, strlen(content));
	VarvePeAddition addition = { name, bytes };

	return varve_pe_append(pe, &addition, 1, error);
}

static void test_sections(void)
{
	g_autoptr(VarvePe) pe = open_stub();
	g_autoptr(GBytes) content = NULL;
	const VarvePeSection *sbat = varve_pe_find(pe, ".sbat");

	g_assert_cmpuint(varve_pe_machine(pe), ==, 0x8664);
	g_assert_cmpuint(varve_pe_n_sections(pe), ==, 3);
	g_assert_cmpstr(varve_pe_section(pe, 0)->name, ==, ".text");
	g_assert_cmpuint(varve_pe_section(pe, 0)->virtual_size, ==, 0x2100);
	g_assert_null(varve_pe_find(pe, ".linux"));
	g_assert_false(varve_pe_is_signed(pe));
	content = varve_pe_content(pe, sbat);
	g_assert_cmpuint(g_bytes_get_size(content), ==, 0x20);
	g_assert_cmpuint(*(const guint8 *)g_bytes_get_data(content, NULL), ==, 's');
}

static void test_append(void)
{
	g_autoptr(VarvePe) pe = open_stub(), uki = NULL;
	g_autofree char *large = g_strnfill(0x1234, 'L'), *digest = NULL;
	g_autoptr(GBytes) osrel = g_bytes_new("ID=varve\n", 9);
	g_autoptr(GBytes) kernel = g_bytes_new(large, 0x1234), sbat = g_bytes_new("sbat,2", 6);
	const VarvePeAddition additions[] = {
		{ ".osrel", osrel }, { ".linux", kernel }, { ".sbat", sbat }, { ".dtbauto", osrel }
	};
	g_autoptr(GBytes) bytes = NULL, again = NULL, content = NULL;
	g_autoptr(GError) error = NULL;
	const VarvePeSection *section;

	bytes = varve_pe_append(pe, additions, G_N_ELEMENTS(additions), &error);
	g_assert_no_error(error);
	uki = varve_pe_open(bytes, "uki", &error);
	g_assert_no_error(error);
	g_assert_cmpuint(varve_pe_n_sections(uki), ==, 6);

	section = varve_pe_find(uki, ".osrel");
	g_assert_cmpuint(section->virtual_address, ==, 0x5000); /* after .reloc, on a page */
	g_assert_cmpuint(section->virtual_size, ==, 9);
	g_assert_cmpuint(section->raw_offset, ==, HEADERS + 0x800); /* where the symbols were */
	g_assert_cmpuint(section->raw_size, ==, 0x200);
	g_assert_cmpuint(section->characteristics, ==, 0x40000040);
	section = varve_pe_find(uki, ".linux");
	g_assert_cmpuint(section->virtual_address, ==, 0x6000);
	g_assert_cmpuint(section->raw_offset, ==, HEADERS + 0xa00);
	g_assert_cmpuint(section->raw_size, ==, 0x1400);
	content = varve_pe_content(uki, section);
	g_assert_true(g_bytes_equal(content, kernel));
	section = varve_pe_find(uki, ".dtbauto");
	g_assert_cmpuint(section->virtual_address, ==, 0x8000);
	section = varve_pe_find(uki, ".sbat");
	g_assert_cmpuint(section->virtual_address, ==, 0x4000);
	g_assert_cmpuint(section->virtual_size, ==, 6);
	g_assert_cmpuint(section->raw_size, ==, 0x200);

	g_assert_cmpuint(get(bytes, OPTIONAL + 56, 4), ==, 0x9000);
	g_assert_cmpuint(get(bytes, OPTIONAL + 8, 4), ==, 0x600 + 0x200 + 0x1400 + 0x200);
	g_assert_cmpuint(get(bytes, OPTIONAL + 60, 4), ==, HEADERS);
	g_assert_cmpuint(get(bytes, PE + 12, 4), ==, 0);
	g_assert_cmpuint(g_bytes_get_size(bytes), ==, HEADERS + 0x2000);
	again = varve_pe_append(pe, additions, G_N_ELEMENTS(additions), &error);
	g_assert_true(g_bytes_equal(bytes, again));
	digest = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);
	g_assert_cmpstr(digest, ==,
			"0dcb0a78cbb4d88dcd0a688b032dc2276ea54c92c5d0ba2ef287bce137ca3f7d");
}

/* The sum of all words with carries, own field as zero, plus the size. */
static void test_checksum(void)
{
	g_autoptr(VarvePe) pe = open_stub();
	g_autoptr(GBytes) bytes = append(pe, ".cmdline", "quiet", NULL);
	gsize size = g_bytes_get_size(bytes);
	guint32 sum = 0;

	for (gsize i = 0; i < size; i += 2) {
		if (i == OPTIONAL + 64 || i == OPTIONAL + 66)
			continue;
		sum += get(bytes, i, 2);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	g_assert_cmpuint(get(bytes, OPTIONAL + 64, 4), ==, sum + size);
}

static void append_refused(const char *name, const char *content, VarveError code)
{
	g_autoptr(VarvePe) pe = open_stub();
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = append(pe, name, content, &error);

	g_assert_null(bytes);
	g_assert_error(error, VARVE_ERROR, (int)code);
}

static void test_should_fail_append(void)
{
	g_autofree char *long_sbat = g_strnfill(0x11, 'x');
	g_autoptr(VarvePe) pe = open_stub();
	VarvePeAddition many[20];
	g_autoptr(GBytes) content = g_bytes_new("x", 1), bytes = NULL;
	g_autoptr(GError) error = NULL;

	append_refused("", "x", VARVE_ERROR_USAGE);
	append_refused(".too-long", "x", VARVE_ERROR_USAGE);
	append_refused(".empty", "", VARVE_ERROR_USAGE);
	/* It would fit into the file, but .reloc follows it in memory. */
	append_refused(".sbat", long_sbat, VARVE_ERROR_CONFLICT);
	for (gsize i = 0; i < G_N_ELEMENTS(many); i++)
		many[i] = (VarvePeAddition){ ".many", content };
	bytes = varve_pe_append(pe, many, G_N_ELEMENTS(many), &error);
	g_assert_null(bytes);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
}

static void test_digest(void)
{
	g_autoptr(VarvePe) pe = open_stub(), uki = NULL, changed = NULL;
	g_autoptr(GBytes) bytes = append(pe, ".cmdline", "quiet", NULL), other = NULL;
	VarveDigest digest, second;
	guint8 *data = g_memdup2(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));

	uki = varve_pe_open(bytes, "uki", NULL);
	varve_pe_digest(uki, &digest);
	/* The checksum does not count, a byte of the last section's padding does. */
	data[OPTIONAL + 64] ^= 1;
	other = g_bytes_new_take(data, g_bytes_get_size(bytes));
	changed = varve_pe_open(other, "changed", NULL);
	varve_pe_digest(changed, &second);
	g_assert_true(varve_digest_equal(&digest, &second));
	data[g_bytes_get_size(bytes) - 1] ^= 1;
	varve_pe_digest(changed, &second);
	g_assert_false(varve_digest_equal(&digest, &second));
}

static void open_refused(gsize offset, guint64 value, int bytes, VarveError code)
{
	gsize size;
	guint8 *data = make_stub(&size);
	g_autoptr(GBytes) changed = g_bytes_new_take(data, size);
	g_autoptr(GError) error = NULL;
	g_autoptr(VarvePe) pe = NULL;

	put(data, offset, value, bytes);
	pe = varve_pe_open(changed, "stub", &error);
	g_assert_null(pe);
	g_assert_error(error, VARVE_ERROR, (int)code);
}

static void test_should_fail_open(void)
{
	open_refused(0, 0, 1, VARVE_ERROR_CORRUPT);
	open_refused(0x3c, 0xfffffff0, 4, VARVE_ERROR_CORRUPT);
	open_refused(PE, 0, 4, VARVE_ERROR_CORRUPT);
	open_refused(PE + 6, 0, 2, VARVE_ERROR_CORRUPT);
	open_refused(PE + 6, 0xffff, 2, VARVE_ERROR_CORRUPT);
	open_refused(PE + 6, 90, 2, VARVE_ERROR_CORRUPT); /* past the headers */
	open_refused(PE + 20, 8, 2, VARVE_ERROR_CORRUPT);
	open_refused(OPTIONAL, 0x10b, 2, VARVE_ERROR_UNSUPPORTED);
	open_refused(OPTIONAL + 32, 0, 4, VARVE_ERROR_CORRUPT);
	open_refused(OPTIONAL + 36, 3, 4, VARVE_ERROR_CORRUPT);
	open_refused(OPTIONAL + 60, 0xffffffff, 4, VARVE_ERROR_CORRUPT);
	open_refused(OPTIONAL + 60, 0, 4, VARVE_ERROR_CORRUPT);
	open_refused(OPTIONAL + 68, 3, 2, VARVE_ERROR_UNSUPPORTED);
	open_refused(OPTIONAL + 108, 0xffffffff, 4, VARVE_ERROR_CORRUPT);
	open_refused(OPTIONAL + 112 + 4 * 8 + 4, 8, 4, VARVE_ERROR_CORRUPT); /* certificates */
	open_refused(TABLE + 8, 0xffffffff, 4, VARVE_ERROR_CORRUPT);
	open_refused(TABLE + 16, 0xffffffff, 4, VARVE_ERROR_CORRUPT);
	open_refused(TABLE + 20, 0xffffffff, 4, VARVE_ERROR_CORRUPT);
	open_refused(TABLE + 20, 0, 4, VARVE_ERROR_CORRUPT);
	open_refused(TABLE + 16, 0x600, 4, VARVE_ERROR_CORRUPT); /* two share bytes */
}

static void use(const guint8 *data, gsize size)
{
	g_autoptr(GBytes) bytes = g_bytes_new(data, size), content = NULL, appended = NULL;
	g_autoptr(VarvePe) pe = varve_pe_open(bytes, "image", NULL);
	VarveDigest digest;

	if (!pe)
		return;
	varve_pe_digest(pe, &digest);
	for (gsize i = 0; i < varve_pe_n_sections(pe); i++) {
		g_clear_pointer(&content, g_bytes_unref);
		content = varve_pe_content(pe, varve_pe_section(pe, i));
		/* Read it all, so that a sanitizer can object. */
		g_bytes_hash(content);
	}
	appended = append(pe, ".sbat", "x", NULL);
}

static void test_any_byte_changed(void)
{
	static const guint8 values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	g_autofree guint8 *data = NULL;
	gsize size;

	data = make_stub(&size);
	for (gsize i = 0; i < HEADERS; i++) {
		guint8 before = data[i];

		for (gsize j = 0; j < G_N_ELEMENTS(values); j++) {
			data[i] = values[j];
			use(data, size);
		}
		data[i] = before;
	}
	for (gsize i = 0; i < size; i++)
		use(data, i);
}

/* Runs a checker of signed images on @image with the certificate of @name. */
static int verify(const char *dir, const char *program, const char *option, const char *name,
		  GBytes *image)
{
	g_autofree char *path = g_build_filename(dir, "image.efi", NULL);
	g_autofree char *file = g_strconcat(name, ".crt", NULL);
	g_autofree char *certificate = g_build_filename(dir, file, NULL);
	const char *argv[] = { program, option, certificate, path, NULL };
	g_autofree char *output = NULL, *errors = NULL;
	int status;

	g_assert_true(g_file_set_contents(path, g_bytes_get_data(image, NULL),
					  (gssize)g_bytes_get_size(image), NULL));
	g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
				   &output, &errors, &status, NULL));
	g_test_message("%s: status %d: %s%s", program, status, output, errors);
	return status;
}

static GBytes *sign(const char *dir, const char *key_name, const char *certificate_name,
		    GBytes *image, GError **error)
{
	g_autofree char *key_file = g_strdup_printf("%s/%s.key", dir, key_name);
	g_autofree char *certificate_file = g_strdup_printf("%s/%s.crt", dir, certificate_name);
	g_autoptr(VarvePrivateKey) key = varve_private_key_load(key_file, error);
	g_autoptr(VarveCertificate) certificate = varve_certificate_load(certificate_file, error);
	g_autoptr(VarvePe) pe = varve_pe_open(image, "image", error);

	g_assert_true(key && certificate && pe);
	return varve_pe_sign(pe, key, certificate, error);
}

static void check_signed(const char *dir, GBytes *image, GBytes *signed_image)
{
	g_autoptr(VarvePe) pe = varve_pe_open(image, "image", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(VarvePe) opened = varve_pe_open(signed_image, "signed", &error);
	g_autoptr(GBytes) again = sign(dir, "platform", "platform", image, NULL), more = NULL;
	VarveDigest before, after;
	gsize table = get(signed_image, OPTIONAL + 112 + 4 * 8, 4);
	gsize length;

	g_assert_no_error(error);
	g_assert_true(varve_pe_is_signed(opened));
	g_assert_true(g_bytes_equal(signed_image, again));
	varve_pe_digest(pe, &before);
	varve_pe_digest(opened, &after);
	g_assert_true(varve_digest_equal(&before, &after));
	/* UEFI walks the table: entries at multiples of eight up to its end. */
	length = get(signed_image, table, 4);
	g_assert_cmpuint(table % 8, ==, 0);
	g_assert_cmpuint(get(signed_image, table + 4, 4), ==, 0x00020200);
	g_assert_cmpuint(table + ((length + 7) & ~(gsize)7), ==, g_bytes_get_size(signed_image));
	more = append(opened, ".cmdline", "quiet", &error);
	g_assert_null(more);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
}

static void check_by_others(const char *dir, const char *program, const char *option,
			    GBytes *signed_image, GBytes *twice)
{
	g_autofree char *found = g_find_program_in_path(program);
	guint8 *data =
		g_memdup2(g_bytes_get_data(signed_image, NULL), g_bytes_get_size(signed_image));
	g_autoptr(GBytes) changed = g_bytes_new_take(data, g_bytes_get_size(signed_image));

	if (!found) {
		g_test_message("%s is not installed", program);
		return;
	}
	data[HEADERS] ^= 1;
	g_assert_cmpint(verify(dir, program, option, "platform", signed_image), ==, 0);
	g_assert_cmpint(verify(dir, program, option, "stranger", signed_image), !=, 0);
	g_assert_cmpint(verify(dir, program, option, "platform", changed), !=, 0);
	g_assert_cmpint(verify(dir, program, option, "platform", twice), ==, 0);
	g_assert_cmpint(verify(dir, program, option, "stranger", twice), ==, 0);
}

/* Who signed @image by its signature @index: the certificate's subject, or why not. */
static void check_signer(GBytes *image, guint index, const char *subject, VarveError code)
{
	g_autoptr(VarvePe) pe = varve_pe_open(image, "image", NULL);
	g_autoptr(VarveCertificate) signer = NULL;
	g_autoptr(GPtrArray) signatures = NULL;
	g_autoptr(GError) error = NULL;
	VarveDigest digest;

	varve_pe_digest(pe, &digest);
	g_assert_true(varve_pe_signatures(pe, &signatures, NULL));
	if (!subject) {
		g_assert_false(varve_authenticode_check(signatures->pdata[index], &digest, &signer,
							&error));
		g_assert_error(error, VARVE_ERROR, (int)code);
		g_assert_null(signer);
		return;
	}
	varve_authenticode_check(signatures->pdata[index], &digest, &signer, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(varve_certificate_subject(signer), ==, subject);
	g_assert_true(varve_certificate_is_development(signer));
}

static void test_signatures(void)
{
	g_autofree char *dir = g_dir_make_tmp("varve-pe-XXXXXX", NULL);
	g_autoptr(VarvePe) stub = open_stub();
	g_autoptr(GBytes) image = append(stub, ".cmdline", "quiet", NULL);
	g_autoptr(GBytes) signed_image = NULL, twice = NULL;
	g_autoptr(VarvePe) plain = varve_pe_open(image, "image", NULL);
	g_autoptr(GPtrArray) none = NULL;
	guint table;
	gsize size;

	g_assert_true(varve_pe_signatures(plain, &none, NULL));
	g_assert_cmpuint(none->len, ==, 0);
	g_assert_true(varve_authority_make(dir, "platform", NULL));
	g_assert_true(varve_authority_make(dir, "stranger", NULL));
	signed_image = sign(dir, "platform", "platform", image, NULL);
	twice = sign(dir, "stranger", "stranger", signed_image, NULL);
	check_signer(signed_image, 0, "platform", 0);
	check_signer(twice, 0, "platform", 0);
	check_signer(twice, 1, "stranger", 0);
	table = (guint)get(signed_image, OPTIONAL + 112 + 4 * 8, 4);
	size = g_bytes_get_size(signed_image);
	/* The image, or any byte of what the signature says. The last bytes are padding. */
	for (gsize at = table + 8 + 4; at < size - 16; at++) {
		guint8 *data = g_memdup2(g_bytes_get_data(signed_image, NULL), size);
		g_autoptr(GBytes) changed = g_bytes_new_take(data, size);
		g_autoptr(VarvePe) pe = NULL;
		g_autoptr(GPtrArray) signatures = NULL;
		g_autoptr(VarveCertificate) signer = NULL;
		VarveDigest digest;

		data[at] ^= 1;
		pe = varve_pe_open(changed, "image", NULL);
		varve_pe_digest(pe, &digest);
		g_assert_true(varve_pe_signatures(pe, &signatures, NULL));
		/* The certificate inside is signed by itself, which nobody asks here: but then it
		 * is another certificate, or its key made nothing. */
		if (varve_authenticode_check(signatures->pdata[0], &digest, &signer, NULL)) {
			g_autofree char *path = g_build_filename(dir, "platform.crt", NULL);
			g_autoptr(VarveCertificate) real = varve_certificate_load(path, NULL);

			g_assert_true(varve_certificate_same_key(real, signer));
		}
	}
	{
		guint8 *data = g_memdup2(g_bytes_get_data(signed_image, NULL), size);
		g_autoptr(GBytes) changed = g_bytes_new_take(data, size);

		data[HEADERS] ^= 1;
		check_signer(changed, 0, NULL, VARVE_ERROR_UNTRUSTED);
	}
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

static void test_should_fail_signatures(void)
{
	static const struct {
		gsize offset;
		guint8 value;
	} changes[] = { { 0, 7 }, { 3, 0x7f } };
	g_autofree char *dir = g_dir_make_tmp("varve-pe-XXXXXX", NULL);
	g_autoptr(VarvePe) stub = open_stub();
	g_autoptr(GBytes) image = append(stub, ".cmdline", "quiet", NULL);
	g_autoptr(GBytes) signed_image = NULL;
	gsize table, size;

	g_assert_true(varve_authority_make(dir, "platform", NULL));
	signed_image = sign(dir, "platform", "platform", image, NULL);
	table = get(signed_image, OPTIONAL + 112 + 4 * 8, 4);
	size = g_bytes_get_size(signed_image);
	for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
		guint8 *data = g_memdup2(g_bytes_get_data(signed_image, NULL), size);
		g_autoptr(GBytes) changed = g_bytes_new_take(data, size);
		g_autoptr(VarvePe) pe = NULL;
		g_autoptr(GPtrArray) signatures = NULL;
		g_autoptr(GError) error = NULL;

		memset(data + table, 0, 4);
		data[table + changes[i].offset] = changes[i].value;
		pe = varve_pe_open(changed, "image", NULL);
		g_assert_false(varve_pe_signatures(pe, &signatures, &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	}
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

static void test_sign(void)
{
	g_autofree char *dir = g_dir_make_tmp("varve-pe-XXXXXX", NULL);
	g_autofree char *found = g_find_program_in_path("sbverify");
	g_autoptr(VarvePe) stub = open_stub();
	g_autoptr(GBytes) image = append(stub, ".cmdline", "quiet", NULL);
	g_autoptr(GBytes) signed_image = NULL, twice = NULL, refused = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_true(varve_authority_make(dir, "platform", NULL));
	g_assert_true(varve_authority_make(dir, "stranger", NULL));
	signed_image = sign(dir, "platform", "platform", image, &error);
	g_assert_no_error(error);
	check_signed(dir, image, signed_image);
	twice = sign(dir, "stranger", "stranger", signed_image, &error);
	g_assert_no_error(error);
	refused = sign(dir, "stranger", "platform", image, &error);
	g_assert_null(refused);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	check_by_others(dir, "sbverify", "--cert", signed_image, twice);
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
	if (!found)
		g_test_skip("sbverify is not installed: our own checks passed");
}

/* Where there are gaps, firmware and tools disagree on what the digest covers. */
static void test_should_fail_sign(void)
{
	g_autofree char *dir = g_dir_make_tmp("varve-pe-XXXXXX", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) image = NULL, signed_image = NULL;
	gsize size;
	guint8 *data = make_stub(&size);

	put(data, TABLE + 40 + 20, HEADERS + 0x602, 4);
	put(data, TABLE + 40 + 16, 0x1fe, 4);
	image = g_bytes_new_take(data, size);
	g_assert_true(varve_authority_make(dir, "platform", NULL));
	signed_image = sign(dir, "platform", "platform", image, &error);
	g_assert_null(signed_image);
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pe/sections", test_sections);
	g_test_add_func("/pe/append", test_append);
	g_test_add_func("/pe/checksum", test_checksum);
	g_test_add_func("/pe/should-fail-append", test_should_fail_append);
	g_test_add_func("/pe/digest", test_digest);
	g_test_add_func("/pe/should-fail-open", test_should_fail_open);
	g_test_add_func("/pe/any-byte-changed", test_any_byte_changed);
	g_test_add_func("/pe/sign", test_sign);
	g_test_add_func("/pe/should-fail-sign", test_should_fail_sign);
	g_test_add_func("/pe/signatures", test_signatures);
	g_test_add_func("/pe/should-fail-signatures", test_should_fail_signatures);
	return g_test_run();
}
