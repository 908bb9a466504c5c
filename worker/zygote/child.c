/*
 * From fork to _exit.
 *
 * Runs in: child, but for the clone itself. Trusts its zygote; its front only as far as frames are
 * well formed. The zygote's bookkeeping is not mapped here, and a failed step ends the child with
 * that step's exit code: no step is skipped.
 *
 * System calls cost and so do pages: what can be inherited from the zygote (limits, dispositions,
 * filter) is not set here.
 */
#include "child.h"

#include "base/heritage.h"
#include "runtime.h"
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the place of the stack canary and the system-call policy are those of x86-64"
#endif

static int
arrange_descriptors(int socket_fd, int log_fd)
{
	if (socket_fd >= 0 && dup3(socket_fd, CHILD_CHANNEL_FD, 0) < 0)
		return -1;
	if (dup3(log_fd, STDOUT_FILENO, 0) < 0 || dup3(log_fd, STDERR_FILENO, 0) < 0)
		return -1;
	return close_range(CHILD_CHANNEL_FD + 1, ~0u, 0);
}

/*
 * The soft CPU limit kills with SIGXCPU, which tells the front what happened; the hard one, a
 * second later, cannot be blocked. RLIMIT_NPROC counts for the real uid, which is never 0, so no
 * process can be made. Where the filter lets no file be opened the number of them needs no limit.
 */
static int
limit_resources(uint32_t cpu_seconds, uint32_t open_files)
{
	const struct rlimit processes = { 0, 0 };
	const struct rlimit cpu = { cpu_seconds, (rlim_t)cpu_seconds + 1 };
	const rlim_t descriptors = CHILD_CHANNEL_FD + 1 + (rlim_t)open_files;
	const struct rlimit files = { descriptors, descriptors };

	if (setrlimit(RLIMIT_NPROC, &processes) < 0)
		return -1;
	if (open_files != 0 && setrlimit(RLIMIT_NOFILE, &files) < 0)
		return -1;
	return cpu_seconds == 0 ? 0 : setrlimit(RLIMIT_CPU, &cpu);
}

/* The check comes after the call, or a zygote that died between fork and call would go unnoticed:
 * prctl(2). */
static int
tie_to_zygote(pid_t zygote_pid)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -1;
	return getppid() == zygote_pid ? 0 : -1;
}

static _Noreturn void
park_probe(void)
{
	for (;;)
		ppoll(NULL, 0, NULL, NULL);
}

/* Own function: its frame and those below it are protected by the new canary. */
static _Noreturn __attribute__((noinline)) void
serve(const struct child_plan *plan, int is_probe)
{
	if (plan->worker->child_start != NULL && plan->worker->child_start(plan->state) != 0)
		_exit(ZY_EXIT_WORKER);
	if (is_probe)
		park_probe();
	struct zy_request *request = request_receive(CHILD_CHANNEL_FD);
	reply_finish(request, plan->worker->handle(plan->state, request));
}

/*
 * A child's own canary, so that one child's tells nothing of another's. The lowest byte stays zero,
 * which stops string functions. It sits where gcc and clang look for it on x86-64: 40 bytes into
 * the thread's control block. Every frame that was entered before has the old one, so this function
 * must not return, nor be protected itself.
 */
static _Noreturn __attribute__((noinline, no_stack_protector)) void
run(const struct child_plan *plan, int socket_fd, int log_fd)
{
	unsigned long canary;

	if (arrange_descriptors(socket_fd, log_fd) < 0)
		_exit(ZY_EXIT_SANDBOX_FDS);
	if (limit_resources(plan->cpu_seconds, plan->open_files) < 0)
		_exit(ZY_EXIT_SANDBOX_LIMITS);
	if (tie_to_zygote(plan->zygote_pid) < 0)
		_exit(ZY_EXIT_SANDBOX_PARENT);
	if (getrandom(&canary, sizeof(canary), 0) != sizeof(canary))
		_exit(ZY_EXIT_SANDBOX_SEED);
	canary &= ~0xfful;
	__asm__ volatile("movq %0, %%fs:0x28" : : "r"(canary) : "memory");
	serve(plan, socket_fd < 0);
}

/*
 * The bare call: fork(3) would run the fork handlers of whatever library registered some, in a
 * process that may make hardly any system call, and clone(3) wants another stack. Never CLONE_VM:
 * the child must have its own copy of everything.
 */
pid_t
child_fork(const struct child_plan *plan, int socket_fd, int log_fd, int *pidfd_out)
{
	pid_t pid = (pid_t)syscall(SYS_clone, (unsigned long)(CLONE_PIDFD | SIGCHLD), NULL,
				   pidfd_out, NULL, 0);

	if (pid == 0)
		run(plan, socket_fd, log_fd);
	return pid;
}
