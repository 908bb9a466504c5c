/*
 * How many children to order, and whether a request may wait: arithmetic on counts, no state, no
 * I/O.
 */
#ifndef ZYGOTED_FRONT_ADMISSION_H
#define ZYGOTED_FRONT_ADMISSION_H

#include "base/proto.h"

#include <stdbool.h>

struct admission {
	unsigned spare;	       /* wanted parked children */
	unsigned max_children; /* bound of all states together */
	unsigned queue;	       /* bound of waiting requests */
	unsigned parked;
	unsigned starting;
	unsigned busy;
	unsigned dying;
	unsigned elsewhere; /* children of other generations that take room as well */
	unsigned queued;
	unsigned forking; /* ordered and not yet forked, whether a request waits for them or not */
	unsigned zygotes; /* that fork them */
};

enum admission_pace {
	ADMISSION_BATCH, /* as requests come: spares in batches */
	ADMISSION_TICK,	 /* now and then: whatever is missing, but slowly */
	ADMISSION_FILL,	 /* for a generation that is to take over: whatever is missing */
};

/* Children that one zygote has before it at a time. */
#define ADMISSION_FORKING_MAX PROTO_BATCH_MAX

/*
 * Children to order now. A burst of requests takes the spares and then waits: it makes no burst of
 * forks, because no zygote is ever asked for more than ADMISSION_FORKING_MAX at a time; the next are
 * ordered as it reports. So new children come as fast as the machine forks and no faster.
 *
 * Spares are replaced with hysteresis: not before a quarter of them is missing, so that orders
 * travel in batches and most requests see no fork beside them. A queue longer than what is parked
 * and starting overrides that. A tick completes what is missing, by a batch each time.
 */
unsigned admission_order_count(const struct admission *view, enum admission_pace pace);

/* How many children make a batch: a quarter of the spares, at least one. */
unsigned admission_batch(const struct admission *view);

/* Whether one more request may wait for a child. */
bool admission_may_queue(const struct admission *view);

/* Seconds for Retry-After: when a queue of this length is likely to have gone, 1..30. */
unsigned admission_retry_after(const struct admission *view);

#endif
