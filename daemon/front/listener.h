/*
 * Listening sockets, bound by the supervisor: accepting, and not accepting when full.
 */
#ifndef ZYGOTED_FRONT_LISTENER_H
#define ZYGOTED_FRONT_LISTENER_H

#include <stdbool.h>

struct front;

/* Watches the heritage's listeners. Dies when out of memory: start-up only. */
void listener_open_all(struct front *front);
/* Stops accepting clients for good; connections waiting in the backlog are left to the next front or
 * refused by the kernel. Metrics are told to the end. */
void listener_close_clients(struct front *front);
/* A connection has gone: accept again if full before. */
void listener_resume(struct front *front);

#endif
