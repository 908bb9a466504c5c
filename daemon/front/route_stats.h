/*
 * What the children of each route cost, from the usage that the kernel reports of every one. Pure.
 */
#ifndef ZYGOTED_FRONT_ROUTE_STATS_H
#define ZYGOTED_FRONT_ROUTE_STATS_H

#include "base/proto.h"

struct route_stats {
	uint64_t requests;
	struct msg_histogram faults;
	struct msg_histogram cpu_us;
	struct msg_histogram wall_us;
};

struct route_usage {
	uint64_t faults;
	uint64_t cpu_us;
	uint64_t wall_us;
};

/* Adds one child's. */
void route_stats_add(struct route_stats *stats, const struct route_usage *usage);

/* Fills in the figures of a message. */
void route_stats_report(const struct route_stats *stats, struct msg_route *message);

#endif
