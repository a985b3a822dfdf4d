/* Whether a node is compliant: what it runs against what its policy and its past ask for. One
 * complaint a reason, in the report (docs/node.md has the codes). */
#pragma once

#include "stack/report.h"

/** varve_report_complain: @code and @next are copied. */
void varve_report_complain(VarveReport *report, const char *code, const char *next,
			   const char *format, ...) G_GNUC_PRINTF(4, 5);
/** varve_report_withdraw: takes away the complaints whose code begins with @prefix. */
void varve_report_withdraw(VarveReport *report, const char *prefix);
gboolean varve_report_has_complaint(const VarveReport *report, const char *code);
void varve_complaint_free(VarveComplaint *complaint);

/** The report's part about compliance, to JSON and back. Errors: CORRUPT. */
void varve_compliance_to_json(const VarveReport *report, json_t *object);
gboolean varve_compliance_from_json(VarveReport *report, const json_t *json, GError **error);

/** varve_today: days since the epoch; 0 where the clock was clearly never set. */
gint64 varve_today(void);

/** varve_compliance_required: complains of each layer that @policy requires and that is not among
 *  the accepted ones of @report, nor a patch that is not needed any more. */
void varve_compliance_required(const VarvePolicy *policy, VarveReport *report);

/** varve_compliance_unjudged: complains that no extension could be judged: @code is the one that
 *  they are refused with, @why what is wrong with the base. */
void varve_compliance_unjudged(const char *code, const char *why, VarveReport *report);

/**
 * varve_compliance_base:
 * Complains where the base of @report is past the end of its support or below its own floor.
 *
 * @policy: (nullable) without it only the date is looked at.
 *
 * Returns: NULL, or (caller frees) why no extension may be merged on this base: it is below its
 * floor, or past its end where support-end is "refuse".
 */
VarveRefusal *varve_compliance_base(const VarvePolicy *policy, VarveReport *report, gint64 today);

/** varve_compliance_layers: complains of each layer of @report that is merged and past the end of
 *  its support: where support-end is "warn", or where the day came while the node ran. */
void varve_compliance_layers(VarveReport *report, gint64 today);

/** varve_compliance_to_record: adds the rollback indices of the base and the accepted layers of
 *  @report to what `good` adds to the record. */
void varve_compliance_to_record(VarveReport *report);
