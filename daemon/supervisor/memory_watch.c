/*
 * Looks at the memory of children, in two stages.
 *
 * A page that a child copies was resident before: no sum in stat or statm tells. What tells is
 * smaps_rollup, which walks all page tables: too dear for each look. But a child cannot add a page
 * without a fault, so the number of its faults, which is cheap, says when it cannot be over; only
 * the others are measured, and not again before they had faults enough to make up the rest. (A
 * fault may bring a huge page; those are new, count as resident, and are within RLIMIT_DATA.)
 *
 * Runs in: supervisor. Rule: the number of processes that one look reads is bounded, so that a full
 * pool costs no more than a small one; the next look goes on where it ended.
 */
#include "supervisor/memory_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/msg.h"
#include "supervisor/clock.h"
#include "supervisor/config.h"
#include "supervisor/fronts.h"
#include "supervisor/memory_stat.h"
#include "supervisor/procfs.h"
#include "supervisor/smaps.h"
#include "supervisor/supervisor.h"
#include "supervisor/zygote_generation.h"
#include "supervisor/zygote_proc.h"

#define LOOK_INTERVAL_MS 50 /* a front that asks more often is not heard */
#define LOOK_CHILDREN	 64 /* each some 20 us at which no request has that processor */
#define LOOK_MEASURED	 8  /* of these */
#define CHILDREN_BYTES	 131072
#define STAT_BYTES	 1024
#define STATUS_BYTES	 8192
#define ROLLUP_BYTES	 4096
#define MEASURED_MAX	 512

/* Pages that a child has for itself before its request: its stack, libc's data. */
#define OWN_BYTES (512u << 10)

/* What was found out about children that had many faults; a place may be taken by another pid. */
struct measured {
	pid_t pid;
	uint64_t started;
	uint64_t next_bytes; /* measured again when the estimate gets there */
};

struct look {
	struct supervisor *supervisor;
	const struct zygote_generation *generation;
	uint64_t zygote_resident; /* pages */
	uint64_t page_bytes;
	uint64_t most_bytes;
	unsigned seen;
	unsigned measured;
};

static struct measured table[MEASURED_MAX]; /* the supervisor has one thread */

static int
read_stat(pid_t pid, struct memory_stat *stat_out)
{
	char path[64];
	char text[STAT_BYTES];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (procfs_read(path, text, sizeof(text)) < 0)
		return -1;
	return memory_stat_parse(text, stat_out);
}

/* The most that the child can have added by now. */
static uint64_t
estimate(const struct look *look, const struct memory_stat *stat)
{
	const uint64_t more =
		stat->resident > look->zygote_resident ? stat->resident - look->zygote_resident : 0;

	return (stat->faults + more) * look->page_bytes;
}

/* Added pages. 0, or -1 when they cannot be read, which is said once. */
static int
measure(pid_t pid, uint64_t *bytes_out)
{
	static bool said;
	struct smaps_rollup rollup;
	char path[64];
	char text[ROLLUP_BYTES];

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	if (procfs_read(path, text, sizeof(text)) < 0) {
		if (!said && (errno == EACCES || errno == EPERM))
			log_event(LOG_WARNING, "copied memory of children cannot be bounded",
				  "error=\"%s\"", strerror(errno));
		said |= errno == EACCES || errno == EPERM;
		return -1;
	}
	if (smaps_parse_rollup(text, &rollup) < 0)
		return -1;
	*bytes_out = smaps_added_bytes(&rollup);
	return 0;
}

static void
tell_front(const struct look *look, pid_t pid, uint64_t seen_ns, uint64_t added_bytes)
{
	struct msg_memory message = { .pool = look->generation->pool->index,
				      .generation = look->generation->number,
				      .seen_ns = seen_ns,
				      .added_bytes = added_bytes };
	char path[64];
	char status[STATUS_BYTES];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (procfs_read(path, status, sizeof(status)) < 0)
		return; /* gone */
	msg_init(&message, MSG_MEMORY_OVER);
	message.pid = procfs_parse_inner_pid(status);
	/* To all: it is one's child, and the others do not know it. */
	if (fronts_send(look->supervisor, &message) < 0)
		log_event(LOG_DEBUG, "child over its memory not ended", "pid=%d error=\"%s\"",
			  (int)pid, strerror(errno));
}

/* The second stage, for a child whose faults allow it to be over. */
static void
measure_child(struct look *look, pid_t pid, const struct memory_stat *stat)
{
	struct measured *known = &table[(unsigned)pid % MEASURED_MAX];
	const uint64_t guess = estimate(look, stat);
	const uint64_t seen_ns = clock_ns();
	uint64_t left = look->most_bytes / 16;
	uint64_t bytes;

	if (known->pid == pid && known->started == stat->started && guess < known->next_bytes)
		return;
	if (look->measured++ >= LOOK_MEASURED || measure(pid, &bytes) < 0)
		return;
	if (bytes > look->most_bytes)
		tell_front(look, pid, seen_ns, bytes);
	else if (look->most_bytes - bytes > left)
		left = look->most_bytes - bytes;
	*known = (struct measured){ pid, stat->started, guess + left };
}

/* A child that reads much of a frozen image has faults and resident pages, but of the image's file. */
static bool
has_so_much_anonymous(const struct look *look, pid_t pid)
{
	char path[64];
	char text[STAT_BYTES];
	uint64_t pages;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	if (procfs_read(path, text, sizeof(text)) < 0)
		return false; /* gone */
	return memory_stat_parse_anonymous(text, &pages) < 0 ||
	       pages * look->page_bytes > look->most_bytes;
}

static void
look_at(struct look *look, pid_t pid)
{
	struct memory_stat stat;

	if (read_stat(pid, &stat) == 0 && estimate(look, &stat) > look->most_bytes &&
	    has_so_much_anonymous(look, pid))
		measure_child(look, pid, &stat);
}

static bool
is_zygote(const struct zygote_generation *generation, pid_t pid)
{
	for (uint32_t i = 0; i <= generation->siblings_count; i++)
		if (zygote_proc_pid(generation, i) == pid)
			return true;
	return false;
}

/*
 * From where the last look ended, to the end of the list at most. The other zygotes of the generation are in the list, as children
 * of the first.
 */
static void
look_at_next(struct look *look, struct zygote_generation *generation)
{
	char *text = generation->look_list + generation->look_next;
	char *end;

	for (; look->seen < LOOK_CHILDREN; text = end) {
		const pid_t pid = (pid_t)strtol(text, &end, 10);
		if (end == text) {
			memory_watch_forget(generation);
			return;
		}
		if (!is_zygote(generation, pid))
			look_at(look, pid);
		look->seen++;
	}
	generation->look_next = (size_t)(text - generation->look_list);
}

static struct zygote_generation *
find_generation(struct supervisor *supervisor, const struct msg_generation *message)
{
	if (message->pool >= supervisor->config->pools_count)
		return NULL;
	return zygote_generation_find(&supervisor->pools[message->pool], message->generation);
}

/* The pids of all its zygotes' children, one list after the other. */
static int
read_children(const struct zygote_generation *generation, char *text, size_t size)
{
	char path[64];
	size_t length = 0;

	for (uint32_t i = 0; i <= generation->siblings_count; i++) {
		const int pid = (int)zygote_proc_pid(generation, i);
		snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
		const ssize_t count = procfs_read(path, text + length, size - length);
		if (count < 0)
			return -1;
		length += (size_t)count;
	}
	return 0;
}

/* The kernel takes a millisecond for a list of thousands: one is used until its end, while its children are still looked at anew. */
static bool
has_list(struct zygote_generation *generation)
{
	static char text[CHILDREN_BYTES];

	if (generation->look_list == NULL && read_children(generation, text, sizeof(text)) == 0) {
		generation->look_list = strdup(text);
		generation->look_next = 0;
	}
	return generation->look_list != NULL;
}

void
memory_watch_look(struct supervisor *supervisor, const struct msg_generation *message)
{
	struct zygote_generation *generation = find_generation(supervisor, message);
	struct look look = { .supervisor = supervisor,
			     .generation = generation,
			     .page_bytes = (uint64_t)sysconf(_SC_PAGESIZE) };
	struct memory_stat zygote;

	if (generation == NULL || clock_ms() - generation->looked_ms < LOOK_INTERVAL_MS)
		return;
	generation->looked_ms = clock_ms();
	look.most_bytes = generation->pool->config->memory_bytes + OWN_BYTES;
	if (read_stat(generation->process.pid, &zygote) < 0 || !has_list(generation))
		return;
	look.zygote_resident = zygote.resident;
	look_at_next(&look, generation);
}

void
memory_watch_forget(struct zygote_generation *generation)
{
	free(generation->look_list);
	generation->look_list = NULL;
}
