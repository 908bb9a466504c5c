/*
 * Room for connections: in all, of a listener, of a source, and in the table of descriptors.
 */
#ifndef ZYGOTED_FRONT_ROOM_H
#define ZYGOTED_FRONT_ROOM_H

#include "base/heritage.h"

#include <stdbool.h>

struct connection;
struct front;

/* Takes the limits of the configuration and of the process. Start-up only: dies when out of memory. */
void room_open(struct front *front);

/* The configuration has changed; a reload that leaves no room was refused by the supervisor. */
void room_configure(struct front *front);

/* No further connection of that listener may be accepted now. */
bool room_is_full(const struct front *front, const struct heritage_listener *listener);

/* Counts a connection of its listener. */
void room_enter(const struct connection *connection);
/* Counts it for its source. False: that has as many as it may. */
bool room_enter_source(struct connection *connection) __attribute__((warn_unused_result));
/* Takes both back. */
void room_leave(struct connection *connection);

/*
 * Out of descriptors: a connection that waits in the backlog would wait for as long as that lasts, and
 * keep the listener readable. Gives up a descriptor that is held for this, accepts one connection
 * and resets it, and takes the descriptor back. Whether there was one.
 */
bool room_shed(struct front *front, int listener_fd);

#endif
