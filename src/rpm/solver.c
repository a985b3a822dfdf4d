/* Repositories' metadata as libsolv's pool, and packages out of it. */
#include "rpm/solver-internal.h"

#include "base/error.h"

#include <errno.h>
#include <solv/chksum.h>
#include <solv/evr.h>
#include <solv/poolarch.h>
#include <solv/repo_rpmmd.h>
#include <solv/repo_solv.h>
#include <solv/repo_write.h>
#include <solv/solv_xfopen.h>
#include <solv/solvversion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWN_PRIORITY 1000

VarveSolver *varve_solver_new(const char *basearch, GError **error)
{
	VarveSolver *solver;
	Pool *pool = pool_create();

	/* Debian builds libsolv for Debian's semantics and lets them be chosen. */
	if (pool->disttype != DISTTYPE_RPM && pool_setdisttype(pool, DISTTYPE_RPM) < 0) {
		pool_free(pool);
		varve_fail(error, VARVE_ERROR_UNSUPPORTED,
			   "this libsolv cannot solve RPM packages: it was built without their "
			   "semantics");
		return NULL;
	}
	pool_setarchpolicy(pool, basearch);
	solver = g_new0(VarveSolver, 1);
	solver->pool = pool;
	solver->basearch = g_strdup(basearch);
	solver->by_nevra = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	solver->repositories = g_ptr_array_new();
	return solver;
}

void varve_solver_free(VarveSolver *solver)
{
	if (!solver)
		return;
	pool_free(solver->pool);
	g_hash_table_unref(solver->by_nevra);
	g_ptr_array_unref(solver->repositories);
	g_free(solver->basearch);
	g_free(solver);
}

static gboolean read_metadata(Repo *repo, const char *path, int flags, GError **error)
{
	FILE *stream = solv_xfopen(path, "r");
	int result;

	if (!stream)
		return varve_fail_errno(error, errno, "metadata of repository '%s' (%s)",
					repo->name, path);
	result = repo_add_rpmmd(repo, stream, NULL, flags);
	/* A damaged compressed stream shows only here. */
	if (ferror(stream))
		result = -1;
	if (fclose(stream) != 0 || result != 0)
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "repository '%s': its metadata (%s) cannot be read: %s",
				  repo->name, path, pool_errstr(repo->pool));
	return TRUE;
}

/* Fedora's primary metadata are 100 MB of XML: what libsolv made of them is kept in its own form
 * beside them, under a name that has their digest, and so goes with them. */
static char *cache_path(const char *primary)
{
	return g_strdup_printf("%s.%s.solv", primary, solv_version);
}

static gboolean read_cache(Repo *repo, const char *primary)
{
	g_autofree char *path = cache_path(primary);
	FILE *stream = fopen(path, "re");
	int result;

	if (!stream)
		return FALSE;
	result = repo_add_solv(repo, stream, 0);
	fclose(stream);
	if (result != 0)
		repo_empty(repo, 1);
	return result == 0;
}

/* One that cannot be written is only missed. */
static void write_cache(Repo *repo, const char *primary)
{
	g_autofree char *path = cache_path(primary);
	g_autofree char *partial = g_strconcat(path, ".part", NULL);
	FILE *stream;
	int result;

	stream = fopen(partial, "we");
	if (!stream)
		return;
	result = repo_write(repo, stream);
	if (fclose(stream) != 0 || result != 0 || rename(partial, path) < 0)
		unlink(partial);
}

char *varve_solver_nevra(Pool *pool, Id id)
{
	Solvable *s = pool_id2solvable(pool, id);
	const char *evr = pool_id2str(pool, s->evr);

	if (g_str_has_prefix(evr, "0:"))
		evr += 2;
	return g_strdup_printf("%s-%s.%s", pool_id2str(pool, s->name), evr,
			       pool_id2str(pool, s->arch));
}

static void index_repo(VarveSolver *solver, Repo *repo)
{
	Solvable *s;
	Id id;

	FOR_REPO_SOLVABLES (repo, id, s) {
		char *nevra = varve_solver_nevra(solver->pool, id);

		if (g_hash_table_contains(solver->by_nevra, nevra))
			g_free(nevra);
		else
			g_hash_table_insert(solver->by_nevra, nevra, GINT_TO_POINTER(id));
	}
}

gboolean varve_solver_add(VarveSolver *solver, VarvePackageRepository *repository, GError **error)
{
	Repo *repo = repo_create(solver->pool, varve_package_repository_name(repository));
	const char *primary = varve_package_repository_primary(repository);

	repo->appdata = repository;
	/* What was built here is preferred, whatever the versions; of several, the first. */
	repo->priority =
		varve_package_repository_is_own(repository) ? OWN_PRIORITY - repo->repoid : 0;
	if (!read_cache(repo, primary)) {
		if (!read_metadata(repo, primary, 0, error)) {
			repo_free(repo, 1);
			return FALSE;
		}
		write_cache(repo, primary);
	}
	g_ptr_array_add(solver->repositories, repo);
	index_repo(solver, repo);
	solver->filelists = FALSE;
	return TRUE;
}

gboolean varve_solver_load_filelists(VarveSolver *solver, GError **error)
{
	for (guint i = 0; !solver->filelists && i < solver->repositories->len; i++) {
		Repo *repo = g_ptr_array_index(solver->repositories, i);
		g_autoptr(GError) cause = NULL;
		const char *path = varve_package_repository_filelists(repo->appdata, &cause);

		/* A repository may be without. */
		if (g_error_matches(cause, VARVE_ERROR, VARVE_ERROR_NOT_FOUND))
			continue;
		if (cause) {
			g_propagate_error(error, g_steal_pointer(&cause));
			return FALSE;
		}
		if (!read_metadata(repo, path, REPO_EXTEND_SOLVABLES | REPO_LOCALPOOL, error))
			return FALSE;
	}
	solver->filelists = TRUE;
	return TRUE;
}

static gboolean has_digest(Pool *pool, Id id, VarveDigest *ret)
{
	Id type = 0;
	const unsigned char *bytes =
		solvable_lookup_bin_checksum(pool_id2solvable(pool, id), SOLVABLE_CHECKSUM, &type);

	if (!bytes || type != REPOKEY_TYPE_SHA256)
		return FALSE;
	memcpy(ret->bytes, bytes, VARVE_DIGEST_SIZE);
	return TRUE;
}

Id varve_solver_lookup(VarveSolver *solver, const char *nevra, const VarveDigest *digest)
{
	Pool *pool = solver->pool;
	Id first = GPOINTER_TO_INT(g_hash_table_lookup(solver->by_nevra, nevra));
	Solvable *s;
	VarveDigest found;

	if (!first || !digest)
		return first;
	/* The same NEVRA can be in several repositories, with other bytes. */
	for (guint i = 0; i < solver->repositories->len; i++) {
		Repo *repo = g_ptr_array_index(solver->repositories, i);
		Id id;

		FOR_REPO_SOLVABLES (repo, id, s) {
			g_autofree char *name = NULL;

			if (s->name != pool_id2solvable(pool, first)->name)
				continue;
			name = varve_solver_nevra(pool, id);
			if (strcmp(name, nevra) == 0 && has_digest(pool, id, &found) &&
			    varve_digest_equal(&found, digest))
				return id;
		}
	}
	return 0;
}

static int compare_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static char **capabilities(Pool *pool, Solvable *s, Id key)
{
	GPtrArray *list = g_ptr_array_new();
	Queue ids;

	queue_init(&ids);
	/* Behind the marker of Provides are files that libsolv itself added. */
	solvable_lookup_deparray(s, key, &ids, key == SOLVABLE_PROVIDES ? -SOLVABLE_FILEMARKER : 0);
	for (int i = 0; i < ids.count; i++)
		if (ids.elements[i] != SOLVABLE_PREREQMARKER)
			g_ptr_array_add(list, g_strdup(pool_dep2str(pool, ids.elements[i])));
	queue_free(&ids);
	g_ptr_array_sort(list, compare_text);
	for (guint i = 1; i < list->len;) {
		if (strcmp(list->pdata[i - 1], list->pdata[i]) == 0)
			g_free(g_ptr_array_remove_index(list, i));
		else
			i++;
	}
	g_ptr_array_add(list, NULL);
	return (char **)g_ptr_array_free(list, FALSE);
}

/* [epoch:]version-release */
static void split_evr(VarvePackage *package, const char *evr)
{
	const char *colon = evr + strspn(evr, "0123456789"), *dash;

	if (colon > evr && *colon == ':') {
		package->epoch = (guint)strtoul(evr, NULL, 10);
		evr = colon + 1;
	}
	dash = strrchr(evr, '-');
	g_free(package->version);
	g_free(package->release);
	package->version = dash ? g_strndup(evr, (gsize)(dash - evr)) : g_strdup(evr);
	package->release = g_strdup(dash ? dash + 1 : "");
}

static void take(char **field, const char *value)
{
	g_free(*field);
	*field = g_strdup(value ? value : "");
}

/* Signed metadata or not, a location names a file below the repository and nothing else. */
static gboolean location_is_fine(const char *location)
{
	g_auto(GStrv) parts = NULL;

	if (!location || !*location || *location == '/' || strstr(location, "://"))
		return FALSE;
	parts = g_strsplit(location, "/", -1);
	for (char **part = parts; *part; part++)
		if (strcmp(*part, "..") == 0)
			return FALSE;
	return TRUE;
}

VarvePackage *varve_solver_facts(VarveSolver *solver, Id id, GError **error)
{
	g_autoptr(VarvePackage) package = varve_package_new();
	Pool *pool = solver->pool;
	Solvable *s = pool_id2solvable(pool, id);
	const char *location = solvable_lookup_location(s, NULL);

	g_free(package->nevra);
	package->nevra = varve_solver_nevra(pool, id);
	take(&package->name, pool_id2str(pool, s->name));
	split_evr(package, pool_id2str(pool, s->evr));
	take(&package->arch, pool_id2str(pool, s->arch));
	take(&package->repository, s->repo->name);
	if (g_str_has_prefix(location ? location : "", "./"))
		location += 2;
	if (!location_is_fine(location)) {
		varve_fail(error, VARVE_ERROR_CORRUPT,
			   "repository '%s': the location '%s' of package '%s' is not below the "
			   "repository",
			   s->repo->name, location ? location : "", package->nevra);
		return NULL;
	}
	take(&package->location, location);
	if (!has_digest(pool, id, &package->digest)) {
		varve_fail(error, VARVE_ERROR_UNSUPPORTED,
			   "repository '%s': package '%s' has no SHA-256 digest in the metadata: "
			   "make them "
			   "anew with createrepo_c, whose default it is",
			   s->repo->name, package->nevra);
		return NULL;
	}
	package->size = solvable_lookup_num(s, SOLVABLE_DOWNLOADSIZE, 0);
	package->installed_size = solvable_lookup_num(s, SOLVABLE_INSTALLSIZE, 0);
	take(&package->source, solvable_lookup_sourcepkg(s));
	take(&package->license, solvable_lookup_str(s, SOLVABLE_LICENSE));
	take(&package->vendor, s->vendor ? pool_id2str(pool, s->vendor) : "");
	g_strfreev(package->provides);
	g_strfreev(package->requires);
	package->provides = capabilities(pool, s, SOLVABLE_PROVIDES);
	package->requires = capabilities(pool, s, SOLVABLE_REQUIRES);
	return g_steal_pointer(&package);
}

VarvePackage *varve_solver_find(VarveSolver *solver, const char *nevra, const VarveDigest *digest)
{
	Id id = varve_solver_lookup(solver, nevra, digest);

	return id ? varve_solver_facts(solver, id, NULL) : NULL;
}

gsize varve_solver_count(const VarveSolver *solver)
{
	gsize count = 0;

	for (guint i = 0; i < solver->repositories->len; i++)
		count += (gsize)((Repo *)g_ptr_array_index(solver->repositories, i))->nsolvables;
	return count;
}
