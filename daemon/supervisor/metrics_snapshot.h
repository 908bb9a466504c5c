/*
 * Everything that the metrics tell, at one moment: gathered by metrics_collect, written by
 * metrics_table. Plain data, so that rendering needs neither a daemon nor a clock.
 */
#ifndef ZYGOTED_SUPERVISOR_METRICS_SNAPSHOT_H
#define ZYGOTED_SUPERVISOR_METRICS_SNAPSHOT_H

#include "base/proto.h"
#include "supervisor/process_stat.h"

#include <stdbool.h>

/* The supervisor, the fronts together, and of each pool its zygotes together. */
#define METRICS_PROCESSES_MAX (2 + PROTO_POOLS_MAX)

/* What a probe child showed, and samples of those that have answered. */
struct metrics_memory {
	bool is_known;
	uint32_t samples; /* 0: nothing is known of these */
	uint64_t child_copied_bytes;
	uint64_t child_new_bytes;
	uint64_t age_ms;
	uint64_t child_shared_bytes;
	uint64_t child_private_bytes;
	uint64_t saved_bytes;
};

struct metrics_pool {
	const char *name;
	uint32_t index;	     /* its number in messages, which is not its place here */
	uint32_t is_serving; /* 1: a loaded zygote serves it */
	uint32_t generation;
	uint64_t load_us; /* 0 until it has loaded, as the next */
	uint64_t image_bytes;
	uint64_t frozen_bytes;
	uint64_t restarts;
	uint64_t recycles;
	uint64_t max_children;
	uint64_t breaker_open;		/* 1: requests are refused */
	const struct msg_layer *layers; /* LAYER_MAX of the one that serves, or NULL */
	struct metrics_memory memory;
	struct msg_stats stats; /* of all fronts together */
	struct msg_stats_times times;
};

struct metrics_listener {
	const char *name;
	uint32_t index; /* as a pool's */
	uint64_t connections[ACTIVITY_MAX];
	uint64_t accepted;
	uint64_t refused;
};

struct metrics_process {
	const char *name; /* "supervisor", "front" or "zygote" */
	const char *pool; /* of a zygote, else "" */
	struct process_stat stat;
};

struct metrics_snapshot {
	const char *version;
	bool has_front; /* a front has answered: without one nothing is said about what it knows */
	uint64_t is_ready;
	uint64_t front_restarts;
	uint64_t log_lost;
	uint64_t start_time_ms; /* of the supervisor, since 1970 */
	uint64_t open_fds;
	uint64_t max_fds;
	struct msg_stats_end front; /* of all fronts together */
	uint32_t pools_count;
	uint32_t listeners_count;
	uint32_t processes_count;
	struct metrics_pool pools[PROTO_POOLS_MAX];
	struct metrics_listener listeners[PROTO_LISTENERS_MAX];
	struct metrics_process processes[METRICS_PROCESSES_MAX]; /* the supervisor first */
};

#endif
