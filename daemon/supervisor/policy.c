/*
 * The table of system calls. Every row has a reason; whoever adds one writes down why it is safe in
 * a child, because children inherit their zygote's filter whole. Pure data, no libseccomp.
 *
 * Runs in: supervisor.
 *
 * Rows of one profile that answer the same call differently must not overlap: libseccomp does not
 * keep their order, and test_policy compares every program with this table. A refusal of an earlier
 * profile does not count where a later one has rows for the call: policy_profile.c.
 */
#include "supervisor/policy.h"

#include "base/heritage.h"

#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
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
#define OTHER_BITS(i, m, v)                                                                        \
	{                                                                                          \
		.index = (i), .test = POLICY_MASKED_NE, .mask = (uint32_t)(m),                     \
		.value = (uint32_t)(v)                                                             \
	}
#define RANGE(i, low, high)                                                                        \
	{                                                                                          \
		.index = (i), .test = POLICY_IN_RANGE, .mask = (uint32_t)(low),                    \
		.value = (uint32_t)(high)                                                          \
	}

#define NO_EXEC(i) BITS(i, PROT_EXEC, 0)
/*
 * MAP_GROWSDOWN makes memory that RLIMIT_DATA does not count, MAP_HUGETLB takes pages from a pool
 * that all processes share. 0x0f: MAP_TYPE.
 */
#define PRIVATE_MEMORY(i)                                                                          \
	BITS(i, 0x0f | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_HUGETLB, MAP_PRIVATE | MAP_ANONYMOUS)
#define PRIVATE_FILE(i) BITS(i, 0x0f | MAP_ANONYMOUS, MAP_PRIVATE)
#define CHANNEL		EQ(0, CHILD_CHANNEL_FD)
#define CHANNEL_OR_LOG	RANGE(0, 1, CHILD_CHANNEL_FD)
#define ZYGOTE_CHANNELS RANGE(0, ZYGOTE_SUPERVISOR_FD, ZYGOTE_FRONT_FD + PROTO_FRONTS_MAX - 1)

/*
 * Private futexes only: others are found by file and offset where a page is a file's, so children
 * could signal each other on a page of libc.
 */
#define PRIVATE_FUTEX(i, op) BITS(i, ~FUTEX_CLOCK_REALTIME, (op) | FUTEX_PRIVATE_FLAG)

/* Clocks of the machine and of the caller. Numbers from 16 on name other processes and devices. */
#define CLOCK(i) RANGE(i, 0, 15)

/*
 * No MSG_OOB: it makes the kernel keep books about single bytes of a channel, where it has had
 * faults that a child could use against it.
 */
#define SEND_FLAGS(i) BITS(i, ~(MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE), 0)
#define RECV_FLAGS(i) BITS(i, ~(MSG_NOSIGNAL | MSG_DONTWAIT | MSG_PEEK | MSG_WAITALL), 0)

/* As base/msg.c has them, and no others, for the same reason. */
#define MESSAGE_FLAGS(i) BITS(i, ~(MSG_NOSIGNAL | MSG_DONTWAIT | MSG_CMSG_CLOEXEC), 0)

/*
 * Descriptors of files that a child opened: above its channel, below what RLIMIT_NOFILE lets be
 * (HERITAGE_OPEN_FILES_MAX). The zygote's channels have some of these numbers in the zygote, which
 * does not read so; in a child they are closed.
 */
#define OPENED RANGE(0, CHILD_CHANNEL_FD + 1, CHILD_CHANNEL_FD + HERITAGE_OPEN_FILES_MAX)

/*
 * Flags of open that do more than read. Each bit alone is one: O_TMPFILE's own (the other part of
 * it is O_DIRECTORY), O_PATH for descriptors that no rule of Landlock sees.
 */
#define OPEN_MORE (O_ACCMODE | O_CREAT | O_TRUNC | O_PATH | (O_TMPFILE & ~O_DIRECTORY))

/* What the zygote's clone is given, and nothing else: no CLONE_VM, no namespaces. */
#define FORK_FLAGS (CLONE_PIDFD | SIGCHLD)

/* clang-format off: one row, one call. */
static const struct policy_row rows[] = {
	/* ---- compute: what a child may do ---- */
	{ "read", ALLOW, ARGS(CHANNEL), .profile = "compute", .reason = "the request" },
	{ "readv", ALLOW, ARGS(CHANNEL), .profile = "compute", .reason = "the request" },
	{ "recvfrom", ALLOW, ARGS(CHANNEL, RECV_FLAGS(3)), .profile = "compute",
	  .reason = "the request" },
	{ "write", ALLOW, ARGS(CHANNEL_OR_LOG), .profile = "compute",
	  .reason = "the answer, log lines" },
	{ "writev", ALLOW, ARGS(CHANNEL_OR_LOG), .profile = "compute",
	  .reason = "the answer, log lines" },
	{ "sendto", ALLOW, ARGS(CHANNEL_OR_LOG, SEND_FLAGS(3)), .profile = "compute",
	  .reason = "the answer" },
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
	{ "madvise", ALLOW, ARGS(EQ(2, MADV_POPULATE_READ)), .profile = "compute",
	  .reason = "mapping hot pages while parked" },
	{ "futex", ALLOW, ARGS(PRIVATE_FUTEX(1, FUTEX_WAIT)), .profile = "compute",
	  .reason = "locks of libraries; there is one thread" },
	{ "futex", ALLOW, ARGS(PRIVATE_FUTEX(1, FUTEX_WAKE)), .profile = "compute",
	  .reason = "locks of libraries; there is one thread" },
	{ "clock_gettime", ALLOW, ARGS(CLOCK(0)), .profile = "compute",
	  .reason = "where the vDSO falls back" },
	{ "clock_getres", ALLOW, ARGS(CLOCK(0)), .profile = "compute",
	  .reason = "where the vDSO falls back" },
	{ "gettimeofday", ALLOW, .profile = "compute", .reason = "where the vDSO falls back" },
	{ "time", ALLOW, .profile = "compute", .reason = "where the vDSO falls back" },
	{ "getcpu", ALLOW, .profile = "compute", .reason = "where the vDSO falls back" },
	{ "nanosleep", ALLOW, .profile = "compute", .reason = "waiting; bounded by the deadline" },
	{ "clock_nanosleep", ALLOW, ARGS(CLOCK(0)), .profile = "compute",
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
	 * ---- files: reading below read_paths. Which paths those are is no affair of a filter,
	 * which sees addresses of names: the mount namespace and Landlock decide it ----
	 */
	{ "open", ALLOW, ARGS(BITS(1, OPEN_MORE, 0)), .profile = "files", .reason = "for reading" },
	{ "open", DENY(EACCES), ARGS(OTHER_BITS(1, OPEN_MORE, 0)), .profile = "files",
	  .reason = "libraries try to write caches and carry on" },
	{ "openat", ALLOW, ARGS(BITS(2, OPEN_MORE, 0)), .profile = "files",
	  .reason = "for reading" },
	{ "openat", DENY(EACCES), ARGS(OTHER_BITS(2, OPEN_MORE, 0)), .profile = "files",
	  .reason = "libraries try to write caches and carry on" },
	{ "read", ALLOW, ARGS(EQ(0, 0)), .profile = "files", .reason = "standard input: empty" },
	{ "read", ALLOW, ARGS(OPENED), .profile = "files", .reason = "files that it opened" },
	{ "readv", ALLOW, ARGS(OPENED), .profile = "files", .reason = "files that it opened" },
	{ "pread64", ALLOW, .profile = "files", .reason = "files; a channel has no offset" },
	{ "preadv", ALLOW, .profile = "files", .reason = "files; a channel has no offset" },
	{ "lseek", ALLOW, .profile = "files", .reason = "files; a channel has no offset" },
	{ "stat", ALLOW, .profile = "files", .reason = "names, sizes, times" },
	{ "lstat", ALLOW, .profile = "files", .reason = "names, sizes, times" },
	{ "fstat", ALLOW, .profile = "files", .reason = "names, sizes, times" },
	{ "newfstatat", ALLOW, .profile = "files", .reason = "names, sizes, times" },
	{ "access", ALLOW, .profile = "files", .reason = "a question, answered as by open" },
	{ "faccessat", ALLOW, .profile = "files", .reason = "a question, answered as by open" },
	{ "faccessat2", ALLOW, .profile = "files", .reason = "a question, answered as by open" },
	{ "readlink", ALLOW, .profile = "files", .reason = "where a link below them leads" },
	{ "readlinkat", ALLOW, .profile = "files", .reason = "where a link below them leads" },
	{ "getdents64", ALLOW, .profile = "files", .reason = "lists of directories" },
	{ "getcwd", ALLOW, .profile = "files", .reason = "relative names; it is the root" },
	{ "mmap", ALLOW, ARGS(NO_EXEC(2), PRIVATE_FILE(3)), .profile = "files",
	  .reason = "files as data; what is written there stays in memory" },
	{ "mmap", DENY(EACCES), ARGS(BITS(2, PROT_EXEC, PROT_EXEC), PRIVATE_FILE(3)),
	  .profile = "files", .reason = "loading a shared object fails, and says so" },
	{ "mmap", DENY(EACCES), ARGS(BITS(3, 0x0f | MAP_ANONYMOUS, MAP_SHARED)), .profile = "files",
	  .reason = "databases ask, then read instead" },
	{ "fcntl", ALLOW, ARGS(RANGE(1, F_GETFD, F_GETFL)), .profile = "files",
	  .reason = "close-on-exec, mode of a descriptor" },
	{ "fcntl", ALLOW, ARGS(RANGE(1, F_GETLK, F_SETLK)), .profile = "files",
	  .reason = "databases lock; a file open for reading takes a shared lock only" },
	{ "fcntl", DENY(EPERM), ARGS(EQ(1, F_DUPFD)), .profile = "files",
	  .reason = "the channel keeps its only number" },
	{ "fcntl", DENY(EPERM), ARGS(EQ(1, F_SETFL)), .profile = "files",
	  .reason = "libraries ask and carry on" },
	{ "fcntl", DENY(EPERM), ARGS(RANGE(1, F_SETLKW, UINT32_MAX)), .profile = "files",
	  .reason = "libraries ask and carry on; duplicates as above" },
	{ "epoll_create1", DENY(EPERM), .profile = "files",
	  .reason = "interpreters ask when they import, and carry on" },
	{ "mkdir", DENY(EACCES), .profile = "files",
	  .reason = "libraries try to write caches and carry on" },
	{ "mkdirat", DENY(EACCES), .profile = "files",
	  .reason = "libraries try to write caches and carry on" },
	{ "unlink", DENY(EACCES), .profile = "files",
	  .reason = "libraries try to write caches and carry on" },
	{ "unlinkat", DENY(EACCES), .profile = "files",
	  .reason = "libraries try to write caches and carry on" },
	{ "rename", DENY(EACCES), .profile = "files",
	  .reason = "libraries try to write caches and carry on" },
	{ "renameat", DENY(EACCES), .profile = "files",
	  .reason = "libraries try to write caches and carry on" },
	{ "renameat2", DENY(EACCES), .profile = "files",
	  .reason = "libraries try to write caches and carry on" },
	{ "getuid", ALLOW, .profile = "files", .reason = "databases, interpreters; its own" },
	{ "geteuid", ALLOW, .profile = "files", .reason = "databases, interpreters; its own" },
	{ "getgid", ALLOW, .profile = "files", .reason = "databases, interpreters; its own" },
	{ "getegid", ALLOW, .profile = "files", .reason = "databases, interpreters; its own" },
	{ "prlimit64", ALLOW, ARGS(EQ(0, 0), EQ(1, RLIMIT_NOFILE)), .profile = "files",
	  .reason = "a new child's first steps; hard limits only go down" },

	/*
	 * ---- files-exec: shared objects below read_paths may be loaded. Code comes from these
	 * files alone: none that is executable is ever writable, and nothing becomes executable ----
	 */
	{ "mmap", ALLOW, ARGS(BITS(2, PROT_WRITE | PROT_EXEC, PROT_EXEC), PRIVATE_FILE(3)),
	  .profile = "files-exec", .reason = "code of shared objects" },
	{ "mmap", DENY(EACCES),
	  ARGS(BITS(2, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC), PRIVATE_FILE(3)),
	  .profile = "files-exec", .reason = "code is never writable" },
	{ "mmap", DENY(EACCES), ARGS(BITS(3, 0x0f | MAP_ANONYMOUS, MAP_SHARED)),
	  .profile = "files-exec", .reason = "databases ask, then read instead" },

	/*
	 * ---- zygote: what it needs after its lock-down, and why that is useless in a child ----
	 */
	{ "recvmsg", ALLOW, ARGS(ZYGOTE_CHANNELS, MESSAGE_FLAGS(2)), .profile = "zygote",
	  .reason = "orders; a child has no such descriptor; if exec lets it make one, only of its "
		    "channel" },
	{ "sendmsg", ALLOW, ARGS(ZYGOTE_CHANNELS, MESSAGE_FLAGS(2)), .profile = "zygote",
	  .reason = "reports; a child has no such descriptor; if exec lets it make one, only of "
		    "its channel" },
	{ "clone", ALLOW, ARGS(EQ(0, FORK_FLAGS)), .profile = "zygote",
	  .reason =
		  "forks children; before a worker's code runs RLIMIT_NPROC is 0, the uid never" },
	{ "waitid", ALLOW, .profile = "zygote",
	  .reason = "reaps; a child has no children but its program" },
	{ "pidfd_send_signal", ALLOW, ARGS(EQ(1, SIGKILL), EQ(3, 0)), .profile = "zygote",
	  .reason =
		  "kills a child; a child cannot open a pidfd, and holds none but its program's" },
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

#include "supervisor/policy_exec.inc"

#include "supervisor/policy_front.inc"
};
/* clang-format on */

const struct policy_row *
policy_rows(size_t *count_out)
{
	*count_out = sizeof(rows) / sizeof(rows[0]);
	return rows;
}
