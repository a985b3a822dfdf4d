/* Reading the payload of an RPM with librpm. */
#include "rpm/unpack.h"

#include "base/error.h"
#include "rpm/context.h"
#include "rpm/header-internal.h"
#include "rpm/keys-internal.h"

#include <rpm/rpmarchive.h>
#include <rpm/rpmfi.h>
#include <rpm/rpmfiles.h>
#include <rpm/rpmio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* What librpm holds while a payload is read. */
typedef struct {
	FD_t file;    /* the package */
	FD_t payload; /* the same, decompressed */
	Header header;
	rpmfiles files;
	rpmfi archive;
} Reading;

static void reading_clear(Reading *reading)
{
	rpmfiFree(reading->archive);
	rpmfilesFree(reading->files);
	headerFree(reading->header);
	if (reading->payload)
		Fclose(reading->payload);
	else if (reading->file)
		Fclose(reading->file);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

/* Reads the header, which must be signed, and stands before the payload. */
static gboolean open_header(Reading *reading, const char *path, const VarvePackageKeys *keys,
			    GError **error)
{
	g_autoptr(GString) said = g_string_new(NULL);
	rpmRC result;
	rpmts ts;

	reading->file = Fopen(path, "r.ufdio");
	if (!reading->file || Ferror(reading->file))
		return varve_fail_errno(error, errno, "package %s", path);
	ts = rpmtsCreate();
	rpmtsSetVSFlags(ts, RPMVSF_DEFAULT);
	rpmtsSetKeyring(ts, varve_package_keys_keyring(keys));
	varve_rpm_listen(said);
	result = rpmReadPackageFile(ts, reading->file, path, &reading->header);
	varve_rpm_listen(NULL);
	rpmtsFree(ts);
	if (result == RPMRC_OK && reading->header)
		return TRUE;
	return varve_fail(error, VARVE_ERROR_UNTRUSTED,
			  "%s: its header is not one that these keys signed (%s)%s%s", path,
			  varve_package_keys_describe(keys), said->len ? ": " : "",
			  g_strstrip(said->str));
}

static gboolean open_payload(Reading *reading, const char *path, GError **error)
{
	const char *compressor = headerGetString(reading->header, RPMTAG_PAYLOADCOMPRESSOR);
	g_autofree char *mode = g_strconcat("r.", compressor ? compressor : "gzip", NULL);

	reading->payload = Fdopen(reading->file, mode);
	if (!reading->payload || Ferror(reading->payload))
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "package %s: its payload is packed with '%s', which this librpm "
				  "cannot unpack",
				  path, compressor ? compressor : "gzip");
	reading->files = rpmfilesNew(NULL, reading->header, 0, RPMFI_KEEPHEADER);
	reading->archive = rpmfiNewArchiveReader(reading->payload, reading->files,
						 RPMFI_ITER_READ_ARCHIVE_CONTENT_FIRST);
	return reading->archive != NULL ||
	       varve_fail(error, VARVE_ERROR_CORRUPT, "package %s: its payload cannot be read",
			  path);
}

static gboolean fail_archive(int result, const char *what, const char *name, GError **error)
{
	char *words = rpmfileStrerror(result);

	varve_fail(error, VARVE_ERROR_CORRUPT, "%s %s: %s", name, what, words);
	free(words);
	return FALSE;
}

/* The file that the archive stands at, for all its names. */
static gboolean write_content(const Reading *reading, const char *directory, GPtrArray *contents,
			      GError **error)
{
	int index = rpmfiFX(reading->archive), result;
	const char *name = rpmfiFN(reading->archive);
	g_autofree char *to = g_strdup_printf("%s/%d", directory, index);
	const int *links = NULL;
	guint32 n = rpmfilesFLinks(reading->files, index, &links);
	FD_t fd;

	if (index < 0 || (guint)index >= contents->len)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "%s is in the payload, and not in the header", name);
	fd = Fopen(to, "wx.ufdio");
	if (!fd || Ferror(fd))
		return varve_fail_errno(error, errno, "%s", to);
	result = rpmfiArchiveReadToFile(reading->archive, fd, 0);
	if (Fclose(fd) != 0 && result == 0)
		return varve_fail_errno(error, errno, "%s", to);
	if (result != 0)
		return fail_archive(result, "cannot be unpacked", name, error);
	for (guint32 i = 0; links && i < n; i++) {
		g_free(contents->pdata[links[i]]);
		contents->pdata[links[i]] = g_strdup(to);
	}
	g_free(contents->pdata[index]);
	contents->pdata[index] = g_steal_pointer(&to);
	return TRUE;
}

static gboolean unpack(const char *path, const VarvePackageKeys *keys, const char *directory,
		       GPtrArray *contents, GError **error)
{
	g_auto(Reading) reading = { NULL };
	int result;

	if (!open_header(&reading, path, keys, error) || !open_payload(&reading, path, error))
		return FALSE;
	while ((result = rpmfiNext(reading.archive)) >= 0) {
		if (S_ISREG(rpmfiFMode(reading.archive)) &&
		    rpmfiArchiveHasContent(reading.archive) &&
		    !write_content(&reading, directory, contents, error)) {
			g_prefix_error(error, "package %s: ", path);
			return FALSE;
		}
	}
	return result == RPMERR_ITER_END ||
	       fail_archive(result, "has a damaged payload", path, error);
}

gboolean varve_rpm_unpack(const char *path, const VarvePackageKeys *const *keys,
			  const char *directory, VarvePackage **ret_package, GPtrArray **ret_files,
			  GPtrArray **ret_contents, GError **error)
{
	g_autoptr(VarvePackage) package = NULL;
	g_autoptr(GPtrArray) files = NULL, contents = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) local = NULL;

	varve_rpm_init();
	for (; *keys && !package; keys++) {
		g_clear_error(&local);
		if (varve_rpm_verify(path, *keys, &package, &files, &local))
			break;
	}
	if (!package) {
		if (local)
			g_propagate_error(error, g_steal_pointer(&local));
		else
			varve_fail(error, VARVE_ERROR_UNTRUSTED, "package %s: no key is known",
				   path);
		return FALSE;
	}
	g_ptr_array_set_size(contents, (gint)files->len);
	if (!unpack(path, *keys, directory, contents, error))
		return FALSE;
	/* The files refer to the package: first those who use them go. */
	*ret_package = g_steal_pointer(&package);
	*ret_files = g_steal_pointer(&files);
	*ret_contents = g_steal_pointer(&contents);
	return TRUE;
}
