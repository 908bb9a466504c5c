/*
 * Clients that leave while nothing is read from them.
 */
#ifndef ZYGOTED_FRONT_DEPARTURE_H
#define ZYGOTED_FRONT_DEPARTURE_H

#include <stdbool.h>

struct connection;
struct front;

/* Start-up only: dies when there can be no such watch. */
void departure_open(struct front *front);

/* Whether the connection is to be closed as soon as its client ends or resets it. */
void departure_watch(struct connection *connection, bool wanted);

#endif
