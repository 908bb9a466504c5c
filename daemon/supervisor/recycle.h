/*
 * Recycling: a pool's zygote is replaced by a freshly executed one, with a new address layout. The
 * new one is loaded beside the old one, which serves until the new one can take over; when the new
 * one fails, the old one just goes on.
 *
 * Asked for by an operator, or wanted by itself: after a number of requests, after a time, after
 * memory faults of children. Those that nobody asked for are limited in rate, and tried again.
 */
#ifndef ZYGOTED_SUPERVISOR_RECYCLE_H
#define ZYGOTED_SUPERVISOR_RECYCLE_H

#include "base/proto.h"
#include "supervisor/recycle_limit.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct supervisor;
struct zygote_generation;
struct zygote_pool;

/* The end of a recycle that was asked for, once: error is NULL when the pool's new generation
 * serves, else it says why not. */
typedef void recycle_done_fn(void *owner, const struct zygote_pool *pool, const char *error);

/* Part of its pool. */
struct recycle {
	enum recycle_reason running; /* RECYCLE_NONE: none is in progress */
	enum recycle_reason wanted;  /* by itself, as soon as it may; RECYCLE_NONE: not now */
	enum recycle_reason last;    /* of those that took place */
	uint32_t count;		     /* of those */
	uint32_t previous;	     /* generation that is or was replaced */
	uint32_t number;	     /* generation that replaces it */
	uint64_t started_ms;
	bool is_failing; /* the last attempt came to nothing */
	struct recycle_limit limit;
	struct event *timer;	    /* pending: the next attempt, or the end of recycle_after */
	struct event *answer_timer; /* pending: who waits for `done` is told that it takes longer */
	recycle_done_fn *done;	    /* NULL: nobody waits */
	void *owner;
};

/* 0, or -1 when out of memory; fini is needed either way. */
int recycle_init(struct zygote_pool *pool) __attribute__((warn_unused_result));
void recycle_fini(struct zygote_pool *pool);

/* Recycles now. `done` is called at once when that is refused, and after some seconds at the
 * latest. */
void recycle_by_hand(struct zygote_pool *pool, recycle_done_fn *done, void *owner);

/* The front's wish. */
void recycle_on_wanted(struct supervisor *supervisor, const struct msg_recycle *message);

/* What becomes of generations: one serves now; one will never serve. */
void recycle_on_serving(struct zygote_generation *generation);
void recycle_on_failed(struct zygote_generation *generation);

/* recycle_after may be another. */
void recycle_on_configured(struct zygote_pool *pool);

/* The daemon stops, or the pool is removed: no more attempts; who waits is told. */
void recycle_stop(struct zygote_pool *pool);

#endif
