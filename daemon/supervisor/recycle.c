/*
 * When a pool is recycled, and what its operator is told.
 *
 * Runs in: supervisor. The front may wish for a recycle, no more: it parses the network, so wishes
 * are limited in rate. The rule: at most one recycle of a pool at a time, and a refusal or failure
 * leaves the serving generation as it was.
 */
#include "supervisor/recycle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <event2/event.h>

#include "base/log.h"
#include "supervisor/available.h"
#include "supervisor/clock.h"
#include "supervisor/config.h"
#include "supervisor/reload.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_proc.h"

/* Less than a control connection has for an answer. */
#define ANSWER_MS 12000

#define REFUSAL_MAX 160

/* ---- timers ---- */

static void
set_timer(struct event *timer, uint32_t ms)
{
	const struct timeval timeout = clock_timeval(ms);

	if (evtimer_add(timer, &timeout) < 0)
		die("out of memory");
}

/* Up to a tenth earlier than configured, so that pools and machines that started together do not
 * load at the same time for ever. */
static uint32_t
age_ms(uint32_t after_ms)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		return after_ms;
	return after_ms - random % (after_ms / 10 + 1);
}

static void
set_age_timer(struct zygote_pool *pool)
{
	const uint32_t after_ms = pool->config->recycle_after_ms;

	evtimer_del(pool->recycle.timer);
	if (after_ms > 0 && pool->supervisor->state == SUPERVISOR_RUNNING)
		set_timer(pool->recycle.timer, age_ms(after_ms));
}

/* ---- start and end ---- */

/* Both generations are there for a while. Without a figure nothing is refused. */
static bool
has_memory(const struct zygote_pool *pool, char error[REFUSAL_MAX])
{
	const uint64_t needed = pool->serving->ready.state_bytes;
	uint64_t available;

	if (available_bytes(&available) < 0 || needed <= available)
		return true;
	snprintf(error, REFUSAL_MAX,
		 "not enough memory for a second generation: state_bytes=%llu available_bytes=%llu",
		 (unsigned long long)needed, (unsigned long long)available);
	return false;
}

static bool
may_start(const struct zygote_pool *pool, char error[REFUSAL_MAX])
{
	const char *text = NULL;

	if (pool->supervisor->state != SUPERVISOR_RUNNING)
		text = "the daemon is stopping";
	else if (pool->recycle.running != RECYCLE_NONE)
		text = "the pool is being recycled";
	else if (reload_is_running(pool->supervisor))
		text = "a reload is in progress";
	else if (pool->serving == NULL)
		text = "the pool is not serving";
	if (text == NULL)
		return has_memory(pool, error);
	snprintf(error, REFUSAL_MAX, "%s", text);
	return false;
}

static bool
start(struct zygote_pool *pool, enum recycle_reason reason, char error[REFUSAL_MAX])
{
	struct recycle *recycle = &pool->recycle;
	uint32_t number = 0;

	if (may_start(pool, error)) {
		number = zygote_proc_start_beside(pool);
		if (number == 0)
			snprintf(error, REFUSAL_MAX, "%s",
				 errno == EAGAIN ? "earlier generations still drain; try again"
						 : strerror(errno));
	}
	if (number == 0) {
		log_event(LOG_WARNING, "recycle refused", "pool=%s reason=%s error=\"%s\"",
			  pool->config->front.name, proto_recycle_name(reason), error);
		return false;
	}
	recycle->running = reason;
	recycle->previous = pool->serving->number;
	recycle->number = number;
	recycle->started_ms = clock_ms();
	return true;
}

static void
answer(struct zygote_pool *pool, const char *error)
{
	recycle_done_fn *done = pool->recycle.done;

	evtimer_del(pool->recycle.answer_timer);
	pool->recycle.done = NULL;
	if (done != NULL)
		done(pool->recycle.owner, pool, error);
}

static void
on_answer_timer(evutil_socket_t fd, short what, void *context)
{
	struct zygote_pool *pool = context;

	(void)fd;
	(void)what;
	answer(pool, "the new generation is still loading; the command pools will show it");
}

void
recycle_by_hand(struct zygote_pool *pool, recycle_done_fn *done, void *owner)
{
	char error[REFUSAL_MAX];

	if (!start(pool, RECYCLE_MANUAL, error)) {
		done(owner, pool, error);
		return;
	}
	pool->recycle.done = done;
	pool->recycle.owner = owner;
	set_timer(pool->recycle.answer_timer, ANSWER_MS);
}

/* ---- by itself ---- */

static void
attempt(struct zygote_pool *pool)
{
	struct recycle *recycle = &pool->recycle;
	const uint64_t now_ms = clock_ms();
	const uint32_t wait_ms = recycle_limit_wait(&recycle->limit, now_ms);
	char error[REFUSAL_MAX];

	if (wait_ms > 0) {
		log_event(LOG_INFO, "recycle postponed", "pool=%s reason=%s in_ms=%u",
			  pool->config->front.name, proto_recycle_name(recycle->wanted), wait_ms);
	} else {
		recycle_limit_note(&recycle->limit, now_ms,
				   recycle->wanted == RECYCLE_FAULTS || recycle->is_failing);
		if (start(pool, recycle->wanted, error))
			return;
		recycle->is_failing = true;
	}
	set_timer(recycle->timer, recycle_limit_wait(&recycle->limit, now_ms));
}

/* One that is in progress may fail: then there is the next attempt. */
static void
want(struct zygote_pool *pool, enum recycle_reason reason)
{
	if (pool->serving == NULL || pool->supervisor->state != SUPERVISOR_RUNNING)
		return;
	pool->recycle.wanted = reason;
	if (pool->recycle.running == RECYCLE_NONE)
		attempt(pool);
}

static void
on_timer(evutil_socket_t fd, short what, void *context)
{
	struct zygote_pool *pool = context;
	const enum recycle_reason wanted = pool->recycle.wanted;

	(void)fd;
	(void)what;
	want(pool, wanted != RECYCLE_NONE ? wanted : RECYCLE_AGE);
}

void
recycle_on_wanted(struct supervisor *supervisor, const struct msg_recycle *message)
{
	const bool is_known =
		message->reason == RECYCLE_REQUESTS || message->reason == RECYCLE_FAULTS;

	if (message->pool >= supervisor->config->pools_count || !is_known)
		return;
	struct zygote_pool *pool = &supervisor->pools[message->pool];
	if (pool->serving != NULL && pool->serving->number == message->generation)
		want(pool, (enum recycle_reason)message->reason);
}

/* ---- what becomes of generations ---- */

static bool
is_ours(const struct zygote_generation *generation)
{
	const struct recycle *recycle = &generation->pool->recycle;

	return recycle->running != RECYCLE_NONE && recycle->number == generation->number;
}

void
recycle_on_serving(struct zygote_generation *generation)
{
	struct zygote_pool *pool = generation->pool;
	struct recycle *recycle = &pool->recycle;

	recycle->wanted = RECYCLE_NONE;
	set_age_timer(pool);
	if (!is_ours(generation))
		return;
	recycle->last = recycle->running;
	recycle->running = RECYCLE_NONE;
	recycle->is_failing = false;
	recycle->count++;
	log_event(LOG_INFO, "pool recycled",
		  "pool=%s reason=%s from=%u to=%u load_ms=%llu took_ms=%llu",
		  pool->config->front.name, proto_recycle_name(recycle->last), recycle->previous,
		  recycle->number, (unsigned long long)generation->ready.load_us / 1000,
		  (unsigned long long)(clock_ms() - recycle->started_ms));
	answer(pool, NULL);
}

void
recycle_on_failed(struct zygote_generation *generation)
{
	struct zygote_pool *pool = generation->pool;
	struct recycle *recycle = &pool->recycle;

	if (!is_ours(generation))
		return;
	log_event(LOG_WARNING, "recycle failed", "pool=%s reason=%s from=%u to=%u error=\"%s\"",
		  pool->config->front.name, proto_recycle_name(recycle->running), recycle->previous,
		  recycle->number, pool->error);
	if (recycle->wanted == RECYCLE_NONE && recycle->running != RECYCLE_MANUAL)
		recycle->wanted = recycle->running;
	recycle->running = RECYCLE_NONE;
	recycle->is_failing = true;
	if (recycle->wanted != RECYCLE_NONE)
		set_timer(recycle->timer, recycle_limit_wait(&recycle->limit, clock_ms()));
	answer(pool, pool->error);
}

/* ---- life ---- */

int
recycle_init(struct zygote_pool *pool)
{
	struct event_base *base = pool->supervisor->base;

	pool->recycle.timer = evtimer_new(base, on_timer, pool);
	pool->recycle.answer_timer = evtimer_new(base, on_answer_timer, pool);
	return pool->recycle.timer != NULL && pool->recycle.answer_timer != NULL ? 0 : -1;
}

void
recycle_fini(struct zygote_pool *pool)
{
	if (pool->recycle.timer != NULL)
		event_free(pool->recycle.timer);
	if (pool->recycle.answer_timer != NULL)
		event_free(pool->recycle.answer_timer);
}

void
recycle_on_configured(struct zygote_pool *pool)
{
	if (pool->serving != NULL && pool->recycle.wanted == RECYCLE_NONE)
		set_age_timer(pool);
}

void
recycle_stop(struct zygote_pool *pool)
{
	evtimer_del(pool->recycle.timer);
	pool->recycle.wanted = RECYCLE_NONE;
	answer(pool,
	       pool->phase == POOL_REMOVED ? "the pool is removed" : "the daemon is stopping");
}
