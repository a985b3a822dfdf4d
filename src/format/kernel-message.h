/* Messages of the kernel's log: the records of /dev/kmsg (Linux, ABI/testing/dev-kmsg), and those
 * among them that tell of something refused, damaged or lost. The texts are the kernel's own and
 * may change with it: what is not recognised is OTHER. */
#pragma once

#include <glib.h>

typedef struct {
	guint facility; /* 0: the kernel itself; programs that write there have others */
	guint64 sequence;
	gint64 microseconds; /* since the machine was started */
	char *text;
} VarveKmsg;

/**
 * varve_kmsg_parse:
 * @record: what one read of /dev/kmsg gave, of @size bytes.
 *
 * Returns: (caller frees) or NULL where it is no record.
 */
VarveKmsg *varve_kmsg_parse(const char *record, gsize size);
void varve_kmsg_free(VarveKmsg *kmsg);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveKmsg, varve_kmsg_free)

typedef enum {
	VARVE_MESSAGE_OTHER,
	VARVE_MESSAGE_VERITY,   /* a block is not what was signed */
	VARVE_MESSAGE_LOCKDOWN, /* the locked down kernel would not let somebody do something */
	VARVE_MESSAGE_MODULE,   /* a kernel module without a good signature */
	VARVE_MESSAGE_LOST,     /* records did not reach the log */
} VarveMessageKind;

typedef struct {
	VarveMessageKind kind;
	guint major, minor; /* VERITY: the device with the data */
	gboolean tree;      /* VERITY: a block of the hash tree, else of the data */
	guint64 block;      /* VERITY: of 4096 bytes, counted from the start of data or tree */
	guint64 count;      /* LOST: how many, as far as it says; else 0 */
	char *comm;         /* LOCKDOWN: who; else "" */
	char *what; /* LOCKDOWN: what is restricted; MODULE: what was wrong with it; else "" */
} VarveMessage;

/** varve_message_parse: (caller clears) what the text of a message tells. */
void varve_message_parse(const char *text, VarveMessage *ret_message);
void varve_message_clear(VarveMessage *message);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveMessage, varve_message_clear)
