/* Comparing a unified kernel image with its manifest. */
#include "trace/uki.h"

#include "base/error.h"
#include "base/text.h"
#include "crypt/authenticode.h"
#include "crypt/sha256.h"
#include "format/cpio.h"
#include "format/pe.h"

#include <string.h>
#include <sys/stat.h>

#define INITRD_LIMIT ((gsize)256 * 1024 * 1024)
#define CERTIFICATES_DIR "usr/lib/verity.d/"

static void file_free(gpointer data)
{
	VarveUkiFile *file = data;

	g_free(file->target);
	g_free(file);
}

static void section_free(gpointer data)
{
	VarveUkiSection *section = data;

	g_free(section->name);
	g_free(section);
}

void varve_trace_uki_free(VarveTraceUki *uki)
{
	if (!uki)
		return;
	varve_efi_signature_clear(&uki->signature);
	varve_boot_manifest_free(uki->manifest);
	g_ptr_array_unref(uki->sections);
	g_hash_table_unref(uki->files);
	g_ptr_array_unref(uki->certificates);
	g_ptr_array_unref(uki->problems);
	g_free(uki->manifest_text);
	g_free(uki->name);
	g_free(uki);
}

static void problem(VarveTraceUki *uki, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void problem(VarveTraceUki *uki, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(uki->problems, varve_text_printable(format, args));
	va_end(args);
}

void varve_efi_signature_clear(VarveEfiSignature *signature)
{
	g_clear_pointer(&signature->certificate, varve_certificate_free);
	g_clear_pointer(&signature->problem, g_free);
}

static void read_signature(const VarvePe *pe, VarveEfiSignature *ret)
{
	g_autoptr(GPtrArray) signatures = NULL;
	g_autoptr(GError) error = NULL;
	VarveDigest digest;

	ret->is_signed = varve_pe_is_signed(pe);
	ret->problem = g_strdup("");
	if (!ret->is_signed)
		return;
	varve_pe_digest(pe, &digest);
	if (varve_pe_signatures(pe, &signatures, &error) && signatures->len == 0)
		varve_fail(&error, VARVE_ERROR_CORRUPT, "there is no signature of a known kind");
	if (!error)
		varve_authenticode_check(signatures->pdata[0], &digest, &ret->certificate, &error);
	if (!error)
		return;
	g_free(ret->problem);
	ret->problem = g_strdup(error->message);
}

gboolean varve_efi_signature_read(GBytes *bytes, const char *name, VarveEfiSignature *ret,
				  GError **error)
{
	g_autoptr(VarvePe) pe = varve_pe_open(bytes, name, error);

	if (!pe)
		return FALSE;
	*ret = (VarveEfiSignature){ 0 };
	read_signature(pe, ret);
	return TRUE;
}

static void read_sections(VarveTraceUki *uki, const VarvePe *pe)
{
	for (gsize i = 0; i < varve_pe_n_sections(pe); i++) {
		const VarvePeSection *from = varve_pe_section(pe, i);
		g_autoptr(GBytes) content = varve_pe_content(pe, from);
		VarveUkiSection *section = g_new0(VarveUkiSection, 1);

		section->name = g_strdup(from->name);
		section->size = g_bytes_get_size(content);
		varve_sha256(g_bytes_get_data(content, NULL), section->size, &section->digest);
		g_ptr_array_add(uki->sections, section);
	}
}

const VarveUkiSection *varve_trace_uki_section(const VarveTraceUki *uki, const char *name)
{
	for (guint i = 0; i < uki->sections->len; i++) {
		const VarveUkiSection *section = uki->sections->pdata[i];

		if (strcmp(section->name, name) == 0)
			return section;
	}
	return NULL;
}

static gboolean read_manifest(VarveTraceUki *uki, const VarveCpioEntry *entry, GError **error)
{
	if (entry->size > VARVE_BOOT_MANIFEST_LIMIT)
		return varve_fail(error, VARVE_ERROR_CORRUPT, "%s: its manifest is too large",
				  uki->name);
	g_clear_pointer(&uki->manifest, varve_boot_manifest_free);
	g_free(uki->manifest_text);
	uki->manifest_text = g_strndup((const char *)entry->data, entry->size);
	uki->manifest = varve_boot_manifest_parse((const char *)entry->data, entry->size,
						  "the manifest in the initrd", error);
	return uki->manifest != NULL;
}

static gboolean read_file(const VarveCpioEntry *entry, gpointer data, GError **error)
{
	VarveTraceUki *uki = data;
	VarveUkiFile *file;

	if (S_ISDIR(entry->mode))
		return TRUE;
	file = g_new0(VarveUkiFile, 1);
	file->mode = entry->mode;
	file->target = S_ISLNK(entry->mode) ? g_strndup((const char *)entry->data, entry->size)
					    : g_strdup("");
	if (S_ISREG(entry->mode)) {
		file->size = entry->size;
		varve_sha256(entry->data, entry->size, &file->digest);
	}
	/* The kernel writes a later entry over an earlier one. */
	g_hash_table_replace(uki->files, g_strdup(entry->path), file);
	if (g_str_has_prefix(entry->path, CERTIFICATES_DIR) &&
	    g_str_has_suffix(entry->path, ".crt")) {
		VarveCertificate *certificate = varve_certificate_parse(
			entry->data, entry->size, entry->path + strlen(CERTIFICATES_DIR), NULL);

		if (certificate)
			g_ptr_array_add(uki->certificates, certificate);
	}
	return strcmp(entry->path, VARVE_BOOT_MANIFEST) != 0 || read_manifest(uki, entry, error);
}

static gboolean read_initrd(VarveTraceUki *uki, const VarvePe *pe, GError **error)
{
	const VarvePeSection *section = varve_pe_find(pe, ".initrd");
	g_autoptr(GBytes) packed = NULL, archive = NULL;

	if (!section)
		return varve_fail(error, VARVE_ERROR_UNSUPPORTED,
				  "%s: it has no initrd: no unified kernel image", uki->name);
	packed = varve_pe_content(pe, section);
	archive = varve_cpio_unpack(packed, INITRD_LIMIT, uki->name, error);
	return archive && varve_cpio_walk(archive, uki->name, read_file, uki, error);
}

/* Comparing */

static void check_section(VarveTraceUki *uki, const char *name, const VarveDigest *digest)
{
	const VarveUkiSection *section = varve_trace_uki_section(uki, name);

	if (!section)
		problem(uki, "the section %s is missing", name);
	else if (!varve_digest_equal(&section->digest, digest))
		problem(uki, "the section %s is not what the manifest says", name);
}

static void check_text(VarveTraceUki *uki, const char *name, const char *text)
{
	VarveDigest digest;

	varve_sha256(text, strlen(text), &digest);
	check_section(uki, name, &digest);
}

static void check_file(VarveTraceUki *uki, const VarveBootFile *expected)
{
	const VarveUkiFile *file = g_hash_table_lookup(uki->files, expected->path);

	if (!file)
		problem(uki, "the manifest has initrd:/%s, the initrd has not", expected->path);
	else if (file->mode != expected->mode)
		problem(uki, "initrd:/%s has mode %06o, the manifest says %06o", expected->path,
			file->mode, expected->mode);
	else if (S_ISREG(file->mode) ? !varve_digest_equal(&file->digest, &expected->part.digest)
				     : strcmp(file->target, expected->target) != 0)
		problem(uki, "initrd:/%s is not what the manifest says", expected->path);
}

static void check_unlisted(VarveTraceUki *uki)
{
	g_autoptr(GList) paths =
		g_list_sort(g_hash_table_get_keys(uki->files), (GCompareFunc)strcmp);

	for (GList *at = paths; at; at = at->next) {
		if (strcmp(at->data, VARVE_BOOT_MANIFEST) != 0 &&
		    !varve_boot_manifest_file(uki->manifest, at->data))
			problem(uki, "the initrd has /%s, its manifest has not",
				(const char *)at->data);
	}
}

static void check_signer(VarveTraceUki *uki)
{
	const VarveBootManifest *manifest = uki->manifest;
	const VarveCertificate *certificate = uki->signature.certificate;

	if (manifest->is_signed != uki->signature.is_signed)
		problem(uki, "the image is %s, its manifest says that it is %s",
			uki->signature.is_signed ? "signed" : "not signed",
			manifest->is_signed ? "signed" : "not");
	else if (certificate && !varve_digest_equal(varve_certificate_fingerprint(certificate),
						    &manifest->signer_fingerprint))
		problem(uki, "the image is signed by CN=%s, its manifest says CN=%s",
			varve_certificate_subject(certificate), manifest->signer);
}

static void compare(VarveTraceUki *uki)
{
	const VarveBootManifest *manifest = uki->manifest;

	if (*uki->signature.problem)
		problem(uki, "%s", uki->signature.problem);
	if (!manifest) {
		problem(uki,
			"there is no manifest in its initrd: it was made by an older Varve, or "
			"not by Varve");
		return;
	}
	check_section(uki, ".linux", &manifest->kernel.digest);
	check_section(uki, ".osrel", &manifest->os_release.digest);
	check_text(uki, ".cmdline", manifest->command_line);
	check_text(uki, ".uname", manifest->kernel_version);
	for (guint i = 0; i < manifest->stub_sections->len; i++) {
		const VarveBootSection *section = manifest->stub_sections->pdata[i];

		check_section(uki, section->name, &section->digest);
	}
	for (guint i = 0; i < manifest->files->len; i++) {
		const VarveBootFile *file = manifest->files->pdata[i];

		if (!S_ISDIR(file->mode))
			check_file(uki, file);
	}
	check_unlisted(uki);
	check_signer(uki);
}

VarveTraceUki *varve_trace_uki_open(GBytes *bytes, const char *name, GError **error)
{
	g_autoptr(VarvePe) pe = varve_pe_open(bytes, name, error);
	g_autoptr(VarveTraceUki) uki = NULL;

	if (!pe)
		return NULL;
	uki = g_new0(VarveTraceUki, 1);
	uki->name = g_strdup(name);
	uki->size = g_bytes_get_size(bytes);
	varve_sha256(g_bytes_get_data(bytes, NULL), uki->size, &uki->digest);
	uki->sections = g_ptr_array_new_with_free_func(section_free);
	uki->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, file_free);
	uki->certificates = g_ptr_array_new_with_free_func((GDestroyNotify)varve_certificate_free);
	uki->problems = g_ptr_array_new_with_free_func(g_free);
	read_signature(pe, &uki->signature);
	read_sections(uki, pe);
	if (!read_initrd(uki, pe, error))
		return NULL;
	compare(uki);
	return g_steal_pointer(&uki);
}
