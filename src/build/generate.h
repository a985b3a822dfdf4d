/* Source files that a script of the definition makes: azldev's origin of type "custom". */
#pragma once

#include "build/root.h"
#include "component/source.h"

typedef struct {
	const VarveBuildPlace *place;
	const char *scratch; /* host directory of all that is made on the way */
} VarveGenerate;

/**
 * varve_build_generate:
 * A VarveSourceMake. Runs the script in a build root with the `mock-packages`, as the user who
 * builds, in a directory that has it and the `inputs` (other sources of the component, or files
 * beside its spec), read-only; with network, since `hash` says what has to come of it. What it
 * leaves in /azldev-gen/output is packed as the file's name asks for (component/archive.h).
 *
 * The script lies beside a local spec, else beside the TOML file that names it.
 *
 * @data: a VarveGenerate.
 *
 * Errors: NOT_FOUND (the script, an input, a package), SYSTEM (it failed: the message has the last
 * lines that it wrote), UNSUPPORTED (no archive has such a name; what it left cannot be packed),
 * DEFINITION (inputs that need each other), those of varve_build_root_make().
 */
char *varve_build_generate(const VarveSource *source, const VarveSourceFile *file, gpointer data,
			   GError **error);
