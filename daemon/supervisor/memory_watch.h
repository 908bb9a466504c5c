/*
 * The bound on memory that a child may add to what it inherits: new pages and copied ones alike.
 * RLIMIT_DATA bounds the new ones alone, so the children that are busy for longer than a moment are
 * looked at in /proc whenever the front asks for it, about ten times a second.
 */
#ifndef ZYGOTED_SUPERVISOR_MEMORY_WATCH_H
#define ZYGOTED_SUPERVISOR_MEMORY_WATCH_H

#include "base/proto.h"

struct supervisor;
struct zygote_generation;

/* Looks at the children of one generation and tells the front of those that are over. */
void memory_watch_look(struct supervisor *supervisor, const struct msg_generation *message);

/* What it remembers of a generation that goes. */
void memory_watch_forget(struct zygote_generation *generation);

#endif
