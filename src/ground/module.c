/* Loading kernel modules from a list. */
#include "ground/module.h"

#include "ground/fd.h"
#include "ground/syscalls.h"

#include <stdio.h>
#include <string.h>

static int load_one(const char *path, const char *parameters)
{
	varve_autofd fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (varve_finit_module(fd, parameters) < 0 && errno != EEXIST)
		return -1;
	return 0;
}

int varve_modules_load(const char *list, VarveModuleChoice choice,
		       void (*failed)(const char *path, int errnum, void *data), void *data)
{
	FILE *file = fopen(list, "re");
	char line[512];
	int failures = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		const char *slash = strrchr(line, '/');
		const char *parameters;

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		parameters = choice(slash ? slash + 1 : line, data);
		if (parameters && load_one(line, parameters) < 0) {
			failures++;
			failed(line, errno, data);
		}
	}
	fclose(file);
	return failures;
}
