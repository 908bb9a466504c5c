/*
 * The supervisor's only clock: CLOCK_MONOTONIC, so that back-off and ages survive a jump of the
 * time of day.
 */
#ifndef ZYGOTED_SUPERVISOR_CLOCK_H
#define ZYGOTED_SUPERVISOR_CLOCK_H

#include <stdint.h>
#include <sys/time.h>
#include <time.h>

static inline uint64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static inline uint64_t
clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* A duration as libevent's timers take it. */
static inline struct timeval
clock_timeval(uint32_t ms)
{
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };
}

#endif
