/* Files out of an EROFS image, by what they are called. */
#include "image/boot-tree.h"

#include "base/text.h"
#include "compose/root-dir.h"
#include "format/erofs.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT ((size_t)256 * 1024 * 1024)

static const char *const wanted[] = {
	"boot/*",
	"etc/ld.so.*",
	"etc/ld.so.conf.d/*",
	"usr/bin/varvectl",
	"usr/lib/modules/**",
	"usr/lib/os-release",
	"usr/lib/systemd/boot/efi/*",
	"usr/lib/varve/*",
	"usr/lib/varve/exitrd/*",
	"usr/libexec/varve/*",
	"usr/lib/verity.d/*",
	"usr/lib/**/*.so",
	"usr/lib/**/*.so.*",
	"usr/lib/*.so*",
	"usr/lib64/**",
};

typedef struct {
	VarveErofs *erofs;
	const char *directory;
} Extraction;

static gboolean is_wanted(const char *path)
{
	for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++) {
		if (varve_glob_match(wanted[i], path))
			return TRUE;
	}
	return FALSE;
}

static gboolean visit(const VarvePath *path, gpointer data, GError **error)
{
	const Extraction *extraction = data;
	g_autofree char *content = NULL;
	size_t size;

	/* The links of a merged /usr. */
	if (S_ISLNK(path->mode) && (!strchr(path->path, '/') || is_wanted(path->path)))
		return varve_root_link(extraction->directory, path->path, path->target, error);
	if (!S_ISREG(path->mode) || !is_wanted(path->path))
		return TRUE;
	return varve_erofs_read_file(extraction->erofs, path->path, FILE_LIMIT, &content, &size,
				     error) &&
	       varve_root_write(extraction->directory, path->path, content, size, 0644, getuid(),
				getgid(), error);
}

gboolean varve_boot_tree_extract(const VarveLayer *layer, const char *directory, GError **error)
{
	g_autoptr(VarveErofs) erofs = NULL;
	guint64 offset, size, hash_offset, hash_size;
	Extraction extraction = { .directory = directory };

	if (!varve_layer_check_data(layer, error))
		return FALSE;
	varve_layer_extents(layer, &offset, &size, &hash_offset, &hash_size);
	erofs = varve_erofs_open(varve_layer_fd(layer), offset, size, varve_layer_name(layer),
				 error);
	extraction.erofs = erofs;
	return erofs && varve_erofs_walk(erofs, FALSE, visit, &extraction, error);
}
