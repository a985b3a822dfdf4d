/* .deb to RPM. Mappings follow Debian Policy 7 and rpm's dependency semantics. */
#include "package/convert-internal.h"

#include "base/error.h"
#include "base/file.h"
#include "crypt/sha256.h"
#include "ground/fd.h"
#include "package/debian-license.h"
#include "rpm/elfdeps.h"

#include <elf.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
	const char *field;
	VarveRpmRelation relation;
	gboolean pre;
} relation_fields[] = {
	{ "Depends", VARVE_RPM_REQUIRES, FALSE },  { "Pre-Depends", VARVE_RPM_REQUIRES, TRUE },
	{ "Provides", VARVE_RPM_PROVIDES, FALSE }, { "Conflicts", VARVE_RPM_CONFLICTS, FALSE },
	{ "Breaks", VARVE_RPM_CONFLICTS, FALSE },
	/* Replaces lets a package overwrite another's files; RPM's Obsoletes would remove the
	 * other, which is not what is meant. */
};

void varve_convert_identity_clear(VarveConvertIdentity *identity)
{
	varve_debian_version_clear(&identity->version);
	g_free(identity->source_rpm);
}

/* "Source: name (version)"; what is missing is as the binary package has it. */
static char *source_rpm(const VarveParagraph *stanza, const char *name, const char *version,
			GError **error)
{
	const char *field = varve_paragraph_get(stanza, "Source");
	g_autofree char *source = g_strdup(field ? field : name);
	char *open = strchr(source, '('), *close = open ? strchr(open, ')') : NULL;
	g_auto(VarveDebianVersion) parsed = { 0 };

	if (open && close) {
		*close = '\0';
		version = open + 1;
		*open = '\0';
	}
	if (!varve_debian_version_parse(version, &parsed, error))
		return NULL;
	g_strstrip(source);
	return g_strdup_printf("%s-%s-%s.src.rpm", source, parsed.version, parsed.release);
}

gboolean varve_convert_identify(const VarveConverter *converter, const VarveParagraph *stanza,
				VarveConvertIdentity *ret_identity, GError **error)
{
	g_auto(VarveConvertIdentity) identity = { 0 };
	const char *version, *arch;

	identity.name = varve_paragraph_require(stanza, "Package", "package", error);
	if (!identity.name)
		return FALSE;
	version = varve_paragraph_require(stanza, "Version", identity.name, error);
	arch = version ? varve_paragraph_require(stanza, "Architecture", identity.name, error)
		       : NULL;
	if (!arch)
		return FALSE;
	if (strchr(identity.name, '/') || *identity.name == '.')
		return varve_fail(error, VARVE_ERROR_CORRUPT, "'%s' is not a package name",
				  identity.name);
	if (strcmp(arch, "all") == 0)
		identity.arch = "noarch";
	else if (strcmp(arch, converter->arch->debian) == 0)
		identity.arch = converter->arch->rpm;
	else
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "package '%s': is for '%s', expected '%s' or 'all'",
				  identity.name, arch, converter->arch->debian);
	identity.source_rpm = source_rpm(stanza, identity.name, version, error);
	if (!identity.source_rpm ||
	    !varve_debian_version_parse(version, &identity.version, error)) {
		g_prefix_error(error, "package '%s': ", identity.name);
		return FALSE;
	}
	*ret_identity = identity;
	identity = (VarveConvertIdentity){ 0 };
	return TRUE;
}

char *varve_convert_file_name(const VarveConverter *converter, const VarveParagraph *stanza,
			      GError **error)
{
	g_auto(VarveConvertIdentity) id = { 0 };

	if (!varve_convert_identify(converter, stanza, &id, error))
		return NULL;
	return g_strdup_printf("%s-%s-%s.%s.rpm", id.name, id.version.version, id.version.release,
			       id.arch);
}

char *varve_convert_key(const VarveConverter *converter, const VarveParagraph *stanza,
			GError **error)
{
	const char *name = varve_paragraph_require(stanza, "Package", "package", error);
	const char *digest = name ? varve_paragraph_require(stanza, "SHA256", name, error) : NULL;
	g_autoptr(GString) key = g_string_new(NULL);
	VarveDigest result;

	if (!digest)
		return NULL;
	g_string_append_printf(key, "%d %s %s %s", VARVE_CONVERTER_VERSION, digest,
			       converter->suite, converter->identity);
	for (gsize i = 0; i < G_N_ELEMENTS(relation_fields); i++) {
		const char *field = relation_fields[i].field;
		g_autoptr(GPtrArray) clauses = varve_debian_relations_parse(
			varve_paragraph_get(stanza, field), name, error);

		if (!clauses)
			return NULL;
		for (guint k = 0; k < clauses->len; k++)
			if (varve_debian_clause_names(g_ptr_array_index(clauses, k),
						      converter->dropped))
				g_string_append_printf(key, " %s:%u", field, k);
	}
	varve_sha256(key->str, key->len, &result);
	return varve_digest_dup_hex(&result);
}

static gboolean add_relations(const VarveConverter *converter, VarveRpmWriter *writer,
			      const VarveParagraph *stanza, const char *name, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(relation_fields); i++) {
		g_autofree char *where =
			g_strdup_printf("package '%s', %s", name, relation_fields[i].field);
		g_autoptr(GPtrArray) clauses = varve_debian_relations_parse(
			varve_paragraph_get(stanza, relation_fields[i].field), where, error);

		if (!clauses)
			return FALSE;
		for (guint k = 0; k < clauses->len; k++) {
			const GPtrArray *clause = g_ptr_array_index(clauses, k);
			g_auto(VarveRpmClause) rpm = { 0 };

			if (relation_fields[i].relation == VARVE_RPM_REQUIRES &&
			    varve_debian_clause_names(clause, converter->dropped))
				continue;
			varve_debian_clause_to_rpm(clause, &rpm);
			varve_rpm_writer_add_relation(writer, relation_fields[i].relation, rpm.name,
						      rpm.sense, rpm.version);
			if (relation_fields[i].pre)
				varve_rpm_writer_add_relation(writer, VARVE_RPM_REQUIRES, rpm.name,
							      rpm.sense | VARVE_RPM_PRE,
							      rpm.version);
		}
	}
	return TRUE;
}

/* base-files brings the root's links and directories, setup its users: they come first, and so
 * base-files may depend on nothing that comes later. */
static gboolean add_all_relations(const VarveConverter *converter, VarveRpmWriter *writer,
				  const VarveParagraph *stanza, const char *name, GError **error)
{
	varve_rpm_writer_add_relation(writer, VARVE_RPM_REQUIRES, "setup", VARVE_RPM_PRE, NULL);
	if (strcmp(name, "base-files") == 0)
		return TRUE;
	varve_rpm_writer_add_relation(writer, VARVE_RPM_REQUIRES, "base-files", VARVE_RPM_PRE,
				      NULL);
	return add_relations(converter, writer, stanza, name, error);
}

static guint32 file_flags(const VarveDeb *deb, const VarveDebEntry *entry)
{
	static const char *const docs[] = { "/usr/share/doc/", "/usr/share/man/",
					    "/usr/share/info/", "/usr/share/locale/",
					    "/usr/share/lintian/" };

	if (S_ISDIR(entry->mode))
		return 0;
	if (g_hash_table_contains(deb->conffiles, entry->path))
		return VARVE_RPM_FILE_CONFIG | VARVE_RPM_FILE_NOREPLACE;
	if (g_str_has_prefix(entry->path, docs[0]) && g_str_has_suffix(entry->path, "/copyright"))
		return VARVE_RPM_FILE_LICENSE;
	for (gsize i = 0; i < G_N_ELEMENTS(docs); i++)
		if (g_str_has_prefix(entry->path, docs[i]))
			return VARVE_RPM_FILE_DOC;
	return 0;
}

static void add_files(VarveRpmWriter *writer, const VarveDeb *deb)
{
	for (guint i = 0; i < deb->entries->len; i++) {
		const VarveDebEntry *entry = g_ptr_array_index(deb->entries, i);
		VarveRpmFile file = { .path = entry->path,
				      .mode = entry->mode,
				      .user = entry->user,
				      .group = entry->group,
				      .target = entry->target,
				      .flags = file_flags(deb, entry),
				      .mtime = entry->mtime,
				      .device = entry->device,
				      .fd = deb->fd,
				      .offset = entry->offset,
				      .size = entry->size,
				      .link = entry->link };

		varve_rpm_writer_add_file(writer, &file);
	}
}

/* Programs and shared objects; relocatable files such as kernel modules have no sonames. */
static gboolean is_linked_elf(const VarveDeb *deb, const VarveDebEntry *entry)
{
	guint8 head[20];
	guint type;

	if (!S_ISREG(entry->mode) || entry->size < sizeof(Elf32_Ehdr) ||
	    strchr(entry->path, '\n') ||
	    varve_fd_read_full(deb->fd, head, sizeof(head), (off_t)entry->offset) !=
		    (ssize_t)sizeof(head) ||
	    memcmp(head, ELFMAG, SELFMAG) != 0)
		return FALSE;
	type = head[EI_DATA] == ELFDATA2MSB ? head[16] << 8 | head[17] : head[17] << 8 | head[16];
	return type == ET_DYN || type == ET_EXEC;
}

static gboolean unpack(const VarveDeb *deb, const VarveDebEntry *entry, const char *path,
		       GError **error)
{
	g_autofree char *parent = g_path_get_dirname(path);
	varve_autofd fd = -1;
	g_autofree guint8 *chunk = g_malloc(1 << 20);

	if (!varve_dir_make(parent, 0700, error))
		return FALSE;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600 | (entry->mode & 0111));
	if (fd < 0)
		return varve_fail_errno(error, errno, "%s: cannot create", path);
	for (guint64 done = 0; done < entry->size;) {
		ssize_t got = varve_fd_read_full(deb->fd, chunk, MIN(entry->size - done, 1 << 20),
						 (off_t)(entry->offset + done));

		if (got <= 0 || varve_fd_write_full(fd, chunk, (size_t)got) < 0)
			return varve_fail_errno(error, errno, "%s: cannot unpack", path);
		done += (guint64)got;
	}
	return TRUE;
}

/* elfdeps reads files by name, and takes a name for the soname where there is none. */
static gboolean unpack_elf_files(const VarveDeb *deb, const char *directory, GPtrArray *paths,
				 GError **error)
{
	for (guint i = 0; i < deb->entries->len; i++) {
		const VarveDebEntry *entry = g_ptr_array_index(deb->entries, i);
		g_autofree char *path = NULL;

		if (!is_linked_elf(deb, entry))
			continue;
		path = g_strconcat(directory, entry->path, NULL);
		if (!unpack(deb, entry, path, error))
			return FALSE;
		g_ptr_array_add(paths, g_steal_pointer(&path));
	}
	return TRUE;
}

/* elfdeps makes programs require a loader that knows GNU's hash tables; the C library's package
 * says so by hand in every distribution. */
static void add_loader(VarveRpmWriter *writer, const VarveDeb *deb)
{
	for (guint i = 0; i < deb->entries->len; i++) {
		const char *path =
			((const VarveDebEntry *)g_ptr_array_index(deb->entries, i))->path;

		if (g_str_has_prefix(strrchr(path, '/'), "/ld-linux") && strstr(path, ".so."))
			varve_rpm_writer_add_soname(writer, VARVE_RPM_PROVIDES, "rtld(GNU_HASH)");
	}
}

static gboolean add_sonames(const VarveConverter *converter, VarveRpmWriter *writer,
			    const VarveDeb *deb, GError **error)
{
	g_autofree char *directory = g_build_filename(converter->scratch, "elf-XXXXXX", NULL);
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) provides = NULL;
	g_auto(GStrv) requires = NULL;
	gboolean done;

	if (!g_mkdtemp(directory))
		return varve_fail_errno(error, errno, "%s: cannot make", directory);
	done = unpack_elf_files(deb, directory, paths, error) &&
	       (!paths->len || varve_elfdeps_run(paths, &provides, &requires, error));
	varve_dir_remove(AT_FDCWD, directory, NULL);
	if (!done)
		return FALSE;
	for (char **name = provides; name && *name; name++)
		varve_rpm_writer_add_soname(writer, VARVE_RPM_PROVIDES, *name);
	for (char **name = requires; name && *name; name++)
		varve_rpm_writer_add_soname(writer, VARVE_RPM_REQUIRES, *name);
	return TRUE;
}

VarveDeb *varve_convert_open(const VarveConverter *converter, const VarveParagraph *stanza, int fd,
			     GError **error)
{
	const char *name = varve_paragraph_require(stanza, "Package", "package", error);
	const char *expected = name ? varve_paragraph_require(stanza, "SHA256", name, error) : NULL;
	g_autofree char *found = NULL;
	VarveDigest digest;
	guint64 size;

	if (!expected || !varve_sha256_fd(fd, &digest, &size, error))
		return NULL;
	found = varve_digest_dup_hex(&digest);
	if (strcmp(found, expected) != 0) {
		varve_fail(error, VARVE_ERROR_UNTRUSTED,
			   "package '%s': its SHA-256 is %s, the archive's signed index says %s: "
			   "the file was changed or damaged",
			   name, found, expected);
		return NULL;
	}
	return varve_deb_open(fd, name, converter->scratch, error);
}

/* The first line of Description is the summary; " ." stands for an empty line. */
static void split_description(const char *value, char **ret_summary, char **ret_text)
{
	gsize first = strcspn(value, "\n");
	g_auto(GStrv) lines = g_strsplit(value + first + (value[first] == '\n'), "\n", -1);

	for (char **line = lines; *line; line++)
		if (strcmp(*line, ".") == 0)
			**line = '\0';
	*ret_summary = g_strndup(value, first);
	*ret_text = g_strjoinv("\n", lines);
}

static char *read_license(const VarveDeb *deb, const char *name)
{
	g_autofree char *path = g_strdup_printf("/usr/share/doc/%s/copyright", name), *text = NULL;
	const VarveDebEntry *entry = varve_deb_find(deb, path);
	gsize size = 0;

	/* Some have it behind a link to another package's. */
	if (entry && !varve_deb_read(deb, entry, &text, &size, NULL))
		g_clear_pointer(&text, g_free);
	return varve_debian_license(text);
}

static VarveRpmWriter *make_writer(const VarveConverter *converter, const VarveParagraph *stanza,
				   const VarveConvertIdentity *id, const VarveDeb *deb,
				   GError **error)
{
	g_autoptr(GPtrArray) control =
		varve_deb822_parse(deb->control, strlen(deb->control), id->name, error);
	g_autofree char *license = NULL, *summary = NULL, *text = NULL, *distribution = NULL;
	const char *description;
	VarveRpmIdentity rpm = { 0 };

	if (!control)
		return NULL;
	if (!control->len) {
		varve_fail(error, VARVE_ERROR_CORRUPT, "package '%s': its control file is empty",
			   id->name);
		return NULL;
	}
	description = varve_paragraph_get(g_ptr_array_index(control, 0), "Description");
	split_description(description ? description : id->name, &summary, &text);
	license = read_license(deb, id->name);
	distribution = g_strdup_printf("Debian %s", converter->suite);
	rpm = (VarveRpmIdentity){ .name = id->name,
				  .epoch = id->version.epoch,
				  .version = id->version.version,
				  .release = id->version.release,
				  .arch = id->arch,
				  .summary = summary,
				  .description = *text ? text : summary,
				  .license = license,
				  .vendor = "Debian",
				  .packager = varve_paragraph_get(stanza, "Maintainer"),
				  .url = varve_paragraph_get(stanza, "Homepage"),
				  .group = varve_paragraph_get(stanza, "Section"),
				  .distribution = distribution,
				  .source_rpm = id->source_rpm,
				  .build_time = deb->newest };
	return varve_rpm_writer_new(&rpm);
}

gboolean varve_convert_finish(const VarveConverter *converter, VarveRpmWriter *writer, int out,
			      gint64 time, GError **error)
{
	const struct timespec times[2] = { { .tv_sec = time }, { .tv_sec = time } };

	if (!varve_rpm_writer_write(writer, out, converter->scratch, converter->sign,
				    converter->user, NULL, error))
		return FALSE;
	if (futimens(out, times) < 0)
		return varve_fail_errno(error, errno, "package: cannot set its time");
	return TRUE;
}

gboolean varve_convert_deb(const VarveConverter *converter, const VarveParagraph *stanza, int fd,
			   int out, GError **error)
{
	g_auto(VarveConvertIdentity) id = { 0 };
	g_autoptr(VarveDeb) deb = varve_convert_open(converter, stanza, fd, error);
	g_autoptr(VarveRpmWriter) writer = NULL;

	if (!deb || !varve_convert_identify(converter, stanza, &id, error))
		return FALSE;
	writer = make_writer(converter, stanza, &id, deb, error);
	if (!writer || !add_all_relations(converter, writer, stanza, id.name, error) ||
	    !add_sonames(converter, writer, deb, error))
		return FALSE;
	add_loader(writer, deb);
	add_files(writer, deb);
	return varve_convert_finish(converter, writer, out, deb->newest, error);
}
