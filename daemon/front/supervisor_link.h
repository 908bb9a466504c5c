/*
 * The channel to the supervisor: zygotes to use, questions to answer, the order to drain.
 */
#ifndef ZYGOTED_FRONT_SUPERVISOR_LINK_H
#define ZYGOTED_FRONT_SUPERVISOR_LINK_H

#include "base/proto.h"

#include <stdbool.h>

struct front;

/* Watches FRONT_SUPERVISOR_FD and says MSG_FRONT_READY. When the supervisor is gone the process
 * ends. */
void supervisor_link_open(struct front *front);

/* MSG_ATTACHED or MSG_DETACHED. */
void supervisor_link_send_generation(enum msg_type type, uint32_t pool, uint32_t generation);

/* MSG_RECYCLE_WANTED. False when it could not be sent. */
bool supervisor_link_send_recycle(uint32_t pool, uint32_t generation, enum recycle_reason reason);

/* MSG_METRICS_GET. False when it could not be sent. */
bool supervisor_link_ask_metrics(enum metrics_format format);

/* MSG_MEMORY_LOOK. One that is lost is followed by the next. */
void supervisor_link_send_look(uint32_t pool, uint32_t generation);

/* Says MSG_DRAINED if draining was asked for and no connection is left. */
void supervisor_link_check_drained(struct front *front);

#endif
