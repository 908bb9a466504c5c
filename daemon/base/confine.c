/*
 * no_new_privs, Landlock and seccomp, without libraries.
 *
 * Runs in: front and zygote, as the last steps before the first byte from outside. Each step is
 * applied whole or reported; the caller fails closed.
 */
#include "base/confine.h"

#include "base/heritage.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* BPF_MAXINSNS of linux/bpf_common.h: the kernel takes no longer program. */
#define FILTER_MAX 4096

int
confine_no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? errno : 0;
}

/*
 * struct landlock_ruleset_attr of Linux 6.12 (ABI 6); older headers have only its start. The kernel
 * takes the first `size` bytes that it knows.
 */
struct ruleset {
	uint64_t files;
	uint64_t network;
	uint64_t scoped;
};

/* Rights by ABI version, from Documentation/userspace-api/landlock.rst. */
static size_t
fill_ruleset(long abi, struct ruleset *ruleset_out)
{
	const unsigned files = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;

	ruleset_out->files = (1ull << files) - 1;
	ruleset_out->network = 3;
	ruleset_out->scoped = 3;
	if (abi >= 6)
		return sizeof(*ruleset_out);
	return abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

static int
grant_reading(int ruleset_fd, int fd, bool executes)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = fd };
	struct stat status;

	if (fstat(fd, &status) < 0)
		return errno;
	rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
	if (executes)
		rule.allowed_access |= LANDLOCK_ACCESS_FS_EXECUTE;
	if (S_ISDIR(status.st_mode))
		rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
	return syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0u) < 0
		       ? errno
		       : 0;
}

int
confine_landlock(const int *fds, size_t count, bool executes)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   1u /* LANDLOCK_CREATE_RULESET_VERSION */);
	struct ruleset ruleset;
	long fd;
	int error = 0;

	if (abi < 0)
		return errno;
	size_t size = fill_ruleset(abi, &ruleset);
	fd = syscall(SYS_landlock_create_ruleset, &ruleset, size, 0u);
	if (fd < 0)
		return errno;
	for (size_t i = 0; i < count && error == 0; i++)
		error = grant_reading((int)fd, fds[i], executes);
	if (error == 0 && syscall(SYS_landlock_restrict_self, (int)fd, 0u) < 0)
		error = errno;
	close((int)fd);
	return error;
}

int
confine_filter(int fd, int *listener_fd_out)
{
	const unsigned flags = listener_fd_out != NULL ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
	struct sock_fprog program;
	struct stat status;
	int error = 0;

	if (fstat(fd, &status) < 0)
		return errno;
	size_t size = (size_t)status.st_size;
	if (size == 0 || size % sizeof(struct sock_filter) != 0 ||
	    size > FILTER_MAX * sizeof(struct sock_filter))
		return EPROTO;
	program.len = (unsigned short)(size / sizeof(struct sock_filter));
	/* Mapped, not read: a zygote's heap is not to be written to any more when this is called. */
	void *rows = (void *)heritage_map(fd, size);
	if (rows == NULL)
		return errno;
	program.filter = rows;
	long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (result < 0)
		error = errno;
	else if (listener_fd_out != NULL)
		*listener_fd_out = (int)result;
	munmap(rows, size);
	return error;
}
