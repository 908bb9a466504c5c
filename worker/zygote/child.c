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
#include "prefault.h"
#include "program.h"
#include "runtime.h"
#include "sys.h"
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the place of the stack canary and the system-call policy are those of x86-64"
#endif

static int
arrange_descriptors(int socket_fd, int log_fd)
{
	if (socket_fd >= 0 && sys_call(SYS_dup3, socket_fd, CHILD_CHANNEL_FD, 0, 0) < 0)
		return -1;
	if (sys_call(SYS_dup3, log_fd, STDOUT_FILENO, 0, 0) < 0 ||
	    sys_call(SYS_dup3, log_fd, STDERR_FILENO, 0, 0) < 0)
		return -1;
	return sys_call(SYS_close_range, CHILD_CHANNEL_FD + 1, ~0u, 0, 0) < 0 ? -1 : 0;
}

static int
set_limit(int resource, rlim_t soft, rlim_t hard)
{
	const struct rlimit limit = { soft, hard };

	return sys_call(SYS_prlimit64, 0, resource, (long)&limit, 0) < 0 ? -1 : 0;
}

/*
 * The soft CPU limit kills with SIGXCPU, which tells the front what happened; the hard one, a
 * second later, cannot be blocked. RLIMIT_NPROC counts for the real uid, which is never 0, so no
 * process can be made. Where the filter lets no file be opened the number of them needs no limit.
 */
static int
limit_resources(uint32_t cpu_seconds, uint32_t open_files)
{
	const rlim_t descriptors = CHILD_CHANNEL_FD + 1 + (rlim_t)open_files;

	if (set_limit(RLIMIT_NPROC, 0, 0) < 0)
		return -1;
	if (open_files != 0 && set_limit(RLIMIT_NOFILE, descriptors, descriptors) < 0)
		return -1;
	return cpu_seconds == 0 ? 0 : set_limit(RLIMIT_CPU, cpu_seconds, (rlim_t)cpu_seconds + 1);
}

/*
 * The check comes after the call, or a parent that died between fork and call would go unnoticed: prctl(2).
 */
static int
tie_to_parent(pid_t parent_pid)
{
	if (sys_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0) < 0)
		return -1;
	return sys_call(SYS_getppid, 0, 0, 0, 0) == parent_pid ? 0 : -1;
}

/* Limits, and a death with the parent: after it no process can be forked. Each failed step ends the caller. */
static void
confine(const struct child_plan *plan, pid_t parent_pid)
{
	if (limit_resources(plan->cpu_seconds, plan->open_files) < 0)
		sys_exit(ZY_EXIT_SANDBOX_LIMITS);
	if (tie_to_parent(parent_pid) < 0)
		sys_exit(ZY_EXIT_SANDBOX_PARENT);
}

/* Before the caller is confined, or it could not. */
static void
fork_program(const struct child_plan *plan)
{
	const pid_t own = (pid_t)sys_call(SYS_getpid, 0, 0, 0, 0);
	const pid_t pid = program_fork();

	if (pid < 0)
		sys_exit(ZY_EXIT_PROGRAM_FORK);
	if (pid > 0)
		return;
	confine(plan, own);
	program_become();
}

static _Noreturn void
park_probe(void)
{
	for (;;)
		ppoll(NULL, 0, NULL, NULL);
}

/* The first fault in the worker's text maps what is around it: let it come while nobody waits. */
static void
touch_text(const struct zy_worker *worker)
{
	const volatile char *text;

	memcpy(&text, &worker->handle, sizeof(text)); /* no cast makes data of a function */
	(void)*text;
}

/* Own function: its frame and those below it are protected by the new canary. */
static _Noreturn __attribute__((noinline)) void
serve(const struct child_plan *plan, int is_probe)
{
	if (plan->worker->child_start != NULL && plan->worker->child_start(plan->state) != 0)
		sys_exit(ZY_EXIT_WORKER);
	if (plan->prefault != NULL)
		prefault_run(plan->prefault);
	if (is_probe)
		park_probe();
	touch_text(plan->worker);
	request_receive(plan->request, CHILD_CHANNEL_FD);
	reply_finish(plan->request, plan->worker->handle(plan->state, plan->request));
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
	unsigned long canary = 0;

	if (arrange_descriptors(socket_fd, log_fd) < 0)
		sys_exit(ZY_EXIT_SANDBOX_FDS);
	if (plan->runs_program && socket_fd >= 0)
		fork_program(plan);
	confine(plan, plan->zygote_pid);
	if (sys_call(SYS_getrandom, (long)&canary, sizeof(canary), 0, 0) != sizeof(canary))
		sys_exit(ZY_EXIT_SANDBOX_SEED);
	canary &= ~0xfful;
	__asm__ volatile("movq %0, %%fs:0x28" : : "r"(canary) : "memory");
	serve(plan, socket_fd < 0);
}

/*
 * The bare call: fork(3) would run the fork handlers of whatever library registered some, in a process that may make
 * hardly any system call. Never CLONE_VM: the child must have its own copy of everything.
 *
 * The child starts on a stack of its own, in pages that the zygote does not use: the zygote's frames stay out of its
 * sight, and neither has to copy the page that the other writes next. So the child's branch touches registers only
 * before it calls run().
 */
pid_t
child_fork(const struct child_plan *plan, int socket_fd, int log_fd, int *pidfd_out)
{
	register long r10 __asm__("r10") = 0;
	register const struct child_plan *r12 __asm__("r12") = plan;
	register long r13 __asm__("r13") = socket_fd;
	register long r14 __asm__("r14") = log_fd;
	register void (*r15)(const struct child_plan *, int, int) __asm__("r15") = run;
	long result;

	__asm__ volatile("syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "movq %%r12, %%rdi\n\t"
			 "movl %%r13d, %%esi\n\t"
			 "movl %%r14d, %%edx\n\t"
			 "call *%%r15\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(result)
			 : "a"(SYS_clone), "D"((long)(CLONE_PIDFD | SIGCHLD)), "S"(plan->request),
			   "d"(pidfd_out), "r"(r10), "r"(r12), "r"(r13), "r"(r14), "r"(r15)
			 : "rcx", "r11", "memory");
	if (result >= 0)
		return (pid_t)result;
	errno = (int)-result;
	return -1;
}
