/* What came before the base: the unified kernel image with its initrd, and the boot loader. A node
 * keeps a copy of the manifest that its initrd had; the image itself is asked where it lies, on the
 * ESP or in a file. */
#pragma once

#include "stack/report.h"
#include "trace/uki.h"

#define VARVE_BOOT_MANIFEST_COPY VARVE_RUN_DIR "/boot-manifest.json"

/**
 * varve_trace_boot_keep:
 * In the initrd: leaves its manifest, which is below @root_fd, where the running node finds it. An
 * initrd that has none leaves none.
 *
 * Errors: SYSTEM, CORRUPT.
 */
gboolean varve_trace_boot_keep(int root_fd, GError **error);

/** varve_trace_boot_manifest: that copy: a claim, for root can write there. Errors: NOT_FOUND,
 *  CORRUPT. */
VarveBootManifest *varve_trace_boot_manifest(GError **error);

/** The boot loader, as it lies on an ESP. */
typedef struct {
	char *path; /* "EFI/BOOT/BOOTX64.EFI" */
	guint64 size;
	VarveDigest digest;
	VarveEfiSignature signature;
} VarveTraceLoader;

typedef struct {
	VarveBootManifest *manifest; /* what is believed: the image's own, else the copy */
	VarveTraceUki *uki;          /* (nullable) the image that was looked at */
	GPtrArray *loaders;          /* VarveTraceLoader * */
	char *where;                 /* the image: "EFI/Linux/container_1+3.efi on /dev/vda1", "" */
	char *basis;                 /* what was compared with what, or why it could not be */
	gboolean verified;           /* an image was there, and its bytes are what is told */
	char *secure_boot;           /* "on", "off", or "" where that is not known */
	GPtrArray *problems;         /* char *, those of the image included */
} VarveTraceBoot;

VarveTraceBoot *varve_trace_boot_new(void);
void varve_trace_boot_free(VarveTraceBoot *boot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveTraceBoot, varve_trace_boot_free)

/* Below this directory of an ESP lie unified kernel images. */
#define VARVE_ESP_IMAGES "EFI/Linux"
#define VARVE_EFI_LIMIT ((size_t)512 * 1024 * 1024)

/** One EFI program, read whole. */
typedef struct {
	char *path;     /* relative to the ESP's root, or a file's name */
	gboolean image; /* a unified kernel image; else a boot loader */
	GBytes *bytes;
} VarveEspFile;

VarveEspFile *varve_esp_file_new(const char *path, gboolean image, GBytes *bytes);
void varve_esp_file_free(VarveEspFile *file);

/** varve_esp_read: (caller unrefs) VarveEspFile * of the ESP whose root is @fd: all images, and the
 *  boot loaders in EFI/BOOT and EFI/systemd. What cannot be read is left out. */
GPtrArray *varve_esp_read(int fd);

/**
 * varve_trace_boot_of:
 * From the EFI programs of an ESP (or a single image file). Where @copy is given, the image is the
 * one that has this very manifest; else the newest by version.
 *
 * @files: VarveEspFile *.
 * @copy: (nullable) the text of a manifest.
 * @place: where the files lie: "/dev/vda1", "container.disk.raw".
 *
 * Errors: NOT_FOUND (no image there, or one without a manifest), CORRUPT (also where none has
 * @copy), UNSUPPORTED.
 */
VarveTraceBoot *varve_trace_boot_of(const GPtrArray *files, const char *copy, const char *place,
				    GError **error);

/**
 * varve_trace_boot_node:
 * Of the running node: the image on the ESP beside @base (its root hash) that has the manifest
 * which the boot left; where that cannot be read, the copy alone, and it says so.
 *
 * Errors: NOT_FOUND (neither), CORRUPT.
 */
VarveTraceBoot *varve_trace_boot_node(const char *base, GError **error);

/** What of it is asked about. */
typedef enum {
	VARVE_BOOT_ASK_UKI,
	VARVE_BOOT_ASK_LOADER,
	VARVE_BOOT_ASK_FILE, /* of the initrd */
} VarveBootAsk;

/** varve_trace_boot_ask: whether @word is "uki", "boot-loader" or "initrd:PATH" (then @ret_path is
 *  the path, borrowed, relative). */
gboolean varve_trace_boot_ask(const char *word, VarveBootAsk *ret, const char **ret_path);

/** varve_trace_boot_follow: (caller unrefs) char *: the path and all links within the initrd that
 * it leads over, each relative, last what they lead to. Errors: NOT_FOUND, CORRUPT. */
GPtrArray *varve_trace_boot_follow(const VarveTraceBoot *boot, const char *path, GError **error);

/** (caller owns) everything, or one file of the initrd. */
json_t *varve_trace_boot_json(const VarveTraceBoot *boot);
json_t *varve_trace_boot_file_json(const VarveTraceBoot *boot, const VarveBootFile *file);
