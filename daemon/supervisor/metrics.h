/*
 * The text of all metrics: made when somebody asks, at most every 100 ms, and given to fronts (for
 * scrapers) and to the control socket.
 */
#ifndef ZYGOTED_SUPERVISOR_METRICS_H
#define ZYGOTED_SUPERVISOR_METRICS_H

#include "base/proto.h"

#include <stddef.h>

struct front_proc;
struct metrics;
struct supervisor;

/* NULL when out of memory. */
struct metrics *metrics_new(struct supervisor *supervisor);
/* Drops whoever waits without calling them; NULL is allowed. */
void metrics_free(struct metrics *metrics);

/* `text` is NULL when there is none for want of memory. It lives until the call returns. */
typedef void metrics_done_fn(void *owner, const char *text, size_t length);

/* Calls `done` once: from within, or when the fronts have answered. */
void metrics_get(struct metrics *metrics, enum metrics_format format, metrics_done_fn *done,
		 void *owner);

/* MSG_METRICS_GET; answered by MSG_METRICS. */
void metrics_on_get(struct front_proc *front, const struct msg_metrics *message);

#endif
