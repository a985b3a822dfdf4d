/* What test-layer needs beside the programs under test:
 *   layer-tool tree DIR                             fills DIR with everything that a tree can have
 *   layer-tool make TREE NAME VERSION KEY CRT OUT   a whole layer
 *   layer-tool compare IMAGE DIR                    what our reader says of an EROFS image, against
 *                                                   the directory DIR
 */
#include "layer-make.h"
#include "tree-compare.h"

#include <stdio.h>
#include <string.h>

static int make(char **argv)
{
	g_autoptr(VarvePrivateKey) key = NULL;
	g_autoptr(VarveCertificate) certificate = NULL;
	g_autoptr(VarveManifest) manifest = layer_manifest(argv[1], argv[2]);
	g_autoptr(GError) error = NULL;

	key = varve_private_key_load(argv[3], &error);
	certificate = key ? varve_certificate_load(argv[4], &error) : NULL;
	if (!certificate) {
		fprintf(stderr, "%s\n", error->message);
		return 1;
	}
	return layer_make(argv[0], manifest, key, certificate, argv[5], NULL) ? 0 : 77;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "tree") == 0) {
		tree_make(argv[2]);
		return 0;
	}
	if (argc == 8 && strcmp(argv[1], "make") == 0)
		return make(argv + 2);
	if (argc == 4 && strcmp(argv[1], "compare") == 0) {
		tree_compare(argv[2], argv[3]);
		return 0;
	}
	fprintf(stderr, "usage: layer-tool tree|make|compare …\n");
	return 2;
}
