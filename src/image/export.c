/* Disk images for others: sparse copies, a footer for VHD, qemu-img for qcow2. */
#include "image/export.h"

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "crypt/sha256.h"
#include "image/sparse.h"
#include "image/vhd.h"

#include <string.h>
#include <sys/stat.h>

#define MIB (1024 * 1024)
#define TABLE_SIZE 32768 /* protective MBR, GPT header and entries, with room */

static const struct {
	VarveExportFormat format;
	const char *name, *suffix;
} formats[] = {
	{ VARVE_EXPORT_RAW, "raw", ".raw" },
	{ VARVE_EXPORT_QCOW2, "qcow2", ".qcow2" },
	{ VARVE_EXPORT_VHD, "vhd", ".vhd" },
	{ VARVE_EXPORT_OCI, "oci", ".oci.tar" },
};

gboolean varve_export_format_from_name(const char *name, VarveExportFormat *ret)
{
	for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
		if (strcmp(formats[i].name, name) == 0) {
			*ret = formats[i].format;
			return TRUE;
		}
	}
	return FALSE;
}

const char *varve_export_format_suffix(VarveExportFormat format)
{
	for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
		if (formats[i].format == format)
			return formats[i].suffix;
	}
	return "";
}

/* Pads to whole MiB and adds the footer. Its id comes from the partition table, which has the
 * disk's own: the same image is the same VHD. */
static gboolean finish_vhd(int from, int to, const char *name, GError **error)
{
	g_autofree uint8_t *table = g_malloc(TABLE_SIZE);
	ssize_t n = varve_fd_read_full(from, table, TABLE_SIZE, 0);
	uint8_t footer[VARVE_VHD_FOOTER_SIZE];
	VarveDigest id;
	struct stat st;
	guint64 size;

	if (n < 0 || fstat(to, &st) < 0)
		return varve_fail_errno(error, errno, "%s: cannot read", name);
	varve_sha256(table, (size_t)n, &id);
	size = ((guint64)st.st_size + MIB - 1) / MIB * MIB;
	varve_vhd_footer(size, 0, id.bytes, footer);
	if (ftruncate(to, (off_t)size) < 0 ||
	    varve_fd_pwrite_full(to, footer, sizeof(footer), (off_t)size) < 0)
		return varve_fail_errno(error, errno, "%s: cannot write", name);
	return TRUE;
}

gboolean varve_export_disk(const char *from, VarveExportFormat format, const char *to,
			   GError **error)
{
	varve_autofd in = open(from, O_RDONLY | O_CLOEXEC);
	g_autoptr(VarveNewFile) out = NULL;
	gboolean written = FALSE;

	if (in < 0)
		return varve_fail_errno(error, errno, "%s: cannot open", from);
	if (format == VARVE_EXPORT_OCI)
		return varve_fail(error, VARVE_ERROR_USAGE,
				  "an OCI archive is made from a layer, not from a disk: name the "
				  "base layer's file");
	out = varve_new_file_open(to, 0644, error);
	if (!out)
		return FALSE;
	switch (format) {
	case VARVE_EXPORT_RAW:
		written = varve_sparse_copy_file(in, out->fd, from, error);
		break;
	case VARVE_EXPORT_VHD:
		written = varve_sparse_copy_file(in, out->fd, from, error) &&
			  finish_vhd(in, out->fd, to, error);
		break;
	case VARVE_EXPORT_QCOW2:
		written = varve_run(error, "qemu-img", "convert", "-q", "-f", "raw", "-O", "qcow2",
				    "-c", "-o", "compression_type=zstd", from, out->partial, NULL);
		break;
	case VARVE_EXPORT_OCI:
		break;
	}
	return written && varve_new_file_commit(out, error);
}
