/*
 * Pools and their zygotes as the supervisor sees them. Each start of a pool's zygote is a
 * generation with a number of its own; a pool keeps a list of those that have a process, of which
 * at most one serves. While one serves, another may be loaded beside it and take over.
 */
#ifndef ZYGOTED_SUPERVISOR_ZYGOTE_PROC_H
#define ZYGOTED_SUPERVISOR_ZYGOTE_PROC_H

#include "base/proto.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "supervisor/backoff.h"
#include "supervisor/channel.h"
#include "supervisor/recycle.h"
#include "supervisor/spawn.h"
#include "supervisor/survey.h"

struct config_pool;
struct event;
struct policy_listener;
struct prefault;
struct sample_store;
struct supervisor;

enum generation_state {
	GENERATION_LOADING,  /* until MSG_ZYGOTE_READY */
	GENERATION_STANDBY,  /* the front parks its first child; another one still serves */
	GENERATION_SERVING,  /* the front uses it, or the next front will */
	GENERATION_DRAINING, /* another one serves; its busy children finish */
	GENERATION_ENDING,   /* failed, died or was told to die; its exit is awaited */
	GENERATION_STATE_MAX
};

/* Processes of a pool at the same time: who asks for more has to wait for those that drain. */
#define GENERATIONS_MAX 4

/* What a place for a pool is used for. Pools keep their place as long as they live. */
enum pool_phase {
	POOL_FREE,
	POOL_STAGED, /* a reload adds it: no request goes there yet */
	POOL_LIVE,
	POOL_REMOVED, /* a reload took it away: what it has begun ends */
	POOL_PHASE_MAX
};

/* Tells a file that was replaced or written. */
struct worker_stamp {
	uint64_t device;
	uint64_t inode;
	uint64_t changed_ns;
};

struct zygote_generation {
	LIST_ENTRY(zygote_generation) link;
	struct zygote_pool *pool;
	uint32_t number;
	enum generation_state state;
	struct spawned process;
	struct channel channel;
	struct event *bound; /* pending: ends a state that takes too long */
	/* Our copies of the fronts' ends of its zygotes' channels, for the next front in that place; -1: none. */
	int front_fds[PROTO_FRONTS_MAX][PROTO_ZYGOTES_MAX];
	uint32_t zygotes;      /* it was started with that many */
	uint32_t max_children; /* and has slots for that many, of all fronts */
	uint32_t given;	       /* bit mask of the fronts that have it */
	uint32_t attached;     /* of these, those that have parked a child of it */
	uint32_t held;	       /* the same while it is held */
	bool is_held;	       /* a reload's: it takes over when all of the reload is ready */
	bool is_discharged;    /* its exit is what we wanted */
	pid_t siblings[PROTO_ZYGOTES_MAX - 1]; /* the other zygotes' processes, as we see them */
	uint32_t siblings_count;
	/* policy_log's, one of each zygote; NULL unless sandbox = "log" */
	struct policy_listener *listeners[PROTO_ZYGOTES_MAX];
	struct worker_stamp stamp; /* of the worker that it loaded */
	uint64_t healthy_rounds
		[PROTO_ZYGOTES_MAX];   /* service_manager: the last one that each answered */
	uint64_t ready_ms;	       /* 0: not yet */
	uint64_t looked_ms;	       /* memory_watch: when last, */
	char *look_list;	       /* the children that it looks at in turn, or NULL, */
	size_t look_next;	       /* and where in there to go on */
	struct msg_zygote_ready ready; /* valid once ready_ms is set */
	struct survey_subject subject; /* survey's */
	struct sample_store *samples;  /* sampler's; NULL: none yet */
	struct prefault *prefault;     /* prefault's; NULL: its children touch nothing beforehand */
};

struct zygote_pool {
	struct supervisor *supervisor;
	uint32_t index; /* into config.pools, and the pool's number in messages */
	enum pool_phase phase;
	const struct config_pool *config;
	LIST_HEAD(zygote_generations, zygote_generation) generations;
	struct zygote_generation *serving; /* one of them, or NULL */
	uint32_t last_number;		   /* of a generation */
	uint32_t restarts;
	struct backoff backoff;
	struct event *timer; /* pending: the next start; of a removed pool: the end of its queue */
	struct recycle recycle;
	const char *survey_error; /* a literal, of the last survey; NULL: none */
	uint64_t survey_error_ms;
	char error[PROTO_TEXT_MAX]; /* why the last generation failed or died; "" once a later one
				       serves */
};

/* Makes supervisor->pools, with a place for each configured pool and free ones. 0, or -1 when out of memory. Starts nothing. */
int zygote_proc_init(struct supervisor *supervisor) __attribute__((warn_unused_result));
/* Frees supervisor->pools and what is left of their generations. */
void zygote_proc_fini(struct supervisor *supervisor);

/* Starts a new generation of each pool. */
void zygote_proc_start_all(struct supervisor *supervisor);

/*
 * Starts a generation beside the one that serves, to take over from it. Its number, or 0 with an
 * errno: EAGAIN when there are too many that drain. recycle_on_serving or recycle_on_failed tells
 * what became of it.
 */
uint32_t zygote_proc_start_beside(struct zygote_pool *pool);

/* The same with another configuration, held until zygote_generation_go. 0 with errno when it cannot be started. */
uint32_t zygote_proc_start_held(struct zygote_pool *pool, const struct config_pool *config);

/* A place is taken by a pool that has no zygote yet. */
void zygote_proc_stage(struct zygote_pool *pool);
/*
 * The pool is no more: requests that wait are served, then its zygote drains, then its place is free. Nothing new is
 * to be sent there any more.
 */
void zygote_proc_remove(struct zygote_pool *pool);

/* A process of ours was reaped. False when it is no zygote. */
bool zygote_proc_on_exit(struct supervisor *supervisor, pid_t pid, int status);

/* Kills all zygotes, and their children with them; none is started again. */
void zygote_proc_end_all(struct supervisor *supervisor);
/* Cancels the restarts that are pending. */
void zygote_proc_stop_restarts(struct supervisor *supervisor);
bool zygote_proc_are_gone(const struct supervisor *supervisor);

/* The pool after that one, the first one after NULL; NULL after the last. */
struct zygote_pool *zygote_proc_next(const struct supervisor *supervisor,
				     const struct zygote_pool *pool);

/* The process of zygote `index` of a generation: 0 is the first, siblings_count the last. */
pid_t zygote_proc_pid(const struct zygote_generation *generation, uint32_t index);

/* By name, and by process; NULL when there is none. */
struct zygote_pool *zygote_proc_find(const struct supervisor *supervisor, const char *name);
struct zygote_generation *zygote_proc_find_process(const struct supervisor *supervisor, pid_t pid);

/* The newest generation in that state, other than a held one; NULL when there is none. */
struct zygote_generation *zygote_proc_find_state(const struct zygote_pool *pool,
						 enum generation_state state);

/* "loading", "serving", "failed" (will be tried again) or "stopped". */
const char *zygote_proc_state_name(const struct zygote_pool *pool);

/* The generation that an operator wants to see: the serving one, else the newest with a process,
 * else NULL. */
const struct zygote_generation *zygote_proc_shown(const struct zygote_pool *pool);

#endif
