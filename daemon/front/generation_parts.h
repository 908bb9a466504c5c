/*
 * What the source files of generation share with each other and nobody else.
 */
#ifndef ZYGOTED_FRONT_GENERATION_PARTS_H
#define ZYGOTED_FRONT_GENERATION_PARTS_H

#include "base/msg.h"
#include "front/generation.h"

/* The one mover of a child's state: keeps lists and counts in step. */
void generation_change_state(struct child *child, enum child_state state);
/* The zygote has reaped it, or could not fork it. */
void generation_free_slot(struct child *child);

/* Acts on one message from the zygote. */
void generation_dispatch_report(struct lane *lane, const struct msg_buffer *buffer);

/* Sends what waits; a broken channel shows when it is read. */
void generation_flush_orders(struct lane *lane);

/* Callbacks of libevent's for write_event and sweep_event. */
void generation_on_writable(evutil_socket_t fd, short what, void *argument);
void generation_on_sweep(evutil_socket_t fd, short what, void *argument);

#endif
