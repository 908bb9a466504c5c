/*
 * The access log's buffer and writes.
 *
 * Runs in: front. Rule: no call here may wait. So descriptors of pipes and terminals come
 * non-blocking from the supervisor, sockets are told so with each call, and a failed write drops
 * lines instead of keeping them.
 */
#include "front/access_sink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Under load many lines share a write; a person who follows the file does not see the delay. */
static const struct timeval batch_delay = { 0, 10000 };
/* For a pipe that is full. */
static const struct timeval retry_delay = { 0, 100000 };

static void
on_timer(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	((struct access_sink *)argument)->blocked = false;
	access_sink_flush(argument);
}

void
access_sink_init(struct access_sink *sink, struct event_base *base)
{
	sink->fd = -1;
	evtimer_assign(&sink->timer, base, on_timer, sink);
}

static ssize_t
put(const struct access_sink *sink)
{
	const char *data = sink->data + sink->start;
	const size_t length = sink->end - sink->start;

	return sink->is_socket ? send(sink->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL)
			       : write(sink->fd, data, length);
}

/* The rest of a line whose beginning went elsewhere. */
static void
drop_line(struct access_sink *sink)
{
	/* Of a line that lacks its end alone nothing is lost. */
	const bool counts = sink->data[sink->start] != '\n';
	const char *end = memchr(sink->data + sink->start, '\n', sink->end - sink->start);

	sink->start = end != NULL ? (size_t)(end + 1 - sink->data) : sink->end;
	sink->mid_line = false;
	sink->lost += counts;
}

/* The reader is gone or the disk is full: what waits for it is lost, what comes later may not be. */
static void
drop_all(struct access_sink *sink)
{
	const bool was_mid_line = sink->mid_line;

	while (sink->start < sink->end)
		drop_line(sink);
	sink->start = sink->end = 0;
	if (was_mid_line)
		sink->data[sink->end++] = '\n';
	sink->mid_line = was_mid_line;
}

void
access_sink_flush(struct access_sink *sink)
{
	while (sink->fd >= 0 && sink->start < sink->end) {
		ssize_t written = put(sink);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0 && errno == EAGAIN) {
			sink->blocked = true;
			event_add(&sink->timer, &retry_delay);
			return;
		}
		if (written < 0) {
			drop_all(sink);
			return;
		}
		sink->start += (size_t)written;
		sink->mid_line = sink->data[sink->start - 1] != '\n';
	}
	if (sink->start == sink->end)
		sink->start = sink->end = 0;
}

void
access_sink_set_fd(struct access_sink *sink, int fd)
{
	int type;
	socklen_t size = sizeof(type);

	access_sink_flush(sink);
	if (sink->fd >= 0)
		close(sink->fd);
	if (sink->mid_line)
		drop_line(sink);
	sink->fd = fd;
	sink->is_socket = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
	access_sink_flush(sink);
}

void
access_sink_put(struct access_sink *sink, const char *line, size_t length)
{
	if (length > sizeof(sink->data) - sink->end && sink->start > 0) {
		memmove(sink->data, sink->data + sink->start, sink->end - sink->start);
		sink->end -= sink->start;
		sink->start = 0;
	}
	if (length > sizeof(sink->data) - sink->end) {
		sink->lost++;
		return;
	}
	memcpy(sink->data + sink->end, line, length);
	sink->end += length;
	if (sink->end - sink->start >= ACCESS_SINK_BATCH && !sink->blocked)
		access_sink_flush(sink);
	else if (!event_pending(&sink->timer, EV_TIMEOUT, NULL))
		event_add(&sink->timer, &batch_delay);
}
