/* device/tpm.c and the anchor of stack/ on a TPM 2.0 made of software (swtpm), which keeps its
 * state as a real one does: the bytes in NV memory, another's index, passwords, a TPM that was
 * cleared. */
#include "base/error.h"
#include "base/file.h"
#include "device/tpm-transport.h"
#include "stack/floors.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_tcti_swtpm.h>

#define INDEX 0x01805662u
#define OTHER 0x01805663u

static struct {
	char *dir;
	guint port;
	pid_t pid;
} tpm;

static void start_child(const char *const *argv)
{
	tpm.pid = fork();
	if (tpm.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	g_assert_cmpint(tpm.pid, >, 0);
}

static TSS2_TCTI_CONTEXT *connect_to_it(void)
{
	g_autofree char *where = g_strdup_printf("host=127.0.0.1,port=%u", tpm.port);
	TSS2_TCTI_CONTEXT *transport;
	size_t size = 0;

	g_assert_cmpuint(Tss2_Tcti_Swtpm_Init(NULL, &size, where), ==, 0);
	transport = g_malloc0(size);
	if (Tss2_Tcti_Swtpm_Init(transport, &size, where) == 0)
		return transport;
	g_free(transport);
	return NULL;
}

static void power_on(void)
{
	g_autofree char *state = g_strdup_printf("dir=%s", tpm.dir);
	g_autofree char *server = g_strdup_printf("type=tcp,port=%u", tpm.port);
	g_autofree char *control = g_strdup_printf("type=tcp,port=%u", tpm.port + 1);
	const char *const argv[] = {
		"swtpm",
		"socket",
		"--tpm2",
		"--tpmstate",
		state,
		"--server",
		server,
		"--ctrl",
		control,
		"--flags",
		"not-need-init,startup-clear",
		NULL,
	};

	start_child(argv);
	for (guint i = 0; i < 200; i++) {
		TSS2_TCTI_CONTEXT *transport = connect_to_it();

		if (transport) {
			Tss2_Tcti_Finalize(transport);
			g_free(transport);
			return;
		}
		g_assert_cmpint(waitpid(tpm.pid, NULL, WNOHANG), ==, 0);
		g_usleep(20000);
	}
	g_error("swtpm does not answer");
}

static void power_off(void)
{
	kill(tpm.pid, SIGTERM);
	waitpid(tpm.pid, NULL, 0);
}

static VarveTpm *open_it(GError **error)
{
	TSS2_TCTI_CONTEXT *transport = connect_to_it();

	g_assert_nonnull(transport);
	return varve_tpm_new(transport, "swtpm", error);
}

static void assert_read(guint32 index, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveTpm) opened = open_it(&error);
	char data[48];

	g_assert_no_error(error);
	varve_tpm_nv_read(opened, index, data, sizeof(data), &error);
	g_assert_no_error(error);
	g_assert_cmpstr(data, ==, expected);
}

static void assert_unreadable(guint32 index, gsize size, VarveError code)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(VarveTpm) opened = open_it(&error);
	char data[64] = "untouched";

	g_assert_false(varve_tpm_nv_read(opened, index, data, size, &error));
	g_assert_error(error, VARVE_ERROR, (int)code);
	g_assert_cmpstr(data, ==, "untouched");
}

static gboolean write_it(guint32 index, const char *text, gsize size, GError **error)
{
	g_autoptr(VarveTpm) opened = open_it(error);
	char data[64] = "";

	g_strlcpy(data, text, sizeof(data));
	return opened && varve_tpm_nv_write(opened, index, data, size, error);
}

static void test_bytes(void)
{
	g_autoptr(GError) error = NULL;

	assert_unreadable(INDEX, 48, VARVE_ERROR_NOT_FOUND);
	write_it(INDEX, "one", 48, &error);
	g_assert_no_error(error);
	assert_read(INDEX, "one");
	write_it(INDEX, "two", 48, &error);
	g_assert_no_error(error);
	power_off();
	power_on();
	assert_read(INDEX, "two");
}

/* Work on the TPM that is none of Varve's. */
static ESYS_CONTEXT *other_begin(void)
{
	ESYS_CONTEXT *esys = NULL;

	g_assert_cmpuint(Esys_Initialize(&esys, connect_to_it(), NULL), ==, 0);
	return esys;
}

static void other_end(ESYS_CONTEXT *esys)
{
	TSS2_TCTI_CONTEXT *transport = NULL;

	Esys_GetTcti(esys, &transport);
	Esys_Finalize(&esys);
	Tss2_Tcti_Finalize(transport);
	g_free(transport);
}

static void define(TPMA_NV attributes, guint16 size)
{
	const TPM2B_AUTH none = { .size = 0 };
	const TPM2B_NV_PUBLIC public = { .nvPublic = { .nvIndex = OTHER,
						       .nameAlg = TPM2_ALG_SHA256,
						       .attributes = attributes,
						       .dataSize = size } };
	ESYS_CONTEXT *esys = other_begin();
	ESYS_TR handle = ESYS_TR_NONE;

	g_assert_cmpuint(Esys_NV_DefineSpace(esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
					     ESYS_TR_NONE, &none, &public, &handle),
			 ==, 0);
	other_end(esys);
}

static void undefine(void)
{
	ESYS_CONTEXT *esys = other_begin();
	ESYS_TR handle = ESYS_TR_NONE;

	g_assert_cmpuint(Esys_TR_FromTPMPublic(esys, OTHER, ESYS_TR_NONE, ESYS_TR_NONE,
					       ESYS_TR_NONE, &handle),
			 ==, 0);
	g_assert_cmpuint(Esys_NV_UndefineSpace(esys, ESYS_TR_RH_OWNER, handle, ESYS_TR_PASSWORD,
					       ESYS_TR_NONE, ESYS_TR_NONE),
			 ==, 0);
	other_end(esys);
}

/* An index that somebody else made is neither believed nor written. */
static void test_another_index(void)
{
	const TPMA_NV ours = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_OWNERREAD |
			     TPMA_NV_OWNERWRITE | TPMA_NV_NO_DA;
	g_autoptr(GError) error = NULL;

	define(TPMA_NV_OWNERREAD | TPMA_NV_OWNERWRITE, 48);
	assert_unreadable(OTHER, 48, VARVE_ERROR_CONFLICT);
	g_assert_false(write_it(OTHER, "x", 48, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_CONFLICT);
	g_clear_error(&error);
	undefine();
	define(ours, 32);
	assert_unreadable(OTHER, 48, VARVE_ERROR_CONFLICT);
	undefine();
	/* Made and never written: the power went in between. */
	define(ours, 48);
	assert_unreadable(OTHER, 48, VARVE_ERROR_NOT_FOUND);
	write_it(OTHER, "whole", 48, &error);
	g_assert_no_error(error);
	assert_read(OTHER, "whole");
	undefine();
}

static void set_owner_password(const char *before, const char *after)
{
	ESYS_CONTEXT *esys = other_begin();
	TPM2B_AUTH old = { .size = (UINT16)strlen(before) };
	TPM2B_AUTH new = { .size = (UINT16)strlen(after) };

	memcpy(old.buffer, before, old.size);
	memcpy(new.buffer, after, new.size);
	g_assert_cmpuint(Esys_TR_SetAuth(esys, ESYS_TR_RH_OWNER, &old), ==, 0);
	g_assert_cmpuint(Esys_HierarchyChangeAuth(esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
						  ESYS_TR_NONE, ESYS_TR_NONE, &new),
			 ==, 0);
	other_end(esys);
}

/* An owner's password keeps a first anchor away, and no later one. */
static void test_owner_password(void)
{
	g_autoptr(GError) error = NULL;

	set_owner_password("", "secret");
	g_assert_false(write_it(OTHER, "x", 48, &error));
	g_assert_error(error, VARVE_ERROR, VARVE_ERROR_SYSTEM);
	g_assert_nonnull(strstr(error->message, "owner's password"));
	g_clear_error(&error);
	write_it(INDEX, "three", 48, &error);
	g_assert_no_error(error);
	assert_read(INDEX, "three");
	set_owner_password("secret", "");
}

static void clear_tpm(void)
{
	ESYS_CONTEXT *esys = other_begin();

	g_assert_cmpuint(
		Esys_Clear(esys, ESYS_TR_RH_LOCKOUT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE),
		==, 0);
	other_end(esys);
}

static void raise_to(int fd, VarveAnchor *anchor, guint64 index)
{
	g_autoptr(VarveFloors) floors = varve_floors_open(fd, anchor);
	g_autoptr(VarveRecord) by = varve_record_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *note = NULL;
	gboolean changed = FALSE;

	varve_record_floor(by, "ssh", index);
	varve_floors_raise(floors, by, &changed, &note, &error);
	g_assert_no_error(error);
	g_assert_null(note);
	g_assert_true(changed);
	g_assert_cmpint(varve_floors_verdict(floors), ==, VARVE_FLOORS_ANCHORED);
}

static void assert_is(int fd, VarveAnchor *anchor, VarveFloorsVerdict verdict)
{
	g_autoptr(VarveFloors) floors = varve_floors_open(fd, anchor);

	g_assert_cmpint(varve_floors_verdict(floors), ==, verdict);
}

/* The whole of it: raised, kept over a power cycle, an older record put back, accepted, the TPM
 * cleared, the partition blank. */
static void test_anchor(void)
{
	g_autofree char *dir = g_dir_make_tmp("varve-anchor-XXXXXX", NULL);
	VarveTpmAnchor anchor = varve_tpm_anchor(open_it);
	varve_autofd fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autoptr(VarveRecord) nothing = varve_record_new();
	g_autoptr(VarveFloors) floors = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *old = NULL;

	assert_is(fd, &anchor.anchor, VARVE_FLOORS_NEW);
	raise_to(fd, &anchor.anchor, 1);
	g_assert_true(varve_file_read(fd, VARVE_FLOORS_FILE, 65536, &old, NULL, NULL));
	raise_to(fd, &anchor.anchor, 2);
	power_off();
	power_on();
	assert_is(fd, &anchor.anchor, VARVE_FLOORS_ANCHORED);
	g_assert_true(varve_file_write(fd, VARVE_FLOORS_FILE, old, strlen(old), 0644, NULL));
	assert_is(fd, &anchor.anchor, VARVE_FLOORS_OLDER);
	floors = varve_floors_open(fd, &anchor.anchor);
	varve_floors_accept(floors, nothing, FALSE, "user root", &error);
	g_assert_no_error(error);
	assert_is(fd, &anchor.anchor, VARVE_FLOORS_ANCHORED);
	clear_tpm();
	assert_is(fd, &anchor.anchor, VARVE_FLOORS_TPM_CLEARED);
	g_clear_pointer(&floors, varve_floors_free);
	floors = varve_floors_open(fd, &anchor.anchor);
	varve_floors_accept(floors, nothing, FALSE, "user root", &error);
	g_assert_no_error(error);
	assert_is(fd, &anchor.anchor, VARVE_FLOORS_ANCHORED);
	g_assert_cmpint(unlinkat(fd, VARVE_FLOORS_FILE, 0), ==, 0);
	assert_is(fd, &anchor.anchor, VARVE_FLOORS_LOST);
	g_assert_true(varve_dir_remove(AT_FDCWD, dir, NULL));
}

int main(int argc, char **argv)
{
	g_autofree char *program = g_find_program_in_path("swtpm");
	int status;

	g_test_init(&argc, &argv, NULL);
	if (!program) {
		puts("1..0 # SKIP 'swtpm' is not installed");
		return 0;
	}
	g_setenv("TSS2_LOG", "all+none", FALSE);
	tpm.dir = g_dir_make_tmp("varve-tpm-XXXXXX", NULL);
	tpm.port = 20000 + (guint)g_random_int_range(0, 20000);
	power_on();
	g_test_add_func("/tpm/bytes", test_bytes);
	g_test_add_func("/tpm/another-index", test_another_index);
	g_test_add_func("/tpm/owner-password", test_owner_password);
	g_test_add_func("/tpm/anchor", test_anchor);
	status = g_test_run();
	power_off();
	varve_dir_remove(AT_FDCWD, tpm.dir, NULL);
	g_free(tpm.dir);
	return status;
}
