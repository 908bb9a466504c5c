/*
 * A pool's crash breaker: when too many of its children crash, it refuses requests, and lets one at
 * a time through to find out whether things are well again. Pure: the time is given.
 *
 *	closed -> (crashes within the window) -> open <-> probing -> (one answered) -> closed
 */
#ifndef ZYGOTED_FRONT_BREAKER_H
#define ZYGOTED_FRONT_BREAKER_H

#include "base/proto.h"

#include <stdbool.h>
#include <stdint.h>

#define BREAKER_SLICES	     16
#define BREAKER_PROBE_MS     1000 /* from opening to the first probe; then doubling */
#define BREAKER_PROBE_MAX_MS 30000

struct breaker_rule {
	uint32_t crashes; /* that open it; 0: never */
	uint32_t window_ms;
};

/* Starts as zeros: closed. */
struct breaker {
	enum breaker_state state;
	uint32_t opened;      /* how often */
	uint32_t interval_ms; /* between probes */
	uint64_t probe_ns;    /* open: when the next probe may go */
	uint64_t opened_ns;
	uint64_t slice;			  /* number of the newest one on CLOCK_MONOTONIC */
	uint32_t crashes[BREAKER_SLICES]; /* a ring: those of the slices up to that one */
};

enum breaker_verdict {
	BREAKER_RUN,
	BREAKER_PROBE, /* run it, and say so at its end */
	BREAKER_REFUSE,
};

enum breaker_change { BREAKER_SAME, BREAKER_HAS_OPENED, BREAKER_HAS_CLOSED };

/* Whether an outcome is one that a worker in order does not have. */
bool breaker_is_crash(enum outcome outcome);

/* What is to become of a request. After PROBE no other request runs before its end was told. */
enum breaker_verdict breaker_admit(struct breaker *breaker, uint64_t now_ns);

/*
 * A request of the pool has ended, one that was refused here excepted. `probe` when the verdict on
 * it was PROBE. A probe that is neither answered nor crashed decides nothing: the next one goes
 * after the same interval.
 */
enum breaker_change breaker_end(struct breaker *breaker, const struct breaker_rule *rule,
				enum outcome outcome, bool probe, uint64_t now_ns);

/* Seconds to the next probe, at least 1: for Retry-After. */
unsigned breaker_retry_after(const struct breaker *breaker, uint64_t now_ns);

#endif
