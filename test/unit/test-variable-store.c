#include "format/variable-store.h"

#include "base/error.h"
#include "crypt/sha256.h"
#include "format/bytes.h"

#include <string.h>

#define HEADER 72
#define STORE_SIZE 1024
#define VOLUME_SIZE 2048
#define START (HEADER + 28)
#define OTHER "04b37fe8-f6ae-480b-bdd5-37d98c5e89aa"
#define AUTHENTICATED \
	(VARVE_EFI_NON_VOLATILE | VARVE_EFI_BOOT_SERVICE | VARVE_EFI_RUNTIME | \
	 VARVE_EFI_TIME_AUTHENTICATED)

static void put_guid(guint8 *at, const char *text)
{
	VarveGuid guid;

	g_assert_true(varve_guid_from_text(text, &guid));
	varve_guid_put(at, &guid);
}

static void fix_checksum(guint8 *volume)
{
	guint16 sum = 0;

	varve_put_le16(volume + 50, 0);
	for (gsize i = 0; i < HEADER; i += 2)
		sum = (guint16)(sum + varve_get_le16(volume + i));
	varve_put_le16(volume + 50, (guint16)-sum);
}

/* A small volume with an empty store; 0x11 is what follows the store, and stays. */
static guint8 *make_volume(void)
{
	guint8 *volume = g_malloc0(VOLUME_SIZE);

	put_guid(volume + 16, "fff12b8d-7696-4c8b-a985-2747075b4f50");
	varve_put_le64(volume + 32, VOLUME_SIZE);
	memcpy(volume + 40, "_FVH", 4);
	varve_put_le32(volume + 44, 0x4feff);
	varve_put_le16(volume + 48, HEADER);
	volume[55] = 2;
	varve_put_le32(volume + 56, 2);
	varve_put_le32(volume + 60, 1024);
	fix_checksum(volume);
	put_guid(volume + HEADER, "aaf32c78-947b-439a-a180-2e144ec37792");
	varve_put_le32(volume + HEADER + 16, STORE_SIZE);
	volume[HEADER + 20] = 0x5a;
	volume[HEADER + 21] = 0xfe;
	memset(volume + START, 0xff, STORE_SIZE - 28);
	memset(volume + HEADER + STORE_SIZE, 0x11, VOLUME_SIZE - HEADER - STORE_SIZE);
	return volume;
}

static gsize put_variable(guint8 *volume, gsize at, guint8 state, const char *name,
			  const char *vendor, const char *value)
{
	gsize name_size;
	g_autofree guint8 *wide = varve_efi_name(name, &name_size);
	guint8 *header = volume + at;

	memset(header, 0, 60);
	varve_put_le16(header, 0x55aa);
	header[2] = state;
	varve_put_le32(header + 4, 7);
	varve_put_le32(header + 36, (guint32)name_size);
	varve_put_le32(header + 40, (guint32)strlen(value));
	put_guid(header + 44, vendor);
	memcpy(header + 60, wide, name_size);
	memcpy(header + 60 + name_size, value, strlen(value));
	return (at + 60 + name_size + strlen(value) + 3) & ~(gsize)3;
}

/* What a firmware leaves behind: deleted ones, and one that was being changed. */
static GBytes *make_used(void)
{
	guint8 *volume = make_volume();
	gsize at = START;

	at = put_variable(volume, at, 0x3c, "PK", VARVE_EFI_GLOBAL, "deleted");
	at = put_variable(volume, at, 0x3f, "Boot0000", VARVE_EFI_GLOBAL, "loader");
	at = put_variable(volume, at, 0x3f, "PK", VARVE_EFI_GLOBAL, "theirs");
	at = put_variable(volume, at, 0x3f, "PK", OTHER, "another vendor's");
	at = put_variable(volume, at, 0x3e, "Lang", VARVE_EFI_GLOBAL, "was being changed");
	at = put_variable(volume, at, 0x3e, "Timeout", VARVE_EFI_GLOBAL, "before");
	at = put_variable(volume, at, 0x3f, "Timeout", VARVE_EFI_GLOBAL, "after");
	put_variable(volume, at, 0x7f, "half", VARVE_EFI_GLOBAL, "written");
	return g_bytes_new_take(volume, VOLUME_SIZE);
}

/* "NAME=VALUE," of all that is in a store, in order. */
static char *list(GBytes *bytes, gsize start)
{
	const guint8 *data = g_bytes_get_data(bytes, NULL);
	GString *text = g_string_new(NULL);

	while (varve_get_le16(data + start) == 0x55aa) {
		guint32 name_size = varve_get_le32(data + start + 36);
		guint32 data_size = varve_get_le32(data + start + 40);

		g_assert_cmphex(data[start + 2], ==, 0x3f);
		for (guint32 i = 0; i < name_size - 2; i += 2)
			g_string_append_c(text, (char)data[start + 60 + i]);
		g_string_append_printf(text, "=%.*s,", (int)data_size,
				       (const char *)data + start + 60 + name_size);
		start = (start + 60 + name_size + data_size + 3) & ~(gsize)3;
	}
	return g_string_free(text, FALSE);
}

static GBytes *set(GBytes *store, GError **error)
{
	g_autoptr(GBytes) pk = g_bytes_new_static("ours", 4);
	g_autoptr(GBytes) enable = g_bytes_new_static("!", 1);
	const VarveEfiVariable variables[] = {
		{ "PK", VARVE_EFI_GLOBAL, AUTHENTICATED, 1700000000, pk },
		{ "SecureBootEnable", OTHER, VARVE_EFI_NON_VOLATILE | VARVE_EFI_BOOT_SERVICE, 0,
		  enable },
	};

	return varve_variable_store_set(store, "store", variables, G_N_ELEMENTS(variables), error);
}

static GBytes *set_well(GBytes *store)
{
	g_autoptr(GError) error = NULL;
	GBytes *result = set(store, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(g_bytes_get_size(result), ==, g_bytes_get_size(store));
	return result;
}

static void assert_digest(const void *data, gsize size, const char *expected)
{
	char hex[VARVE_DIGEST_HEX_SIZE];
	VarveDigest digest;

	varve_sha256(data, size, &digest);
	varve_digest_to_hex(&digest, hex);
	g_assert_cmpstr(hex, ==, expected);
}

static void test_set(void)
{
	g_autoptr(GBytes) used = make_used();
	g_autoptr(GBytes) result = set_well(used), again = set_well(result);
	const guint8 *before = g_bytes_get_data(used, NULL);
	const guint8 *after = g_bytes_get_data(result, NULL);
	g_autofree char *text = list(result, START);

	g_assert_cmpstr(text, ==,
			"Boot0000=loader,PK=another vendor's,Lang=was being changed,"
			"Timeout=after,PK=ours,SecureBootEnable=!,");
	g_assert_true(g_bytes_equal(result, again));
	g_assert_cmpmem(before, START, after, START);
	g_assert_cmpmem(before + HEADER + STORE_SIZE, VOLUME_SIZE - HEADER - STORE_SIZE,
			after + HEADER + STORE_SIZE, VOLUME_SIZE - HEADER - STORE_SIZE);
	assert_digest(after, VOLUME_SIZE,
		      "e225065f882306c01abfe912a5d29cb1c6d63ca3111594895d27d98d95667e3d");
}

static void test_header(void)
{
	static const guint8 time[] = { 0xe7, 0x07, 11, 14, 22, 13, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	static const guint8 zeros[16];
	g_autoptr(GBytes) empty = g_bytes_new_take(make_volume(), VOLUME_SIZE);
	g_autoptr(GBytes) result = set_well(empty);
	const guint8 *pk = (const guint8 *)g_bytes_get_data(result, NULL) + START;
	const guint8 *enable = pk + 72; /* 60, the name's 6, the data's 4, to 4 bytes */

	g_assert_cmpuint(varve_get_le32(pk + 4), ==, 0x27);
	g_assert_cmpmem(pk + 16, 16, time, 16);
	g_assert_cmpmem(pk + 60, 10, "P\0K\0\0\0ours", 10);
	g_assert_cmphex(pk[70], ==, 0xff);
	g_assert_cmpuint(varve_get_le16(enable), ==, 0x55aa);
	g_assert_cmpuint(varve_get_le32(enable + 4), ==, 3);
	g_assert_cmpmem(enable + 16, 16, zeros, 16);
}

/* AAVMF_VARS.fd is 64 MiB of zeros; what is written is what its firmware would make of them. */
static void test_blank(void)
{
	const gsize volume = 3 * 256 * 1024, size = volume + 4096;
	g_autoptr(GBytes) blank = g_bytes_new_take(g_malloc0(size), size);
	g_autoptr(GBytes) result = set_well(blank), again = set_well(result);
	const guint8 *data = g_bytes_get_data(result, NULL);
	g_autofree char *text = list(result, START);

	g_assert_cmpstr(text, ==, "PK=ours,SecureBootEnable=!,");
	g_assert_true(g_bytes_equal(result, again));
	g_assert_cmpmem(data + 40, 4, "_FVH", 4);
	g_assert_cmphex(data[volume - 1], ==, 0xff);
	g_assert_cmphex(data[volume], ==, 0);
	assert_digest(data, volume,
		      "073ee62298b8eca14a3b5ce6f4b50adae75219f1a985ff608754791fab631661");
}

typedef struct {
	gsize offset;
	guint64 value;
	int bytes;
	gboolean fix;
	VarveError code;
	const char *text;
} Mistake;

static void check_mistake(const Mistake *mistake)
{
	g_autoptr(GBytes) used = make_used();
	guint8 *volume = g_memdup2(g_bytes_get_data(used, NULL), VOLUME_SIZE);
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) error = NULL;

	for (int i = 0; i < mistake->bytes; i++)
		volume[mistake->offset + (gsize)i] = (guint8)(mistake->value >> 8 * i);
	if (mistake->fix)
		fix_checksum(volume);
	bytes = g_bytes_new_take(volume, VOLUME_SIZE);
	g_assert_null(set(bytes, &error));
	g_assert_error(error, VARVE_ERROR, (gint)mistake->code);
	if (!strstr(error->message, mistake->text))
		g_test_message("%s", error->message);
	g_assert_nonnull(strstr(error->message, mistake->text));
}

static void test_should_fail(void)
{
	static const Mistake mistakes[] = {
		{ 40, 0, 4, FALSE, VARVE_ERROR_CORRUPT, "no firmware volume" },
		{ 16, 0, 8, TRUE, VARVE_ERROR_CORRUPT, "not one of variables" },
		{ 44, 0, 4, FALSE, VARVE_ERROR_CORRUPT, "checksum" },
		{ 48, 64, 2, TRUE, VARVE_ERROR_CORRUPT, "header of 64 bytes" },
		{ 48, 74, 2, TRUE, VARVE_ERROR_CORRUPT, "header of 74 bytes" },
		{ 48, 0xfff8, 2, TRUE, VARVE_ERROR_CORRUPT, "longer than the file" },
		{ 32, VOLUME_SIZE + 1, 8, TRUE, VARVE_ERROR_CORRUPT, "a volume of 2049" },
		{ 32, 60, 8, TRUE, VARVE_ERROR_CORRUPT, "a volume of 60" },
		{ 32, HEADER + 20, 8, TRUE, VARVE_ERROR_CORRUPT, "no room" },
		{ HEADER, 0x4164327 /* another GUID */, 4, FALSE, VARVE_ERROR_CORRUPT,
		  "no healthy store" },
		{ HEADER + 20, 0xff, 1, FALSE, VARVE_ERROR_CORRUPT, "no healthy store" },
		{ HEADER + 21, 0xff, 1, FALSE, VARVE_ERROR_CORRUPT, "no healthy store" },
		{ HEADER + 16, 27, 4, FALSE, VARVE_ERROR_CORRUPT, "store of 27" },
		{ HEADER + 16, VOLUME_SIZE, 4, FALSE, VARVE_ERROR_CORRUPT, "store of 2048" },
		{ HEADER + 16, 590, 4, FALSE, VARVE_ERROR_CORRUPT, "does not end" },
		{ START + 36, 0xfffffff0, 4, FALSE, VARVE_ERROR_CORRUPT, "does not end" },
		{ START + 40, 0xfffffff0, 4, FALSE, VARVE_ERROR_CORRUPT, "does not end" },
		{ START + 76 + 36, 17, 4, FALSE, VARVE_ERROR_CORRUPT, "has no name" },
		{ START + 76 + 60 + 16, 'x', 1, FALSE, VARVE_ERROR_CORRUPT, "has no name" },
	};
	guint8 *plain = make_volume();
	g_autoptr(GBytes) bytes = g_bytes_new_take(plain, VOLUME_SIZE), empty = NULL, huge = NULL;
	g_autoptr(GError) error = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(mistakes); i++)
		check_mistake(&mistakes[i]);
	put_guid(plain + HEADER, "ddcf3616-3275-4164-98b6-fe85707ffe7d");
	g_assert_null(set(bytes, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
	g_clear_error(&error);
	empty = g_bytes_new(NULL, 0);
	g_assert_null(set(empty, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_clear_error(&error);
	huge = g_bytes_new_take(g_malloc0(64 * 1024 * 1024 + 1), 64 * 1024 * 1024 + 1);
	g_assert_null(set(huge, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
}

static void test_should_fail_no_room(void)
{
	guint8 *volume = make_volume();
	g_autoptr(GBytes) bytes = g_bytes_new_take(volume, VOLUME_SIZE);
	g_autofree char *value = g_strnfill(STORE_SIZE - 28 - 60 - 6 - 100, 'x');
	g_autoptr(GError) error = NULL;

	put_variable(volume, START, 0x3f, "XY", VARVE_EFI_GLOBAL, value);
	g_assert_null(set(bytes, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
	/* The same bytes, of a variable that is replaced: then there is room. */
	put_variable(volume, START, 0x3f, "PK", VARVE_EFI_GLOBAL, value);
	g_bytes_unref(set_well(bytes));
}

/* Whatever a byte becomes: an error or a store that can be read again, never a crash. */
static void test_any_byte_changed(void)
{
	static const guint8 values[] = { 0x00, 0x01, 0x3e, 0x3f, 0x7f, 0x80, 0xff };
	g_autoptr(GBytes) used = make_used();
	g_autofree guint8 *volume = g_memdup2(g_bytes_get_data(used, NULL), VOLUME_SIZE);

	for (gsize i = 0; i < HEADER + STORE_SIZE; i++) {
		guint8 was = volume[i];

		for (gsize v = 0; v < G_N_ELEMENTS(values); v++) {
			g_autoptr(GBytes) bytes = NULL, result = NULL, again = NULL;

			volume[i] = values[v];
			bytes = g_bytes_new(volume, VOLUME_SIZE);
			result = set(bytes, NULL);
			if (!result)
				continue;
			again = set(result, NULL);
			g_assert_nonnull(again);
			g_assert_true(g_bytes_equal(result, again));
		}
		volume[i] = was;
	}
}

/* What Debian's and Fedora's packages bring, with and without keys in it. */
static void test_templates(void)
{
	static const char *const templates[] = {
		"/usr/share/OVMF/OVMF_VARS.fd",
		"/usr/share/OVMF/OVMF_VARS_4M.fd",
		"/usr/share/OVMF/OVMF_VARS_4M.ms.fd",
		"/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd",
		"/usr/share/edk2/ovmf/OVMF_VARS.fd",
		"/usr/share/edk2/aarch64/vars-template-pflash.raw",
		"/usr/share/AAVMF/AAVMF_VARS.fd",
		"/usr/share/AAVMF/AAVMF_VARS.snakeoil.fd",
	};
	guint n = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(templates); i++) {
		g_autofree char *text = NULL, *data = NULL;
		g_autoptr(GBytes) store = NULL, result = NULL;
		const char *first;
		gsize size;

		if (!g_file_get_contents(templates[i], &data, &size, NULL))
			continue;
		store = g_bytes_new_take(g_steal_pointer(&data), size);
		result = set_well(store);
		text = list(result, START);
		/* "CustomMode", "SecureBootEnable" and others may stand there; PK once. */
		first = strstr(text, "PK=ours,");
		g_assert_nonnull(first);
		g_assert_true(strstr(text, "PK=") == first);
		n++;
	}
	if (n == 0)
		g_test_skip("neither ovmf nor qemu-efi-aarch64 is installed");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/variable-store/set", test_set);
	g_test_add_func("/variable-store/header", test_header);
	g_test_add_func("/variable-store/blank", test_blank);
	g_test_add_func("/variable-store/should-fail", test_should_fail);
	g_test_add_func("/variable-store/should-fail-no-room", test_should_fail_no_room);
	g_test_add_func("/variable-store/any-byte-changed", test_any_byte_changed);
	g_test_add_func("/variable-store/templates", test_templates);
	return g_test_run();
}
