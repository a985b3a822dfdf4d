/* What a scriptlet that wants out of its root tries; each line says whether it got there. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <unistd.h>

static void tell(const char *what, int got_there)
{
	printf("%s %s\n", what, got_there ? "LEAKED" : "held");
	fflush(stdout);
}

int main(void)
{
	unsigned int major_number, minor_number;
	char line[256], name[64];
	FILE *partitions;
	int fd, cwd;

	fd = open("/proc/sys/kernel/core_pattern", O_WRONLY);
	tell("core-pattern", fd >= 0);
	fd = open("/proc/sysrq-trigger", O_WRONLY);
	tell("sysrq", fd >= 0);
	tell("remount", mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL) == 0);
	tell("mount", mount("tmpfs", "/tmp", "tmpfs", 0, NULL) == 0);
	tell("hostname", sethostname("leaked", 6) == 0);
	/* Every disk that the kernel knows: a node can be made, but must not open. */
	partitions = fopen("/proc/partitions", "r");
	fd = -1;
	while (partitions && fgets(line, sizeof(line), partitions)) {
		if (sscanf(line, "%u %u %*u %63s", &major_number, &minor_number, name) != 3)
			continue;
		unlink("/tmp/node");
		if (mknod("/tmp/node", S_IFBLK | 0600, makedev(major_number, minor_number)) == 0 &&
		    fd < 0)
			fd = open("/tmp/node", O_RDONLY);
	}
	unlink("/tmp/node");
	tell("disk", fd >= 0);
	/* The classic way out of a chroot, and then the root of the host's init. */
	mkdir("/tmp/deeper", 0700);
	cwd = open("/", O_RDONLY | O_DIRECTORY);
	if (chroot("/tmp/deeper") == 0 && fchdir(cwd) == 0) {
		for (int i = 0; i < 64; i++)
			if (chdir("..") < 0)
				break;
		if (chroot(".") < 0)
			perror("chroot");
	}
	fd = open("/etc/os-release", O_RDONLY);
	tell("chroot", fd >= 0);
	tell("tests", access("/etc/passwd", F_OK) == 0);
	return 0;
}
