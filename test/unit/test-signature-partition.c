/* layer/signature-partition.c: one text for one partition, and nothing else is taken for one. */
#include "base/error.h"
#include "layer/signature-partition.h"

#include <string.h>

#define ROOT "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

static const char plain[] = "{\"certificateFingerprint\":\"" OTHER "\",\"rootHash\":\"" ROOT
			    "\",\"signature\":\"c2lnbmF0dXJl\"}";
static const char admitted[] =
	"{\"certificateFingerprint\":\"" OTHER "\",\"platformCertificateFingerprint\":\"" ROOT
	"\",\"platformSignature\":\"cGxhdGZvcm0=\",\"rootHash\":\"" ROOT
	"\",\"signature\":\"c2lnbmF0dXJl\"}";

static gboolean parse(const char *text, gsize size, VarveSignaturePartition *ret, GError **error)
{
	return varve_signature_partition_parse(text, size, "partition", ret, error);
}

static void check_text(const char *text, gboolean has_platform)
{
	g_auto(VarveSignaturePartition) partition = { 0 };
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(GError) error = NULL;
	const char *written;
	gsize size;

	g_assert_true(parse(text, strlen(text), &partition, &error));
	g_assert_no_error(error);
	g_assert_true(partition.has_fingerprint);
	g_assert_cmpint(partition.platform_signature != NULL, ==, has_platform);
	g_assert_cmpint(partition.has_platform_fingerprint, ==, has_platform);
	g_assert_cmpmem(g_bytes_get_data(partition.signature, NULL),
			g_bytes_get_size(partition.signature), "signature", 9);
	if (has_platform)
		g_assert_cmpmem(g_bytes_get_data(partition.platform_signature, NULL),
				g_bytes_get_size(partition.platform_signature), "platform", 8);
	bytes = varve_signature_partition_write(&partition, VARVE_SIGNATURE_PARTITION_SIZE, &error);
	g_assert_no_error(error);
	written = g_bytes_get_data(bytes, &size);
	g_assert_cmpuint(size, ==, 16384);
	g_assert_cmpstr(written, ==, text);
	for (gsize i = strlen(text); i < size; i++)
		g_assert_cmpint(written[i], ==, 0);
}

static void test_round_trip(void)
{
	check_text(plain, FALSE);
	check_text(admitted, TRUE);
}

/* systemd's reader needs no fingerprint, and so ours does not either. */
static void test_without_fingerprints(void)
{
	static const char text[] = "{\"rootHash\":\"" ROOT "\",\"signature\":\"c2lnbmF0dXJl\","
				   "\"platformSignature\":\"cGxhdGZvcm0=\"}\n";
	g_auto(VarveSignaturePartition) partition = { 0 };

	g_assert_true(parse(text, sizeof(text), &partition, NULL));
	g_assert_false(partition.has_fingerprint);
	g_assert_false(partition.has_platform_fingerprint);
	g_assert_nonnull(partition.platform_signature);
}

static void check_fails(const char *text, gsize size, const char *word)
{
	VarveSignaturePartition partition = { .has_fingerprint = 7 };
	g_autoptr(GError) error = NULL;

	g_assert_false(parse(text, size, &partition, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	if (!strstr(error->message, word))
		g_error("'%s' is not in: %s", word, error->message);
	g_assert_cmpint(partition.has_fingerprint, ==, 7);
}

static void test_should_fail(void)
{
	static const struct {
		const char *text, *word;
	} cases[] = {
		{ "", "not sealed" },
		{ "{}", "rootHash" },
		{ "[]", "partition" },
		{ "{\"rootHash\":\"" ROOT "\"}", "signature" },
		{ "{\"rootHash\":\"" ROOT "\",\"signature\":\"\"}", "not base64" },
		{ "{\"rootHash\":\"" ROOT "\",\"signature\":\"c2lnbmF0dXJl\",\"x\":1}",
		  "unknown key 'x'" },
		{ "{\"rootHash\":\"" ROOT "\",\"signature\":\"c2lnbmF0dXJl\","
		  "\"signature\":\"c2lnbmF0dXJl\"}",
		  "partition" },
		{ "{\"rootHash\":\"" ROOT "\",\"signature\":\"c2lnbmF0dXJl\","
		  "\"platformSignature\":1}",
		  "platformSignature" },
		{ "{\"rootHash\":\"" ROOT "\",\"signature\":\"c2lnbmF0dXJl\","
		  "\"platformSignature\":\"\"}",
		  "'platformSignature' is not base64" },
		{ "{\"rootHash\":\"" ROOT "\",\"signature\":\"c2lnbmF0dXJl\","
		  "\"platformSignature\":\"cGxhdGZvcm0\"}",
		  "'platformSignature' is not base64" },
		{ "{\"rootHash\":\"" ROOT "\",\"signature\":\"c2lnbmF0dXJl\","
		  "\"platformSignature\":\"cGxh dGZvcm0=\"}",
		  "'platformSignature' is not base64" },
		{ "{\"rootHash\":\"" ROOT "\",\"signature\":\"c2lnbmF0dXJl\","
		  "\"platformCertificateFingerprint\":\"" ROOT "\"}",
		  "without 'platformSignature'" },
		{ "{\"rootHash\":\"" ROOT "\",\"signature\":\"c2lnbmF0dXJl\","
		  "\"platformSignature\":\"cGxhdGZvcm0=\","
		  "\"platformCertificateFingerprint\":\"00\"}",
		  "'platformCertificateFingerprint' is not 64" },
		{ "{\"rootHash\":\"FF" ROOT "\",\"signature\":\"c2lnbmF0dXJl\"}", "'rootHash'" },
	};
	char behind[sizeof(plain) + 8] = { 0 };

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		check_fails(cases[i].text, strlen(cases[i].text), cases[i].word);
	memcpy(behind, plain, sizeof(plain));
	behind[sizeof(plain) + 3] = 'x';
	check_fails(behind, sizeof(behind), "is not NUL");
}

static void test_no_room(void)
{
	g_auto(VarveSignaturePartition) partition = { 0 };
	g_autoptr(GError) error = NULL;

	g_assert_true(parse(admitted, strlen(admitted), &partition, NULL));
	g_assert_null(varve_signature_partition_write(&partition, strlen(admitted) - 1, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/signature-partition/round-trip", test_round_trip);
	g_test_add_func("/signature-partition/without-fingerprints", test_without_fingerprints);
	g_test_add_func("/signature-partition/should-fail", test_should_fail);
	g_test_add_func("/signature-partition/no-room", test_no_room);
	return g_test_run();
}
