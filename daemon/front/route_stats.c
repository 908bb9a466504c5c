/*
 * Histograms by powers of two.
 *
 * Runs in: front. Pure. Rule: values come from the kernel or our own clock, never from a child.
 */
#include "front/route_stats.h"

static void
add(struct msg_histogram *histogram, uint64_t value)
{
	unsigned bucket = value <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(value - 1);

	if (bucket >= PROTO_BUCKETS)
		bucket = PROTO_BUCKETS - 1;
	histogram->buckets[bucket]++;
	histogram->sum += value;
	if (value > histogram->max)
		histogram->max = value;
}

void
route_stats_add(struct route_stats *stats, const struct route_usage *usage)
{
	stats->requests++;
	add(&stats->faults, usage->faults);
	add(&stats->cpu_us, usage->cpu_us);
	add(&stats->wall_us, usage->wall_us);
}

void
route_stats_report(const struct route_stats *stats, struct msg_route *message)
{
	message->requests = stats->requests;
	message->faults = stats->faults;
	message->cpu_us = stats->cpu_us;
	message->wall_us = stats->wall_us;
}
