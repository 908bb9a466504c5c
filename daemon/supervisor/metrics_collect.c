/*
 * Gathering the metrics' figures.
 *
 * Runs in: supervisor. Everything here is a sum or a copy; what each figure means stands in the
 * table. Numbers of fronts were checked for their indices when they came; as counters they are
 * believed.
 */
#include "supervisor/metrics_collect.h"

#include <dirent.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "supervisor/clock.h"
#include "supervisor/config.h"
#include "supervisor/front_ask.h"
#include "supervisor/front_proc.h"
#include "supervisor/fronts.h"
#include "supervisor/memory_sums.h"
#include "supervisor/metrics_snapshot.h"
#include "supervisor/page_walk.h"
#include "supervisor/supervisor.h"
#include "supervisor/survey.h"
#include "supervisor/zygote_proc.h"

/* ---- the supervisor's ---- */

static uint64_t
count_fds(void)
{
	DIR *directory = opendir("/proc/self/fd");
	uint64_t count = 0;

	if (directory == NULL)
		return 0;
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count > 3 ? count - 3 : 0; /* ".", ".." and the directory's own */
}

static uint64_t
fd_limit(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

/* From the time of day and the uptime, once: a later jump of the clock is not a restart. */
static uint64_t
start_time_ms(const struct supervisor *supervisor)
{
	static uint64_t start_ms;
	struct timespec now;

	if (start_ms == 0) {
		clock_gettime(CLOCK_REALTIME, &now);
		start_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 -
			   (clock_ms() - supervisor->started_ms);
	}
	return start_ms;
}

static struct process_stat *
add_process(struct metrics_snapshot *snapshot, const char *name, const char *pool)
{
	struct metrics_process *process = &snapshot->processes[snapshot->processes_count++];

	process->name = name;
	process->pool = pool;
	return &process->stat;
}

static void
collect_processes(const struct supervisor *supervisor, struct metrics_snapshot *snapshot)
{
	process_stat_add(getpid(), add_process(snapshot, "supervisor", ""));
	struct process_stat *fronts = add_process(snapshot, "front", "");
	for (struct front_proc *front = NULL; (front = fronts_next(supervisor, front)) != NULL;)
		process_stat_add(front->process.pid, fronts);
	for (struct zygote_pool *pool = NULL;
	     (pool = zygote_proc_next(supervisor, pool)) != NULL;) {
		const struct zygote_generation *generation;
		if (pool->phase != POOL_LIVE)
			continue;
		struct process_stat *sums =
			add_process(snapshot, "zygote", pool->config->front.name);
		LIST_FOREACH (generation, &pool->generations, link)
			for (uint32_t i = 0; i <= generation->siblings_count; i++)
				process_stat_add(zygote_proc_pid(generation, i), sums);
	}
}

static void
collect_pool(const struct zygote_pool *pool, struct metrics_pool *out)
{
	const struct zygote_generation *shown = zygote_proc_shown(pool);

	out->name = pool->config->front.name;
	out->index = pool->index;
	out->is_serving = pool->serving != NULL;
	out->generation = shown != NULL ? shown->number : pool->last_number;
	if (shown != NULL && shown->ready_ms != 0) {
		out->load_us = shown->ready.load_us;
		out->image_bytes = shown->ready.state_bytes;
		out->frozen_bytes = shown->ready.image.image_bytes;
	}
	out->restarts = pool->restarts;
	out->recycles = pool->recycle.count;
	out->max_children = pool->config->front.max_children;
	if (pool->serving != NULL)
		out->layers = pool->serving->ready.layers;
}

/* One that is not live yet, or any more, may have a name that another one has. Whether all of them serve. */
static bool
collect_pools(const struct supervisor *supervisor, struct metrics_snapshot *snapshot)
{
	bool serves = true;

	for (const struct zygote_pool *pool = NULL;
	     (pool = zygote_proc_next(supervisor, pool)) != NULL;) {
		if (pool->phase != POOL_LIVE)
			continue;
		collect_pool(pool, &snapshot->pools[snapshot->pools_count++]);
		serves &= pool->serving != NULL;
	}
	return serves;
}

/* A reload leaves places without a name. */
static void
collect_listeners(const struct config *config, struct metrics_snapshot *snapshot)
{
	for (uint32_t i = 0; i < config->listeners_count; i++) {
		const char *name = config->listeners[i].front.name;
		if (name[0] != '\0')
			snapshot->listeners[snapshot->listeners_count++] =
				(struct metrics_listener){ .name = name, .index = i };
	}
}

void
metrics_collect_own(const struct supervisor *supervisor, struct metrics_snapshot *snapshot_out)
{
	bool serves = true;

	memset(snapshot_out, 0, sizeof(*snapshot_out));
	snapshot_out->version = ZYGOTED_VERSION;
	snapshot_out->start_time_ms = start_time_ms(supervisor);
	snapshot_out->open_fds = count_fds();
	snapshot_out->max_fds = fd_limit();
	snapshot_out->log_lost = log_lost();
	for (struct front_proc *front = NULL; (front = fronts_next(supervisor, front)) != NULL;) {
		snapshot_out->front_restarts += front->epoch > 1 ? front->epoch - 1 : 0;
		serves &= front->state == FRONT_READY;
	}
	serves &= collect_pools(supervisor, snapshot_out);
	collect_listeners(supervisor->config, snapshot_out);
	snapshot_out->is_ready = serves && supervisor->state == SUPERVISOR_RUNNING;
	collect_processes(supervisor, snapshot_out);
}

/* ---- fronts' ---- */

static void
add_outcomes(uint64_t sums[OUTCOME_MAX], const uint64_t more[OUTCOME_MAX])
{
	for (int i = 0; i < OUTCOME_MAX; i++)
		sums[i] += more[i];
}

static void
add_stats(struct msg_stats *sums, const struct msg_stats *more)
{
	sums->spare += more->spare;
	sums->busy += more->busy;
	sums->starting += more->starting;
	sums->dying += more->dying;
	sums->queued += more->queued;
	sums->draining += more->draining;
	sums->breaker_opened += more->breaker_opened;
	sums->requests += more->requests;
	add_outcomes(sums->outcomes, more->outcomes);
	sums->forks += more->forks;
	sums->fork_failures += more->fork_failures;
	sums->minor_faults += more->minor_faults;
	sums->cpu_us += more->cpu_us;
	sums->run_us += more->run_us;
	sums->queue_us += more->queue_us;
	sums->bytes_in += more->bytes_in;
	sums->bytes_out += more->bytes_out;
	sums->output_truncated += more->output_truncated;
}

static void
add_times(struct msg_stats_times *sums, const struct msg_stats_times *more)
{
	sums->fork_us += more->fork_us;
	for (int i = 0; i < CHILD_END_MAX; i++)
		sums->ends[i] += more->ends[i];
	for (int i = 0; i < PROTO_STATUS_CLASSES; i++)
		sums->ok_codes[i] += more->ok_codes[i];
	for (int i = 0; i < POOL_TIME_MAX; i++)
		histogram_add(&sums->times[i], &more->times[i]);
}

static void
add_listener(struct metrics_listener *sums, const struct msg_stats_listener *more)
{
	for (int i = 0; i < ACTIVITY_MAX; i++)
		sums->connections[i] += more->connections[i];
	sums->accepted += more->accepted;
	sums->refused += more->refused;
}

void
metrics_collect_front(const struct front_answer *answer, struct metrics_snapshot *snapshot)
{
	snapshot->has_front = true;
	for (uint32_t i = 0; i < snapshot->pools_count; i++) {
		struct metrics_pool *pool = &snapshot->pools[i];
		add_stats(&pool->stats, &answer->pools[pool->index]);
		add_times(&pool->times, &answer->times[pool->index]);
		pool->breaker_open |= answer->pools[pool->index].breaker != BREAKER_CLOSED;
	}
	for (uint32_t i = 0; i < snapshot->listeners_count; i++)
		add_listener(&snapshot->listeners[i],
			     &answer->listeners[snapshot->listeners[i].index]);
	add_outcomes(snapshot->front.outcomes, answer->front.outcomes);
	snapshot->front.handshakes_ok += answer->front.handshakes_ok;
	snapshot->front.handshakes_resumed += answer->front.handshakes_resumed;
	snapshot->front.handshakes_failed += answer->front.handshakes_failed;
	snapshot->front.handshakes_timed_out += answer->front.handshakes_timed_out;
	snapshot->front.penalties += answer->front.penalties;
	snapshot->front.penalties_active += answer->front.penalties_active;
	snapshot->front.scrapes += answer->front.scrapes;
	snapshot->front.access_lost += answer->front.access_lost;
	snapshot->log_lost += answer->front.log_lost;
}

/* ---- memory ---- */

/* Each child that shares saves what it would else have for itself; the shared part is there once. */
static void
collect_memory(const struct zygote_pool *pool, struct metrics_pool *out)
{
	const char *error;
	const struct survey *survey = survey_of(pool, &error);

	if (survey == NULL)
		return;
	const struct sample_store *samples = pool->serving->samples;
	out->memory = (struct metrics_memory){
		.is_known = true,
		.age_ms = clock_ms() - survey->taken_ms,
		.child_shared_bytes = survey->pages[PAGES_SHARED] * PAGE_BYTES,
		.child_private_bytes =
			(survey->pages[PAGES_COPIED] + survey->pages[PAGES_NEW]) * PAGE_BYTES,
	};
	out->memory.saved_bytes = memory_sums_of(pool->serving, survey, &out->stats).saved_bytes;
	if (samples != NULL) {
		out->memory.samples = samples->samples;
		out->memory.child_copied_bytes = memory_mean_bytes(samples, PAGES_COPIED);
		out->memory.child_new_bytes = memory_mean_bytes(samples, PAGES_NEW);
	}
}

void
metrics_collect_memory(const struct supervisor *supervisor, struct metrics_snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->pools_count; i++)
		collect_memory(&supervisor->pools[snapshot->pools[i].index], &snapshot->pools[i]);
}
