/*
 * Buckets of durations.
 *
 * Runs in: front (counts), supervisor (sums). The bounds span what there is to see: a fork takes
 * some 100 us, a request is bounded by `timeout`, whose default is 2 s.
 */
#include "base/histogram.h"

static const uint64_t bounds_us[HISTOGRAM_BUCKETS] = {
	50,	100,	250,	500,	 1000,	  2500,	   5000,     10000,    25000,	 50000,
	100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, 60000000, UINT64_MAX,
};

uint64_t
histogram_bound_us(unsigned bucket)
{
	return bucket < HISTOGRAM_BUCKETS ? bounds_us[bucket] : UINT64_MAX;
}

void
histogram_count(struct histogram *histogram, uint64_t duration_us)
{
	unsigned bucket = 0;

	while (duration_us > bounds_us[bucket])
		bucket++;
	histogram->counts[bucket]++;
}

void
histogram_add(struct histogram *histogram, const struct histogram *more)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		histogram->counts[i] += more->counts[i];
}
