/*
 * The files and directories that children may read, as descriptors that lead to them and no
 * further: the mounts and the Landlock rules are made from the same ones, so that both mean the
 * same files.
 *
 * Runs in: zygote, after load and after its namespaces were made: a mount is taken from the mount
 * namespace that its descriptor was opened in. Trusts the operator's list, but not that it is
 * still as it was when the configuration was checked.
 */
#include "read_paths.h"

#include "base/heritage.h"
#include "failure.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* They are read without bounds from here on. */
static void
check_list(const struct heritage_zygote *heritage)
{
	size_t strings = 0;

	if (heritage->read_paths_count > HERITAGE_READ_PATHS_COUNT ||
	    heritage->read_paths_bytes > HERITAGE_READ_PATHS_MAX)
		zygote_fail(ZY_EXIT_HERITAGE, 0, "read_paths too long");
	for (size_t i = 0; i < heritage->read_paths_bytes; i++)
		strings += heritage->read_paths[i] == '\0';
	if (strings != heritage->read_paths_count ||
	    (strings > 0 && heritage->read_paths[heritage->read_paths_bytes - 1] != '\0'))
		zygote_fail(ZY_EXIT_HERITAGE, 0, "read_paths malformed");
}

/* Below /proc a child would find its siblings. */
static void
open_path(const char *name, struct read_path *out)
{
	struct stat status;
	struct statfs system;

	*out = (struct read_path){ .name = name, .fd = open(name, O_PATH | O_CLOEXEC) };
	if (out->fd < 0 || fstat(out->fd, &status) < 0 || fstatfs(out->fd, &system) < 0)
		zygote_fail(ZY_EXIT_LOAD, errno, "read_paths: %s", name);
	out->is_directory = S_ISDIR(status.st_mode);
	if (!out->is_directory && !S_ISREG(status.st_mode))
		zygote_fail(ZY_EXIT_LOAD, 0, "read_paths: %s is neither a file nor a directory",
			    name);
	if (system.f_type == PROC_SUPER_MAGIC)
		zygote_fail(ZY_EXIT_LOAD, 0, "read_paths: %s shows other processes", name);
}

void
read_paths_open(const struct heritage_zygote *heritage, struct read_paths *out)
{
	const char *name = heritage->read_paths;

	out->count = 0;
	if (!heritage->reads_files)
		return;
	check_list(heritage);
	for (uint32_t i = 0; i < heritage->read_paths_count; i++, name += strlen(name) + 1)
		open_path(name, &out->paths[out->count++]);
}

void
read_paths_close(struct read_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		close(paths->paths[i].fd);
	paths->count = 0;
}
