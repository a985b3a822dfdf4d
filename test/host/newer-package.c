/* A newer build of a package, for the tests of patches: the same files, capabilities and metadata
 * with "+varve1" behind the release, and the changes that are asked for.
 *   newer-package KEYS PACKAGE.rpm DIRECTORY [STEP ARGUMENT…]…
 * Steps: release TEXT (instead), change PATH (bytes behind its end), add PATH, setuid PATH (adds
 * one that is), remove PATH, mode PATH OCTAL, link PATH NAME (a second name of one inode), lose
 * CAPABILITY, require CAPABILITY, unsigned. Prints the new file's path. */
#include "base/file.h"
#include "base/text.h"
#include "format/rpm-writer.h"
#include "rpm/openpgp.h"
#include "rpm/unpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
	VarvePackage *package;
	GPtrArray *files, *contents;
	char *release;
	char *scratch;
	gboolean is_unsigned;
	GHashTable *removed, *lost, *setuid; /* set of char *, borrowed */
	GHashTable *links;                   /* path → second name, borrowed */
	GPtrArray *added, *required;
} Build;

static void die(const GError *error)
{
	fprintf(stderr, "%s\n", error->message);
	exit(1);
}

static VarvePackageFile *find(const Build *build, const char *path, const char **ret_content)
{
	for (guint i = 0; i < build->files->len; i++) {
		VarvePackageFile *file = build->files->pdata[i];

		if (strcmp(file->path, path) != 0)
			continue;
		*ret_content = build->contents->pdata[i];
		return file;
	}
	fprintf(stderr, "the package has no /%s\n", path);
	exit(1);
}

static void change(const Build *build, const char *path)
{
	const char *content;
	VarvePackageFile *file = find(build, path, &content);
	FILE *stream;

	if (S_ISLNK(file->mode)) {
		g_autofree char *target = g_strconcat("./", file->target, NULL);

		g_free(file->target);
		file->target = g_steal_pointer(&target);
		return;
	}
	stream = fopen(content, "a");
	fputs("fixed\n", stream);
	fclose(stream);
}

/* "name", "name = version"; what says the version of the build says the new one. */
static void add_relation(VarveRpmWriter *writer, VarveRpmRelation relation, const char *capability,
			 const char *old, const char *new)
{
	g_auto(GStrv) words = g_strsplit(capability, " ", 3);
	guint32 sense = 0;

	if (strstr(words[0], ".so") && strchr(words[0], '(')) {
		varve_rpm_writer_add_soname(writer, relation, capability);
		return;
	}
	if (capability[0] == '(') {
		varve_rpm_writer_add_relation(writer, relation, capability, 0, NULL);
		return;
	}
	if (words[1]) {
		sense |= strchr(words[1], '<') ? VARVE_RPM_LESS : 0;
		sense |= strchr(words[1], '>') ? VARVE_RPM_GREATER : 0;
		sense |= strchr(words[1], '=') ? VARVE_RPM_EQUAL : 0;
	}
	varve_rpm_writer_add_relation(
		writer, relation, words[0], sense,
		words[1] && relation == VARVE_RPM_PROVIDES && strcmp(words[2], old) == 0 ? new
		: words[1]                                                               ? words[2]
											 : NULL);
}

static void add_file(VarveRpmWriter *writer, const Build *build, guint i)
{
	const VarvePackageFile *file = build->files->pdata[i];
	const char *content = build->contents->pdata[i];
	g_autofree char *path = g_strconcat("/", file->path, NULL);
	VarveRpmFile out = { .path = path,
			     .mode = file->mode,
			     .user = file->user,
			     .group = file->group,
			     .target = S_ISLNK(file->mode) ? file->target : NULL,
			     .capabilities = *file->capabilities ? file->capabilities : NULL,
			     .mtime = file->mtime,
			     .fd = -1 };
	struct stat st;

	if (g_hash_table_contains(build->removed, file->path))
		return;
	if (S_ISREG(file->mode)) {
		out.fd = open(content, O_RDONLY | O_CLOEXEC);
		fstat(out.fd, &st);
		out.size = (guint64)st.st_size;
		for (guint j = 0; j < i; j++) {
			if (g_strcmp0(build->contents->pdata[j], content) == 0)
				out.link = j + 1;
		}
		for (guint j = i + 1; out.link == 0 && j < build->files->len; j++) {
			if (g_strcmp0(build->contents->pdata[j], content) == 0)
				out.link = i + 1;
		}
	}
	if (g_hash_table_contains(build->links, file->path)) {
		g_autofree char *second = g_strconcat(
			"/", (char *)g_hash_table_lookup(build->links, file->path), NULL);
		VarveRpmFile link = out;

		link.path = second;
		link.link = out.link = i + 1;
		varve_rpm_writer_add_file(writer, &link);
	}
	varve_rpm_writer_add_file(writer, &out);
}

static void write_package(Build *build, const char *keys, const char *directory)
{
	const VarvePackage *package = build->package;
	g_autofree char *old = g_strdup_printf("%s-%s", package->version, package->release);
	g_autofree char *new = g_strdup_printf("%s-%s", package->version, build->release);
	g_autofree char *home = g_build_filename(keys, "package-gnupg", NULL);
	const VarveRpmIdentity identity = { .name = package->name,
					    .epoch = package->epoch ? (gint64)package->epoch : -1,
					    .version = package->version,
					    .release = build->release,
					    .arch = package->arch,
					    .summary = "A newer build",
					    .license = package->license,
					    .vendor = package->vendor,
					    .source_rpm = package->source,
					    .build_time = 1800000000 };
	g_autoptr(VarveRpmWriter) writer = varve_rpm_writer_new(&identity);
	g_autoptr(VarveOpenpgp) key = NULL;
	g_autofree char *name = NULL, *path = NULL;
	g_autoptr(GError) error = NULL;
	varve_autofd fd = -1;

	for (char **provides = package->provides; *provides; provides++) {
		if (!g_hash_table_contains(build->lost, *provides))
			add_relation(writer, VARVE_RPM_PROVIDES, *provides, old, new);
	}
	for (char **required = package->requires; *required; required++)
		add_relation(writer, VARVE_RPM_REQUIRES, *required, old, new);
	for (guint i = 0; i < build->required->len; i++)
		add_relation(writer, VARVE_RPM_REQUIRES, build->required->pdata[i], old, new);
	for (guint i = 0; i < build->files->len; i++)
		add_file(writer, build, i);
	for (guint i = 0; i < build->added->len; i++) {
		g_autofree char *to = g_strconcat("/", build->added->pdata[i], NULL);
		VarveRpmFile out = { .path = to,
				     .mode = S_IFREG | 0644,
				     .user = "root",
				     .group = "root",
				     .mtime = 1800000000 };

		if (g_hash_table_contains(build->setuid, build->added->pdata[i]))
			out.mode = S_IFREG | 04755;
		out.fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		out.size = 100;
		varve_rpm_writer_add_file(writer, &out);
	}
	name = varve_rpm_writer_file_name(writer);
	path = g_build_filename(directory, name, NULL);
	key = build->is_unsigned ? NULL : varve_openpgp_open(home, &error);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (error || !varve_rpm_writer_write(writer, fd, build->scratch,
					     key ? varve_openpgp_sign : NULL, key, NULL, &error))
		die(error);
	puts(path);
}

static const char *argument(char ***argv)
{
	if (**argv)
		return *(*argv)++;
	fprintf(stderr, "a step lacks an argument\n");
	exit(2);
}

static void take_step(Build *build, const char *step, char ***argv)
{
	const char *content;

	if (strcmp(step, "release") == 0) {
		g_free(build->release);
		build->release = g_strdup(argument(argv));
	} else if (strcmp(step, "change") == 0) {
		change(build, argument(argv));
	} else if (strcmp(step, "add") == 0) {
		g_ptr_array_add(build->added, (gpointer)argument(argv));
	} else if (strcmp(step, "setuid") == 0) {
		gpointer path = (gpointer)argument(argv);

		g_ptr_array_add(build->added, path);
		g_hash_table_add(build->setuid, path);
	} else if (strcmp(step, "remove") == 0) {
		g_hash_table_add(build->removed, (gpointer)argument(argv));
	} else if (strcmp(step, "mode") == 0) {
		VarvePackageFile *file = find(build, argument(argv), &content);

		file->mode =
			(file->mode & S_IFMT) | (mode_t)g_ascii_strtoull(argument(argv), NULL, 8);
	} else if (strcmp(step, "link") == 0) {
		const char *path = argument(argv);

		g_hash_table_insert(build->links, (gpointer)path, (gpointer)argument(argv));
	} else if (strcmp(step, "lose") == 0) {
		g_hash_table_add(build->lost, (gpointer)argument(argv));
	} else if (strcmp(step, "require") == 0) {
		g_ptr_array_add(build->required, (gpointer)argument(argv));
	} else if (strcmp(step, "unsigned") == 0) {
		build->is_unsigned = TRUE;
	} else {
		fprintf(stderr, "unknown step '%s'\n", step);
		exit(2);
	}
}

static void build_clear(Build *build)
{
	g_ptr_array_unref(build->contents);
	g_ptr_array_unref(build->files);
	varve_package_free(build->package);
	g_hash_table_unref(build->links);
	g_hash_table_unref(build->removed);
	g_hash_table_unref(build->lost);
	g_hash_table_unref(build->setuid);
	g_ptr_array_unref(build->added);
	g_ptr_array_unref(build->required);
	g_free(build->release);
	g_free(build->scratch);
}

int main(int argc, char **argv)
{
	g_autofree char *asc = NULL;
	const char *paths[2] = { NULL, NULL };
	g_autoptr(VarvePackageKeys) keys = NULL;
	const VarvePackageKeys *list[2] = { NULL, NULL };
	g_autoptr(GError) error = NULL;
	Build build = { .links = g_hash_table_new(g_str_hash, g_str_equal),
			.removed = g_hash_table_new(g_str_hash, g_str_equal),
			.lost = g_hash_table_new(g_str_hash, g_str_equal),
			.setuid = g_hash_table_new(g_str_hash, g_str_equal),
			.added = g_ptr_array_new(),
			.required = g_ptr_array_new() };

	if (argc < 4) {
		fprintf(stderr, "usage: newer-package KEYS PACKAGE.rpm DIRECTORY [STEP…]\n");
		return 2;
	}
	paths[0] = asc = g_build_filename(argv[1], "package.asc", NULL);
	build.scratch = g_dir_make_tmp("newer-package-XXXXXX", &error);
	keys = build.scratch ? varve_package_keys_load(paths, &error) : NULL;
	if (!keys)
		die(error);
	list[0] = keys;
	if (!varve_rpm_unpack(argv[2], list, build.scratch, &build.package, &build.files,
			      &build.contents, &error))
		die(error);
	build.release = g_strconcat(build.package->release, "+varve1", NULL);
	for (char **rest = argv + 4; *rest;) {
		const char *step = *rest++;

		take_step(&build, step, &rest);
	}
	write_package(&build, argv[1], argv[3]);
	varve_dir_remove(AT_FDCWD, build.scratch, NULL);
	build_clear(&build);
	return 0;
}
