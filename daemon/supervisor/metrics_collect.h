/*
 * Fills a snapshot from what the supervisor knows, and from what fronts have answered.
 */
#ifndef ZYGOTED_SUPERVISOR_METRICS_COLLECT_H
#define ZYGOTED_SUPERVISOR_METRICS_COLLECT_H

struct front_answer;
struct metrics_snapshot;
struct supervisor;

/* The supervisor's own part; the rest is zero. */
void metrics_collect_own(const struct supervisor *supervisor,
			 struct metrics_snapshot *snapshot_out);

/* Adds one front's figures. Once for each front that has answered. */
void metrics_collect_front(const struct front_answer *answer, struct metrics_snapshot *snapshot);

/* Adds what is known of memory; the children are already counted. */
void metrics_collect_memory(const struct supervisor *supervisor, struct metrics_snapshot *snapshot);

#endif
