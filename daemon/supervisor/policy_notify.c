/*
 * Reads and answers seccomp notifications.
 *
 * Runs in: supervisor. A call that waits here is a child that stands still: every one that is taken
 * is answered before the loop goes on. The answer is always to carry it out, so nothing depends on
 * its arguments, which the child may change until then.
 */
#include "supervisor/policy_notify.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The kernel writes its own size of the struct, which may be more than our header's. */
union notification {
	struct seccomp_notif notif;
	char room[512];
};

/* In the new process: 0, or the errno. */
static int
try_listener(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };
	struct seccomp_notif_sizes sizes;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0u, &sizes) < 0)
		return errno;
	if (sizes.seccomp_notif > sizeof(union notification))
		return EOVERFLOW;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
		    &program) < 0)
		return errno;
	return 0;
}

int
policy_notify_probe(void)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(try_listener() & 0xff);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

/* Reading would block when none waits; one whose process has died meanwhile is ENOENT. */
int
policy_notify_take(int fd, struct policy_call *out)
{
	struct pollfd poll_one = { .fd = fd, .events = POLLIN };
	union notification buffer;
	const struct seccomp_notif *notif = &buffer.notif;

	for (;;) {
		if (poll(&poll_one, 1, 0) <= 0)
			return 0;
		if ((poll_one.revents & POLLIN) == 0)
			return -1;
		memset(&buffer, 0, sizeof(buffer));
		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &buffer) == 0)
			break;
		if (errno != ENOENT && errno != EINTR)
			return -1;
	}
	*out = (struct policy_call){ .id = notif->id,
				     .number = notif->data.nr,
				     .pid = (int)notif->pid };
	for (int i = 0; i < 6; i++)
		out->args[i] = notif->data.args[i];
	return 1;
}

/*
 * SECCOMP_USER_NOTIF_FLAG_CONTINUE is of Linux 5.5, close_range, which zygotes cannot do without,
 * of 5.9.
 */
int
policy_notify_continue(int fd, uint64_t id)
{
	struct seccomp_notif_resp answer = { .id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0 || errno == ENOENT)
		return 0;
	return -1;
}
