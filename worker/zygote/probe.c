/*
 * Life and death of the probe.
 *
 * Runs in: zygote. Asked for by the supervisor only.
 */
#include "probe.h"

#include "child.h"
#include "children.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

void
probe_start(struct children *children, uint64_t cookie)
{
	struct probe *probe = &children->probe;

	msg_init(&probe->answer, MSG_PROBED);
	probe->answer.cookie = cookie;
	probe->answer.error = 0;
	probe->is_due = true;
	if (probe->pid != 0) {
		probe->answer.error = EBUSY;
		return;
	}
	pid_t pid = child_fork(children->plan, -1, STDIN_FILENO, &probe->pidfd);
	if (pid < 0)
		probe->answer.error = errno;
	else
		probe->pid = pid;
}

/* Forgotten at once, so that the next one need not wait; reaping a pid that nobody knows has no
 * effect. */
void
probe_end(struct probe *probe)
{
	if (probe->pid == 0)
		return;
	syscall(SYS_pidfd_send_signal, probe->pidfd, SIGKILL, NULL, 0);
	close(probe->pidfd);
	probe->pid = 0;
	probe->is_due = false;
}
