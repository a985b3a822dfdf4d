/* What a path answers: where it comes from, who vouches for it, and whether it is what it should
 * be. The same for a running node and for image files. */
#pragma once

#include "base/json.h"
#include "layer/compare.h"
#include "stack/past.h"
#include "trace/stack.h"

typedef enum {
	VARVE_TRACE_SIGNED,    /* it is read from a signed layer, where nothing can be written */
	VARVE_TRACE_UNCHANGED, /* it could be written, and is what a signed layer has for it */
	VARVE_TRACE_CHANGED,   /* it could be written, and is not that any more */
	VARVE_TRACE_LOCAL,     /* the node's own: no layer has it, nobody signed it */
	VARVE_TRACE_VOLATILE,  /* in memory, or made up by the kernel: nobody signed it */
	VARVE_TRACE_FOREIGN,   /* on a filesystem that is no part of the system */
	VARVE_TRACE_DELETED,   /* a signed layer has it, and it was taken away here */
	VARVE_TRACE_MISSING,   /* a layer has a copy for this place, and it is not there */
	VARVE_TRACE_REPLACED,  /* it is read from a layer of an earlier stack, for who has it open;
				* the running stack has another, or not that layer */
	VARVE_TRACE_ABSENT,    /* nobody knows it */
} VarveTraceState;

/** (static) "signed", "unchanged", …: stable. */
const char *varve_trace_state_name(VarveTraceState state);

/** What is really there. */
typedef struct {
	mode_t mode; /* with the type */
	uid_t uid;
	gid_t gid;
	guint64 size;  /* of regular files; of a link's target */
	char *target;  /* of a link, else "" */
	char *label;   /* SELinux context, "" where there is none */
	gboolean read; /* a regular file: its bytes were hashed now */
	VarveDigest digest;
	char *unread;     /* why they could not be, or "" */
	gboolean damaged; /* it could be opened, and not be read to its end */
} VarveTraceFound;

VarveTraceFound *varve_trace_found_new(void);
void varve_trace_found_free(VarveTraceFound *found);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveTraceFound, varve_trace_found_free)

/**
 * varve_trace_differs:
 * VarveChange bits: what of @found is not as @record has it. Content is compared where it was read.
 *
 * @label: whether the label has to be the same. A record without one asks for none.
 */
guint varve_trace_differs(const VarvePath *record, const VarveTraceFound *found, gboolean label);

/** One layer that has the path too. */
typedef struct {
	const VarveTraceLayer *layer;
	VarvePath *record; /* owned */
} VarveTraceOther;

/** Of a file that is read from an earlier stack. Strings are owned. */
typedef struct {
	guint generation; /* of that stack; 0: none was recorded */
	char *layer, *version, *root;
	gint64 until;               /* when the stack was replaced, seconds since the epoch */
	const VarveTraceLayer *now; /* (borrowed, nullable) who has the path in the running stack */
	gboolean same;              /* ... with the same content */
} VarveTraceEarlier;

VarveTraceEarlier *varve_trace_earlier_new(guint generation, const VarvePastLayer *layer,
					   gint64 until);

typedef struct {
	char *path; /* absolute, without links on the way */
	VarveTraceState state;
	VarveTraceFound *found;       /* (nullable) NULL: it is not there */
	const VarveTraceLayer *layer; /* (borrowed, nullable) whose it is, or should be */
	char *at;                     /* its path in that layer, relative: often another one */
	VarvePath *record;            /* (nullable) what the layer's table says of it */
	gboolean describes_layer;     /* manifest or path table: nothing says what they should be */
	guint differs;                /* VarveChange bits, against @record */
	GPtrArray *others;          /* VarveTraceOther *: lower layers that have it, topmost first:
				     * a directory is made of all, a file overrides them */
	VarveTraceEarlier *earlier; /* (nullable) it is of a stack that ran before */
	char *filesystem;           /* "tmpfs at /run", where that is the answer; else "" */
	GPtrArray *problems;        /* char *: what must not be */
} VarveTraceAnswer;

VarveTraceAnswer *varve_trace_answer_new(const char *path);
void varve_trace_answer_free(VarveTraceAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveTraceAnswer, varve_trace_answer_free)
void varve_trace_answer_problem(VarveTraceAnswer *answer, const char *format, ...)
	G_GNUC_PRINTF(2, 3);

/** varve_trace_answer_from: @layer has it as @record; both are told. */
void varve_trace_answer_from(VarveTraceAnswer *answer, const VarveTraceLayer *layer,
			     const VarvePath *record, gboolean describes_layer);

/** (borrowed, nullable) the package that the record names. */
const VarveManifestPackage *varve_trace_answer_package(const VarveTraceAnswer *answer);
/** Whether it is there, or was taken away: anything but ABSENT, MISSING and DELETED. */
gboolean varve_trace_answer_exists(const VarveTraceAnswer *answer);

/** All that was found on the way to one path. */
typedef struct {
	char *asked;
	GPtrArray *answers; /* VarveTraceAnswer *: the links in their order, last what they lead to
			     */
} VarveTraceWhy;

VarveTraceWhy *varve_trace_why_new(const char *asked);
void varve_trace_why_free(VarveTraceWhy *why);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveTraceWhy, varve_trace_why_free)
/** (borrowed) the last one. */
const VarveTraceAnswer *varve_trace_why_last(const VarveTraceWhy *why);
/** Problems of all answers. */
guint varve_trace_why_problems(const VarveTraceWhy *why);

/* JSON; the caller owns it. */
json_t *varve_trace_why_json(const VarveTraceWhy *why);
json_t *varve_trace_answer_json(const VarveTraceAnswer *answer);
json_t *varve_trace_layer_json(const VarveTraceLayer *layer);
json_t *varve_trace_package_json(const VarveManifestPackage *package);
