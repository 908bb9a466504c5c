/*
 * Clients that leave while nothing is read from them.
 *
 * Runs in: front. libevent's EV_CLOSED would not do: it tells of the end of a stream, but not of a reset, for which
 * epoll would wake the loop again and again without an event to call. So these sockets are in an epoll set of their
 * own, which the loop watches as a whole.
 */
#include "front/departure.h"

#include "base/log.h"
#include "front/connection.h"
#include "front/front.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define BATCH 64

/* Memory of connections goes when the loop comes round: each pointer of a batch stays good. */
static void
on_departures(evutil_socket_t fd, short what, void *argument)
{
	struct epoll_event left[BATCH];
	const int count = epoll_wait(fd, left, BATCH, 0);

	(void)what;
	(void)argument;
	for (int i = 0; i < count; i++)
		connection_close(left[i].data.ptr);
}

void
departure_open(struct front *front)
{
	front->departures_fd = epoll_create1(EPOLL_CLOEXEC);
	if (front->departures_fd < 0)
		die("cannot watch for clients that leave: %s", strerror(errno));
	event_assign(&front->departures, front->base, front->departures_fd, EV_READ | EV_PERSIST,
		     on_departures, front);
	event_add(&front->departures, NULL);
}

/* Where the kernel has no memory for it, the deadline of the state is what ends it. */
void
departure_watch(struct connection *connection, bool wanted)
{
	const int fd = connection->transport.fd;
	struct epoll_event leaving = { .events = EPOLLRDHUP, .data.ptr = connection };

	if (connection->departure_watched == wanted)
		return;
	connection->departure_watched =
		epoll_ctl(connection->front->departures_fd, wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
			  fd, &leaving) == 0 &&
		wanted;
}
