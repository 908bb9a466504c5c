/*
 * The front's half of the bound on memory that a child may add: while children are busy for longer
 * than a moment it asks the supervisor, who may read /proc, to look at them, and ends those that it
 * names.
 */
#ifndef ZYGOTED_FRONT_MEMORY_LOOK_H
#define ZYGOTED_FRONT_MEMORY_LOOK_H

#include "base/proto.h"

struct front;

/* Start-up. */
void memory_look_init(struct front *front);

/* A child got a request: looks begin if they have not. */
void memory_look_start(struct front *front);

/* The supervisor names a child. */
void memory_look_on_over(struct front *front, const struct msg_memory *message);

#endif
