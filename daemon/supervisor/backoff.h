/*
 * How long to wait before a process that died is started again: at first shortly, so that a single
 * crash hardly shows, then ever longer, so that a process that cannot start does not use up the
 * machine. Pure.
 */
#ifndef ZYGOTED_SUPERVISOR_BACKOFF_H
#define ZYGOTED_SUPERVISOR_BACKOFF_H

#include <stdint.h>

#define BACKOFF_MIN_MS	     100
#define BACKOFF_MAX_MS	     10000 /* after one that never became ready */
#define BACKOFF_READY_MAX_MS 1000  /* after one that was ready: clients wait for it */
#define BACKOFF_HEALTHY_MS   10000 /* a process that was ready for so long starts the series anew */

struct backoff {
	uint32_t delay_ms; /* the last one given out, 0 at first */
};

/*
 * The next wait after a process that was ready for `healthy_ms` (0: never became ready) has died.
 */
uint32_t backoff_next(struct backoff *backoff, uint64_t healthy_ms);

#endif
