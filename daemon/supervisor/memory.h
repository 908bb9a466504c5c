/*
 * What sharing saves: the `memory` command's measurement, one pool after the other.
 */
#ifndef ZYGOTED_SUPERVISOR_MEMORY_H
#define ZYGOTED_SUPERVISOR_MEMORY_H

#include <stdint.h>

#include "supervisor/smaps.h"

struct memory_run;
struct msg_buffer;
struct supervisor;
struct zygote_pool;

/* The figures of one pool. */
struct memory_row {
	const struct zygote_pool *pool;
	const char *error; /* NULL: measured; else why not, and rollup is zero */
	uint64_t state_bytes;
	uint32_t children;	    /* parked and busy when the measurement began */
	struct smaps_rollup rollup; /* of the probe child */
};

typedef void memory_done_fn(void *owner, const struct memory_row *rows, unsigned count);

/*
 * Measures `pool`, or all that are serving when it is NULL, and calls `done` once, possibly at
 * once. 0; or -1 with errno and no call: EBUSY while another measurement is in progress, ENOMEM.
 */
int memory_start(struct supervisor *supervisor, const struct zygote_pool *pool,
		 memory_done_fn *done, void *owner) __attribute__((warn_unused_result));

/* MSG_PROBED from the pool's zygote. Takes no descriptor of it. */
void memory_on_probed(struct zygote_pool *pool, const struct msg_buffer *buffer);

/* Drops a measurement in progress without calling anybody; NULL is allowed. */
void memory_free(struct memory_run *run);

#endif
