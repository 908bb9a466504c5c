/*
 * What stands behind the filter: tried in a pool whose filter only logs, so that each attempt meets
 * namespaces, empty root, Landlock and limits instead.
 *
 * Runs in: a child with `sandbox = "log"`. Each attempt makes one line: its name, and 0 for a
 * success or the errno. The one that counts is always the last call of an attempt.
 */
#include "hostile.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static unsigned short daemon_port; /* the argument: where the daemon itself listens */

static int
open_path(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int
try_open_etc(void)
{
	return open_path("/etc/passwd");
}

static int
try_open_proc(void)
{
	return open_path("/proc/self/mem");
}

static int
try_open_root(void)
{
	return open_path("/");
}

static int
try_open_parent(void)
{
	return open_path("../../../etc/passwd");
}

static int
try_create(void)
{
	return open("/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int
try_exec(void)
{
	char *const arguments[] = { (char *)"sh", NULL };

	return execve("/bin/sh", arguments, NULL);
}

static int
try_exec_memory(void)
{
	static const char script[] = "#!/bin/sh\n";
	char *const arguments[] = { (char *)"x", NULL };
	const int fd = memfd_create("x", MFD_CLOEXEC);

	if (fd < 0 || write(fd, script, sizeof(script) - 1) < 0)
		return -1;
	return (int)syscall(SYS_execveat, fd, "", arguments, NULL, AT_EMPTY_PATH);
}

static int
try_connect_daemon(void)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(daemon_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&address, sizeof(address));
}

static int
try_send_outside(void)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(53),
		.sin_addr.s_addr = htonl(0xc0000201), /* 192.0.2.1, RFC 5737 */
	};
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	return (int)sendto(fd, "x", 1, 0, (const struct sockaddr *)&address, sizeof(address));
}

static int
try_connect_control(void)
{
	const struct sockaddr_un address = { AF_UNIX, "/run/zygoted/control.sock" };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&address, sizeof(address));
}

static int
try_raw_socket(void)
{
	return socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
}

static int
try_fork(void)
{
	const pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static int
try_mount(void)
{
	return mount("x", "/", "tmpfs", 0, NULL);
}

static int
try_unshare_mounts(void)
{
	return unshare(CLONE_NEWNS);
}

static int
try_host_name(void)
{
	return sethostname("x", 1);
}

static int
try_become_root(void)
{
	return setresuid(0, 0, 0);
}

/* The zygote is number 1; a signal from inside its pid namespace does not reach it. */
static int
try_kill_zygote(void)
{
	if (kill(1, SIGKILL) < 0)
		return -1;
	errno = EPERM;
	return kill(1, 0) == 0 ? -1 : 0;
}

static int
try_trace_zygote(void)
{
	return (int)ptrace(PTRACE_ATTACH, 1, NULL, NULL);
}

static int
try_read_zygote(void)
{
	static char here[64];
	const struct iovec mine = { here, sizeof(here) };
	const struct iovec its = { here, sizeof(here) };

	return (int)process_vm_readv(1, &mine, 1, &its, 1, 0);
}

static int
try_take_descriptor(void)
{
	const int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);

	return pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, 4, 0);
}

static int
try_raise_data(void)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };

	return setrlimit(RLIMIT_DATA, &none);
}

static int
try_lock_memory(void)
{
	return mlockall(MCL_CURRENT);
}

static const struct attempt {
	const char *name;
	int (*run)(void);
} attempts[] = {
	{ "open-etc", try_open_etc },
	{ "open-proc", try_open_proc },
	{ "open-root", try_open_root },
	{ "open-parent", try_open_parent },
	{ "create-file", try_create },
	{ "exec", try_exec },
	{ "exec-memory", try_exec_memory },
	{ "connect-daemon", try_connect_daemon },
	{ "send-outside", try_send_outside },
	{ "connect-control", try_connect_control },
	{ "raw-socket", try_raw_socket },
	{ "fork", try_fork },
	{ "mount", try_mount },
	{ "unshare-mounts", try_unshare_mounts },
	{ "host-name", try_host_name },
	{ "become-root", try_become_root },
	{ "kill-zygote", try_kill_zygote },
	{ "trace-zygote", try_trace_zygote },
	{ "read-zygote", try_read_zygote },
	{ "take-descriptor", try_take_descriptor },
	{ "raise-data-limit", try_raise_data },
	{ "lock-memory", try_lock_memory },
};

int
deed_second_line(struct zy_request *request, const char *argument)
{
	daemon_port = (unsigned short)strtoul(argument, NULL, 10);
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		const int result = attempts[i].run();
		if (zy_printf(request, "%s %d\n", attempts[i].name, result < 0 ? errno : 0) != 0)
			return -1;
	}
	return 0;
}
