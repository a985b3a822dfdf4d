/* Loop devices (Linux, include/uapi/linux/loop.h). */
#include "device/loop.h"

#include "base/error.h"
#include "ground/fd.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

/* Others take free devices at the same moment: as often as systemd tries before it gives up. */
#define ATTEMPTS 64

int varve_loop_attach(int fd, guint64 offset, guint64 size, const char *name, char **ret_path,
		      GError **error)
{
	varve_autofd control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	struct loop_config config = {
		.fd = (guint32)fd,
		/* Direct: the page cache would hold every block twice. */
		.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO,
		.info.lo_offset = offset,
		.info.lo_sizelimit = size,
	};

	if (control < 0) {
		varve_fail(
			error, VARVE_ERROR_UNSUPPORTED,
			"/dev/loop-control cannot be opened (%s): the kernel has no loop devices; "
			"the module 'loop' belongs into the initrd and the base",
			g_strerror(errno));
		return -1;
	}
	g_strlcpy((char *)config.info.lo_file_name, name, LO_NAME_SIZE);
	for (int i = 0; i < ATTEMPTS; i++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);
		g_autofree char *path = NULL;
		varve_autofd loop = -1;

		if (number < 0) {
			varve_fail_errno(error, errno, "%s: there is no free loop device", name);
			return -1;
		}
		path = g_strdup_printf("/dev/loop%d", number);
		loop = open(path, O_RDONLY | O_CLOEXEC);
		if (loop >= 0 && ioctl(loop, LOOP_CONFIGURE, &config) == 0) {
			*ret_path = g_steal_pointer(&path);
			return varve_fd_steal(&loop);
		}
		if (errno != EBUSY && errno != ENOENT && errno != ENXIO) {
			varve_fail_errno(error, errno, "%s cannot be set up for %s", path, name);
			return -1;
		}
		g_usleep(1000 * (gulong)(i + 1));
	}
	varve_fail(error, VARVE_ERROR_BUSY,
		   "%s: other programs took every free loop device, %d times", name, ATTEMPTS);
	return -1;
}
