/*
 * A pool: its current generation, the one that is to succeed it, older ones that drain, the
 * requests that wait for a child, and its counters.
 *
 * A successor takes over when it has its first parked child, so that no request waits for it.
 * max_children bounds the children of the current and the draining generations together; beside
 * them a successor may have parked what is to be its spares. So there are never more than
 * max_children + spare.
 */
#ifndef ZYGOTED_FRONT_POOL_H
#define ZYGOTED_FRONT_POOL_H

#include "base/heritage.h"
#include "front/admission.h"
#include "front/breaker.h"
#include "front/generation.h"

#include <event2/event_struct.h>
#include <sys/queue.h>

struct exchange;
struct front;
struct route_stats;

TAILQ_HEAD(exchange_list, exchange);

struct pool {
	struct front *front;
	const struct heritage_pool *config;
	uint32_t index;
	struct generation *current;   /* NULL while the zygote is down */
	struct generation *successor; /* parks its first children; NULL if there is none */
	LIST_HEAD(, generation) generations;
	struct exchange_list queue; /* oldest first */
	unsigned queued;
	struct event refill_event; /* pending while spares are missing */
	const struct timeval *queue_timeout;
	const struct timeval *timeout;
	struct breaker breaker;
	struct route_stats *routes; /* config->routes_count */
	struct child *held;	    /* for a sample; NULL if none */
	uint32_t sample_count;	    /* requests since the last sample */
	struct event hold_timer;    /* pending: lets the held child go */
	struct msg_stats stats;	    /* counters; the rest is filled in when asked */
	struct msg_stats_times times;
};

/* Dies when out of memory: start-up only. A place without a name in the heritage is made ready to get
 * one. */
void pool_init(struct pool *pool, struct front *front, uint32_t index);
/* The heritage has changed. `is_new`: it is another pool's place now. */
void pool_configure(struct pool *pool, bool is_new);

/* A generation is ready: it serves at once if none does, else as soon as it has a parked child; one that
 * is held not before pool_go. Owns the channels, one to each of its zygotes. */
void pool_attach(struct pool *pool, const struct msg_attach *attach, const int *fds,
		 unsigned fds_count);
void pool_go(struct pool *pool, uint32_t generation);
/* The supervisor wants this generation to end: it drains. */
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
/* Seconds for Retry-After of a request that ended so. */
unsigned pool_retry_after(const struct pool *pool, enum outcome outcome);

/* Called by generations: the first child is parked; a child is parked or a slot free; the zygote is
 * gone. */
void pool_on_attached(struct pool *pool, struct generation *generation);
void pool_on_ready(struct pool *pool);
void pool_on_generation_gone(struct pool *pool, struct generation *generation);

/* Orders what admission wants. */
void pool_refill(struct pool *pool, enum admission_pace pace);

/* One request has ended so; `probe`: the breaker's. */
void pool_count_outcome(struct pool *pool, enum outcome outcome, bool probe);
/* Fills in the part of the stats that is a reading of now. */
void pool_stats(const struct pool *pool, struct msg_stats *stats_out);
void pool_stats_times(const struct pool *pool, struct msg_stats_times *times_out);

#endif
