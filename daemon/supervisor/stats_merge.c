/*
 * Which figure is added to which: a new one in the messages is a row here.
 *
 * Runs in: supervisor. Pure.
 */
#include "supervisor/stats_merge.h"

#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const size_t pool_sums[] = {
	offsetof(struct msg_stats, requests),	     offsetof(struct msg_stats, forks),
	offsetof(struct msg_stats, fork_failures),   offsetof(struct msg_stats, kills),
	offsetof(struct msg_stats, exits_by_signal), offsetof(struct msg_stats, minor_faults),
	offsetof(struct msg_stats, cpu_us),	     offsetof(struct msg_stats, run_us),
	offsetof(struct msg_stats, queue_us),	     offsetof(struct msg_stats, bytes_in),
	offsetof(struct msg_stats, bytes_out),	     offsetof(struct msg_stats, output_truncated),
};

static const size_t pool_readings[] = {
	offsetof(struct msg_stats, spare),	    offsetof(struct msg_stats, busy),
	offsetof(struct msg_stats, starting),	    offsetof(struct msg_stats, dying),
	offsetof(struct msg_stats, queued),	    offsetof(struct msg_stats, draining),
	offsetof(struct msg_stats, breaker_opened),
};

static const size_t pool_maxima[] = {
	offsetof(struct msg_stats, run_us_max),
	offsetof(struct msg_stats, queue_us_max),
};

static const size_t front_sums[] = {
	offsetof(struct msg_stats_end, accepted),
	offsetof(struct msg_stats_end, refused),
	offsetof(struct msg_stats_end, requests),
	offsetof(struct msg_stats_end, penalties),
	offsetof(struct msg_stats_end, handshakes_ok),
	offsetof(struct msg_stats_end, handshakes_resumed),
	offsetof(struct msg_stats_end, handshakes_failed),
	offsetof(struct msg_stats_end, handshakes_timed_out),
	offsetof(struct msg_stats_end, penalties_active),
	offsetof(struct msg_stats_end, scrapes),
	offsetof(struct msg_stats_end, log_lost),
	offsetof(struct msg_stats_end, access_lost),
};

static uint64_t *
large(void *figures, size_t offset)
{
	return (uint64_t *)(void *)((char *)figures + offset);
}

static uint64_t
large_of(const void *figures, size_t offset)
{
	return *(const uint64_t *)(const void *)((const char *)figures + offset);
}

static void
add(uint64_t *sums, const uint64_t *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sums[i] += parts[i];
}

static void
keep_larger(uint64_t *sum, uint64_t part)
{
	if (part > *sum)
		*sum = part;
}

/* Open before probing before closed: what an operator has to know. */
static uint32_t
worse_breaker(uint32_t a, uint32_t b)
{
	if (a == BREAKER_OPEN || b == BREAKER_OPEN)
		return BREAKER_OPEN;
	return a == BREAKER_CLOSED ? b : a;
}

static void
merge_prefault(struct msg_stats *sum, const struct msg_stats *part)
{
	if (part->prefault_state > sum->prefault_state)
		sum->prefault_state = part->prefault_state; /* the table's order: the furthest */
	for (int kind = 0; kind < PREFAULT_KIND_MAX; kind++) {
		struct msg_prefault_effect *effect = &sum->prefault[kind];
		effect->requests += part->prefault[kind].requests;
		effect->run_us += part->prefault[kind].run_us;
		effect->cpu_us += part->prefault[kind].cpu_us;
		effect->counted += part->prefault[kind].counted;
		effect->faults += part->prefault[kind].faults;
	}
}

void
stats_merge_pool(struct msg_stats *sum, const struct msg_stats *part)
{
	merge_prefault(sum, part);
	for (size_t i = 0; i < COUNT(pool_sums); i++)
		*large(sum, pool_sums[i]) += large_of(part, pool_sums[i]);
	for (size_t i = 0; i < COUNT(pool_maxima); i++)
		keep_larger(large(sum, pool_maxima[i]), large_of(part, pool_maxima[i]));
	for (size_t i = 0; i < COUNT(pool_readings); i++)
		*(uint32_t *)(void *)((char *)sum + pool_readings[i]) +=
			*(const uint32_t *)(const void *)((const char *)part + pool_readings[i]);
	add(sum->outcomes, part->outcomes, OUTCOME_MAX);
	sum->pool = part->pool;
	if (part->generation > sum->generation)
		sum->generation = part->generation;
	sum->breaker = worse_breaker(sum->breaker, part->breaker);
}

void
stats_merge_times(struct msg_stats_times *sum, const struct msg_stats_times *part)
{
	sum->fork_us += part->fork_us;
	add(sum->ends, part->ends, CHILD_END_MAX);
	add(sum->ok_codes, part->ok_codes, PROTO_STATUS_CLASSES);
	for (int i = 0; i < POOL_TIME_MAX; i++)
		histogram_add(&sum->times[i], &part->times[i]);
}

void
stats_merge_listener(struct msg_stats_listener *sum, const struct msg_stats_listener *part)
{
	for (int i = 0; i < ACTIVITY_MAX; i++)
		sum->connections[i] += part->connections[i];
	sum->accepted += part->accepted;
	sum->refused += part->refused;
}

static void
merge_histogram(struct msg_histogram *sum, const struct msg_histogram *part)
{
	sum->sum += part->sum;
	keep_larger(&sum->max, part->max);
	for (int i = 0; i < PROTO_BUCKETS; i++)
		sum->buckets[i] += part->buckets[i];
}

void
stats_merge_route(struct msg_route *sum, const struct msg_route *part)
{
	sum->requests += part->requests;
	merge_histogram(&sum->faults, &part->faults);
	merge_histogram(&sum->cpu_us, &part->cpu_us);
	merge_histogram(&sum->wall_us, &part->wall_us);
}

void
stats_merge_front(struct msg_stats_end *sum, const struct msg_stats_end *part)
{
	for (size_t i = 0; i < COUNT(front_sums); i++)
		*large(sum, front_sums[i]) += large_of(part, front_sums[i]);
	add(sum->outcomes, part->outcomes, OUTCOME_MAX);
	sum->connections += part->connections;
	sum->active += part->active;
	sum->handshaking += part->handshaking;
	sum->handshakes_waiting += part->handshakes_waiting;
	keep_larger(&sum->uptime_ms, part->uptime_ms);
}
