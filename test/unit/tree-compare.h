/* For tests of the EROFS reader: a directory with everything in it, and the comparison of what the
 * reader says with what the kernel says of a directory. */
#pragma once

#include "format/erofs.h"

/* Fills the empty directory @dir: long names, many names, links, sparse and large files, xattrs
 * (as far as we may set them), devices where we are root. */
void tree_make(const char *dir);

/* Runs mkfs.erofs; FALSE where it is not installed or does not know an option of @options. */
gboolean tree_mkfs(const char *image, const char *dir, const char *const *options);

/* Asserts that the walk over @image and a walk over the directory @dir tell the same. */
void tree_compare(const char *image, const char *dir);
