/* Hashing what the node runs, whole. */
#include "base/error.h"
#include "base/file.h"
#include "ground/block.h"
#include "ground/fd.h"
#include "ground/syscalls.h"
#include "stack/node.h"
#include "stack/stack.h"

#include <string.h>

/* Whom the results are told. */
typedef struct {
	VarveVerifiedVisit visit;
	gpointer data;
} Listener;

static void verified_free(VarveVerified *verified)
{
	g_free(verified->name);
	g_free(verified->version);
	g_free(verified->root);
	g_free(verified->wrong);
	g_free(verified);
}

static VarveVerified *verified_new(const char *name, const char *version, const char *root)
{
	VarveVerified *verified = g_new0(VarveVerified, 1);

	verified->name = g_strdup(name);
	verified->version = g_strdup(version);
	verified->root = g_strdup(root);
	return verified;
}

/* Hashes @layer, of which @expected (nullable) is the root that runs. */
static gboolean check(const VarveLayer *layer, const char *expected, const GPtrArray *certificates,
		      VarveVerified *verified, GError **error)
{
	g_autofree char *root = varve_digest_dup_hex(varve_layer_root(layer));
	guint64 offset, size, hash_offset, hash_size;

	if (expected && strcmp(expected, root) != 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "it has root hash %.16s…, what runs has %.16s…: the file was "
				  "replaced after the boot",
				  root, expected);
	g_free(verified->root);
	verified->root = g_steal_pointer(&root);
	varve_layer_extents(layer, &offset, &size, &hash_offset, &hash_size);
	verified->bytes = size + hash_size;
	if (certificates && !varve_layer_check_signature(layer, certificates, NULL, error))
		return FALSE;
	return varve_layer_check_data(layer, error);
}

static gboolean open_sibling(const char *device, const char *partition, const char *suffix,
			     int *ret_fd, GError **error)
{
	g_autofree char *name = g_strconcat(partition, suffix, NULL);
	char path[VARVE_DEVICE_PATH_SIZE];

	if (varve_block_find_sibling(device, name, path) != 1)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "there is no partition '%s' beside %s", name, device);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	return *ret_fd >= 0 || varve_fail_errno(error, errno, "%s", path);
}

static gboolean check_base(const VarveReportLayer *base, VarveVerified *verified, GError **error)
{
	char uuid[37], device[VARVE_DEVICE_PATH_SIZE], partition[64];
	varve_autofd data = -1, hash = -1, signature = -1;
	g_autoptr(VarveLayer) layer = NULL;

	if (varve_uuid_from_hash(base->root, 0, uuid) < 0 || varve_block_find(uuid, device) != 1 ||
	    varve_block_name(device, partition, sizeof(partition)) < 0)
		return varve_fail(error, VARVE_ERROR_NOT_FOUND,
				  "there is no partition for root hash %.16s…", base->root);
	data = open(device, O_RDONLY | O_CLOEXEC);
	if (data < 0)
		return varve_fail_errno(error, errno, "%s", device);
	if (!open_sibling(device, partition, "-verity", &hash, error) ||
	    !open_sibling(device, partition, "-sig", &signature, error))
		return FALSE;
	layer = varve_layer_open_partitions(data, hash, signature, "base", error);
	return layer && check(layer, base->root, NULL, verified, error);
}

static gboolean check_file(int dirfd, const char *file, const char *expected,
			   const GPtrArray *certificates, VarveVerified *verified, GError **error)
{
	varve_autofd fd = varve_openat2(dirfd, file, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
					VARVE_RESOLVE_STRICT);
	g_autoptr(VarveLayer) layer = NULL;

	if (fd < 0)
		return varve_fail_errno(error, errno, "'%s' cannot be opened", file);
	layer = varve_layer_open(fd, file, error);
	return layer && check(layer, expected, certificates, verified, error);
}

/* Takes @verified. */
static void finish(VarveVerified *verified, gint64 since, const GError *error,
		   const Listener *listener)
{
	verified->microseconds = g_get_monotonic_time() - since;
	if (error)
		verified->wrong = g_strdup(error->message);
	listener->visit(verified, listener->data);
	verified_free(verified);
}

static const VarveReportLayer *merged_file(const VarveReport *boot, const char *file)
{
	for (guint i = 0; i < boot->layers->len; i++) {
		const VarveReportLayer *layer = boot->layers->pdata[i];

		if (layer->accepted && strcmp(layer->file, file) == 0)
			return layer;
	}
	return NULL;
}

static gboolean verify_files(const VarveReport *boot, gboolean all, const GPtrArray *certificates,
			     const Listener *listener, GError **error)
{
	varve_autofd fd = varve_dir_open(AT_FDCWD, "/" VARVE_CANDIDATES_DIR, error);
	g_auto(GStrv) names = NULL;

	if (fd < 0 || !varve_dir_list(fd, ".", &names, error))
		return FALSE;
	for (char **name = names; *name; name++) {
		const VarveReportLayer *layer = merged_file(boot, *name);
		g_autofree char *shown = g_strescape(*name, NULL);
		g_autoptr(GError) local = NULL;
		gint64 since = g_get_monotonic_time();
		VarveVerified *verified;

		if (!g_str_has_suffix(*name, ".raw") || (!layer && !all))
			continue;
		verified = verified_new(layer ? layer->name : shown, layer ? layer->version : "",
					layer ? layer->root : "");
		if (strcmp(shown, *name) != 0)
			varve_fail(&local, VARVE_ERROR_CORRUPT, "no layer can have this name");
		else
			check_file(fd, *name, layer ? layer->root : NULL, certificates, verified,
				   &local);
		finish(verified, since, local, listener);
	}
	return TRUE;
}

/* What runs and has no file any more cannot be hashed. */
static void report_missing(const VarveReport *boot, const Listener *listener)
{
	for (guint i = 0; i < boot->layers->len; i++) {
		const VarveReportLayer *layer = boot->layers->pdata[i];
		g_autofree char *path = NULL;
		g_autoptr(GError) error = NULL;

		if (!layer->accepted)
			continue;
		path = g_strconcat("/" VARVE_CANDIDATES_DIR "/", layer->file, NULL);
		if (access(path, F_OK) == 0)
			continue;
		varve_fail(
			&error, VARVE_ERROR_NOT_FOUND,
			"its file '%s' is gone; what runs is still checked block by block, but the "
			"next boot will not find it",
			layer->file);
		finish(verified_new(layer->name, layer->version, layer->root),
		       g_get_monotonic_time(), error, listener);
	}
}

gboolean varve_node_verify(const VarveReport *boot, gboolean all, VarveVerifiedVisit visit,
			   gpointer data, GError **error)
{
	const Listener listener = { .visit = visit, .data = data };
	varve_autofd base_fd = varve_dir_open(AT_FDCWD, VARVE_BASE_MOUNT, error);
	g_autoptr(VarvePolicy) policy = NULL;
	g_autoptr(GPtrArray) certificates = NULL;
	g_autoptr(GError) local = NULL;
	gint64 since = g_get_monotonic_time();
	VarveVerified *base;

	if (base_fd < 0)
		return FALSE;
	policy = varve_policy_load(base_fd, error);
	if (!policy)
		return FALSE;
	certificates = varve_policy_certificates(policy);
	base = verified_new(boot->base->name, boot->base->version, boot->base->root);
	check_base(boot->base, base, &local);
	finish(base, since, local, &listener);
	if (!verify_files(boot, all, certificates, &listener, error))
		return FALSE;
	report_missing(boot, &listener);
	return TRUE;
}
