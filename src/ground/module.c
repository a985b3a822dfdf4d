/* Loading kernel modules from a list. */
#include "ground/module.h"

#include "ground/fd.h"
#include "ground/syscalls.h"

#include <stdio.h>
#include <string.h>

static int load_one(const char *path)
{
	varve_autofd fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (varve_finit_module(fd, "") < 0 && errno != EEXIST)
		return -1;
	return 0;
}

static int is_skipped(const char *path, const char *skip)
{
	const char *slash = strrchr(path, '/');

	return skip && strncmp(slash ? slash + 1 : path, skip, strlen(skip)) == 0;
}

int varve_modules_load(const char *list, const char *skip,
		       void (*failed)(const char *path, int errnum, void *data), void *data)
{
	FILE *file = fopen(list, "re");
	char line[512];
	int failures = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '\0' || line[0] == '#' || is_skipped(line, skip))
			continue;
		if (load_one(line) < 0) {
			failures++;
			failed(line, errno, data);
		}
	}
	fclose(file);
	return failures;
}
