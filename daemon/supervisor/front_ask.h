/*
 * Questions to the fronts: figures and lists of children, answered later or not at all.
 */
#ifndef ZYGOTED_SUPERVISOR_FRONT_ASK_H
#define ZYGOTED_SUPERVISOR_FRONT_ASK_H

#include "base/proto.h"

#include <stdbool.h>
#include <stdint.h>

#define FRONT_ASK_TIMEOUT_MS 2000

struct msg_buffer;
struct supervisor;

/* What came back. Lives until the callback returns. */
struct front_answer {
	const char *error; /* NULL: complete; else why there is no answer, and the rest is zero */
	uint32_t fronts;   /* that were asked */
	struct msg_stats pools[PROTO_POOLS_MAX]; /* by pool index */
	struct msg_stats_times times[PROTO_POOLS_MAX];
	struct msg_stats_listener listeners[PROTO_LISTENERS_MAX];
	struct msg_stats_end front;
	struct msg_child *children;
	uint32_t children_count;
	struct msg_penalty *penalties;
	uint32_t penalties_count;
	struct msg_route *routes; /* of the pool that was asked for */
	uint32_t routes_count;
};

/* Called exactly once for each question, from the loop or from within the question itself. */
typedef void front_answer_fn(void *owner, const struct front_answer *answer);

/* The open questions of one supervisor. NULL when out of memory. */
struct front_asks *front_ask_new(struct supervisor *supervisor);
/* Drops what is open without calling anybody. */
void front_ask_free(struct front_asks *asks);

void front_ask_stats(struct front_asks *asks, front_answer_fn *done, void *owner);
void front_ask_penalties(struct front_asks *asks, front_answer_fn *done, void *owner);
void front_ask_children(struct front_asks *asks, uint32_t pool, front_answer_fn *done, void *owner);

/* The routes of one pool, in their order. */
void front_ask_routes(struct front_asks *asks, uint32_t pool, front_answer_fn *done, void *owner);

/* MSG_STATS to MSG_STATS_END, MSG_CHILDREN, MSG_PENALTIES and MSG_ROUTE. Answers to questions that are closed are
 * dropped. */
void front_ask_on_message(struct front_asks *asks, uint32_t front, const struct msg_buffer *buffer);

/* A front died: nobody waits for it any more. Questions that only it could answer, or all must, fail. */
void front_ask_on_front_lost(struct front_asks *asks, uint32_t front);

#endif
