/* From a request to packages. */
#include "rpm/solver-internal.h"

#include "base/error.h"

#include <solv/dataiterator.h>
#include <solv/pool_parserpmrichdep.h>
#include <solv/repodata.h>
#include <solv/selection.h>
#include <solv/transaction.h>
#include <string.h>

/* Repositories that exist for one request only, and the map that hides the originals. */
typedef struct {
	VarveSolver *solver;
	Repo *installed; /* packages of the base */
	Repo *left_out; /* stand-ins: they provide what a left-out package does, and need nothing */
	Map considered;
	gboolean hides;
} Scene;

static void hide(Scene *scene, Id id)
{
	if (!scene->hides) {
		map_init(&scene->considered, scene->solver->pool->nsolvables);
		map_setall(&scene->considered);
		scene->hides = TRUE;
	}
	MAPCLR(&scene->considered, id);
}

static void copy_dependencies(Solvable *to, Solvable *from, Id key, Id marker)
{
	Queue ids;

	queue_init(&ids);
	solvable_lookup_deparray(from, key, &ids, 0);
	for (int i = 0; i < ids.count; i++)
		if (ids.elements[i] != marker)
			solvable_add_deparray(to, key, ids.elements[i], 0);
	queue_free(&ids);
}

static void copy_files(Repo *repo, Id to, Id from)
{
	Pool *pool = repo->pool;
	Repodata *data = repo_add_repodata(repo, REPO_REUSE_REPODATA);
	Dataiterator files;

	dataiterator_init(&files, pool, pool_id2solvable(pool, from)->repo, from, SOLVABLE_FILELIST,
			  NULL, SEARCH_FILES | SEARCH_COMPLETE_FILELIST);
	while (dataiterator_step(&files)) {
		g_autofree char *path = g_strdup(files.kv.str);
		char *slash = strrchr(path, '/');
		Id directory;

		if (!slash)
			continue;
		*slash = '\0';
		directory = repodata_str2dir(data, slash == path ? "/" : path, 1);
		repodata_add_dirstr(data, to, SOLVABLE_FILELIST, directory, slash + 1);
	}
	dataiterator_free(&files);
}

/* A copy in @repo: all of it, or (@shell) only what others see of it. */
static void copy_solvable(Repo *repo, Id from, gboolean shell)
{
	Pool *pool = repo->pool;
	Id id = repo_add_solvable(repo); /* may move the array: look up after this */
	Solvable *to = pool_id2solvable(pool, id), *original = pool_id2solvable(pool, from);

	to->name = original->name;
	to->evr = original->evr;
	to->arch = original->arch;
	to->vendor = original->vendor;
	copy_dependencies(to, original, SOLVABLE_PROVIDES, SOLVABLE_FILEMARKER);
	if (!shell) {
		copy_dependencies(to, original, SOLVABLE_REQUIRES, SOLVABLE_PREREQMARKER);
		copy_dependencies(to, original, SOLVABLE_CONFLICTS, 0);
		copy_dependencies(to, original, SOLVABLE_OBSOLETES, 0);
	}
	copy_files(repo, id, from);
}

static gboolean set_installed(Scene *scene, const GPtrArray *packages, GError **error)
{
	VarveSolver *solver = scene->solver;

	if (!packages || !packages->len)
		return TRUE;
	scene->installed = repo_create(solver->pool, "base");
	for (guint i = 0; i < packages->len; i++) {
		const VarvePackage *package = g_ptr_array_index(packages, i);
		Id id = varve_solver_lookup(solver, package->nevra, &package->digest);

		if (!id)
			return varve_fail(error, VARVE_ERROR_NOT_FOUND,
					  "package '%s' of the base is not in the repositories any "
					  "more: build "
					  "the base anew, with --update-lock",
					  package->nevra);
		copy_solvable(scene->installed, id, FALSE);
	}
	repo_internalize(scene->installed);
	pool_set_installed(solver->pool, scene->installed);
	return TRUE;
}

static void leave_out(Scene *scene, const char *const *names)
{
	Pool *pool = scene->solver->pool;
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(Id));

	if (!names || !names[0])
		return;
	scene->left_out = repo_create(pool, "left out");
	for (; *names; names++) {
		Id name = pool_str2id(pool, *names, 0);

		for (Id id = 2; name && id < pool->nsolvables; id++) {
			Solvable *s = pool_id2solvable(pool, id);

			if (s->repo && s->repo != scene->installed && s->repo != scene->left_out &&
			    s->name == name)
				g_array_append_val(ids, id);
		}
	}
	for (guint i = 0; i < ids->len; i++)
		copy_solvable(scene->left_out, g_array_index(ids, Id, i), TRUE);
	repo_internalize(scene->left_out);
	for (guint i = 0; i < ids->len; i++)
		hide(scene, g_array_index(ids, Id, i));
}

static void pass_over(Scene *scene, const char *const *names)
{
	Pool *pool = scene->solver->pool;

	for (; names && *names; names++) {
		Id name = pool_str2id(pool, *names, 0);

		for (Id id = 2; name && id < pool->nsolvables; id++) {
			Solvable *s = pool_id2solvable(pool, id);

			if (s->repo && s->repo->appdata && s->name == name &&
			    varve_package_repository_is_own(s->repo->appdata))
				hide(scene, id);
		}
	}
}

static gboolean restrict_to(Scene *scene, const GPtrArray *only, GError **error)
{
	VarveSolver *solver = scene->solver;
	Pool *pool = solver->pool;
	g_autoptr(GHashTable) chosen = g_hash_table_new(NULL, NULL);

	if (!only)
		return TRUE;
	for (guint i = 0; i < only->len; i++) {
		const VarvePackage *package = g_ptr_array_index(only, i);
		Id id = varve_solver_lookup(solver, package->nevra, &package->digest);

		if (!id)
			return varve_fail(error, VARVE_ERROR_NOT_FOUND,
					  "package '%s' is not in the repositories any more",
					  package->nevra);
		g_hash_table_add(chosen, GINT_TO_POINTER(id));
	}
	for (Id id = 2; id < pool->nsolvables; id++) {
		Solvable *s = pool_id2solvable(pool, id);

		if (s->repo && s->repo->appdata &&
		    !varve_package_repository_is_own(s->repo->appdata) &&
		    !g_hash_table_contains(chosen, GINT_TO_POINTER(id)))
			hide(scene, id);
	}
	return TRUE;
}

static void clear_scene(Scene *scene)
{
	Pool *pool = scene->solver->pool;

	pool->considered = NULL;
	if (scene->hides)
		map_free(&scene->considered);
	pool_set_installed(pool, NULL);
	if (scene->left_out)
		repo_free(scene->left_out, 1);
	if (scene->installed)
		repo_free(scene->installed, 1);
}

/* A name that some package has, else a capability; one that nothing has is left for the solver to
 * complain about together with everything else. */
static void add_job(Pool *pool, Queue *job, const char *what)
{
	Queue selection;
	int found;

	queue_init(&selection);
	found = selection_make(pool, &selection, what, SELECTION_NAME | SELECTION_REL);
	if (!found)
		found = selection_make(pool, &selection, what,
				       SELECTION_PROVIDES | SELECTION_REL | SELECTION_FILELIST);
	if (!found) {
		Id id = pool_parserpmrichdep(pool, what);

		queue_push2(job, SOLVER_INSTALL | SOLVER_SOLVABLE_PROVIDES,
			    id ? id : pool_str2id(pool, what, 1));
	}
	for (int i = 0; i < selection.count; i += 2)
		queue_push2(job, SOLVER_INSTALL | SOLVER_FORCEBEST | selection.elements[i],
			    selection.elements[i + 1]);
	queue_free(&selection);
}

static gboolean collect(VarveSolver *solver, Solver *solv, GPtrArray **ret_packages, GError **error)
{
	g_autoptr(GPtrArray) packages = varve_package_array_new();
	Transaction *transaction = solver_create_transaction(solv);
	gboolean fine = TRUE;

	transaction_order(transaction, 0);
	for (int i = 0; fine && i < transaction->steps.count; i++) {
		Id id = transaction->steps.elements[i];
		int type = transaction_type(transaction, id, SOLVER_TRANSACTION_SHOW_ALL);
		VarvePackage *package;

		if (type == SOLVER_TRANSACTION_IGNORE ||
		    !pool_id2solvable(solver->pool, id)->repo->appdata)
			continue;
		package = varve_solver_facts(solver, id, error);
		if (package)
			g_ptr_array_add(packages, package);
		fine = package != NULL;
	}
	transaction_free(transaction);
	if (fine)
		*ret_packages = g_steal_pointer(&packages);
	return fine;
}

static gboolean solve_once(VarveSolver *solver, const VarveSolveRequest *request,
			   GPtrArray **ret_packages, GError **error)
{
	Scene scene = { .solver = solver };
	Pool *pool = solver->pool;
	gboolean fine;
	Solver *solv;
	Queue job;

	fine = set_installed(&scene, request->installed, error) &&
	       restrict_to(&scene, request->only, error);
	if (!fine) {
		clear_scene(&scene);
		return FALSE;
	}
	leave_out(&scene, request->exclude);
	pass_over(&scene, request->not_own);
	if (scene.hides) {
		map_grow(&scene.considered, pool->nsolvables);
		/* Stand-ins came after the map was made. */
		for (Id id = scene.left_out ? scene.left_out->start : 0;
		     scene.left_out && id < scene.left_out->end; id++)
			MAPSET(&scene.considered, id);
		pool->considered = &scene.considered;
	}
	pool_addfileprovides(pool);
	pool_createwhatprovides(pool);
	queue_init(&job);
	for (const char *const *what = request->install; what && *what; what++)
		add_job(pool, &job, *what);
	if (scene.installed)
		queue_push2(&job, SOLVER_LOCK | SOLVER_SOLVABLE_REPO, scene.installed->repoid);
	solv = solver_create(pool);
	solver_set_flag(solv, SOLVER_FLAG_IGNORE_RECOMMENDED, 1);
	fine = solver_solve(solv, &job) == 0 ? collect(solver, solv, ret_packages, error)
					     : varve_solver_explain(solv, error);
	solver_free(solv);
	queue_free(&job);
	clear_scene(&scene);
	return fine;
}

gboolean varve_solver_solve(VarveSolver *solver, const VarveSolveRequest *request,
			    GPtrArray **ret_packages, GError **error)
{
	g_autoptr(GError) failure = NULL;

	if (solve_once(solver, request, ret_packages, &failure))
		return TRUE;
	/* Primary metadata have the paths that packages may require by policy (programs, /etc).
	 * Where that is not enough the rest is worth its megabytes, and a failure is the time to
	 * find out. */
	if (!solver->filelists && g_error_matches(failure, VARVE_ERROR, VARVE_ERROR_CONFLICT)) {
		if (!varve_solver_load_filelists(solver, error))
			return FALSE;
		return solve_once(solver, request, ret_packages, error);
	}
	g_propagate_error(error, g_steal_pointer(&failure));
	return FALSE;
}
