/* Reading a disk image: slots by the partition table, ext4 by debugfs, FAT by mtools. */
#include "image/peek.h"

#include "base/error.h"
#include "base/file.h"
#include "format/gpt.h"
#include "image/disk.h"
#include "image/sparse.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

struct VarvePeek {
	char *disk; /* absolute */
	const VarveTools *tools;
	int fd;
	VarveGpt *gpt;
	char *scratch;
	char *esp; /* once it was copied */
	guint n;   /* of files that were copied out */
};

void varve_peek_free(VarvePeek *peek)
{
	if (!peek)
		return;
	varve_autofd_close(&peek->fd);
	if (peek->scratch)
		varve_dir_remove(AT_FDCWD, peek->scratch, NULL);
	g_free(peek->gpt);
	g_free(peek->disk);
	g_free(peek->scratch);
	g_free(peek->esp);
	g_free(peek);
}

static const VarveGptPartition *find(const VarveGpt *gpt, const char *name)
{
	for (guint i = 0; i < gpt->n_partitions; i++) {
		if (strcmp(gpt->partitions[i].name, name) == 0)
			return &gpt->partitions[i];
	}
	return NULL;
}

static const VarveGptPartition *need(const VarvePeek *peek, const char *name, GError **error)
{
	const VarveGptPartition *partition = find(peek->gpt, name);

	if (!partition)
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "%s: it has no partition '%s'", peek->disk,
			   name);
	return partition;
}

gboolean varve_peek_is_disk(const char *path)
{
	varve_autofd fd = open(path, O_RDONLY | O_CLOEXEC);
	g_autofree VarveGpt *gpt = NULL;

	return fd >= 0 && varve_gpt_read(fd, &gpt, NULL) && find(gpt, VARVE_DISK_BASE_A);
}

VarvePeek *varve_peek_open(const char *disk, const VarveTools *tools, GError **error)
{
	g_autoptr(VarvePeek) peek = g_new0(VarvePeek, 1);
	const char *tmp = g_getenv("TMPDIR");

	peek->disk = g_canonicalize_filename(disk, NULL);
	peek->tools = tools;
	peek->fd = open(disk, O_RDONLY | O_CLOEXEC);
	if (peek->fd < 0) {
		varve_fail_errno(error, errno, "%s: cannot open", disk);
		return NULL;
	}
	if (!varve_gpt_read(peek->fd, &peek->gpt, error)) {
		g_prefix_error(error, "%s: ", disk);
		return NULL;
	}
	/* Layers are large, and /tmp is often memory. */
	peek->scratch = g_build_filename(tmp ? tmp : "/var/tmp", "varve-peek.XXXXXX", NULL);
	if (!g_mkdtemp(peek->scratch)) {
		varve_fail_errno(error, errno, "%s: cannot make a directory", peek->scratch);
		g_clear_pointer(&peek->scratch, g_free);
		return NULL;
	}
	return g_steal_pointer(&peek);
}

/* A partition as a file of its own; -1 on failure. */
static int copy_partition(VarvePeek *peek, const char *name, GError **error)
{
	const VarveGptPartition *partition = need(peek, name, error);
	g_autofree char *path = g_build_filename(peek->scratch, name, NULL);
	varve_autofd fd = -1;

	if (!partition)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)partition->size) < 0) {
		varve_fail_errno(error, errno, "%s: cannot make", path);
		return -1;
	}
	/* Only the fd is used: nothing is left where the program is ended. */
	unlink(path);
	if (!varve_sparse_copy(peek->fd, partition->offset, partition->size, fd, 0, peek->disk,
			       error))
		return -1;
	return varve_fd_steal(&fd);
}

gboolean varve_peek_base(VarvePeek *peek, char slot, VarveLayer **ret, GError **error)
{
	g_autofree char *name = g_strdup_printf("base-%c", slot);
	g_autofree char *verity = g_strconcat(name, "-verity", NULL);
	g_autofree char *signature = g_strconcat(name, "-sig", NULL);
	const VarveGptPartition *partition = need(peek, signature, error);
	varve_autofd data_fd = -1, hash_fd = -1, signature_fd = -1;
	char first = '\0';

	if (!partition)
		return FALSE;
	if (varve_fd_read_full(peek->fd, &first, 1, (off_t)partition->offset) < 0)
		return varve_fail_errno(error, errno, "%s: cannot read", peek->disk);
	if (first == '\0') {
		*ret = NULL;
		return TRUE;
	}
	data_fd = copy_partition(peek, name, error);
	hash_fd = data_fd < 0 ? -1 : copy_partition(peek, verity, error);
	signature_fd = hash_fd < 0 ? -1 : copy_partition(peek, signature, error);
	if (signature_fd < 0)
		return FALSE;
	*ret = varve_layer_open_partitions(data_fd, hash_fd, signature_fd, name, error);
	return *ret != NULL;
}

static gboolean run(const VarvePeek *peek, const char *const *argv, char **ret_output,
		    GError **error)
{
	const VarveBind binds[] = {
		{ .source = peek->disk, .target = peek->disk },
		{ .source = peek->scratch, .target = peek->scratch, .writable = TRUE },
	};

	return varve_tools_run(peek->tools, argv, binds, G_N_ELEMENTS(binds), 0, ret_output, error);
}

static gboolean debugfs(const VarvePeek *peek, const char *request, char **ret_output,
			GError **error)
{
	const VarveGptPartition *state = need(peek, VARVE_DISK_STATE, error);
	g_autofree char *where = NULL;

	if (!state)
		return FALSE;
	where = g_strdup_printf("%s?offset=%" G_GUINT64_FORMAT, peek->disk, state->offset);
	return run(peek, (const char *const[]){ "debugfs", "-R", request, where, NULL }, ret_output,
		   error);
}

gboolean varve_peek_layers(VarvePeek *peek, char ***ret, GError **error)
{
	g_autofree char *directory = g_build_filename(peek->scratch, "layers", NULL);
	g_autofree char *request =
		g_strdup_printf("rdump \"/" VARVE_STATE_LAYERS "\" \"%s\"", peek->scratch);
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_auto(GStrv) names = NULL;

	/* It ends well also where there is nothing to copy. */
	if (!debugfs(peek, request, NULL, error))
		return FALSE;
	if (!g_file_test(directory, G_FILE_TEST_IS_DIR)) {
		*ret = g_new0(char *, 1);
		return TRUE;
	}
	if (!varve_dir_list(AT_FDCWD, directory, &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		g_autofree char *path = g_build_filename(directory, *name, NULL);

		if (g_str_has_suffix(*name, ".raw") && **name != '.')
			g_strv_builder_add(builder, path);
	}
	*ret = g_strv_builder_end(builder);
	return TRUE;
}

const char *varve_peek_esp(VarvePeek *peek, GError **error)
{
	const VarveGptPartition *esp = need(peek, VARVE_DISK_ESP, error);
	g_autofree char *image = NULL, *to = NULL;

	if (!esp || peek->esp)
		return esp ? peek->esp : NULL;
	to = g_build_filename(peek->scratch, "esp", NULL);
	image = g_strdup_printf("%s@@%" G_GUINT64_FORMAT, peek->disk, esp->offset);
	if (!varve_dir_make(to, 0700, error) ||
	    !run(peek,
		 (const char *const[]){ "env", "MTOOLS_SKIP_CHECK=1", "mcopy", "-s", "-n", "-i",
					image, "::EFI", to, NULL },
		 NULL, error))
		return NULL;
	peek->esp = g_steal_pointer(&to);
	return peek->esp;
}

void varve_peek_file_free(VarvePeekFile *file)
{
	if (!file)
		return;
	g_free(file->target);
	g_free(file->label);
	g_free(file->file);
	g_free(file);
}

/* The number that follows @label in debugfs' "stat"; FALSE where it is not there. */
static gboolean stat_value(const char *output, const char *label, guint base, guint64 *ret)
{
	const char *at = strstr(output, label);

	if (!at)
		return FALSE;
	at += strlen(label);
	at += strspn(at, " ");
	if (!g_ascii_isdigit(*at))
		return FALSE;
	*ret = g_ascii_strtoull(at, NULL, base);
	return TRUE;
}

static gboolean stat_type(const char *output, mode_t *ret)
{
	static const struct {
		const char *word;
		mode_t type;
	} types[] = {
		{ "Type: regular", S_IFREG },       { "Type: directory", S_IFDIR },
		{ "Type: symlink", S_IFLNK },       { "Type: character special", S_IFCHR },
		{ "Type: block special", S_IFBLK }, { "Type: FIFO", S_IFIFO },
		{ "Type: socket", S_IFSOCK },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		if (strstr(output, types[i].word)) {
			*ret = types[i].type;
			return TRUE;
		}
	}
	return FALSE;
}

/* The label among the "Extended attributes:", whose values are written with escapes. */
static char *read_label(const char *output)
{
	static const char name[] = "\n  security.selinux (";
	const char *at = strstr(output, name);
	const char *begin = at ? strstr(at, ") = \"") : NULL;
	const char *end = begin ? strchr(begin + strlen(") = \""), '"') : NULL;
	g_autofree char *quoted = NULL;

	if (!end)
		return g_strdup("");
	begin += strlen(") = \"");
	quoted = g_strndup(begin, (gsize)(end - begin));
	/* It ends with a NUL. */
	return g_strcompress(quoted);
}

static gboolean read_stat(const char *output, VarvePeekFile *file)
{
	guint64 mode, uid, gid, size;
	mode_t type;

	if (!stat_type(output, &type) || !stat_value(output, "Mode:", 8, &mode) ||
	    !stat_value(output, "User:", 10, &uid) || !stat_value(output, "Group:", 10, &gid) ||
	    !stat_value(output, "Size:", 10, &size))
		return FALSE;
	file->mode = type | (mode & 07777);
	file->uid = (uid_t)uid;
	file->gid = (gid_t)gid;
	file->size = size;
	file->label = read_label(output);
	file->opaque = strstr(output, "\n  trusted.overlay.opaque (") != NULL;
	return TRUE;
}

/* The content of @path, dumped; a link's target too, which ext4 keeps like a file's. */
static gboolean dump(VarvePeek *peek, const char *path, char **ret_file, GError **error)
{
	g_autofree char *file = g_strdup_printf("%s/file-%u", peek->scratch, peek->n++);
	g_autofree char *request = g_strdup_printf("dump \"/%s\" \"%s\"", path, file);

	if (!debugfs(peek, request, NULL, error))
		return FALSE;
	if (!g_file_test(file, G_FILE_TEST_IS_REGULAR))
		return varve_fail(error, VARVE_ERROR_SYSTEM,
				  "%s: '%s' cannot be read from its state partition", peek->disk,
				  path);
	*ret_file = g_steal_pointer(&file);
	return TRUE;
}

/* "Fast link dest: "../x"" of a short link. */
static char *fast_target(const char *output)
{
	static const char label[] = "Fast link dest: \"";
	const char *at = strstr(output, label);
	const char *end = at ? strrchr(at, '"') : NULL;

	if (!end || end < at + strlen(label))
		return NULL;
	return g_strndup(at + strlen(label), (gsize)(end - at - strlen(label)));
}

static gboolean read_content(VarvePeek *peek, const char *path, const char *output,
			     VarvePeekFile *file, GError **error)
{
	g_autofree char *long_target = NULL;
	size_t size;

	if (S_ISREG(file->mode)) {
		g_free(file->file);
		return dump(peek, path, &file->file, error);
	}
	if (!S_ISLNK(file->mode))
		return TRUE;
	g_free(file->target);
	file->target = fast_target(output);
	if (file->target)
		return TRUE;
	file->target = g_strdup("");
	if (!dump(peek, path, &long_target, error))
		return FALSE;
	g_free(file->target);
	return varve_file_read(AT_FDCWD, long_target, PATH_MAX, &file->target, &size, error);
}

gboolean varve_peek_state(VarvePeek *peek, const char *path, VarvePeekFile **ret, GError **error)
{
	g_autofree char *request = g_strdup_printf("stat \"/%s\"", path);
	g_autofree char *output = NULL;
	VarvePeekFile *file;

	for (const char *at = path; *at; at++) {
		if (*at == '"' || (guchar)*at < ' ')
			return varve_fail(error, VARVE_ERROR_USAGE,
					  "'%s': quotes and control characters cannot be asked for "
					  "in a disk image",
					  path);
	}
	if (!debugfs(peek, request, &output, error))
		return FALSE;
	file = g_new0(VarvePeekFile, 1);
	file->target = g_strdup("");
	file->file = g_strdup("");
	/* What is not there has no numbers. */
	if (!read_stat(output, file)) {
		varve_peek_file_free(file);
		*ret = NULL;
		return TRUE;
	}
	if (!read_content(peek, path, output, file, error)) {
		varve_peek_file_free(file);
		return FALSE;
	}
	*ret = file;
	return TRUE;
}
