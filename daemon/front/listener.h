/*
 * Listening sockets, bound by the supervisor: accepting, and not accepting when full.
 */
#ifndef ZYGOTED_FRONT_LISTENER_H
#define ZYGOTED_FRONT_LISTENER_H

struct front;

/* Watches the heritage's listeners. Dies when out of memory: start-up only. */
void listener_open_all(struct front *front);
/* Stops accepting for good; connections waiting in the backlog are left to the next front or
 * refused by the kernel. */
void listener_close_all(struct front *front);
/* A connection has gone: accept again if full before. */
void listener_resume(struct front *front);

#endif
