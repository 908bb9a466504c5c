/*
 * A pool: its current generation, older ones that drain, the requests that wait for a child, and
 * its counters.
 */
#ifndef ZYGOTED_FRONT_POOL_H
#define ZYGOTED_FRONT_POOL_H

#include "base/heritage.h"
#include "front/generation.h"

#include <event2/event_struct.h>
#include <sys/queue.h>

struct exchange;
struct front;

TAILQ_HEAD(exchange_list, exchange);

struct pool {
	struct front *front;
	const struct heritage_pool *config;
	uint32_t index;
	struct generation *current; /* NULL while the zygote is down */
	LIST_HEAD(, generation) generations;
	struct exchange_list queue; /* oldest first */
	unsigned queued;
	struct event idle_event; /* completes the spares after a quiet moment */
	const struct timeval *queue_timeout;
	const struct timeval *timeout;
	struct msg_stats stats; /* counters; the rest is filled in when asked */
};

/* Dies when out of memory: start-up only. */
void pool_init(struct pool *pool, struct front *front, uint32_t index);

/* A zygote is ready: from now on it serves, and the one before drains. Owns fd. */
void pool_attach(struct pool *pool, uint32_t generation, int fd);
/* The supervisor wants this generation to end. */
void pool_detach(struct pool *pool, uint32_t generation);

/*
 * Finds a child for the exchange, or lets it wait, or refuses. OUTCOME_OK: it has a child now, or
 * exchange_run will be called when it does; anything else is the refusal.
 */
enum outcome pool_submit(struct pool *pool, struct exchange *exchange);
/* Takes a waiting exchange out of the queue. */
void pool_withdraw(struct pool *pool, struct exchange *exchange);
/* Why a request that waited too long was refused. */
enum outcome pool_queue_outcome(const struct pool *pool);
unsigned pool_retry_after(const struct pool *pool);

/* Called by generations: a child is parked, a slot is free, or the zygote is gone. */
void pool_on_ready(struct pool *pool);
void pool_on_generation_gone(struct pool *pool, struct generation *generation);

/* Orders what admission wants. */
void pool_refill(struct pool *pool, bool idle);

void pool_count_outcome(struct pool *pool, enum outcome outcome);
/* Fills in the part of the stats that is a reading of now. */
void pool_stats(const struct pool *pool, struct msg_stats *stats_out);

#endif
