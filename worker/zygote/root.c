/*
 * An empty root: a tmpfs takes the place of the whole tree, which is then let go. With a profile
 * that reads files it holds those, each as a read-only mount at its own name, and nothing else.
 *
 * Runs in: zygote, after load, in its own mount namespace. After it no path names anything that is
 * not in read_paths, /proc included; nothing below it can be written, be a device, or gain rights.
 */
#include "layers.h"

#include "read_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* As many as the names have components, and the root itself. */
static unsigned
count_inodes(const struct read_paths *paths)
{
	unsigned count = 1;

	for (size_t i = 0; i < paths->count; i++)
		for (const char *at = paths->paths[i].name; *at != '\0'; at++)
			count += *at == '/';
	return count;
}

/* Any directory will do to put it on; which ones exist depends on where the daemon was started. */
static int
mount_empty(const struct read_paths *paths, const char **place_out)
{
	static const char *const places[] = { "/proc", "/tmp", "/run", "/sys" };
	const unsigned long flags = paths->count == 0 ? FLAGS | MS_RDONLY : FLAGS;
	char options[64];
	int error = ENOENT;

	snprintf(options, sizeof(options), "size=4096,nr_inodes=%u,mode=0555", count_inodes(paths));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		*place_out = places[i];
		if (mount("empty", places[i], "tmpfs", flags, options) == 0)
			return 0;
		error = errno;
	}
	return error;
}

/* Something to mount on, at that name below the working directory. */
static int
make_place(const struct read_path *path)
{
	char name[HERITAGE_PATH_MAX];

	snprintf(name, sizeof(name), "%s", path->name + 1);
	for (char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(name, 0755) < 0 && errno != EEXIST)
			return errno;
		*slash = '/';
	}
	if (path->is_directory)
		return mkdir(name, 0755) < 0 && errno != EEXIST ? errno : 0;
	int fd = open(name, O_RDONLY | O_CREAT | O_CLOEXEC, 0444);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* Whether an earlier one shows it already. */
static bool
is_below_another(const struct read_paths *paths, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		const size_t length = strlen(paths->paths[i].name);
		if (strncmp(paths->paths[i].name, paths->paths[index].name, length) == 0 &&
		    (paths->paths[index].name[length] == '/' ||
		     paths->paths[index].name[length] == '\0'))
			return true;
	}
	return false;
}

/*
 * Mounts what the descriptor leads to, with all that is mounted below it: less would uncover what
 * those mounts hide. The flags are set on the detached copy, so that no other state of it is ever
 * in the tree. The three calls are of Linux 5.2 and 5.12.
 */
static int
attach(const struct read_path *path, bool loads_code)
{
	struct mount_attr flags = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    (loads_code ? 0 : MOUNT_ATTR_NOEXEC),
		.propagation = MS_PRIVATE,
	};
	int error = make_place(path);

	if (error != 0)
		return error;
	int fd = open_tree(path->fd, "",
			   AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return errno;
	if (mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &flags, sizeof(flags)) < 0 ||
	    move_mount(fd, "", AT_FDCWD, path->name + 1, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		error = errno;
	close(fd);
	return error;
}

static int
attach_all(const struct read_paths *paths, bool loads_code)
{
	struct mount_attr flags = { .attr_set = MOUNT_ATTR_RDONLY };
	int error = 0;

	if (paths->count == 0)
		return 0;
	for (size_t i = 0; i < paths->count && error == 0; i++)
		if (!is_below_another(paths, i))
			error = attach(&paths->paths[i], loads_code);
	if (error == 0 && mount_setattr(AT_FDCWD, ".", 0, &flags, sizeof(flags)) < 0)
		error = errno;
	return error;
}

int
root_apply(const struct read_paths *paths, bool loads_code)
{
	const char *place;

	/* Nothing that happens here may reach the namespace that we came from. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return errno;
	int error = mount_empty(paths, &place);
	if (error != 0)
		return error;
	if (chdir(place) < 0)
		return errno;
	error = attach_all(paths, loads_code);
	if (error != 0)
		return error;
	/* The old root comes to lie on top of the new one and is taken off: pivot_root(2),
	 * "pivot_root(".", ".")". */
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return errno;
	return 0;
}
