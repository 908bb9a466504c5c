/*
 * The channels between zygotes and the running fronts.
 */
#ifndef ZYGOTED_SUPERVISOR_ZYGOTE_LINK_H
#define ZYGOTED_SUPERVISOR_ZYGOTE_LINK_H

#include <stdbool.h>
#include <stdint.h>

struct front_proc;
struct msg_generation;
struct supervisor;
struct zygote_generation;

/* Gives a generation to each front that is ready and has it not. */
void zygote_link_attach(struct zygote_generation *generation);

/* The front is ready: gives it every generation that serves or is to take over. */
void zygote_link_attach_all(struct front_proc *front);

/* The front died: has its children killed at once, instead of when the next front says so. */
void zygote_link_on_front_lost(const struct front_proc *front);

/* Has the fronts drain one that they were given. False when none can be told. */
bool zygote_link_detach(const struct zygote_generation *generation);

/* Has the fronts let a held generation take over. */
void zygote_link_go(struct zygote_generation *generation);

/* The front's word that a generation has a parked child of its (one that is held too), or no children left. */
void zygote_link_on_attached(const struct front_proc *front, const struct msg_generation *message);
void zygote_link_on_held(const struct front_proc *front, const struct msg_generation *message);
void zygote_link_on_detached(const struct front_proc *front, const struct msg_generation *message);

/* Asks every zygote that serves whether its loop goes round: service_manager_on_healthy follows. */
void zygote_link_ask_health(struct supervisor *supervisor, uint64_t round);

/* Passes the daemon's log level on to every zygote. */
void zygote_link_send_log_level(struct supervisor *supervisor, uint32_t level);

#endif
