/*
 * Log mode: answers the filters' notifications, and keeps book.
 *
 * Runs in: supervisor. Children decide what and how much is called: each kind is logged once, kinds
 * are bounded, and no more than a batch is taken per round of the loop. The rule: a listener that
 * we hold is read or closed, because those who wait on it wait for us.
 */
#include "supervisor/policy_log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/msg.h"
#include "supervisor/config.h"
#include "supervisor/policy_notify.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_proc.h"

#define LISTENER_BATCH 64

struct policy_log {
	int notify_error; /* 0: calls are reported to us */
	struct policy_seen seen[PROTO_POOLS_MAX];
};

struct policy_listener {
	struct zygote_generation *generation;
	int fd;
	struct event *event;
};

/* ---- start ---- */

static void
add_notices(struct supervisor *supervisor, const struct policy_log *log)
{
	char text[SUPERVISOR_NOTICE_MAX];
	size_t used = 0;

	used = (size_t)snprintf(text, sizeof(text),
				"sandbox = log: calls outside the profile are carried out, for:");
	for (uint32_t i = 0; i < supervisor->config->pools_count && used < sizeof(text); i++)
		if (supervisor->config->pools[i].sandbox == SANDBOX_LOG)
			used += (size_t)snprintf(text + used, sizeof(text) - used, " %s",
						 supervisor->config->pools[i].front.name);
	supervisor_add_notice(supervisor, text);
	if (log->notify_error == 0)
		return;
	snprintf(text, sizeof(text),
		 "these calls are in the kernel's log alone, it cannot report them here: %s",
		 strerror(log->notify_error));
	supervisor_add_notice(supervisor, text);
}

struct policy_log *
policy_log_new(struct supervisor *supervisor)
{
	struct policy_log *log;
	bool is_wanted = false;

	for (uint32_t i = 0; i < supervisor->config->pools_count; i++)
		is_wanted |= supervisor->config->pools[i].sandbox == SANDBOX_LOG;
	if (!is_wanted)
		return NULL;
	log = calloc(1, sizeof(*log));
	if (log == NULL)
		die("out of memory");
	log->notify_error = policy_notify_probe();
	add_notices(supervisor, log);
	return log;
}

void
policy_log_free(struct policy_log *log)
{
	free(log);
}

enum policy_rest
policy_log_rest(const struct supervisor *supervisor, const struct config_pool *pool)
{
	if (pool->sandbox != SANDBOX_LOG || supervisor->policy_log == NULL)
		return POLICY_REST_KILL;
	return supervisor->policy_log->notify_error == 0 ? POLICY_REST_NOTIFY : POLICY_REST_LOG;
}

bool
policy_log_is_kernels(const struct supervisor *supervisor)
{
	return supervisor->policy_log != NULL && supervisor->policy_log->notify_error != 0;
}

const struct policy_seen *
policy_log_seen(const struct zygote_pool *pool)
{
	const struct policy_log *log = pool->supervisor->policy_log;

	return log != NULL && pool->config->sandbox == SANDBOX_LOG ? &log->seen[pool->index] : NULL;
}

/* ---- calls ---- */

static void
count_call(struct zygote_pool *pool, const struct policy_call *call)
{
	struct policy_seen *seen = &pool->supervisor->policy_log->seen[pool->index];
	char name[sizeof(seen->sightings[0].call)];
	char args[160];

	policy_call_name(call->number, name, sizeof(name));
	const struct policy_sighting *first =
		policy_seen_add(seen, name, call->number, call->args, call->pid);
	if (first != NULL)
		log_event(LOG_WARNING, "call outside the profile",
			  "pool=%s profile=%s call=%s number=%d args=\"%s\" pid=%d",
			  pool->config->front.name, pool->config->profile, name, call->number,
			  policy_seen_format_args(first, args, sizeof(args)), call->pid);
	else if (seen->beyond == 1)
		log_event(LOG_WARNING, "too many kinds of calls, further ones are not listed",
			  "pool=%s kinds=%d", pool->config->front.name, POLICY_SEEN_MAX);
}

/* Nobody may wait for an answer that cannot be given: without a listener the calls fail. */
static void
close_listener(struct policy_listener *listener)
{
	if (listener->event != NULL)
		event_free(listener->event);
	close(listener->fd);
	free(listener);
}

void
policy_log_close(struct zygote_generation *generation)
{
	for (unsigned i = 0; i < PROTO_ZYGOTES_MAX; i++) {
		if (generation->listeners[i] != NULL)
			close_listener(generation->listeners[i]);
		generation->listeners[i] = NULL;
	}
}

/* The place for one more, or of that one; NULL when all that the generation may have are taken. */
static struct policy_listener **
find_place(struct zygote_generation *generation, const struct policy_listener *listener)
{
	for (unsigned i = 0; i < generation->zygotes; i++)
		if (generation->listeners[i] == listener)
			return &generation->listeners[i];
	return NULL;
}

static void
on_calls(evutil_socket_t fd, short what, void *context)
{
	struct policy_listener *listener = context;
	struct zygote_generation *generation = listener->generation;
	struct policy_call call;
	int result = 0;

	(void)what;
	for (int i = 0; i < LISTENER_BATCH && (result = policy_notify_take(fd, &call)) > 0; i++) {
		if (policy_notify_continue(fd, call.id) < 0) {
			log_event(LOG_ERROR, "call not continued", "pool=%s error=\"%s\"",
				  generation->pool->config->front.name, strerror(errno));
			result = -1;
			break;
		}
		count_call(generation->pool, &call);
	}
	if (result < 0) {
		*find_place(generation, listener) = NULL;
		close_listener(listener);
	}
}

void
policy_log_listen(struct zygote_generation *generation, struct msg_buffer *message)
{
	const struct supervisor *supervisor = generation->pool->supervisor;
	struct policy_listener **place = find_place(generation, NULL);
	struct policy_listener *listener;

	if (message->fds_count != 1 || place == NULL ||
	    policy_log_rest(supervisor, generation->pool->config) != POLICY_REST_NOTIFY) {
		spawn_kill(&generation->process, SIGKILL);
		return;
	}
	listener = calloc(1, sizeof(*listener));
	if (listener != NULL) {
		listener->generation = generation;
		listener->fd = message->fds[0];
		listener->event = event_new(supervisor->base, listener->fd, EV_READ | EV_PERSIST,
					    on_calls, listener);
	}
	if (listener == NULL || listener->event == NULL || event_add(listener->event, NULL) < 0) {
		log_event(LOG_ERROR, "out of memory for a listener", "pool=%s",
			  generation->pool->config->front.name);
		spawn_kill(&generation->process, SIGKILL);
		if (listener != NULL && listener->event != NULL)
			event_free(listener->event);
		free(listener);
		return;
	}
	message->fds_count = 0; /* kept */
	*place = listener;
}
