/* An upstream opened for one architecture. */
#include "package/universe.h"

#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "crypt/sha256.h"
#include "rpm/reader.h"

#include <string.h>

struct VarveUniverse {
	char *name;
	const VarveArch *arch;
	GPtrArray *repositories; /* VarvePackageRepository * */
	GPtrArray *keys;         /* const VarvePackageKeys *, NULL-terminated; borrowed */
	VarveSolver *solver;
};

static void free_repository(gpointer repository)
{
	varve_package_repository_free(repository);
}

static gboolean open_all(VarveUniverse *universe, const VarveUniverseOptions *options,
			 GError **error)
{
	VarveRepositoryOptions how = { .basearch = options->arch->rpm, .cache = options->cache };

	for (size_t i = 0; i < options->n_repositories; i++) {
		const VarveRepositorySource *source = &options->repositories[i];
		VarvePackageRepository *repository;

		if (varve_universe_repository(universe, source->name))
			return varve_fail(error, VARVE_ERROR_USAGE,
					  "upstream '%s': two repositories are called '%s'",
					  options->name, source->name);
		repository = varve_package_repository_open(source, &how, error);
		if (!repository)
			return FALSE;
		g_ptr_array_add(universe->repositories, repository);
		g_ptr_array_add(universe->keys,
				(gpointer)varve_package_repository_keys(repository));
		if (!varve_solver_add(universe->solver, repository, error))
			return FALSE;
	}
	g_ptr_array_add(universe->keys, NULL);
	return TRUE;
}

VarveUniverse *varve_universe_open(const VarveUniverseOptions *options, GError **error)
{
	g_autoptr(VarveUniverse) universe = g_new0(VarveUniverse, 1);

	universe->name = g_strdup(options->name);
	universe->arch = options->arch;
	universe->repositories = g_ptr_array_new_with_free_func(free_repository);
	universe->keys = g_ptr_array_new();
	universe->solver = varve_solver_new(options->arch->rpm, error);
	if (!universe->solver)
		return NULL;
	if (!options->n_repositories) {
		varve_fail(error, VARVE_ERROR_USAGE,
			   "upstream '%s': has no repository: import it, or name a metalink or "
			   "baseurl",
			   options->name);
		return NULL;
	}
	if (!open_all(universe, options, error))
		return NULL;
	return g_steal_pointer(&universe);
}

VarveUniverse *varve_universe_open_upstream(const VarveUpstream *upstream, const VarveArch *arch,
					    const char *cache, const VarveRepositorySource *more,
					    size_t n_more, GError **error)
{
	g_autofree VarveRepositorySource *sources =
		g_new0(VarveRepositorySource, upstream->n_repositories + n_more);
	VarveUniverseOptions options = { .name = upstream->name,
					 .arch = arch,
					 .repositories = sources,
					 .n_repositories = upstream->n_repositories + n_more,
					 .cache = cache };

	for (gsize i = 0; i < upstream->n_repositories; i++) {
		const VarveRepository *from = &upstream->repositories[i];

		sources[i] = (VarveRepositorySource){ .name = from->name,
						      .metalink = from->metalink,
						      .mirrorlist = from->mirrorlist,
						      .baseurl = from->baseurl,
						      .keys = from->gpg_keys,
						      .releasever = from->releasever,
						      .max_age_days = from->max_age_days };
	}
	if (n_more)
		memcpy(sources + upstream->n_repositories, more, n_more * sizeof(*more));
	return varve_universe_open(&options, error);
}

void varve_universe_free(VarveUniverse *universe)
{
	if (!universe)
		return;
	varve_solver_free(universe->solver);
	g_ptr_array_unref(universe->keys);
	g_ptr_array_unref(universe->repositories);
	g_free(universe->name);
	g_free(universe);
}

const char *varve_universe_name(const VarveUniverse *universe)
{
	return universe->name;
}

const VarveArch *varve_universe_arch(const VarveUniverse *universe)
{
	return universe->arch;
}

char *varve_universe_digest(const VarveUniverse *universe)
{
	g_autoptr(VarveSha256) state = varve_sha256_new();
	VarveDigest digest;

	for (guint i = 0; i < universe->repositories->len; i++) {
		const VarvePackageRepository *repository =
			g_ptr_array_index(universe->repositories, i);
		const char *name = varve_package_repository_name(repository);

		varve_sha256_update(state, name, strlen(name) + 1);
		varve_sha256_update(state, varve_package_repository_digest(repository)->bytes,
				    VARVE_DIGEST_SIZE);
	}
	varve_sha256_finish(state, &digest);
	return varve_digest_dup_hex(&digest);
}

const VarvePackageKeys *const *varve_universe_keys(const VarveUniverse *universe)
{
	return (const VarvePackageKeys *const *)universe->keys->pdata;
}

VarvePackageRepository *varve_universe_repository(const VarveUniverse *universe, const char *name)
{
	for (guint i = 0; i < universe->repositories->len; i++) {
		VarvePackageRepository *repository = g_ptr_array_index(universe->repositories, i);

		if (strcmp(varve_package_repository_name(repository), name) == 0)
			return repository;
	}
	return NULL;
}

gboolean varve_universe_solve(VarveUniverse *universe, const VarveSolveRequest *request,
			      GPtrArray **ret_packages, GError **error)
{
	return varve_solver_solve(universe->solver, request, ret_packages, error);
}

VarvePackage *varve_universe_find(VarveUniverse *universe, const char *nevra,
				  const VarveDigest *digest)
{
	return varve_solver_find(universe->solver, nevra, digest);
}

typedef struct {
	VarveUniverse *universe;
	GPtrArray *packages;
} Check;

/* A file with the right digest is what the metadata's signer meant; its own signature says that
 * the packager made it. Both are asked for. */
static gboolean check_one(gsize index, gpointer data, GError **error)
{
	const Check *check = data;
	const VarvePackage *package = g_ptr_array_index(check->packages, index);
	const VarvePackageRepository *repository =
		varve_universe_repository(check->universe, package->repository);
	g_autoptr(VarvePackage) found = NULL;

	if (!varve_rpm_verify(package->path, varve_package_repository_keys(repository), &found,
			      NULL, error))
		return FALSE;
	if (!varve_digest_equal(&found->digest, &package->digest))
		return varve_fail(error, VARVE_ERROR_CORRUPT,
				  "package '%s' (%s): changed while it was verified",
				  package->nevra, package->path);
	if (strcmp(found->nevra, package->nevra) != 0)
		return varve_fail(
			error, VARVE_ERROR_UNTRUSTED,
			"repository '%s': says that %s is '%s', but the package in it is '%s'",
			package->repository, package->location, package->nevra, found->nevra);
	return TRUE;
}

static void on_fetched(guint64 bytes, const char *nevra, gpointer data)
{
	varve_progress_add(data, bytes, nevra);
}

static gboolean fetch_from(VarvePackageRepository *repository, const GPtrArray *packages,
			   VarveProgress *progress, GError **error)
{
	g_autoptr(GPtrArray) own = g_ptr_array_new();

	for (guint i = 0; i < packages->len; i++) {
		VarvePackage *package = g_ptr_array_index(packages, i);

		if (strcmp(package->repository, varve_package_repository_name(repository)) == 0)
			g_ptr_array_add(own, package);
	}
	return varve_package_repository_fetch(repository, own, on_fetched, progress, error);
}

gboolean varve_universe_fetch(VarveUniverse *universe, GPtrArray *packages, GError **error)
{
	Check check = { .universe = universe, .packages = packages };
	g_autoptr(VarveProgress) progress = NULL;
	guint64 total = 0;

	for (guint i = 0; i < packages->len; i++) {
		const VarvePackage *package = g_ptr_array_index(packages, i);

		if (!varve_universe_repository(universe, package->repository))
			return varve_fail(error, VARVE_ERROR_NOT_FOUND,
					  "package '%s': upstream '%s' has no repository '%s'",
					  package->nevra, universe->name, package->repository);
		total += package->size;
	}
	progress = varve_progress_new("fetching packages", VARVE_PROGRESS_BYTES, total);
	for (guint i = 0; i < universe->repositories->len; i++)
		if (!fetch_from(g_ptr_array_index(universe->repositories, i), packages, progress,
				error))
			return FALSE;
	if (!varve_parallel(packages->len, 0, check_one, &check, error))
		return FALSE;
	varve_progress_end(progress, "fetched and verified %u packages", packages->len);
	return TRUE;
}
