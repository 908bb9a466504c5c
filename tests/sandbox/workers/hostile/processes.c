/*
 * Reaching for other processes: making some, finding some, hitting some, and the ways to get hold
 * of their descriptors or of more rights.
 *
 * Runs in: a child. Deeds whose first call must already be deadly are left to `call`; here is what
 * takes several steps, or a library that knows detours.
 */
#include "hostile.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FORKS	     2000
#define PIDS	     300
#define FDS	     1024
#define FIRST_FD     (HOSTILE_CHANNEL_FD + 1)
#define CPU_CLOCK(p) ((clockid_t)((~(unsigned)(p) << 3) | 2)) /* clock_getcpuclockid(3) */

/* With the flags of the zygote's own clone, the only ones that pass the filter. */
int
deed_fork_bomb(struct zy_request *request, const char *argument)
{
	int made = 0, error = 0, pidfd;

	(void)argument;
	for (int i = 0; i < FORKS; i++) {
		const long pid = syscall(SYS_clone, (unsigned long)(CLONE_PIDFD | SIGCHLD), NULL,
					 &pidfd, NULL, 0);
		if (pid == 0)
			for (;;)
				pause();
		made += pid > 0;
		error = pid < 0 ? errno : error;
	}
	return zy_printf(request, "made %d errno %d\n", made, error);
}

int
deed_library_fork(struct zy_request *request, const char *argument)
{
	(void)argument;
	const pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return zy_printf(request, "fork %d errno %d\n", (int)pid, errno);
}

static void *
in_thread(void *nothing)
{
	return nothing;
}

int
deed_thread(struct zy_request *request, const char *argument)
{
	pthread_t thread;

	(void)argument;
	return zy_printf(request, "thread %d\n", pthread_create(&thread, NULL, in_thread, NULL));
}

int
deed_abort(struct zy_request *request, const char *argument)
{
	(void)request;
	(void)argument;
	abort();
}

/* The one signal that the filter lets through to its own errno, sent to everyone but ourselves. */
int
deed_hit_siblings(struct zy_request *request, const char *argument)
{
	int denied = 0, other = 0;

	(void)argument;
	for (int pid = 1; pid <= PIDS; pid++) {
		if (pid == getpid())
			continue;
		if (syscall(SYS_tgkill, pid, pid, SIGABRT) < 0 && errno == EPERM)
			denied++;
		else
			other++;
	}
	return zy_printf(request, "denied %d other %d\n", denied, other);
}

/* A process's CPU clock can be read by anyone in its pid namespace, and tells that it exists. */
int
deed_find_siblings(struct zy_request *request, const char *argument)
{
	struct timespec time;
	int found = 0;

	(void)argument;
	for (int pid = 1; pid <= PIDS; pid++)
		if (pid != getpid() && syscall(SYS_clock_gettime, CPU_CLOCK(pid), &time) == 0)
			found++;
	return zy_printf(request, "found %d\n", found);
}

/* Is there any descriptor that is not ours, and do the zygote's numbers still lead anywhere? */
int
deed_hit_descriptors(struct zy_request *request, const char *argument)
{
	struct msghdr message = { 0 };
	int channels = 0, open_fds = 0, pidfds = 0;

	(void)argument;
	for (int fd = FIRST_FD; fd < FIRST_FD + 9; fd++) {
		channels += syscall(SYS_recvmsg, fd, &message, MSG_DONTWAIT) >= 0 || errno != EBADF;
		channels += syscall(SYS_sendmsg, fd, &message, MSG_DONTWAIT) >= 0 || errno != EBADF;
	}
	for (int fd = 0; fd < FDS; fd++)
		pidfds +=
			syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) >= 0 || errno != EBADF;
	for (int fd = FIRST_FD; fd < FDS; fd++)
		open_fds += close(fd) == 0 || errno != EBADF;
	return zy_printf(request, "channels %d pidfds %d open %d\n", channels, pidfds, open_fds);
}

static int
raise_limit(int resource)
{
	const struct rlimit limit = { 1000000, 1000000 };

	return syscall(SYS_prlimit64, 0, resource, &limit, NULL) < 0 ? errno : 0;
}

/* Errors of raising the limits that are left to a child to set. */
int
deed_raise_limits(struct zy_request *request, const char *argument)
{
	(void)argument;
	return zy_printf(request, "processes %d cpu %d\n", raise_limit(RLIMIT_NPROC),
			 raise_limit(RLIMIT_CPU));
}

/* Our output's end, to whoever reads the channel; then an answer as usual. */
int
deed_pass_descriptor(struct zy_request *request, const char *argument)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	char byte = '\0';
	struct iovec part = { &byte, 0 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	const int fd = STDERR_FILENO;

	/* "lone": with a byte that is no frame, since a descriptor needs one to travel on. */
	part.iov_len = strcmp(argument, "lone") == 0;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	const ssize_t sent = sendmsg(HOSTILE_CHANNEL_FD, &message, 0);
	return zy_printf(request, "sent %zd\n", sent);
}
