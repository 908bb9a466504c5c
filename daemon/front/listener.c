/*
 * Accepting. When there is no room for connections a listener is not watched: new ones wait in the
 * backlog. When descriptors run out all the same, a timer tries again, without spinning.
 *
 * Runs in: front.
 */
#include "front/listener.h"

#include "base/log.h"
#include "front/connection.h"
#include "front/front.h"
#include "front/room.h"

#include <errno.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections taken per wake-up, so that a flood of them does not starve those that are there. */
#define ACCEPT_BATCH 64
/* Those of a listener that is closed: more than its queue holds, but not for ever. */
#define CLOSE_MAX 8192

#define WARN_INTERVAL_NS 10000000000ull

/* How long a front that has more connections than another leaves it the next one. */
static const struct timeval yield_delay = { 0, 2000 };

static const struct timeval retry_delay = { 0, 100000 };

struct listener {
	struct front *front;
	const struct heritage_listener *config;
	struct event event;
	struct event retry;
	uint64_t warned_ns; /* when it was last said that nothing can be accepted */
	int fd;
	int yielded; /* connections to take when nobody else has taken them */
};

static bool
is_full(const struct listener *listener)
{
	return room_is_full(listener->front, listener->config);
}

/* Descriptors, here or in the whole system. Once in a while it is worth a line. */
static void
on_exhausted(struct listener *listener, int error)
{
	struct front *front = listener->front;
	const uint64_t now = front_now_ns();

	if (room_shed(front, listener->fd)) {
		front->refused++;
		front->figures[listener - front->listeners].refused++;
	}
	if (listener->warned_ns != 0 && now - listener->warned_ns < WARN_INTERVAL_NS)
		return;
	listener->warned_ns = now;
	log_event(LOG_WARNING, "cannot accept", "listener=%s error=\"%s\"", listener->config->name,
		  strerror(error));
}

/* Not watched for that long; NULL: until listener_resume. */
static void
pause_listener(struct listener *listener, const struct timeval *delay)
{
	event_del(&listener->event);
	if (delay != NULL)
		event_add(&listener->retry, delay);
}

/* Whether to go on accepting. */
static bool
survive(struct listener *listener, int error)
{
	switch (error) {
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
		return true;
	case EAGAIN:
		return false;
	default:
		on_exhausted(listener, error);
		pause_listener(listener, &retry_delay);
		return false;
	}
}

/* Takes one connection. Whether there may be more to take. */
static bool
accept_one(struct listener *listener)
{
	struct front *front = listener->front;
	struct listener_figures *figures = &front->figures[listener - front->listeners];
	struct sockaddr_storage peer;
	socklen_t length = sizeof(peer);

	if (is_full(listener)) {
		pause_listener(listener, NULL);
		return false;
	}
	int client = accept4(listener->fd, (struct sockaddr *)&peer, &length,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (client < 0)
		return survive(listener, errno);
	front->accepted++;
	figures->accepted++;
	if (connection_open(front, listener->config, client, &peer) < 0) {
		front->refused++;
		figures->refused++;
	}
	return true;
}

/* Of clients: whoever answers a scraper has the same to say. */
static bool
is_ahead(const struct listener *listener)
{
	const struct front *front = listener->front;

	return listener->config->protocol != PROTOCOL_METRICS &&
	       balance_is_ahead(&front->balance, front->connections_count);
}

static void
on_acceptable(evutil_socket_t fd, short what, void *argument)
{
	struct listener *listener = argument;

	(void)fd;
	(void)what;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		if (is_ahead(listener)) {
			pause_listener(listener, &yield_delay);
			return;
		}
		listener->yielded = 1;
		if (!accept_one(listener))
			return;
	}
}

/* The kernel has accepted what is in the queue: whose connection is there counts on an answer. */
static void
close_listener(struct listener *listener)
{
	if (listener->fd < 0)
		return;
	for (int i = 0; i < CLOSE_MAX && accept_one(listener); i++)
		continue;
	event_del(&listener->event);
	event_del(&listener->retry);
	close(listener->fd);
	listener->fd = -1;
}

/*
 * What is still there nobody else has taken: the others may not have woken up yet, or may be busy, full or stopped. So one at first,
 * and twice as many each time.
 */
static void
on_retry(evutil_socket_t fd, short what, void *argument)
{
	struct listener *listener = argument;

	(void)fd;
	(void)what;
	if (listener->fd < 0 || is_full(listener))
		return;
	event_add(&listener->event, NULL);
	for (int i = 0; i < listener->yielded; i++)
		if (!accept_one(listener))
			return;
	if (listener->yielded < ACCEPT_BATCH)
		listener->yielded *= 2;
}

static void
watch(struct listener *listener, int fd)
{
	struct event_base *base = listener->front->base;

	listener->fd = fd;
	listener->yielded = 1;
	event_assign(&listener->event, base, fd, EV_READ | EV_PERSIST, on_acceptable, listener);
	evtimer_assign(&listener->retry, base, on_retry, listener);
	event_add(&listener->event, NULL);
}

void
listener_open_all(struct front *front)
{
	const struct heritage_front *heritage = front->heritage;

	front->listeners = calloc(PROTO_LISTENERS_MAX, sizeof(*front->listeners));
	if (front->listeners == NULL)
		die("out of memory");
	for (uint32_t i = 0; i < PROTO_LISTENERS_MAX; i++) {
		struct listener *listener = &front->listeners[i];
		listener->front = front;
		listener->config = &heritage->listeners[i];
		listener->fd = -1;
		if (i < heritage->listeners_count && listener->config->name[0] != '\0')
			watch(listener, FRONT_LISTENER_FD + (int)i);
	}
}

void
listener_close_clients(struct front *front)
{
	for (uint32_t i = 0; i < PROTO_LISTENERS_MAX; i++)
		if (front->listeners[i].config->protocol != PROTOCOL_METRICS)
			close_listener(&front->listeners[i]);
}

void
listener_remove(struct front *front, uint32_t index)
{
	struct listener *listener = &front->listeners[index];

	close_listener(listener);
	connection_leave_all(front, listener->config);
}

void
listener_take(struct front *front, uint32_t index, int fd)
{
	if (front->draining) {
		close(fd);
		return;
	}
	listener_remove(front, index);
	watch(&front->listeners[index], fd);
}

void
listener_resume(struct front *front)
{
	for (uint32_t i = 0; i < PROTO_LISTENERS_MAX; i++) {
		struct listener *listener = &front->listeners[i];
		if (listener->fd >= 0 && !is_full(listener) &&
		    !event_pending(&listener->retry, EV_TIMEOUT, NULL))
			event_add(&listener->event, NULL);
	}
}
