/*
 * What limits connections.
 *
 * Runs in: front. Children need descriptors too: connections get what is left when every pool has
 * all of its children, so that no crowd of clients can keep a request from its child.
 */
#include "front/room.h"

#include "base/log.h"
#include "front/connection.h"
#include "front/front.h"
#include "front/seed.h"
#include "front/source_count.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static uint64_t
needed_descriptors(const struct heritage_front *heritage)
{
	uint64_t children = 0;

	/* While one generation takes over from another, its spares are there too. */
	for (uint32_t i = 0; i < heritage->pools_count; i++)
		children += heritage->pools[i].max_children + heritage->pools[i].spare;
	return heritage_front_descriptors(children, heritage->listeners_count);
}

static uint32_t
connections_max(const struct front *front)
{
	const struct heritage_front *heritage = front->heritage;
	const uint64_t needed = needed_descriptors(heritage);
	const uint64_t room = front->open_files > needed ? front->open_files - needed : 0;

	if (room >= heritage->connections_max)
		return heritage->connections_max;
	log_event(LOG_WARNING, "fewer connections than configured",
		  "connections=%llu configured=%u open_files=%llu", (unsigned long long)room,
		  heritage->connections_max, (unsigned long long)front->open_files);
	return (uint32_t)room;
}

static void
read_limit(struct front *front)
{
	const uint64_t needed = needed_descriptors(front->heritage);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("cannot read the limit of descriptors: %s", strerror(errno));
	if (limit.rlim_cur <= needed)
		die("the limit of %llu open files leaves none for connections: the pools need "
		    "%llu. Raise it (ulimit -n; LimitNOFILE= of the service), or lower "
		    "max_children",
		    (unsigned long long)limit.rlim_cur, (unsigned long long)needed);
	front->open_files = limit.rlim_cur;
}

void
room_configure(struct front *front)
{
	front->connections_max = connections_max(front);
}

void
room_open(struct front *front)
{
	read_limit(front);
	room_configure(front);
	front->source_counts = calloc(1, sizeof(*front->source_counts));
	if (front->source_counts == NULL)
		die("out of memory");
	if (!seed_take(front->source_counts->key, sizeof(front->source_counts->key)))
		die("no random numbers: %s", strerror(errno));
	front->reserve_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (front->reserve_fd < 0)
		die("cannot reserve a descriptor: %s", strerror(errno));
}

static uint32_t *
count_of(struct front *front, const struct heritage_listener *listener)
{
	return &front->listener_connections[listener - front->heritage->listeners];
}

bool
room_is_full(const struct front *front, const struct heritage_listener *listener)
{
	const uint32_t most = listener->connections_max;

	if (listener->protocol == PROTOCOL_METRICS)
		return front->scrapers_count >= HERITAGE_SCRAPERS_MAX;
	if (front->connections_count >= front->connections_max)
		return true;
	return most != 0 &&
	       front->listener_connections[listener - front->heritage->listeners] >= most;
}

void
room_enter(const struct connection *connection)
{
	++*count_of(connection->front, connection->listener);
}

bool
room_enter_source(struct connection *connection)
{
	struct front *front = connection->front;
	const uint32_t most = front->heritage->connections_per_source;

	if (most == 0 || connection->source.exempt || connection_is_scraper(connection))
		return true;
	connection->source_count =
		source_counts_enter(front->source_counts, &connection->source, most);
	if (connection->source_count != NULL)
		return true;
	log_event(LOG_DEBUG, "too many connections of a source", "peer=%s listener=%s",
		  connection->peer_address, connection->listener->name);
	return false;
}

void
room_leave(struct connection *connection)
{
	struct front *front = connection->front;

	source_counts_leave(front->source_counts, connection->source_count);
	connection->source_count = NULL;
	--*count_of(front, connection->listener);
}

bool
room_shed(struct front *front, int listener_fd)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	int client;

	if (front->reserve_fd < 0)
		front->reserve_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (front->reserve_fd < 0)
		return false; /* somebody else took it: the backlog holds what comes */
	close(front->reserve_fd);
	client = accept4(listener_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (client >= 0) {
		(void)setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		close(client);
	}
	front->reserve_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return client >= 0;
}
