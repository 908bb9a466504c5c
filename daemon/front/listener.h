/*
 * Listening sockets, bound by the supervisor: accepting, and not accepting when full.
 */
#ifndef ZYGOTED_FRONT_LISTENER_H
#define ZYGOTED_FRONT_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

struct front;

/* Watches the heritage's listeners. Dies when out of memory: start-up only. */
void listener_open_all(struct front *front);
/*
 * Stops accepting clients for good. What waits in the queue is taken first: it may be nobody's
 * afterwards. Metrics are told to the end.
 */
void listener_close_clients(struct front *front);
/* A listener is no more: the same for it alone, and its connections leave. */
void listener_remove(struct front *front, uint32_t index);
/* A listener's socket, owned from now on; it takes the place of one that it had. */
void listener_take(struct front *front, uint32_t index, int fd);
/* A connection has gone: accept again if full before. */
void listener_resume(struct front *front);

#endif
