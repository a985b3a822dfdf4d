/* format/audit-record.c: records as kernel and journal have them, and what somebody may have put
 * into them. */
#include "format/audit-record.h"

#include <string.h>

static const char avc[] =
	"audit: type=1400 audit(1732545296.123:45): avc:  denied  { read write } for  pid=812 "
	"comm=\"sshd\" name=\"shadow\" dev=\"dm-0\" ino=4711 "
	"scontext=system_u:system_r:sshd_t:s0-s0:c0.c1023 tcontext=system_u:object_r:shadow_t:s0 "
	"tclass=file permissive=0";
static const char ipe[] =
	"audit: type=1420 audit(1732545300.001:46): ipe_op=EXECUTE ipe_hook=BPRM_CHECK enforcing=1 "
	"pid=901 comm=\"bash\" path=\"/var/tmp/true\" dev=\"vda8\" ino=77 "
	"rule=\"DEFAULT op=EXECUTE action=DENY\"";

static void check(const VarveAuditRecord *record, const char *key, const char *expected)
{
	g_assert_cmpstr(varve_audit_record_get(record, key), ==, expected);
}

static void test_avc(void)
{
	g_autoptr(VarveAuditRecord) record = varve_audit_record_parse(avc);

	g_assert_nonnull(record);
	g_assert_cmpuint(record->type, ==, VARVE_AUDIT_AVC);
	g_assert_cmpint(record->time_ms, ==, G_GINT64_CONSTANT(1732545296123));
	g_assert_cmpuint(record->serial, ==, 45);
	g_assert_cmpstr(record->decision, ==, "denied");
	g_assert_cmpstr(record->permissions, ==, "read write");
	check(record, "pid", "812");
	check(record, "comm", "sshd");
	check(record, "name", "shadow");
	check(record, "scontext", "system_u:system_r:sshd_t:s0-s0:c0.c1023");
	check(record, "tclass", "file");
	check(record, "permissive", "0");
	check(record, "nothing", "");
}

static void test_ipe(void)
{
	g_autoptr(VarveAuditRecord) record = varve_audit_record_parse(ipe);

	g_assert_nonnull(record);
	g_assert_cmpuint(record->type, ==, VARVE_AUDIT_IPE_ACCESS);
	check(record, "path", "/var/tmp/true");
	check(record, "rule", "DEFAULT op=EXECUTE action=DENY");
	/* What is inside quotes is no field. */
	check(record, "op", "");
	check(record, "action", "");
}

/* As journald has it, which keeps the id elsewhere. */
static void test_text(void)
{
	const char *text = strstr(avc, "avc:");
	g_autoptr(VarveAuditRecord) record = varve_audit_record_parse_text(1400, 5, 6, text);

	g_assert_cmpint(record->time_ms, ==, 5);
	g_assert_cmpuint(record->serial, ==, 6);
	g_assert_cmpstr(record->permissions, ==, "read write");
}

/* systemd asks the policy itself, and quotes what it was asked for. */
static void test_user_avc(void)
{
	g_autoptr(VarveAuditRecord) record = varve_audit_record_parse_text(
		VARVE_AUDIT_USER_AVC, 0, 0,
		"USER_AVC pid=1 uid=0 auid=4294967295 subj=system_u:system_r:init_t:s0 "
		"msg='avc:  denied  { start } for auid=n/a uid=0 gid=0 "
		"path=\"/usr/lib/systemd/system/ssh.service\" cmdline=\"systemctl start ssh\" "
		"tclass=service permissive=1 exe=\"/usr/lib/systemd/systemd\" sauid=0'");

	g_assert_cmpstr(record->decision, ==, "denied");
	g_assert_cmpstr(record->permissions, ==, "start");
	check(record, "pid", "1");
	check(record, "path", "/usr/lib/systemd/system/ssh.service");
	check(record, "cmdline", "systemctl start ssh");
	check(record, "permissive", "1");
	check(record, "msg", "");
}

/* What could end the quotes is hex; what looks like hex between quotes is not. */
static void test_hex(void)
{
	g_autoptr(VarveAuditRecord) record = varve_audit_record_parse_text(
		1400, 0, 0,
		"avc:  denied  { getattr } for  pid=7 comm=61222062 path=2F746D702F1B5B33316D0A00 "
		"name=\"CAFE\" ino=1234 exe=F tclass=6162");

	check(record, "comm", "a\" b");
	check(record, "path", "/tmp/\x1b[31m\n?");
	check(record, "name", "CAFE");
	check(record, "ino", "1234");
	check(record, "exe", "F");
	check(record, "tclass", "6162");
}

/* A file may be called like a field: the first of a key is the kernel's. */
static void test_forged(void)
{
	g_autoptr(VarveAuditRecord) record = varve_audit_record_parse_text(
		1400, 0, 0,
		"avc:  denied  { read } for  pid=7 comm=\"x pid=1 permissive=1\" name=\"{ none }\" "
		"permissive=0 pid=8");

	check(record, "pid", "7");
	check(record, "permissive", "0");
	check(record, "comm", "x pid=1 permissive=1");
	g_assert_cmpstr(record->permissions, ==, "read");
}

static void test_not_one(void)
{
	static const char *const lines[] = {
		"",
		"audit: type=",
		"audit: type=1400",
		"audit: type=1400 audit(",
		"audit: type=1400 audit(1.2:3)",
		"audit: type=1400 audit(1.2:3) avc",
		"audit: type=-1 audit(1.2:3): avc",
		"audit: type=99999999999 audit(1.2:3): avc",
		"audit: type=1400 audit(99999999999999999999.2:3): avc",
		"audit: type=1400 audit(1.2222:3): avc",
		"audit: initializing netlink subsys (disabled)",
		"type=1400 audit(1.2:3): avc",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_test_message("%s", lines[i]);
		g_assert_null(varve_audit_record_parse(lines[i]));
	}
}

static void test_broken(void)
{
	static const char *const texts[] = {
		"",
		"=",
		"==",
		" = ",
		"\"",
		"a=\"",
		"a='",
		"{",
		"{}",
		"}",
		"msg='",
		"msg='msg='a'",
		"a=\"b",
		"comm=",
		"comm=4",
		"=x y=",
		"{ a { b } c }",
	};
	g_autoptr(GString) many = g_string_new(NULL);
	g_autoptr(VarveAuditRecord) record = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		varve_audit_record_free(varve_audit_record_parse_text(1400, 0, 0, texts[i]));
	for (int i = 0; i < 10000; i++)
		g_string_append_printf(many, "k%d=%d ", i, i);
	record = varve_audit_record_parse_text(1400, 0, 0, many->str);
	check(record, "k255", "255");
	check(record, "k256", "");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/audit-record/avc", test_avc);
	g_test_add_func("/audit-record/ipe", test_ipe);
	g_test_add_func("/audit-record/text", test_text);
	g_test_add_func("/audit-record/user-avc", test_user_avc);
	g_test_add_func("/audit-record/hex", test_hex);
	g_test_add_func("/audit-record/forged", test_forged);
	g_test_add_func("/audit-record/not-one", test_not_one);
	g_test_add_func("/audit-record/broken", test_broken);
	return g_test_run();
}
