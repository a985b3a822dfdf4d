/* Progress with rate and ETA on a terminal, plain lines elsewhere. */
#include "base/progress.h"

#include "base/text.h"

#include <stdio.h>
#include <unistd.h>

#define QUIET_US (G_USEC_PER_SEC) /* nothing is shown before */
#define REDRAW_US (G_USEC_PER_SEC / 10)
#define LINE_US (10 * G_USEC_PER_SEC) /* between plain lines */

struct VarveProgress {
	char *title;
	VarveProgressUnit unit;
	guint64 total, done;
	gint64 started, shown;
	gboolean terminal, drawn;
	GMutex lock;
};

static gboolean quiet;

void varve_progress_set_quiet(gboolean value)
{
	quiet = value;
}

VarveProgress *varve_progress_new(const char *title, VarveProgressUnit unit, guint64 total)
{
	VarveProgress *progress = g_new0(VarveProgress, 1);

	progress->title = g_strdup(title);
	progress->unit = unit;
	progress->total = total;
	progress->started = progress->shown = g_get_monotonic_time();
	progress->terminal = isatty(STDERR_FILENO);
	g_mutex_init(&progress->lock);
	return progress;
}

static char *amount_text(const VarveProgress *progress, gint64 now)
{
	double seconds = (double)(now - progress->started) / G_USEC_PER_SEC;
	g_autofree char *done = NULL, *total = NULL, *rate = NULL;

	if (progress->unit == VARVE_PROGRESS_ITEMS) {
		if (progress->total)
			return g_strdup_printf("%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT,
					       progress->done, progress->total);
		return g_strdup_printf("%" G_GUINT64_FORMAT, progress->done);
	}
	done = varve_size_text(progress->done);
	rate = varve_size_text((guint64)((double)progress->done / MAX(seconds, 0.001)));
	if (!progress->total)
		return g_strdup_printf("%s, %s/s", done, rate);
	total = varve_size_text(progress->total);
	return g_strdup_printf("%s of %s, %s/s", done, total, rate);
}

static void show(VarveProgress *progress, gint64 now, const char *current)
{
	g_autofree char *amount = amount_text(progress, now);
	g_autofree char *eta = NULL;

	if (progress->total && progress->done && progress->done <= progress->total) {
		gint64 spent = now - progress->started;
		double left = (double)spent * (double)(progress->total - progress->done) /
			      (double)progress->done / G_USEC_PER_SEC;

		eta = g_strdup_printf(", %.0f s left", left);
	}
	fprintf(stderr, progress->terminal ? "\r\033[K%s: %s%s %.40s" : "%s: %s%s %s\n",
		progress->title, amount, eta ? eta : "", current ? current : "");
	fflush(stderr);
	progress->shown = now;
	progress->drawn = progress->terminal;
}

void varve_progress_add(VarveProgress *progress, guint64 amount, const char *current)
{
	gint64 now = g_get_monotonic_time();

	g_mutex_lock(&progress->lock);
	progress->done += amount;
	if (!quiet && now - progress->started > QUIET_US &&
	    now - progress->shown > (progress->terminal ? REDRAW_US : LINE_US))
		show(progress, now, current);
	g_mutex_unlock(&progress->lock);
}

void varve_progress_end(VarveProgress *progress, const char *format, ...)
{
	double seconds = (double)(g_get_monotonic_time() - progress->started) / G_USEC_PER_SEC;
	g_autofree char *message = NULL;
	va_list args;

	if (quiet)
		return;
	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	fprintf(stderr, "%s%s (%.1f s)\n", progress->drawn ? "\r\033[K" : "", message, seconds);
	progress->drawn = FALSE;
}

void varve_progress_free(VarveProgress *progress)
{
	if (!progress)
		return;
	if (progress->drawn)
		fputs("\r\033[K", stderr);
	g_mutex_clear(&progress->lock);
	g_free(progress->title);
	g_free(progress);
}
