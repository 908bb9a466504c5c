/*
 * Samples of metrics from a snapshot. Pure.
 *
 * Runs in: supervisor. The rule: no label whose values a client chooses, and none without a bound.
 */
#include "supervisor/metrics_emit.h"

#include <string.h>

#include "supervisor/metrics_snapshot.h"

#define NO_LABELS ((const struct metrics_label[]){ { 0 } })

static uint64_t
load(const struct metric *metric, const void *base)
{
	uint64_t wide;
	uint32_t narrow;

	if (metric->width == sizeof(wide)) {
		memcpy(&wide, (const char *)base + metric->offset, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, (const char *)base + metric->offset, sizeof(narrow));
	return narrow;
}

/* ---- numbers ---- */

void
metrics_emit_one(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
		 const struct metric *metric)
{
	metrics_text_value(writer, NO_LABELS, load(metric, snapshot), metric->divisor);
}

void
metrics_emit_pools(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
		   const struct metric *metric)
{
	for (uint32_t i = 0; i < snapshot->pools_count; i++) {
		const struct metrics_pool *pool = &snapshot->pools[i];
		const struct metrics_label labels[] = { { "pool", pool->name }, { 0 } };
		metrics_text_value(writer, labels, load(metric, pool), metric->divisor);
	}
}

/* Only of pools that were measured. */
void
metrics_emit_memory(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
		    const struct metric *metric)
{
	for (uint32_t i = 0; i < snapshot->pools_count; i++) {
		const struct metrics_pool *pool = &snapshot->pools[i];
		const struct metrics_label labels[] = { { "pool", pool->name }, { 0 } };
		if (pool->memory.is_known)
			metrics_text_value(writer, labels, load(metric, pool), metric->divisor);
	}
}

/* Only of pools that have samples. */
void
metrics_emit_samples(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
		     const struct metric *metric)
{
	for (uint32_t i = 0; i < snapshot->pools_count; i++) {
		const struct metrics_pool *pool = &snapshot->pools[i];
		const struct metrics_label labels[] = { { "pool", pool->name }, { 0 } };
		if (pool->memory.samples > 0)
			metrics_text_value(writer, labels, load(metric, pool), metric->divisor);
	}
}

void
metrics_emit_listeners(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
		       const struct metric *metric)
{
	for (uint32_t i = 0; i < snapshot->listeners_count; i++) {
		const struct metrics_listener *listener = &snapshot->listeners[i];
		const struct metrics_label labels[] = { { "listener", listener->name }, { 0 } };
		metrics_text_value(writer, labels, load(metric, listener), metric->divisor);
	}
}

void
metrics_emit_processes(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
		       const struct metric *metric)
{
	for (uint32_t i = 0; i < snapshot->processes_count; i++) {
		const struct metrics_process *process = &snapshot->processes[i];
		const struct metrics_label labels[] = { { "process", process->name },
							{ "pool", process->pool },
							{ 0 } };
		metrics_text_value(writer, labels, load(metric, &process->stat), metric->divisor);
	}
}

/* ---- what needs more than a number ---- */

void
metrics_emit_build(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
		   const struct metric *metric)
{
	const struct metrics_label labels[] = { { "version", snapshot->version }, { 0 } };

	(void)metric;
	metrics_text_value(writer, labels, 1, 1);
}

/* "2xx" by the first digit; 0: there was no answer. */
static const char *
code_class(unsigned digit)
{
	static const char *const names[PROTO_STATUS_CLASSES] = { "none", "1xx", "2xx",
								 "3xx",	 "4xx", "5xx" };

	return digit < PROTO_STATUS_CLASSES ? names[digit] : "none";
}

static void
put_request(struct metrics_writer *writer, const char *pool, enum outcome outcome, unsigned digit,
	    uint64_t count)
{
	const struct metrics_label labels[METRICS_LABELS_MAX + 1] = {
		{ "pool", pool },
		{ "code", code_class(digit) },
		{ "outcome", proto_outcome_name(outcome) },
	};

	metrics_text_value(writer, labels, count, 1);
}

/* Requests that ended so and that no pool got. */
static uint64_t
without_pool(const struct metrics_snapshot *snapshot, int outcome)
{
	uint64_t count = snapshot->front.outcomes[outcome];

	for (uint32_t i = 0; i < snapshot->pools_count; i++) {
		const uint64_t in_pool = snapshot->pools[i].stats.outcomes[outcome];
		count -= in_pool < count ? in_pool : count;
	}
	return count;
}

void
metrics_emit_requests(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
		      const struct metric *metric)
{
	(void)metric;
	for (uint32_t i = 0; i < snapshot->pools_count; i++) {
		const struct metrics_pool *pool = &snapshot->pools[i];
		for (unsigned digit = 2; digit < PROTO_STATUS_CLASSES; digit++)
			put_request(writer, pool->name, OUTCOME_OK, digit,
				    pool->times.ok_codes[digit]);
		for (int j = OUTCOME_OK + 1; j < OUTCOME_MAX; j++)
			put_request(writer, pool->name, (enum outcome)j,
				    (unsigned)proto_outcome_status((enum outcome)j) / 100,
				    pool->stats.outcomes[j]);
	}
	for (int j = OUTCOME_OK + 1; j < OUTCOME_MAX; j++)
		put_request(writer, "", (enum outcome)j,
			    (unsigned)proto_outcome_status((enum outcome)j) / 100,
			    without_pool(snapshot, j));
}

static void
put_refusal(struct metrics_writer *writer, const char *pool, int outcome, uint64_t count)
{
	const struct metrics_label labels[] = {
		{ "pool", pool }, { "reason", proto_outcome_name((enum outcome)outcome) }, { 0 }
	};

	if (proto_outcome_is_refusal((enum outcome)outcome) && outcome != OUTCOME_OK)
		metrics_text_value(writer, labels, count, 1);
}

void
metrics_emit_refusals(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
		      const struct metric *metric)
{
	(void)metric;
	for (uint32_t i = 0; i < snapshot->pools_count; i++)
		for (int j = 0; j < OUTCOME_MAX; j++)
			put_refusal(writer, snapshot->pools[i].name, j,
				    snapshot->pools[i].stats.outcomes[j]);
	for (int j = 0; j < OUTCOME_MAX; j++)
		put_refusal(writer, "", j, without_pool(snapshot, j));
}

static void
put_times(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
	  enum pool_time time)
{
	for (uint32_t i = 0; i < snapshot->pools_count; i++) {
		const struct metrics_pool *pool = &snapshot->pools[i];
		const struct metrics_label labels[] = { { "pool", pool->name }, { 0 } };
		const uint64_t sums[POOL_TIME_MAX] = {
			[POOL_TIME_RUN] = pool->stats.run_us,
			[POOL_TIME_QUEUE] = pool->stats.queue_us,
			[POOL_TIME_FORK] = pool->times.fork_us,
		};
		metrics_text_histogram(writer, labels, &pool->times.times[time], sums[time]);
	}
}

void
metrics_emit_run(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
		 const struct metric *metric)
{
	(void)metric;
	put_times(writer, snapshot, POOL_TIME_RUN);
}

void
metrics_emit_queue(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
		   const struct metric *metric)
{
	(void)metric;
	put_times(writer, snapshot, POOL_TIME_QUEUE);
}

void
metrics_emit_fork(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
		  const struct metric *metric)
{
	(void)metric;
	put_times(writer, snapshot, POOL_TIME_FORK);
}

void
metrics_emit_children(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
		      const struct metric *metric)
{
	(void)metric;
	for (uint32_t i = 0; i < snapshot->pools_count; i++) {
		const struct msg_stats *stats = &snapshot->pools[i].stats;
		const struct {
			const char *name;
			uint32_t count;
		} states[] = {
			{ "starting", stats->starting }, { "parked", stats->spare },
			{ "busy", stats->busy },	 { "dying", stats->dying },
			{ "draining", stats->draining },
		};
		for (size_t j = 0; j < sizeof(states) / sizeof(states[0]); j++) {
			const struct metrics_label labels[] = { { "pool", snapshot->pools[i].name },
								{ "state", states[j].name },
								{ 0 } };
			metrics_text_value(writer, labels, states[j].count, 1);
		}
	}
}

void
metrics_emit_ends(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
		  const struct metric *metric)
{
	(void)metric;
	for (uint32_t i = 0; i < snapshot->pools_count; i++) {
		for (int j = 0; j < CHILD_END_MAX; j++) {
			const struct metrics_label labels[] = {
				{ "pool", snapshot->pools[i].name },
				{ "reason", proto_child_end_name((enum child_end)j) },
				{ 0 },
			};
			metrics_text_value(writer, labels, snapshot->pools[i].times.ends[j], 1);
		}
	}
}

void
metrics_emit_layers(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
		    const struct metric *metric)
{
	(void)metric;
	for (uint32_t i = 0; i < snapshot->pools_count; i++) {
		const struct metrics_pool *pool = &snapshot->pools[i];
		for (int j = 0; pool->layers != NULL && j < LAYER_MAX; j++) {
			const struct metrics_label labels[] = {
				{ "pool", pool->name },
				{ "layer", proto_layer_name((enum layer)j) },
				{ 0 },
			};
			metrics_text_value(writer, labels, pool->layers[j].state == LAYER_APPLIED,
					   1);
		}
	}
}

void
metrics_emit_connections(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
			 const struct metric *metric)
{
	(void)metric;
	for (uint32_t i = 0; i < snapshot->listeners_count; i++) {
		const struct metrics_listener *listener = &snapshot->listeners[i];
		for (int j = 0; j < ACTIVITY_MAX; j++) {
			const struct metrics_label labels[] = {
				{ "listener", listener->name },
				{ "state", proto_activity_name((enum connection_activity)j) },
				{ 0 },
			};
			metrics_text_value(writer, labels, listener->connections[j], 1);
		}
	}
}

void
metrics_emit_handshakes(struct metrics_writer *writer, const struct metrics_snapshot *snapshot,
			const struct metric *metric)
{
	const struct msg_stats_end *front = &snapshot->front;
	/* Those with a ticket are among the good ones, here each counts once. */
	const struct {
		const char *name;
		uint64_t count;
	} results[] = {
		{ "ok", front->handshakes_ok - front->handshakes_resumed },
		{ "resumed", front->handshakes_resumed },
		{ "failed", front->handshakes_failed },
		{ "timed_out", front->handshakes_timed_out },
	};

	(void)metric;
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		const struct metrics_label labels[] = { { "result", results[i].name }, { 0 } };
		metrics_text_value(writer, labels, results[i].count, 1);
	}
}
