/* What the parts of forge share: a row of the table and the layer that is being made of it.
 * Everything stops the program where it does not work: a test must not go on with half a layer. */
#pragma once

#include "device/labels.h"
#include "format/partition-types.h"
#include "layer/layer.h"

#define FORGE_VERSION "1.0"

/** What all rows are made with. */
typedef struct {
	const char *keys;                 /* directory with NAME.key and NAME.crt */
	const char *layers;               /* where the files go */
	char *scratch;                    /* where trees and images are made */
	VarveLabels *labels;              /* (nullable) of the base's SELinux policy */
	const VarveManifest *base;        /* which OS the layers are for */
	const VarvePathTable *base_paths; /* what patches override */
	GHashTable *made;                 /* name of a row → path of its file */
} ForgeShop;

/** One layer on its way from a tree to a file. */
typedef struct {
	const ForgeShop *shop;
	char *tree;  /* directory */
	char *image; /* EROFS */
	char *file;  /* name in the layers directory */
	char *path;  /* of the file */
	char *key;   /* who signs: NAME of keys/NAME.key */
	char *stem;  /* of manifest and path table: the layer's name, unless it lies about that */
	VarveManifest *manifest;
	const VarveArch *arch;  /* of the partition types */
	GPtrArray *paths;       /* VarvePath *, for the path table */
	GHashTable *own_labels; /* path → label: instead of the policy's */
	gboolean no_manifest, no_table, wrong_digest, unknown_member, unlabelled, garbage_image;
} Forged;

/** When a step is taken; each stage's steps in the order of the row. */
typedef enum {
	FORGE_NAME,     /* before anything is made */
	FORGE_TREE,     /* files */
	FORGE_MANIFEST, /* what the layer says of itself */
	FORGE_TABLE,    /* what its path table says */
	FORGE_SEALED,   /* bytes of the file that was sealed */
	FORGE_INSTEAD,  /* something else in the place of a layer; nothing was made */
} ForgeStage;

typedef struct {
	const char *name;
	ForgeStage stage;
	guint n_arguments;
	void (*take)(Forged *forged, char *const *arguments);
} ForgeStep;

/** (static) the steps of each file; end with a NULL name. */
extern const ForgeStep forge_tree_steps[];
extern const ForgeStep forge_file_steps[];

/** forge_die: says why and ends the program. */
void forge_die(const char *format, ...) G_GNUC_PRINTF(1, 2) G_GNUC_NORETURN;
/** forge_check: ends the program where @error is set. */
void forge_check(const GError *error, const char *what);

/** forge_tree_make: the tree of a good layer: a program and its extension-release. */
void forge_tree_make(Forged *forged);
/** forge_image_make: @forged->image of @forged->tree, labelled as the base's policy says. */
void forge_image_make(Forged *forged);
/** forge_set_file: @forged->file and @forged->path. */
void forge_set_file(Forged *forged, const char *file);
