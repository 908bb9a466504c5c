/*
 * Orders that end children, and the reset that starts a channel's use. What the channel cannot take
 * at once waits and goes out when there is room.
 *
 * Runs in: front.
 */
#include "front/generation_parts.h"

#include "base/msg.h"
#include "front/front.h"
#include "front/pool.h"

#include <errno.h>

/* A child that has answered is given this long to exit by itself. */
#define FINISH_GRACE_NS 200000000ull

static const struct timeval sweep_interval = { 0, 100000 };

static bool
send_kills(struct lane *lane)
{
	const struct generation *generation = lane->generation;

	while (!TAILQ_EMPTY(&lane->kills)) {
		struct child *child;
		struct msg_order order = { .epoch = generation->pool->front->heritage->epoch };

		msg_init(&order, MSG_ORDER_KILL);
		TAILQ_FOREACH (child, &lane->kills, kill_link) {
			order.children[order.count++] =
				(struct msg_order_child){ .slot = child->slot,
							  .serial = child->serial };
			if (order.count == PROTO_BATCH_MAX)
				break;
		}
		if (msg_send(lane->fd, &order, NULL, 0) < 0)
			return false;
		for (uint32_t i = 0; i < order.count; i++) {
			child = TAILQ_FIRST(&lane->kills);
			TAILQ_REMOVE(&lane->kills, child, kill_link);
			child->kill_wanted = false;
			generation->pool->stats.kills++;
		}
	}
	return true;
}

static bool
send_reset(struct lane *lane)
{
	const struct generation *generation = lane->generation;
	struct msg_epoch reset = { .epoch = generation->pool->front->heritage->epoch };

	if (lane->reset_sent)
		return true;
	msg_init(&reset, MSG_ORDER_RESET);
	lane->reset_sent = msg_send(lane->fd, &reset, NULL, 0) == 0;
	return lane->reset_sent;
}

/* Sends what waits; asks for a call when the channel has room again. A broken channel shows in
 * on_readable. */
void
generation_flush_orders(struct lane *lane)
{
	if (send_reset(lane) && send_kills(lane))
		event_del(&lane->write_event);
	else if (errno == EAGAIN)
		event_add(&lane->write_event, NULL);
}

void
generation_on_writable(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	generation_flush_orders(argument);
}

static void
queue_kill(struct child *child)
{
	if (child->killed || child->state == CHILD_FREE)
		return;
	child->killed = true;
	child->kill_wanted = true;
	TAILQ_INSERT_TAIL(&child->lane->kills, child, kill_link);
}

void
generation_kill(struct child *child)
{
	queue_kill(child);
	if (child->state != CHILD_DYING) {
		child->dying_ns = front_now_ns();
		generation_change_state(child, CHILD_DYING);
	}
	generation_flush_orders(child->lane);
}

void
generation_on_sweep(evutil_socket_t fd, short what, void *argument)
{
	struct generation *generation = argument;
	const uint64_t now = front_now_ns();
	struct child *child;

	(void)fd;
	(void)what;
	TAILQ_FOREACH (child, &generation->lists[CHILD_DYING], link) {
		if (child->is_held)
			continue; /* it has a bound of its own */
		if (now - child->dying_ns < FINISH_GRACE_NS)
			break; /* the list is in order of dying_ns */
		queue_kill(child);
	}
	for (unsigned i = 0; i < generation->lanes_count; i++)
		generation_flush_orders(&generation->lanes[i]);
	if (generation->counts[CHILD_DYING] > 0)
		event_add(&generation->sweep_event, &sweep_interval);
}

void
generation_finish(struct child *child)
{
	struct generation *generation = child->generation;

	child->exchange = NULL;
	child->done_ns = front_now_ns();
	if (child->state == CHILD_BUSY) {
		child->dying_ns = front_now_ns();
		generation_change_state(child, CHILD_DYING);
	}
	if (!event_pending(&generation->sweep_event, EV_TIMEOUT, NULL))
		event_add(&generation->sweep_event, &sweep_interval);
}
