/* The initial RAM filesystem: varve-init as /init, varvectl with the libraries that it needs, the
 * kernel modules of the boot unpacked and in load order, the base's certificates. All of it comes
 * from the base's own tree, so that the initrd runs what the base runs. */
#pragma once

#include "format/partition-types.h"
#include "image/boot-record.h"

#include <glib.h>

#define VARVE_INITRD_MODULES "usr/lib/varve/initrd/modules" /* one path of a .ko a line */
/* There where no certificate but development ones may sign the base. */
#define VARVE_INITRD_DEVELOPMENT "usr/lib/varve/initrd/development"
/* There where the edition asks for code integrity: "audit" or "enforce", and the signed policy. */
#define VARVE_INITRD_INTEGRITY "usr/lib/varve/initrd/code-integrity"
#define VARVE_INITRD_INTEGRITY_POLICY "usr/lib/varve/initrd/code-integrity.p7b"
#define VARVE_INITRD_LIMIT (64 * 1024 * 1024) /* unpacked, a guard against slips */

/**
 * VarveInitrd: what goes in. Zero-initialise, fill; nothing is owned.
 */
typedef struct {
	const char *root; /* directory: the base's tree */
	const VarveArch *arch;
	const char *kernel_version; /* (nullable) NULL: the only one below usr/lib/modules */
	const char *init; /* (nullable) host path; NULL: varve-init of the tree's usr/libexec/varve
			     or usr/lib/varve */
	const char *varvectl; /* (nullable) host path; NULL: usr/bin/varvectl of the tree */
	/* (nullable) modules by name, beside those that every boot needs. One that the kernel does
	 * not have is NOT_FOUND; of the built-in list those that are missing are left out. */
	const char *const *modules;
	/* (nullable) host paths; NULL: what usr/lib/verity.d of the tree holds. They go to the same
	 * place in the initrd: whom the base's signature is checked against. */
	const char *const *certificates;
	/* (nullable, both or none) "audit" or "enforce", and the signed policy */
	const char *code_integrity;
	GBytes *code_integrity_policy;
	gint64 epoch; /* every file's time */
	/* (nullable) what else the image is made of; files are added to it, and the manifest goes
	 * into the initrd as VARVE_BOOT_MANIFEST. NULL: it has none. */
	VarveBootRecord *record;
} VarveInitrd;

/** What came out, for reports; the strings belong to it. */
typedef struct {
	char *kernel_version;
	guint n_files, n_modules, n_libraries;
	guint64 unpacked, packed; /* bytes */
} VarveInitrdSummary;

void varve_initrd_summary_clear(VarveInitrdSummary *summary);

/**
 * varve_initrd_build:
 * Makes the archive: newc cpio, zstd. The same tree and arguments give the same bytes.
 *
 * Libraries are found as the dynamic linker would: DT_RPATH and DT_RUNPATH with $ORIGIN,
 * ld.so.conf, the default directories; links are followed inside the tree only. What is opened
 * with dlopen() is not seen.
 *
 * @ret_summary: (nullable) cleared by the caller.
 *
 * Errors: NOT_FOUND (a program, library or module that is not in the tree; says who needs it),
 * CORRUPT (a file that is not what its name says, or of another architecture), SYSTEM.
 */
GBytes *varve_initrd_build(const VarveInitrd *initrd, VarveInitrdSummary *ret_summary,
			   GError **error);

/**
 * varve_initrd_kernel_version:
 * The only directory below usr/lib/modules of @root.
 *
 * Returns: (caller frees) or NULL: NOT_FOUND where there is none, CONFLICT where there are more.
 */
char *varve_initrd_kernel_version(const char *root, GError **error);
