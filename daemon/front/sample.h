/*
 * Samples: of one in so many requests the child is held when it has answered, until the supervisor
 * has read which pages it copied. The client has its answer by then.
 *
 * At most one child of a pool is held at a time, and for no longer than SAMPLE_HOLD_MS.
 */
#ifndef ZYGOTED_FRONT_SAMPLE_H
#define ZYGOTED_FRONT_SAMPLE_H

#include "base/proto.h"

#include <stdbool.h>

#define SAMPLE_HOLD_MS 500

struct child;
struct exchange;
struct front;
struct pool;

void sample_init(struct pool *pool);

/* A child is taken: whether its request is one to sample; counts it. */
bool sample_is_due(struct child *child);

/*
 * The exchange is complete: keeps its child if it is one to sample, and has it looked at. True:
 * child_fd is the child's again. False: there is nothing to wait for.
 */
bool sample_hold(const struct exchange *exchange);

/* Takes a parked child, which will serve nothing any more, and has its faults read. */
void sample_hold_parked(struct child *child);

/* The child is dead, or its generation gone. No effect unless it is held. */
void sample_forget(struct child *child);

/* MSG_SAMPLED: lets it go. */
void sample_on_sampled(struct front *front, const struct msg_sample *message);

#endif
