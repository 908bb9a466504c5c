/*
 * The zygotes of one generation: the first, which the supervisor started and which has loaded the worker, and its siblings,
 * which it forks when it is in the sandbox but for the filter. All share what was loaded; each has channels, bookkeeping and
 * children of its own, so that several processors can fork at the same time.
 */
#ifndef ZYGOTED_ZYGOTE_SIBLINGS_H
#define ZYGOTED_ZYGOTE_SIBLINGS_H

#include "base/heritage.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct siblings {
	uint32_t index; /* of the process that looks: 0 is the first */
	uint32_t count; /* of the siblings, known to the first only */
	int ready_fd;	/* closed by a sibling that takes orders; the first sees when all have */
	pid_t pids[PROTO_ZYGOTES_MAX - 1];
};

/* The first descriptor behind the channels that are kept for siblings. */
unsigned siblings_fd_end(const struct heritage_zygote *heritage);

/*
 * Forks them. Returns the caller's index: 0 in the first, which has only its own channels then, as every sibling has.
 * `title` is the process's, in memory that ps reads: its last character is the number of the zygote. Ends the zygote when
 * one cannot be made.
 */
uint32_t siblings_fork(struct siblings *siblings, const struct heritage_zygote *heritage,
		       char *title);

/* In a sibling that is locked down. */
void siblings_say_ready(const struct siblings *siblings);

/* In the first: waits until all have said so. Ends the zygote when one has died instead. */
void siblings_wait(const struct siblings *siblings);

/*
 * In the first, for a process that was reaped and is no child: when it was a sibling the generation ends. Its children are dead
 * already; the front would have to be told of each.
 */
void siblings_on_exit(const struct siblings *siblings, const siginfo_t *info);

#endif
