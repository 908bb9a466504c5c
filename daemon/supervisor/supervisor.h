/*
 * The supervisor: starts front and zygotes, starts them again when they die, answers on the control
 * socket. One struct holds everything and is passed down explicitly; one libevent loop, one thread.
 */
#ifndef ZYGOTED_SUPERVISOR_SUPERVISOR_H
#define ZYGOTED_SUPERVISOR_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/identity.h"
#include "supervisor/listeners.h"
#include "supervisor/spawn.h"

#define FRONT_TITLE                                                                                \
	"zygoted: front" /* argv[0] that makes the executable a front; a number may follow */
#define SUPERVISOR_NOTICES_MAX 8
#define SUPERVISOR_NOTICE_MAX  256

struct config;
struct control;
struct event;
struct event_base;
struct front_asks;
struct front_board;
struct front_proc;
struct metrics;
struct policy_log;
struct sampler;
struct surveys;
struct tls_files;
struct reload;
struct service_manager;
struct zygote_pool;

enum supervisor_state {
	SUPERVISOR_RUNNING,
	SUPERVISOR_DRAINING, /* the front answers what it has; nothing is restarted */
	SUPERVISOR_ENDING,   /* front and zygotes are told to die, or have died */
	SUPERVISOR_STATE_MAX
};

struct supervisor {
	enum supervisor_state state;
	int exit_code;
	struct event_base *base;
	struct event *stop_timer;
	struct config *config; /* written by reload alone */
	struct identity identity;
	struct spawn_namespaces namespaces;
	struct listeners listeners;
	int access_fd; /* of the access log; -1: none */
	int zygote_program_fd;
	int own_program_fd;
	int log_is_journal;
	uint64_t started_ms;
	struct front_proc *fronts; /* config->fronts of them */
	struct front_board *board; /* what they tell each other */
	int board_fd;
	struct front_asks *asks;
	struct zygote_pool *pools; /* PROTO_POOLS_MAX places, as in config->pools */
	struct reload *reload;
	struct metrics *metrics;
	struct surveys *surveys;
	struct sampler *sampler;
	struct policy_log *policy_log; /* NULL: no pool has sandbox = "log" */
	struct tls_files *tls;	       /* what the front has; NULL: no listener speaks TLS */
	struct service_manager *service;
	struct control *control;
	unsigned notices_count;
	char notices[SUPERVISOR_NOTICES_MAX][SUPERVISOR_NOTICE_MAX];
};

/* The process's main, after argv[0] was found not to be a front's. */
int supervisor_main(int argc, char **argv);

/*
 * Begins to stop: drains the front for some seconds, then ends everything and leaves the loop.
 * Called again it drains no longer. `reason` goes to the log.
 */
void supervisor_stop(struct supervisor *supervisor, const char *reason);

/* The same without draining, and the daemon's exit code will be 1. */
void supervisor_fail(struct supervisor *supervisor, const char *reason);

/* A front has answered everything. */
void supervisor_on_drained(struct supervisor *supervisor);

/* A process is gone for good: leaves the loop when it was the last one of a stop. */
void supervisor_on_gone(struct supervisor *supervisor);

/* Keeps a line for `info` and writes it to the log as a warning. Empty lines and those beyond the
 * bound are dropped. */
void supervisor_add_notice(struct supervisor *supervisor, const char *text);

#endif
