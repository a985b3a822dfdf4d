/* The disk that a machine of `varve run` gets, and what is put into its state partition before. */
#pragma once

#include "compose/tools.h"

#include <glib.h>

/** What to put into the state partition; zero-initialise, fill. */
typedef struct {
	const char *authorized_key; /* (nullable) host path of a public key: root may log in */
	const char *const *layers;  /* (nullable) host paths of layer files */
} VarveInjection;

gboolean varve_injection_is_empty(const VarveInjection *injection);

/**
 * varve_throwaway_overlay: a qcow2 file @to that records what differs from the raw image @from.
 */
gboolean varve_throwaway_overlay(const char *from, const char *to, GError **error);

/** varve_throwaway_copy: a raw copy @to of @from. */
gboolean varve_throwaway_copy(const char *from, const char *to, GError **error);

/**
 * varve_throwaway_inject:
 * Writes into the ext4 state partition of the raw image @disk, which nobody has mounted. A file
 * that is there is replaced.
 *
 * Errors: CORRUPT (no partition table), NOT_FOUND (no state partition, or @injection names a file
 * that is not there), SYSTEM (the partition is full).
 */
gboolean varve_throwaway_inject(const VarveTools *tools, const char *disk,
				const VarveInjection *injection, GError **error);
