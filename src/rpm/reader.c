/* Reading one RPM file. */
#include "rpm/reader.h"

#include "base/error.h"
#include "base/file.h"
#include "rpm/context.h"
#include "rpm/digest-internal.h"
#include "rpm/header-internal.h"
#include "rpm/keys-internal.h"

#include <rpm/rpmcli.h>
#include <rpm/rpmcrypto.h>
#include <rpm/rpmfi.h>
#include <rpm/rpmfiles.h>
#include <string.h>
#include <sys/stat.h>

static char *header_text(Header header, rpmTagVal tag)
{
	const char *text = headerGetString(header, tag);

	return g_strdup(text ? text : "");
}

char *varve_rpm_header_nevra(Header header)
{
	guint64 epoch = headerGetNumber(header, RPMTAG_EPOCH);
	g_autofree char *prefix = epoch ? g_strdup_printf("%" G_GUINT64_FORMAT ":", epoch) : NULL;
	const char *arch = headerGetString(header, RPMTAG_ARCH);

	return g_strdup_printf("%s-%s%s-%s.%s", headerGetString(header, RPMTAG_NAME),
			       prefix ? prefix : "", headerGetString(header, RPMTAG_VERSION),
			       headerGetString(header, RPMTAG_RELEASE), arch ? arch : "noarch");
}

static int compare_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "name", "name op evr" or a rich dependency, as repository metadata write them. */
static char **header_capabilities(Header header, rpmTagVal tag)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new();
	rpmds set = rpmdsInit(rpmdsNew(header, tag, 0));

	while (rpmdsNext(set) >= 0) {
		const char *name = rpmdsN(set), *evr = rpmdsEVR(set);
		rpmsenseFlags flags = rpmdsFlags(set);
		const char *op = flags & RPMSENSE_LESS      ? (flags & RPMSENSE_EQUAL ? "<=" : "<")
				 : flags & RPMSENSE_GREATER ? (flags & RPMSENSE_EQUAL ? ">=" : ">")
							    : "=";

		if (flags & (RPMSENSE_RPMLIB | RPMSENSE_MISSINGOK))
			continue;
		g_ptr_array_add(list, evr && *evr && flags & RPMSENSE_SENSEMASK
					      ? g_strdup_printf("%s %s %s", name, op, evr)
					      : g_strdup(name));
	}
	rpmdsFree(set);
	g_ptr_array_sort(list, compare_text);
	for (guint i = 1; i < list->len;) {
		if (strcmp(list->pdata[i - 1], list->pdata[i]) == 0)
			g_free(g_ptr_array_remove_index(list, i));
		else
			i++;
	}
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&list), FALSE);
}

VarvePackage *varve_rpm_header_facts(Header header)
{
	VarvePackage *package = g_new0(VarvePackage, 1);

	package->name = header_text(header, RPMTAG_NAME);
	package->epoch = (guint)headerGetNumber(header, RPMTAG_EPOCH);
	package->version = header_text(header, RPMTAG_VERSION);
	package->release = header_text(header, RPMTAG_RELEASE);
	package->arch = header_text(header, RPMTAG_ARCH);
	package->nevra = varve_rpm_header_nevra(header);
	package->repository = g_strdup("");
	package->location = g_strdup("");
	package->path = g_strdup("");
	package->installed_size = headerIsEntry(header, RPMTAG_LONGSIZE)
					  ? headerGetNumber(header, RPMTAG_LONGSIZE)
					  : headerGetNumber(header, RPMTAG_SIZE);
	package->source = header_text(header, RPMTAG_SOURCERPM);
	package->license = header_text(header, RPMTAG_LICENSE);
	package->vendor = header_text(header, RPMTAG_VENDOR);
	package->provides = header_capabilities(header, RPMTAG_PROVIDENAME);
	package->requires = header_capabilities(header, RPMTAG_REQUIRENAME);
	return package;
}

static VarvePackageFile *file_facts(rpmfiles files, int i, const VarvePackage *package)
{
	VarvePackageFile *file = g_new0(VarvePackageFile, 1);
	rpmfileAttrs flags = rpmfilesFFlags(files, i);
	const unsigned char *digest;
	char *path = rpmfilesFN(files, i);
	const char *caps = rpmfilesFCaps(files, i), *target = rpmfilesFLink(files, i);
	const char *user = rpmfilesFUser(files, i), *group = rpmfilesFGroup(files, i);
	size_t length = 0;
	int algorithm = 0;

	file->path = g_strdup(path + strspn(path, "/"));
	free(path);
	file->mode = rpmfilesFMode(files, i);
	file->user = g_strdup(user ? user : "root");
	file->group = g_strdup(group ? group : "root");
	file->capabilities = g_strdup(caps ? caps : "");
	file->target = g_strdup(S_ISLNK(file->mode) && target ? target : "");
	digest = rpmfilesFDigest(files, i, &algorithm, &length);
	file->digest = S_ISREG(file->mode) && digest && algorithm == RPM_HASH_SHA256
			       ? varve_hex(digest, length)
			       : g_strdup("");
	file->size = rpmfilesFSize(files, i);
	file->mtime = rpmfilesFMtime(files, i);
	file->flags = (flags & RPMFILE_CONFIG ? VARVE_PACKAGE_FILE_CONFIG : 0) |
		      (flags & RPMFILE_DOC ? VARVE_PACKAGE_FILE_DOC : 0) |
		      (flags & RPMFILE_LICENSE ? VARVE_PACKAGE_FILE_LICENSE : 0) |
		      (flags & RPMFILE_GHOST ? VARVE_PACKAGE_FILE_GHOST : 0);
	file->package = package;
	return file;
}

rpmVSFlags varve_rpm_header_flags(Header header)
{
	return headerIsEntry(header, RPMTAG_PAYLOADDIGEST) &&
			       headerIsEntry(header, RPMTAG_SHA256HEADER)
		       ? RPMVSF_NOMD5 | RPMVSF_NOSHA1HEADER
		       : RPMVSF_DEFAULT;
}

static void free_file(gpointer file)
{
	varve_package_file_free(file);
}

GPtrArray *varve_rpm_header_files(Header header, const VarvePackage *package)
{
	GPtrArray *list = g_ptr_array_new_with_free_func(free_file);
	rpmfiles files = rpmfilesNew(NULL, header, RPMTAG_BASENAMES, RPMFI_FLAGS_QUERY);

	for (int i = 0, n = (int)rpmfilesFC(files); i < n; i++)
		g_ptr_array_add(list, file_facts(files, i, package));
	rpmfilesFree(files);
	return list;
}

/* librpm names each digest and signature on a line of its own that ends in OK, BAD, NOKEY …; what
 * matters to a reader are those that are not OK. */
static char *not_fine(const char *said, gboolean *ret_digest_bad, gboolean *ret_signature_seen)
{
	g_auto(GStrv) lines = g_strsplit(said, "\n", -1);
	g_autoptr(GString) text = g_string_new(NULL);

	*ret_digest_bad = *ret_signature_seen = FALSE;
	for (char **line = lines; *line; line++) {
		const char *trimmed = g_strstrip(*line);
		gboolean signature = strcasestr(trimmed, "signature") != NULL;

		if (!strstr(trimmed, ": ") || g_str_has_suffix(trimmed, ": OK"))
			continue;
		if (g_str_has_suffix(trimmed, ": NOTFOUND"))
			continue;
		*ret_signature_seen |= signature;
		*ret_digest_bad |= !signature;
		g_string_append_printf(text, "%s%s", text->len ? "; " : "", trimmed);
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Every digest and signature of header and payload. */
static gboolean check_whole(rpmts ts, FD_t fd, const char *path, const char *name,
			    const VarvePackageKeys *keys, GError **error)
{
	g_autoptr(GString) said = g_string_new(NULL);
	g_autofree char *wrong = NULL;
	struct rpmQVKArguments_s arguments = { 0 };
	gboolean digest_bad, signature_seen;
	int result;

	varve_rpm_listen(said);
	result = rpmVerifySignatures(&arguments, ts, fd, "");
	varve_rpm_listen(NULL);
	if (result == 0)
		return TRUE;
	wrong = not_fine(said->str, &digest_bad, &signature_seen);
	if (!keys || (digest_bad && !signature_seen))
		return varve_fail(
			error, VARVE_ERROR_CORRUPT,
			"package '%s' (%s): its digests do not match (%s): it was changed or "
			"damaged; remove it so that it is fetched again",
			name, path, *wrong ? wrong : "no digest at all");
	if (!signature_seen)
		return varve_fail(
			error, VARVE_ERROR_UNTRUSTED,
			"package '%s' (%s): is not signed; expected a signature by one of: %s",
			name, path, varve_package_keys_describe(keys));
	return varve_fail(
		error, VARVE_ERROR_UNTRUSTED,
		"package '%s' (%s): its signature is not by a key of the definition (%s); keys "
		"tried: %s",
		name, path, wrong, varve_package_keys_describe(keys));
}

static FD_t open_package(const char *path, GError **error)
{
	FD_t fd = Fopen(path, "r.ufdio");
	int errnum = errno;

	if (fd && !Ferror(fd))
		return fd;
	if (fd)
		Fclose(fd);
	varve_fail_errno(error, errnum, "package %s", path);
	return NULL;
}

/* Other builders put other things there. */
static gboolean read_component(Header header, VarvePackage *package, GError **error)
{
	const char *tag = headerGetString(header, RPMTAG_DISTURL);

	if (!tag || !varve_component_facts_is_tag(tag))
		return TRUE;
	package->component = varve_component_facts_from_tag(tag, package->nevra, error);
	return package->component != NULL;
}

/* The header is read twice from one fd: first as a claim, to have a name for messages, then, when
 * everything was verified, with its own digests and signature checked again as it is imported, so
 * that facts are never taken from other bytes than those that were verified. */
static gboolean read_package(const char *path, const VarvePackageKeys *keys,
			     VarvePackage **ret_package, GPtrArray **ret_files, GError **error)
{
	g_autoptr(VarvePackage) package = NULL;
	g_autoptr(GString) said = g_string_new(NULL);
	g_autofree char *name = NULL;
	Header header = NULL;
	FD_t fd;
	rpmts ts;
	rpmRC result;
	gboolean fine = FALSE;

	varve_rpm_init();
	fd = open_package(path, error);
	if (!fd)
		return FALSE;
	ts = rpmtsCreate();
	rpmtsSetVSFlags(ts, keys ? RPMVSF_DEFAULT : RPMVSF_MASK_NOSIGNATURES);
	rpmtsSetVfyFlags(ts, keys ? RPMVSF_DEFAULT : RPMVSF_MASK_NOSIGNATURES);
	rpmtsSetVfyLevel(ts, keys ? RPMSIG_VERIFIABLE_TYPE : RPMSIG_DIGEST_TYPE);
	if (keys)
		rpmtsSetKeyring(ts, varve_package_keys_keyring(keys));
	varve_rpm_listen(said);
	result = rpmReadPackageFile(ts, fd, path, &header);
	varve_rpm_listen(NULL);
	if (header)
		package = varve_rpm_header_facts(header);
	if (header)
		rpmtsSetVfyFlags(ts, rpmtsVfyFlags(ts) | varve_rpm_header_flags(header));
	name = package ? g_strdup(package->nevra) : g_path_get_basename(path);
	if (result == RPMRC_NOTFOUND || (result == RPMRC_FAIL && !strstr(said->str, ": "))) {
		varve_fail(error, VARVE_ERROR_CORRUPT, "%s: is not an RPM package", path);
	} else if (lseek(Fileno(fd), 0, SEEK_SET) < 0) {
		varve_fail_errno(error, errno, "package %s", path);
	} else if (check_whole(ts, fd, path, name, keys, error)) {
		if (!header)
			varve_fail(error, VARVE_ERROR_CORRUPT, "%s: its header cannot be read: %s",
				   path, g_strstrip(said->str));
		else if (keys && result != RPMRC_OK)
			varve_fail(error, VARVE_ERROR_UNTRUSTED,
				   "package '%s' (%s): its header's signature does not verify; "
				   "keys tried: "
				   "%s",
				   name, path, varve_package_keys_describe(keys));
		else
			fine = TRUE;
	}
	fine = fine && read_component(header, package, error) &&
	       lseek(Fileno(fd), 0, SEEK_SET) == 0 &&
	       varve_rpm_digest_fd(Fileno(fd), &package->digest, &package->size, error);
	if (fine) {
		g_free(package->path);
		package->path = g_strdup(path);
		if (ret_files)
			*ret_files = varve_rpm_header_files(header, package);
		if (ret_package)
			*ret_package = g_steal_pointer(&package);
	}
	headerFree(header);
	rpmtsFree(ts);
	Fclose(fd);
	return fine;
}

gboolean varve_rpm_verify(const char *path, const VarvePackageKeys *keys,
			  VarvePackage **ret_package, GPtrArray **ret_files, GError **error)
{
	g_return_val_if_fail(keys, FALSE);
	return read_package(path, keys, ret_package, ret_files, error);
}

gboolean varve_rpm_read(const char *path, VarvePackage **ret_package, GPtrArray **ret_files,
			GError **error)
{
	return read_package(path, NULL, ret_package, ret_files, error);
}

gboolean varve_rpm_read_header(const char *path, const VarvePackageKeys *keys,
			       VarvePackage **ret_package, GPtrArray **ret_files, GError **error)
{
	g_autoptr(GString) said = g_string_new(NULL);
	g_autoptr(VarvePackage) package = NULL;
	Header header = NULL;
	gboolean fine;
	rpmRC result;
	rpmts ts;
	FD_t fd;

	varve_rpm_init();
	fd = open_package(path, error);
	if (!fd)
		return FALSE;
	ts = rpmtsCreate();
	rpmtsSetVSFlags(ts, RPMVSF_DEFAULT);
	rpmtsSetKeyring(ts, varve_package_keys_keyring(keys));
	varve_rpm_listen(said);
	result = rpmReadPackageFile(ts, fd, path, &header);
	varve_rpm_listen(NULL);
	Fclose(fd);
	rpmtsFree(ts);
	if (result != RPMRC_OK || !header) {
		headerFree(header);
		return varve_fail(error, VARVE_ERROR_UNTRUSTED,
				  "%s: its header is not one that these keys signed (%s)%s%s", path,
				  varve_package_keys_describe(keys), said->len ? ": " : "",
				  g_strstrip(said->str));
	}
	package = varve_rpm_header_facts(header);
	fine = read_component(header, package, error);
	if (fine) {
		g_free(package->path);
		package->path = g_strdup(path);
		if (ret_files)
			*ret_files = varve_rpm_header_files(header, package);
		*ret_package = g_steal_pointer(&package);
	}
	headerFree(header);
	return fine;
}
