/*
 * How the samples of a metric are found in a snapshot: the functions that rows of the table name.
 */
#ifndef ZYGOTED_SUPERVISOR_METRICS_EMIT_H
#define ZYGOTED_SUPERVISOR_METRICS_EMIT_H

#include "supervisor/metrics_text.h"

#include <stdbool.h>
#include <stdint.h>

struct metrics_snapshot;
struct metric;

/* Writes all samples of one metric. */
typedef void metric_emit_fn(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
			    const struct metric *metric);

/* A row of the table. */
struct metric {
	struct metrics_family family;
	metric_emit_fn *emit;
	/* For those that are a number somewhere in the snapshot, or in each of its pools: */
	uint32_t offset;
	uint32_t width;
	uint32_t divisor;
	bool of_front; /* a front's: left out while there is none */
};

/* A number: in the snapshot, in each pool, each pool that was measured, each that was sampled, each listener, each
 * process's figures. */
metric_emit_fn metrics_emit_one;
metric_emit_fn metrics_emit_pools;
metric_emit_fn metrics_emit_memory;
metric_emit_fn metrics_emit_samples;
metric_emit_fn metrics_emit_listeners;
metric_emit_fn metrics_emit_processes;

/* What needs more than a number, or labels of its own. */
metric_emit_fn metrics_emit_build;
metric_emit_fn metrics_emit_requests;
metric_emit_fn metrics_emit_refusals;
metric_emit_fn metrics_emit_run;
metric_emit_fn metrics_emit_queue;
metric_emit_fn metrics_emit_fork;
metric_emit_fn metrics_emit_children;
metric_emit_fn metrics_emit_ends;
metric_emit_fn metrics_emit_layers;
metric_emit_fn metrics_emit_connections;
metric_emit_fn metrics_emit_handshakes;

#endif
