/* Making development keys: private keys and self-signed certificates, marked as such. */
#pragma once

#include <glib.h>

/**
 * varve_authority_make:
 * Writes @dir/@name.key (PEM, mode 0600) and @dir/@name.crt (PEM, 0644): RSA 3072 (what the kernel
 * and firmware of today verify), ten years, CN=@name, with the extension that marks a development
 * certificate. Existing files are left alone and are a CONFLICT.
 */
gboolean varve_authority_make(const char *dir, const char *name, GError **error);
