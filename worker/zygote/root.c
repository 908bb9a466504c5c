/*
 * An empty root: a tmpfs of one inode takes the place of the whole tree, which is then let go.
 *
 * Runs in: zygote, after load, in its own mount namespace. After it no path names anything, /proc
 * included.
 */
#include "layers.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FLAGS (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* Any directory will do to put it on; which ones exist depends on where the daemon was started. */
static int
mount_empty(const char **place_out)
{
	static const char *const places[] = { "/proc", "/tmp", "/run", "/sys" };
	int error = ENOENT;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		*place_out = places[i];
		if (mount("empty", places[i], "tmpfs", FLAGS, "size=4096,nr_inodes=1,mode=0555") ==
		    0)
			return 0;
		error = errno;
	}
	return error;
}

int
root_apply(void)
{
	const char *place;

	/* Nothing that happens here may reach the namespace that we came from. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return errno;
	int error = mount_empty(&place);
	if (error != 0)
		return error;
	/* The old root comes to lie on top of the new one and is taken off: pivot_root(2),
	 * "pivot_root(".", ".")". */
	if (chdir(place) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return errno;
	return 0;
}
