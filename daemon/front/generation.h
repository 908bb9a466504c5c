/*
 * One loaded generation as the front sees it: a channel for orders and reports to each of its
 * zygotes, and a slot for every child.
 *
 * The front keeps all bookkeeping about children, so that the zygote need not write to its memory.
 * A slot changes its state through one function only, which keeps lists and counts in step.
 */
#ifndef ZYGOTED_FRONT_GENERATION_H
#define ZYGOTED_FRONT_GENERATION_H

#include "base/proto.h"
#include "front/fork_pause.h"
#include "front/penalty.h"
#include "front/prefault.h"
#include "front/recycle_watch.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/queue.h>

struct access_wait;
struct exchange;
struct pool;

struct child {
	TAILQ_ENTRY(child) link; /* in the list of its state */
	TAILQ_ENTRY(child) kill_link;
	struct generation *generation;
	struct lane *lane; /* the zygote that forks it, the same for each child of the slot */
	struct exchange *exchange; /* busy: whose request it serves */
	uint64_t serial;
	uint64_t request; /* id of the request that it got, 0 if none */
	uint64_t ordered_ns;
	uint64_t taken_ns;
	uint64_t dying_ns;
	uint64_t done_ns; /* its request ended; 0: not yet */
	uint32_t slot;
	uint32_t fork_us;
	int32_t pid;
	enum child_state state;
	struct access_wait *access;   /* the line of its request waits for its end; or NULL */
	const char *route;	      /* of that request; points into the heritage */
	struct penalty_source source; /* who sent it */
	char peer[INET6_ADDRSTRLEN];
	char request_id[REQUEST_ID_MAX + 1]; /* "" if it got none */
	int fd;				     /* our end of its socket until taken or dead, -1 */
	int log_read_fd; /* its log pipe, kept from child to child of the slot; -1 until first used
			  */
	int log_write_fd;
	uint64_t log_pipe_bytes;
	uint64_t log_bytes; /* of output that was kept so far */
	bool kill_wanted;   /* on the kill list */
	bool killed;	    /* a kill was ordered */
	bool is_held;	    /* it has answered, and a sample is taken of it; fd is open */
	bool log_cut;	    /* its output was more than is kept */
	bool prefaults;	    /* it touches pages before it parks, */
	uint32_t table;	    /* by this version of the table */
};

TAILQ_HEAD(child_list, child);

enum generation_state {
	GENERATION_RESETTING, /* waits for the zygotes to have forgotten an earlier front */
	GENERATION_SERVING,   /* takes orders */
	GENERATION_DRAINING,  /* no new requests; its busy children finish */
	GENERATION_STATE_MAX
};

/* One zygote of a generation: slots with slot % zygotes == its index are its own. */
struct lane {
	struct generation *generation;
	struct event read_event;
	struct event write_event; /* pending while orders wait for room in the channel */
	struct child_list free;
	struct child_list kills;
	unsigned awaited; /* children ordered from it, and not reported yet */
	int fd;
	bool reset_sent;
	bool is_reset; /* it has forgotten an earlier front */
};

struct generation {
	LIST_ENTRY(generation) link; /* of the pool */
	struct pool *pool;
	struct lane lanes[PROTO_ZYGOTES_MAX];
	unsigned lanes_count;
	unsigned next_lane;			  /* for its turn among equals */
	struct event sweep_event;		  /* ends children that answered but did not exit */
	struct child *children;			  /* heritage_pool.max_children slots */
	struct child_list lists[CHILD_STATE_MAX]; /* free ones are in their lane's */
	unsigned counts[CHILD_STATE_MAX];
	struct recycle_watch watch;
	struct prefault_watch prefault;
	uint64_t next_serial;
	uint32_t number;
	uint32_t slots;
	enum generation_state state;
	struct fork_pause pause; /* of its orders */
	bool attached_said;
	bool is_held; /* does not take over until pool_go */
	bool held_said;
	bool recycle_said;
};

/* How a child ended, from the zygote's report. */
struct child_exit {
	int code; /* exit code or signal */
	bool by_signal;
	bool killed_by_us;
	bool of_program; /* the signal was its program's end, and so the child's */
	uint64_t minor_faults;
	uint64_t cpu_us;
};

/*
 * Takes over the channels of a generation's zygotes, which are ready, and resets them. NULL when out of
 * memory (the channels are closed).
 */
struct generation *generation_open(struct pool *pool, const struct msg_attach *attach,
				   const int *fds, unsigned fds_count)
	__attribute__((warn_unused_result));

/* It may take over now, and does if it has a parked child. */
void generation_release(struct generation *generation);

/* Ends the bookkeeping: busy children's requests see their sockets close by themselves. Frees. */
void generation_close(struct generation *generation);

/* Orders up to `count` children, each zygote its part, those first that have the least to do. Returns
 * how many were ordered: fewer when descriptors, channels or slots run out. */
unsigned generation_order(struct generation *generation, unsigned count);

/*
 * Gives the oldest parked child to an exchange: state busy. When none is parked it may be one that is still starting: what
 * is written to its socket waits there, and the child need not park. NULL when there is none.
 */
struct child *generation_take(struct generation *generation, struct exchange *exchange);

/* The exchange is through with its child: forget the tie; the child is ended unless it exits by
 * itself at once. */
void generation_finish(struct child *child);

/* Orders the child's death now; safe to repeat. */
void generation_kill(struct child *child);

/* No new requests go there; parked children are ended. generation_is_empty says when it may be
 * closed. */
void generation_drain(struct generation *generation);
bool generation_is_empty(const struct generation *generation);

/* Children that were ordered and are not forked yet. */
unsigned generation_forking(const struct generation *generation);

/* Children of all states. */
unsigned generation_children(const struct generation *generation);

/* Tells the supervisor, once, that the generation should be replaced; not if it is being replaced.
 * To be repeated at the next occasion: the channel may have been full. */
void generation_want_recycle(struct generation *generation, enum recycle_reason reason);

#endif
