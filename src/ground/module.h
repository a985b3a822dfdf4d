/* Loading kernel modules from a list. libc only. */
#pragma once

/** VarveModuleChoice: the parameters that the module with this file name ("dm-verity.ko") is loaded
 *  with, "" for none; NULL leaves it out. */
typedef const char *(*VarveModuleChoice)(const char *name, void *data);

/**
 * varve_modules_load:
 * Loads the modules named in the file @list, one path a line, in order; empty lines and lines that
 * begin with '#' are skipped. A module that is already there, or built in, is fine. One that cannot
 * be loaded is told to @failed and the rest are still tried.
 *
 * Returns: the number that failed, or -1 with errno where the list cannot be read.
 */
int varve_modules_load(const char *list, VarveModuleChoice choice,
		       void (*failed)(const char *path, int errnum, void *data), void *data);
