/*
 * When a generation has served or suffered enough to be replaced: a count of its requests, and one
 * of its children's memory faults within a minute. Pure: the time is given.
 */
#ifndef ZYGOTED_FRONT_RECYCLE_WATCH_H
#define ZYGOTED_FRONT_RECYCLE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#define RECYCLE_WATCH_SECONDS 60

/* Starts as zeros. */
struct recycle_watch {
	uint64_t requests;
	uint64_t second;			/* of the newest fault, on CLOCK_MONOTONIC */
	uint32_t faults[RECYCLE_WATCH_SECONDS]; /* a ring: those of each second up to that one */
};

/* Counts a request that a child was given. Whether there were `limit` of them; 0: never. */
bool recycle_watch_add_request(struct recycle_watch *watch, uint32_t limit);

/* Counts a fault. Whether there were `limit` of them within the last minute, give or take a second;
 * 0: never. */
bool recycle_watch_add_fault(struct recycle_watch *watch, uint32_t limit, uint64_t now_ns);

/*
 * Whether a death by that signal is one that guessing at the address layout leaves behind: SEGV,
 * BUS, ILL, ABRT (stack protector, heap checks), SYS (a call that the filter does not know).
 */
bool recycle_watch_is_fault(int signal);

#endif
