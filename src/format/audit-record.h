/* Records of the kernel's audit log as text (linux/audit.h, kernel/audit.c): words, some of them
 * KEY=VALUE. Texts in them were chosen by whoever was denied something: hostile until shown through
 * varve_text_line(). */
#pragma once

#include <glib.h>

/** The types that this program knows what to do with (uapi/linux/audit.h). */
enum {
	VARVE_AUDIT_USER_AVC = 1107,    /* a program's own decision by the SELinux policy */
	VARVE_AUDIT_AVC = 1400,         /* SELinux denied or granted */
	VARVE_AUDIT_SELINUX_ERR = 1401, /* SELinux could not compute a label, or similar */
	VARVE_AUDIT_MAC_STATUS = 1404,  /* enforcement was switched on or off: SELinux, IPE */
	VARVE_AUDIT_IPE_ACCESS = 1420,  /* IPE denied (or, where asked to tell, allowed) */
	VARVE_AUDIT_IPE_CONFIG = 1421,  /* another IPE policy is active */
	VARVE_AUDIT_IPE_POLICY = 1422,  /* an IPE policy was loaded */
};

typedef struct {
	guint type;
	gint64 time_ms;     /* since the epoch; 0 where the line has no id */
	guint64 serial;     /* with the time it is the record's id */
	char *decision;     /* of an AVC: "denied", "granted"; else "" */
	char *permissions;  /* of an AVC: what is between the braces, "read write"; else "" */
	GHashTable *fields; /* char * → char *: the first of each key; hex is decoded */
} VarveAuditRecord;

/**
 * varve_audit_record_parse:
 * @line: as the kernel's log has it: "audit: type=1400 audit(1700000000.123:45): avc:  denied …".
 *
 * Returns: (caller frees) or NULL where @line is no such record.
 */
VarveAuditRecord *varve_audit_record_parse(const char *line);

/**
 * varve_audit_record_parse_text:
 * The same for what follows the id, where type and id are known from elsewhere (the journal's
 * _AUDIT_TYPE and _AUDIT_ID). Never fails: words that mean nothing are skipped, at most 256 fields
 * are kept.
 */
VarveAuditRecord *varve_audit_record_parse_text(guint type, gint64 time_ms, guint64 serial,
						const char *text);
void varve_audit_record_free(VarveAuditRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveAuditRecord, varve_audit_record_free)

/** varve_audit_record_get: (borrowed) the value of @key, "" where there is none. */
const char *varve_audit_record_get(const VarveAuditRecord *record, const char *key);
