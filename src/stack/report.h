/* What a boot, a plan or a swap found and decided: printed, and kept as /run/varve/stack.json,
 * which says what runs. */
#pragma once

#include "base/json.h"
#include "format/manifest.h"
#include "stack/record.h"

#define VARVE_RUN_DIR "/run/varve"
#define VARVE_REPORT_FILE VARVE_RUN_DIR "/stack.json"
#define VARVE_REPORT_NEXT VARVE_RUN_DIR "/next.json" /* of a swap that is being committed */
/* From which a swap came whose services are not through. */
#define VARVE_REPORT_BEFORE VARVE_RUN_DIR "/before.json"
#define VARVE_LAYER_MOUNTS VARVE_RUN_DIR "/layers"
#define VARVE_BASE_MOUNT VARVE_RUN_DIR "/base"
#define VARVE_STATE_MOUNT VARVE_RUN_DIR "/state"

/** One layer and what became of it. Strings are "" where unknown, never NULL. */
typedef struct {
	char *file;
	char *name;
	char *version;
	char *arch;
	VarveRole role;
	char *root;        /* hex */
	char *certificate; /* file name in verity.d of who signed */
	char *signer;      /* its subject */
	gboolean development;
	guint packages;
	guint64 rollback_index;
	char *support_end;
	char *device; /* dm name */
	gboolean accepted;
	gboolean retired; /* not merged because it is not needed any more: no refusal */
	char *code;       /* of the refusal, or why it is not needed; "" where accepted */
	char *sentence;
	char *next;
} VarveReportLayer;

/** Why the node is not compliant: what it runs is not what its policy and its past ask for. */
typedef struct {
	char *code; /* stable: docs/node.md has them */
	char *sentence;
	char *next;
} VarveComplaint;

typedef struct {
	VarveReportLayer *base;
	GPtrArray *layers;  /* VarveReportLayer *: accepted ones lowest first, then the others */
	char *verification; /* "userspace"; "kernel": both */
	char *verification_detail; /* why */
	char *integrity_asked;     /* code integrity that the edition asks for: "off", "audit",
				    * "enforce" */
	char *integrity;           /* what is in force of it */
	char *integrity_detail;    /* why not what was asked for; else "" */
	char *state;               /* "ok", "volatile" */
	char *state_detail;        /* why it is volatile, or which device it is */
	guint64 usr;               /* st_dev of the overlay over /usr; 0: not known */
	guint generation;          /* 0: none was recorded */
	guint attempt;             /* which boot of a generation that has not come up; 0: it has */
	char *selection;           /* "directory", "listed" */
	GPtrArray *warnings;       /* char * */
	GPtrArray *timings;        /* VarveReportTiming * */
	GPtrArray *complaints;     /* VarveComplaint *: none says that the node is compliant */
	char *protection;          /* what keeps older layers away, in words */
	char *protection_code;     /* varve_floors_code() */
	VarveRecord *to_record;    /* floors and revocations that `good` adds to the record */
} VarveReport;

typedef struct {
	char *what;
	gint64 microseconds;
} VarveReportTiming;

VarveReportLayer *varve_report_layer_new(void);
void varve_report_layer_free(VarveReportLayer *layer);
/** varve_report_layer_describe: name, version, … from the manifest. */
void varve_report_layer_describe(VarveReportLayer *layer, const VarveManifest *manifest);

VarveReport *varve_report_new(void);
void varve_report_free(VarveReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveReport, varve_report_free)
/** varve_report_warn: one that is there already is not told twice. */
void varve_report_warn(VarveReport *report, const char *format, ...) G_GNUC_PRINTF(2, 3);
void varve_report_time(VarveReport *report, const char *what, gint64 since);
/** Whether the kernel checks layers too: what VarveOpening.kernel_mode has to be. */
gboolean varve_report_kernel_mode(const VarveReport *report);
/** The number of refused layers: those that are neither accepted nor retired. */
guint varve_report_refused(const VarveReport *report);

/** (caller owns) */
json_t *varve_report_to_json(const VarveReport *report);
VarveReport *varve_report_from_json(const json_t *json, GError **error);
gboolean varve_report_save(const VarveReport *report, const char *path, GError **error);
VarveReport *varve_report_load(const char *path, GError **error);
