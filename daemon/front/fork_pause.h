/*
 * How long a generation orders no children after some that came to nothing: a fork that failed, or
 * a child that died while parked. Without a pause they would be ordered again at once, as fast as
 * the machine can. Pure; times are CLOCK_MONOTONIC nanoseconds.
 */
#ifndef ZYGOTED_FRONT_FORK_PAUSE_H
#define ZYGOTED_FRONT_FORK_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

/* All zero at first. */
struct fork_pause {
	uint64_t until_ns;
	uint64_t length_ns; /* of the last pause; 0 since the last success */
};

/*
 * A child came to nothing. The first of a time begins a pause, each twice as long as the one before,
 * from 10 ms to 1 s; true then, and worth a log line. False for those that follow during a pause:
 * they were ordered before it.
 */
bool fork_pause_fail(struct fork_pause *pause, uint64_t now_ns);

/* A child has served a request: the next pause is a short one again. */
void fork_pause_clear(struct fork_pause *pause);

/* Whether children may be ordered. */
bool fork_pause_is_over(const struct fork_pause *pause, uint64_t now_ns);

#endif
