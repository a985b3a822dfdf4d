/* What the two halves of a repository share: repository.c opens, repository-fetch.c fetches. */
#pragma once

#include "rpm/repository.h"

#include <librepo/librepo.h>

struct VarvePackageRepository {
	char *name;
	gboolean own;
	VarvePackageKeys *keys;
	LrHandle *handle;
	char *directory; /* of the cache */
	char *local;     /* (nullable) the repository's own directory, for file: */
	char *repomd;
	char *primary;
	char *filelists; /* NULL until asked for */
	LrYumRepoMd *records;
	char *last_failure; /* (nullable) what the last mirror that failed said */
	VarveDigest digest;
	gint64 timestamp;
};

/** varve_package_repository_fail: an error of librepo, and of the last mirror, in our terms. */
gboolean varve_package_repository_fail(const VarvePackageRepository *repository,
				       const GError *cause, const char *what, GError **error);

/** varve_package_repository_get: fetches one file (resuming @path.part) that is at @url below the
 *  repository, or @base where not NULL, and has this digest (@algorithm NULL: not checked). */
gboolean varve_package_repository_get(VarvePackageRepository *repository, const char *base,
				      const char *url, const char *path, const char *algorithm,
				      const char *digest, guint64 size, GError **error);
