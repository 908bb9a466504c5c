/*
 * Pools: who gets which child, who waits, who is refused.
 *
 * Runs in: front. Rule: a request waits in one queue only, oldest first, and its wait is bounded by
 * the connection's timer.
 */
#include "front/pool.h"

#include "base/log.h"
#include "base/msg.h"
#include "front/exchange.h"
#include "front/front.h"
#include "front/route_stats.h"
#include "front/sample.h"
#include "front/supervisor_link.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Spares are completed by a batch at each of these, also after an order that could not be sent. */
static const struct timeval refill_interval = { 0, 20000 };

static void
on_refill(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	pool_refill(argument, ADMISSION_TICK);
}

void
pool_init(struct pool *pool, struct front *front, uint32_t index)
{
	pool->front = front;
	pool->config = &front->heritage->pools[index];
	pool->index = index;
	LIST_INIT(&pool->generations);
	TAILQ_INIT(&pool->queue);
	evtimer_assign(&pool->refill_event, front->base, on_refill, pool);
	sample_init(pool);
	pool->routes = calloc(PROTO_ROUTES_MAX, sizeof(*pool->routes));
	if (pool->routes == NULL)
		die("out of memory");
	if (pool->config->name[0] == '\0')
		return;
	pool->queue_timeout = front_common_timeout(front, pool->config->queue_timeout_ms);
	pool->timeout = front_common_timeout(front, pool->config->timeout_ms);
}

void
pool_configure(struct pool *pool, bool is_new)
{
	const struct heritage_pool *config = pool->config;

	if (is_new) {
		memset(&pool->stats, 0, sizeof(pool->stats));
		memset(&pool->breaker, 0, sizeof(pool->breaker));
		memset(pool->routes, 0, PROTO_ROUTES_MAX * sizeof(*pool->routes));
	}
	front_change_timeout(pool->front, config->queue_timeout_ms, &pool->queue_timeout);
	front_change_timeout(pool->front, config->timeout_ms, &pool->timeout);
	pool_refill(pool, ADMISSION_BATCH);
}

static unsigned
count_draining(const struct pool *pool)
{
	const struct generation *generation;
	unsigned count = 0;

	LIST_FOREACH (generation, &pool->generations, link)
		if (generation->state == GENERATION_DRAINING)
			count += generation_children(generation);
	return count;
}

/* What admission is to know about the current generation, or NULL when there is none. */
static struct admission
look(const struct pool *pool, const struct generation *generation)
{
	struct admission view = {
		.spare = pool->config->spare,
		.max_children = pool->config->max_children,
		.queue = pool->config->queue,
		.queued = pool->queued,
		.elsewhere = count_draining(pool),
		.zygotes = generation != NULL ? generation->lanes_count : pool->config->zygotes,
	};

	if (generation != NULL) {
		const unsigned *counts = generation->counts;
		view.parked = counts[CHILD_PARKED];
		view.starting = counts[CHILD_STARTING];
		view.busy = counts[CHILD_BUSY];
		view.dying = counts[CHILD_DYING];
		view.forking = generation_forking(generation);
	}
	return view;
}

/* The same about the successor: it gets its spares, beyond max_children and whatever waits. */
static struct admission
look_ahead(const struct pool *pool)
{
	struct admission view = look(pool, pool->successor);

	view.max_children += view.spare;
	view.queued = 0;
	if (pool->current != NULL)
		view.elsewhere += generation_children(pool->current);
	return view;
}

static struct admission
look_at(const struct pool *pool, const struct generation *generation)
{
	return generation == pool->successor ? look_ahead(pool) : look(pool, generation);
}

/* Whether it has its spares, or takes no orders anyway. */
static bool
refill(struct pool *pool, struct generation *generation, enum admission_pace pace)
{
	struct admission view;

	if (generation == NULL || generation->state != GENERATION_SERVING)
		return true;
	if (!fork_pause_is_over(&generation->pause, front_now_ns()))
		return false;
	view = look_at(pool, generation);
	const unsigned wanted = admission_order_count(&view, pace);
	if (wanted > 0)
		generation_order(generation, wanted);
	view = look_at(pool, generation);
	return view.parked + view.starting >= view.spare;
}

void
pool_refill(struct pool *pool, enum admission_pace pace)
{
	const bool complete = refill(pool, pool->current, pace);

	if ((!refill(pool, pool->successor, ADMISSION_FILL) || !complete) &&
	    !event_pending(&pool->refill_event, EV_TIMEOUT, NULL))
		event_add(&pool->refill_event, &refill_interval);
}

/* ---- requests ---- */

static void
dequeue(struct pool *pool, struct exchange *exchange)
{
	TAILQ_REMOVE(&pool->queue, exchange, queue_link);
	pool->queued--;
}

/* Gives it to a child, if there is a living one. */
static bool
start(struct pool *pool, struct exchange *exchange)
{
	struct child *child;

	while (pool->current != NULL && (child = generation_take(pool->current, exchange)) != NULL)
		if (exchange_run(exchange, child))
			return true;
	return false;
}

/* An exchange that is started may end at once and bring its connection's next request: look at the queue anew. */
static void
serve_queue(struct pool *pool)
{
	struct exchange *exchange;

	while ((exchange = TAILQ_FIRST(&pool->queue)) != NULL) {
		dequeue(pool, exchange);
		if (start(pool, exchange))
			continue;
		TAILQ_INSERT_HEAD(&pool->queue, exchange, queue_link);
		pool->queued++;
		break;
	}
}

enum outcome
pool_submit(struct pool *pool, struct exchange *exchange)
{
	struct admission view;

	pool->stats.requests++;
	if (pool->breaker.state != BREAKER_CLOSED) {
		enum breaker_verdict verdict = breaker_admit(&pool->breaker, front_now_ns());
		if (verdict == BREAKER_REFUSE)
			return OUTCOME_CRASH_BREAKER;
		exchange->probe = verdict == BREAKER_PROBE;
	}
	if (pool->queued == 0 && start(pool, exchange)) {
		pool_refill(pool, ADMISSION_BATCH);
		return OUTCOME_OK;
	}
	view = look(pool, pool->current);
	if (!admission_may_queue(&view))
		return OUTCOME_QUEUE_FULL;
	TAILQ_INSERT_TAIL(&pool->queue, exchange, queue_link);
	pool->queued++;
	pool_refill(pool, ADMISSION_BATCH);
	serve_queue(pool);
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
pool_retry_after(const struct pool *pool, enum outcome outcome)
{
	struct admission view = look(pool, pool->current);

	if (outcome == OUTCOME_CRASH_BREAKER)
		return breaker_retry_after(&pool->breaker, front_now_ns());
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

	serve_queue(pool);
	pool_refill(pool, ADMISSION_BATCH);
	serve_queue(pool);
	prefault_measure(pool);
	while (generation != NULL) {
		struct generation *next = LIST_NEXT(generation, link);
		close_if_empty(generation);
		generation = next;
	}
}

/* ---- generations ---- */

/* The successor, if there is one, serves from now on; the one before it drains. */
static void
succeed(struct pool *pool)
{
	if (pool->current != NULL)
		generation_drain(pool->current);
	pool->current = NULL;
	if (pool->successor == NULL || pool->successor->is_held)
		return;
	pool->current = pool->successor;
	pool->successor = NULL;
}

/* One that is neither current nor to come any more. */
static void
retire(struct pool *pool, const struct generation *generation)
{
	if (pool->successor == generation)
		pool->successor = NULL;
	if (pool->current == generation) {
		pool->current = NULL;
		succeed(pool);
	}
}

void
pool_attach(struct pool *pool, const struct msg_attach *attach, const int *fds, unsigned fds_count)
{
	struct generation *generation = generation_open(pool, attach, fds, fds_count);

	if (generation == NULL) {
		log_event(LOG_ERROR, "out of memory for a generation", "pool=%s",
			  pool->config->name);
		supervisor_link_send_generation(MSG_DETACHED, pool->index, attach->generation);
		return;
	}
	LIST_INSERT_HEAD(&pool->generations, generation, link);
	if (pool->successor != NULL)
		generation_drain(pool->successor);
	pool->successor = generation;
	if (pool->current == NULL)
		succeed(pool);
	pool_on_ready(pool);
}

void
pool_on_attached(struct pool *pool, struct generation *generation)
{
	if (generation == pool->successor)
		succeed(pool);
}

static struct generation *
find_generation(const struct pool *pool, uint32_t number)
{
	struct generation *generation;

	LIST_FOREACH (generation, &pool->generations, link)
		if (generation->number == number)
			return generation;
	return NULL;
}

void
pool_go(struct pool *pool, uint32_t number)
{
	struct generation *generation = find_generation(pool, number);

	if (generation == NULL || !generation->is_held)
		return;
	generation_release(generation);
	if (pool->current == NULL)
		succeed(pool);
	pool_on_ready(pool);
}

void
pool_detach(struct pool *pool, uint32_t number)
{
	struct generation *generation = find_generation(pool, number);

	if (generation != NULL) {
		retire(pool, generation);
		generation_drain(generation);
	}
	pool_on_ready(pool);
}

void
pool_on_generation_gone(struct pool *pool, struct generation *generation)
{
	retire(pool, generation);
	LIST_REMOVE(generation, link);
	generation_close(generation);
	pool_on_ready(pool);
}

/* ---- counters ---- */

static void
tell_breaker(struct pool *pool, enum outcome outcome, bool probe)
{
	const struct breaker_rule rule = { pool->config->breaker_crashes,
					   pool->config->breaker_window_ms };
	const uint64_t now = front_now_ns();

	switch (breaker_end(&pool->breaker, &rule, outcome, probe, now)) {
	case BREAKER_HAS_OPENED:
		log_event(LOG_ERROR, "breaker open", "pool=%s crashes=%u within_ms=%u",
			  pool->config->name, rule.crashes, rule.window_ms);
		break;
	case BREAKER_HAS_CLOSED:
		log_event(LOG_INFO, "breaker closed", "pool=%s after_ms=%llu", pool->config->name,
			  (unsigned long long)(now - pool->breaker.opened_ns) / 1000000);
		break;
	case BREAKER_SAME:
		break;
	}
}

void
pool_count_outcome(struct pool *pool, enum outcome outcome, bool probe)
{
	pool->stats.outcomes[outcome]++;
	front_count_outcome(pool->front, outcome);
	if (probe || breaker_is_crash(outcome))
		tell_breaker(pool, outcome, probe);
}

void
pool_stats(const struct pool *pool, struct msg_stats *stats_out)
{
	const struct admission view = look(pool, pool->current);

	*stats_out = pool->stats;
	msg_init(stats_out, MSG_STATS);
	stats_out->pool = pool->index;
	stats_out->generation = pool->current != NULL ? pool->current->number : 0;
	stats_out->spare = view.parked;
	stats_out->busy = view.busy;
	stats_out->starting = view.starting;
	stats_out->dying = view.dying;
	stats_out->queued = view.queued;
	stats_out->draining = view.elsewhere;
	stats_out->breaker = pool->breaker.state;
	stats_out->breaker_opened = pool->breaker.opened;
	prefault_stats(pool, stats_out);
	if (pool->successor != NULL)
		stats_out->starting += generation_children(pool->successor);
}

void
pool_stats_times(const struct pool *pool, struct msg_stats_times *times_out)
{
	*times_out = pool->times;
	msg_init(times_out, MSG_STATS_TIMES);
	times_out->pool = pool->index;
}
