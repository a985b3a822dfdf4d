/* The service manager's side of a swap: what systemd and its helpers have to be told when /usr
 * changes, in which order, and whether all is well afterwards. */
#pragma once

#include "live/changes.h"

/** What a swap asks for; made before the commit, when nothing has happened yet. Everything is
 *  owned. Configuration files are named as their programs look for them: "varve-ssh.conf", so that
 *  one of the same name in /etc counts instead. */
typedef struct {
	gboolean reload_manager; /* units changed: daemon-reload */
	gboolean reexec_manager; /* its own program or libraries changed: daemon-reexec */
	gboolean reload_dbus;
	gboolean reload_udev;
	GPtrArray *copies; /* VarveFactoryCopy *: of /etc and /var, to be brought up to date */
	char **sysusers;   /* configuration files that are new or changed */
	char **tmpfiles;
	char **sysctl;
	char **modules; /* modules-load.d */
	char **preset;  /* units that are new: enabled by preset */
	char **start;   /* those, and units that something wants now: started where an active
			 * unit wants them */
	char **stop;    /* units whose file is gone, or masked; templates for all instances */
	char **changed; /* units whose file or drop-in is another: told */
	char **restart, **reload; /* units that the layers name; only what is active is touched */
	char **ask;               /* named to the operator, left alone */
	/* What the layers of the new stack say of units that are found to run old code: by `ask`,
	 * by `reload`. */
	char **found_ask, **found_reload;
	GPtrArray *checks; /* VarveManifestCheck *, of all layers of the new stack */
} VarveManagerWork;

/**
 * varve_manager_plan:
 * @before, @after: VarveMounted *, lowest first: their manifests say which units a layer restarts.
 * Only those of a layer count that is in one of them only and of which a file changed that is more
 * than its description. `ask` is stronger than `restart`, and that than `reload`, whoever says it.
 * The way back is the plan of the opposite changes: what was updated is updated back.
 */
VarveManagerWork *varve_manager_plan(const VarveChanges *changes, const GPtrArray *before,
				     const GPtrArray *after);
void varve_manager_work_free(VarveManagerWork *work);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveManagerWork, varve_manager_work_free)

/** How the units were before a swap. */
typedef struct VarveManagerBefore VarveManagerBefore;
/** varve_manager_look: which units are active, failed, loaded. Errors: NOT_FOUND, SYSTEM (no
 *  systemd). */
VarveManagerBefore *varve_manager_look(GError **error);
void varve_manager_before_free(VarveManagerBefore *before);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VarveManagerBefore, varve_manager_before_free)

/**
 * varve_manager_apply:
 * Does @work after the commit, in the order: units that go (by their definition as it is loaded),
 * what /etc and /var get (sysusers, the factory copies that nobody changed, tmpfiles), kernel
 * modules, sysctl, presets, daemon-reload or -reexec, D-Bus, udev, units that change (reload,
 * restart), units that come. Goes on after an error, so that as much as possible is right. Every
 * step has a time limit.
 *
 * @before: what was active then and is not any more is started again, also where it failed
 * meanwhile: on the way back from a swap that was not well that is what is missing.
 * @done: (element-type utf8) gets a sentence for each thing that was done ("restarted
 * containerd.service"), and for what was left on purpose ("left ...").
 * Errors: SYSTEM: what went wrong first, naming the unit or file.
 */
gboolean varve_manager_apply(const VarveManagerWork *work, const VarveManagerBefore *before,
			     GPtrArray *done, GError **error);

/**
 * varve_manager_restart:
 * After varve_manager_apply(): restarts the units that were found to run old code and that it has
 * not restarted already; pid 1 (init.scope) by re-executing it. Those for which a layer says so,
 * changed or not, are reloaded, or left (`ask`) and named, and so are those that nobody may restart
 * from here: the bus, sessions and what belongs to them, terminals, the layers' own service, and
 * the unit that this runs in.
 */
gboolean varve_manager_restart(const VarveManagerWork *work, const char *const *units,
			       GPtrArray *done, GError **error);

/**
 * varve_manager_healthy:
 * Waits up to @window seconds until: every unit that was active before is active (unless @work
 * stops it), none failed that had not, none restarts again and again, and every check passes.
 * Returns as soon as that holds and has held for a moment; fails as soon as it cannot hold any
 * more.
 *
 * Errors: REFUSED: which unit or check is not well, with what it last said. SYSTEM (no answer from
 * the manager).
 */
gboolean varve_manager_healthy(const VarveManagerBefore *before, const VarveManagerWork *work,
			       guint window, GError **error);
