/*
 * How many children to order, and whether a request may wait: arithmetic on counts, no state, no
 * I/O.
 */
#ifndef ZYGOTED_FRONT_ADMISSION_H
#define ZYGOTED_FRONT_ADMISSION_H

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
};

/*
 * Children to order now, at most PROTO_BATCH_MAX. Refills wait until a quarter of the spares is
 * missing, so that orders travel in batches and most requests see no fork beside them. `idle`, or a
 * queue longer than what is parked and starting, overrides the wait.
 */
unsigned admission_order_count(const struct admission *view, bool idle);

/* Whether one more request may wait for a child. */
bool admission_may_queue(const struct admission *view);

/* Seconds for Retry-After: when a queue of this length is likely to have gone, 1..30. */
unsigned admission_retry_after(const struct admission *view);

#endif
