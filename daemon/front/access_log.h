/*
 * The access log: a line for every request that ended, whatever its outcome. All calls do nothing
 * when the configuration has none.
 *
 * A JSON line tells the faults of the request's child too, so it waits for the child's exit report,
 * though not for long.
 */
#ifndef ZYGOTED_FRONT_ACCESS_LOG_H
#define ZYGOTED_FRONT_ACCESS_LOG_H

#include "base/proto.h"

#include <stdint.h>

struct child;
struct connection;
struct exchange;
struct front;

/* Makes front->access_log if the configuration wants one; dies when out of memory: start-up only. */
void access_log_open(struct front *front);
/* The supervisor's descriptor, the caller's no more. */
void access_log_set_fd(struct front *front, int fd);

/* Keeps what the log will say of the request while its head is there. */
void access_log_begin(struct exchange *exchange);
/* It has ended; its child, if there is one, is still tied to it. */
void access_log_end(struct exchange *exchange, enum outcome outcome);
/* There never was an exchange: the head was bad, or late. `reason` may be NULL. */
void access_log_refused(struct connection *connection, enum outcome outcome, int status,
			const char *reason);
/* Frees what access_log_begin keeps. */
void access_log_forget(struct exchange *exchange);

/* The child has been reaped (ACCESS_FAULTS_UNKNOWN: nobody will say how). */
void access_log_on_exit(struct child *child, uint64_t minor_faults);

/* Once a second: lines that have waited for long enough. */
void access_log_tick(struct front *front);
/* Writes everything that can be written: the front is about to end. */
void access_log_finish(struct front *front);

/* Lines that nobody will read. */
uint64_t access_log_lost(const struct front *front);

#endif
