/*
 * Which children touch pages beforehand, what it brings, and which requests the supervisor learns from.
 *
 * Of a generation that has a table (MSG_PREFAULT) all children use it but one in PREFAULT_SHARE: with these the others are
 * compared, and from these it is learned further. Where it does not pay it is paused.
 */
#ifndef ZYGOTED_FRONT_PREFAULT_H
#define ZYGOTED_FRONT_PREFAULT_H

#include "base/proto.h"

#include <stdbool.h>
#include <stdint.h>

#define PREFAULT_SHARE 64

struct child;
struct child_exit;
struct front;
struct generation;
struct pool;

/* Means of the requests since the last verdict. */
struct prefault_trial {
	uint64_t requests;
	uint64_t run_us;
	uint64_t cpu_us;
};

/* What is kept with a generation. Zero is its start. */
struct prefault_watch {
	uint32_t version; /* of the table; 0: there is none */
	uint32_t runs;	  /* in it */
	uint32_t orders;  /* of children, modulo PREFAULT_SHARE */
	uint32_t judged;  /* children without a table that have served, up to FIRST_REQUESTS */
	uint64_t judged_faults;
	uint32_t learned; /* samples that were ordered to learn from */
	uint32_t lost;	  /* of these */
	uint32_t plain;	  /* children without the table that were taken since the last of these */
	uint32_t paused;  /* orders that go without, before it is tried again */
	uint64_t parked
		[PREFAULT_KIND_MAX]; /* faults that a child has before its request; 0: not known */
	uint32_t parked_version;     /* of the table with which the second one was read */
	struct prefault_trial trials[PREFAULT_KIND_MAX];
	struct msg_prefault_effect effects[PREFAULT_KIND_MAX];
};

/* Whether the next child that is ordered uses the table; counts it. */
bool prefault_order(struct generation *generation);

/* A child is taken for a request: whether the supervisor should learn from it. */
bool prefault_is_sample(struct child *child);

/* A child that served has been reaped. */
void prefault_on_exit(const struct child *child, const struct child_exit *ended);

/* MSG_SAMPLED with SAMPLE_LOST: it teaches nothing. */
void prefault_on_lost(struct generation *generation);

/* Has a parked child's faults read, if that is still to be known of one of its kind. */
void prefault_measure(struct pool *pool);
/* MSG_SAMPLED of that one. */
void prefault_on_measured(const struct child *child, uint64_t faults);

/* MSG_PREFAULT. */
void prefault_on_table(struct front *front, const struct msg_prefault *message);

/* Fills in the pool's figures. */
void prefault_stats(const struct pool *pool, struct msg_stats *stats_out);

#endif
