/*
 * The course of a reload:
 *
 *	IDLE -> LOADING -> SWITCHING -> IDLE
 *	           |
 *	           +-> IDLE, and nothing has changed
 *
 * LOADING: new generations load and park their first child, held; new pools have a place without
 * routes. SWITCHING: the configuration is in effect; each new generation takes over from the old
 * one, which drains. Runs in: supervisor.
 */
#include "supervisor/reload_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "supervisor/clock.h"
#include "supervisor/front_proc.h"
#include "supervisor/fronts.h"
#include "supervisor/service_manager.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_generation.h"

/* ---- the end ---- */

static void
finish(struct reload *reload, const char *error)
{
	const struct reload_result result = { .error = error,
					      .plan = &reload->plan,
					      .tls = reload->supervisor->tls,
					      .took_ms = clock_ms() - reload->started_ms };
	reload_done_fn *done = reload->done;

	reload->phase = RELOAD_IDLE;
	reload->done = NULL;
	memset(reload->numbers, 0, sizeof(reload->numbers));
	if (error != NULL)
		log_event(LOG_ERROR, "reload failed", "took_ms=%" PRIu64 " error=\"%s\"",
			  result.took_ms, error);
	else
		log_event(LOG_INFO, "reloaded", "took_ms=%" PRIu64, result.took_ms);
	service_manager_on_reloaded(reload->supervisor->service, error);
	if (done != NULL)
		done(reload->owner, &result);
}

static void
close_new_listeners(struct reload *reload)
{
	for (unsigned i = 0; i < PROTO_LISTENERS_MAX; i++) {
		if (reload->listener_fds[i] < 0)
			continue;
		listeners_remove_file(&reload->next->listeners[i], &reload->files[i]);
		close(reload->listener_fds[i]);
		reload->listener_fds[i] = -1;
	}
}

static void
discard_generations(struct reload *reload)
{
	for (unsigned i = 0; i < PROTO_POOLS_MAX; i++) {
		struct zygote_pool *pool = &reload->supervisor->pools[i];
		struct zygote_generation *generation =
			reload->numbers[i] != 0 ? zygote_generation_find(pool, reload->numbers[i])
						: NULL;
		reload->numbers[i] = 0;
		if (generation != NULL)
			zygote_generation_drain(generation);
		if (pool->phase == POOL_STAGED)
			zygote_proc_remove(pool);
	}
}

/* Back to what was. `error` may be reload->error. */
static void
abandon(struct reload *reload, const char *error)
{
	char text[RELOAD_ERROR_MAX];

	snprintf(text, sizeof(text), "%s", error);
	reload->phase = RELOAD_IDLE; /* what happens to generations from here on is no news */
	close_new_listeners(reload);
	discard_generations(reload);
	reload_drop_files(reload);
	finish(reload, text);
}

/* ---- the switch ---- */

static bool
is_waiting(const struct reload *reload)
{
	if (reload->fronts != 0)
		return true;
	for (unsigned i = 0; i < PROTO_POOLS_MAX; i++)
		if (reload->numbers[i] != 0)
			return true;
	return false;
}

static void
finish_if_done(struct reload *reload)
{
	if (reload->phase == RELOAD_SWITCHING && !is_waiting(reload))
		finish(reload, reload->has_failed ? reload->error : NULL);
}

/* A generation may serve within the call, and the last one ends the reload. */
static void
release_generations(struct reload *reload)
{
	uint32_t numbers[PROTO_POOLS_MAX];

	memcpy(numbers, reload->numbers, sizeof(numbers));
	for (unsigned i = 0; i < PROTO_POOLS_MAX; i++) {
		struct zygote_generation *generation =
			numbers[i] == 0
				? NULL
				: zygote_generation_find(&reload->supervisor->pools[i], numbers[i]);
		if (generation != NULL)
			zygote_generation_go(generation);
	}
}

static void
commit(struct reload *reload)
{
	struct supervisor *supervisor = reload->supervisor;

	reload->phase = RELOAD_SWITCHING;
	reload_apply(reload);
	reload->fronts = fronts_reconfigure(supervisor, ++reload->cookie, reload->plan.opens);
	release_generations(reload);
	finish_if_done(reload);
}

/* ---- generations ---- */

static bool
is_ours(const struct reload *reload, const struct zygote_generation *generation)
{
	return reload != NULL && reload->phase != RELOAD_IDLE &&
	       reload->numbers[generation->pool->index] == generation->number;
}

void
reload_on_held(struct zygote_generation *generation)
{
	struct reload *reload = generation->pool->supervisor->reload;

	if (!is_ours(reload, generation) || reload->phase != RELOAD_LOADING)
		return;
	reload->is_held[generation->pool->index] = true;
	for (unsigned i = 0; i < PROTO_POOLS_MAX; i++)
		if (reload->numbers[i] != 0 && !reload->is_held[i])
			return;
	commit(reload);
}

void
reload_on_serving(struct zygote_generation *generation)
{
	struct reload *reload = generation->pool->supervisor->reload;

	if (!is_ours(reload, generation))
		return;
	reload->numbers[generation->pool->index] = 0;
	log_event(LOG_INFO, "pool reloaded", "pool=%s generation=%u",
		  generation->pool->config->front.name, generation->number);
	finish_if_done(reload);
}

void
reload_on_reconfigured(const struct front_proc *front, uint64_t cookie)
{
	struct reload *reload = front->supervisor->reload;

	if (cookie != reload->cookie)
		return;
	reload->fronts &= ~(1u << front->index);
	finish_if_done(reload);
}

void
reload_on_failed(struct zygote_generation *generation)
{
	struct zygote_pool *pool = generation->pool;
	struct reload *reload = pool->supervisor->reload;

	if (!is_ours(reload, generation))
		return;
	snprintf(reload->error, sizeof(reload->error), "pool \"%s\": %s", pool->config->front.name,
		 pool->error);
	reload->numbers[pool->index] = 0;
	reload->has_failed = true;
	if (reload->phase == RELOAD_LOADING)
		abandon(reload, reload->error);
	else
		finish_if_done(reload);
}

void
reload_on_front_lost(const struct front_proc *front)
{
	struct reload *reload = front->supervisor->reload;

	if (reload->phase == RELOAD_LOADING)
		abandon(reload, "a front died meanwhile; try again");
	reload->fronts &= ~(1u << front->index); /* the next one starts with it */
	finish_if_done(reload);
}

/* ---- the start ---- */

/* New pools get their place in the front too, so that they can be tried before anybody asks them. */
static void
stage_pools(struct reload *reload)
{
	static const bool no_listeners[PROTO_LISTENERS_MAX];
	struct supervisor *supervisor = reload->supervisor;
	bool is_any = false;

	for (uint32_t i = 0; i < PROTO_POOLS_MAX; i++) {
		if (reload->plan.pools[i] != POOL_ADDED)
			continue;
		supervisor->config->pools[i] = reload->next->pools[i];
		if (supervisor->config->pools_count <= i)
			supervisor->config->pools_count = i + 1;
		zygote_proc_stage(&supervisor->pools[i]);
		is_any = true;
	}
	if (is_any)
		(void)fronts_reconfigure(supervisor, 0, no_listeners);
}

static int
start_generations(struct reload *reload)
{
	for (unsigned i = 0; i < PROTO_POOLS_MAX; i++) {
		struct zygote_pool *pool = &reload->supervisor->pools[i];
		const enum pool_change change = reload->plan.pools[i];
		if (change != POOL_GENERATION && change != POOL_ADDED)
			continue;
		reload->is_held[i] = false;
		reload->numbers[i] = zygote_proc_start_held(pool, &reload->next->pools[i]);
		if (reload->numbers[i] != 0)
			continue;
		snprintf(reload->error, sizeof(reload->error), "pool \"%s\": %s",
			 pool->config->front.name,
			 errno == EAGAIN ? "earlier generations still drain; try again"
					 : strerror(errno));
		return -1;
	}
	return 0;
}

static const char *
reason_to_refuse(const struct supervisor *supervisor)
{
	if (supervisor->state != SUPERVISOR_RUNNING)
		return "the daemon is stopping";
	if (supervisor->reload->phase != RELOAD_IDLE)
		return "another reload is in progress";
	if (!fronts_are_serving(supervisor))
		return "no front is running; try again";
	return NULL;
}

void
reload_start(struct reload *reload, const char *pool, bool is_all, reload_done_fn *done,
	     void *owner)
{
	const char *refusal = reason_to_refuse(reload->supervisor);

	if (refusal != NULL) {
		const struct reload_result result = { .error = refusal };
		log_event(LOG_WARNING, "reload refused", "error=\"%s\"", refusal);
		if (done != NULL)
			done(owner, &result);
		return;
	}
	reload->started_ms = clock_ms();
	reload->done = done;
	reload->owner = owner;
	memset(&reload->plan, 0, sizeof(reload->plan));
	reload->has_failed = false;
	reload->phase = RELOAD_LOADING;
	log_event(LOG_INFO, "reload", "file=%s", reload->supervisor->config->file);
	service_manager_on_reloading(reload->supervisor->service);
	if (reload_prepare(reload, pool, is_all) < 0) {
		abandon(reload, reload->error);
		return;
	}
	stage_pools(reload);
	if (start_generations(reload) < 0)
		abandon(reload, reload->error);
	else if (!is_waiting(reload))
		commit(reload);
}

void
reload_answer_now(struct reload *reload, const void *owner)
{
	const struct reload_result result = { .plan = &reload->plan,
					      .tls = reload->supervisor->tls,
					      .took_ms = clock_ms() - reload->started_ms };
	reload_done_fn *done = reload->done;

	if (reload->phase != RELOAD_LOADING || reload->owner != owner || done == NULL)
		return;
	reload->done = NULL;
	done(reload->owner, &result);
}

/* ---- life ---- */

bool
reload_is_running(const struct supervisor *supervisor)
{
	return supervisor->reload->phase != RELOAD_IDLE;
}

struct reload *
reload_new(struct supervisor *supervisor)
{
	struct reload *reload = calloc(1, sizeof(*reload));

	if (reload == NULL)
		return NULL;
	reload->supervisor = supervisor;
	for (unsigned i = 0; i < PROTO_LISTENERS_MAX; i++)
		reload->listener_fds[i] = -1;
	return reload;
}

void
reload_free(struct reload *reload)
{
	if (reload == NULL)
		return;
	close_new_listeners(reload);
	reload_drop_files(reload);
	free(reload);
}

void
reload_stop(struct reload *reload)
{
	if (reload->phase == RELOAD_LOADING)
		abandon(reload, "the daemon is stopping");
	else if (reload->phase == RELOAD_SWITCHING)
		finish(reload, "the daemon is stopping");
}
