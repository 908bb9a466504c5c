/*
 * Distributions of durations: counts in fixed buckets. Pure.
 *
 * The bounds are the same everywhere: they can be summed over processes, and the difference of two
 * readings is the distribution of what happened in between.
 */
#ifndef ZYGOTED_BASE_HISTOGRAM_H
#define ZYGOTED_BASE_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS 20 /* the last one has no upper bound */

struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS]; /* each duration in one bucket: not cumulative */
};

/* The bucket's upper bound, inclusive, in microseconds; UINT64_MAX for the last one. */
uint64_t histogram_bound_us(unsigned bucket);

void histogram_count(struct histogram *histogram, uint64_t duration_us);

/* Adds all of the second one to the first. */
void histogram_add(struct histogram *histogram, const struct histogram *more);

#endif
