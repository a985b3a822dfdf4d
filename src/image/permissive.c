/* The two questions before a permissive boot: who signed the base, and what its UKIs are made of.
 */
#include "image/permissive.h"

#include "base/error.h"
#include "base/file.h"
#include "format/pe.h"
#include "image/disk.h"
#include "layer/layer.h"

#include <string.h>

#define TRUST_DIRECTORY "usr/lib/verity.d"
#define CERTIFICATE_LIMIT (64 * 1024)
#define UKI_DIRECTORY "::/EFI/Linux"
#define UKI_LIMIT ((size_t)512 * 1024 * 1024)
#define STUB_MINIMUM 254

static const VarveGptPartition *find(const VarveGpt *gpt, const char *name, const char *type)
{
	VarveGuid guid;

	for (guint i = 0; i < gpt->n_partitions; i++) {
		const VarveGptPartition *partition = &gpt->partitions[i];

		if (strcmp(partition->name, name) == 0 && varve_guid_from_text(type, &guid) &&
		    memcmp(&partition->type, &guid, sizeof(guid)) == 0)
			return partition;
	}
	return NULL;
}

static VarveLayer *open_base(int fd, const VarveGpt *gpt, const char *disk, const VarveArch *arch,
			     GError **error)
{
	const VarveGptPartition *data = find(gpt, VARVE_DISK_BASE_A, arch->root);
	const VarveGptPartition *hash = find(gpt, VARVE_DISK_BASE_A_VERITY, arch->root_verity);
	const VarveGptPartition *signature =
		find(gpt, VARVE_DISK_BASE_A_SIGNATURE, arch->root_verity_sig);
	g_autofree char *name = g_strdup_printf("%s: " VARVE_DISK_BASE_A, disk);

	if (!data || !hash || !signature) {
		varve_fail(error, VARVE_ERROR_NOT_FOUND,
			   "%s: it has no slot '%s' for %s with tree and signature", disk,
			   VARVE_DISK_BASE_A, arch->name);
		return NULL;
	}
	return varve_layer_open_extents(fd,
					&(VarveLayerExtents){ .data_offset = data->offset,
							      .data_size = data->size,
							      .hash_offset = hash->offset,
							      .hash_size = hash->size,
							      .signature_offset = signature->offset,
							      .signature_size = signature->size },
					name, error);
}

/* Those that the base carries; perhaps none. Not checked against the root hash: a certificate that
 * was put there is believed only as far as its key made the signature over that root hash. */
static GPtrArray *read_certificates(const VarveLayer *base, GError **error)
{
	g_autoptr(GPtrArray) certificates =
		g_ptr_array_new_with_free_func((GDestroyNotify)varve_certificate_free);
	g_autoptr(VarveErofs) erofs = varve_layer_open_erofs(base, error);
	g_auto(GStrv) names = NULL;
	g_autoptr(GError) local = NULL;

	if (!erofs)
		return NULL;
	if (!varve_erofs_list(erofs, TRUST_DIRECTORY, &names, &local) &&
	    !g_error_matches(local, VARVE_ERROR, VARVE_ERROR_NOT_FOUND)) {
		g_propagate_error(error, g_steal_pointer(&local));
		return NULL;
	}
	for (char **name = names; name && *name; name++) {
		g_autofree char *path = g_strdup_printf(TRUST_DIRECTORY "/%s", *name);
		g_autofree char *text = NULL;
		VarveCertificate *certificate;
		size_t size;

		if (!g_str_has_suffix(*name, ".crt"))
			continue;
		if (!varve_erofs_read_file(erofs, path, CERTIFICATE_LIMIT, &text, &size, error))
			return NULL;
		certificate = varve_certificate_parse(text, size, *name, error);
		if (!certificate)
			return NULL;
		g_ptr_array_add(certificates, certificate);
	}
	return g_steal_pointer(&certificates);
}

static gboolean check_base(int fd, const VarveGpt *gpt, const char *disk, const VarveArch *arch,
			   GError **error)
{
	g_autoptr(VarveLayer) base = open_base(fd, gpt, disk, arch, error);
	g_autoptr(GPtrArray) certificates = base ? read_certificates(base, error) : NULL;
	const VarveCertificate *signer = NULL;
	g_autoptr(GError) local = NULL;

	if (!certificates)
		return FALSE;
	if (!varve_layer_check_signature(base, certificates, &signer, &local))
		return varve_fail(
			error, VARVE_ERROR_REFUSED,
			"%s: its base is signed by no certificate that it carries itself, "
			"so not by one that is marked as development, and never runs "
			"permissive (%s)",
			disk, local->message);
	return varve_certificate_is_development(signer) ||
	       varve_fail(error, VARVE_ERROR_REFUSED,
			  "%s: its base is signed by CN=%s, whose certificate is not marked as "
			  "development, so it never runs permissive; to debug, build the edition "
			  "with keys of 'varve keys init'",
			  disk, varve_certificate_subject(signer));
}

static gboolean mtools(const VarveTools *tools, const char *const *argv, const char *disk,
		       const char *scratch, char **ret_output, GError **error)
{
	const VarveBind binds[] = {
		{ .source = disk, .target = disk },
		{ .source = scratch, .target = scratch, .writable = TRUE },
	};

	return varve_tools_run(tools, argv, binds, G_N_ELEMENTS(binds), 0, ret_output, error);
}

/* "#### LoaderInfo: systemd-stub 257.13-1~deb13u1 ####"; 0 where it is none of systemd's. */
static guint64 stub_version(const VarvePe *uki)
{
	static const char before[] = "#### LoaderInfo: systemd-stub ";
	const VarvePeSection *section = varve_pe_find(uki, ".sdmagic");
	g_autoptr(GBytes) content = section ? varve_pe_content(uki, section) : NULL;
	gsize size = 0;
	const char *data = content ? g_bytes_get_data(content, &size) : NULL;
	g_autofree char *text = g_strndup(data ? data : "", size);

	return g_str_has_prefix(text, before)
		       ? g_ascii_strtoull(text + sizeof(before) - 1, NULL, 10)
		       : 0;
}

/* (caller frees, nullable) what the command line says of enforcing already. */
static char *contradiction(const VarvePe *uki)
{
	const VarvePeSection *section = varve_pe_find(uki, ".cmdline");
	g_autoptr(GBytes) content = section ? varve_pe_content(uki, section) : NULL;
	gsize size = 0;
	const char *data = content ? g_bytes_get_data(content, &size) : NULL;
	g_autofree char *text = g_strndup(data ? data : "", size);
	g_auto(GStrv) words = g_strsplit_set(text, " \t\n", -1);

	for (char **word = words; *word; word++) {
		if (g_str_has_prefix(*word, "enforcing="))
			return g_strdup(*word);
	}
	return NULL;
}

static gboolean check_uki(const char *path, const char *name, const char *disk, GError **error)
{
	g_autofree char *what = g_strdup_printf("%s: UKI '%s'", disk, name);
	g_autofree char *said = NULL;
	g_autoptr(GBytes) bytes = NULL;
	g_autoptr(VarvePe) uki = NULL;
	guint64 version;
	char *data;
	size_t size;

	if (!varve_file_read(AT_FDCWD, path, UKI_LIMIT, &data, &size, error))
		return FALSE;
	bytes = g_bytes_new_take(data, size);
	uki = varve_pe_open(bytes, what, error);
	if (!uki)
		return FALSE;
	version = stub_version(uki);
	if (version < STUB_MINIMUM) {
		g_autofree char *found = version ? g_strdup_printf("%" G_GUINT64_FORMAT, version)
						 : g_strdup("none of systemd's");

		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "%s: its stub is %s, and only systemd-stub %d and later takes "
				  "words from outside: build the image with a newer one",
				  what, found, STUB_MINIMUM);
	}
	said = contradiction(uki);
	if (said)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "%s: its command line says '%s', and the first such word counts: "
				  "take it out of kernel-command-line (SELINUX=enforcing in the "
				  "base's /etc/selinux/config says the same)",
				  what, said);
	return TRUE;
}

static gboolean check_ukis(const VarveTools *tools, const VarveGpt *gpt, const char *disk,
			   const char *scratch, GError **error)
{
	const VarveGptPartition *esp = find(gpt, VARVE_DISK_ESP, VARVE_GUID_ESP);
	g_autofree char *image =
		g_strdup_printf("%s@@%" G_GUINT64_FORMAT, disk, esp ? esp->offset : 0);
	g_autofree char *copy = g_build_filename(scratch, "uki.efi", NULL);
	g_autofree char *listing = NULL;
	g_auto(GStrv) lines = NULL;
	guint n = 0;

	if (esp &&
	    !mtools(tools, (const char *const[]){ "mdir", "-b", "-i", image, UKI_DIRECTORY, NULL },
		    disk, scratch, &listing, error))
		return FALSE;
	lines = g_strsplit(listing ? listing : "", "\n", -1);
	for (char **line = lines; *line; line++) {
		const char *const copying[] = { "mcopy", "-n", "-i", image, *line, copy, NULL };
		g_autofree char *name = g_path_get_basename(*line);
		gboolean good;

		if (!g_str_has_suffix(*line, ".efi"))
			continue;
		good = mtools(tools, copying, disk, scratch, NULL, error) &&
		       check_uki(copy, name, disk, error);
		unlink(copy);
		if (!good)
			return FALSE;
		n++;
	}
	return n > 0 ||
	       varve_fail(error, VARVE_ERROR_NOT_FOUND, "%s: no UKI in EFI/Linux of its ESP", disk);
}

gboolean varve_permissive_check(const VarveTools *tools, const char *disk, const VarveArch *arch,
				const char *scratch, GError **error)
{
	g_autofree char *absolute = g_canonicalize_filename(disk, NULL);
	varve_autofd fd = open(absolute, O_RDONLY | O_CLOEXEC);
	g_autofree VarveGpt *gpt = NULL;

	if (fd < 0)
		return varve_fail_errno(error, errno, "%s: cannot open", absolute);
	if (!varve_gpt_read(fd, &gpt, error)) {
		g_prefix_error(error, "%s: ", absolute);
		return FALSE;
	}
	return check_base(fd, gpt, absolute, arch, error) &&
	       check_ukis(tools, gpt, absolute, scratch, error);
}
