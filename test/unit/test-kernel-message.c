/* format/kernel-message.c: records of /dev/kmsg, and the messages that mean something to us. */
#include "format/kernel-message.h"

#include <string.h>

static VarveKmsg *parse(const char *record)
{
	return varve_kmsg_parse(record, strlen(record));
}

static void test_kmsg(void)
{
	g_autoptr(VarveKmsg) kmsg =
		parse("3,1048,52893412,-;device-mapper: verity: 7:3: data "
		      "block 12 is corrupted\n SUBSYSTEM=block\n DEVICE=b7:3\n");
	g_autoptr(VarveKmsg) program = parse("14,9,1,-,caller=T1;said; by a program");

	g_assert_nonnull(kmsg);
	g_assert_cmpuint(kmsg->facility, ==, 0);
	g_assert_cmpuint(kmsg->sequence, ==, 1048);
	g_assert_cmpint(kmsg->microseconds, ==, 52893412);
	g_assert_cmpstr(kmsg->text, ==, "device-mapper: verity: 7:3: data block 12 is corrupted");
	g_assert_nonnull(program);
	g_assert_cmpuint(program->facility, ==, 1);
	g_assert_cmpstr(program->text, ==, "said; by a program");
}

static void test_no_kmsg(void)
{
	static const char *const records[] = { "",        ";",         "6;x",    "6,1;x",
					       "6,1,2;x", "a,b,c,-;x", "6,1,2,-" };

	for (gsize i = 0; i < G_N_ELEMENTS(records); i++)
		g_assert_null(parse(records[i]));
	g_assert_null(varve_kmsg_parse("6,1,2,-;a\0b", 11));
}

static void test_verity(void)
{
	g_auto(VarveMessage) data = { 0 }, tree = { 0 }, other = { 0 };

	varve_message_parse("device-mapper: verity: 254:2: data block 46161 is corrupted", &data);
	g_assert_cmpint(data.kind, ==, VARVE_MESSAGE_VERITY);
	g_assert_cmpuint(data.major, ==, 254);
	g_assert_cmpuint(data.minor, ==, 2);
	g_assert_cmpuint(data.block, ==, 46161);
	g_assert_false(data.tree);
	varve_message_parse("device-mapper: verity: 7:0: metadata block 3 is corrupted", &tree);
	g_assert_cmpint(tree.kind, ==, VARVE_MESSAGE_VERITY);
	g_assert_true(tree.tree);
	varve_message_parse("device-mapper: verity: 7:0: reached maximum errors", &other);
	g_assert_cmpint(other.kind, ==, VARVE_MESSAGE_OTHER);
}

static void test_lockdown(void)
{
	g_auto(VarveMessage) message = { 0 }, forged = { 0 };

	varve_message_parse("Lockdown: insmod: unsigned module loading is restricted; see man "
			    "kernel_lockdown.7",
			    &message);
	g_assert_cmpint(message.kind, ==, VARVE_MESSAGE_LOCKDOWN);
	g_assert_cmpstr(message.comm, ==, "insmod");
	g_assert_cmpstr(message.what, ==, "unsigned module loading");
	varve_message_parse("Lockdown: a: b: /dev/mem,kmem,port is restricted; see man "
			    "kernel_lockdown.7",
			    &forged);
	g_assert_cmpstr(forged.comm, ==, "a: b");
	g_assert_cmpstr(forged.what, ==, "/dev/mem,kmem,port");
}

static void test_module(void)
{
	g_auto(VarveMessage) message = { 0 };

	varve_message_parse("Loading of unsigned module is rejected", &message);
	g_assert_cmpint(message.kind, ==, VARVE_MESSAGE_MODULE);
	g_assert_cmpstr(message.what, ==, "unsigned module");
}

/* Where a text ends before it begins. */
static void test_overlapping(void)
{
	static const char *const texts[] = { "Loading of is rejected", "Lockdown: : is restricted;",
					     "Lockdown: is restricted;",
					     "Lockdown: a:is restricted;" };

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_auto(VarveMessage) message = { 0 };

		varve_message_parse(texts[i], &message);
		g_assert_cmpint(message.kind, ==, VARVE_MESSAGE_OTHER);
	}
}

static void test_lost(void)
{
	static const struct {
		const char *text;
		VarveMessageKind kind;
		guint64 count;
	} messages[] = {
		{ "audit: audit_lost=17 audit_rate_limit=0 audit_backlog_limit=64",
		  VARVE_MESSAGE_LOST, 17 },
		{ "audit: kauditd_printk_skb: 31 callbacks suppressed", VARVE_MESSAGE_LOST, 31 },
		{ "audit: backlog limit exceeded", VARVE_MESSAGE_LOST, 0 },
		{ "Missed 4 kernel messages", VARVE_MESSAGE_LOST, 4 },
		{ "audit: audit_lost=0 audit_rate_limit=0", VARVE_MESSAGE_OTHER, 0 },
		{ "audit: audit_lost=", VARVE_MESSAGE_OTHER, 0 },
		{ "Missed opportunities", VARVE_MESSAGE_OTHER, 0 },
		{ "net_ratelimit: 31 callbacks suppressed", VARVE_MESSAGE_OTHER, 0 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(messages); i++) {
		g_auto(VarveMessage) message = { 0 };

		g_test_message("%s", messages[i].text);
		varve_message_parse(messages[i].text, &message);
		g_assert_cmpint(message.kind, ==, messages[i].kind);
		if (message.kind == VARVE_MESSAGE_LOST)
			g_assert_cmpuint(message.count, ==, messages[i].count);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/kernel-message/kmsg", test_kmsg);
	g_test_add_func("/kernel-message/no-kmsg", test_no_kmsg);
	g_test_add_func("/kernel-message/verity", test_verity);
	g_test_add_func("/kernel-message/lockdown", test_lockdown);
	g_test_add_func("/kernel-message/module", test_module);
	g_test_add_func("/kernel-message/overlapping", test_overlapping);
	g_test_add_func("/kernel-message/lost", test_lost);
	return g_test_run();
}
