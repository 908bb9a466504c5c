/*
 * What a front is sent: messages that it can do without, and those without which it is of no use.
 *
 * Runs in: supervisor.
 */
#include "supervisor/front_proc.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/heritage.h"
#include "base/log.h"
#include "base/msg.h"
#include "supervisor/inherit.h"
#include "supervisor/supervisor.h"
#include "supervisor/tls_files.h"

bool
front_proc_takes_messages(const struct front_proc *front)
{
	return front->state == FRONT_READY || front->state == FRONT_STOPPING;
}

int
front_proc_send(struct front_proc *front, const void *message)
{
	return front_proc_send_fd(front, message, -1);
}

int
front_proc_send_fd(struct front_proc *front, const void *message, int fd)
{
	if (!front_proc_takes_messages(front)) {
		errno = ENOTCONN;
		return -1;
	}
	return channel_send(&front->channel, message, &fd, fd >= 0);
}

/* What a front has to have: without it, it is of no use. */
static bool
send_or_kill(struct front_proc *front, const void *message, const int *fds, unsigned fds_count)
{
	if (channel_send(&front->channel, message, fds, fds_count) == 0)
		return true;
	log_event(LOG_WARNING, "front takes no messages", "front=%u error=\"%s\"", front->index + 1,
		  strerror(errno));
	spawn_kill(&front->process, SIGKILL);
	return false;
}

void
front_proc_send_or_kill(struct front_proc *front, const void *message)
{
	if (front_proc_takes_messages(front))
		(void)send_or_kill(front, message, NULL, 0);
}

bool
front_proc_attach(struct front_proc *front, struct msg_attach *message, const int *fds,
		  unsigned fds_count)
{
	if (front->state != FRONT_READY)
		return false;
	msg_init(message, MSG_ATTACH);
	return send_or_kill(front, message, fds, fds_count);
}

static void
send_listener(struct front_proc *front, uint32_t index)
{
	struct msg_listen message = { .listener = index };

	msg_init(&message, MSG_LISTEN);
	(void)send_or_kill(front, &message, &front->supervisor->listeners.fds[index], 1);
}

static bool
send_configuration(struct front_proc *front, uint64_t cookie)
{
	struct msg_reconfigure message = { .cookie = cookie,
					   .bytes = sizeof(struct heritage_front) };
	const struct tls_files *tls = front->supervisor->tls;
	const int fds[2] = { inherit_seal_front(front->supervisor, front->index, front->epoch),
			     tls_files_fd(tls) };

	if (fds[0] < 0) {
		log_event(LOG_ERROR, "front not reconfigured", "error=\"%s\"", strerror(errno));
		spawn_kill(&front->process, SIGKILL);
		return false;
	}
	msg_init(&message, MSG_RECONFIGURE);
	const bool sent = send_or_kill(front, &message, fds, tls != NULL ? 2 : 1);
	close(fds[0]);
	return sent;
}

bool
front_proc_reconfigure(struct front_proc *front, uint64_t cookie,
		       const bool is_new[PROTO_LISTENERS_MAX])
{
	/* One that starts has the configuration of before, and its listeners. */
	if (front->state == FRONT_STARTING)
		spawn_kill(&front->process, SIGKILL);
	if (front->state != FRONT_READY || !send_configuration(front, cookie))
		return false;
	for (uint32_t i = 0; i < PROTO_LISTENERS_MAX; i++)
		if (is_new[i])
			send_listener(front, i);
	return true;
}
