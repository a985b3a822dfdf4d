/* How long reading takes: bench-definition toml FILE | load PATH | resolve PATH (load, and merge
 * what applies to every component). Prints the median of the runs, in milliseconds of CPU time: it
 * is all one thread's, and a busy machine does not change it much. */
#include "base/file.h"
#include "component/effective.h"
#include "definition/components.h"
#include "toml/toml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUNS 11

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1000 + (double)time.tv_nsec / 1e6;
}

static gboolean read_toml(const char *path, GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(VarveToml) toml = NULL;
	size_t size;

	if (!varve_file_read(AT_FDCWD, path, VARVE_TOML_MAX_SIZE, &text, &size, error))
		return FALSE;
	toml = varve_toml_parse(path, text, size, error);
	return toml != NULL;
}

static gboolean load(const char *path, GError **error)
{
	g_autoptr(VarveDefinition) definition = varve_definition_load(path, error);

	return definition != NULL;
}

static gboolean resolve(const char *path, GError **error)
{
	g_autoptr(VarveDefinition) definition = varve_definition_load(path, error);

	for (gsize i = 0; definition && i < definition->components->n_components; i++) {
		g_autoptr(VarveEffective) effective = varve_effective_new(
			definition, definition->components->components[i].name, error);

		if (!effective)
			return FALSE;
	}
	return definition != NULL;
}

static gboolean run(const char *what, const char *path, GError **error)
{
	if (strcmp(what, "toml") == 0)
		return read_toml(path, error);
	return strcmp(what, "load") == 0 ? load(path, error) : resolve(path, error);
}

int main(int argc, char **argv)
{
	double times[RUNS];
	g_autoptr(GError) error = NULL;

	if (argc != 3) {
		fprintf(stderr, "usage: bench-definition toml FILE | load PATH | resolve PATH\n");
		return 2;
	}
	for (gsize i = 0; i < RUNS; i++) {
		double start = now();
		gboolean good = run(argv[1], argv[2], &error);

		if (!good) {
			fprintf(stderr, "%s\n", error->message);
			return 1;
		}
		times[i] = now() - start;
	}
	qsort(times, RUNS, sizeof(times[0]), compare);
	printf("%.1f\n", times[RUNS / 2]);
	return 0;
}
