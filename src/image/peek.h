/* Looking into a disk image without mounting it: the sealed bases in its slots, the layers in its
 * state partition, the EFI programs on its ESP. What is looked at is copied out into a directory of
 * its own, which goes with the peek. */
#pragma once

#include "compose/tools.h"
#include "layer/layer.h"

typedef struct VarvePeek VarvePeek;

/**
 * varve_peek_open:
 * @disk: host path of a raw image as varve_disk_build() makes it. It is only read.
 * @tools: (borrowed) mtools and debugfs.
 *
 * Errors: CORRUPT (no partition table), NOT_FOUND (no partition of that kind in it), SYSTEM.
 */
VarvePeek *varve_peek_open(const char *disk, const VarveTools *tools, GError **error);
void varve_peek_free(VarvePeek *peek);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarvePeek, varve_peek_free)

/** varve_peek_is_disk: whether the partition table of @path has a slot for a base. FALSE for
 *  whatever else it is. */
gboolean varve_peek_is_disk(const char *path);

/**
 * varve_peek_base:
 * @slot: 'A' or 'B'.
 * @ret: (caller frees) the sealed base, or NULL where the slot is empty.
 * Errors: CORRUPT, SYSTEM.
 */
gboolean varve_peek_base(VarvePeek *peek, char slot, VarveLayer **ret, GError **error);

/** varve_peek_layers: copies the layer files out of the state partition.
 *  @ret: (caller frees with g_strfreev) their host paths, sorted. */
gboolean varve_peek_layers(VarvePeek *peek, char ***ret, GError **error);

/** varve_peek_esp: (borrowed) the host directory to which all below EFI was copied. */
const char *varve_peek_esp(VarvePeek *peek, GError **error);

/** What the state partition has at one path. */
typedef struct {
	mode_t mode; /* with the type; a whiteout is a character device 0:0 */
	uid_t uid;
	gid_t gid;
	guint64 size;
	char *target;    /* owned; of a link, else "" */
	char *label;     /* owned; SELinux, "" where it has none */
	char *file;      /* owned; host path of a regular file's content, else "" */
	gboolean opaque; /* a directory that hides the one below it in an overlay */
} VarvePeekFile;

/**
 * varve_peek_state:
 * Links are not followed. A path may not have quotes or control characters.
 *
 * @path: relative to the state partition's root.
 * @ret: (caller frees) NULL where there is nothing.
 * Errors: USAGE (@path), SYSTEM.
 */
gboolean varve_peek_state(VarvePeek *peek, const char *path, VarvePeekFile **ret, GError **error);
void varve_peek_file_free(VarvePeekFile *file);
