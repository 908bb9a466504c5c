/*
 * /proc/PID/smaps_rollup beside the loop: the kernel walks all page tables of the process in one
 * read, tens of milliseconds for a large one, so another thread waits for it.
 */
#ifndef ZYGOTED_SUPERVISOR_SMAPS_READER_H
#define ZYGOTED_SUPERVISOR_SMAPS_READER_H

#include <sys/types.h>

#include "supervisor/smaps.h"

struct event_base;
struct smaps_reader;

/* `error` is a literal, NULL when *rollup is there. */
typedef void smaps_reader_fn(void *owner, const char *error, const struct smaps_rollup *rollup);

/*
 * Opens the file of `pid` and has it read; `done` is called once, from the loop. NULL with errno
 * when that cannot be begun, and no call. The file stays that process's, whoever gets its pid.
 */
struct smaps_reader *smaps_reader_start(struct event_base *base, pid_t pid, smaps_reader_fn *done,
					void *owner) __attribute__((warn_unused_result));

/* Waits for the thread, which is bounded by the kernel's walk, and calls nobody. NULL is allowed. */
void smaps_reader_free(struct smaps_reader *reader);

#endif
