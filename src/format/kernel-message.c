/* Messages of the kernel's log. */
#include "format/kernel-message.h"

#include <stdio.h>
#include <string.h>

/* "6,1234,5678901,-;text\n SUBSYSTEM=…": level and facility, sequence, time, flags. */
VarveKmsg *varve_kmsg_parse(const char *record, gsize size)
{
	g_autofree char *copy = g_strndup(record, size);
	const char *text = strchr(copy, ';');
	unsigned long long sequence, microseconds;
	unsigned priority;
	VarveKmsg *kmsg;
	int end = 0;

	if (!text || strlen(copy) != size ||
	    sscanf(copy, "%9u,%19llu,%18llu,%n", &priority, &sequence, &microseconds, &end) != 3 ||
	    end == 0)
		return NULL;
	text++;
	kmsg = g_new0(VarveKmsg, 1);
	kmsg->facility = priority >> 3;
	kmsg->sequence = sequence;
	kmsg->microseconds = (gint64)microseconds;
	kmsg->text = g_strndup(text, strcspn(text, "\n"));
	return kmsg;
}

void varve_kmsg_free(VarveKmsg *kmsg)
{
	if (!kmsg)
		return;
	g_free(kmsg->text);
	g_free(kmsg);
}

/* drivers/md/dm-verity-target.c: "device-mapper: verity: 7:3: data block 12 is corrupted" */
static gboolean parse_verity(const char *text, VarveMessage *message)
{
	static const char prefix[] = "device-mapper: verity: ";
	unsigned long long block;
	char type[16];
	int end = 0;

	if (!g_str_has_prefix(text, prefix) ||
	    sscanf(text + strlen(prefix), "%9u:%9u: %15s block %19llu is corrupted%n",
		   &message->major, &message->minor, type, &block, &end) != 4 ||
	    end == 0)
		return FALSE;
	message->tree = strcmp(type, "metadata") == 0;
	message->block = block;
	return message->tree || strcmp(type, "data") == 0;
}

/* security/lockdown/lockdown.c: "Lockdown: COMM: WHAT is restricted; see man kernel_lockdown.7" */
static gboolean parse_lockdown(const char *text, VarveMessage *message)
{
	static const char prefix[] = "Lockdown: ";
	const char *end = strstr(text, " is restricted;");
	const char *colon = NULL;

	if (!g_str_has_prefix(text, prefix) || !end)
		return FALSE;
	text += strlen(prefix);
	/* A program's name may have a colon and a space in it; what is restricted has none. */
	for (const char *at = text; at + 2 <= end; at++) {
		if (at[0] == ':' && at[1] == ' ')
			colon = at;
	}
	if (!colon)
		return FALSE;
	g_free(message->comm);
	g_free(message->what);
	message->comm = g_strndup(text, (gsize)(colon - text));
	message->what = g_strndup(colon + 2, (gsize)(end - colon) - 2);
	return TRUE;
}

/* kernel/module/signing.c: "Loading of unsigned module is rejected" */
static gboolean parse_module(const char *text, VarveMessage *message)
{
	static const char prefix[] = "Loading of ";
	const char *from = strstr(text, prefix);
	const char *end = from ? strstr(from + strlen(prefix), " is rejected") : NULL;

	if (!end)
		return FALSE;
	from += strlen(prefix);
	g_free(message->what);
	message->what = g_strndup(from, (gsize)(end - from));
	return TRUE;
}

/* kernel/audit.c, lib/ratelimit.c and systemd-journald. */
static gboolean parse_lost(const char *text, VarveMessage *message)
{
	static const char *const full[] = { "audit: backlog limit exceeded",
					    "audit: rate limit exceeded",
					    "audit: kauditd hold queue overflow",
					    "audit: kauditd retry queue overflow" };
	static const char *const counted[] = { "audit: audit_lost=", "audit: kauditd_printk_skb: ",
					       "Missed " };
	static const char *const then[] = { " ", " callbacks suppressed", " kernel messages" };

	for (gsize i = 0; i < G_N_ELEMENTS(full); i++) {
		if (g_str_has_prefix(text, full[i]))
			return TRUE;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(counted); i++) {
		const char *number = text + strlen(counted[i]);
		char *end;

		if (!g_str_has_prefix(text, counted[i]) || !g_ascii_isdigit(*number))
			continue;
		message->count = g_ascii_strtoull(number, &end, 10);
		return g_str_has_prefix(end, then[i]) && message->count > 0;
	}
	return FALSE;
}

void varve_message_parse(const char *text, VarveMessage *ret_message)
{
	static const struct {
		VarveMessageKind kind;
		gboolean (*parse)(const char *text, VarveMessage *message);
	} parsers[] = {
		{ VARVE_MESSAGE_VERITY, parse_verity },
		{ VARVE_MESSAGE_LOCKDOWN, parse_lockdown },
		{ VARVE_MESSAGE_MODULE, parse_module },
		{ VARVE_MESSAGE_LOST, parse_lost },
	};

	memset(ret_message, 0, sizeof(*ret_message));
	ret_message->comm = g_strdup("");
	ret_message->what = g_strdup("");
	for (gsize i = 0; i < G_N_ELEMENTS(parsers); i++) {
		if (!parsers[i].parse(text, ret_message))
			continue;
		ret_message->kind = parsers[i].kind;
		return;
	}
}

void varve_message_clear(VarveMessage *message)
{
	g_free(message->comm);
	g_free(message->what);
}
