/*
 * Pools: who gets which child, who waits, who is refused.
 *
 * Runs in: front. Rule: a request waits in one queue only, oldest first, and its wait is bounded by
 * the connection's timer.
 */
#include "front/pool.h"

#include "base/log.h"
#include "base/msg.h"
#include "front/admission.h"
#include "front/exchange.h"
#include "front/front.h"
#include "front/supervisor_link.h"

#include <string.h>
#include <unistd.h>

/* Spares are completed after this much quiet, or after an order that could not be sent. */
static const struct timeval idle_delay = { 0, 20000 };

static void
on_idle(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	pool_refill(argument, true);
}

void
pool_init(struct pool *pool, struct front *front, uint32_t index)
{
	pool->front = front;
	pool->config = &front->heritage->pools[index];
	pool->index = index;
	pool->queue_timeout = front_common_timeout(front, pool->config->queue_timeout_ms);
	pool->timeout = front_common_timeout(front, pool->config->timeout_ms);
	LIST_INIT(&pool->generations);
	TAILQ_INIT(&pool->queue);
	evtimer_assign(&pool->idle_event, front->base, on_idle, pool);
}

static struct admission
look(const struct pool *pool)
{
	struct admission view = {
		.spare = pool->config->spare,
		.max_children = pool->config->max_children,
		.queue = pool->config->queue,
		.queued = pool->queued,
	};

	if (pool->current != NULL) {
		const unsigned *counts = pool->current->counts;
		view.parked = counts[CHILD_PARKED];
		view.starting = counts[CHILD_STARTING];
		view.busy = counts[CHILD_BUSY];
		view.dying = counts[CHILD_DYING];
	}
	return view;
}

void
pool_refill(struct pool *pool, bool idle)
{
	struct admission view = look(pool);

	if (pool->current == NULL || pool->current->state != GENERATION_SERVING)
		return;
	for (;;) {
		unsigned wanted = admission_order_count(&view, idle);
		if (wanted == 0 || generation_order(pool->current, wanted) < wanted)
			break;
		view = look(pool);
	}
	if (view.parked + view.starting < view.spare &&
	    !event_pending(&pool->idle_event, EV_TIMEOUT, NULL))
		event_add(&pool->idle_event, &idle_delay);
}

/* ---- requests ---- */

static void
dequeue(struct pool *pool, struct exchange *exchange)
{
	TAILQ_REMOVE(&pool->queue, exchange, queue_link);
	pool->queued--;
}

enum outcome
pool_submit(struct pool *pool, struct exchange *exchange)
{
	struct admission view;
	struct child *child = NULL;

	pool->stats.requests++;
	if (pool->queued == 0 && pool->current != NULL)
		child = generation_take(pool->current, exchange);
	if (child != NULL) {
		exchange_run(exchange, child);
		pool_refill(pool, false);
		return OUTCOME_OK;
	}
	view = look(pool);
	if (!admission_may_queue(&view))
		return OUTCOME_QUEUE_FULL;
	TAILQ_INSERT_TAIL(&pool->queue, exchange, queue_link);
	pool->queued++;
	pool_refill(pool, false);
	return OUTCOME_OK;
}

void
pool_withdraw(struct pool *pool, struct exchange *exchange)
{
	dequeue(pool, exchange);
}

enum outcome
pool_queue_outcome(const struct pool *pool)
{
	return pool->current == NULL ? OUTCOME_POOL_DOWN : OUTCOME_QUEUE_TIMEOUT;
}

unsigned
pool_retry_after(const struct pool *pool)
{
	struct admission view = look(pool);

	return admission_retry_after(&view);
}

static void
close_if_empty(struct generation *generation)
{
	struct pool *pool = generation->pool;

	if (generation->state != GENERATION_DRAINING || !generation_is_empty(generation))
		return;
	supervisor_link_send_generation(MSG_DETACHED, pool->index, generation->number);
	LIST_REMOVE(generation, link);
	generation_close(generation);
}

void
pool_on_ready(struct pool *pool)
{
	struct generation *generation = LIST_FIRST(&pool->generations);

	while (pool->queued > 0 && pool->current != NULL) {
		struct exchange *exchange = TAILQ_FIRST(&pool->queue);
		struct child *child = generation_take(pool->current, exchange);
		if (child == NULL)
			break;
		dequeue(pool, exchange);
		exchange_run(exchange, child);
	}
	pool_refill(pool, false);
	while (generation != NULL) {
		struct generation *next = LIST_NEXT(generation, link);
		close_if_empty(generation);
		generation = next;
	}
}

/* ---- generations ---- */

void
pool_attach(struct pool *pool, uint32_t number, int fd)
{
	struct generation *generation = generation_open(pool, number, fd);

	if (generation == NULL) {
		log_event(LOG_ERROR, "out of memory for a generation", "pool=%s",
			  pool->config->name);
		return;
	}
	LIST_INSERT_HEAD(&pool->generations, generation, link);
	if (pool->current != NULL)
		generation_drain(pool->current);
	pool->current = generation;
	pool_on_ready(pool);
}

void
pool_detach(struct pool *pool, uint32_t number)
{
	struct generation *generation;

	LIST_FOREACH (generation, &pool->generations, link) {
		if (generation->number != number)
			continue;
		if (pool->current == generation)
			pool->current = NULL;
		generation_drain(generation);
		break;
	}
	pool_on_ready(pool);
}

void
pool_on_generation_gone(struct pool *pool, struct generation *generation)
{
	if (pool->current == generation)
		pool->current = NULL;
	LIST_REMOVE(generation, link);
	generation_close(generation);
}

/* ---- counters ---- */

void
pool_count_outcome(struct pool *pool, enum outcome outcome)
{
	pool->stats.outcomes[outcome]++;
	front_count_outcome(pool->front, outcome);
}

void
pool_stats(const struct pool *pool, struct msg_stats *stats_out)
{
	const struct generation *generation;
	struct admission view = look(pool);

	*stats_out = pool->stats;
	msg_init(stats_out, MSG_STATS);
	stats_out->pool = pool->index;
	stats_out->generation = pool->current != NULL ? pool->current->number : 0;
	stats_out->spare = view.parked;
	stats_out->busy = view.busy;
	stats_out->starting = view.starting;
	stats_out->dying = view.dying;
	stats_out->queued = view.queued;
	LIST_FOREACH (generation, &pool->generations, link) {
		if (generation != pool->current)
			stats_out->draining += generation->slots - generation->counts[CHILD_FREE];
	}
}
