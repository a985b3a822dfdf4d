#include "base/error.h"
#include "crypt/sha256.h"
#include "format/gpt.h"
#include "format/partition-types.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DISK (UINT64_C(4) * 1024 * 1024)

static int make_file(const void *data, size_t size)
{
	int fd = memfd_create("gpt", MFD_CLOEXEC);

	g_assert_cmpint(pwrite(fd, data, size, 0), ==, (ssize_t)size);
	return fd;
}

static void fill(VarveGpt *gpt, uint32_t sector_size)
{
	memset(gpt, 0, sizeof(*gpt));
	gpt->sector_size = sector_size;
	gpt->disk_size = DISK;
	gpt->n_partitions = 2;
	g_assert_true(varve_guid_from_text("00112233-4455-6677-8899-aabbccddeeff", &gpt->disk_id));
	for (guint i = 0; i < 2; i++) {
		VarveGptPartition *p = &gpt->partitions[i];
		const VarveArch *arch = varve_arch_find("x86-64");

		g_assert_true(varve_guid_from_text(i ? arch->root_verity : arch->root, &p->type));
		p->id.bytes[0] = (uint8_t)(i + 1);
		p->offset = VARVE_GPT_FIRST_OFFSET * (i + 1);
		p->size = i ? 8192 : VARVE_GPT_FIRST_OFFSET;
		p->attributes = VARVE_GPT_ATTRIBUTE_READ_ONLY;
		g_strlcpy(p->name, i ? "second" : "first_1.0", sizeof(p->name));
	}
}

/* The bytes of a written table: the caller frees. */
static uint8_t *written(uint32_t sector_size)
{
	g_autofree VarveGpt *gpt = g_new(VarveGpt, 1);
	int fd = memfd_create("gpt", MFD_CLOEXEC);
	uint8_t *bytes = g_malloc(DISK);
	g_autoptr(GError) error = NULL;

	fill(gpt, sector_size);
	g_assert_cmpint(ftruncate(fd, DISK), ==, 0);
	varve_gpt_write(fd, gpt, &error);
	g_assert_no_error(error);
	g_assert_cmpint(pread(fd, bytes, DISK, 0), ==, (ssize_t)DISK);
	close(fd);
	return bytes;
}

static void test_guid_text(void)
{
	const char *text = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
	VarveGuid guid;
	char again[37];

	g_assert_true(varve_guid_from_text(text, &guid));
	g_assert_cmpuint(guid.bytes[0], ==, 0xc1);
	varve_guid_to_text(&guid, again);
	g_assert_cmpstr(text, ==, again);
	g_assert_false(varve_guid_from_text("c12a7328-f81f-11d2-ba4b-00a0c93ec93", &guid));
	g_assert_false(varve_guid_from_text("c12a7328-f81f-11d2-ba4b-00a0c93ec93g", &guid));
	g_assert_false(varve_guid_from_text("c12a7328af81f-11d2-ba4b-00a0c93ec93b", &guid));
}

static void test_round_trip(gconstpointer data)
{
	uint32_t sector_size = GPOINTER_TO_UINT(data);
	g_autofree VarveGpt *expected = g_new(VarveGpt, 1);
	g_autofree uint8_t *bytes = written(sector_size);
	g_autofree VarveGpt *gpt = NULL;
	g_autoptr(GError) error = NULL;
	int fd = make_file(bytes, DISK);

	fill(expected, sector_size);
	varve_gpt_read(fd, &gpt, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(gpt->sector_size, ==, sector_size);
	g_assert_cmpuint(gpt->n_partitions, ==, 2);
	g_assert_false(gpt->backup_differs);
	for (guint i = 0; i < 2; i++) {
		const VarveGptPartition *a = &gpt->partitions[i], *b = &expected->partitions[i];

		g_assert_cmpmem(&a->type, 16, &b->type, 16);
		g_assert_cmpmem(&a->id, 16, &b->id, 16);
		g_assert_cmpuint(a->offset, ==, b->offset);
		g_assert_cmpuint(a->size, ==, b->size);
		g_assert_cmpuint(a->attributes, ==, b->attributes);
		g_assert_cmpstr(a->name, ==, b->name);
	}
	g_assert_true(varve_gpt_find(gpt, &expected->partitions[1].type) == &gpt->partitions[1]);
	close(fd);
}

/* sfdisk and sgdisk read exactly these bytes without a complaint. */
static void test_golden(void)
{
	g_autofree uint8_t *bytes = written(512);
	g_autofree char *hex = NULL;
	VarveDigest digest;

	varve_sha256(bytes, DISK, &digest);
	hex = varve_digest_dup_hex(&digest);
	g_assert_cmpstr(hex, ==,
			"d4a2378b6cabc7522a44fe760fe98899b3e677afa8db8982a7eb2951b8397298");
}

static void assert_corrupt(const uint8_t *bytes, size_t size, const char *word)
{
	g_autofree VarveGpt *gpt = NULL;
	g_autoptr(GError) error = NULL;
	int fd = make_file(bytes, size);

	g_assert_false(varve_gpt_read(fd, &gpt, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_assert_nonnull(strstr(error->message, word));
	g_assert_null(gpt);
	close(fd);
}

static void test_should_fail_damaged(void)
{
	g_autofree uint8_t *bytes = written(512);
	static const uint8_t zeros[64 * 1024];

	assert_corrupt(zeros, sizeof(zeros), "no GPT");
	assert_corrupt(zeros, 0, "no GPT");
	assert_corrupt(bytes, DISK - 4096, "truncated");
	assert_corrupt(bytes, 1024, "truncated");
	bytes[512 + 48] ^= 1;
	assert_corrupt(bytes, DISK, "header: its checksum");
	bytes[512 + 48] ^= 1;
	bytes[1024 + 32] ^= 1;
	assert_corrupt(bytes, DISK, "entries: their checksum");
	bytes[1024 + 32] ^= 1;
	memcpy(bytes + 4096, "EFI PART", 8);
	assert_corrupt(bytes, DISK, "which is meant");
}

/* Tables with right checksums whose partitions do not hold. */
static void test_should_fail_lies(void)
{
	g_autofree VarveGpt *gpt = g_new(VarveGpt, 1);
	int fd = memfd_create("gpt", MFD_CLOEXEC);

	g_assert_cmpint(ftruncate(fd, DISK), ==, 0);
	fill(gpt, 512);
	gpt->partitions[1].offset -= 512;
	g_assert_false(varve_gpt_write(fd, gpt, NULL));
	fill(gpt, 512);
	gpt->partitions[1].size = DISK;
	g_assert_false(varve_gpt_write(fd, gpt, NULL));
	fill(gpt, 512);
	gpt->partitions[1].size = UINT64_MAX - 511;
	g_assert_false(varve_gpt_write(fd, gpt, NULL));
	fill(gpt, 512);
	gpt->partitions[0].offset = 512;
	g_assert_false(varve_gpt_write(fd, gpt, NULL));
	fill(gpt, 512);
	gpt->partitions[1].id = gpt->partitions[0].id;
	g_assert_false(varve_gpt_write(fd, gpt, NULL));
	close(fd);
}

static void test_backup_is_compared(void)
{
	g_autofree uint8_t *bytes = written(512);
	g_autofree VarveGpt *gpt = NULL;
	int fd;

	bytes[DISK - 512 + 60] ^= 1;
	fd = make_file(bytes, DISK);
	g_assert_true(varve_gpt_read(fd, &gpt, NULL));
	g_assert_true(gpt->backup_differs);
	close(fd);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/gpt/guid-text", test_guid_text);
	g_test_add_data_func("/gpt/round-trip-512", GUINT_TO_POINTER(512), test_round_trip);
	g_test_add_data_func("/gpt/round-trip-4096", GUINT_TO_POINTER(4096), test_round_trip);
	g_test_add_func("/gpt/golden", test_golden);
	g_test_add_func("/gpt/should-fail-damaged", test_should_fail_damaged);
	g_test_add_func("/gpt/should-fail-lies", test_should_fail_lies);
	g_test_add_func("/gpt/backup-is-compared", test_backup_is_compared);
	return g_test_run();
}
