/*
 * The life of the zygotes: one generation after the other per pool.
 *
 *	LOADING -> SERVING -> ENDING -> (reaped, freed)
 *
 * Runs in: supervisor. A zygote is trusted before its lock-down and is the ancestor of hostile code
 *afterwards: its messages are taken only in the state that they belong to. The state changes in
 *set_state and nowhere else.
 */
#include "supervisor/zygote_proc.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/heritage.h"
#include "base/log.h"
#include "supervisor/clock.h"
#include "supervisor/config.h"
#include "supervisor/memory.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_link.h"
#include "supervisor/zygote_start.h"

struct zygote_pool *
zygote_proc_next(const struct supervisor *supervisor, const struct zygote_pool *pool)
{
	const uint32_t index = pool != NULL ? pool->index + 1 : 0;

	return index < supervisor->config->pools_count ? &supervisor->pools[index] : NULL;
}

static void
set_state(struct zygote_generation *generation, enum generation_state state)
{
	struct zygote_pool *pool = generation->pool;

	generation->state = state;
	if (state == GENERATION_SERVING) {
		pool->serving = generation;
		pool->error[0] = '\0';
		generation->ready_ms = clock_ms();
	} else if (pool->serving == generation) {
		pool->serving = NULL;
	}
}

static void
on_ready(struct zygote_generation *generation, const struct msg_zygote_ready *message)
{
	if (generation->state != GENERATION_LOADING)
		return;
	generation->ready = *message;
	set_state(generation, GENERATION_SERVING);
	log_event(LOG_INFO, "pool ready",
		  "pool=%s generation=%u pid=%d load_ms=%llu state_bytes=%llu",
		  generation->pool->config->front.name, generation->number,
		  (int)generation->process.pid, (unsigned long long)message->load_us / 1000,
		  (unsigned long long)message->state_bytes);
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
	log_event(LOG_ERROR, "pool failed", "pool=%s generation=%u error=\"%s\"",
		  pool->config->front.name, generation->number, pool->error);
	if (message->exit_code == ZY_EXIT_LAYER)
		supervisor_fail(pool->supervisor, "a layer that `require` names is not available");
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
	case MSG_PROBED:
		memory_on_probed(generation->pool, buffer);
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
generation_free(struct zygote_generation *generation)
{
	LIST_REMOVE(generation, link);
	channel_close(&generation->channel);
	spawn_forget(&generation->process);
	if (generation->front_fd >= 0)
		close(generation->front_fd);
	free(generation);
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
	generation->front_fd = -1;
	generation->channel = (struct channel){
		.fd = -1, .on_message = on_message, .on_closed = on_closed, .owner = generation
	};
	set_state(generation, GENERATION_LOADING);
	LIST_INSERT_HEAD(&pool->generations, generation, link);
	return generation;
}

static void
start_pool(struct zygote_pool *pool)
{
	struct zygote_generation *generation = generation_new(pool);

	if (generation != NULL && zygote_start(pool->supervisor, generation) == 0) {
		pool->last_number = generation->number;
		log_event(LOG_DEBUG, "zygote started", "pool=%s generation=%u pid=%d",
			  pool->config->front.name, generation->number,
			  (int)generation->process.pid);
		return;
	}
	snprintf(pool->error, sizeof(pool->error), "cannot be started: %s", strerror(errno));
	log_event(LOG_ERROR, "zygote not started", "pool=%s error=\"%s\"", pool->config->front.name,
		  strerror(errno));
	if (generation != NULL)
		generation_free(generation);
	restart_later(pool, 0);
}

static void
on_timer(evutil_socket_t fd, short what, void *context)
{
	struct zygote_pool *pool = context;

	(void)fd;
	(void)what;
	pool->restarts++;
	start_pool(pool);
}

int
zygote_proc_init(struct supervisor *supervisor)
{
	const uint32_t count = supervisor->config->pools_count;

	supervisor->pools = calloc(count > 0 ? count : 1, sizeof(*supervisor->pools));
	if (supervisor->pools == NULL)
		return -1;
	for (uint32_t i = 0; i < count; i++) {
		struct zygote_pool *pool = &supervisor->pools[i];
		pool->supervisor = supervisor;
		pool->index = i;
		pool->config = &supervisor->config->pools[i];
		LIST_INIT(&pool->generations);
		pool->timer = evtimer_new(supervisor->base, on_timer, pool);
		if (pool->timer == NULL)
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
		generation_free(generation);
		generation = next;
	}
}

void
zygote_proc_fini(struct supervisor *supervisor)
{
	if (supervisor->pools == NULL)
		return;
	for (struct zygote_pool *pool = NULL;
	     (pool = zygote_proc_next(supervisor, pool)) != NULL;) {
		free_generations(pool);
		if (pool->timer != NULL)
			event_free(pool->timer);
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

static struct zygote_generation *
find_process(struct supervisor *supervisor, pid_t pid)
{
	struct zygote_generation *generation;

	for (struct zygote_pool *pool = NULL; (pool = zygote_proc_next(supervisor, pool)) != NULL;)
		LIST_FOREACH (generation, &pool->generations, link)
			if (generation->process.pid == pid)
				return generation;
	return NULL;
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

bool
zygote_proc_on_exit(struct supervisor *supervisor, pid_t pid, int status)
{
	struct zygote_generation *generation = find_process(supervisor, pid);
	char text[160];

	if (generation == NULL)
		return false;
	struct zygote_pool *pool = generation->pool;
	const bool running = supervisor->state == SUPERVISOR_RUNNING;
	const uint64_t healthy_ms =
		generation->ready_ms != 0 ? clock_ms() - generation->ready_ms : 0;
	take_last_words(generation);
	spawn_format_exit(status, text, sizeof(text));
	log_event(running ? LOG_WARNING : LOG_DEBUG, "zygote died",
		  "pool=%s generation=%u pid=%d %s", pool->config->front.name, generation->number,
		  (int)pid, text);
	if (generation->state != GENERATION_ENDING)
		snprintf(pool->error, sizeof(pool->error), "zygote died: %s", text);
	set_state(generation, GENERATION_ENDING);
	generation_free(generation);
	if (supervisor->state == SUPERVISOR_RUNNING)
		restart_later(pool, healthy_ms);
	else
		supervisor_on_gone(supervisor);
	return true;
}

void
zygote_proc_stop_restarts(struct supervisor *supervisor)
{
	for (struct zygote_pool *pool = NULL; (pool = zygote_proc_next(supervisor, pool)) != NULL;)
		evtimer_del(pool->timer);
}

void
zygote_proc_end_all(struct supervisor *supervisor)
{
	struct zygote_generation *generation;

	for (struct zygote_pool *pool = NULL; (pool = zygote_proc_next(supervisor, pool)) != NULL;)
		LIST_FOREACH (generation, &pool->generations, link) {
			set_state(generation, GENERATION_ENDING);
			spawn_kill(&generation->process, SIGKILL);
		}
}

bool
zygote_proc_are_gone(const struct supervisor *supervisor)
{
	for (struct zygote_pool *pool = NULL; (pool = zygote_proc_next(supervisor, pool)) != NULL;)
		if (!LIST_EMPTY(&pool->generations))
			return false;
	return true;
}

struct zygote_pool *
zygote_proc_find(const struct supervisor *supervisor, const char *name)
{
	for (struct zygote_pool *pool = NULL; (pool = zygote_proc_next(supervisor, pool)) != NULL;)
		if (strcmp(pool->config->front.name, name) == 0)
			return pool;
	return NULL;
}

const char *
zygote_proc_state_name(const struct zygote_pool *pool)
{
	if (pool->serving != NULL)
		return "serving";
	if (pool->supervisor->state != SUPERVISOR_RUNNING)
		return "stopped";
	/*
	 * One that was never up loads; after a failure it stays failed until a generation serves.
	 */
	return pool->error[0] != '\0' ? "failed" : "loading";
}

const struct zygote_generation *
zygote_proc_shown(const struct zygote_pool *pool)
{
	return pool->serving != NULL ? pool->serving : LIST_FIRST(&pool->generations);
}
