/* Events of a node's log that say that something was refused, denied, damaged or lost, from
 * whatever told it: the kernel, SELinux, IPE, or the boot. */
#pragma once

#include "base/json.h"

typedef enum {
	VARVE_EVENT_LAYER,       /* a layer was refused at the boot */
	VARVE_EVENT_WARNING,     /* what else the boot warned of */
	VARVE_EVENT_SELINUX,     /* SELinux denied something */
	VARVE_EVENT_IPE,         /* IPE denied code */
	VARVE_EVENT_ENFORCEMENT, /* SELinux or IPE was switched on or off, or got another policy */
	VARVE_EVENT_VERITY,      /* a block is not what was signed */
	VARVE_EVENT_LOCKDOWN,    /* the locked down kernel would not do something */
	VARVE_EVENT_MODULE,      /* a kernel module without a good signature */
	VARVE_EVENT_LOST,        /* records that did not reach the log */
	VARVE_EVENT_KINDS,
} VarveEventKind;

/** Strings are one line that a terminal can show (but @path), "" where unknown, never NULL. */
typedef struct {
	VarveEventKind kind;
	gint64 when; /* microseconds since the epoch; 0: not known */
	char *what;
	gboolean only_told; /* it was let happen: permissive, audit mode */
	char *comm;         /* who: the program's own name for itself */
	guint pid;          /* 0: not known */
	char *unit;
	char *path;  /* as it was told: any bytes that are UTF-8 */
	char *layer; /* whose @path is */
	char *package;
	/* Where an event can be told twice: by the kernel's log and by the audit system. */
	guint64 serial;
	gint64 serial_ms;
	/* VERITY: what varve_damage_finder_find() takes. */
	guint major, minor;
	gboolean tree;
	guint64 block;
} VarveEvent;

const char *varve_event_kind_name(VarveEventKind kind);
gboolean varve_event_kind_from_name(const char *name, VarveEventKind *ret_kind);

/** varve_event_new: @what is made one line. */
VarveEvent *varve_event_new(VarveEventKind kind, gint64 when, const char *what);
void varve_event_free(VarveEvent *event);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveEvent, varve_event_free)

/**
 * varve_event_from_entry:
 * @entry: of the journal (varve_journal_read()). What it has of the kernel is believed only where
 * the kernel wrote it: whoever may write to /dev/kmsg has another facility there.
 *
 * Returns: (caller frees) or NULL where the entry tells of none.
 */
VarveEvent *varve_event_from_entry(const json_t *entry);

/** (caller owns) */
json_t *varve_event_to_json(const VarveEvent *event);
