/* build/test/bench-render [LINES [TIMES]]: renders one component with an overlay of each kind that
 * changes a spec, without files, and tells the CPU time of one. */
#include "component/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char *make_spec(guint lines)
{
	GString *text = g_string_new(
		"%bcond_without tests\nName: demo\nVersion: 1.2.3\nRelease: 1%{?dist}\n"
		"License: MIT\nSource0: demo-%{version}.tar.gz\n");

	for (guint i = 0; i < 60; i++)
		g_string_append_printf(text, "BuildRequires:  library%u-devel >= %u.0\n", i, i);
	for (guint i = 0; i < 20; i++)
		g_string_append_printf(text,
				       "%%package part%u\nSummary: Part %u\n%%description part%u\n"
				       "Text.\n%%files part%u\n%%{_bindir}/part%u\n",
				       i, i, i, i, i);
	g_string_append(text, "%build\n");
	for (guint i = 0; i < lines / 2; i++)
		g_string_append_printf(text, "%s./configure --with-option%u=%%{_libdir}/demo \\\n",
				       i % 20 ? "" : "%if %{with tests}\n%endif\n", i);
	g_string_append(text, "%check\nmake check\n%files\n%changelog\n");
	for (guint i = 0; i < lines / 2; i++)
		g_string_append_printf(text, "- Rebuilt for the %uth time, see #%u\n", i, i * 7);
	return g_string_free(text, FALSE);
}

static const char *const lines[] = { "export CFLAGS=-O2", "# ours", NULL };

static const VarveSpecOverlay overlays[] = {
	{ .type = VARVE_OVERLAY_SPEC_ADD_TAG, .tag = "BuildRequires", .value = "one-more" },
	{ .type = VARVE_OVERLAY_SPEC_INSERT_TAG, .tag = "Source5", .value = "extra.conf" },
	{ .type = VARVE_OVERLAY_SPEC_SET_TAG, .tag = "Epoch", .value = "1" },
	{ .type = VARVE_OVERLAY_SPEC_UPDATE_TAG, .tag = "License", .value = "MIT AND BSD" },
	{ .type = VARVE_OVERLAY_SPEC_REMOVE_TAG,
	  .tag = "BuildRequires",
	  .value = "library7-devel >= 7.0" },
	{ .type = VARVE_OVERLAY_SPEC_PREPEND_LINES, .section = "%build", .lines = lines },
	{ .type = VARVE_OVERLAY_SPEC_APPEND_LINES, .section = "%files", .lines = lines },
	{ .type = VARVE_OVERLAY_SPEC_REMOVE_SUBPACKAGE, .package = "part3" },
	{ .type = VARVE_OVERLAY_SPEC_SEARCH_REPLACE,
	  .section = "%build",
	  .regex = "--with-option9=\\S+",
	  .replacement = "--without-option9" },
	{ .type = VARVE_OVERLAY_SPEC_SEARCH_REPLACE,
	  .regex = "Rebuilt for the 3th time",
	  .replacement = "x" },
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1000 + (double)time.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	static const char *const with[] = { "tests", NULL };
	static const char *const none[] = { NULL };
	guint n = argc > 1 ? (guint)atoi(argv[1]) : 2000,
	      times = argc > 2 ? (guint)atoi(argv[2]) : 1000;
	VarveComponent component = { .build = { .with = with,
						.without = none,
						.undefines = none,
						.check_skip = TRUE,
						.check_skip_reason = "slow" },
				     .overlays = overlays,
				     .n_overlays = G_N_ELEMENTS(overlays) };
	g_autofree char *text = make_spec(n);
	double start = now();
	guint rendered = 0;

	for (guint i = 0; i < times; i++) {
		g_autoptr(GError) error = NULL;
		VarveOverlayTarget target = { varve_spec_parse("a.spec", text, strlen(text), NULL),
					      "demo", -1 };

		if (!varve_render_apply(&target, &component, &error)) {
			fprintf(stderr, "%s\n", error->message);
			return 1;
		}
		g_string_free(varve_spec_print(target.spec), TRUE);
		rendered = varve_spec_lines(target.spec);
		varve_spec_free(target.spec);
	}
	printf("%zu overlays, %u lines: %.3f ms each\n", component.n_overlays, rendered,
	       (now() - start) / times);
	return 0;
}
