/*
 * The life of one generation.
 *
 *	LOADING -> SERVING -> ENDING -> (reaped, freed)
 *
 * and beside one that serves:
 *
 *	LOADING -> STANDBY -> SERVING, and then the one before: SERVING -> DRAINING -> ENDING
 *
 * Runs in: supervisor. A zygote is trusted before its lock-down and is the ancestor of hostile code
 * afterwards: its messages are taken only in the state that they belong to. The state changes in
 * set_state and nowhere else.
 */
#include "supervisor/zygote_generation_parts.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "supervisor/clock.h"
#include "supervisor/config.h"
#include "supervisor/memory_watch.h"
#include "supervisor/policy_log.h"
#include "supervisor/prefault.h"
#include "supervisor/sampler.h"
#include "supervisor/reload.h"
#include "supervisor/service_manager.h"
#include "supervisor/supervisor.h"
#include "supervisor/survey.h"
#include "supervisor/zygote_link.h"
#include "supervisor/zygote_proc.h"
#include "supervisor/zygote_start.h"

/* A generation that is to take over is given up when it takes longer to load. */
#define LOAD_MS 600000
/* Beyond the pool's `timeout`, which bounds how long children are busy. */
#define GRACE_MS 10000

/* ---- states ---- */

/* How long a state may last; 0: as long as it likes. */
static uint64_t
bound_ms(const struct zygote_generation *generation)
{
	switch (generation->state) {
	case GENERATION_LOADING:
		return generation->pool->serving != NULL || generation->is_held ? LOAD_MS : 0;
	case GENERATION_STANDBY:
		if (generation->is_held)
			return LOAD_MS; /* the others of its reload may take that long */
		__attribute__((fallthrough));
	case GENERATION_DRAINING:
		return (uint64_t)generation->pool->config->front.timeout_ms + GRACE_MS;
	default:
		return 0;
	}
}

static void
set_bound(struct zygote_generation *generation)
{
	const uint64_t ms = bound_ms(generation);
	const struct timeval timeout = clock_timeval((uint32_t)ms);

	evtimer_del(generation->bound);
	if (ms > 0 && evtimer_add(generation->bound, &timeout) < 0)
		die("out of memory");
}

static void
set_state(struct zygote_generation *generation, enum generation_state state)
{
	struct zygote_pool *pool = generation->pool;
	const bool was_to_come = generation->state < GENERATION_SERVING;

	generation->state = state;
	set_bound(generation);
	if (state == GENERATION_SERVING) {
		pool->serving = generation;
		pool->error[0] = '\0';
		recycle_on_serving(generation);
		reload_on_serving(generation);
		service_manager_on_ready(pool->supervisor->service);
		return;
	}
	if (pool->serving == generation)
		pool->serving = NULL;
	if (was_to_come && state > GENERATION_SERVING) {
		recycle_on_failed(generation);
		reload_on_failed(generation);
	}
}

void
zygote_generation_discharge(struct zygote_generation *generation)
{
	generation->is_discharged = true;
	set_state(generation, GENERATION_ENDING);
	spawn_kill(&generation->process, SIGKILL);
}

void
zygote_generation_take_over(struct zygote_generation *generation)
{
	struct zygote_generation *old = generation->pool->serving;

	if (old != NULL && old->given != 0)
		set_state(old, GENERATION_DRAINING);
	else if (old != NULL)
		zygote_generation_discharge(old);
	set_state(generation, GENERATION_SERVING);
}

/* It will not take over. */
static void
give_up(struct zygote_generation *generation, const char *why)
{
	struct zygote_pool *pool = generation->pool;

	snprintf(pool->error, sizeof(pool->error), "%s", why);
	zygote_generation_discharge(generation);
}

void
zygote_generation_give_up_standby(struct zygote_generation *generation, const char *why)
{
	struct zygote_pool *pool = generation->pool;

	if (!zygote_link_detach(generation)) {
		give_up(generation, why);
	} else {
		snprintf(pool->error, sizeof(pool->error), "%s", why);
		set_state(generation, GENERATION_DRAINING);
	}
	/* Some fronts may have moved to it, and have left the one that serves. */
	if (pool->serving != NULL)
		zygote_link_attach(pool->serving);
}

static void
on_bound(evutil_socket_t fd, short what, void *context)
{
	struct zygote_generation *generation = context;

	(void)fd;
	(void)what;
	switch (generation->state) {
	case GENERATION_LOADING:
		give_up(generation, "not loaded within 10 minutes");
		break;
	case GENERATION_STANDBY:
		zygote_generation_give_up_standby(generation,
						  "no child of it could be parked in time");
		break;
	case GENERATION_DRAINING:
		log_event(LOG_WARNING, "generation did not drain in time", "pool=%s generation=%u",
			  generation->pool->config->front.name, generation->number);
		zygote_generation_discharge(generation);
		break;
	default:
		bug("a state without a bound");
	}
}

/* ---- messages of the zygote ---- */

/*
 * Without another one it serves at once. One that no front uses need not be waited for either: it
 * has no children.
 */
static void
on_ready(struct zygote_generation *generation, const struct msg_zygote_ready *message)
{
	const struct zygote_generation *old = generation->pool->serving;

	if (generation->state != GENERATION_LOADING)
		return;
	zygote_start_on_ready(generation, message);
	if (generation->is_held || (old != NULL && old->given != 0))
		set_state(generation, GENERATION_STANDBY);
	else
		zygote_generation_take_over(generation);
	zygote_link_attach(generation);
}

/* The text may hold what a worker found in a file: only its printable part goes on. */
static void
on_failed(struct zygote_generation *generation, const struct msg_zygote_failed *message)
{
	struct zygote_pool *pool = generation->pool;
	const size_t length = strnlen(message->text, sizeof(message->text));

	if (generation->state != GENERATION_LOADING)
		return;
	log_escape(message->text, length, pool->error, sizeof(pool->error));
	set_state(generation, GENERATION_ENDING);
	if (pool->serving != NULL || generation->is_held)
		return; /* which goes on, whatever the new one lacks */
	log_event(LOG_ERROR, "pool failed", "pool=%s generation=%u error=\"%s\"",
		  pool->config->front.name, generation->number, pool->error);
	service_manager_on_pool_failed(pool->supervisor->service, pool->config->front.name,
				       pool->error);
	if (message->exit_code == ZY_EXIT_LAYER)
		supervisor_fail(pool->supervisor, "a layer that `require` names is not available");
	/* Later, after a zygote has died, another try may be better than none of the pools. */
	if (message->exit_code == ZY_EXIT_SELFTEST &&
	    !service_manager_is_ready(pool->supervisor->service))
		supervisor_fail(pool->supervisor, "a pool did not pass its self-test");
}

static void
on_message(void *owner, struct msg_buffer *buffer)
{
	struct zygote_generation *generation = owner;
	const struct msg_header *header = (const void *)buffer->bytes;

	switch (header->type) {
	case MSG_ZYGOTE_READY:
		on_ready(generation, (const void *)buffer->bytes);
		break;
	case MSG_ZYGOTE_FAILED:
		on_failed(generation, (const void *)buffer->bytes);
		break;
	case MSG_SANDBOX_LISTENER:
		policy_log_listen(generation, buffer);
		break;
	case MSG_HEALTHY:
		service_manager_on_healthy(generation, (const void *)buffer->bytes);
		break;
	case MSG_PROBED:
		survey_on_probed(generation, buffer);
		break;
	case MSG_REGION:
		survey_on_region(generation, (const void *)buffer->bytes);
		break;
	case MSG_SAMPLE:
		sampler_on_sample(generation, buffer);
		break;
	default:
		log_event(LOG_WARNING, "unexpected message from a zygote", "pool=%s type=%u",
			  generation->pool->config->front.name, header->type);
		spawn_kill(&generation->process, SIGKILL);
	}
}

/* Dead or of no more use; SIGCHLD tells the rest. One that is leaving keeps its exit code all the
 * same. */
static void
on_closed(void *owner)
{
	struct zygote_generation *generation = owner;

	spawn_kill(&generation->process, SIGKILL);
}

/* ---- start and end ---- */

void
zygote_generation_free(struct zygote_generation *generation)
{
	LIST_REMOVE(generation, link);
	sampler_forget(generation);
	prefault_forget(generation);
	survey_forget(generation);
	memory_watch_forget(generation);
	channel_close(&generation->channel);
	spawn_forget(&generation->process);
	for (unsigned i = 0; i < PROTO_FRONTS_MAX * PROTO_ZYGOTES_MAX; i++)
		if (generation->front_fds[i / PROTO_ZYGOTES_MAX][i % PROTO_ZYGOTES_MAX] >= 0)
			close(generation->front_fds[i / PROTO_ZYGOTES_MAX][i % PROTO_ZYGOTES_MAX]);
	if (generation->bound != NULL)
		event_free(generation->bound);
	policy_log_close(generation);
	free(generation);
}

void
zygote_generation_drain(struct zygote_generation *generation)
{
	if (generation->state == GENERATION_DRAINING || generation->state == GENERATION_ENDING)
		return;
	if (generation->given != 0 && zygote_link_detach(generation))
		set_state(generation, GENERATION_DRAINING);
	else
		zygote_generation_discharge(generation);
}

/* A front that has become ready meanwhile has it not. */
void
zygote_generation_go(struct zygote_generation *generation)
{
	const struct zygote_generation *old = generation->pool->serving;

	generation->is_held = false;
	zygote_link_go(generation);
	if (old == NULL || old->given == 0)
		zygote_generation_take_over(generation);
	else
		set_bound(generation);
	zygote_link_attach(generation);
}

static struct zygote_generation *
generation_new(struct zygote_pool *pool)
{
	struct zygote_generation *generation = calloc(1, sizeof(*generation));

	if (generation == NULL)
		return NULL;
	generation->pool = pool;
	generation->number = pool->last_number + 1;
	generation->process.pidfd = -1;
	memset(generation->front_fds, 0xff, sizeof(generation->front_fds)); /* -1 in each */
	generation->channel = (struct channel){
		.fd = -1, .on_message = on_message, .on_closed = on_closed, .owner = generation
	};
	LIST_INSERT_HEAD(&pool->generations, generation, link);
	generation->bound = evtimer_new(pool->supervisor->base, on_bound, generation);
	if (generation->bound == NULL) {
		zygote_generation_free(generation);
		errno = ENOMEM;
		return NULL;
	}
	set_state(generation, GENERATION_LOADING);
	return generation;
}

uint32_t
zygote_generation_start(struct zygote_pool *pool, const struct config_pool *config, bool is_held)
{
	struct zygote_generation *generation = generation_new(pool);

	if (generation == NULL)
		return 0;
	generation->is_held = is_held;
	generation->max_children = config->front.max_children;
	generation->zygotes = config->front.zygotes;
	set_bound(generation);
	if (zygote_start(pool->supervisor, generation, config) < 0) {
		int saved = errno;
		zygote_generation_free(generation);
		errno = saved;
		return 0;
	}
	pool->last_number = generation->number;
	log_event(LOG_DEBUG, "zygote started", "pool=%s generation=%u pid=%d",
		  pool->config->front.name, generation->number, (int)generation->process.pid);
	return generation->number;
}

void
zygote_generation_serve(struct zygote_generation *generation)
{
	zygote_generation_take_over(generation);
}

void
zygote_generation_end(struct zygote_generation *generation)
{
	zygote_generation_discharge(generation);
}

/* A zygote that could still send its reason may have died right after: take it from the channel
 * first. */
static void
take_last_words(struct zygote_generation *generation)
{
	struct msg_buffer buffer;
	const struct msg_header *header = (const void *)buffer.bytes;

	while (generation->channel.fd >= 0 && msg_recv(generation->channel.fd, &buffer) == 1) {
		if (header->type == MSG_ZYGOTE_FAILED)
			on_failed(generation, (const void *)buffer.bytes);
		msg_close_fds(&buffer);
	}
}

void
zygote_generation_on_exit(struct zygote_generation *generation, int status)
{
	struct zygote_pool *pool = generation->pool;
	const bool expected =
		generation->is_discharged || pool->supervisor->state != SUPERVISOR_RUNNING;
	char text[160];

	take_last_words(generation);
	spawn_format_exit(status, text, sizeof(text));
	log_event(expected ? LOG_DEBUG : LOG_WARNING, "zygote died",
		  "pool=%s generation=%u pid=%d %s", pool->config->front.name, generation->number,
		  (int)generation->process.pid, text);
	if (generation->state < GENERATION_DRAINING)
		snprintf(pool->error, sizeof(pool->error), "zygote died: %s", text);
	set_state(generation, GENERATION_ENDING);
}
