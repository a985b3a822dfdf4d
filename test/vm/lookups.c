/* Looks names up below /usr as fast as it can while stacks are exchanged under it, and counts what
 * should never happen. Static, libc only: tests copy it into a guest, also into its containers.
 *
 *   lookups DIRECTORY PROGRAM RESULT
 *
 *   DIRECTORY  has the files a, b, c, … with one line each, the same in all of one stack
 *   PROGRAM    is executed again and again; it must end with 0
 *   RESULT     is written when SIGTERM comes: NAME NUMBER lines
 *
 * failed: an open, stat, exec or readdir that failed, or a directory with other entries than at
 * first. mixed: files of two stacks, read through one directory, or by their full paths while the
 * mount at /usr stayed the same (statx(2), STATX_MNT_ID_UNIQUE, Linux 6.8). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U
#endif

#define FILES 8
#define LINE 64

enum { OPENS, STATS, EXECS, LISTS, FAILED, MIXED, CHANGES, COUNTERS };
static const char *const names[COUNTERS] = { "opens",  "stats", "execs",  "lists",
					     "failed", "mixed", "changes" };

typedef struct {
	const char *directory, *program;
	volatile uint64_t *counters; /* shared; behind them, in words, what failed first */
} Run;

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

static void count(Run *run, int what)
{
	__atomic_add_fetch(&run->counters[what], 1, __ATOMIC_RELAXED);
}

static void fail(Run *run, const char *what, const char *name)
{
	char *first = (char *)(run->counters + COUNTERS);
	int saved = errno;

	if (__atomic_add_fetch(&run->counters[FAILED], 1, __ATOMIC_RELAXED) == 1)
		snprintf(first, 256, "%s %s: %s", what, name, strerror(saved));
}

static uint64_t mount_id(void)
{
	struct statx sx;

	if (statx(AT_FDCWD, "/usr", AT_NO_AUTOMOUNT, STATX_MNT_ID_UNIQUE, &sx) < 0)
		return 0;
	return sx.stx_mask & STATX_MNT_ID_UNIQUE ? sx.stx_mnt_id : 0;
}

static int read_line(Run *run, int dirfd, const char *path, char line[LINE])
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	count(run, OPENS);
	if (fd < 0) {
		fail(run, "open", path);
		return -1;
	}
	n = read(fd, line, LINE - 1);
	close(fd);
	if (n < 0) {
		fail(run, "read", path);
		return -1;
	}
	line[n] = '\0';
	return 0;
}

/* All files through one directory are of one stack, however long it takes. */
static void through_directory(Run *run, char last[LINE])
{
	int dirfd = open(run->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char line[LINE], other[LINE], name[2] = "a";

	count(run, OPENS);
	if (dirfd < 0) {
		fail(run, "open", run->directory);
		return;
	}
	if (read_line(run, dirfd, "a", line) == 0) {
		if (strcmp(line, last) != 0)
			count(run, CHANGES);
		strcpy(last, line);
		for (int i = 1; i < FILES; i++) {
			name[0] = (char)('a' + i);
			if (read_line(run, dirfd, name, other) == 0 && strcmp(line, other) != 0)
				count(run, MIXED);
		}
	}
	close(dirfd);
}

/* By full path, each may be of another stack: but not while the mount is the same. */
static void by_path(Run *run)
{
	char path[PATH_MAX], first[LINE] = "", line[LINE];
	uint64_t before = mount_id();
	int mixed = 0;

	for (int i = 0; i < FILES; i++) {
		struct stat st;

		snprintf(path, sizeof(path), "%s/%c", run->directory, 'a' + i);
		count(run, STATS);
		if (stat(path, &st) < 0)
			fail(run, "stat", path);
		if (read_line(run, AT_FDCWD, path, line) < 0)
			return;
		if (i == 0)
			strcpy(first, line);
		else if (strcmp(first, line) != 0)
			mixed = 1;
	}
	if (mixed && before && before == mount_id())
		count(run, MIXED);
}

static void list(Run *run)
{
	DIR *dir = opendir(run->directory);
	int entries = 0;

	count(run, LISTS);
	if (!dir) {
		fail(run, "opendir", run->directory);
		return;
	}
	errno = 0;
	for (struct dirent *entry; (entry = readdir(dir));)
		entries += entry->d_name[0] != '.';
	if (errno || entries < FILES)
		fail(run, "readdir", run->directory);
	closedir(dir);
}

static void execute(Run *run)
{
	char *const argv[] = { (char *)run->program, (char *)"--version", NULL };
	pid_t pid = fork();
	int status;

	count(run, EXECS);
	if (pid < 0)
		return;
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 1);
		dup2(null, 2);
		execv(run->program, argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return;
	/* Who ends this program ends its children too. */
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM)
		return;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		errno = ENOEXEC;
		fail(run, "exec", run->program);
	}
}

static void loop(Run *run, int kind)
{
	char last[LINE] = "";

	while (!ended) {
		switch (kind) {
		case 0:
			through_directory(run, last);
			break;
		case 1:
			by_path(run);
			break;
		case 2:
			list(run);
			break;
		default:
			execute(run);
			break;
		}
	}
}

static int report(const Run *run, const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return 1;
	for (int i = 0; i < COUNTERS; i++)
		fprintf(file, "%s %llu\n", names[i], (unsigned long long)run->counters[i]);
	fprintf(file, "first %s\n", (const char *)(run->counters + COUNTERS));
	return fclose(file) != 0;
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = end };
	Run run = { 0 };
	pid_t children[4];

	if (argc != 4) {
		fputs("usage: lookups DIRECTORY PROGRAM RESULT\n", stderr);
		return 2;
	}
	run.directory = argv[1];
	run.program = argv[2];
	run.counters = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run.counters == MAP_FAILED)
		return 1;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	for (int i = 0; i < 4; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			loop(&run, i);
			_exit(0);
		}
	}
	while (!ended)
		pause();
	for (int i = 0; i < 4; i++)
		if (children[i] > 0)
			kill(children[i], SIGTERM);
	for (int i = 0; i < 4; i++)
		if (children[i] > 0)
			waitpid(children[i], NULL, 0);
	return report(&run, argv[3]);
}
