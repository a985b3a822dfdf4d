/* The order of trust up to the mount (design.md §5): a layer file is opened once and everything
 * uses that fd. */
#include "base/error.h"
#include "device/loop.h"
#include "device/verity-device.h"
#include "format/verity.h"
#include "ground/fd.h"
#include "ground/mount.h"
#include "stack/stack.h"

#include <string.h>
#include <sys/stat.h>

#define REMOVAL_ATTEMPTS 50
#define REMOVAL_WAIT_US 20000

VarveMounted *varve_mounted_new(const char *file)
{
	VarveMounted *mounted = g_new0(VarveMounted, 1);

	mounted->file = g_strdup(file);
	mounted->fd = -1;
	return mounted;
}

void varve_mounted_free(VarveMounted *mounted)
{
	if (!mounted)
		return;
	if (mounted->fd >= 0)
		close(mounted->fd);
	if (mounted->where && !mounted->kept) {
		umount2(mounted->where, MNT_DETACH | UMOUNT_NOFOLLOW);
		rmdir(mounted->where);
	}
	varve_layer_free(mounted->layer);
	varve_manifest_free(mounted->manifest);
	varve_path_table_free(mounted->paths);
	g_clear_pointer(&mounted->tree, g_ptr_array_unref);
	g_clear_pointer(&mounted->strings, g_string_chunk_free);
	varve_labels_free(mounted->labels);
	g_free(mounted->extension_release);
	g_free(mounted->where);
	g_free(mounted->device);
	g_free(mounted->file);
	g_free(mounted);
}

static gboolean mount_device(const char *device, unsigned attributes, const char *where,
			     GError **error)
{
	g_autofree char *source = g_strconcat("/dev/mapper/", device, NULL);
	const VarveMountOption options[] = { { "source", source }, { "ro", NULL }, { NULL, NULL } };
	varve_autofd mount_fd = -1;
	char log[512];

	if (varve_make_dirs(where) < 0)
		return varve_fail_errno(error, errno, "%s cannot be made", where);
	mount_fd = varve_mount_make("erofs", options, attributes | MOUNT_ATTR_RDONLY, log,
				    sizeof(log));
	/* The kernel has no other word for a block that does not match its hash. */
	if (mount_fd < 0 && errno == EIO)
		return varve_fail(
			error, VARVE_ERROR_CORRUPT,
			"%s cannot be read: its first blocks are not those that were signed, or "
			"the disk fails; write it again from its image",
			source);
	if (mount_fd < 0)
		return varve_fail_errno(error, errno, "%s cannot be mounted as EROFS%s%s", source,
					*log ? ": " : "", log);
	if (varve_mount_attach(mount_fd, where) < 0)
		return varve_fail_errno(error, errno, "%s cannot be mounted at %s", source, where);
	return TRUE;
}

/* One loop for data and tree: the second lies behind the first in a layer file. */
static gboolean open_device(const VarveLayer *layer, VarveVerityDevice *device, GError **error)
{
	guint64 data_offset, data_size, hash_offset, hash_size;
	g_autofree char *path = NULL;
	varve_autofd loop = -1;

	varve_layer_extents(layer, &data_offset, &data_size, &hash_offset, &hash_size);
	device->data_blocks = data_size / VARVE_VERITY_BLOCK;
	/* Behind the superblock, whose contents were checked when the layer was opened. */
	device->tree_offset = VARVE_VERITY_BLOCK;
	if (device->data_device)
		return varve_verity_device_open(device, error);
	if (hash_offset < data_offset + data_size)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "layer '%s': its tree does not lie behind its data",
				  varve_layer_name(layer));
	device->tree_offset += hash_offset - data_offset;
	loop = varve_loop_attach(varve_layer_fd(layer), data_offset,
				 hash_offset + hash_size - data_offset, varve_layer_name(layer),
				 &path, error);
	if (loop < 0)
		return FALSE;
	device->data_device = device->hash_device = path;
	return varve_verity_device_open(device, error);
}

/* A device of this name may be on its way out: the kernel removes what was let go when its last
 * user is gone. Where that may take long it is taken back: it checks against the same root hash. */
static gboolean open_device_patiently(const VarveLayer *layer, const VarveVerityDevice *device,
				      GError **error)
{
	for (int i = 0;; i++) {
		VarveVerityDevice copy = *device;
		g_autoptr(GError) local = NULL;

		if (open_device(layer, &copy, &local))
			return TRUE;
		if (g_error_matches(local, VARVE_ERROR, VARVE_ERROR_CONFLICT) &&
		    varve_verity_device_keep(device->name, &device->root, NULL))
			return TRUE;
		if (i == REMOVAL_ATTEMPTS ||
		    !g_error_matches(local, VARVE_ERROR, VARVE_ERROR_CONFLICT)) {
			g_propagate_error(error, g_steal_pointer(&local));
			return FALSE;
		}
		g_usleep(REMOVAL_WAIT_US);
	}
}

gboolean varve_verified_mount(const VarveLayer *layer, const char *data_device,
			      const char *hash_device, gboolean kernel_mode, const char *device,
			      unsigned attributes, const char *where, GError **error)
{
	VarveVerityDevice verity = {
		.name = device,
		.data_device = data_device,
		.hash_device = hash_device,
		.root = *varve_layer_root(layer),
		.signature = kernel_mode ? varve_layer_claims(layer)->platform_signature : NULL,
	};
	gboolean ok;

	if (kernel_mode && !verity.signature)
		return varve_fail(error, VARVE_ERROR_UNTRUSTED,
				  "layer '%s': it has no platform signature, and under Secure Boot "
				  "the kernel asks for one; admit it with 'varve layer admit'",
				  varve_layer_name(layer));
	if (!open_device_patiently(layer, &verity, error))
		return FALSE;
	ok = mount_device(device, attributes, where, error);
	if (!ok)
		varve_verity_device_close(device, FALSE, NULL);
	return ok;
}

static gboolean open_file(VarveMounted *mounted, int dirfd, GError **error)
{
	varve_autofd fd = varve_openat2(dirfd, mounted->file, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
					VARVE_RESOLVE_STRICT);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return varve_fail_errno(error, errno, "'%s' cannot be opened", mounted->file);
	if (!S_ISREG(st.st_mode))
		return varve_fail(error, VARVE_ERROR_NOT_FOUND, "'%s' is no regular file",
				  mounted->file);
	mounted->layer = varve_layer_open(fd, mounted->file, error);
	return mounted->layer != NULL;
}

/* Whether these very bytes were hashed whole before, as far as the file's own times tell. */
static gboolean was_checked(const VarveOpening *opening, const VarveDigest *root, guint64 stamp)
{
	if (opening->policy->check == VARVE_CHECK_NEVER)
		return TRUE;
	if (opening->policy->check == VARVE_CHECK_ALWAYS || !opening->known || stamp == 0)
		return FALSE;
	for (guint i = 0; i < opening->known->layers->len; i++) {
		const VarveGenerationLayer *layer = opening->known->layers->pdata[i];

		if (layer->stamp == stamp && varve_digest_equal(&layer->root, root))
			return TRUE;
	}
	return FALSE;
}

VarveRefusal *varve_mounted_check(const VarveOpening *opening, VarveMounted *mounted)
{
	guint64 stamp = varve_generation_stamp(varve_layer_fd(mounted->layer));
	g_autoptr(GError) error = NULL;

	if (mounted->checked)
		return NULL;
	mounted->hashed = !was_checked(opening, varve_layer_root(mounted->layer), stamp);
	if (mounted->hashed && !varve_layer_check_data(mounted->layer, &error))
		return varve_refusal_from_error(error);
	mounted->checked = TRUE;
	mounted->stamp = opening->policy->check == VARVE_CHECK_NEVER ? 0 : stamp;
	return NULL;
}

static gboolean check_signature(const VarveOpening *opening, VarveMounted *mounted,
				VarveReportLayer *layer, GError **error)
{
	g_autoptr(GPtrArray) certificates = varve_policy_certificates(opening->policy);
	const VarveCertificate *signer = NULL;

	if (!varve_layer_check_signature(mounted->layer, certificates, &signer, error))
		return FALSE;
	mounted->signer = varve_policy_trusted(opening->policy, signer);
	g_free(layer->certificate);
	g_free(layer->signer);
	layer->certificate = g_strdup(mounted->signer->name);
	layer->signer = g_strdup(varve_certificate_subject(signer));
	layer->development = varve_certificate_is_development(signer);
	return TRUE;
}

/* An error while the file is parsed has nothing to do with damage to signed bytes. */
static VarveRefusal *refuse_parse(const GError *error)
{
	if (g_error_matches(error, VARVE_ERROR, VARVE_ERROR_CORRUPT))
		return varve_refusal_new("not-a-layer", "%s", error->message);
	if (g_error_matches(error, VARVE_ERROR, VARVE_ERROR_NOT_FOUND) ||
	    g_error_matches(error, VARVE_ERROR, VARVE_ERROR_SYSTEM))
		return varve_refusal_new("unreadable", "%s", error->message);
	return varve_refusal_from_error(error);
}

static VarveRefusal *refuse_signature(const GError *error)
{
	return varve_refusal_new("untrusted", "%s", error->message);
}

/* What the kernel says of the signature is final: nothing is tried again without it. */
static VarveRefusal *refuse_device(const VarveOpening *opening, const GError *error)
{
	if (opening->kernel_mode && g_error_matches(error, VARVE_ERROR, VARVE_ERROR_UNTRUSTED))
		return varve_refusal_new("kernel-refused", "%s", error->message);
	return varve_refusal_from_error(error);
}

/* What is known before the kernel sees a byte of it. A mount point that is taken is that of the
 * running stack, or of the same layer in another file: one more device could not be made, and that
 * mount is not ours. */
static VarveRefusal *refuse_early(const VarveOpening *opening, const VarveMounted *mounted,
				  const char *where)
{
	g_autofree char *revoked = varve_policy_revoked(opening->policy, mounted->signer,
							varve_layer_root(mounted->layer));

	if (revoked)
		return varve_refusal_new("revoked", "%s", revoked);
	if (!opening->running && varve_mount_is(where))
		return varve_refusal_new("duplicate-layer",
					 "'%s' is a copy of a layer that another file brought",
					 mounted->file);
	return NULL;
}

/* The kernel would not open it, so nobody will see what it is: whether its key may sign what the
 * file claims to be is the one question about it that is left. */
static VarveRefusal *refuse_unadmitted(const VarveOpening *opening, const VarveMounted *mounted,
				       const char *name)
{
	if (!opening->kernel_mode || varve_layer_claims(mounted->layer)->platform_signature)
		return NULL;
	if (!varve_policy_may_sign(opening->policy, mounted->signer, name))
		return varve_refusal_new(
			"key-scope",
			"signed by '%s', which may not sign a layer called '%s', as "
			"the file is; nor has it a platform signature",
			mounted->signer->name, name);
	return varve_refusal_new("not-admitted",
				 "'%s' has no platform signature, and under Secure Boot the kernel "
				 "opens nothing without one",
				 mounted->file);
}

/* The root of the mount, whose device checks every block against @root. */
static gboolean open_running(VarveMounted *mounted, const char *where, const VarveDigest *root,
			     GError **error)
{
	VarveDigest found;
	struct stat st;

	mounted->fd = open(where, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (mounted->fd < 0 || fstat(mounted->fd, &st) < 0)
		return varve_fail_errno(error, errno, "%s cannot be opened", where);
	if (!varve_verity_device_root(st.st_dev, &found, error))
		return FALSE;
	if (!varve_digest_equal(&found, root))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s: what is mounted there has another root hash", where);
	mounted->where = g_strdup(where);
	mounted->kept = mounted->running = mounted->checked = TRUE;
	return TRUE;
}

VarveMounted *varve_mounted_running(const char *mounts, const VarveDigest *root, GError **error)
{
	g_autoptr(VarveMounted) mounted = varve_mounted_new("");
	g_autofree char *hex = varve_digest_dup_hex(root);
	g_autofree char *where = g_strconcat(mounts, "/", hex, NULL);

	if (!varve_mount_is(where)) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND, "%s: no layer is mounted there", where);
		return NULL;
	}
	if (!open_running(mounted, where, root, error) || !varve_mounted_read(mounted, error))
		return NULL;
	mounted->facts.root = *root;
	return g_steal_pointer(&mounted);
}

/* Its bytes were hashed, or need not be, when it was merged: what is known of that stays. */
static VarveMounted *take_running(const VarveOpening *opening, VarveMounted *mounted,
				  const char *where, VarveRefusal **ret_refusal)
{
	const VarveDigest *root = varve_layer_root(mounted->layer);
	g_autoptr(GError) error = NULL;

	if (!open_running(mounted, where, root, &error)) {
		*ret_refusal = varve_refusal_new("not-mountable", "%s", error->message);
		return NULL;
	}
	for (guint i = 0; opening->known && i < opening->known->layers->len; i++) {
		const VarveGenerationLayer *layer = opening->known->layers->pdata[i];

		if (layer->stamp && varve_digest_equal(&layer->root, root))
			mounted->stamp = layer->stamp;
	}
	return mounted;
}

VarveMounted *varve_mounted_open(const VarveOpening *opening, int dirfd, const char *file,
				 const char *name, VarveReportLayer *layer,
				 VarveRefusal **ret_refusal)
{
	const unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	g_autoptr(VarveMounted) mounted = varve_mounted_new(file);
	g_autofree char *where = NULL;
	g_autoptr(GError) error = NULL;

	if (!open_file(mounted, dirfd, &error)) {
		*ret_refusal = refuse_parse(error);
		return NULL;
	}
	g_free(layer->root);
	layer->root = varve_digest_dup_hex(varve_layer_root(mounted->layer));
	if (!check_signature(opening, mounted, layer, &error)) {
		*ret_refusal = refuse_signature(error);
		return NULL;
	}
	where = g_strconcat(opening->mounts, "/", layer->root, NULL);
	*ret_refusal = refuse_early(opening, mounted, where);
	if (!*ret_refusal)
		*ret_refusal = refuse_unadmitted(opening, mounted, name);
	if (*ret_refusal)
		return NULL;
	mounted->device = g_strconcat(opening->device_prefix, layer->root, NULL);
	if (opening->running && varve_mount_is(where))
		return take_running(opening, mounted, where, ret_refusal)
			       ? g_steal_pointer(&mounted)
			       : NULL;
	if (varve_policy_may_sign(opening->policy, mounted->signer, name)) {
		*ret_refusal = varve_mounted_check(opening, mounted);
		if (*ret_refusal)
			return NULL;
	}
	if (!varve_verified_mount(mounted->layer, NULL, NULL, opening->kernel_mode, mounted->device,
				  attributes, where, &error)) {
		rmdir(where);
		*ret_refusal = refuse_device(opening, error);
		return NULL;
	}
	/* From here on freeing it takes the mount away, and the mount the device. */
	mounted->where = g_steal_pointer(&where);
	if (!varve_verity_device_close(mounted->device, TRUE, &error)) {
		*ret_refusal = varve_refusal_from_error(error);
		return NULL;
	}
	mounted->fd = open(mounted->where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mounted->fd < 0) {
		*ret_refusal = varve_refusal_new("not-mountable", "%s: %s", mounted->where,
						 g_strerror(errno));
		return NULL;
	}
	return g_steal_pointer(&mounted);
}
