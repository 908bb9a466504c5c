/*
 * A pool's distributions of times, as `stats` tells them.
 */
#ifndef ZYGOTED_SUPERVISOR_CONTROL_HISTOGRAM_H
#define ZYGOTED_SUPERVISOR_CONTROL_HISTOGRAM_H

#include <jansson.h>

struct msg_stats_times;

/* The upper bounds of all histograms' buckets, in microseconds; the last bucket has none. */
json_t *control_histogram_bounds(void);

/* Adds run_histogram, queue_histogram and fork_histogram: how many there were in each bucket. */
void control_histogram_set(json_t *object, const struct msg_stats_times *times);

#endif
