/* SPDX 2.3 documents, JSON: https://spdx.github.io/spdx-spec/v2.3. */
#pragma once

#include "format/bom.h"

/**
 * varve_spdx_write:
 * One layer: the root SPDXRef-DocumentRoot is the layer and contains its packages. More: the root
 * is the image, contains the layers, and each of them its packages. Packages are
 * SPDXRef-Package-<i>-<name>, in the order of the manifests.
 *
 * Returns: (caller frees) sorted keys, indent 2, final newline; the same input is the same bytes.
 */
char *varve_spdx_write(const VarveBom *bom);
