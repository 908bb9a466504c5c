/*
 * Questions to the front: each has a cookie, a bound of 2 s, and one callback.
 *
 * Runs in: supervisor. The front's answers are checked like a stranger's: indices, counts and
 * cookies. A question that gets no answer costs one error on the control socket and nothing else.
 */
#include "supervisor/front_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/msg.h"
#include "supervisor/clock.h"
#include "supervisor/config.h"
#include "supervisor/front_proc.h"
#include "supervisor/supervisor.h"

struct front_ask {
	TAILQ_ENTRY(front_ask) link;
	struct front_asks *asks;
	uint64_t cookie;
	uint32_t pool; /* of a question about one */
	struct event *timer;
	front_answer_fn *done;
	void *owner;
	struct front_answer answer;
};

struct front_asks {
	struct supervisor *supervisor;
	uint64_t last_cookie;
	TAILQ_HEAD(front_ask_list, front_ask) open;
};

static void
ask_free(struct front_ask *ask)
{
	if (ask->timer != NULL)
		event_free(ask->timer);
	free(ask->answer.children);
	free(ask->answer.penalties);
	free(ask->answer.routes);
	free(ask);
}

/* The callback may ask again, so this question is out of the list by then. */
static void
close_ask(struct front_ask *ask, const char *error)
{
	TAILQ_REMOVE(&ask->asks->open, ask, link);
	ask->answer.error = error;
	if (error != NULL) {
		memset(ask->answer.pools, 0, sizeof(ask->answer.pools));
		memset(ask->answer.times, 0, sizeof(ask->answer.times));
		memset(ask->answer.listeners, 0, sizeof(ask->answer.listeners));
		memset(&ask->answer.front, 0, sizeof(ask->answer.front));
		ask->answer.children_count = 0;
		ask->answer.penalties_count = 0;
		ask->answer.routes_count = 0;
	}
	ask->done(ask->owner, &ask->answer);
	ask_free(ask);
}

static void
on_timeout(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	close_ask(context, "the front did not answer in time");
}

static struct front_ask *
ask_new(struct front_asks *asks, front_answer_fn *done, void *owner)
{
	const struct timeval timeout = clock_timeval(FRONT_ASK_TIMEOUT_MS);
	struct front_ask *ask = calloc(1, sizeof(*ask));

	if (ask == NULL)
		return NULL;
	ask->asks = asks;
	ask->cookie = ++asks->last_cookie;
	ask->done = done;
	ask->owner = owner;
	ask->timer = evtimer_new(asks->supervisor->base, on_timeout, ask);
	if (ask->timer == NULL || evtimer_add(ask->timer, &timeout) < 0) {
		ask_free(ask);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&asks->open, ask, link);
	return ask;
}

static void
answer_out_of_memory(front_answer_fn *done, void *owner)
{
	static const struct front_answer answer = { .error = "out of memory" };

	done(owner, &answer);
}

static void
close_unsent(struct front_ask *ask)
{
	close_ask(ask, errno == EAGAIN ? "the front is busy" : "the front is not running");
}

/* Sends the question; when that cannot be done it is answered with the reason. */
static void
send_ask(struct front_ask *ask, const void *message)
{
	if (front_proc_send(ask->asks->supervisor->front, message) < 0)
		close_unsent(ask);
}

struct front_asks *
front_ask_new(struct supervisor *supervisor)
{
	struct front_asks *asks = calloc(1, sizeof(*asks));

	if (asks == NULL)
		return NULL;
	asks->supervisor = supervisor;
	TAILQ_INIT(&asks->open);
	return asks;
}

void
front_ask_free(struct front_asks *asks)
{
	struct front_ask *ask;

	if (asks == NULL)
		return;
	ask = TAILQ_FIRST(&asks->open);
	while (ask != NULL) {
		struct front_ask *next = TAILQ_NEXT(ask, link);
		ask_free(ask);
		ask = next;
	}
	free(asks);
}

static void
ask_plainly(struct front_asks *asks, enum msg_type type, front_answer_fn *done, void *owner)
{
	struct front_ask *ask = ask_new(asks, done, owner);
	struct msg_cookie message = { .cookie = asks->last_cookie };

	if (ask == NULL) {
		answer_out_of_memory(done, owner);
		return;
	}
	msg_init(&message, type);
	send_ask(ask, &message);
}

void
front_ask_stats(struct front_asks *asks, front_answer_fn *done, void *owner)
{
	ask_plainly(asks, MSG_STATS_GET, done, owner);
}

void
front_ask_penalties(struct front_asks *asks, front_answer_fn *done, void *owner)
{
	ask_plainly(asks, MSG_PENALTIES_GET, done, owner);
}

static void
ask_pool(struct front_asks *asks, enum msg_type type, uint32_t pool, front_answer_fn *done,
	 void *owner)
{
	struct front_ask *ask = ask_new(asks, done, owner);
	struct msg_children_get message = { .cookie = asks->last_cookie, .pool = pool };

	if (ask == NULL) {
		answer_out_of_memory(done, owner);
		return;
	}
	ask->pool = pool;
	msg_init(&message, type);
	send_ask(ask, &message);
}

void
front_ask_tls(struct front_asks *asks, int fd, uint32_t bytes, front_answer_fn *done, void *owner)
{
	struct front_ask *ask = ask_new(asks, done, owner);

	if (ask == NULL)
		answer_out_of_memory(done, owner);
	else if (front_proc_send_tls(asks->supervisor->front, ask->cookie, fd, bytes) < 0)
		close_unsent(ask);
}

void
front_ask_children(struct front_asks *asks, uint32_t pool, front_answer_fn *done, void *owner)
{
	ask_pool(asks, MSG_CHILDREN_GET, pool, done, owner);
}

void
front_ask_routes(struct front_asks *asks, uint32_t pool, front_answer_fn *done, void *owner)
{
	ask_pool(asks, MSG_ROUTES_GET, pool, done, owner);
}

static struct front_ask *
find_ask(struct front_asks *asks, uint64_t cookie)
{
	struct front_ask *ask;

	TAILQ_FOREACH (ask, &asks->open, link)
		if (ask->cookie == cookie)
			return ask;
	return NULL;
}

static void
on_stats(struct front_asks *asks, const struct msg_stats *message)
{
	struct front_ask *ask = find_ask(asks, message->cookie);

	if (ask != NULL && message->pool < asks->supervisor->config->pools_count)
		ask->answer.pools[message->pool] = *message;
}

static void
on_stats_times(struct front_asks *asks, const struct msg_stats_times *message)
{
	struct front_ask *ask = find_ask(asks, message->cookie);

	if (ask != NULL && message->pool < asks->supervisor->config->pools_count)
		ask->answer.times[message->pool] = *message;
}

static void
on_stats_listener(struct front_asks *asks, const struct msg_stats_listener *message)
{
	struct front_ask *ask = find_ask(asks, message->cookie);

	if (ask != NULL && message->listener < asks->supervisor->config->listeners_count)
		ask->answer.listeners[message->listener] = *message;
}

static void
on_stats_end(struct front_asks *asks, const struct msg_stats_end *message)
{
	struct front_ask *ask = find_ask(asks, message->cookie);

	if (ask == NULL)
		return;
	ask->answer.front = *message;
	close_ask(ask, NULL);
}

/*
 * All generations of a pool together may have twice the slots of one, while it is being replaced.
 */
#define CHILDREN_MAX (2 * PROTO_CHILDREN_MAX)

static int
add_children(struct front_answer *answer, const struct msg_children *message)
{
	const uint32_t count = answer->children_count + message->count;
	struct msg_child *grown;

	if (count > CHILDREN_MAX)
		return -1;
	grown = reallocarray(answer->children, count, sizeof(*grown));
	if (grown == NULL)
		return -1;
	memcpy(grown + answer->children_count, message->children,
	       message->count * sizeof(message->children[0]));
	answer->children = grown;
	answer->children_count = count;
	return 0;
}

static void
on_children(struct front_asks *asks, const struct msg_children *message)
{
	struct front_ask *ask = find_ask(asks, message->cookie);

	if (ask == NULL || message->pool != ask->pool || message->count > PROTO_BATCH_MAX)
		return;
	if (message->count > 0 && add_children(&ask->answer, message) < 0)
		close_ask(ask, "too many children to list");
	else if (message->last != 0)
		close_ask(ask, NULL);
}

static int
add_penalties(struct front_answer *answer, const struct msg_penalties *message)
{
	if (answer->penalties_count + message->count > PROTO_PENALTIES_MAX)
		return -1;
	if (answer->penalties == NULL)
		answer->penalties = calloc(PROTO_PENALTIES_MAX, sizeof(*answer->penalties));
	if (answer->penalties == NULL)
		return -1;
	memcpy(answer->penalties + answer->penalties_count, message->penalties,
	       message->count * sizeof(message->penalties[0]));
	answer->penalties_count += message->count;
	return 0;
}

static void
on_penalties(struct front_asks *asks, const struct msg_penalties *message)
{
	struct front_ask *ask = find_ask(asks, message->cookie);

	if (ask == NULL || message->count > PROTO_BATCH_MAX)
		return;
	if (add_penalties(&ask->answer, message) < 0)
		close_ask(ask, "too many penalties to list");
	else if (message->last != 0)
		close_ask(ask, NULL);
}

static void
on_tls_done(struct front_asks *asks, const struct msg_tls_done *message)
{
	struct front_ask *ask = find_ask(asks, message->cookie);
	char error[sizeof(message->error)];

	if (ask == NULL)
		return;
	log_escape(message->error, strnlen(message->error, sizeof(message->error) - 1), error,
		   sizeof(error));
	close_ask(ask, error[0] != '\0' ? error : NULL);
}

/* They come in order, each once. */
static void
on_route(struct front_asks *asks, const struct msg_route *message)
{
	struct front_ask *ask = find_ask(asks, message->cookie);
	struct front_answer *answer = ask != NULL ? &ask->answer : NULL;

	if (ask == NULL || message->pool != ask->pool || message->route != answer->routes_count ||
	    message->route >= PROTO_ROUTES_MAX)
		return;
	if (answer->routes == NULL)
		answer->routes = calloc(PROTO_ROUTES_MAX, sizeof(*answer->routes));
	if (answer->routes == NULL) {
		close_ask(ask, "out of memory");
		return;
	}
	answer->routes[answer->routes_count++] = *message;
	if (message->last != 0)
		close_ask(ask, NULL);
}

void
front_ask_on_message(struct front_asks *asks, const struct msg_buffer *buffer)
{
	const struct msg_header *header = (const void *)buffer->bytes;

	switch (header->type) {
	case MSG_STATS:
		on_stats(asks, (const void *)buffer->bytes);
		break;
	case MSG_STATS_TIMES:
		on_stats_times(asks, (const void *)buffer->bytes);
		break;
	case MSG_STATS_LISTENER:
		on_stats_listener(asks, (const void *)buffer->bytes);
		break;
	case MSG_STATS_END:
		on_stats_end(asks, (const void *)buffer->bytes);
		break;
	case MSG_CHILDREN:
		on_children(asks, (const void *)buffer->bytes);
		break;
	case MSG_PENALTIES:
		on_penalties(asks, (const void *)buffer->bytes);
		break;
	case MSG_TLS_DONE:
		on_tls_done(asks, (const void *)buffer->bytes);
		break;
	case MSG_ROUTE:
		on_route(asks, (const void *)buffer->bytes);
		break;
	default:
		bug("no answer of the front's");
	}
}

void
front_ask_fail_all(struct front_asks *asks, const char *error)
{
	struct front_ask *ask = TAILQ_FIRST(&asks->open);

	/* A callback closes no other question, and what it asks anew fails at once: no front. */
	while (ask != NULL) {
		struct front_ask *next = TAILQ_NEXT(ask, link);
		close_ask(ask, error);
		ask = next;
	}
}
