/* The bootable disk: sizes and places, the sealed base into slot A, the filesystems, the table. */
#include "image/disk.h"

#include "base/error.h"
#include "base/file.h"
#include "crypt/sha256.h"
#include "format/verity.h"
#include "image/filesystem.h"
#include "image/sparse.h"
#include "layer/layer.h"

#include <string.h>
#include <sys/stat.h>

#define MIB ((guint64)1024 * 1024)
#define ESP_MINIMUM (128 * MIB)
#define SLOT_MINIMUM (256 * MIB)
#define SLOT_STEP (64 * MIB)
#define SIGNATURE_SIZE MIB
#define BOOT_ATTEMPTS 3

static const char loader_conf[] = "timeout 0\n"
				  "editor no\n"
				  "auto-entries no\n"
				  "auto-firmware no\n";
/* Offered in the boot loader's menu, never done by itself. */
static const char loader_conf_enrolment[] = "secure-boot-enroll manual\n";

typedef enum {
	ESP,
	BASE_A,
	BASE_A_VERITY,
	BASE_A_SIGNATURE,
	BASE_B,
	BASE_B_VERITY,
	BASE_B_SIGNATURE,
	STATE,
	N_PARTITIONS,
} Partition;

static const char *const names[N_PARTITIONS] = {
	VARVE_DISK_ESP,
	VARVE_DISK_BASE_A,
	VARVE_DISK_BASE_A_VERITY,
	VARVE_DISK_BASE_A_SIGNATURE,
	VARVE_DISK_BASE_B,
	VARVE_DISK_BASE_B_VERITY,
	VARVE_DISK_BASE_B_SIGNATURE,
	VARVE_DISK_STATE,
};

typedef struct {
	const VarveDisk *disk;
	VarveGpt gpt;
	VarveGpt *base_gpt;
	int base_fd; /* borrowed from the layer */
	char root_hash[VARVE_DIGEST_HEX_SIZE];
	guint64 layers_size;
	char *scratch; /* directory beside the result */
} Making;

static guint64 round_up(guint64 value, guint64 step)
{
	return (value + step - 1) / step * step;
}

char *varve_disk_uki_name(const char *name, const char *version)
{
	return g_strdup_printf("%s_%s+%d.efi", name, version, BOOT_ATTEMPTS);
}

/* Ids that are the same for the same image, and another's for another (RFC 9562, version 8). */
static void make_id(const Making *making, const char *what, VarveGuid *ret)
{
	g_autofree char *seed = g_strdup_printf("varve disk %s %s %s %s", making->disk->name,
						making->disk->version, making->root_hash, what);
	VarveDigest digest;

	varve_sha256(seed, strlen(seed), &digest);
	memcpy(ret->bytes, digest.bytes, sizeof(ret->bytes));
	ret->bytes[6] = (uint8_t)((ret->bytes[6] & 0x0f) | 0x80);
	ret->bytes[8] = (uint8_t)((ret->bytes[8] & 0x3f) | 0x80);
}

static gboolean check_word(const char *word, const char *what, GError **error)
{
	if (!*word || strspn(word, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS ".~^-") != strlen(word))
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "disk image: the %s '%s' cannot be part of a file name: "
				  "expected letters, digits and .~^-",
				  what, word);
	return TRUE;
}

/* The partition of the base's layer file that goes to @partition. */
static const VarveGptPartition *base_partition(const Making *making, Partition partition)
{
	const VarveArch *arch = making->disk->arch;
	const char *type = partition == BASE_A          ? arch->root
			   : partition == BASE_A_VERITY ? arch->root_verity
							: arch->root_verity_sig;
	VarveGuid guid;

	return varve_guid_from_text(type, &guid) ? varve_gpt_find(making->base_gpt, &guid) : NULL;
}

static gboolean size_of_layers(Making *making, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (const char *const *path = making->disk->layers; path && *path; path++) {
		g_autofree char *base = g_path_get_basename(*path);
		g_autoptr(VarveLayer) layer = varve_layer_open_path(*path, error);
		struct stat st;

		if (!layer)
			return FALSE;
		if (fstat(varve_layer_fd(layer), &st) < 0)
			return varve_fail_errno(error, errno, "%s: cannot stat", *path);
		making->layers_size += round_up((guint64)st.st_size, VARVE_VERITY_BLOCK);
		if (!g_hash_table_add(seen, g_strdup(base)))
			return varve_fail(error, VARVE_ERROR_CONFLICT,
					  "disk image: two layers have the file name '%s'", base);
	}
	return TRUE;
}

/* One size: what was asked for, if it is enough, else the default. */
static gboolean choose_size(const char *what, guint64 asked, guint64 needed, guint64 fallback,
			    guint64 *ret, GError **error)
{
	guint64 size = asked ? asked : fallback;

	if (size < needed)
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "disk image: %s of %" G_GUINT64_FORMAT
				  " MiB is too small, it needs %" G_GUINT64_FORMAT " MiB at least",
				  what, size / MIB, round_up(needed, MIB) / MIB);
	*ret = round_up(size, MIB);
	return TRUE;
}

static gboolean choose_sizes(const Making *making, guint64 sizes[N_PARTITIONS], GError **error)
{
	const VarveDisk *disk = making->disk;
	guint64 uki = g_bytes_get_size(disk->uki);
	guint64 base = base_partition(making, BASE_A)->size;
	guint64 esp_default = MAX(ESP_MINIMUM, round_up(uki * 3 + 4 * MIB, 64 * MIB));
	guint64 slot_default = MAX(SLOT_MINIMUM, round_up(base + base / 2, SLOT_STEP));
	guint64 state_default = round_up(making->layers_size * 2 + 1024 * MIB, 64 * MIB);

	if (!choose_size("esp-size", disk->esp_size, MAX(64 * MIB, uki + 8 * MIB), esp_default,
			 &sizes[ESP], error) ||
	    !choose_size("slot-size", disk->slot_size, base, slot_default, &sizes[BASE_A], error) ||
	    !choose_size("state-size", disk->state_size,
			 making->layers_size + making->layers_size / 16 + 64 * MIB, state_default,
			 &sizes[STATE], error))
		return FALSE;
	sizes[BASE_A_VERITY] = round_up(varve_verity_size(sizes[BASE_A] / VARVE_VERITY_BLOCK), MIB);
	sizes[BASE_A_SIGNATURE] = SIGNATURE_SIZE;
	sizes[BASE_B] = sizes[BASE_A];
	sizes[BASE_B_VERITY] = sizes[BASE_A_VERITY];
	sizes[BASE_B_SIGNATURE] = SIGNATURE_SIZE;
	if (base_partition(making, BASE_A_SIGNATURE)->size > SIGNATURE_SIZE)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: its signature partition is larger than 1 MiB", disk->base);
	return TRUE;
}

static gboolean plan(Making *making, GError **error)
{
	const VarveArch *arch = making->disk->arch;
	const char *const types[N_PARTITIONS] = {
		VARVE_GUID_ESP, arch->root,        arch->root_verity,     arch->root_verity_sig,
		arch->root,     arch->root_verity, arch->root_verity_sig, VARVE_GUID_LINUX_DATA,
	};
	guint64 sizes[N_PARTITIONS];
	guint64 offset = VARVE_GPT_FIRST_OFFSET;
	VarveGpt *gpt = &making->gpt;

	if (!choose_sizes(making, sizes, error))
		return FALSE;
	gpt->sector_size = 512;
	gpt->n_partitions = N_PARTITIONS;
	make_id(making, "disk", &gpt->disk_id);
	for (Partition i = 0; i < N_PARTITIONS; i++) {
		VarveGptPartition *partition = &gpt->partitions[i];

		if (!varve_guid_from_text(types[i], &partition->type))
			return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
					  "disk image: no partition type for '%s' on %s", names[i],
					  arch->name);
		make_id(making, names[i], &partition->id);
		partition->offset = offset;
		partition->size = sizes[i];
		g_strlcpy(partition->name, names[i], sizeof(partition->name));
		if (i != ESP)
			partition->attributes = VARVE_GPT_ATTRIBUTE_NO_AUTO;
		if (i != ESP && i != STATE)
			partition->attributes |= VARVE_GPT_ATTRIBUTE_READ_ONLY;
		if (i >= BASE_A && i <= BASE_A_SIGNATURE)
			partition->id = base_partition(making, i)->id;
		offset += sizes[i];
	}
	gpt->disk_size = offset + round_up(varve_gpt_tail_size(gpt->sector_size), MIB);
	return TRUE;
}

static gboolean copy_base(const Making *making, int fd, GError **error)
{
	for (Partition i = BASE_A; i <= BASE_A_SIGNATURE; i++) {
		const VarveGptPartition *from = base_partition(making, i);

		if (from->size > making->gpt.partitions[i].size)
			return varve_fail(error, VARVE_ERROR_CORRUPT,
					  "%s: its partition for %s is larger than its data need",
					  making->disk->base, names[i]);
		if (!varve_sparse_copy(making->base_fd, from->offset, from->size, fd,
				       making->gpt.partitions[i].offset, making->disk->base, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean write_bytes(const char *path, GBytes *bytes, GError **error)
{
	gsize size;
	const void *data = g_bytes_get_data(bytes, &size);

	return varve_file_write(AT_FDCWD, path, data, size, 0644, error);
}

static void add_file(GArray *files, char *path, char *source)
{
	const VarveFilesystemFile file = { path, source };

	g_array_append_val(files, file);
}

static void file_clear(gpointer data)
{
	const VarveFilesystemFile *file = data;

	g_free((char *)file->path);
	g_free((char *)file->source);
}

static gboolean has_enrolment(const VarveDisk *disk)
{
	return disk->enrolment && disk->enrolment[0];
}

/* What the boot loader offers where the firmware is in setup mode:
 * loader/keys/NAME/{PK,KEK,db}.auth. A directory called "auto" it would take without being asked.
 */
static gboolean stage_enrolment(const VarveDisk *disk, const char *stage, GArray *files,
				GError **error)
{
	if (!has_enrolment(disk))
		return TRUE;
	if (strcmp(disk->name, "auto") == 0)
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "disk image: with the name 'auto' its keys would be enrolled "
				  "without asking; call it something else");
	for (gsize i = 0; i < VARVE_ENROLMENT_N; i++) {
		g_autofree char *name =
			g_strdup_printf("%s.auth", varve_enrolment_variable_name(i));
		char *source = g_build_filename(stage, name, NULL);

		add_file(files, g_strdup_printf("loader/keys/%s/%s", disk->name, name), source);
		if (!write_bytes(source, disk->enrolment[i], error))
			return FALSE;
	}
	return TRUE;
}

static gboolean stage_loader_conf(const VarveDisk *disk, const char *path, GError **error)
{
	g_autofree char *text =
		g_strconcat(loader_conf, has_enrolment(disk) ? loader_conf_enrolment : NULL, NULL);

	return varve_file_write(AT_FDCWD, path, text, strlen(text), 0644, error);
}

static gboolean make_esp(const Making *making, const VarveFilesystem *where, GError **error)
{
	const VarveDisk *disk = making->disk;
	g_autofree char *stage = g_build_filename(making->scratch, "esp", NULL);
	char *uki = g_build_filename(stage, "uki.efi", NULL);
	char *conf = g_build_filename(stage, "loader.conf", NULL);
	char *loader = g_build_filename(stage, "boot.efi", NULL);
	g_autofree char *uki_name = varve_disk_uki_name(disk->name, disk->version);
	g_autofree char *efi = g_ascii_strup(disk->arch->efi, -1);
	g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(VarveFilesystemFile));

	g_array_set_clear_func(files, file_clear);
	add_file(files, g_strdup_printf("EFI/BOOT/BOOT%s.EFI", efi), loader);
	add_file(files, g_strdup_printf("EFI/systemd/systemd-boot%s.efi", disk->arch->efi),
		 g_strdup(loader));
	add_file(files, g_strdup("loader/loader.conf"), conf);
	add_file(files, g_strdup_printf("EFI/Linux/%s", uki_name), uki);
	return varve_dir_make(stage, 0755, error) && stage_loader_conf(disk, conf, error) &&
	       write_bytes(loader, disk->boot_loader, error) &&
	       write_bytes(uki, disk->uki, error) && stage_enrolment(disk, stage, files, error) &&
	       varve_esp_make(where, stage, (const VarveFilesystemFile *)(gpointer)files->data,
			      files->len, error);
}

/* Puts @path into the staging directory: by another name for the same file where that can be. */
static gboolean stage_file(const char *path, const char *directory, GError **error)
{
	g_autofree char *base = g_path_get_basename(path);
	g_autofree char *to = g_build_filename(directory, base, NULL);

	if (linkat(AT_FDCWD, path, AT_FDCWD, to, AT_SYMLINK_FOLLOW) == 0)
		return TRUE;
	return varve_file_copy(path, to, 0644, error);
}

static gboolean make_state(const Making *making, const VarveFilesystem *where, GError **error)
{
	static const char *const directories[] = { "etc/upper", "etc/work", VARVE_STATE_LAYERS };
	g_autofree char *stage = g_build_filename(making->scratch, "state", NULL);
	g_autofree char *layers = g_build_filename(stage, VARVE_STATE_LAYERS, NULL);
	VarveGuid id;
	char uuid[37];

	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
		g_autofree char *path = g_build_filename(stage, directories[i], NULL);

		if (!varve_dir_make(path, 0755, error))
			return FALSE;
	}
	for (const char *const *path = making->disk->layers; path && *path; path++) {
		if (!stage_file(*path, layers, error))
			return FALSE;
	}
	make_id(making, "state filesystem", &id);
	varve_guid_to_text(&id, uuid);
	return varve_state_make(where, stage, uuid, error);
}

static gboolean fill(Making *making, VarveNewFile *file, GError **error)
{
	VarveFilesystem where = { .tools = making->disk->tools,
				  .disk = file->partial,
				  .epoch = making->disk->epoch };
	const VarveGptPartition *partitions = making->gpt.partitions;

	if (ftruncate(file->fd, (off_t)making->gpt.disk_size) < 0)
		return varve_fail_errno(error, errno, "%s: cannot set its size", file->path);
	if (!copy_base(making, file->fd, error))
		return FALSE;
	where.offset = partitions[ESP].offset;
	where.size = partitions[ESP].size;
	if (!make_esp(making, &where, error))
		return FALSE;
	where.offset = partitions[STATE].offset;
	where.size = partitions[STATE].size;
	return make_state(making, &where, error) && varve_gpt_write(file->fd, &making->gpt, error);
}

static gboolean write_disk(Making *making, const char *path, GError **error)
{
	g_autofree char *absolute = g_canonicalize_filename(path, NULL);
	g_autoptr(VarveNewFile) file = varve_new_file_open(absolute, 0644, error);
	gboolean written;

	if (!file)
		return FALSE;
	making->scratch = g_strdup_printf("%s.stage", file->partial);
	written = varve_dir_make(making->scratch, 0755, error) && fill(making, file, error);
	if (!varve_dir_remove(AT_FDCWD, making->scratch, written ? error : NULL))
		written = FALSE;
	return written && varve_new_file_commit(file, error);
}

static void summarize(const Making *making, const char *path, gint64 started, VarveDiskSummary *ret)
{
	const VarveGptPartition *partitions = making->gpt.partitions;
	struct stat st;

	ret->size = making->gpt.disk_size;
	ret->allocated = stat(path, &st) == 0 ? (guint64)st.st_blocks * 512 : 0;
	ret->esp_size = partitions[ESP].size;
	ret->slot_size = partitions[BASE_A].size;
	ret->state_size = partitions[STATE].size;
	memcpy(ret->root_hash, making->root_hash, sizeof(ret->root_hash));
	ret->seconds = (double)(g_get_monotonic_time() - started) / G_USEC_PER_SEC;
}

gboolean varve_disk_build(const VarveDisk *disk, const char *path, VarveDiskSummary *ret_summary,
			  GError **error)
{
	gint64 started = g_get_monotonic_time();
	g_autoptr(VarveLayer) base = NULL;
	Making making = { .disk = disk };
	gboolean built = FALSE;

	if (!check_word(disk->name, "name", error) || !check_word(disk->version, "version", error))
		return FALSE;
	base = varve_layer_open_path(disk->base, error);
	if (!base)
		return FALSE;
	making.base_fd = varve_layer_fd(base);
	varve_digest_to_hex(varve_layer_root(base), making.root_hash);
	if (!varve_gpt_read(making.base_fd, &making.base_gpt, error))
		return FALSE;
	if (!base_partition(&making, BASE_A) || !base_partition(&making, BASE_A_VERITY) ||
	    !base_partition(&making, BASE_A_SIGNATURE))
		varve_fail(error, VARVE_ERROR_CORRUPT, "%s: is not a layer for %s", disk->base,
			   disk->arch->name);
	else
		built = size_of_layers(&making, error) && plan(&making, error) &&
			write_disk(&making, path, error);
	if (built && ret_summary)
		summarize(&making, path, started, ret_summary);
	g_free(making.base_gpt);
	g_free(making.scratch);
	return built;
}
