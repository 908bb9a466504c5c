/*
 * The front's start and its loop.
 *
 * Runs in: front, exec'd by the supervisor as the unprivileged user. Rule: everything that needs a
 * file or a privilege happens before lock_down; the network is first read after it.
 */
#include "front/front.h"

#include "base/log.h"
#include "front/access_log.h"
#include "front/child_log.h"
#include "front/connection.h"
#include "front/departure.h"
#include "front/listener.h"
#include "front/lockdown.h"
#include "front/memory_look.h"
#include "front/pool.h"
#include "front/scrape.h"
#include "front/room.h"
#include "front/seed.h"
#include "front/source.h"
#include "front/tls_ticket.h"
#include "front/supervisor_link.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* A request that was on its way when we began to close its connection arrives within this. */
#define LEAVE_MS 500

uint64_t
front_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static const struct timeval *
find_timeout(struct front *front, uint32_t ms)
{
	const struct timeval duration = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	return event_base_init_common_timeout(front->base, &duration);
}

const struct timeval *
front_common_timeout(struct front *front, uint32_t ms)
{
	const struct timeval *common = find_timeout(front, ms);

	if (common == NULL)
		die("out of memory");
	return common;
}

void
front_change_timeout(struct front *front, uint32_t ms, const struct timeval **timeout)
{
	const struct timeval *common = find_timeout(front, ms);

	if (common != NULL)
		*timeout = common;
	else /* libevent keeps 256 for life: event.c, MAX_COMMON_TIMEOUTS */
		log_event(LOG_WARNING, "timeout not changed until a restart", "to_ms=%u", ms);
}

void
front_change_timeouts(struct front *front)
{
	const struct heritage_front *heritage = front->heritage;

	front_change_timeout(front, heritage->header_timeout_ms, &front->header_timeout);
	front_change_timeout(front, heritage->idle_timeout_ms, &front->idle_timeout);
	front_change_timeout(front, heritage->linger_timeout_ms, &front->linger_timeout);
	front_change_timeout(front, heritage->handshake_timeout_ms, &front->handshake_timeout);
}

void
front_count_outcome(struct front *front, enum outcome outcome)
{
	front->outcomes[outcome]++;
}

static struct heritage_front *
read_heritage(void)
{
	struct heritage_front *heritage = calloc(1, sizeof(*heritage));

	if (heritage == NULL)
		die("out of memory");
	if (heritage_read(FRONT_HERITAGE_FD, heritage, sizeof(*heritage)) < 0 ||
	    heritage->magic != HERITAGE_MAGIC || heritage->size != sizeof(*heritage))
		die("the front is started by zygoted, not by hand, and only by the same build of "
		    "it");
	return heritage;
}

static void
open_base(struct front *front)
{
	struct event_config *config = event_config_new();

	if (config == NULL)
		die("out of memory");
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV |
					      EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	front->base = event_base_new_with_config(config);
	event_config_free(config);
	if (front->base == NULL)
		die("cannot make an event loop: %s", strerror(errno));
}

static void
open_pools(struct front *front)
{
	front->pools = calloc(PROTO_POOLS_MAX, sizeof(*front->pools));
	if (front->pools == NULL)
		die("out of memory");
	for (uint32_t i = 0; i < PROTO_POOLS_MAX; i++)
		pool_init(&front->pools[i], front, i);
}

static void
drain_logs(struct front *front)
{
	for (uint32_t i = 0; i < front->heritage->pools_count; i++) {
		struct generation *generation;
		struct child *child;
		LIST_FOREACH (generation, &front->pools[i].generations, link) {
			TAILQ_FOREACH (child, &generation->lists[CHILD_BUSY], link)
				child_log_drain(child);
		}
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *argument)
{
	struct front *front = argument;
	struct connection *connection = TAILQ_FIRST(&front->connections);

	(void)fd;
	(void)what;
	while (connection != NULL) {
		struct connection *next = TAILQ_NEXT(connection, link);
		connection_tick(connection);
		connection = next;
	}
	drain_logs(front);
	tls_ticket_tick();
	access_log_tick(front);
}

static void
start_tick(struct front *front)
{
	static const struct timeval second = { 1, 0 };

	event_assign(&front->tick, front->base, -1, EV_PERSIST, on_tick, front);
	event_add(&front->tick, &second);
}

static void
init_front(struct front *front)
{
	front->heritage = read_heritage();
	log_init("front", front->heritage->log_level, (int)front->heritage->log_journal);
	TAILQ_INIT(&front->connections);
	front->started_ns = front_now_ns();
	if (!seed_take(&front->next_id, sizeof(front->next_id)))
		die("no random numbers: %s", strerror(errno));
	front->next_id |= 1; /* 0 means: no request */
	open_base(front);
	front->header_timeout = front_common_timeout(front, front->heritage->header_timeout_ms);
	front->idle_timeout = front_common_timeout(front, front->heritage->idle_timeout_ms);
	front->linger_timeout = front_common_timeout(front, front->heritage->linger_timeout_ms);
	handshake_init(front);
	tls_open(front);
	front->leave_timeout = front_common_timeout(front, LEAVE_MS);
	source_open(front);
	scrape_open(front);
	room_open(front);
	departure_open(front);
	access_log_open(front);
	memory_look_init(front);
	open_pools(front);
	if (balance_open(&front->balance, front->heritage) < 0)
		die("cannot map what fronts tell each other: %s", strerror(errno));
	listener_open_all(front);
	start_tick(front);
}

void
front_run(void)
{
	struct front *front = calloc(1, sizeof(*front));

	if (front == NULL)
		die("out of memory");
	signal(SIGPIPE, SIG_IGN);
	init_front(front);
	lockdown_apply(front->heritage);
	supervisor_link_open(front);
	event_base_dispatch(front->base);
	die("the event loop ended: %s", strerror(errno));
}
