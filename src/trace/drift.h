/* Where a node deviates from what was signed. The places that are looked at are a table in drift.c:
 * a root that can be written becomes one more. */
#pragma once

#include "trace/answer.h"
#include "trace/node.h"

typedef enum {
	VARVE_DRIFT_ADDED,   /* no layer has it */
	VARVE_DRIFT_CHANGED, /* content, mode, owner or label */
	VARVE_DRIFT_DELETED, /* a layer has it, and it was taken away */
	VARVE_DRIFT_MISSING, /* a layer has a copy for the place, and it is not there */
	VARVE_DRIFT_COVERED, /* something is mounted over it */
	VARVE_DRIFT_BROKEN,  /* what the kernel reads and what was signed contradict each other */
} VarveDriftKind;

/** (static) "added", "changed", …: stable. */
const char *varve_drift_kind_name(VarveDriftKind kind);

typedef struct {
	const char *place; /* static: "etc", "var", "mounts", "boot", "stack" */
	char *path;        /* absolute; "" for what is no file */
	VarveDriftKind kind;
	guint differs;                /* VarveChange bits of CHANGED */
	const VarveTraceLayer *layer; /* (borrowed, nullable) whose it is measured by */
	char *detail;                 /* a sentence, or "" */
	char *expected;               /* why every node has it, or "" */
} VarveDrift;

/**
 * varve_drift_list:
 * Compares all places. Bytes are hashed where a file was written; what lies in signed layers
 * themselves is not read again (`varvectl verify` does that).
 *
 * Returns: (caller unrefs) VarveDrift *, by place and path.
 * Errors: SYSTEM, CORRUPT.
 */
GPtrArray *varve_drift_list(VarveTraceNode *node, GError **error);

/** Those that not every node has. */
guint varve_drift_unexpected(const GPtrArray *list);

/** (caller owns) */
json_t *varve_drift_json(const GPtrArray *list);

/** varve_drift_expected: (static, nullable) why the deviation @kind of @path is one that every node
 *  has. @differs: VarveChange bits of CHANGED. */
const char *varve_drift_expected(VarveDriftKind kind, const char *path, guint differs);
