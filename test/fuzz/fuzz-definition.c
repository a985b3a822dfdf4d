/* Definitions of one file: loaded, or refused with a report; never a crash. */
#include "base/error.h"
#include "definition/components.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gboolean mentions(const uint8_t *data, size_t size, const char *word)
{
	return memmem(data, size, word, strlen(word)) != NULL;
}

static void use(const VarveDefinition *definition)
{
	for (gsize i = 0; i < definition->n_editions; i++) {
		const VarveEdition *edition = &definition->editions[i];
		g_autofree char *end = varve_edition_support_end(definition, edition);
		g_auto(GStrv) packages = varve_layer_definition_packages(
			edition->base, edition->upstream, "amd64", "x86_64", NULL);

		if (!edition->base || !edition->upstream || !packages)
			__builtin_trap();
	}
	for (gsize i = 0; i < definition->n_layers; i++) {
		const VarveLayerDefinition *layer = &definition->layers[i];

		if (!layer->exclude || !layer->keep || !layer->enable || !layer->key)
			__builtin_trap();
		for (gsize j = 0; j < layer->n_entries; j++)
			if (*layer->entries[j].path != '/')
				__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *path = NULL;
	g_autoptr(VarveDefinition) definition = NULL;
	g_autoptr(GError) error = NULL;
	int fd;

	/* Other files are not part of the input. */
	if (mentions(data, size, "includes") || mentions(data, size, "overlay-files") ||
	    mentions(data, size, "\\u") || mentions(data, size, "\\U"))
		return 0;
	fd = memfd_create("definition", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		__builtin_trap();
	path = g_strdup_printf("/proc/self/fd/%d", fd);
	definition = varve_definition_load(path, &error);
	close(fd);
	if (definition)
		use(definition);
	else if (!g_error_matches(error, VARVE_ERROR, VARVE_ERROR_DEFINITION))
		__builtin_trap();
	return 0;
}
