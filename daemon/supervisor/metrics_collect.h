/*
 * Fills a snapshot from what the supervisor knows, and from what fronts have answered.
 */
#ifndef ZYGOTED_SUPERVISOR_METRICS_COLLECT_H
#define ZYGOTED_SUPERVISOR_METRICS_COLLECT_H

struct front_answer;
struct memory_row;
struct metrics_memory;
struct metrics_snapshot;
struct supervisor;

/*
 * The supervisor's own part; the rest is zero. `memory`: of each pool, in their order.
 */
void metrics_collect_own(const struct supervisor *supervisor, const struct metrics_memory *memory,
			 struct metrics_snapshot *snapshot_out);

/* Adds one front's figures. Once for each front that has answered. */
void metrics_collect_front(const struct front_answer *answer, struct metrics_snapshot *snapshot);

/* One pool's figures from its measurement. */
void metrics_collect_memory(const struct memory_row *row, struct metrics_memory *memory_out);

#endif
