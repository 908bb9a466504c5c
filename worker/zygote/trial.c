/*
 * A process beside the zygote (the candidate) has what the zygote has. It forks children that touch some of it, moves it
 * into an image of its own, and forks as many again. Then it goes, and its image with it: this zygote is as it was.
 *
 * Runs in: zygote, before its first child; candidate and its children, which end by _exit. What requests will touch nobody
 * knows yet, so it is assumed: 32 pages, half of them written to. A table's lookup touches fewer, an interpreter's request
 * more. But taking a frozen image wrongly costs a fault for each page more that is read, inheriting wrongly the page-table
 * entries of the whole state.
 */
#include "trial.h"

#include "freeze.h"
#include "sys.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS	     20
#define TOUCHES	     32
#define TOUCH_STRIDE (16 * IMAGE_PAGE) /* at least: what one fault maps of a file at once */

/* In memory that zygote and candidate share. */
struct verdict {
	int error;
	struct trial_result result;
};

/* Without the fork handlers of whatever library has some. */
static pid_t
fork_bare(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
}

/* 0 when it has ended by itself with 0. */
static int
await(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static uint64_t
stride_of(const struct image_plan *plan)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < plan->parts_count; i++)
		if (!plan->parts[i].is_hole)
			bytes += plan->parts[i].end - plan->parts[i].start;
	const uint64_t stride = (bytes / TOUCHES) & ~(IMAGE_PAGE - 1);
	return stride > TOUCH_STRIDE ? stride : TOUCH_STRIDE;
}

/* A write that is one instruction, as of a reference count, is one fault. */
static void
touch(volatile char *byte, bool is_write)
{
	if (is_write)
		__asm__ volatile("lock; orb $0, %0" : "+m"(*byte));
	else
		(void)*byte;
}

static _Noreturn void
touch_and_exit(const struct image_plan *plan, uint64_t stride)
{
	bool is_write = false;

	for (uint32_t i = 0; i < plan->parts_count; i++) {
		const struct image_part *part = &plan->parts[i];
		for (uint64_t at = part->start; !part->is_hole && at < part->end; at += stride) {
			touch(image_address(at), is_write && (part->prot & PROT_WRITE) != 0);
			is_write = !is_write;
		}
	}
	sys_exit(0);
}

static uint64_t
to_us(const struct rusage *usage)
{
	return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

/* Time of processors, of this process and its children that have ended: other load does not change it. */
static uint64_t
used_us(void)
{
	struct rusage self, children;

	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	return to_us(&self) + to_us(&children);
}

/* The first round finds caches cold and does not count. */
static int
measure(const struct image_plan *plan, uint64_t stride, uint32_t *us_out)
{
	uint64_t start_us = 0;

	for (int i = 0; i <= ROUNDS; i++) {
		if (i == 1)
			start_us = used_us();
		pid_t pid = fork_bare();
		if (pid == 0)
			touch_and_exit(plan, stride);
		int error = pid < 0 ? errno : await(pid);
		if (error != 0)
			return error;
	}
	*us_out = (uint32_t)((used_us() - start_us) / ROUNDS);
	return 0;
}

static int
compete(const struct image_plan *plan, struct trial_result *out)
{
	const uint64_t stride = stride_of(plan);
	struct freeze_result frozen;
	int error = measure(plan, stride, &out->inherited_us);

	if (error == 0)
		error = freeze_move(plan, FREEZE_NAME, 0, false, &frozen);
	return error != 0 ? error : measure(plan, stride, &out->frozen_us);
}

static _Noreturn void
run_candidate(const struct image_plan *plan, struct verdict *verdict)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	verdict->error = compete(plan, &verdict->result);
	sys_exit(0);
}

int
trial_run(const struct image_plan *plan, struct trial_result *out)
{
	struct verdict *verdict = mmap(NULL, sizeof(*verdict), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (verdict == MAP_FAILED)
		return errno;
	pid_t pid = fork_bare();
	if (pid == 0)
		run_candidate(plan, verdict);
	int error = pid < 0 ? errno : await(pid);
	if (error == 0)
		error = verdict->error;
	*out = verdict->result;
	munmap(verdict, sizeof(*verdict));
	return error;
}
