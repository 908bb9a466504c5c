/*
 * Message channels in the supervisor's event loop.
 *
 * Runs in: supervisor. Trusts neither front nor zygote further than msg.c's checks: a malformed
 * message ends the channel, and with it the process at the other end.
 */
#include "supervisor/channel.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"

/* Messages taken per wake-up, so that one talkative peer does not starve the others. */
#define CHANNEL_BATCH 64

static void
end_of_channel(struct channel *channel, int result)
{
	if (result < 0)
		log_event(LOG_WARNING, "channel broke", "error=\"%s\"", strerror(errno));
	channel_close(channel);
	channel->on_closed(channel->owner);
}

static void
on_readable(evutil_socket_t fd, short what, void *context)
{
	struct channel *channel = context;
	struct msg_buffer message;

	(void)what;
	for (int i = 0; i < CHANNEL_BATCH && channel->fd == fd; i++) {
		int result = msg_recv(fd, &message);
		if (result < 0 && errno == EAGAIN)
			return;
		if (result <= 0) {
			end_of_channel(channel, result);
			return;
		}
		channel->on_message(channel->owner, &message);
		msg_close_fds(&message);
	}
}

int
channel_open(struct channel *channel, struct event_base *base, int fd)
{
	channel->fd = fd;
	channel->event = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, channel);
	if (channel->event != NULL && event_add(channel->event, NULL) == 0)
		return 0;
	channel_close(channel);
	errno = ENOMEM;
	return -1;
}

void
channel_close(struct channel *channel)
{
	if (channel->event != NULL)
		event_free(channel->event);
	channel->event = NULL;
	if (channel->fd >= 0)
		close(channel->fd);
	channel->fd = -1;
}

int
channel_send(struct channel *channel, const void *message, const int *fds, unsigned fds_count)
{
	if (channel->fd < 0) {
		errno = EPIPE;
		return -1;
	}
	return msg_send(channel->fd, message, fds, fds_count);
}
