/*
 * A message channel to a front or zygote, watched by the supervisor's loop.
 */
#ifndef ZYGOTED_SUPERVISOR_CHANNEL_H
#define ZYGOTED_SUPERVISOR_CHANNEL_H

#include "base/msg.h"

struct event;
struct event_base;

/*
 * Gets each message. Descriptors that it keeps it takes out of the buffer (fds_count = 0); the
 * others are closed when it returns. It may close the channel.
 */
typedef void channel_message_fn(void *owner, struct msg_buffer *message);
/* The peer is gone, or sent what is no message. The channel is already closed. */
typedef void channel_closed_fn(void *owner);

struct channel {
	int fd; /* -1: closed */
	struct event *event;
	channel_message_fn *on_message;
	channel_closed_fn *on_closed;
	void *owner;
};

/*
 * Starts watching `fd` and owns it from now on. on_message, on_closed and owner are set by the
 * caller beforehand. 0, or -1 when out of memory: then fd is closed.
 */
int channel_open(struct channel *channel, struct event_base *base, int fd)
	__attribute__((warn_unused_result));

/* Closes; without effect on a closed one. */
void channel_close(struct channel *channel);

/* msg_send on it; EPIPE when it is closed. */
int channel_send(struct channel *channel, const void *message, const int *fds, unsigned fds_count)
	__attribute__((warn_unused_result));

#endif
