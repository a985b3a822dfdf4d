/* What a swap leads to: from what the operator asks for to the list of layers that shall run. Files
 * from elsewhere are staged on the state partition, where nobody takes them for candidates. */
#pragma once

#include "stack/generation.h"
#include "stack/report.h"

#define VARVE_STAGING_DIR VARVE_STATE_DIR "/staging"

/** The directories of the node's state, opened. */
typedef struct {
	int layers;
	int generations;
	int staging;
} VarveStateDirs;

/** varve_state_dirs_open: below / ; the staging directory is made if missing. Errors: SYSTEM. */
gboolean varve_state_dirs_open(VarveStateDirs *ret, GError **error);
void varve_state_dirs_clear(VarveStateDirs *dirs);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarveStateDirs, varve_state_dirs_clear)

typedef enum {
	VARVE_TARGET_FILES,      /* what runs, with the layers of these files */
	VARVE_TARGET_WITHOUT,    /* what runs, without the layers of these names */
	VARVE_TARGET_GENERATION, /* the layers of a generation that was */
	VARVE_TARGET_DIRECTORY,  /* what a boot would choose from the layers directory */
} VarveTargetKind;

typedef struct {
	VarveTargetKind kind;
	const char *const *arguments; /* paths of files, or names of layers */
	guint generation;             /* 0: the one that ran before */
} VarveTargetRequest;

typedef struct {
	VarveGeneration *generation; /* base, selection and layers; LISTED but for DIRECTORY */
	char **staged;               /* files of it that the commit puts in place */
	guint from;                  /* the generation whose layers it takes; 0: none */
} VarveTarget;

/**
 * varve_target_find:
 * @running: what runs; its layers that stay are listed with their files.
 *
 * Nothing but the staging directory is written. Files are copied there whole and synced; nothing is
 * trusted by that.
 *
 * Errors: USAGE (two files of one layer, a name that no layer can have), NOT_FOUND (no such file,
 * layer or generation), CONFLICT (another file of the name is in the layers directory), CORRUPT
 * (no layer), REFUSED (a generation of another base), SYSTEM (a full disk).
 */
VarveTarget *varve_target_find(const VarveReport *running, const VarveStateDirs *dirs,
			       const VarveTargetRequest *request, GError **error);
void varve_target_free(VarveTarget *target);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveTarget, varve_target_free)

/** varve_target_unstage: empties the staging directory. */
gboolean varve_target_unstage(const VarveStateDirs *dirs, GError **error);
