/* A few files out of an EROFS image. */
#include "cli/varve/base-policy.h"

#include "base/file.h"
#include "base/text.h"
#include "policy/policy.h"

#include <sys/stat.h>

#define FILE_LIMIT ((size_t)16 * 1024 * 1024)

static const char *const wanted[] = {
	VARVE_POLICY_FILE,    VARVE_CERTIFICATES_DIR "/*",
	"etc/selinux/config", "etc/selinux/*/contexts/files/*",
	"etc/passwd",         "etc/group",
};

typedef struct {
	VarveErofs *erofs;
	const char *directory;
} Extraction;

static gboolean visit(const VarvePath *path, gpointer data, GError **error)
{
	const Extraction *extraction = data;
	g_autofree char *to = g_build_filename(extraction->directory, path->path, NULL);
	g_autofree char *parent = g_path_get_dirname(to);
	g_autofree char *content = NULL;
	gboolean found = FALSE;
	size_t size;

	for (gsize i = 0; i < G_N_ELEMENTS(wanted) && !found; i++)
		found = varve_glob_match(wanted[i], path->path);
	if (!found || !S_ISREG(path->mode))
		return TRUE;
	return varve_erofs_read_file(extraction->erofs, path->path, FILE_LIMIT, &content, &size,
				     error) &&
	       varve_dir_make(parent, 0700, error) &&
	       varve_file_write(AT_FDCWD, to, content, size, 0600, error);
}

gboolean varve_base_policy_extract(const VarveLayer *base, const char *directory, GError **error)
{
	g_autoptr(VarveErofs) erofs = NULL;
	Extraction extraction = { .directory = directory };

	if (!varve_layer_check_data(base, error))
		return FALSE;
	erofs = varve_layer_open_erofs(base, error);
	extraction.erofs = erofs;
	return erofs && varve_erofs_walk(erofs, FALSE, visit, &extraction, error);
}
