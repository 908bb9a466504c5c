/*
 * Questions to the fronts: each has a cookie, a bound of 2 s, and one callback. All fronts that run
 * are asked, and their answers put together.
 *
 * Runs in: supervisor. A question that gets no answer costs one error on the control socket and
 * nothing else. Answers are taken in front_ask_answers.c.
 */
#include "supervisor/front_ask_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/msg.h"
#include "supervisor/clock.h"
#include "supervisor/config.h"
#include "supervisor/front_proc.h"
#include "supervisor/fronts.h"
#include "supervisor/supervisor.h"

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

void
front_ask_close(struct front_ask *ask, const char *error)
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
	front_ask_close(context, "a front did not answer in time");
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

/* Sends the question; when that cannot be done it is answered with the reason. */
static void
send_ask(struct front_ask *ask, const void *message)
{
	const struct supervisor *supervisor = ask->asks->supervisor;
	const char *error = "the front is not running";

	for (struct front_proc *front = NULL; (front = fronts_next(supervisor, front)) != NULL;) {
		if (!front_proc_takes_messages(front))
			continue;
		if (front_proc_send(front, message) == 0) {
			ask->waiting |= 1u << front->index;
		} else if (errno == EAGAIN) {
			error = "a front is busy";
			ask->waiting = 0;
			break;
		} /* else it has died, and is not reaped yet */
	}
	ask->answer.fronts = (uint32_t)__builtin_popcount(ask->waiting);
	if (ask->waiting == 0)
		front_ask_close(ask, error);
}

void
front_ask_end_part(struct front_ask *ask, uint32_t front)
{
	ask->waiting &= ~(1u << front);
	if (ask->waiting == 0)
		front_ask_close(ask, NULL);
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
front_ask_children(struct front_asks *asks, uint32_t pool, front_answer_fn *done, void *owner)
{
	ask_pool(asks, MSG_CHILDREN_GET, pool, done, owner);
}

void
front_ask_routes(struct front_asks *asks, uint32_t pool, front_answer_fn *done, void *owner)
{
	ask_pool(asks, MSG_ROUTES_GET, pool, done, owner);
}

/* What it has said by then counts; what it would have said is gone with it. */
static void
lose_part(struct front_ask *ask, uint32_t front)
{
	ask->answer.fronts--;
	if (ask->answer.fronts == 0)
		front_ask_close(ask, "the front died");
	else
		front_ask_end_part(ask, front);
}

void
front_ask_on_front_lost(struct front_asks *asks, uint32_t front)
{
	struct front_ask *ask = TAILQ_FIRST(&asks->open);

	/* A callback closes no other question, and what it asks anew does not ask this front. */
	while (ask != NULL) {
		struct front_ask *next = TAILQ_NEXT(ask, link);
		if ((ask->waiting & 1u << front) != 0)
			lose_part(ask, front);
		ask = next;
	}
}
