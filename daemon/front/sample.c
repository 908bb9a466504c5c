/*
 * Which children are held, and until when.
 *
 * Runs in: front. The child is hostile, and told in its request that it will be held: what it does
 * with that time is its sandbox's affair. One that does not stay is a sample lost, nothing more.
 * A held child is a dying one: it counts towards max_children.
 */
#include "front/sample.h"

#include "base/log.h"
#include "base/msg.h"
#include "front/exchange.h"
#include "front/front.h"
#include "front/generation_parts.h"
#include "front/pool.h"
#include "front/route.h"

#include <unistd.h>

static const struct timeval hold = { 0, SAMPLE_HOLD_MS * 1000 };

/* It is to leave by itself now, within the time that every child has. */
static void
let_go(struct child *child)
{
	sample_forget(child);
	close(child->fd);
	child->fd = -1;
	child->dying_ns = front_now_ns();
	generation_change_state(child, CHILD_DYING);
}

static void
on_hold_timer(evutil_socket_t fd, short what, void *argument)
{
	struct pool *pool = argument;

	(void)fd;
	(void)what;
	if (pool->held == NULL)
		return;
	log_event(LOG_DEBUG, "sample not taken in time", "pool=%s pid=%d", pool->config->name,
		  pool->held->pid);
	let_go(pool->held);
}

void
sample_init(struct pool *pool)
{
	evtimer_assign(&pool->hold_timer, pool->front->base, on_hold_timer, pool);
}

/* What the operator wants. */
static bool
is_turn(struct pool *pool)
{
	if (pool->config->sample == 0 || ++pool->sample_count < pool->config->sample)
		return false;
	pool->sample_count = 0;
	return pool->held == NULL;
}

bool
sample_is_due(struct child *child)
{
	const bool is_due = is_turn(child->generation->pool);

	return prefault_is_sample(child) || is_due;
}

static bool
hold_child(struct child *child, uint32_t route, uint32_t flags)
{
	struct pool *pool = child->generation->pool;
	struct msg_sample order = {
		.epoch = pool->front->heritage->epoch,
		.pool = pool->index,
		.generation = child->generation->number,
		.slot = child->slot,
		.serial = child->serial,
		.route = route,
		.flags = flags | (child->prefaults ? SAMPLE_PREFAULTED : 0),
	};

	msg_init(&order, MSG_ORDER_SAMPLE);
	if (msg_send(child->lane->fd, &order, NULL, 0) < 0)
		return false;
	child->is_held = true;
	pool->held = child;
	event_add(&pool->hold_timer, &hold);
	return true;
}

bool
sample_hold(const struct exchange *exchange)
{
	struct child *child = exchange->child;
	struct pool *pool = exchange->pool;

	if (!exchange->is_sample || child == NULL || pool->held != NULL)
		return false;
	if (!hold_child(child, route_index(pool->config, exchange->route), 0))
		return false;
	child->fd = exchange->child_fd;
	return true;
}

void
sample_hold_parked(struct child *child)
{
	if (!hold_child(child, 0, SAMPLE_PARKED))
		return;
	child->dying_ns = front_now_ns();
	generation_change_state(child, CHILD_DYING);
	generation_finish(child);
}

void
sample_forget(struct child *child)
{
	struct pool *pool = child->generation->pool;

	if (!child->is_held)
		return;
	child->is_held = false;
	pool->held = NULL;
	event_del(&pool->hold_timer);
}

void
sample_on_sampled(struct front *front, const struct msg_sample *message)
{
	struct child *child = front->pools[message->pool].held;

	if (message->epoch != front->heritage->epoch || child == NULL ||
	    child->generation->number != message->generation || child->slot != message->slot ||
	    child->serial != message->serial)
		return;
	if ((message->flags & SAMPLE_LOST) != 0)
		prefault_on_lost(child->generation);
	else if ((message->flags & SAMPLE_PARKED) != 0)
		prefault_on_measured(child, message->faults);
	let_go(child);
}
