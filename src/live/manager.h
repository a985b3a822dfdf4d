/* The service manager's side of a swap: what systemd and its helpers have to be told when /usr
 * changes, in which order, and whether all is well afterwards. */
#pragma once

#include "live/changes.h"

/** What a swap asks for; made before the commit, when nothing has happened yet. Strings are owned.
 */
typedef struct {
	gboolean reload_manager; /* units changed: daemon-reload */
	gboolean reexec_manager; /* its own program or libraries changed: daemon-reexec */
	gboolean reload_dbus;
	gboolean reload_udev;
	char **sysusers; /* configuration files that are new or changed */
	char **tmpfiles;
	char **sysctl;
	char **modules; /* modules-load.d */
	char **preset;  /* units that are new: enabled by preset, and started where enabled */
	char **stop;    /* units whose file is gone */
	char **restart, **reload; /* units that the layers name, and that are active */
	char **ask;               /* named to the operator, left alone */
	GPtrArray *checks;        /* VarveManifestCheck *, of all layers of the new stack */
} VarveManagerWork;

/**
 * varve_manager_plan:
 * @before, @after: VarveMounted *, lowest first: their manifests say which units a layer restarts.
 */
VarveManagerWork *varve_manager_plan(const VarveChanges *changes, const GPtrArray *before,
				     const GPtrArray *after);
void varve_manager_work_free(VarveManagerWork *work);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveManagerWork, varve_manager_work_free)

/** How the units were before a swap. */
typedef struct VarveManagerBefore VarveManagerBefore;
/** varve_manager_look: which units are active, failed, loaded. Errors: SYSTEM (no systemd). */
VarveManagerBefore *varve_manager_look(GError **error);
void varve_manager_before_free(VarveManagerBefore *before);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveManagerBefore, varve_manager_before_free)

/**
 * varve_manager_apply:
 * Does @work after the commit, in the order: what /etc and /var get (sysusers, tmpfiles with the
 * factory copies that nobody changed), daemon-reload or -reexec, D-Bus, udev, sysctl, units that
 * go, units that change, units that come. Goes on after an error, so that as much as possible is
 * right.
 *
 * @done: (element-type utf8) gets a sentence for each thing that was done ("restarted
 * containerd.service").
 * Errors: SYSTEM: what went wrong first, naming the unit or file.
 */
gboolean varve_manager_apply(const VarveManagerWork *work, GPtrArray *done, GError **error);

/** varve_manager_restart: restarts the units that were found to run old code beside those of @work,
 *  each once; pid 1 by re-executing it; those under `ask` are left. */
gboolean varve_manager_restart(const VarveManagerWork *work, const char *const *units,
			       GPtrArray *done, GError **error);

/**
 * varve_manager_healthy:
 * Waits up to @window seconds until: every unit that was active before is active (unless @work
 * stops it), none failed that had not, none restarts again and again, and every check passes.
 * Returns as soon as that holds and has held for a moment.
 *
 * Errors: REFUSED: which unit or check is not well, with what it last said.
 */
gboolean varve_manager_healthy(const VarveManagerBefore *before, const VarveManagerWork *work,
			       guint window, GError **error);
