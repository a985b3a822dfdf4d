/* The macros that every build of ours sees. */
#include "build/macros.h"

#include "build/chamber.h"

#include <string.h>

/* One macro; its value stands for itself ("%" doubled) unless @expands. */
static void put(GString *text, const char *name, const char *value, gboolean expands)
{
	g_string_append_printf(text, "%%%s ", name);
	for (const char *p = value; *p; p++) {
		if (*p == '%' && !expands)
			g_string_append_c(text, '%');
		g_string_append_c(text, *p == '\n' ? ' ' : *p);
	}
	g_string_append_c(text, '\n');
}

/* Debian keeps libraries by architecture; its rpm says so only where it was built for it. */
static void put_places(GString *text, const VarveBuildPlace *place)
{
	g_autofree char *libdir =
		place->upstream->type == VARVE_UPSTREAM_DEBIAN
			? g_strdup_printf("%%{_prefix}/lib/%s-linux-gnu", place->arch->rpm)
			: NULL;

	put(text, "_topdir", VARVE_BUILD_HOME, FALSE);
	put(text, "_sourcedir", VARVE_BUILD_SOURCES, FALSE);
	put(text, "_specdir", VARVE_BUILD_SOURCES, FALSE);
	put(text, "_tmppath", "/var/tmp", FALSE);
	put(text, "_dbpath", VARVE_BUILD_HOME "/.rpmdb", FALSE);
	if (libdir)
		put(text, "_libdir", libdir, TRUE);
	put(text, "_lib", "lib", FALSE);
	put(text, "_libexecdir", "%{_prefix}/libexec", TRUE);
	put(text, "_sharedstatedir", "/var/lib", FALSE);
	put(text, "_localstatedir", "/var", FALSE);
	put(text, "_sysconfdir", "/etc", FALSE);
	put(text, "_rundir", "/run", FALSE);
	put(text, "_unitdir", "%{_prefix}/lib/systemd/system", TRUE);
	put(text, "_tmpfilesdir", "%{_prefix}/lib/tmpfiles.d", TRUE);
	put(text, "_sysusersdir", "%{_prefix}/lib/sysusers.d", TRUE);
	put(text, "_udevrulesdir", "%{_prefix}/lib/udev/rules.d", TRUE);
}

/* The same inputs, the same bytes: nothing of the machine, of the moment or of the directory. */
static void put_reproducible(GString *text)
{
	static const char *const settings[][2] = {
		{ "_buildhost", "build" },
		{ "use_source_date_epoch_as_buildtime", "1" },
		{ "source_date_epoch_from_changelog", "1" },
		{ "clamp_mtime_to_source_date_epoch", "1" },
		{ "build_mtime_policy", "clamp_to_source_date_epoch" },
		{ "_binary_payload", "w15.zstdio" },
		{ "_source_payload", "w15.zstdio" },
		{ "_binary_filedigest_algorithm", "8" },
		{ "_source_filedigest_algorithm", "8" },
		{ "_build_id_links", "none" },
		{ "debug_package", "%{nil}" },
		{ "_enable_debug_packages", "0" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(settings); i++)
		put(text, settings[i][0], settings[i][1], TRUE);
}

/* rpm's optflags come from a table of processors that is stronger than macro files: who runs
 * rpmbuild puts these in their place. `march` is for a component's defines ("x86-64-v3"). */
static void put_flags(GString *text)
{
	static const char flags[] =
		"-O2 -g -pipe -Wall -fstack-protector-strong -fstack-clash-protection "
		"-D_FORTIFY_SOURCE=3 -ffile-prefix-map=%{_builddir}=/usr/src/debug "
		"%{?march:-march=%{march}}";

	put(text, "varve_optflags", flags, TRUE);
	put(text, "build_cflags", "%{varve_optflags}", TRUE);
	put(text, "build_cxxflags", "%{varve_optflags}", TRUE);
	put(text, "build_ldflags", "-Wl,-z,relro -Wl,-z,now -Wl,--as-needed", FALSE);
	put(text, "build_fflags", "%{varve_optflags}", TRUE);
}

char *varve_build_macros(const VarveBuildPlace *place, const char *facts)
{
	const VarveOs *os = &place->definition->os;
	g_autofree char *dist = g_strdup_printf(".%s%s", os->id, os->version_id);
	GString *text =
		g_string_new("# Made by varve for one component; docs/components-build.md\n");

	put_places(text, place);
	put_reproducible(text);
	put_flags(text);
	put(text, "dist", dist, FALSE);
	put(text, "vendor", os->vendor, FALSE);
	put(text, "distribution", os->name, FALSE);
	put(text, "packager", "%{nil}", TRUE);
	put(text, "disturl", facts, FALSE);
	return g_string_free(text, FALSE);
}
