/* What a mounted layer is: its manifest, its path table, its tree, and whether they agree. */
#include "base/error.h"
#include "base/file.h"
#include "crypt/sha256.h"
#include "ground/fd.h"
#include "ground/syscalls.h"
#include "stack/stack.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define MANIFEST_LIMIT (16 * 1024 * 1024)
#define TABLE_LIMIT (256 * 1024 * 1024)
#define RELEASE_LIMIT (64 * 1024)
#define RELEASE_DIR "usr/lib/extension-release.d"
#define STRICT_XATTR "user.extension-release.strict"

char *varve_mounted_find_manifest(int fd, GError **error)
{
	varve_autofd dir = varve_dir_open_beneath(fd, VARVE_LAYERS_DIR, error);
	g_auto(GStrv) names = NULL;
	g_autofree char *found = NULL;

	if (dir < 0 || !varve_dir_list(dir, ".", &names, error))
		return NULL;
	for (char **name = names; *name; name++) {
		if (!g_str_has_suffix(*name, ".json"))
			continue;
		if (found) {
			varve_fail(error, VARVE_ERROR_CORRUPT,
				   "two manifests in " VARVE_LAYERS_DIR ": '%s' and '%s'", found,
				   *name);
			return NULL;
		}
		found = g_strdup(*name);
	}
	if (!found)
		varve_fail(error, VARVE_ERROR_NOT_FOUND,
			   "there is no manifest in " VARVE_LAYERS_DIR);
	return g_steal_pointer(&found);
}

VarvePathTable *varve_mounted_map_paths(int fd, const char *name, GError **error)
{
	g_autofree char *path = g_strdup_printf(VARVE_LAYERS_DIR "/%s.paths", name);
	varve_autofd file =
		varve_openat2(fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, VARVE_RESOLVE_STRICT);

	if (file < 0) {
		varve_fail_errno(error, errno, "%s: cannot open", path);
		return NULL;
	}
	return varve_path_table_map(file, path, error);
}

static gboolean read_manifest(VarveMounted *mounted, const char *file, GError **error)
{
	g_autofree char *path = g_strconcat(VARVE_LAYERS_DIR "/", file, NULL);
	g_autofree char *expected = NULL;
	g_autofree char *text = NULL;
	gsize size;

	if (!varve_file_read_beneath(mounted->fd, path, MANIFEST_LIMIT, &text, &size, error))
		return FALSE;
	mounted->manifest = varve_manifest_parse(text, size, path, error);
	if (!mounted->manifest)
		return FALSE;
	expected = g_strconcat(mounted->manifest->name, ".json", NULL);
	if (strcmp(expected, file) != 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: it is the manifest of a layer called '%s'", path,
				  mounted->manifest->name);
	return TRUE;
}

/* @ret_digest: (nullable) of the table's bytes. */
static gboolean read_paths(VarveMounted *mounted, VarveDigest *ret_digest, GError **error)
{
	g_autofree char *path =
		g_strconcat(VARVE_LAYERS_DIR "/", mounted->manifest->name, ".paths", NULL);
	g_autoptr(GBytes) bytes = NULL;
	char *data;
	gsize size;

	if (!varve_file_read_beneath(mounted->fd, path, TABLE_LIMIT, &data, &size, error))
		return FALSE;
	bytes = g_bytes_new_take(data, size);
	mounted->paths = varve_path_table_open(bytes, path, error);
	if (!mounted->paths)
		return FALSE;
	if (ret_digest)
		varve_sha256(data, size, ret_digest);
	return TRUE;
}

gboolean varve_mounted_read(VarveMounted *mounted, GError **error)
{
	g_autofree char *file = varve_mounted_find_manifest(mounted->fd, error);

	return file && read_manifest(mounted, file, error) && read_paths(mounted, NULL, error);
}

gboolean varve_base_inspect(VarveMounted *base, GError **error)
{
	if (!varve_mounted_read(base, error))
		return FALSE;
	if (base->manifest->role != VARVE_ROLE_BASE)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "'%s' was started as the base, but its role is %s",
				  base->manifest->name, varve_role_name(base->manifest->role));
	base->facts = (VarveFacts){
		.file = "", .manifest = base->manifest, .paths = base->paths, .labels = base->labels
	};
	if (base->layer)
		base->facts.root = *varve_layer_root(base->layer);
	return TRUE;
}

static gboolean read_release(VarveMounted *mounted, GError **error)
{
	g_autofree char *path =
		g_strconcat(RELEASE_DIR "/extension-release.", mounted->manifest->name, NULL);
	g_autoptr(GError) local = NULL;
	varve_autofd fd = -1;
	char value[8];
	ssize_t n;
	gsize size;

	if (!varve_file_read_beneath(mounted->fd, path, RELEASE_LIMIT, &mounted->extension_release,
				     &size, &local)) {
		if (g_error_matches(local, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
			return TRUE;
		g_propagate_error(error, g_steal_pointer(&local));
		return FALSE;
	}
	fd = varve_openat2(mounted->fd, path, O_RDONLY, 0, VARVE_RESOLVE_STRICT);
	if (fd < 0)
		return varve_fail_errno(error, errno, "%s", path);
	n = fgetxattr(fd, STRICT_XATTR, value, sizeof(value));
	mounted->extension_release_strict = n != 1 || value[0] != '0';
	return TRUE;
}

/* What differs between the tree and its table, in words; NULL where nothing does. */
static char *difference(const VarvePath *real, const VarvePath *said)
{
	if (real->mode != said->mode)
		return g_strdup_printf("mode %06o, the path table says %06o", real->mode,
				       said->mode);
	if (real->uid != said->uid || real->gid != said->gid)
		return g_strdup_printf("owner %u:%u, the path table says %u:%u", real->uid,
				       real->gid, said->uid, said->gid);
	if (real->size != said->size || real->device != said->device)
		return g_strdup_printf("another size or device than the path table says");
	if (strcmp(real->target, said->target) != 0)
		return g_strdup_printf("link to '%s', the path table says '%s'", real->target,
				       said->target);
	if (strcmp(real->label, said->label) != 0)
		return g_strdup_printf("label '%s', the path table says '%s'", real->label,
				       said->label);
	if (real->n_xattrs != said->n_xattrs)
		return g_strdup_printf("%zu attributes, the path table says %zu", real->n_xattrs,
				       said->n_xattrs);
	for (size_t i = 0; i < real->n_xattrs; i++) {
		const VarveXattr *a = &real->xattrs[i], *b = &said->xattrs[i];

		if (strcmp(a->name, b->name) != 0 || a->size != b->size ||
		    memcmp(a->value, b->value, a->size) != 0)
			return g_strdup_printf("attribute '%s' is not as the path table says",
					       a->name);
	}
	return NULL;
}

/* The manifest and the table cannot be in the table; the table may leave out the root. */
static gboolean is_unlisted(const VarveMounted *mounted, const char *path)
{
	const char *name = mounted->manifest->name;
	const char *rest;

	if (!g_str_has_prefix(path, VARVE_LAYERS_DIR "/"))
		return FALSE;
	rest = path + strlen(VARVE_LAYERS_DIR "/");
	return g_str_has_prefix(rest, name) && (strcmp(rest + strlen(name), ".json") == 0 ||
						strcmp(rest + strlen(name), ".paths") == 0);
}

/* The two that the manifest makes before the tree is looked at: which table is its own, and which
 * machine the layer is for, of which the partition types are a claim too. */
static VarveRefusal *compare_claims(const VarveMounted *mounted, const VarveDigest *table)
{
	const VarveManifest *manifest = mounted->manifest;
	const VarveArch *arch = mounted->layer ? varve_layer_arch(mounted->layer) : NULL;
	char expected[VARVE_DIGEST_HEX_SIZE], found[VARVE_DIGEST_HEX_SIZE];

	if (arch && strcmp(arch->name, manifest->arch) != 0)
		return varve_refusal_new("manifest-mismatch",
					 "its manifest is for %s, its partitions are for %s",
					 manifest->arch, arch->name);
	if (varve_digest_equal(table, &manifest->paths))
		return NULL;
	varve_digest_to_hex(&manifest->paths, expected);
	varve_digest_to_hex(table, found);
	return varve_refusal_new("manifest-mismatch",
				 "its path table has the digest %.16s…, its manifest says %.16s…",
				 found, expected);
}

static VarveRefusal *compare_tree(const VarveMounted *mounted)
{
	gsize said_count = varve_path_table_count(mounted->paths), j = 0;

	for (guint i = 0; i < mounted->tree->len; i++) {
		const VarvePath *real = mounted->tree->pdata[i];
		g_autoptr(GError) error = NULL;
		g_autofree char *why = NULL;
		VarvePath said = { .path = NULL };
		int order;

		if (is_unlisted(mounted, real->path))
			continue;
		if (j < said_count && !varve_path_table_get(mounted->paths, j, &said, &error))
			return varve_refusal_new("manifest-invalid", "%s", error->message);
		order = j < said_count ? strcmp(real->path, said.path) : -1;
		if (order < 0 && real->path[0] == '\0')
			continue;
		if (order < 0)
			return varve_refusal_new("manifest-mismatch",
						 "/%s is in the tree, but not in its path table",
						 real->path);
		if (order > 0)
			return varve_refusal_new("manifest-mismatch",
						 "/%s is in the path table, but not in the tree",
						 said.path);
		why = difference(real, &said);
		if (why)
			return varve_refusal_new("manifest-mismatch", "/%s has %s", real->path,
						 why);
		j++;
	}
	if (j < said_count)
		return varve_refusal_new("manifest-mismatch",
					 "the path table has %" G_GSIZE_FORMAT
					 " paths more than the tree",
					 said_count - j);
	return NULL;
}

/* The tree as the table has it: the two were compared when the layer was merged. Digests are no
 * part of a tree. */
static GPtrArray *listed_tree(const VarvePathTable *paths, GError **error)
{
	g_autoptr(GPtrArray) tree = g_ptr_array_new_with_free_func(g_free);

	for (gsize i = 0; i < varve_path_table_count(paths); i++) {
		g_autofree VarvePath *path = g_new0(VarvePath, 1);

		if (!varve_path_table_get(paths, i, path, error))
			return NULL;
		memset(&path->digest, 0, sizeof(path->digest));
		g_ptr_array_add(tree, g_steal_pointer(&path));
	}
	return g_steal_pointer(&tree);
}

/* Reading a verified mount fails where the bytes are not what was signed; all else is its maker's
 * doing. */
static VarveRefusal *refuse(const GError *error)
{
	if (g_error_matches(error, VARVE_ERROR, VARVE_ERROR_SYSTEM))
		return varve_refusal_new("damaged", "%s", error->message);
	return varve_refusal_new("manifest-invalid", "%s", error->message);
}

VarveRefusal *varve_mounted_inspect(VarveMounted *mounted)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *file = varve_mounted_find_manifest(mounted->fd, &error);
	VarveRefusal *refusal;
	VarveDigest table;

	if (!file || !read_manifest(mounted, file, &error) ||
	    !read_paths(mounted, &table, &error) || !read_release(mounted, &error))
		return refuse(error);
	refusal = compare_claims(mounted, &table);
	if (refusal)
		return refusal;
	mounted->strings = g_string_chunk_new(4096);
	mounted->tree = mounted->running ? listed_tree(mounted->paths, &error)
					 : varve_tree_walk(mounted->fd, mounted->strings, &error);
	if (!mounted->tree)
		return refuse(error);
	mounted->facts = (VarveFacts){
		.file = mounted->file,
		.signer = mounted->signer,
		.manifest = mounted->manifest,
		.paths = mounted->paths,
		.tree = mounted->tree,
		.extension_release = mounted->extension_release,
		.extension_release_strict = mounted->extension_release_strict,
	};
	if (mounted->layer)
		mounted->facts.root = *varve_layer_root(mounted->layer);
	return mounted->running ? NULL : compare_tree(mounted);
}
