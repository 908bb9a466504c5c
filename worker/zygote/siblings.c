/*
 * Forking the zygotes of a generation.
 *
 * Runs in: zygote, before the filter is loaded; siblings_on_exit in the loop of the first. A sibling inherits every layer of the
 * lock-down and loads the same filter. The rule: a zygote has its own ends of channels and no other's, but for the channel
 * to the supervisor, on which a sibling says why it fails and nothing else.
 */
#include "siblings.h"

#include "failure.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The channel of sibling `index` to a front. */
static int
channel_fd(const struct heritage_zygote *heritage, uint32_t index, uint32_t front)
{
	return ZYGOTE_SIBLING_FD + (int)((index - 1) * heritage->fronts + front);
}

unsigned
siblings_fd_end(const struct heritage_zygote *heritage)
{
	return ZYGOTE_SIBLING_FD + (heritage->zygotes - 1) * heritage->fronts;
}

/* As a child is tied to its zygote: the first may have died before the call. */
static void
tie_to_first(pid_t first)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		zygote_fail(ZY_EXIT_SANDBOX_PARENT, errno, "parent death signal of a sibling");
	if (getppid() != first)
		_exit(ZY_EXIT_OK);
}

/* Its own channels take the places of the first one's. */
static void
take_channels(const struct heritage_zygote *heritage, uint32_t index)
{
	for (uint32_t front = 0; front < heritage->fronts; front++)
		if (dup3(channel_fd(heritage, index, front), ZYGOTE_FRONT_FD + (int)front,
			 O_CLOEXEC) < 0)
			zygote_fail(ZY_EXIT_SANDBOX_FDS, errno, "channels of a sibling");
}

static void
close_channels(const struct heritage_zygote *heritage)
{
	if (heritage->zygotes > 1 &&
	    close_range(ZYGOTE_SIBLING_FD, siblings_fd_end(heritage) - 1, 0) < 0)
		zygote_fail(ZY_EXIT_SANDBOX_FDS, errno, "channels of siblings");
}

/* The bare call, as for children: fork(3) would run the handlers of libraries. */
static pid_t
fork_one(struct siblings *siblings, const struct heritage_zygote *heritage, uint32_t index)
{
	const pid_t first = getpid();
	const pid_t pid = (pid_t)syscall(SYS_clone, (long)SIGCHLD, NULL, NULL, NULL, 0L);

	if (pid < 0)
		zygote_fail(ZY_EXIT_MEMORY, errno, "zygote %u of the pool could not be forked",
			    index + 1);
	if (pid > 0)
		return pid;
	tie_to_first(first);
	take_channels(heritage, index);
	siblings->index = index;
	siblings->count = 0;
	return 0;
}

uint32_t
siblings_fork(struct siblings *siblings, const struct heritage_zygote *heritage, char *title)
{
	int ready[2] = { -1, -1 };

	if (heritage->zygotes > 1 && pipe2(ready, O_CLOEXEC) < 0)
		zygote_fail(ZY_EXIT_SANDBOX_FDS, errno, "pipe of siblings");
	while (siblings->count + 1 < heritage->zygotes) {
		const uint32_t index = siblings->count + 1;
		const pid_t pid = fork_one(siblings, heritage, index);
		if (pid == 0) {
			title[strlen(title) - 1] = (char)('1' + index);
			break;
		}
		siblings->pids[siblings->count++] = pid;
	}
	close_channels(heritage);
	siblings->ready_fd = siblings->index == 0 ? ready[0] : ready[1];
	if (heritage->zygotes > 1)
		close(siblings->index == 0 ? ready[1] : ready[0]);
	return siblings->index;
}

void
siblings_say_ready(const struct siblings *siblings)
{
	close(siblings->ready_fd);
}

static bool
is_sibling(const struct siblings *siblings, pid_t pid)
{
	for (uint32_t i = 0; i < siblings->count; i++)
		if (siblings->pids[i] == pid)
			return true;
	return false;
}

void
siblings_on_exit(const struct siblings *siblings, const siginfo_t *info)
{
	if (is_sibling(siblings, info->si_pid))
		zygote_fail(ZY_EXIT_SIBLING, 0, "another zygote of the generation died: %s %d",
			    info->si_code == CLD_EXITED ? "exit" : "signal", info->si_status);
}

/* The pipe ends when all have closed it, or died. */
void
siblings_wait(const struct siblings *siblings)
{
	siginfo_t info = { .si_pid = 0 };
	char byte;

	if (siblings->count == 0)
		return;
	while (read(siblings->ready_fd, &byte, 1) < 0 && errno == EINTR)
		continue;
	close(siblings->ready_fd);
	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0)
		siblings_on_exit(siblings, &info);
}
