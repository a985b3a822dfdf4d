/* What the record of floors and its anchor mean for the node, in words. */
#include "stack/compliance.h"
#include "stack/floors.h"
#include "stack/generation.h"

#define ACCEPT "'varvectl floors --accept' as root "
#define SUSPECT "find out who could write to the disk; then " ACCEPT

/* What a missing anchor leaves open. */
static char *without_anchor(const VarveFloors *floors)
{
	const char *why = varve_floors_why(floors);

	switch (varve_floors_anchor_state(floors)) {
	case VARVE_ANCHOR_EMPTY:
		return g_strdup(" (the TPM holds no anchor of it yet: 'varvectl good' makes it)");
	case VARVE_ANCHOR_SILENT:
		return g_strdup_printf(" (the TPM cannot be used: %s: whoever can write the disk "
				       "can put an older record back)",
				       why);
	default:
		return g_strdup_printf(" (%s: whoever can write the disk can put an older record "
				       "back)",
				       why);
	}
}

static char *protection(const VarveFloors *floors)
{
	g_autofree char *without = without_anchor(floors);

	switch (varve_floors_verdict(floors)) {
	case VARVE_FLOORS_NEW:
		return g_strdup_printf("base's floors; nothing is recorded yet%s", without);
	case VARVE_FLOORS_RECORD:
		return g_strdup_printf("base's floors and the record on the state partition%s",
				       without);
	case VARVE_FLOORS_ANCHORED:
		return g_strdup_printf("base's floors and the record on the state partition, "
				       "number %" G_GINT64_FORMAT ", anchored in the TPM",
				       varve_floors_anchor(floors)->number);
	case VARVE_FLOORS_VOLATILE:
		return g_strdup("base's floors alone: there is no state partition");
	default:
		return g_strdup("base's floors and what can be read of a record that is not the "
				"one kept here");
	}
}

static void complain_of_lost(const VarveFloors *floors, VarveReport *report)
{
	gint64 number = varve_floors_anchor(floors)->number;

	if (varve_floors_has_state(floors))
		varve_report_complain(
			report, varve_floors_code(floors),
			"where the state partition is new (blank, another disk, an image written "
			"again) and that was you, " ACCEPT
			"begins a new record; else find out who could write to the disk",
			"the TPM knows record %" G_GINT64_FORMAT
			" of floors and revocations, and there is none on the state partition",
			number);
	else
		varve_report_complain(
			report, varve_floors_code(floors), "repair the state partition, see above",
			"the TPM knows record %" G_GINT64_FORMAT
			" of floors and revocations, and the state partition that should have it "
			"cannot be used",
			number);
}

/* Where the anchor, or its place, is not as the record says. */
static void complain_of_tpm(const VarveFloors *floors, VarveReport *report)
{
	const char *code = varve_floors_code(floors), *why = varve_floors_why(floors);
	gint64 number = varve_floors_record(floors)->number;

	switch (varve_floors_verdict(floors)) {
	case VARVE_FLOORS_TPM_CLEARED:
		varve_report_complain(
			report, code,
			"where that was you, " ACCEPT "anchors the record in this TPM; else find "
			"out who had the machine in hand",
			"record %" G_GINT64_FORMAT
			" of floors and revocations was anchored in a TPM, and this machine's TPM "
			"holds no anchor: it was cleared or replaced, or the disk comes from "
			"another machine",
			number);
		break;
	case VARVE_FLOORS_TPM_GONE:
		varve_report_complain(
			report, code,
			"turn the TPM on in the firmware; where it is gone for good, " ACCEPT
			"keeps the record without one",
			"record %" G_GINT64_FORMAT
			" of floors and revocations was anchored in a TPM, and now there is %s",
			number, why);
		break;
	default:
		varve_report_complain(
			report, code,
			"repair the TPM, or turn it off in the firmware and accept "
			"the record without one",
			"record %" G_GINT64_FORMAT
			" of floors and revocations was anchored in a TPM that cannot be asked: %s",
			number, why);
	}
}

static void complain(const VarveFloors *floors, VarveReport *report)
{
	const char *code = varve_floors_code(floors);
	const VarveAnchored *anchor = varve_floors_anchor(floors);
	gint64 number = varve_floors_record(floors)->number;

	switch (varve_floors_verdict(floors)) {
	case VARVE_FLOORS_OLDER:
		varve_report_complain(
			report, code, SUSPECT "takes the record as it is",
			"the record of floors and revocations on the state partition is number "
			"%" G_GINT64_FORMAT ", and the TPM knows number %" G_GINT64_FORMAT
			": an older one was put back. What it says holds, but it may lack what "
			"came later",
			number, anchor->number);
		break;
	case VARVE_FLOORS_ALTERED:
		varve_report_complain(
			report, code, SUSPECT "takes the record as it is",
			"the record of floors and revocations on the state partition is not the "
			"one that the TPM knows, number %" G_GINT64_FORMAT
			": it was changed, comes from another disk, or was kept while the TPM was "
			"off. What it says holds, but it may lack something",
			anchor->number);
		break;
	case VARVE_FLOORS_LOST:
		complain_of_lost(floors, report);
		break;
	case VARVE_FLOORS_UNREADABLE:
		varve_report_complain(report, code,
				      "put a good copy of /" VARVE_STATE_DIR "/" VARVE_FLOORS_FILE
				      " back; where there is none, " ACCEPT "begins a new record",
				      "the record of floors and revocations cannot be read: %s",
				      varve_floors_why(floors));
		break;
	default:
		complain_of_tpm(floors, report);
	}
}

void varve_floors_describe(const VarveFloors *floors, VarveReport *report)
{
	varve_report_withdraw(report, "record-");
	varve_report_withdraw(report, "tpm-");
	g_free(report->protection);
	g_free(report->protection_code);
	report->protection = protection(floors);
	report->protection_code = g_strdup(varve_floors_code(floors));
	if (varve_floors_alarming(floors))
		complain(floors, report);
}
