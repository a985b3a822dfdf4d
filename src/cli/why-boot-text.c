/* What came before the base, for people. */
#include "cli/why-text.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SHORT_HASH 12

static void print_part(const VarveBootManifest *manifest, const VarveBootPart *part)
{
	g_autofree char *hex = varve_digest_dup_hex(&part->digest);

	if (part->origin == VARVE_BOOT_BASE)
		varve_why_row("from", "%s %s (base), /%s", manifest->base_name,
			      manifest->base_version, part->from);
	else if (part->origin == VARVE_BOOT_GENERATED)
		varve_why_row("from", "the build of the image");
	else
		varve_why_row("from", "%s, /%s",
			      part->origin == VARVE_BOOT_TREE    ? "the base's tree, changed since"
			      : part->origin == VARVE_BOOT_TOOLS ? "the tools tree"
								 : "the machine that built it",
			      part->from);
	if (part->origin != VARVE_BOOT_GENERATED)
		varve_why_package_rows(varve_boot_manifest_package(manifest, part->package),
				       part->package);
	varve_why_row("SHA-256", "%s", hex);
}

static void print_certificate(const char *title, const VarveEfiSignature *signature)
{
	g_autofree char *hex = NULL;

	if (!signature->is_signed || !signature->certificate) {
		varve_why_row(title, "%s",
			      signature->is_signed ? signature->problem : "nobody signed it");
		return;
	}
	hex = varve_digest_dup_hex(varve_certificate_fingerprint(signature->certificate));
	varve_why_row(title,
		      "CN=%s, %.*s…%s; the signature is good, whether its key may sign is "
		      "the firmware's to know",
		      varve_certificate_subject(signature->certificate), SHORT_HASH, hex,
		      varve_certificate_is_development(signature->certificate)
			      ? " (DEVELOPMENT KEY)"
			      : "");
}

static void print_basis(const VarveTraceBoot *boot)
{
	varve_why_row("", "%s: %s", boot->verified ? "verified" : "NOT VERIFIED", boot->basis);
	for (guint i = 0; i < boot->problems->len; i++)
		varve_why_row("PROBLEM", "%s", (const char *)boot->problems->pdata[i]);
}

/* What the manifest says who signed, where there is no image to ask. */
static void print_claimed_signer(const VarveBootManifest *manifest)
{
	if (manifest->is_signed)
		varve_why_row("signer", "CN=%s%s, by its manifest", manifest->signer,
			      manifest->signer_development ? " (DEVELOPMENT KEY)" : "");
	else
		varve_why_row("signer", "nobody signed it, by its manifest");
}

void varve_why_print_uki(const VarveTraceBoot *boot)
{
	const VarveBootManifest *manifest = boot->manifest;
	g_autofree char *root = varve_digest_dup_hex(&manifest->base_root);

	printf("uki\n");
	varve_why_row("", "unified kernel image of %s %s (%s)", manifest->name, manifest->version,
		      manifest->arch);
	print_basis(boot);
	if (*boot->where)
		varve_why_row("where", "%s", boot->where);
	if (boot->uki) {
		g_autofree char *hex = varve_digest_dup_hex(&boot->uki->digest);

		varve_why_row("SHA-256", "%s", hex);
		print_certificate("signer", &boot->uki->signature);
	} else {
		print_claimed_signer(manifest);
	}
	if (*boot->secure_boot)
		varve_why_row("Secure Boot", "%s", boot->secure_boot);
	varve_why_row("starts", "%s %s (base), root hash %s", manifest->base_name,
		      manifest->base_version, root);
	varve_why_row("words", "%s", manifest->command_line);
	printf("kernel %s\n", manifest->kernel_version);
	print_part(manifest, &manifest->kernel);
	puts("stub");
	print_part(manifest, &manifest->stub);
	puts("os-release");
	print_part(manifest, &manifest->os_release);
}

void varve_why_print_loader(const VarveTraceBoot *boot)
{
	const VarveBootManifest *manifest = boot->manifest;
	g_autofree char *installed = varve_digest_dup_hex(&manifest->boot_loader_final);

	puts("boot-loader");
	print_basis(boot);
	print_part(manifest, &manifest->boot_loader);
	varve_why_row("installed", "%s is the SHA-256 of what lies on the ESP", installed);
	if (boot->loaders->len == 0)
		print_claimed_signer(manifest);
	for (guint i = 0; i < boot->loaders->len; i++) {
		const VarveTraceLoader *loader = boot->loaders->pdata[i];
		gboolean same = varve_digest_equal(&loader->digest, &manifest->boot_loader_final);

		varve_why_row("there", "%s, %s", loader->path,
			      same ? "as the image was made with" : "ANOTHER ONE");
		print_certificate("signer", &loader->signature);
	}
}

static void print_file(const VarveTraceBoot *boot, const VarveBootFile *file)
{
	const VarveUkiFile *found =
		boot->uki ? g_hash_table_lookup(boot->uki->files, file->path) : NULL;

	printf("initrd:/%s\n", file->path);
	varve_why_row("", "in the unified kernel image of %s %s, whose signature covers it",
		      boot->manifest->name, boot->manifest->version);
	print_basis(boot);
	if (S_ISREG(file->mode)) {
		print_part(boot->manifest, &file->part);
		if (found)
			varve_why_row("", "%s",
				      varve_digest_equal(&found->digest, &file->part.digest)
					      ? "as found in the image"
					      : "NOT as found in the image");
	}
	varve_why_row("mode", "%06o, owner 0:0", file->mode);
}

gboolean varve_why_print_initrd_file(const VarveTraceBoot *boot, const char *path, GError **error)
{
	g_autoptr(GPtrArray) steps = varve_trace_boot_follow(boot, path, error);

	if (!steps)
		return FALSE;
	for (guint i = 0; i < steps->len; i++) {
		const VarveBootFile *file =
			varve_boot_manifest_file(boot->manifest, steps->pdata[i]);

		if (i + 1 < steps->len)
			printf("initrd:/%s -> %s  (link)\n", file->path, file->target);
		else
			print_file(boot, file);
	}
	return TRUE;
}

void varve_why_print_boot(const VarveTraceBoot *boot)
{
	const GPtrArray *files = boot->manifest->files;

	varve_why_print_uki(boot);
	varve_why_print_loader(boot);
	puts("initrd");
	for (guint i = 0; i < files->len; i++) {
		const VarveBootFile *file = files->pdata[i];
		g_autofree char *hex = varve_digest_dup_hex(&file->part.digest);

		if (S_ISREG(file->mode))
			printf("  /%s  %.*s…  %s\n", file->path, SHORT_HASH, hex,
			       *file->part.package ? file->part.package
						   : varve_boot_origin_name(file->part.origin));
		else if (S_ISLNK(file->mode))
			printf("  /%s -> %s\n", file->path, file->target);
		else
			printf("  /%s%s\n", file->path, S_ISDIR(file->mode) ? "/" : "");
	}
}

static json_t *file_json(const VarveTraceBoot *boot, const char *path, GError **error)
{
	g_autoptr(GPtrArray) steps = varve_trace_boot_follow(boot, path, error);
	json_t *object, *links, *problems = NULL;

	if (!steps)
		return NULL;
	links = json_array();
	for (guint i = 0; i + 1 < steps->len; i++)
		json_array_append_new(
			links,
			varve_trace_boot_file_json(
				boot, varve_boot_manifest_file(boot->manifest, steps->pdata[i])));
	object = varve_trace_boot_file_json(
		boot, varve_boot_manifest_file(boot->manifest, steps->pdata[steps->len - 1]));
	problems = json_array();
	for (guint i = 0; i < boot->problems->len; i++)
		json_array_append_new(problems, varve_json_escaped(boot->problems->pdata[i]));
	json_object_set_new(object, "links", links);
	json_object_set_new(object, "basis", varve_json_escaped(boot->basis));
	json_object_set_new(object, "verified", json_boolean(boot->verified));
	json_object_set_new(object, "problems", problems);
	return object;
}

gboolean varve_why_boot_word(const VarveTraceBoot *boot, VarveBootAsk ask, const char *path,
			     json_t *json, GError **error)
{
	json_t *object;

	if (!json && ask == VARVE_BOOT_ASK_FILE)
		return varve_why_print_initrd_file(boot, path, error);
	if (!json && ask == VARVE_BOOT_ASK_UKI)
		varve_why_print_uki(boot);
	if (!json && ask == VARVE_BOOT_ASK_LOADER)
		varve_why_print_loader(boot);
	if (!json)
		return TRUE;
	object = ask == VARVE_BOOT_ASK_FILE ? file_json(boot, path, error)
					    : varve_trace_boot_json(boot);
	if (!object)
		return FALSE;
	json_array_append_new(json, object);
	return TRUE;
}
