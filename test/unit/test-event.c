/* stack/event.c: what entries of the journal tell, and what they cannot make us believe. */
#include "stack/event.h"

#include <string.h>

#define WHEN "\"__REALTIME_TIMESTAMP\":\"1795625020856510\""
#define KERNEL "{\"_TRANSPORT\":\"kernel\",\"SYSLOG_FACILITY\":\"0\"," WHEN ",\"MESSAGE\":"

static VarveEvent *parse(const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) entry = varve_json_parse(text, strlen(text), "entry", &error);

	g_assert_no_error(error);
	return varve_event_from_entry(entry);
}

static void test_avc(void)
{
	g_autoptr(VarveEvent) event = parse(
		KERNEL
		"\"audit: type=1400 audit(1795625020.111:45): avc:  denied  { read write } for  "
		"pid=812 comm=\\\"sshd\\\" name=\\\"shadow\\\" dev=\\\"dm-0\\\" ino=4711 "
		"scontext=system_u:system_r:sshd_t:s0-s0:c0.c1023 "
		"tcontext=system_u:object_r:shadow_t:s0 tclass=file permissive=0\"}");

	g_assert_nonnull(event);
	g_assert_cmpint(event->kind, ==, VARVE_EVENT_SELINUX);
	g_assert_cmpint(event->when, ==, G_GINT64_CONSTANT(1795625020856510));
	g_assert_cmpstr(event->what, ==, "denied: read write of a file, sshd_t on shadow_t");
	g_assert_cmpstr(event->comm, ==, "sshd");
	g_assert_cmpuint(event->pid, ==, 812);
	g_assert_cmpstr(event->path, ==, "shadow");
	g_assert_cmpuint(event->serial, ==, 45);
	g_assert_cmpint(event->serial_ms, ==, G_GINT64_CONSTANT(1795625020111));
	g_assert_false(event->only_told);
}

/* The journal's own copy, by the audit socket; in permissive mode nothing was kept from anybody. */
static void test_avc_from_audit(void)
{
	g_autoptr(VarveEvent) event = parse(
		"{\"_TRANSPORT\":\"audit\",\"_AUDIT_TYPE\":\"1400\",\"_AUDIT_ID\":\"45\"," WHEN
		",\"_SOURCE_REALTIME_TIMESTAMP\":\"1795625020111000\",\"MESSAGE\":\"AVC avc:  "
		"denied  "
		"{ getattr } for  pid=1 comm=\\\"systemd\\\" path=\\\"/usr/bin/sh\\\" "
		"scontext=a:b:init_t:s0 tcontext=a:b:bin_t:s0 tclass=file permissive=1\","
		"\"_SYSTEMD_UNIT\":\"init.scope\"}");
	g_autoptr(json_t) json = NULL;

	g_assert_nonnull(event);
	g_assert_true(event->only_told);
	g_assert_cmpuint(event->serial, ==, 45);
	g_assert_cmpint(event->serial_ms, ==, G_GINT64_CONSTANT(1795625020111));
	g_assert_cmpint(event->when, ==, G_GINT64_CONSTANT(1795625020111000));
	g_assert_cmpstr(event->unit, ==, "init.scope");
	json = varve_event_to_json(event);
	g_assert_cmpstr(json_string_value(json_object_get(json, "path")), ==, "/usr/bin/sh");
	g_assert_cmpstr(json_string_value(json_object_get(json, "kind")), ==, "selinux");
}

static void test_ipe(void)
{
	g_autoptr(VarveEvent) event =
		parse(KERNEL "\"audit: type=1420 audit(1795625020.111:46): ipe_op=EXECUTE "
			     "ipe_hook=BPRM_CHECK enforcing=1 pid=901 comm=\\\"bash\\\" "
			     "path=\\\"/var/tmp/true\\\" dev=\\\"vda8\\\" ino=77 rule=\\\"DEFAULT "
			     "op=EXECUTE action=DENY\\\"\"}");
	g_autoptr(VarveEvent) allowed =
		parse(KERNEL "\"audit: type=1420 audit(1795625020.111:47): ipe_op=EXECUTE "
			     "ipe_hook=MMAP enforcing=1 pid=1 comm=\\\"x\\\" rule=\\\"op=EXECUTE "
			     "dmverity_signature=TRUE action=ALLOW\\\"\"}");

	g_assert_nonnull(event);
	g_assert_cmpint(event->kind, ==, VARVE_EVENT_IPE);
	g_assert_cmpstr(event->what, ==,
			"denied: EXECUTE (BPRM_CHECK), by DEFAULT op=EXECUTE action=DENY");
	g_assert_cmpstr(event->path, ==, "/var/tmp/true");
	g_assert_null(allowed);
}

static void test_enforcement(void)
{
	g_autoptr(VarveEvent) event = parse(
		KERNEL "\"audit: type=1404 audit(1795625020.111:48): enforcing=0 old_enforcing=1 "
		       "auid=0 ses=1 enabled=1 old-enabled=1 lsm=selinux res=1\"}");

	g_assert_nonnull(event);
	g_assert_cmpint(event->kind, ==, VARVE_EVENT_ENFORCEMENT);
	g_assert_cmpstr(event->what, ==, "selinux does not enforce any more: it only tells");
}

static void test_messages(void)
{
	g_autoptr(VarveEvent) verity =
		parse(KERNEL "\"device-mapper: verity: 7:3: data block 12 is corrupted\"}");
	g_autoptr(VarveEvent) lockdown =
		parse(KERNEL "\"Lockdown: insmod: unsigned module loading is restricted; see man "
			     "kernel_lockdown.7\"}");
	g_autoptr(VarveEvent) module = parse(KERNEL "\"Loading of unsigned module is rejected\"}");
	g_autoptr(VarveEvent) missed =
		parse("{\"_TRANSPORT\":\"driver\",\"MESSAGE\":\"Missed 4 kernel "
		      "messages\"," WHEN "}");

	g_assert_cmpint(verity->kind, ==, VARVE_EVENT_VERITY);
	g_assert_cmpuint(verity->major, ==, 7);
	g_assert_cmpuint(verity->minor, ==, 3);
	g_assert_cmpuint(verity->block, ==, 12);
	g_assert_cmpstr(lockdown->what, ==,
			"denied: unsigned module loading, the kernel is locked down");
	g_assert_cmpstr(lockdown->comm, ==, "insmod");
	g_assert_cmpstr(module->what, ==, "a kernel module was rejected: unsigned module");
	g_assert_cmpint(missed->kind, ==, VARVE_EVENT_LOST);
	g_assert_cmpstr(missed->what, ==, "4 records did not reach the log");
}

/* The kernel's messages are those that the kernel wrote. */
static void test_forged(void)
{
	static const char *const entries[] = {
		"{\"_TRANSPORT\":\"kernel\",\"SYSLOG_FACILITY\":\"1\",\"MESSAGE\":\"device-mapper: "
		"verity: 7:3: data block 12 is corrupted\"}",
		"{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"Loading of unsigned module is "
		"rejected\"}",
		"{\"_TRANSPORT\":\"syslog\",\"SYSLOG_FACILITY\":\"0\",\"MESSAGE\":\"Loading of "
		"unsigned "
		"module is rejected\"}",
		"{\"_TRANSPORT\":\"driver\",\"MESSAGE\":\"device-mapper: verity: 7:3: data block "
		"12 is "
		"corrupted\"}",
		"{\"_TRANSPORT\":\"audit\",\"_AUDIT_TYPE\":\"1300\",\"MESSAGE\":\"SYSCALL avc:  "
		"denied  "
		"{ read }\"}",
		"{\"MESSAGE\":null}",
		"{\"_TRANSPORT\":[1],\"MESSAGE\":[1,2]}",
		"{}",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(entries); i++) {
		g_test_message("%s", entries[i]);
		g_assert_null(parse(entries[i]));
	}
}

/* Whoever is denied something chose its name, and that of the file. */
static void test_hostile(void)
{
	g_autoptr(VarveEvent) event =
		parse(KERNEL "\"audit: type=1400 audit(1.0:1): avc:  denied  { read } for  "
			     "pid=99999999999999999999 comm=1B5B33316D78 path=2F0A1B5D30FF "
			     "scontext=x tcontext=\\u001b[2J tclass=file\"}");
	g_autoptr(json_t) json = varve_event_to_json(event);

	g_assert_cmpstr(event->comm, ==, "?[31mx");
	g_assert_cmpstr(event->what, ==, "denied: read of a file, x on ?[2J");
	g_assert_cmpuint(event->pid, ==, G_MAXINT);
	g_assert_true(g_utf8_validate(event->path, -1, NULL));
	g_assert_nonnull(json_object_get(json, "path"));
}

static void test_kinds(void)
{
	for (guint i = 0; i < VARVE_EVENT_KINDS; i++) {
		VarveEventKind kind;

		g_assert_true(varve_event_kind_from_name(varve_event_kind_name((VarveEventKind)i),
							 &kind));
		g_assert_cmpint(kind, ==, i);
	}
	g_assert_false(varve_event_kind_from_name("none", &(VarveEventKind){ 0 }));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/event/avc", test_avc);
	g_test_add_func("/event/avc-from-audit", test_avc_from_audit);
	g_test_add_func("/event/ipe", test_ipe);
	g_test_add_func("/event/enforcement", test_enforcement);
	g_test_add_func("/event/messages", test_messages);
	g_test_add_func("/event/forged", test_forged);
	g_test_add_func("/event/hostile", test_hostile);
	g_test_add_func("/event/kinds", test_kinds);
	return g_test_run();
}
