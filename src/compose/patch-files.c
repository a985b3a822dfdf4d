/* Which files of a newer package a patch carries: those that a layer has otherwise, and new ones.
 */
#include "compose/patch-internal.h"

#include "base/error.h"
#include "compose/exclude.h"
#include "crypt/sha256.h"
#include "format/elf.h"
#include "ground/fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define FACTORY "usr/share/factory/"
#define CAPABILITY_XATTR "security.capability"
#define LIBRARY_LIMIT ((size_t)512 * 1024 * 1024)
#define PERMISSIONS 07777

/* One file of a package on its way into the patch. */
typedef struct {
	const VarvePatchPackage *package;
	const VarvePackageFile *file;
	const char *content; /* (nullable) host path */
	const char *place;   /* in the layer */
	VarvePath want;      /* type, mode, owner, digest of it */
} Newer;

static void note(VarvePatchMaking *making, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void note(VarvePatchMaking *making, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(making->notes, g_strdup_vprintf(format, args));
	va_end(args);
}

static gboolean find(const VarvePatchLayer *layer, const char *path, VarvePath *ret)
{
	gsize index;

	return varve_path_table_find(layer->paths, path, &index, NULL) &&
	       varve_path_table_get(layer->paths, index, ret, NULL);
}

/* Where the layer has @path of a package (caller frees); NULL: outside /usr, where a patch has
 * nothing. */
static char *place_in(const VarvePatchLayer *layer, const char *path)
{
	gboolean base = layer->manifest->role == VARVE_ROLE_BASE;

	if (g_str_has_prefix(path, "usr/"))
		return g_strdup(path);
	if (g_str_has_prefix(path, "var/") || (!base && g_str_has_prefix(path, "etc/")))
		return g_strconcat(FACTORY, path, NULL);
	if (!base && g_str_has_prefix(path, "opt/"))
		return g_strconcat("usr/", path, NULL);
	return NULL;
}

static gboolean is_excluded(const VarvePatchMaking *making, const VarvePatchLayer *layer,
			    const char *path)
{
	const VarveLayerDefinition *own = layer->definition, *base = making->base;
	const VarveExclude exclude = {
		.exclude = { own ? own->exclude : NULL, base ? base->exclude : NULL },
		.keep = { own ? own->keep : NULL, base ? base->keep : NULL },
	};
	g_autofree char *absolute = g_strconcat("/", path, NULL);

	return varve_exclude_matches(&exclude, absolute);
}

/* Whether the layer's definition says what mode or owner the file has. */
static gboolean is_settled(const VarvePatchLayer *layer, const char *path)
{
	for (gsize i = 0; layer->definition && i < layer->definition->n_entries; i++) {
		const VarveEntry *entry = &layer->definition->entries[i];

		if (entry->kind == VARVE_ENTRY_MODE && strcmp(entry->path + 1, path) == 0)
			return TRUE;
	}
	return FALSE;
}

static gboolean look_up(GHashTable *ids, const Newer *newer, const char *name, guint *ret,
			GError **error)
{
	gpointer id;

	if (!g_hash_table_lookup_extended(ids, name, NULL, &id))
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "package '%s': /%s belongs to '%s', which has no number in the "
				  "base or in layer '%s'",
				  newer->package->package->nevra, newer->file->path, name,
				  newer->package->layer->manifest->name);
	*ret = GPOINTER_TO_UINT(id);
	return TRUE;
}

/* What the package wants the file to be. */
static gboolean describe(Newer *newer, GError **error)
{
	const VarvePackageFile *file = newer->file;
	const VarvePatchLayer *layer = newer->package->layer;
	varve_autofd fd = -1;
	guint64 size;

	newer->want.mode = file->mode;
	newer->want.size = file->size;
	newer->want.target = file->target;
	if (!look_up(layer->users, newer, file->user, &newer->want.uid, error) ||
	    !look_up(layer->groups, newer, file->group, &newer->want.gid, error))
		return FALSE;
	if (S_ISLNK(file->mode)) {
		varve_sha256(file->target, strlen(file->target), &newer->want.digest);
		return TRUE;
	}
	if (!S_ISREG(file->mode) || !newer->content)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "package '%s': /%s is neither a file nor a link: a patch cannot "
				  "bring it",
				  newer->package->package->nevra, file->path);
	fd = open(newer->content, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return varve_fail_errno(error, errno, "%s", newer->content);
	return varve_sha256_fd(fd, &newer->want.digest, &size, error);
}

static const VarveXattr *capability_of(const VarvePath *path)
{
	for (size_t i = 0; path && i < path->n_xattrs; i++) {
		if (strcmp(path->xattrs[i].name, CAPABILITY_XATTR) == 0)
			return &path->xattrs[i];
	}
	return NULL;
}

static gboolean is_same(const Newer *newer, const VarvePath *old)
{
	gboolean capable = *newer->file->capabilities != '\0';

	return newer->want.mode == old->mode && newer->want.uid == old->uid &&
	       newer->want.gid == old->gid && capable == (capability_of(old) != NULL) &&
	       varve_digest_equal(&newer->want.digest, &old->digest);
}

/* Whoever was linked with a library looks for the name that it had. */
static gboolean check_soname(const Newer *newer, GError **error)
{
	const VarvePatchLayer *layer = newer->package->layer;
	g_autofree char *data = NULL;
	g_autoptr(VarveElf) before = NULL, after = NULL;
	varve_autofd fd = -1;
	size_t size;

	if (!varve_erofs_read_file(layer->erofs, newer->place, LIBRARY_LIMIT, &data, &size, error))
		return FALSE;
	before = varve_elf_parse(data, size, newer->place, NULL);
	if (!before || !*before->soname)
		return TRUE;
	fd = open(newer->content, O_RDONLY | O_CLOEXEC);
	after = fd >= 0 ? varve_elf_read(fd, newer->content, NULL) : NULL;
	if (after && strcmp(after->soname, before->soname) == 0)
		return TRUE;
	return varve_fail(
		error, VARVE_ERROR_CONFLICT,
		"package '%s': /%s is the library '%s' in layer '%s', and '%s' here: what "
		"was linked with it would not start; build the layers anew instead",
		newer->package->package->nevra, newer->place, before->soname, layer->manifest->name,
		after && *after->soname ? after->soname : "none");
}

static gboolean keep_capability(const Newer *newer, const VarvePath *old, VarveTreeFile *file,
				GError **error)
{
	const VarveXattr *capability = capability_of(old);

	if (!*newer->file->capabilities)
		return TRUE;
	if (!capability)
		return varve_fail(
			error, VARVE_ERROR_UNSUPPORTED,
			"package '%s': /%s has capabilities (%s), which it has in no layer: "
			"a patch cannot give them",
			newer->package->package->nevra, newer->file->path,
			newer->file->capabilities);
	file->path.xattrs = g_memdup2(capability, sizeof(*capability));
	file->path.n_xattrs = 1;
	return TRUE;
}

static gboolean add(VarvePatchMaking *making, const Newer *newer, const VarvePath *old,
		    GError **error)
{
	VarveTreeFile *file = varve_tree_find(making->tree, newer->place);

	if (file)
		return varve_fail(
			error, VARVE_ERROR_CONFLICT, "package '%s': /%s is also in package '%s'",
			newer->package->package->nevra, newer->file->path, file->path.package);
	file = S_ISLNK(newer->want.mode)
		       ? varve_tree_add_link(making->tree, newer->place, newer->want.target)
		       : varve_tree_add_file(making->tree, newer->place,
					     newer->want.mode & PERMISSIONS, newer->content,
					     newer->want.size);
	file->path.uid = newer->want.uid;
	file->path.gid = newer->want.gid;
	varve_tree_set_package(making->tree, file, newer->package->package->nevra);
	return keep_capability(newer, old, file, error);
}

/* The layer has a file there. */
static gboolean replace(VarvePatchMaking *making, Newer *newer, const VarvePath *old,
			GError **error)
{
	const VarveManifest *manifest = newer->package->layer->manifest;

	if (S_ISDIR(old->mode) || !(S_ISREG(old->mode) || S_ISLNK(old->mode)))
		return varve_fail(error, VARVE_ERROR_CONFLICT,
				  "package '%s': /%s is no file in layer '%s'; a patch overrides "
				  "files only",
				  newer->package->package->nevra, newer->place, manifest->name);
	if (is_settled(newer->package->layer, newer->file->path)) {
		newer->want.mode = (newer->want.mode & S_IFMT) | (old->mode & PERMISSIONS);
		newer->want.uid = old->uid;
		newer->want.gid = old->gid;
	}
	/* The package has them in words, the layer in bytes. */
	if (*newer->file->capabilities && capability_of(old))
		note(making, "/%s keeps the capabilities that it has in %s %s; in %s they are '%s'",
		     newer->place, manifest->name, manifest->version,
		     newer->package->package->nevra, newer->file->capabilities);
	if (is_same(newer, old))
		return TRUE;
	if (strcmp(old->package, newer->package->old) != 0) {
		note(making, "/%s stays: in %s %s it is %s%s", newer->place, manifest->name,
		     manifest->version, *old->package ? "of package " : "what the build made",
		     old->package);
		return TRUE;
	}
	if (S_ISREG(old->mode) && S_ISREG(newer->want.mode) && !check_soname(newer, error))
		return FALSE;
	if (!add(making, newer, old, error))
		return FALSE;
	g_ptr_array_add(making->manifest->overrides,
			varve_manifest_override_new(manifest->name, manifest->version, newer->place,
						    &old->digest));
	return TRUE;
}

/* What a patch has no place for. */
static void leave(VarvePatchMaking *making, const Newer *newer)
{
	const VarvePatchLayer *layer = newer->package->layer;
	const char *path = newer->file->path;
	VarvePath old;

	if (find(layer, path, &old)) {
		if (!is_same(newer, &old))
			note(making,
			     "/%s stays: it is another one in %s, but a patch holds only /usr",
			     path, newer->package->package->nevra);
	} else if (!is_excluded(making, layer, path)) {
		note(making, "/%s of %s is left out: a patch holds only /usr", path,
		     newer->package->package->nevra);
	}
}

static gboolean add_file(VarvePatchMaking *making, const VarvePatchPackage *package, guint index,
			 GError **error)
{
	const VarvePackageFile *file = package->files->pdata[index];
	g_autofree char *place = place_in(package->layer, file->path);
	Newer newer = { .package = package,
			.file = file,
			.content = package->contents->pdata[index],
			.place = place };
	VarvePath old;

	if (S_ISDIR(file->mode) || (file->flags & VARVE_PACKAGE_FILE_GHOST))
		return TRUE;
	if (!place) {
		if (describe(&newer, NULL))
			leave(making, &newer);
		return TRUE;
	}
	if (find(package->layer, place, &old))
		return describe(&newer, error) && replace(making, &newer, &old, error);
	if (is_excluded(making, package->layer, file->path))
		return TRUE;
	making->added++;
	return describe(&newer, error) && add(making, &newer, NULL, error);
}

/* What the older build has and the newer one has not. */
static gboolean tell_removed(VarvePatchMaking *making, const VarvePatchPackage *package,
			     GError **error)
{
	g_autoptr(GHashTable) places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const VarvePatchLayer *layer = package->layer;

	for (guint i = 0; i < package->files->len; i++) {
		const VarvePackageFile *file = package->files->pdata[i];
		char *place = place_in(layer, file->path);

		g_hash_table_add(places, place ? place : g_strdup(file->path));
	}
	for (gsize i = 0; i < varve_path_table_count(layer->paths); i++) {
		VarvePath path;

		if (!varve_path_table_get(layer->paths, i, &path, error))
			return FALSE;
		if (!S_ISDIR(path.mode) && strcmp(path.package, package->old) == 0 &&
		    !g_hash_table_contains(places, path.path))
			note(making,
			     "/%s stays: it is not in %s any more, but a patch takes "
			     "nothing away",
			     path.path, package->package->nevra);
	}
	return TRUE;
}

gboolean varve_patch_add_files(VarvePatchMaking *making, const VarvePatchPackage *package,
			       GError **error)
{
	for (guint i = 0; i < package->files->len; i++) {
		if (!add_file(making, package, i, error))
			return FALSE;
	}
	return tell_removed(making, package, error);
}

/* What a directory is in the lowest layer that has it, or in a package. */
static void settle_directory(const VarvePatchMaking *making, VarveTreeFile *file)
{
	VarvePath found;

	for (guint i = 0; i < making->layers->len; i++) {
		if (!find(making->layers->pdata[i], file->path.path, &found))
			continue;
		file->path.mode = found.mode;
		file->path.uid = found.uid;
		file->path.gid = found.gid;
		file->path.label = found.label;
		return;
	}
	for (guint i = 0; i < making->packages->len; i++) {
		const VarvePatchPackage *package = making->packages->pdata[i];

		for (guint j = 0; j < package->files->len; j++) {
			const VarvePackageFile *own = package->files->pdata[j];

			if (S_ISDIR(own->mode) && strcmp(own->path, file->path.path) == 0)
				file->path.mode = own->mode;
		}
	}
}

void varve_patch_settle(VarvePatchMaking *making)
{
	g_autoptr(GHashTable) first = g_hash_table_new(g_str_hash, g_str_equal);
	const GPtrArray *files = varve_tree_files(making->tree);
	guint64 number = 0;

	for (guint i = 0; i < files->len; i++) {
		VarveTreeFile *file = files->pdata[i], *other;

		if (S_ISDIR(file->path.mode))
			settle_directory(making, file);
		if (!file->source)
			continue;
		other = g_hash_table_lookup(first, file->source);
		if (!other)
			g_hash_table_insert(first, file->source, file);
		else if (other->path.hardlink == 0)
			other->path.hardlink = ++number;
		if (other)
			file->path.hardlink = other->path.hardlink;
	}
}
