/*
 * The channels between zygotes and the running front.
 */
#ifndef ZYGOTED_SUPERVISOR_ZYGOTE_LINK_H
#define ZYGOTED_SUPERVISOR_ZYGOTE_LINK_H

#include <stdbool.h>
#include <stdint.h>

struct msg_generation;
struct supervisor;
struct zygote_generation;

/* Gives a serving generation to the front, unless it has it or there is none ready. */
void zygote_link_attach(struct zygote_generation *generation);

/* The front is ready: gives it every serving generation. */
void zygote_link_attach_all(struct supervisor *supervisor);

/* The front died: has its children killed at once, instead of when the next front says so. */
void zygote_link_on_front_lost(struct supervisor *supervisor);

/* Has the front drain one that it was given. False when it cannot be told. */
bool zygote_link_detach(const struct zygote_generation *generation);

/* The front's word that a generation has a parked child, or no children left. */
void zygote_link_on_attached(struct supervisor *supervisor, const struct msg_generation *message);
void zygote_link_on_detached(struct supervisor *supervisor, const struct msg_generation *message);

/* Passes the daemon's log level on to every zygote. */
void zygote_link_send_log_level(struct supervisor *supervisor, uint32_t level);

#endif
