/*
 * Figures of several fronts as one. Pure; starts from zeros.
 */
#ifndef ZYGOTED_SUPERVISOR_STATS_MERGE_H
#define ZYGOTED_SUPERVISOR_STATS_MERGE_H

#include "base/proto.h"

/*
 * Adds what one front says of a pool: counts are summed, maxima compared, the generation is the newest that serves in a front,
 * the breaker the least closed one.
 */
void stats_merge_pool(struct msg_stats *sum, const struct msg_stats *part);

/* More of a pool, a listener's connections, a route. */
void stats_merge_times(struct msg_stats_times *sum, const struct msg_stats_times *part);
void stats_merge_listener(struct msg_stats_listener *sum, const struct msg_stats_listener *part);
void stats_merge_route(struct msg_route *sum, const struct msg_route *part);

/* The same for a front as a whole; the time is that of the oldest. */
void stats_merge_front(struct msg_stats_end *sum, const struct msg_stats_end *part);

#endif
