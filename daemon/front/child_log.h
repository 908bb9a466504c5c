/*
 * What a child writes to stdout and stderr: a pipe for each slot, read when the child has ended and
 * once a second while it runs. The first `output` bytes of a child are kept; the rest is lost, which
 * is counted once for the child, and neither side ever waits.
 */
#ifndef ZYGOTED_FRONT_CHILD_LOG_H
#define ZYGOTED_FRONT_CHILD_LOG_H

#include "front/generation.h"

/* Makes the slot's pipe if it has none yet. 0, or -1 with errno. */
int child_log_open(struct child *child, uint64_t bytes) __attribute__((warn_unused_result));

/* Writes what is there to the log, a line per line. */
void child_log_drain(struct child *child);

void child_log_close(struct child *child);

#endif
