/*
 * A front as the supervisor sees it: one process that is started, watched, drained, and started
 * again when it dies.
 */
#ifndef ZYGOTED_SUPERVISOR_FRONT_PROC_H
#define ZYGOTED_SUPERVISOR_FRONT_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/proto.h"
#include "supervisor/backoff.h"
#include "supervisor/channel.h"
#include "supervisor/spawn.h"

struct event;
struct supervisor;

enum front_state {
	FRONT_DOWN,	/* no process; the timer, if any, will start one */
	FRONT_STARTING, /* until MSG_FRONT_READY; the timer ends a start that takes too long */
	FRONT_READY,
	FRONT_STOPPING, /* drains, or was told to die */
	FRONT_STATE_MAX
};

struct front_proc {
	struct supervisor *supervisor;
	uint32_t index;
	enum front_state state;
	bool is_drained; /* and has said so */
	struct spawned process;
	struct channel channel;
	uint32_t epoch;	   /* of the process; 0 before the first one */
	uint64_t ready_ms; /* when it became ready, 0 if it did not */
	struct backoff backoff;
	struct event *timer;
};

/* *front is zero before. 0, or -1 when out of memory. Starts nothing. */
int front_proc_init(struct front_proc *front, struct supervisor *supervisor, uint32_t index)
	__attribute__((warn_unused_result));
void front_proc_fini(struct front_proc *front);

/* Starts the process. When that fails it is tried again with back-off. */
void front_proc_start(struct front_proc *front);

/* Its process was reaped. */
void front_proc_on_exit(struct front_proc *front, int status);

bool front_proc_takes_messages(const struct front_proc *front);

/* A message to a front that is ready. 0, or -1 with errno: ENOTCONN when it is not. */
int front_proc_send(struct front_proc *front, const void *message)
	__attribute__((warn_unused_result));

/* The same with a descriptor that stays the caller's; -1: none. */
int front_proc_send_fd(struct front_proc *front, const void *message, int fd)
	__attribute__((warn_unused_result));

/* The same where a front that does not take it is of no more use: it is killed. */
void front_proc_send_or_kill(struct front_proc *front, const void *message);

/* Gives a front that is ready a generation's channels; a front that does not take them is killed.
 * False: not given. */
bool front_proc_attach(struct front_proc *front, struct msg_attach *message, const int *fds,
		       unsigned fds_count);

/*
 * Gives a front that is ready the configuration in effect, and the listeners of `is_new`;
 * reload_on_reconfigured follows, or the front's death. False: not given. One that does not take
 * them is killed, and the next one starts with them.
 */
bool front_proc_reconfigure(struct front_proc *front, uint64_t cookie,
			    const bool is_new[PROTO_LISTENERS_MAX]);

/* Asks it to drain; supervisor_on_drained follows, or the front's death. False when there is nobody
 * to drain. */
bool front_proc_drain(struct front_proc *front);

/* Sends it the signal; it is not started again. */
void front_proc_end(struct front_proc *front, int signal);

/* It takes messages, and has not been told to go. */
bool front_proc_is_ready(const struct front_proc *front);
bool front_proc_is_gone(const struct front_proc *front);

#endif
