/* Deviations that every node has: told apart, never hidden. */
#include "base/text.h"
#include "trace/drift.h"

typedef struct {
	VarveDriftKind kind;
	const char *glob, *why;
	guint only; /* VarveChange bits: where more than these differ it is not that; 0: any */
} Expected;

static const Expected table[] = {
	{ VARVE_DRIFT_CHANGED, "/etc/machine-id", "made by the first boot" },
	{ VARVE_DRIFT_ADDED, "/etc/ssh/ssh_host_*_key",
	  "the node's own key, made by the first boot" },
	{ VARVE_DRIFT_ADDED, "/etc/ssh/ssh_host_*_key.pub",
	  "the node's own key, made by the first boot" },
	{ VARVE_DRIFT_CHANGED, "/etc/resolv.conf", "written by the network's configuration" },
	{ VARVE_DRIFT_ADDED, "/etc/resolv.conf", "written by the network's configuration" },
	{ VARVE_DRIFT_ADDED, "/etc/adjtime", "what the hardware clock is set to" },
	{ VARVE_DRIFT_ADDED, "/etc/.pwd.lock", "the lock of the account files" },
	{ VARVE_DRIFT_ADDED, "/etc/passwd-", "the account file before its last change" },
	{ VARVE_DRIFT_ADDED, "/etc/group-", "the account file before its last change" },
	{ VARVE_DRIFT_ADDED, "/etc/shadow-", "the account file before its last change" },
	{ VARVE_DRIFT_ADDED, "/etc/gshadow-", "the account file before its last change" },
	{ VARVE_DRIFT_CHANGED, "/etc/.updated", "when systemd last looked for updates" },
	{ VARVE_DRIFT_CHANGED, "/var/.updated", "when systemd last looked for updates" },
	{ VARVE_DRIFT_CHANGED, "/etc/credstore", "kept from others by systemd-tmpfiles",
	  VARVE_CHANGE_MODE },
	{ VARVE_DRIFT_CHANGED, "/etc/credstore.encrypted", "kept from others by systemd-tmpfiles",
	  VARVE_CHANGE_MODE },
	{ VARVE_DRIFT_ADDED, "/etc/cni", "made by containerd" },
	{ VARVE_DRIFT_ADDED, "/etc/cni/net.d", "made by containerd" },
};

const char *varve_drift_expected(VarveDriftKind kind, const char *path, guint differs)
{
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		if (table[i].only && differs & ~table[i].only)
			continue;
		if (table[i].kind == kind && varve_glob_match(table[i].glob, path))
			return table[i].why;
	}
	return NULL;
}
