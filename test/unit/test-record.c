/* stack/record.c: a record comes back as it was written, only grows, and hostile text is an error.
 */
#include "base/error.h"
#include "base/file.h"
#include "crypt/authority.h"
#include "crypt/sha256.h"
#include "stack/record.h"

#include <string.h>

#define A1 "00000000000000000000000000000000000000000000000000000000000000a1"
#define C1 "00000000000000000000000000000000000000000000000000000000000000c1"
#define K1 "00000000000000000000000000000000000000000000000000000000000000d1"

static VarveRecord *sample(void)
{
	VarveRecord *record = varve_record_new();

	record->number = 7;
	record->anchored = TRUE;
	varve_record_floor(record, "ssh", 4);
	varve_record_floor(record, "base", 2);
	varve_record_floor(record, "big", G_MAXINT64);
	g_hash_table_add(record->certificates, g_strdup(C1));
	g_hash_table_add(record->keys, g_strdup(K1));
	g_hash_table_add(record->layers, g_strdup(A1));
	varve_record_accepted(record, 1700000000, "user root", "record-older");
	return record;
}

static void test_round_trip(void)
{
	g_autoptr(VarveRecord) record = sample();
	g_autoptr(VarveRecord) back = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = varve_record_write(record, &error);
	g_autofree char *again = NULL, *hex = NULL;
	VarveDigest digest;

	g_assert_no_error(error);
	/* These bytes are what a TPM vouches for. */
	varve_sha256(text, strlen(text), &digest);
	hex = varve_digest_dup_hex(&digest);
	g_assert_cmpstr(hex, ==,
			"522a691fc82719004124065b7f7d162768c2e54db76c6aba219b15c738184f83");
	back = varve_record_parse(text, strlen(text), "record", &error);
	g_assert_no_error(error);
	g_assert_cmpint(back->number, ==, 7);
	g_assert_true(back->anchored);
	g_assert_cmpuint(*(guint64 *)g_hash_table_lookup(back->floors, "big"), ==, G_MAXINT64);
	g_assert_cmpuint(back->accepted->len, ==, 1);
	g_assert_cmpstr(((VarveAcceptance *)back->accepted->pdata[0])->why, ==, "record-older");
	again = varve_record_write(back, &error);
	g_assert_cmpstr(text, ==, again);
}

static void test_only_grows(void)
{
	g_autoptr(VarveRecord) record = sample();
	g_autoptr(VarveRecord) by = varve_record_new();

	varve_record_floor(by, "ssh", 3);
	varve_record_floor(by, "base", 2);
	g_hash_table_add(by->layers, g_strdup(A1));
	g_assert_false(varve_record_raise(record, by));
	g_assert_cmpuint(*(guint64 *)g_hash_table_lookup(record->floors, "ssh"), ==, 4);
	varve_record_floor(by, "ssh", 5);
	g_assert_true(varve_record_raise(record, by));
	g_assert_cmpuint(*(guint64 *)g_hash_table_lookup(record->floors, "ssh"), ==, 5);
	g_hash_table_add(by->certificates, g_strdup(A1));
	g_assert_true(varve_record_raise(record, by));
	g_assert_cmpuint(g_hash_table_size(record->certificates), ==, 2);
	g_assert_false(varve_record_raise(record, by));
	/* That was not one of theirs. */
	g_assert_cmpint(record->number, ==, 7);
}

static void test_as_policy(void)
{
	g_autoptr(VarveRecord) record = sample();
	g_autoptr(VarvePolicy) policy = varve_record_policy(record);
	const VarveFloor *floor = g_hash_table_lookup(policy->floors, "ssh");

	g_assert_cmpuint(floor->index, ==, 4);
	g_assert_cmpstr(floor->origin, ==, VARVE_ORIGIN_RECORD);
	g_assert_true(g_hash_table_contains(policy->revoked_certificates, C1));
	g_assert_true(g_hash_table_contains(policy->revoked_keys, K1));
	g_assert_true(g_hash_table_contains(policy->revoked_layers, A1));
}

/* A certificate that is revoked takes its key into the record, so that a base which has the key in
 * another certificate is not taken in. */
static void test_keys_of_certificates(void)
{
	g_autofree char *dir = g_dir_make_tmp("varve-record-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "team.crt", NULL);
	g_autoptr(VarvePolicy) policy = varve_policy_new();
	g_autoptr(VarveRecord) record = varve_record_new();
	g_autofree char *fingerprint = NULL, *hex = NULL;
	VarveTrusted *trusted = g_new0(VarveTrusted, 1);
	VarveDigest key;

	g_assert_true(varve_authority_make(dir, "team", NULL));
	trusted->certificate = varve_certificate_load(path, NULL);
	varve_dir_remove(AT_FDCWD, dir, NULL);
	trusted->name = g_strdup("team.crt");
	g_ptr_array_add(policy->trusted, trusted);
	varve_record_revocations(record, policy);
	g_assert_cmpuint(g_hash_table_size(record->keys), ==, 0);
	fingerprint = varve_digest_dup_hex(varve_certificate_fingerprint(trusted->certificate));
	varve_policy_revoke(policy->revoked_certificates, fingerprint, "the base");
	varve_record_revocations(record, policy);
	varve_certificate_key_digest(trusted->certificate, &key);
	hex = varve_digest_dup_hex(&key);
	g_assert_true(g_hash_table_contains(record->certificates, fingerprint));
	g_assert_true(g_hash_table_contains(record->keys, hex));
}

static void refused(const char *before, const char *after, const char *says)
{
	g_autoptr(VarveRecord) record = sample();
	g_autofree char *text = varve_record_write(record, NULL);
	GString *changed = g_string_new(text);
	g_autoptr(GError) error = NULL;

	g_assert_cmpuint(g_string_replace(changed, before, after, 1), ==, 1);
	g_assert_null(varve_record_parse(changed->str, changed->len, "record", &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	if (!strstr(error->message, says))
		g_error("'%s' does not say '%s'", error->message, says);
	g_string_free(changed, TRUE);
}

static void test_hostile(void)
{
	refused("\"format\": 1", "\"format\": 2", "format");
	refused("\"format\": 1", "\"format\": 1,\n  \"more\": 1", "'more'");
	refused("\"number\": 7", "\"number\": 0", "number");
	refused("\"number\": 7", "\"number\": 9000000000000000000", "number");
	refused("\"number\": 7", "\"number\": 7.0", "number");
	refused("\"anchored\": true", "\"anchored\": 1", "anchored");
	refused("\"ssh\": 4", "\"ssh\": -4", "'ssh'");
	refused("\"ssh\": 4", "\"ssh\": \"4\"", "'ssh'");
	refused("\"ssh\": 4", "\"ssh\": 4, \"ssh\": 1", "duplicate");
	refused("\"ssh\": 4", "\"\": 4", "no name");
	refused("\"ssh\": 4", "\"a\\u001b[2J\": 4", "control character");
	refused(A1, "00", "64 lowercase");
	refused("\"keys\": [", "\"keys\": 1, \"x\": [", "'x'");
	refused("\"why\": \"record-older\"", "\"why\": \"\\u0007\"", "control character");
	refused("\"when\": 1700000000", "\"when\": -1", "when");
	refused("{\n  \"accepted\"", "[{\n  \"accepted\"", "record");
}

static void test_bounded(void)
{
	g_autoptr(VarveRecord) record = sample();
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;

	for (guint i = 0; i < 300; i++)
		varve_record_accepted(record, i, "user root", "record-lost");
	g_assert_cmpuint(record->accepted->len, ==, 100);
	g_assert_cmpint(((VarveAcceptance *)record->accepted->pdata[99])->when, ==, 299);
	text = varve_record_write(record, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(strlen(text), <, 64 * 1024);
	for (guint i = 0; i <= 10000; i++) {
		g_autofree char *name = g_strdup_printf("layer-%u", i);

		varve_record_floor(record, name, i);
	}
	g_assert_null(varve_record_write(record, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_UNSUPPORTED);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/record/round-trip", test_round_trip);
	g_test_add_func("/record/only-grows", test_only_grows);
	g_test_add_func("/record/as-policy", test_as_policy);
	g_test_add_func("/record/keys-of-certificates", test_keys_of_certificates);
	g_test_add_func("/record/hostile", test_hostile);
	g_test_add_func("/record/bounded", test_bounded);
	return g_test_run();
}
