/*
 * All fronts together: `fronts` of the configuration, each a front_proc.
 */
#ifndef ZYGOTED_SUPERVISOR_FRONTS_H
#define ZYGOTED_SUPERVISOR_FRONTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/proto.h"

struct front_proc;
struct supervisor;

/* Makes supervisor->fronts; starts nothing. 0, or -1 when out of memory. */
int fronts_init(struct supervisor *supervisor) __attribute__((warn_unused_result));
void fronts_fini(struct supervisor *supervisor);

void fronts_start(struct supervisor *supervisor);

/* The front after that one, the first one after NULL; NULL after the last. */
struct front_proc *fronts_next(const struct supervisor *supervisor, const struct front_proc *front);

/* A process of ours was reaped. False when it is no front. */
bool fronts_on_exit(struct supervisor *supervisor, pid_t pid, int status);

/*
 * Sends a message to each that is ready. The number of those that got it; -1 when one is ready and could not take it.
 */
int fronts_send(struct supervisor *supervisor, const void *message);

/*
 * Has each use the configuration in effect, as front_proc_reconfigure. A bit mask of those that will
 * answer.
 */
uint32_t fronts_reconfigure(struct supervisor *supervisor, uint64_t cookie,
			    const bool is_new[PROTO_LISTENERS_MAX]);

/* Whether one serves, and whether each of them does. */
bool fronts_are_serving(const struct supervisor *supervisor);
bool fronts_are_ready(const struct supervisor *supervisor);

/* Asks all to drain, and ends those that have nothing to. False when there is nobody to drain. */
bool fronts_drain(struct supervisor *supervisor);
/* Whether each of them has answered everything, or is gone. */
bool fronts_are_drained(const struct supervisor *supervisor);

/* Sends them the signal; they are not started again. */
void fronts_end(struct supervisor *supervisor, int signal);
bool fronts_are_gone(const struct supervisor *supervisor);

#endif
