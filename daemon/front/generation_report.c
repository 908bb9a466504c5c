/*
 * Reports of a zygote: children forked, children ended.
 *
 * Runs in: front. The zygote is trusted to report truthfully (it parses nothing after load), but
 * its messages are checked for shape by msg_recv and for slot and serial here.
 */
#include "front/generation_parts.h"

#include "base/log.h"
#include "front/access_log.h"
#include "front/child_end.h"
#include "front/child_log.h"
#include "front/exchange.h"
#include "front/front.h"
#include "front/pool.h"
#include "front/route.h"
#include "front/route_stats.h"
#include "front/source.h"

#include <stdio.h>
#include <signal.h>
#include <string.h>

static struct child *
find_child(const struct lane *lane, uint32_t slot, uint64_t serial)
{
	const struct generation *generation = lane->generation;

	if (slot >= generation->slots)
		return NULL;
	struct child *child = &generation->children[slot];
	return child->lane == lane && child->state != CHILD_FREE && child->serial == serial ? child
											    : NULL;
}

static void
on_forked(struct lane *lane, const struct msg_forked_child *report)
{
	struct generation *generation = lane->generation;
	struct child *child = find_child(lane, report->slot, report->serial);
	struct msg_stats *stats = &generation->pool->stats;
	struct msg_stats_times *times = &generation->pool->times;

	if (child == NULL || child->pid != 0)
		return;
	lane->awaited--;
	if (report->error != 0) {
		stats->fork_failures++;
		if (fork_pause_fail(&generation->pause, front_now_ns()))
			log_event(LOG_WARNING, "fork failed", "pool=%s generation=%u error=\"%s\"",
				  generation->pool->config->name, generation->number,
				  strerror(report->error));
		if (child->exchange != NULL)
			exchange_on_fork_failed(child->exchange);
		generation_free_slot(child);
		return;
	}
	stats->forks++;
	times->fork_us += report->fork_us;
	histogram_count(&times->times[POOL_TIME_FORK], report->fork_us);
	child->pid = report->pid;
	child->fork_us = report->fork_us;
	if (child->exchange != NULL)
		exchange_on_forked(child->exchange, child);
	if (child->state == CHILD_STARTING)
		generation_change_state(child, CHILD_PARKED);
}

/* What it was asked and by whom; nothing for a child that was parked. */
static const char *
describe_request(const struct child *child, char *out, size_t size)
{
	char route[2 * PROTO_ROUTE_MAX];

	out[0] = '\0';
	if (child->request != 0)
		snprintf(out, size, " route=\"%s\" peer=%s",
			 log_escape(child->route, strlen(child->route), route, sizeof(route)),
			 child->peer);
	return out;
}

/* "SIGSEGV: Segmentation fault" */
static const char *
describe_end(const struct child_exit *ended, char *out, size_t size)
{
	const char *name = ended->by_signal ? sigabbrev_np(ended->code) : NULL;

	if (!ended->by_signal)
		return proto_exit_text(ended->code);
	snprintf(out, size, "SIG%s: %s%s", name != NULL ? name : "?", strsignal(ended->code),
		 ended->code == SIGSYS ? "; sandbox = log names it" : "");
	return out;
}

static void
log_exit(const struct child *child, const struct child_exit *ended)
{
	const struct generation *generation = child->generation;
	char asked[2 * PROTO_ROUTE_MAX + 64];
	char text[96];
	bool quiet = ended->killed_by_us || (!ended->by_signal && ended->code == ZY_EXIT_OK);

	if (quiet && log_level() < LOG_DEBUG)
		return;
	log_event(quiet ? LOG_DEBUG : LOG_WARNING, "child ended",
		  "pool=%s generation=%u pid=%d request=%s%s %s=%d%s%s text=\"%s\"",
		  generation->pool->config->name, generation->number, child->pid, child->request_id,
		  describe_request(child, asked, sizeof(asked)),
		  ended->by_signal ? "signal" : "exit", ended->code,
		  ended->killed_by_us ? " killed=yes" : "", ended->of_program ? " program=yes" : "",
		  describe_end(ended, text, sizeof(text)));
}

static void
watch_exit(struct generation *generation, const struct child_exit *ended)
{
	const uint32_t faults_max = generation->pool->config->recycle_faults;

	/* A program has an address layout of its own: a new zygote would change nothing. */
	if (ended->by_signal && !ended->of_program && !ended->killed_by_us &&
	    recycle_watch_is_fault(ended->code) &&
	    recycle_watch_add_fault(&generation->watch, faults_max, front_now_ns()))
		generation_want_recycle(generation, RECYCLE_FAULTS);
}

/* Whether it came as far as serving, or children had better be ordered more slowly. */
static void
judge_start(struct generation *generation, const struct child *child,
	    const struct child_exit *ended)
{
	const bool is_refused = !ended->by_signal && ended->code >= ZY_EXIT_SANDBOX;
	const bool is_told_to_go = !ended->by_signal && ended->code == ZY_EXIT_OK;

	if (child->request != 0 && !is_refused)
		fork_pause_clear(&generation->pause);
	else if (!ended->killed_by_us && !is_told_to_go)
		fork_pause_fail(&generation->pause, front_now_ns());
}

static void
count_usage(const struct child *child, const struct child_exit *ended)
{
	const struct pool *pool = child->generation->pool;
	const uint64_t done_ns = child->done_ns != 0 ? child->done_ns : front_now_ns();
	const struct route_usage usage = { .faults = ended->minor_faults,
					   .cpu_us = ended->cpu_us,
					   .wall_us = (done_ns - child->taken_ns) / 1000 };

	route_stats_add(&pool->routes[route_index(pool->config, child->route)], &usage);
}

/* A child whose program died of a signal counts as one that did. */
static struct child_exit
exit_of(const struct child *child, const struct msg_exited_child *report)
{
	struct child_exit ended = { .code = report->code,
				    .by_signal = report->signal != 0,
				    .killed_by_us = child->killed,
				    .minor_faults = report->minor_faults,
				    .cpu_us = report->user_us + report->system_us };

	/* Where there is none, a child that leaves so means nothing by it, or means to deceive. */
	if (child->generation->pool->config->runs_programs != 0 && !ended.by_signal &&
	    ended.code > ZY_EXIT_OF_PROGRAM && ended.code <= ZY_EXIT_OF_PROGRAM_MAX) {
		ended.by_signal = ended.of_program = true;
		ended.code -= ZY_EXIT_OF_PROGRAM;
	}
	return ended;
}

static void
on_exited(struct lane *lane, const struct msg_exited_child *report)
{
	struct generation *generation = lane->generation;
	struct child *child = find_child(lane, report->slot, report->serial);
	struct msg_stats *stats = &generation->pool->stats;
	struct child_exit ended;

	if (child == NULL)
		return;
	ended = exit_of(child, report);
	if (child->request != 0) {
		stats->minor_faults += ended.minor_faults;
		stats->cpu_us += ended.cpu_us;
		count_usage(child, &ended);
		prefault_on_exit(child, &ended);
	}
	generation->pool->times.ends[child_end_of(&ended, child->request != 0)]++;
	stats->exits_by_signal += ended.by_signal && !ended.killed_by_us;
	if (child->request != 0)
		source_charge(generation->pool->front, &child->source,
			      penalty_exit_points(ended.by_signal, ended.code));
	watch_exit(generation, &ended);
	log_exit(child, &ended);
	judge_start(generation, child, &ended);
	child_log_drain(child);
	access_log_on_exit(child, ended.minor_faults);
	if (child->exchange != NULL)
		exchange_on_exit(child->exchange, &ended);
	generation_free_slot(child);
}

static void
on_reset_done(struct lane *lane, uint32_t epoch)
{
	struct generation *generation = lane->generation;

	if (epoch != generation->pool->front->heritage->epoch ||
	    generation->state != GENERATION_RESETTING)
		return;
	lane->is_reset = true;
	for (unsigned i = 0; i < generation->lanes_count; i++)
		if (!generation->lanes[i].is_reset)
			return;
	generation->state = GENERATION_SERVING;
}

void
generation_dispatch_report(struct lane *lane, const struct msg_buffer *buffer)
{
	const struct generation *generation = lane->generation;
	const uint32_t epoch = generation->pool->front->heritage->epoch;
	const struct msg_header *header = (const void *)buffer->bytes;
	const struct msg_report_forked *forked = (const void *)buffer->bytes;
	const struct msg_report_exited *exited = (const void *)buffer->bytes;

	switch (header->type) {
	case MSG_REPORT_RESET:
		on_reset_done(lane, ((const struct msg_epoch *)(const void *)header)->epoch);
		break;
	case MSG_REPORT_FORKED:
		for (uint32_t i = 0;
		     forked->epoch == epoch && i < forked->count && i < PROTO_BATCH_MAX; i++)
			on_forked(lane, &forked->children[i]);
		break;
	case MSG_REPORT_EXITED:
		for (uint32_t i = 0;
		     exited->epoch == epoch && i < exited->count && i < PROTO_BATCH_MAX; i++)
			on_exited(lane, &exited->children[i]);
		break;
	default:
		log_event(LOG_ERROR, "unexpected report", "pool=%s type=%u",
			  generation->pool->config->name, header->type);
	}
}
