/* How varvectl shows stacks to people. */
#pragma once

#include "base/error.h"
#include "stack/report.h"
#include "trace/process.h"

/** varve_show_layer_line: (caller frees) "ssh 10.0p1  root 31ab2cd4…  signed by layers.crt". */
char *varve_show_layer_line(const VarveReportLayer *layer);

/** varve_show_refused: prints a layer that is not merged, with its reason and, unless it is not
 *  needed any more, the next step; each line after @indent. */
void varve_show_refused(const VarveReportLayer *layer, const char *indent);

/** varve_show_warnings: prints the warnings, each after "warning: ". */
void varve_show_warnings(const VarveReport *report, const char *indent);

/** varve_show_compliance: prints why the node is not compliant, each line after @indent; nothing
 *  where it is. */
void varve_show_compliance(const VarveReport *report, const char *indent);

/** varve_show_is_root: for verbs that ask the TPM, which is root's. Errors: USAGE. */
gboolean varve_show_is_root(GError **error);

/** varve_show_process: what a process runs, one line a file, or where @full all of each. */
void varve_show_process(const VarveTraceProcess *process, gboolean full);
/** varve_show_verification: (caller frees) "kernel (Secure Boot, platform keyring) and userspace",
 *  or "userspace: Secure Boot is off". */
char *varve_show_verification(const VarveReport *report);

/** varve_show_integrity: (caller frees) what is in force of code integrity, or why not; NULL where
 *  the edition does not ask for it. */
char *varve_show_integrity(const VarveReport *report);
