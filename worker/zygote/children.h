/*
 * The zygote's bookkeeping: fronts, their children, a probe and a held child. All of it, message buffers
 * included, lives in one mapping that children do not inherit (MADV_DONTFORK): the zygote's writes
 * to it never copy a page, and no child learns of another.
 */
#ifndef ZYGOTED_ZYGOTE_CHILDREN_H
#define ZYGOTED_ZYGOTE_CHILDREN_H

#include "base/heritage.h"
#include "base/msg.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child_plan;
struct siblings;

enum slot_state { SLOT_FREE, SLOT_ALIVE, SLOT_EXITED /* not yet reported */ };

struct slot {
	enum slot_state state;
	int pidfd;
	pid_t pid;
	uint64_t serial;
	struct front *front;
	struct slot *next_by_pid;     /* SLOT_ALIVE: same bucket */
	struct slot *next_exited;     /* SLOT_EXITED: the front's list, oldest first */
	struct msg_exited_child exit; /* SLOT_EXITED */
};

struct front {
	int fd;
	uint32_t epoch;	    /* 0: no front */
	uint32_t alive;	    /* children not reaped yet */
	bool is_resetting;  /* waits for these */
	bool is_reset_due;  /* MSG_REPORT_RESET has to be sent */
	struct slot *slots; /* slots_own of them */
	struct slot *exited_first, *exited_last;
	struct msg_report_forked forked; /* count > 0: has to be sent */
};

/* One at a time; pid 0: none. */
struct probe {
	pid_t pid;
	int pidfd;
	bool is_due; /* `answer` has to be sent */
	struct msg_probed answer;
};

/* A child that the supervisor is to look at; one at a time. */
struct held {
	bool is_due; /* `message` has to be sent, with the slot's pidfd */
	const struct slot *slot;
	struct msg_sample message;
};

struct children {
	const struct child_plan *plan;
	const struct child_plan *prefault_plan; /* for orders with ORDER_PREFAULT */
	uint32_t fronts_count;
	uint32_t index;			 /* of this zygote in its generation */
	uint32_t zygotes;		 /* in the generation */
	uint32_t slots_count;		 /* per front, all zygotes' */
	uint32_t slots_own;		 /* per front, this one's: number % zygotes == index */
	const struct siblings *siblings; /* in the first zygote; NULL in the others */
	uint32_t buckets_mask;
	uint32_t rounds;      /* of the loop since children were last reaped */
	uint64_t reap_due_us; /* CLOCK_MONOTONIC; 0: when SIGCHLD comes */
	struct slot **buckets;
	struct probe probe;
	struct held held;
	struct msg_buffer message;
	struct msg_report_exited exited;
	struct pollfd polls[1 + PROTO_FRONTS_MAX];
	struct front fronts[PROTO_FRONTS_MAX];
};

/* NULL with errno when the memory cannot be had. */
struct children *children_new(const struct heritage_zygote *heritage, const struct child_plan *plan,
			      uint32_t index) __attribute__((warn_unused_result));

/* The slot of that number, which must be below slots_count; NULL when it is another zygote's. */
struct slot *children_slot(const struct children *children, const struct front *front,
			   uint32_t number);

/* Forks a child into a free slot. 0, or the errno of the failed fork; the slot is free then. */
int children_fork(struct children *children, struct slot *slot, const struct msg_order_child *order,
		  const int fds[2]) __attribute__((warn_unused_result));

/* Sends SIGKILL to a child that is alive; its exit is reported like any other. */
void children_kill(const struct slot *slot);

/*
 * Collects all children that have died. Those of a front that waits for a reset are forgotten, the
 * others queue up in their front's list of exits. Returns how many there were.
 */
unsigned children_reap(struct children *children);

/* Takes the oldest exit off the front's list: its slot is free again. */
void children_pop_exited(struct front *front);

/* Kills all children of the front, drops its reports, and remembers to tell `epoch` when they are
 * gone. */
void children_reset(struct children *children, struct front *front, uint32_t epoch);

#endif
