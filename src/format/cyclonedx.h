/* CycloneDX 1.5 documents, JSON: https://cyclonedx.org/docs/1.5/json. */
#pragma once

#include "format/bom.h"

/**
 * varve_cyclonedx_write: the twin of varve_spdx_write(): the subject is the metadata's
 * component, of type operating-system for an image or a base, else application; packages are
 * components of type library.
 */
char *varve_cyclonedx_write(const VarveBom *bom);
