/* What a boot would take from a state partition, without booting: which generation, which files,
 * and whether they are what its record says, to the last byte. For replayed power cuts.
 *
 *   decide DIRECTORY BASE    DIRECTORY: where the partition is mounted; BASE: the base's root hash
 *
 * Prints "GENERATION SELECTION FILE=ROOT…" on one line; ends with 1 where a file is not right. */
#include "ground/fd.h"
#include "layer/layer.h"
#include "stack/select.h"
#include "stack/turn.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int open_below(const char *directory, const char *name)
{
	g_autofree char *path = g_build_filename(directory, name, NULL);

	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Prints the file with its root hash. */
static gboolean look_at(int dirfd, const char *file, const VarveGeneration *current, GError **error)
{
	varve_autofd fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC);
	g_autoptr(VarveLayer) layer = NULL;
	char hex[VARVE_DIGEST_HEX_SIZE];

	if (fd < 0)
		return varve_fail_errno(error, errno, "%s", file);
	layer = varve_layer_open(fd, file, error);
	if (!layer || !varve_layer_check_data(layer, error))
		return FALSE;
	for (guint i = 0; current && i < current->layers->len; i++) {
		const VarveGenerationLayer *record = current->layers->pdata[i];

		if (strcmp(record->file, file) == 0 &&
		    !varve_digest_equal(&record->root, varve_layer_root(layer)))
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: not the layer of its record", file);
	}
	varve_digest_to_hex(varve_layer_root(layer), hex);
	printf(" %s=%.16s", file, hex);
	return TRUE;
}

static gboolean print_files(int layers, const VarveTurn *turn, VarveReport *report, GError **error)
{
	const VarveGeneration *current = turn->current;
	gboolean listed = current && current->selection == VARVE_SELECTION_LISTED;
	g_auto(GStrv) files = varve_select_files(&(VarveSelecting){ .layers_fd = layers,
								    .current = current,
								    .history = turn->history },
						 report);
	g_autofree char *before = NULL;

	printf("%u %s", current ? current->number : 0,
	       current ? varve_selection_name(current->selection) : "none");
	for (char **file = files; *file; file++) {
		g_autofree char *name = NULL, *version = NULL;

		/* Of one name the newest only. */
		if (!varve_select_split_name(*file, &name, &version) ||
		    (!listed && before && strcmp(before, name) == 0))
			continue;
		g_free(before);
		before = g_steal_pointer(&name);
		if (!look_at(layers, *file, current, error))
			return FALSE;
	}
	return TRUE;
}

int main(int argc, char **argv)
{
	varve_autofd layers = argc == 3 ? open_below(argv[1], VARVE_CANDIDATES_DIR) : -1;
	varve_autofd generations = argc == 3 ? open_below(argv[1], VARVE_GENERATIONS_DIR) : -1;
	g_autoptr(VarveReport) report = varve_report_new();
	g_auto(VarveTurn) turn = { NULL };
	g_autoptr(GError) error = NULL;
	VarveDigest base;

	if (argc != 3 || !varve_digest_from_hex(argv[2], &base)) {
		fputs("usage: decide DIRECTORY BASE\n", stderr);
		return 2;
	}
	varve_turn_find(generations, layers, &base, TRUE, report, &turn);
	if (!print_files(layers, &turn, report, &error)) {
		putchar('\n');
		fprintf(stderr, "decide: %s\n", error->message);
		return 1;
	}
	putchar('\n');
	/* What a boot would only warn of must not come from a power cut. */
	for (guint i = 0; i < report->warnings->len; i++)
		fprintf(stderr, "decide: %s\n", (const char *)report->warnings->pdata[i]);
	return report->warnings->len > 0 || report->complaints->len > 0;
}
