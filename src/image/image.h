/* From a base's tree and its sealed layers to a bootable disk: initrd, UKI and disk in one. */
#pragma once

#include "definition/definition.h"
#include "image/disk.h"
#include "image/initrd.h"
#include "image/uki.h"

/** VarveImage: zero-initialise, fill; nothing is owned. */
typedef struct {
	const VarveArch *arch;
	const char *name;                /* the edition */
	const char *version;             /* of the image */
	const char *root;                /* directory: the tree that @base was made from */
	const char *base;                /* host path of the sealed base layer */
	const char *const *layers;       /* (nullable) host paths of sealed extension layers */
	const char *init;                /* (nullable) as VarveInitrd has them */
	const char *varvectl;            /* (nullable) */
	const char *const *certificates; /* (nullable) */
	const char *const *modules;      /* (nullable) */
	const char *const *command_line; /* (nullable) further arguments of the kernel */
	const VarvePrivateKey *key; /* (nullable, both or none) the platform key: signs the UKI and
				     * the boot loader */
	const VarveCertificate *certificate;
	GBytes *const *enrolment;                /* (nullable) as VarveDisk has it */
	VarveCodeIntegrity code_integrity;       /* needs the platform key where it is not OFF */
	guint64 esp_size, slot_size, state_size; /* bytes; 0: as VarveDisk computes them */
	gint64 epoch;
	const VarveTools *tools;
} VarveImage;

/** What came out; clear with varve_image_summary_clear(). */
typedef struct {
	VarveInitrdSummary initrd;
	guint64 uki_size;
	double initrd_seconds, uki_seconds;
	VarveDiskSummary disk;
} VarveImageSummary;

void varve_image_summary_clear(VarveImageSummary *summary);

/**
 * varve_image_build:
 * Stub and boot loader are taken from the tree, else from the tools tree, else from the host.
 *
 * @ret_summary: (nullable).
 * Errors: as varve_initrd_build(), varve_uki_build() and varve_disk_build().
 */
gboolean varve_image_build(const VarveImage *image, const char *path,
			   VarveImageSummary *ret_summary, GError **error);
