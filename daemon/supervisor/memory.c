/*
 * The `memory` command. Reading a process's smaps_rollup holds its mmap_lock, and a fork waits for
 * that: so the zygote is never read, but a probe child that it forks for the purpose and that has
 * the same mappings.
 *
 * Runs in: supervisor. The rule: one measurement at a time, a bound on each step, and every probe
 * is ended.
 */
#include "supervisor/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/msg.h"
#include "supervisor/clock.h"
#include "supervisor/config.h"
#include "supervisor/front_ask.h"
#include "supervisor/procfs.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_proc.h"

#define MEMORY_PROBE_TIMEOUT_MS 2000
#define ROLLUP_BYTES		4096

struct memory_run {
	struct supervisor *supervisor;
	memory_done_fn *done;
	void *owner;
	struct event *timer; /* pending: a probe is awaited */
	uint64_t cookie;
	unsigned current; /* row that is being measured */
	unsigned count;
	struct memory_row rows[PROTO_POOLS_MAX];
};

void
memory_free(struct memory_run *run)
{
	if (run == NULL)
		return;
	if (run->timer != NULL)
		event_free(run->timer);
	free(run);
}

static int
send_probe(const struct memory_run *run, const struct zygote_pool *pool, enum msg_type type)
{
	struct msg_cookie message = { .cookie = run->cookie };

	msg_init(&message, type);
	if (pool->serving == NULL) {
		errno = ESRCH;
		return -1;
	}
	return channel_send(&pool->serving->channel, &message, NULL, 0);
}

static void
finish(struct memory_run *run)
{
	run->supervisor->memory = NULL;
	run->done(run->owner, run->rows, run->count);
	memory_free(run);
}

/* Begins to measure the current row, or the next one that can be. */
static void
probe_next(struct memory_run *run)
{
	const struct timeval timeout = clock_timeval(MEMORY_PROBE_TIMEOUT_MS);

	evtimer_del(run->timer);
	for (; run->current < run->count; run->current++) {
		struct memory_row *row = &run->rows[run->current];
		run->cookie++;
		if (send_probe(run, row->pool, MSG_PROBE) < 0)
			row->error =
				errno == EAGAIN ? "the zygote is busy" : "the pool is not serving";
		else if (evtimer_add(run->timer, &timeout) == 0)
			return;
		else
			row->error = "out of memory";
	}
	finish(run);
}

static void
on_timeout(evutil_socket_t fd, short what, void *context)
{
	struct memory_run *run = context;

	(void)fd;
	(void)what;
	run->rows[run->current].error = "the zygote did not answer in time";
	if (send_probe(run, run->rows[run->current].pool, MSG_PROBE_END) < 0)
		log_event(LOG_DEBUG, "probe not ended", "error=\"%s\"", strerror(errno));
	run->current++;
	probe_next(run);
}

static void
on_stats(void *owner, const struct front_answer *answer)
{
	struct memory_run *run = owner;

	/* Without a front there are no children: zero is right, not a guess. */
	for (unsigned i = 0; i < run->count; i++) {
		const struct msg_stats *stats = &answer->pools[run->rows[i].pool->index];
		run->rows[i].children = stats->spare + stats->busy;
	}
	probe_next(run);
}

static void
add_row(struct memory_run *run, const struct zygote_pool *pool)
{
	struct memory_row *row = &run->rows[run->count++];

	row->pool = pool;
	if (pool->serving != NULL)
		row->state_bytes = pool->serving->ready.state_bytes;
}

int
memory_start(struct supervisor *supervisor, const struct zygote_pool *pool, memory_done_fn *done,
	     void *owner)
{
	static uint64_t last_cookie;
	struct memory_run *run;

	if (supervisor->memory != NULL) {
		errno = EBUSY;
		return -1;
	}
	run = calloc(1, sizeof(*run));
	if (run == NULL)
		return -1;
	/* No two runs share a cookie: a late answer to an earlier one is not mistaken. */
	last_cookie += PROTO_POOLS_MAX + 1;
	*run = (struct memory_run){
		.supervisor = supervisor, .done = done, .owner = owner, .cookie = last_cookie
	};
	run->timer = evtimer_new(supervisor->base, on_timeout, run);
	if (run->timer == NULL) {
		memory_free(run);
		errno = ENOMEM;
		return -1;
	}
	if (pool != NULL)
		add_row(run, pool);
	else
		for (struct zygote_pool *each = NULL;
		     (each = zygote_proc_next(supervisor, each)) != NULL;)
			if (each->serving != NULL)
				add_row(run, each);
	supervisor->memory = run;
	front_ask_stats(supervisor->asks, on_stats, run);
	return 0;
}

static const char *
read_rollup(pid_t pid, struct smaps_rollup *out)
{
	char path[64];
	char text[ROLLUP_BYTES];

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	if (procfs_read(path, text, sizeof(text)) < 0)
		return errno == EACCES || errno == EPERM
			       ? "no permission to read the child's memory map"
			       : "the child's memory map cannot be read";
	if (smaps_parse_rollup(text, out) < 0)
		return "the child's memory map is not understood";
	return NULL;
}

/* The probe's figures. The pidfd makes sure that the map that was read was the probe's and not a
 * successor's. */
static const char *
measure(const struct msg_buffer *buffer, struct smaps_rollup *out)
{
	const struct msg_probed *message = (const void *)buffer->bytes;
	struct smaps_rollup rollup;
	const char *error;
	pid_t pid;

	if (message->error != 0)
		return "the zygote could not fork a probe";
	if (buffer->fds_count != 1 || (pid = procfs_pidfd_pid(buffer->fds[0])) < 0)
		return "the probe child is gone";
	error = read_rollup(pid, &rollup);
	if (error != NULL)
		return error;
	if (procfs_pidfd_pid(buffer->fds[0]) != pid)
		return "the probe child is gone";
	*out = rollup;
	return NULL;
}

void
memory_on_probed(struct zygote_pool *pool, const struct msg_buffer *buffer)
{
	struct memory_run *run = pool->supervisor->memory;
	const struct msg_probed *message = (const void *)buffer->bytes;

	if (run == NULL || run->current >= run->count || run->rows[run->current].pool != pool ||
	    message->cookie != run->cookie)
		return;
	struct memory_row *row = &run->rows[run->current];
	row->error = measure(buffer, &row->rollup);
	if (send_probe(run, pool, MSG_PROBE_END) < 0)
		log_event(LOG_DEBUG, "probe not ended", "error=\"%s\"", strerror(errno));
	run->current++;
	probe_next(run);
}
