/* The kernel's command line. libc only. */
#pragma once

#include <stddef.h>

#define VARVE_CMDLINE_SIZE 4096

/** varve_cmdline_read: reads /proc/cmdline without its newline. Returns 0, or -1 with errno. */
int varve_cmdline_read(char ret_text[VARVE_CMDLINE_SIZE]);

/**
 * varve_cmdline_get:
 * Looks for the word @key or @key=VALUE in @text; the last one counts. Double quotes hold blanks
 * together, as for the kernel. Words after a lone "--" belong to init and are not looked at.
 *
 * @ret_value: (nullable) the value, "" for a word without one; cut off at @size - 1 is a miss.
 *
 * Returns: 1 found, 0 not.
 */
int varve_cmdline_get(const char *text, const char *key, char *ret_value, size_t size);
