/* A node's state for tests of its records: a directory of generations and one of layers. */
#pragma once

#include "base/file.h"
#include "ground/fd.h"
#include "stack/generation.h"

#include <sys/stat.h>

typedef struct {
	char *dir;
	int generations, layers;
	VarveDigest base;
} Fixture;

static inline int make_dir(const char *parent, const char *name)
{
	g_autofree char *path = g_build_filename(parent, name, NULL);
	int fd;

	g_assert_cmpint(mkdir(path, 0755), ==, 0);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_assert_cmpint(fd, >=, 0);
	return fd;
}

static inline void setup(Fixture *f, gconstpointer data)
{
	(void)data;
	f->dir = g_dir_make_tmp("varve-state-XXXXXX", NULL);
	f->generations = make_dir(f->dir, "generations");
	f->layers = make_dir(f->dir, "layers");
	f->base.bytes[0] = 1;
}

static inline void teardown(Fixture *f, gconstpointer data)
{
	(void)data;
	close(f->generations);
	close(f->layers);
	varve_dir_remove(AT_FDCWD, f->dir, NULL);
	g_free(f->dir);
}

static inline char *file_of(char layer)
{
	return g_strdup_printf("%c_1_x86-64.raw", layer);
}

/* A generation with a layer for each letter; a capital one was brought by the swap itself. */
static inline VarveGeneration *make(const Fixture *f, const char *layers)
{
	VarveGeneration *generation = varve_generation_new();

	generation->base = f->base;
	generation->selection = VARVE_SELECTION_LISTED;
	for (; *layers; layers++) {
		char letter = g_ascii_tolower(*layers);
		g_autofree char *name = g_strndup(&letter, 1), *file = file_of(letter);
		VarveDigest root = { { (guint8)letter } };
		VarveGenerationLayer *layer = varve_generation_layer_new(name, "1", file, &root);

		layer->staged = letter != *layers;
		g_ptr_array_add(generation->layers, layer);
	}
	return generation;
}
