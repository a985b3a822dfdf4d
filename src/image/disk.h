/* The bootable disk: a GPT with the ESP (boot loader, UKI), slot A with the sealed base, an empty
 * slot B, and the state partition with the extension layers (design.md §5, Image). */
#pragma once

#include "base/digest.h"
#include "compose/tools.h"
#include "format/partition-types.h"
#include "image/enrolment.h"

#include <glib.h>

/* The partitions' names; their order on the disk is that of this list. */
#define VARVE_DISK_ESP "esp"
#define VARVE_DISK_BASE_A "base-A"
#define VARVE_DISK_BASE_A_VERITY "base-A-verity"
#define VARVE_DISK_BASE_A_SIGNATURE "base-A-sig"
#define VARVE_DISK_BASE_B "base-B"
#define VARVE_DISK_BASE_B_VERITY "base-B-verity"
#define VARVE_DISK_BASE_B_SIGNATURE "base-B-sig"
#define VARVE_DISK_STATE "state"

#define VARVE_STATE_LAYERS "var/lib/varve/layers"

/** VarveDisk: what goes in. Zero-initialise, fill; nothing is owned. */
typedef struct {
	const VarveArch *arch;
	const char *name;          /* the edition: names the UKI, seeds the disk's ids */
	const char *version;       /* of the image; both [0-9A-Za-z.~^-] and no underscore */
	const char *base;          /* host path of the sealed base layer */
	const char *const *layers; /* (nullable) host paths of sealed extension layers */
	GBytes *uki;
	GBytes *boot_loader; /* varve_uki_boot_loader() */
	/* (nullable) varve_enrolment_sign(), by VarveEnrolmentVariable; where they are NULL too the
	 * boot loader has no keys to offer. */
	GBytes *const *enrolment;
	/* Bytes; 0 is computed: ESP for three UKIs (128 MiB at least), slots for a base half as
	 * large again (256 MiB at least), state for twice the layers and 1 GiB. */
	guint64 esp_size;
	guint64 slot_size; /* of the data partition; verity's and signature's follow */
	guint64 state_size;
	gint64 epoch;
	const VarveTools *tools; /* mkfs.vfat, mtools, mkfs.ext4 */
} VarveDisk;

/** What came out, for reports. */
typedef struct {
	guint64 size, allocated; /* bytes of the file; of the blocks that it occupies */
	guint64 esp_size, slot_size, state_size;
	char root_hash[VARVE_DIGEST_HEX_SIZE];
	double seconds;
} VarveDiskSummary;

/**
 * varve_disk_build:
 * Writes the disk to @path: sparse, 512-byte sectors, the same bytes for the same input. It
 * appears under its name only when it is whole; a full disk leaves nothing.
 *
 * Errors: NOT_FOUND, CORRUPT (@base or a layer is not a sealed layer), USAGE (names, a size that
 * is too small: says how much is needed), CONFLICT (two layers with one file name), SYSTEM.
 */
gboolean varve_disk_build(const VarveDisk *disk, const char *path, VarveDiskSummary *ret_summary,
			  GError **error);

/** varve_disk_uki_name: (caller frees) "NAME_VERSION+3.efi", with three attempts to boot. */
char *varve_disk_uki_name(const char *name, const char *version);

/** varve_disk_file_name: (caller frees) "NAME_VERSION_ARCH.disk.raw": how a build calls it. */
char *varve_disk_file_name(const char *name, const char *version, const VarveArch *arch);

/**
 * varve_disk_find: the newest (by version) disk of the edition @name in @directory.
 * Returns: (caller frees) its path, or NULL: NOT_FOUND, SYSTEM.
 */
char *varve_disk_find(const char *directory, const char *name, const VarveArch *arch,
		      GError **error);
