/* Installing RPM files into a root directory with librpm, contained: the transaction runs in a
 * child with mount, pid, network, ipc and uts namespaces of its own, and scriptlets only see the
 * root. Needs root. Nothing of the host's RPM configuration or database is used. */
#pragma once

#include "rpm/keys.h"
#include "rpm/package.h"

/** What to install and where. Zero-initialise; nothing is owned. */
typedef struct {
	const char *const *paths;            /* of RPM files, NULL-terminated, any order */
	const VarvePackageKeys *const *keys; /* NULL-terminated; a package must be signed by any */
	const char *root; /* an existing directory: empty, or (with @lower) what is added */
	const char
		*lower; /* (nullable) the base's root, only read: seen below @root while it runs */
	const char *work; /* an existing directory on @root's filesystem, empty: scratch */
	/* Where the RPM database is: inside the root ("usr/lib/sysimage/rpm"), where it stays; or
	 * NULL: outside, and nothing of it is left in the root. */
	const char *database;
	const char *read_database; /* (nullable) directory with the base's database, only read */
	const char
		*write_database; /* (nullable) directory, made: gets a copy of a NULL @database */
	/* (nullable) Numbers for owners' names, char * -> GUINT_TO_POINTER(id); a name that is in
	 * neither these nor the root's etc/passwd and etc/group afterwards is an error. root is
	 * always 0. */
	GHashTable *users;
	GHashTable *groups;
	gint64 epoch; /* install times in the database: seconds since the epoch */
	gboolean no_docs;
	void (*progress)(guint64 bytes, const char *nevra, gpointer data); /* nullable */
	gpointer progress_data;
} VarveTransaction;

/**
 * varve_transaction_run:
 * Verifies, orders and installs; that requirements are met is the solver's to see. Owners, set-id
 * bits and capabilities are in the end as the headers say, whatever users the root knew when a
 * package was unpacked. On failure @root holds a part of a system and is to be thrown away. No
 * other thread may be inside src/rpm meanwhile.
 *
 * Errors: UNTRUSTED (signature), CORRUPT (digest), CONFLICT (two packages with one path that
 * differs: names both and the path; a scriptlet that failed: names package and scriptlet and
 * carries the last lines that it wrote), NOT_FOUND (an owner without a number: names package, path
 * and owner), UNSUPPORTED (a package needs a feature that this librpm lacks), SYSTEM (disk full, no
 * namespaces).
 */
gboolean varve_transaction_run(const VarveTransaction *transaction, GError **error);
