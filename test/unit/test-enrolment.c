#include "image/enrolment.h"

#include "base/error.h"
#include "base/file.h"
#include "crypt/authority.h"
#include "crypt/sha256.h"
#include "fixed-certificate.h"
#include "format/bytes.h"
#include "image/flash.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = { "PK", "KEK", "platform" };

typedef struct {
	char *dir;
} Fixture;

static void fixture_set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	fixture->dir = g_dir_make_tmp("varve-enrolment-XXXXXX", NULL);
}

static void fixture_tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_assert_true(varve_dir_remove(AT_FDCWD, fixture->dir, NULL));
	g_free(fixture->dir);
}

static void write_fixed(const Fixture *fixture, const char *name)
{
	g_autofree char *path = g_strdup_printf("%s/%s.crt", fixture->dir, name);

	g_assert_true(g_file_set_contents(path, fixed_certificate, -1, NULL));
}

static VarveEnrolment *open_well(const Fixture *fixture)
{
	g_autoptr(GError) error = NULL;
	VarveEnrolment *enrolment = varve_enrolment_open(fixture->dir, &error);

	g_assert_no_error(error);
	return enrolment;
}

static void test_names(void)
{
	g_assert_cmpstr(varve_enrolment_variable_name(VARVE_ENROLMENT_PK), ==, "PK");
	g_assert_cmpstr(varve_enrolment_variable_name(VARVE_ENROLMENT_KEK), ==, "KEK");
	g_assert_cmpstr(varve_enrolment_variable_name(VARVE_ENROLMENT_DB), ==, "db");
}

/* Each missing file is named, with what makes it. */
static void test_missing(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *file = g_strdup_printf("%s.crt: not there", names[i]);
		g_autofree char *command =
			g_strdup_printf("'varve keys add %s %s'", fixture->dir, names[i]);
		g_autoptr(GError) error = NULL;

		g_assert_null(varve_enrolment_open(fixture->dir, &error));
		g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
		g_assert_nonnull(strstr(error->message, file));
		g_assert_nonnull(strstr(error->message, command));
		write_fixed(fixture, names[i]);
	}
	varve_enrolment_free(open_well(fixture));
}

/* The variables of AAVMF's empty flash with a fixed certificate in all three. */
static void test_variables(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	const gsize size = 3 * 256 * 1024;
	g_autoptr(GBytes) blank = g_bytes_new_take(g_malloc0(size), size), result = NULL;
	g_autoptr(VarveEnrolment) enrolment = NULL;
	g_autoptr(GError) error = NULL;
	char hex[VARVE_DIGEST_HEX_SIZE];
	VarveDigest digest;

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		write_fixed(fixture, names[i]);
	enrolment = open_well(fixture);
	result = varve_enrolment_variables(enrolment, blank, "blank", &error);
	g_assert_no_error(error);
	varve_sha256(g_bytes_get_data(result, NULL), size, &digest);
	varve_digest_to_hex(&digest, hex);
	g_assert_cmpstr(hex, ==,
			"4df39d9603cb5093eeddef957eda91d5d34ba45df5de22626394949ef562c432");
}

static void make_keys(const Fixture *fixture)
{
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		g_assert_true(varve_authority_make(fixture->dir, names[i], NULL));
}

static void updates_clear(GBytes *updates[VARVE_ENROLMENT_N])
{
	for (gsize i = 0; i < VARVE_ENROLMENT_N; i++)
		g_clear_pointer(&updates[i], g_bytes_unref);
}

/* Whether the signature part of @update (behind its time) has @certificate's bytes in it. */
static gboolean carries(GBytes *update, const VarveCertificate *certificate)
{
	g_autoptr(GBytes) der = varve_certificate_to_der(certificate);
	const char *bytes = g_bytes_get_data(update, NULL);

	return memmem(bytes + 16, varve_get_le32(bytes + 16), g_bytes_get_data(der, NULL),
		      g_bytes_get_size(der)) != NULL;
}

static void test_sign(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *pk_key = g_build_filename(fixture->dir, "PK.key", NULL);
	g_autofree char *elsewhere = g_build_filename(fixture->dir, "elsewhere", NULL);
	g_autofree char *platform_key = g_build_filename(fixture->dir, "platform.key", NULL);
	GBytes *updates[VARVE_ENROLMENT_N] = { NULL }, *again[VARVE_ENROLMENT_N] = { NULL };
	g_autoptr(VarveEnrolment) enrolment = NULL;
	g_autoptr(GError) error = NULL;

	make_keys(fixture);
	enrolment = open_well(fixture);
	g_assert_true(varve_enrolment_sign(enrolment, NULL, NULL, updates, &error));
	g_assert_no_error(error);
	for (gsize i = 0; i < VARVE_ENROLMENT_N; i++) {
		g_autoptr(GBytes) list = varve_enrolment_list(enrolment, i);
		gsize size = g_bytes_get_size(list), whole = g_bytes_get_size(updates[i]);
		const char *bytes = g_bytes_get_data(updates[i], NULL);

		g_assert_cmpmem(bytes + whole - size, size, g_bytes_get_data(list, NULL), size);
		/* PK signs PK and KEK, KEK signs db. */
		g_assert_true(carries(updates[i],
				      varve_enrolment_certificate(enrolment, VARVE_ENROLMENT_PK)) ==
			      (i != VARVE_ENROLMENT_DB));
		g_assert_true(carries(updates[i], varve_enrolment_certificate(
							  enrolment, VARVE_ENROLMENT_KEK)) ==
			      (i == VARVE_ENROLMENT_DB));
	}
	/* A private key that lies elsewhere; one that is another's; one that is not there. */
	g_assert_cmpint(rename(pk_key, elsewhere), ==, 0);
	g_assert_true(varve_enrolment_sign(enrolment, elsewhere, NULL, again, &error));
	g_assert_no_error(error);
	for (gsize i = 0; i < VARVE_ENROLMENT_N; i++)
		g_assert_true(g_bytes_equal(updates[i], again[i]));
	updates_clear(updates);
	g_assert_false(varve_enrolment_sign(enrolment, elsewhere, platform_key, updates, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_clear_error(&error);
	g_assert_false(varve_enrolment_sign(enrolment, NULL, NULL, updates, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND);
	g_assert_null(updates[0]);
	updates_clear(again);
}

static char *read_file(const char *path, gsize *ret_size)
{
	char *data = NULL;

	g_assert_true(g_file_get_contents(path, &data, ret_size, NULL));
	return data;
}

/* Kept variables stay what they are but for the keys, and another firmware's are refused. */
static void test_flash(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
	const gsize size = 3 * 256 * 1024;
	g_autofree char *from = g_build_filename(fixture->dir, "template.fd", NULL);
	g_autofree char *to = g_build_filename(fixture->dir, "variables.fd", NULL);
	g_autofree char *zeros = g_malloc0(size), *plain = NULL, *enrolled = NULL, *kept = NULL;
	g_autoptr(VarveEnrolment) enrolment = NULL;
	g_autoptr(GError) error = NULL;
	gsize plain_size, kept_size;

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		write_fixed(fixture, names[i]);
	enrolment = open_well(fixture);
	g_assert_true(g_file_set_contents(from, zeros, (gssize)size, NULL));
	g_assert_true(varve_flash_make(from, NULL, to, FALSE, &error));
	plain = read_file(to, &plain_size);
	g_assert_cmpmem(plain, plain_size, zeros, size);
	g_assert_true(varve_flash_make(from, enrolment, to, FALSE, &error));
	enrolled = read_file(to, &kept_size);
	g_assert_nonnull(memmem(enrolled, size, "P\0K\0\0", 6));
	/* What a guest wrote: behind the store, where it can be told apart. */
	enrolled[size - 1] = 'g';
	g_assert_true(g_file_set_contents(to, enrolled, (gssize)size, NULL));
	g_assert_true(varve_flash_make(from, enrolment, to, TRUE, &error));
	kept = read_file(to, &kept_size);
	g_assert_cmpmem(kept, kept_size, enrolled, size);
	g_assert_true(varve_flash_make(from, NULL, to, TRUE, &error));
	g_assert_no_error(error);
	g_assert_true(g_file_set_contents(from, zeros, (gssize)size / 2, NULL));
	g_assert_false(varve_flash_make(from, NULL, to, TRUE, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CORRUPT);
	g_assert_nonnull(strstr(error->message, "remove the file"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/enrolment/names", test_names);
	g_test_add("/enrolment/missing", Fixture, NULL, fixture_set_up, test_missing,
		   fixture_tear_down);
	g_test_add("/enrolment/variables", Fixture, NULL, fixture_set_up, test_variables,
		   fixture_tear_down);
	g_test_add("/enrolment/sign", Fixture, NULL, fixture_set_up, test_sign, fixture_tear_down);
	g_test_add("/enrolment/flash", Fixture, NULL, fixture_set_up, test_flash,
		   fixture_tear_down);
	return g_test_run();
}
