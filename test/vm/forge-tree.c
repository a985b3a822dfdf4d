/* Steps of forge that change what is in a layer: its files, its manifest, its path table. */
#include "base/file.h"
#include "base/process.h"
#include "forge.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define STRICT_XATTR "user.extension-release.strict"

static char *inside(const Forged *forged, const char *path)
{
	return g_build_filename(forged->tree, path, NULL);
}

static char *with_parents(const Forged *forged, const char *path)
{
	char *full = inside(forged, path);
	g_autofree char *parent = g_path_get_dirname(full);

	if (!varve_dir_make(parent, 0755, NULL))
		forge_die("%s cannot be made", parent);
	return full;
}

static void write_text(const Forged *forged, const char *path, const char *text)
{
	g_autofree char *full = with_parents(forged, path);
	GError *error = NULL;

	g_file_set_contents(full, text, -1, &error);
	forge_check(error, full);
	if (chmod(full, 0644) < 0)
		forge_die("chmod %s: %s", full, g_strerror(errno));
}

static void set_xattr(const char *path, const char *name, const void *value, size_t size)
{
	if (lsetxattr(path, name, value, size, 0) < 0)
		forge_die("%s: %s cannot be set: %s", path, name, g_strerror(errno));
}

void forge_tree_make(Forged *forged)
{
	const VarveManifest *m = forged->manifest;
	g_autofree char *program = g_strconcat("usr/bin/", m->name, NULL);
	g_autofree char *release =
		g_strconcat("usr/lib/extension-release.d/extension-release.", m->name, NULL);
	g_autofree char *text =
		g_strdup_printf("ID=%s\nVERSION_ID=%s\n", m->os_id, m->os_version_id);
	g_autofree char *release_path = inside(forged, release);
	g_autofree char *program_path = inside(forged, program);

	write_text(forged, program, m->name);
	if (chmod(program_path, 0755) < 0)
		forge_die("chmod %s: %s", program_path, g_strerror(errno));
	write_text(forged, release, text);
	set_xattr(release_path, STRICT_XATTR, "0", 1);
}

static void step_file(Forged *forged, char *const *arguments)
{
	write_text(forged, arguments[0], arguments[0]);
}

static void step_text(Forged *forged, char *const *arguments)
{
	g_autofree char *text = g_strcompress(arguments[1]);

	write_text(forged, arguments[0], text);
}

/* Lines that say which file and which line they are: what is changed there can be found. */
static void step_fill(Forged *forged, char *const *arguments)
{
	gsize size = (gsize)g_ascii_strtoull(arguments[1], NULL, 10);
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint line = 0; text->len < size; line++)
		g_string_append_printf(text, "/%s line %u\n", arguments[0], line);
	write_text(forged, arguments[0], text->str);
}

static void step_mode(Forged *forged, char *const *arguments)
{
	g_autofree char *path = inside(forged, arguments[0]);

	if (!g_file_test(path, G_FILE_TEST_EXISTS) && !varve_dir_make(path, 0755, NULL))
		forge_die("%s cannot be made", path);
	if (chmod(path, (mode_t)g_ascii_strtoull(arguments[1], NULL, 8)) < 0)
		forge_die("chmod %s: %s", path, g_strerror(errno));
}

static void step_owner(Forged *forged, char *const *arguments)
{
	g_autofree char *path = inside(forged, arguments[0]);

	if (lchown(path, (uid_t)atoi(arguments[1]), 0) < 0)
		forge_die("chown %s: %s", path, g_strerror(errno));
}

static void step_node(Forged *forged, char *const *arguments)
{
	g_autofree char *path = with_parents(forged, arguments[0]);
	mode_t type = arguments[1][0] == 'c' ? S_IFCHR : arguments[1][0] == 'b' ? S_IFBLK : S_IFIFO;
	dev_t device = makedev((unsigned)atoi(arguments[2]), (unsigned)atoi(arguments[3]));

	if (mknod(path, type | 0644, type == S_IFIFO ? 0 : device) < 0)
		forge_die("mknod %s: %s", path, g_strerror(errno));
}

static void step_link(Forged *forged, char *const *arguments)
{
	g_autofree char *path = with_parents(forged, arguments[0]);

	if (symlink(arguments[1], path) < 0)
		forge_die("symlink %s: %s", path, g_strerror(errno));
}

static void step_xattr(Forged *forged, char *const *arguments)
{
	g_autofree char *path = inside(forged, arguments[0]);
	g_autofree char *value = g_strcompress(arguments[2]);

	set_xattr(path, arguments[1], value, strlen(value));
}

/* CAP_NET_RAW, permitted and effective: version 2 of the kernel's vfs_cap_data. */
static void step_capability(Forged *forged, char *const *arguments)
{
	static const unsigned char value[20] = { 0x01, 0, 0, 0x02, 0, 0x20 };
	g_autofree char *path = inside(forged, arguments[0]);

	set_xattr(path, "security.capability", value, sizeof(value));
}

static void step_no_xattr(Forged *forged, char *const *arguments)
{
	g_autofree char *path = inside(forged, arguments[0]);

	if (lremovexattr(path, arguments[1]) < 0)
		forge_die("%s: %s cannot be removed: %s", path, arguments[1], g_strerror(errno));
}

static void step_remove(Forged *forged, char *const *arguments)
{
	g_autofree char *path = inside(forged, arguments[0]);

	if (unlink(path) < 0)
		forge_die("unlink %s: %s", path, g_strerror(errno));
}

static void step_label(Forged *forged, char *const *arguments)
{
	g_hash_table_insert(forged->own_labels, g_strdup(arguments[0]), g_strdup(arguments[1]));
}

static void step_unlabelled(Forged *forged, char *const *arguments)
{
	(void)arguments;
	forged->unlabelled = TRUE;
}

static void label_below(const Forged *forged, const char *path)
{
	g_autofree char *full = inside(forged, path);
	g_autofree char *absolute = g_strconcat("/", path, NULL);
	const char *own = g_hash_table_lookup(forged->own_labels, path);
	g_autofree char *label = NULL;
	g_auto(GStrv) names = NULL;
	struct stat st;

	if (lstat(full, &st) < 0)
		forge_die("%s: %s", full, g_strerror(errno));
	label = own ? g_strdup(own) : varve_labels_find(forged->shop->labels, absolute, st.st_mode);
	set_xattr(full, "security.selinux", label, strlen(label) + 1);
	if (!S_ISDIR(st.st_mode))
		return;
	if (!varve_dir_list(AT_FDCWD, full, &names, NULL))
		forge_die("%s cannot be listed", full);
	for (char **name = names; *name; name++) {
		g_autofree char *below =
			*path ? g_build_filename(path, *name, NULL) : g_strdup(*name);

		label_below(forged, below);
	}
}

void forge_image_make(Forged *forged)
{
	GError *error = NULL;

	if (forged->shop->labels && !forged->unlabelled)
		label_below(forged, "");
	unlink(forged->image);
	varve_run(&error, "mkfs.erofs", "--quiet", "-T0", "-U00000000-0000-0000-0000-000000000000",
		  forged->image, forged->tree, NULL);
	forge_check(error, forged->tree);
}

static void set(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value);
}

static void step_name(Forged *forged, char *const *arguments)
{
	g_autofree char *file = NULL;

	set(&forged->manifest->name, arguments[0]);
	set(&forged->stem, arguments[0]);
	file = g_strdup_printf("%s_%s_x86-64.raw", forged->manifest->name,
			       forged->manifest->version);
	forge_set_file(forged, file);
}

static void step_version(Forged *forged, char *const *arguments)
{
	g_autofree char *file =
		g_strdup_printf("%s_%s_x86-64.raw", forged->manifest->name, arguments[0]);

	set(&forged->manifest->version, arguments[0]);
	forge_set_file(forged, file);
}

static void step_rename(Forged *forged, char *const *arguments)
{
	g_autofree char *file = g_strcompress(arguments[0]);

	forge_set_file(forged, file);
}

static void step_key(Forged *forged, char *const *arguments)
{
	set(&forged->key, arguments[0]);
}

static void step_partition_arch(Forged *forged, char *const *arguments)
{
	forged->arch = varve_arch_find(arguments[0]);
	if (!forged->arch)
		forge_die("'%s' is no architecture", arguments[0]);
}

static void step_set(Forged *forged, char *const *arguments)
{
	VarveManifest *m = forged->manifest;
	const char *field = arguments[0], *value = arguments[1];

	if (strcmp(field, "arch") == 0)
		set(&m->arch, value);
	else if (strcmp(field, "os-id") == 0)
		set(&m->os_id, value);
	else if (strcmp(field, "os-version-id") == 0)
		set(&m->os_version_id, value);
	else if (strcmp(field, "support-end") == 0)
		set(&m->support_end, value);
	else if (strcmp(field, "rollback-index") == 0)
		m->rollback_index = g_ascii_strtoull(value, NULL, 10);
	else if (strcmp(field, "name") == 0)
		set(&m->name, value);
	else if (strcmp(field, "role") != 0 || !varve_role_from_name(value, &m->role))
		forge_die("the manifest's '%s' cannot be set to '%s'", field, value);
}

static void add_word(char ***list, const char *word)
{
	g_autofree char *plain = g_strcompress(word);
	const char *const words[] = { plain, NULL };

	g_strfreev(*list);
	*list = g_strdupv((char **)words);
}

static void step_requires(Forged *forged, char *const *arguments)
{
	add_word(&forged->manifest->requires, arguments[0]);
}

static void step_provides(Forged *forged, char *const *arguments)
{
	add_word(&forged->manifest->provides, arguments[0]);
}

static void find_in_base(const Forged *forged, const char *path, VarvePath *ret)
{
	GError *error = NULL;
	gsize index;

	if (varve_path_table_find(forged->shop->base_paths, path, &index, &error))
		varve_path_table_get(forged->shop->base_paths, index, ret, &error);
	forge_check(error, path);
}

static void add_override(Forged *forged, const char *path, guint8 change)
{
	const VarveManifest *base = forged->shop->base;
	VarveDigest digest;
	VarvePath found;

	find_in_base(forged, path, &found);
	digest = found.digest;
	digest.bytes[0] ^= change;
	forged->manifest->role = VARVE_ROLE_PATCH;
	g_ptr_array_add(forged->manifest->overrides,
			varve_manifest_override_new(base->name, base->version, path, &digest));
}

static void step_overrides(Forged *forged, char *const *arguments)
{
	add_override(forged, arguments[0], 0);
}

static void step_overrides_another(Forged *forged, char *const *arguments)
{
	add_override(forged, arguments[0], 1);
}

static void step_no_manifest(Forged *forged, char *const *arguments)
{
	(void)arguments;
	forged->no_manifest = TRUE;
}

static void step_no_table(Forged *forged, char *const *arguments)
{
	(void)arguments;
	forged->no_table = TRUE;
}

static void step_wrong_digest(Forged *forged, char *const *arguments)
{
	(void)arguments;
	forged->wrong_digest = TRUE;
}

static void step_unknown_member(Forged *forged, char *const *arguments)
{
	(void)arguments;
	forged->unknown_member = TRUE;
}

static void step_garbage_image(Forged *forged, char *const *arguments)
{
	(void)arguments;
	forged->garbage_image = TRUE;
}

static VarvePath *find_path(const Forged *forged, const char *path, guint *ret_index)
{
	for (guint i = 0; i < forged->paths->len; i++) {
		VarvePath *found = forged->paths->pdata[i];

		if (strcmp(found->path, path) != 0)
			continue;
		if (ret_index)
			*ret_index = i;
		return found;
	}
	forge_die("%s: there is no '%s' to lie about", forged->file, path);
}

/* The package of the base that brought the path, as the one that this layer has it from. */
static void step_carries(Forged *forged, char *const *arguments)
{
	VarvePath *path = find_path(forged, arguments[0], NULL);
	const VarveManifest *base = forged->shop->base;
	VarvePath found;

	find_in_base(forged, arguments[0], &found);
	for (guint i = 0; i < base->packages->len; i++) {
		g_autofree char *nevra = varve_manifest_package_nevra(base->packages->pdata[i]);

		if (strcmp(nevra, found.package) != 0)
			continue;
		g_ptr_array_add(forged->manifest->packages,
				varve_manifest_package_copy(base->packages->pdata[i]));
		path->package = found.package;
		return;
	}
	forge_die("no package of the base brought '%s'", arguments[0]);
}

static void step_unlisted(Forged *forged, char *const *arguments)
{
	guint index = 0;

	find_path(forged, arguments[0], &index);
	g_ptr_array_remove_index(forged->paths, index);
}

static void step_listed(Forged *forged, char *const *arguments)
{
	VarvePath *copy = g_malloc(sizeof(*copy) + strlen(arguments[0]) + 1);

	*copy = *find_path(forged, arguments[1], NULL);
	copy->path = strcpy((char *)(copy + 1), arguments[0]);
	g_ptr_array_add(forged->paths, copy);
}

static void step_says_mode(Forged *forged, char *const *arguments)
{
	VarvePath *path = find_path(forged, arguments[0], NULL);

	path->mode = (path->mode & S_IFMT) | (mode_t)g_ascii_strtoull(arguments[1], NULL, 8);
}

static void step_says_owner(Forged *forged, char *const *arguments)
{
	find_path(forged, arguments[0], NULL)->uid = (uid_t)atoi(arguments[1]);
}

static void step_says_size(Forged *forged, char *const *arguments)
{
	find_path(forged, arguments[0], NULL)->size = g_ascii_strtoull(arguments[1], NULL, 10);
}

static void step_says_digest(Forged *forged, char *const *arguments)
{
	find_path(forged, arguments[0], NULL)->digest.bytes[0] ^= 1;
}

static void step_says_no_xattrs(Forged *forged, char *const *arguments)
{
	find_path(forged, arguments[0], NULL)->n_xattrs = 0;
}

const ForgeStep forge_tree_steps[] = {
	{ "name", FORGE_NAME, 1, step_name },
	{ "version", FORGE_NAME, 1, step_version },
	{ "rename", FORGE_NAME, 1, step_rename },
	{ "key", FORGE_NAME, 1, step_key },
	{ "partition-arch", FORGE_NAME, 1, step_partition_arch },
	{ "garbage-image", FORGE_NAME, 0, step_garbage_image },
	{ "file", FORGE_TREE, 1, step_file },
	{ "text", FORGE_TREE, 2, step_text },
	{ "fill", FORGE_TREE, 2, step_fill },
	{ "mode", FORGE_TREE, 2, step_mode },
	{ "owner", FORGE_TREE, 2, step_owner },
	{ "node", FORGE_TREE, 4, step_node },
	{ "link", FORGE_TREE, 2, step_link },
	{ "xattr", FORGE_TREE, 3, step_xattr },
	{ "no-xattr", FORGE_TREE, 2, step_no_xattr },
	{ "capability", FORGE_TREE, 1, step_capability },
	{ "remove", FORGE_TREE, 1, step_remove },
	{ "label", FORGE_TREE, 2, step_label },
	{ "unlabelled", FORGE_TREE, 0, step_unlabelled },
	{ "set", FORGE_MANIFEST, 2, step_set },
	{ "requires", FORGE_MANIFEST, 1, step_requires },
	{ "provides", FORGE_MANIFEST, 1, step_provides },
	{ "overrides", FORGE_MANIFEST, 1, step_overrides },
	{ "overrides-another", FORGE_MANIFEST, 1, step_overrides_another },
	{ "no-manifest", FORGE_MANIFEST, 0, step_no_manifest },
	{ "no-table", FORGE_MANIFEST, 0, step_no_table },
	{ "wrong-digest", FORGE_MANIFEST, 0, step_wrong_digest },
	{ "unknown-member", FORGE_MANIFEST, 0, step_unknown_member },
	{ "carries", FORGE_TABLE, 1, step_carries },
	{ "unlisted", FORGE_TABLE, 1, step_unlisted },
	{ "listed", FORGE_TABLE, 2, step_listed },
	{ "says-mode", FORGE_TABLE, 2, step_says_mode },
	{ "says-owner", FORGE_TABLE, 2, step_says_owner },
	{ "says-size", FORGE_TABLE, 2, step_says_size },
	{ "says-digest", FORGE_TABLE, 1, step_says_digest },
	{ "says-no-xattrs", FORGE_TABLE, 1, step_says_no_xattrs },
	{ NULL, FORGE_NAME, 0, NULL },
};
