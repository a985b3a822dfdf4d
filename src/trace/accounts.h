/* Whether what differs in the account files is only what signed layers declare: passwd(5),
 * group(5), shadow(5), gshadow(5), sysusers.d(5). */
#pragma once

#include "trace/stack.h"

/** varve_accounts_is_file: whether "/etc/passwd" and its like is what @path names. */
gboolean varve_accounts_is_file(const char *path);

/** varve_accounts_declare: adds the names that the lines of a sysusers.d file make, users and
 *  groups. */
void varve_accounts_declare(const char *text, GHashTable *names);

/**
 * varve_accounts_explained:
 * Whether @found is @signed_text with nothing but lines for @names added, none of which lets
 * anybody in: an added user has neither number 0 nor a password.
 *
 * @file: the name in /etc, which says what the fields are.
 */
gboolean varve_accounts_explained(const char *file, const char *signed_text, const char *found,
				  GHashTable *names);

/** varve_accounts_declared: (caller unrefs) the names that all layers of @stack declare.
 *  Errors: CORRUPT, SYSTEM. */
GHashTable *varve_accounts_declared(const VarveTraceStack *stack, GError **error);
