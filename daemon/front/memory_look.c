/*
 * When the supervisor is to look at the memory of children, and what follows.
 *
 * Runs in: front. A child that answers within LOOK_AFTER_NS is never looked at, so short requests
 * cost nothing; when no child is busy the timer stops. Rule: a pid alone names no child, it may
 * have been another's when the supervisor looked.
 */
#include "front/memory_look.h"

#include "base/log.h"
#include "front/connection.h"
#include "front/exchange.h"
#include "front/front.h"
#include "front/pool.h"
#include "front/supervisor_link.h"

#define LOOK_AFTER_NS 50000000ull

static const struct timeval interval = { 0, 100000 };

/* The list of busy children is in order of their start: the first one is the oldest. */
static bool
has_busy(const struct generation *generation, uint64_t now, bool *long_out)
{
	const struct child *oldest = TAILQ_FIRST(&generation->lists[CHILD_BUSY]);

	*long_out = oldest != NULL && now - oldest->taken_ns >= LOOK_AFTER_NS;
	return oldest != NULL;
}

static void
on_timer(evutil_socket_t fd, short what, void *argument)
{
	struct front *front = argument;
	const uint64_t now = front_now_ns();
	bool any = false;

	(void)fd;
	(void)what;
	for (uint32_t i = 0; i < front->heritage->pools_count; i++) {
		const struct generation *generation;
		LIST_FOREACH (generation, &front->pools[i].generations, link) {
			bool is_long;
			any |= has_busy(generation, now, &is_long);
			if (is_long)
				supervisor_link_send_look(i, generation->number);
		}
	}
	if (any)
		event_add(&front->memory_timer, &interval);
}

void
memory_look_init(struct front *front)
{
	evtimer_assign(&front->memory_timer, front->base, on_timer, front);
}

void
memory_look_start(struct front *front)
{
	if (!event_pending(&front->memory_timer, EV_TIMEOUT, NULL))
		event_add(&front->memory_timer, &interval);
}

static void
end_child(struct child *child, uint64_t added_bytes)
{
	struct exchange *exchange = child->exchange;
	struct connection *connection = exchange->connection;

	log_event(LOG_WARNING, "child over its memory",
		  "pool=%s generation=%u pid=%d request=%s peer=%s added_bytes=%llu",
		  child->generation->pool->config->name, child->generation->number, child->pid,
		  child->request_id, child->peer, (unsigned long long)added_bytes);
	exchange_fail(exchange, OUTCOME_MEMORY_LIMIT);
	connection_update(connection);
}

void
memory_look_on_over(struct front *front, const struct msg_memory *message)
{
	const struct generation *generation;
	struct child *child;

	LIST_FOREACH (generation, &front->pools[message->pool].generations, link) {
		if (generation->number != message->generation)
			continue;
		TAILQ_FOREACH (child, &generation->lists[CHILD_BUSY], link) {
			if (child->pid != message->pid || child->ordered_ns > message->seen_ns ||
			    child->exchange == NULL)
				continue;
			end_child(child, message->added_bytes);
			return;
		}
	}
}
