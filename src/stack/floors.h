/* The record of floors on the state partition and its anchor: which record is to be believed, and
 * how it is raised so that a power cut at any point leaves no false alarm. */
#pragma once

#include "stack/anchor.h"
#include "stack/record.h"
#include "stack/report.h"

/* In VARVE_STATE_DIR. The second one is on its way: it becomes the first when the anchor has moved
 * to it. Until then the first belongs to the anchor, and afterwards the second: one always does. */
#define VARVE_FLOORS_FILE "floors.json"
#define VARVE_FLOORS_NEXT "floors.next.json"

typedef enum {
	VARVE_FLOORS_NEW,      /* neither record nor anchor: nothing was good here yet */
	VARVE_FLOORS_RECORD,   /* a record that no anchor belongs to */
	VARVE_FLOORS_ANCHORED, /* the record that belongs to the anchor */
	VARVE_FLOORS_VOLATILE, /* no state partition, and no anchor */
	/* From here on the node is not compliant, and nothing is raised. */
	VARVE_FLOORS_OLDER,       /* the record is older than the anchored one */
	VARVE_FLOORS_ALTERED,     /* it is not older, but not the anchored one either */
	VARVE_FLOORS_LOST,        /* an anchor, and no record */
	VARVE_FLOORS_UNREADABLE,  /* a record that cannot be read */
	VARVE_FLOORS_TPM_CLEARED, /* an anchored record, and a TPM without anchor */
	VARVE_FLOORS_TPM_GONE,    /* an anchored record, and no TPM */
	VARVE_FLOORS_TPM_SILENT,  /* an anchored record, and a TPM that does not answer */
} VarveFloorsVerdict;

typedef struct VarveFloors VarveFloors;

/**
 * varve_floors_open:
 * Reads record and anchor and judges them; never fails.
 *
 * @dirfd: VARVE_STATE_DIR, must outlive the result; -1 where there is no state partition.
 */
VarveFloors *varve_floors_open(int dirfd, VarveAnchor *anchor);
void varve_floors_free(VarveFloors *floors);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveFloors, varve_floors_free)

VarveFloorsVerdict varve_floors_verdict(const VarveFloors *floors);
/** (static) a stable word for the verdict: "anchored", "older-record". */
const char *varve_floors_code(const VarveFloors *floors);
gboolean varve_floors_alarming(const VarveFloors *floors);

/** (borrowed, never NULL) what holds: the record that is believed; where none is, all that can be
 *  read of what is there: that can only make the node stricter. */
const VarveRecord *varve_floors_record(const VarveFloors *floors);

/** (borrowed, nullable) the anchor that the TPM holds. */
const VarveAnchored *varve_floors_anchor(const VarveFloors *floors);
VarveAnchorState varve_floors_anchor_state(const VarveFloors *floors);
/** (borrowed) why the record cannot be read, or why the TPM says nothing; else "". */
const char *varve_floors_why(const VarveFloors *floors);
/** Whether there is a state partition at all. */
gboolean varve_floors_has_state(const VarveFloors *floors);

/** varve_floors_describe: puts what protects from rolling back into @report, and the complaint
 *  where there is one; replaces what an earlier call has put there. */
void varve_floors_describe(const VarveFloors *floors, VarveReport *report);

/**
 * varve_floors_raise:
 * Raises the record by @by, writes it and moves the anchor; makes the first anchor where there is a
 * TPM. Nothing is written where nothing changes. A TPM that will not hold an anchor is told in
 * @ret_note, and the record kept without. @floors is judged anew.
 *
 * @ret_changed: whether something was written.
 * @ret_note: (nullable, caller frees) set only where there is something to tell.
 *
 * Errors: REFUSED (it is alarming: only varve_floors_accept() may go on), UNSUPPORTED (volatile),
 * SYSTEM.
 */
gboolean varve_floors_raise(VarveFloors *floors, const VarveRecord *by, gboolean *ret_changed,
			    char **ret_note, GError **error);

/**
 * varve_floors_accept:
 * Writes and anchors a record although it is not the anchored one: all that can be read of what is
 * there, with what @by adds; or, where @forget, @by alone. That it was done, by whom (@who) and why
 * is recorded in it. @floors is judged anew.
 *
 * Errors: as above; REFUSED where the TPM does not answer.
 */
gboolean varve_floors_accept(VarveFloors *floors, const VarveRecord *by, gboolean forget,
			     const char *who, GError **error);
