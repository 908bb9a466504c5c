/*
 * Pools: each has a zygote that serves, or one that is on its way.
 *
 * Runs in: supervisor. What a generation goes through is in zygote_generation.c. The rule: a start
 * that fails and a zygote that dies are followed by the next try, with back-off, as long as the
 * daemon runs.
 */
#include "supervisor/zygote_proc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/log.h"
#include "supervisor/clock.h"
#include "supervisor/config.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_generation.h"

static void
restart_later(struct zygote_pool *pool, uint64_t healthy_ms)
{
	const uint32_t delay_ms = backoff_next(&pool->backoff, healthy_ms);
	const struct timeval timeout = clock_timeval(delay_ms);

	log_event(LOG_INFO, "zygote restart", "pool=%s in_ms=%u", pool->config->front.name,
		  delay_ms);
	if (evtimer_add(pool->timer, &timeout) < 0)
		die("out of memory");
}

static void
start_pool(struct zygote_pool *pool)
{
	if (zygote_generation_start(pool, pool->config, false) != 0)
		return;
	snprintf(pool->error, sizeof(pool->error), "cannot be started: %s", strerror(errno));
	log_event(LOG_ERROR, "zygote not started", "pool=%s error=\"%s\"", pool->config->front.name,
		  strerror(errno));
	restart_later(pool, 0);
}

static bool
has_room(const struct zygote_pool *pool)
{
	const struct zygote_generation *generation;
	unsigned count = 0;

	LIST_FOREACH (generation, &pool->generations, link)
		count++;
	if (count < GENERATIONS_MAX)
		return true;
	errno = EAGAIN;
	return false;
}

uint32_t
zygote_proc_start_beside(struct zygote_pool *pool)
{
	return has_room(pool) ? zygote_generation_start(pool, pool->config, false) : 0;
}

uint32_t
zygote_proc_start_held(struct zygote_pool *pool, const struct config_pool *config)
{
	return has_room(pool) ? zygote_generation_start(pool, config, true) : 0;
}

/* ---- pools that come and go ---- */

void
zygote_proc_stage(struct zygote_pool *pool)
{
	pool->phase = POOL_STAGED;
	pool->error[0] = '\0';
	pool->restarts = 0;
	pool->backoff = (struct backoff){ 0 };
	pool->recycle.count = 0;
	pool->recycle.last = RECYCLE_NONE;
}

static void
free_if_gone(struct zygote_pool *pool)
{
	if (pool->phase != POOL_REMOVED || !LIST_EMPTY(&pool->generations) ||
	    evtimer_pending(pool->timer, NULL))
		return;
	log_event(LOG_INFO, "pool removed", "pool=%s", pool->config->front.name);
	pool->phase = POOL_FREE;
}

/* Nobody waits in the front's queue any more. */
static void
drain_removed(struct zygote_pool *pool)
{
	struct zygote_generation *generation;

	LIST_FOREACH (generation, &pool->generations, link)
		zygote_generation_drain(generation);
	free_if_gone(pool);
}

void
zygote_proc_remove(struct zygote_pool *pool)
{
	const struct timeval wait = clock_timeval(pool->config->front.queue_timeout_ms + 1000);

	pool->phase = POOL_REMOVED;
	recycle_stop(pool);
	if (evtimer_add(pool->timer, &wait) < 0)
		die("out of memory");
}

static void
on_timer(evutil_socket_t fd, short what, void *context)
{
	struct zygote_pool *pool = context;

	(void)fd;
	(void)what;
	if (pool->phase == POOL_REMOVED) {
		drain_removed(pool);
		return;
	}
	pool->restarts++;
	start_pool(pool);
}

int
zygote_proc_init(struct supervisor *supervisor)
{
	supervisor->pools = calloc(PROTO_POOLS_MAX, sizeof(*supervisor->pools));
	if (supervisor->pools == NULL)
		return -1;
	for (uint32_t i = 0; i < PROTO_POOLS_MAX; i++) {
		struct zygote_pool *pool = &supervisor->pools[i];
		pool->supervisor = supervisor;
		pool->index = i;
		pool->phase = i < supervisor->config->pools_count ? POOL_LIVE : POOL_FREE;
		pool->config = &supervisor->config->pools[i];
		LIST_INIT(&pool->generations);
		pool->timer = evtimer_new(supervisor->base, on_timer, pool);
		if (pool->timer == NULL || recycle_init(pool) < 0)
			return -1;
	}
	return 0;
}

static void
free_generations(struct zygote_pool *pool)
{
	struct zygote_generation *generation = LIST_FIRST(&pool->generations);

	while (generation != NULL) {
		struct zygote_generation *next = LIST_NEXT(generation, link);
		zygote_generation_free(generation);
		generation = next;
	}
}

void
zygote_proc_fini(struct supervisor *supervisor)
{
	if (supervisor->pools == NULL)
		return;
	for (uint32_t i = 0; i < PROTO_POOLS_MAX; i++) {
		struct zygote_pool *pool = &supervisor->pools[i];
		free_generations(pool);
		if (pool->timer != NULL)
			event_free(pool->timer);
		recycle_fini(pool);
	}
	free(supervisor->pools);
	supervisor->pools = NULL;
}

void
zygote_proc_start_all(struct supervisor *supervisor)
{
	for (struct zygote_pool *pool = NULL; (pool = zygote_proc_next(supervisor, pool)) != NULL;)
		start_pool(pool);
}

/* Sees to it that the pool has a zygote that serves or will; `healthy_ms` is of the last one. */
static void
replace(struct zygote_pool *pool, uint64_t healthy_ms)
{
	struct zygote_generation *standby = zygote_proc_find_state(pool, GENERATION_STANDBY);

	if (pool->serving != NULL)
		return;
	if (standby != NULL)
		zygote_generation_serve(standby);
	else if (zygote_proc_find_state(pool, GENERATION_LOADING) == NULL &&
		 !evtimer_pending(pool->timer, NULL))
		restart_later(pool, healthy_ms);
}

bool
zygote_proc_on_exit(struct supervisor *supervisor, pid_t pid, int status)
{
	struct zygote_generation *generation = zygote_proc_find_process(supervisor, pid);

	if (generation == NULL)
		return false;
	struct zygote_pool *pool = generation->pool;
	const uint64_t healthy_ms =
		generation->ready_ms != 0 ? clock_ms() - generation->ready_ms : 0;
	zygote_generation_on_exit(generation, status);
	zygote_generation_free(generation);
	free_if_gone(pool);
	if (supervisor->state == SUPERVISOR_RUNNING && pool->phase == POOL_LIVE)
		replace(pool, healthy_ms);
	else if (supervisor->state != SUPERVISOR_RUNNING)
		supervisor_on_gone(supervisor);
	return true;
}

void
zygote_proc_stop_restarts(struct supervisor *supervisor)
{
	for (struct zygote_pool *pool = NULL;
	     (pool = zygote_proc_next(supervisor, pool)) != NULL;) {
		evtimer_del(pool->timer);
		recycle_stop(pool);
	}
}

void
zygote_proc_end_all(struct supervisor *supervisor)
{
	struct zygote_generation *generation;

	for (struct zygote_pool *pool = NULL; (pool = zygote_proc_next(supervisor, pool)) != NULL;)
		LIST_FOREACH (generation, &pool->generations, link)
			zygote_generation_end(generation);
}
