/*
 * Answers of fronts, put together.
 *
 * Runs in: supervisor. A front parses the network: its answers are checked like a stranger's, indices, counts and cookies, and
 * whether an answer of its is awaited.
 */
#include "supervisor/front_ask_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/msg.h"
#include "supervisor/config.h"
#include "supervisor/stats_merge.h"
#include "supervisor/supervisor.h"

/* The question with that cookie, if it waits for that front. */
static struct front_ask *
find_ask(struct front_asks *asks, uint64_t cookie, uint32_t front)
{
	struct front_ask *ask;

	TAILQ_FOREACH (ask, &asks->open, link)
		if (ask->cookie == cookie && (ask->waiting & 1u << front) != 0)
			return ask;
	return NULL;
}

static void
on_stats(struct front_asks *asks, uint32_t front, const struct msg_stats *message)
{
	struct front_ask *ask = find_ask(asks, message->cookie, front);

	if (ask != NULL && message->pool < asks->supervisor->config->pools_count)
		stats_merge_pool(&ask->answer.pools[message->pool], message);
}

static void
on_stats_times(struct front_asks *asks, uint32_t front, const struct msg_stats_times *message)
{
	struct front_ask *ask = find_ask(asks, message->cookie, front);

	if (ask != NULL && message->pool < asks->supervisor->config->pools_count)
		stats_merge_times(&ask->answer.times[message->pool], message);
}

static void
on_stats_listener(struct front_asks *asks, uint32_t front, const struct msg_stats_listener *message)
{
	struct front_ask *ask = find_ask(asks, message->cookie, front);

	if (ask != NULL && message->listener < asks->supervisor->config->listeners_count)
		stats_merge_listener(&ask->answer.listeners[message->listener], message);
}

static void
on_stats_end(struct front_asks *asks, uint32_t front, const struct msg_stats_end *message)
{
	struct front_ask *ask = find_ask(asks, message->cookie, front);

	if (ask == NULL)
		return;
	stats_merge_front(&ask->answer.front, message);
	front_ask_end_part(ask, front);
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
on_children(struct front_asks *asks, uint32_t front, const struct msg_children *message)
{
	struct front_ask *ask = find_ask(asks, message->cookie, front);

	if (ask == NULL || message->pool != ask->pool || message->count > PROTO_BATCH_MAX)
		return;
	if (message->count > 0 && add_children(&ask->answer, message) < 0)
		front_ask_close(ask, "too many children to list");
	else if (message->last != 0)
		front_ask_end_part(ask, front);
}

/* A source that several fronts know: the most that one holds against it, and all that was refused. */
static void
merge_penalty(struct msg_penalty *known, const struct msg_penalty *part)
{
	if (part->points > known->points)
		known->points = part->points;
	if (part->relapses > known->relapses)
		known->relapses = part->relapses;
	if (part->left_ms > known->left_ms)
		known->left_ms = part->left_ms;
	known->refused += part->refused;
}

/* What is over the bound is left out, as each front does. */
static void
add_penalty(struct front_answer *answer, const struct msg_penalty *penalty)
{
	for (uint32_t i = 0; i < answer->penalties_count; i++) {
		struct msg_penalty *known = &answer->penalties[i];
		if (memcmp(known->address, penalty->address, sizeof(known->address)) != 0)
			continue;
		merge_penalty(known, penalty);
		return;
	}
	if (answer->penalties_count < PROTO_PENALTIES_MAX)
		answer->penalties[answer->penalties_count++] = *penalty;
}

static int
add_penalties(struct front_answer *answer, const struct msg_penalties *message)
{
	if (answer->penalties == NULL)
		answer->penalties = calloc(PROTO_PENALTIES_MAX, sizeof(*answer->penalties));
	if (answer->penalties == NULL)
		return -1;
	for (uint32_t i = 0; i < message->count; i++)
		add_penalty(answer, &message->penalties[i]);
	return 0;
}

static void
on_penalties(struct front_asks *asks, uint32_t front, const struct msg_penalties *message)
{
	struct front_ask *ask = find_ask(asks, message->cookie, front);

	if (ask == NULL || message->count > PROTO_BATCH_MAX)
		return;
	if (add_penalties(&ask->answer, message) < 0)
		front_ask_close(ask, "out of memory");
	else if (message->last != 0)
		front_ask_end_part(ask, front);
}

/* Each front's come in order, each once. */
static void
on_route(struct front_asks *asks, uint32_t front, const struct msg_route *message)
{
	struct front_ask *ask = find_ask(asks, message->cookie, front);
	struct front_answer *answer = ask != NULL ? &ask->answer : NULL;

	if (ask == NULL || message->pool != ask->pool ||
	    message->route != ask->routes_from[front] || message->route >= PROTO_ROUTES_MAX)
		return;
	if (answer->routes == NULL)
		answer->routes = calloc(PROTO_ROUTES_MAX, sizeof(*answer->routes));
	if (answer->routes == NULL) {
		front_ask_close(ask, "out of memory");
		return;
	}
	if (message->route == answer->routes_count)
		answer->routes[answer->routes_count++] = *message;
	else
		stats_merge_route(&answer->routes[message->route], message);
	ask->routes_from[front]++;
	if (message->last != 0)
		front_ask_end_part(ask, front);
}

void
front_ask_on_message(struct front_asks *asks, uint32_t front, const struct msg_buffer *buffer)
{
	const struct msg_header *header = (const void *)buffer->bytes;

	switch (header->type) {
	case MSG_STATS:
		on_stats(asks, front, (const void *)buffer->bytes);
		break;
	case MSG_STATS_TIMES:
		on_stats_times(asks, front, (const void *)buffer->bytes);
		break;
	case MSG_STATS_LISTENER:
		on_stats_listener(asks, front, (const void *)buffer->bytes);
		break;
	case MSG_STATS_END:
		on_stats_end(asks, front, (const void *)buffer->bytes);
		break;
	case MSG_CHILDREN:
		on_children(asks, front, (const void *)buffer->bytes);
		break;
	case MSG_PENALTIES:
		on_penalties(asks, front, (const void *)buffer->bytes);
		break;
	case MSG_ROUTE:
		on_route(asks, front, (const void *)buffer->bytes);
		break;
	default:
		bug("no answer of the front's");
	}
}
