/*
 * The table of system calls. Every row has a reason; whoever adds one writes down why it is safe in
 * a child, because children inherit their zygote's filter whole. Pure data and lookups, no
 * libseccomp.
 *
 * Runs in: supervisor.
 *
 * Rows that answer the same call differently must not overlap: libseccomp does not keep their
 * order, and test_policy compares every program with this table.
 */
#include "supervisor/policy.h"

#include "base/heritage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define ALLOW	     .action = POLICY_ALLOW
#define DENY(number) .action = POLICY_ERRNO, .error = (number)
#define ARGS(...)    .args = { __VA_ARGS__ }
#define EQ(i, v)                                                                                   \
	{                                                                                          \
		.index = (i), .test = POLICY_EQ, .value = (uint32_t)(v)                            \
	}
#define BITS(i, m, v)                                                                              \
	{                                                                                          \
		.index = (i), .test = POLICY_MASKED_EQ, .mask = (uint32_t)(m),                     \
		.value = (uint32_t)(v)                                                             \
	}
#define RANGE(i, low, high)                                                                        \
	{                                                                                          \
		.index = (i), .test = POLICY_IN_RANGE, .mask = (uint32_t)(low),                    \
		.value = (uint32_t)(high)                                                          \
	}

#define NO_EXEC(i) BITS(i, PROT_EXEC, 0)
#define PRIVATE_MEMORY(i)                                                                          \
	BITS(i, 0x0f | MAP_ANONYMOUS, MAP_PRIVATE | MAP_ANONYMOUS) /* 0x0f: MAP_TYPE */
#define CHANNEL		EQ(0, CHILD_CHANNEL_FD)
#define CHANNEL_OR_LOG	RANGE(0, 1, CHILD_CHANNEL_FD)
#define ZYGOTE_CHANNELS RANGE(0, ZYGOTE_SUPERVISOR_FD, ZYGOTE_FRONT_FD + PROTO_FRONTS_MAX - 1)
#define FUTEX_IGNORED	(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)

/* What the zygote's clone is given, and nothing else: no CLONE_VM, no namespaces. */
#define FORK_FLAGS (CLONE_PIDFD | SIGCHLD)

/* clang-format off: one row, one call. */
static const struct policy_row rows[] = {
	/* ---- compute: what a child may do ---- */
	{ "read", ALLOW, ARGS(CHANNEL), .profile = "compute", .reason = "the request" },
	{ "readv", ALLOW, ARGS(CHANNEL), .profile = "compute", .reason = "the request" },
	{ "recvfrom", ALLOW, ARGS(CHANNEL), .profile = "compute", .reason = "the request" },
	{ "write", ALLOW, ARGS(CHANNEL_OR_LOG), .profile = "compute",
	  .reason = "the answer, log lines" },
	{ "writev", ALLOW, ARGS(CHANNEL_OR_LOG), .profile = "compute",
	  .reason = "the answer, log lines" },
	{ "sendto", ALLOW, ARGS(CHANNEL_OR_LOG), .profile = "compute", .reason = "the answer" },
	{ "exit_group", ALLOW, .profile = "compute", .reason = "the only way out" },
	{ "exit", ALLOW, .profile = "compute", .reason = "the only way out" },
	{ "brk", ALLOW, .profile = "compute", .reason = "malloc; bounded by RLIMIT_DATA" },
	{ "munmap", ALLOW, .profile = "compute", .reason = "free" },
	{ "mmap", ALLOW, ARGS(NO_EXEC(2), PRIVATE_MEMORY(3), EQ(4, -1)), .profile = "compute",
	  .reason = "malloc; never code, files or shared memory" },
	{ "mprotect", ALLOW, ARGS(NO_EXEC(2)), .profile = "compute",
	  .reason = "malloc; never code" },
	{ "mremap", ALLOW, ARGS(EQ(3, MREMAP_MAYMOVE)), .profile = "compute", .reason = "realloc" },
	{ "madvise", ALLOW, ARGS(EQ(2, MADV_DONTNEED)), .profile = "compute", .reason = "free" },
	{ "madvise", ALLOW, ARGS(EQ(2, MADV_FREE)), .profile = "compute", .reason = "free" },
	{ "madvise", ALLOW, ARGS(EQ(2, MADV_POPULATE_WRITE)), .profile = "compute",
	  .reason = "copying hot pages while parked" },
	{ "futex", ALLOW, ARGS(BITS(1, ~FUTEX_IGNORED, FUTEX_WAIT)), .profile = "compute",
	  .reason = "locks of libraries; there is one thread" },
	{ "futex", ALLOW, ARGS(BITS(1, ~FUTEX_IGNORED, FUTEX_WAKE)), .profile = "compute",
	  .reason = "locks of libraries; there is one thread" },
	{ "clock_gettime", ALLOW, .profile = "compute", .reason = "where the vDSO falls back" },
	{ "clock_getres", ALLOW, .profile = "compute", .reason = "where the vDSO falls back" },
	{ "gettimeofday", ALLOW, .profile = "compute", .reason = "where the vDSO falls back" },
	{ "time", ALLOW, .profile = "compute", .reason = "where the vDSO falls back" },
	{ "getcpu", ALLOW, .profile = "compute", .reason = "where the vDSO falls back" },
	{ "nanosleep", ALLOW, .profile = "compute", .reason = "waiting; bounded by the deadline" },
	{ "clock_nanosleep", ALLOW, .profile = "compute",
	  .reason = "waiting; bounded by the deadline" },
	{ "restart_syscall", ALLOW, .profile = "compute",
	  .reason = "the kernel continues a sleep" },
	{ "getrandom", ALLOW, .profile = "compute", .reason = "random numbers; the canary" },
	{ "getpid", ALLOW, .profile = "compute", .reason = "tells a child nothing it lacks" },
	{ "gettid", ALLOW, .profile = "compute", .reason = "tells a child nothing it lacks" },
	{ "rt_sigprocmask", ALLOW, .profile = "compute", .reason = "abort, sigsetjmp" },
	{ "rt_sigreturn", ALLOW, .profile = "compute", .reason = "the zygote's SIGCHLD" },
	{ "sysinfo", ALLOW, .profile = "compute", .reason = "qsort of large arrays" },
	{ "poll", ALLOW, .profile = "compute", .reason = "waiting for the channel" },
	{ "ppoll", ALLOW, .profile = "compute",
	  .reason = "waiting for the channel; the zygote's loop" },
	/*
	 * A filter that is inherited cannot tell a child's own pid from a sibling's, so allowing
	 * this would let children kill each other. abort(3) goes on to an instruction that faults:
	 * the child dies of SIGSEGV.
	 */
	{ "tgkill", DENY(EPERM), ARGS(EQ(2, SIGABRT)), .profile = "compute",
	  .reason = "abort dies by a fault instead" },
	{ "clone3", DENY(ENOSYS), .profile = "compute", .reason = "libc falls back" },
	{ "rseq", DENY(ENOSYS), .profile = "compute", .reason = "libc does without" },
	{ "openat2", DENY(ENOSYS), .profile = "compute", .reason = "libc falls back" },
	{ "statx", DENY(ENOSYS), .profile = "compute", .reason = "libc falls back" },
	{ "futex_waitv", DENY(ENOSYS), .profile = "compute", .reason = "libc falls back" },
	{ "set_robust_list", DENY(ENOSYS), .profile = "compute", .reason = "libc does without" },
	{ "open", DENY(EACCES), .profile = "compute", .reason = "no files" },
	{ "openat", DENY(EACCES), .profile = "compute", .reason = "no files" },
	{ "stat", DENY(EACCES), .profile = "compute", .reason = "no files" },
	{ "fstat", DENY(EACCES), .profile = "compute", .reason = "no files; stdio asks" },
	{ "lstat", DENY(EACCES), .profile = "compute", .reason = "no files" },
	{ "newfstatat", DENY(EACCES), .profile = "compute", .reason = "no files; stdio asks" },
	{ "statfs", DENY(EACCES), .profile = "compute", .reason = "no files" },
	{ "fstatfs", DENY(EACCES), .profile = "compute", .reason = "no files" },
	{ "access", DENY(EACCES), .profile = "compute", .reason = "no files" },
	{ "faccessat", DENY(EACCES), .profile = "compute", .reason = "no files" },
	{ "faccessat2", DENY(EACCES), .profile = "compute", .reason = "no files" },
	{ "readlink", DENY(EACCES), .profile = "compute", .reason = "no files" },
	{ "readlinkat", DENY(EACCES), .profile = "compute", .reason = "no files" },
	{ "fcntl", DENY(EPERM), .profile = "compute", .reason = "libraries ask and carry on" },
	{ "sched_getaffinity", DENY(EPERM), .profile = "compute",
	  .reason = "libraries ask and carry on" },
	{ "rt_sigaction", DENY(EPERM), .profile = "compute",
	  .reason = "libraries ask and carry on" },
	{ "sigaltstack", DENY(EPERM), .profile = "compute",
	  .reason = "libraries ask and carry on" },
	{ "uname", DENY(EPERM), .profile = "compute", .reason = "libraries ask and carry on" },
	{ "lseek", DENY(ESPIPE), .profile = "compute", .reason = "stdio asks; nothing can seek" },
	{ "ioctl", DENY(ENOTTY), .profile = "compute",
	  .reason = "stdio asks; nothing is a terminal" },
	{ "prctl", DENY(EPERM), ARGS(RANGE(0, 0, PR_SET_PDEATHSIG - 1)), .profile = "compute",
	  .reason = "libraries ask and carry on" },
	{ "prctl", DENY(EPERM), ARGS(RANGE(0, PR_SET_PDEATHSIG + 1, UINT32_MAX)),
	  .profile = "compute", .reason = "malloc names its memory, libraries their threads" },
	{ "prctl", DENY(EPERM), ARGS(EQ(0, PR_SET_PDEATHSIG), RANGE(1, 0, SIGKILL - 1)),
	  .profile = "compute", .reason = "libraries ask and carry on" },
	{ "prctl", DENY(EPERM), ARGS(EQ(0, PR_SET_PDEATHSIG), RANGE(1, SIGKILL + 1, UINT32_MAX)),
	  .profile = "compute", .reason = "libraries ask and carry on" },

	/*
	 * ---- zygote: what it needs after its lock-down, and why that is useless in a child ----
	 */
	{ "recvmsg", ALLOW, ARGS(ZYGOTE_CHANNELS), .profile = "zygote",
	  .reason = "orders; a child has none of these descriptors and cannot make one" },
	{ "sendmsg", ALLOW, ARGS(ZYGOTE_CHANNELS), .profile = "zygote",
	  .reason = "reports; a child has none of these descriptors and cannot make one" },
	{ "clone", ALLOW, ARGS(EQ(0, FORK_FLAGS), EQ(1, 0)), .profile = "zygote",
	  .reason = "forks children; in a child RLIMIT_NPROC is 0 and the uid is not 0" },
	{ "waitid", ALLOW, .profile = "zygote", .reason = "reaps; a child has no children" },
	{ "pidfd_send_signal", ALLOW, ARGS(EQ(1, SIGKILL), EQ(3, 0)), .profile = "zygote",
	  .reason = "kills a child; a child holds no pidfd and cannot open one" },
	{ "close", ALLOW, .profile = "zygote",
	  .reason = "passed descriptors; a child loses only its own" },
	{ "close_range", ALLOW, ARGS(EQ(0, CHILD_CHANNEL_FD + 1), EQ(1, -1), EQ(2, 0)),
	  .profile = "zygote",
	  .reason = "a new child's first steps; later there is nothing to close" },
	{ "dup3", ALLOW, ARGS(RANGE(1, 1, CHILD_CHANNEL_FD), EQ(2, 0)), .profile = "zygote",
	  .reason = "a new child's first steps; later it only reorders its own" },
	{ "prlimit64", ALLOW, ARGS(EQ(0, 0), EQ(1, RLIMIT_NPROC)), .profile = "zygote",
	  .reason = "a new child's first steps; afterwards the hard limit is 0" },
	{ "prlimit64", ALLOW, ARGS(EQ(0, 0), EQ(1, RLIMIT_CPU)), .profile = "zygote",
	  .reason = "a new child's first steps; hard limits only go down" },
	{ "prctl", ALLOW, ARGS(EQ(0, PR_SET_PDEATHSIG), EQ(1, SIGKILL)), .profile = "zygote",
	  .reason = "a new child's first steps; it can only do it again" },
	{ "getppid", ALLOW, .profile = "zygote",
	  .reason = "a new child's first steps; it knows its zygote" },

	/* ---- front: the event loop on sockets that it has or accepts ---- */
	{ "epoll_wait", ALLOW, .profile = "front", .reason = "event loop" },
	{ "epoll_pwait", ALLOW, .profile = "front", .reason = "event loop" },
	{ "epoll_pwait2", ALLOW, .profile = "front", .reason = "event loop" },
	{ "epoll_ctl", ALLOW, .profile = "front", .reason = "event loop" },
	{ "epoll_create1", ALLOW, .profile = "front", .reason = "event loop" },
	{ "eventfd2", ALLOW, .profile = "front", .reason = "event loop" },
	{ "timerfd_create", ALLOW, .profile = "front", .reason = "event loop" },
	{ "timerfd_settime", ALLOW, .profile = "front", .reason = "event loop" },
	{ "poll", ALLOW, .profile = "front", .reason = "event loop" },
	{ "ppoll", ALLOW, .profile = "front", .reason = "event loop" },
	{ "accept4", ALLOW, .profile = "front", .reason = "connections on inherited listeners" },
	{ "read", ALLOW, .profile = "front", .reason = "clients, children, their log pipes" },
	{ "readv", ALLOW, .profile = "front", .reason = "clients, children" },
	{ "recvfrom", ALLOW, .profile = "front", .reason = "clients, children" },
	{ "recvmsg", ALLOW, .profile = "front", .reason = "messages" },
	{ "write", ALLOW, .profile = "front", .reason = "clients, children, the log" },
	{ "writev", ALLOW, .profile = "front", .reason = "clients, children" },
	{ "sendto", ALLOW, .profile = "front", .reason = "clients, children" },
	{ "sendmsg", ALLOW, .profile = "front", .reason = "messages" },
	{ "shutdown", ALLOW, .profile = "front", .reason = "ends of connections" },
	{ "close", ALLOW, .profile = "front", .reason = "ends of connections" },
	{ "socketpair", ALLOW, ARGS(EQ(0, AF_UNIX)), .profile = "front",
	  .reason = "channels of children" },
	{ "pipe2", ALLOW, .profile = "front", .reason = "log pipes of children" },
	{ "getsockopt", ALLOW, .profile = "front", .reason = "connections" },
	{ "setsockopt", ALLOW, .profile = "front", .reason = "connections" },
	{ "getpeername", ALLOW, .profile = "front", .reason = "address of the client" },
	{ "getsockname", ALLOW, .profile = "front", .reason = "address of the listener" },
	{ "fcntl", ALLOW, ARGS(RANGE(1, F_GETFD, F_SETFL)), .profile = "front",
	  .reason = "non-blocking, close-on-exec" },
	{ "fcntl", ALLOW, ARGS(RANGE(1, F_SETPIPE_SZ, F_GETPIPE_SZ)), .profile = "front",
	  .reason = "log pipes" },
	{ "ioctl", ALLOW, ARGS(EQ(1, FIONREAD)), .profile = "front",
	  .reason = "libevent asks how much is there" },
	{ "ioctl", ALLOW, ARGS(EQ(1, FIONBIO)), .profile = "front", .reason = "non-blocking" },
	{ "clock_gettime", ALLOW, .profile = "front", .reason = "where the vDSO falls back" },
	{ "clock_getres", ALLOW, .profile = "front", .reason = "where the vDSO falls back" },
	{ "gettimeofday", ALLOW, .profile = "front", .reason = "where the vDSO falls back" },
	{ "time", ALLOW, .profile = "front", .reason = "where the vDSO falls back" },
	{ "getcpu", ALLOW, .profile = "front", .reason = "where the vDSO falls back" },
	{ "nanosleep", ALLOW, .profile = "front", .reason = "waiting" },
	{ "clock_nanosleep", ALLOW, .profile = "front", .reason = "waiting" },
	{ "restart_syscall", ALLOW, .profile = "front", .reason = "the kernel continues a wait" },
	{ "brk", ALLOW, .profile = "front", .reason = "malloc" },
	{ "munmap", ALLOW, .profile = "front", .reason = "malloc" },
	{ "mmap", ALLOW, ARGS(NO_EXEC(2), PRIVATE_MEMORY(3), EQ(4, -1)), .profile = "front",
	  .reason = "malloc; never code, files or shared memory" },
	{ "mprotect", ALLOW, ARGS(NO_EXEC(2)), .profile = "front", .reason = "malloc; never code" },
	{ "mremap", ALLOW, ARGS(EQ(3, MREMAP_MAYMOVE)), .profile = "front", .reason = "realloc" },
	{ "madvise", ALLOW, .profile = "front", .reason = "malloc" },
	{ "futex", ALLOW, .profile = "front", .reason = "locks of libraries; there is one thread" },
	{ "getrandom", ALLOW, .profile = "front", .reason = "seeds of requests, TLS" },
	{ "getpid", ALLOW, .profile = "front", .reason = "libraries' fork detection" },
	{ "gettid", ALLOW, .profile = "front", .reason = "abort" },
	{ "getppid", ALLOW, .profile = "front", .reason = "its supervisor" },
	{ "getuid", ALLOW, .profile = "front", .reason = "its own" },
	{ "geteuid", ALLOW, .profile = "front", .reason = "its own" },
	{ "getgid", ALLOW, .profile = "front", .reason = "its own" },
	{ "getegid", ALLOW, .profile = "front", .reason = "its own" },
	{ "getrusage", ALLOW, .profile = "front", .reason = "its own figures" },
	{ "rt_sigaction", ALLOW, .profile = "front", .reason = "its own handlers" },
	{ "rt_sigprocmask", ALLOW, .profile = "front", .reason = "its own handlers" },
	{ "rt_sigreturn", ALLOW, .profile = "front", .reason = "its own handlers" },
	{ "sigaltstack", ALLOW, .profile = "front", .reason = "its own handlers" },
	{ "sysinfo", ALLOW, .profile = "front", .reason = "qsort of large arrays" },
	{ "sched_yield", ALLOW, .profile = "front", .reason = "locks of libraries" },
	{ "exit_group", ALLOW, .profile = "front", .reason = "the end" },
	{ "exit", ALLOW, .profile = "front", .reason = "the end" },
	{ "tgkill", DENY(EPERM), ARGS(EQ(2, SIGABRT)), .profile = "front",
	  .reason = "abort dies by a fault instead" },
	{ "clone3", DENY(ENOSYS), .profile = "front", .reason = "libc falls back" },
	{ "rseq", DENY(ENOSYS), .profile = "front", .reason = "libc does without" },
	{ "openat2", DENY(ENOSYS), .profile = "front", .reason = "libc falls back" },
	{ "statx", DENY(ENOSYS), .profile = "front", .reason = "libc falls back" },
	{ "set_robust_list", DENY(ENOSYS), .profile = "front", .reason = "libc does without" },
	{ "open", DENY(EACCES), .profile = "front", .reason = "no files" },
	{ "openat", DENY(EACCES), .profile = "front", .reason = "no files; time zones, messages" },
	{ "stat", DENY(EACCES), .profile = "front", .reason = "no files" },
	{ "fstat", DENY(EACCES), .profile = "front", .reason = "no files; stdio asks" },
	{ "lstat", DENY(EACCES), .profile = "front", .reason = "no files" },
	{ "newfstatat", DENY(EACCES), .profile = "front", .reason = "no files; stdio asks" },
	{ "access", DENY(EACCES), .profile = "front", .reason = "no files" },
	{ "readlink", DENY(EACCES), .profile = "front", .reason = "no files" },
	{ "prctl", DENY(EPERM), .profile = "front", .reason = "libraries ask and carry on" },
	{ "prlimit64", DENY(EPERM), .profile = "front", .reason = "libraries ask and carry on" },
	{ "sched_getaffinity", DENY(EPERM), .profile = "front",
	  .reason = "libraries ask and carry on" },
	{ "uname", DENY(EPERM), .profile = "front", .reason = "libraries ask and carry on" },
	{ "lseek", DENY(ESPIPE), .profile = "front", .reason = "stdio asks" },
};
/* clang-format on */

const struct policy_row *
policy_rows(size_t *count_out)
{
	*count_out = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

bool
policy_is_profile(const char *name)
{
	return strcmp(name, "compute") == 0 || strcmp(name, "front") == 0;
}

bool
policy_row_is_in(const struct policy_row *row, const char *profile)
{
	if (strcmp(row->profile, profile) == 0)
		return true;
	return strcmp(row->profile, "zygote") == 0 && strcmp(profile, "front") != 0;
}

static bool
is_passed(const struct policy_arg *arg, uint32_t value)
{
	switch (arg->test) {
	case POLICY_EQ:
		return value == arg->value;
	case POLICY_MASKED_EQ:
		return (value & arg->mask) == arg->value;
	case POLICY_IN_RANGE:
		return value >= arg->mask && value <= arg->value;
	default:
		return true;
	}
}

bool
policy_row_matches(const struct policy_row *row, const uint64_t args[6])
{
	for (int i = 0; i < POLICY_ARGS_MAX && row->args[i].test != POLICY_ANY; i++)
		if (!is_passed(&row->args[i], (uint32_t)args[row->args[i].index]))
			return false;
	return true;
}
